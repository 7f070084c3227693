"""Every type of order and time in force, groups of orders, and the exercise of options."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.stock import Got, StockClient, cancel, contract, names, order
from tests.simulator.test_depth_and_options import an_option
from tests.simulator.test_trading import EURUSD, fill, story
from trio_ibtws.simulator import Scenario, open_simulator

pytestmark = pytest.mark.anyio

FAR = 10_000.0


async def ended(client: StockClient, *statuses: str) -> list[Got]:
    got: list[Got] = []
    while not any(each.name == "orderStatus" and each.status in statuses for each in got):
        got += await client.until("orderStatus")
    return got


async def test_a_trailing_stop_follows_and_fills(client: StockClient) -> None:
    client.placeOrder(1, contract(), order("SELL", 10, "TRAIL", auxPrice=0.05))
    first = await client.sync()
    assert (first[1].status, first[1].whyHeld) == ("PreSubmitted", "trigger")
    got = await ended(client, "Filled")
    triggered = next(each for each in got if each.name == "openOrder" and each.orderState.status == "Submitted")
    execution = next(each.execution for each in got if each.name == "execDetails")
    assert execution.price == pytest.approx(triggered.order.trailStopPrice, abs=0.5)


async def test_trailing_by_percent_and_with_a_limit(client: StockClient) -> None:
    client.placeOrder(1, contract(), order("SELL", 10, "TRAIL", trailingPercent=0.01))
    await ended(client, "Filled")
    limited = order("SELL", 10, "TRAIL LIMIT", auxPrice=0.05, lmtPriceOffset=1.0)
    client.placeOrder(2, contract(), limited)
    await ended(client, "Filled")
    client.placeOrder(3, contract(), order("SELL", 10, "TRAIL"))
    client.placeOrder(4, contract(), order("SELL", 10, "TRAIL", auxPrice=1.0, trailingPercent=1.0))
    assert [each.errorCode for each in await client.sync() if each.name == "error"] == [321, 321]


async def test_trailing_orders_at_night_wait_for_their_trigger(version: int, speed: float) -> None:
    night = datetime(2013, 1, 16, 5, 0, tzinfo=UTC)
    limited = {"auxPrice": 1.0, "trailStopPrice": 400.0, "lmtPriceOffset": 0.5}
    async with open_simulator(port=None, scenario=Scenario(start=night, speed=speed)) as sim:
        client = await StockClient.start(sim, version, client_id=1)
        client.placeOrder(1, contract(), order("SELL", 10, "TRAIL", auxPrice=1.0, trailStopPrice=400.0))
        client.placeOrder(2, contract(), order("SELL", 10, "TRAIL LIMIT", **limited))
        got = await client.until("orderStatus", orderId=2)
        assert [each.whyHeld for each in got if each.name == "orderStatus"] == ["trigger", "trigger"]
        assert [each.order.lmtPrice for each in got if each.name == "openOrder"][-1] == 399.5


@pytest.mark.parametrize("kind", ["MIT", "LIT"])
async def test_orders_that_are_touched(client: StockClient, kind: str) -> None:
    client.placeOrder(1, contract(), order("BUY", 10, kind, auxPrice=1.0, lmtPrice=FAR))
    assert (await client.sync())[1].whyHeld == "trigger"
    client.placeOrder(2, contract(), order("BUY", 10, kind, auxPrice=FAR, lmtPrice=FAR))
    got = await ended(client, "Filled")
    assert {each.execution.orderId for each in got if each.name == "execDetails"} == {2}


@pytest.mark.parametrize("kind", ["MOC", "LOC"])
async def test_orders_for_the_close(version: int, speed: float, kind: str) -> None:
    start = datetime(2013, 1, 16, 20, 59, tzinfo=UTC)  # a minute before the close
    async with open_simulator(port=None, scenario=Scenario(start=start, speed=speed)) as sim:
        client = await StockClient.start(sim, version, client_id=1)
        client.placeOrder(1, contract(), order("BUY", 900, kind, lmtPrice=FAR))
        got = await ended(client, "Filled")
        execution = next(each.execution for each in got if each.name == "execDetails")
        assert (execution.time.split()[1], execution.shares) == ("15:59:59", 900)
        assert execution.price == 506.09


@pytest.mark.parametrize("kind", ["MKT", "LMT"])
async def test_orders_for_the_opening(version: int, speed: float, kind: str) -> None:
    start = datetime(2013, 1, 16, 14, 29, tzinfo=UTC)  # a minute before the opening
    async with open_simulator(port=None, scenario=Scenario(start=start, speed=speed)) as sim:
        client = await StockClient.start(sim, version, client_id=1)
        client.placeOrder(1, contract(), order("BUY", 10, kind, lmtPrice=FAR, tif="OPG"))
        client.placeOrder(2, contract(), order("BUY", 10, "LMT", lmtPrice=1.0, tif="OPG"))
        got = await ended(client, "Filled")
        assert next(each.execution for each in got if each.name == "execDetails").time.split()[1] == "09:30:00"
        got += await client.until("error", errorCode=202)
        assert {each.orderId: each.status for each in got if each.name == "orderStatus"}[2] == "Cancelled"


async def test_good_till_date_and_good_after_time(sim: Any, client: StockClient) -> None:
    now = datetime.fromtimestamp(sim.time(), UTC)
    soon = f"{now:%Y%m%d} {now:%H}:01:00 UTC"
    client.placeOrder(1, contract(), order("BUY", 10, "LMT", lmtPrice=1.0, tif="GTD", goodTillDate=soon))
    client.placeOrder(2, contract(), order("BUY", 10, goodAfterTime=f"{now:%Y%m%d} {now:%H}:02:00 UTC"))
    client.placeOrder(3, contract(), order("BUY", 10, "LMT", lmtPrice=1.0, tif="GTD", goodTillDate="soon"))
    got = await ended(client, "Filled")
    states = {each.orderId: each.status for each in got if each.name == "orderStatus"}
    assert states == {1: "Cancelled", 2: "Filled"}
    assert [each.errorCode for each in got if each.name == "error" and each.errorCode != 399] == [391, 202]
    execution = next(each.execution for each in got if each.name == "execDetails")
    assert execution.time.split()[1][3:] == "02:00"


@pytest.mark.parametrize("year", [2030, 9998])
async def test_an_order_that_is_good_after_years(client: StockClient, year: int) -> None:
    client.placeOrder(1, contract(), order("BUY", 10, goodAfterTime=f"{year}0101 01:01:01 UTC"))
    client.placeOrder(2, contract(*EURUSD), order("BUY", 20000, goodAfterTime=f"{year}0101 01:01:01 UTC"))
    got = await client.until("orderStatus", orderId=2)
    assert {each.orderId: each.status for each in got if each.name == "orderStatus"} == dict.fromkeys(
        (1, 2), "PreSubmitted"
    )
    cancel(client, 1)
    await client.until("error", errorCode=202)


async def test_a_group_of_which_one_cancels_all(client: StockClient) -> None:
    client.placeOrder(1, contract(), order("BUY", 10, "LMT", lmtPrice=1.0, ocaGroup="G", ocaType=1))
    client.placeOrder(2, contract(), order("BUY", 10, "LMT", lmtPrice=FAR, ocaGroup="G", ocaType=1))
    got = await client.until("error", errorCode=202)
    assert {each.orderId: each.status for each in got if each.name == "orderStatus"} == {1: "Cancelled", 2: "Filled"}


async def test_a_group_of_which_one_makes_the_others_smaller(client: StockClient) -> None:
    client.placeOrder(1, contract(), order("BUY", 30, "LMT", lmtPrice=1.0, ocaGroup="G", ocaType=2))
    client.placeOrder(2, contract(), order("BUY", 10, "LMT", lmtPrice=FAR, ocaGroup="G", ocaType=2))
    got = await ended(client, "Filled") + await client.until("commissionReport") + await client.sync()
    last = [each for each in got if each.name == "orderStatus" and each.orderId == 1][-1]
    assert (last.status, last.remaining) == ("Submitted", 20)


async def test_all_or_none_at_once(client: StockClient) -> None:
    future = contract("ES", "FUT", "CME")
    future.lastTradeDateOrContractMonth = "201303"
    client.placeOrder(1, future, order("BUY", 1, "LMT", lmtPrice=FAR, tif="FOK"))
    assert "execDetails" in names(await ended(client, "Filled"))
    client.placeOrder(2, future, order("BUY", 1, "LMT", lmtPrice=1.0, tif="FOK"))
    assert story(await client.until("error", errorCode=202))[-2:] == ["Cancelled", "202"]


async def test_types_that_a_market_does_not_know(client: StockClient) -> None:
    client.placeOrder(1, contract(*EURUSD), order("BUY", 25_000, "MOC"))
    client.placeOrder(2, contract("BTC", "CRYPTO", "PAXOS"), order("BUY", 1, "STP", auxPrice=1.0))
    client.placeOrder(3, contract("SPX", "IND", "CBOE"), order("BUY", 1))
    assert [each.errorCode for each in await client.sync()] == [387, 387, 201]


@pytest.mark.parametrize(("kind", "quantity", "least"), [("ES", 2, "4.50"), ("OPT", 3, "2.10")])
async def test_commissions_by_product(client: StockClient, kind: str, quantity: int, least: str) -> None:
    wanted = contract("ES", "FUT", "CME") if kind == "ES" else await an_option(client)
    if kind == "ES":
        wanted.lastTradeDateOrContractMonth = "201303"
    got = await fill(client, 1, order("BUY", quantity), wanted)
    report = next(v for k, v in vars(got[-1]).items() if k != "name")
    assert Decimal(str(getattr(report, "commission", getattr(report, "commissionAndFees", None)))) == Decimal(least)


async def test_an_option_is_exercised(client: StockClient) -> None:
    client.reqContractDetails(9, _calls())
    calls = [each.contractDetails.contract for each in await client.sync() if each.name == "contractDetails"]
    deep, far = min(calls, key=lambda each: each.strike), max(calls, key=lambda each: each.strike)
    await fill(client, 1, order("BUY", 2), deep)
    await fill(client, 2, order("BUY", 1), far)
    exercise(client, 3, deep, 2)
    exercise(client, 4, far, 1)
    exercise(client, 5, deep, 1)
    got = await client.sync()
    trades = [(each.contract.secType, each.execution) for each in got if each.name == "execDetails"]
    assert [(kind, each.side, each.shares) for kind, each in trades] == [("OPT", "SLD", 2), ("STK", "BOT", 200)]
    assert [each.price for _, each in trades] == [0, deep.strike]
    assert [each.errorCode for each in got if each.name == "error"] == [322, 322]
    client.reqPositions()
    held = {(each.contract.secType, each.position) for each in await client.sync() if each.name == "position"}
    assert held == {("STK", 200), ("OPT", 1)}


def _calls() -> Any:
    wanted = contract("AAPL", "OPT")
    wanted.right = "C"
    return wanted


def exercise(client: StockClient, number: int, what: Any, quantity: int) -> None:
    arguments: list[Any] = [number, what, 1, quantity, "", 0]
    count = len(inspect.signature(client.exerciseOptions).parameters)
    client.exerciseOptions(*[*arguments, "", "", False][:count])
