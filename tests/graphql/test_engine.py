"""The engine on both backends: what it answers, what it tells of errors, and that nothing outlives a request."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from tartiflette.language.parsers.libgraphqlparser import parser
from tartiflette.schema.registry import SchemaRegistry

from tests.graphql.zoo import ANSWERS, Events, LongScalar, MoneyScalar, Zoo, row, thing
from trio_ibtws.errors import (
    ConnectionLost,
    InternalError,
    InvalidRequest,
    NoSuchContract,
    OrderLimitExceeded,
    OrderRejected,
    SlowConsumer,
)
from trio_ibtws.graphql._cook import drive
from trio_ibtws.graphql._engine import Engine, GraphQLRequest
from trio_ibtws.graphql._errors import RequestRefused
from trio_ibtws.graphql._gather import UnsupportedTartiflette
from trio_ibtws.graphql._limits import Limits

pytestmark = pytest.mark.anyio

ZOO = Zoo()


def refusal(zoo: Zoo, query: str, variables: Any = None, name: str | None = None) -> dict[str, Any]:
    """Return the first error that a request is refused with."""
    with pytest.raises(RequestRefused) as refused:
        zoo.prepare(query, variables, name)
    assert "data" not in refused.value.response
    error: dict[str, Any] = refused.value.response["errors"][0]
    return error


# --- answers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("{hello}", {"hello": "hello world"}),
        ('{a: hello(name: "a") b: hello(name: "b")}', {"a": "hello a", "b": "hello b"}),
        ("{__typename rows(n: 1) {time __typename}}",
         {"__typename": "Query", "rows": [{"time": 0, "__typename": "Row"}]}),
        ("{pets(first: 2) {...on Cat {lives diet price born} ...on Dog {tricks good}}}",
         {"pets": [{"lives": 9, "diet": "MEAT", "price": "1.50", "born": 2**40},
                   {"tricks": [["sit", "roll"], None, []], "good": True}]}),
        ('{named(name: "Rex") {__typename name tags ...on Dog {owner {id name height}}}}',
         {"named": {"__typename": "Dog", "name": "Rex", "tags": [],
                    "owner": {"id": "1", "name": "Ann", "height": 1.7}}}),
        ("{hello @skip(if: true) nothing}", {"nothing": None}),
        ("{...F} fragment F on Query {nothing ...on Query {hello @include(if: false)}}", {"nothing": None}),
        ("{wish(wish: {})}", {"wish": "[('colour', 'grey'), ('species', 'CAT')]"}),
        ('{wish(wish: {species: DOG, size: {tags: "x"}, price: 1.10, born: 9007199254740993})}',
         {"wish": "[('born', 9007199254740993), ('colour', 'grey'), ('price', Decimal('1.10')), "
                  "('size', {'width': 3, 'tags': ['x']}), ('species', 'DOG')]"}),
        ("{echo(ids: [1, \"b\"], flag: true, x: 1, diet: BOTH, long: null)}",
         {"echo": "[('diet', 'BOTH'), ('flag', True), ('ids', ['1', 'b']), ('long', None), ('x', 1.0)]"}),
        ("{numbers(n: 2)}", {"numbers": [0.0, 1.0]}),
        ("{people {pets(first: 1) {...on Cat {name}}}}",
         {"people": [{"pets": [{"name": "Tom"}, None, {}, {"name": "Odd"}]}, {"pets": [{}, {"name": "Tom"}]}, None]}),
    ],
)  # fmt: skip
async def test_a_query_is_answered(query: str, data: Any) -> None:
    response = await ZOO.ask(query)
    assert response["data"] == data


@pytest.mark.parametrize("text", ["é", "漢字", "😀", "\\", '"', "\n", "\x7f", "\u0085", "\u2028", "￾"])
async def test_every_character_comes_through_as_itself_and_as_an_escape(text: str) -> None:
    """Tartiflette's parser kept eight bits of an escape."""
    utf16 = text.encode("utf-16-be")
    escaped = "".join(f"\\u{utf16[i]:02x}{utf16[i + 1]:02x}" for i in range(0, len(utf16), 2))
    for literal in (json.dumps(text, ensure_ascii=False), f'"{escaped}"'):
        assert await ZOO.ask(f"{{hello(name: {literal})}}") == {"data": {"hello": f"hello {text}"}}
    assert await ZOO.ask("query($n: String){hello(name: $n)}", {"n": text}) == {"data": {"hello": f"hello {text}"}}


async def test_variables_are_coerced_with_their_defaults() -> None:
    query = "query($w: Wish! = {species: DOG}, $m: Money){wish(wish: $w) echo(money: $m)}"
    given = {"w": {"size": {"height": 2}}, "m": "2.50"}
    assert (await ZOO.ask(query, given))["data"] == {
        "wish": "[('colour', 'grey'), ('size', {'width': 3, 'height': 2.0, 'tags': ['a', 'b']}), ('species', 'CAT')]",
        "echo": "[('money', Decimal('2.50'))]",
    }
    assert (await ZOO.ask(query))["data"] == {"wish": "[('colour', 'grey'), ('species', 'DOG')]", "echo": "[]"}


async def test_the_operation_is_chosen_by_its_name() -> None:
    query = 'query A {hello} query B {nothing} mutation C {feed(name: "x")}'
    operation = ZOO.prepare(query, name="B")
    assert (operation.kind, operation.name, operation.root_fields) == ("query", "B", ("nothing",))
    assert await ZOO.engine.execute(operation, ZOO) == {"data": {"nothing": None}}
    assert ZOO.prepare(query, name="C").kind == "mutation"
    assert "operationName is needed" in refusal(ZOO, query)["message"]
    assert "no operation 'D'" in refusal(ZOO, query, name="D")["message"]


async def test_what_is_at_the_root_is_known_before_it_runs() -> None:
    operation = ZOO.prepare("query Q {a: hello ...F} fragment F on Query {nothing rows {time}}")
    assert operation.root_fields == ("hello", "nothing", "rows")


async def test_root_fields_run_side_by_side_and_come_in_their_order() -> None:
    first, second = anyio.Event(), anyio.Event()

    async def nothing(args: Mapping[str, Any]) -> str:
        await second.wait()
        first.set()
        return "later"

    async def hello(args: Mapping[str, Any]) -> str:
        second.set()
        await first.wait()
        return "hi"

    with anyio.fail_after(5):
        response = await Zoo(answers={"nothing": nothing, "hello": hello}).ask("{nothing wide: oldest hello}")
    assert list(response["data"].items()) == [("nothing", "later"), ("wide", "old"), ("hello", "hi")]


async def test_a_resolver_gets_the_context() -> None:
    got: list[Any] = []

    async def hello(args: Mapping[str, Any], context: Any, info: Any) -> str:
        got.append(context)
        return "hi"

    engine = Engine(
        "type Query {hello: String}", {"Query.hello": hello}, {}, {}, default_resolver=getattr, type_name=str,
        limits=Limits(), introspection=False,
    )  # fmt: skip
    context = object()
    await engine.execute(engine.prepare(GraphQLRequest("{hello}")), context)
    assert got == [context]


# --- requests -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "JSON object"), ([{"query": "{hello}"}], "JSON object"), (None, "JSON object"), ("{hello}", "JSON object"),
        ({}, "no query"), ({"query": None}, "no query"), ({"query": 3}, "query is a int"),
        ({"query": "{hello}", "variables": []}, "variables is a list"),
        ({"query": "{hello}", "operationName": 3}, "operationName is a int"),
        ({"query": "{hello}", "extensions": 3}, "extensions is a int"),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(data: object, words: str) -> None:
    with pytest.raises(RequestRefused, match=words) as refused:
        GraphQLRequest.from_json(data)
    assert refused.value.status == 400


def test_a_request_is_taken_from_json() -> None:
    data = {"query": "{hello}", "operationName": "", "variables": {"a": 1}, "extensions": {}, "more": 1}
    assert GraphQLRequest.from_json(data) == GraphQLRequest("{hello}", None, {"a": 1})
    assert GraphQLRequest.from_json({"query": "{hello}", "variables": None}) == GraphQLRequest("{hello}")


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ("{", "GRAPHQL_PARSE_FAILED", "Syntax Error"),
        ("", "GRAPHQL_PARSE_FAILED", "Syntax Error"),
        ("{hello}}", "GRAPHQL_PARSE_FAILED", "Syntax Error"),
        ("{ }", "GRAPHQL_PARSE_FAILED", "Syntax Error"),
        ('{hello(name: "\\ud800")}', "GRAPHQL_PARSE_FAILED", "Syntax Error"),
        ("{helo}", "GRAPHQL_VALIDATION_FAILED", "Did you mean 'hello'"),
        ("{person}", "GRAPHQL_VALIDATION_FAILED", "subfields"),
        ("{hello(name: 3)}", "GRAPHQL_VALIDATION_FAILED", "String cannot represent"),
        ("{echo(long: 9223372036854775808)}", "GRAPHQL_VALIDATION_FAILED", "Long"),
        ('{echo(long: "1")}', "GRAPHQL_VALIDATION_FAILED", "whole number"),
        ("{pets(first: 2147483648) {__typename}}", "GRAPHQL_VALIDATION_FAILED", "32-bit"),
        ("{echo(diet: FISH)}", "GRAPHQL_VALIDATION_FAILED", "Diet"),
        ('{hello(name: "a") hello(name: "b")}', "GRAPHQL_VALIDATION_FAILED", "conflict"),
        ("{named(name: \"x\") {...on Cat {x: lives} ...on Dog {x: good}}}", "GRAPHQL_VALIDATION_FAILED", "conflict"),
        ("{one(one: {a: 1, b: \"x\"})}", "GRAPHQL_VALIDATION_FAILED", "[Ee]xactly one"),
        ("{hello @nonsense}", "GRAPHQL_VALIDATION_FAILED", "nonsense"),
        ("query($x: Int){hello}", "GRAPHQL_VALIDATION_FAILED", "never used"),
        ("type A {a: Int}", "GRAPHQL_VALIDATION_FAILED", "not executable"),
        ("fragment F on Cat {name}", "GRAPHQL_VALIDATION_FAILED", "never used"),
        ("subscription {ticks {time} bad}", "GRAPHQL_VALIDATION_FAILED", "only one"),
        ("subscription {__typename}", "GRAPHQL_VALIDATION_FAILED", "introspection"),
    ],
)  # fmt: skip
def test_what_is_invalid_is_refused_without_data(query: str, code: str, words: str) -> None:
    error = refusal(ZOO, query)
    assert error["extensions"] == {"code": code}
    assert re.search(words, error["message"])
    assert "path" not in error
    assert error["locations"]
    assert error["locations"][0].keys() == {"line", "column"}


def test_no_more_errors_are_told_than_the_limit() -> None:
    with pytest.raises(RequestRefused) as refused:
        ZOO.prepare("{person {" + " ".join(f"x{i}" for i in range(30)) + "}}")
    assert len(refused.value.errors) == Limits().errors


def test_where_introspection_is_off_nothing_is_suggested() -> None:
    assert "Did you mean" not in refusal(Zoo(introspection=False), "{helo}")["message"]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"n": 2**31}, "Int"), ({"n": "1"}, "Int"), ({"n": None}, "n"), ({}, "n"), ({"n": True}, "Int"),
        ({"n": 1, "m": 1.5}, "Money cannot represent 1.5"), ({"n": 1, "w": {"size": {"wide": 1}}}, "wide"),
        ({"n": 1, "w": {"species": "COW"}}, "Species"),
    ],
)  # fmt: skip
def test_wrong_variables_are_a_request_error(variables: dict[str, Any], words: str) -> None:
    query = "query($n: Int!, $m: Money, $w: Wish = {}){rows(n: $n) {time} echo(money: $m) wish(wish: $w)}"
    error = refusal(ZOO, query, variables)
    assert words in error["message"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}


# --- errors of fields ---------------------------------------------------------------------------------------------


async def failing(error: Exception) -> dict[str, Any]:
    async def fails(args: Mapping[str, Any]) -> str:
        raise error

    response = await Zoo(answers={"fails": fails}).ask("{hello\n  broken: fails}")
    assert response["data"] == {"hello": "hello world", "broken": None}
    (told,) = response["errors"]
    assert told["path"] == ["broken"]
    assert told["locations"] == [{"line": 2, "column": 3}]
    return {name: told[name] for name in ("message", "extensions")}


@pytest.mark.parametrize(
    ("error", "extensions"),
    [
        (NoSuchContract(200, "No security definition", request="reqContractDetails"),
         {"code": "NO_SUCH_CONTRACT", "class": "NoSuchContract", "twsCode": 200, "request": "reqContractDetails"}),
        (OrderRejected(201, "no", advanced_reject='{"x": 1}'),
         {"code": "ORDER_REJECTED", "class": "OrderRejected", "twsCode": 201, "advancedReject": '{"x": 1}'}),
        (InvalidRequest("contract.symbol", "empty"),
         {"code": "INVALID_REQUEST", "class": "InvalidRequest", "requestField": "contract.symbol"}),
        (OrderLimitExceeded("order.totalQuantity", "max_quantity", "5 is above 3"),
         {"code": "ORDER_LIMIT_EXCEEDED", "class": "OrderLimitExceeded", "requestField": "order.totalQuantity",
          "limit": "max_quantity"}),
        (ConnectionLost("gone"), {"code": "CONNECTION_LOST", "class": "ConnectionLost"}),
        (SlowConsumer("slow"), {"code": "SLOW_CONSUMER", "class": "SlowConsumer"}),
        (RequestRefused("not now", code="LATER"), {"code": "LATER"}),
    ],
)  # fmt: skip
async def test_errors_that_are_meant_for_the_client_are_told(error: Exception, extensions: dict[str, Any]) -> None:
    assert await failing(error) == {"message": str(error), "extensions": extensions}


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("the password is 1234"),
        InternalError("the password is 1234"),
        KeyError("1234"),
        ExceptionGroup("the password is 1234", [NoSuchContract(200, "x")]),
    ],
)
async def test_all_others_are_a_number_whose_story_is_in_the_log(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "trio_ibtws.graphql"):
        told = await failing(error)
    assert re.fullmatch("INTERNAL [0-9a-f]{8}", told["message"])
    assert told["extensions"] == {"code": "INTERNAL"}
    (record,) = caplog.records
    assert told["message"] in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[1] is error


@pytest.mark.parametrize(
    ("query", "data", "paths"),
    [
        ("{failsStrictly}", None, [["failsStrictly"]]),
        ("{hello failsStrictly}", None, [["failsStrictly"]]),
        ("{maybe}", {"maybe": [1, None, 3, None, None]}, [["maybe", 3], ["maybe", 4]]),
        ("{wide}", {"wide": None}, [["wide"]]),
        ("{person {name broken}}", {"person": {"name": "Ann", "broken": None}}, [["person", "broken"]]),
        ("{person {strict {also must}}}", {"person": {"strict": None}}, [["person", "strict", "must"]]),
        ("{people {pets {...on Dog {name good tricks}}}}",
         {"people": [{"pets": [{}, None, {"name": "Rex", "good": True, "tricks": [["sit", "roll"], None, []]}, {}]},
                     {"pets": [None, {}]}, None]},
         [["people", 1, "pets", 0, "name"]]),
        ("{pets {...on Cat {lives diet born price}}}",
         {"pets": [{"lives": 9, "diet": "MEAT", "born": 2**40, "price": "1.50"}, {},
                   {"lives": None, "diet": None, "born": None, "price": None},
                   {"lives": 9, "diet": "MEAT", "born": 2**40, "price": "1.50"}]},
         [["pets", 2, each] for each in ("lives", "diet", "born", "price")]),
    ],
)  # fmt: skip
async def test_an_error_makes_its_field_null_or_the_nearest_that_may_be(query: str, data: Any, paths: Any) -> None:
    response = await ZOO.ask(query)
    assert response["data"] == data
    assert [error["path"] for error in response["errors"]] == paths


async def test_errors_beyond_the_limit_are_counted_and_not_kept(caplog: pytest.LogCaptureFixture) -> None:
    async def people(args: Mapping[str, Any]) -> Any:
        return [thing("Person", broken=RuntimeError(str(i))) for i in range(100)]

    zoo = Zoo(limits=Limits(errors=3), answers={"people": people})
    response = await zoo.ask("{people {broken}}")
    assert response["data"] == {"people": [{"broken": None}] * 100}
    assert [error.get("path") for error in response["errors"]] == [
        ["people", 0, "broken"],
        ["people", 1, "broken"],
        None,
    ]
    assert response["errors"][-1] == {"message": "98 more errors", "extensions": {"code": "MORE_ERRORS"}}
    assert len(caplog.records) == 3


async def test_a_union_whose_type_is_unknown_is_our_bug() -> None:
    async def pets(args: Mapping[str, Any]) -> Any:
        return [thing("Fish", secret="1234")]

    response = await Zoo(answers={"pets": pets}).ask("{pets {__typename}}")
    assert response["data"] is None
    assert re.fullmatch("INTERNAL [0-9a-f]{8}", response["errors"][0]["message"])


# --- mutations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        'mutation {adopt(name: "A") {name} feed(name: "B")}',
        'mutation {a: feed(name: "A") b: feed(name: "B")}',
        'mutation {feed(name: "A") feed(name: "A")}',
        'mutation {feed(name: "A") feed(name: "B")}',
        'mutation {...F feed(name: "A")} fragment F on Mutation {adopt(name: "B") {name}}',
        'mutation {feed(name: "A") ...on Mutation {adopt(name: "B") {name}}}',
        'mutation {feed(name: "A") @skip(if: true) adopt(name: "B") {name}}',
        'mutation {a: feed(name: "A")}',
        'mutation {...F} fragment F on Mutation {a: feed(name: "A")}',
        'query A {hello} mutation B {feed(name: "A") feed(name: "B")}',
    ],
)
def test_two_mutations_at_once_and_aliases_are_refused_and_nothing_is_done(query: str) -> None:
    zoo = Zoo()
    error = refusal(zoo, query, name="B" if "B {" in query else None)
    assert error["extensions"]["code"] == "ONE_MUTATION"
    assert not zoo.log


@pytest.mark.parametrize(
    "query", ['mutation {feed(name: "A")}', 'mutation {__typename ...on Mutation {feed(name: "A")}}']
)
async def test_one_mutation_is_done_once(query: str) -> None:
    zoo = Zoo()
    assert (await zoo.ask(query))["data"]["feed"] == 1
    assert zoo.log == ["feed A"]


# --- cancellation: the hazards of asyncio.gather ------------------------------------------------------------------


async def test_cancelling_a_request_ends_its_resolvers_before_the_scope_is_left() -> None:
    log: list[str] = []

    async def sleeper(args: Mapping[str, Any]) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            log.append("ended")

    zoo = Zoo(answers={"hello": sleeper, "nothing": sleeper, "oldest": sleeper})
    for query, number in (("{hello}", 1), ("{hello nothing oldest}", 3)):
        log.clear()
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_cancel_when_blocked, scope)
                await zoo.ask(query)
        assert scope.cancelled_caught
        assert log == ["ended"] * number


async def _cancel_when_blocked(scope: anyio.CancelScope) -> None:
    await anyio.wait_all_tasks_blocked()
    scope.cancel()


async def test_a_shield_in_a_resolver_holds() -> None:
    log: list[str] = []
    release = anyio.Event()

    async def shielded(args: Mapping[str, Any]) -> str:
        with anyio.CancelScope(shield=True):
            await release.wait()
            log.append("finished")
        return "x"

    zoo = Zoo(answers={"hello": shielded, "nothing": shielded})
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:

            @tasks.start_soon
            async def _() -> None:
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
                with anyio.CancelScope(shield=True):
                    await anyio.wait_all_tasks_blocked()
                    release.set()

            await zoo.ask("{hello nothing}")
    assert log == ["finished", "finished"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_resolver_that_cancels_itself_has_an_error_and_no_value() -> None:
    async def cancelled(args: Mapping[str, Any]) -> str:
        raise asyncio.CancelledError

    response = await Zoo(answers={"nothing": cancelled}).ask("{hello nothing}")
    assert response["data"] == {"hello": "hello world", "nothing": None}
    assert response["errors"][0]["path"] == ["nothing"]
    assert response["errors"][0]["extensions"] == {"code": "INTERNAL"}


@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_ctrl_c_in_a_resolver_is_ctrl_c() -> None:
    async def struck(args: Mapping[str, Any]) -> str:
        raise KeyboardInterrupt

    for query in ("{nothing}", "{hello nothing}"):
        with pytest.raises(KeyboardInterrupt):
            await Zoo(answers={"nothing": struck}).ask(query)


async def test_a_resolver_may_use_a_task_group() -> None:
    async def nothing(args: Mapping[str, Any]) -> str:
        got: list[str] = []

        async def child() -> None:
            await anyio.lowlevel.checkpoint()
            got.append("x")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(child)
            tasks.start_soon(child)
        return "".join(got)

    assert (await Zoo(answers={"nothing": nothing, "oldest": nothing}).ask("{nothing oldest}"))["data"] == {
        "nothing": "xx", "oldest": "xx"
    }  # fmt: skip


async def test_a_sibling_that_fails_leaves_nothing_unawaited() -> None:
    """Tartiflette makes the coroutines of concurrent fields first, and drops them when a sequential one fails."""
    response = await ZOO.ask("{person {strict {must}} failsStrictly hello rows {time}}")
    assert response["data"] is None


# --- large answers ------------------------------------------------------------------------------------------------


async def test_others_run_while_a_long_list_is_completed() -> None:
    ticks: list[int] = []

    async def ticker() -> None:
        while True:
            ticks.append(1)
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ticker)
        operation = ZOO.prepare("{rows(n: 1000) {time open high low close volume wap count}}")
        await anyio.lowlevel.checkpoint()
        ticks.clear()
        response = await ZOO.engine.execute(operation, ZOO)
        tasks.cancel_scope.cancel()
    assert len(response["data"]["rows"]) == 1000
    assert len(ticks) > 30  # of 40: one for every 200 fields, some milliseconds


async def test_a_request_is_cancelled_within_a_long_list() -> None:
    with anyio.CancelScope() as scope:
        operation = ZOO.prepare("{rows(n: 1000) {time open}}")
        scope.cancel()
        await ZOO.engine.execute(operation, ZOO)
    assert scope.cancelled_caught


@pytest.mark.parametrize(
    ("query", "limits"),
    [
        ("{rows(n: %d) {time open}}", Limits(rows=5)),
        ("{a: rows(n: %d) {time} b: rows(n: 0) {time}}", Limits(rows=5)),
        ("{numbers(n: %d)}", Limits(rows=5)),
        ("{numbers(n: 3) rows(n: 2) {time} b: rows(n: %d) {time}}", Limits(rows=10)),
    ],
)
async def test_rows_have_a_limit_of_their_own(query: str, limits: Limits) -> None:
    zoo = Zoo(limits=limits)
    assert "errors" not in await zoo.ask(query % 5)
    response = await zoo.ask(query % 6)
    assert response["data"] is None
    (error,) = response["errors"]
    assert error["extensions"] == {"code": "LIMIT_EXCEEDED"}
    assert f"the limit is {limits.rows}" in error["message"]


async def test_other_objects_have_theirs() -> None:
    async def people(args: Mapping[str, Any]) -> Any:
        return [thing("Person", strict=thing("Strict", must="x")) for _ in range(number)]

    zoo = Zoo(limits=Limits(nodes=5, rows=100), answers={"people": people})
    for number, fits in ((5, True), (6, False)):  # noqa: B007 - people takes it
        response = await zoo.ask("{people {strict {must}}}")
        assert (response["data"] is not None) is fits
        assert ("errors" not in response) is fits


async def test_the_size_of_a_response_has_a_limit() -> None:
    async def hello(args: Mapping[str, Any]) -> str:
        return "x"

    async def people(args: Mapping[str, Any]) -> Any:
        return [thing("Person", name="x" * 100) for _ in range(number)]

    zoo = Zoo(limits=Limits(response_bytes=1100), answers={"people": people})
    for number, fits in ((9, True), (10, False)):  # noqa: B007 - people takes it
        response = await zoo.ask("{people {name}}")
        assert (response["data"] is not None) is fits
        if fits:
            assert len(json.dumps(response)) <= 1100 * 1.1


# --- the engine itself --------------------------------------------------------------------------------------------


async def test_tartiflettes_parser_is_never_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """It crashes the process on deep nesting, is quadratic, and leaks: half a megabyte for a query of 14 kB."""

    def crash(query: object) -> None:
        raise AssertionError("libgraphqlparser was called")

    monkeypatch.setattr(parser, "_parse_context_manager", crash)
    zoo = Zoo(fresh=True)
    assert (await zoo.ask("{hello}"))["data"] == {"hello": "hello world"}
    async with zoo.listen("subscription {ticks {time}}") as responses:
        assert await anext(responses) == {"data": {"ticks": {"time": 0}}}


async def test_engines_do_not_know_of_each_other() -> None:
    """Tartiflette's registry is one for the process, and a second schema of the same name breaks it."""
    known = dict(SchemaRegistry._schemas)
    engines = [Zoo(fresh=True), Zoo(fresh=True)]
    assert known == SchemaRegistry._schemas
    for each in engines:
        assert (await each.ask("{hello}"))["data"] == {"hello": "hello world"}


def test_queries_that_ran_are_kept_few_and_small() -> None:
    zoo = Zoo(limits=Limits(documents=3, document_tokens=50), fresh=True)
    kept = zoo.engine._documents
    for i in range(10):
        zoo.prepare(f"query Q{i} {{hello}}")
    assert len(kept) == 3
    first = kept.read("query Q9 {hello}")
    assert kept.read("query Q9 {hello}") is first
    zoo.prepare("{person {" + "name " * 38 + "}}")
    assert len(kept) == 2  # 43 tokens, and 5
    refusal(zoo, "{helo}")
    assert len(kept) == 2
    zoo.prepare("query Q1 {hello}")
    assert kept.read("query Q9 {hello}") is not first


def test_a_query_of_the_last_use_stays() -> None:
    zoo = Zoo(limits=Limits(documents=2), fresh=True)
    kept = zoo.engine._documents
    first = kept.read("query A {hello}")
    kept.read("query B {hello}")
    assert kept.read("query A {hello}") is first
    kept.read("query C {hello}")
    assert kept.read("query A {hello}") is first


def build(sdl: str, **changes: Any) -> Engine:
    async def hello(args: Mapping[str, Any], context: Any, info: Any) -> str:
        return "hi"

    parts: dict[str, Any] = {"resolvers": {"Query.hello": hello}, "sources": {}, "scalars": {}, **changes}
    return Engine(sdl, **parts, default_resolver=getattr, type_name=str, limits=Limits(), introspection=True)


@pytest.mark.parametrize(
    ("sdl", "changes", "words"),
    [
        ("type Query {hello: Strin}", {}, "Strin"),
        ("type Query {", {}, "Syntax Error"),
        ("type Other {hello: String}", {}, "Query root type"),
        ("type Query {hello: String more: Int}", {}, "Query.more"),
        ("type Query {hello: String} type Subscription {s: Int}", {}, "Subscription.s"),
        ("type Query {hello: String} type Mutation {m: Int}", {}, "Mutation.m"),
        ("scalar Long type Query {hello: Long}", {}, "Long"),
        ("type Query {hello: String}", {"scalars": {"Long": LongScalar()}}, "Long"),
        ("type Query {hello: String}", {"sources": {"Subscription.s": None}}, "Subscription.s"),
        ("type Query {hello: String}", {"resolvers": {"Query.hello": None, "Query.bye": None}}, "Query.bye"),
        ("type Query {hello: String}", {"resolvers": {"Cat.name": None}}, "Query.hello"),
    ],
)  # fmt: skip
def test_a_schema_that_is_not_complete_is_refused_at_once(sdl: str, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build(sdl, **changes)


async def test_a_field_of_another_type_may_have_a_resolver() -> None:
    async def name(args: Mapping[str, Any], context: Any, info: Any) -> str:
        return f"{args['title']} Ann"

    async def hello(args: Mapping[str, Any], context: Any, info: Any) -> object:
        return object()

    engine = build(
        'type Query {hello: Person} type Person {name(title: String = "Ms"): String}',
        resolvers={"Query.hello": hello, "Person.name": name},
    )
    response = await engine.execute(engine.prepare(GraphQLRequest("{hello {name}}")), None)
    assert response == {"data": {"hello": {"name": "Ms Ann"}}}


async def test_a_coroutine_that_waits_is_not_driven() -> None:
    with pytest.raises(UnsupportedTartiflette, match="waits"):
        drive(anyio.sleep(1))


def test_the_answers_are_those_of_the_schema() -> None:
    assert MoneyScalar().coerce_output("1.50") == "1.50"
    assert len(ANSWERS) == len(Zoo().engine.schema.query_type.fields)  # type: ignore[union-attr]


# --- subscriptions ------------------------------------------------------------------------------------------------


async def responses_of(zoo: Zoo, query: str, variables: Any = None) -> list[dict[str, Any]]:
    async with zoo.listen(query, variables) as responses:
        return [response async for response in responses]


async def raised(error: Exception) -> None:
    raise error


def source_of(*items: Any, log: list[str] | None = None) -> Any:
    @asynccontextmanager
    async def source(args: Mapping[str, Any], context: Any) -> AsyncIterator[Any]:
        try:
            yield Events(list(items))
        finally:
            if log is not None:
                log.append("close")

    return source


async def test_a_subscription_answers_each_event_and_ends_with_its_source() -> None:
    zoo = Zoo()
    query = 'subscription($n: Int!) {t: ticks(n: $n, at: "x") {time __typename}}'
    assert await responses_of(zoo, query, {"n": 2}) == [
        {"data": {"t": {"time": 0, "__typename": "Row"}}},
        {"data": {"t": {"time": 1, "__typename": "Row"}}},
    ]
    assert zoo.log == ["open", "close"]


async def test_an_error_in_one_event_is_its_response_and_the_next_one_follows() -> None:
    zoo = Zoo(source=source_of(thing("Strict", must=None), thing("Strict", must="x")))
    first, second = await responses_of(zoo, "subscription {strict {must}}")
    assert first["data"] is None
    assert first["errors"][0]["path"] == ["strict", "must"]
    assert second == {"data": {"strict": {"must": "x"}}}
    zoo = Zoo(source=source_of(1, "x", 2))
    one, wrong, two = await responses_of(zoo, "subscription {bad}")
    assert (one, two) == ({"data": {"bad": 1}}, {"data": {"bad": 2}})
    assert wrong["data"] == {"bad": None}
    assert wrong["errors"][0]["path"] == ["bad"]


async def test_an_error_of_the_source_is_the_last_response() -> None:
    zoo = Zoo(source=source_of(1, SlowConsumer("256 events were not taken"), 2))
    first, last = await responses_of(zoo, "subscription {b: bad}")
    assert first == {"data": {"b": 1}}
    extensions = {"code": "SLOW_CONSUMER", "class": "SlowConsumer"}
    assert last == {
        "data": None,
        "errors": [{"message": "256 events were not taken", "extensions": extensions, "path": ["b"]}],
    }


@pytest.mark.parametrize(
    ("error", "code"), [(NoSuchContract(200, "x"), "NO_SUCH_CONTRACT"), (RuntimeError("1234"), "INTERNAL")]
)
async def test_a_source_that_cannot_be_opened_is_a_request_error(error: Exception, code: str) -> None:
    @asynccontextmanager
    async def source(args: Mapping[str, Any], context: Any) -> AsyncIterator[Any]:
        await raised(error)
        yield

    zoo = Zoo(source=source)
    operation = zoo.prepare("subscription {bad}")
    with pytest.raises(RequestRefused) as refused:
        async with zoo.engine.subscribe(operation, zoo):
            raise AssertionError("not reached")
    assert refused.value.errors[0]["extensions"]["code"] == code
    assert "1234" not in str(refused.value.response)


async def test_an_error_of_the_reader_stays_what_it_is() -> None:
    log: list[str] = []
    zoo = Zoo(source=source_of(1, log=log))
    with pytest.raises(ZeroDivisionError):
        async with zoo.listen("subscription {bad}"):
            raise ZeroDivisionError
    assert log == ["close"]


async def test_the_source_is_closed_before_the_scope_is_left_in_the_same_task() -> None:
    """Engine.subscribe leaves three generators to the garbage collector, which closes them in a task of its own."""
    log: list[Any] = []

    @asynccontextmanager
    async def source(args: Mapping[str, Any], context: Any) -> AsyncIterator[Any]:
        opened_by = anyio.get_current_task().id
        try:
            async with anyio.create_task_group() as tasks:  # may be split by the yield: it is a context manager
                tasks.start_soon(anyio.sleep_forever)
                yield Events([1], ends=False)
                tasks.cancel_scope.cancel()
        finally:
            log.append(anyio.get_current_task().id == opened_by)

    zoo = Zoo(source=source)
    async with zoo.listen("subscription {bad}") as responses:
        assert await anext(responses) == {"data": {"bad": 1}}
    assert log == [True]
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            async with zoo.listen("subscription {bad}") as responses:
                await anext(responses)
                tasks.start_soon(_cancel_when_blocked, scope)
                await anext(responses)
    assert scope.cancelled_caught
    assert log == [True, True]


def test_a_subscription_may_not_leave_its_field_out() -> None:
    error = refusal(ZOO, "subscription($x: Boolean!) {...on Subscription @skip(if: $x) {bad}}", {"x": True})
    assert "@skip" in error["message"]


async def test_each_kind_of_operation_has_its_own_way() -> None:
    with pytest.raises(RequestRefused, match="needs a connection that streams"):
        await ZOO.ask("subscription {bad}")
    with pytest.raises(RequestRefused, match="a query is no subscription"):
        async with ZOO.listen("{hello}"):
            raise AssertionError("not reached")


async def test_the_limits_count_each_response_of_a_subscription_by_itself() -> None:
    zoo = Zoo(limits=Limits(rows=1, nodes=1), source=source_of(*map(row, range(5))))
    assert len([each for each in await responses_of(zoo, "subscription {ticks {time}}") if each["data"]]) == 5
