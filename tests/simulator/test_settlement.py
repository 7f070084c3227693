"""What becomes of options and futures at their end."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import anyio
import pytest
from ibapi.execution import ExecutionFilter
from trio.testing import MockClock

from tests.simulator.stock import VERSIONS, StockClient, contract, names, order
from tests.simulator.test_trading import fill
from trio_ibtws.simulator import Limits, Scenario, Simulator, open_simulator

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})]),
]

THEIR_LAST_DAY = datetime(2013, 1, 18, 15, 30)
TWO_DAYS = 2 * 86400.0


def option(right: str, strike: float) -> Any:
    wanted = contract("AAPL", "OPT")
    wanted.lastTradeDateOrContractMonth, wanted.right, wanted.strike = "20130118", right, strike
    return wanted


def positions(sim: Simulator) -> dict[str, Decimal]:
    held = sim._gateway.account.holdings.values()
    return {each.instrument.local_symbol: each.quantity for each in held if each.quantity}


async def test_options_are_exercised_or_worth_nothing() -> None:
    scenario = Scenario(start=THEIR_LAST_DAY, limits=Limits.off(), cash=Decimal(10_000_000))
    async with open_simulator(port=None, scenario=scenario) as sim:
        client = await StockClient.start(sim, VERSIONS[0], 1)
        client.reqSecDefOptParams(1, "AAPL", "", "STK", 265598)
        came = await client.until("securityDefinitionOptionParameterEnd")
        strikes = sorted(next(each for each in came if each.name == "securityDefinitionOptionParameter").strikes)
        await fill(client, 1, order("BUY", 2), option("C", strikes[0]))  # deep in the money
        await fill(client, 2, order("BUY", 1), option("C", strikes[-1]))  # far out of it
        await fill(client, 3, order("SELL", 1), option("P", strikes[-1]))  # will be assigned
        resting = order("BUY", 1, "LMT", lmtPrice=0.01, tif="GTC")
        client.placeOrder(4, option("C", strikes[0]), resting)
        client.reqPositions()
        await client.until("positionEnd")
        with anyio.move_on_after(TWO_DAYS):
            await client.until("never")
        assert positions(sim) == {"AAPL": Decimal(2 * 100 + 100)}
        told = {(each.contract.localSymbol.strip(), each.position) for each in client.got if each.name == "position"}
        assert ("AAPL", Decimal(300)) in told
        assert [each.status for each in client.got if each.name == "orderStatus"][-1] == "Cancelled"
        account = sim._gateway.account
        assert account.net_liquidation() == 10_000_000 + account.unrealized() + account.realized()


async def test_futures_are_paid_out() -> None:
    scenario = Scenario(start=datetime(2013, 3, 14, 15, 30), limits=Limits.off())
    async with open_simulator(port=None, scenario=scenario) as sim:
        client = await StockClient.start(sim, VERSIONS[0], 1)
        future = contract("ES", "FUT", "CME")
        future.lastTradeDateOrContractMonth = "20130315"
        await fill(client, 1, order("BUY", 1), future)
        assert "ESH3" in positions(sim)
        await anyio.sleep(TWO_DAYS)
        assert positions(sim) == {}
        client.reqExecutions(2, ExecutionFilter())
        assert names(await client.until("execDetailsEnd")).count("execDetails") == 1  # today's, which paid it out
