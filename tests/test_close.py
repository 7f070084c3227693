"""The end of the block: what is queued is written first, and the stream is closed whatever happens."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import pytest

from tests import script
from tests.peer import TEXT, Peer, connected, text
from tests.script import fill, hang_up, limit_order, open_peer, running, settle, stock, tick, value
from trio_ibtws import Client, ClientClosed, ConnectionLost, Pacer, open_client
from trio_ibtws._runtime import _connection
from trio_ibtws.simulator._memory import MemoryStream

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def client_of(peer: Peer, ours: MemoryStream) -> AsyncGenerator[Client]:
    """Give a client whose peer outlives it."""
    await peer.send(peer.hello(), peer.accounts("DU1"), peer.next_valid_id(1))
    async with open_client(stream=ours, max_server_version=TEXT, trading=True) as client:
        await peer.read_hello()
        assert (await peer.receive())[0] == script.START_API
        yield client


async def rest(peer: Peer) -> list[str]:
    """Return the ids of all messages up to the end of the stream."""
    kinds = []
    with pytest.raises(anyio.EndOfStream):
        while True:
            kinds.append((await peer.receive())[0])
    assert len(peer._frames) == 0  # no half frame
    return kinds


async def test_what_is_queued_is_written_before_the_stream_closes() -> None:
    async with open_peer() as (ours, peer):
        async with client_of(peer, ours) as client:
            async with client.mkt_data(stock()):
                assert (await peer.receive())[0] == script.MKT_DATA
            async with client.place_order(stock(), limit_order()):
                client.cancel_order(1)
            client.set_server_log_level(1)
        kinds = await rest(peer)
        assert sorted(kinds) == sorted(
            [script.PLACE_ORDER, script.CANCEL_ORDER, script.CANCEL_MKT_DATA, script.LOG_LEVEL]
        )
        assert kinds.index(script.PLACE_ORDER) < kinds.index(script.CANCEL_ORDER)


@pytest.mark.parametrize("turns", range(6))
async def test_an_order_is_whole_on_the_wire_whenever_the_block_ends(turns: int) -> None:
    """Also in the turn in which the writer has taken it, and not finished sending."""
    async with open_peer() as (ours, peer):
        async with client_of(peer, ours) as client:
            async with client.place_order(stock(), limit_order()):
                for _ in range(turns):
                    await anyio.lowlevel.checkpoint()
        assert await rest(peer) == [script.PLACE_ORDER]


@pytest.mark.parametrize("turns", range(6))
async def test_it_is_written_although_the_surrounding_scope_was_cancelled(turns: int) -> None:
    async with open_peer() as (ours, peer):
        with anyio.CancelScope() as scope:
            async with client_of(peer, ours) as client:
                async with client.mkt_data(stock()), client.place_order(stock(), limit_order()):
                    await settle()
                    await client.mkt_data(stock("B")).__aenter__()
                    client.cancel_order(1)
                    for _ in range(turns):
                        await anyio.lowlevel.checkpoint()
                    scope.cancel()
                    await anyio.sleep_forever()
        kinds = await rest(peer)
        assert kinds.count(script.PLACE_ORDER) == 1
        assert kinds.index(script.PLACE_ORDER) < kinds.index(script.CANCEL_ORDER)
        assert kinds.count(script.CANCEL_ORDER) == 1
        assert kinds.count(script.CANCEL_MKT_DATA) == 1  # of the block that was left; the other one ends with us


async def test_a_line_that_is_left_open_ends_with_the_connection() -> None:
    async with open_peer() as (ours, peer):
        async with client_of(peer, ours) as client:
            stream = await client.mkt_data(stock()).__aenter__()
            await peer.send(tick((await peer.receive())[2], "last"))
            await settle()
        assert value(await stream.receive()) == "last"
        with pytest.raises(ClientClosed):
            await stream.receive()
        await stream.aclose()
        assert await rest(peer) == []


async def test_closing_while_frames_arrive() -> None:
    async with connected() as (client, peer):
        await peer.send(*[fill(f"e{number}") for number in range(300)])
    async with client.order_events() as events:
        got = 0
        with pytest.raises(ClientClosed):
            while True:
                await events.receive()
                got += 1
    assert got <= 300


async def test_a_peer_that_does_not_read_cannot_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real second stands in tests/trio_only, where time is virtual."""
    monkeypatch.setattr(_connection, "CLOSE_SECONDS", 0.01)
    before = running()
    async with open_peer() as (ours, peer):
        await peer.send(peer.hello(), peer.accounts("DU1"), peer.next_valid_id(1))
        async with open_client(stream=ours, max_server_version=TEXT, pacer=Pacer(rate=None)) as client:
            for _ in range(40_000):
                client._connection.session.outbox.append(script.time_is(1))
            client.set_server_log_level(1)
            await settle()
        assert not running() - before
        with pytest.raises(anyio.ClosedResourceError):
            await ours.send(b"x")


async def test_the_peer_goes_while_we_close() -> None:
    async with open_peer() as (ours, peer):
        async with client_of(peer, ours) as client:
            client.set_server_log_level(1)
            await peer.stream.aclose()
        with pytest.raises((ClientClosed, ConnectionLost)):
            client.set_server_log_level(1)
        with pytest.raises(anyio.ClosedResourceError):
            await ours.send(b"x")


LAST_WORDS = {
    "a length that cannot be": b"\xff\xff\xff\xff",
    "a frame that is nobody's and damaged": text(3, "abc"),
    "the end of what the peer says": b"",
}


@pytest.mark.parametrize("words", LAST_WORDS.values(), ids=LAST_WORDS)
async def test_a_connection_that_is_lost_is_closed_while_the_block_goes_on(words: bytes) -> None:
    """TWS would hold the client id for as long as the block takes, and send what nobody reads."""
    async with open_peer() as (ours, peer), client_of(peer, ours) as client:
        if words:
            await peer.send(words)
        else:
            assert isinstance(peer.stream, MemoryStream)
            await peer.stream.send_eof()
        with pytest.raises(ConnectionLost):
            await client.wait_closed()
        with pytest.raises(anyio.EndOfStream):
            await peer.receive()


async def test_it_is_closed_at_once_although_a_write_is_stuck() -> None:
    async with open_peer() as (ours, peer), client_of(peer, ours) as client:
        client._connection.session.outbox.append(bytes(100_000))  # more than the connection holds
        await settle()
        await peer.send(b"\xff\xff\xff\xff")
        with pytest.raises(ConnectionLost):
            await client.wait_closed()
        await settle()
        with pytest.raises(anyio.ClosedResourceError):
            await ours.send(b"x")


async def test_a_broken_write_lets_the_reader_finish() -> None:
    """The peer said something and went; our next frame cannot be written, and what it said still arrives."""

    class OneWay(MemoryStream):
        """A stream whose other end does not take anything any more, like a socket after a reset."""

        broken = False

        async def send(self, item: bytes) -> None:
            if OneWay.broken:
                raise anyio.BrokenResourceError
            await super().send(item)

    OneWay.broken = False
    async with open_peer() as (ours, peer):
        ours.__class__ = OneWay
        await peer.send(peer.hello(), peer.accounts("DU1"), peer.next_valid_id(1))
        async with open_client(stream=ours, max_server_version=TEXT) as client, client.order_events() as events:
            OneWay.broken = True
            client.set_server_log_level(1)
            await settle()
            await peer.send(fill("last words"))
            await settle()
            hang_up(peer)
            event = await events.receive()
            assert event.execution.execId == "last words"  # type: ignore[union-attr]
