"""Bars as they were recorded, and bars made of such for instruments of which there are none.

What is made is the same in every simulation, whatever its seed: it stands for records.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from math import exp
from random import Random

import msgspec

__all__ = ["SourceBar", "basket", "follow", "without_gaps"]

_HOUR = 3600.0


class SourceBar(msgspec.Struct, frozen=True):
    """One recorded bar: a day of a stock, an hour of a currency."""

    start: float
    minutes: int
    day: date
    open: float
    high: float
    low: float
    close: float
    volume: int
    adjustment: float = 1.0
    """What the day's prices are multiplied with when splits and dividends are to be taken out."""

    @property
    def end(self) -> float:
        """The instant at which it is complete."""
        return self.start + 60 * self.minutes


def basket(parts: list[list[SourceBar]], level: float, anchor: date) -> list[SourceBar]:
    """Make an equally weighted mean of stocks, splits taken out, that costs *level* at the close of *anchor*."""
    whole = [_unsplit(bars, anchor) for bars in parts]
    days = sorted(set.intersection(*({bar.day for bar in bars} for bars in parts)))
    return [_mean([bars[day] for bars in whole], level) for day in days]


def _unsplit(bars: list[SourceBar], anchor: date) -> dict[date, SourceBar]:
    """Return bars by day whose adjusted close is 1 on *anchor*."""
    base = next(bar.close * bar.adjustment for bar in bars if bar.day >= anchor)
    return {bar.day: _scaled(bar, bar.adjustment / base) for bar in bars}


def _scaled(bar: SourceBar, factor: float) -> SourceBar:
    names = ("open", "high", "low", "close")
    prices = {name: round(getattr(bar, name) * factor, 9) for name in names}
    return msgspec.structs.replace(bar, adjustment=1.0, **prices)


def _mean(bars: list[SourceBar], level: float) -> SourceBar:
    names = ("open", "high", "low", "close")
    prices = {name: round(level * sum(getattr(bar, name) for bar in bars) / len(bars), 2) for name in names}
    return msgspec.structs.replace(bars[0], volume=sum(bar.volume for bar in bars), adjustment=1.0, **prices)


def follow(name: str, bars: list[SourceBar], power: float, level: float, noise: float, digits: int) -> list[SourceBar]:
    """Make prices that go *power* times as far as those of *bars*, and each bar by *noise* their own way.

    They cost *level* where the underlying ones were in the middle of the series.
    """
    base = bars[len(bars) // 2].close
    random = Random(name)
    made = []
    drift = 0.0
    for bar in bars:
        before, drift = drift, drift * 0.999 + random.gauss(0, noise)
        made.append(_follow(bar, base, power, level, (before, drift), digits))
    return made


def _follow(
    bar: SourceBar, base: float, power: float, level: float, drifts: tuple[float, float], digits: int
) -> SourceBar:
    before, after = drifts
    open_ = level * (bar.open / base) ** power * exp(before)
    close = level * (bar.close / base) ** power * exp(after)
    middle = exp((before + after) / 2)
    high = max(open_, close, level * (bar.high / base) ** power * middle)
    low = min(open_, close, level * (bar.low / base) ** power * middle)
    prices = {"open": round(open_, digits), "high": round(high, digits), "low": round(low, digits)}
    return msgspec.structs.replace(bar, close=round(close, digits), adjustment=1.0, **prices)


def without_gaps(bars: list[SourceBar]) -> list[SourceBar]:
    """Add quiet hours where there are none: at weekends."""
    made = []
    for bar, following in pairwise(bars):
        made.append(bar)
        while made[-1].end < following.start - 1:
            last = made[-1]
            made.append(_quiet(last, last.start + _HOUR))
    return [*made, bars[-1]]


def _quiet(last: SourceBar, start: float) -> SourceBar:
    random = Random(f"quiet/{start}")
    close = round(last.close * (1 + random.gauss(0, 0.001)), 2)
    high, low = max(last.close, close), min(last.close, close)
    day = date.fromordinal(date(1970, 1, 1).toordinal() + int(start // 86400))
    return SourceBar(start, 60, day, last.close, high, low, close, max(last.volume // 2, 100))
