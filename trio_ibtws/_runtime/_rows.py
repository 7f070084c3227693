"""Which rows are about the same thing, so that a newer one stands for an older one.

Lines that stay open bring updates between the rows of an answer; a query wants the newest of each. A line that several
listen to keeps the newest of each for those who join it late: TWS does not say it again.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

__all__ = ["Memory", "identity", "newest"]

_IDENTIFYING = ("account", "account_name", "model_code", "tag", "key", "currency")
"""The attributes of account events that say what their value is of; a contract does so too."""

_CONTRACT = (
    "symbol",
    "secType",
    "lastTradeDateOrContractMonth",
    "strike",
    "right",
    "multiplier",
    "exchange",
    "currency",
    "localSymbol",
    "tradingClass",
)


def identity(row: Any) -> Hashable:
    """Return what *row* is about: the same for two rows of which the newer one holds. Rows of no struct all count."""
    fields = getattr(row, "__struct_fields__", None)
    if fields is None:
        return object()
    contract = getattr(row, "contract", None)
    about: Any = None
    if contract is not None:
        names = _CONTRACT if not contract.conId else ("conId", "symbol")
        about = tuple(getattr(contract, name) for name in names)
    return (type(row), about, *(getattr(row, name) for name in _IDENTIFYING if name in fields))


def newest(rows: Iterable[Any]) -> list[Any]:
    """Return the newest row about each thing, where the first one about it stood."""
    return list({identity(row): row for row in rows}.values())


class Memory:
    """The newest event about each thing that came on a line."""

    def __init__(self, attributes: tuple[str, ...] | None = None) -> None:
        """*attributes* tell, beside its class, what an event is about; ``None`` for the rows of accounts."""
        self._attributes = attributes
        self._newest: dict[Hashable, Any] = {}

    def add(self, event: Any) -> None:
        if self._attributes is None:
            key = identity(event)
        else:
            key = (type(event), *(getattr(event, name, None) for name in self._attributes))
        self._newest[key] = event

    def update(self, other: Memory) -> None:
        """Take over what *other* has, which is newer."""
        self._newest.update(other._newest)

    def without(self, other: Memory) -> list[Any]:
        """Return the events about what *other* has nothing of."""
        return [event for key, event in self._newest.items() if key not in other._newest]

    def clear(self) -> None:
        """Forget everything: it holds no longer."""
        self._newest.clear()

    def events(self) -> list[Any]:
        return list(self._newest.values())
