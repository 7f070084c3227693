"""A stand-in for the engine, for tests of the protocols: graphql-core over a handful of fields that do what they say.

It has the engine's interface and none of its parts, so that what goes wrong here is the protocols' fault.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import anyio
import graphql

from trio_ibtws.graphql._errors import RequestRefused

SDL = """
type Query { hello(name: String = "world"): String!  slow: String  boom: String  long(size: Int!): String! }
type Mutation { place(name: String!): String! cancelOrder(orderId: Int!): String }
type Subscription {
  count(to: Int, size: Int = 0): Event!
  forever(size: Int = 0): Event!
  refused: Event!
  broken: Event!
}
type Event { seq: Int! pad: String! }
"""


@dataclass
class Prepared:
    """An operation that was found to be valid."""

    kind: Literal["query", "mutation", "subscription"]
    document: graphql.DocumentNode
    node: graphql.OperationDefinitionNode
    name: str | None
    variables: dict[str, Any]

    @property
    def root_fields(self) -> tuple[str, ...]:
        fields = self.node.selection_set.selections
        return tuple(each.name.value for each in fields if isinstance(each, graphql.FieldNode))


@dataclass
class StandIn:
    """Counts what it is asked for, and tells when its resolvers end."""

    log: list[str] = field(default_factory=list)
    streams: int = 0
    produced: int = 0
    placing: Callable[[], Awaitable[None]] | None = None

    def __post_init__(self) -> None:
        self.schema = graphql.build_schema(SDL)

    def prepare(self, request: Any) -> Prepared:
        try:
            document = graphql.parse(request.query, max_tokens=1000)
        except graphql.GraphQLError as error:
            raise RequestRefused.of([error.formatted]) from None
        errors = graphql.validate(self.schema, document)
        if errors:
            raise RequestRefused.of([error.formatted for error in errors])
        node = graphql.get_operation_ast(document, request.operation_name)
        if node is None:
            raise RequestRefused("which operation?")
        return Prepared(node.operation.value, document, node, request.operation_name, dict(request.variables or {}))

    def arguments(self, operation: Prepared, root: graphql.GraphQLObjectType) -> dict[str, dict[str, Any]]:
        values = graphql.execution.values.get_variable_values(
            self.schema, operation.node.variable_definitions or (), operation.variables
        )
        if isinstance(values, list):
            raise RequestRefused.of([error.formatted for error in values])
        found = {}
        for selection in operation.node.selection_set.selections:
            assert isinstance(selection, graphql.FieldNode)
            definition = root.fields.get(selection.name.value)
            if definition is not None:
                found[selection.name.value] = graphql.get_argument_values(definition, selection, values)
        return found

    def answer(self, operation: Prepared, values: Mapping[str, Any]) -> dict[str, Any]:
        result = graphql.execute_sync(
            self.schema,
            operation.document,
            values,
            variable_values=operation.variables,
            operation_name=operation.name,
        )
        return dict(result.formatted)

    async def execute(self, operation: Prepared, context: object) -> dict[str, Any]:
        root = self.schema.mutation_type if operation.kind == "mutation" else self.schema.query_type
        assert root is not None
        values = {
            name: await self.resolve(name, arguments) for name, arguments in self.arguments(operation, root).items()
        }
        return self.answer(operation, values)

    async def resolve(self, name: str, arguments: Mapping[str, Any]) -> Any:
        match name:
            case "cancelOrder":
                self.log.append(f"cancelled {arguments['orderId']}")
                return "cancelled"
            case "hello":
                return f"hello {arguments['name']}"
            case "long":
                return "x" * arguments["size"]
            case "boom":
                raise ValueError("a secret")
            case "slow":
                return await self.wait_for_ever()
            case "place":
                return await self.place(arguments["name"])

    async def wait_for_ever(self) -> str:
        self.log.append("slow began")
        try:
            await anyio.sleep_forever()
        finally:
            self.log.append("slow ended")
        return ""

    async def place(self, name: str) -> str:
        self.log.append(f"placing {name}")
        try:
            if self.placing is not None:
                await self.placing()
            self.log.append(f"placed {name}")
        finally:
            self.log.append(f"done with {name}")
        return name

    @asynccontextmanager
    async def subscribe(self, operation: Prepared, context: object) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        assert self.schema.subscription_type is not None
        [(name, arguments)] = self.arguments(operation, self.schema.subscription_type).items()
        if name == "refused":
            raise RequestRefused("not today", code="REFUSED")
        self.streams += 1
        try:
            yield Events(self, operation, name, arguments)
        finally:
            self.streams -= 1


class Events(AsyncIterator[dict[str, Any]]):
    """The responses of a subscription."""

    def __init__(self, engine: StandIn, operation: Prepared, name: str, arguments: Mapping[str, Any]) -> None:
        self.engine, self.operation, self.name, self.arguments = engine, operation, name, arguments
        self.seq = 0

    async def __anext__(self) -> dict[str, Any]:
        await anyio.lowlevel.checkpoint()
        if self.name == "broken" and self.seq:
            raise ValueError("a secret")
        if self.name == "count" and self.seq == self.arguments["to"]:
            raise StopAsyncIteration
        event = {"seq": self.seq, "pad": "x" * self.arguments.get("size", 0)}
        self.seq += 1
        self.engine.produced += 1
        return self.engine.answer(self.operation, {self.name: event})
