"""The gateway's links and nights: connectivity, farms, resets, restarts, another port."""

from __future__ import annotations

import socket
from datetime import datetime, time
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream

from tests.simulator.stock import VERSIONS, StockClient, comes_true, contract, names, order
from trio_ibtws import open_client
from trio_ibtws._runtime._framing import frame
from trio_ibtws.contracts import stock
from trio_ibtws.simulator import Limits, Scenario, Simulator, open_simulator

pytestmark = pytest.mark.anyio

VERSION = VERSIONS[-1]


def codes(got: list[Any]) -> list[int]:
    return [each.errorCode for each in got if each.name == "error"]


async def start(sim: Simulator) -> StockClient:
    return await StockClient.start(sim, VERSION, client_id=1)


async def connect(host: str, port: int) -> SocketStream:
    """Connect as soon as somebody listens."""
    while True:
        try:
            return await anyio.connect_tcp(host, port)
        except OSError:
            await anyio.sleep(0.01)


async def test_the_link_is_lost_and_data_are_maintained(sim: Simulator, speed: float) -> None:
    client = await start(sim)
    client.reqMktData(1, contract(), "", False, False, [])
    await client.until("tickPrice")
    sim.faults.lose_link(30)
    client.reqCurrentTime()
    client.reqMatchingSymbols(2, "app")
    got = await client.until("error", errorCode=1102)
    assert [each for each in codes(got) if each > 0] == [1100, 1102]
    assert got[-1].errorString.endswith("has been restored - data maintained.")
    lost = next(index for index, each in enumerate(got) if each.name == "error")
    assert names(got[lost + 1 :]) == ["currentTime", "error"]
    assert "symbolSamples" in names(await client.until("tickPrice", reqId=1))


async def test_the_link_is_lost_after_a_long_rest(sim: Simulator, speed: float) -> None:
    client = await start(sim)
    await anyio.sleep(600 / speed)  # in which nothing happens at all
    before = sim.time()
    sim.faults.lose_link(30)
    await client.until("error", errorCode=1102)
    assert sim.time() - before >= 29.9


async def test_the_link_is_lost_and_so_are_data(sim: Simulator, speed: float) -> None:
    client = await start(sim)
    client.reqMktData(1, contract(), "", False, False, [])
    client.placeOrder(1, contract(), order("BUY", 1, "LMT", lmtPrice=1.0))
    await client.until("orderStatus")
    sim.faults.lose_link()
    await anyio.sleep(5 / speed)
    sim.faults.restore_link(data_lost=True)
    await client.until("error", errorCode=1101)
    await anyio.sleep(5 / speed)
    assert await client.sync() == []
    client.reqOpenOrders()
    assert "openOrder" in names(await client.until("openOrderEnd"))


async def test_what_happens_to_orders_meanwhile_is_told_later(sim: Simulator, speed: float) -> None:
    client = await start(sim)
    sim.faults.after("placeOrder", lambda: sim.faults.lose_link(60))
    client.placeOrder(1, contract(), order("BUY", 100))
    got = await client.until("error", errorCode=1102)
    assert "execDetails" not in names(got)
    got = await client.until("commissionReport")
    assert names(got).count("execDetails") == 1


async def test_a_farm_breaks(sim: Simulator, speed: float) -> None:
    client = await start(sim)
    client.reqMktData(1, contract(), "", False, False, [])
    client.reqMktData(2, contract("EUR", "CASH", "IDEALPRO", "USD"), "", False, False, [])
    await client.until("tickPrice", reqId=2)
    sim.faults.farm("usfarm", "broken")
    await client.until("error", errorCode=2103)
    await anyio.sleep(3 / speed)
    got = await client.sync()
    assert {each.reqId for each in got if each.name.startswith("tick")} == {2}
    sim.faults.farm("usfarm", "ok")
    await client.until("tickPrice", reqId=1)
    sim.faults.farm("ushmds", "broken")
    client.reqHistoricalData(3, contract(), "", "1 D", "1 hour", "TRADES", 1, 1, False, [])
    got = [each for each in await client.until("error", reqId=3) if each.name == "error"]
    assert codes(got) == [2105, 162]
    with pytest.raises(ValueError, match="nofarm"):
        sim.faults.farm("nofarm", "ok")


async def test_a_farm_flaps(sim: Simulator, speed: float) -> None:
    client = await start(sim)
    sim.faults.flap("cashfarm", times=3, every=1.0)
    await anyio.sleep(4 / speed)
    assert codes(await client.sync()) == [2103, 2104] * 3


async def test_farms_on_demand(speed: float) -> None:
    scenario = Scenario(farms_on_demand=True, speed=speed, limits=Limits.off())
    async with open_simulator(port=None, scenario=scenario) as sim:
        client = StockClient(await sim.connect(), VERSION)
        await client.shake_hands(f"v100..{VERSION}")
        client.clientId = 1
        client.startApi()
        assert codes(await client.until("error", errorCode=2158)) == [2108, 2107, 2158]
        client.reqMktData(1, contract(), "", False, False, [])
        assert codes(await client.until("tickPrice")) == [2119, 2104]
        client.reqMktData(2, contract("EUR", "CASH", "IDEALPRO", "USD"), "", False, False, [])
        got = await client.until("tickPrice", reqId=2)
        assert [each.errorString for each in got if each.name == "error"] == [
            "Market data farm is connecting:cashfarm",
            "Market data farm connection is OK:cashfarm",
        ]
        client.reqHistoricalData(3, contract(), "", "1 D", "1 hour", "TRADES", 1, 1, False, [])
        assert codes(await client.until("historicalDataEnd")) == [2106]


async def test_ids_are_rolled_back(sim: Simulator) -> None:
    client = await start(sim)
    client.placeOrder(9, contract(), order("BUY", 1, "LMT", lmtPrice=1.0))
    client.reqIds(1)
    assert (await client.until("nextValidId"))[-1].orderId == 10
    sim.faults.roll_back_ids(4)
    client.reqIds(1)
    assert (await client.until("nextValidId"))[-1].orderId == 6
    client.placeOrder(6, contract(), order("BUY", 1))
    assert (await client.until("error"))[-1].errorCode == 103


# --- nights ------------------------------------------------------------------------------------------------------


async def test_every_night_the_servers_are_reset(speed: float) -> None:
    scenario = Scenario(start=datetime(2013, 1, 15, 23, 44, 50), speed=min(speed, 50), reset_lasts=30)
    async with open_simulator(port=None, scenario=scenario) as sim:
        client = await start(sim)
        await client.until("error", errorCode=1100)
        lost = sim.time()
        await client.until("error", errorCode=1102)
        assert 25 < sim.time() - lost < 40


async def test_a_restart_closes_refuses_and_keeps_orders(speed: float) -> None:
    begin = datetime(2013, 1, 15, 10, 0, 0)
    scenario = Scenario(start=begin, speed=min(speed, 20), restart_at=time(10, 0, 10), restart_lasts=20)
    async with open_simulator(port=0, scenario=scenario) as sim:
        client = await start(sim)
        client.placeOrder(1, contract(), order("BUY", 1, "LMT", lmtPrice=1.0, tif="GTC"))
        await client.until("orderStatus")
        port = sim.port
        await client.end()
        with pytest.raises(ConnectionRefusedError):
            await sim.connect()
        assert port is not None
        with pytest.raises(OSError):  # noqa: PT011 (anyio's own, or a group of them)
            await anyio.connect_tcp(sim.host, port)
        await anyio.sleep(21 / scenario.speed)
        await (await sim.connect()).aclose()
        await (await connect(sim.host, port)).aclose()
        again = StockClient(await sim.connect(), VERSION)
        await again.shake_hands(f"v100..{VERSION}")
        again.clientId = 1
        again.startApi()
        got = await again.until("nextValidId")
        assert names(got) == ["openOrder", "orderStatus", "openOrderEnd", "managedAccounts", "nextValidId"]
        assert got[-1].orderId == 2


async def test_another_port(speed: float) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        free = unused.getsockname()[1]
    async with open_simulator(port=0, scenario=Scenario(speed=speed)) as sim:
        client = await start(sim)
        sim.faults.change_port(free)
        (got,) = [each for each in await client.end() if each.name == "error"]
        assert got.errorCode == 1300
        assert got.errorString.endswith(f"Please reconnect on the new port - {free}")
        async with await connect(sim.host, free) as stream:
            await stream.send(b"API\0" + frame(b"v100..157"))
            assert (await stream.receive())[4:].startswith(b"157\0")


async def test_a_night_without_clients_is_nothing(speed: float) -> None:
    async with open_simulator(
        port=None, scenario=Scenario(speed=speed, start=datetime(2013, 1, 15, 23, 44, 59))
    ) as sim:
        client = await start(sim)
        assert client.stream is not None
        await client.stream.aclose()
        await comes_true(lambda: not sim.clients)
        await anyio.sleep(100 / speed)
        assert codes(await (await start(sim)).sync()) == []


async def test_what_a_client_sent_before_it_went_is_read_though_it_reads_no_more() -> None:
    """Its last words cross ticks that are being written to it."""
    scenario = Scenario(speed=50.0, limits=Limits.off(), reset_at=None)
    async with open_simulator(port=None, scenario=scenario) as sim:
        for _ in range(10):
            async with open_client(stream=await sim.connect(), client_id=1) as client:
                async with client.mkt_data(stock("AAPL")) as ticks:
                    await ticks.receive()
            await comes_true(lambda: not sim.clients)
        asked = [request.name for request in sim.received]
        assert asked.count("reqMktData") == asked.count("cancelMktData") == 10
