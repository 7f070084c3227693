"""The functions of the client: their names, parameters with defaults, and what they return."""

from __future__ import annotations

from collections.abc import Sequence

from .callbacks import CallbackResolver
from .lookup import all_rows, clients, key_of, newest, taken
from .model import Family, Method, Parameter, Release, RequestMethod, Row, Table, Union
from .naming import constant_name, event_name, function_name, snake
from .text import literal

__all__ = ["MethodResolver"]


class MethodResolver:
    """Resolves the rows of a family. ``unions`` holds the named unions that came up."""

    def __init__(self, table: Table, releases: Sequence[Release], callbacks: CallbackResolver) -> None:
        self._table = table
        self._releases = releases
        self._callbacks = callbacks
        self.unions: dict[tuple[str, ...], Union] = {}

    def family(self, family: Family) -> tuple[RequestMethod, ...]:
        """Return the functions of a family, sorted by name."""
        rows = sorted(family.rows, key=_name)
        return tuple(self._resolve(row) for row in rows)

    def _resolve(self, row: Row) -> RequestMethod:
        method = newest(clients(self._releases), row.method)
        assert method is not None, row.method  # checked before
        name = _name(row)
        key = key_of(row, method)
        since, until = self._span(row)
        return RequestMethod(
            row=row,
            name=name,
            constant=constant_name(name),
            wire=taken(row, method),
            parameters=self._parameters(row, method, key),
            key=key,
            yields=self._yields(row, name),
            end_type=self._end_type(row),
            since=since,
            until=until,
            needs=self._needs(row),
            update=self._update(row),
            cancel_is_newer=self._cancel_is_newer(row),
        )

    def _span(self, row: Row) -> tuple[str, str | None]:
        """Return the first and the last release that has the method and can decode its answer."""
        having = [
            release
            for release in self._releases
            if row.method in release.client and (not row.items or any(item in release.wrapper for item in row.items))
        ]
        until = None if having[-1] is self._releases[-1] else row.until or having[-1].short
        return row.since or having[0].short, until

    def _needs(self, row: Row) -> str | None:
        """Return the callback that some release with the method lacks, so that it could not decode the answer."""
        having = [release for release in self._releases if row.method in release.client]
        lacking = any(not any(item in release.wrapper for item in row.items) for release in having)
        return row.items[0] if row.items and lacking else None

    def _cancel_is_newer(self, row: Row) -> bool:
        having = [release for release in self._releases if row.method in release.client]
        return row.cancel is not None and any(row.cancel not in release.client for release in having)

    def _update(self, row: Row) -> str:
        parts = (part for part in all_rows(self._table) if part.method == row.update and part.pattern == "part")
        return next((constant_name(_name(part)) for part in parts), "")

    # --- parameters ----------------------------------------------------------------------------------------------

    def _parameters(self, row: Row, method: Method, key: str | None) -> tuple[Parameter, ...]:
        given = [p for p in taken(row, method) if p.name != key and p.name not in row.constants]
        parameters: list[Parameter] = []
        defaults = {**self._table.defaults, **row.defaults}
        optional = True  # from the last one backwards
        for parameter in reversed(given):
            optional = optional and parameter.name in defaults
            default = literal(defaults[parameter.name]) if optional else None
            parameters.append(Parameter(snake(parameter.name), self._annotation(row, parameter, default), default))
        return tuple(reversed(parameters))

    def _annotation(self, row: Row, parameter: Parameter, default: str | None) -> str:
        annotation = {**self._table.types, **row.types}.get(parameter.name, parameter.annotation)
        return f"{annotation} | None" if default == "None" else annotation

    # --- what comes back -----------------------------------------------------------------------------------------

    def _yields(self, row: Row, name: str) -> str:
        if row.yields or not row.items:
            return row.yields
        members = tuple(dict.fromkeys([*(self._callbacks.resolve(item).type for item in row.items), *row.markers]))
        item = members[0] if len(members) == 1 else self._union(members, name)
        return f"list[{item}]" if row.batches else item

    def _union(self, members: tuple[str, ...], name: str) -> str:
        """Return the name of the union; functions that yield the same share the first one's."""
        camel = "".join(event_name(word) for word in name.split("_"))
        return self.unions.setdefault(members, Union(f"{camel}Event", members, name)).name

    def _end_type(self, row: Row) -> str:
        if row.end is None or row.end in self._table.hand_written:
            return ""
        return self._callbacks.resolve(row.end).type


def _name(row: Row) -> str:
    return row.name or function_name(row.method)
