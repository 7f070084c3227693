"""The generated schema: every row of the table stands where its effect says, and graphql-core agrees with all of it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from typing import Any

import graphql
import pytest
from graphql import build_schema as core_schema

import trio_ibtws
from generator.lookup import all_rows
from generator.releases import load
from generator.resolve import resolve
from generator.schema import field_name
from generator.spec import TABLE
from trio_ibtws import Client
from trio_ibtws._gen import resolvers as generated
from trio_ibtws._trading._states import TRANSITIONS
from trio_ibtws.graphql import _orders, _resolve
from trio_ibtws.graphql._resolve import build_schema
from trio_ibtws.graphql._values import attributes_of

MODEL = resolve(TABLE, load())
REQUESTS = {request.name: request for request in MODEL.requests}
EXTRAS = {(extra.root, extra.name, extra.trading) for extra in TABLE.vocabulary.extras} if TABLE.vocabulary else set()
ROOTS = ("Query", "Mutation", "Subscription")


def core(trading: bool) -> graphql.GraphQLSchema:
    return core_schema(build_schema(trading).sdl)


READ_ONLY, TRADING = core(False), core(True)
both = pytest.mark.parametrize("schema", [READ_ONLY, TRADING], ids=["read-only", "trading"])


def fields_of(schema: graphql.GraphQLSchema, name: str) -> dict[str, Any]:
    kind = schema.type_map[name]
    assert isinstance(kind, (graphql.GraphQLObjectType, graphql.GraphQLInputObjectType))
    return dict(kind.fields)


def roots_of(schema: graphql.GraphQLSchema) -> dict[str, dict[str, Any]]:
    return {root: fields_of(schema, root) for root in ROOTS}


# --- graphql-core ------------------------------------------------------------------------------------------------


@both
def test_it_is_valid_and_can_be_introspected(schema: graphql.GraphQLSchema) -> None:
    assert graphql.validate_schema(schema) == []
    query = graphql.get_introspection_query(descriptions=True, specified_by_url=True, directive_is_repeatable=True)
    result = graphql.graphql_sync(schema, query)
    assert result.errors is None
    again = graphql.build_client_schema(result.data)  # type: ignore[arg-type]
    assert graphql.validate_schema(again) == []
    in_order = graphql.lexicographic_sort_schema
    assert graphql.print_schema(in_order(again)) == graphql.print_schema(in_order(schema))
    assert set(again.type_map) == set(schema.type_map)


def described(schema: graphql.GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    for kind in schema.type_map.values():
        if kind.name.startswith("__") or graphql.is_specified_scalar_type(kind):
            continue
        yield kind.name, kind.description
        if isinstance(kind, graphql.GraphQLEnumType):
            yield from ((f"{kind.name}.{name}", value.description) for name, value in kind.values.items())
        if isinstance(kind, (graphql.GraphQLObjectType, graphql.GraphQLInputObjectType)):
            for name, field in kind.fields.items():
                yield f"{kind.name}.{name}", field.description
                for argument, each in getattr(field, "args", {}).items():
                    yield f"{kind.name}.{name}({argument})", each.description


@both
def test_everything_is_described_in_words_of_graphql(schema: graphql.GraphQLSchema) -> None:
    for name, text in described(schema):
        assert text, name
        assert not re.search(r"``|\*\w+\*|\b[a-z]+_[a-z_]+\b|anyio|async with", text), f"{name}: {text}"


@both
def test_every_type_is_used(schema: graphql.GraphQLSchema) -> None:
    """What no field leads to would be noise; types for trading alone are not in the other schema."""
    reached: set[str] = set()

    def visit(kind: Any) -> None:
        named = graphql.get_named_type(kind)
        if named.name in reached:
            return
        reached.add(named.name)
        if isinstance(named, graphql.GraphQLUnionType):
            for each in named.types:
                visit(each)
        for field in getattr(named, "fields", {}).values():
            visit(field.type)
            for argument in getattr(field, "args", {}).values():
                visit(argument.type)

    for root in ROOTS:
        visit(schema.type_map[root])
    own = {name for name in schema.type_map if not name.startswith("__")}
    assert own - reached <= {"ID"}


def test_what_trades_is_nowhere_in_the_schema_without() -> None:
    sdl = build_schema(False).sdl
    for word in ("placeOrder", "OrderInput", "kill(", "Accepted", "replaceFA", "updateConfig", "RegulatorySnapshot("):
        assert word not in re.sub(r'"""(?s:.*?)"""|"[^"\n]*"', "", sdl), word


# --- the table ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_a_row_is_where_its_effect_says_and_nowhere_else(name: str) -> None:
    request = REQUESTS[name]
    row, field = request.row, field_name(request)
    if row.effect == "read":
        root = "Subscription" if row.pattern == "stream" else "Query"
    else:
        root = "Mutation"
    siblings = {"Query", "Subscription"} if row.effect == "read" else {"Mutation"}
    needs_trading = row.effect in ("spend", "trade")
    for schema, there in ((READ_ONLY, not needs_trading), (TRADING, True)):
        roots = roots_of(schema)
        assert (field in roots[root]) == there
        for other in {*ROOTS} - siblings:
            assert field not in roots[other]


def test_every_row_is_there_and_nothing_else_but_the_extras() -> None:
    assert len(REQUESTS) == len(all_rows(TABLE))
    rows = {(root, field_name(request)) for request in MODEL.requests for root in [root_of(request)]}
    assert len(rows) == len(REQUESTS)
    for schema, trading in ((READ_ONLY, False), (TRADING, True)):
        shown = {(root, field) for root, fields in roots_of(schema).items() for field in fields}
        extras = {(root, name) for root, name, only in EXTRAS if trading or not only}
        kept = {each for each in rows if trading or REQUEST_OF[each].row.effect not in ("spend", "trade")}
        assert shown == extras | kept


def root_of(request: Any) -> str:
    if request.row.effect != "read":
        return "Mutation"
    return "Subscription" if request.row.pattern == "stream" else "Query"


REQUEST_OF = {(root_of(request), field_name(request)): request for request in MODEL.requests}


def test_ibs_own_names() -> None:
    query, subscription, mutation = (fields_of(TRADING, root) for root in ("Query", "Subscription", "Mutation"))
    assert list(query["reqHistoricalData"].args) == [
        *("contract", "endDateTime", "durationStr", "barSizeSetting", "whatToShow", "useRTH", "formatDate"),
        "chartOptions",
    ]
    assert "endDateTime" not in subscription["reqHistoricalData"].args
    assert {"reqMktDataSnapshot", "reqHistoricalSchedule", "requestFA", "calculateImpliedVolatility"} <= set(query)
    assert {"reqMktData", "reqPnL", "reqTickByTickData", "subscribeToGroupEvents"} <= set(subscription)
    assert {"placeOrder", "cancelOrder", "reqGlobalCancel", "setServerLogLevel", "updateConfig"} <= set(mutation)
    assert {"lastTradeDateOrContractMonth", "conId", "secIdType"} <= set(fields_of(TRADING, "ContractInput"))
    assert {"dailyPnL", "unrealizedPnL"} <= set(fields_of(TRADING, "Pnl"))


def test_what_ibapi_dropped_is_deprecated_with_its_last_release() -> None:
    gone = fields_of(TRADING, "Query")["reqFundamentalData"].deprecation_reason
    assert gone == "ibapi 10.46 was the last release that had it."
    old = {name: field.deprecation_reason for name, field in fields_of(TRADING, "Order").items()}
    assert {name for name, reason in old.items() if reason} == {
        *("eTradeOnly", "externalUserId", "faProfile", "firmQuoteOnly", "nbboPriceCap")
    }


# --- the client's methods ----------------------------------------------------------------------------------------

CALLS = [
    (root, name, call)
    for root, table in (
        ("Query", generated.QUERY),
        ("Mutation", generated.MUTATION),
        ("Subscription", generated.SUBSCRIPTION),
    )
    for name, call in table.items()
    if call.kind != "part"
]
each_call = pytest.mark.parametrize(("root", "name", "call"), CALLS, ids=[f"{root}.{name}" for root, name, _ in CALLS])


@each_call
def test_a_field_gives_the_clients_method_all_that_it_takes(root: str, name: str, call: generated.Call) -> None:
    parameters = list(inspect.signature(getattr(Client, call.method)).parameters.values())[1:]
    arguments = fields_of(TRADING, root)[name].args
    positional = [each for each in parameters if each.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert [each.lower() for each in call.arguments] == [each.name.replace("_", "") for each in positional]
    options = [each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY]
    assert list(arguments) == [*call.arguments, *options]
    for parameter, argument in zip(parameters, arguments.values(), strict=True):
        if parameter.default is not inspect.Parameter.empty:
            written = argument.ast_node.default_value
            default = None if written is None else graphql.value_from_ast_untyped(written)
            expected = {"buffer": None, "overflow": "RAISE"}.get(parameter.name, parameter.default)
            assert default == expected


def test_orders_have_no_way_around_the_order_book() -> None:
    through_the_book = {name for name, call in generated.MUTATION.items() if call.kind == "order"}
    assert through_the_book == {"placeOrder", "cancelOrder", "exerciseOptions", "reqGlobalCancel"}
    assert through_the_book <= set(_orders.MUTATIONS)


def test_what_only_the_token_for_trading_may_ask_for() -> None:
    always = set(fields_of(core_schema(build_schema(False).sdl), "Mutation"))
    trading = {f"Mutation.{name}" for name in fields_of(TRADING, "Mutation") if name not in always}
    assert trading >= {f"Mutation.{name}" for name in _orders.MUTATIONS}
    for schema in (build_schema(True), build_schema(False)):
        assert schema.trading_fields == trading | {"Query.whatIfOrder"}


# --- Python's classes --------------------------------------------------------------------------------------------


def class_of(name: str) -> type | None:
    """Return the class whose objects are of this type, ``None`` where the installed ibapi has none."""
    for module in (trio_ibtws, _orders, _resolve):
        if inspect.isclass(getattr(module, name, None)):
            return getattr(module, name)  # type: ignore[no-any-return]
    if name not in MODEL.nouns:
        raise AssertionError(f"there is no class {name}")
    try:
        return getattr(import_module(MODEL.nouns[name]), name, None)
    except ModuleNotFoundError:
        return None


OBJECTS = sorted(
    name
    for name, kind in TRADING.type_map.items()
    if isinstance(kind, graphql.GraphQLObjectType) and not name.startswith("__") and name not in ROOTS
)
ALWAYS_SAID = {("EndOfSnapshot", "complete"), ("DepthReset", "code")}


@pytest.mark.parametrize("name", OBJECTS)
def test_every_field_of_an_answer_is_an_attribute_of_its_class(name: str) -> None:
    cls = class_of(name)
    if cls is None:
        assert name in MODEL.attributes
        return
    if cls.__module__.startswith("ibapi"):
        known = set(attributes_of_noun(cls))
        shown = set(MODEL.attributes[name])
        assert known <= shown, "the installed release has attributes that the table has not"
        fields = {field for field in fields_of(TRADING, name) if f"{field}_" not in shown}
        assert fields <= shown
        return
    known = {attribute.replace("_", "").lower() for attribute in dir(cls) if not attribute.startswith("_")}
    for field in fields_of(TRADING, name):
        assert field.lower() in known or (name, field) in ALWAYS_SAID


def attributes_of_noun(cls: type) -> list[str]:
    return list(vars(cls()))


@pytest.mark.parametrize("name", sorted(generated.NOUNS))
def test_every_attribute_of_an_argument_can_be_given(name: str) -> None:
    if class_of(name) is None:
        return
    kind = "OrderConditionInput" if name.endswith("Condition") else f"{name}Input"
    told = {noun.name: noun.told for noun in TABLE.vocabulary.nouns}[name] if TABLE.vocabulary else ()
    assert set(attributes_of(name)) - set(told) <= set(fields_of(TRADING, kind))
    assert not set(told) & set(fields_of(TRADING, kind))


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("ibapi.contract", "FundAssetType"),
        ("ibapi.contract", "FundDistributionPolicyIndicator"),
        ("ibapi.execution", "OptionExerciseType"),
    ],
)
def test_enums_have_the_members_of_ibapis(module: str, name: str) -> None:
    cls = getattr(import_module(module), name, None)
    if cls is None:
        return  # an older release, which has none of the fields either
    assert issubclass(cls, Enum)
    kind = TRADING.type_map[name]
    assert isinstance(kind, graphql.GraphQLEnumType)
    assert list(kind.values) == [member.name for member in cls]


def test_states_of_a_trade_are_all_of_the_order_book() -> None:
    kind = TRADING.type_map["TradeState"]
    assert isinstance(kind, graphql.GraphQLEnumType)
    assert set(kind.values) == set(TRANSITIONS)
