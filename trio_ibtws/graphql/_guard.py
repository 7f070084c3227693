"""What a query may not be, found out in time that grows with its length and not with what it asks for.

The order is the point. The text first (length, NUL, broken Unicode), then its tokens and brackets, and only then a
parse; the shape of what was parsed (depth, aliases, fragments, cost, mutations), and only then the validation, whose
rules compare fields in pairs. What is left is small, and graphql-core's rules say whether it fits the schema.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import graphql
from graphql.language import Lexer, Source, TokenKind

from ._errors import LimitExceeded, RequestRefused
from ._limits import Limits

SELECTION_LEVELS: Final = 50
"""How deep selections may nest through fragments of any kind: what walks them calls itself once for each."""

NUMBER_BITS: Final = 128
"""How large a whole number may be: twice what any scalar takes. Python needs quadratic time to show larger ones."""

SUGGESTIONS: Final = 2
"""How many errors may come with "Did you mean": each compares a name with all names of a type, some 10 ms."""

_OPENING: Final = {TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L}
_CLOSING: Final = {TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R}
_INTROSPECTION: Final = {"__schema", "__type"}


def parse(query: str, limits: Limits) -> tuple[graphql.DocumentNode, int]:
    """Return *query* parsed, and how many tokens it has.

    Raises:
      RequestRefused: it is too long, has too many tokens or brackets, or is no GraphQL.
    """
    check_text(query, limits)
    try:
        tokens = scan(query, limits)
        return graphql.parse(query, allow_empty_selection_sets=False), tokens
    except graphql.GraphQLSyntaxError as error:
        raise _refusal([error], "GRAPHQL_PARSE_FAILED") from None


def check_text(query: str, limits: Limits) -> None:
    """Refuse a text that is too long, and what other parsers stop at or stumble over.

    Raises:
      RequestRefused: the text is too long, or has NUL or half of a surrogate pair in it.
    """
    if len(query) > limits.query_chars:
        raise LimitExceeded("characters in the query", len(query), limits.query_chars, status=413)
    _check_characters(query, "the query")


def _check_characters(text: str, where: str) -> None:
    if "\0" in text:
        raise RequestRefused(f"{where} has a NUL character in it")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RequestRefused(f"{where} has half of a surrogate pair in it") from None


def scan(query: str, limits: Limits) -> int:
    """Return how many tokens *query* has.

    Raises:
      LimitExceeded: they are too many, or brackets nest too deep.
      GraphQLSyntaxError: something is no token.
    """
    lexer = Lexer(Source(query))
    tokens = depth = 0
    while (token := lexer.advance()).kind is not TokenKind.EOF:
        tokens += 1
        depth += (token.kind in _OPENING) - (token.kind in _CLOSING)
        if tokens > limits.tokens:
            raise LimitExceeded("tokens in the query", f"{tokens} and more", limits.tokens)
        if depth > limits.brackets:
            raise LimitExceeded("brackets within brackets", f"{depth} and more", limits.brackets)
    return tokens


def validate(schema: graphql.GraphQLSchema, document: graphql.DocumentNode, limits: Limits, *, suggest: bool) -> None:
    """Hold *document* against the schema, by the rules of the specification.

    With *suggest*, few errors name what may have been meant; those are names of the schema, which may be secret.

    Raises:
      RequestRefused: it breaks some; the errors say which.
    """
    errors = graphql.validate(schema, document, max_errors=limits.errors, hide_suggestions=True)
    if suggest and 0 < len(errors) <= SUGGESTIONS:
        errors = graphql.validate(schema, document, max_errors=limits.errors)
    if errors:
        raise _refusal(errors[: limits.errors], "GRAPHQL_VALIDATION_FAILED")


def _refusal(errors: list[Any], code: str) -> RequestRefused:
    return RequestRefused.of({**error.formatted, "extensions": {"code": code}} for error in errors)


# --- the shape of a document --------------------------------------------------------------------------------------


def check_shape(document: graphql.DocumentNode, limits: Limits, *, introspection: bool) -> list[tuple[str, ...]]:
    """Refuse a document that asks for too much, or for more than one mutation at once.

    Returns:
      The names of the fields at the root of each operation, fragments expanded.

    Raises:
      RequestRefused: a limit is exceeded, introspection is asked for and off, or a mutation has not just one field.
    """
    _check_counts(document, limits)
    shape = _Shape(document, limits, introspection=introspection)
    roots: list[tuple[str, ...]] = []
    for definition in document.definitions:
        if isinstance(definition, graphql.OperationDefinitionNode):
            roots.append(shape.check(definition))
        elif isinstance(definition, graphql.FragmentDefinitionNode):
            shape.size(definition.selection_set, 1)  # one that nothing spreads is walked by the rules all the same
    return roots


def nodes_of(root: graphql.Node) -> Iterator[graphql.Node]:
    """Return *root* and all nodes below it, without calling itself."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        for key in node.keys:
            value = getattr(node, key, None)
            if isinstance(value, graphql.Node):
                stack.append(value)
            elif isinstance(value, (list, tuple)):
                stack.extend(each for each in value if isinstance(each, graphql.Node))


def _check_counts(document: graphql.DocumentNode, limits: Limits) -> None:
    aliases = directives = fragments = 0
    names: Counter[str] = Counter()
    for node in nodes_of(document):
        if isinstance(node, graphql.FieldNode):
            aliases += node.alias is not None
            names[(node.alias or node.name).value] += 1
        elif isinstance(node, graphql.DirectiveNode):
            directives += 1
        elif isinstance(node, graphql.FragmentDefinitionNode):
            fragments += 1
        elif isinstance(node, graphql.OperationDefinitionNode):
            _limit("variables", len(node.variable_definitions or ()), limits.variables)
        elif isinstance(node, graphql.ListValueNode):
            _limit("items of one list", len(node.values), limits.list_items)
        elif isinstance(node, graphql.StringValueNode):
            _check_characters(node.value, "a string in the query")
    _limit("aliases", aliases, limits.aliases)
    _limit("directives", directives, limits.directives)
    _limit("fragments", fragments, limits.fragments)
    for name, number in names.most_common(1):
        _limit(f"fields called {name}", number, limits.repeats)


def _limit(what: str, value: int, limit: int) -> None:
    if value > limit:
        raise LimitExceeded(what, value, limit)


@dataclass(slots=True)
class _Size:
    """What a selection comes to, fragments expanded."""

    depth: int = 0
    introspection_depth: int = 0
    cost: int = 0
    roots: list[graphql.FieldNode] = field(default_factory=list)

    def add(self, other: _Size) -> None:
        self.depth = max(self.depth, other.depth)
        self.introspection_depth = max(self.introspection_depth, other.introspection_depth)
        self.cost += other.cost
        self.roots += other.roots


class _Shape:
    """Walks the selections of one document; each fragment is walked once, however often it is spread."""

    def __init__(self, document: graphql.DocumentNode, limits: Limits, *, introspection: bool) -> None:
        self._limits = limits
        self._introspection = introspection
        self._sizes: dict[str, _Size | None] = {}
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, graphql.FragmentDefinitionNode)
        }

    def check(self, operation: graphql.OperationDefinitionNode) -> tuple[str, ...]:
        size = self.size(operation.selection_set, 1)
        _limit("fields at the root", len(size.roots), self._limits.root_fields)
        _limit("depth", size.depth, self._limits.depth)
        _limit("depth of introspection", size.introspection_depth, self._limits.introspection_depth)
        _limit("cost", size.cost, self._limits.cost)
        if operation.operation is graphql.OperationType.MUTATION:
            _check_mutation(size.roots)
        return tuple(node.name.value for node in size.roots)

    def size(self, selections: graphql.SelectionSetNode, level: int) -> _Size:
        _limit("selections within selections", level, SELECTION_LEVELS)
        total = _Size()
        for node in selections.selections:
            if isinstance(node, graphql.FieldNode):
                total.add(self._field(node, level))
            elif isinstance(node, graphql.FragmentSpreadNode):
                total.add(self._fragment(node.name.value, level))
            elif isinstance(node, graphql.InlineFragmentNode):
                total.add(self.size(node.selection_set, level + 1))
            # Summed early, so that doubling fragments end here and not in large numbers.
            _limit("cost", total.cost, self._limits.cost)
            _limit("fields at the root", len(total.roots), self._limits.tokens)
        return total

    def _field(self, node: graphql.FieldNode, level: int) -> _Size:
        below = self.size(node.selection_set, level + 1) if node.selection_set else _Size()
        size = _Size(cost=below.cost + (2 if node.selection_set else 1), roots=[node])
        size.introspection_depth = below.introspection_depth
        if node.name.value in _INTROSPECTION:
            if not self._introspection:
                raise RequestRefused("introspection is switched off", code="INTROSPECTION_DISABLED")
            size.introspection_depth = max(below.depth, below.introspection_depth)
            size.depth = 1
        else:
            size.depth = below.depth + 1
        return size

    def _fragment(self, name: str, level: int) -> _Size:
        if name not in self._fragments:
            return _Size()  # validation says so
        if name not in self._sizes:
            self._sizes[name] = None
            self._sizes[name] = self.size(self._fragments[name].selection_set, level + 1)
        size = self._sizes[name]
        if size is None:
            raise RequestRefused(f"fragment {name} is part of itself", code="GRAPHQL_VALIDATION_FAILED")
        return size


def _check_mutation(roots: list[graphql.FieldNode]) -> None:
    """Allow one field: of two orders in one request, a lost answer could be either's."""
    fields = [node for node in roots if node.name.value != "__typename"]
    if len(fields) > 1:
        names = ", ".join(node.name.value for node in fields)
        raise RequestRefused(f"one mutation at a time: {names}", code="ONE_MUTATION")
    if any(node.alias is not None for node in roots):
        raise RequestRefused("a mutation has no alias", code="ONE_MUTATION")


# --- variables ----------------------------------------------------------------------------------------------------


def check_variables(variables: Mapping[str, Any], limits: Limits) -> None:
    """Refuse values that are too many or nest too deep, and those that no TWS could be sent.

    Raises:
      RequestRefused: a limit is exceeded, or a value is no JSON: NaN, an infinity, NUL, half of a surrogate pair.
    """
    stack: list[tuple[Any, int]] = [(value, 1) for value in variables.values()]
    for name in variables:
        _check_characters(name, "the name of a variable")
    seen = 0
    while stack:
        value, depth = stack.pop()
        seen += 1
        _limit("values in the variables", seen + len(stack), limits.variable_values)
        _limit("depth of the variables", depth, limits.variable_depth)
        stack.extend((each, depth + 1) for each in _parts(value, limits))


def _parts(value: Any, limits: Limits) -> list[Any]:
    """Return what *value* holds, having checked the value itself."""
    if isinstance(value, dict):
        for name in value:
            _check_characters(str(name), "a name in the variables")
        return list(value.values())
    if isinstance(value, list):
        _limit("items of one list", len(value), limits.list_items)
        return value
    if isinstance(value, str):
        _limit("characters in one variable", len(value), limits.query_chars)
        _check_characters(value, "a variable")
    elif isinstance(value, float) and not math.isfinite(value):
        raise RequestRefused(f"a variable is {value}, which JSON does not have")
    elif isinstance(value, int):
        _limit("bits of a number in the variables", value.bit_length(), NUMBER_BITS)
    elif value is not None and not isinstance(value, float):
        raise RequestRefused(f"a variable is a {type(value).__name__}, which JSON does not have")
    return []
