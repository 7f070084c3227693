"""Values there and back: scalars, arguments as objects of ibapi, and answers without what ibapi says for "unset"."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import graphql
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibapi.contract import ComboLeg, Contract, ContractDetails
from ibapi.order import Order
from ibapi.order_condition import PriceCondition
from ibapi.order_state import OrderState
from ibapi.tag_value import TagValue

from generator.releases import load
from trio_ibtws import (
    DepthReset,
    EndOfSnapshot,
    Gap,
    InvalidRequest,
    Lagged,
    Notice,
    Pnl,
    Position,
    SecurityDefinitionOptionParameter,
    TickPrice,
    TickReqParams,
    UnsupportedRequest,
)
from trio_ibtws._gen.resolvers import NOUNS
from trio_ibtws.graphql import _values
from trio_ibtws.graphql._resolve import build_schema
from trio_ibtws.graphql._scalars import SCALARS
from trio_ibtws.graphql._values import Inputs, Outputs, Types, named, type_name

SCHEMA = build_schema(True)
TYPES = Types(SCHEMA.sdl)
INPUTS = Inputs(TYPES)
show = Outputs(TYPES)
CORE = graphql.build_schema(SCHEMA.sdl)

NO_NUMBERS = (1.7976931348623157e308, math.nan, math.inf, -math.inf)
NO_INTEGERS = (2147483647, 2**63 - 1)


def place(name: str, value: Any) -> Any:
    return INPUTS.argument("Mutation.placeOrder", name, value)


# --- scalars -----------------------------------------------------------------------------------------------------


def literal(scalar: str, text: str) -> Any:
    return SCALARS[scalar].parse_literal(graphql.parse_value(text))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=8))
def test_a_decimal_comes_back_as_it_was(number: Decimal) -> None:
    scalar = SCALARS["Decimal"]
    text = scalar.coerce_output(number)
    assert "E" not in text
    assert scalar.coerce_input(text) == scalar.coerce_input(json.loads(json.dumps(text))) == number
    assert literal("Decimal", f'"{text}"') == literal("Decimal", text if text != "-0" else "0") == number


@pytest.mark.parametrize(
    "value", ["", "x", "NaN", "Infinity", "1e99", "1e-99", "9" * 41, "9" * 100_000, True, None, []]
)
def test_what_is_no_decimal(value: Any) -> None:
    with pytest.raises(ValueError, match="is no number"):
        SCALARS["Decimal"].coerce_input(value)


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_long_comes_back_as_it_was(number: int) -> None:
    assert SCALARS["Long"].coerce_input(SCALARS["Long"].coerce_output(number)) == literal("Long", str(number)) == number


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 1.0, "1", True, None])
def test_what_is_no_long(value: Any) -> None:
    with pytest.raises(ValueError, match=r"is no whole number|more than 64 bits"):
        SCALARS["Long"].coerce_input(value)


def test_a_literal_of_another_kind() -> None:
    for scalar, text in (
        ("Long", "1.5"),
        ("Long", '"1"'),
        ("Decimal", "true"),
        ("DateTime", "5"),
        ("Long", "9" * 5000),
    ):
        with pytest.raises(ValueError, match=r"it is no|more than 64 bits"):
            literal(scalar, text)


@given(st.datetimes(timezones=st.timezones()))
def test_a_moment_comes_back_to_the_millisecond(moment: datetime) -> None:
    scalar = SCALARS["DateTime"]
    try:
        text = scalar.coerce_output(moment)
    except OverflowError:
        return  # the first or the last day of the calendar, elsewhere
    assert text.endswith("Z")
    assert abs(scalar.coerce_input(text) - moment) < timedelta(milliseconds=1)
    assert literal("DateTime", f'"{text}"') == scalar.coerce_input(text)


@pytest.mark.parametrize("value", ["2024-01-31T16:00:00", "yesterday", "", 5, None])
def test_what_is_no_moment(value: Any) -> None:
    with pytest.raises(ValueError, match=r"no time zone|is no moment"):
        SCALARS["DateTime"].coerce_input(value)


def test_a_moment_elsewhere() -> None:
    given_there = SCALARS["DateTime"].coerce_input("2024-01-31T16:00:00-05:00")
    assert given_there == datetime(2024, 1, 31, 21, tzinfo=UTC)
    assert given_there.utcoffset() == timezone(timedelta(hours=-5)).utcoffset(None)


JSONS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="ascii", exclude_categories=["Cc"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,5}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSONS)
def test_json_comes_back_as_it_was(value: Any) -> None:
    scalar = SCALARS["JSON"]
    assert scalar.coerce_input(scalar.coerce_output(value)) == value
    if not isinstance(value, (dict, list)):
        assert scalar.parse_literal(graphql.parse_value(json.dumps(value))) == value


def test_json_as_a_literal_and_what_json_cannot_say() -> None:
    assert literal("JSON", '{a: [1, 2.5, "x", null, true, WORD]}') == {"a": [1, 2.5, "x", None, True, "WORD"]}
    assert SCALARS["JSON"].coerce_output({1: (math.nan, math.inf, Decimal("1.5"))}) == {"1": [None, None, "1.5"]}
    with pytest.raises(ValueError, match="it is no"):
        literal("JSON", "[$variable]")
    assert literal("JSON", "9" * 40) == 10**40 - 1
    for number in ("9" * 41, "1e999", "-1e999"):  # never another number than the one that stands there
        with pytest.raises(ValueError, match=r"digits|too large"):
            literal("JSON", f"[{number}]")


# --- arguments ---------------------------------------------------------------------------------------------------


def test_an_argument_becomes_an_object_of_ibapi_with_all_that_is_nested() -> None:
    contract = place(
        "contract",
        {
            "symbol": "A,B",
            "secType": "BAG",
            "comboLegs": [{"conId": 1, "ratio": 2, "action": "BUY"}, {"conId": 3}],
            "deltaNeutralContract": {"conId": 9, "delta": 0.5},
            "currency": None,
        },
    )
    assert isinstance(contract, Contract)
    assert (contract.symbol, contract.secType, contract.currency, contract.strike) == (
        "A,B",
        "BAG",
        Contract().currency,
        Contract().strike,
    )
    assert [(type(leg), leg.conId, leg.ratio, leg.action) for leg in contract.comboLegs] == [
        (ComboLeg, 1, 2, "BUY"),
        (ComboLeg, 3, ComboLeg().ratio, ComboLeg().action),
    ]
    assert vars(contract.deltaNeutralContract) == {"conId": 9, "delta": 0.5, "price": 0.0}


def test_an_order_with_conditions_and_lists() -> None:
    order = place(
        "order",
        {
            "action": "BUY",
            "totalQuantity": Decimal("1.5"),
            "algoParams": [{"tag": "a", "value": "b"}],
            "softDollarTier": {"name": "n", "val": "v"},
            "conditions": [
                {"condType": "Price", "conId": 8, "exchange": "SMART", "isMore": True, "price": 9.5},
                {
                    "condType": "Time",
                    "isMore": False,
                    "time": "20240131 16:00:00 UTC",
                    "isConjunctionConnection": False,
                },
            ],
        },
    )
    assert isinstance(order, Order)
    assert (order.totalQuantity, order.tif, order.lmtPrice) == (Decimal("1.5"), Order().tif, Order().lmtPrice)
    [parameter] = order.algoParams or []
    assert isinstance(parameter, TagValue)
    assert (parameter.tag, parameter.value) == ("a", "b")
    price, time = order.conditions
    assert isinstance(price, PriceCondition)
    assert (price.price, price.triggerMethod, price.isConjunctionConnection) == (9.5, 0, True)
    assert (time.time, time.isMore, time.isConjunctionConnection) == ("20240131 16:00:00 UTC", False, False)


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({"condType": "Price", "conId": 8, "exchange": "X", "isMore": True}, "price"),
        ({"condType": "Time", "isMore": True, "time": "x", "price": 5.0}, "price"),
        ({"condType": "Execution", "symbol": "X", "secType": "STK"}, "exchange"),
        ({"condType": "PercentChange", "conId": 8, "exchange": "X", "isMore": True}, "changePercent"),
        ({"condType": "Margin", "percent": 5}, "isMore"),
    ],
)
def test_a_condition_needs_what_belongs_to_it_and_nothing_else(condition: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        place("order", {"conditions": [{"condType": "Time", "isMore": True, "time": "x"}, condition]})
    assert caught.value.field == f"order.conditions[1].{field}"
    assert "Nothing was sent" in str(caught.value)


def test_an_attribute_that_the_installed_ibapi_has_not() -> None:
    absent = sorted(set(TYPES.fields["OrderInput"]) - set(vars(Order())))
    assert absent  # the union of the releases is more than any of them
    with pytest.raises(InvalidRequest, match=rf"Order of the installed ibapi \S+ has no '{absent[0]}'") as caught:
        place("order", {absent[0]: "x"})
    assert caught.value.field == f"order.{absent[0]}"


def test_a_class_that_the_installed_ibapi_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    _values._class.cache_clear()
    monkeypatch.setattr(_values, "NOUNS", {**NOUNS, "ComboLeg": "ibapi.no_such_module"})
    _values.attributes_of.cache_clear()
    try:
        with pytest.raises(UnsupportedRequest, match="has no class ComboLeg"):
            place("contract", {"comboLegs": [{"conId": 1}]})
    finally:
        _values._class.cache_clear()
        _values.attributes_of.cache_clear()


def test_a_new_order_of_an_old_release_has_nothing_that_tws_refuses() -> None:
    order = place("order", {})
    assert not getattr(order, "eTradeOnly", False)
    assert not getattr(order, "firmQuoteOnly", False)


TEXTS = st.text(max_size=5)
NUMBERS = st.floats(-1e6, 1e6)
CONTRACTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("symbol", "secType", "exchange", "currency", "right", "localSymbol", "multiplier"), TEXTS),
        "conId": st.integers(0, 2**31 - 2),
        "strike": NUMBERS,
        "includeExpired": st.booleans(),
        "comboLegs": st.lists(
            st.fixed_dictionaries({"conId": st.integers(1, 9), "ratio": st.integers(1, 9), "action": TEXTS}), max_size=3
        ),
    },
)


@given(CONTRACTS)
def test_what_was_given_is_what_is_shown(given_: dict[str, Any]) -> None:
    """An argument read back as an answer gives what was put in."""
    contract = place("contract", given_)
    for name, value in given_.items():
        shown = show(contract, name)
        if name == "comboLegs":
            shown = [{field: show(leg, field) for field in ("conId", "ratio", "action")} for leg in shown]
        assert shown == value


# --- answers -----------------------------------------------------------------------------------------------------


def test_what_is_unset_is_null() -> None:
    order = Order()
    for name in ("lmtPrice", "auxPrice", "minQty", "percentOffset", "filledQuantity"):
        assert show(order, name) is None, name
    details = ContractDetails()
    details.minTick = math.nan
    details.coupon = math.inf  # type: ignore[assignment]
    assert show(details, "minTick") is None
    assert show(details, "coupon") is None
    assert show(details, "secIdList") is None
    assert show(Pnl(None, 1.5, None), "dailyPnL") is None
    assert show(Pnl(None, 1.5, None), "unrealizedPnL") == 1.5
    assert show(TickReqParams(None, "", None), "snapshotPermissions") is None


def test_an_attribute_that_this_release_has_not_is_null() -> None:
    assert [show(Order(), name) for name in TYPES.fields["Order"] if not hasattr(Order(), name)].count(None) > 0
    for name in set(TYPES.fields["ContractDetails"]) - set(vars(ContractDetails())):
        assert show(ContractDetails(), name) is None


def test_names_are_ibs_whatever_python_calls_them() -> None:
    tick = TickPrice(1, 2.5, None)  # type: ignore[arg-type]
    assert (show(tick, "tickType"), show(tick, "price")) == (1, 2.5)
    row = Position("DU1", Contract(), Decimal(5), 1.5)
    assert (show(row, "avgCost"), show(row, "position")) == (1.5, Decimal(5))
    chain = SecurityDefinitionOptionParameter("X", 1, "T", "100", {"20240201", "20240101"}, {2.0, 1.0})
    assert show(chain, "expirations") == ["20240101", "20240201"]
    assert show(chain, "strikes") == [1.0, 2.0]


def test_markers_and_notices() -> None:
    assert show(EndOfSnapshot(), "complete") is True
    assert show(DepthReset(), "code") == 317
    assert show(Lagged(7), "count") == 7
    gap = Gap("reset", 1_700_000_000.0, None)
    assert show(gap, "since") == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert show(gap, "until") is None
    assert show(Notice(-1, 2104, "ok", 1_700_000_000_500), "time").microsecond == 500_000
    assert show(Notice(-1, 2104, "ok", None), "time") is None
    assert type_name(Lagged(1)) == "Lagged"


def test_kinds_of_conditions_and_enums() -> None:
    assert show(PriceCondition(), "condType") == "Price"
    kind = show(ContractDetails(), "fundAssetType")
    assert kind in (None, "NoneItem")


@pytest.mark.parametrize("text", ["1.7976931348623157E308", "", "N/A", "1.7976931348623157e+308"])
def test_a_margin_without_a_number_is_null(text: str) -> None:
    state = OrderState()
    state.initMarginAfter = text
    assert show(state, "initMarginAfter") is None
    state.initMarginAfter = "1234.50"
    assert show(state, "initMarginAfter") == Decimal("1234.50")


WEIRD: dict[str, tuple[Any, ...]] = {
    "Float": (*NO_NUMBERS, 1, 1.5, "", "2.5", None, True),
    "Int": (*NO_INTEGERS, 0, -1, 5, "", "7", None, True),
    "Long": (*NO_INTEGERS, 0, -1, 2**40, None),
    "Decimal": (*NO_NUMBERS, Decimal(2**127 - 1), Decimal("1E+3"), 5, 2.5, "7", "", None, Decimal("NaN")),
    "String": ("", "x", None, 5),
    "Boolean": (True, False, 1, 0, None),
}
OF_IBAPI = sorted(
    name
    for name in {*NOUNS, "ContractDetails", "OrderState", "Execution", "BarData", "HistogramData", "TickAttrib"}
    if isinstance(CORE.type_map.get(name), graphql.GraphQLObjectType)
)


@pytest.mark.parametrize("name", OF_IBAPI)
def test_whatever_ibapi_puts_there_can_be_shown(name: str) -> None:
    module = next((release.nouns[name] for release in reversed(load()) if name in release.nouns), "")
    made = getattr(__import__(module, fromlist=[name]), name)()
    for field, node in TYPES.fields[name].items():
        for value in WEIRD.get(named(node), ()) if not _values.is_list(node) else ():
            setattr(made, field, value)
            check_leaf(named(node), show(made, field))


def check_leaf(kind: str, value: Any) -> None:
    """What the engine would do with it must work, and be no sentinel."""
    if value is None:
        return
    scalar = CORE.type_map[kind]
    assert isinstance(scalar, graphql.GraphQLScalarType)
    if kind in SCALARS:
        json.dumps(SCALARS[kind].coerce_output(value), allow_nan=False)
    else:
        json.dumps(scalar.serialize(value), allow_nan=False)
    assert value not in (*NO_NUMBERS, *(NO_INTEGERS if kind in ("Int", "Long") else ()), Decimal(2**127 - 1))
