"""Several clients at one gateway: whose orders are whose, the master, and orders that were given by hand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.simulator.stock import StockClient, cancel, contract, names, order
from tests.simulator.test_trading import fill, story
from trio_ibtws.simulator import Scenario, Simulator, open_simulator

pytestmark = pytest.mark.anyio

AAPL = {"symbol": "AAPL", "secType": "STK", "exchange": "SMART", "currency": "USD"}
RESTING = {"action": "BUY", "totalQuantity": Decimal(10), "orderType": "LMT", "lmtPrice": 1.0}


async def test_ids_are_each_clients_own(sim: Simulator, version: int, client: StockClient) -> None:
    other = await StockClient.start(sim, version, client_id=2)
    await fill(client, 7, order("BUY", 10))
    await fill(other, 3, order("BUY", 10))
    client.placeOrder(7, contract(), order("BUY", 10))
    client.placeOrder(5, contract(), order("BUY", 10))
    assert story(await client.sync()) == ["103"]
    client.reqIds(1)
    other.reqIds(1)
    assert [(await each.sync())[-1].orderId for each in (client, other)] == [8, 4]


async def test_the_master_hears_of_everything(version: int, speed: float) -> None:
    async with open_simulator(port=None, scenario=Scenario(master_client_id=9, speed=speed)) as sim:
        client = await StockClient.start(sim, version, client_id=1)
        master = await StockClient.start(sim, version, client_id=9)
        other = await StockClient.start(sim, version, client_id=2)
        told = names(await fill(client, 1, order("BUY", 10)))
        heard = await master.sync()
        assert names(heard) == told
        assert {each.clientId for each in heard if each.name == "orderStatus"} == {1}
        assert await other.sync() == []
        cancel(master, 1)
        assert story(await master.sync()) == ["10147"]


async def day_of_everything(version: int, seed: int) -> list[bytes]:
    async with open_simulator(port=None, seed=seed) as sim:
        client = await StockClient.start(sim, version, client_id=1)
        client.reqMktDepth(1, contract("EUR", "CASH", "IDEALPRO"), 5, False, [])
        client.reqMktData(2, contract("SPY"), "233,165", False, False, [])
        client.reqRealTimeBars(3, contract(), 5, "TRADES", True, [])
        client.placeOrder(1, contract(), order("SELL", 10, "TRAIL", auxPrice=0.05))
        client.placeOrder(2, contract("BTC", "CRYPTO", "PAXOS"), order("BUY", 1))
        await client.until("realtimeBar")
        return [body for body in client.frames if b"\0" in body][10:400]


async def test_the_same_seed_and_requests_give_the_same_bytes(version: int, speed: float) -> None:
    if speed != 1.0:
        return  # only virtual time is the same twice
    once = await day_of_everything(version, 3)
    assert len(once) > 30
    assert once == await day_of_everything(version, 3)
    assert once != await day_of_everything(version, 4)


async def test_orders_by_hand_are_bound(sim: Simulator, version: int, client: StockClient) -> None:
    zero = await StockClient.start(sim, version, client_id=0)
    perm_id = sim.place_by_hand(AAPL, RESTING)
    [first] = sim._gateway.exchange.working()
    assert first.perm_id == perm_id
    assert await zero.sync() == []
    client.reqAllOpenOrders()
    shown = await client.until("openOrderEnd")
    assert [each.orderId for each in shown[:-1]] == [0, 0]
    zero.reqOpenOrders()
    bound, opened, *_ = await zero.until("openOrderEnd")
    assert bound.name == "orderBound"
    assert opened.orderId == first.order_id < 0
    cancel(zero, first.order_id)
    assert story(await zero.sync()) == ["Cancelled", "202"]
    zero.reqAutoOpenOrders(True)
    await zero.sync()
    sim.place_by_hand(AAPL, RESTING)
    assert names(await zero.until("orderStatus"))[0] == "orderBound"
    with pytest.raises(ValueError, match="0 contracts"):
        sim.place_by_hand({"symbol": "XYZ"}, RESTING)
