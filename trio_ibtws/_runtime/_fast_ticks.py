"""Text ticks and rows of books, decoded without a function call for each field.

They come by the thousand a second, so that for each of these five messages there is a function that does, with a
message of the usual shape, what ibapi's own does. A message of any other shape (a field too many or too few, an empty
number, a kind of tick that has no name) it leaves alone: ``_fast`` has a copy of ibapi's function for those. Which
releases they stand in for, see ``_pinned``; servers older than 157, which this library does not take, are not thought
of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

from ibapi import decoder as ibapi_decoder
from ibapi.decoder import Decoder

from ._compat import MIN_SERVER_VERSION
from ._fast import Sizes, fast_handlers, utf8
from ._pinned import Heard, Known, is_known, shown

__all__ = ["TickHandler", "fast_ticks", "no_tick", "sizes_of_ticks", "text_ticks"]

TickHandler = Callable[[Any, list[bytes]], bool]
"""Decodes a tick for a wrapper, from the frame cut at its zeros, and returns whether it was of the usual shape."""

_ibapi: Any = ibapi_decoder
_UNUSUAL = (ValueError, KeyError, ArithmeticError)

_SIZE_OF_PRICE = (
    *(("BID", "BID_SIZE"), ("ASK", "ASK_SIZE"), ("LAST", "LAST_SIZE")),
    *(("DELAYED_BID", "DELAYED_BID_SIZE"), ("DELAYED_ASK", "DELAYED_ASK_SIZE"), ("DELAYED_LAST", "DELAYED_LAST_SIZE")),
)


def sizes_of_ticks() -> dict[int, int]:
    """Return which kind of size comes with which kind of price."""
    kinds = _ibapi.TickTypeEnum
    return {getattr(kinds, price): getattr(kinds, size) for price, size in _SIZE_OF_PRICE}


@cache
def fast_ticks() -> Mapping[int, TickHandler]:
    """Return a handler by message id, for each that can stand in for ibapi's own."""
    return {
        message_id: handler
        for message_id, (name, digest, make) in _TICKS.items()
        if is_known(vars(Decoder).get(name), digest) and _same(message_id, handler := make())
    }


def text_ticks(wrapper: Any) -> Callable[[bytes], bool]:
    """Return what decodes a frame for *wrapper* if it is such a message, and returns whether it did."""
    by_beginning = {
        beginning: handler for message_id, handler in fast_ticks().items() for beginning in _beginnings(message_id)
    }

    def tick(frame: bytes) -> bool:
        handle = by_beginning.get(frame[:3])
        return handle is not None and handle(wrapper, frame.split(b"\0"))

    return tick


def _beginnings(message_id: int) -> list[bytes]:
    """Return the first three bytes that a frame can have; behind an id of one digit follows a version."""
    field = b"%d\0" % message_id
    return [field] if len(field) == 3 else [field + b"%d" % digit for digit in range(10)]


def no_tick(frame: bytes) -> bool:
    """Decode nothing."""
    return False


# --- the messages ------------------------------------------------------------------------------------------------


def _tick_price() -> TickHandler:
    integers, floats, sizes = Known(int), Known(float), Sizes()
    size_of, attributes = sizes_of_ticks(), _ibapi.TickAttrib

    def handle(wrapper: Any, fields: list[bytes]) -> bool:
        try:
            _, version, request, kind, price, size, mask, _ = fields
            integers[version]
            request_id, tick_type, value, flags = integers[request], integers[kind], floats[price], integers[mask]
            amount = sizes[size]
        except _UNUSUAL:
            return False
        attrib = attributes()
        if flags & 1:
            attrib.canAutoExecute = True
        if flags & 6:
            attrib.pastLimit, attrib.preOpen = flags & 2 != 0, flags & 4 != 0
        wrapper.tickPrice(request_id, tick_type, value, attrib)
        if tick_type in size_of:
            wrapper.tickSize(request_id, size_of[tick_type], amount)
        return True

    return handle


def _tick_size() -> TickHandler:
    integers, sizes, none = Known(int), Sizes(), _ibapi.TickTypeEnum.NOT_SET

    def handle(wrapper: Any, fields: list[bytes]) -> bool:
        try:
            _, version, request, kind, size, _ = fields
            integers[version]
            request_id, tick_type, amount = integers[request], integers[kind], sizes[size]
        except _UNUSUAL:
            return False
        if tick_type == none:
            return False
        wrapper.tickSize(request_id, tick_type, amount)
        return True

    return handle


def _depth() -> TickHandler:
    integers, floats, sizes = Known(int), Known(float), Sizes()

    def handle(wrapper: Any, fields: list[bytes]) -> bool:
        try:
            _, version, request, row, what, side, price, size, _ = fields
            integers[version]
            values = integers[request], integers[row], integers[what], integers[side], floats[price], sizes[size]
        except _UNUSUAL:
            return False
        wrapper.updateMktDepth(*values)
        return True

    return handle


def _depth_by_maker() -> TickHandler:
    integers, floats, sizes, texts = Known(int), Known(float), Sizes(), Known(utf8)

    def handle(wrapper: Any, fields: list[bytes]) -> bool:
        try:
            _, version, request, row, maker, what, side, price, size, smart, _ = fields
            integers[version]
            place = integers[request], integers[row], texts[maker], integers[what], integers[side]
            values = floats[price], sizes[size], integers[smart] != 0
        except _UNUSUAL:
            return False
        wrapper.updateMktDepthL2(*place, *values)
        return True

    return handle


def _trade() -> TickHandler:
    integers, floats, sizes, texts = Known(int), Known(float), Sizes(), Known(utf8)
    attributes = _ibapi.TickAttribLast

    def handle(wrapper: Any, fields: list[bytes]) -> bool:
        try:
            _, request, kind, time, price, size, mask, exchange, conditions, _ = fields
            request_id, tick_type, second, value = integers[request], integers[kind], int(time), floats[price]
            amount, flags, place, remarks = sizes[size], integers[mask], texts[exchange], texts[conditions]
        except _UNUSUAL:
            return False
        attrib = attributes()
        if flags:
            attrib.pastLimit, attrib.unreported = flags & 1 != 0, flags & 2 != 0
        wrapper.tickByTickAllLast(request_id, tick_type, second, value, amount, attrib, place, remarks)
        return True

    return handle


def _quote() -> TickHandler:
    integers, floats, sizes = Known(int), Known(float), Sizes()
    attributes = _ibapi.TickAttribBidAsk

    def handle(wrapper: Any, fields: list[bytes]) -> bool:
        try:
            _, request, _, time, bid, ask, bid_size, ask_size, mask, _ = fields
            request_id, second, flags = integers[request], int(time), integers[mask]
            values = floats[bid], floats[ask], sizes[bid_size], sizes[ask_size]
        except _UNUSUAL:
            return False
        attrib = attributes()
        if flags:
            attrib.bidPastLow, attrib.askPastHigh = flags & 1 != 0, flags & 2 != 0
        wrapper.tickByTickBidAsk(request_id, second, *values, attrib)
        return True

    return handle


def _middle() -> TickHandler:
    integers, floats = Known(int), Known(float)

    def handle(wrapper: Any, fields: list[bytes]) -> bool:
        try:
            _, request, _, time, price, _ = fields
            values = integers[request], int(time), floats[price]
        except _UNUSUAL:
            return False
        wrapper.tickByTickMidPoint(*values)
        return True

    return handle


def _tick_by_tick() -> TickHandler:
    trade = _trade()
    kinds = {b"1": trade, b"2": trade, b"3": _quote(), b"4": _middle()}

    def handle(wrapper: Any, fields: list[bytes]) -> bool:
        if len(fields) < 3 or fields[2] not in kinds:
            return False
        return kinds[fields[2]](wrapper, fields)

    return handle


_TICKS: dict[int, tuple[str, str, Callable[[], TickHandler]]] = {
    1: ("processTickPriceMsg", "90a05c5075bb", _tick_price),
    2: ("processTickSizeMsg", "1078f5d61521", _tick_size),
    12: ("processMarketDepthMsg", "a63553df2870", _depth),
    13: ("processMarketDepthL2Msg", "6370c842bda1", _depth_by_maker),
    99: ("processTickByTickMsg", "b844e7c9a760", _tick_by_tick),
}
"""By message id: ibapi's function, as it is from 10.37 on, its digest, and what stands in for it."""


# --- whether they are the same -----------------------------------------------------------------------------------

_SAMPLES = {
    1: (b"6 7 1 100.25 300 5", b"6 7 2 -1.0 0 0", b"6 7 68 1e-7 12.50 2", b"6 7 9 1.5 9223372036854775807 7"),
    2: (b"6 7 8 300", b"6 7 0 2147483647"),
    12: (b"1 7 3 1 0 100.25 300",),
    13: (b"1 7 3 NSDQ 1 0 100.25 300 1", b"1 7 3 caf\xc3\xa9 1 0 100.25 300 0"),
    99: (b"7 1 1704205800 1.5 300 3 NYSE T", b"7 2 1 0 0 0 \xff _", b"7 3 1 1.5 1.75 2 3 3", b"7 4 1 1.5"),
}
"""Fields of messages, the id left out, with spaces between them."""


def _same(message_id: int, handler: TickHandler) -> bool:
    """Whether *handler* makes the calls of the copy of ibapi's own function."""
    for sample in _SAMPLES[message_id]:
        frame = b"%d\0" % message_id + sample.replace(b" ", b"\0") + b"\0"
        ours, theirs = Heard(), Heard()
        decoder = SimpleNamespace(wrapper=theirs, serverVersion=MIN_SERVER_VERSION)
        fast_handlers()[message_id](decoder, iter(frame.split(b"\0")[1:]))
        if not handler(ours, frame.split(b"\0")) or shown(ours.calls) != shown(theirs.calls):
            return False
    return True
