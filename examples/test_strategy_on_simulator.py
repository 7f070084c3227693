"""A test of a strategy on the simulated TWS: `pytest examples/test_strategy_on_simulator.py`.

The strategy buys once and has to know what it holds, even if the connection dies between the fill and its report.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ibapi.contract import Contract
from ibapi.order import Order

from trio_ibtws import Client, ConnectionLost, ExecDetails, open_client

pytestmark = pytest.mark.anyio


def apple() -> Contract:
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange, contract.currency = "AAPL", "STK", "SMART", "USD"
    return contract


async def buy(client: Client, quantity: int) -> None:
    """The strategy: buy at the market, and return when all of it is bought."""
    order = Order()
    order.action, order.orderType, order.totalQuantity = "BUY", "MKT", Decimal(quantity)
    bought = Decimal(0)
    async with client.place_order(apple(), order) as events:
        async for event in events:
            if isinstance(event, ExecDetails):
                bought += Decimal(str(event.execution.shares))
            if bought >= quantity:
                return


async def held(client: Client) -> Decimal:
    return sum((Decimal(str(each.position)) for each in await client.positions()), Decimal(0))


async def test_it_buys(tws_simulator: Any) -> None:
    async with tws_simulator() as sim, open_client(stream=await sim.connect(), trading=True) as client:
        await buy(client, 10)
        assert await held(client) == 10


async def test_a_fill_that_is_never_reported_is_found_after_a_reconnect(tws_simulator: Any) -> None:
    async with tws_simulator() as sim:
        sim.faults.die_before("execDetails")
        with pytest.raises(ConnectionLost):
            async with open_client(stream=await sim.connect(), trading=True) as client:
                await buy(client, 10)
        async with open_client(stream=await sim.connect()) as client:
            assert await held(client) == 10
