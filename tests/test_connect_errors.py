"""Every way in which a connection does not come about: each its own error, and nothing left behind."""

from __future__ import annotations

import anyio
import pytest

from tests.peer import TEXT, Peer, text
from tests.script import assert_usable, error, hang_up, open_peer, running, settle
from trio_ibtws import (
    ClientIdInUse,
    ConnectError,
    ConnectRefused,
    ConnectTimeout,
    IBError,
    NotTWS,
    UnsupportedServer,
    open_client,
)
from trio_ibtws._runtime._framing import frame
from trio_ibtws.simulator._memory import MemoryStream

pytestmark = pytest.mark.anyio

CLOCK = b"20231021 13:28:15 EST\0"


def version(number: object) -> bytes:
    return frame(str(number).encode() + b"\0" + CLOCK)


async def refused(ours: MemoryStream, deadline: float = 10.0, offered: int = TEXT) -> IBError:
    """Return what ``open_client`` raises, and check that it left nothing behind."""
    before = running()
    with pytest.raises(ConnectError) as caught:
        async with open_client(stream=ours, max_server_version=offered, connect_deadline=deadline):
            raise AssertionError("there can be no client")
    assert not running() - before
    with pytest.raises(anyio.ClosedResourceError):
        await ours.send(b"x")
    return caught.value


# --- nobody there


async def test_a_port_that_refuses() -> None:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    await listener.aclose()
    with pytest.raises(ConnectRefused, match=f"127.0.0.1:{port}.*7496"):
        async with open_client(port=port):
            raise AssertionError("there can be no client")


@pytest.mark.parametrize("host", ["host..name", "ü" * 70])
async def test_a_name_that_nobody_has(host: str) -> None:
    with pytest.raises(ConnectRefused, match=r"is not known.*127\.0\.0\.1 is this one"):
        async with open_client(host=host):
            raise AssertionError("there can be no client")


# --- silence


@pytest.mark.parametrize("said", [b"", version(TEXT)[:9]])
async def test_a_silent_peer(said: bytes) -> None:
    async with open_peer() as (ours, peer):
        await peer.send(said)
        caught = await refused(ours, deadline=0.5)
    assert isinstance(caught, ConnectTimeout)
    assert caught.phase == "handshake"
    assert caught.__cause__ is None


@pytest.mark.parametrize("said", [b"", text(9, 1, 1)])
async def test_a_peer_that_is_silent_after_the_handshake(said: bytes) -> None:
    async with open_peer() as (ours, peer):
        await peer.send(peer.hello(), said)
        caught = await refused(ours, deadline=0.5)
    assert isinstance(caught, ConnectTimeout)
    assert caught.phase == "start-up"


# --- somebody else


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x01\x00\x02\x02\x0a",  # a TLS alert
        b"<html></html>",
        frame(b""),
        frame(b"garbage"),
        frame(b"abc\0" + CLOCK),
        frame(b"157\0"),
        frame(b"157\0" + CLOCK + b"more\0"),
        frame(b"-1\0host\0"),
        frame("²\0".encode() + CLOCK),
        frame(b"9" * 5000 + b"\0" + CLOCK),  # more digits than Python reads
    ],
)
async def test_a_peer_that_is_no_tws(said: bytes) -> None:
    async with open_peer() as (ours, peer):
        await peer.send(said)
        caught = await refused(ours)
    assert isinstance(caught, NotTWS)


@pytest.mark.parametrize("number", [0, 5, 100, 156, 158, 200, 99999, 10**30])
async def test_a_server_version_that_was_not_offered(number: int) -> None:
    async with open_peer() as (ours, peer):
        await peer.send(version(number))
        caught = await refused(ours)
        assert isinstance(caught, UnsupportedServer)
        assert str(number) in str(caught)
        sent = b""
        with pytest.raises(anyio.EndOfStream):
            while True:
                sent += await peer.stream.receive()
        assert sent in (b"", b"API\0" + frame(b"v100..%d" % TEXT))  # no startApi


# --- it hangs up


async def until(peer: Peer, phase: str) -> None:
    """Play the start up to *phase*."""
    await peer.read_hello()
    if phase != "handshake":
        await peer.send(peer.hello())
        await peer.receive()
    if phase == "half":
        await peer.send(peer.accounts("DU1"), peer.next_valid_id(1)[:6])


@pytest.mark.parametrize("how", ["close", "abort"])
@pytest.mark.parametrize("phase", ["connect", "handshake", "start-up", "half"])
async def test_a_peer_that_hangs_up(how: str, phase: str) -> None:
    async with open_peer() as (ours, peer), anyio.create_task_group() as tasks:

        async def serve() -> None:
            if phase != "connect":
                await until(peer, phase)
            await settle()
            getattr(peer.stream, how)()

        tasks.start_soon(serve)
        caught = await refused(ours)
        tasks.cancel_scope.cancel()
    assert isinstance(caught, ConnectRefused)
    assert ("start-up" if phase in ("start-up", "half") else "handshake") in str(caught)


async def test_a_client_id_in_use() -> None:
    """TWS says 326, and closes."""
    async with open_peer() as (ours, peer):
        await peer.send(peer.hello(), error(-1, 326, "Unable to connect as the client id is already in use."))
        hang_up(peer)
        caught = await refused(ours)
    assert isinstance(caught, ClientIdInUse)
    assert "already in use" in str(caught)


async def test_a_client_id_in_use_that_comes_late() -> None:
    async with open_peer() as (ours, peer), anyio.create_task_group() as tasks:

        async def serve() -> None:
            await until(peer, "start-up")
            await peer.send(error(-1, 326, "in use"))
            await settle()
            await peer.stream.aclose()

        tasks.start_soon(serve)
        assert isinstance(await refused(ours), ClientIdInUse)


async def test_a_client_id_in_use_is_told_at_once_by_a_peer_that_does_not_hang_up() -> None:
    """It used to be a ``ConnectTimeout`` that asked whether TWS is logged in."""
    async with open_peer() as (ours, peer):
        await peer.send(peer.hello(), error(-1, 326, "Unable to connect as the client id is already in use."))
        with anyio.fail_after(5):
            caught = await refused(ours, deadline=60.0)
    assert isinstance(caught, ClientIdInUse)


async def test_another_error_before_it_is_ready_is_no_end() -> None:
    """TWS sends 502, 2104 and the like while it starts; the deadline decides."""
    async with open_peer() as (ours, peer):
        await peer.send(peer.hello(), error(-1, 2104, "Market data farm connection is OK:usfarm"))
        await peer.send(error(-1, 321, "something"), peer.accounts("DU1"), peer.next_valid_id(1))
        async with open_client(stream=ours, max_server_version=TEXT) as client:
            assert client.farms == {"usfarm": "ok"}
            assert client.stats().notices == 2


async def test_damaged_start_up_messages() -> None:
    async with open_peer() as (ours, peer):
        await peer.send(peer.hello(), text(9, 1, "not a number"))
        caught = await refused(ours)
    assert isinstance(caught, ConnectRefused)
    assert "could not decode" in str(caught)


async def test_a_frame_that_is_too_large_during_the_start() -> None:
    async with open_peer() as (ours, peer):
        await peer.send(peer.hello(), b"\x01\0\0\0")
        caught = await refused(ours)
    assert isinstance(caught, ConnectRefused)
    assert "16777216" in str(caught)


# --- however the network cuts it


async def test_a_start_that_is_split_anywhere() -> None:
    peer = Peer(None, TEXT)  # type: ignore[arg-type]
    said = peer.hello() + peer.accounts("DU1,DU2") + peer.next_valid_id(9)
    for offset in range(len(said) + 1):
        async with open_peer() as (ours, peer), anyio.create_task_group() as tasks:

            async def serve(peer: Peer = peer, offset: int = offset) -> None:
                await peer.send(said[:offset])
                await settle()
                await peer.send(said[offset:])

            tasks.start_soon(serve)
            async with open_client(stream=ours, max_server_version=TEXT) as client:
                assert (client.accounts, client.next_order_id) == (("DU1", "DU2"), 9)
                assert client.stats().bytes_in == len(said)


async def test_a_start_that_comes_byte_by_byte() -> None:
    async with open_peer() as (ours, peer), anyio.create_task_group() as tasks:

        async def serve() -> None:
            for byte in peer.hello() + peer.accounts("DU1") + peer.next_valid_id(9):
                await peer.send(bytes([byte]))
                await settle()

        tasks.start_soon(serve)
        async with open_client(stream=ours, max_server_version=TEXT) as client:
            assert client.next_order_id == 9
            await peer.read_hello()
            await peer.receive()
            await assert_usable(client, peer)


# --- cancelled while it connects


@pytest.mark.parametrize("phase", ["connect", "handshake", "start-up", "half"])
async def test_cancelled_while_it_connects(phase: str) -> None:
    before = running()
    async with open_peer() as (ours, peer), anyio.create_task_group() as tasks:
        with anyio.CancelScope() as scope:

            async def serve() -> None:
                if phase != "connect":
                    await until(peer, phase)
                await settle()
                scope.cancel()

            tasks.start_soon(serve)
            async with open_client(stream=ours, max_server_version=TEXT):
                raise AssertionError("there can be no client")
        assert scope.cancelled_caught
        with pytest.raises(anyio.ClosedResourceError):
            await ours.send(b"x")
    assert running() == before
