"""A proxy for real sockets that makes the network bad: between any client and any TWS, simulated or not.

Each direction is a reader, a queue of bounded size and a writer; what the toxics do, they do to the chunks in between.
"""

from __future__ import annotations

from random import Random

import anyio
import msgspec
from anyio import BrokenResourceError, ClosedResourceError, EndOfStream
from anyio.abc import ByteStream, SocketStream, TaskStatus
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from ._door import HOST

__all__ = ["ChaosProxy", "Toxics"]

_CHUNK = 1 << 14
_QUEUED = 64  # chunks: a megabyte in each direction, then the sender has to wait
_MOST_CONNECTIONS = 100
_ENDS = (EndOfStream, ClosedResourceError, BrokenResourceError, OSError)


class Toxics(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one direction of a connection.

    Attributes:
      latency: seconds by which bytes come later.
      jitter: seconds by which that varies, to both sides.
      slices: how many bytes are passed on at a time.
      bandwidth: bytes a second; 0 lets nothing through.
      timeout: seconds after which nothing is passed on any more, while the connection stays open.
      reset: seconds after which the connection is closed.
      limit: bytes after which the connection is closed.
      corrupt: which part of the chunks has a byte changed: 0 to 1.
    """

    latency: float = 0.0
    jitter: float = 0.0
    slices: int | None = None
    bandwidth: float | None = None
    timeout: float | None = None
    reset: float | None = None
    limit: int | None = None
    corrupt: float = 0.0


class _Passage:
    """One direction of one connection: what has passed, and how the next chunk may."""

    def __init__(self, toxics: Toxics) -> None:
        self.toxics = toxics
        self.left = toxics.limit
        self._began = anyio.current_time()

    def pieces(self, data: bytes) -> list[bytes]:
        """Return what may pass of a chunk, cut."""
        if self.left is not None:
            data = data[: self.left]
            self.left -= len(data)
        size = self.toxics.slices or _CHUNK
        return [data[at : at + size] for at in range(0, len(data), size)]

    async def wait_for(self, piece: bytes) -> None:
        """Take the time that a piece takes."""
        if self.toxics.bandwidth == 0:
            await anyio.sleep_forever()
        if self.toxics.bandwidth is not None:
            await anyio.sleep(len(piece) / self.toxics.bandwidth)

    def timed_out(self) -> bool:
        """Return whether nothing passes any more."""
        timeout = self.toxics.timeout
        return timeout is not None and anyio.current_time() - self._began >= timeout


class ChaosProxy:
    """Listens, and passes bytes on to *host* and *port* and back, spoilt as its ``up`` and ``down`` say.

    Run it in a task group or nursery: ``proxy = await tasks.start(ChaosProxy(host, port).run)``.

    Attributes:
      host: where it listens.
      port: on which port, once it runs.
      up: what is wrong on the way to the server; may be replaced while it runs, and is then for new connections.
      down: what is wrong on the way back.
      passed: bytes passed on, in both directions.
    """

    def __init__(
        self, host: str, port: int, *, up: Toxics | None = None, down: Toxics | None = None, seed: int = 0
    ) -> None:
        self.host = HOST
        self.port: int = 0
        self.up: Toxics = up or Toxics()
        self.down: Toxics = down or Toxics()
        self.passed: int = 0
        self._target = (host, port)
        self._random = Random(seed)
        self._open = 0

    async def run(self, *, task_status: TaskStatus[ChaosProxy] = anyio.TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled.

        Cancelled: every connection is closed.

        Raises:
          OSError: no port can be had.
        """
        listener = await anyio.create_tcp_listener(local_host=HOST, local_port=0)
        async with listener:
            self.port = int(listener.extra(anyio.abc.SocketAttribute.local_port))
            task_status.started(self)
            await listener.serve(self._serve)

    async def _serve(self, client: SocketStream) -> None:
        async with client:
            if self._open >= _MOST_CONNECTIONS:
                return
            self._open += 1
            try:
                async with await anyio.connect_tcp(*self._target) as server:
                    await self._connect(client, server)
            except _ENDS:
                return  # nobody listens there, or a connection ended in the middle: it is closed at both ends
            finally:
                self._open -= 1

    async def _connect(self, client: ByteStream, server: ByteStream) -> None:
        async with anyio.create_task_group() as tasks:
            for source, sink, toxics in ((client, server, self.up), (server, client, self.down)):
                chunks = anyio.create_memory_object_stream[tuple[float, bytes]](_QUEUED)
                tasks.start_soon(self._read, source, chunks[0], toxics)
                tasks.start_soon(self._write, sink, chunks[1], toxics, tasks.cancel_scope)
            for toxics in (self.up, self.down):
                if toxics.reset is not None:
                    tasks.start_soon(_reset, toxics.reset, tasks.cancel_scope)

    async def _read(
        self, source: ByteStream, chunks: MemoryObjectSendStream[tuple[float, bytes]], toxics: Toxics
    ) -> None:
        async with chunks:
            try:
                while True:
                    data = await source.receive(_CHUNK)
                    late = max(toxics.latency + self._random.uniform(-toxics.jitter, toxics.jitter), 0.0)
                    await chunks.send((anyio.current_time() + late, data))
            except _ENDS:
                return  # the other task writes what is left, and closes

    async def _write(
        self,
        sink: ByteStream,
        chunks: MemoryObjectReceiveStream[tuple[float, bytes]],
        toxics: Toxics,
        scope: anyio.CancelScope,
    ) -> None:
        passage = _Passage(toxics)
        try:
            async with chunks:
                async for due, data in chunks:
                    await anyio.sleep(max(due - anyio.current_time(), 0.0))
                    await self._pass_on(sink, data, passage)
        except _ENDS:
            pass  # the connection is over, as below
        scope.cancel()

    async def _pass_on(self, sink: ByteStream, data: bytes, passage: _Passage) -> None:
        """Send a chunk in the pieces and at the pace that are allowed.

        Raises:
          EndOfStream: no more bytes may pass.
        """
        for piece in passage.pieces(data):
            await passage.wait_for(piece)
            if passage.timed_out():
                continue
            await sink.send(self._spoil(piece, passage.toxics))
            self.passed += len(piece)
        if passage.left == 0:
            raise EndOfStream

    def _spoil(self, data: bytes, toxics: Toxics) -> bytes:
        if not data or self._random.random() >= toxics.corrupt:
            return data
        spoilt = bytearray(data)
        spoilt[self._random.randrange(len(data))] ^= 1 + self._random.randrange(255)
        return bytes(spoilt)


async def _reset(seconds: float, scope: anyio.CancelScope) -> None:
    await anyio.sleep(seconds)
    scope.cancel()
