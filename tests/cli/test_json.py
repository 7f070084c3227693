"""JSON: IB's names in snake_case, null for what is unset, every digit of a Decimal."""

from __future__ import annotations

import json
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace

import pytest
from ibapi.contract import ComboLeg, Contract
from ibapi.order import Order

from trio_ibtws import EndOfSnapshot, Pnl, Position, SecurityDefinitionOptionParameter, TickSize
from trio_ibtws._cli._json import document, line, plain


class Policy(Enum):
    GROWS = ("Y", "Grows")


def test_names_are_ibs_in_snake_case() -> None:
    names = set(plain(Contract())) | set(plain(Order()))
    assert {"con_id", "sec_type", "last_trade_date_or_contract_month", "delta_neutral_contract"} <= names
    assert {"lmt_price", "aux_price", "oca_group", "total_quantity", "order_ref"} <= names
    assert all(name == name.lower() for name in names)


def test_the_average_of_old_bars_has_its_new_name() -> None:
    assert plain(SimpleNamespace(average=1.5, barCount=2)) == {"wap": 1.5, "bar_count": 2}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1.7976931348623157e308, "null"),
        (float("nan"), "null"),
        (2**31 - 1, "null"),
        (Decimal(2**127 - 1), "null"),
        (Decimal("NaN"), "null"),
        ("1.7976931348623157E308", "null"),
        (None, "null"),
        (True, "true"),
        (Decimal("0.10"), "0.10"),
        (Decimal("12345678901234567890.123456789"), "12345678901234567890.123456789"),
        (100.0, "100.0"),
        ("ünïcode\n", '"ünïcode\\n"'),
        (Policy.GROWS, '"GROWS"'),
        ({"b", "a"}, '["a","b"]'),
    ],
)
def test_values(value: object, written: str) -> None:
    assert document([SimpleNamespace(it=value)]) == f'[\n{{"it":{written}}}\n]'


def test_what_is_inside_goes_the_same_way() -> None:
    contract = Contract()
    leg = ComboLeg()
    leg.conId, leg.ratio = 7, 2
    contract.comboLegs = [leg]
    [row] = json.loads(document([Position("U1", contract, Decimal(3), None)]))
    assert row["contract"]["combo_legs"][0]["con_id"] == 7
    assert (row["position"], row["avg_cost"]) == (3, None)


def test_sets_are_sorted() -> None:
    row = SecurityDefinitionOptionParameter("SMART", 1, "AAPL", "100", {"20270115", "20261218"}, {2.5, 1.0})
    assert plain(row)["expirations"] == ["20261218", "20270115"]
    assert plain(row)["strikes"] == [1.0, 2.5]


def test_events_name_their_kind() -> None:
    assert line(TickSize(5, Decimal("3"))) == '{"event":"TickSize","tick_type":5,"size":3}'
    assert line(EndOfSnapshot()) == '{"event":"EndOfSnapshot"}'
    assert json.loads(line(Pnl(1.5, None, None)))["unrealized_pnl"] is None


def test_nothing_is_an_empty_array() -> None:
    assert document([]) == "[]"
