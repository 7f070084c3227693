"""Model -> ``resolvers.py``: which method of the client each field of the schema calls, and with which arguments."""

from __future__ import annotations

from collections.abc import Iterator

from .model import Model, RequestMethod
from .naming import snake
from .schema import field_name, root_of
from .schema_types import output_type
from .text import HEADER, docstring

__all__ = ["emit_resolvers"]

_CALL = '''
class Call(NamedTuple):
    """What a field calls: the method of the client, and the names of its arguments in the method's order.

    *kind* says how: ``query`` and ``send`` are requests with and without an answer, ``stream`` is a subscription,
    ``part`` belongs to one, ``order`` goes through the order book and never to the method. *shape* says what becomes of
    the answer where it is not given as it is.
    """

    kind: str
    method: str
    arguments: tuple[str, ...] = ()
    shape: str = ""
'''

_ROOTS = {
    "Query": "What is asked once.",
    "Mutation": "What changes something.",
    "Subscription": "What goes on.",
}

_KINDS = {"one": "query", "list": "query", "place": "order", "cancel_order": "order"}


def emit_resolvers(model: Model) -> str:
    """Return the text of ``resolvers.py``, unformatted."""
    tables = [
        f"{root.upper()}: Mapping[str, Call] = {{\n{''.join(_lines(model, root))}}}\n{docstring([doc], 0)}"
        for root, doc in _ROOTS.items()
    ]
    return "\n".join(
        [
            HEADER,
            docstring(["Which method of the client each field of the GraphQL schema calls."], 0),
            "from __future__ import annotations\n",
            "from collections.abc import Mapping\nfrom typing import NamedTuple\n",
            '__all__ = ["MUTATION", "NOUNS", "QUERY", "SUBSCRIPTION", "Call"]\n',
            _CALL,
            *tables,
            _nouns(model),
        ]
    )


def _lines(model: Model, root: str) -> Iterator[str]:
    requests = [request for request in model.requests if root_of(request) == root]
    for request in sorted(requests, key=lambda each: field_name(each).lower()):
        arguments: list[str | tuple[str, ...]] = [_kind(request), request.name, _arguments(request), _shape(request)]
        while not arguments[-1]:
            arguments.pop()
        yield f'"{field_name(request)}": Call({", ".join(_literal(each) for each in arguments)}),\n'


def _literal(value: str | tuple[str, ...]) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return f"({', '.join(map(_literal, value))}{',' * (len(value) == 1)})"


def _kind(request: RequestMethod) -> str:
    if request.row.orders and root_of(request) == "Mutation":
        return "order"
    return _KINDS.get(request.row.pattern, request.row.pattern)


def _arguments(request: RequestMethod) -> tuple[str, ...]:
    given = {snake(parameter.name): parameter.name for parameter in request.wire}
    return tuple(given[parameter.name] for parameter in request.parameters)


def _shape(request: RequestMethod) -> str:
    row = request.row
    if row.batches:
        return "batch"
    if request.yields == "Message":
        return "message"
    if request.end_type == "bool":
        return "more"
    if request.yields.startswith("dict["):
        return "components"
    return "text" if row.pattern == "stream" and output_type(request.yields) == "String" else ""


def _nouns(model: Model) -> str:
    assert model.vocabulary is not None
    given = [noun.name for noun in model.vocabulary.nouns if noun.given or noun.condition is not None]
    lines = [f'"{name}": "{model.nouns[name]}",\n' for name in sorted(given)]
    return f"NOUNS: Mapping[str, str] = {{\n{''.join(lines)}}}\n" + docstring(
        ["The classes of ibapi that arguments are made of, and the modules that have them."], 0
    )
