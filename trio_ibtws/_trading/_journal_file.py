"""The file of a journal: made, opened, brought up to date and kept small. Everything here blocks.

``PRAGMA application_id`` says that it is a journal and ``user_version`` of which form; those of before have neither.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

__all__ = ["OPEN", "highest_order_id", "open_file", "prune"]

_JOURNAL = 0x7477_6F6A
_LOCK_SECONDS = 1.0

_ENDED = "state IN ('Filled', 'Cancelled', 'Rejected', 'NotSent')"
OPEN = f"NOT {_ENDED}"
"""Orders that are not over by TWS's own word: one that was not found may turn up after all."""

_SCHEMA = """
CREATE TABLE orders (
    ref TEXT PRIMARY KEY, client_id INTEGER NOT NULL, order_id INTEGER NOT NULL, perm_id INTEGER NOT NULL,
    contract TEXT NOT NULL, "order" TEXT NOT NULL, fingerprint TEXT NOT NULL, state TEXT NOT NULL,
    reason TEXT NOT NULL, written TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE fills (
    base TEXT PRIMARY KEY, exec_id TEXT NOT NULL, ref TEXT NOT NULL, quantity TEXT NOT NULL, price REAL NOT NULL,
    side TEXT NOT NULL, time TEXT NOT NULL
);
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL)
"""
_CHANGES = (
    "ALTER TABLE fills ADD COLUMN leg INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE fills ADD COLUMN account TEXT NOT NULL DEFAULT ''",
)
"""What each form has more than the one before."""
_FORM = len(_CHANGES)


def open_file(path: Path) -> sqlite3.Connection:
    """Open or make a journal; it is ours alone until it is closed.

    Raises:
      sqlite3.Error, OSError: it cannot be opened, is in use, damaged, of another program or of a newer release.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite gives its files beside it the same rights
    path.chmod(0o600)
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_LOCK_SECONDS)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        form = _form_of(database)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("BEGIN IMMEDIATE")
        _bring_up_to_date(database, form)
        database.execute("COMMIT")
    except BaseException:
        database.close()
        raise
    return database


def _form_of(database: sqlite3.Connection) -> int | None:
    """Return the form of a journal, ``None`` for an empty file."""
    kind, form = (int(database.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("application_id", "user_version"))
    tables = {name for [name] in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables and kind == form == 0:
        return None
    if kind not in (0, _JOURNAL) or not {"orders", "fills", "facts"} <= tables or (kind == 0 and form):
        raise sqlite3.DatabaseError("it is a database of another program")
    if form > _FORM:
        raise sqlite3.DatabaseError(
            f"a newer release of trio_ibtws wrote it, in form {form}; this one knows up to {_FORM}"
        )
    [[damage]] = database.execute("PRAGMA quick_check(1)")
    if damage != "ok":
        raise sqlite3.DatabaseError(f"it is damaged: {damage}")
    return form


def _bring_up_to_date(database: sqlite3.Connection, form: int | None) -> None:
    steps = _SCHEMA.split(";") if form is None else []
    for statement in [*steps, *_CHANGES[form or 0 :]]:
        database.execute(statement)
    database.execute(f"PRAGMA application_id = {_JOURNAL}")
    database.execute(f"PRAGMA user_version = {_FORM}")


def highest_order_id(database: sqlite3.Connection, client_id: int) -> int:
    """Return the highest order id that a client used, of orders that were taken out too; 0 for none."""
    [[listed]] = database.execute("SELECT max(order_id) FROM orders WHERE client_id = ?", (client_id,))
    kept = database.execute("SELECT value FROM facts WHERE name = ?", (_highest(client_id),)).fetchone()
    return max(int(listed or 0), int(kept[0]) if kept else 0)


def _highest(client_id: int) -> str:
    return f"highest order id of {client_id}"


def prune(database: sqlite3.Connection, days: float) -> None:
    """Take out the orders that ended so many days ago by TWS's word, with their fills; their numbers stay used."""
    old = f"{_ENDED} AND written < datetime('now', ?)"
    since = (f"-{days * 86_400:.0f} seconds",)
    database.execute("BEGIN IMMEDIATE")
    try:
        clients = [number for [number] in database.execute(f"SELECT DISTINCT client_id FROM orders WHERE {old}", since)]
        for client_id in clients:
            highest = str(highest_order_id(database, client_id))
            database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (_highest(client_id), highest))
        database.execute(f"DELETE FROM fills WHERE ref IN (SELECT ref FROM orders WHERE {old})", since)
        database.execute(f"DELETE FROM orders WHERE {old}", since)
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
