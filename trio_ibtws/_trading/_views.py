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
from anyio.lowlevel import checkpoint

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
        self,
        key: Callable[[T], Hashable],
        *,
        takes: type[Any],
        gone: Callable[[T], bool] = lambda row: False,
        older: Callable[[T, T], bool] = lambda row, known: False,
        single: bool = False,
    ) -> None:
        """Keep rows by *key*; *single*: there is one, and it comes without an end."""
        self._key = key
        self._takes = takes
        self._gone = gone
        self._older = older
        self._single = single
        self._rows: dict[Hashable, T] = {}
        self._told: set[Hashable] = set()
        self._confirmed = -math.inf
        self._changed = anyio.Event()
        self.confirmed_at: datetime | None = None
        """When TWS last said something about these rows, ``None`` before it did."""
        self.complete: bool = False
        """Whether all has come that TWS had when it was asked."""
        self.error: Exception | None = None
        """Why no more comes, ``None`` while it does."""
        self.stale: str | None = None
        """Why the rows may be old: the session ended, or TWS is not connected to IB. ``None`` while nothing says so."""

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
            await self.changed()

    async def changed(self) -> None:
        """Wait for the next message about these rows, or for news of how fresh they are (``stale``).

        Raises:
          RequestError: TWS refused them. ConnectionLost, ClientClosed: the session ended; no more comes.
        """
        await checkpoint()
        if self.error is None:
            await self._changed.wait()
        if self.error is not None:
            raise self.error

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
            self.complete = self.complete or self._single
            self.confirm()

    def _put(self, row: T) -> None:
        key = self._key(row)
        self._told.add(key)
        if self._gone(row):
            self._rows.pop(key, None)
        elif key not in self._rows or not self._older(row, self._rows[key]):
            self._rows[key] = row

    def finish(self) -> None:
        """All has come that TWS had."""
        self.complete = True
        self.confirm()

    def fail(self, error: Exception) -> None:
        """No more will come."""
        if self.error is None:
            self.error = error
            self.stale = str(error)
        self._wake()

    def doubt(self, why: str | None) -> None:
        """From now on the rows may be old, or, without a reason, they are not."""
        if self.error is None:
            self.stale = why
            self._wake()

    def ask(self) -> None:
        """All rows are about to be asked for."""
        self._told.clear()

    def answered(self) -> None:
        """All rows have come since ``ask``, and what happened meanwhile: what was not told of is no more."""
        self._rows = {key: row for key, row in self._rows.items() if key in self._told}
        self.stale = None if self.error is None else self.stale
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
