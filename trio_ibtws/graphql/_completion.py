"""How the fields of an answer are completed: Tartiflette's way, without its ten frames for each scalar.

Three of Tartiflette's functions are replaced, with the same results: ``execute_fields``, which drops coroutines that it
never awaits, ``collect_subfields``, which collects the same fields anew for each row of a list, and the sequential list
coercer, which never lets anybody else run. What is not plain (an error, a null, a directive, a resolver) takes
Tartiflette's own path.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tartiflette.coercers.common import Path
from tartiflette.coercers.outputs.common import complete_value_catching_error, handle_field_error
from tartiflette.coercers.outputs.null_coercer import null_coercer_wrapper
from tartiflette.execution.context import ExecutionContext
from tartiflette.types.exceptions.tartiflette import MultipleException
from tartiflette.types.object import GraphQLObjectType
from tartiflette.utils.values import is_invalid_value

from ._gather import gather
from ._plans import Call, Plans, collect_subfields, leaf_coercer, plan_for
from ._work import Work

_SLOW_FIELDS: Final = 10
"""How many fields one counts for that takes Tartiflette's own path."""

_NUMBER: Final = 8
"""Bytes of JSON that a value counts for which is no string."""

_SLOW: Final = object()
"""What a fast path returns when the value needs Tartiflette's own."""


_Stock: Any = ExecutionContext  # whether or not a type checker finds Tartiflette


class Execution(_Stock):  # type: ignore[misc]
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
    size = plan.size
    results: dict[str, Any] = {}
    later: list[Call] = []
    for call in plan.calls:
        value = _fast(call, source) if call.leaf is not None else _SLOW
        if value is not _SLOW:
            results[call.key] = value
            size += len(value) if type(value) is str else _NUMBER
        elif call.definition.parent_concurrently:
            results[call.key] = _SLOW  # its place
            later.append(call)
        else:
            results[call.key] = await _slow(execution, parent_type, source, path, call, introspection)
    execution.work.count("size", size)
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
    execution.work.fields += _SLOW_FIELDS
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
                _fail(execution, path, call, value)
            results[call.key] = None if isinstance(value, Exception) else value
        except MultipleException as error:
            failures += error
    if failures:
        raise failures


def _fail(execution: Any, path: Any, call: Call, error: Exception) -> None:
    if isinstance(error, MultipleException):  # located already, by a field that must not be null
        raise error
    handle_field_error(error, call.nodes, Path(path, call.key), call.definition.graphql_type, execution)


async def _coerce_list(
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


list_coercer: Any = null_coercer_wrapper(_coerce_list)


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
