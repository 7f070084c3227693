"""``Index``: whose news is it. An order is known by its permanent id, then by who numbered it, then by its reference.

Order ids are per client and come again after a reset; a reference is text that another program, or the same one on
another day, may use too. So each counts only within one client, and only where nothing contradicts it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from ._record import OrderRecord

__all__ = ["Index"]


class HasRecord(Protocol):
    """What has the state of an order."""

    @property
    def record(self) -> OrderRecord: ...


T = TypeVar("T", bound=HasRecord)


class Index(Generic[T]):
    """All orders of a book."""

    def __init__(self) -> None:
        self._by_ref: dict[tuple[int, str], T] = {}
        self._by_perm: dict[int, T] = {}
        self._by_number: dict[tuple[int, int], T] = {}
        self._others: list[T] = []

    def __iter__(self) -> Iterator[T]:
        yield from self._by_ref.values()
        yield from self._others

    def __len__(self) -> int:
        return len(self._by_ref) + len(self._others)

    def by_ref(self, client_id: int, ref: str) -> T | None:
        """Return the order of a client that has this reference."""
        return self._by_ref.get((client_id, ref))

    def by_number(self, client_id: int, order_id: int) -> T | None:
        """Return the order that a client has under this id."""
        return self._by_number.get((client_id, order_id))

    def by_perm(self, perm_id: int) -> T | None:
        """Return the order with this permanent id."""
        return self._by_perm.get(perm_id)

    def add(self, item: T) -> None:
        """Know *item* from now on, by what its record says."""
        key = item.record.client_id, item.record.ref
        if item.record.ref and key not in self._by_ref:
            self._by_ref[key] = item
        else:
            self._others.append(item)
        self.learn(item)

    def learn(self, item: T) -> None:
        """Know *item* by the ids that it has now as well."""
        record = item.record
        for perm_id in record.perm_ids:
            self._by_perm[perm_id] = item
        for order_id in record.order_ids:
            if order_id > 0:
                self._by_number[record.client_id, order_id] = item

    def forget(self, item: T) -> None:
        """The order was not sent, or is about to be known by other ids: these are free again."""
        record = item.record
        key = record.client_id, record.ref
        if self._by_ref.get(key) is item:
            del self._by_ref[key]
        elif item in self._others:
            self._others.remove(item)
        for order_id in record.order_ids:
            if self._by_number.get((record.client_id, order_id)) is item:
                del self._by_number[record.client_id, order_id]

    def find(self, *, perm_id: int, ref: str | None, client_id: int, order_id: int) -> T | None:
        """Return whose news this is; *ref* is ``None`` where the message has none."""
        if perm_id and perm_id in self._by_perm:
            return self._by_perm[perm_id]
        numbered = self._by_number.get((client_id, order_id)) if order_id > 0 else None
        if numbered is not None and _may_be(numbered.record, perm_id, ref):
            return numbered
        named = self._by_ref.get((client_id, ref)) if ref else None
        return named if named is not None and _unconfirmed(named.record, perm_id, order_id) else None


def _may_be(record: OrderRecord, perm_id: int, ref: str | None) -> bool:
    """Whether an order with this number can be *record*: an id that came again has another reference."""
    if ref is not None and ref != record.ref and (ref or record.placed):
        return False
    return not (perm_id and record.perm_ids and ref is None and record.over)


def _unconfirmed(record: OrderRecord, perm_id: int, order_id: int) -> bool:
    """Whether the reference may be believed: the message has no id that is not this order's."""
    same_order = not perm_id or not record.perm_ids or perm_id in record.perm_ids
    return same_order and (order_id <= 0 or not record.order_ids or order_id in record.order_ids)
