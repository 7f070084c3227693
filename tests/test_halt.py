"""What keeps an order from being sent by a session: a halt, the wrong client, and what an order cannot mean."""

from __future__ import annotations

import math
from typing import Any

import pytest
from ibapi.contract import DeltaNeutralContract
from ibapi.order import OrderComboLeg

from tests.sessions import VERSIONS, contract, order, ready_session, requests, sent
from trio_ibtws import InvalidRequest, TradingHalted
from trio_ibtws._runtime._session import Session
from trio_ibtws._runtime._sinks import Buffer

TABLE = dict(requests())
PLACE = TABLE["PLACE_ORDER"]


def place(session: Session, given: Any, what: Any = None) -> Buffer:
    events = Buffer(10)
    session.place(PLACE, {"contract": what or contract(), "order": given}, events)
    return events


def refused_field(session: Session, given: Any, what: Any = None) -> str | None:
    with pytest.raises(InvalidRequest) as caught:
        place(session, given, what)
    assert sent(session) == []
    return caught.value.field


def test_a_halt_takes_back_what_is_unwritten_and_leaves_alone_what_is_written() -> None:
    session = ready_session()
    written = place(session, order())
    assert len(sent(session)) == 1
    unwritten = [place(session, order()), place(session, order())]
    assert session.halt("the market is mad") == [2, 3]
    assert sent(session) == []
    for events in unwritten:
        assert isinstance(events.error, TradingHalted)
        assert "the market is mad" in str(events.error)
    assert written.error is None
    assert session.halt("again") == []


def test_during_a_halt_orders_are_refused_and_cancels_are_not() -> None:
    session = ready_session()
    place(session, order())
    sent(session)
    session.halt("enough")
    with pytest.raises(TradingHalted):
        place(session, order())
    assert sent(session) == []
    cancel = TABLE["CANCEL_ORDER"]
    session.send(cancel, {"orderId": 1, "orderCancel": None})
    assert len(sent(session)) == 1


def test_orders_made_in_tws_are_bound_to_client_0_only() -> None:
    session = ready_session()
    assert session.settings.client_id != 0
    with pytest.raises(InvalidRequest) as caught:
        session.send(TABLE["AUTO_OPEN_ORDERS"], {"bAutoBind": True})
    assert caught.value.field == "client_id"
    assert sent(session) == []


def test_a_listener_that_is_gone_can_be_removed_again() -> None:
    session = ready_session()
    listener: Any = object()
    session.orders.add_listener(listener)
    session.orders.remove_listener(listener)
    session.orders.remove_listener(listener)
    assert session.orders.listeners == ()


def test_an_order_is_no_child_of_itself() -> None:
    session = ready_session()
    place(session, order())
    sent(session)
    assert refused_field(session, order(orderId=1, parentId=1)) == "order.parentId"


@pytest.mark.parametrize("price", [math.nan, math.inf, "1", None])
def test_the_prices_of_legs_are_numbers(price: Any) -> None:
    leg = OrderComboLeg()
    leg.price = price
    assert refused_field(ready_session(), order(orderComboLegs=[leg])) == "order.orderComboLegs[0].price"


def test_the_hedge_of_a_contract_is_looked_into() -> None:
    made = contract()
    made.deltaNeutralContract = DeltaNeutralContract()
    made.deltaNeutralContract.delta = math.nan
    assert refused_field(ready_session(), order(), made) == "contract.deltaNeutralContract.delta"


@pytest.mark.speaks(169)
def test_ibapis_own_mark_for_up_to_the_middle_is_no_infinite_price() -> None:
    session = ready_session(VERSIONS[-1])
    place(session, order(orderType="PEG BEST", competeAgainstBestOffset=math.inf))
    assert len(sent(session)) == 1
    assert refused_field(session, order(competeAgainstBestOffset=-math.inf)) == "order.competeAgainstBestOffset"
