r"""A document that graphql-core has parsed and validated, as the nodes that Tartiflette executes.

Tartiflette's own parser is a library in C that needs quadratic time for nested brackets, crashes the process on deep
ones, stops at NUL, cuts ``\uXXXX`` to eight bits and never gives its memory back; its rules miss the one that keeps
two orders from becoming one. None of that code is run: documents come to Tartiflette by this module alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import graphql
import tartiflette.language.ast as tartiflette


def location(node: graphql.Node) -> Any:
    """Return where *node* stands, as Tartiflette has it."""
    if node.loc is None:
        return None
    start, end = node.loc.start_token, node.loc.end_token
    return tartiflette.Location(start.line, start.column, end.line, end.column)


def translate(node: graphql.Node) -> Any:
    """Return Tartiflette's node for *node*, with all that is below it."""
    return _TRANSLATIONS[type(node)](node)


def _maybe(node: graphql.Node | None) -> Any:
    return None if node is None else translate(node)


def _each(nodes: Iterable[graphql.Node] | None) -> list[Any]:
    return [translate(node) for node in nodes or ()]


def _document(node: graphql.DocumentNode) -> Any:
    return tartiflette.DocumentNode(_each(node.definitions), location=location(node), hash_id=0)


def _operation(node: graphql.OperationDefinitionNode) -> Any:
    return tartiflette.OperationDefinitionNode(
        operation_type=node.operation.value,
        selection_set=translate(node.selection_set),
        name=_maybe(node.name),
        variable_definitions=_each(node.variable_definitions),
        directives=_each(node.directives),
        location=location(node),
    )


def _fragment(node: graphql.FragmentDefinitionNode) -> Any:
    return tartiflette.FragmentDefinitionNode(
        name=translate(node.name),
        type_condition=translate(node.type_condition),
        selection_set=translate(node.selection_set),
        directives=_each(node.directives),
        location=location(node),
    )


def _variable_definition(node: graphql.VariableDefinitionNode) -> Any:
    return tartiflette.VariableDefinitionNode(
        translate(node.variable), translate(node.type), _maybe(node.default_value), location(node)
    )


def _field(node: graphql.FieldNode) -> Any:
    return tartiflette.FieldNode(
        name=translate(node.name),
        alias=_maybe(node.alias),
        arguments=_each(node.arguments),
        directives=_each(node.directives),
        selection_set=_maybe(node.selection_set),
        location=location(node),
    )


def _spread(node: graphql.FragmentSpreadNode) -> Any:
    return tartiflette.FragmentSpreadNode(translate(node.name), _each(node.directives), location(node))


def _inline(node: graphql.InlineFragmentNode) -> Any:
    return tartiflette.InlineFragmentNode(
        translate(node.selection_set), _maybe(node.type_condition), _each(node.directives), location(node)
    )


def _boxed(kind: Callable[..., Any]) -> Callable[[Any], Any]:
    """Return the translation of a node that holds a plain value."""
    return lambda node: kind(node.value, location(node))


_TRANSLATIONS: dict[type[graphql.Node], Callable[[Any], Any]] = {
    graphql.DocumentNode: _document,
    graphql.OperationDefinitionNode: _operation,
    graphql.FragmentDefinitionNode: _fragment,
    graphql.VariableDefinitionNode: _variable_definition,
    graphql.SelectionSetNode: lambda node: tartiflette.SelectionSetNode(_each(node.selections), location(node)),
    graphql.FieldNode: _field,
    graphql.FragmentSpreadNode: _spread,
    graphql.InlineFragmentNode: _inline,
    graphql.ArgumentNode: lambda node: tartiflette.ArgumentNode(
        translate(node.name), translate(node.value), location(node)
    ),
    graphql.DirectiveNode: lambda node: tartiflette.DirectiveNode(
        translate(node.name), _each(node.arguments), location(node)
    ),
    graphql.NameNode: _boxed(tartiflette.NameNode),
    graphql.NamedTypeNode: lambda node: tartiflette.NamedTypeNode(translate(node.name), location(node)),
    graphql.ListTypeNode: lambda node: tartiflette.ListTypeNode(translate(node.type), location(node)),
    graphql.NonNullTypeNode: lambda node: tartiflette.NonNullTypeNode(translate(node.type), location(node)),
    graphql.VariableNode: lambda node: tartiflette.VariableNode(translate(node.name), location(node)),
    graphql.IntValueNode: _boxed(tartiflette.IntValueNode),
    graphql.FloatValueNode: _boxed(tartiflette.FloatValueNode),
    graphql.StringValueNode: _boxed(tartiflette.StringValueNode),
    graphql.BooleanValueNode: _boxed(tartiflette.BooleanValueNode),
    graphql.EnumValueNode: _boxed(tartiflette.EnumValueNode),
    graphql.NullValueNode: lambda node: tartiflette.NullValueNode(location(node)),
    graphql.ListValueNode: lambda node: tartiflette.ListValueNode(_each(node.values), location(node)),
    graphql.ObjectValueNode: lambda node: tartiflette.ObjectValueNode(_each(node.fields), location(node)),
    graphql.ObjectFieldNode: lambda node: tartiflette.ObjectFieldNode(
        translate(node.name), translate(node.value), location(node)
    ),
}
