"""Contracts for difference: their market data are to be asked for elsewhere, and no cash changes hands for them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.simulator.stock import StockClient, at_one_instant, contract, names, order
from trio_ibtws.simulator import Simulator

pytestmark = pytest.mark.anyio

CFD = contract("AAPL", "CFD")


async def test_market_data_are_the_stocks(client: StockClient) -> None:
    client.reqMktData(1, CFD, "", False, False, [])
    client.reqMktDepth(2, CFD, 5, True, [])
    quotes, depth = await client.sync()
    assert (quotes.name, quotes.reqId, quotes.conId, quotes.exchange) == ("rerouteMktDataReq", 1, 265598, "SMART")
    assert (depth.name, depth.reqId, depth.conId) == ("rerouteMktDepthReq", 2, 265598)
    client.reqContractDetails(3, CFD)
    details, _ = await client.until("contractDetailsEnd")
    assert details.contractDetails.contract.secType == "CFD"
    assert (details.contractDetails.underConId, details.contractDetails.underSecType) == (265598, "STK")


async def test_no_cash_changes_hands(client: StockClient, sim: Simulator) -> None:
    account = sim._gateway.account
    before = account.total_cash()
    client.placeOrder(1, CFD, order("BUY", 10))
    got = await client.until("orderStatus", status="Filled")
    assert "execDetails" in names(got)
    [holding] = account.holdings.values()
    assert holding.quantity == Decimal(10)
    assert account.total_cash() == before
    net, unrealized = await at_one_instant(sim, lambda: (account.net_liquidation(), account.unrealized()))
    assert net == before + unrealized
