"""Protobuf ticks and rows of books, decoded without asking for each value whether it is there.

What ``_fast_ticks`` is for text. A value that is not zero is there; so is one inside a part whose size is there, and
for most of those ibapi takes a missing one for zero anyway. Where that does not decide it, these functions leave the
message alone, and ``_fast_protobuf`` has a copy of ibapi's own for it; so they do when somebody hears the protobuf
callback of the message, the twin of the plain one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any

from ibapi import decoder as ibapi_decoder
from ibapi.decoder import Decoder

from ._compat import PROTOBUF_ID
from ._fast import unheard
from ._fast_protobuf import fast_protobuf_handlers
from ._fast_ticks import sizes_of_ticks
from ._pinned import Heard, Known, is_known, shown

__all__ = ["ProtobufTickHandler", "fast_protobuf_ticks", "protobuf_ticks"]

ProtobufTickHandler = Callable[[Any, Any], bool]
"""Decodes the message of a tick for a wrapper, and returns whether it was of the usual shape."""


_ibapi: Any = ibapi_decoder


@cache
def fast_protobuf_ticks() -> Mapping[int, ProtobufTickHandler]:
    """Return a handler by message id, for each that can stand in for ibapi's own."""
    return {
        message_id: handler
        for message_id, (name, digest, _, make) in _TICKS.items()
        if is_known(vars(Decoder).get(name), digest) and _same(message_id, handler := make())
    }


def protobuf_ticks(wrapper: Any) -> Callable[[bytes], bool]:
    """Return what decodes a frame for *wrapper* if it is such a message, and returns whether it did."""
    by_beginning = {
        (message_id + PROTOBUF_ID).to_bytes(4, "big"): (vars(_ibapi)[_TICKS[message_id][2]].FromString, handler)
        for message_id, handler in fast_protobuf_ticks().items()
    }

    def tick(frame: bytes) -> bool:
        found = by_beginning.get(frame[:4])
        if found is None:
            return False
        parse, handle = found
        try:
            message = parse(frame[4:])
        except Exception:  # noqa: BLE001  # whatever it is, ibapi's own function meets it too, and it is reported there
            return False
        return handle(wrapper, message)

    return tick


def _size(text: str) -> Decimal | None:
    """Return a size, ``None`` for what is none; there is no text where the field is missing."""
    try:
        return Decimal(text)
    except ArithmeticError:
        return None


# --- the messages ------------------------------------------------------------------------------------------------


def _tick_price() -> ProtobufTickHandler:
    sizes, size_of, attributes = Known(_size), sizes_of_ticks(), _ibapi.TickAttrib

    def handle(wrapper: Any, message: Any) -> bool:
        request_id, tick_type, price, size = message.reqId, message.tickType, message.price, message.size
        if not (request_id and tick_type and size and (price or message.HasField("price"))):
            return False
        amount = sizes[size]
        if amount is None:
            return False
        flags = message.attrMask  # without one, ``SessionWrapper`` has ibapi take it for 0
        attrib = attributes()
        if flags & 1:
            attrib.canAutoExecute = True
        if flags & 6:
            attrib.pastLimit, attrib.preOpen = flags & 2 != 0, flags & 4 != 0
        wrapper.tickPrice(request_id, tick_type, price, attrib)
        if tick_type in size_of:
            wrapper.tickSize(request_id, size_of[tick_type], amount)
        return True

    return handle


def _tick_size() -> ProtobufTickHandler:
    sizes, none = Known(_size), _ibapi.TickTypeEnum.NOT_SET

    def handle(wrapper: Any, message: Any) -> bool:
        request_id, tick_type, size = message.reqId, message.tickType, message.size
        if not (request_id and size and (tick_type or message.HasField("tickType"))) or tick_type == none:
            return False
        amount = sizes[size]
        if amount is None or wrapper.tickSizeProtoBuf is not unheard:
            return False
        wrapper.tickSize(request_id, tick_type, amount)
        return True

    return handle


def _tick_generic() -> ProtobufTickHandler:
    none = _ibapi.TickTypeEnum.NOT_SET

    def handle(wrapper: Any, message: Any) -> bool:
        request_id, tick_type, value = message.reqId, message.tickType, message.value
        if not (request_id and tick_type and (value or message.HasField("value"))) or tick_type == none:
            return False
        if wrapper.tickGenericProtoBuf is not unheard:
            return False
        wrapper.tickGeneric(request_id, tick_type, value)
        return True

    return handle


def _tick_string() -> ProtobufTickHandler:
    none = _ibapi.TickTypeEnum.NOT_SET

    def handle(wrapper: Any, message: Any) -> bool:
        request_id, tick_type = message.reqId, message.tickType
        if not (request_id and tick_type) or tick_type == none or wrapper.tickStringProtoBuf is not unheard:
            return False
        wrapper.tickString(request_id, tick_type, message.value)
        return True

    return handle


def _depth() -> ProtobufTickHandler:
    sizes = Known(_size)

    def handle(wrapper: Any, message: Any) -> bool:
        request_id, row = message.reqId, message.marketDepthData
        place, what, side, price, size = row.position, row.operation, row.side, row.price, row.size
        if not (request_id and size and wrapper.updateMarketDepthProtoBuf is unheard) or not (
            (place or row.HasField("position"))
            and (what or row.HasField("operation"))
            and (side or row.HasField("side"))
            and (price or row.HasField("price"))
        ):
            return False
        amount = sizes[size]
        if amount is None:
            return False
        wrapper.updateMktDepth(request_id, place, what, side, price, amount)
        return True

    return handle


def _depth_by_maker() -> ProtobufTickHandler:
    sizes = Known(_size)

    def handle(wrapper: Any, message: Any) -> bool:
        request_id, row = message.reqId, message.marketDepthData
        what, side, price, size = row.operation, row.side, row.price, row.size
        if not (request_id and size and wrapper.updateMarketDepthL2ProtoBuf is unheard) or not (
            (what or row.HasField("operation")) and (side or row.HasField("side")) and (price or row.HasField("price"))
        ):
            return False
        place, maker, amount, smart = row.position, row.marketMaker, sizes[size], row.isSmartDepth
        if amount is None:
            return False
        wrapper.updateMktDepthL2(request_id, place, maker, what, side, price, amount, smart)
        return True

    return handle


def _tick_by_tick() -> ProtobufTickHandler:
    sizes = Known(_size)
    trade_attributes, quote_attributes = _ibapi.TickAttribLast, _ibapi.TickAttribBidAsk

    def trade(wrapper: Any, message: Any, request_id: int, kind: int) -> bool:
        tick = message.historicalTickLast
        amount, given = sizes[tick.size], tick.tickAttribLast
        if amount is None:
            return False
        attrib = trade_attributes()
        attrib.pastLimit, attrib.unreported = given.pastLimit, given.unreported
        wrapper.tickByTickAllLast(
            request_id, kind, tick.time, tick.price, amount, attrib, tick.exchange, tick.specialConditions
        )
        return True

    def quote(wrapper: Any, message: Any, request_id: int, kind: int) -> bool:
        tick = message.historicalTickBidAsk
        bid_size, ask_size, given = sizes[tick.sizeBid], sizes[tick.sizeAsk], tick.tickAttribBidAsk
        if bid_size is None or ask_size is None:
            return False
        attrib = quote_attributes()
        attrib.bidPastLow, attrib.askPastHigh = given.bidPastLow, given.askPastHigh
        wrapper.tickByTickBidAsk(request_id, tick.time, tick.priceBid, tick.priceAsk, bid_size, ask_size, attrib)
        return True

    def middle(wrapper: Any, message: Any, request_id: int, kind: int) -> bool:
        tick = message.historicalTickMidPoint
        if not tick.time or (tick.HasField("size") and sizes[tick.size] is None):  # which ibapi reads, and drops
            return False
        wrapper.tickByTickMidPoint(request_id, tick.time, tick.price)
        return True

    kinds = {1: trade, 2: trade, 3: quote, 4: middle}

    def handle(wrapper: Any, message: Any) -> bool:
        request_id, kind = message.reqId, message.tickType
        if not request_id or kind not in kinds or wrapper.tickByTickDataProtoBuf is not unheard:
            return False
        return kinds[kind](wrapper, message, request_id, kind)

    return handle


_TICKS: dict[int, tuple[str, str, str, Callable[[], ProtobufTickHandler]]] = {
    1: ("processTickPriceMsgProtoBuf", "4685e697eac2", "TickPriceProto", _tick_price),
    2: ("processTickSizeMsgProtoBuf", "46d615d7f836", "TickSizeProto", _tick_size),
    12: ("processMarketDepthMsgProtoBuf", "c86ced6c524f", "MarketDepthProto", _depth),
    13: ("processMarketDepthL2MsgProtoBuf", "31d15b97f19f", "MarketDepthL2Proto", _depth_by_maker),
    45: ("processTickGenericMsgProtoBuf", "875948b8a200", "TickGenericProto", _tick_generic),
    46: ("processTickStringMsgProtoBuf", "82e0197cd061", "TickStringProto", _tick_string),
    99: ("processTickByTickMsgProtoBuf", "b0e92f749cc7", "TickByTickDataProto", _tick_by_tick),
}
"""By message id: ibapi's function, its digest, what ibapi's decoder calls its message, and what stands in for it."""


# --- whether they are the same -----------------------------------------------------------------------------------

_ROW = {"position": 3, "operation": 1, "side": 1, "price": 100.25, "size": "300"}
_TRADE = {"time": 1704205800, "price": 1.5, "size": "3", "exchange": "NYSE", "specialConditions": "T"}
_QUOTE = {"time": 1704205800, "priceBid": 1.5, "priceAsk": 1.75, "sizeBid": "3", "sizeAsk": "2"}

_SAMPLES: dict[int, tuple[dict[str, Any], ...]] = {
    1: (
        {"tickType": 1, "price": 100.25, "size": "300", "attrMask": 5},
        {"tickType": 68, "price": 0.0, "size": "12.50", "attrMask": 2},
        {"tickType": 9, "price": -1.0, "size": "0", "attrMask": 0},
    ),
    2: ({"tickType": 8, "size": "300"}, {"tickType": 0, "size": "0.5"}),
    12: ({"marketDepthData": _ROW}, {"marketDepthData": _ROW | {"position": 0, "operation": 0, "side": 0}}),
    13: ({"marketDepthData": _ROW | {"marketMaker": "NSDQ", "isSmartDepth": True}}, {"marketDepthData": _ROW}),
    45: ({"tickType": 49, "value": 1.0}, {"tickType": 49, "value": 0.0}),
    46: ({"tickType": 45, "value": "1704205800"}, {"tickType": 45}),
    99: (
        {"tickType": 2, "historicalTickLast": _TRADE | {"tickAttribLast": {"pastLimit": True}}},
        {"tickType": 1, "historicalTickLast": {"size": "3"}},
        {"tickType": 3, "historicalTickBidAsk": _QUOTE | {"tickAttribBidAsk": {"askPastHigh": True}}},
        {"tickType": 4, "historicalTickMidPoint": {"time": 1704205800, "price": 1.5}},
    ),
}
"""Fields of messages, the request id left out."""


class _HeardPlain(Heard):
    """A wrapper that keeps every call but those of the protobuf twins."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return unheard if name.endswith("ProtoBuf") else super().__getattr__(name)


def _same(message_id: int, handler: ProtobufTickHandler) -> bool:
    """Whether *handler* makes the calls of the copy of ibapi's own function."""
    theirs_handler = fast_protobuf_handlers().get(message_id)
    if theirs_handler is None:
        return False
    message = vars(_ibapi)[_TICKS[message_id][2]]
    for sample in _SAMPLES[message_id]:
        made = message(reqId=7, **sample)
        ours, theirs = _HeardPlain(), _HeardPlain()
        theirs_handler(SimpleNamespace(wrapper=theirs), made.SerializeToString())
        if not handler(ours, made) or shown(ours.calls) != shown(theirs.calls):
            return False
    return True
