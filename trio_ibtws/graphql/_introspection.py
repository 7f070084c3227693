"""Introspection as the specification has it since October 2021, from graphql-core's view of the schema.

Tartiflette's is of June 2018: clients of today ask for what it does not know. graphql-core describes the schema once,
when the engine is made; Tartiflette executes a client's query over that description, with the same limits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import graphql
from graphql.type import introspection_types

Record = dict[str, Any]
Resolve = Callable[[Any, dict[str, Any], Any, Any], Awaitable[Any]]

_WITH_DEPRECATED = (
    "__Type.fields",
    "__Type.inputFields",
    "__Type.enumValues",
    "__Field.args",
    "__Directive.args",
    "__Schema.directives",
)


def types_sdl() -> str:
    """Return the introspection types as graphql-core has them, without their descriptions."""
    return "\n".join(graphql.print_type(each) for each in introspection_types.values())


class Introspection:
    """The description of one schema.

    Attributes:
      schema: the value of ``__schema``.
      types: the value of ``__type`` for each name.
    """

    def __init__(self, schema: graphql.GraphQLSchema) -> None:
        described = graphql.introspection_from_schema(schema, experimental_directive_deprecation=True)
        self.schema = cast(Record, described["__schema"])
        self.types: dict[str, Record] = {each["name"]: each for each in self.schema["types"]}
        for record in self.types.values():
            record.update((key, self._linked(value)) for key, value in list(record.items()))
        self.schema["directives"] = self._linked(self.schema["directives"])
        for root in ("queryType", "mutationType", "subscriptionType"):
            self.schema[root] = self.types.get((self.schema[root] or {}).get("name", ""))

    def _linked(self, value: Any) -> Any:
        """Return *value* with every reference to a type replaced by that type: a client may ask on from there."""
        if isinstance(value, list):
            return [self._linked(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "kind" in value and value["name"] in self.types:
            return self.types[value["name"]]
        return {key: self._linked(each) for key, each in value.items()}

    def resolvers(self) -> Mapping[str, Resolve]:
        """Return what resolves the fields that do more than read a value, by ``Type.field``."""

        async def schema(parent: Any, args: dict[str, Any], context: Any, info: Any) -> Record:
            return self.schema

        async def named(parent: Any, args: dict[str, Any], context: Any, info: Any) -> Record | None:
            return self.types.get(args["name"])

        return {
            "Query.__schema": schema,
            "Query.__type": named,
            **{name: _undeprecated(name.partition(".")[2]) for name in _WITH_DEPRECATED},
        }


def _undeprecated(field: str) -> Resolve:
    """Return the resolver of a list that leaves out what is deprecated, unless asked for it."""

    async def resolve(parent: Record, args: dict[str, Any], context: Any, info: Any) -> list[Record] | None:
        listed: list[Record] | None = parent.get(field)
        if listed is None or args.get("includeDeprecated"):
            return listed
        return [each for each in listed if not each.get("isDeprecated")]

    return resolve
