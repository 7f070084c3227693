"""Model -> the definitions of the GraphQL schema: what ``emit_schema`` writes and ``emit_resolvers`` counts on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from .model import CallbackMethod, Model, RequestMethod
from .naming import event_name, snake
from .schema_model import Extra, Noun, Vocabulary
from .schema_types import field_type, graphql_default, input_type, output_type

__all__ = [
    "ArgumentDefinition",
    "Definition",
    "FieldDefinition",
    "Schema",
    "field_name",
    "plain_name",
    "root_of",
    "schema_of",
]

MARKERS = ("Lagged", "Gap")
"""What any subscription may yield beside its events."""

CONDITION = "OrderCondition"
"""The union of all conditions, and what its input and its enum begin with."""

STREAM_ARGUMENTS = ("buffer: Int", "overflow: Overflow! = RAISE", "share: Boolean! = false")


@dataclass(frozen=True)
class ArgumentDefinition:
    """An argument of a field."""

    name: str
    type: str
    default: str = ""
    doc: str = ""

    @classmethod
    def parse(cls, text: str, docs: Mapping[str, str]) -> ArgumentDefinition:
        """Read ``name: Type = default``."""
        text, _, default = text.partition(" = ")
        name, _, type_ = text.partition(": ")
        return cls(name, type_, default, docs.get(name, ""))


@dataclass(frozen=True)
class FieldDefinition:
    """A field of an object or an input, or a value of an enum."""

    name: str
    type: str
    doc: str
    arguments: tuple[ArgumentDefinition, ...] = ()
    deprecated: str = ""


@dataclass(frozen=True)
class Definition:
    """A type: ``kind`` is scalar, enum, input, type or union; a union has members."""

    kind: str
    name: str
    doc: str
    fields: tuple[FieldDefinition, ...] = ()
    members: tuple[str, ...] = ()

    @property
    def mentioned(self) -> set[str]:
        """The names of the types that it needs."""
        types = [text for field in self.fields for text in (field.type, *(each.type for each in field.arguments))]
        return {plain_name(text) for text in types} | set(self.members)


@dataclass(frozen=True)
class Schema:
    """The whole: the types without and with trading, the roots in both halves."""

    types: tuple[Definition, ...]
    trading_types: tuple[Definition, ...]
    roots: tuple[Definition, ...]
    trading_roots: tuple[Definition, ...]


def plain_name(type_: str) -> str:
    """Return the name of a type without lists and exclamation marks."""
    return re.sub(r"[\[\]!]", "", type_)


# --- where a row appears -----------------------------------------------------------------------------------------


def root_of(request: RequestMethod) -> str:
    """Return the root type of a request's field."""
    if request.row.effect != "read" or request.row.pattern in ("place", "cancel_order", "part"):
        return "Mutation"
    return "Subscription" if request.row.pattern == "stream" else "Query"


def field_name(request: RequestMethod) -> str:
    """Return the name of a request's field: IB's own, or made like it where a flag chooses the function."""
    row = request.row
    method = row.method.removesuffix("ProtoBuf")
    if not row.name or row.name.endswith("_stream"):
        return method
    return "req" + "".join(event_name(word) for word in row.name.split("_"))


def needs_trading(request: RequestMethod) -> bool:
    """Whether the field is there only where trading is enabled."""
    return request.row.effect in ("spend", "trade")


# --- the whole ---------------------------------------------------------------------------------------------------


def schema_of(model: Model, words: Vocabulary) -> Schema:
    """Return the definitions of the schema."""
    return _Builder(model, words).schema()


class _Builder:
    def __init__(self, model: Model, words: Vocabulary) -> None:
        self._model = model
        self._words = words
        self._callbacks = {callback.name: callback for callback in model.callbacks}
        self._names = {request.name: field_name(request) for request in model.requests}
        self._given = {noun.name for noun in words.nouns if noun.given} | {CONDITION}
        self._unions = {union.name: union.members for union in model.unions}

    def schema(self) -> Schema:
        every = {definition.name: definition for definition in self._types()}
        plain, trading = self._roots(trading=False), self._roots(trading=True)
        known = _reachable(plain, every)
        more = _reachable(trading, every) - known
        return Schema(_sorted(every, known), _sorted(every, more), plain, trading)

    # --- types

    def _types(self) -> Iterator[Definition]:
        for name, doc in self._words.scalars.items():
            yield Definition("scalar", name, doc)
        for enum in self._words.enums:
            yield Definition(
                "enum", enum.name, enum.doc, tuple(FieldDefinition(name, "", doc) for name, doc in enum.values.items())
            )
        for noun in self._words.nouns:
            yield from self._noun(noun)
        if any(noun.condition is not None for noun in self._words.nouns):
            yield self._condition_input()
        for callback in self._model.callbacks:
            if callback.event:
                yield self._event(callback)
        for name, (members, doc) in self._words.unions.items():
            yield Definition("union", name, doc, members=members)
        yield from self._row_unions()

    def _noun(self, noun: Noun) -> Iterator[Definition]:
        fields = tuple(self._attribute(noun, each.name, each.type, each.doc) for each in noun.attributes)
        if noun.answered:
            yield Definition("type", noun.name, noun.doc, fields)
        if noun.given:
            kept = [
                replace(each, type=input_type(each.type, self._given)) for each in fields if each.name not in noun.told
            ]
            yield Definition(
                "input", f"{noun.name}Input", noun.doc, tuple(replace(each, deprecated="") for each in kept)
            )

    def _attribute(self, noun: Noun, name: str, type_: str, doc: str) -> FieldDefinition:
        last = self._model.attributes.get(noun.name, {}).get(name)
        doc += f" Up to ibapi {last}." * bool(last)
        gone = f"ibapi {last} was the last release that had it." if last else ""
        return FieldDefinition(name.rstrip("_"), type_, doc, deprecated=gone)

    def _condition_input(self) -> Definition:
        """One input for all kinds of conditions: GraphQL has no unions of inputs."""
        fields: dict[str, FieldDefinition] = {}
        for noun in self._words.nouns:
            if noun.condition is not None:
                for each in noun.attributes:
                    fields.setdefault(each.name, FieldDefinition(each.name, each.type, each.doc))
        fields["condType"] = replace(fields["condType"], type=f"{CONDITION}Type!")
        doc = "A condition: its kind, and what belongs to that kind."
        return Definition("input", f"{CONDITION}Input", doc, tuple(fields.values()))

    def _event(self, callback: CallbackMethod) -> Definition:
        names = {snake(parameter.name): parameter.name.rstrip("_") for parameter in callback.parameters}
        names |= {field.name: field.value for field in callback.twin}
        fields = tuple(
            FieldDefinition(names[field.name], field_type(field), self._field_doc(names[field.name], field.unit))
            for field in (*callback.fields, *callback.twin)
        )
        doc = f"{self._renamed(callback.doc)} (EWrapper.{callback.name})"
        return Definition("type", callback.event, doc, fields)

    def _field_doc(self, name: str, unit: str) -> str:
        doc = self._words.fields.get(name, "").rstrip(".")
        return doc and doc + (f": {unit}." if unit else ".")

    def _row_unions(self) -> Iterator[Definition]:
        for request in self._model.requests:
            if request.row.pattern == "stream":
                yield Definition(
                    "union",
                    self._stream_union(request),
                    f"What {field_name(request)} yields.",
                    members=(*self._members(request), *MARKERS),
                )
            elif (
                request.row.pattern == "list" and request.yields in self._unions and not self._is_stream_union(request)
            ):
                yield Definition(
                    "union", request.yields, f"A row of {field_name(request)}.", members=self._unions[request.yields]
                )

    def _is_stream_union(self, request: RequestMethod) -> bool:
        return any(each.row.pattern == "stream" and each.yields == request.yields for each in self._model.requests)

    def _stream_union(self, request: RequestMethod) -> str:
        if request.yields in self._unions:
            return request.yields
        return "".join(event_name(word) for word in request.name.removesuffix("_stream").split("_")) + "Event"

    def _members(self, request: RequestMethod) -> tuple[str, ...]:
        item = output_type(request.yields)
        if request.row.batches:
            return (item.strip("[]!") + "List",)
        if item == "String":  # a union has object types only
            return (event_name(request.row.items[0]),)
        return self._unions.get(item, (item,))

    # --- roots

    def _roots(self, *, trading: bool) -> tuple[Definition, ...]:
        made = []
        for root, doc in _ROOTS.items():
            fields = [*self._rows(root, trading), *self._extras(root, trading)]
            if fields:
                made.append(Definition("type", root, doc, tuple(sorted(fields, key=lambda field: field.name.lower()))))
        return tuple(made)

    def _rows(self, root: str, trading: bool) -> Iterator[FieldDefinition]:
        for request in self._model.requests:
            if root_of(request) == root and needs_trading(request) == trading:
                yield self._row(request)

    def _row(self, request: RequestMethod) -> FieldDefinition:
        name = field_name(request)
        until = f"ibapi {request.until} was the last release that had it." if request.until else ""
        return FieldDefinition(
            name, self._result(request), self._doc(request), tuple(self._arguments(request)), deprecated=until
        )

    def _result(self, request: RequestMethod) -> str:
        row, name = request.row, field_name(request)
        if name in self._words.results:
            return self._words.results[name]
        if row.pattern == "stream":
            return f"{self._stream_union(request)}!"
        if row.pattern in ("send", "part"):
            return "Boolean!"
        if row.pattern == "one":
            callback = self._callbacks.get(row.items[0])
            long = callback is not None and not callback.event and field_type(callback.fields[0]) == "Long"
            return "Long!" if long else f"{output_type(request.yields)}!"
        item = {"join_open_orders": "OpenOrder", "join_commissions": "ExecDetails"}.get(row.join, request.yields)
        return f"[{output_type(item)}!]!"

    def _arguments(self, request: RequestMethod) -> Iterator[ArgumentDefinition]:
        row = request.row
        given = {snake(parameter.name): parameter.name for parameter in request.wire}
        defaults = {**self._model.defaults, **self._words.defaults, **row.defaults}
        if row.pattern == "part":  # a part names the subscription that it belongs to by that one's arguments
            owner = next(each for each in self._model.requests if each.row.update == row.method)
            yield from (replace(each, default="") for each in self._own_arguments(owner, defaults))
        yield from self._own_arguments(request, defaults, given)
        if row.pattern == "stream":
            for text in STREAM_ARGUMENTS:
                yield ArgumentDefinition.parse(text, self._words.arguments)

    def _own_arguments(
        self, request: RequestMethod, defaults: Mapping[str, object], given: Mapping[str, str] | None = None
    ) -> Iterator[ArgumentDefinition]:
        given = given or {snake(parameter.name): parameter.name for parameter in request.wire}
        for parameter in request.parameters:
            name = given[parameter.name]
            annotation = parameter.annotation.removesuffix(" | None")
            type_ = self._words.types.get(f"{request.row.method}.{name}") or input_type(
                output_type(annotation), self._given
            )
            default = graphql_default(defaults[name]) if name in defaults else ""
            yield ArgumentDefinition(
                name,
                type_ if default == "null" else f"{type_}!",
                "" if default == "null" else default,
                self._words.arguments.get(name, ""),
            )

    def _extras(self, root: str, trading: bool) -> Iterator[FieldDefinition]:
        for extra in self._words.extras:
            if extra.root == root and extra.trading == trading:
                yield self._extra(extra)

    def _extra(self, extra: Extra) -> FieldDefinition:
        arguments = tuple(ArgumentDefinition.parse(text, self._words.arguments) for text in extra.arguments)
        return FieldDefinition(extra.name, extra.type, extra.doc, arguments)

    # --- texts

    def _doc(self, request: RequestMethod) -> str:
        row, name = request.row, field_name(request)
        text = self._words.docs.get(name) or " ".join(part for part in (row.doc, row.notes) if part)
        return f"{self._in_ibs_words(request, text)} (EClient.{row.method})"

    def _in_ibs_words(self, request: RequestMethod, text: str) -> str:
        """Say of arguments and functions what they are called here."""
        given = {snake(parameter.name): parameter.name for parameter in request.wire}
        text = re.sub(r"\*(\w+)\*", lambda found: f"`{given.get(found[1], found[1])}`", text)
        return self._renamed(text)

    def _renamed(self, text: str) -> str:
        return re.sub(r"``(\w+)``", lambda found: f"`{self._names.get(found[1], found[1])}`", text).replace("``", "`")


_ROOTS = {
    "Query": "What can be asked, once.",
    "Mutation": "What changes something: settings of the session, and with trading enabled orders and the account.",
    "Subscription": "What goes on until it is ended.",
}


def _reachable(roots: tuple[Definition, ...], every: Mapping[str, Definition]) -> set[str]:
    found: set[str] = set()

    @cache
    def visit(name: str) -> None:
        if name in every:
            found.add(name)
            for mentioned in sorted(every[name].mentioned):
                visit(mentioned)

    for root in roots:
        for name in sorted(root.mentioned):
            visit(name)
    return found


def _sorted(every: Mapping[str, Definition], names: set[str]) -> tuple[Definition, ...]:
    kinds = ("scalar", "enum", "input", "union", "type")
    return tuple(sorted((every[name] for name in names), key=lambda each: (kinds.index(each.kind), each.name)))
