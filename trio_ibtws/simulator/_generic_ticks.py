"""Generic ticks: which a line may ask for, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ._market import Market, Tick
from ._market_derive import volatility_of
from ._market_history import historical_volatility
from ._market_instrument import Instrument
from ._market_series import Series

__all__ = ["FUNDAMENTALS", "QUOTES_OFF", "moving", "problem", "resting"]

Message = tuple[str, dict[str, Any]]

FUNDAMENTALS = 258
"""Has been withdrawn: error 10358."""
QUOTES_OFF = "mdoff"
"""Stands in a list for generic ticks alone, without quotes and trades."""
_STOCKS = frozenset({"STK"})
_UNDERLYINGS = frozenset({"STK", "IND"})
_TRADED = frozenset({"STK", "FUT", "OPT", "CRYPTO", "BOND"})
_QUOTED = _TRADED | {"CASH"}

_LEGAL: dict[int, tuple[str, frozenset[str]]] = {
    100: ("Option Volume", _STOCKS),
    101: ("Option Open Interest", _STOCKS),
    104: ("Historical Volatility", _UNDERLYINGS),
    105: ("Average Opt Volume", _STOCKS),
    106: ("Option Implied Volatility", _UNDERLYINGS),
    165: ("Misc. Stats", _STOCKS),
    221: ("Creditman Mark Price", _QUOTED),
    225: ("Auction", _TRADED),
    232: ("Mark Price", _QUOTED),
    233: ("RTVolume", _TRADED),
    236: ("inventory", _STOCKS),
    258: ("Fundamentals", _STOCKS),
    292: ("Wide_news", _QUOTED | {"IND"}),
    293: ("TradeCount", _TRADED),
    294: ("TradeRate", _TRADED),
    295: ("VolumeRate", _TRADED),
    318: ("LastRTHTrade", _TRADED),
    375: ("RTTrdVolume", _TRADED),
    411: ("RTHistoricalVol", _UNDERLYINGS),
    456: ("IBDividends", _STOCKS),
    588: ("Futures Open Interest", frozenset({"FUT"})),
    595: ("Short-Term Volume X Mins", _TRADED),
}


def problem(instrument: Instrument, wanted: str) -> str | None:
    """Return why a generic tick list cannot be had, or ``None``."""
    for text in filter(None, (part.strip() for part in wanted.split(","))):
        number = text.partition(":")[0]
        if text == QUOTES_OFF:
            continue
        if not number.isdigit() or instrument.sec_type not in _LEGAL.get(int(number), ("", frozenset()))[1]:
            return _complaint(instrument, wanted)
    return None


def _complaint(instrument: Instrument, wanted: str) -> str:
    legal = ",".join(f"{number}({name})" for number, (name, kinds) in _LEGAL.items() if instrument.sec_type in kinds)
    return (
        "Error validating request.-'bQ' : cause - Incorrect generic tick list of "
        f"{wanted}.  Legal ones for ({instrument.sec_type}) are: {legal}"
    )


def _numbers(wanted: str) -> list[int]:
    parts = (part.strip().partition(":")[0] for part in wanted.split(","))
    return [int(part) for part in parts if part.isdigit()]


def _generic(kind: int, value: float) -> Message:
    return "tickGeneric", {"tickType": kind, "value": value}


def _size(kind: int, value: int) -> Message:
    return "tickSize", {"tickType": kind, "size": value}


def _price(kind: int, value: float) -> Message:
    return "tickPrice", {"tickType": kind, "price": value, "size": 0, "attrMask": 0}


def _text(kind: int, value: str) -> Message:
    return "tickString", {"tickType": kind, "value": value}


# --- what is told once ------------------------------------------------------------------------------------------------


def _index(series: Series, tick: Tick) -> int:
    return max(series.until(tick.at) - 1, 0)


def _historical(market: Market, instrument: Instrument, tick: Tick) -> float:
    return historical_volatility(market, instrument, _index(market.series(instrument), tick))


def _stats(market: Market, instrument: Instrument, tick: Tick) -> Iterator[Message]:
    """Yield the lows and highs of 13, 26 and 52 weeks and the average volume."""
    series = market.series(instrument)
    last = _index(series, tick)
    for weeks, low, high in ((13, 15, 16), (26, 17, 18), (52, 19, 20)):
        bars = [series[at] for at in range(max(last - 5 * weeks, 0), last + 1)]
        yield _price(low, min(bar.low for bar in bars))
        yield _price(high, max(bar.high for bar in bars))
    recent = [series[at].volume for at in range(max(last - 90, 0), last + 1)]
    yield _size(21, sum(recent) // len(recent))


def _volumes(tick: Tick, *kinds: int) -> Iterator[Message]:
    for at, kind in enumerate(kinds, 2):
        yield _size(kind, tick.day.volume // (1000 * at))


def _dividends(tick: Tick) -> str:
    return f"0.0,0.0,{tick.day.day:%Y%m%d},0.0"


_RESTING: dict[int, Callable[[Market, Instrument, Tick], Iterator[Message]]] = {
    100: lambda _, __, tick: _volumes(tick, 29, 30),
    101: lambda _, __, tick: _volumes(tick, 27, 28),
    104: lambda market, instrument, tick: iter([_generic(23, _historical(market, instrument, tick))]),
    105: lambda _, __, tick: _volumes(tick, 87),
    106: lambda _, instrument, tick: iter([_generic(24, volatility_of(instrument, tick.day.day))]),
    165: _stats,
    225: lambda _, __, tick: iter([_size(34, tick.bid_size), _price(35, tick.last), _size(36, 0)]),
    236: lambda _, __, tick: iter([_generic(46, 3.0), _size(89, 1_000_000)]),
    318: lambda _, __, tick: iter([_price(57, tick.last)]),
    411: lambda market, instrument, tick: iter([_generic(58, _historical(market, instrument, tick))]),
    456: lambda _, __, tick: iter([_text(59, _dividends(tick))]),
    588: lambda _, __, tick: iter([_size(86, tick.day.volume // 3)]),
}


def resting(market: Market, instrument: Instrument, tick: Tick, wanted: str) -> Iterator[Message]:
    """Yield the ticks that are told once, when a line begins."""
    for number in _numbers(wanted):
        if number in _RESTING:
            yield from _RESTING[number](market, instrument, tick)


# --- what moves -------------------------------------------------------------------------------------------------------


def _trade_text(tick: Tick) -> str:
    return f"{tick.last};{tick.last_size};{int(tick.at * 1000)};{tick.day.volume};{tick.day.wap:.8f};true"


_MOVING: dict[int, Callable[[Tick], Iterator[Message]]] = {
    233: lambda tick: iter([_text(48, _trade_text(tick))]),
    293: lambda tick: iter([_generic(54, float(tick.day.count))]),
    294: lambda tick: iter([_generic(55, float(tick.day.count // 10 + 1))]),
    295: lambda tick: iter([_generic(56, float(tick.last_size * 60))]),
    375: lambda tick: iter([_text(77, _trade_text(tick))]),
    595: lambda tick: iter([_size(63, tick.last_size * 30), _size(64, tick.last_size * 50), _size(65, tick.last_size)]),
}


def moving(before: Tick | None, tick: Tick, wanted: str) -> Iterator[Message]:
    """Yield the ticks that come with every trade, and the mark price."""
    for number in _numbers(wanted):
        if number in _MOVING and tick.traded:
            yield from _MOVING[number](tick)
        elif number in {221, 232} and (before is None or before.last != tick.last):
            yield _price(37, tick.last)
