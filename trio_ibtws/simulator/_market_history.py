"""What a historical data request means: its duration, its bar size, what it wants to see, and the bars of that."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from math import log
from statistics import pstdev

import msgspec

from ._market import DAY, Bar, Market
from ._market_derive import volatility_of
from ._market_instrument import Instrument
from ._market_series import NEW_YORK

__all__ = [
    "BAR_SIZES",
    "WHAT_TO_SHOW",
    "can_show",
    "duration_start",
    "historical_volatility",
    "parse_duration",
    "recent_bars",
    "shown",
    "too_long",
]

BAR_SIZES: dict[str, int] = {
    **{f"{n} secs": n for n in (1, 5, 10, 15, 30)},
    "1 sec": 1,
    "1 min": 60,
    **{f"{n} mins": 60 * n for n in (2, 3, 5, 10, 15, 20, 30)},
    "1 hour": 3600,
    **{f"{n} hours": 3600 * n for n in (2, 3, 4, 8)},
    "1 day": DAY,
    "1 week": 7 * DAY,
    "1 month": 30 * DAY,
}
"""Seconds by the texts that TWS knows; a month counts as 30 days."""

_QUOTED = frozenset({"MIDPOINT", "BID", "ASK", "BID_ASK"})
_VOLATILITIES = frozenset({"HISTORICAL_VOLATILITY", "OPTION_IMPLIED_VOLATILITY"})
_SHOWN: dict[str, frozenset[str]] = {
    "STK": _QUOTED | _VOLATILITIES | {"TRADES", "ADJUSTED_LAST", "FEE_RATE"},
    "CASH": _QUOTED,
    "IND": _VOLATILITIES | {"TRADES"},
}
_RARE = {"SCHEDULE", "AGGTRADES", "YIELD_BID", "YIELD_ASK", "YIELD_LAST"}
WHAT_TO_SHOW: frozenset[str] = frozenset().union(*_SHOWN.values(), _RARE)
"""What TWS knows; not every instrument has all of it."""
_FEE_RATE = 0.25
_DAYS_OF_VOLATILITY = 30
_TRADING_DAYS = 252

_DURATION = re.compile(r"\s*(\d{1,6})\s*([SDWMY])\s*")
_LONGEST_SECONDS = DAY
_MOST_DAYS_OF_SECONDS = 2
_MOST_DAYS_OF_MINUTES = 366


def can_show(instrument: Instrument, what: str) -> bool:
    """Return whether there is such data of *instrument*."""
    if what == "AGGTRADES":
        return instrument.sec_type == "CRYPTO"
    return what in _SHOWN.get(instrument.sec_type, _QUOTED | {"TRADES"})


def parse_duration(text: str) -> tuple[int, str] | None:
    """Return the number and the unit of a duration such as ``2 D``; ``None`` when it is none."""
    match = _DURATION.fullmatch(text)
    if match is None or not int(match[1]) or (match[2] == "S" and int(match[1]) > _LONGEST_SECONDS):
        return None
    return int(match[1]), match[2]


def too_long(duration: tuple[int, str], seconds: int) -> bool:
    """Return whether TWS refuses so many bars of that size."""
    number, unit = duration
    days = number * {"S": 1 / DAY, "D": 1, "W": 7, "M": 31, "Y": 366}[unit]
    return days > (_MOST_DAYS_OF_SECONDS if seconds < 60 else _MOST_DAYS_OF_MINUTES if seconds < 3600 else 36_600)


def duration_start(market: Market, instrument: Instrument, end: float, number: int, unit: str) -> float:
    """Return where a duration that ends at *end* starts: days and seconds count trading time only."""
    if unit == "W":
        return max(end - number * 7 * DAY, 0.0)
    if unit in "MY":
        moment = datetime.fromtimestamp(end, NEW_YORK)
        months = moment.year * 12 + moment.month - 1 - number * (12 if unit == "Y" else 1)
        year, month = divmod(max(months, 1970 * 12 + 1), 12)
        day = min(moment.day, monthrange(year, month + 1)[1])
        return moment.replace(year=year, month=month + 1, day=day).timestamp()
    return _trading_start(market, instrument, end, number, unit)


def _trading_start(market: Market, instrument: Instrument, end: float, number: int, unit: str) -> float:
    series = market.series(instrument)
    index = series.until(end - 1e-3) - 1
    days, seconds = 0, float(number)
    while index >= 0:
        source = series[index]
        lasted = min(source.end, end) - source.start
        days += index == 0 or series[index - 1].day != source.day
        if (unit == "D" and days >= number) or (unit == "S" and seconds <= lasted):
            return source.start if unit == "D" else min(source.end, end) - seconds
        seconds -= lasted
        index -= 1
    return series.first_start()


def recent_bars(
    market: Market, instrument: Instrument, end: float, duration: tuple[int, str], seconds: int
) -> tuple[float, list[Bar]]:
    """Return the instant at which *duration* before *end* starts, and the bars from there."""
    if end <= market.series(instrument).first_start():
        return end, []
    start = duration_start(market, instrument, end, *duration)
    return start, list(market.bars(instrument, start, end, seconds))


def shown(market: Market, instrument: Instrument, bars: Iterable[Bar], what: str) -> list[Bar]:
    """Return the bars as *what* wants to see them."""
    if what == "ADJUSTED_LAST":
        return [_adjusted(market, instrument, bar) for bar in bars]
    if what in {"TRADES", "AGGTRADES"}:
        return list(bars)
    if what == "FEE_RATE":
        return [_flat(bar, _FEE_RATE, _FEE_RATE) for bar in bars]
    if what in _VOLATILITIES:
        return [_volatility_bar(market, instrument, bar, what) for bar in bars]
    step = instrument.min_tick
    low, high = {"BID": (-step, -step), "ASK": (step, step), "BID_ASK": (-step, step)}.get(what, (0.0, 0.0))
    return [_shifted(bar, low, high) for bar in bars]


def _shifted(bar: Bar, low: float, high: float) -> Bar:
    prices = {
        "open": round(bar.open + low, 6),
        "low": round(bar.low + low, 6),
        "high": round(bar.high + high, 6),
        "close": round(bar.close + high, 6),
    }
    return msgspec.structs.replace(bar, volume=-1, wap=-1.0, count=-1, **prices)


def _flat(bar: Bar, first: float, last: float) -> Bar:
    prices = {"open": first, "close": last, "high": max(first, last), "low": min(first, last)}
    return msgspec.structs.replace(bar, volume=0, wap=0.0, count=0, **prices)


def _volatility_bar(market: Market, instrument: Instrument, bar: Bar, what: str) -> Bar:
    """Return a day's volatility, which starts at that of the day before."""
    find = historical_volatility if what == "HISTORICAL_VOLATILITY" else _implied_volatility
    index = market.series(instrument).until(bar.start) - 1
    return _flat(bar, find(market, instrument, index - 1), find(market, instrument, index))


def historical_volatility(market: Market, instrument: Instrument, index: int) -> float:
    """Return the volatility of thirty days up to the one with that index in the instrument's series, for a year."""
    series = market.series(instrument)
    closes = [series[at].close * series[at].adjustment for at in range(max(index - _DAYS_OF_VOLATILITY, 0), index + 1)]
    moves = [log(after / before) for before, after in pairwise(closes)]
    return round(pstdev(moves) * _TRADING_DAYS**0.5, 6) if len(moves) > 1 else 0.0


def _implied_volatility(market: Market, instrument: Instrument, index: int) -> float:
    return round(volatility_of(instrument, market.series(instrument)[max(index, 0)].day), 6)


def _adjusted(market: Market, instrument: Instrument, bar: Bar) -> Bar:
    series = market.series(instrument)
    factor = series[series.until(bar.start) - 1].adjustment
    names = ("open", "high", "low", "close", "wap")
    return msgspec.structs.replace(bar, **{name: round(getattr(bar, name) * factor, 2) for name in names})
