"""Where events go: ``Answer`` gathers those of a query, ``Buffer`` holds those of a stream for its reader.

Sans-IO, and never blocking: the reader task pushes, and calls ``wake`` when there is something to wake up for. What
does not fit is a decision of the buffer's policy, never a wait.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Literal, Protocol

from ..errors import NoData, SlowConsumer
from ._events import EndOfSnapshot, Gap, Lagged, Notice
from ._result import Result
from ._rows import newest

__all__ = ["Answer", "Buffer", "Conflating", "Overflow", "Sink"]

Overflow = Literal["raise", "drop_oldest", "conflate"]
"""What a full buffer does: end the stream with ``SlowConsumer``, drop the oldest event, or keep the newest per key."""

NOTICES_KEPT = 100


def nobody() -> None:
    """Wake nobody: no task waits."""


class Sink(Protocol):
    """Takes what belongs to one caller."""

    def item(self, event: Any) -> None: ...
    def items(self, events: Iterable[Any], done: bool) -> None: ...
    def end(self, value: Any = None) -> None: ...
    def fail(self, error: Exception) -> None: ...
    def complete(self, notice: Notice) -> None: ...
    def notice(self, notice: Notice) -> None: ...

    @property
    def stream(self) -> bool:
        """Whether it takes events for as long as its reader stays, and not one answer."""
        ...

    @property
    def finished(self) -> bool:
        """Whether the answer is complete; a stream's never is."""
        ...


class Answer:
    """The answer to a query: one value (*single*), or the rows up to the end marker."""

    stream = False

    def __init__(self, wake: Callable[[], None], *, single: bool, updated: bool = False) -> None:
        """*updated* says that updates may come between the rows, so that the newest about each thing is the row."""
        self._wake = wake
        self._single = single
        self._updated = updated
        self._rows: list[Any] = []
        self._end: Any = None
        self._error: Exception | None = None
        self._over = False
        self.finished = False

    def item(self, event: Any) -> None:
        if not self._over:
            self._rows.append(event)
        if self._single:
            self._finish()

    def items(self, events: Iterable[Any], done: bool) -> None:
        if not self._over:
            self._rows.extend(events)
        if done:
            self._finish()

    def end(self, value: Any = None) -> None:
        if not self._over:
            self._end = value
        self._finish()

    def fail(self, error: Exception) -> None:
        """Take *error* in place of the answer; TWS may still be sending it."""
        if not self._over:
            self._error = error
            self._over = True
            self._wake()

    def complete(self, notice: Notice) -> None:
        """TWS has no more rows; where one value was asked for, there is none."""
        if self._single:
            self.fail(NoData(notice.code, notice.message))
        self._finish()

    def notice(self, notice: Notice) -> None:
        """A warning neither ends nor changes an answer."""

    def _finish(self) -> None:
        self.finished = True
        if self._single and not self._rows:
            self.fail(NoData(0, "the answer ended without the value that was asked for"))
        if not self._over:
            self._over = True
            self._wake()

    def result(self) -> Any:
        """Return the answer, or raise what took its place."""
        if self._error is not None:
            raise self._error
        if self._single:
            return self._rows[0]
        return Result(newest(self._rows) if self._updated else self._rows, self._end)


class Buffer:
    """The events of a stream between the reader task and the user's task."""

    stream = True

    def __init__(
        self,
        limit: int,
        overflow: Overflow = "raise",
        *,
        name: str = "stream",
        batches: bool = False,
        dropped: Callable[[int], None] = lambda count: None,
        crowded: Callable[[Buffer], None] = lambda buffer: None,
    ) -> None:
        self._events: deque[Any] = deque()
        self.limit = limit
        self._overflow = overflow
        self._name = name
        self._batch: list[Any] | None = [] if batches else None
        self._batch_told_empty = False
        self._dropped = dropped
        self._lagged = 0
        self._crowded_at = limit // 2
        self._crowded = crowded
        self.wake: Callable[[], None] = nobody
        self.failed: Callable[[], None] = nobody
        if not batches:
            self.item = self.push  # type: ignore[method-assign]  # one call less for each event
        if overflow == "raise":
            self.pop = self._events.popleft  # type: ignore[method-assign]  # nothing is dropped that it had to tell of
        self.error: Exception | None = None
        self._notices: deque[Notice] | None = None

    # --- the reader task's side

    finished = False  # whoever overflowed it still has to leave, and leaving cancels the line

    def item(self, event: Any) -> None:
        """Add to the batch; where there are none, ``push`` stands in the place of this."""
        assert self._batch is not None
        self._batch.append(event)
        self._batch_told_empty = False

    def items(self, events: Iterable[Any], done: bool) -> None:
        for event in events:
            self.push(event)

    def end(self, value: Any = None) -> None:
        if self._batch is None:
            self.push(EndOfSnapshot())
        elif self._batch_told_empty:
            self._batch_told_empty = False
        else:
            self.push(self._batch)
            self._batch = []

    def fail(self, error: Exception) -> None:
        """End the stream: *error* is raised when what is buffered has been read. The first error stays."""
        if self.error is None:
            self.error = error
            self._crowded_at = 0
            self.wake()
            self.failed()

    def complete(self, notice: Notice) -> None:
        """TWS has no rows now; a stream goes on. The end marker of that refresh, if one comes, is no second one."""
        self.notice(notice)
        if self._batch is not None:
            self.push(self._batch)
            self._batch = []
            self._batch_told_empty = True

    def notice(self, notice: Notice) -> None:
        if self._notices is None:  # as for most streams, for ever
            self._notices = deque(maxlen=NOTICES_KEPT)
        self._notices.append(notice)

    def push(self, event: Any) -> None:
        events = self._events
        if len(events) >= self._crowded_at and not self._has_room():
            return
        events.append(event)
        if self.wake is not nobody:
            self.wake()

    def _has_room(self) -> bool:
        """Whether one more event is wanted, asked when the buffer is half full or the stream has failed."""
        if self.error is not None:
            return False
        if len(self._events) < self.limit:
            self._crowded(self)
            return True
        return self._make_room()

    def _make_room(self) -> bool:
        self._dropped(1)
        if self._overflow == "raise":
            self.fail(
                SlowConsumer(
                    f"{self._name}: {self.limit} events were unread when one more came. Read faster, open it with a "
                    "larger buffer=, or choose overflow='drop_oldest'"
                )
            )
            return False
        self._events.popleft()
        self._lagged += 1
        return True

    def stop_signalling(self) -> None:
        """Say no more that it is half full, until it has been read empty: its reader does something else."""
        if self.error is None:
            self._crowded_at = self.limit

    def signal_again(self) -> None:
        """It has been read empty."""
        if self.error is None:
            self._crowded_at = self.limit // 2

    @property
    def crowded(self) -> bool:
        """Whether it is half full, and not given up yet."""
        return self._crowded_at <= len(self._events) < self.limit and self.error is None

    # --- the user's side

    @property
    def notices(self) -> tuple[Notice, ...]:
        """The newest."""
        return tuple(self._notices or ())

    def __len__(self) -> int:
        return len(self._events) + (1 if self._lagged else 0)

    def pop(self) -> Any:
        """Take the next event; ``Lagged`` stands where events were dropped. Raises IndexError when there is none."""
        if self._lagged:
            lagged = Lagged(self._lagged)
            self._lagged = 0
            return lagged
        return self._events.popleft()

    def pop_all(self) -> list[Any]:
        """Take every event."""
        taken = [self.pop()] if self._lagged else []
        taken += self._events
        self._events.clear()
        return taken


class Conflating(Buffer):
    """A buffer that keeps the newest event of each key, in the order in which the keys became unread.

    But what came after a ``Gap`` is read after it, or its reader would take it for something from before.
    """

    def __init__(self, limit: int, attributes: tuple[str, ...], *, name: str = "stream") -> None:
        super().__init__(limit, "conflate", name=name)
        self._attributes = attributes
        self._newest: dict[Any, Any] = {}
        self._gap = (Gap, *(None for _ in attributes))

    def push(self, event: Any) -> None:
        if self.error is None:
            key = (event.__class__, *(getattr(event, name, None) for name in self._attributes))
            if self._gap in self._newest:
                event = _as_one(self._newest.pop(key, event), event)
            self._newest[key] = event
            self.wake()

    def __len__(self) -> int:
        return len(self._newest)

    def pop(self) -> Any:
        """Take the newest event of the key that has been unread for longest; raises IndexError when there is none."""
        if not self._newest:
            raise IndexError("nothing is unread")
        return self._newest.pop(next(iter(self._newest)))

    def pop_all(self) -> list[Any]:
        """Take the newest event of every key."""
        taken = list(self._newest.values())
        self._newest.clear()
        return taken


def _as_one(unread: Any, event: Any) -> Any:
    """Return what is to be read of two events of one key: the newer one, but all of two gaps."""
    return Gap(event.reason, unread.since, event.until) if isinstance(event, Gap) else event
