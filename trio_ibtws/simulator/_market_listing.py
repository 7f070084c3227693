"""What is listed: the instruments that are always there, and the futures and options of the months to come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from zlib import crc32

from ._market_derive import VOLATILITIES
from ._market_instrument import Instrument

__all__ = ["INSTRUMENTS", "futures", "options", "us_stock"]

_US_EXCHANGES = "SMART,AMEX,NYSE,CBOE,PHLX,ISE,CHX,ARCA,ISLAND,DRCTEDGE,BEX,BATS,EDGEA,BYX,IEX,EDGX,NYSENAT,PSX"
_OPTION_EXCHANGES = "SMART,AMEX,BATS,BOX,CBOE,CBOE2,ISE,NASDAQOM,PHLX,PSE"
_MONTH_CODES = "FGHJKMNQUVXZ"
_QUARTERS = (3, 6, 9, 12)
_EXPIRIES = 4
_STRIKES_EACH_SIDE = 4
_FIRST_CON_ID, _CON_IDS = 100_000_000, 300_000_000


def us_stock(con_id: int, symbol: str, name: str, venue: str, trading_class: str, **more: Any) -> Instrument:
    """Make a stock that is listed in the US, whose prices are the series of its symbol."""
    described: dict[str, Any] = {"stock_type": "COMMON", "series": symbol, **more}
    return Instrument(
        con_id=con_id,
        symbol=symbol,
        sec_type="STK",
        currency="USD",
        exchange="SMART",
        primary_exchange=venue,
        local_symbol=symbol,
        trading_class=trading_class,
        long_name=name,
        min_tick=0.01,
        market_rule=26,
        valid_exchanges=_US_EXCHANGES if venue != "NASDAQ" else _US_EXCHANGES.replace("ISLAND", "NASDAQ"),
        **described,
    )


def _mexican_stock(con_id: int, symbol: str, name: str) -> Instrument:
    return Instrument(
        con_id=con_id,
        symbol=symbol,
        sec_type="STK",
        currency="MXN",
        exchange="MEXI",
        primary_exchange="MEXI",
        local_symbol=symbol,
        trading_class=symbol,
        long_name=name,
        min_tick=0.01,
        market_rule=635,
        valid_exchanges="MEXI",
        stock_type="COMMON",
    )


def _currency(con_id: int, symbol: str, name: str) -> Instrument:
    return Instrument(
        con_id=con_id,
        symbol=symbol,
        sec_type="CASH",
        currency="USD",
        exchange="IDEALPRO",
        primary_exchange="",
        local_symbol=f"{symbol}.USD",
        trading_class=f"{symbol}.USD",
        long_name=name,
        min_tick=0.00005,
        market_rule=239,
        valid_exchanges="IDEALPRO",
        series=f"{symbol}USD",
        hours="forex",
    )


_SPY = us_stock(756733, "SPY", "SPDR S&P 500 ETF TRUST", "ARCA", "SPY", stock_type="ETF", isin="US78462F1030")
_SPX = Instrument(
    con_id=416904,
    symbol="SPX",
    sec_type="IND",
    currency="USD",
    exchange="CBOE",
    primary_exchange="CBOE",
    local_symbol="SPX",
    trading_class="SPX",
    long_name="S&P 500 Stock Index",
    min_tick=0.01,
    market_rule=26,
    valid_exchanges="CBOE",
    industry=("Indices", "Broad Range Equity Index", "*"),
    series="SPY",
    under=_SPY,
    ratio=10.0,
    share=0.1,
)
_BITCOIN = Instrument(
    con_id=479624278,
    symbol="BTC",
    sec_type="CRYPTO",
    currency="USD",
    exchange="PAXOS",
    primary_exchange="",
    local_symbol="BTC.USD",
    trading_class="BTC",
    long_name="Bitcoin cryptocurrency",
    min_tick=0.01,
    market_rule=26,
    valid_exchanges="PAXOS",
    series="BTCUSD",
    hours="always",
)
_IBM_BOND = Instrument(
    con_id=15960357,
    symbol="IBM",
    sec_type="BOND",
    currency="USD",
    exchange="SMART",
    primary_exchange="",
    local_symbol="IBCID15960357",
    trading_class="IBM",
    long_name="IBM 7 10/30/25",
    min_tick=0.001,
    market_rule=363,
    valid_exchanges="SMART",
    series="IBMBOND",
    value_factor="10",
    isin="US459200AM34",
    cusip="459200AM3",
    coupon=7.0,
    maturity="20251030",
    issued="19951030",
)
_EURO = _currency(12087792, "EUR", "European Monetary Union Euro")

INSTRUMENTS: tuple[Instrument, ...] = (
    us_stock(
        265598,
        "AAPL",
        "APPLE INC",
        "NASDAQ",
        "NMS",
        industry=("Technology", "Computers", "Computers"),
        isin="US0378331005",
    ),
    us_stock(
        8314,
        "IBM",
        "INTL BUSINESS MACHINES CORP",
        "NYSE",
        "IBM",
        industry=("Technology", "Computers", "Computer Services"),
        isin="US4592001014",
    ),
    us_stock(
        272093,
        "MSFT",
        "MICROSOFT CORP",
        "NASDAQ",
        "NMS",
        industry=("Technology", "Software", "Applications Software"),
        isin="US5949181045",
    ),
    us_stock(
        30351181,
        "GOOG",
        "GOOGLE INC-CL A",
        "NASDAQ",
        "NMS",
        industry=("Communications", "Internet", "Web Portals/ISP"),
        isin="US38259P5089",
    ),
    _mexican_stock(38708077, "AAPL", "APPLE INC"),
    _mexican_stock(38709473, "MSFT", "MICROSOFT CORP"),
    _SPY,
    _SPX,
    _EURO,
    _currency(12087797, "GBP", "British Pound"),
    _currency(14433401, "AUD", "Australian Dollar"),
    _BITCOIN,
    _IBM_BOND,
)
"""Everything that is listed at any time."""


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
                _SPX,
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
                _EURO,
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


def options(day: date, price: Callable[[Instrument], float]) -> list[Instrument]:
    """Return the options that are listed on *day*, when the underlyings cost what *price* says."""
    listed = []
    for under in INSTRUMENTS:
        if under.sec_type != "STK" or under.currency != "USD" or under.symbol not in VOLATILITIES:
            continue
        fridays = _third_fridays(day + timedelta(days=1))
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
