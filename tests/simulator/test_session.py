"""From the first byte to the last: handshakes, start-up, ids in use, bad input, faults, several clients."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from anyio import BrokenResourceError, EndOfStream
from anyio.abc import ByteStream

from tests.simulator.stock import (
    PROTOBUF_VERSIONS,
    SPOKEN_TEXT_VERSIONS,
    StockClient,
    comes_true,
    contract,
    names,
    order,
)
from trio_ibtws._runtime._framing import FrameBuffer, frame
from trio_ibtws.errors import InternalError
from trio_ibtws.simulator import Scenario, Simulator, open_simulator

pytestmark = pytest.mark.anyio

BEST = b"%d" % max(PROTOBUF_VERSIONS, default=176)
in_text = pytest.mark.parametrize("version", SPOKEN_TEXT_VERSIONS)


async def answer(stream: ByteStream, *pieces: bytes) -> bytes:
    """Send *pieces* and return the first frame, or nothing at the end."""
    frames = FrameBuffer()
    for piece in pieces:
        await stream.send(piece)
    try:
        while (body := frames.next_frame()) is None:
            frames.receive_data(await stream.receive())
    except EndOfStream:
        return b""
    return body


@pytest.mark.parametrize(
    ("offer", "version"),
    [
        (b"v100..157", b"157"),
        (b"v100..176", b"176"),
        (b"v157..178", b"176"),
        (b"v157..193", b"176"),
        (b"v100..212", b"176"),
        (b"v100..226", BEST),
        (b"v100..226 +PACEAPI", BEST),
        (b"v100..999", BEST),
        (b"v157..157", b"157"),
        (b"v176", b"176"),
        (b"v100..175", b"157"),
    ],
)
async def test_the_version_is_chosen_from_the_range(sim: Simulator, offer: bytes, version: bytes) -> None:
    number, time, rest = (await answer(await sim.connect(), b"API\0" + frame(offer))).split(b"\0")
    assert (number, rest) == (version, b"")
    assert time.endswith(b" EST")


@pytest.mark.parametrize("offer", [b"v100..156", b"v177..212", b"v227..300", b"", b"x", b"v100-176", b"\xff"])
async def test_a_range_that_holds_none_is_hung_up_on(sim: Simulator, offer: bytes) -> None:
    assert await answer(await sim.connect(), b"API\0" + frame(offer)) == b""


@pytest.mark.parametrize("junk", [b"GET / HTTP/1.1\r\n\r\n", b"API\0\xff\xff\xff\xff", b"63\0"])
async def test_what_is_no_client_is_hung_up_on(sim: Simulator, junk: bytes) -> None:
    assert await answer(await sim.connect(), junk) == b""


async def test_a_handshake_in_pieces(sim: Simulator) -> None:
    whole = b"API\0" + frame(b"v100..176")
    stream = await sim.connect()
    assert (await answer(stream, *[whole[at : at + 1] for at in range(len(whole))])).startswith(b"176\0")


async def test_a_version_can_be_forced(speed: float) -> None:
    async with open_simulator(port=None, server_version=157, scenario=Scenario(speed=speed)) as sim:
        assert (await answer(await sim.connect(), b"API\0" + frame(b"v100..176"))).startswith(b"157\0")
    with pytest.raises(ValueError, match="158"):
        async with open_simulator(port=None, server_version=158):
            raise AssertionError


async def test_what_a_client_gets_first(sim: Simulator, version: int) -> None:
    client = StockClient(await sim.connect(), version)
    await client.shake_hands(f"v100..{version}")
    client.clientId = 3
    client.startApi()
    got = await client.until("error", errorCode=2158)
    assert names(got) == ["managedAccounts", "nextValidId", "error", "error", "error"]
    assert got[0].accountsList == "DU1000001"
    assert got[1].orderId == 1
    assert [each.errorCode for each in got[2:]] == [2104, 2106, 2158]
    assert sim.clients == (3,)


async def test_a_client_id_in_use(sim: Simulator, version: int, client: StockClient) -> None:
    other = StockClient(await sim.connect(), version)
    await other.shake_hands(f"v100..{version}")
    other.clientId = 1
    other.startApi()
    await other.flush()
    before = sim.time()
    (got,) = await other.end()
    assert (got.errorCode, got.errorString) == (
        326,
        "Unable to connect as the client id is already in use. Retry with a unique client id.",
    )
    assert sim.time() - before > 0.69
    assert await client.sync() == []


async def test_a_client_id_is_free_again(sim: Simulator, version: int, client: StockClient) -> None:
    assert client.stream is not None
    await client.stream.aclose()
    await comes_true(lambda: not sim.clients)
    again = await StockClient.start(sim, version, client_id=1)
    assert await again.sync() == []


async def test_clustered_current_times_are_swallowed(client: StockClient) -> None:
    for _ in range(3):
        client.reqCurrentTime()
    (got,) = await client.sync()
    assert got.name == "currentTime"
    assert 1357570800 <= got.time <= 1357570800 + 60


async def test_ids_accounts_and_silent_requests(client: StockClient) -> None:
    client.setServerLogLevel(5)
    client.reqMarketDataType(99)
    client.reqIds(10)
    client.reqManagedAccts()
    assert names(await client.sync()) == ["nextValidId", "managedAccounts"]


async def test_what_is_not_served_is_refused_aloud(client: StockClient) -> None:
    client.requestFA(1)
    (got,) = await client.sync()
    assert (got.reqId, got.errorCode) == (0, 321)


@in_text
async def test_unreadable_requests_are_refused(client: StockClient) -> None:
    assert client.stream is not None
    for body in (b"2\x002\x00All\0", b"999\x001\0", b"91\0", b"\0", b"9\x008\x007\x00x\0"):
        await client.stream.send(frame(body))
    got = await client.sync()
    assert [each.errorCode for each in got] == [320] * 5
    assert got[0].errorString == (
        "Error reading request. Unable to parse field: 'Client Req Id' for input string: 'All'"
    )
    assert got[4].reqId == 7


async def test_a_request_before_the_start_hangs_up(sim: Simulator, version: int) -> None:
    client = StockClient(await sim.connect(), version)
    await client.shake_hands(f"v100..{version}")
    client.reqCurrentTime()
    await client.flush()
    assert await client.end() == []


async def test_requests_are_remembered(sim: Simulator, client: StockClient) -> None:
    client.reqMatchingSymbols(4, "app")
    await client.sync()
    assert [(each.client_id, each.name) for each in sim.received] == [
        (1, "startApi"),
        (1, "reqMatchingSymbols"),
        (1, "reqMarketRule"),
    ]
    assert sim.received[1].values == {"reqId": 4, "pattern": "app"}


# --- faults ------------------------------------------------------------------------------------------------------


async def test_disconnect(sim: Simulator, version: int, client: StockClient) -> None:
    other = await StockClient.start(sim, version, client_id=2)
    sim.send_error(1100, "Connectivity between IBKR and Trader Workstation has been lost.", client_id=1)
    sim.disconnect(1)
    (got,) = await client.end()
    assert got.errorCode == 1100
    assert await other.sync() == []
    sim.disconnect(reset=True)
    with pytest.raises(BrokenResourceError):
        await other.sync()


async def test_silence(sim: Simulator, client: StockClient) -> None:
    sim.silence()
    client.reqIds(1)
    await client.flush()
    await comes_true(lambda: len(sim.received) == 2)
    sim.unsilence()
    assert await client.sync() == []


@in_text
async def test_anything_can_be_sent(sim: Simulator, client: StockClient) -> None:
    sim.send("nextValidId", orderId=77)
    sim.send_error(10167, "Displaying delayed market data.", request=5, client_id=1)
    got = await client.sync()
    assert got[0].orderId == 77
    assert (got[1].reqId, got[1].errorCode) == (5, 10167)
    sim.send_bytes(frame(b"9\x001\x0078\0")[:5], client_id=1)
    sim.send_bytes(frame(b"9\x001\x0078\0")[5:], client_id=1)
    assert (await client.sync())[0].orderId == 78


async def test_a_waiting_dialog(speed: float) -> None:
    async with open_simulator(port=None, scenario=Scenario(answers=False, speed=speed)) as sim:
        stream = await sim.connect()
        with anyio.move_on_after(0.1) as scope:
            await answer(stream, b"API\0" + frame(b"v100..176"))
        assert scope.cancelled_caught


async def test_a_client_that_does_not_read_hurts_nobody(sim: Simulator, version: int, client: StockClient) -> None:
    """Its requests are left unread, and it gets no market data, once a megabyte waits for it."""
    slow = await StockClient.start(sim, version, client_id=2)
    ask = "\0".join(["81", "1", "a", ""]).encode()
    assert slow.stream is not None
    with anyio.move_on_after(0.5) as scope:
        while True:
            await slow.stream.send(frame(ask) * 500)
    assert scope.cancelled_caught
    assert len(sim.received) < 50_000
    client.reqIds(1)
    assert names(await client.sync()) == ["nextValidId"]


# --- the context manager -----------------------------------------------------------------------------------------


async def test_what_the_block_raises_comes_out_as_it_is() -> None:
    with pytest.raises(ValueError, match="mine"):
        async with open_simulator(port=None):
            raise ValueError("mine")
    group = ExceptionGroup("mine", [KeyError()])
    with pytest.raises(ExceptionGroup) as caught:
        async with open_simulator(port=None):
            raise group
    assert caught.value is group


async def test_cancellation_passes_through() -> None:
    with anyio.CancelScope() as scope:
        async with open_simulator(port=None) as sim:
            await sim.connect()
            scope.cancel()
            await anyio.sleep(1)
    assert scope.cancelled_caught


async def test_leaving_ends_every_connection(sim: Simulator) -> None:
    async with open_simulator(port=None) as other:
        stream = await other.connect()
        await anyio.sleep(0.01)
    with pytest.raises(EndOfStream):
        await stream.receive()


async def test_a_bug_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("trio_ibtws.simulator._peer.choose_version", broken)
    with pytest.raises(InternalError):
        async with open_simulator(port=None) as sim:
            await answer(await sim.connect(), b"API\0" + frame(b"v100..176"))


async def test_a_real_socket() -> None:
    async with open_simulator() as sim:
        assert sim.port
        async with await anyio.connect_tcp(sim.host, sim.port) as stream:
            assert (await answer(stream, b"API\0" + frame(b"v100..176"))).startswith(b"176\0")


async def conversation(seed: int, version: int, speed: float) -> list[bytes]:
    """Return the frames that a client gets for some requests, up to the fill of an order."""
    async with open_simulator(port=None, seed=seed, scenario=Scenario(speed=speed)) as sim:
        client = await StockClient.start(sim, version, client_id=1)
        client.frames = []
        client.reqHistoricalData(1, contract(), "20130104 16:00:00", "2 D", "1 hour", "TRADES", 1, 1, False, [])
        await client.until("historicalDataEnd")
        client.placeOrder(1, contract(), order("BUY", 100))
        await client.until("commissionReport")
    return client.frames


async def test_the_same_seed_gives_the_same_bytes(anyio_backend: Any, version: int, speed: float) -> None:
    first, again = [await conversation(3, version, speed) for _ in range(2)]
    other = await conversation(4, version, speed)
    if anyio_backend[0] == "trio":
        assert first == again
    else:  # time is real: only what does not depend on it
        assert first[0] == again[0]
        assert [body.split(b"\0")[0] for body in first] == [body.split(b"\0")[0] for body in again]
    assert first[0] != other[0]
