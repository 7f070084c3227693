"""How a tick of the market becomes the messages of a market data line, live or delayed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ._market import Tick
from ._market_instrument import Instrument

__all__ = ["DELAY", "DELAYED", "LIVE", "Line", "TickTypes", "first_ticks", "next_ticks"]

DELAY = 900.0
"""Seconds by which delayed data are late."""

Message = tuple[str, dict[str, Any]]

_HALTED = 49
_CAN_AUTO_EXECUTE = 1


class TickTypes(msgspec.Struct, frozen=True):
    """The numbers of the tick types of one kind of data."""

    bid: int
    ask: int
    last: int
    bid_size: int
    ask_size: int
    last_size: int
    high: int
    low: int
    volume: int
    close: int
    open: int
    timestamp: int


LIVE = TickTypes(1, 2, 4, 0, 3, 5, 6, 7, 8, 9, 14, 45)
DELAYED = TickTypes(66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 88)


class Line(msgspec.Struct):
    """A market data line: what it shows, and what it showed last."""

    request: int
    instrument: Instrument
    types: TickTypes
    in_lots: bool
    previous_close: float
    shown: Tick | None = None
    quiet: bool = False
    """Whether its client wants generic ticks alone."""

    def size(self, shares: int) -> int:
        """Return a size as this line's client counts."""
        return shares // 100 if self.in_lots else shares

    def price(self, kind: int, price: float, shares: int, mask: int = 0) -> Message:
        """Make a tickPrice."""
        values = {"tickType": kind, "price": price, "size": self.size(shares), "attrMask": mask}
        return "tickPrice", {"reqId": self.request, **values}

    def sized(self, kind: int, shares: int) -> Message:
        """Make a tickSize."""
        return "tickSize", {"reqId": self.request, "tickType": kind, "size": self.size(shares)}

    def text(self, kind: int, value: str) -> Message:
        """Make a tickString."""
        return "tickString", {"reqId": self.request, "tickType": kind, "value": value}

    def _mask(self) -> int:
        return _CAN_AUTO_EXECUTE if self.types is LIVE else 0

    def bid(self, tick: Tick) -> Message:
        """Make the price tick of the bid."""
        return self.price(self.types.bid, tick.bid, tick.bid_size, self._mask())

    def ask(self, tick: Tick) -> Message:
        """Make the price tick of the ask."""
        return self.price(self.types.ask, tick.ask, tick.ask_size, self._mask())

    def last(self, tick: Tick) -> Message:
        """Make the price tick of the last trade."""
        return self.price(self.types.last, tick.last, tick.last_size)

    def stamp(self, tick: Tick) -> Message:
        """Make the tick that says when the last trade was."""
        return self.text(self.types.timestamp, str(int(tick.at)))


def _day(line: Line, tick: Tick) -> Iterator[Message]:
    kinds = line.types
    yield line.price(kinds.high, tick.day.high, 0)
    yield line.price(kinds.low, tick.day.low, 0)
    if line.instrument.has_trades and line.instrument.has_quotes:
        yield line.sized(kinds.volume, tick.day.volume)
    yield line.price(kinds.close, line.previous_close, 0)
    if line.instrument.has_trades:
        yield line.price(kinds.open, tick.day.open, 0)


def first_ticks(line: Line, tick: Tick, *, snapshot: bool = False) -> Iterator[Message]:
    """Yield what a line starts with, in the order of gateways, which have three of them.

    Live data begin with the last trade, a delayed snapshot with the quotes, and a delayed stream with the day.
    """
    line.shown = tick
    if line.quiet:
        return
    trades = [line.last(tick), line.stamp(tick)] if line.instrument.has_trades else []
    quotes = [line.bid(tick), line.ask(tick)] if line.instrument.has_quotes else []
    day = list(_day(line, tick))
    if line.types is DELAYED and snapshot:
        yield from quotes + trades + day
    elif line.types is DELAYED:
        begun = day[-1:] if line.instrument.has_trades else []
        yield from day[: len(day) - len(begun)] + trades + begun + quotes
    else:
        yield from reversed(trades)
        if line.instrument.is_stock:
            yield "tickGeneric", {"reqId": line.request, "tickType": _HALTED, "value": 0.0}
        yield from quotes + day


def next_ticks(line: Line, tick: Tick) -> Iterator[Message]:
    """Yield what has changed since the line showed something last."""
    before = line.shown
    line.shown = tick
    if before is None or before.at == tick.at or line.quiet:
        return
    kinds = line.types
    if line.instrument.has_quotes:
        yield from _side(before.bid != tick.bid, line.bid(tick), line.sized(kinds.bid_size, tick.bid_size))
        yield from _side(before.ask != tick.ask, line.ask(tick), line.sized(kinds.ask_size, tick.ask_size))
        if tick.traded and line.instrument.has_trades:
            yield from _trade(line, before, tick)
    elif before.last != tick.last:
        yield line.last(tick)
    if tick.day.high > before.day.high:
        yield line.price(kinds.high, tick.day.high, 0)
    if tick.day.low < before.day.low:
        yield line.price(kinds.low, tick.day.low, 0)


def _side(moved: bool, price: Message, size: Message) -> Iterator[Message]:
    """Yield a new price and, as TWS does, its size once more on its own."""
    if moved:
        yield price
    yield size


def _trade(line: Line, before: Tick, tick: Tick) -> Iterator[Message]:
    if int(before.at) != int(tick.at):
        yield line.stamp(tick)
    if before.last != tick.last:
        yield line.last(tick)
    yield line.sized(line.types.last_size, tick.last_size)
    yield line.sized(line.types.volume, tick.day.volume)
