"""How the fields of an answer are completed: Tartiflette's way, without its ten frames for each scalar.

Three of Tartiflette's functions are replaced, with the same results: ``execute_fields``, which drops coroutines that it
never awaits, ``collect_subfields``, which collects the same fields anew for each row of a list, and the sequential list
coercer, which never lets anybody else run. What is not plain (an error, a null, a directive, a resolver) takes
Tartiflette's own path. An answer is counted while it is made, so that a limit holds before the memory is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import anyio.lowlevel
from tartiflette.coercers.common import Path
from tartiflette.coercers.outputs.common import complete_value_catching_error, handle_field_error
from tartiflette.coercers.outputs.null_coercer import null_coercer_wrapper
from tartiflette.execution.collect import collect_subfields as collect_once
from tartiflette.execution.context import ExecutionContext
from tartiflette.execution.helpers import get_field_definition
from tartiflette.resolver.default import default_field_resolver
from tartiflette.types.enum import GraphQLEnumType
from tartiflette.types.exceptions.tartiflette import MultipleException
from tartiflette.types.object import GraphQLObjectType
from tartiflette.types.scalar import GraphQLScalarType
from tartiflette.utils.directives import default_directive_callable, resolver_executor
from tartiflette.utils.values import is_invalid_value

from ._errors import LimitExceeded
from ._gather import gather
from ._limits import Limits

FIELDS_BETWEEN_PAUSES: Final = 200
"""How many fields are completed before others may run: at 5 to 60 µs a field, some milliseconds."""

_SLOW: Final = object()
"""What a fast path returns when the value needs Tartiflette's own."""


@dataclass(slots=True)
class Work:
    """What one answer has taken so far.

    Attributes:
      limits: where it ends; without limits nothing is refused.
      fields: fields completed since others could last run.
      rows: objects without objects in them, and items of lists of scalars.
      nodes: all other objects.
      introspection: objects of the introspection.
      exceeded: the limit that was; everything after it fails at once.
      pauses: how often others could run.
    """

    limits: Limits | None = None
    fields: int = 0
    rows: int = 0
    nodes: int = 0
    introspection: int = 0
    exceeded: LimitExceeded | None = None
    pauses: int = 0

    def count(self, kind: str, number: int = 1) -> None:
        """Count *number* more of *kind*.

        Raises:
          LimitExceeded: they are too many, or something was before.
        """
        if self.exceeded is not None:
            raise self.exceeded
        total = getattr(self, kind) + number
        setattr(self, kind, total)
        if self.limits is None:
            return
        most = self.limits.introspection_nodes if kind == "introspection" else getattr(self.limits, kind)
        if total > most:
            self.exceeded = LimitExceeded(f"{kind} in the response", f"{total} and more", most)
            raise self.exceeded

    async def pause(self) -> None:
        """Let others run, when it is time. Cancellation is heeded here."""
        if self.fields >= FIELDS_BETWEEN_PAUSES:
            self.fields = 0
            self.pauses += 1
            await anyio.lowlevel.checkpoint()


@dataclass(slots=True)
class Call:
    """One field of a selection, looked up once for all objects of a list."""

    key: str
    nodes: list[Any]
    definition: Any
    leaf: Callable[[Any], Any] | None
    read: Callable[[Any, str], Any] | None


@dataclass(slots=True)
class Plan:
    """What a selection of fields means for objects of one type."""

    fields: dict[str, list[Any]]
    calls: list[Call]
    kind: str


@dataclass(slots=True)
class Plans:
    """What was collected and looked up for one operation with its variables; the keys are kept alive by the values."""

    collected: dict[tuple[int, str], tuple[list[Any], dict[str, list[Any]]]] = field(default_factory=dict)
    plans: dict[tuple[int, str], Plan] = field(default_factory=dict)


class Execution(ExecutionContext):  # type: ignore[misc]
    """Tartiflette's execution context, with what is counted and what is kept while one operation is executed."""

    __slots__ = ("dropped", "plans", "work")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plans = Plans()
        self.work = Work()
        self.dropped = 0

    def add_error(self, raw_exception: Exception, *args: Any, **kwargs: Any) -> None:
        """Keep an error, if there are not too many of them: a list of 10 000 rows can have as many."""
        if self.work.limits is not None and len(self.errors) >= self.work.limits.errors:
            self.dropped += 1
        else:
            super().add_error(raw_exception, *args, **kwargs)


# --- what is looked up once ---------------------------------------------------------------------------------------


async def collect_subfields(execution: Any, return_type: Any, field_nodes: list[Any]) -> dict[str, list[Any]]:
    """Return the fields below *field_nodes*: variables do not change during an operation, so neither do the fields."""
    key = (id(field_nodes), return_type.name)
    known = execution.plans.collected.get(key)
    if known is None:
        known = (field_nodes, await collect_once(execution, return_type, field_nodes))
        execution.plans.collected[key] = known
    found: dict[str, list[Any]] = known[1]
    return found


def plan_for(execution: Any, parent_type: Any, fields: dict[str, list[Any]]) -> Plan:
    """Return the plan for *fields* of *parent_type*."""
    key = (id(fields), parent_type.name)
    plan = execution.plans.plans.get(key)
    if plan is None:
        plan = execution.plans.plans[key] = _plan(execution, parent_type, fields)
    found: Plan = plan
    return found


def _plan(execution: Any, parent_type: Any, fields: dict[str, list[Any]]) -> Plan:
    calls: list[Call] = []
    flat = True
    for key, nodes in fields.items():
        definition = get_field_definition(execution.schema, parent_type, nodes[0].name.value)
        if definition is None:
            continue
        read, leaf = None, None
        if not any(node.directives for node in nodes):
            read, leaf = _reader(definition, parent_type), leaf_coercer(definition.graphql_type)
        calls.append(Call(key, nodes, definition, leaf if read else None, read))
        flat = flat and not any(node.selection_set for node in nodes)
    introspection = parent_type.name.startswith("__")
    return Plan(fields, calls, "introspection" if introspection else "rows" if flat else "nodes")


def _reader(definition: Any, parent_type: Any) -> Callable[[Any, str], Any] | None:
    """Return how a field's value is read when its resolver only reads it; otherwise None."""
    if definition.name == "__typename":
        return lambda parent, name: parent_type.name
    resolver = definition.resolver.keywords["resolver"]
    if definition.arguments or getattr(resolver, "func", None) is not resolver_executor:
        return None
    (implementation,) = resolver.args
    if implementation is default_field_resolver or parent_type.name.startswith("__"):
        return _read if definition.raw_resolver is None else None
    read: Callable[[Any, str], Any] | None = getattr(implementation, "read", None)
    return read


def _read(parent: Any, name: str) -> Any:
    """Do what Tartiflette's default resolver does."""
    try:
        return getattr(parent, name)
    except AttributeError:
        try:
            return parent[name]
        except (KeyError, TypeError):
            return None


def leaf_coercer(kind: Any) -> Callable[[Any], Any] | None:
    """Return the plain function that coerces a value of a scalar or an enum for output; None where there is none."""
    if kind.is_non_null_type:
        kind = kind.wrapped_type
    if isinstance(kind, GraphQLScalarType) and not kind.directives:
        coerce: Callable[[Any], Any] = kind.coerce_output
        return coerce
    if isinstance(kind, GraphQLEnumType) and not kind.directives:
        names = {each.name: each.name for each in kind.enumValues if _is_plain(each)}
        return names.__getitem__
    return None


def _is_plain(enum_value: Any) -> bool:
    return enum_value.output_coercer is default_directive_callable


# --- completion ---------------------------------------------------------------------------------------------------


async def execute_fields(
    execution: Any, parent_type: Any, source: Any, path: Any, fields: dict[str, list[Any]], introspection: bool = False
) -> dict[str, Any]:
    """Return the values of *fields* of *source*, in the order of the selection.

    Raises:
      MultipleException: errors of fields that must not be null.
      LimitExceeded: the answer became too large.
    """
    plan = plan_for(execution, parent_type, fields)
    if path is not None:
        execution.work.count(plan.kind)
    execution.work.fields += len(plan.calls)
    results: dict[str, Any] = {}
    later: list[Call] = []
    for call in plan.calls:
        value = _fast(call, source) if call.leaf is not None else _SLOW
        if value is not _SLOW:
            results[call.key] = value
        elif call.definition.parent_concurrently:
            results[call.key] = _SLOW  # its place
            later.append(call)
        else:
            results[call.key] = await _slow(execution, parent_type, source, path, call, introspection)
    if later:
        await _concurrently(execution, parent_type, source, path, later, introspection, results)
    return {key: value for key, value in results.items() if not is_invalid_value(value)}


def _fast(call: Call, source: Any) -> Any:
    """Return a leaf's value, or _SLOW where there is more to it."""
    if source is None or call.leaf is None or call.read is None:
        return _SLOW
    try:
        value = call.read(source, call.definition.name)
        if value is None:
            return _SLOW if call.definition.graphql_type.is_non_null_type else None
        if isinstance(value, Exception):
            return _SLOW
        value = call.leaf(value)
    except Exception:  # noqa: BLE001 - Tartiflette's own path raises it again, and says where
        return _SLOW
    return _SLOW if value is None or is_invalid_value(value) else value


async def _slow(execution: Any, parent_type: Any, source: Any, path: Any, call: Call, introspection: bool) -> Any:
    return await call.definition.resolver(
        execution, parent_type, source, call.nodes, Path(path, call.key), introspection
    )


async def _concurrently(
    execution: Any,
    parent_type: Any,
    source: Any,
    path: Any,
    calls: list[Call],
    introspection: bool,
    results: dict[str, Any],
) -> None:
    """Complete *calls* side by side, into *results*."""
    awaitables = [_slow(execution, parent_type, source, path, call, introspection) for call in calls]
    failures = MultipleException()
    for call, value in zip(calls, await gather(*awaitables, return_exceptions=True), strict=True):
        try:
            if isinstance(value, Exception):
                value = _failed(execution, path, call, value)
            results[call.key] = value
        except MultipleException as error:
            failures += error
    if failures:
        raise failures


def _failed(execution: Any, path: Any, call: Call, error: Exception) -> None:
    if isinstance(error, MultipleException):  # located already, by a field that must not be null
        raise error
    handle_field_error(error, call.nodes, Path(path, call.key), call.definition.graphql_type, execution)


@null_coercer_wrapper  # type: ignore[untyped-decorator]
async def list_coercer(
    result: Any,
    info: Any,
    execution_context: Any,
    field_nodes: list[Any],
    path: Any,
    item_type: Any,
    inner_coercer: Callable[..., Any],
) -> list[Any]:
    """Return the items of *result*, completed one after the other; others run in between.

    Raises:
      TypeError: it is not a list.
      MultipleException: errors of items that must not be null.
      LimitExceeded: the answer became too large.
    """
    if not isinstance(result, (list, tuple)):
        raise TypeError(f"Expected Iterable, but did not find one for field {info.parent_type.name}.{info.field_name}.")
    coercer = _ItemCoercer(info, execution_context, field_nodes, item_type, inner_coercer)
    if coercer.leaf is not None:
        execution_context.work.count("rows", len(result))
    results: list[Any] = []
    failures = MultipleException()
    for index, item in enumerate(result):
        try:
            results.append(await coercer(item, path, index))
        except MultipleException as error:
            failures += error
        await execution_context.work.pause()
    if failures:
        raise failures
    return results


class _ItemCoercer:
    """Completes the items of one list."""

    __slots__ = ("execution", "info", "inner", "item_type", "leaf", "nodes", "object_type")

    def __init__(self, info: Any, execution: Any, nodes: list[Any], item_type: Any, inner: Callable[..., Any]) -> None:
        self.info = info
        self.execution = execution
        self.nodes = nodes
        self.item_type = item_type
        self.inner = inner
        named = item_type.wrapped_type if item_type.is_non_null_type else item_type
        plain = isinstance(named, GraphQLObjectType) and not named.directives
        self.object_type = named if plain else None
        self.leaf = leaf_coercer(item_type)

    async def __call__(self, item: Any, path: Any, index: int) -> Any:
        if item is not None and not isinstance(item, Exception):
            if self.leaf is not None:
                self.execution.work.fields += 1
                value = self._leaf(item)
                if value is not _SLOW:
                    return value
            elif self.object_type is not None:
                return await self._object(item, path, index)
        where = Path(path, index)
        return await complete_value_catching_error(
            item, self.info, self.execution, self.nodes, where, self.item_type, self.inner
        )

    def _leaf(self, item: Any) -> Any:
        try:
            value = self.leaf(item) if self.leaf is not None else _SLOW
        except Exception:  # noqa: BLE001 - Tartiflette's own path raises it again, and says where
            return _SLOW
        return _SLOW if value is None or is_invalid_value(value) else value

    async def _object(self, item: Any, path: Any, index: int) -> Any:
        where = Path(path, index)
        try:
            fields = await collect_subfields(self.execution, self.object_type, self.nodes)
            return await execute_fields(
                self.execution, self.object_type, item, where, fields, self.info.is_introspection
            )
        except Exception as error:  # noqa: BLE001 - a field error, located here
            return handle_field_error(error, self.nodes, where, self.item_type, self.execution)
