"""The shipped price series: real bars, read once from gzip CSV, and what continues them when they run out.

``data/README.md`` says what they are. The stocks keep their dates. The hours of EURUSD, recorded in 2017 and 2018, are
moved back by a whole number of weeks, so that they lie around the instants at which simulations start.
"""

from __future__ import annotations

import csv
import gzip
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from random import Random
from zoneinfo import ZoneInfo

import msgspec

from ._market_source import SourceBar, basket, follow, without_gaps

__all__ = ["NEW_YORK", "Series", "load_series"]

NEW_YORK = ZoneInfo("America/New_York")
_STOCK_MINUTES = 390  # 09:30 to 16:00
_ANCHOR = date(2013, 1, 2)  # prices of made series are what they were around this day
_EURUSD_BACK = timedelta(weeks=252)  # puts the week of 2017-11-13 on that of 2013-01-14


class Source(msgspec.Struct, frozen=True):
    """Recorded bars, or bars made of such, and how they go on."""

    bars: list[SourceBar]
    digits: int
    always: bool = False
    """Whether it trades at weekends too."""


class Series:
    """The bars of one instrument in order; beyond the recorded ones, seeded ones."""

    def __init__(self, name: str, source: Source, seed: int) -> None:
        self._name = name
        self._source = source
        self._bars = list(source.bars)
        self._starts = [bar.start for bar in source.bars]
        self._seed = seed

    def until(self, instant: float) -> int:
        """Return how many bars have started at *instant*."""
        while self._starts[-1] <= instant:
            self._append(_following(self._name, self._source, self._bars[-1], self._seed))
        return bisect_right(self._starts, instant)

    def _append(self, bar: SourceBar) -> None:
        self._bars.append(bar)
        self._starts.append(bar.start)

    def __getitem__(self, index: int) -> SourceBar:
        return self._bars[index]

    def first_start(self) -> float:
        """Return the instant at which the series begins."""
        return self._starts[0]

    def next_start(self, instant: float) -> float:
        """Return when the first bar after *instant* starts."""
        return self._starts[self.until(instant)]

    def between(self, start: float, end: float) -> list[SourceBar]:
        """Return the bars that start at *start* or later and before *end*."""
        last = self.until(end)
        first = bisect_right(self._starts, start - 1e-3)
        return [bar for bar in self._bars[first:last] if bar.start < end]


def _following(name: str, source: Source, last: SourceBar, seed: int) -> SourceBar:
    """Make the bar after *last*: markets stay open when the records end."""
    start = last.end if source.always else _next_start(last)
    random = Random(f"{seed}/{name}/{start}")
    open_, scale = last.close, last.close * (0.012 if last.minutes == _STOCK_MINUTES else 0.0008)
    close = max(open_ + random.gauss(0, scale), open_ / 2)
    high = max(open_, close) + abs(random.gauss(0, scale / 2))
    low = min(open_, close) - abs(random.gauss(0, scale / 2))
    open_, high, low, close = (round(each, source.digits) for each in (open_, high, low, close))
    volume = int(random.choice(source.bars).volume * random.uniform(0.8, 1.25)) or 1000
    return SourceBar(
        start, last.minutes, datetime.fromtimestamp(start, NEW_YORK).date(), open_, high, low, close, volume
    )


def _next_start(last: SourceBar) -> float:
    if last.minutes == 60:
        start = datetime.fromtimestamp(last.end, UTC)
        closed = start.weekday() == 5 or (start.weekday() == 4 and start.hour >= 21)
        return start.replace(hour=21).timestamp() + 86400 * (6 - start.weekday()) if closed else last.end
    day = last.day + timedelta(days=3 if last.day.weekday() == 4 else 1)
    return _stock_open(day)


def _stock_open(day: date) -> float:
    return datetime.combine(day, time(9, 30), NEW_YORK).timestamp()


def _rows(name: str) -> list[dict[str, str]]:
    packed = files(__name__.rpartition(".")[0]).joinpath("data", name).read_bytes()
    return list(csv.DictReader(gzip.decompress(packed).decode().splitlines()))


@cache
def _stocks() -> dict[str, list[SourceBar]]:
    found: dict[str, list[SourceBar]] = {}
    for row in _rows("us_stocks_daily_2000_2013.csv.gz"):
        day = date.fromisoformat(row["date"])
        open_, high, low, close = (round(float(row[name]), 2) for name in ("open", "high", "low", "close"))
        adjustment = float(row["adj_close"]) / close
        found.setdefault(row["symbol"], []).append(
            SourceBar(_stock_open(day), _STOCK_MINUTES, day, open_, high, low, close, int(row["volume"]), adjustment)
        )
    return found


@cache
def _eurusd() -> list[SourceBar]:
    bars = []
    for row in _rows("eurusd_hourly_2017_2018.csv.gz"):
        start = datetime.fromisoformat(row["time_utc"]).replace(tzinfo=UTC) - _EURUSD_BACK
        local = start.astimezone(NEW_YORK)
        trade_day = local.date() + timedelta(days=1 if local.hour >= 17 else 0)
        open_, high, low, close = (float(row[name]) for name in ("open", "high", "low", "close"))
        bars.append(SourceBar(start.timestamp(), 60, trade_day, open_, high, low, close, int(float(row["volume"]))))
    return bars


def _sources() -> dict[str, Callable[[], Source]]:
    return {
        "EURUSD": lambda: Source(_eurusd(), 5),
        "SPY": lambda: Source(basket([_stocks()[name] for name in ("AAPL", "IBM", "MSFT")], 146.0, _ANCHOR), 2),
        "IBMBOND": lambda: Source(follow("IBMBOND", _stocks()["IBM"], 0.08, 128.0, 0.001, 3), 3),
        "GBPUSD": lambda: Source(follow("GBPUSD", _eurusd(), 0.7, 1.6, 0.0003, 5), 5),
        "AUDUSD": lambda: Source(follow("AUDUSD", _eurusd(), 0.6, 1.05, 0.0004, 5), 5),
        "BTCUSD": lambda: Source(without_gaps(follow("BTCUSD", _eurusd(), 6.0, 13.5, 0.004, 2)), 2, always=True),
    }


@cache
def _source(name: str) -> Source:
    return _sources()[name]() if name in _sources() else Source(_stocks()[name], 2)


def load_series(name: str, seed: int) -> Series:
    """Return the series called *name*."""
    return Series(name, _source(name), seed)
