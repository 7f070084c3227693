"""``Outbox``: whole frames that wait for the writer, in the order in which they may go.

Order frames (placeOrder, cancelOrder, reqGlobalCancel, exerciseOptions) go before data requests, and never overtake
each other; data requests never overtake each other either. So the cancel of an order never goes before an earlier,
unsent order, and never waits behind a thousand data requests.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

__all__ = ["Entry", "Outbox"]


class Entry:
    """One frame in the outbox. *written* is true from the moment the writer took it."""

    __slots__ = ("data", "dropped", "on_written", "written")

    def __init__(self, data: bytes, on_written: Callable[[], None] | None = None) -> None:
        self.data: bytes = data
        self.on_written: Callable[[], None] | None = on_written
        self.written: bool = False
        self.dropped: bool = False


class Outbox:
    """Frames in, frames out, two queues; *wake* is called when there is something to write."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._orders: deque[Entry] = deque()
        self._data: deque[Entry] = deque()
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._orders) + len(self._data) - self._dropped

    def append(self, data: bytes, *, orders: bool = False, on_written: Callable[[], None] | None = None) -> Entry:
        """Queue one frame behind those of its kind."""
        entry = Entry(data, on_written)
        (self._orders if orders else self._data).append(entry)
        self._wake()
        return entry

    def remove(self, entry: Entry) -> bool:
        """Take *entry* back; return whether it was still unwritten, so that TWS never hears of it."""
        if entry.written:
            return False
        if not entry.dropped:
            entry.dropped = True
            self._dropped += 1
        return True

    def take(self) -> Entry | None:
        """Return the next frame to write, or ``None``; from here on it counts as written."""
        for queue in (self._orders, self._data):
            while queue:
                entry = queue.popleft()
                if entry.dropped:
                    self._dropped -= 1
                    continue
                entry.written = True
                if entry.on_written is not None:
                    entry.on_written()
                return entry
        return None
