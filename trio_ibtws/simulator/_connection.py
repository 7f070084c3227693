"""The bytes of one client: what waits to be written, and what to do when the client does not read.

A client that is slow hurts nobody else: what it should get waits here, market data is left out while much waits (the
next tick says it better), its own requests are not read meanwhile, and at the hard limit it is disconnected.
"""

from __future__ import annotations

import anyio
from anyio import BrokenResourceError, ClosedResourceError
from anyio.abc import ByteStream

from .._runtime._framing import frame

__all__ = ["Connection"]

_CROWDED = 1 << 20
_FULL = 1 << 26
_CHUNK = 1 << 16


class Connection:
    """The outgoing half of a client's byte stream."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._waiting = bytearray()
        self._changed = anyio.Event()
        self._abort = False
        self._stalled = False
        self._gather = 0
        self._chunk = _CHUNK
        self.muted: bool = False
        """While set, what is sent is thrown away."""
        self.deaf = False
        """While set, what the client sends is thrown away."""
        self.closed: bool = False
        """No more is sent; what waits still goes out, unless the connection was aborted."""

    @property
    def crowded(self) -> bool:
        """Whether so much waits that market data is better left out."""
        return len(self._waiting) > _CROWDED

    def send(self, body: bytes) -> None:
        """Queue a frame."""
        self.send_bytes(frame(body))

    def send_bytes(self, data: bytes) -> None:
        """Queue bytes that need not be a frame."""
        if self.closed or self.muted:
            return
        self._waiting += data
        self._gather = max(self._gather - 1, 0)
        if len(self._waiting) > _FULL:
            self.abort()
        self._change()

    def close(self) -> None:
        """Close after what waits has been written."""
        self.closed = True
        self._change()

    def abort(self) -> None:
        """Close now, as a reset."""
        self._abort = True
        self._waiting.clear()
        self.close()

    # --- faults --------------------------------------------------------------------------------------------------

    def stall(self) -> None:
        """Write nothing for now; what is sent waits."""
        self._stalled = True

    def resume(self) -> None:
        """Write again."""
        self._stalled = False
        self._change()

    def split(self, size: int | None) -> None:
        """From now on write pieces of *size* bytes; ``None``: as they come."""
        self._chunk = size or _CHUNK

    def gather(self, count: int) -> None:
        """Write the next *count* messages all at once."""
        self._gather = count

    # --- the writer ----------------------------------------------------------------------------------------------

    def _change(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def room(self) -> None:
        """Wait until not much waits to be written any more."""
        while self.crowded and not self.closed:
            await self._changed.wait()

    @property
    def _held(self) -> bool:
        """Whether nothing is to be written now; a connection that is being closed writes what waits."""
        return not self.closed and (self._stalled or self._gather > 0)

    async def write(self) -> None:
        """Write what waits, as it comes, and close the stream in the end."""
        try:
            while self._waiting or not self.closed:
                if self._held or not self._waiting:
                    await self._changed.wait()
                    continue
                await self._write_chunk()
        except (BrokenResourceError, ClosedResourceError):
            await self._fall_silent()
        finally:
            self.closed = True
            await self._close_stream()

    async def _fall_silent(self) -> None:
        """The client reads no more. What it sent before is served all the same, until its reader comes to the end."""
        self.muted = True
        self._waiting.clear()
        self._change()
        while not self.closed:
            await self._changed.wait()

    async def _write_chunk(self) -> None:
        chunk = bytes(self._waiting[: self._chunk])
        del self._waiting[: len(chunk)]
        self._change()
        if not self._abort:
            await self._stream.send(chunk)

    async def _close_stream(self) -> None:
        abort = getattr(self._stream, "abort", None)
        if self._abort and abort is not None:
            abort()
        await anyio.aclose_forcefully(self._stream)
