"""The few messages that are built differently on the two wires, beyond the names of their fields.

``OUTWARDS`` turns values into the shape of the protobuf message, ``INWARDS`` the other way; by type of message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from ._codec_fields import Values

__all__ = ["INWARDS", "OUTWARDS"]

_CONDITION_VALUES = {1: "price", 3: "time", 4: "percent", 6: "volume", 7: "changePercent"}

_Shape = Callable[[Values], Values]


# --- orders ------------------------------------------------------------------------------------------------------


def _condition_out(row: Values) -> Values:
    """A text condition has one value; in protobuf each type has a field of its own for it."""
    shaped = {name: value for name, value in row.items() if name not in {"value", "connector"}}
    shaped["isConjunctionConnection"] = row.get("connector") == "a"
    if row["type"] in _CONDITION_VALUES:
        shaped[_CONDITION_VALUES[row["type"]]] = row.get("value")
    return shaped


def _condition_in(row: Values) -> Values:
    """Return the one value under its one name, as text, whatever the type."""
    kind = row.get("type")
    shaped = {name: value for name, value in row.items() if name not in _CONDITION_VALUES.values()}
    shaped["connector"] = "a" if shaped.pop("isConjunctionConnection", False) else "o"
    if kind in _CONDITION_VALUES:
        value = row.get(_CONDITION_VALUES[kind], "")
        shaped["value"] = repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
    return shaped


def _order_out(values: Values) -> Values:
    """The price of a leg is an attribute of the order in text, and of the leg in protobuf."""
    shaped = dict(values)
    order = dict(values.get("order") or {})
    prices = order.pop("orderComboLegs", None) or ()
    contract = values.get("contract") or {}
    legs = [dict(leg) for leg in contract.get("comboLegs") or ()]
    for leg, price in zip(legs, prices, strict=False):
        leg["perLegPrice"] = price
    if legs:
        shaped["contract"] = {**contract, "comboLegs": legs}
    if values.get("orderId") is not None:
        order.setdefault("orderId", values["orderId"])
    shaped["order"] = order
    return shaped


def _order_in(values: Values) -> Values:
    legs = values["contract"].get("comboLegs") or ()
    prices = [leg.pop("perLegPrice", None) for leg in legs]
    if any(price is not None for price in prices):
        values["order"]["orderComboLegs"] = prices
    return values


def _execution_out(values: Values) -> Values:
    """The order id of an execution is a value of the message in text, and of the execution in protobuf."""
    return {**values, "execution": {**(values.get("execution") or {}), "orderId": values.get("orderId")}}


def _execution_in(values: Values) -> Values:
    return {**values, "orderId": values["execution"].pop("orderId", 0)}


# --- ticks -------------------------------------------------------------------------------------------------------


def _swap(mask: int) -> int:
    """Historical quotes number the two bits the other way round than live ones."""
    return (mask & 1) << 1 | (mask & 2) >> 1


def _masked(attribute: str, low: str, high: str) -> tuple[_Shape, _Shape]:
    """Make the shapes of a tick whose mask is a message of two flags."""

    def out(row: Values) -> Values:
        mask = row.get("mask") or 0
        return {**row, attribute: {low: bool(mask & 1), high: bool(mask & 2)}}

    def inwards(row: Values) -> Values:
        flags = row.pop(attribute, None) or {}
        return {**row, "mask": bool(flags.get(low)) | bool(flags.get(high)) << 1}

    return out, inwards


_QUOTE = {"bidPrice": "priceBid", "askPrice": "priceAsk", "bidSize": "sizeBid", "askSize": "sizeAsk"}


def _tick_out(values: Values) -> Values:
    kind = values["tickType"]
    rest = {name: value for name, value in values.items() if name not in {"reqId", "tickType"}}
    if kind == 3:
        tick = {_QUOTE.get(name, name): value for name, value in rest.items()}
        part = "historicalTickBidAsk", {**tick, "mask": _swap(rest.get("mask") or 0)}
    elif kind == 4:
        part = "historicalTickMidPoint", {"time": rest["time"], "price": rest["midPoint"]}
    else:
        part = "historicalTickLast", rest
    return {"reqId": values["reqId"], "tickType": kind, part[0]: part[1]}


def _tick_in(values: Values) -> Values:
    last: Values | None = values.pop("historicalTickLast", None)
    quote = values.pop("historicalTickBidAsk", None)
    middle = values.pop("historicalTickMidPoint", None)
    if middle is not None:
        return {**values, "time": middle["time"], "midPoint": middle["price"]}
    if quote is not None:
        names = {wire: name for name, wire in _QUOTE.items()}
        last = {str(names.get(name, name)): value for name, value in quote.items()} | {"mask": _swap(quote["mask"])}
    return values | {name: _size(name, value) for name, value in (last or {}).items()}


def _size(name: str, value: Any) -> Any:
    return Decimal(value) if name.lower().endswith("size") else value


# --- contracts ---------------------------------------------------------------------------------------------------


def _details_out(values: Values) -> Values:
    """The maturity of a bond is where other contracts have their last trading day."""
    if not values.get("maturity"):
        return values
    contract = {**(values.get("contract") or {}), "lastTradeDateOrContractMonth": values["maturity"]}
    return {**values, "contract": contract}


def _details_in(values: Values) -> Values:
    if "maturity" in values:
        values["maturity"] = values["contract"].pop("lastTradeDateOrContractMonth", "")
    return values


def _portfolio_out(values: Values) -> Values:
    """Where a position is held is its contract's primary exchange in text, and its exchange in protobuf."""
    contract = dict(values.get("contract") or {})
    contract["exchange"] = contract.pop("primaryExchange", None) or contract.get("exchange")
    return {**values, "contract": contract}


def _portfolio_in(values: Values) -> Values:
    values["contract"]["primaryExchange"] = values["contract"].pop("exchange", "")
    return values


_LAST_OUT, _LAST_IN = _masked("tickAttribLast", "pastLimit", "unreported")
_BID_ASK_OUT, _BID_ASK_IN = _masked("tickAttribBidAsk", "askPastHigh", "bidPastLow")

OUTWARDS: Mapping[str, _Shape] = {
    "CompletedOrder": _order_out,
    "ContractData": _details_out,
    "ExecutionDetails": _execution_out,
    "HistoricalTickBidAsk": _BID_ASK_OUT,
    "HistoricalTickLast": _LAST_OUT,
    "OpenOrder": _order_out,
    "OrderCondition": _condition_out,
    "PlaceOrderRequest": _order_out,
    "PortfolioValue": _portfolio_out,
    "TickByTickData": _tick_out,
}
INWARDS: Mapping[str, _Shape] = {
    "CompletedOrder": _order_in,
    "ContractData": _details_in,
    "ExecutionDetails": _execution_in,
    "HistoricalTickBidAsk": _BID_ASK_IN,
    "HistoricalTickLast": _LAST_IN,
    "OpenOrder": _order_in,
    "OrderCondition": _condition_in,
    "PlaceOrderRequest": _order_in,
    "PortfolioValue": _portfolio_in,
    "TickByTickData": _tick_in,
}
