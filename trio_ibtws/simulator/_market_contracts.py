"""The instruments of the simulated market: what they are, how they trade, and which of them a request means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

__all__ = ["INSTRUMENTS", "MARKET_RULES", "Instrument", "find", "search"]

_STOCK_ORDER_TYPES = (
    "ACTIVETIM,AD,ADJUST,ALERT,ALLOC,AVGCOST,BASKET,COND,CONDORDER,DAY,DEACT,GAT,GTC,GTD,HID,IOC,LMT,MKT,NONALGO,OCA,"
    "OPG,OPGREROUT,POSTONLY,RTH,SCALE,SMARTSTG,STP,STPLMT,TRAIL,WHATIF"
)
_FOREX_ORDER_TYPES = "ACTIVETIM,AD,ADJUST,ALERT,ALLOC,COND,DAY,GAT,GTC,GTD,IOC,LMT,MKT,NONALGO,OCA,STP,STPLMT,WHATIF"
_US_EXCHANGES = "SMART,AMEX,NYSE,CBOE,PHLX,ISE,CHX,ARCA,ISLAND,DRCTEDGE,BEX,BATS,EDGEA,BYX,IEX,EDGX,NYSENAT,PSX"

MARKET_RULES: dict[int, tuple[tuple[float, float], ...]] = {
    26: ((0.0, 0.01),),
    239: ((0.0, 0.00005),),
    635: ((0.0, 0.0001), (1.0, 0.01)),
}
"""Price increments by market rule: from which price on, and how much."""


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One contract that can be asked for."""

    con_id: int
    symbol: str
    sec_type: str
    currency: str
    exchange: str
    primary_exchange: str
    local_symbol: str
    trading_class: str
    long_name: str
    min_tick: float
    market_rule: int
    valid_exchanges: str
    stock_type: str = ""
    industry: tuple[str, str, str] = ("", "", "")
    isin: str = ""
    series: str | None = None
    """The name of its prices, or ``None``: the account may not see any."""

    @property
    def is_stock(self) -> bool:
        """Whether sizes are shares, which old clients count in hundreds."""
        return self.sec_type == "STK"

    @property
    def local_venue(self) -> str:
        """Where it is listed, as order warnings name it."""
        return f"{self.primary_exchange or self.exchange}.{self.trading_class}"

    @property
    def time_zone(self) -> str:
        """The zone that its hours are given in."""
        return "US/Eastern"

    def contract(self, exchange: str = "") -> dict[str, Any]:
        """Return the values of a Contract."""
        return {
            "conId": self.con_id,
            "symbol": self.symbol,
            "secType": self.sec_type,
            "exchange": exchange or self.exchange,
            "primaryExchange": self.primary_exchange,
            "currency": self.currency,
            "localSymbol": self.local_symbol,
            "tradingClass": self.trading_class,
        }

    def details(self, exchange: str) -> dict[str, Any]:
        """Return the values of a ContractDetails, without the hours."""
        industry, category, subcategory = self.industry
        exchanges = self.valid_exchanges
        return {
            "contract": self.contract(exchange),
            "marketName": self.trading_class,
            "minTick": self.min_tick,
            "orderTypes": _STOCK_ORDER_TYPES if self.is_stock else _FOREX_ORDER_TYPES,
            "validExchanges": exchanges,
            "priceMagnifier": 1,
            "longName": self.long_name,
            "industry": industry,
            "category": category,
            "subcategory": subcategory,
            "timeZoneId": self.time_zone,
            "secIdList": [{"tag": "ISIN", "value": self.isin}] if self.isin else [],
            "aggGroup": 1 if self.is_stock else 4,
            "marketRuleIds": ",".join([str(self.market_rule)] * len(exchanges.split(","))),
            "stockType": self.stock_type,
            "minSize": "0.0001" if self.is_stock else "0.01",
            "sizeIncrement": "0.0001" if self.is_stock else "0.01",
            "suggestedSizeIncrement": "100" if self.is_stock else "1",
            "mdSizeMultiplier": 100 if self.is_stock else 1,
        }


def _us_stock(con_id: int, symbol: str, name: str, venue: str, trading_class: str, **more: Any) -> Instrument:
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
        stock_type="COMMON",
        series=symbol,
        **more,
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


INSTRUMENTS: tuple[Instrument, ...] = (
    _us_stock(
        265598,
        "AAPL",
        "APPLE INC",
        "NASDAQ",
        "NMS",
        industry=("Technology", "Computers", "Computers"),
        isin="US0378331005",
    ),
    _us_stock(
        8314,
        "IBM",
        "INTL BUSINESS MACHINES CORP",
        "NYSE",
        "IBM",
        industry=("Technology", "Computers", "Computer Services"),
        isin="US4592001014",
    ),
    _us_stock(
        272093,
        "MSFT",
        "MICROSOFT CORP",
        "NASDAQ",
        "NMS",
        industry=("Technology", "Software", "Applications Software"),
        isin="US5949181045",
    ),
    _us_stock(
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
    Instrument(
        con_id=12087792,
        symbol="EUR",
        sec_type="CASH",
        currency="USD",
        exchange="IDEALPRO",
        primary_exchange="",
        local_symbol="EUR.USD",
        trading_class="EUR.USD",
        long_name="European Monetary Union Euro",
        min_tick=0.00005,
        market_rule=239,
        valid_exchanges="IDEALPRO",
        series="EURUSD",
    ),
)
"""Everything that trades here."""


def _fits(instrument: Instrument, wanted: dict[str, Any]) -> bool:
    if wanted.get("conId"):
        return bool(instrument.con_id == wanted["conId"])
    if wanted.get("secId"):
        return wanted.get("secIdType") == "ISIN" and instrument.isin == wanted["secId"]
    own = {
        "symbol": instrument.symbol,
        "secType": instrument.sec_type,
        "currency": instrument.currency,
        "localSymbol": instrument.local_symbol,
        "tradingClass": instrument.trading_class,
    }
    return all(not wanted.get(name) or str(wanted[name]).upper() == value for name, value in own.items())


def _is_traded_at(instrument: Instrument, wanted: dict[str, Any]) -> bool:
    exchange = str(wanted.get("exchange") or "").upper().partition(":")[0]
    primary = str(wanted.get("primaryExchange") or "").upper()
    venues = instrument.valid_exchanges.split(",")
    if primary and primary not in {instrument.primary_exchange, *venues}:
        return False
    return not exchange or exchange in venues


def find(wanted: dict[str, Any]) -> list[Instrument]:
    """Return what a Contract's values may mean; nothing when they name no symbol, local symbol, id or ISIN."""
    if not any(wanted.get(name) for name in ("conId", "symbol", "localSymbol", "secId")):
        return []
    return [each for each in INSTRUMENTS if _fits(each, wanted) and _is_traded_at(each, wanted)]


def search(pattern: str) -> Iterable[Instrument]:
    """Return the instruments whose symbol starts with *pattern* or whose name has a word that does."""
    wanted = pattern.strip().upper()
    if not wanted:
        return []
    return [
        each
        for each in INSTRUMENTS
        if each.symbol.startswith(wanted) or any(word.startswith(wanted) for word in each.long_name.upper().split())
    ]
