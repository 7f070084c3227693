"""Orders from their placing to their end, and the account that they change."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import anyio
import pytest

from tests.simulator.stock import Got, StockClient, cancel, cancel_all, comes_true, contract, names, order
from trio_ibtws.simulator import Scenario, Simulator, open_simulator

pytestmark = pytest.mark.anyio

EURUSD = ("EUR", "CASH", "IDEALPRO", "USD")


def story(got: list[Got]) -> list[str]:
    """Return what happened in short: statuses, fills, charges, errors by their code."""
    told: dict[str, Callable[[Got], str]] = {
        "openOrder": lambda each: f"open {each.orderState.status}",
        "orderStatus": lambda each: each.status,
        "error": lambda each: str(each.errorCode),
    }
    return [told[each.name](each) if each.name in told else each.name for each in got]


async def fill(client: StockClient, order_id: int, made: Any, wanted: Any = None) -> list[Got]:
    client.placeOrder(order_id, wanted or contract(), made)
    got: list[Got] = []
    while not any(each.name == "orderStatus" and each.status == "Filled" for each in got):
        got += await client.until("commissionReport")
    return got


async def test_a_market_order(client: StockClient) -> None:
    assert story(await fill(client, 1, order("BUY", 100))) == [
        "open Submitted", "Submitted", "execDetails", "open Filled", "Filled", "commissionReport",
    ]  # fmt: skip
    got = await fill(client, 2, order("SELL", 100))
    assert story(got) == [
        "open PreSubmitted", "PreSubmitted", "open Submitted", "Submitted", "execDetails", "open Filled", "Filled",
        "open Filled", "Filled", "commissionReport",
    ]  # fmt: skip
    execution = next(each for each in got if each.name == "execDetails")
    assert (execution.reqId, execution.execution.side, execution.execution.shares) == (-1, "SLD", 100)
    assert (execution.execution.clientId, execution.execution.orderId) == (1, 2)
    client.reqIds(1)
    assert (await client.sync())[0].orderId == 3


async def test_a_limit_order_waits_changes_and_goes(client: StockClient) -> None:
    client.placeOrder(1, contract(), order("BUY", 10, "LMT", lmtPrice=100.0))
    client.placeOrder(1, contract(), order("BUY", 10, "LMT", lmtPrice=101.0))
    client.reqOpenOrders()
    got = await client.until("openOrderEnd")
    assert story(got[:-1]) == ["open Submitted", "Submitted"] * 3
    assert got[-3].order.lmtPrice == 101.0
    cancel(client, 1)
    cancel(client, 1)
    cancel(client, 7)
    assert story(await client.sync()) == ["Cancelled", "202", "10148", "10147"]


async def test_a_change_that_is_another_order(client: StockClient) -> None:
    client.placeOrder(1, contract(), order("BUY", 10, "LMT", lmtPrice=100.0))
    client.placeOrder(1, contract(), order("SELL", 10, "LMT", lmtPrice=900.0))
    client.placeOrder(1, contract("IBM"), order("BUY", 10, "LMT", lmtPrice=100.0))
    client.placeOrder(1, contract(), order("BUY", 10))
    assert story(await client.sync())[2:] == ["105"] * 3


async def test_a_limit_is_kept(client: StockClient) -> None:
    got = await fill(client, 1, order("BUY", 10, "LMT", lmtPrice=600.0))
    assert next(each for each in got if each.name == "execDetails").execution.price < 600


async def test_a_stop_order(client: StockClient) -> None:
    client.placeOrder(1, contract(), order("SELL", 10, "STP", auxPrice=100.0))
    (open_order, status) = await client.sync()
    assert (status.status, status.whyHeld) == ("PreSubmitted", "trigger")
    assert open_order.order.auxPrice == 100.0
    got = await fill(client, 2, order("SELL", 10, "STP", auxPrice=900.0))
    assert story(got)[:5] == ["open PreSubmitted", "PreSubmitted", "open Submitted", "Submitted", "execDetails"]


async def test_an_order_that_nobody_fills_at_once(client: StockClient) -> None:
    client.placeOrder(1, contract(), order("BUY", 10, "LMT", lmtPrice=100.0, tif="IOC"))
    got = await client.until("error", errorCode=202)
    assert story(got) == ["open Submitted", "Submitted", "open PendingCancel", "PendingCancel", "Cancelled", "202"]
    client.placeOrder(2, contract(), order("BUY", 10, "LMT", lmtPrice=100.0, tif="FOK"))
    assert story(await client.sync()) == ["open Inactive", "Inactive", "201", "open Inactive", "Inactive"]


async def test_orders_that_are_refused(client: StockClient) -> None:
    client.placeOrder(5, contract("XYZ"), order("BUY", 10))
    client.placeOrder(5, contract(), order("BUY", 10, "XYZ"))
    client.placeOrder(5, contract(), order("HOLD", 10))
    client.placeOrder(5, contract(), order("BUY", 0))
    client.placeOrder(5, contract(), order("BUY", 10, "LMT"))
    client.placeOrder(5, contract(), order("BUY", 10, "LMT", lmtPrice=1.005))
    client.placeOrder(5, contract("AAPL", "STK", "MEXI", "MXN"), order("BUY", 10))
    client.placeOrder(5, contract(), order("BUY", 10, account="U7"))
    assert story(await client.sync()) == ["200", "321", "321", "434", "321", "110", "201", "321"]
    client.placeOrder(6, contract(), order("BUY", 1_000_000))
    assert story(await client.sync()) == ["open Inactive", "Inactive", "201", "open Inactive", "Inactive"]
    client.placeOrder(5, contract(), order("BUY", 10))
    assert story(await client.sync()) == ["103"]


async def test_a_filled_order_cannot_be_changed_or_cancelled(client: StockClient) -> None:
    await fill(client, 1, order("BUY", 10))
    client.placeOrder(1, contract(), order("BUY", 20))
    cancel(client, 1)
    cancel_all(client)
    assert story(await client.sync()) == ["10148", "161"]


async def test_a_large_order_is_filled_in_parts(client: StockClient) -> None:
    got = await fill(client, 1, order("BUY", 3500, "LMT", lmtPrice=600.0), contract("MSFT"))
    parts = [each.execution for each in got if each.name == "execDetails"]
    assert len(parts) > 1
    assert sum(each.shares for each in parts) == 3500
    assert [each.cumQty for each in parts] == [sum(p.shares for p in parts[: at + 1]) for at in range(len(parts))]
    reports = [next(v for k, v in vars(each).items() if k != "name") for each in got if each.name == "commissionReport"]
    assert sum(_charge(each) for each in reports) == Decimal("17.50")


def _charge(report: Any) -> Decimal:
    return Decimal(str(getattr(report, "commission", getattr(report, "commissionAndFees", None))))


async def test_a_question_what_it_would_cost(client: StockClient) -> None:
    client.placeOrder(1, contract(), order("BUY", 100, whatIf=True))
    (got,) = await client.sync()
    state = got.orderState
    assert state.status == "PreSubmitted"
    assert Decimal(state.initMarginAfter) - Decimal(state.initMarginBefore) == Decimal(state.initMarginChange) > 0
    client.placeOrder(2, contract(*EURUSD), order("BUY", 100, whatIf=True))
    warned, answered = await client.sync()
    assert warned.orderState.warningText
    assert float(warned.orderState.initMarginAfter or "inf") > 1e308 > float(answered.orderState.initMarginAfter)
    client.reqAllOpenOrders()
    assert names(await client.sync()) == ["openOrderEnd"]


async def test_a_bracket(client: StockClient) -> None:
    parent = order("BUY", 10, "LMT", lmtPrice=600.0, transmit=False)
    profit = order("SELL", 10, "LMT", lmtPrice=700.0, parentId=1, transmit=False)
    loss = order("SELL", 10, "STP", auxPrice=690.0, parentId=1)
    client.placeOrder(1, contract(), parent)
    client.placeOrder(2, contract(), profit)
    assert await client.sync() == []
    client.placeOrder(3, contract(), loss)
    first = await client.sync()
    held = {each.orderId: each.whyHeld for each in first if each.name == "orderStatus"}
    assert (held[2], held[3]) == ("child", "child,trigger")
    assert {each.order.ocaGroup for each in first if each.name == "openOrder" and each.orderId > 1} == {
        str(first[0].order.permId)
    }
    got: list[Got] = []
    while not {2, 3} <= {each.orderId for each in got if each.name == "orderStatus" and each.status != "PreSubmitted"}:
        got += await client.until("orderStatus")
    got += await client.until("error")
    ends = {each.orderId: each.status for each in got if each.name == "orderStatus"}
    assert ends == {1: "Filled", 2: "Cancelled", 3: "Filled"}


async def test_an_order_that_was_never_transmitted(client: StockClient) -> None:
    client.placeOrder(1, contract(), order("BUY", 10, transmit=False))
    cancel(client, 1)
    got = await client.sync()
    assert story(got) == ["202", "161"]
    assert got[0].errorString.endswith("Order was discarded")


async def test_global_cancel_takes_everybodys_orders(sim: Simulator, version: int, client: StockClient) -> None:
    other = await StockClient.start(sim, version, client_id=2)
    client.placeOrder(1, contract(), order("BUY", 10, "LMT", lmtPrice=100.0))
    await client.sync()
    cancel(other, 1)
    assert story(await other.sync()) == ["10147"]
    other.reqAllOpenOrders()
    shown = await other.until("openOrderEnd")
    assert story(shown[:-1]) == ["open Submitted", "Submitted"]
    assert shown[1].clientId == 1
    other.reqOpenOrders()
    assert names(await other.sync()) == ["openOrderEnd"]
    cancel_all(other)
    await other.flush()
    assert story(await client.until("error")) == ["Cancelled", "202"]


async def test_auto_open_orders_are_for_client_zero(sim: Simulator, version: int, client: StockClient) -> None:
    client.reqAutoOpenOrders(True)
    assert story(await client.sync()) == ["327"]
    zero = await StockClient.start(sim, version, client_id=0)
    zero.reqAutoOpenOrders(True)
    assert await zero.sync() == []


async def test_working_orders_greet_a_client_that_comes_back(sim: Simulator, version: int, client: StockClient) -> None:
    client.placeOrder(5, contract(), order("BUY", 10, "LMT", lmtPrice=100.0, tif="GTC"))
    await client.sync()
    assert client.stream is not None
    await client.stream.aclose()
    await comes_true(lambda: not sim.clients)
    again = StockClient(await sim.connect(), version)
    await again.shake_hands(f"v100..{version}")
    again.clientId = 1
    again.startApi()
    got = await again.until("error", errorCode=2158)
    assert names(got)[:5] == ["openOrder", "orderStatus", "openOrderEnd", "managedAccounts", "nextValidId"]
    assert got[4].orderId == 6
    cancel(again, 5)
    assert story(await again.sync()) == ["Cancelled", "202"]
    again.reqCompletedOrders(False)
    done, end = await again.sync()
    assert (done.orderState.status, end.name) == ("Cancelled", "completedOrdersEnd")


@pytest.fixture
async def night(speed: float) -> AsyncGenerator[Simulator]:
    start = datetime(2013, 1, 16, 14, 29, tzinfo=UTC)  # a minute before the opening
    async with open_simulator(port=None, scenario=Scenario(start=start, speed=speed)) as simulator:
        yield simulator


async def test_an_order_waits_for_the_opening(night: Simulator, version: int) -> None:
    client = await StockClient.start(night, version, client_id=1)
    client.placeOrder(1, contract(), order("BUY", 10))
    assert story(await client.sync()) == ["399", "open PreSubmitted", "PreSubmitted"]
    got = await client.until("commissionReport")
    (execution,) = [each.execution for each in got if each.name == "execDetails"]
    assert execution.time.split()[1] == "09:30:00"


async def test_a_day_order_ends_with_the_day(version: int, speed: float) -> None:
    start = datetime(2013, 1, 16, 20, 57, tzinfo=UTC)  # three minutes before the close
    async with open_simulator(port=None, scenario=Scenario(start=start, speed=speed)) as sim:
        client = await StockClient.start(sim, version, client_id=1)
        client.placeOrder(1, contract(), order("BUY", 10, "LMT", lmtPrice=100.0))
        assert story(await client.until("error"))[-2:] == ["Cancelled", "202"]


# --- the account -------------------------------------------------------------------------------------------------


async def test_executions_of_other_days(speed: float, version: int) -> None:
    from ibapi.execution import ExecutionFilter

    start = datetime(2013, 1, 7, 23, 59, 30)
    async with open_simulator(port=None, scenario=Scenario(start=start, reset_at=None, speed=speed)) as sim:
        client = await StockClient.start(sim, version, client_id=1)
        await fill(client, 1, order("BUY", 20_000), contract("EUR", "CASH", "IDEALPRO"))
        wanted: Any = ExecutionFilter()
        client.reqExecutions(5, wanted)
        there = ["execDetails", "commissionReport", "execDetailsEnd"]
        assert names(await client.until("execDetailsEnd")) == there
        await anyio.sleep(60 / speed)
        client.reqExecutions(5, wanted)
        assert names(await client.until("execDetailsEnd")) == ["execDetailsEnd"]
        if version < 200:
            return  # such clients cannot ask for more
        wanted.lastNDays = 2
        client.reqExecutions(6, wanted)
        assert names(await client.until("execDetailsEnd")) == there
        wanted.lastNDays, wanted.specificDates = 1, [20130107, 20130199]
        client.reqExecutions(7, wanted)
        assert names(await client.until("execDetailsEnd")) == there
        wanted.specificDates = [20130108]
        client.reqExecutions(8, wanted)
        assert names(await client.until("execDetailsEnd")) == ["execDetailsEnd"]


async def test_executions(client: StockClient) -> None:
    from ibapi.execution import ExecutionFilter

    await fill(client, 1, order("BUY", 10))
    await fill(client, 2, order("SELL", 10), contract("IBM"))
    wanted = ExecutionFilter()
    client.reqExecutions(5, wanted)
    assert names(await client.sync()) == ["execDetails"] * 2 + ["commissionReport"] * 2 + ["execDetailsEnd"]
    wanted.symbol = "IBM"
    client.reqExecutions(6, wanted)
    got = await client.sync()
    assert (got[0].reqId, got[0].contract.symbol, len(got)) == (6, "IBM", 3)
    wanted.side = "BUY"
    client.reqExecutions(7, wanted)
    assert names(await client.sync()) == ["execDetailsEnd"]


async def test_a_summary_is_sorted_whatever_was_asked_first(client: StockClient) -> None:
    client.reqAccountSummary(1, "All", "NetLiquidation,TotalCashValue,BuyingPower,AccountType,AccruedCash")
    tags = [each.tag for each in await client.sync() if each.name == "accountSummary"]
    assert tags == ["AccountType", "AccruedCash", "BuyingPower", "NetLiquidation", "TotalCashValue"]


async def test_positions_and_values_agree_to_the_cent(sim: Simulator, version: int, client: StockClient) -> None:
    follower = await StockClient.start(sim, version, client_id=2)
    follower.reqPositions()
    follower.reqAccountUpdates(True, "")
    assert names(await follower.sync())[-1] == "accountDownloadEnd"
    trades = [("BUY", 300, "AAPL"), ("SELL", 500, "IBM"), ("SELL", 400, "AAPL"), ("BUY", 200, "IBM")]
    for number, (action, quantity, symbol) in enumerate(trades, 1):
        await fill(client, number, order(action, quantity), contract(symbol))
    positions, values, portfolio = {}, {}, {}
    for each in await follower.sync():
        if each.name == "position":
            positions[each.contract.symbol] = each.position
        elif each.name == "updateAccountValue" and each.currency == "USD":
            values[each.key] = Decimal(each.val)
        elif each.name == "updatePortfolio":
            portfolio[each.contract.symbol] = each
    assert positions == {"AAPL": -100, "IBM": -300}
    assert {symbol: each.position for symbol, each in portfolio.items()} == positions
    assert values["NetLiquidation"] == 1_000_000 + values["RealizedPnL"] + values["UnrealizedPnL"]
    assert values["NetLiquidation"] == values["TotalCashValue"] + values["StockMarketValue"]


async def test_summaries(client: StockClient) -> None:
    client.reqAccountSummary(1, "All", "NetLiquidation,TotalCashValue,Nonsense")
    got = await client.until("accountSummaryEnd")
    assert [(each.tag, each.value, each.currency) for each in got[:-1]] == [
        ("NetLiquidation", "1000000.00", "USD"),
        ("TotalCashValue", "1000000.00", "USD"),
    ]
    client.reqAccountSummary(1, "All", "$LEDGER")
    assert [each.errorCode for each in await client.sync() if each.name == "error"] == [322]


async def test_ledgers_of_the_account(client: StockClient) -> None:
    await fill(client, 1, order("BUY", 20_000), contract("EUR", "CASH", "IDEALPRO"))
    ledgers = {}
    for request, tag in enumerate(("$LEDGER", "$LEDGER:USD", "$LEDGER:EUR", "$LEDGER:ALL", "$LEDGER:CHF"), 1):
        client.reqAccountSummary(request, "All", tag)
        client.cancelAccountSummary(request)
        ledgers[tag] = {(each.tag, each.currency): each.value for each in (await client.sync())[:-1]}
    assert {currency for _, currency in ledgers["$LEDGER"]} == {"BASE"}
    assert ledgers["$LEDGER:EUR"]["CashBalance", "EUR"] == "20000.00"
    assert ledgers["$LEDGER:EUR"]["RealCurrency", "EUR"] == "EUR"
    assert Decimal(ledgers["$LEDGER:USD"]["CashBalance", "USD"]) < 980_000
    parts = ledgers["$LEDGER"] | ledgers["$LEDGER:USD"] | ledgers["$LEDGER:EUR"]
    assert ledgers["$LEDGER:ALL"].keys() == parts.keys()
    assert ledgers["$LEDGER:CHF"] == {}


async def test_the_account_by_request_id(client: StockClient) -> None:
    await fill(client, 1, order("BUY", 10))
    client.reqPositionsMulti(1, "DU1000001", "")
    client.reqAccountUpdatesMulti(2, "DU1000001", "", True)
    client.reqPositionsMulti(3, "U7", "")
    held, end, *values = await client.sync()
    assert (held.reqId, held.pos, end.name) == (1, 10, "positionMultiEnd")
    assert {each.key for each in values[:-2]} >= {"NetLiquidation", "CashBalance"}
    assert [values[-2].name, values[-1].errorCode] == ["accountUpdateMultiEnd", 321]
    assert "positionMulti" in names(await fill(client, 2, order("SELL", 10)) + await client.sync())
    client.cancelPositionsMulti(1)
    client.cancelAccountUpdatesMulti(2)
    assert "positionMulti" not in names(await fill(client, 3, order("SELL", 10)) + await client.sync())


async def test_profit_and_loss(client: StockClient) -> None:
    await fill(client, 1, order("BUY", 10))
    client.reqPnL(1, "DU1000001", "")
    client.reqPnLSingle(2, "DU1000001", "", 265598)
    client.reqPnL(3, "U7", "")
    whole, single, refused = (await client.sync())[:3]
    assert whole.dailyPnL == single.dailyPnL == single.unrealizedPnL
    assert single.pos == 10
    assert refused.errorCode == 321
    assert (await client.until("pnlSingle"))[-1].value > 0
    client.cancelPnL(1)
    client.cancelPnLSingle(2)
    await client.sync()


async def test_currencies_are_traded_too(client: StockClient) -> None:
    got = await fill(client, 1, order("BUY", 25_000), contract(*EURUSD))
    assert "399" not in story(got)
    client.reqPositions()
    (held, end) = await client.sync()
    assert (held.contract.symbol, held.position, end.name) == ("EUR", 25_000, "positionEnd")
