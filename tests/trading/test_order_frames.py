"""Every order that is accepted is sent as it was given: its frame is decoded by other code, and compared.

The text wire is read by the simulator's codec, which knows the fields from a table of its own; the protobuf wire by
protobuf's own parser.
"""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibapi.order import Order
from ibapi.tag_value import TagValue

from tests.sessions import VERSIONS, contract, order, ready_session, sent
from trio_ibtws import InvalidRequest, UnsupportedRequest
from trio_ibtws._gen.requests_orders import PLACE_ORDER
from trio_ibtws._runtime._order_checks import _RANGES
from trio_ibtws._runtime._sinks import Buffer
from trio_ibtws._runtime._values import UNSET_DECIMAL, UNSET_DOUBLE, UNSET_INTEGERS
from trio_ibtws.simulator._codec import decode_request

words = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=12)
prices = st.floats(0.01, 1e6).map(lambda price: round(price, 4))
amounts = st.floats(0, 1e6).map(lambda amount: round(amount, 4))
quantities = st.one_of(
    st.integers(1, 10**9),
    st.decimals("0.0001", "1000000", places=4),
    st.floats(0.01, 1e6).map(lambda size: round(size, 2)),
)

TYPES = {
    "MKT": {},
    "LMT": {"lmtPrice": prices},
    "STP": {"auxPrice": prices},
    "STP LMT": {"lmtPrice": prices, "auxPrice": prices},
    "TRAIL": {"auxPrice": prices, "trailStopPrice": prices},
    "MIT": {"auxPrice": prices},
}

SENT_ONLY_WITH_OTHERS = frozenset(
    {
        *("hedgeParam", "hedgeMaxSize", "algoParams", "algoStrategy", "orderComboLegs", "smartComboRoutingParams"),
        *("conditionsIgnoreRth", "conditionsCancelOrder", "conditionsIncludeOvernight", "softDollarTier"),
        *("minTradeQty", "minCompeteSize", "competeAgainstBestOffset", "midOffsetAtWhole", "midOffsetAtHalf"),
        *("referenceContractId", "peggedChangeAmount", "isPeggedChangeAmountDecrease", "referenceChangeAmount"),
        *("referenceExchangeId", "orderMiscOptions", "conditions", "imbalanceOnly", "shareholder"),
        *("routeMarketableToBbo", "basisPoints", "basisPointsType", "randomizePrice", "randomizeSize"),
    }
)
SPECIAL = frozenset(
    {"action", "orderType", "totalQuantity", "lmtPrice", "auxPrice", "trailStopPrice", "trailingPercent"}
    | {"orderId", "clientId", "permId", "parentPermId", "filledQuantity", "autoCancelDate", "refFuturesConId"}
    | {"tif", "goodTillDate", "whatIf", "eTradeOnly", "firmQuoteOnly", "nbboPriceCap", "account", "openClose"}
)


def _strategy(name: str, default: Any) -> st.SearchStrategy[Any] | None:
    if (
        name in SENT_ONLY_WITH_OTHERS
        or name in SPECIAL
        or name.startswith(("deltaNeutral", "scale", "slOrder", "ptOrder"))
    ):
        return None
    if isinstance(default, bool):
        return st.booleans()
    if isinstance(default, int) and name != "discretionaryAmt":
        return st.integers(*_RANGES.get(name, (0, 1000)))
    if isinstance(default, (int, float)):
        return amounts
    return words if isinstance(default, str) else None


OPTIONAL = {
    name: strategy for name, default in vars(Order()).items() if (strategy := _strategy(name, default)) is not None
}


@cache
def _names(version: int) -> list[str]:
    """Return the optional attributes that a server of this version takes at all."""
    names = []
    for name in sorted(OPTIONAL):
        default = getattr(Order(), name)
        value = "x" if isinstance(default, str) else True if isinstance(default, bool) else 1
        with suppress(UnsupportedRequest, InvalidRequest):
            _encode(version, order(**{name: value}))
            names.append(name)
    return names


@st.composite
def orders(draw: st.DrawFn, version: int) -> Order:
    """Draw an order that the checks let pass, with some of the attributes that any order may have."""
    order_type = draw(st.sampled_from(sorted(TYPES)))
    made = order(
        action=draw(st.sampled_from(["BUY", "SELL"])),
        orderType=order_type,
        totalQuantity=draw(quantities),
        tif=draw(st.sampled_from(["", "DAY", "GTC", "IOC"])),
    )
    for name, strategy in TYPES[order_type].items():
        setattr(made, name, draw(strategy))
    for name in draw(st.lists(st.sampled_from(_names(version)), max_size=8, unique=True)):
        setattr(made, name, draw(OPTIONAL[name]))
    if draw(st.booleans()):
        made.algoStrategy = "Adaptive"
        made.algoParams = [TagValue("adaptivePriority", draw(st.sampled_from(["Normal", "Urgent"])))]
    return made


def _plain(value: Any) -> Any:
    """Return a value as it can be compared whatever the wire: unset, empty, false and zero are one."""
    if value in (None, "", 0, UNSET_DOUBLE, UNSET_DECIMAL, *UNSET_INTEGERS) or value is False:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float, Decimal)):
        return float(value)
    return value


def _encode(version: int, given_order: Order) -> bytes:
    session = ready_session(version)
    session.place(PLACE_ORDER, {"contract": contract(), "order": given_order}, Buffer(10))
    [frame] = sent(session)
    return frame


def _assert_same(given_order: Order, read: dict[str, Any], known: set[str]) -> None:
    for name in known:
        wanted, got = _plain(getattr(given_order, name)), _plain(read.get(name))
        assert got == wanted, f"{name}: {wanted!r} was given, {got!r} is on the wire"


@pytest.mark.parametrize("version", [version for version in VERSIONS if version <= 176])
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_text(version: int, data: st.DataObject) -> None:
    given_order = data.draw(orders(version))
    message = decode_request(_encode(version, given_order), version)
    assert message.name == "placeOrder"
    assert message.values["orderId"] == 1
    read = message.values["order"]
    _assert_same(given_order, read, (set(OPTIONAL) | set(SPECIAL)) & set(read) & set(vars(given_order)))
    assert read["transmit"] == given_order.transmit
    assert [tuple(pair.values()) for pair in read.get("algoParams") or ()] == [
        (pair.tag, pair.value) for pair in given_order.algoParams or ()
    ]
    assert {name: message.values["contract"][name] for name in ("symbol", "secType", "exchange", "currency")} == {
        "symbol": "AAPL",
        "secType": "STK",
        "exchange": "SMART",
        "currency": "USD",
    }


if VERSIONS[-1] >= 213:

    @settings(deadline=None, max_examples=100)
    @given(given_order=orders(VERSIONS[-1]))
    def test_protobuf(given_order: Order) -> None:
        frame = _encode(VERSIONS[-1], given_order)
        message = import_module("ibapi.protobuf.PlaceOrderRequest_pb2").PlaceOrderRequest()
        message.ParseFromString(frame[4:])
        assert message.orderId == 1
        read = {field.name: getattr(message.order, field.name) for field, _ in message.order.ListFields()}
        read["totalQuantity"] = Decimal(read["totalQuantity"])
        names = {field.name for field in message.order.DESCRIPTOR.fields}
        _assert_same(given_order, read, (set(OPTIONAL) | SPECIAL) & names & set(vars(given_order)) - {"orderId"})
        assert not message.order.whatIf
        assert {pair: read["algoParams"][pair] for pair in read.get("algoParams", {})} == {
            pair.tag: pair.value for pair in given_order.algoParams or ()
        }


EASILY_LOST = {
    "postOnly": True,
    "allowPreOpen": True,
    "deactivate": True,
    "ignoreOpenAuction": True,
    "bondAccruedInterest": "1.5",
    "minTradeQty": 5,
    "slOrderId": 5,
    "whatIfType": 1,
}


@pytest.mark.parametrize("name", sorted(EASILY_LOST))
@pytest.mark.parametrize("version", VERSIONS)
def test_what_would_be_lost_is_refused(version: int, name: str) -> None:
    """An attribute that ibapi leaves out without a word makes another order than the one that was meant."""
    session = ready_session(version)
    given_order = order(**{name: EASILY_LOST[name]})
    with suppress(UnsupportedRequest, InvalidRequest):
        session.place(PLACE_ORDER, {"contract": contract(), "order": given_order}, Buffer(10))
        [frame] = sent(session)
        assert frame != _encode(version, order()), f"{name} is not in the frame"
        return
    assert sent(session) == []
    assert session.orders.next_order_id == 1
