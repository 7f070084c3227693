"""Frames: a big-endian four-byte length, then that many bytes.

Sans-IO. ``FrameBuffer`` takes bytes however the network cut them and gives whole frames back. It reads each byte
once (an offset moves, the buffer is compacted now and then), where ``ibapi.comm.read_msg`` copies the whole backlog
for every message.
"""

from __future__ import annotations

from struct import Struct

from ..errors import FrameTooLarge

__all__ = ["MAX_FRAME", "FrameBuffer", "frame"]

MAX_FRAME = 0xFFFFFF
"""The longest frame that ibapi's own reader takes (its ``MAX_MSG_LEN``): 16 MiB less one byte."""

_HEADER = Struct("!I")
_COMPACT_AT = 1 << 16


def frame(body: bytes) -> bytes:
    """Put the length in front of *body*."""
    return _HEADER.pack(len(body)) + body


class FrameBuffer:
    """Bytes in, frames out."""

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._limit = limit
        self._data = bytearray()
        self._offset = 0

    def __len__(self) -> int:
        """Return how many bytes wait for the rest of their frame."""
        return len(self._data) - self._offset

    def receive_data(self, data: bytes) -> None:
        """Add what the network gave."""
        if self._offset >= _COMPACT_AT or self._offset == len(self._data):
            del self._data[: self._offset]
            self._offset = 0
        self._data += data

    def next_frame(self) -> bytes | None:
        """Return the next whole frame without its length, or ``None`` until more bytes came.

        Raises:
          FrameTooLarge: as soon as the four bytes of a length above the limit are here, before any of the body.
        """
        body = self._offset + _HEADER.size
        if len(self._data) < body:
            return None
        (length,) = _HEADER.unpack_from(self._data, self._offset)
        if length > self._limit:
            raise FrameTooLarge(length, self._limit)
        if len(self._data) < body + length:
            return None
        self._offset = body + length
        return bytes(self._data[body : self._offset])

    def peek(self) -> bytes:
        """Return what has not been taken as a frame yet, for an error message."""
        return bytes(self._data[self._offset : self._offset + 80])
