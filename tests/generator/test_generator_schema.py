"""The schema of the made-up table, exactly; and what its vocabulary lacks is an error that names the place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from generator.check import check
from generator.emit_resolvers import emit_resolvers
from generator.emit_schema import TRADING_LINE, emit_schema
from generator.files import SCHEMA, generate
from generator.format import format_source
from generator.model import Release, Table, TableError
from generator.releases import load
from generator.resolve import resolve
from generator.schema_model import Enumeration, Extra, Noun, Vocabulary
from generator.schema_types import graphql_default, input_type, output_type
from generator.spec import TABLE as REAL_TABLE
from tests.generator.made_up_api import RELEASES, TABLE

EXPECTED = Path(__file__).parent / "expected"

THING = Noun(
    "Thing",
    "A thing.",
    "name String Its name.\nsize_ Decimal How large it is.\nold Int How old.",
    told=("old",),
    given=True,
)
WORDS = Vocabulary(
    nouns=(
        THING,
        Noun("EndOfSnapshot", "All is there.", "complete Boolean! Always true.", ours=True),
        Noun("Lagged", "Some are not there.", "count Int How many.", ours=True),
        Noun("Gap", "Some may not be there.", "reason String Why.", ours=True),
        Noun("GroupMoved", "A group moved.", "to String! Where.", ours=True),
        Noun("Accepted", "It was placed.", "id Int Its number.", ours=True),
        Noun("HotCondition", "It is hot.", "condType Kind The kind.\nheat Float How hot.", condition=1),
    ),
    enums=(Enumeration("Overflow", "What happens when it is full.", {"RAISE": "It ends."}),),
    unions={"Outcome": (("Accepted",), "What became of it."), "Condition": (("HotCondition",), "What must hold.")},
    extras=(
        Extra("Query", "outcome", "Outcome!", 'Return "what" became of it.', arguments=("of: Int! = 1",), trading=True),
        Extra("Query", "condition", "Condition", "Return what must hold."),
    ),
    scalars={"Decimal": "A number.", "Kind": "A kind.", "Long": "A large number."},
    arguments={
        **{name: f"The {name}." for name in ("thing", "thingOptions", "tickOptions", "ruleId", "useRTH", "level")},
        **{name: f"The {name}." for name in ("group", "to", "of", "buffer", "overflow", "share", "orderId")},
    },
    fields={
        "dailyPnL": "The profit",
        "lots": "How many",
        "open": "The first",
        "text": "The text",
        "colour": "Its colour",
    },
    docs={"placeThing": "Place a thing."},
    defaults={"level": 2},
    types={"reqRule.ruleId": "Kind"},
    results={"placeThing": "Outcome!", "stopThing": "Outcome!"},
)

THINGS = ("name", "old", "size_")


def with_nouns(releases: list[Release], *attributes: tuple[str, ...]) -> list[Release]:
    """Return the releases with the attributes that a thing has in each."""
    return [
        replace(each, attributes={"Thing": names, "HotCondition": ("condType", "heat")})
        for each, names in zip(releases, attributes, strict=True)
    ]


WITH_NOUNS = with_nouns(RELEASES, THINGS, ("name", "size_"))
NOUNS = {"Thing": "ibapi.thing", "HotCondition": "ibapi.thing"}


def table(**changes: Any) -> Table:
    """Return the made-up table with its vocabulary, and what is changed in that."""
    return replace(TABLE, vocabulary=replace(WORDS, **changes))


def resolved(**changes: Any) -> Any:
    return replace(resolve(table(**changes), WITH_NOUNS), nouns=NOUNS)


def problems(**changes: Any) -> list[str]:
    try:
        resolve(table(**changes), WITH_NOUNS)
    except TableError as error:
        return error.problems
    return []


# --- the text ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "emit"), [("schema.graphql", emit_schema), ("resolvers.txt", emit_resolvers)])
def test_the_text_is_exactly_what_is_expected(name: str, emit: Any) -> None:
    text = emit(resolved())
    text = format_source(text) if emit is emit_resolvers else text
    assert text == (EXPECTED / name).read_text(encoding="utf-8")


def test_it_is_written_where_there_are_words_for_it() -> None:
    assert SCHEMA not in generate(resolve(TABLE, RELEASES))
    files = generate(resolved())
    assert TRADING_LINE in files[SCHEMA]
    assert "trio_ibtws/_gen/resolvers.py" in files


@pytest.mark.parametrize(
    ("annotation", "type_"),
    [
        ("int", "Int"),
        ("float | None", "Float"),
        ("list[TagValue]", "[TagValue!]"),
        ("set[str]", "[String!]"),
        ("list[list[int]]", "[[Int!]!]"),
        ("dict[int, tuple[str, str]]", "[SmartComponent!]"),
        ("Message", "JSON"),
    ],
)
def test_types(annotation: str, type_: str) -> None:
    assert output_type(annotation) == type_


def test_arguments_have_types_of_their_own() -> None:
    assert input_type("[TagValue!]!", {"TagValue"}) == "[TagValueInput!]!"
    assert input_type("[TagValue!]!", {"Tag", "Value"}) == "[TagValue!]!"
    assert [graphql_default(value) for value in (True, "", 5, None)] == ["true", '""', "5", "null"]


# --- what is wrong -----------------------------------------------------------------------------------------------


def test_nothing_is_wrong() -> None:
    assert problems() == []
    assert check(REAL_TABLE, load()) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"arguments": {**WORDS.arguments, "thing": ""}}, "field 'reqThings', argument 'thing': say what it is"),
        ({"arguments": {**WORDS.arguments, "more": "x"}}, "schema: argument 'more' is nowhere in it"),
        ({"fields": {**WORDS.fields, "lots": ""}}, "schema: type TickPnL, field 'lots': say what it is"),
        ({"fields": {**WORDS.fields, "more": "x"}}, "schema: field 'more' is nowhere in it"),
        ({"docs": {**WORDS.docs, "more": "x"}}, "schema: text of 'more' is nowhere in it"),
        ({"results": {**WORDS.results, "more": "x"}}, "schema: result of 'more' is nowhere in it"),
        ({"results": {**WORDS.results, "placeThing": "More!"}}, "schema: type Mutation: there is no type 'More'"),
        ({"types": {**WORDS.types, "reqRule.more": "Kind"}}, "schema: type of 'reqRule.more' is nowhere in it"),
        ({"defaults": {"more": 1}}, "schema: default of 'more' is nowhere in it"),
        ({"scalars": {**WORDS.scalars, "Decimal": ""}}, "schema: scalar Decimal: say what it is"),
        (
            {"enums": (*WORDS.enums, Enumeration("More", "More.", {"A": "An a."}))},
            "schema: enum 'More' is nowhere in it",
        ),
        (
            {"nouns": (*WORDS.nouns, Noun("More", "More.", "a Int An a.", ours=True))},
            "schema: noun 'More' is nowhere in it",
        ),
    ],
)
def test_words_that_lack_or_are_too_many(changes: dict[str, Any], problem: str) -> None:
    assert any(problem in each for each in problems(**changes)), problems(**changes)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("name String Its name.\nsize_ Decimal x\nold Int x\nnew Int x", "noun Thing: 'new' is in no recorded release"),
        ("name String Its name.\nold Int x", "noun Thing: 'size_' (ibapi 2.0.1) has no line"),
        ("name String x\nname String x\nsize_ Decimal x\nold Int x", "noun Thing: 'name' has two lines"),
    ],
)
def test_nouns_that_no_release_shows(lines: str, problem: str) -> None:
    nouns = (replace(THING, lines=lines), *WORDS.nouns[1:])
    assert problem in check(table(nouns=nouns), WITH_NOUNS)


def test_an_answer_is_no_argument() -> None:
    nouns = (replace(THING, given=False), *WORDS.nouns[1:])
    assert "schema: type Query, field 'reqThings', argument 'thing': Thing! is no input" in problems(nouns=nouns)


def test_a_class_that_no_release_has_and_an_attribute_that_is_told_and_not_there() -> None:
    nouns = (*WORDS.nouns, Noun("More", "More.", "a Int An a."), replace(THING, told=("new",)))
    found = check(table(nouns=nouns), WITH_NOUNS)
    assert "noun More: no recorded release has it" in found
    assert "noun Thing: told 'new' has no line" in found
