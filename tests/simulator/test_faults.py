"""Faults on request, and scripts of them."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from anyio import BrokenResourceError, EndOfStream
from ibapi.execution import ExecutionFilter

from tests.simulator.stock import VERSIONS, StockClient, cancel, comes_true, contract, names, order
from trio_ibtws._runtime._framing import FrameBuffer
from trio_ibtws.errors import FrameTooLarge
from trio_ibtws.simulator import Limits, Scenario, ScriptError, Simulator, open_simulator

pytestmark = pytest.mark.anyio

VERSION = VERSIONS[-1]


@pytest.fixture
async def client(sim: Simulator) -> StockClient:
    return await StockClient.start(sim, VERSION, client_id=1)


async def receive(client: StockClient) -> bytes:
    assert client.stream is not None
    return await client.stream.receive()


def ask(client: StockClient) -> None:
    client.reqManagedAccts()
    client.reqIds(1)


# --- at once -----------------------------------------------------------------------------------------------------


async def test_split_into_bytes(sim: Simulator, client: StockClient) -> None:
    sim.faults.split(1)
    ask(client)
    await client.flush()
    assert len(await receive(client)) < 10
    sim.faults.split(None)


async def test_coalesced(sim: Simulator, client: StockClient) -> None:
    sim.faults.coalesce(3)
    ask(client)
    await client.flush()
    await comes_true(lambda: len(sim.received) == 3)
    client.reqMatchingSymbols(1, "app")
    await client.flush()
    frames = FrameBuffer()
    frames.receive_data(await receive(client))
    assert sum(frames.next_frame() is not None for _ in range(3)) == 3


async def test_a_stall_ends(sim: Simulator, client: StockClient, speed: float) -> None:
    before = sim.time()
    sim.faults.stall(20)
    ask(client)
    assert names(await client.until("nextValidId")) == ["managedAccounts", "nextValidId"]
    assert sim.time() - before >= 15
    sim.faults.stall()
    ask(client)
    await client.flush()
    with anyio.move_on_after(10 / speed) as scope:
        await receive(client)
    assert scope.cancelled_caught
    sim.faults.resume()
    assert len(await client.until("nextValidId")) == 2


async def test_half_open(sim: Simulator, client: StockClient, speed: float) -> None:
    sim.faults.half_open()
    ask(client)
    await client.flush()
    with anyio.move_on_after(60 / speed) as scope:
        await receive(client)
    assert scope.cancelled_caught
    assert len(sim.received) == 1
    assert sim.clients == (1,)


async def test_oversize_garbage_and_unknown(sim: Simulator, client: StockClient) -> None:
    sim.faults.unknown()
    sim.faults.oversize()
    frames = FrameBuffer()
    frames.receive_data(await receive(client))
    body = frames.next_frame()
    assert body is not None
    assert body.startswith(b"199\0")
    with pytest.raises(FrameTooLarge):
        frames.next_frame()
    sim.faults.garbage()
    frames = FrameBuffer()
    with pytest.raises(FrameTooLarge):
        frames.receive_data(await receive(client))
        frames.next_frame()


# --- to messages -------------------------------------------------------------------------------------------------


async def test_dropped_doubled_and_swapped(sim: Simulator, client: StockClient) -> None:
    sim.faults.drop("managedAccounts")
    ask(client)
    assert names(await client.sync()) == ["nextValidId"]
    sim.faults.drop("reqIds", client_id=2)
    sim.faults.drop("reqIds", client_id=1)
    ask(client)
    assert names(await client.sync()) == ["managedAccounts"]
    sim.faults.duplicate("nextValidId", 2)
    ask(client)
    client.reqIds(1)
    assert names(await client.sync()) == ["managedAccounts", *["nextValidId"] * 4]
    sim.faults.swap("managedAccounts")
    ask(client)
    assert names(await client.sync()) == ["nextValidId", "managedAccounts"]
    sim.faults.drop("nextValidId", 5)
    sim.faults.clear()
    ask(client)
    assert names(await client.sync()) == ["managedAccounts", "nextValidId"]


async def test_by_its_values(sim: Simulator, client: StockClient) -> None:
    sim.faults.drop("orderStatus", status="Filled")
    sim.faults.drop("placeOrder", symbol="IBM")
    client.placeOrder(1, contract("IBM"), order("BUY", 1))
    client.placeOrder(2, contract(), order("BUY", 1))
    got = await client.until("commissionReport")
    statuses = [(each.orderId, each.status) for each in got if each.name == "orderStatus"]
    assert statuses
    assert all(each == (2, "Submitted") for each in statuses[:1])
    assert "Filled" not in [status for _, status in statuses][:1]


async def test_corrupt_and_truncated(sim: Simulator, client: StockClient) -> None:
    sim.faults.corrupt("managedAccounts")
    sim.faults.truncate("nextValidId")
    whole = {"managedAccounts": b"15\x001\x00DU1000001\x00"}
    ask(client)
    await client.flush()
    data = b""
    with pytest.raises(EndOfStream):
        while True:
            data += await receive(client)
    frames = FrameBuffer()
    frames.receive_data(data)
    body = frames.next_frame()
    assert body is not None
    assert body != whole["managedAccounts"]
    assert len(body) == len(whole["managedAccounts"])
    assert frames.next_frame() is None


STEPS = ["openOrder", "orderStatus", "execDetails", "commissionReport"]


@pytest.mark.parametrize("step", STEPS)
async def test_it_dies_around_each_step_of_an_order(
    sim: Simulator, client: StockClient, step: str, speed: float
) -> None:
    """What was not sent is to be had by asking again; the order lives on."""
    sim.faults.die_before(step)
    client.placeOrder(1, contract(), order("BUY", 100))
    await client.flush()
    assert step not in names(await client.end())
    await comes_true(lambda: sim.clients == ())
    again = await StockClient.start(sim, VERSION, client_id=1)
    sim.faults.die_after(step)
    again.placeOrder(2, contract(), order("BUY", 100))
    await again.flush()
    assert names(await again.end())[-1] == step
    await anyio.sleep(60 / speed)
    third = await StockClient.start(sim, VERSION, client_id=1)
    third.reqPositions()
    assert sum(each.position for each in await third.until("positionEnd") if each.name == "position") == 200


async def test_a_request_dies_before_it_is_seen(sim: Simulator, client: StockClient) -> None:
    sim.faults.die_before("placeOrder", "reset")
    client.placeOrder(1, contract(), order("BUY", 100))
    with pytest.raises((BrokenResourceError, EndOfStream)):
        await client.sync()
    await comes_true(lambda: sim.clients == ())
    again = await StockClient.start(sim, VERSION, client_id=1)
    again.reqIds(1)
    assert (await again.until("nextValidId"))[-1].orderId == 1
    sim.faults.die_after("placeOrder", "half_open")
    again.placeOrder(1, contract(), order("BUY", 1, "LMT", lmtPrice=1.0))
    await again.flush()
    await comes_true(lambda: sim.received[-1].name == "placeOrder")
    assert sim.clients == (1,)


# --- to orders and connections -----------------------------------------------------------------------------------


async def test_a_price_is_corrected(sim: Simulator, client: StockClient) -> None:
    sim.faults.correct(1.0)  # there is nothing to correct yet
    client.reqPositions()
    client.placeOrder(1, contract(), order("BUY", 10))
    got = await client.until("commissionReport")
    (before,) = [each.execution for each in got if each.name == "execDetails"]
    await client.until("position")
    sim.faults.correct(before.price - 1, client_id=2)
    sim.faults.correct(before.price - 1, client_id=1)
    got = await client.until("position")
    assert names(got) == ["execDetails", "commissionReport", "position"]
    after = got[0].execution
    assert after.execId == before.execId.removesuffix("01") + "02"
    assert (after.price, after.shares, after.time) == (before.price - 1, before.shares, before.time)
    assert got[-1].avgCost == pytest.approx(after.price + 0.1)
    client.reqExecutions(5, ExecutionFilter())
    got = await client.sync()
    assert [each.execution.execId for each in got if each.name == "execDetails"] == [after.execId]


async def test_a_change_makes_a_second_order(sim: Simulator, client: StockClient) -> None:
    client.placeOrder(1, contract(), order("BUY", 5, "LMT", lmtPrice=1.0))
    first = (await client.sync())[-1].permId
    sim.faults.fork_order()
    client.placeOrder(1, contract(), order("BUY", 5, "LMT", lmtPrice=2.0))
    second = (await client.sync())[-1].permId
    assert second != first
    client.reqOpenOrders()
    shown = [each for each in await client.sync() if each.name == "openOrder"]
    assert [(each.orderId, each.order.permId, each.order.lmtPrice) for each in shown] == [(1, first, 1), (1, second, 2)]
    for perm_id in (second, first):
        cancel(client, 1)
        assert {each.permId for each in await client.sync() if each.name == "orderStatus"} == {perm_id}
    cancel(client, 1)
    assert [each.errorCode for each in await client.sync()] == [10148]


async def test_quotes_go_on_for_a_while_though_the_link_is_lost(
    sim: Simulator, client: StockClient, speed: float
) -> None:
    client.reqMktData(1, contract(), "", False, False, [])
    await client.until("tickPrice")
    sim.faults.lose_link(quotes=300)
    await client.until("error", errorCode=1100)
    await client.until("tickSize")
    await anyio.sleep(330 / speed)
    await client.sync_locally()
    await anyio.sleep(15 / speed)
    assert await client.sync_locally() == []
    sim.faults.restore_link()
    await client.until("error", errorCode=1102)
    await client.until("tickSize")


async def test_another_session_has_the_market_data(sim: Simulator, client: StockClient, speed: float) -> None:
    client.reqMktData(1, contract(), "", False, False, [])
    await client.until("tickPrice")
    sim.faults.compete()
    got = await client.until("error")
    assert (got[-1].reqId, got[-1].errorCode) == (1, 10197)
    await anyio.sleep(5 / speed)
    client.reqMktData(2, contract(), "", False, False, [])
    client.reqRealTimeBars(3, contract(), 5, "TRADES", True, [])
    assert [(each.name, each.reqId, each.errorCode) for each in await client.sync()] == [
        ("error", 2, 10197),
        ("error", 3, 10197),
    ]
    sim.faults.yield_data()
    await client.until("tickSize")
    sim.faults.compete(20)
    await client.until("error")
    await client.until("tickSize")


async def test_a_dialog_waits_for_a_click(sim: Simulator, client: StockClient, speed: float) -> None:
    before = sim.time()
    sim.faults.dialog(20)
    other = StockClient(await sim.connect(), VERSION)
    client.reqIds(1)
    await client.sync()  # those who are in already notice nothing
    assert (await other.shake_hands(f"v100..{VERSION}")).startswith(str(VERSION).encode())
    assert sim.time() - before >= 19.9
    sim.faults.dialog()
    third = StockClient(await sim.connect(), VERSION)
    with anyio.move_on_after(60 / speed) as scope:
        await third.shake_hands(f"v100..{VERSION}")
    assert scope.cancelled_caught
    sim.faults.accept()
    assert (await third.next_frame()).startswith(str(VERSION).encode())


# --- scripts -----------------------------------------------------------------------------------------------------

SCRIPT = """
# a bad morning
wait placeOrder             # the first order
duplicate orderStatus 9
wait execDetails
lose link 30 data=lost      # 1100, and half a minute later 1101
wait 60
farm usfarm broken
wait 5
farm usfarm ok
die before nextValidId reset client=1
"""


async def test_a_script(sim: Simulator, client: StockClient, speed: float) -> None:
    left = sim.run_script(SCRIPT)
    assert left() == 9
    client.placeOrder(1, contract(), order("BUY", 100))
    got: list[Any] = await client.until("error", errorCode=1100)
    assert names(got).count("orderStatus") == 2
    assert got[-2].name == "execDetails"
    got = await client.until("error", errorCode=1101)
    assert names(got).count("execDetails") == 0
    got = await client.until("error", errorCode=2104)
    assert [each.errorCode for each in got if each.name == "error"] == [2103, 2104]
    await anyio.sleep(1 / speed)
    assert left() == 0
    client.reqIds(1)
    with pytest.raises((BrokenResourceError, EndOfStream)):
        await client.sync()


async def test_a_script_by_the_clock(speed: float) -> None:
    script = "at 10:00:30\nlose link\nat 10:00:40\nrestore link\nat 10:00:50\nclose"
    scenario = Scenario(script=script, speed=speed, reset_at=None, limits=Limits.off())
    async with open_simulator(port=None, scenario=scenario) as sim:
        client = await StockClient.start(sim, VERSION, client_id=1)
        got = await client.end()
        assert [each.errorCode for each in got] == [1100, 1102]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("explode", "there is no step 'explode'"),
        ("drop", "'drop' takes 1 to 2 words, not 0"),
        ("drop tickprice", "no message is called 'tickprice'"),
        ("die before execDetails quietly", "'quietly' is none of close, reset, half-open"),
        ("wait -1", "no message is called '-1'"),
        ("wait 1e3", "'1e3' is no number of seconds"),
        ("farm usfarm sleepy", "'sleepy' is none of ok, broken, inactive"),
        ("mute client=x", "'x' is no number"),
        ("mute symbol=AAPL", "'mute' takes no symbol="),
        ("at noon", "'noon' is no time of the day"),
        ("lose link data=gone", "'gone' is none of lost, kept"),
        ("lose link quotes=few", "'few' is no number of seconds"),
        ("correct x", "'x' is no price"),
    ],
)
def test_what_is_no_script(line: str, problem: str) -> None:
    from trio_ibtws.simulator._script import parse_script

    with pytest.raises(ScriptError) as caught:
        parse_script(f"wait 1\n\n  {line}  # remark")
    assert caught.value.number == 3
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "reset",
        "half-open",
        "mute client=1",
        "unmute",
        "stall 3",
        "resume",
        "split 2",
        "coalesce 2",
        "unknown",
        "garbage",
        "oversize",
        "swap error",
        "corrupt error 2",
        "truncate error",
        "die after error half-open",
        "restore link",
        "flap usfarm 2 0.5",
        "roll back ids 3",
        "restart 5",
        "change port 7",
        "drop placeOrder symbol=IBM",
        "correct 70.25",
        "correct 70 client=1",
        "fork order",
        "compete 5",
        "yield data",
        "dialog 5",
        "accept",
        "lose link 5 data=lost quotes=2.5",
    ],
)
async def test_every_step_can_be_done(sim: Simulator, client: StockClient, line: str, speed: float) -> None:
    left = sim.run_script(line)
    await anyio.sleep(1 / speed)
    assert left() == 0


async def test_a_script_is_read_before_anything_begins() -> None:
    with pytest.raises(ScriptError, match="line 1"):
        async with open_simulator(port=None, scenario=Scenario(script="explode")):
            raise AssertionError
