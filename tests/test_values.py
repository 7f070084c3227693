"""Values: what TWS leaves unset is None, whatever number ibapi writes for it."""

from __future__ import annotations

import math
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibapi import common
from ibapi.common import BarData, TickAttrib
from ibapi.contract import ComboLeg, Contract
from ibapi.order import Order
from ibapi.order_state import OrderState

from trio_ibtws import OpenOrder, Result, TickPrice
from trio_ibtws._runtime._values import integer, number, size

UNSET_DOUBLE = getattr(common, "UNSET_DOUBLE", 1.7976931348623157e308)
UNSET_INTEGER = getattr(common, "UNSET_INTEGER", 2**31 - 1)
UNSET_DECIMAL = getattr(common, "UNSET_DECIMAL", Decimal(2**127 - 1))


@pytest.mark.parametrize("unset", [None, UNSET_DOUBLE, 1.7976931348623157e308, math.nan, math.inf, -math.inf])
def test_an_unset_number_is_none(unset: float | None) -> None:
    assert number(unset) is None


@given(st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: abs(value) != UNSET_DOUBLE))
def test_any_other_number_stays(value: float) -> None:
    assert number(value) == value


@pytest.mark.parametrize(
    "unset",
    [
        None,
        UNSET_DECIMAL,
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        math.inf,
        math.nan,
        UNSET_DOUBLE,
        UNSET_INTEGER,
        2**63 - 1,
    ],
)
def test_an_unset_size_is_none(unset: Decimal | float | None) -> None:
    assert size(unset) is None


@given(st.decimals(allow_nan=False, allow_infinity=False).filter(lambda value: value != UNSET_DECIMAL))
def test_a_size_stays_exactly_as_it_is(value: Decimal) -> None:
    assert size(value) == value


@given(st.floats(allow_nan=False, allow_infinity=False, max_value=1e9, min_value=-1e9))
def test_a_size_that_old_releases_give_as_a_float_reads_as_it_prints(value: float) -> None:
    converted = size(value)
    assert isinstance(converted, Decimal)
    assert str(converted) == str(Decimal(str(value)))


def test_a_size_that_old_releases_give_as_an_integer_has_no_fraction() -> None:
    assert str(size(100)) == "100"


@pytest.mark.parametrize("unset", [UNSET_INTEGER, 2**63 - 1])
def test_an_unset_integer_is_none(unset: int) -> None:
    assert integer(unset) is None
    assert integer(None) is None


@given(st.integers(min_value=-(2**31), max_value=2**31 - 2))
def test_any_other_integer_stays(value: int) -> None:
    assert integer(value) == value


def test_ibapis_objects_in_an_event_are_written_out() -> None:
    """They print as an address, so that a tick on the screen would say nothing about itself."""
    attrib = TickAttrib()
    attrib.preOpen = True
    assert repr(TickPrice(1, 2.5, attrib)) == "TickPrice(tick_type=1, price=2.5, attrib=TickAttrib(preOpen=True))"
    contract, order = Contract(), Order()
    contract.symbol, contract.comboLegs = "AAPL", [ComboLeg()]
    order.action, order.lmtPrice = "BUY", 1.7976931348623157e308
    shown = repr(OpenOrder(7, contract, order, OrderState()))
    assert "contract=Contract(symbol='AAPL', comboLegs=[ComboLeg(" in shown
    assert "action='BUY'" in shown
    assert "lmtPrice" not in shown
    assert " at 0x" not in shown


def test_ibapis_objects_in_an_answer_are_written_out() -> None:
    bar = BarData()
    bar.date, bar.close = "20130115", 2.5
    assert re.fullmatch(r"\[BarData\(date='20130115', close=2\.5.*\), 'a', 1\]", repr(Result([bar, "a", 1])))
    assert repr(Result([])) == "[]"
