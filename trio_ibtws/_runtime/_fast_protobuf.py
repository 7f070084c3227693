"""ibapi's protobuf decoder, faster: its own functions, with other helpers for ticks and bars.

On the protobuf wire the C parser does most of the work, and what is left is a question (``HasField``) before each
value. For a tick or a bar it need not be asked: where a plain value is missing, protobuf gives the same zero or empty
text that ibapi's object starts with. These helpers rely on that, and are tried beside ibapi's own before they are
used, on messages that have all, some and none of their fields. The functions around them are private copies, as in
``_fast``; nothing of ibapi is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from itertools import chain, combinations
from types import FunctionType
from typing import Any

from ibapi import common
from ibapi import decoder as ibapi_decoder
from ibapi.decoder import Decoder

from ._pinned import shown

__all__ = ["ProtobufHandler", "fast_protobuf_handlers"]

ProtobufHandler = Callable[[Any, bytes], None]


@cache
def fast_protobuf_handlers() -> Mapping[int, ProtobufHandler]:
    """Return a handler for each protobuf message of the installed ibapi, none where it is built otherwise.

    A helper of ibapi that another one cannot stand in for is kept.
    """
    scope = {**vars(ibapi_decoder)}
    scope.update({name: helper for name, (helper, _) in _HELPERS.items() if _same(name)})
    functions = {
        int(message_id): info.processMeth
        for message_id, info in getattr(Decoder, "msgId2handleInfoProtoBuf", {}).items()
    }
    if any(not _plain(function) for function in functions.values()):
        return {}
    return {
        message_id: FunctionType(function.__code__, scope, function.__name__, function.__defaults__)
        for message_id, function in functions.items()
    }


def _plain(function: Any) -> bool:
    return (
        isinstance(function, FunctionType)
        and function.__globals__ is vars(ibapi_decoder)
        and function.__code__.co_argcount == 2
        and function.__closure__ is None
    )


# --- the helpers -------------------------------------------------------------------------------------------------


def _tick(message: Any) -> Any:
    tick = common.HistoricalTick()
    tick.time = message.time
    tick.price = message.price
    if message.HasField("size"):
        tick.size = Decimal(message.size)
    return tick


def _tick_last(message: Any) -> Any:
    tick = common.HistoricalTickLast()
    tick.time = message.time
    if message.HasField("tickAttribLast"):
        given, attributes = message.tickAttribLast, tick.tickAttribLast
        attributes.pastLimit = given.pastLimit
        attributes.unreported = given.unreported
    tick.price = message.price
    if message.HasField("size"):
        tick.size = Decimal(message.size)
    tick.exchange = message.exchange
    tick.specialConditions = message.specialConditions
    return tick


def _tick_bid_ask(message: Any) -> Any:
    tick = common.HistoricalTickBidAsk()
    tick.time = message.time
    if message.HasField("tickAttribBidAsk"):
        given, attributes = message.tickAttribBidAsk, tick.tickAttribBidAsk
        attributes.bidPastLow = given.bidPastLow
        attributes.askPastHigh = given.askPastHigh
    tick.priceBid = message.priceBid
    tick.priceAsk = message.priceAsk
    if message.HasField("sizeBid"):
        tick.sizeBid = Decimal(message.sizeBid)
    if message.HasField("sizeAsk"):
        tick.sizeAsk = Decimal(message.sizeAsk)
    return tick


def _bar(message: Any) -> Any:
    bar = common.BarData()
    bar.date = message.date
    bar.open = message.open
    bar.high = message.high
    bar.low = message.low
    bar.close = message.close
    volume, wap = message.volume, message.WAP
    if volume or message.HasField("volume"):  # an empty one that is there is an error
        bar.volume = Decimal(volume)
    if wap or message.HasField("WAP"):
        bar.wap = Decimal(wap)
    bar.barCount = message.barCount
    return bar


_HELPERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "decodeHistoricalTick": (_tick, "HistoricalTickProto"),
    "decodeHistoricalTickLast": (_tick_last, "HistoricalTickLastProto"),
    "decodeHistoricalTickBidAsk": (_tick_bid_ask, "HistoricalTickBidAskProto"),
    "decodeHistoricalDataBar": (_bar, "HistoricalDataBarProto"),
}
"""By the name that ibapi's decoder has for it: the helper, and what ``ibapi.decoder_utils`` calls its message."""


# --- whether they are the same -----------------------------------------------------------------------------------


def _same(name: str) -> bool:
    """Whether our helper makes what ibapi's makes, the first and every further time."""
    helper, message_name = _HELPERS[name]
    try:
        from ibapi import decoder_utils

        stock, message_class = getattr(decoder_utils, name), getattr(decoder_utils, message_name)
        scope_has_it = getattr(ibapi_decoder, name) is stock
        return scope_has_it and all(shown(helper(made)) == shown(stock(made)) for made in _messages(message_class))
    except Exception:  # noqa: BLE001  # a helper that is built otherwise may fail in any way, and is kept
        return False


def _messages(message_class: Any) -> list[Any]:
    """Return messages with none, one, two and all of their fields, at zero and at another value."""
    fields = message_class.DESCRIPTOR.fields
    few = chain.from_iterable(combinations(fields, count) for count in (0, 1, 2, len(fields)))
    return [_filled(message_class(), chosen, zero) for chosen in few for zero in (False, True)]


def _filled(message: Any, fields: Any, zero: bool) -> Any:
    for field in fields:
        if field.message_type is not None:
            part = getattr(message, field.name)
            part.SetInParent()
            _filled(part, field.message_type.fields, zero)
        elif field.type == field.TYPE_STRING:
            setattr(message, field.name, "0" if zero else "12.50")
        else:
            setattr(message, field.name, 0 if zero else 7 if field.type != field.TYPE_BOOL else True)
    return message
