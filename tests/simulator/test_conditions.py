"""Orders with conditions, and with algorithms."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
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

from tests.simulator.stock import Got, StockClient, cancel, contract, names, order
from tests.simulator.test_trading import story

pytestmark = pytest.mark.anyio

AAPL, IBM = 265598, 8314


def made(kind: Any, more: bool = True, connector: bool = True, **values: Any) -> OrderCondition:
    condition: OrderCondition = kind()
    if hasattr(condition, "isMore"):
        condition.isMore = more
    condition.isConjunctionConnection = connector
    for name, value in values.items():
        setattr(condition, name, value)
    return condition


def price(at: float, more: bool = True, con_id: int = IBM, connector: bool = True) -> OrderCondition:
    return made(PriceCondition, more, connector, conId=con_id, exchange="SMART", price=at, triggerMethod=0)


def conditional(*conditions: OrderCondition, cancels: bool = False) -> Order:
    bought = order("BUY", 10)
    bought.conditions = list(conditions)
    bought.conditionsCancelOrder = cancels
    return bought


MET = {
    "price": price(1.0),
    "margin": made(MarginCondition, percent=50),
    "volume": made(VolumeCondition, conId=IBM, exchange="SMART", volume=1),
    "percent": made(PercentChangeCondition, conId=IBM, exchange="SMART", changePercent=-50.0),
    "time": made(TimeCondition, time="20130101 10:00:00 US/Eastern"),
}
UNMET = {
    "price": price(100_000.0),
    "price below": price(1.0, more=False),
    "margin": made(MarginCondition, more=False, percent=50),
    "volume": made(VolumeCondition, more=False, conId=IBM, exchange="SMART", volume=1),
    "percent": made(PercentChangeCondition, conId=IBM, exchange="SMART", changePercent=50.0),
    "time": made(TimeCondition, time="20130401 10:00:00 US/Eastern"),
    "execution": made(ExecutionCondition, secType="STK", exchange="SMART", symbol="MSFT"),
}


async def ticks_pass(client: StockClient, speed: float) -> list[Got]:
    """Return what came while the market had a few ticks."""
    await anyio.sleep(1 / speed)
    return await client.sync()


@pytest.mark.parametrize("condition", MET.values(), ids=MET)
async def test_an_order_works_when_its_condition_is_met(client: StockClient, condition: OrderCondition) -> None:
    client.placeOrder(1, contract(), conditional(condition))
    got = await client.until("orderStatus", status="Filled")
    statuses = [each.status for each in got if each.name == "orderStatus"]
    assert list(dict.fromkeys(statuses)) == ["PreSubmitted", "Submitted", "Filled"]


@pytest.mark.parametrize("condition", UNMET.values(), ids=UNMET)
async def test_an_order_rests_until_its_condition_is_met(
    client: StockClient, speed: float, condition: OrderCondition
) -> None:
    client.placeOrder(1, contract(), conditional(condition))
    assert (await client.sync())[1].status == "PreSubmitted"
    assert await ticks_pass(client, speed) == []
    client.reqOpenOrders()
    shown = next(each for each in await client.until("openOrderEnd") if each.name == "openOrder")
    assert shown.order.conditions[0].type() == condition.type()
    cancel(client, 1)
    assert story(await client.until("error"))[-2:] == ["Cancelled", "202"]


async def test_a_trade_is_a_condition(client: StockClient) -> None:
    waiting = made(ExecutionCondition, secType="STK", exchange="SMART", symbol="IBM")
    client.placeOrder(1, contract(), conditional(waiting))
    await client.sync()
    client.placeOrder(2, contract("IBM"), order("BUY", 1))
    await client.until("orderStatus", orderId=1, status="Filled")


async def test_and_binds_closer_than_or(client: StockClient, speed: float) -> None:
    never, always = 100_000.0, 1.0
    client.placeOrder(1, contract(), conditional(price(never), price(never, connector=False), price(always)))
    await client.until("orderStatus", orderId=1, status="Filled")
    client.placeOrder(2, contract(), conditional(price(always), price(never), price(always)))
    await client.sync()
    assert not {"execDetails"} & set(names(await ticks_pass(client, speed)))


async def test_conditions_may_cancel(client: StockClient) -> None:
    resting = conditional(price(1.0), cancels=True)
    resting.orderType, resting.lmtPrice = "LMT", 1.0
    client.placeOrder(1, contract(), resting)
    assert story(await client.until("error"))[-2:] == ["Cancelled", "202"]


async def test_conditions_that_make_no_sense(client: StockClient) -> None:
    client.placeOrder(1, contract(), conditional(price(1.0, con_id=4711)))
    client.placeOrder(2, contract(), conditional(made(TimeCondition, time="tomorrow")))
    assert [each.errorCode for each in await client.sync()] == [200, 321]


async def test_algorithms_work_as_plain_orders(client: StockClient) -> None:
    clever = order("BUY", 10)
    clever.algoStrategy = "Adaptive"
    clever.algoParams = [TagValue("adaptivePriority", "Normal")]
    client.placeOrder(1, contract(), clever)
    got = await client.until("orderStatus", status="Filled")
    shown = next(each for each in got if each.name == "openOrder")
    assert (shown.order.algoStrategy, shown.order.algoParams[0].tag) == ("Adaptive", "adaptivePriority")
    clever.algoStrategy = "CleverHans"
    client.placeOrder(2, contract(), clever)
    assert [each.errorCode for each in await client.sync() if each.name == "error"] == [439]
