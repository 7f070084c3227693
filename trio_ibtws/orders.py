"""Small helpers that fill in ibapi's ``Order`` and ``Contract``: the usual order types, and what several orders share.

Each returns a new object and sends nothing; ``book.place`` and ``client.place_order`` take it. Every attribute of
ibapi's ``Order`` can be given by its own name: ``limit_order("BUY", 100, 9.5, tif="GTC", outsideRth=True)``. What makes
no sense is refused when it is placed. Prices are floats in the contract's currency, quantities of any number type.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from ibapi.contract import ComboLeg, Contract
from ibapi.order import Order
from ibapi.order_condition import (
    ExecutionCondition,
    MarginCondition,
    OrderCondition,
    PercentChangeCondition,
    PriceCondition,
    TimeCondition,
    VolumeCondition,
)
from ibapi.tag_value import TagValue

__all__ = [
    "Bracket",
    "adaptive",
    "algo",
    "bracket",
    "combo",
    "execution_condition",
    "leg",
    "limit_order",
    "margin_condition",
    "market_order",
    "one_cancels_all",
    "percent_change_condition",
    "price_condition",
    "stop_limit_order",
    "stop_order",
    "time_condition",
    "trailing_stop_limit_order",
    "trailing_stop_order",
    "volume_condition",
    "with_conditions",
]

Action = Literal["BUY", "SELL"]
Quantity = Decimal | int | float


def _order(action: Action, quantity: Quantity, order_type: str, attributes: dict[str, Any]) -> Order:
    order: Any = Order()
    order.action = action
    order.orderType = order_type
    order.totalQuantity = Decimal(str(quantity))
    for name in ("eTradeOnly", "firmQuoteOnly"):  # True in new orders of old releases, and TWS refuses that
        if hasattr(order, name):
            setattr(order, name, False)
    for name, value in attributes.items():
        if not hasattr(order, name):
            raise AttributeError(f"ibapi's Order has no attribute {name!r}")
        setattr(order, name, value)
    made: Order = order
    return made


# --- order types -------------------------------------------------------------------------------------------------


def market_order(action: Action, quantity: Quantity, **attributes: Any) -> Order:
    """Return an order that trades at the market's price (MKT)."""
    return _order(action, quantity, "MKT", attributes)


def limit_order(action: Action, quantity: Quantity, limit: float, **attributes: Any) -> Order:
    """Return an order that trades at *limit* or better (LMT)."""
    return _order(action, quantity, "LMT", {"lmtPrice": limit, **attributes})


def stop_order(action: Action, quantity: Quantity, stop: float, **attributes: Any) -> Order:
    """Return an order that becomes a market order when the price reaches *stop* (STP)."""
    return _order(action, quantity, "STP", {"auxPrice": stop, **attributes})


def stop_limit_order(action: Action, quantity: Quantity, stop: float, limit: float, **attributes: Any) -> Order:
    """Return an order that becomes a limit order at *limit* when the price reaches *stop* (STP LMT)."""
    return _order(action, quantity, "STP LMT", {"auxPrice": stop, "lmtPrice": limit, **attributes})


def trailing_stop_order(
    action: Action, quantity: Quantity, *, amount: float | None = None, percent: float | None = None, **attributes: Any
) -> Order:
    """Return a stop order whose stop price follows the market at a distance (TRAIL).

    The distance is *amount*, in the contract's currency, or *percent* of the price; ``trailStopPrice`` is its start.
    """
    return _order(action, quantity, "TRAIL", {**_distance(amount, percent), **attributes})


def trailing_stop_limit_order(
    action: Action,
    quantity: Quantity,
    *,
    offset: float,
    amount: float | None = None,
    percent: float | None = None,
    **attributes: Any,
) -> Order:
    """Return a trailing stop that becomes a limit order *offset* away from the stop price (TRAIL LIMIT)."""
    return _order(
        action, quantity, "TRAIL LIMIT", {"lmtPriceOffset": offset, **_distance(amount, percent), **attributes}
    )


def _distance(amount: float | None, percent: float | None) -> dict[str, float]:
    if (amount is None) == (percent is None):
        raise ValueError(f"amount={amount} and percent={percent}: give one of them")
    return {"auxPrice": amount} if amount is not None else {"trailingPercent": percent or 0.0}


# --- several orders ----------------------------------------------------------------------------------------------


class Bracket(NamedTuple):
    """An order and the two that end the position that it makes; for ``book.place_bracket``."""

    parent: Order
    take_profit: Order
    stop_loss: Order


def bracket(parent: Order, *, take_profit: float, stop_loss: float, **attributes: Any) -> Bracket:
    """Return *parent* with a limit order at *take_profit* and a stop order at *stop_loss* for the other side.

    TWS works the two when the parent is filled, and cancels one when the other is. *attributes* are of both, such as
    ``tif="GTC"``. The parent is copied; it is not sent before its children are with TWS.

    Raises:
      ValueError: the profit is not on the far side of the loss.
    """
    if (take_profit > stop_loss) != (parent.action == "BUY"):
        raise ValueError(f"take_profit={take_profit} and stop_loss={stop_loss} are the wrong way round")
    other: Action = "SELL" if parent.action == "BUY" else "BUY"
    head = _copy(parent, transmit=False)
    children = {"parentId": CHILD, "account": parent.account, **attributes}
    profit = limit_order(other, parent.totalQuantity, take_profit, **children, transmit=False)
    return Bracket(head, profit, stop_order(other, parent.totalQuantity, stop_loss, **children))


CHILD = -1
"""The ``parentId`` of an order whose parent gets its id in the same moment."""


def one_cancels_all(orders: Iterable[Order], group: str, *, kind: int = 1) -> list[Order]:
    """Return copies of *orders* of which one, when it is filled, ends the others.

    *group* must not have been used today. *kind* 1 cancels the others, 2 reduces them and guards against overfill, 3
    reduces them (Order.ocaType).
    """
    return [_copy(order, ocaGroup=group, ocaType=kind) for order in orders]


def _copy(order: Order, **attributes: Any) -> Order:
    copied = Order()
    vars(copied).update(vars(order) | attributes)
    return copied


# --- conditions --------------------------------------------------------------------------------------------------


def price_condition(
    con_id: int, exchange: str, *, above: float | None = None, below: float | None = None, method: int = 0
) -> OrderCondition:
    """Return the condition that a contract trades at *above* or more, or at *below* or less.

    *method* says which price counts (Order.triggerMethod); 0 is TWS's own choice.
    """
    is_more, price = _side(above, below)
    return PriceCondition(method, con_id, exchange, is_more, price)


def time_condition(*, after: datetime | None = None, before: datetime | None = None) -> OrderCondition:
    """Return the condition that it is later than *after*, or earlier than *before*, which have a time zone."""
    is_more, when = _side(after, before)
    if when.tzinfo is None:
        raise ValueError(f"{when} has no time zone")
    return TimeCondition(is_more, f"{when.astimezone(UTC):%Y%m%d-%H:%M:%S}")


def margin_condition(*, above: int | None = None, below: int | None = None) -> OrderCondition:
    """Return the condition that the margin cushion is above, or below, a percentage."""
    return MarginCondition(*_side(above, below))


def execution_condition(sec_type: str, exchange: str, symbol: str) -> OrderCondition:
    """Return the condition that this account has traded a symbol."""
    return ExecutionCondition(sec_type, exchange, symbol)


def volume_condition(
    con_id: int, exchange: str, *, above: int | None = None, below: int | None = None
) -> OrderCondition:
    """Return the condition that today's volume of a contract is above, or below, a figure."""
    return VolumeCondition(con_id, exchange, *_side(above, below))


def percent_change_condition(
    con_id: int, exchange: str, *, above: float | None = None, below: float | None = None
) -> OrderCondition:
    """Return the condition that a contract's price has changed by more, or less, than a percentage since yesterday."""
    return PercentChangeCondition(con_id, exchange, *_side(above, below))


def _side(more: Any, less: Any) -> tuple[bool, Any]:
    if (more is None) == (less is None):
        raise ValueError("give one of the two bounds of a condition")
    return (True, more) if more is not None else (False, less)


def with_conditions(
    order: Order, *conditions: OrderCondition, any_of: bool = False, cancel: bool = False, ignore_rth: bool = False
) -> Order:
    """Return a copy of *order* that waits for *conditions*: for all of them, or for any.

    With *cancel* it is cancelled by them instead; with *ignore_rth* they hold outside of trading hours too.
    """
    for condition in conditions:
        condition.isConjunctionConnection = not any_of
    return _copy(order, conditions=list(conditions), conditionsCancelOrder=cancel, conditionsIgnoreRth=ignore_rth)


# --- combinations ------------------------------------------------------------------------------------------------


def leg(con_id: int, action: Action, *, ratio: int = 1, exchange: str = "SMART") -> ComboLeg:
    """Return one leg of a combination; *con_id* is ``ContractDetails.contract.conId``."""
    made = ComboLeg()
    made.conId, made.action, made.ratio, made.exchange = con_id, action, ratio, exchange
    return made


def combo(symbol: str, *legs: ComboLeg, currency: str = "USD", exchange: str = "SMART") -> Contract:
    """Return the contract of a combination of *legs* (BAG); its price may be negative."""
    made = Contract()
    made.symbol, made.secType, made.currency, made.exchange = symbol, "BAG", currency, exchange
    made.comboLegs = list(legs)
    return made


# --- algos -------------------------------------------------------------------------------------------------------


def algo(order: Order, strategy: str, **parameters: str) -> Order:
    """Return a copy of *order* that one of IB's algos works, with its parameters by IB's names: texts, all of them."""
    pairs = [TagValue(name, value) for name, value in parameters.items()]
    return _copy(order, algoStrategy=strategy, algoParams=pairs)


def adaptive(order: Order, priority: Literal["Urgent", "Normal", "Patient"] = "Normal") -> Order:
    """Return a copy of *order* that the Adaptive algo works: it tries for a price between bid and ask."""
    return algo(order, "Adaptive", adaptivePriority=priority)
