"""What is always listed: stocks, an index, currencies, a cryptocurrency, a bond."""

from __future__ import annotations

from typing import Any

from ._market_instrument import Instrument

__all__ = ["EURO", "INSTRUMENTS", "SPX", "us_stock"]

_US_EXCHANGES = "SMART,AMEX,NYSE,CBOE,PHLX,ISE,CHX,ARCA,ISLAND,DRCTEDGE,BEX,BATS,EDGEA,BYX,IEX,EDGX,NYSENAT,PSX"


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
SPX = Instrument(
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
EURO = _currency(12087792, "EUR", "European Monetary Union Euro")

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
    SPX,
    EURO,
    _currency(12087797, "GBP", "British Pound"),
    _currency(14433401, "AUD", "Australian Dollar"),
    _BITCOIN,
    _IBM_BOND,
)
"""Everything that is listed at any time."""
