"""``Journal``: what was about to be sent, on disk before it is sent, so that a new process knows what the old one did.

SQLite, from the standard library. Its calls block, so that they run in a worker thread, one at a time: the only thread
of this package. ``write`` returns when its statements are on the disk (one fsync for all who wait at that moment),
``note`` does not wait. What could not be written is an error of the next ``write``, so that no order is sent that the
journal does not have.

The file belongs to one book at a time: SQLite's lock on it is kept while it is open, and goes with the process.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import msgspec

from ..errors import JournalError
from ._states import FINAL

__all__ = ["FillRow", "Journal", "Row", "default_path", "described", "fingerprint"]

Statement = tuple[str, tuple[Any, ...]]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    ref TEXT PRIMARY KEY, client_id INTEGER NOT NULL, order_id INTEGER NOT NULL, perm_id INTEGER NOT NULL,
    contract TEXT NOT NULL, "order" TEXT NOT NULL, fingerprint TEXT NOT NULL, state TEXT NOT NULL,
    reason TEXT NOT NULL, written TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS fills (
    base TEXT PRIMARY KEY, exec_id TEXT NOT NULL, ref TEXT NOT NULL, quantity TEXT NOT NULL, price REAL NOT NULL,
    side TEXT NOT NULL, time TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Row(msgspec.Struct, frozen=True):
    """An order in the journal."""

    ref: str
    client_id: int
    order_id: int
    perm_id: int
    contract: str
    order: str
    fingerprint: str
    state: str


class FillRow(msgspec.Struct, frozen=True):
    """An execution in the journal."""

    exec_id: str
    ref: str
    quantity: str
    price: float
    side: str
    time: str


class _Write:
    def __init__(self, statements: tuple[Statement, ...]) -> None:
        self.statements = statements
        self.done = anyio.Event()
        self.error: sqlite3.Error | None = None


class Journal:
    """The journal of one book."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database: sqlite3.Connection | None = None
        self._pending: list[_Write] = []
        self._failed: list[Statement] = []
        self._work = anyio.Event()
        self._one = anyio.Lock()
        self._running = False
        self._closing = False

    # --- life

    async def open(self, client_id: int) -> list[Row]:
        """Open or make the file, and return the orders of a client that were not over.

        Raises:
          JournalError: it cannot be opened, or another book has it open.
        """
        try:
            return await anyio.to_thread.run_sync(self._open, client_id)
        except (sqlite3.Error, OSError) as exc:
            raise JournalError(
                f"the journal {self.path} cannot be opened: {exc}. Is another program using it? "
                "client.orders(journal=…) takes another path, or False for no journal"
            ) from exc

    def _open(self, client_id: int) -> list[Row]:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=1.0)
        try:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            database.executescript("BEGIN IMMEDIATE;" + _SCHEMA + "COMMIT;")
            self.path.chmod(0o600)
            open_rows = f"client_id = ? AND state NOT IN ({', '.join('?' * len(FINAL))}) ORDER BY order_id"
            rows = _rows(database, open_rows, (client_id, *sorted(FINAL)))
        except BaseException:
            database.close()
            raise
        self._database = database
        return rows

    async def fact(self, name: str) -> str | None:
        """Return a remembered fact."""
        return await anyio.to_thread.run_sync(self._fact, name)

    async def highest_order_id(self, client_id: int) -> int:
        """Return the highest order id that a client is known to have used, 0 for none."""
        return await anyio.to_thread.run_sync(self._highest_order_id, client_id)

    def _highest_order_id(self, client_id: int) -> int:
        assert self._database is not None
        [[highest]] = self._database.execute("SELECT max(order_id) FROM orders WHERE client_id = ?", (client_id,))
        return int(highest or 0)

    async def rows(self, refs: Iterable[str]) -> list[Row]:
        """Return the orders that have one of these references, those that are over too."""
        wanted = list(refs)
        return await anyio.to_thread.run_sync(self._rows_of, wanted) if wanted else []

    def _rows_of(self, refs: list[str]) -> list[Row]:
        assert self._database is not None
        return [row for ref in refs for row in _rows(self._database, "ref = ?", (ref,))]

    async def fills(self, ref: str) -> list[FillRow]:
        """Return the executions of an order."""
        return await anyio.to_thread.run_sync(self._fills, ref)

    def _fills(self, ref: str) -> list[FillRow]:
        assert self._database is not None
        columns = ", ".join(FillRow.__struct_fields__)
        found = self._database.execute(f"SELECT {columns} FROM fills WHERE ref = ? ORDER BY rowid", (ref,))
        return [FillRow(*row) for row in found]

    def _fact(self, name: str) -> str | None:
        assert self._database is not None
        row = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

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

    async def close(self) -> None:
        """Write what is left and close the file; cannot be cancelled."""
        self._closing = True
        self._work.set()
        with anyio.CancelScope(shield=True):
            await self._flush()
            database, self._database = self._database, None
            if database is not None:
                await anyio.to_thread.run_sync(database.close)

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
            error: sqlite3.Error | None = None
            with anyio.CancelScope(shield=True):
                try:
                    await anyio.to_thread.run_sync(self._commit, [each.statements for each in batch])
                except sqlite3.Error as exc:
                    error = exc
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
        self._database.execute("BEGIN IMMEDIATE")
        try:
            for sql, values in self._failed:
                self._database.execute(sql, values)
            for statements in batch:
                for sql, values in statements:
                    self._database.execute(sql, values)
            self._database.execute("COMMIT")
        except sqlite3.Error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise


def _rows(database: sqlite3.Connection, condition: str, values: tuple[Any, ...]) -> list[Row]:
    columns = ", ".join(f'"{name}"' for name in Row.__struct_fields__)
    return [Row(*row) for row in database.execute(f"SELECT {columns} FROM orders WHERE {condition}", values)]


# --- statements --------------------------------------------------------------------------------------------------


def order_is(row: Row, reason: str = "") -> Statement:
    """An order is about to be sent, or was changed."""
    names = (*Row.__struct_fields__, "reason")
    columns = ", ".join(f'"{name}"' for name in names)
    values = (*(getattr(row, name) for name in Row.__struct_fields__), reason)
    return f"INSERT OR REPLACE INTO orders ({columns}) VALUES ({', '.join('?' * len(names))})", values


def state_is(ref: str, state: str, perm_id: int, reason: str) -> Statement:
    """An order went into another state."""
    return "UPDATE orders SET state = ?, perm_id = ?, reason = ? WHERE ref = ?", (state, perm_id, reason, ref)


def forgotten(ref: str) -> Statement:
    """An order was not sent after all."""
    return "DELETE FROM orders WHERE ref = ?", (ref,)


def fill_is(base: str, ref: str, fill: Any) -> Statement:
    """An execution, or the correction of one."""
    return (
        "INSERT OR REPLACE INTO fills (base, exec_id, ref, quantity, price, side, time) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (base, fill.exec_id, ref, str(fill.quantity), fill.price, fill.side, fill.time),
    )


def fact_is(name: str, value: str | None) -> Statement:
    """Remember, or forget, a fact."""
    if value is None:
        return "DELETE FROM facts WHERE name = ?", (name,)
    return "INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", (name, value)


# --- what is written ---------------------------------------------------------------------------------------------


def default_path(account: str, client_id: int) -> Path:
    """Return where a journal lies: one per account and client, where the system has the state of programs."""
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or home / ".local" / "state")
    name = "".join(character for character in account if character.isalnum()) or "account"
    return base / "trio_ibtws" / f"orders-{name}-{client_id}.sqlite"


def described(noun: Any) -> str:
    """Return the attributes of a contract or an order that differ from a new one's, as JSON."""
    defaults = vars(type(noun)())
    given = {name: value for name, value in vars(noun).items() if name not in defaults or value != defaults[name]}
    return json.dumps(given, default=_plain, sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    return {"object": type(value).__name__, "values": vars(value)}


def restored(kind: type[Any], text: str) -> Any:
    """Return what ``described`` wrote, less the objects in it."""
    noun = kind()
    for name, value in json.loads(text).items():
        if isinstance(value, Mapping):
            if "decimal" in value:
                setattr(noun, name, Decimal(value["decimal"]))
        elif not isinstance(value, list):
            setattr(noun, name, value)
    return noun


_GIVEN_BY_US = ("orderId", "permId", "clientId", "parentId", "transmit")


def fingerprint(contract: Any, order: Any) -> str:
    """Return what tells two orders of one reference apart: a digest of all that the user decided."""
    bare = json.loads(described(order))
    for name in _GIVEN_BY_US:
        bare.pop(name, None)
    text = described(contract) + json.dumps(bare, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
