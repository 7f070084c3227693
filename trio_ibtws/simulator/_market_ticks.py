"""Minutes and ticks of every instrument: how they are walked between recorded prices, and what they are made of.

What is cached is made anew when it has been dropped, and comes out the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache
from random import Random

import msgspec

from ._market_derive import pricer
from ._market_instrument import Instrument, increment, rounded
from ._market_path import spread_volume, walk
from ._market_series import Series
from ._market_source import SourceBar

__all__ = ["TICK_INTERVAL", "Bar", "Tick", "Walks", "merge"]

TICK_INTERVAL = 0.25
"""Seconds between two ticks of an instrument, as TWS sends them."""

TICKS = 240  # a minute of them
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


def make_bar(start: float, day: date, prices: tuple[float, float, float, float], volume: int) -> Bar:
    """Make a bar of open, high, low and close."""
    count = volume // _SHARES_PER_TRADE + 1 if volume else 0
    return Bar(start, day, *prices, volume, round(sum(prices) / 4, 6), count)


def _derived(bar: Bar, price: Callable[[float], float], volume: int) -> Bar:
    """Make a derivative's bar of its underlying's."""
    one, other = price(bar.high), price(bar.low)
    prices = (price(bar.open), max(one, other), min(one, other), price(bar.close))
    return make_bar(bar.start, bar.day, prices, volume)


class Walks:
    """The minutes and ticks of all instruments."""

    def __init__(self, seed: int, series: Callable[[Instrument], Series]) -> None:
        self._seed = seed
        self._series = series
        self.minutes = lru_cache(maxsize=512)(self._make_minutes)
        self.ticks = lru_cache(maxsize=256)(self._make_ticks)

    def _random(self, instrument: Instrument, *what: object) -> Random:
        name = instrument.local_symbol if instrument.under else instrument.series
        return Random("/".join(map(str, (self._seed, name, *what))))

    def whole(self, instrument: Instrument, source: SourceBar) -> Bar:
        """Return a source bar, complete."""
        prices = (source.open, source.high, source.low, source.close)
        if instrument.under is None:
            return make_bar(source.start, source.day, prices, source.volume)
        volume = int(source.volume * instrument.share)
        return _derived(self.whole(instrument.under, source), pricer(instrument, source.day), volume)

    def day_before(self, instrument: Instrument, index: int, minute: int) -> Bar | None:
        """Return the part of a trading day that is before a minute of a source bar."""
        series = self._series(instrument)
        first = index
        while first > 0 and series[first - 1].day == series[index].day:
            first -= 1
        parts = [self.whole(instrument, series[at]) for at in range(first, index)]
        parts += self.minutes(instrument, index)[:minute]
        return merge(parts) if parts else None

    # --- minutes -------------------------------------------------------------------------------------------------

    def _make_minutes(self, instrument: Instrument, index: int) -> list[Bar]:
        source = self._series(instrument)[index]
        if instrument.under is not None:
            return self._derive_minutes(instrument, instrument.under, index)
        if source.minutes == 1:
            prices = (source.open, source.high, source.low, source.close)
            return [make_bar(source.start, source.day, prices, source.volume)]
        random = self._random(instrument, source.start)
        path = walk(random, (source.open, source.high, source.low, source.close), source.minutes)
        volumes = spread_volume(random, source.volume, source.minutes)
        reach = (source.high - source.low) / source.minutes
        bars = []
        for at, volume in enumerate(volumes):
            start, end = _exact(instrument, path[at]), _exact(instrument, path[at + 1])
            high = min(max(start, end) + abs(random.gauss(0, reach)), source.high)
            low = max(min(start, end) - abs(random.gauss(0, reach)), source.low)
            prices = (start, _exact(instrument, high), _exact(instrument, low), end)
            bars.append(make_bar(source.start + 60 * at, source.day, prices, volume))
        return bars

    def _derive_minutes(self, instrument: Instrument, under: Instrument, index: int) -> list[Bar]:
        price = pricer(instrument, self._series(instrument)[index].day)
        bars = []
        total = given = 0
        for bar in self.minutes(under, index):
            total += bar.volume
            volume = int(total * instrument.share) - given
            given += volume
            bars.append(_derived(bar, price, volume))
        return bars

    # --- ticks ---------------------------------------------------------------------------------------------------

    def _make_ticks(self, instrument: Instrument, index: int, minute: int) -> list[Tick]:
        bar = self.minutes(instrument, index)[minute]
        random = self._random(instrument, bar.start, "ticks")
        before = self.day_before(instrument, index, minute)
        ticks: list[Tick] = []
        for at, (last, volume) in enumerate(self._trades(instrument, index, minute, random)):
            here = Bar(bar.start, bar.day, last, last, last, last, volume, last, 1)
            before = merge((before, here)) if before else here
            ticks.append(_quote(instrument, random, bar.start + at * TICK_INTERVAL, before, volume))
        return ticks

    def _trades(self, instrument: Instrument, index: int, minute: int, random: Random) -> Iterable[tuple[float, int]]:
        """Return price and volume of every tick of a minute."""
        bar = self.minutes(instrument, index)[minute]
        if instrument.under is None:
            path = walk(random, (bar.open, bar.high, bar.low, bar.close), TICKS - 1)
            prices = [_exact(instrument, price) for price in path]
        else:
            price = pricer(instrument, bar.day)
            prices = [price(tick.last) for tick in self.ticks(instrument.under, index, minute)]
        return zip(prices, spread_volume(random, bar.volume, TICKS), strict=True)


def _exact(instrument: Instrument, price: float) -> float:
    """Round to what a recorded price can be, which for currencies is finer than what one can be quoted at."""
    return round(price, 5 if instrument.sec_type == "CASH" else 3 if instrument.sec_type == "BOND" else 2)


def _quote(instrument: Instrument, random: Random, at: float, day: Bar, volume: int) -> Tick:
    last = rounded(instrument, day.close)
    step = increment(instrument, last)
    width = step * random.choice((1, 1, 1, 2, 3))
    on_bid = random.random() < 0.5
    bid = max(last if on_bid else rounded(instrument, last - width), step)
    lot = instrument.terms.lot
    return Tick(
        at=at,
        last=last,
        last_size=volume,
        traded=volume > 0,
        bid=round(bid, 6),
        ask=rounded(instrument, bid + width),
        bid_size=lot * random.randint(1, 30),
        ask_size=lot * random.randint(1, 30),
        day=day,
    )
