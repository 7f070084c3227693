"""The schema twice: as graphql-core has it, which reads and checks queries, and as Tartiflette has it, which executes.

Tartiflette gets it without descriptions and directives: what those say is graphql-core's to check and to tell, and
Tartiflette does not know all of them. ``cook`` is a coroutine function that awaits nothing, once ``gather`` is ours.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeAlias, TypeVar
from uuid import uuid4

import graphql
import tartiflette
from tartiflette.constants import UNDEFINED_VALUE
from tartiflette.resolver.default import sync_arguments_coercer
from tartiflette.schema.registry import SchemaRegistry

from ..errors import InternalError
from ._binding import bind
from ._gather import UnsupportedTartiflette
from ._introspection import Introspection, types_sdl
from ._translate import translate

Resolver: TypeAlias = Callable[[Mapping[str, Any], Any, Any], Awaitable[Any]]
"""``await resolver(args, context, info)`` gives the value of a field, or raises its error."""

Source: TypeAlias = Callable[[Mapping[str, Any], Any], AbstractAsyncContextManager[AsyncIterator[Any]]]
"""``source(args, context)`` gives a subscription's events while it is open."""

T = TypeVar("T")


class Scalar(Protocol):
    """What Tartiflette wants of a scalar. Each method raises what it likes for a value that is none."""

    def coerce_output(self, value: Any) -> Any:
        """Return what JSON shows for *value*."""

    def coerce_input(self, value: Any) -> Any:
        """Return what the JSON *value* of a variable means."""

    def parse_literal(self, ast: Any) -> Any:
        """Return what a value in a query means, given as a node of ``tartiflette.language.ast``."""


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that awaits nothing, and return what it does.

    Raises:
      UnsupportedTartiflette: it waits after all.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise UnsupportedTartiflette(f"{coroutine!r} waits, and Tartiflette 1.4.1's did not")


# --- graphql-core's view ------------------------------------------------------------------------------------------


def read_schema(sdl: str, scalars: Mapping[str, Scalar]) -> graphql.GraphQLSchema:
    """Return the schema as graphql-core has it, with our scalars in it.

    Raises:
      ValueError: the SDL is invalid, or a scalar is missing or not in it.
    """
    try:
        schema = graphql.build_schema(sdl)
        graphql.assert_valid_schema(schema)
    except (graphql.GraphQLError, TypeError) as error:
        raise ValueError(f"the schema is invalid: {error}") from error
    own = {
        name: kind
        for name, kind in schema.type_map.items()
        if isinstance(kind, graphql.GraphQLScalarType) and not graphql.is_specified_scalar_type(kind)
    }
    _same("scalars", set(own), set(scalars))
    for name, kind in own.items():
        _use(scalars[name], kind)
    return schema


def _use(scalar: Scalar, kind: graphql.GraphQLScalarType) -> None:
    def parse_literal(node: graphql.ValueNode, variables: dict[str, Any] | None = None) -> Any:
        value = scalar.parse_literal(translate(node))
        return graphql.Undefined if value is UNDEFINED_VALUE else value

    kind.parse_literal = parse_literal  # type: ignore[method-assign]
    # The names of graphql-core 3.2, and those that 3.3 took instead.
    kind.parse_value = kind.coerce_input_value = scalar.coerce_input  # type: ignore[method-assign]
    kind.serialize = kind.coerce_output_value = scalar.coerce_output  # type: ignore[method-assign]


def _same(what: str, in_schema: set[str], given: set[str]) -> None:
    if in_schema != given:
        missing, unknown = sorted(in_schema - given), sorted(given - in_schema)
        raise ValueError(f"{what}: the schema has {missing} and no implementation has; {unknown} are not in the schema")


def check_complete(
    schema: graphql.GraphQLSchema, resolvers: Mapping[str, Resolver], sources: Mapping[str, Source]
) -> None:
    """Check that every root field has what answers it: Tartiflette cooks without, and answers null.

    Raises:
      ValueError: one has not, or one that is given is not in the schema.
    """
    roots = {*_fields_of(schema.query_type), *_fields_of(schema.mutation_type)}
    nested = {name for name in resolvers if name.partition(".")[0] not in ("Query", "Mutation")}
    _same("resolvers", roots, set(resolvers) - nested)
    _same("sources", _fields_of(schema.subscription_type), set(sources))
    known = {name for kind in schema.type_map.values() for name in _fields_of(kind)}
    if nested - known:
        raise ValueError(f"resolvers: {sorted(nested - known)} are not in the schema")


def _fields_of(kind: graphql.GraphQLNamedType | None) -> set[str]:
    if not isinstance(kind, graphql.GraphQLObjectType):
        return set()
    return {f"{kind.name}.{field}" for field in kind.fields}


# --- Tartiflette's ------------------------------------------------------------------------------------------------


def cook(
    sdl: str,
    schema: graphql.GraphQLSchema,
    resolvers: Mapping[str, Resolver],
    scalars: Mapping[str, Scalar],
    default_resolver: Callable[[Any, str], Any],
    type_name: Callable[[Any], str],
    introspection: Introspection,
) -> Any:
    """Return the schema as Tartiflette executes it.

    Raises:
      UnsupportedTartiflette: the installed one is not 1.4.1.
    """
    bind()
    name = f"trio_ibtws-{uuid4()}"  # Tartiflette's registry is one for the process
    for scalar, implementation in scalars.items():
        tartiflette.Scalar(scalar, schema_name=name)(implementation)
    for field, resolver in resolvers.items():
        tartiflette.Resolver(field, schema_name=name)(_adapted(resolver))
    for field, resolve in introspection.resolvers().items():
        tartiflette.Resolver(field, schema_name=name, parent_concurrently=False)(resolve)
    try:
        drive(_cooked(name, f"{plain(sdl)}\n{plain(types_sdl())}", default_resolver, _typed(schema, type_name)))
        return SchemaRegistry.find_schema(name)
    finally:
        SchemaRegistry._schemas.pop(name, None)


async def _cooked(
    name: str, sdl: str, default_resolver: Callable[[Any, str], Any], type_of: Callable[..., str]
) -> None:
    await tartiflette.Engine().cook(
        sdl,
        schema_name=name,
        custom_default_resolver=_default(default_resolver),
        custom_default_type_resolver=type_of,
        custom_default_arguments_coercer=sync_arguments_coercer,
        # A task for each item and each field costs more than the field. Root fields have resolvers, and run together.
        coerce_list_concurrently=False,
        coerce_parent_concurrently=False,
        query_cache_decorator=None,
    )


def _adapted(resolver: Resolver) -> Callable[..., Awaitable[Any]]:
    async def resolve(parent: Any, args: dict[str, Any], context: Any, info: Any) -> Any:
        return await resolver(args, context, info)

    return resolve


def _default(read: Callable[[Any, str], Any]) -> Callable[..., Awaitable[Any]]:
    async def resolve(parent: Any, args: dict[str, Any], context: Any, info: Any) -> Any:
        if info.parent_type.name.startswith("__"):
            return parent.get(info.field_name)
        return read(parent, info.field_name)

    resolve.read = read  # type: ignore[attr-defined]
    return resolve


def _typed(schema: graphql.GraphQLSchema, type_name: Callable[[Any], str]) -> Callable[..., str]:
    possible = {
        kind.name: {each.name for each in schema.get_possible_types(kind)}
        for kind in schema.type_map.values()
        if isinstance(kind, (graphql.GraphQLUnionType, graphql.GraphQLInterfaceType))
    }

    def type_of(value: Any, context: Any, info: Any, abstract_type: Any) -> str:
        name = type_name(value)
        if name not in possible[abstract_type.name]:
            raise InternalError(f"{name} is no type of {abstract_type.name}, for a {type(value).__name__}")
        return name

    return type_of


class _Plain(graphql.Visitor):
    """Leaves out descriptions and directives."""

    def enter(self, node: graphql.Node, *_args: Any) -> Any:
        if isinstance(node, (graphql.DirectiveNode, graphql.DirectiveDefinitionNode)):
            return graphql.REMOVE
        return None

    def leave(self, node: graphql.Node, *_args: Any) -> Any:
        if getattr(node, "description", None) is not None:
            node = type(node)(**{**{key: getattr(node, key) for key in node.keys}, "description": None})
            return node
        return None


def plain(sdl: str) -> str:
    """Return *sdl* without descriptions and directives."""
    return graphql.print_ast(graphql.visit(graphql.parse(sdl), _Plain()))
