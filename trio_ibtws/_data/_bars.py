"""Bars from ticks, and longer bars from those of five seconds.

Three ways to cut: by time, by the number of ticks, by volume. A builder is plain code without a clock: it is given
ticks and returns the bars that they finish, and it can be told how late it is when no tick comes.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Literal, Protocol, TypeAlias

import msgspec
from ibapi.common import HistoricalTickBidAsk

from .._gen.events import RealtimeBar, TickByTickBidAsk, TickByTickDataEvent, TickByTickMidPoint
from .._runtime._events import Gap, Lagged
from .._runtime._streams import EventStream
from .._runtime._values import number, size
from ..errors import InvalidRequest
from ..times import zone_of

__all__ = ["Bar", "BarBuilder", "BarStream", "TickBars", "TimeBars", "VolumeBars"]

Tick: TypeAlias = "TickByTickDataEvent | RealtimeBar"
"""What bars are made of: trades, mid points, bars of five seconds, and ticks of the past; bid and ask are refused."""

_DAY = timedelta(days=1)
_REALTIME = timedelta(seconds=5)


class Bar(msgspec.Struct, frozen=True):
    """Prices from *start* up to *end*, which is no part of it; both are in UTC.

    Attributes:
      start: when it begins; of bars by ticks or volume, the time of the first tick.
      end: when it ends; of bars by ticks or volume, the time of the last tick.
      open: the first price.
      high: the highest.
      low: the lowest.
      close: the last.
      volume: what was traded; 0 of mid points.
      wap: the average price by volume, ``None`` where there is no volume.
      count: of how many ticks, or trades, it was made.
      complete: ``False`` for one that was still growing, or that misses ticks (``Lagged`` or ``Gap`` in the stream).
    """

    start: datetime
    end: datetime
    open: float
    high: float
    low: float
    close: float
    volume: Decimal
    wap: float | None
    count: int
    complete: bool = True


class BarBuilder(Protocol):
    """What ``BarStream`` needs: ``TimeBars``, ``TickBars``, ``VolumeBars``, or your own."""

    @abstractmethod
    def add(self, tick: Tick) -> list[Bar]:
        """Take a tick, return the bars that it finishes."""

    @abstractmethod
    def partial(self) -> Bar | None:
        """Return the bar that is growing, with ``complete=False``."""


class _Piece(msgspec.Struct, frozen=True):
    """A tick, or a small bar, in one shape."""

    at: datetime
    open: float
    high: float
    low: float
    close: float
    volume: Decimal
    turnover: Decimal
    count: int
    lasts: timedelta = timedelta(0)


class _Growing(msgspec.Struct):
    """A bar that is not finished."""

    start: datetime
    end: datetime
    open: float
    high: float
    low: float
    close: float
    volume: Decimal
    turnover: Decimal
    count: int

    def take(self, piece: _Piece) -> None:
        self.high, self.low, self.close = max(self.high, piece.high), min(self.low, piece.low), piece.close
        self.volume += piece.volume
        self.turnover += piece.turnover
        self.count += piece.count

    def bar(self, *, complete: bool) -> Bar:
        wap = float(self.turnover / self.volume) if self.volume else None
        prices = (self.open, self.high, self.low, self.close)
        return Bar(self.start, self.end, *prices, self.volume, wap, self.count, complete)


def _begun(piece: _Piece, start: datetime, end: datetime) -> _Growing:
    prices = (piece.open, piece.high, piece.low, piece.close)
    return _Growing(start, end, *prices, piece.volume, piece.turnover, piece.count)


def _piece(tick: Tick) -> _Piece | None:
    """Return a tick in the common shape, ``None`` for one without a price."""
    if isinstance(tick, RealtimeBar):
        return _of_bar(tick)
    if isinstance(tick, (TickByTickBidAsk, HistoricalTickBidAsk)):
        raise InvalidRequest("tick", "a bid and an ask are no price; take Last, AllLast or MidPoint")
    price = number(tick.mid_point if isinstance(tick, TickByTickMidPoint) else tick.price)
    if price is None:
        return None
    known = None if isinstance(tick, TickByTickMidPoint) else size(tick.size)
    volume = Decimal(0) if known is None else known
    at = datetime.fromtimestamp(tick.time, UTC)
    return _Piece(at, price, price, price, price, volume, Decimal(str(price)) * volume, 1)


def _of_bar(bar: RealtimeBar) -> _Piece | None:
    if bar.open is None or bar.high is None or bar.low is None or bar.close is None:
        return None
    volume = bar.volume if bar.volume is not None and bar.volume > 0 else Decimal(0)  # -1: of mid points, say
    price = bar.wap if bar.wap is not None else Decimal(str(bar.close))
    at = datetime.fromtimestamp(bar.time, UTC)
    count = max(bar.count, 0)
    return _Piece(at, bar.open, bar.high, bar.low, bar.close, volume, price * volume, count, _REALTIME)


class TimeBars:
    """Bars of equal length, which begin at midnight of the exchange's zone and at every length after it.

    Args:
      length: how long they are: up to a day. The last one of a day is shorter when the day is no multiple of it.
      zone: the exchange's, as ``ContractDetails.timeZoneId`` has it; UTC by default.
      empty: what becomes of a length without a tick: ``"skip"`` makes no bar, ``"fill"`` one of the last close, with
        no volume and a count of 0.

    A tick belongs to the bar in whose half-open interval it is. One for a bar that is finished is dropped and counted
    in ``late``. The first bar may have begun before the first tick was seen.

    Raises:
      InvalidRequest: the length is not from a second to a day. TimeError: the zone is unknown.
    """

    def __init__(self, length: timedelta, zone: str | tzinfo = UTC, *, empty: Literal["skip", "fill"] = "skip") -> None:
        if not timedelta(seconds=1) <= length <= _DAY:
            raise InvalidRequest("length", f"{length} is not from one second to one day")
        if empty not in ("skip", "fill"):
            raise InvalidRequest("empty", f"{empty!r} is neither 'skip' nor 'fill'")
        self._length = length
        self._zone = zone_of(zone) if isinstance(zone, str) else zone
        self._fill = empty == "fill"
        self._bar: _Growing | None = None
        self._done: Bar | None = None
        self.late: int = 0
        """How many ticks came for a bar that was finished."""

    def add(self, tick: Tick) -> list[Bar]:
        """Take a tick, return the bars that it finishes."""
        piece = _piece(tick)
        if piece is None:
            return []
        finished = self.advance(piece.at)
        if self._bar is not None and piece.at >= self._bar.start:
            self._bar.take(piece)
        elif self._bar is not None or (self._done is not None and piece.at < self._done.end):
            self.late += 1
            return finished
        else:
            self._bar = _begun(piece, *self._interval(piece.at))
        return finished + self.advance(piece.at + piece.lasts)

    def advance(self, now: datetime) -> list[Bar]:
        """Return the bars that end at *now* or before: no tick earlier than that is to come."""
        finished: list[Bar] = []
        if self._bar is not None and now >= self._bar.end:
            finished.append(self._bar.bar(complete=True))
            self._bar = None
            self._done = finished[0]
        while self._fill and self._bar is None and self._done is not None:
            start, end = self._interval(self._done.end)
            if now < end:
                break
            price = self._done.close
            self._done = Bar(start, end, price, price, price, price, Decimal(0), None, 0)
            finished.append(self._done)
        return finished

    def partial(self) -> Bar | None:
        """Return the bar that is growing, with ``complete=False``."""
        return self._bar.bar(complete=False) if self._bar is not None else None

    def _interval(self, at: datetime) -> tuple[datetime, datetime]:
        day = at.astimezone(self._zone).date()
        midnight, next_midnight = (
            datetime.combine(day + _DAY * ahead, time(), self._zone).astimezone(UTC) for ahead in (0, 1)
        )
        start = midnight + (at - midnight) // self._length * self._length
        return start, min(start + self._length, next_midnight)


class _Counted:
    """Bars that end when enough has come, whenever that is."""

    def __init__(self, enough: Callable[[_Growing], bool]) -> None:
        self._enough = enough
        self._bar: _Growing | None = None

    def add(self, tick: Tick) -> list[Bar]:
        """Take a tick, return the bar that it finishes, if it does."""
        piece = _piece(tick)
        if piece is None:
            return []
        if self._bar is None:
            self._bar = _begun(piece, piece.at, piece.at)
        else:
            self._bar.take(piece)
        self._bar.end = piece.at + piece.lasts
        if not self._enough(self._bar):
            return []
        finished, self._bar = self._bar.bar(complete=True), None
        return [finished]

    def partial(self) -> Bar | None:
        """Return the bar that is growing, with ``complete=False``."""
        return self._bar.bar(complete=False) if self._bar is not None else None


class TickBars(_Counted):
    """Bars of *count* ticks each.

    Raises:
      InvalidRequest: *count* is below 1.
    """

    def __init__(self, count: int) -> None:
        if count < 1:
            raise InvalidRequest("count", f"{count} ticks are no bar")
        super().__init__(lambda bar: bar.count >= count)


class VolumeBars(_Counted):
    """Bars in each of which at least *volume* was traded: the trade that reaches it is the last one, and all of it is.

    Raises:
      InvalidRequest: *volume* is not above zero.
    """

    def __init__(self, volume: Decimal | int) -> None:
        if not volume > 0:
            raise InvalidRequest("volume", f"{volume} is no volume")
        super().__init__(lambda bar: bar.volume >= volume)


class BarStream:
    """The bars of a stream of ticks, finished ones only::

        async with client.tick_by_tick_data(contract, "AllLast") as ticks:
            async for bar in BarStream(ticks, TimeBars(timedelta(minutes=1), "US/Eastern")): ...

    A bar by time is finished by the first tick after it. How the stream ends is raised as ``EventStream`` does;
    ``builder.partial()`` then is what was growing.
    """

    def __init__(
        self,
        ticks: EventStream[TickByTickDataEvent] | EventStream[RealtimeBar],
        builder: BarBuilder,
    ) -> None:
        self._ticks = ticks
        self._finished: list[Bar] = []
        self._missed = False
        self._begun_with_a_gap: datetime | None = None
        self.builder: BarBuilder = builder
        """What cuts the bars."""

    async def receive(self) -> Bar:
        """Wait for the next bar that is finished, and return it.

        Cancelled means that no tick was lost: what was taken is in the bar that is growing.

        Raises:
          InvalidRequest: the stream is one of bids and asks. Otherwise as ``EventStream.receive``.
        """
        while not self._finished:
            event = await self._ticks.receive()
            if isinstance(event, (Lagged, Gap)):
                self._missed = True
            else:
                self._finished += self._honest(self.builder.add(event))
        return self._finished.pop(0)

    def _honest(self, finished: list[Bar]) -> list[Bar]:
        """Return the bars that a tick finished; those that ticks were missed for are not complete."""
        if self._missed:
            growing = self.builder.partial()
            bars = [msgspec.structs.replace(bar, complete=False) for bar in finished]
            self._begun_with_a_gap = None if growing is None else growing.start
            self._missed = False
            return bars
        return [
            msgspec.structs.replace(bar, complete=False) if bar.start == self._begun_with_a_gap else bar
            for bar in finished
        ]

    def __aiter__(self) -> BarStream:
        return self

    async def __anext__(self) -> Bar:
        return await self.receive()
