"""What each EWrapper callback delivers: to which key, and as a value or as an event class of its own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from .lookup import all_rows, answers, id_of, newest, wrappers
from .model import Callback, CallbackMethod, Field, Parameter, Release, Role, Row, Table
from .naming import event_name, snake

__all__ = ["CallbackResolver"]

_CONVERTED = {
    "Decimal": ("Decimal | None", "values.size({})"),
    "float": ("float | None", "values.number({})"),
}


class CallbackResolver:
    """Resolves the callbacks that the rows mention, less the hand-written ones."""

    def __init__(self, table: Table, releases: Sequence[Release]) -> None:
        self._table = table
        self._wrappers = wrappers(releases)
        self.resolve = cache(self._resolve)

    def all(self) -> tuple[CallbackMethod, ...]:
        """Return every callback of the generated wrapper, sorted by name."""
        rows = all_rows(self._table)
        names = dict.fromkeys(name for row in rows for name in (*row.items, row.end) if name)
        return tuple(self.resolve(name) for name in sorted(names) if name not in self._table.hand_written)

    def _resolve(self, name: str) -> CallbackMethod:
        rows = answers(self._table, name)
        fields = self._fields(name)
        role = self._role(name, rows)
        plain = role == "list" or not fields or (len(fields) == 1 and (role == "end" or self._uniform(name)))
        return CallbackMethod(
            name=name,
            parameters=self._parameters(name),
            key=self._key(name, rows),
            role=role,
            fields=fields,
            event="" if plain else event_name(name),
            doc=self._spec(name).doc,
            why=self._spec(name).why,
            done=next((row.done for row in rows if row.done), ""),
            twin=self._twin(name),
        )

    def _spec(self, name: str) -> Callback:
        return self._table.callbacks.get(name, Callback())

    def _method_parameters(self, name: str) -> tuple[Parameter, ...]:
        method = newest(self._wrappers, name)
        return () if method is None else method.parameters

    def _role(self, name: str, rows: list[Row]) -> Role:
        if any(name == row.end for row in rows):
            return "end"
        return "list" if any(row.done for row in rows) else "item"

    # --- the key -------------------------------------------------------------------------------------------------

    def _key(self, name: str, rows: list[Row]) -> str:
        if self._spec(name).key:
            return self._spec(name).key
        method = newest(self._wrappers, name)
        if method is not None and (request_id := id_of(method)):
            return request_id
        lane = f'"{rows[0].end or name}"'
        return f"({lane}, {rows[0].echo})" if rows[0].echo else lane

    # --- the values ----------------------------------------------------------------------------------------------

    def _fields(self, name: str) -> tuple[Field, ...]:
        rows = answers(self._table, name)
        without = {*self._spec(name).dropped, *(row.echo for row in rows), *(row.done for row in rows)}
        key = self._key(name, rows)
        return tuple(
            self._field(name, parameter)
            for parameter in self._method_parameters(name)
            if parameter.name not in without and parameter.name != key
        )

    def _field(self, callback: str, parameter: Parameter) -> Field:
        spec = self._spec(callback)
        name, annotation = parameter.name, spec.types.get(parameter.name, parameter.annotation)
        if name in spec.converted:
            value = spec.converted[name]
        elif name in spec.optional:
            annotation, value = f"{annotation} | None", "values.integer({})"
        else:
            annotation, value = _CONVERTED.get(annotation, (annotation, "{}"))
        return Field(snake(name), annotation, value.format(name), spec.units.get(name, ""))

    def _twin(self, name: str) -> tuple[Field, ...]:
        twin = self._spec(name).twin
        return tuple(Field(snake(field), f"{type_} | None", field, default="None") for field, type_ in twin.items())

    def _parameters(self, name: str) -> tuple[Parameter, ...]:
        """Return the parameters as ibapi annotates them, made precise where the table knows more."""
        return tuple(
            Parameter(parameter.name, self._annotation(name, parameter)) for parameter in self._method_parameters(name)
        )

    def _annotation(self, callback: str, parameter: Parameter) -> str:
        """Return our annotation where it only adds to ibapi's, so that the method can override ibapi's."""
        spec = self._spec(callback)
        ours = spec.types.get(parameter.name, parameter.annotation)
        agreed = ours.partition("[")[0] == parameter.annotation and parameter.name not in spec.converted
        return ours if agreed else "Any"

    def _uniform(self, name: str) -> bool:
        """Whether all rows that the callback answers get nothing but single values of its one type."""
        siblings = {item for row in answers(self._table, name) for item in row.items}
        if siblings & set(self._table.hand_written):
            return False
        if any(len(self._fields(item)) != 1 or self._twin(item) for item in siblings):
            return False
        return len({self._fields(item)[0].annotation for item in siblings}) == 1
