"""The rules of a session: how much a client may ask for, how fast, and what it may not do at all."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio import EndOfStream

from tests.simulator.stock import VERSIONS, StockClient, cancel, cancel_all, comes_true, contract, names, order
from trio_ibtws._runtime._framing import frame
from trio_ibtws.simulator import Limits, Scenario, Simulator, open_simulator

pytestmark = pytest.mark.anyio

VERSION = VERSIONS[-1]
EURUSD = contract("EUR", "CASH", "IDEALPRO", "USD")


@asynccontextmanager
async def running(speed: float, **settings: Any) -> AsyncGenerator[tuple[Simulator, StockClient]]:
    async with open_simulator(port=None, scenario=Scenario(speed=speed, **settings)) as sim:
        yield sim, await StockClient.start(sim, VERSION, client_id=1)


def codes(got: list[Any]) -> list[int]:
    return [each.errorCode for each in got if each.name == "error"]


def history(client: StockClient, request: int, **changes: Any) -> None:
    wanted = {"contract": contract(), "bar": "1 hour", "what": "TRADES", "duration": "1 D"} | changes
    client.reqHistoricalData(
        request, wanted["contract"], "", wanted["duration"], wanted["bar"], wanted["what"], 1, 1, False, []
    )


# --- messages a second -------------------------------------------------------------------------------------------


async def test_fifty_messages_a_second_then_errors_then_the_end(speed: float) -> None:
    async with running(speed / speed) as (sim, client):
        for _ in range(80):
            client.reqIds(1)
        await client.flush()
        got = await client.end()
    assert 45 <= names(got).count("nextValidId") <= 50  # the start, and what came with it, counts as well
    assert codes(got) == [0, 100, 100, 100]
    texts = [each.errorString for each in got if each.name == "error"]
    assert texts[0] == "Warning: Approaching max rate of 50 messages per second (41)"
    assert texts[1] == "Max rate of messages per second has been exceeded:max=50 rec=51 (1)"
    assert texts[-1] == "Max rate of messages per second has been exceeded:max=50 rec=53 (3)"
    assert len(sim.received) <= 50


async def test_a_second_later_there_is_room_again(speed: float) -> None:
    async with running(speed, limits=Limits(messages_per_second=5, rate_violations=None)) as (_, client):
        await anyio.sleep(2 / speed)
        for _ in range(6):
            client.reqManagedAccts()
        assert codes(await client.until("error", errorCode=100)) == [0, 100]
        await anyio.sleep(2 / speed)
        client.reqIds(1)
        assert codes(await client.until("nextValidId")) == []


async def test_a_client_that_asks_for_it_is_slowed_down_instead(speed: float) -> None:
    async with open_simulator(port=None, scenario=Scenario(speed=speed)) as sim:
        client = StockClient(await sim.connect(), VERSION)
        await client.shake_hands(f"v100..{VERSION} +PACEAPI")
        client.clientId = 1
        client.startApi()
        for _ in range(1200):
            client.reqIds(1)
        before = sim.time()
        await client.flush()
        got: list[Any] = []
        while len(got) < 1201:
            got += [each for each in await client.until("nextValidId") if each.name == "nextValidId"]
        assert sim.time() - before >= 23.9  # and no more where time is virtual
        assert speed > 1 or sim.time() - before <= 24.1
        assert sim.clients == (1,)


async def test_no_more_clients_than_there_is_room_for(speed: float) -> None:
    async with running(speed, limits=Limits(clients=2)) as (sim, _):
        await StockClient.start(sim, VERSION, client_id=2)
        with pytest.raises(EndOfStream):
            await (await sim.connect()).receive()


# --- historical data ---------------------------------------------------------------------------------------------


async def test_the_same_query_within_fifteen_seconds(speed: float) -> None:
    async with running(speed) as (_, client):
        history(client, 1)
        await client.until("historicalDataEnd")
        history(client, 2)
        (got,) = [each for each in await client.until("error") if each.name == "error"]
        assert (got.reqId, got.errorCode) == (2, 162)
        assert got.errorString == (
            "Historical Market Data Service error message:Historical data request pacing violation"
        )
        await anyio.sleep(15.1 / speed)
        history(client, 3)
        assert codes(await client.until("historicalDataEnd")) == []


async def test_six_queries_for_one_contract_in_two_seconds(speed: float) -> None:
    async with running(min(speed, 1.0)) as (_, client):
        for number in range(6):
            history(client, number, duration=f"{number + 1} D")
        history(client, 6, contract=EURUSD, what="MIDPOINT")
        got = await client.until("historicalDataEnd", reqId=6)
        assert [each.reqId for each in got if each.name == "error"] == [5]


async def test_sixty_queries_for_small_bars_in_ten_minutes(speed: float) -> None:
    limits = Limits(historical_same_contract=None, historical_identical=None, messages_per_second=None)
    async with running(speed, limits=limits) as (_, client):
        for number in range(29):
            history(client, number, bar="30 secs", what="BID_ASK", duration="60 S")
        for number in range(29, 33):
            history(client, number, bar="30 secs", duration="60 S")
            history(client, number + 100)
        got = await client.until("historicalDataEnd", reqId=132)
        assert [each.reqId for each in got if each.name == "error"] == [31, 32]


async def test_fifty_open_queries(speed: float) -> None:
    limits = Limits(historical_same_contract=None, historical_open=2)
    async with running(min(speed, 1.0), limits=limits) as (_, client):
        for number in range(3):
            history(client, number, duration=f"{number + 1} D")
        got = await client.until("historicalDataEnd", reqId=1)
        assert [(each.reqId, each.errorCode) for each in got if each.name == "error"] == [(2, 322)]
        assert "Only 2 simultaneous API historical data requests allowed." in str(got[0].errorString)
        history(client, 4, duration="4 D")
        assert codes(await client.until("historicalDataEnd")) == []


# --- how many at once --------------------------------------------------------------------------------------------


async def test_tick_by_tick_at_once(speed: float) -> None:
    async with running(speed) as (_, client):
        for number in range(4):
            client.reqTickByTickData(number, contract(), "BidAsk", 0, False)
        (got,) = [each for each in await client.until("error") if each.name == "error"]
        assert (got.reqId, got.errorCode) == (3, 10190)
        client.cancelTickByTickData(0)
        client.reqTickByTickData(5, contract(), "BidAsk", 0, False)
        assert codes(await client.until("tickByTickBidAsk", reqId=5)) == []


async def test_depth_at_once(speed: float) -> None:
    async with running(speed, limits=Limits(depth=0)) as (_, client):
        client.reqMktDepth(1, contract(exchange="ISLAND"), 5, False, [])
        (got,) = await client.until("error")
        assert (got.reqId, got.errorCode) == (1, 309)


async def test_real_time_bars_in_ten_minutes(speed: float) -> None:
    async with running(speed, limits=Limits(real_time_bars=0)) as (_, client):
        client.reqRealTimeBars(1, contract(), 5, "TRADES", 1, [])
        (got,) = await client.until("error")
        assert (got.reqId, got.errorCode) == (1, 420)


# --- what is not allowed at all ----------------------------------------------------------------------------------


async def test_a_session_that_may_only_read(speed: float) -> None:
    async with running(speed, read_only=True) as (_, client):
        client.reqIds(1)
        client.reqOpenOrders()
        client.placeOrder(7, contract(), order("BUY", 1))
        cancel(client, 7)
        cancel_all(client)
        client.reqCompletedOrders(True)
        got = await client.sync()
        assert {each.errorString for each in got} == {
            "Error validating request.-'aa' : cause - The API interface is currently in Read-Only mode."
        }
        assert [(each.reqId, each.errorCode) for each in got] == [
            (-1, 321),
            (-1, 321),
            (7, 321),
            (7, 321),
            (-1, 321),
            (-1, 321),
        ]
        client.reqAllOpenOrders()
        assert names(await client.sync()) == ["openOrderEnd"]


async def test_an_id_stays_taken_for_a_while(speed: float) -> None:
    async with running(min(speed, 20.0), client_id_held=20.0) as (sim, client):
        assert client.stream is not None
        await client.stream.aclose()
        await comes_true(lambda: not sim.clients)
        other = StockClient(await sim.connect(), VERSION)
        await other.shake_hands(f"v100..{VERSION}")
        other.clientId = 1
        other.startApi()
        await other.flush()
        assert codes(await other.end()) == [326]
        await anyio.sleep(20 / min(speed, 20.0))
        await StockClient.start(sim, VERSION, client_id=1)


async def test_what_comes_at_once_is_a_burst_however_it_is_cut(speed: float) -> None:
    async with running(speed / speed, limits=Limits(messages_per_second=10, rate_violations=1)) as (_, client):
        assert client.stream is not None
        for _ in range(11):
            await client.stream.send(frame(b"8\x001\x001\0"))
        assert codes(await client.end()) == [0, 100]


async def test_two_account_summaries(speed: float) -> None:
    async with running(speed) as (_, client):
        for request in (1, 2, 3):
            client.reqAccountSummary(request, "All", "NetLiquidation")
        got = await client.until("error")
        assert codes(got) == [322]
        assert got[-1].errorString.endswith(
            "Maximum number of account summary requests exceeded; desubscribe to previous request first"
        )
        client.cancelAccountSummary(1)
        client.reqAccountSummary(3, "All", "NetLiquidation")
        await client.until("accountSummaryEnd", reqId=3)
