"""Where a command connects to: flags, then the environment, then a configuration file, then what is usual.

Every value knows where it came from, so that a bad one is reported with its origin, and ``doctor`` can tell.
"""

from __future__ import annotations

import argparse
import os
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ._errors import MISUSED, CommandError

__all__ = ["Setting", "Settings", "client_id", "config_path", "find_settings", "free_port", "host", "port"]

_DEFAULTS = {"host": "127.0.0.1", "port": 7497, "client_id": 0}

# The second name is what other programs for TWS use.
_VARIABLES = {
    "host": ("TRIO_IBTWS_HOST", "IB_SERVER_HOST"),
    "port": ("TRIO_IBTWS_PORT", "IB_SERVER_PORT"),
    "client_id": ("TRIO_IBTWS_CLIENT_ID",),
}
_KINDS = {str: "text", int: "whole number"}
_MOST_CLIENT_ID = 2**31 - 1


class Setting(NamedTuple):
    """A value, and where it came from: a flag, a variable, a file or ``"default"``."""

    value: Any
    source: str


class Settings(NamedTuple):
    """What every command needs to know before it connects."""

    host: Setting
    port: Setting
    client_id: Setting


def find_settings(arguments: argparse.Namespace) -> Settings:
    """Return host, port and client id of a command.

    Raises:
      CommandError: a value cannot be used, or the configuration file cannot be read; it says where that came from.
    """
    if arguments.simulate and (arguments.host is not None or arguments.port is not None):
        raise CommandError("--simulate is a TWS of its own: leave --host and --port away", code=MISUSED)
    file = dict(_of_file(arguments.config))
    return Settings(*(_find(name, arguments, file) for name in Settings._fields))


def _find(name: str, arguments: argparse.Namespace, file: dict[str, Setting]) -> Setting:
    given = getattr(arguments, name)
    if given is not None:
        return Setting(given, f"--{name.replace('_', '-')}")
    for variable in _VARIABLES[name]:
        if os.environ.get(variable):
            return Setting(_checked(name, os.environ[variable], variable), variable)
    return file.get(name) or Setting(_DEFAULTS[name], "default")


# --- the configuration file --------------------------------------------------------------------------------------


def config_path() -> Path:
    """Return where the configuration is looked for when ``--config`` does not say."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return base / "trio_ibtws" / "config.toml"


def _of_file(given: str | None) -> Iterator[tuple[str, Setting]]:
    path = Path(given) if given is not None else config_path()
    for name, value in _read(path, needed=given is not None).items():
        if name not in _DEFAULTS:
            known = ", ".join(_DEFAULTS)
            raise CommandError(f"{path}: there is no setting {name!r}; it may have {known}", code=MISUSED)
        yield name, Setting(_checked(name, value, str(path)), str(path))


def _read(path: Path, *, needed: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors begin with a mark
    except FileNotFoundError:
        if not needed:
            return {}
        raise CommandError(f"there is no configuration file {path}; give another with --config", code=MISUSED) from None
    except OSError as error:
        raise CommandError(f"cannot read the configuration {path} ({error.strerror or error})", code=MISUSED) from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise CommandError(f"the configuration {path} is no TOML: {error}", code=MISUSED) from error


# --- values ------------------------------------------------------------------------------------------------------


def _checked(name: str, value: Any, source: str) -> Any:
    """Return a value of the environment or the file as the type that it should have."""
    check, kind = _CHECKS[name]
    try:
        if not isinstance(value, str) and type(value) is not kind:
            raise argparse.ArgumentTypeError(f"{value!r} is no {_KINDS[kind]}")
        return check(str(value))
    except argparse.ArgumentTypeError as error:
        raise CommandError(f"{name} from {source}: {error}", code=MISUSED) from None


def host(text: str) -> str:
    """Return a name or address, for argparse."""
    if not text or not text.isprintable() or " " in text:
        raise argparse.ArgumentTypeError(f"{text!r} is no host name or address")
    return text


def port(text: str) -> int:
    """Return the TCP port of a server, for argparse."""
    return _port(text, least=1)


def free_port(text: str) -> int:
    """Return a TCP port to listen on, for argparse; 0 means any that is free."""
    return _port(text, least=0)


def _port(text: str, *, least: int) -> int:
    if not (text.isdecimal() and least <= int(text) < 1 << 16):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from {least} to 65535")
    return int(text)


def client_id(text: str) -> int:
    """Return an API client id, for argparse."""
    if not (text.isdecimal() and int(text) <= _MOST_CLIENT_ID):
        raise argparse.ArgumentTypeError(f"{text!r} is no client id: give a number from 0 to {_MOST_CLIENT_ID}")
    return int(text)


_CHECKS: dict[str, tuple[Callable[[str], Any], type[Any]]] = {
    "host": (host, str),
    "port": (port, int),
    "client_id": (client_id, int),
}
