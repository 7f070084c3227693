"""What stock ibapi makes of a frame, what ours makes of it, and whether that is the same.

``stock_calls`` runs ibapi's own ``Decoder`` with a recording ``EWrapper``, as ``EClient.run`` does; ``Ours`` runs a
``Session`` and records what its wrapper tells the router. ``expected`` says by the stated rules what the second must
be for the first: request ids are the key and no value, an unset number is ``None``, a size is a ``Decimal``, and
everything else is untouched.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from decimal import Decimal
from math import isfinite
from typing import Any

from ibapi import comm
from ibapi.common import TickAttrib
from ibapi.decoder import Decoder
from ibapi.wrapper import EWrapper

from trio_ibtws._gen import events
from trio_ibtws._gen.wrapper import Wrapper
from trio_ibtws._runtime import _events
from trio_ibtws._runtime._compat import interpret_takes_id
from trio_ibtws._runtime._fast_ticks import no_tick
from trio_ibtws._runtime._framing import frame
from trio_ibtws._runtime._session import Session, Settings

Call = tuple[str, tuple[Any, ...]]
"""A callback's name and its arguments, or what the router was told."""

IDS = ("reqId", "requestId", "tickerId")
KEPT_TWINS = ("configResponseProtoBuf", "updateConfigResponseProtoBuf")
"""Protobuf callbacks that have no plain twin, and so are events."""

VERIFICATION = ("verifyAndAuthCompleted", "verifyAndAuthMessageAPI", "verifyCompleted", "verifyMessageAPI")
"""Callbacks that are no events of ours: the authentication of third parties' software."""

CALLBACKS = tuple(
    name
    for name, member in vars(EWrapper).items()
    if inspect.isfunction(member) and not name.startswith("_") and (not name.endswith("ProtoBuf") or name in KEPT_TWINS)
)
"""Every callback of the installed release, without the protobuf twins of others."""

# --- stock ibapi -------------------------------------------------------------------------------------------------


class StockDecoder(Decoder):
    """ibapi's own, as it is; but it reads the signatures of all callbacks for the first decoder, not for each."""

    def discoverParams(self) -> None:
        if any(info.wrapperMeth and info.wrapperParams is None for info in self.msgId2handleInfo.values()):
            super().discoverParams()


def recorder(calls: list[Call]) -> EWrapper:
    """Return an EWrapper whose every callback, twins included, adds itself to *calls*."""

    def recording(name: str) -> Callable[..., None]:
        return lambda self, *arguments: calls.append((name, arguments))

    members = {name: recording(name) for name, member in vars(EWrapper).items() if inspect.isfunction(member)}
    members.pop("__init__")
    wrapper: EWrapper = type("Recorder", (EWrapper,), members)()
    return wrapper


def interpret(decoder: Any, body: bytes, version: int) -> None:
    """Hand a frame, without its length, to ibapi's decoder as ``EClient.run`` of its release does."""
    if not interpret_takes_id:
        decoder.interpret(comm.read_fields(body))
        return
    if version < 201:
        end = body.index(b"\0")
        decoder.interpret(comm.read_fields(body[end + 1 :]), int(body[:end]))
        return
    message_id = int.from_bytes(body[:4], "big")
    if message_id > 200:
        decoder.processProtoBuf(body[4:], message_id - 200)
    else:
        decoder.interpret(comm.read_fields(body[4:]), message_id)


def stock_calls(body: bytes, version: int) -> list[Call]:
    """Return the callbacks that stock ibapi makes of a frame; raises what it raises."""
    calls: list[Call] = []
    interpret(StockDecoder(recorder(calls), version), body, version)
    return calls


# --- ours --------------------------------------------------------------------------------------------------------


class RouterSpy:
    """Notes what the wrapper tells the router, and passes it on."""

    def __init__(self, router: Any, told: list[Call]) -> None:
        self._router = router
        self._told = told

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._router, name)

        def tell(*arguments: Any) -> None:
            self._told.append((name, arguments))
            member(*arguments)

        return tell


class Ours:
    """A session at any server version, without a network, and what its router was told."""

    def __init__(self, version: int, *, client_id: int = 0) -> None:
        self.open(version, client_id)
        self.receive(frame(b"%d\0" % max(version, 157) + b"20231021 13:28:15 EST\0"))
        if version < 157:  # older than the handshake lets through, but recorded frames are as old
            bridge = self.bridge
            bridge.server_version = bridge._eclient.serverVersion_ = bridge._decoder.serverVersion = version
            bridge.tick = no_tick  # which thinks of servers from 157 on only
        self.sent()

    def open(self, version: int, client_id: int = 0) -> None:
        """Make the session, before the server has said anything."""
        self.told: list[Call] = []
        settings = Settings(client_id=client_id, maximum=max(version, 157), codes={}, trading=True)
        self.session = Session(
            settings,
            lambda router: Wrapper(RouterSpy(router, self.told)),  # type: ignore[arg-type]
            now=lambda: 0.0,
            wake_writer=lambda: None,
            wake_clock=lambda: None,
        )

    @property
    def bridge(self) -> Any:
        return self.session._bridge

    def receive(self, data: bytes) -> list[Call]:
        """Take bytes of the server; return what the router was told of the whole frames among them."""
        self.told.clear()
        self.session.receive_data(data)
        while self.session.next_frame():
            pass
        return list(self.told)

    def decode(self, body: bytes) -> list[Call]:
        """Take one frame, without its length."""
        return self.receive(frame(body))

    def sent(self) -> list[bytes]:
        """Take what waits to be written."""
        sent = []
        while (entry := self.session.outbox.take()) is not None:
            sent.append(entry.data)
        return sent


# --- the rules ---------------------------------------------------------------------------------------------------

LANES = {
    "accountDownloadEnd": "accountDownloadEnd",
    "completedOrder": "completedOrdersEnd",
    "position": "positionEnd",
    "updateAccountTime": "accountDownloadEnd",
    "updateAccountValue": "accountDownloadEnd",
    "updatePortfolio": "accountDownloadEnd",
}
"""Callbacks without an id whose lane has another name than their own."""

ECHOED = ("marketRule", "receiveFA")
FLATTENED = ("historicalTicks", "historicalTicksBidAsk", "historicalTicksLast")
UNSET_FLOAT = 1.7976931348623157e308
UNSET_SIZES = (Decimal(2**127 - 1), Decimal(2**31 - 1), Decimal(2**63 - 1))


def plain(value: Any, annotation: str) -> Any:
    """Return *value* as an event has it in a field annotated so."""
    if annotation == "float | None":
        return None if value is None or abs(value) == UNSET_FLOAT or not isfinite(value) else value
    if annotation == "Decimal | None":
        if value == UNSET_FLOAT or not Decimal(value).is_finite() or value in UNSET_SIZES:
            return None
        return value if isinstance(value, Decimal) else Decimal(str(value))
    if annotation == "int | None":
        return None if value in (2**31 - 1, 2**63 - 1) else value
    return value


def event_of(name: str, values: Iterable[Any]) -> Any:
    """Return the event that the callback *name* with these values is, ids left out."""
    kind = getattr(events, name[0].upper() + name[1:], None) or getattr(_events, name[0].upper() + name[1:], None)
    given = list(values)
    if kind is None:
        assert len(given) <= 1, f"{name} has {len(given)} values and no event class"
        return given[0] if given else None
    annotations = list(kind.__annotations__.values())[: len(given)]
    # a class that is public has its annotations looked up, any other has them as they are written
    written = [str(annotation).replace("decimal.", "") for annotation in annotations]
    return kind(*(plain(value, annotation) for value, annotation in zip(given, written, strict=True)))


def commission(report: Any) -> Any:
    """Return the event of a commission report of any release."""
    fees = report.commissionAndFees if hasattr(report, "commissionAndFees") else report.commission
    date = report.yieldRedemptionDate
    return _events.CommissionAndFeesReport(
        report.execId,
        plain(fees, "float | None"),
        report.currency,
        plain(report.realizedPNL, "float | None"),
        plain(report.yield_, "float | None"),
        None if date in (0, 2**31 - 1) else date,
    )


def smart_components(given: Any) -> dict[int, tuple[str, str]]:
    """Return what EWrapper announces: the text wire gives a list, protobuf a dict."""
    if isinstance(given, dict):
        return given
    return {each.bitNumber: (each.exchange, each.exchangeLetter) for each in given}


def _error(arguments: tuple[Any, ...]) -> Call:
    """Return what the router is told of an error: id, code, message, time, advanced reject."""
    names = list(inspect.signature(EWrapper.error).parameters)[1:]
    given = dict(zip(names, arguments, strict=False))
    time = given.get("errorTime") or None
    advanced = given.get("advancedOrderRejectJson", "")
    return "error", (given["reqId"], given["errorCode"], given["errorString"], time, advanced)


def _id(value: Any) -> Any:
    """Return 0 for an id that is unset; the values of these callbacks that are whole numbers are ids."""
    return 0 if value.__class__ is int and value in (2**31 - 1, 2**63 - 1) else value


SPECIAL: dict[str, Callable[[tuple[Any, ...]], Call]] = {
    "commissionAndFeesReport": lambda given: ("commission", (commission(given[0]),)),
    "commissionReport": lambda given: ("commission", (commission(given[0]),)),
    "configResponseProtoBuf": lambda given: ("item", (given[0].reqId, given[0])),
    "error": _error,
    "execDetails": lambda given: ("exec_details", (given[0], _events.ExecDetails(given[1], given[2]))),
    "managedAccounts": lambda given: ("managed_accounts", given),
    "nextValidId": lambda given: ("next_valid_id", given),
    "openOrder": lambda given: ("open_order", (_events.OpenOrder(*given),)),
    "orderBound": lambda given: ("order_bound", (_events.OrderBound(*map(_id, given)),)),
    "orderStatus": lambda given: ("order_status", (event_of("orderStatus", map(_id, given)),)),
    "smartComponents": lambda given: ("item", (given[0], smart_components(given[1]))),
    "updateConfigResponseProtoBuf": lambda given: ("item", (given[0].reqId, given[0])),
}
"""Callbacks that the plain rule does not fit, because their shape or their owner differs."""


def expected(calls: Iterable[Call]) -> list[Call]:
    """Return what our router must be told where stock ibapi makes *calls*."""
    told: list[Call] = []
    twin: tuple[Any, ...] = (None, None)
    without_mask = False
    for name, arguments in calls:
        if name == "tickPriceProtoBuf":
            without_mask = not arguments[0].HasField("attrMask")
        elif name == "tickPrice" and without_mask:
            told.append(_told(name, (*arguments[:-1], TickAttrib())))  # flags that the message does not carry
        elif name == "tickReqParamsProtoBuf":
            message = arguments[0]
            fields = ("lastPricePrecision", "lastSizePrecision")
            twin = tuple(getattr(message, field) if message.HasField(field) else None for field in fields)
        elif name in VERIFICATION or (name.endswith("ProtoBuf") and name not in KEPT_TWINS):
            continue
        elif name in SPECIAL:
            told.append(SPECIAL[name](arguments))
        elif name == "tickReqParams":
            told.append(("item", (arguments[0], event_of(name, (*arguments[1:], *twin)))))
        else:
            told.append(_told(name, arguments))
    return told


def _told(name: str, arguments: tuple[Any, ...]) -> Call:
    names = list(inspect.signature(getattr(EWrapper, name)).parameters)[1:]
    key: Any = LANES.get(name, name)
    values = list(arguments)
    if names and names[0] in IDS:
        key = values.pop(0)
    elif name in ECHOED:
        key = (name, values.pop(0))
    if name in FLATTENED:
        return "items", (key, *values)
    if name == "accountDownloadEnd":
        return "end", (key,)
    if name.endswith("End") and name != "replaceFAEnd":
        return "end", (key, event_of(name, values)) if values else (key,)
    return "item", (key, event_of(name, values))


# --- the comparison ----------------------------------------------------------------------------------------------


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal to the last attribute; ibapi's own classes compare by identity only."""
    if one.__class__ is not other.__class__:
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, (set, frozenset)):  # in which no NaN is like another
        return same(sorted(one, key=str), sorted(other, key=str))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, _events.Event):
        return all(same(getattr(one, field), getattr(other, field)) for field in one.__struct_fields__)
    if isinstance(one, (float, Decimal)):
        return bool(one == other or (one != one and other != other))
    if hasattr(one, "__dict__") and not hasattr(one, "DESCRIPTOR") and not hasattr(one, "name_") and one != other:
        return same(vars(one), vars(other))
    return bool(one == other)


def difference(ours: list[Call], theirs: list[Call]) -> str:
    """Return where two lists of calls differ, nothing where they do not."""
    if [name for name, _ in ours] != [name for name, _ in theirs]:
        return f"ours {[name for name, _ in ours]}, stock {[name for name, _ in theirs]}"
    for (name, mine), (_, stock) in zip(ours, theirs, strict=True):
        if not same(tuple(mine), tuple(stock)):
            return f"{name}: ours {shown(mine)}, stock {shown(stock)}"
    return ""


def shown(value: Any) -> str:
    """Return *value* with the attributes of ibapi's objects, whose own text leaves them out."""
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(map(shown, value)) + ")"
    if isinstance(value, _events.Event):
        return type(value).__name__ + shown([getattr(value, field) for field in value.__struct_fields__])
    if hasattr(value, "__dict__") and not hasattr(value, "DESCRIPTOR"):
        return f"{type(value).__name__}{ {name: shown(item) for name, item in vars(value).items()} }"
    return repr(value)
