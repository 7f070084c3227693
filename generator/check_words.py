"""Holds what the table says for GraphQL against the recorded releases, and against the schema that it makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from .model import Model, Release, Table
from .schema import Definition, Schema, field_name, plain_name, schema_of
from .schema_model import Noun, Vocabulary

__all__ = ["check_nouns", "check_words"]

_BUILT_IN = {"", "Boolean", "Float", "Int", "String"}


def check_nouns(table: Table, releases: Sequence[Release]) -> list[str]:
    """Return what nouns have that no release shows, and what they leave out, one line for each."""
    if table.vocabulary is None:
        return []
    shown: dict[str, dict[str, str]] = {}
    for release in releases:
        for name, attributes in release.attributes.items():
            shown.setdefault(name, {}).update(dict.fromkeys(attributes, release.version))
    nouns = [noun for noun in table.vocabulary.nouns if not noun.ours]
    return [problem for noun in nouns for problem in _noun(noun, shown.get(noun.name))]


def _noun(noun: Noun, shown: dict[str, str] | None) -> Iterator[str]:
    where = f"noun {noun.name}"
    if shown is None:
        yield f"{where}: no recorded release has it"
        return
    names = [attribute.name for attribute in noun.attributes]
    for name, version in shown.items():
        if name not in names:
            yield f"{where}: {name!r} (ibapi {version}) has no line"
    for name in names:
        if name not in shown:
            yield f"{where}: {name!r} is in no recorded release"
        if names.count(name) > 1:
            yield f"{where}: {name!r} has two lines"
    for name in noun.told:
        if name not in names:
            yield f"{where}: told {name!r} has no line"


def check_words(model: Model) -> list[str]:
    """Return what the schema lacks, and what the vocabulary has that is not in it, one line for each."""
    if model.vocabulary is None:
        return []
    schema = schema_of(model, model.vocabulary)
    every = (*schema.types, *schema.trading_types, *schema.roots, *schema.trading_roots)
    kinds = {definition.name: definition.kind for definition in every} | dict.fromkeys(_BUILT_IN, "scalar")
    problems = [problem for definition in every for problem in _definition(definition, kinds)]
    return problems + list(_unused(model, model.vocabulary, schema))


def _definition(definition: Definition, kinds: Mapping[str, str]) -> Iterator[str]:
    where = f"schema: {definition.kind} {definition.name}"
    if not definition.doc:
        yield f"{where}: say what it is"
    for field in definition.fields:
        if not field.doc:
            yield f"{where}, field {field.name!r}: say what it is"
        for argument in field.arguments:
            if not argument.doc:
                yield f"{where}, field {field.name!r}, argument {argument.name!r}: say what it is"
            if kinds.get(plain_name(argument.type)) in ("type", "union"):
                yield f"{where}, field {field.name!r}, argument {argument.name!r}: {argument.type} is no input"
    for name in sorted(definition.mentioned - set(kinds)):
        yield f"{where}: there is no type {name!r}"


def _unused(model: Model, words: Vocabulary, schema: Schema) -> Iterator[str]:
    roots = [field for root in (*schema.roots, *schema.trading_roots) for field in root.fields]
    arguments = {argument.name for field in roots for argument in field.arguments}
    fields = {field.name for each in (*schema.types, *schema.trading_types) for field in each.fields}
    types = {each.name for each in (*schema.types, *schema.trading_types)}
    methods = {f"{request.row.method}.{each.name}" for request in model.requests for each in request.wire}
    names = {field_name(request) for request in model.requests}
    for kind, said, known in _said(words, arguments, fields, names, methods, types):
        for name in said:
            if name not in known:
                yield f"schema: {kind} {name!r} is nowhere in it"


def _said(
    words: Vocabulary, arguments: set[str], fields: set[str], names: set[str], methods: set[str], types: set[str]
) -> Iterator[tuple[str, Iterable[str], set[str]]]:
    yield "argument", words.arguments, arguments
    yield "field", words.fields, fields
    yield "text of", words.docs, names
    yield "result of", words.results, names
    yield "type of", words.types, methods
    yield "default of", words.defaults, arguments
    yield "enum", [enum.name for enum in words.enums], types
    yield "noun", [noun.name for noun in words.nouns if noun.answered], types
