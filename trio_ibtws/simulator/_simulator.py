"""The simulator as its users see it: connections, the log of requests, and what can be sent by hand."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import anyio
from anyio import BrokenResourceError, ClosedResourceError, EndOfStream
from anyio.abc import ByteStream, TaskGroup

from ._connection import Connection
from ._door import HOST, Door
from ._faults import Faults
from ._gateway import Gateway
from ._manual_orders import place_by_hand
from ._memory import memory_connection
from ._peer import Peer
from ._script import run_script
from ._serve_depth import reset_depth
from ._session import NO_ID, Received

__all__ = ["Simulator"]

_REMEMBERED = 100_000  # requests


class Simulator:
    """A TWS that trades on recorded prices. Made by ``open_simulator``.

    Attributes:
      host: where it listens, or an empty string when it has no socket.
      port: the port that it listens on, or ``None``.
      server_version: the only version that it serves, or ``None``: the best that a client can.
      received: the newest 100 000 requests, in the order in which they came, ``startApi`` included.
      faults: what can go wrong, to be made to.
    """

    def __init__(self, tasks: TaskGroup, gateway: Gateway, server_version: int | None) -> None:
        self.host: str = ""
        self.port: int | None = None
        self.server_version = server_version
        self.received: deque[Received] = deque(maxlen=_REMEMBERED)
        self._gateway = gateway
        self._tasks = tasks
        self._peers: dict[Peer, None] = {}
        self._door = Door(tasks, self.serve)
        self._refusing = 0
        gateway.restart = self._restart
        self.faults: Faults = Faults(gateway, self._chosen, self._move)

    # --- connections ---------------------------------------------------------------------------------------------

    async def connect(self) -> ByteStream:
        """Return one end of a new connection in memory, for ``open_client(stream=…)``.

        Cancelled: there is no connection.

        Raises:
          ConnectionRefusedError: the simulated gateway is restarting.
        """
        await anyio.lowlevel.checkpoint()
        if self._refusing:
            raise ConnectionRefusedError("the simulated gateway is restarting")
        ours, theirs = memory_connection()
        self._tasks.start_soon(self.serve, ours)
        return theirs

    async def serve(self, stream: ByteStream) -> None:
        """Serve one client until it goes or is thrown out. *stream* is closed in the end."""
        most = self._gateway.scenario.limits.clients
        if most is not None and sum(peer.session is not None for peer in self._peers) >= most:
            await anyio.aclose_forcefully(stream)
            return
        connection = Connection(stream)
        peer = Peer(self._gateway, connection, self.server_version, self.received.append)
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

    async def _read(self, stream: ByteStream, peer: Peer) -> None:
        while True:
            data = await stream.receive()
            await peer.connection.room()
            done = anyio.Event()
            self._gateway.clock.call_soon(partial(peer.receive_data, data, done.set))
            await done.wait()

    async def listen(self, port: int) -> None:
        """Listen on a port of this machine, besides the connections in memory.

        Raises:
          OSError: the port cannot be had.
        """
        self.port = await self._door.open(port)
        self.host = HOST

    @property
    def clients(self) -> tuple[int, ...]:
        """The client ids of those that are connected, in the order in which they came."""
        return tuple(self._gateway.sessions)

    def time(self) -> float:
        """Return the simulated instant, in seconds since 1970."""
        return self._gateway.clock.time()

    def _chosen(self, client_id: int | None) -> list[Peer]:
        everybody = client_id is None
        return [
            peer
            for peer in self._peers
            if everybody or (peer.session is not None and peer.session.client_id == client_id)
        ]

    # --- restarts ------------------------------------------------------------------------------------------------

    def _restart(self, seconds: float) -> None:
        """Close every connection, and refuse new ones for so many simulated seconds."""
        for peer in self._chosen(None):
            peer.connection.close()
        self._refusing += 1
        self._door.shut()
        self._gateway.clock.call_later(seconds, self._come_back)

    def _come_back(self) -> None:
        self._refusing -= 1
        if not self._refusing and self.port is not None:
            self._door.reopen(self.port)

    def _move(self, port: int) -> None:
        """Listen on another port, and on the old one no longer."""
        for peer in self._chosen(None):
            peer.connection.close()
        if self.port is not None:
            self._door.shut()
            self.port = port
            self._door.reopen(port)

    # --- by hand -------------------------------------------------------------------------------------------------

    def run_script(self, script: str) -> Callable[[], int]:
        """Have things go wrong as *script* says, one step a line; ``docs/simulator.md`` has the steps.

        Returns what returns the number of steps that are not done yet.

        Raises:
          ScriptError: a line is no step; nothing was begun.
        """
        return run_script(script, self._gateway, self.faults)

    def disconnect(self, client_id: int | None = None, *, reset: bool = False) -> None:
        """Close the connection of one client, or of all.

        What was sent before still arrives, unless *reset*: then it may be lost, and the client gets a broken
        connection rather than the end of a stream where the transport can tell them apart.
        """
        self.faults.reset(client_id) if reset else self.faults.close(client_id)

    def silence(self, client_id: int | None = None) -> None:
        """From now on throw away what one client, or every connected one, should get. The connection stays open."""
        self.faults.mute(client_id)

    def unsilence(self, client_id: int | None = None) -> None:
        """End a silence. What was thrown away does not come again."""
        self.faults.unmute(client_id)

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

    def place_by_hand(self, contract: Mapping[str, Any], order: Mapping[str, Any]) -> int:
        """Give an order as somebody at the window of TWS does; client 0 may bind it. Values by IB's names.

        What *order* leaves out is what the window has: day orders, transmitted at once.

        Returns its permanent id.

        Raises:
          ValueError: *contract* is not exactly one that is listed.
        """
        return place_by_hand(self._gateway, dict(contract), dict(order)).perm_id

    def reset_depth(self, request: int, client_id: int | None = None) -> bool:
        """Reset the book of a market depth request, as TWS does now and then: error 317, then all of it anew.

        Returns whether any client has such a book.
        """
        sessions = [peer.session for peer in self._chosen(client_id) if peer.session is not None]
        return sum(reset_depth(session, request) for session in sessions) > 0

    def send_bytes(self, data: bytes, client_id: int | None = None) -> None:
        """Send bytes as they are, with no length in front: half a frame, a wrong length, nonsense."""
        for peer in self._chosen(client_id):
            peer.connection.send_bytes(data)
