"""The engine: graphql-core reads and checks a query, Tartiflette executes it, on Trio and on asyncio.

``prepare`` does all that can refuse a request, and never waits; ``execute`` and ``subscribe`` do the rest. Cancelling
``execute`` cancels the resolvers. A subscription's source is entered and left in the task of the caller, in order.
"""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tartiflette.coercers.arguments import coerce_arguments
from tartiflette.coercers.variables import coerce_variables
from tartiflette.execution.collect import collect_fields
from tartiflette.execution.execute import execute_operation
from tartiflette.execution.helpers import get_field_definition
from tartiflette.types.exceptions.tartiflette import MultipleException

from ._completion import Execution
from ._cook import Resolver, Scalar, Source, check_complete, cook, drive, read_schema
from ._documents import Documents, Kind
from ._errors import RequestRefused, describe
from ._guard import check_variables
from ._introspection import Introspection
from ._limits import Limits
from ._plans import Plans
from ._responses import Responses, SourceField, present, respond
from ._work import Work

__all__ = ["Engine", "GraphQLRequest", "Operation", "Resolver", "Scalar", "Source"]


@dataclass(frozen=True)
class GraphQLRequest:
    """What a client asks.

    Attributes:
      query: the text of it.
      operation_name: which of its operations to run; it may be None where there is but one.
      variables: their values.
    """

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None

    @classmethod
    def from_json(cls, data: object) -> GraphQLRequest:
        """Return the request that the JSON value *data* is, by the rules of GraphQL over HTTP.

        Raises:
          RequestRefused: it is none. A list of requests is none either.
        """
        if not isinstance(data, dict):
            raise RequestRefused("a request is a JSON object; several in a list are not taken")
        for name, kind in (("query", str), ("operationName", str), ("variables", dict), ("extensions", dict)):
            if data.get(name) is not None and not isinstance(data[name], kind):
                raise RequestRefused(f"{name} is a {type(data[name]).__name__}, not {_JSON[kind]}")
        if data.get("query") is None:
            raise RequestRefused("the request has no query")
        return cls(data["query"], data.get("operationName") or None, data.get("variables"))


_JSON = {str: "a string", dict: "an object"}


@dataclass(frozen=True)
class Operation:
    """A request that is fit to run, with its variables.

    Attributes:
      kind: ``"query"``, ``"mutation"`` or ``"subscription"``.
      name: its name, or None.
      root_fields: the names of the fields at its root.
    """

    kind: Kind
    name: str | None
    root_fields: tuple[str, ...]
    _node: Any = field(repr=False)
    _fragments: Mapping[str, Any] = field(repr=False)
    _variables: dict[str, Any] = field(repr=False)
    _plans: Plans = field(repr=False, default_factory=Plans)


class Engine:
    """A GraphQL schema with what answers it.

    Args:
      sdl: the schema. Its descriptions, deprecations and the like are what introspection tells.
      resolvers: for each field of Query and Mutation, by its name as in ``"Query.reqContractDetails"``, an async
        function of its arguments, the context and Tartiflette's info. The fields of one query run side by side.
      sources: for each field of Subscription, a function of its arguments and the context that returns an async
        context manager; inside it there is an iterator of events.
      scalars: what implements each scalar that is not GraphQL's own.
      default_resolver: gives the value of every other field from its parent and its name. It must be quick.
      type_name: gives the name of the object type that a value of a union has.
      limits: how much a request may ask for.
      introspection: whether a client may ask for the schema.

    Raises:
      ValueError: the schema is invalid, or what answers it is not complete.
      UnsupportedTartiflette: the installed Tartiflette is not 1.4.1.
    """

    def __init__(
        self,
        sdl: str,
        resolvers: Mapping[str, Resolver],
        sources: Mapping[str, Source],
        scalars: Mapping[str, Scalar],
        *,
        default_resolver: Callable[[Any, str], Any],
        type_name: Callable[[Any], str],
        limits: Limits,
        introspection: bool,
    ) -> None:
        self.schema = read_schema(sdl, scalars)
        check_complete(self.schema, resolvers, sources)
        self._cooked = cook(
            sdl, self.schema, resolvers, scalars, default_resolver, type_name, Introspection(self.schema)
        )
        self._sources = sources
        self._limits = limits
        self._documents = Documents(self.schema, self._cooked, limits, introspection=introspection)

    def within(self, limits: Limits, *, introspection: bool) -> Engine:
        """Return an engine of the same schema with other limits; a schema takes a second to read, this nothing."""
        other = copy.copy(self)
        other._limits = limits
        other._documents = Documents(self.schema, self._cooked, limits, introspection=introspection)
        return other

    def prepare(self, request: GraphQLRequest) -> Operation:
        """Read and check a request. Within the limits it takes some milliseconds, and less the second time.

        Raises:
          RequestRefused: the request is not fit to run; nothing was executed.
        """
        document = self._documents.read(request.query)
        prepared = document.operation(request.operation_name)
        variables = request.variables or {}
        check_variables(variables, self._limits)
        values, errors = drive(coerce_variables(prepared.variables, dict(variables), None))
        if errors:
            raise RequestRefused.of(present(error) for error in errors[: self._limits.errors])
        return Operation(prepared.kind, prepared.name, prepared.root_fields, prepared.node, document.fragments, values)

    async def execute(self, operation: Operation, context: Any) -> dict[str, Any]:
        """Run a query or a mutation, and return its response: ``data``, and ``errors`` if there are any.

        Cancelling it cancels the resolvers that still run.

        Raises:
          RequestRefused: it is a subscription.
        """
        if operation.kind == "subscription":
            raise RequestRefused("a subscription needs a connection that streams", code="SUBSCRIPTION")
        execution = self._execution(operation, context)
        data = await execute_operation(execution, operation._node, None)
        return respond(execution, data, self._limits)

    def subscribe(
        self, operation: Operation, context: Any
    ) -> AbstractAsyncContextManager[AsyncIterator[dict[str, Any]]]:
        """Open a subscription: inside the context manager there is an iterator of responses.

        An error of the source while it runs is the last response, with ``data`` None.

        Raises:
          RequestRefused: on entering: it is no subscription, or its source could not be opened.
        """
        return self._subscribe(operation, context)

    @asynccontextmanager
    async def _subscribe(self, operation: Operation, context: Any) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        if operation.kind != "subscription":
            raise RequestRefused(f"a {operation.kind} is no subscription")
        asked, args = self._source_field(self._execution(operation, context))
        is_open = False
        try:
            async with self._sources[f"Subscription.{asked.name}"](args, context) as events:
                is_open = True
                yield Responses(events, asked, lambda: self._execution(operation, context), self._limits)
        except Exception as error:
            if is_open:
                raise
            raise RequestRefused.of([{**describe(error), "path": [asked.key]}]) from error

    def _execution(self, operation: Operation, context: Any) -> Execution:
        execution = Execution(
            self._cooked, dict(operation._fragments), operation._node, context, None, operation._variables
        )
        execution.plans = operation._plans
        execution.work = Work(self._limits)
        return execution

    def _source_field(self, execution: Execution) -> tuple[SourceField, dict[str, Any]]:
        """Return the one field of a subscription, and its arguments.

        Raises:
          RequestRefused: the field is left out by a directive, or its arguments are wrong.
        """
        root = self._cooked.get_operation_root_type(execution.operation)
        fields = drive(collect_fields(execution, root, execution.operation.selection_set))
        if not fields:
            raise RequestRefused("the subscription asks for nothing")
        ((key, nodes),) = fields.items()
        definition = get_field_definition(self._cooked, root, nodes[0].name.value)
        try:
            args = drive(
                coerce_arguments(
                    definition.arguments,
                    nodes[0],
                    execution.variable_values or {},
                    execution.context,
                    coercer=definition.arguments_coercer,
                )
            )
        except MultipleException as errors:
            raise RequestRefused.of(present(error) for error in errors.exceptions) from None
        return SourceField(key, nodes, definition, root), args
