"""Over a real socket on 127.0.0.1: the same as in memory, and without a thread."""

from __future__ import annotations

import gc
import socket
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketListener, SocketStream

from tests import script
from tests.peer import TEXT, Peer
from tests.script import limit_order, stock, tick, value
from trio_ibtws import (
    ClientIdInUse,
    ConnectionLost,
    ConnectRefused,
    ConnectTimeout,
    NotTWS,
    open_client,
    open_simulator,
)

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def listening(serve: Callable[[SocketStream], Awaitable[None]]) -> AsyncGenerator[int]:
    """Serve one connection; give the port."""
    listener = await SocketListener.from_socket(socket.create_server(("127.0.0.1", 0)))

    async def handle(stream: SocketStream) -> None:
        async with stream:
            await serve(stream)

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        yield listener.extra(SocketAttribute.local_port)
        tasks.cancel_scope.cancel()


async def test_a_whole_session_without_a_thread(anyio_backend: str) -> None:
    """In a process of its own: other tests leave threads behind, in which asyncio looks up names."""
    program = f"import anyio, tests.test_loopback as t; anyio.run(t.whole_session, backend={anyio_backend!r})"
    await anyio.run_process([sys.executable, "-W", "error", "-c", program], stderr=None, cwd=Path(__file__).parents[1])


async def whole_session() -> None:
    counts: list[int] = []
    done = anyio.Event()
    kinds: list[str] = []

    async def serve(stream: SocketStream) -> None:
        peer = Peer(stream, TEXT)
        await peer.greet()
        try:
            while True:
                words = await peer.receive()
                kinds.append(words[0])
                if words[0] == script.CONTRACT_DETAILS:
                    await peer.send(script.details_end(words[2]))
                elif words[0] == script.MKT_DATA:
                    await peer.send(*[tick(words[2], number) for number in range(500)])
                elif words[0] == script.PLACE_ORDER:
                    await peer.send(script.order_status(words[1], "Filled"))
        except anyio.EndOfStream:
            done.set()

    async with listening(serve) as port:
        async with open_client(port=port, max_server_version=TEXT, trading=True) as client:
            counts.append(threading.active_count())
            assert await client.contract_details(stock()) == []
            async with client.mkt_data(stock()) as ticks:
                got = [value(await ticks.receive()) for _ in range(500)]
            assert got == [str(number) for number in range(500)]
            async with client.place_order(stock(), limit_order()) as events:
                counts.append(threading.active_count())
                await events.receive()
            client.set_server_log_level(1)
        counts.append(threading.active_count())
        await done.wait()
    assert kinds == [
        script.CONTRACT_DETAILS,
        script.MKT_DATA,
        script.CANCEL_MKT_DATA,
        script.PLACE_ORDER,
        script.LOG_LEVEL,
    ] or kinds == [
        script.CONTRACT_DETAILS,
        script.MKT_DATA,
        script.PLACE_ORDER,
        script.CANCEL_MKT_DATA,
        script.LOG_LEVEL,
    ]
    assert counts == [1, 1, 1]
    gc.collect()


async def test_the_simulator_over_a_socket() -> None:
    async with open_simulator() as sim:
        assert sim.port is not None
        async with open_client(sim.host, sim.port, client_id=1) as client:
            assert client.accounts
            [details] = await client.contract_details(stock("AAPL"))
            assert details.contract.symbol == "AAPL"


async def test_a_peer_that_speaks_http() -> None:
    async def serve(stream: SocketStream) -> None:
        await stream.receive()
        await stream.send(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    async with listening(serve) as port:
        with pytest.raises(NotTWS, match=r"HTTP/1\.1 400"):
            async with open_client(port=port):
                raise AssertionError("there can be no client")


async def test_a_silent_peer() -> None:
    async def serve(stream: SocketStream) -> None:
        with pytest.raises(anyio.EndOfStream):
            while True:
                await stream.receive()

    async with listening(serve) as port:
        with pytest.raises(ConnectTimeout) as caught:
            async with open_client(port=port, connect_deadline=1.0):
                raise AssertionError("there can be no client")
        assert caught.value.phase == "handshake"


async def test_a_peer_that_closes_at_once() -> None:
    async def serve(stream: SocketStream) -> None:
        return

    async with listening(serve) as port:
        with pytest.raises(ConnectRefused, match="trusted IPs"):
            async with open_client(port=port):
                raise AssertionError("there can be no client")
    gc.collect()


async def test_a_client_id_in_use() -> None:
    async def serve(stream: SocketStream) -> None:
        peer = Peer(stream, TEXT)
        await peer.read_hello()
        await peer.send(peer.hello())
        await peer.receive()
        await peer.send(script.error(-1, 326, "already in use"))

    async with listening(serve) as port:
        with pytest.raises(ClientIdInUse):
            async with open_client(port=port, max_server_version=TEXT):
                raise AssertionError("there can be no client")


async def test_a_lost_connection() -> None:
    hang_up = anyio.Event()

    async def serve(stream: SocketStream) -> None:
        await Peer(stream, TEXT).greet()
        await hang_up.wait()

    async with listening(serve) as port, open_client(port=port, max_server_version=TEXT) as client:
        hang_up.set()
        with pytest.raises(ConnectionLost):
            await client.contract_details(stock())
        with pytest.raises(ConnectionLost):
            await client.wait_closed()


async def test_a_session_byte_by_byte() -> None:
    async def serve(stream: SocketStream) -> None:
        peer = Peer(stream, TEXT)
        await peer.read_hello()
        for byte in peer.hello() + peer.accounts("DU1") + peer.next_valid_id(5):
            await stream.send(bytes([byte]))
        await peer.receive()
        with pytest.raises(anyio.EndOfStream):
            while True:
                words = await peer.receive()
                for byte in script.details_end(words[2]):
                    await stream.send(bytes([byte]))

    async with listening(serve) as port, open_client(port=port, max_server_version=TEXT) as client:
        assert await client.contract_details(stock()) == []
        assert client.next_order_id == 5


async def test_cancelled_while_it_uses_the_socket() -> None:
    served = anyio.Event()

    async def serve(stream: SocketStream) -> None:
        peer = Peer(stream, TEXT)
        await peer.greet()
        assert (await peer.receive())[0] == script.MKT_DATA
        scope.cancel()
        assert (await peer.receive())[0] == script.CANCEL_MKT_DATA
        with pytest.raises(anyio.EndOfStream):
            await peer.receive()
        served.set()

    async with listening(serve) as port:
        with anyio.CancelScope() as scope:
            async with open_client(port=port, max_server_version=TEXT) as client, client.mkt_data(stock()) as ticks:
                await ticks.receive()
        with anyio.fail_after(60):
            await served.wait()


async def test_the_next_client_finds_everything_free() -> None:
    async def serve(stream: SocketStream) -> None:
        peer = Peer(stream, TEXT)
        await peer.greet()
        with pytest.raises(anyio.EndOfStream):
            while True:
                await peer.send(script.details_end((await peer.receive())[2]))

    async with listening(serve) as port:
        for _ in range(5):
            async with open_client(port=port, max_server_version=TEXT) as client:
                assert await client.contract_details(stock()) == []
    gc.collect()
