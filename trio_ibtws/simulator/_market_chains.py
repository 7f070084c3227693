"""What is listed on something else: contracts for difference, and the futures and options of the months to come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from zlib import crc32

import msgspec

from ._market_derive import VOLATILITIES
from ._market_instrument import Instrument
from ._market_listing import EURO, INSTRUMENTS, SPX

__all__ = ["cfds", "futures", "options"]

_OPTION_EXCHANGES = "SMART,AMEX,BATS,BOX,CBOE,CBOE2,ISE,NASDAQOM,PHLX,PSE"
_MONTH_CODES = "FGHJKMNQUVXZ"
_QUARTERS = (3, 6, 9, 12)
_EXPIRIES = 4
_STRIKES_EACH_SIDE = 4
_FIRST_CON_ID, _CON_IDS = 100_000_000, 300_000_000


def _con_id(name: str) -> int:
    return _FIRST_CON_ID + crc32(name.encode()) % _CON_IDS


def _third_fridays(day: date, months: tuple[int, ...] = tuple(range(1, 13))) -> Iterator[date]:
    """Yield the third Fridays of the given months, from *day* on."""
    year, month = day.year, day.month
    while True:
        first = date(year, month, 1)
        friday = first + timedelta(days=(4 - first.weekday()) % 7 + 14)
        if month in months and friday >= day:
            yield friday
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def _future(under: Instrument, expiry: date, **kind: Any) -> Instrument:
    root = kind["trading_class"]
    local = f"{root}{_MONTH_CODES[expiry.month - 1]}{expiry.year % 10}"
    return Instrument(
        con_id=_con_id(f"{local}/{expiry}"),
        sec_type="FUT",
        currency="USD",
        exchange="CME",
        primary_exchange="",
        local_symbol=local,
        valid_exchanges="CME",
        series=under.series,
        hours=under.hours,
        expiry=expiry,
        under=under,
        **kind,
    )


def futures(day: date) -> list[Instrument]:
    """Return the futures that are listed on *day*: the next two quarters of each."""
    fridays = _third_fridays(day, _QUARTERS)
    listed: list[Instrument] = []
    for expiry in (next(fridays), next(fridays)):
        listed.append(
            _future(
                SPX,
                expiry,
                symbol="ES",
                trading_class="ES",
                long_name="E-Mini S&P 500",
                multiplier="50",
                value_factor="50",
                min_tick=0.25,
                market_rule=67,
                ratio=1.0,
            )
        )
        listed.append(
            _future(
                EURO,
                expiry,
                symbol="EUR",
                trading_class="6E",
                long_name="European Monetary Union Euro",
                multiplier="125000",
                value_factor="125000",
                min_tick=0.00005,
                market_rule=57,
            )
        )
    return listed


def cfds() -> list[Instrument]:
    """Return the contracts for difference: one on each US stock, whose market data are the stock's."""
    return [
        msgspec.structs.replace(
            stock,
            con_id=_con_id(f"{stock.symbol}/CFD"),
            sec_type="CFD",
            exchange="SMART",
            primary_exchange="",
            local_symbol=f"{stock.symbol}n",
            trading_class=f"{stock.symbol}n",
            valid_exchanges="SMART",
            stock_type="",
            isin="",
            under=stock,
        )
        for stock in INSTRUMENTS
        if stock.is_stock and stock.currency == "USD"
    ]


def options(day: date, price: Callable[[Instrument], float]) -> list[Instrument]:
    """Return the options that are listed on *day*, when the underlyings cost what *price* says."""
    listed = []
    for under in INSTRUMENTS:
        if under.sec_type != "STK" or under.currency != "USD" or under.symbol not in VOLATILITIES:
            continue
        fridays = _third_fridays(day)
        expiries = [next(fridays) for _ in range(_EXPIRIES)]
        for expiry in expiries:
            for strike in _strikes(price(under)):
                listed += [_option(under, expiry, strike, right, price(under)) for right in "CP"]
    return listed


def _strikes(price: float) -> list[float]:
    step = 10.0 if price >= 300 else 5.0 if price >= 50 else 1.0
    middle = round(price / step) * step
    return [middle + at * step for at in range(-_STRIKES_EACH_SIDE, _STRIKES_EACH_SIDE + 1)]


def _option(under: Instrument, expiry: date, strike: float, right: str, price: float) -> Instrument:
    local = f"{under.symbol:<6}{expiry:%y%m%d}{right}{round(strike * 1000):08}"
    away = abs(strike / price - 1)
    return Instrument(
        con_id=_con_id(local),
        symbol=under.symbol,
        sec_type="OPT",
        currency="USD",
        exchange="SMART",
        primary_exchange="",
        local_symbol=local,
        trading_class=under.symbol,
        long_name=under.long_name,
        min_tick=0.01,
        market_rule=32,
        valid_exchanges=_OPTION_EXCHANGES,
        industry=under.industry,
        series=under.series,
        multiplier="100",
        value_factor="100",
        expiry=expiry,
        strike=strike,
        right=right,
        under=under,
        volatility=round(VOLATILITIES[under.symbol] + 0.3 * away, 4),
        share=round(0.0004 / (1 + 40 * away), 7),
    )
