"""Finding methods and parameters in the union of the releases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .model import Method, Parameter, Release, Row, Table

__all__ = [
    "REQUEST_IDS",
    "all_rows",
    "answers",
    "clients",
    "id_of",
    "key_of",
    "newest",
    "taken",
    "wrappers",
]

REQUEST_IDS = ("reqId", "requestId", "tickerId")
"""What ibapi calls a request id, in EClient and in EWrapper."""


def newest(methods: Sequence[Mapping[str, Method]], name: str) -> Method | None:
    """Return the method as the newest release that has it shows it."""
    return next((release[name] for release in reversed(methods) if name in release), None)


def clients(releases: Iterable[Release]) -> list[Mapping[str, Method]]:
    """Return EClient of each release."""
    return [release.client for release in releases]


def wrappers(releases: Iterable[Release]) -> list[Mapping[str, Method]]:
    """Return EWrapper of each release."""
    return [release.wrapper for release in releases]


def all_rows(table: Table) -> list[Row]:
    """Return the rows of all families."""
    return [row for family in table.families for row in family.rows]


def id_of(method: Method) -> str | None:
    """Return the name of the parameter that is a request id, if it has one."""
    return next((name for name in method.names if name in REQUEST_IDS), None)


def taken(row: Row, method: Method) -> tuple[Parameter, ...]:
    """Return the parameters that the row sends, in EClient's order."""
    return tuple(parameter for parameter in method.parameters if parameter.name not in row.omitted)


def key_of(row: Row, method: Method) -> str | None:
    """Return the row's key: the parameter of the request id, or the callback that ends an id-less answer."""
    if row.key or row.pattern in ("send", "cancel_order"):
        return row.key
    if row.message:
        return None
    return id_of(method) or row.end or next(iter(row.items), None)


def answers(table: Table, callback: str) -> list[Row]:
    """Return the rows that the callback gives items to, or ends."""
    return [row for row in all_rows(table) if callback in row.items or callback == row.end]
