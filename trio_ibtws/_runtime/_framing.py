"""Frames: a big-endian four-byte length, then that many bytes.

Sans-IO. ``FrameBuffer`` takes bytes however the network cut them and gives whole frames back. It copies each byte
twice at the most, where ``ibapi.comm.read_msg`` copies the whole backlog for every message: pieces of a frame are
kept apart until it is whole, and what came in one piece is cut without being put together first.
"""

from __future__ import annotations

from struct import Struct

from ..errors import FrameTooLarge

__all__ = ["MAX_FRAME", "FrameBuffer", "frame"]

MAX_FRAME = 0xFFFFFF
"""The longest frame that ibapi's own reader takes (its ``MAX_MSG_LEN``): 16 MiB less one byte."""

_HEADER = 4
_LENGTH = Struct("!I")
_CUT_AT_ONCE = 1024


def frame(body: bytes) -> bytes:
    """Put the length in front of *body*."""
    return _LENGTH.pack(len(body)) + body


class FrameBuffer:
    """Bytes in, frames out."""

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._limit = limit
        self._data = b""
        self._offset = 0
        self._pieces: list[bytes] = []
        self._in_pieces = 0
        self._wanted = _HEADER
        self._cut: list[bytes] = []  # whole frames, the next one last

    def __len__(self) -> int:
        """Return how many bytes wait to be taken as a frame."""
        return sum(len(body) + _HEADER for body in self._cut) + len(self._data) - self._offset + self._in_pieces

    def receive_data(self, data: bytes) -> None:
        """Add what the network gave."""
        self._pieces.append(data)
        self._in_pieces += len(data)

    def next_frame(self) -> bytes | None:
        """Return the next whole frame without its length, or ``None`` until more bytes came.

        Raises:
          FrameTooLarge: as soon as the four bytes of a length above the limit are here, before any of the body.
        """
        whole = self.whole()
        return whole.pop() if whole else None

    def whole(self) -> list[bytes]:
        """Return frames that are whole, the next one last, for the caller to take from there; raises as ``next_frame``.

        It is empty until more bytes came; of a long backlog it is the beginning.
        """
        if not self._cut:
            self._cut_frames()
        return self._cut

    def _cut_frames(self) -> None:
        """Cut the next frames, if there is one; a long backlog not all at once, that it is not there twice."""
        if len(self._data) - self._offset + self._in_pieces < self._wanted:
            return
        self._put_together()
        data, offset, end, limit = self._data, self._offset, len(self._data), self._limit
        unpack_from = _LENGTH.unpack_from
        cut: list[bytes] = []
        while len(cut) < _CUT_AT_ONCE:
            body = offset + _HEADER
            if body > end:
                break
            (length,) = unpack_from(data, offset)
            if length > limit or body + length > end:
                break
            offset = body + length
            cut.append(data[body:offset])
        self._offset = offset
        self._want(data[offset : offset + _HEADER], may_raise=not cut)
        cut.reverse()
        self._cut = cut

    def _put_together(self) -> None:
        if self._pieces:
            rest = self._data[self._offset :]
            self._data = b"".join((rest, *self._pieces)) if rest or len(self._pieces) > 1 else self._pieces[0]
            self._offset = self._in_pieces = 0
            self._pieces.clear()

    def _want(self, header: bytes, *, may_raise: bool) -> None:
        """Note how many bytes have to be here before there is something to cut."""
        self._wanted = _HEADER
        if len(header) == _HEADER:
            length = int.from_bytes(header, "big")
            if length <= self._limit:
                self._wanted += length
            elif may_raise:
                raise FrameTooLarge(length, self._limit)

    def peek(self) -> bytes:
        """Return what has not been taken as a frame yet, for an error message."""
        unread = [*map(frame, reversed(self._cut)), self._data[self._offset : self._offset + 80], *self._pieces[:80]]
        return b"".join(unread)[:80]
