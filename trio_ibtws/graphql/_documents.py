"""Queries that were read and checked, kept for the next time: few, and small ones, for memory is a limit too."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import graphql
from tartiflette.execution.collect import collect_executable_variable_definitions

from . import _guard
from ._errors import RequestRefused
from ._limits import Limits
from ._translate import translate

Kind = Literal["query", "mutation", "subscription"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """One operation of a document.

    Attributes:
      kind: what it is.
      name: its name, or None.
      root_fields: the names of the fields at its root.
      node: Tartiflette's node of it.
      variables: what Tartiflette coerces its variables with.
    """

    kind: Kind
    name: str | None
    root_fields: tuple[str, ...]
    node: Any
    variables: list[Any]


@dataclass(frozen=True, slots=True)
class Document:
    """A query that was found to be harmless and valid.

    Attributes:
      operations: its operations.
      fragments: Tartiflette's nodes of its fragments, by name.
      tokens: its length.
    """

    operations: tuple[Prepared, ...]
    fragments: Mapping[str, Any]
    tokens: int

    def operation(self, name: str | None) -> Prepared:
        """Return the operation called *name*; without a name, the only one.

        Raises:
          RequestRefused: there is no such operation.
        """
        if name is None and len(self.operations) == 1:
            return self.operations[0]
        if name is None:
            raise RequestRefused("operationName is needed: the query has several operations")
        for operation in self.operations:
            if operation.name == name:
                return operation
        raise RequestRefused(f"the query has no operation {name!r}")


class Documents:
    """Reads queries, and keeps the last ones that were fit to run."""

    def __init__(self, schema: graphql.GraphQLSchema, cooked: Any, limits: Limits, *, introspection: bool) -> None:
        self._schema = schema
        self._cooked = cooked
        self._limits = limits
        self._introspection = introspection
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._tokens = 0

    def __len__(self) -> int:
        return len(self._kept)

    def read(self, query: str) -> Document:
        """Return *query*, read and checked.

        Raises:
          RequestRefused: it is not fit to run, and why.
        """
        document = self._kept.get(query)
        if document is not None:
            self._kept.move_to_end(query)
            return document
        document = self._read(query)
        self._keep(query, document)
        return document

    def _read(self, query: str) -> Document:
        parsed, tokens = _guard.parse(query, self._limits)
        roots = _guard.check_shape(parsed, self._limits, introspection=self._introspection)
        _guard.validate(self._schema, parsed, self._limits, suggest=self._introspection)
        operations: list[Prepared] = []
        fragments: dict[str, Any] = {}
        for definition in parsed.definitions:
            node = translate(definition)
            if isinstance(definition, graphql.OperationDefinitionNode):
                operations.append(self._prepared(node, roots[len(operations)]))
            else:
                fragments[node.name.value] = node
        if not operations:
            raise RequestRefused("the query has no operation")
        return Document(tuple(operations), fragments, tokens)

    def _prepared(self, node: Any, roots: tuple[str, ...]) -> Prepared:
        return Prepared(
            kind=cast(Kind, node.operation_type),
            name=node.name.value if node.name else None,
            root_fields=roots,
            node=node,
            variables=collect_executable_variable_definitions(self._cooked, node),
        )

    def _keep(self, query: str, document: Document) -> None:
        self._kept[query] = document
        self._tokens += document.tokens
        while len(self._kept) > self._limits.documents or self._tokens > self._limits.document_tokens:
            _, forgotten = self._kept.popitem(last=False)
            self._tokens -= forgotten.tokens
