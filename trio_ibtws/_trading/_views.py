"""``View``: rows that TWS keeps current, and how old what they say is.

A view is the sink of its request: it is changed by the reader in the moment in which a message comes, so that it needs
no task, no buffer and nobody who reads it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio

from .._runtime._events import EndOfSnapshot, Notice
from .._runtime._tables import to_pandas, to_polars

if TYPE_CHECKING:
    import pandas
    import polars

__all__ = ["Feed", "View"]

T = TypeVar("T")


class View(Generic[T]):
    """Rows of one kind, as TWS told them last.

    Iterate over it for the rows; ``snapshot()`` keeps them.
    """

    def __init__(
        self, key: Callable[[T], Hashable], *, takes: type[Any], gone: Callable[[T], bool] = lambda row: False
    ) -> None:
        self._key = key
        self._takes = takes
        self._gone = gone
        self._rows: dict[Hashable, T] = {}
        self._confirmed = -math.inf
        self._changed = anyio.Event()
        self.confirmed_at: datetime | None = None
        """When TWS last said something about these rows, ``None`` before it did."""
        self.complete: bool = False
        """Whether all has come that TWS had when it was asked."""
        self.error: Exception | None = None
        """Why no more comes, ``None`` while it does."""

    # --- what users see

    def __iter__(self) -> Iterator[T]:
        return iter(self.snapshot())

    def __len__(self) -> int:
        return len(self._rows)

    def snapshot(self) -> tuple[T, ...]:
        """Return the rows as they are now: plain values that do not change any more."""
        return tuple(self._rows.values())

    @property
    def age(self) -> float:
        """The seconds since TWS last said something about these rows; infinite before it did."""
        return anyio.current_time() - self._confirmed

    async def ready(self) -> None:
        """Wait until the rows are complete.

        Raises:
          RequestError: TWS refused them. ConnectionLost, ClientClosed: the session ended before.
        """
        while not self.complete:
            if self.error is not None:
                raise self.error
            await self.changed()

    async def changed(self) -> None:
        """Wait for the next message about these rows, or their end."""
        await self._changed.wait()

    def to_pandas(self) -> pandas.DataFrame:
        """Return the rows as a pandas table; raises ``ImportError`` without pandas (``trio-ibtws[pandas]``)."""
        return to_pandas(self.snapshot())

    def to_polars(self) -> polars.DataFrame:
        """Return the rows as a polars table; raises ``ImportError`` without polars (``trio-ibtws[polars]``)."""
        return to_polars(self.snapshot())

    # --- what the feed says

    def take(self, event: Any) -> None:
        """Take an event, if it is a row of this kind."""
        if isinstance(event, self._takes):
            self._put(event)
            self.confirm()

    def _put(self, row: T) -> None:
        if self._gone(row):
            self._rows.pop(self._key(row), None)
        else:
            self._rows[self._key(row)] = row

    def finish(self) -> None:
        """All has come that TWS had."""
        self.complete = True
        self.confirm()

    def fail(self, error: Exception) -> None:
        """No more will come."""
        if self.error is None:
            self.error = error
        self._wake()

    def replace(self, rows: Iterable[T]) -> None:
        """These are all rows there are."""
        self._rows.clear()
        for row in rows:
            self._put(row)
        self.finish()

    def confirm(self) -> None:
        """TWS has said something about these rows now."""
        self._confirmed = anyio.current_time()
        self.confirmed_at = datetime.now(UTC)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


class Feed:
    """The sink of a request that keeps views current."""

    finished = False
    stream = True

    def __init__(self, *views: View[Any]) -> None:
        self._views = views

    def item(self, event: Any) -> None:
        for view in self._views:
            if isinstance(event, EndOfSnapshot):
                view.finish()
            else:
                view.take(event)

    def items(self, events: Iterable[Any], done: bool) -> None:
        for event in events:
            self.item(event)

    def end(self, value: Any = None) -> None:
        for view in self._views:
            view.finish()

    def fail(self, error: Exception) -> None:
        for view in self._views:
            view.fail(error)

    def complete(self, notice: Notice) -> None:
        """TWS has no rows."""
        self.end()

    def notice(self, notice: Notice) -> None:
        """A warning changes no row."""
