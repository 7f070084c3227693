"""What stands in a journal: rows and statements, and contracts and orders as JSON; no file and no thread."""

from __future__ import annotations

import copy
import hashlib
import json
import math
import os
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ..orders import CHILD

if TYPE_CHECKING:
    from ibapi.order import Order

    from ._trade import Trade

__all__ = ["FillRow", "Row", "Statement", "default_path", "described", "fingerprint", "is_whole", "restored", "row_of"]

Statement = tuple[str, tuple[Any, ...]]


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
    leg: int
    account: str


def row_of(
    trade: Trade, order_id: int, order: Order | None = None, *, parent_id: int = 0, transmit: bool | None = None
) -> Row:
    """Return what the journal keeps of an order; *parent_id* and *transmit* are what a family is about to get."""
    record = trade.record
    order = copy.copy(record.order if order is None else order)
    if order.parentId == CHILD:
        order.parentId = parent_id
    if transmit is not None:
        order.transmit = transmit
    return Row(
        ref=trade.order_ref,
        client_id=record.client_id,
        order_id=order_id,
        perm_id=record.perm_id,
        contract=described(record.contract),
        order=described(order),
        fingerprint=trade.fingerprint,
        state=record.state,
    )


# --- statements --------------------------------------------------------------------------------------------------


def order_is(row: Row, reason: str = "") -> Statement:
    """An order is about to be sent, or was changed."""
    names = (*Row.__struct_fields__, "reason")
    columns = ", ".join(f'"{name}"' for name in names)
    values = (*(getattr(row, name) for name in Row.__struct_fields__), reason)
    return f"INSERT OR REPLACE INTO orders ({columns}) VALUES ({', '.join('?' * len(names))})", values


def state_is(ref: str, state: str, perm_id: int, reason: str) -> Statement:
    """An order went into another state."""
    return (
        "UPDATE orders SET state = ?, perm_id = ?, reason = ?, written = CURRENT_TIMESTAMP WHERE ref = ?",
        (state, _whole(perm_id), _text(reason), ref),
    )


def forgotten(ref: str) -> Statement:
    """An order was not sent after all."""
    return "DELETE FROM orders WHERE ref = ?", (ref,)


def fill_is(base: str, ref: str, fill: Any) -> Statement:
    """An execution, or the correction of one."""
    price = fill.price if math.isfinite(fill.price) else str(fill.price)  # SQLite takes NaN for NULL
    texts = [_text(part) for part in (base, fill.exec_id, ref, fill.quantity)]
    values = (*texts, price, _text(fill.side), _text(fill.time), int(fill.leg), _text(fill.account))
    columns = "base, exec_id, ref, quantity, price, side, time, leg, account"
    return f"INSERT OR REPLACE INTO fills ({columns}) VALUES ({', '.join('?' * len(values))})", values


def fact_is(name: str, value: str | None) -> Statement:
    """Remember, or forget, a fact."""
    if value is None:
        return "DELETE FROM facts WHERE name = ?", (name,)
    return "INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", (name, value)


def _text(value: Any) -> str:
    """Return TWS's text as SQLite takes it: without the halves of characters that damaged bytes become."""
    return str(value).encode("utf-8", "backslashreplace").decode()


def _whole(number: int) -> int:
    """Return TWS's number, or 0 for one that SQLite has no room for."""
    return number if -(2**63) <= number < 2**63 else 0


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


def is_whole(text: str) -> bool:
    """Whether ``restored`` gives back all that ``described`` wrote."""
    values = json.loads(text).values()
    return not any(isinstance(each, list) or (isinstance(each, Mapping) and "decimal" not in each) for each in values)


_GIVEN_BY_US = ("orderId", "permId", "clientId", "parentId", "transmit")


def fingerprint(contract: Any, order: Any) -> str:
    """Return what tells two orders of one reference apart: a digest of all that the user decided."""
    bare = json.loads(described(order))
    for name in _GIVEN_BY_US:
        bare.pop(name, None)
    text = described(contract) + json.dumps(bare, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
