"""``trio-ibtws doctor``: what is installed, what the request table covers of it, what a server says.

Plain text: it has to run where nothing but the library is installed.
"""

from __future__ import annotations

import platform
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pkgutil import iter_modules
from textwrap import wrap
from types import FunctionType

from ibapi.client import EClient

from .. import _gen
from .._client import Client, open_client
from .._runtime._compat import ibapi_release, offered_version
from .._runtime._fast import why_stock
from .._runtime._installed import ibapi_distributions
from .._runtime._request import Request
from ._words import masked

__all__ = ["doctor"]

_PACKAGES = {
    "trio-ibtws": "",
    "anyio": "",
    "trio": "",
    "msgspec": "",
    "rich": "not installed; `demo` needs it: pip install 'trio-ibtws[cli]'",
    "tartiflette": "not installed; GraphQL needs it: pip install 'trio-ibtws[graphql]'",
}
_NAME_WIDTH = 12
_WIDTH = 80

# What EClient sends to make the session itself, not on a caller's behalf.
_SESSION = {
    "connect",
    "sendMsg",
    "startApi",
    "verifyRequest",
    "verifyMessage",
    "verifyAndAuthRequest",
    "verifyAndAuthMessage",
}


async def doctor(host: str | None, port: int, client_id: int) -> None:
    """Print the report.

    Raises:
      IBError: the server at *host* did not let us in.
    """
    _say("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    for package, missing in _PACKAGES.items():
        _say(package, _installed(package) or missing or "not installed")
    _say_ibapi()
    _check_table()
    if host is not None:
        await _check_server(host, port, client_id)


def _say(name: str, what: str) -> None:
    print(f"{name:<{_NAME_WIDTH}} {what}", flush=True)


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


# --- ibapi -------------------------------------------------------------------------------------------------------


def _say_ibapi() -> None:
    """Say which ibapi is there. Exactly one is: without, or with two, importing the library ends with what to do."""
    found = [f"{name} {release}" for name, release in ibapi_distributions().items()]
    speaks = f"speaks server versions up to {offered_version(None)}"
    _say("ibapi", f"{', '.join(found) or 'not from a package index'}: says {ibapi_release()}, {speaks}")
    _say("decoder", f"ibapi's own, unhurried: {why_stock()}" if why_stock() else "ibapi's own, made fast")


def _check_table() -> None:
    """Say how many requests of the installed ibapi the table has, and which it lacks."""
    requests = requests_of_ibapi()
    lacking = sorted(requests - requests_of_table())
    if not lacking:
        _say("requests", f"the table has all {len(requests)} of this ibapi")
        return
    _say("requests", f"the table has {len(requests) - len(lacking)} of the {len(requests)} of this ibapi; it lacks")
    for line in wrap(", ".join(lacking), _WIDTH - _NAME_WIDTH):
        _say("", line)


def requests_of_ibapi() -> set[str]:
    """Return the methods of the installed EClient that ask TWS for something.

    Found by what they call, so that the requests of releases to come are found too: they send, or hand over to a
    method that sends the same request as protobuf. Such a twin is no request of its own.
    """
    calls = {
        name: set(method.__code__.co_names)
        for name, method in vars(EClient).items()
        if isinstance(method, FunctionType) and not name.startswith("_")
    }
    twins = {name for names in calls.values() for name in names if name.endswith("ProtoBuf")} & calls.keys()
    sending = {name for name, names in calls.items() if names & (twins | {"sendMsg"})}
    return sending - twins - _SESSION


def requests_of_table() -> set[str]:
    """Return the EClient methods that the request table uses, to ask or to cancel."""
    modules = [import_module(f"{_gen.__name__}.{found.name}") for found in iter_modules(_gen.__path__)]
    rows = [row for module in modules for row in vars(module).values() if isinstance(row, Request)]
    return {row.method for row in rows} | {row.cancel for row in rows if row.cancel is not None}


# --- the server --------------------------------------------------------------------------------------------------


async def _check_server(host: str, port: int, client_id: int) -> None:
    async with open_client(host, port, client_id=client_id) as client:
        _say("server", f"{host}:{port} speaks version {client.server_version}")
        _say("accounts", ", ".join(map(masked, client.accounts)) or "none")
        _say("farms", await _farms(client))


async def _farms(client: Client) -> str:
    """Return the states of the data farms, which TWS tells right after it let us in."""
    await client.current_time()
    return ", ".join(f"{name} {state}" for name, state in sorted(client.farms.items())) or "nothing was said"
