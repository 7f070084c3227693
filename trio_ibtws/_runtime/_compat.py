"""The releases of ibapi behind one face: everything that depends on which of them is installed.

What differs between releases is found by signature, never by version number, because third parties number and patch
their uploads as they like. Arguments have the names of the newest release that the request table knows.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import ibapi
from ibapi import comm, server_versions
from ibapi.client import EClient
from ibapi.decoder import Decoder
from ibapi.execution import ExecutionFilter
from ibapi.wrapper import EWrapper

from ..errors import InvalidRequest, UnsupportedRequest

try:
    from ibapi.order_cancel import OrderCancel
except ModuleNotFoundError:  # before ibapi 10.30
    OrderCancel = None  # type: ignore[assignment,misc]

__all__ = [
    "MAX_CLIENT_VERSION",
    "MIN_CLIENT_VERSION",
    "MIN_SERVER_VERSION",
    "PROTOBUF_ID",
    "RAW_ID_SERVER_VERSION",
    "callback_parameters",
    "error_arguments",
    "has_method",
    "ibapi_release",
    "interpret_takes_id",
    "kinds_of",
    "offered_version",
    "parameters",
    "positional",
    "protobuf_message",
    "require_callback",
    "require_method",
    "version_frame",
]

MIN_SERVER_VERSION = 157
"""The oldest server that the library takes: TWS and IB Gateway 981."""

RAW_ID_SERVER_VERSION = 201
"""From this server version on every frame starts with a four-byte message id."""

PROTOBUF_ID = 200
"""What is added to a message id to say that the body is protobuf."""

MIN_CLIENT_VERSION: int = server_versions.MIN_CLIENT_VER
MAX_CLIENT_VERSION: int = server_versions.MAX_CLIENT_VER

_MIXED_WIRE = range(201, 213)
_LAST_TEXT_VERSION = 200

_NO_VALUE: tuple[Any, ...] = (None, "", 0, False, [])


def ibapi_release() -> str:
    """Return the release of the installed ibapi, as it says itself."""
    return str(ibapi.get_version_string())


# --- the handshake -----------------------------------------------------------------------------------------------


def offered_version(maximum: int | None) -> int:
    """Return the highest server version to offer: what ibapi speaks, capped at *maximum*.

    Between 201 and 212 some messages are text and some protobuf; a range that ends there is cut to the last version
    that is all text.

    Raises:
      InvalidRequest: *maximum* is no number, or below the oldest server that the library takes.
    """
    if not (maximum is None or _is_int(maximum)):
        raise InvalidRequest("max_server_version", f"{maximum!r} is no version of the protocol; 157 to 226 are")
    offered = MAX_CLIENT_VERSION if maximum is None else min(maximum, MAX_CLIENT_VERSION)
    if offered < MIN_SERVER_VERSION:
        raise InvalidRequest(
            "max_server_version", f"{maximum!r} is below {MIN_SERVER_VERSION}, the oldest that is spoken"
        )
    return _LAST_TEXT_VERSION if offered in _MIXED_WIRE else offered


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def version_frame(maximum: int) -> bytes:
    """Return the client's first bytes: the prefix, and a frame with the range of versions."""
    make: Any = getattr(comm, "make_initial_msg", comm.make_msg)  # make_msg before ibapi 10.37
    return b"API\0" + bytes(make(f"v{MIN_CLIENT_VERSION}..{maximum}"))


# --- decoding ----------------------------------------------------------------------------------------------------

interpret_takes_id = "msgId" in inspect.signature(Decoder.interpret).parameters
"""Whether ``Decoder.interpret`` takes the message id apart from the fields (from ibapi 10.37 on)."""


def callback_parameters(name: str) -> tuple[str, ...]:
    """Return the parameters of an EWrapper callback of the installed release."""
    return tuple(inspect.signature(getattr(EWrapper, name)).parameters)[1:]


_ERROR_PARAMETERS = callback_parameters("error")
_TEXT = _ERROR_PARAMETERS.index("errorString")


def error_arguments(arguments: tuple[Any, ...]) -> tuple[int, int, str, int | None, str]:
    """Return id, code, message, time and advanced reject of a call to ``EWrapper.error`` by any release."""
    if not isinstance(arguments[_TEXT], str):  # ibapi 10.37's reqWshEventData gives the time twice
        arguments = (arguments[0], *arguments[2:])
    given = dict(zip(_ERROR_PARAMETERS, arguments, strict=False))
    time = given.get("errorTime")
    return (
        given["reqId"],
        given["errorCode"],
        given["errorString"],
        time or None,
        given.get("advancedOrderRejectJson", ""),
    )


# --- encoding ----------------------------------------------------------------------------------------------------


def positional(method: str, arguments: Mapping[str, Any], *, since: str = "", until: str | None = None) -> list[Any]:
    """Return *arguments* in the order of the installed release's EClient method.

    Raises:
      UnsupportedRequest: the installed release has no such method, or no place for an argument that was given.
    """
    require_method(method, since=since, until=until)
    names = parameters(method)
    left = dict(arguments)
    values = [_filled(name, left.pop(name)) if name in left else _only_here(method, name, left) for name in names]
    for name, value in left.items():
        if not _is_default(value):
            raise UnsupportedRequest(
                f"{method} of the installed ibapi {ibapi_release()} has no parameter {name!r} (given: {value!r}); "
                "leave it out or install a newer ibapi"
            )
    return values


def require_method(method: str, *, since: str = "", until: str | None = None) -> None:
    """Raise ``UnsupportedRequest`` when the installed release has no such EClient method."""
    if not has_method(method):
        raise UnsupportedRequest(_missing(method, since, until))


def has_method(method: str) -> bool:
    """Whether the installed ibapi has this EClient method."""
    return hasattr(EClient, method)


@cache
def parameters(method: str) -> tuple[str, ...]:
    """Return the parameters of the installed EClient method, none where it has no such method."""
    function = getattr(EClient, method, None)
    return () if function is None else tuple(inspect.signature(function).parameters)[1:]


_FLAGS = frozenset({"useRTH", "useRth", "override"})
"""Parameters that are flags, and that ibapi annotates as whole numbers here and there."""


@cache
def kinds_of(method: str) -> Mapping[str, type]:
    """Return the types of the installed EClient method's parameters, where ibapi says them."""
    function = getattr(EClient, method, None)
    given = {} if function is None else inspect.signature(function).parameters
    kinds = {name: each.annotation for name, each in given.items() if isinstance(each.annotation, type)}
    return {
        name: bool if name in _FLAGS else kind for name, kind in kinds.items() if kind is not inspect.Parameter.empty
    }


def _missing(method: str, since: str, until: str | None) -> str:
    if until is not None:
        had = f"ibapi {until} was the last release that had it"
    else:
        had = f"it needs ibapi {since} or newer" if since else "no release that is known has it"
    return f"{method} does not exist in the installed ibapi {ibapi_release()}: {had}"


_FACTORIES: dict[str, Callable[[], Any]] = {"execFilter": ExecutionFilter}
if OrderCancel is not None:
    _FACTORIES["orderCancel"] = OrderCancel


def require_callback(method: str, callback: str) -> None:
    """Raise ``UnsupportedRequest`` when the installed ibapi could not decode the answer."""
    if not hasattr(EWrapper, callback):
        raise UnsupportedRequest(
            f"{method} is answered by EWrapper.{callback}, which the installed ibapi {ibapi_release()} does not have"
        )


def protobuf_message(name: str, request_id: int, given: Any, *, parameter: str) -> Any:
    """Return a copy of the protobuf message *given*, or a new one of the type *name*, with the request id in it.

    Raises:
      UnsupportedRequest: the installed release has no such message.
      InvalidRequest: *given* is something else.
    """
    try:
        kind = getattr(import_module(f"ibapi.protobuf.{name}_pb2"), name)
    except ModuleNotFoundError as exc:
        raise UnsupportedRequest(f"the installed ibapi {ibapi_release()} has no protobuf message {name}") from exc
    message = kind()
    if given is not None:
        if not isinstance(given, kind):
            raise InvalidRequest(parameter, f"{given!r} is no protobuf message {name}. Nothing was sent")
        message.CopyFrom(given)
    message.reqId = request_id
    return message


def _filled(name: str, value: Any) -> Any:
    """Return what EClient wants where the caller left a parameter with a default out."""
    if value is not None:
        return value
    if name in _FACTORIES:
        return _FACTORIES[name]()
    if name.endswith("Options"):
        return []
    raise InvalidRequest(name, "None cannot be sent to TWS; give a value")


def _only_here(method: str, name: str, left: dict[str, Any]) -> Any:
    """Return the value of a parameter that only older releases have."""
    if name == "manualCancelOrderTime":  # cancelOrder of ibapi 10.19
        order_cancel = left.pop("orderCancel", None)
        return "" if order_cancel is None else getattr(order_cancel, "manualOrderCancelTime", order_cancel)
    if name.startswith("MIN_SERVER_VER"):  # a slip of the pen in ibapi 10.30's reqWshEventData
        return getattr(server_versions, name)
    raise UnsupportedRequest(f"{method} of the installed ibapi {ibapi_release()} wants {name!r}, which is not known")


def _is_default(value: Any) -> bool:
    """Whether leaving *value* out says the same as sending it."""
    if OrderCancel is not None and isinstance(value, OrderCancel):
        return vars(value) == vars(OrderCancel())
    return any(value is default or value == default for default in _NO_VALUE)
