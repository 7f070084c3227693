"""A connection without a socket: two byte streams, each the other's peer, with buffers of bounded size.

It behaves as a TCP connection does where that matters: a sender waits while the reader is slow, what was sent before
a close still arrives, and a peer that aborts is a ``BrokenResourceError``.
"""

from __future__ import annotations

import anyio
from anyio import BrokenResourceError, BusyResourceError, ClosedResourceError, EndOfStream
from anyio.abc import ByteStream

__all__ = ["MemoryStream", "memory_connection"]

_BUFFER = 1 << 16  # what a socket's buffer holds, more or less


class _Pipe:
    """One direction."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.ended = False  # the sender is done
        self.broken = False  # the sender aborted, or the reader is gone
        self._changed = anyio.Event()

    def change(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def wait(self) -> None:
        await self._changed.wait()


class MemoryStream(ByteStream):
    """One end of a connection in memory."""

    def __init__(self, incoming: _Pipe, outgoing: _Pipe) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._closed = False
        self._sending = False
        self._receiving = False

    async def send(self, item: bytes) -> None:
        """Send all of *item*, waiting for room when the other end is slow.

        Cancelled: part of it may have been sent.

        Raises:
          ClosedResourceError: this end was closed.
          BrokenResourceError: the other end was.
          BusyResourceError: another task is sending.
        """
        await anyio.lowlevel.checkpoint()
        if self._sending:
            raise BusyResourceError("sending to")
        self._sending = True
        try:
            rest = memoryview(item)
            while rest:
                rest = rest[self._put(rest) :]
                if rest:
                    await self._outgoing.wait()
        finally:
            self._sending = False

    def _put(self, data: memoryview) -> int:
        pipe = self._outgoing
        if self._closed or pipe.ended:
            raise ClosedResourceError
        if pipe.broken:
            raise BrokenResourceError
        room = max(_BUFFER - len(pipe.data), 0)
        if room and data:
            pipe.data += data[:room]
            pipe.change()
        return min(room, len(data))

    async def receive(self, max_bytes: int = _BUFFER) -> bytes:
        """Return at least one byte and at most *max_bytes*.

        Cancelled: nothing was taken.

        Raises:
          EndOfStream: the other end closed, and everything that it sent was received.
          ClosedResourceError: this end was closed.
          BrokenResourceError: the other end aborted.
          BusyResourceError: another task is receiving.
        """
        await anyio.lowlevel.checkpoint()
        if self._receiving:
            raise BusyResourceError("receiving from")
        self._receiving = True
        try:
            while not self._incoming.data:
                self._check_incoming()
                await self._incoming.wait()
            return self._take(max_bytes)
        finally:
            self._receiving = False

    def _check_incoming(self) -> None:
        if self._closed:
            raise ClosedResourceError
        if self._incoming.broken:
            raise BrokenResourceError
        if self._incoming.ended:
            raise EndOfStream

    def _take(self, max_bytes: int) -> bytes:
        if self._closed:
            raise ClosedResourceError
        data = bytes(self._incoming.data[:max_bytes])
        del self._incoming.data[:max_bytes]
        self._incoming.change()
        return data

    async def send_eof(self) -> None:
        """Say that nothing more will be sent; the other direction stays open."""
        self._outgoing.ended = True
        self._outgoing.change()
        await anyio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        """Close both directions; the other end still gets what was sent. Never blocks."""
        self.close()
        await anyio.lowlevel.checkpoint()

    def close(self) -> None:
        """Close both directions without a checkpoint."""
        self._closed = True
        self._outgoing.ended = True
        self._incoming.broken = True
        self._incoming.data.clear()
        self._outgoing.change()
        self._incoming.change()

    def abort(self) -> None:
        """Break the connection as a reset does: what was not read yet is lost."""
        self._outgoing.broken = True
        self._outgoing.data.clear()
        self.close()


def memory_connection() -> tuple[MemoryStream, MemoryStream]:
    """Return the two ends of a new connection."""
    there, back = _Pipe(), _Pipe()
    return MemoryStream(back, there), MemoryStream(there, back)
