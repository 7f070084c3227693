"""One contract that can be asked for, the terms that all of its kind share, and price increments."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from typing import Any

import msgspec

__all__ = ["MARKET_RULES", "Instrument", "Leg", "Terms", "increment", "rounded"]

_EVERYWHERE = "ACTIVETIM,AD,ADJUST,ALERT,ALLOC,AVGCOST,COND,DAY,GAT,GTC,GTD,IOC,LMT,MKT,NONALGO,OCA,STP,STPLMT,WHATIF"
_STOCK_ORDER_TYPES = (
    "ACTIVETIM,AD,ADJUST,ALERT,ALLOC,AVGCOST,BASKET,COND,CONDORDER,DAY,DEACT,GAT,GTC,GTD,HID,IOC,LIT,LMT,LOC,MIT,MKT,"
    "MOC,NONALGO,OCA,OPG,OPGREROUT,POSTONLY,RTH,SCALE,SMARTSTG,STP,STPLMT,TRAIL,TRAILLMT,WHATIF"
)
_DERIVATIVE_ORDER_TYPES = f"{_EVERYWHERE},LIT,MIT,TRAIL,TRAILLMT"

MARKET_RULES: dict[int, tuple[tuple[float, float], ...]] = {
    26: ((0.0, 0.01),),
    32: ((0.0, 0.01), (3.0, 0.05)),
    57: ((0.0, 0.00005),),
    67: ((0.0, 0.25),),
    239: ((0.0, 0.00005),),
    363: ((0.0, 0.001),),
    635: ((0.0, 0.0001), (1.0, 0.01)),
}
"""Price increments by market rule: from which price on, and how much."""


class Terms(msgspec.Struct, frozen=True):
    """What all instruments of one security type have in common."""

    order_types: str
    agg_group: int
    lot: int
    """The unit of sizes in quotes."""
    min_size: str = "1"
    size_increment: str = "1"
    suggested: str = "1"
    size_multiplier: int = 1
    """What one unit of a size meant to clients of old."""
    initial: str = "0.5"
    """The part of a position's value that is its initial margin."""
    maintenance: str = "0.25"


_TERMS: dict[str, Terms] = {
    "STK": Terms(_STOCK_ORDER_TYPES, 1, 100, "0.0001", "0.0001", "100", 100),
    "CASH": Terms(f"{_EVERYWHERE},TRAIL,TRAILLMT", 4, 500_000, "0.01", "0.01", initial="0.025", maintenance="0.025"),
    "IND": Terms("", 1, 1),
    "FUT": Terms(_DERIVATIVE_ORDER_TYPES, 2147483647, 5, initial="0.1", maintenance="0.08"),
    "OPT": Terms(_DERIVATIVE_ORDER_TYPES, 2, 10, initial="1", maintenance="1"),
    "CFD": Terms(_DERIVATIVE_ORDER_TYPES, 1, 100, "0.0001", "0.0001", initial="0.2", maintenance="0.15"),
    "CRYPTO": Terms("DAY,GTC,IOC,LMT,MKT,WHATIF", 8, 1, "0.00000001", "0.00000001", initial="1", maintenance="1"),
    "BAG": Terms(_EVERYWHERE, 1, 1, initial="0", maintenance="0"),  # its legs have margins, it has none
    "BOND": Terms(_EVERYWHERE, 1, 25, initial="0.25", maintenance="0.2"),
}


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a combo: how many of what go into one of it, and on which side."""

    instrument: Instrument
    ratio: int
    sign: int

    @property
    def weight(self) -> int:
        """The signed ratio."""
        return self.ratio * self.sign


class Instrument(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
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
    hours: str = "stock"
    """When it trades: ``stock`` hours, those of ``forex``, or ``always``."""
    multiplier: str = ""
    value_factor: str = "1"
    """What a price of one is worth for a quantity of one."""
    expiry: date | None = None
    """The last day on which it trades."""
    strike: float = 0.0
    right: str = ""
    under: Instrument | None = None
    """What its price follows at every instant."""
    ratio: float = 1.0
    """Its price for an underlying's price of one, when it is no option."""
    volatility: float = 0.0
    """What an option's price is made with."""
    share: float = 1.0
    """Its volume for an underlying's volume of one."""
    coupon: float = 0.0
    maturity: str = ""
    issued: str = ""
    cusip: str = ""
    legs: tuple[Leg, ...] = ()
    """What a combo is made of."""

    @property
    def terms(self) -> Terms:
        """What all of its kind share."""
        return _TERMS[self.sec_type]

    @property
    def is_stock(self) -> bool:
        """Whether sizes are shares, which old clients count in hundreds."""
        return self.sec_type == "STK"

    @property
    def priced(self) -> bool:
        """Whether the account may see its prices."""
        return self.series is not None or bool(self.legs)

    @property
    def timed(self) -> Instrument:
        """The instrument whose trading hours it has: a combo has those of its first leg."""
        return self.legs[0].instrument if self.legs else self

    @property
    def rerouted(self) -> Instrument | None:
        """The instrument whose market data are to be asked for instead; a CFD has none of its own."""
        return self.under if self.sec_type == "CFD" else None

    @property
    def has_trades(self) -> bool:
        """Whether the prices at which it traded are shown; those of currencies are not."""
        return self.sec_type not in {"CASH", "BAG"}

    @property
    def has_quotes(self) -> bool:
        """Whether there are a bid and an ask; an index has none."""
        return self.sec_type != "IND"

    @property
    def local_venue(self) -> str:
        """Where it is listed, as order warnings name it."""
        return f"{self.primary_exchange or self.exchange}.{self.trading_class}"

    @property
    def venue(self) -> str:
        """Where it is listed."""
        return self.primary_exchange or self.exchange

    @property
    def data_venue(self) -> str:
        """Where it is listed, by the name that errors about permissions have."""
        return "ISLAND" if self.venue == "NASDAQ" else self.venue

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
            "lastTradeDateOrContractMonth": f"{self.expiry:%Y%m%d}" if self.expiry else "",
            "strike": self.strike or None,
            "right": self.right,
            "multiplier": self.multiplier,
            "exchange": exchange or self.exchange,
            "primaryExchange": self.primary_exchange,
            "currency": self.currency,
            "localSymbol": self.local_symbol,
            "tradingClass": self.trading_class,
        }

    def details(self, exchange: str) -> dict[str, Any]:
        """Return the values of a ContractDetails, without the hours."""
        industry, category, subcategory = self.industry
        exchanges, terms = self.valid_exchanges, self.terms
        return {
            "contract": {**self.contract(exchange), "lastTradeDateOrContractMonth": self._last_trade},
            "marketName": self.trading_class,
            "minTick": self.min_tick,
            "orderTypes": terms.order_types,
            "validExchanges": exchanges,
            "priceMagnifier": 1,
            "longName": self.long_name,
            "industry": industry,
            "category": category,
            "subcategory": subcategory,
            "timeZoneId": self.time_zone,
            "secIdList": [{"tag": "ISIN", "value": self.isin}] if self.isin else [],
            "aggGroup": terms.agg_group,
            "marketRuleIds": ",".join([str(self.market_rule)] * len(exchanges.split(","))),
            "stockType": self.stock_type,
            "minSize": terms.min_size,
            "sizeIncrement": terms.size_increment,
            "suggestedSizeIncrement": terms.suggested,
            "mdSizeMultiplier": terms.size_multiplier,
            **self._of_derivative(),
            **({"coupon": self.coupon, "maturity": self.maturity} if self.sec_type == "BOND" else {}),
            **({"issueDate": self.issued, "cusip": self.cusip} if self.sec_type == "BOND" else {}),
        }

    @property
    def _last_trade(self) -> str:
        """When it trades last: for futures with the time, which clients split off."""
        if self.expiry is None:
            return ""
        return f"{self.expiry:%Y%m%d}" + (f" 09:30:00 {self.time_zone}" if self.sec_type == "FUT" else "")

    def _of_derivative(self) -> dict[str, Any]:
        if self.under is None or self.sec_type == "IND":  # an index is made of its fund here, which nobody need know
            return {}
        under = {
            "underConId": self.under.con_id,
            "underSymbol": self.under.symbol,
            "underSecType": self.under.sec_type,
        }
        if self.expiry is None:
            return under
        return {
            **under,
            "contractMonth": f"{self.expiry:%Y%m}",
            "realExpirationDate": f"{self.expiry:%Y%m%d}",
        }


def increment(instrument: Instrument, price: float) -> float:
    """Return the step between two prices of *instrument* near *price*."""
    rule = MARKET_RULES[instrument.market_rule]
    at = bisect_right([edge for edge, _ in rule], price) - 1
    return rule[max(at, 0)][1]


def rounded(instrument: Instrument, price: float) -> float:
    """Return the nearest price that *instrument* can have."""
    step = increment(instrument, price)
    return round(max(round(price / step), 1) * step, 6)
