"""Introspection: what graphql-core would answer, executed by Tartiflette."""

from __future__ import annotations

from typing import Any

import graphql
import pytest
from graphql.type import introspection_types

from tests.graphql.zoo import Zoo
from trio_ibtws.graphql._errors import RequestRefused
from trio_ibtws.graphql._introspection import Introspection
from trio_ibtws.graphql._limits import Limits

pytestmark = pytest.mark.anyio

ZOO = Zoo()
EVERYTHING = {
    "descriptions": True,
    "specified_by_url": True,
    "directive_is_repeatable": True,
    "schema_description": True,
    "input_value_deprecation": True,
    "experimental_directive_deprecation": True,
    "one_of": True,
}


def by_graphql_core(query: str) -> Any:
    result = graphql.graphql_sync(ZOO.engine.schema, query, {"hello": "hello world"})
    assert not result.errors
    return result.data


QUERIES = {
    "everything": graphql.get_introspection_query(**EVERYTHING),
    "June 2018": graphql.get_introspection_query(descriptions=True),
    "a name": '{__type(name: "Cat") {name kind description}}',
    "no such type": '{__type(name: "Unicorn") {name}}',
    "the types of fields": '{__type(name: "Person") {fields {name type {name ofType {name} fields {name}}}}}',
    "from type to type": """{__type(name: "Named") {possibleTypes {name fields {type {
        kind name ofType {name kind ofType {name}}}}}}}""",
    "deprecated": """{__type(name: "Query") {
        fields {name} all: fields(includeDeprecated: true) {name isDeprecated deprecationReason
        args {name} all: args(includeDeprecated: true) {name isDeprecated deprecationReason defaultValue}}}}""",
    "deprecated values": """{__type(name: "Diet") {enumValues {name description}
        all: enumValues(includeDeprecated: true) {name isDeprecated deprecationReason}}}""",
    "deprecated inputs": """{__type(name: "Wish") {inputFields {name}
        all: inputFields(includeDeprecated: true) {name isDeprecated deprecationReason defaultValue}}}""",
    "October 2021": """{long: __type(name: "Long") {specifiedByURL description} one: __type(name: "One") {isOneOf}
        __schema {description directives {name isRepeatable locations args(includeDeprecated: true) {name}}}}""",
    "roots": "{__schema {queryType {name} mutationType {name} subscriptionType {name fields {name}} __typename}}",
    "introspection of introspection": '{__type(name: "__Type") {name fields {name args {name defaultValue}}}}',
    "fragments and directives": """query($yes: Boolean = true) {__schema {types {...F kind @skip(if: $yes)}}}
        fragment F on __Type {name ...on __Type {kind @include(if: false)} ofType {name}}""",
    "beside data": '{hello __type(name: "Cat") {name} x: __schema {types {__typename}}}',
}


@pytest.mark.parametrize("query", QUERIES)
async def test_it_answers_what_graphql_core_does(query: str) -> None:
    response = await ZOO.ask(QUERIES[query])
    assert "errors" not in response
    expected = by_graphql_core(QUERIES[query])
    assert response["data"] == expected


async def test_a_client_builds_the_same_schema_from_it() -> None:
    response = await ZOO.ask(QUERIES["everything"])
    client = graphql.build_client_schema(response["data"])
    assert graphql.validate_schema(client) == []
    assert graphql.print_schema(client) == graphql.print_schema(ZOO.engine.schema)


async def test_with_null_what_is_deprecated_is_left_out_too() -> None:
    query = 'query($d: Boolean!) {__type(name: "Diet") {enumValues(includeDeprecated: $d) {name}}}'
    for given, number in ((True, 3), (False, 2)):
        response = await ZOO.ask(query, {"d": given})
        assert len(response["data"]["__type"]["enumValues"]) == number


async def test_it_has_a_limit_of_its_own_for_objects() -> None:
    query = "{__schema {types {fields {name}}}}"
    response = await Zoo(limits=Limits(nodes=1, rows=1)).ask(query)
    assert "errors" not in response
    response = await Zoo(limits=Limits(introspection_nodes=50)).ask(query)
    assert response["data"] is None
    assert response["errors"][0]["extensions"] == {"code": "LIMIT_EXCEEDED"}


async def test_it_does_not_grow_without_end() -> None:
    """Each list within a list multiplies; graphql-core's rule ends that after three."""
    deep = "{name}"
    for _ in range(4):
        deep = "{fields {type " + deep + "}}"
    with pytest.raises(RequestRefused, match="introspection depth"):
        ZOO.prepare("{__schema {types " + deep + "}}")


def test_each_field_of_the_introspection_types_is_in_the_description() -> None:
    described = Introspection(ZOO.engine.schema)
    assert described.schema.keys() == introspection_types["__Schema"].fields.keys()  # type: ignore[attr-defined]
    record = described.types["Cat"]
    assert record.keys() | {"ofType"} == introspection_types["__Type"].fields.keys()  # type: ignore[attr-defined]
    field = record["fields"][0]
    assert field.keys() == introspection_types["__Field"].fields.keys()  # type: ignore[attr-defined]
    directive = described.schema["directives"][0]
    assert directive.keys() == introspection_types["__Directive"].fields.keys()  # type: ignore[attr-defined]
    value = described.types["Wish"]["inputFields"][0]
    assert value.keys() == introspection_types["__InputValue"].fields.keys()  # type: ignore[attr-defined]
