"""Whether TWS takes an order at all, and what it says when it does not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ._accounts import Account
from ._market_instrument import Instrument, increment
from ._orders import ORDER_TYPES, OTHER_TYPES
from ._times import parse_time

__all__ = ["Refusal", "beyond_means", "refusal", "warning"]

Refusal = tuple[int, str]
"""A code and a text."""

_PRICES: dict[str, tuple[str, ...]] = {
    "LMT": ("lmtPrice",),
    "LOC": ("lmtPrice",),
    "STP": ("auxPrice",),
    "MIT": ("auxPrice",),
    "STP LMT": ("lmtPrice", "auxPrice"),
    "LIT": ("lmtPrice", "auxPrice"),
}
"""The prices that an order of a type must have."""
_ALL_PRICES = ("lmtPrice", "auxPrice", "trailStopPrice", "trailingPercent", "lmtPriceOffset")
_PRICES_BELOW = 1e9
_LAST_YEAR = 253_370_764_800.0  # 9999, of which not every instant can be written in every zone
_IDEALPRO_LEAST = Decimal(20_000)
_TIFS = ("", "DAY", "GTC", "IOC", "GTD", "OPG", "FOK", "DTC", "GTX", "AUC")

ALGORITHMS = frozenset(
    {
        "AD",
        "Adaptive",
        "ArrivalPx",
        "BalanceImpactRisk",
        "ClosePx",
        "DarkIce",
        "MinImpact",
        "PctVol",
        "PctVolPx",
        "PctVolSz",
        "PctVolTm",
        "Twap",
        "Vwap",
    }
)
"""The algorithms of IB that are known; orders with one work as orders without."""


def refusal(order: dict[str, Any], instrument: Instrument, account: Account, now: float) -> Refusal | None:
    """Return the error for an order that is malformed, or ``None``."""
    cause = _malformed(order)
    if cause is not None:
        return 321, f"Error validating request.-'v' : cause - {cause}"
    unsupported = _unsupported(order, instrument)
    if unsupported is not None:
        return unsupported
    if not order["totalQuantity"] or order["totalQuantity"] < 0:
        return 434, "The order size cannot be zero."
    if order["account"] not in {"", account.name}:
        return 321, "Error validating request.-'v' : cause - Invalid account code was entered."
    prices = [order.get(name) for name in _prices_of(order["orderType"])]
    if any(abs(order.get(name) or 0.0) >= _PRICES_BELOW for name in _ALL_PRICES):
        return 321, "Error validating request.-'v' : cause - A price is out of range."
    if order["orderType"].startswith("TRAIL") and not _trails(order):
        return 321, "Error validating request.-'v' : cause - Either a trailing amount or a percentage is needed."
    if not _times_make_sense(order, now):
        return 391, "The time or time-zone entered is invalid. The correct format is yyyymmdd hh:mm:ss xx/xxxx."
    if any(price is None or (price <= 0 and not instrument.legs) for price in prices):
        return 321, "Error validating request.-'v' : cause - A price is missing for this order type."
    if any(not _conforms(instrument, price) for price in prices if price is not None):
        return 110, "The price does not conform to the minimum price variation for this contract."
    return None


def _malformed(order: dict[str, Any]) -> str | None:
    if order["action"] not in {"BUY", "SELL"}:
        return "Invalid side was entered"
    if order["orderType"] not in ORDER_TYPES and order["orderType"] not in OTHER_TYPES:
        return "Invalid order type was entered"
    if order["tif"] not in _TIFS:
        return "Invalid time in force was entered"
    return None


def _unsupported(order: dict[str, Any], instrument: Instrument) -> Refusal | None:
    """Return the error for what an order asks for and cannot have, or ``None``."""
    algorithm, shown = order.get("algoStrategy"), order.get("displaySize")
    kind = ORDER_TYPES.get(order["orderType"])
    if kind is None or (kind not in instrument.terms.order_types.split(",") and instrument.has_quotes):
        return 387, "Unsupported order type for this exchange and security type."
    if algorithm and algorithm not in ALGORITHMS:
        return 439, "Order processing failed. Algorithm definition not found."
    if shown and (algorithm or shown >= (order["totalQuantity"] or 0)):
        return 10255, "The 'Display Size' order attribute may not be specified for this order."
    return None


def _times_make_sense(order: dict[str, Any], now: float) -> bool:
    """Return whether the times that an order has can be read."""
    after = order.get("goodAfterTime")
    begins = parse_time(after) if after else now
    ends = parse_time(order.get("goodTillDate") or "") if order["tif"] == "GTD" else now
    return begins is not None and begins < _LAST_YEAR and ends is not None


def _trails(order: dict[str, Any]) -> bool:
    """Return whether a trailing order says by how much, in one way."""
    ways = [order.get("auxPrice") or 0.0, order.get("trailingPercent") or 0.0]
    return min(ways) == 0 < max(ways)


def _prices_of(kind: str) -> tuple[str, ...]:
    return _PRICES.get(kind, ())


def _conforms(instrument: Instrument, price: float) -> bool:
    return Decimal(str(price)) % Decimal(str(increment(instrument, price))) == 0


def beyond_means(order: dict[str, Any], instrument: Instrument, account: Account) -> Refusal | None:
    """Return the rejection of an order that the account's equity does not carry, or ``None``."""
    signed = order["totalQuantity"] * (1 if order["action"] == "BUY" else -1)
    before, after = account.margins(), account.margins(instrument, signed)
    if after.initial <= max(after.equity, before.initial):
        return None
    reason = (
        "YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION YOUR EQUITY WITH LOAN VALUE "
        f"[{after.equity} USD] MUST EXCEED THE INITIAL MARGIN [{after.initial} USD]"
    )
    return 201, f"Order rejected - reason:{reason}"


def warning(order: dict[str, Any], instrument: Instrument) -> str:
    """Return the warning that TWS gives about an order which it takes, or an empty text."""
    if instrument.sec_type == "CASH" and order["totalQuantity"] < _IDEALPRO_LEAST:
        return (
            f"Warning: Your order size is below the {instrument.symbol} {_IDEALPRO_LEAST} IdealPro minimum and will be "
            "routed as an odd lot order."
        )
    return ""
