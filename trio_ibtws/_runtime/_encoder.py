"""ibapi's ``EClient`` as an encoder: its own methods, with a silent log and a faster ``make_field``.

ibapi writes every request and every frame to its log, with account numbers and whole orders, as soon as a program logs
at INFO. And two thirds of what it takes to encode a request is ``ibapi.comm.make_field``, which looks at each character
of a text by itself. EClient's methods are plain functions that find both among their module's globals. Here is a
subclass whose methods are private copies of them with globals of their own; nothing of ibapi is changed or patched.

The two functions for a field must give exactly what ibapi's own give. Before they are used they are tried on a table of
values beside them, once in a process; a release of ibapi that gives something else encodes with its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

from ibapi import client as ibapi_client
from ibapi import comm
from ibapi.client import EClient

__all__ = ["encoder_class"]

_Field = Callable[[Any], str]
_client: Any = ibapi_client


@cache
def encoder_class() -> type[EClient]:
    """Return the subclass of EClient."""
    scope = {**vars(ibapi_client), "logger": _SilentLogger(), "current_fn_name": lambda parent_idx=0: ""}
    if "getServerVersionForMessage" in scope:  # from ibapi 10.48 on; it goes through all messages, one after another
        scope["getServerVersionForMessage"] = cache(scope["getServerVersionForMessage"])
    make_field = _field_like(comm.make_field)
    make_field_handle_empty = _number_like(make_field, comm.make_field_handle_empty)
    if _same(make_field, comm.make_field) and _same(make_field_handle_empty, comm.make_field_handle_empty):
        scope |= {"make_field": make_field, "make_field_handle_empty": make_field_handle_empty}
    methods: dict[str, Any] = {
        name: _copied(each, scope)
        for name, each in vars(EClient).items()
        if isinstance(each, FunctionType) and each.__globals__ is vars(ibapi_client)
    }
    ours = {"logRequest": _log_nothing, "isConnected": _is_connected, "__doc__": "Encodes, and logs nothing."}
    return type("Encoder", (EClient,), {**methods, **ours})


def _copied(function: FunctionType, scope: dict[str, Any]) -> FunctionType:
    made = FunctionType(function.__code__, scope, function.__name__, function.__defaults__, function.__closure__)
    made.__kwdefaults__ = function.__kwdefaults__
    return made


class _SilentLogger:
    """Stands in for the logger of ``ibapi.client``."""

    def debug(self, *arguments: Any) -> None:
        """Write nothing."""

    info = warning = error = debug


def _log_nothing(self: Any, fnName: str, fnParams: Any) -> None:
    """Stand in for what writes a request and all its arguments to the log."""


def _is_connected(self: Any) -> bool:
    """Stand in for what makes a text for the log, whenever it is asked."""
    return bool(self.connState == EClient.CONNECTED)


# --- one field ---------------------------------------------------------------------------------------------------


def _field_like(stock: _Field) -> _Field:
    """Return a ``make_field`` that does what *stock* does; what is rare it leaves to *stock*."""

    def make_field(val: Any) -> str:
        kind = val.__class__
        if (kind is str and val.isascii() and val.isprintable()) or kind is int or kind is float:
            return f"{val}\0"
        if kind is bool:
            return "1\0" if val else "0\0"
        return stock(val)

    return make_field


def _number_like(make_field: _Field, stock: _Field) -> _Field:
    """Return a ``make_field_handle_empty``: ``make_field``, but nothing for what is unset."""
    most = _client.UNSET_INTEGER
    unsets = (most, _client.UNSET_DOUBLE)

    def make_field_handle_empty(val: Any) -> str:
        kind = val.__class__
        if kind is float or kind is int:
            if -most < val < most:
                return f"{val}\0"
            if val in unsets:
                return "\0"
        elif kind is str:
            return make_field(val)
        return stock(val)

    return make_field_handle_empty


_VALUES: tuple[Any, ...] = (
    *("", "AAPL", "20 D", "a\tb", "a\nb", "a\rb", "a\0b", "a\x7fb", "a\x1fb", "caf\u00e9", "\u2028", "~", " "),
    *(0, 1, -1, 2147483646, 2147483647, -2147483647, -2147483648, 2**63, -(2**70), True, False, None, [], b"x"),
    *(0.0, -0.0, 1.0, 0.1, 1e-7, 1e16, 1e22, -5.5, 1.7976931348623157e308, float("inf"), float("-inf"), float("nan")),
)


def _same(ours: _Field, theirs: _Field) -> bool:
    """Whether both make the same of a table of values."""
    return all(_outcome(ours, value) == _outcome(theirs, value) for value in _VALUES)


def _outcome(make: _Field, value: Any) -> Any:
    try:
        return make(value)
    except Exception as exc:  # noqa: BLE001  # ibapi raises of two kinds, and whatever a broken release raises differs
        return type(exc)
