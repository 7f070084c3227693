"""What a selection of fields means for objects of one type, looked up once and not for each row of a list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tartiflette.execution.collect import collect_subfields as collect_once
from tartiflette.execution.helpers import get_field_definition
from tartiflette.resolver.default import default_field_resolver
from tartiflette.types.enum import GraphQLEnumType
from tartiflette.types.scalar import GraphQLScalarType
from tartiflette.utils.directives import default_directive_callable, resolver_executor


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
    """What a selection of fields means for objects of one type.

    Attributes:
      fields: what was collected.
      calls: the same, looked up.
      kind: how an object counts, see ``Work``.
      size: the bytes of JSON that the names take.
    """

    fields: dict[str, list[Any]]
    calls: list[Call]
    kind: str
    size: int


@dataclass(slots=True)
class Plans:
    """What was collected and looked up for one operation with its variables; the keys are kept alive by the values."""

    collected: dict[tuple[int, str], tuple[list[Any], dict[str, list[Any]]]] = field(default_factory=dict)
    plans: dict[tuple[int, str], Plan] = field(default_factory=dict)


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
    kind = "introspection" if parent_type.name.startswith("__") else "rows" if flat else "nodes"
    return Plan(fields, calls, kind, 2 + sum(len(call.key) + 4 for call in calls))


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
        coerce: Callable[[Any], Any] | None = kind.coerce_output
        return coerce
    if isinstance(kind, GraphQLEnumType) and not kind.directives:
        names = {each.name: each.name for each in kind.enumValues if _is_plain(each)}
        return names.__getitem__
    return None


def _is_plain(enum_value: Any) -> bool:
    return enum_value.output_coercer is default_directive_callable
