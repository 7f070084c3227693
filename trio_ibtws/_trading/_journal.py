"""``Journal``: what was about to be sent, on disk before it is sent, so that a new process knows what the old one did.

SQLite, from the standard library. Its calls block, so that they run in a worker thread, one at a time: the only thread
of this package. ``write`` returns when its statements are on the disk (one fsync for all who wait at that moment),
``note`` does not wait. What could not be written is an error of the next ``write``, so that no order is sent that the
journal does not have.

The file belongs to one book at a time: SQLite's lock on it is kept while it is open, and goes with the process.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from ..errors import JournalError
from ._journal_file import OPEN, highest_order_id, open_file, prune
from ._journal_rows import FillRow, Row, Statement

__all__ = ["Journal"]

T = TypeVar("T")

_UNWRITABLE = (sqlite3.Error, OverflowError, ValueError)


class _Write:
    def __init__(self, statements: tuple[Statement, ...]) -> None:
        self.statements = statements
        self.done = anyio.Event()
        self.error: Exception | None = None


class Journal:
    """The journal of one book."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database: sqlite3.Connection | None = None
        self._pending: list[_Write] = []
        self._failed: list[Statement] = []
        self._reason: Exception | None = None
        self._work = anyio.Event()
        self._one = anyio.Lock()
        self._running = False
        self._closing = False

    # --- life

    async def open(self, client_id: int, keep_days: float | None = None) -> list[Row]:
        """Open or make the file, and return the orders of a client of which it is not known that they are over.

        Orders that TWS said are over, and nothing was written about in *keep_days* days, are taken out of it.

        Raises:
          JournalError: it cannot be opened, another book has it open, it is damaged, or of a newer release.
        """
        try:
            return await anyio.to_thread.run_sync(self._open, client_id, keep_days)
        except (sqlite3.Error, OSError) as exc:
            raise JournalError(
                f"the journal {self.path} cannot be opened: {exc}. Is another program using it, or is it damaged? "
                "client.orders(journal=…) takes another path, or False for no journal. Nothing was sent"
            ) from exc

    def _open(self, client_id: int, keep_days: float | None) -> list[Row]:
        database = open_file(self.path)
        try:
            if keep_days is not None:
                prune(database, keep_days)
            rows = _rows(database, f"client_id = ? AND {OPEN} ORDER BY order_id", (client_id,))
        except BaseException:
            database.close()
            raise
        self._database = database
        return rows

    async def _read(self, query: Callable[..., T], *arguments: Any) -> T:
        assert self._database is not None
        try:
            return await anyio.to_thread.run_sync(query, self._database, *arguments)
        except (sqlite3.Error, ValueError, TypeError) as exc:
            raise JournalError(
                f"the journal {self.path} is damaged and cannot be read: {exc}. Nothing was sent"
            ) from exc

    async def fact(self, name: str) -> str | None:
        """Return a remembered fact."""
        return await self._read(_fact, name)

    async def highest_order_id(self, client_id: int) -> int:
        """Return the highest order id that a client is known to have used, 0 for none."""
        return await self._read(highest_order_id, client_id)

    async def rows(self, refs: Iterable[str]) -> list[Row]:
        """Return the orders that have one of these references, those that are over too."""
        wanted = list(refs)
        return await self._read(_rows_of, wanted) if wanted else []

    async def fills(self, ref: str) -> list[FillRow]:
        """Return the executions of an order."""
        return await self._read(_fills, ref)

    async def run(self) -> None:
        """Write what is noted, until it is closed or cancelled. What is left then is written by ``close``."""
        self._running = True
        try:
            while not self._closing:
                await self._work.wait()
                self._work = anyio.Event()
                await self._flush()
        finally:
            self._running = False

    async def close(self) -> JournalError | None:
        """Write what is left and close the file; cannot be cancelled. Returns why something could not be written."""
        self._closing = True
        self._work.set()
        with anyio.CancelScope(shield=True):
            await self._flush()
            database, self._database = self._database, None
            if database is not None:
                await anyio.to_thread.run_sync(database.close)
        if not self._failed:
            return None
        return JournalError(
            f"the journal {self.path} could not be written at the end, {len(self._failed)} entries are missing: "
            f"{self._reason}. The next book asks TWS what became of its orders"
        )

    # --- writing

    def note(self, *statements: Statement) -> None:
        """Have *statements* written soon."""
        self._pending.append(_Write(statements))
        self._work.set()

    async def write(self, *statements: Statement) -> None:
        """Write *statements*, in one transaction, and return when they are on the disk.

        Cancelled: they may be written or not.

        Raises:
          JournalError: they are not.
        """
        write = _Write(statements)
        self._pending.append(write)
        self._work.set()
        if self._running:
            await write.done.wait()
        else:
            await self._flush()
        if write.error is not None:
            raise JournalError(f"the journal {self.path} cannot be written: {write.error}. Nothing was sent") from (
                write.error
            )

    async def _flush(self) -> None:
        """Write all that is pending, in one transaction; notes that fail are kept for the next one."""
        async with self._one:
            batch, self._pending = self._pending, []
            if not batch:
                return
            error: Exception | None = None
            with anyio.CancelScope(shield=True):
                try:
                    await anyio.to_thread.run_sync(self._commit, [each.statements for each in batch])
                except _UNWRITABLE as exc:
                    error = self._reason = exc
            for write in batch:
                write.error = error
                write.done.set()
            if error is not None:
                self._failed.extend(statement for write in batch for statement in write.statements)
            else:
                self._failed.clear()

    def _commit(self, batch: list[tuple[Statement, ...]]) -> None:
        """Write, in the worker thread."""
        if self._database is None:
            raise sqlite3.ProgrammingError("it is closed")
        if not self.path.exists():  # what SQLite writes now nobody will find
            raise sqlite3.OperationalError("the file was taken away")
        self._database.execute("BEGIN IMMEDIATE")
        try:
            for sql, values in self._failed:
                self._database.execute(sql, values)
            for statements in batch:
                for sql, values in statements:
                    self._database.execute(sql, values)
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise


# --- questions, asked in the worker thread


def _rows(database: sqlite3.Connection, condition: str, values: tuple[Any, ...]) -> list[Row]:
    columns = ", ".join(f'"{name}"' for name in Row.__struct_fields__)
    return [Row(*row) for row in database.execute(f"SELECT {columns} FROM orders WHERE {condition}", values)]


def _rows_of(database: sqlite3.Connection, refs: list[str]) -> list[Row]:
    return [row for ref in refs for row in _rows(database, "ref = ?", (ref,))]


def _fills(database: sqlite3.Connection, ref: str) -> list[FillRow]:
    columns = ", ".join(FillRow.__struct_fields__)
    found = database.execute(f"SELECT {columns} FROM fills WHERE ref = ? ORDER BY rowid", (ref,))
    return [FillRow(*row) for row in found]


def _fact(database: sqlite3.Connection, name: str) -> str | None:
    row = database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])
