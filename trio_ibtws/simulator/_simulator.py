"""The simulator as its users see it: connections, the log of requests, and faults."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import Any

import anyio
from anyio import BrokenResourceError, ClosedResourceError, EndOfStream
from anyio.abc import ByteStream, TaskGroup

from .._runtime._framing import FrameBuffer
from ..errors import FrameTooLarge
from ._connection import Connection
from ._handshake import PREFIX, choose_version, greeting
from ._memory import memory_connection
from ._serve import HANDLERS, greet
from ._session import NO_ID, Received, Session
from ._world import World

__all__ = ["Simulator"]

_REMEMBERED = 100_000  # requests


class _Peer:
    """One connection, from its first byte to its last."""

    def __init__(self, simulator: Simulator, connection: Connection) -> None:
        self._simulator = simulator
        self._frames = FrameBuffer()
        self._prefix = b""
        self.connection = connection
        self.session: Session | None = None

    def receive_data(self, data: bytes) -> None:
        """Do what *data* asks for."""
        data = self._skip_prefix(data)
        self._frames.receive_data(data)
        try:
            while not self.connection.closed and (body := self._frames.next_frame()) is not None:
                self._receive_frame(body)
        except FrameTooLarge:
            self.connection.close()

    def _skip_prefix(self, data: bytes) -> bytes:
        missing = len(PREFIX) - len(self._prefix)
        self._prefix += data[:missing]
        if not PREFIX.startswith(self._prefix):
            self.connection.close()
        return data[missing:]

    def _receive_frame(self, body: bytes) -> None:
        if self.session is not None:
            self.session.receive(body)
        elif self._simulator._world.scenario.answers:
            self._shake_hands(body)

    def _shake_hands(self, offer: bytes) -> None:
        world = self._simulator._world
        version = choose_version(offer, self._simulator.server_version)
        if version is None:
            self.connection.close()
            return
        self.connection.send(greeting(version, world.clock.now()))
        self.session = Session(world, self.connection, version, HANDLERS, greet, self._simulator.received.append)

    def end(self) -> None:
        """The client is gone."""
        if self.session is not None:
            self.session.end()


class Simulator:
    """A TWS that trades on recorded prices. Made by ``open_simulator``.

    Attributes:
      host: where it listens, or an empty string when it has no socket.
      port: the port that it listens on, or ``None``.
      server_version: the only version that it serves, or ``None``: the best that a client can.
      received: the newest 100 000 requests, in the order in which they came, ``startApi`` included.
    """

    def __init__(self, tasks: TaskGroup, world: World, server_version: int | None) -> None:
        self.host = ""
        self.port: int | None = None
        self.server_version = server_version
        self._world = world
        self.received: deque[Received] = deque(maxlen=_REMEMBERED)
        self._tasks = tasks
        self._peers: dict[_Peer, None] = {}

    # --- connections ---------------------------------------------------------------------------------------------

    async def connect(self) -> ByteStream:
        """Return one end of a new connection in memory, for ``open_client(stream=…)``.

        Cancelled: there is no connection.
        """
        await anyio.lowlevel.checkpoint()
        ours, theirs = memory_connection()
        self._tasks.start_soon(self.serve, ours)
        return theirs

    async def serve(self, stream: ByteStream) -> None:
        """Serve one client until it goes or is thrown out. *stream* is closed in the end."""
        connection = Connection(stream)
        peer = _Peer(self, connection)
        self._peers[peer] = None
        self._tasks.start_soon(connection.write)
        try:
            await self._read(stream, peer)
        except (EndOfStream, ClosedResourceError, BrokenResourceError):
            pass  # how every connection ends
        finally:
            peer.end()
            del self._peers[peer]
            connection.close()

    async def _read(self, stream: ByteStream, peer: _Peer) -> None:
        while True:
            data = await stream.receive()
            await peer.connection.room()
            done = anyio.Event()
            self._world.clock.call_soon(partial(_receive, peer, data, done))
            await done.wait()

    @property
    def clients(self) -> tuple[int, ...]:
        """The client ids of those that are connected, in the order in which they came."""
        return tuple(self._world.sessions)

    def time(self) -> float:
        """Return the simulated instant, in seconds since 1970."""
        return self._world.clock.time()

    def _chosen(self, client_id: int | None) -> Iterator[_Peer]:
        for peer in list(self._peers):
            if client_id is None or (peer.session is not None and peer.session.client_id == client_id):
                yield peer

    # --- faults --------------------------------------------------------------------------------------------------

    def disconnect(self, client_id: int | None = None, *, reset: bool = False) -> None:
        """Close the connection of one client, or of all.

        What was sent before still arrives, unless *reset*: then it may be lost, and the client gets a broken
        connection rather than the end of a stream where the transport can tell them apart.
        """
        for peer in self._chosen(client_id):
            if reset:
                peer.connection.abort()
            else:
                peer.connection.close()

    def silence(self, client_id: int | None = None) -> None:
        """From now on throw away what one client, or every connected one, should get. The connection stays open."""
        for peer in self._chosen(client_id):
            peer.connection.muted = True

    def unsilence(self, client_id: int | None = None) -> None:
        """End a silence. What was thrown away does not come again."""
        for peer in self._chosen(client_id):
            peer.connection.muted = False

    def send_error(self, code: int, text: str, *, request: int = NO_ID, client_id: int | None = None) -> None:
        """Send an error, or a notice when there is no *request*, to one client or to all that have started."""
        values = {"reqId": request, "errorCode": code, "errorString": text}
        self.send("error", client_id=client_id, **values)

    def send(self, name: str, /, *, client_id: int | None = None, **values: Any) -> None:
        """Send any message of the protocol, by the name of its ``EWrapper`` callback, to one client or to all.

        Raises:
          KeyError: there is no such message.
        """
        for peer in self._chosen(client_id):
            if peer.session is not None:
                peer.session.send(name, **values)

    def send_bytes(self, data: bytes, client_id: int | None = None) -> None:
        """Send bytes as they are, with no length in front: half a frame, a wrong length, nonsense."""
        for peer in self._chosen(client_id):
            peer.connection.send_bytes(data)


def _receive(peer: _Peer, data: bytes, done: anyio.Event) -> None:
    peer.receive_data(data)
    done.set()
