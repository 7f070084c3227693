"""An order that cannot be meant is refused by the name of its attribute, and not one byte of it is written."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from ibapi.contract import ComboLeg, Contract
from ibapi.order import Order
from ibapi.order_condition import (
    ExecutionCondition,
    MarginCondition,
    OrderCondition,
    PercentChangeCondition,
    PriceCondition,
    TimeCondition,
    VolumeCondition,
)
from ibapi.tag_value import TagValue

from tests.sessions import VERSIONS, contract, order, ready_session, sent
from trio_ibtws import InvalidRequest
from trio_ibtws._gen.requests_orders import PLACE_ORDER
from trio_ibtws._runtime._order_checks import _NOT_SENT
from trio_ibtws._runtime._session import Session
from trio_ibtws._runtime._sinks import Buffer
from trio_ibtws._runtime._values import UNSET_DECIMAL, UNSET_DOUBLE

ORDER_DEFAULTS = {name: value for name, value in vars(Order()).items() if name not in _NOT_SENT}
FLOATS = sorted(name for name, value in ORDER_DEFAULTS.items() if isinstance(value, float))
INTEGERS = sorted(
    name
    for name, value in ORDER_DEFAULTS.items()
    if isinstance(value, int) and not isinstance(value, bool) and name not in ("totalQuantity", "discretionaryAmt")
)
FLAGS = sorted(name for name, value in ORDER_DEFAULTS.items() if isinstance(value, bool))
TEXTS = sorted(name for name, value in ORDER_DEFAULTS.items() if isinstance(value, str))

Bad = tuple[str, str, Callable[[], tuple[Any, Any]]]
"""What it is called, the field that the error names, and the contract and order."""


def one(attribute: str, value: Any, **others: Any) -> Bad:
    return f"{attribute}={value!r}", f"order.{attribute}", lambda: (contract(), order(**others, **{attribute: value}))


def about_contract(attribute: str, value: Any) -> Bad:
    def make() -> tuple[Any, Any]:
        made = contract()
        setattr(made, attribute, value)
        return made, order()

    return f"contract.{attribute}={value!r}", f"contract.{attribute}", make


def with_leg(**attributes: Any) -> Contract:
    leg = ComboLeg()
    leg.conId, leg.ratio, leg.action, leg.exchange = 1, 1, "BUY", "SMART"
    for name, value in attributes.items():
        setattr(leg, name, value)
    made = contract()
    made.secType = "BAG"
    made.comboLegs = [leg]
    return made


def empty_bag() -> Contract:
    made = contract()
    made.secType = "BAG"
    return made


def nameless() -> Contract:
    return Contract()


def _conditioned(condition: Any) -> Callable[[], tuple[Any, Any]]:
    return lambda: (contract(), order(conditions=[condition]))


def _misnamed() -> Any:
    condition = PriceCondition(0, 1, "SMART", True, 5.0)
    condition.condType = OrderCondition.Time
    return condition


BAD_CONDITIONS: list[tuple[str, Any]] = [
    ("condType", _misnamed()),
    ("triggerMethod", PriceCondition(99, 1, "SMART", True, 5.0)),
    ("triggerMethod", PriceCondition("0", 1, "SMART", True, 5.0)),
    ("conId", PriceCondition(0, -1, "SMART", True, 5.0)),
    ("conId", PriceCondition(0, "1", "SMART", True, 5.0)),
    ("conId", PriceCondition(0, 2**31, "SMART", True, 5.0)),
    ("exchange", PriceCondition(0, 1, "SM\0ART", True, 5.0)),
    ("exchange", PriceCondition(0, 1, 5, True, 5.0)),
    ("isMore", PriceCondition(0, 1, "SMART", "yes", 5.0)),
    ("price", PriceCondition(0, 1, "SMART", True, "5")),
    ("time", TimeCondition(True, 5)),
    ("time", TimeCondition(True, "\n")),
    ("time", TimeCondition(True, " ")),
    ("percent", MarginCondition(True, "x")),
    ("percent", MarginCondition(True, 1.5)),
    ("percent", MarginCondition(True, 2**31)),
    ("symbol", ExecutionCondition("STK", "SMART", 5)),
    ("secType", ExecutionCondition("S\nTK", "SMART", "AAPL")),
    ("volume", VolumeCondition(1, "SMART", True, 1.5)),
    ("volume", VolumeCondition(1, "SMART", True, -1)),
    ("conId", VolumeCondition(1.5, "SMART", True, 1)),
    ("changePercent", PercentChangeCondition(1, "SMART", True, "x")),
]

BAD: list[Bad] = [
    # --- every number of an order
    *(one(name, value) for name in FLOATS for value in (math.nan, -math.inf, "1.5", Decimal("1.5"), None, True)),
    *(one(name, math.inf) for name in FLOATS if name != "competeAgainstBestOffset"),
    *(one(name, value) for name in INTEGERS for value in (1.5, "1", 2**31, -(2**31) - 1, None, math.nan)),
    *(one(name, value) for name in FLAGS for value in ("yes", 2, None, -1)),
    *(one(name, value) for name in TEXTS for value in (1, None, b"X")),
    *(one(name, "A\0B") for name in TEXTS if name not in ("action", "orderType", "tif", "algoStrategy")),
    # --- the quantity
    *(
        one("totalQuantity", value)
        for value in (0, -1, math.nan, math.inf, "1", None, True, UNSET_DECIMAL, UNSET_DOUBLE, 2**31 - 1)
    ),
    *(
        one("totalQuantity", Decimal(value))
        for value in ("0", "-1", "NaN", "sNaN", "Infinity", "-0.0001", "1E+16", "1E+999999")
    ),
    # --- what it is
    *(one("action", value) for value in ("", "buy", "BOT", "HOLD", 1, None)),
    *(one("orderType", value) for value in ("", 5, None)),
    # --- prices that its type needs
    *(one("lmtPrice", value, orderType="LMT") for value in (UNSET_DOUBLE, 0.0, -0.0, -1.0, math.nan, math.inf)),
    *(one("auxPrice", value, orderType="STP") for value in (UNSET_DOUBLE, 0.0, -0.01, math.nan)),
    one("auxPrice", UNSET_DOUBLE, orderType="STP LMT", lmtPrice=1.0),
    one("lmtPrice", UNSET_DOUBLE, orderType="STP LMT", auxPrice=1.0),
    one("auxPrice", UNSET_DOUBLE, orderType="TRAIL"),
    one("auxPrice", 1.0, orderType="TRAIL", trailingPercent=1.0),
    one("trailingPercent", 0.0, orderType="TRAIL"),
    one("trailingPercent", 100.5, orderType="TRAIL"),
    one("lmtPriceOffset", UNSET_DOUBLE, orderType="TRAIL LIMIT", auxPrice=1.0),
    one("auxPrice", UNSET_DOUBLE, orderType="MIT"),
    one("lmtPrice", UNSET_DOUBLE, orderType="LIT", auxPrice=1.0),
    one("goodTillDate", "", tif="GTD"),
    # --- amounts below zero
    *(
        one(name, -1.0)
        for name in ("cashQty", "discretionaryAmt", "volatility", "percentOffset", "trailStopPrice", "startingPrice")
    ),
    *(one(name, -1) for name in ("displaySize", "minQty", "parentId", "scaleInitLevelSize")),
    # --- ranges
    *(one(name, 9) for name in ("ocaType", "origin", "shortSaleSlot", "triggerMethod", "volatilityType")),
    # --- attributes that no release of ibapi has, a slip of the finger
    *(one(name, 1.0) for name in ("lmtprice", "limitPrice", "quantity", "stopPrice")),
    # --- parts
    ("algoParams alone", "order.algoStrategy", lambda: (contract(), order(algoParams=[TagValue("a", "1")]))),
    *(
        (f"{name} value", f"order.{name}[0].value", lambda name=name: (contract(), _with_tag(name)))
        for name in ("algoParams", "smartComboRoutingParams", "orderMiscOptions")
    ),
    *(one(name, "text") for name in ("conditions", "orderComboLegs", "smartComboRoutingParams")),
    one("algoParams", "text", algoStrategy="Adaptive"),
    ("no condition", "order.conditions[0]", lambda: (contract(), order(conditions=["AAPL > 5"]))),
    (
        "condition without a price",
        "order.conditions[0].price",
        lambda: (contract(), order(conditions=[PriceCondition(0, 1, "SMART", True)])),
    ),
    (
        "condition that is not a number",
        "order.conditions[0].price",
        lambda: (contract(), order(conditions=[PriceCondition(0, 1, "SMART", True, math.nan)])),
    ),
    # --- words that are not as TWS writes them, and what cannot be read
    *(
        one("orderType", value)
        for value in ("lmt", "LMT ", " MKT", "MKT\n", "STP_LMT", "X" * 21, "LIMIT", "MARKET", "STOP")
    ),
    *(one("tif", value) for value in ("gtc", "day", " DAY", "DAY\n", "DAY\t", "X" * 300)),
    *(one(name, text) for name in TEXTS for text in ("A\nB", "A\x1bB", "A\x7f") if name != "action"),
    *(about_contract("secType", value) for value in ("stk", "STK ", "STK\n")),
    *(about_contract("right", value) for value in ("X", "call", "PUTT")),
    *(about_contract(name, "A\nB") for name in ("symbol", "localSymbol", "tradingClass", "multiplier", "secId")),
    *(one(name, 1e16) for name in ("lmtPrice", "auxPrice", "cashQty")),
    one("totalQuantity", Decimal("1E-30")),
    *(
        (f"{type(condition).__name__} {field}", f"order.conditions[0].{field}", _conditioned(condition))
        for field, condition in BAD_CONDITIONS
    ),
    (
        "tag on two lines",
        "order.algoParams[0].tag",
        lambda: (contract(), order(algoStrategy="Adaptive", algoParams=[TagValue("a\n", "b")])),
    ),
    # --- the contract
    *(about_contract("strike", value) for value in (math.nan, math.inf, -math.inf, -1.0, "100", None)),
    *(about_contract("conId", value) for value in (-1, "1", 1.5, 2**31, None)),
    *(about_contract(name, 5) for name in ("symbol", "secType", "exchange", "currency", "right", "multiplier")),
    *(about_contract(name, "A\0B") for name in ("symbol", "exchange", "currency", "localSymbol")),
    *(about_contract("symbol", text) for text in ("AAPL\u202e", "ÅAPL", "\x1b[31m", "€")),
    about_contract("strikePrice", 1.0),
    ("nameless", "contract.symbol", lambda: (nameless(), order())),
    ("empty bag", "contract.comboLegs", lambda: (empty_bag(), order())),
    *(
        (
            f"leg {name}={value!r}",
            f"contract.comboLegs[0].{name}",
            lambda n=name, v=value: ((with_leg(**{n: v}), order())),
        )
        for name, value in (
            ("conId", 0),
            ("ratio", 0),
            ("ratio", -1),
            ("action", ""),
            ("ratio", 1.5),
            ("action", "HOLD"),
        )
    ),
    ("leg", "contract.comboLegs[0]", lambda: (_with_legs(["leg"]), order())),
    ("order is a dict", "order", lambda: (contract(), {"action": "BUY"})),
    ("contract is a text", "contract", lambda: ("AAPL", order())),
]


def _with_tag(name: str) -> Order:
    pair: Any = TagValue("priority", "1")
    pair.value = 1
    return order(algoStrategy="Adaptive", **{name: [pair]})


def _with_legs(legs: Any) -> Contract:
    made = empty_bag()
    made.comboLegs = legs
    return made


@pytest.fixture(scope="module")
def any_session() -> Session:
    """The wire does not matter: nothing gets as far."""
    return ready_session(VERSIONS[-1])


def test_there_are_enough_of_them() -> None:
    assert len({name for name, _, _ in BAD}) > 600


@pytest.mark.parametrize(("field", "make"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_it_is_refused_by_name_and_nothing_is_written(
    any_session: Session, field: str, make: Callable[[], Any]
) -> None:
    session = any_session
    made_contract, made_order = make()
    with pytest.raises(InvalidRequest) as caught:
        session.place(PLACE_ORDER, {"contract": made_contract, "order": made_order}, Buffer(10))
    assert caught.value.field == field
    assert "Nothing was sent" in str(caught.value)
    assert sent(session) == []
    assert session.orders.next_order_id == 1


@pytest.mark.parametrize("sec_type", ["BAG", "FUT", "FOP"])
@pytest.mark.parametrize("price", [-1.5, 0.0])
def test_a_spread_or_a_future_may_cost_less_than_nothing(sec_type: str, price: float) -> None:
    session = ready_session()
    spread = with_leg()
    spread.secType = sec_type
    session.place(PLACE_ORDER, {"contract": spread, "order": order(orderType="LMT", lmtPrice=price)}, Buffer(10))
    assert len(sent(session)) == 1


def test_money_stands_for_a_quantity() -> None:
    session = ready_session(VERSIONS[-1])
    session.place(
        PLACE_ORDER, {"contract": contract(), "order": order(totalQuantity=Decimal(0), cashQty=500.0)}, Buffer(10)
    )
    assert len(sent(session)) == 1
