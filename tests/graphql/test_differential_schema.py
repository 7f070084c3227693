"""The schema of TWS, with made-up values in place of TWS, answered by Tartiflette and by graphql-core alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import graphql
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from tests.graphql.test_differential import EXAMPLES, UNLIMITED
from trio_ibtws.graphql._engine import Engine, GraphQLRequest
from trio_ibtws.graphql._errors import RequestRefused, log
from trio_ibtws.graphql._resolve import Schema, build_schema

pytestmark = pytest.mark.anyio

SCHEMA: Schema = build_schema(trading=True)
SPELLED = graphql.build_schema(SCHEMA.sdl)
QUERIES = sorted(SPELLED.query_type.fields) if SPELLED.query_type else []
GROUPS = [QUERIES[i::6] for i in range(6)]

LITERALS = {
    "Decimal": st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=0, max_value=10**9)
    .map(str)
    .map(nodes.String),
    "Long": st.integers(-(2**62), 2**62).map(nodes.Int),
    "DateTime": st.just(nodes.String("2026-11-23T14:30:00Z")),
    "JSON": st.just(nodes.String("x")),
}
VALUES: Mapping[str, Any] = {
    "Int": 7,
    "Float": 1.25,
    "String": "é",
    "Boolean": True,
    "ID": "x1",
    "Decimal": Decimal("1E+3"),
    "Long": 2**40,
    "DateTime": datetime(2026, 11, 23, 14, 30, tzinfo=UTC),
    "JSON": {"a": [1, None, float("nan")], "b": "é"},
}


class Made:
    """An object of a type: each value is made up when it is read, from the names that lead to it."""

    def __init__(self, kind: graphql.GraphQLObjectType, number: int) -> None:
        self.kind, self.number = kind, number


def made(kind: Any, number: int) -> Any:
    """Return a value of *kind*: null now and then, where that may be; a wrong one once in a while."""
    if isinstance(kind, graphql.GraphQLNonNull):
        return _made(kind.of_type, number)
    return None if number % 7 == 3 else _made(kind, number)


def _made(kind: Any, number: int) -> Any:
    if isinstance(kind, graphql.GraphQLList):
        return [made(kind.of_type, number * 3 + i) for i in range(number % 4)]
    if isinstance(kind, graphql.GraphQLEnumType):
        return sorted(kind.values)[number % len(kind.values)]
    if isinstance(kind, graphql.GraphQLUnionType):
        return Made(kind.types[number % len(kind.types)], number)
    if isinstance(kind, graphql.GraphQLObjectType):
        return Made(kind, number)
    if number % 11 == 5 and kind.name in ("Int", "Boolean", "Float"):
        return "wrong"
    return VALUES[kind.name]


def read(parent: Any, name: str) -> Any:
    if isinstance(parent, Made):
        return made(parent.kind.fields[name].type, parent.number + sum(map(ord, name)))
    return parent.get(name)


def root(name: str) -> Any:
    assert SPELLED.query_type is not None
    return made(SPELLED.query_type.fields[name].type, sum(map(ord, name)))


def type_name(value: Any) -> str:
    return str(value.kind.name)


@lru_cache
def engine() -> Engine:
    def resolver(name: str) -> Any:
        async def resolve(args: Mapping[str, Any], context: Any, info: Any) -> Any:
            return root(name.partition(".")[2])

        return resolve

    return Engine(
        SCHEMA.sdl,
        {name: resolver(name) for name in SCHEMA.resolvers},
        SCHEMA.sources,
        SCHEMA.scalars,
        default_resolver=read,
        type_name=type_name,
        limits=UNLIMITED,
        introspection=True,
    )


def by_graphql_core(query: str) -> tuple[Any, list[Any]]:
    result = graphql.graphql_sync(
        engine().schema,
        query,
        field_resolver=lambda parent, info, **_: (
            root(info.field_name) if parent is None else read(parent, info.field_name)
        ),
        type_resolver=lambda value, *_: type_name(value),
    )
    return result.data, sorted((error.path or [] for error in result.errors or ()), key=str)


async def by_tartiflette(query: str) -> tuple[Any, list[Any]]:
    response = await engine().execute(engine().prepare(GraphQLRequest(query)), None)
    return response["data"], sorted((error.get("path", []) for error in response.get("errors", ())), key=str)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    log.disabled = True
    yield
    log.disabled = False


@pytest.mark.parametrize("group", range(len(GROUPS)))
@given(data=st.data())
@settings(EXAMPLES, max_examples=90)
async def test_generated_queries_have_the_same_answer(group: int, data: st.DataObject) -> None:
    query = data.draw(queries(engine().schema, fields=GROUPS[group], custom_scalars=LITERALS, allow_x00=False))
    if graphql.validate(engine().schema, graphql.parse(query)):  # the generator does not know of @oneOf
        with pytest.raises(RequestRefused):
            engine().prepare(GraphQLRequest(query))
    else:
        assert await by_tartiflette(query) == by_graphql_core(query)


async def test_introspection_is_what_graphql_core_answers() -> None:
    query = graphql.get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True
    )
    data, errors = await by_tartiflette(query)
    assert not errors
    assert data == graphql.graphql_sync(engine().schema, query).data
    assert graphql.validate_schema(graphql.build_client_schema(data)) == []


@pytest.mark.parametrize("trading", [True, False])
def test_the_schema_is_valid(trading: bool) -> None:
    schema = graphql.build_schema(build_schema(trading=trading).sdl)
    assert graphql.validate_schema(schema) == []
