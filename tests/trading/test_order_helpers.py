"""The helpers fill in what they say, and what they make can be placed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from ibapi.order import Order

from tests.script import stock
from trio_ibtws import orders
from trio_ibtws._runtime._order_checks import check_order
from trio_ibtws.orders import CHILD

MADE: list[Order] = [
    orders.market_order("BUY", 1),
    orders.limit_order("SELL", 1.5, 10.0, tif="GTC"),
    orders.stop_order("SELL", Decimal("0.1"), 9.0),
    orders.stop_limit_order("BUY", 1, 9.0, 9.5),
    orders.trailing_stop_order("SELL", 1, amount=0.5),
    orders.trailing_stop_order("SELL", 1, percent=2.0, trailStopPrice=90.0),
    orders.trailing_stop_limit_order("SELL", 1, offset=0.1, amount=0.5),
    orders.adaptive(orders.limit_order("BUY", 1, 10.0), "Patient"),
    orders.algo(orders.limit_order("BUY", 1, 10.0), "Twap", startTime="", allowPastEndTime="1"),
    *orders.one_cancels_all([orders.limit_order("BUY", 1, 10.0), orders.limit_order("BUY", 1, 9.0)], "g", kind=2),
    orders.with_conditions(
        orders.market_order("BUY", 1),
        orders.price_condition(1, "SMART", above=5.0),
        orders.time_condition(after=datetime(2024, 1, 1, tzinfo=UTC)),
        orders.margin_condition(below=30),
        orders.execution_condition("STK", "SMART", "AAPL"),
        orders.volume_condition(1, "SMART", above=100),
        orders.percent_change_condition(1, "SMART", below=2.0),
        any_of=True,
        cancel=True,
    ),
]


@pytest.mark.parametrize("order", MADE, ids=lambda order: order.orderType)
def test_what_they_make_can_be_placed(order: Order) -> None:
    check_order({"contract": stock(), "order": order})


def test_values() -> None:
    order = orders.stop_limit_order("BUY", 1.5, 9.0, 9.5, outsideRth=True)
    assert (order.action, order.orderType, order.totalQuantity) == ("BUY", "STP LMT", Decimal("1.5"))
    assert (order.auxPrice, order.lmtPrice, order.outsideRth) == (9.0, 9.5, True)
    [first, second] = orders.one_cancels_all([order, order], "g")
    assert {(each.ocaGroup, each.ocaType) for each in (first, second)} == {("g", 1)}
    assert order.ocaGroup == ""
    adaptive: Any = orders.adaptive(order, "Urgent")
    assert [(pair.tag, pair.value) for pair in adaptive.algoParams] == [("adaptivePriority", "Urgent")]
    waiting = orders.with_conditions(order, orders.price_condition(1, "SMART", below=5.0), ignore_rth=True)
    assert (waiting.conditions[0].isMore, waiting.conditions[0].isConjunctionConnection) == (False, True)
    assert waiting.conditionsIgnoreRth
    assert not order.conditions


def test_a_time_is_sent_in_utc() -> None:
    east = timezone(timedelta(hours=2))
    condition: Any = orders.time_condition(before=datetime(2024, 1, 1, 1, 30, tzinfo=east))
    assert (condition.isMore, condition.time) == (False, "20231231-23:30:00")


@pytest.mark.parametrize(("action", "profit", "loss"), [("BUY", 11.0, 9.0), ("SELL", 9.0, 11.0)])
def test_bracket(action: str, profit: float, loss: float) -> None:
    parent = orders.limit_order("BUY" if action == "BUY" else "SELL", 10, 10.0, account="DU1")
    legs = orders.bracket(parent, take_profit=profit, stop_loss=loss, tif="GTC")
    assert [order.transmit for order in legs] == [False, False, True]
    assert [order.parentId for order in legs] == [0, CHILD, CHILD]
    assert {order.action for order in legs[1:]} == {"SELL" if action == "BUY" else "BUY"}
    assert (legs.take_profit.lmtPrice, legs.stop_loss.auxPrice, legs.stop_loss.tif) == (profit, loss, "GTC")
    assert legs.take_profit.account == "DU1"
    assert parent.transmit
    with pytest.raises(ValueError, match="wrong way"):
        orders.bracket(parent, take_profit=loss, stop_loss=profit)


def test_a_combination_may_cost_less_than_nothing() -> None:
    spread = orders.combo("AAPL", orders.leg(1, "BUY"), orders.leg(2, "SELL", ratio=2))
    check_order({"contract": spread, "order": orders.limit_order("BUY", 1, -0.5)})


def test_mistakes() -> None:
    with pytest.raises(AttributeError, match="limit_price"):
        orders.market_order("BUY", 1, limit_price=1.0)
    with pytest.raises(ValueError, match="one of them"):
        orders.trailing_stop_order("BUY", 1)
    with pytest.raises(ValueError, match="one of the two"):
        orders.price_condition(1, "SMART")
    with pytest.raises(ValueError, match="time zone"):
        orders.time_condition(after=datetime(2024, 1, 1))
