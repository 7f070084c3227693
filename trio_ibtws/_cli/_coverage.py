"""What the request table covers of the installed ibapi."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import FunctionType

from ibapi.client import EClient

from .. import _gen
from .._runtime._request import Request

__all__ = ["requests_of_ibapi", "requests_of_table"]

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
