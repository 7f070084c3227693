"""Market rules: the prices that a contract can have, against a search through all of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibapi.common import PriceIncrement
from ibapi.contract import ContractDetails

from trio_ibtws import InvalidRequest, MarketRule
from trio_ibtws._contracts._rules import rule_ids


def rule(*rows: tuple[float, float]) -> MarketRule:
    made = []
    for edge, step in rows:
        one: Any = PriceIncrement()
        one.lowEdge, one.increment = edge, step
        made.append(one)
    return MarketRule.of(made)


OPTION = rule((0.0, 0.01), (3.0, 0.05))


@pytest.mark.parametrize(
    ("price", "nearest", "up", "down"),
    [
        (2.994, "2.99", "3.00", "2.99"),
        (2.995, "3.00", "3.00", "2.99"),
        (3.0, "3.00", "3.00", "3.00"),
        (3.024, "3.00", "3.05", "3.00"),
        (3.025, "3.05", "3.05", "3.00"),
        (0, "0", "0", "0"),
        (0.1 + 0.2, "0.30", "0.31", "0.30"),
        (-3.02, "-3.00", "-3.00", "-3.05"),
        (-0.001, "0", "0", "-0.01"),
        (Decimal("1234567890123.33"), "1234567890123.35", "1234567890123.35", "1234567890123.30"),
    ],
)
def test_prices_of_an_option(price: float, nearest: str, up: str, down: str) -> None:
    assert OPTION.round(price) == Decimal(nearest)
    assert OPTION.round(price, "up") == Decimal(up)
    assert OPTION.round(price, "down") == Decimal(down)


def test_steps() -> None:
    assert (OPTION.increment(2.99), OPTION.increment(3), OPTION.increment(-5)) == tuple(
        map(Decimal, ("0.01", "0.05", "0.05"))
    )
    assert OPTION.fits(2.99)
    assert OPTION.fits(Decimal("3.05"))
    assert not OPTION.fits(3.01)
    assert rule((0.0, 5e-05)).round(1.305676) == Decimal("1.30570")
    assert rule((0.0, 0.25)).round(1444.1, "up") == Decimal("1444.25")
    assert rule((1.0, 0.01), (0.0, 0.0001)).round(0.99995, "up") == 1  # rows in no order


@pytest.mark.parametrize("price", [float("nan"), float("inf"), Decimal("sNaN"), 1e300])
def test_what_is_no_price(price: float | Decimal) -> None:
    with pytest.raises(InvalidRequest, match="price"):
        OPTION.round(price)


def test_what_is_no_direction_and_no_rule() -> None:
    with pytest.raises(InvalidRequest, match="direction"):
        OPTION.round(1.0, "sideways")  # type: ignore[arg-type]
    for rows in ((), ((0.0, 0.0),), ((0.0, -1.0),)):
        with pytest.raises(ValueError, match="steps above zero"):
            rule(*rows)


def test_rules_by_exchange() -> None:
    details: Any = ContractDetails()
    details.validExchanges, details.marketRuleIds = "SMART,CBOE,ISE", "26,32,26"
    assert rule_ids(details) == {"SMART": 26, "CBOE": 32, "ISE": 26}
    details.validExchanges, details.marketRuleIds = "", ""
    assert rule_ids(details) == {}


@st.composite
def rules(draw: st.DrawFn) -> MarketRule:
    steps = draw(st.lists(st.integers(1, 40), min_size=1, max_size=4))
    edges = [0, *draw(st.lists(st.integers(1, 300), min_size=len(steps) - 1, max_size=len(steps) - 1, unique=True))]
    return MarketRule(
        tuple(Decimal(edge) / 100 for edge in sorted(edges)), tuple(Decimal(each) / 100 for each in steps)
    )


def all_prices(rule: MarketRule) -> list[Decimal]:
    """Every price up to 6: multiples of the step that holds there."""
    hundredths = [Decimal(at) / 100 for at in range(600)]
    above = [price for price in hundredths if price % rule.increment(price) == 0]
    return sorted({*above, *(-price for price in above)})


@given(rules(), st.integers(-4500, 4500))
def test_rounding_is_what_a_search_finds(rule: MarketRule, thousandths: int) -> None:
    price = Decimal(thousandths) / 1000
    known = all_prices(rule)
    up = min(each for each in known if each >= price)
    down = max(each for each in known if each <= price)
    assert rule.round(price, "up") == up
    assert rule.round(price, "down") == down
    assert rule.round(price) == (up if up - price <= price - down else down)
    assert rule.round(float(price), "up") == up
    assert rule.fits(up)
    assert rule.fits(price) == (price in known)
