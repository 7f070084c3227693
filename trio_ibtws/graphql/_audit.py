"""The audit log: every mutation is written down before it begins and when its outcome is known.

One line of JSON for each, appended: time, token id, operation, its hash, the arguments with account ids masked, and the
outcome. What cannot be written down is not done; but what reduces risk (a cancel, the kill switch) is done at once,
whatever becomes of the disk. A record is the system's before the mutation is begun, so that it outlives this process;
that an order outlives the machine is what the order book's journal is for.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ..errors import JournalError

if TYPE_CHECKING:
    from ._context import Context

__all__ = ["REDUCING_RISK", "AuditLog", "masked", "perform"]

REDUCING_RISK = frozenset({"cancelOrder", "reqGlobalCancel", "kill"})
"""Mutations that wait behind nothing: no turn, no disk."""

log = logging.getLogger("trio_ibtws.audit")

T = TypeVar("T")

_ACCOUNT_NAMES = frozenset({"account", "acctCode", "acctNumber", "clearingAccount", "customerAccount"})
_ACCOUNT = re.compile(r"\b(?:DU|DF|DI|U|F|I)\d{5,9}\b")
"""What an account id of IB looks like, wherever it stands in a text."""

_LONGEST_TEXT = 500


class AuditLog:
    """Appends records to a file of mode 0600, or gives them to the logger ``trio_ibtws.audit`` where there is no path.

    Args:
      path: the file; without one the records have the logger's level INFO, and it is yours to see that they are kept.

    Raises:
      JournalError: the file cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path: Path | None = None if path is None else Path(path)
        self._file: int | None = None
        if self.path is not None:
            try:
                self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            except OSError as exc:
                raise JournalError(f"the audit log {self.path} cannot be opened: {exc}") from exc

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one record.

        Raises:
          JournalError: it cannot be written.
        """
        line = json.dumps(record, default=_plain)
        if self._file is None:
            log.info("%s", line)
            return
        data = f"{line}\n".encode()
        try:
            written = os.write(self._file, data)
        except OSError as exc:
            raise JournalError(f"the audit log {self.path} cannot be written: {exc}") from exc
        if written != len(data):
            raise JournalError(f"the audit log {self.path} is full: {written} of {len(data)} bytes were written")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def masked(value: Any, accounts: Iterable[str] = (), *, name: str = "") -> Any:
    """Return *value* as the log shows it: account ids as ``DU***567``, long texts cut."""
    if isinstance(value, Mapping):
        return {key: masked(each, accounts, name=key) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(each, accounts, name=name) for each in value]
    if not isinstance(value, str):
        return value
    if name in _ACCOUNT_NAMES:
        return _mask(value)
    for account in accounts:
        value = value.replace(account, _mask(account))
    text = _ACCOUNT.sub(lambda found: _mask(found[0]), value)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}… ({len(text)} characters)"


def _mask(account: str) -> str:
    return f"{account[:2]}***{account[-3:]}" if len(account) > 5 else "***" * bool(account)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, msgspec.Struct):
        return {"is": type(value).__name__, **{name: getattr(value, name) for name in value.__struct_fields__}}
    return type(value).__name__


# --- mutations ---------------------------------------------------------------------------------------------------


async def perform(context: Context, name: str, args: Mapping[str, Any], run: Callable[[], Awaitable[T]]) -> T:
    """Run a mutation to its outcome and return it, written down before and after.

    Raises:
      JournalError: it cannot be written down, and was not begun. What reduces risk is begun all the same.
      What *run* raises.
    """
    shown = masked(args, context.client.accounts)
    text = json.dumps([name, shown], default=_plain, sort_keys=True)
    record = {"token": context.token_id, "operation": name, "hash": sha256(text.encode()).hexdigest()[:16]}
    begun = {"time": _now(), **record, "arguments": shown}
    if name in REDUCING_RISK:
        _note(context.audit, begun)
    else:
        context.audit.write(begun)
    outcome: Any = {"cancelled": "the outcome is not known"}
    try:
        result = await run()
        outcome = masked(json.loads(json.dumps(_summary(result), default=_plain)), context.client.accounts)
    except Exception as exc:
        outcome = {"error": type(exc).__name__, "message": masked(str(exc), context.client.accounts)}
        raise
    finally:
        _note(context.audit, {"time": _now(), **record, "outcome": outcome})
    return result


def _summary(result: Any) -> Any:
    """Return what of a result is worth keeping: a list of rows only by their number."""
    return {"rows": len(result)} if isinstance(result, list) else result


def _note(audit: AuditLog, record: Mapping[str, Any]) -> None:
    """Write down what happens in any case, so that a full disk must change nothing."""
    try:
        audit.write(record)
    except JournalError:
        log.exception("a mutation could not be written down: %s", json.dumps(record, default=_plain))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
