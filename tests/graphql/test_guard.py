"""Every limit at the limit and one past it; and how little is done before a query is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import graphql
import pytest
from graphql.language import Lexer
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graphql.zoo import Zoo
from trio_ibtws.graphql import _guard
from trio_ibtws.graphql._engine import GraphQLRequest
from trio_ibtws.graphql._errors import LimitExceeded, RequestRefused
from trio_ibtws.graphql._limits import Limits


def joined(number: int, text: str) -> str:
    """Return *text* as often, with the number in place of ``#``."""
    return " ".join(text.replace("#", str(i)) for i in range(number))


def friends(depth: int) -> str:
    """Return a query whose fields nest *depth* deep."""
    levels = depth - 2
    return '{named(name: "Tom") {...on Cat ' + "{friend {...on Cat " * levels + "{name}" + "}}" * levels + "}}"


def friends_in_fragments(depth: int) -> str:
    """Return the same with a fragment for each level."""
    levels = depth - 2
    fragments = joined(levels, "fragment F# on Cat {friend {...F#1}}")
    for i in range(levels):
        fragments = fragments.replace(f"...F{i}1}}", f"...F{i + 1}}}")
    return f'{{named(name: "Tom") {{...F0}}}} {fragments} fragment F{levels} on Cat {{name}}'


def of_type(depth: int) -> str:
    """Return a query that nests *depth* deep below ``__type``."""
    return '{__type(name: "Cat") {' + "ofType {" * (depth - 1) + "name" + "}" * (depth - 1) + "}}"


def fragments(number: int) -> str:
    return "{person {" + joined(number, "...F#") + "}} " + joined(number, "fragment F# on Person {name}")


def variables(number: int) -> str:
    return f"query({joined(number, '$v#: ID! = 1')}) {{echo(ids: [{joined(number, '$v#')}])}}"


CASES: dict[str, tuple[str, Callable[[int], str], dict[str, int]]] = {
    # what: (the limit, a query that has so many of it, other limits that would be in the way)
    "characters": ("query_chars", lambda n: "{hello}" + "#" * (n - 7), {"query_chars": 100}),
    "tokens": ("tokens", lambda n: "{person {" + "name " * (n - 5) + "}}", {"tokens": 30}),
    "brackets": ("brackets", lambda n: "{echo(ids: " + "[" * (n - 2) + "1" + "]" * (n - 2) + ")}", {"brackets": 3}),
    "braces": ("brackets", lambda n: "{" + "...{" * (n - 1) + "hello" + "}" * n, {}),
    "depth": ("depth", friends, {}),
    "depth of fragments": ("depth", friends_in_fragments, {}),
    "introspection": ("introspection_depth", of_type, {"brackets": 50}),
    "aliases": ("aliases", lambda n: "{person {" + joined(n, "a#: name") + "}}", {}),
    "aliases in fragments": (
        "aliases",
        lambda n: "{person {...F x: name}} fragment F on Person {" + joined(n - 1, "a#: name") + "}",
        {},
    ),
    "directives": ("directives", lambda n: "{person {" + joined(n, "name @skip(if: true)") + "}}", {}),
    "roots": ("root_fields", lambda n: "{" + "hello " * n + "}", {}),
    "roots in fragments": (
        "root_fields",
        lambda n: "{...F hello} fragment F on Query {...on Query {" + "hello " * (n - 1) + "}}",
        {},
    ),
    "fragments": ("fragments", fragments, {}),
    "repeats": ("repeats", lambda n: "{person {" + "name " * n + "}}", {}),
    "repeats by alias": ("repeats", lambda n: "{person {" + joined(n - 1, "x: name") + "} x: hello}", {"aliases": 99}),
    "cost": ("cost", lambda n: "{person {" + "name " * (n - 2) + "}}", {"cost": 20}),
    "cost of fragments": (
        "cost",
        lambda n: "{a: person {...F} b: person {...F}} fragment F on Person {" + "name " * ((n - 4) // 2) + "}",
        {"cost": 21},
    ),
    "variables": ("variables", variables, {}),
    "items": ("list_items", lambda n: "{echo(ids: [" + "1 " * n + "])}", {}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_query_at_the_limit_is_prepared_and_one_past_it_is_refused(case: str) -> None:
    name, make, others = CASES[case]
    limits = replace(Limits(), **others)
    limit = getattr(limits, name)
    zoo = Zoo(limits=limits)
    zoo.prepare(make(limit))
    past = limit + (2 if case == "cost of fragments" else 1)
    with pytest.raises(LimitExceeded, match=f"the limit is {limit}$") as refused:
        zoo.prepare(make(past))
    assert refused.value.response["errors"][0]["extensions"] == {"code": "LIMIT_EXCEEDED"}
    assert "data" not in refused.value.response
    assert refused.value.status == (413 if name == "query_chars" else 400)


def nested_lists(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth - 1):
        value = [value]
    return value


VALUES: dict[str, tuple[str, Callable[[int], Any]]] = {
    "depth of lists": ("variable_depth", nested_lists),
    "depth of objects": ("variable_depth", lambda n: {"a": nested_lists(n - 1)}),
    "items": ("list_items", lambda n: [1] * n),
    "values": ("variable_values", lambda n: {str(i): i for i in range(n - 1)}),
    "characters": ("query_chars", lambda n: "x" * n),
    "bits": ("", lambda n: 2 ** (n - 1)),
}


@pytest.mark.parametrize("case", VALUES)
def test_variables_at_the_limit_are_taken_and_one_past_it_they_are_refused(case: str) -> None:
    name, make = VALUES[case]
    limits = Limits(variable_depth=5, list_items=5, variable_values=9, query_chars=50)
    limit = getattr(limits, name) if name else _guard.NUMBER_BITS
    _guard.check_variables({"v": make(limit)}, limits)
    with pytest.raises(LimitExceeded, match=f"the limit is {limit}$"):
        _guard.check_variables({"v": make(limit + 1)}, limits)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -float("inf"), "\0", "a\0b", "\ud800", ["\udfff"], {"\0": 1}, {1, 2}, b"x"]
)
def test_what_no_json_has_or_tws_would_misread_is_refused(value: Any) -> None:
    for variables in ({"v": value}, {"v": [{"x": value}]}):
        with pytest.raises(RequestRefused):
            _guard.check_variables(variables, Limits())
    with pytest.raises(RequestRefused):
        _guard.check_variables({"\0": 1}, Limits())


@pytest.mark.parametrize("query", ["{hello}\0{", "{hello}\ud800", '{hello(name: "\ud83d")}', "\0"])
def test_nul_and_half_a_character_are_refused_in_the_text(query: str) -> None:
    with pytest.raises(RequestRefused, match=r"NUL|surrogate"):
        Zoo().prepare(query)


@pytest.mark.parametrize("name", ['"a\\u0000b"', '"""a\\u0000b"""'])
def test_nul_is_refused_in_an_escape_and_is_plain_text_in_a_block(name: str) -> None:
    """NUL ends a field of TWS's protocol: in a symbol it would make two of one."""
    if name.startswith('"""'):
        Zoo().prepare(f"{{hello(name: {name})}}")
        return
    with pytest.raises(RequestRefused, match="NUL"):
        Zoo().prepare(f"{{hello(name: {name})}}")


# --- little is done -----------------------------------------------------------------------------------------------


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Count tokens that are read, and calls of what is costly."""
    counts = {"tokens": 0, "parse": 0, "validate": 0}

    def counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            counts[name] += 1
            return function(*args, **kwargs)

        return call

    monkeypatch.setattr(Lexer, "advance", counted("tokens", Lexer.advance))
    monkeypatch.setattr(graphql, "parse", counted("parse", graphql.parse))
    monkeypatch.setattr(graphql, "validate", counted("validate", graphql.validate))
    return counts


HUGE = Limits(query_chars=10_000_000)


@pytest.mark.parametrize(
    ("query", "tokens"),
    [
        ("{a" * 20_000 + "}" * 20_000, 45),
        ("{" + "...{" * 5_000 + "a" + "}" * 5_001, 45),
        ("{a(x: " + "[" * 50_000 + "]" * 50_000 + ")}", 30),
        ("query(" + "$a: " + "[" * 50_000 + "Int" + "]" * 50_000 + ") {a}", 30),
        ("{" + joined(1_000, "a#: hello(name: \"#\")") + "}", 1_001),
        ("{" + joined(10_000, "a#: hello") + "}", 1_001),
        ("{echo(ids: [" + "1," * 50_000 + "])}", 1_001),
        ("{" + "hello " * 50_000 + "}", 1_001),
        ("{hello " + "@x " * 30_000 + "}", 1_001),
        ("mutation {" + joined(1_000, "a#: feed(name: \"#\")") + "}", 1_001),
    ],
)  # fmt: skip
def test_what_is_too_much_is_refused_before_it_is_parsed(query: str, tokens: int, work: dict[str, int]) -> None:
    """Tartiflette's parser crashed on the first, and took 20 s for some of the others."""
    for limits in (Limits(), HUGE):
        with pytest.raises(LimitExceeded):
            _guard.parse(query, limits)
    assert work == {"tokens": work["tokens"], "parse": 0, "validate": 0}
    assert work["tokens"] <= tokens  # none at all within the default length


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{person {" + "name " * 900 + "}}", "fields called name"),
        ("{person {" + joined(200, "a#: name") + "}}", "aliases"),
        ("{echo(ids: [" + "1 " * 900 + "])}", "items of one list"),
        ("{hello" + " @skip(if: true)" * 120 + "}", "directives"),
        ("{...F0} " + joined(60, "fragment F# on Query {hello}"), "fragments"),
        ("{...A} fragment A on Query {hello ...B} fragment B on Query {...A}", "A is part of itself"),
        ("{...A} fragment A on Query {...A}", "A is part of itself"),
        ("{hello} fragment A on Query {...B} fragment B on Query {...A}", "is part of itself"),
        ("{" + "hello " * 11 + "}", "fields at the root"),
    ],
)
def test_what_is_costly_to_validate_is_refused_before(query: str, words: str, work: dict[str, int]) -> None:
    zoo = Zoo()
    with pytest.raises(RequestRefused, match=words):
        zoo.prepare(query)
    assert work["parse"] == 1
    assert work["validate"] == 0


def test_fragments_that_double_are_counted_without_being_expanded(work: dict[str, int]) -> None:
    """Each spreads the next one twice: 2**18 fields of a query of some hundred tokens."""
    chain = " ".join(f"fragment F{i} on Query {{...F{i + 1} ...F{i + 1}}}" for i in range(18))
    with pytest.raises(LimitExceeded, match=r"fields at the root|cost"):
        Zoo().prepare(f"{{...F0}} {chain} fragment F18 on Query {{hello}}")
    assert work["validate"] == 0


def test_fragments_that_are_spread_twice_are_no_cycle() -> None:
    """Tartiflette takes them for one."""
    zoo = Zoo()
    zoo.prepare(
        "{person {...A ...B ...A}} fragment A on Person {...B name} fragment B on Person {...C} "
        "fragment C on Person {id}"
    )
    zoo.prepare("{person {...A} people {...A}} fragment A on Person {name}")


def test_long_chains_of_fragments_do_not_exhaust_the_stack() -> None:
    limits = Limits(tokens=100_000, query_chars=1_000_000, fragments=10_000, repeats=10_000)
    chain = " ".join(f"fragment F{i} on Query {{...F{i + 1}}}" for i in range(3_000))
    with pytest.raises(LimitExceeded, match="selections within selections"):
        Zoo(limits=limits).prepare(f"{{...F0}} {chain} fragment F3000 on Query {{hello}}")


def test_few_errors_come_with_what_may_have_been_meant(work: dict[str, int]) -> None:
    for names, calls, suggested in (("helo", 2, True), ("helo rowz", 2, True), ("helo rowz peeple", 1, False)):
        work["validate"] = 0
        with pytest.raises(RequestRefused) as refused:
            Zoo().prepare(f"{{{names}}}")
        assert work["validate"] == calls
        assert ("Did you mean" in str(refused.value)) is suggested


# --- introspection ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "{__schema {types {name}}}",
        '{hello x: __type(name: "Cat") {name}}',
        "{...F} fragment F on Query {...{__schema {types {name}}}}",
    ],
)
def test_introspection_can_be_switched_off(query: str) -> None:
    Zoo().prepare(query)
    with pytest.raises(RequestRefused) as refused:
        Zoo(introspection=False).prepare(query)
    assert refused.value.errors[0]["extensions"] == {"code": "INTROSPECTION_DISABLED"}
    Zoo(introspection=False).prepare("{__typename hello}")


def test_the_queries_of_well_known_tools_are_within_the_limits() -> None:
    for full in (True, False):
        query = graphql.get_introspection_query(
            descriptions=True,
            specified_by_url=full,
            directive_is_repeatable=full,
            schema_description=full,
            input_value_deprecation=full,
        )
        Zoo().prepare(query)


# --- anything -----------------------------------------------------------------------------------------------------

SPELLED = """query mutation subscription fragment on { } ( ) [ ] : $ ! ... @ | & = "x" "\\u00e9 1 1.5 -0 true null
    hello person name pets rows n time feed F $v Int Cat __typename __schema types skip if #c"""
WORDS = st.sampled_from([*SPELLED.split(), '"""y"""', "\ud800", "\0", "\ufeff"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


ANYTHING = settings(max_examples=100, derandomize=True, deadline=None, database=None)


def refusal(query: str, variables: Any) -> RequestRefused | None:
    """Return why a request is refused, or None; what is raised otherwise is a bug."""
    try:
        Zoo().prepare(query, variables)
    except RequestRefused as refused:
        return refused
    return None


@given(query=st.text() | st.lists(WORDS, max_size=40).map(" ".join))
@ANYTHING
def test_whatever_a_query_is_it_is_prepared_or_refused(query: str) -> None:
    refused = refusal(query, None)
    assert refused is None or refused.response.keys() == {"errors"}
    assert refused is None or refused.errors


@given(value=JSON, name=st.sampled_from("wmlix"))
@ANYTHING
def test_whatever_a_variable_is_it_is_taken_or_refused(value: Any, name: str) -> None:
    refused = refusal(
        """query($w: Wish = {}, $m: Money, $l: Long, $i: [ID!], $x: Float) {
        wish(wish: $w) echo(money: $m, long: $l, ids: $i, x: $x)}""",
        {name: value},
    )
    codes = {error["extensions"]["code"] for error in refused.errors} if refused else set()
    assert codes <= {"BAD_USER_INPUT", "BAD_REQUEST", "LIMIT_EXCEEDED"}


@given(data=JSON | st.fixed_dictionaries({}, optional={"query": JSON, "variables": JSON, "operationName": JSON}))
@ANYTHING
def test_whatever_a_request_is_it_is_taken_or_refused(data: Any) -> None:
    try:
        request = GraphQLRequest.from_json(data)
    except RequestRefused:
        return
    assert isinstance(request.query, str)
