"""``trio-ibtws doctor``: what is installed, what the request table covers of it, what a server says.

Plain text: it has to run where nothing but the library is installed, and tell when ibapi is missing.
"""

from __future__ import annotations

import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from textwrap import wrap
from typing import TYPE_CHECKING

from .._runtime._installed import ibapi_distributions, require_one_ibapi
from ._settings import Settings, config_path
from ._words import masked

if TYPE_CHECKING:
    from .._client import Client

__all__ = ["doctor"]

_PACKAGES = {
    "trio-ibtws": "",
    "anyio": "",
    "trio": "",
    "msgspec": "",
    "rich": "not installed; charts and tables need it: pip install 'trio-ibtws[cli]'",
    "shtab": "not installed; `completion` needs it: pip install 'trio-ibtws[cli]'",
    "tartiflette": "not installed; GraphQL needs it: pip install 'trio-ibtws[graphql]'",
}
_NAME_WIDTH = 12
_WIDTH = 80


async def doctor(settings: Settings, ask: bool, seed: int | None) -> None:
    """Print the report; with *ask*, what the server of the *settings* says, with a *seed*, what the simulator does.

    Raises:
      ImportError: there is no ibapi, or there are two: the report ends with that.
      IBError: the server did not let us in.
    """
    _say("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for package, missing in _PACKAGES.items():
        _say(package, _installed(package) or missing or "not installed")
    _say_settings(settings)
    _say_ibapi()
    _check_table()
    async with _client(settings, ask, seed) as client:
        if client is not None:
            await _check_server(client, "the simulator" if seed is not None else _address(settings))


def _say(name: str, what: str) -> None:
    print(f"{name:<{_NAME_WIDTH}} {what}", flush=True)


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _say_settings(settings: Settings) -> None:
    path = config_path()
    _say("config", f"{path}{'' if path.exists() else ' (none is there)'}")
    _say("connects to", f"{_address(settings)} as client {settings.client_id.value}")
    for name, setting in zip(settings._fields, settings, strict=True):
        if setting.source != "default":
            _say("", f"{name} comes from {setting.source}")


def _address(settings: Settings) -> str:
    return f"{settings.host.value}:{settings.port.value}"


# --- ibapi -------------------------------------------------------------------------------------------------------


def _say_ibapi() -> None:
    found = ", ".join(f"{name} {release}" for name, release in ibapi_distributions().items())
    try:
        require_one_ibapi()
    except ImportError:
        _say("ibapi", f"not as it should be: {found or 'missing'}")
        raise
    from .._runtime._compat import ibapi_release, offered_version
    from .._runtime._fast import why_stock

    speaks = f"speaks server versions up to {offered_version(None)}"
    _say("ibapi", f"{found or 'not from a package index'}: says {ibapi_release()}, {speaks}")
    _say("decoder", f"ibapi's own, unhurried: {why_stock()}" if why_stock() else "ibapi's own, made fast")


def _check_table() -> None:
    """Say how many requests of the installed ibapi the table has, and which it lacks."""
    from ._coverage import requests_of_ibapi, requests_of_table

    requests = requests_of_ibapi()
    lacking = sorted(requests - requests_of_table())
    if not lacking:
        _say("requests", f"the table has all {len(requests)} of this ibapi")
        return
    _say("requests", f"the table has {len(requests) - len(lacking)} of the {len(requests)} of this ibapi; it lacks")
    for line in wrap(", ".join(lacking), _WIDTH - _NAME_WIDTH):
        _say("", line)


# --- the server --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _client(settings: Settings, ask: bool, seed: int | None) -> AsyncIterator[Client | None]:
    if seed is None and not ask:
        yield None
        return
    from ._run import open_target

    async with open_target(settings, seed) as client:
        yield client


async def _check_server(client: Client, name: str) -> None:
    _say("server", f"{name} speaks version {client.server_version}")
    _say("accounts", ", ".join(map(masked, client.accounts)) or "none")
    _say("farms", await _farms(client))


async def _farms(client: Client) -> str:
    """Return the states of the data farms, which TWS tells right after it let us in."""
    await client.current_time()
    return ", ".join(f"{name} {state}" for name, state in sorted(client.farms.items())) or "nothing was said"
