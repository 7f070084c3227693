"""Over a real socket: a frame alone is written in the step that queued it, and everything stays whole and in order."""

from __future__ import annotations

import socket

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import SocketStream

from tests import script
from tests.peer import TEXT, Peer, text
from tests.script import limit_order, stock
from tests.test_loopback import listening
from trio_ibtws import Client, ConnectionLost, Pacer, open_client

pytestmark = pytest.mark.anyio

LARGE = 4 * 1024 * 1024
"""More bytes than the kernel keeps of a connection on which nobody reads."""


class Reader:
    """A peer who reads when he is told to, and keeps what he read."""

    def __init__(self) -> None:
        self.go = anyio.Event()
        self.done = anyio.Event()
        self.messages: list[list[str]] = []

    async def serve(self, stream: SocketStream) -> None:
        peer = Peer(stream, TEXT)
        await peer.greet()
        await self.go.wait()
        try:
            while True:
                self.messages.append(list(await peer.receive()))
        except anyio.EndOfStream:
            self.done.set()


async def settled(client: Client) -> None:
    """Wait until the writer rests."""
    with anyio.fail_after(20):
        while client.stats().unsent_frames or not client._connection._resting:
            await anyio.lowlevel.checkpoint()


async def test_a_frame_alone_does_not_wait_for_the_writer_and_a_second_one_does() -> None:
    reader = Reader()
    async with listening(reader.serve) as port:
        async with open_client(port=port, max_server_version=TEXT) as client:
            await settled(client)
            before = client.stats()
            client.set_server_log_level(1)
            assert client.stats().frames_out == before.frames_out + 1
            assert client.stats().bytes_out > before.bytes_out
            client.set_server_log_level(2)
            client.set_server_log_level(3)
            assert client.stats().unsent_frames == 2
            await settled(client)
            client.set_server_log_level(4)
            assert client.stats().unsent_frames == 0
            reader.go.set()
        await check_levels(reader, ["1", "2", "3", "4"])


async def check_levels(reader: Reader, levels: list[str]) -> None:
    with anyio.fail_after(20):
        await reader.done.wait()
    assert [words[2] for words in reader.messages if words[0] == script.LOG_LEVEL] == levels


async def test_the_pacer_holds_up_the_shortcut_too() -> None:
    reader = Reader()
    pacer = Pacer(rate=3)  # two frames begin a session
    async with listening(reader.serve) as port:
        async with open_client(port=port, max_server_version=TEXT, pacer=pacer) as client:
            await settled(client)
            client.set_server_log_level(1)
            client.set_server_log_level(2)
            await anyio.lowlevel.checkpoint()
            assert client.stats().unsent_frames == 1
            reader.go.set()
        await check_levels(reader, ["1", "2"])


async def test_what_the_kernel_does_not_take_is_written_by_the_writer_before_anything_else() -> None:
    reader = Reader()
    async with listening(reader.serve) as port:
        async with open_client(port=port, max_server_version=TEXT, trading=True) as client:
            await settled(client)
            client._connection.session.outbox.append(text("6", "x" * LARGE))
            assert client._connection._unsent
            async with client.place_order(stock(), limit_order()):
                pass
            client.set_server_log_level(5)
            reader.go.set()
            await settled(client)
        with anyio.fail_after(20):
            await reader.done.wait()
    kinds = [words[0] for words in reader.messages]
    assert kinds == ["6", script.PLACE_ORDER, script.LOG_LEVEL]
    assert len(reader.messages[0][1]) == LARGE


async def test_a_peer_that_hung_up_is_noticed_by_the_writer() -> None:
    async def hang_up(stream: SocketStream) -> None:
        await Peer(stream, TEXT).greet()
        await stream.aclose()

    async with listening(hang_up) as port, open_client(port=port, max_server_version=TEXT) as client:
        with pytest.raises(Exception, match="the connection to TWS was lost"), anyio.fail_after(20):
            while True:
                client.set_server_log_level(1)
                await anyio.lowlevel.checkpoint()


async def test_what_the_kernel_refuses_is_an_error_of_the_connection_and_not_of_the_caller() -> None:
    async def serve(stream: SocketStream) -> None:
        await Peer(stream, TEXT).greet()
        await anyio.sleep_forever()

    async with listening(serve) as port, open_client(port=port, max_server_version=TEXT) as client:
        await settled(client)
        shortcut = client._connection._shortcut
        assert shortcut is not None
        shortcut._socket.shutdown(socket.SHUT_WR)
        client.set_server_log_level(1)
        with pytest.raises(ConnectionLost, match="connection to TWS was lost"), anyio.fail_after(20):
            await client.wait_closed()


async def test_a_process_without_file_numbers_left_writes_by_the_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: int) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(socket, "fromfd", refused)
    reader = Reader()
    async with listening(reader.serve) as port:
        async with open_client(port=port, max_server_version=TEXT) as client:
            await settled(client)
            client.set_server_log_level(1)
            assert client.stats().unsent_frames == 1
            reader.go.set()
        await check_levels(reader, ["1"])
