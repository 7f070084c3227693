"""Combos: priced from their legs, traded in one order, booked leg by leg."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ibapi.contract import ComboLeg

from tests.simulator.stock import StockClient, at_one_instant, cancel, contract, names, order
from tests.simulator.test_trading import fill, story
from trio_ibtws.simulator import Simulator

pytestmark = pytest.mark.anyio

AAPL, IBM = 265598, 8314
PROTOBUF_SINCE = 213


def combo(*legs: tuple[int, int, str]) -> Any:
    made = contract("AAPL", "BAG")
    made.comboLegs = []
    for con_id, ratio, action in legs:
        leg = ComboLeg()
        leg.conId, leg.ratio, leg.action, leg.exchange = con_id, ratio, action, "SMART"
        made.comboLegs.append(leg)
    return made


PAIR = combo((AAPL, 1, "BUY"), (IBM, 2, "SELL"))


async def test_quotes_of_a_combo(client: StockClient) -> None:
    client.reqMktData(1, PAIR, "", False, False, [])
    client.reqMktData(2, contract(), "", False, False, [])
    client.reqMktData(3, contract("IBM"), "", False, False, [])
    got = [each for each in await client.sync() if each.name == "tickPrice"]
    quotes = {(each.reqId, each.tickType): each.price for each in got}
    assert quotes[1, 1] == pytest.approx(quotes[2, 1] - 2 * quotes[3, 2], abs=1.0)
    assert quotes[1, 1] < quotes[1, 2]


async def test_an_order_for_a_combo(client: StockClient, sim: Simulator) -> None:
    wanted = order("BUY", 3)
    got = await fill(client, 1, wanted, PAIR) + await client.sync()
    shown = next(each for each in got if each.name == "openOrder")
    assert (shown.contract.secType, shown.contract.comboLegsDescrip) == ("BAG", f"{AAPL}|1,{IBM}|-2")
    assert [(leg.conId, leg.ratio, leg.action) for leg in shown.contract.comboLegs] == [
        (AAPL, 1, "BUY"),
        (IBM, 2, "SELL"),
    ]
    trades = [each for each in got if each.name == "execDetails"]
    assert [(each.contract.secType, each.execution.side) for each in trades[:3]] == [
        ("BAG", "BOT"), ("STK", "BOT"), ("STK", "SLD"),
    ]  # fmt: skip
    whole, apple, ibm = (each.execution for each in trades[:3])
    assert whole.price == pytest.approx(apple.price - 2 * ibm.price)
    assert names(got).count("commissionReport") == len(trades) * 2 // 3
    held = {each.instrument.symbol: each.quantity for each in sim._gateway.account.holdings.values()}
    assert held == {"AAPL": Decimal(3), "IBM": Decimal(-6)}
    account = sim._gateway.account
    net, unrealized = await at_one_instant(sim, lambda: (account.net_liquidation(), account.unrealized()))
    assert net == 1_000_000 + unrealized + account.realized()


async def test_a_credit_is_a_negative_price(client: StockClient) -> None:
    credit = combo((AAPL, 1, "SELL"), (IBM, 1, "BUY"))
    client.placeOrder(1, credit, order("BUY", 1, "LMT", lmtPrice=-1000.0))
    assert (await client.sync())[-1].status == "Submitted"
    cancel(client, 1)
    assert story(await client.until("error"))[-1] == "202"
    await fill(client, 2, order("BUY", 1, "LMT", lmtPrice=-1.0), credit)


async def test_what_a_combo_would_cost(client: StockClient) -> None:
    client.placeOrder(1, PAIR, order("BUY", 100, whatIf=True))
    (answer,) = await client.sync()
    state = answer.orderState
    assert float(state.initMarginChange) > 10_000
    fee = state.commissionAndFees if hasattr(state, "commissionAndFees") else state.commission
    assert fee == 2.0


async def test_what_is_no_combo(client: StockClient) -> None:
    client.reqMktData(1, combo(), "", False, False, [])
    client.reqMktData(2, combo((4711, 1, "BUY")), "", False, False, [])
    client.placeOrder(1, combo((AAPL, 0, "BUY")), order("BUY", 1))
    client.reqContractDetails(3, PAIR)
    client.reqMktDepth(4, PAIR, 5, True, [])  # which says in protobuf alone what the legs are
    no_depth = 200 if client.serverVersion() < PROTOBUF_SINCE else 10092
    assert [each.errorCode for each in await client.sync()] == [200, 200, 200, 200, no_depth]
