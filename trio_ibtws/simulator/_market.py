"""The simulated market: quotes, trades and bars of every instrument at any instant.

It has no state that depends on who asks: a tick is a function of the seed, the instrument and the instant. What is
cached is made anew when it has been dropped, and comes out the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random

import msgspec

from ._market_contracts import Instrument
from ._market_path import spread_volume, walk
from ._market_series import NEW_YORK, Series, SourceBar, load_series

__all__ = ["TICK_INTERVAL", "Bar", "Market", "Tick"]

TICK_INTERVAL = 0.25
"""Seconds between two ticks of an instrument, as TWS sends them."""

DAY = 86400
_TICKS = 240  # a minute of them
_SHARES_PER_TRADE = 120


class Bar(msgspec.Struct, frozen=True):
    """Prices over a time, or over the part of it that has passed."""

    start: float
    day: date
    open: float
    high: float
    low: float
    close: float
    volume: int
    wap: float
    count: int


class Tick(msgspec.Struct, frozen=True):
    """The state of an instrument's market at an instant, with the day so far."""

    at: float
    last: float
    last_size: int
    traded: bool
    bid: float
    ask: float
    bid_size: int
    ask_size: int
    day: Bar


def merge(bars: Iterable[Bar]) -> Bar:
    """Make one bar of several that follow each other."""
    parts = list(bars)
    volume = sum(bar.volume for bar in parts)
    weights = [bar.volume for bar in parts] if volume else [1] * len(parts)
    wap = sum(bar.wap * weight for bar, weight in zip(parts, weights, strict=True)) / sum(weights)
    return Bar(
        start=parts[0].start,
        day=parts[0].day,
        open=parts[0].open,
        high=max(bar.high for bar in parts),
        low=min(bar.low for bar in parts),
        close=parts[-1].close,
        volume=volume,
        wap=round(wap, 6),
        count=sum(bar.count for bar in parts),
    )


def _bar(start: float, day: date, prices: tuple[float, float, float, float], volume: int) -> Bar:
    return Bar(start, day, *prices, volume, round(sum(prices) / 4, 6), volume // _SHARES_PER_TRADE + 1)


def _whole(source: SourceBar) -> Bar:
    return _bar(source.start, source.day, (source.open, source.high, source.low, source.close), source.volume)


class Market:
    """What trades, and at what price."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._series: dict[str, Series] = {}
        self._minutes_of = lru_cache(maxsize=256)(self._make_minutes)
        self._ticks_of = lru_cache(maxsize=64)(self._make_ticks)

    def series(self, instrument: Instrument) -> Series:
        """Return the recorded bars behind *instrument*."""
        name = instrument.series or ""
        if name not in self._series:
            self._series[name] = load_series(name, self._seed)
        return self._series[name]

    def _source(self, instrument: Instrument, instant: float) -> tuple[int, SourceBar]:
        series = self.series(instrument)
        index = max(series.until(instant) - 1, 0)
        return index, series[index]

    def is_open(self, instrument: Instrument, instant: float) -> bool:
        """Return whether it trades at *instant*."""
        _, source = self._source(instrument, instant)
        return source.start <= instant < source.end

    def next_open(self, instrument: Instrument, instant: float) -> float:
        """Return when it trades next, after *instant*."""
        return self.series(instrument).next_start(instant)

    def day_end(self, instrument: Instrument, instant: float) -> float:
        """Return when the trading day that *instant* is in, or that comes next, is over."""
        series = self.series(instrument)
        index = series.until(instant) - 1
        if series[index].end <= instant:
            series.until(series.next_start(instant))
            index += 1
        day = series[index].day
        while series.until(series[index].end) > index + 1 and series[index + 1].day == day:
            index += 1
        return series[index].end

    def tick(self, instrument: Instrument, instant: float) -> Tick:
        """Return the last tick at *instant*."""
        index, source = self._source(instrument, instant)
        inside = min(max(instant - source.start, 0.0), source.end - source.start - 1e-3)
        minute, second = divmod(inside, 60.0)
        ticks = self._ticks_of(instrument, index, int(minute))
        return ticks[min(int(second / TICK_INTERVAL + 1e-6), _TICKS - 1)]

    def previous_close(self, instrument: Instrument, instant: float) -> float:
        """Return the close of the trading day before the one of *instant*."""
        index, source = self._source(instrument, instant)
        series = self.series(instrument)
        while index > 0 and series[index].day == source.day:
            index -= 1
        return series[index].close

    # --- how the walk is made ------------------------------------------------------------------------------------

    def _random(self, instrument: Instrument, *what: object) -> Random:
        return Random("/".join(map(str, (self._seed, instrument.series, *what))))

    def _round(self, instrument: Instrument, price: float) -> float:
        return round(price, 2 if instrument.is_stock else 5)

    def _make_minutes(self, instrument: Instrument, index: int) -> list[Bar]:
        source = self.series(instrument)[index]
        random = self._random(instrument, source.start)
        path = walk(random, (source.open, source.high, source.low, source.close), source.minutes)
        volumes = spread_volume(random, source.volume, source.minutes)
        reach = (source.high - source.low) / source.minutes
        bars = []
        for at, volume in enumerate(volumes):
            start, end = self._round(instrument, path[at]), self._round(instrument, path[at + 1])
            high = min(max(start, end) + abs(random.gauss(0, reach)), source.high)
            low = max(min(start, end) - abs(random.gauss(0, reach)), source.low)
            prices = (start, self._round(instrument, high), self._round(instrument, low), end)
            bars.append(_bar(source.start + 60 * at, source.day, prices, volume))
        return bars

    def _make_ticks(self, instrument: Instrument, index: int, minute: int) -> list[Tick]:
        bar = self._minutes_of(instrument, index)[minute]
        random = self._random(instrument, bar.start, "ticks")
        path = walk(random, (bar.open, bar.high, bar.low, bar.close), _TICKS - 1)
        before = self._day_before(instrument, index, minute)
        volumes = spread_volume(random, bar.volume, _TICKS)
        ticks: list[Tick] = []
        for at, price in enumerate(path):
            last = self._round(instrument, price)
            here = Bar(bar.start, bar.day, last, last, last, last, volumes[at], last, 1)
            before = merge((before, here)) if before else here
            ticks.append(self._quote(instrument, random, bar.start + at * TICK_INTERVAL, before, volumes[at]))
        return ticks

    def _quote(self, instrument: Instrument, random: Random, at: float, day: Bar, volume: int) -> Tick:
        step = instrument.min_tick
        width = step * random.choice((1, 1, 1, 2, 3))
        on_bid = random.random() < 0.5
        last = day.close if instrument.is_stock else round(round(day.close / step) * step, 5)
        bid = self._round(instrument, last if on_bid else last - width)
        lot = 100 if instrument.is_stock else 500_000
        return Tick(
            at=at,
            last=last,
            last_size=volume,
            traded=volume > 0,
            bid=bid,
            ask=self._round(instrument, bid + width),
            bid_size=lot * random.randint(1, 30),
            ask_size=lot * random.randint(1, 30),
            day=day,
        )

    def _day_before(self, instrument: Instrument, index: int, minute: int) -> Bar | None:
        series = self.series(instrument)
        first = index
        while first > 0 and series[first - 1].day == series[index].day:
            first -= 1
        parts = [_whole(series[at]) for at in range(first, index)]
        parts += self._minutes_of(instrument, index)[:minute]
        return merge(parts) if parts else None

    # --- bars ----------------------------------------------------------------------------------------------------

    def bars(self, instrument: Instrument, start: float, end: float, seconds: int) -> Iterator[Bar]:
        """Yield the bars of *seconds* each that start at *start* or later, as they stand at *end*."""
        group: list[Bar] = []
        key: object = None
        for source in self.series(instrument).between(start - DAY, end):
            for part in self._parts(instrument, source, end, seconds):
                if part.start < start - 1e-3:
                    continue
                if group and _bucket(part, seconds) != key:
                    yield merge(group)
                    group = []
                key = _bucket(part, seconds)
                group.append(part)
        if group:
            yield merge(group)

    def _parts(self, instrument: Instrument, source: SourceBar, end: float, seconds: int) -> Iterator[Bar]:
        if seconds >= DAY and source.end <= end:
            yield _whole(source)
            return
        index = self.series(instrument).until(source.start) - 1
        for at, minute in enumerate(self._minutes_of(instrument, index)):
            if minute.start >= end:
                return
            if minute.start + 60 <= end and seconds >= 60:
                yield minute
            else:
                yield from self._tick_bars(instrument, index, at, end)

    def _tick_bars(self, instrument: Instrument, index: int, minute: int, end: float) -> Iterator[Bar]:
        for tick in self._ticks_of(instrument, index, minute):
            if tick.at >= end:
                return
            price = tick.day.close
            yield Bar(tick.at, tick.day.day, price, price, price, price, tick.last_size, price, int(tick.traded))


def _bucket(bar: Bar, seconds: int) -> object:
    if seconds >= 28 * DAY:
        return bar.day.year, bar.day.month
    if seconds >= 7 * DAY:
        return bar.day.isocalendar()[:2]
    if seconds >= DAY:
        return bar.day
    return bar.day, _local_seconds(bar.start) // seconds


def _local_seconds(instant: float) -> float:
    offset = datetime.fromtimestamp(instant, NEW_YORK).utcoffset() or timedelta()
    return instant + offset.total_seconds()
