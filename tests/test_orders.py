"""Orders: ids that never go back, refusals that find the right stream, and events that are never lost."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibapi.contract import Contract
from ibapi.execution import Execution
from ibapi.order import Order
from ibapi.order_state import OrderState

from tests.sessions import CLIENT_ID, contract, order, ready_session, requests, sent
from trio_ibtws import (
    CommissionAndFeesReport,
    ConnectionLost,
    ExecDetails,
    InvalidRequest,
    LocalError,
    Notice,
    OpenOrder,
    OrderBound,
    OrderRejected,
    OrderStatus,
    RequestError,
    SlowConsumer,
    TradingDisabled,
)
from trio_ibtws._runtime._orders import ORDER_BUFFER, Orders, join_commissions, join_open_orders
from trio_ibtws._runtime._session import Session
from trio_ibtws._runtime._sinks import Answer, Buffer

TABLE = dict(requests())
PLACE = TABLE["PLACE_ORDER"]
OTHER_CLIENT = CLIENT_ID + 1


def open_order(order_id: int, client_id: int = CLIENT_ID, perm_id: int = 0) -> OpenOrder:
    made = Order()
    made.clientId, made.permId = client_id, perm_id
    return OpenOrder(order_id, Contract(), made, OrderState())


def status(order_id: int, client_id: int = CLIENT_ID, perm_id: int = 0, word: str = "Submitted") -> OrderStatus:
    zero = Decimal(0)
    return OrderStatus(order_id, word, zero, zero, None, perm_id, 0, None, client_id, "", None)


def fill(exec_id: str, order_id: int = 0, client_id: int = CLIENT_ID) -> ExecDetails:
    execution = Execution()
    execution.execId, execution.orderId, execution.clientId = exec_id, order_id, client_id
    return ExecDetails(Contract(), execution)


def report(exec_id: str) -> CommissionAndFeesReport:
    return CommissionAndFeesReport(exec_id, 1.0, "USD", None, None, None)


def unread(buffer: Buffer | None) -> list[object]:
    assert buffer is not None
    return [buffer.pop() for _ in range(len(buffer))]


def events_of(orders: Orders) -> list[object]:
    found = unread(orders.start_reading())
    orders.stop_reading()
    return found


def place(session: Session, **attributes: object) -> tuple[int, Buffer]:
    buffer = Buffer(10, name="place_order()")
    order_id = session.place(PLACE, {"contract": contract(), "order": order(**attributes)}, buffer)
    return order_id, buffer


# --- ids ---------------------------------------------------------------------------------------------------------

DELIVER: dict[str, Callable[[Orders, int, int], None]] = {
    "open": lambda orders, order_id, client: orders.open_order(open_order(order_id, client)),
    "status": lambda orders, order_id, client: orders.order_status(status(order_id, client)),
    "fill": lambda orders, order_id, client: orders.exec_details(fill("e", order_id, client)),
    "bound": lambda orders, order_id, client: orders.order_bound(OrderBound(1, client, order_id)),
}
seen = st.tuples(
    st.sampled_from(["valid", "place", *DELIVER]), st.integers(-5, 60), st.sampled_from([CLIENT_ID, OTHER_CLIENT])
)


@settings(deadline=None)
@given(st.lists(seen, max_size=30))
def test_a_new_order_never_gets_an_id_that_was_seen(steps: list[tuple[str, int, int]]) -> None:
    orders = Orders(CLIENT_ID)
    used: set[int] = set()
    highest = 0
    for what, order_id, client_id in steps:
        if what == "valid":
            orders.next_valid_id(order_id)
        elif what != "place":
            DELIVER[what](orders, order_id, client_id)
            used.add(order_id)
            assert orders.known(order_id) or client_id != CLIENT_ID or order_id <= 0
        elif orders.next_order_id is not None:
            new = orders.next_free()
            assert new > max(used, default=0)
            orders.use(new)
            assert orders.known(new)
            used.add(new)
        assert orders.next_order_id is None or orders.next_order_id >= max(highest, 1)
        highest = orders.next_order_id or 0


def test_an_order_that_came_before_the_first_valid_id_counts() -> None:
    orders = Orders(CLIENT_ID)
    orders.open_order(open_order(100))
    orders.next_valid_id(5)
    assert orders.next_free() == 101


@pytest.mark.parametrize("order_id", [None, 1_500_000_000, 2**31 - 1])
def test_without_a_usable_id_nothing_is_sent(order_id: int | None) -> None:
    orders = Orders(CLIENT_ID)
    if order_id is not None:
        orders.next_valid_id(order_id)
    with pytest.raises(LocalError, match="no order id can be used"):
        orders.next_free()


def test_an_id_in_the_range_of_requests_does_not_move_the_next_one_there() -> None:
    session = ready_session(order_id=5)
    session.router.order_bound(OrderBound(9, CLIENT_ID, 1_500_000_000))
    assert session.orders.next_order_id == 5


def test_ids_are_taken_in_the_step_in_which_the_frame_is_queued() -> None:
    session = ready_session(order_id=40)
    assert [place(session)[0] for _ in range(3)] == [40, 41, 42]
    assert session.orders.next_order_id == 43
    frames = sent(session)
    assert [frame.removeprefix(b"3\0").split(b"\0")[0] for frame in frames] == [b"40", b"41", b"42"]


def test_an_order_that_cannot_be_encoded_uses_no_id_up() -> None:
    session = ready_session(order_id=40)
    with pytest.raises(InvalidRequest):
        place(session, orderRef="\0")
    assert sent(session) == []
    assert session.orders.next_order_id == 40
    assert not session.orders.known(40)
    assert place(session)[0] == 40


def test_the_id_of_a_known_order_changes_it_and_any_other_is_refused() -> None:
    session = ready_session(order_id=40)
    order_id, _ = place(session)
    assert place(session, orderId=order_id)[0] == order_id
    assert session.orders.next_order_id == 41
    assert len(sent(session)) == 2
    session.router.open_order(open_order(7))
    session.router.open_order(open_order(8, OTHER_CLIENT))
    assert place(session, orderId=7)[0] == 7
    for unknown in (8, 99, -1):
        with pytest.raises(InvalidRequest) as caught:
            place(session, orderId=unknown)
        assert caught.value.field == "order_id"
    assert len(sent(session)) == 1


def test_without_leave_to_trade_nothing_is_sent() -> None:
    session = ready_session(trading=False)
    with pytest.raises(TradingDisabled, match="placeOrder"):
        place(session)
    with pytest.raises(TradingDisabled):
        session.send(TABLE["GLOBAL_CANCEL"], {"orderCancel": None})
    assert sent(session) == []


def test_orders_go_before_data_and_a_cancel_behind_its_order() -> None:
    session = ready_session(order_id=1)
    session.ask(TABLE["CONTRACT_DETAILS"], {"contract": contract()}, Answer(lambda: None, single=False), single=False)
    place(session)
    session.send(TABLE["CANCEL_ORDER"], {"orderId": 1, "orderCancel": None})
    assert [frame.split(b"\0")[0] for frame in sent(session)] == [b"3", b"4", b"9"]


# --- refusals ----------------------------------------------------------------------------------------------------


def refuse(orders: Orders, order_id: int, code: int = 201) -> None:
    orders.reject(Notice(order_id, code, "no", None), RequestError, "{}")


def test_a_refusal_is_about_what_was_sent_last() -> None:
    orders = Orders(CLIENT_ID)
    first, change = Buffer(10), Buffer(10)
    orders.attach(5, first)
    orders.attach(5, change)
    refuse(orders, 5)
    assert isinstance(change.error, OrderRejected)
    assert change.error.advanced_reject == "{}"
    assert not first.error
    orders.order_status(status(5))
    assert len(first) == 1
    refuse(orders, 5)  # the change is refused already: this one is about the order itself
    assert "code 201" in str(first.error)
    refuse(orders, 5)  # nobody is left to tell
    refuse(orders, 6)


def test_a_refusal_after_the_change_was_left_is_about_the_order() -> None:
    orders = Orders(CLIENT_ID)
    first, change = Buffer(10), Buffer(10)
    orders.attach(5, first)
    orders.attach(5, change)
    orders.detach(5, change)
    orders.detach(5, change)
    refuse(orders, 5)
    assert first.error is not None
    assert change.error is None


def test_a_remark_goes_to_all_streams_of_the_order() -> None:
    orders = Orders(CLIENT_ID)
    buffers = [Buffer(10), Buffer(10)]
    for buffer in buffers:
        orders.attach(5, buffer)
    remark = Notice(5, 399, "held until the open", None)
    orders.notice(remark)
    orders.notice(Notice(6, 399, "another's", None))
    assert [list(buffer.notices) for buffer in buffers] == [[remark], [remark]]


# --- whose an event is -------------------------------------------------------------------------------------------


def test_events_go_to_all_and_to_the_streams_of_our_order_alone() -> None:
    orders = Orders(CLIENT_ID)
    ours, other = Buffer(10), Buffer(10)
    orders.attach(5, ours)
    orders.attach(6, other)
    events = [open_order(5), status(5), fill("e1", 5), report("e1"), OrderBound(1, CLIENT_ID, 5)]
    orders.open_order(events[0])  # type: ignore[arg-type]
    orders.order_status(events[1])  # type: ignore[arg-type]
    orders.exec_details(events[2])  # type: ignore[arg-type]
    assert orders.commission(events[3]) == []  # type: ignore[arg-type]
    orders.order_bound(events[4])  # type: ignore[arg-type]
    theirs = [open_order(5, OTHER_CLIENT), status(5, OTHER_CLIENT), fill("e2", 5, OTHER_CLIENT), report("e2")]
    orders.open_order(theirs[0])  # type: ignore[arg-type]
    orders.order_status(theirs[1])  # type: ignore[arg-type]
    orders.exec_details(theirs[2])  # type: ignore[arg-type]
    orders.commission(theirs[3])  # type: ignore[arg-type]
    assert unread(ours) == events
    assert unread(other) == []
    assert events_of(orders) == events + theirs


def test_repeated_events_are_not_merged() -> None:
    orders = Orders(CLIENT_ID)
    for _ in range(3):
        orders.order_status(status(5))
    assert events_of(orders) == [status(5)] * 3


REQUEST = 1_500_000_000


def test_the_report_of_a_live_fill_goes_to_the_events() -> None:
    orders = Orders(CLIENT_ID)
    orders.exec_details(fill("e1"))
    assert orders.commission(report("e1")) == []
    assert report("e1") in events_of(orders)


def test_the_report_of_a_queried_fill_goes_to_the_query_alone() -> None:
    orders = Orders(CLIENT_ID)
    orders.queried(REQUEST, fill("e1"))
    assert orders.commission(report("e1")) == [REQUEST]
    assert events_of(orders) == []


def test_the_report_of_a_fill_that_is_both_goes_to_both_once() -> None:
    orders = Orders(CLIENT_ID)
    live = fill("e1")
    orders.exec_details(live)
    orders.queried(REQUEST, fill("e1"))
    orders.queried(REQUEST + 1, fill("e1"))
    assert orders.commission(report("e1")) == [REQUEST, REQUEST + 1]
    assert orders.commission(report("e1")) == [REQUEST, REQUEST + 1]  # the second query's own
    assert events_of(orders) == [live, report("e1")]


def test_a_report_that_comes_after_the_query_goes_to_the_events() -> None:
    orders = Orders(CLIENT_ID)
    orders.queried(REQUEST, fill("e1"))
    orders.query_ended(REQUEST)
    assert orders.commission(report("e1")) == []
    assert events_of(orders) == [report("e1")]


def test_a_query_of_executions_over_the_wire() -> None:
    session = ready_session()
    answer = Answer(lambda: None, single=False)
    asked = session.ask(TABLE["EXECUTIONS"], {"execFilter": None}, answer, single=False)
    number = asked.request_id  # type: ignore[union-attr]
    session.router.exec_details(number, fill("e1"))
    session.router.exec_details(-1, fill("e2"))
    session.router.exec_details(2**31 - 1, fill("e3"))  # no id of ours: a live one
    session.router.commission(report("e1"))
    session.router.commission(report("e2"))
    session.router.exec_details(number, fill("e4"))
    session.router.end(number)
    rows = join_commissions(answer.result())
    assert [(row.execution.execId, row.commission_and_fees) for row in rows] == [("e1", report("e1")), ("e4", None)]
    session.router.commission(report("e4"))
    live = events_of(session.orders)
    assert [event.execution.execId for event in live if isinstance(event, ExecDetails)] == ["e2", "e3"]
    assert [event for event in live if isinstance(event, CommissionAndFeesReport)] == [report("e2"), report("e4")]
    session.router.exec_details(number, fill("e5"))
    assert session.stats().late_frames == 1


# --- reading -----------------------------------------------------------------------------------------------------


def test_what_came_before_anyone_asked_is_there_and_what_is_unread_waits() -> None:
    orders = Orders(CLIENT_ID)
    for order_id in range(4):
        orders.open_order(open_order(order_id))
    reader = orders.start_reading()
    assert reader is not None
    assert orders.start_reading() is None  # one at a time
    assert reader.pop().order_id == 0
    orders.stop_reading()
    orders.open_order(open_order(4))
    assert [event.order_id for event in events_of(orders)] == [1, 2, 3, 4]  # type: ignore[attr-defined]


def test_too_many_unread_events_fail_loudly_and_the_next_reader_starts_afresh() -> None:
    orders = Orders(CLIENT_ID)
    for _ in range(ORDER_BUFFER):
        orders.order_status(status(5))
    reader = orders.start_reading()
    assert reader is not None
    assert not reader.error
    orders.order_status(status(5))
    assert isinstance(reader.error, SlowConsumer)
    assert len(unread(reader)) == ORDER_BUFFER
    orders.stop_reading()
    orders.order_status(status(6))
    fresh = orders.start_reading()
    assert fresh is not None
    assert not fresh.error
    orders.order_status(status(7))
    assert unread(fresh) == [status(7)]


def test_the_end_of_the_session_leaves_what_is_unread_readable() -> None:
    session = ready_session(order_id=5)
    order_id, stream = place(session)
    session.router.order_status(status(order_id))
    session.lose("pulled the plug")
    session.lose("again")
    assert unread(stream) == [status(order_id)]
    assert isinstance(stream.error, ConnectionLost)
    reader = session.orders.start_reading()
    assert unread(reader) == [status(order_id)]
    assert reader is not None
    assert isinstance(reader.error, ConnectionLost)


# --- joined answers ----------------------------------------------------------------------------------------------


def test_open_orders_have_the_newest_status_of_the_same_order() -> None:
    rows = [
        open_order(5, perm_id=1),
        status(5, perm_id=1, word="PreSubmitted"),
        open_order(5, OTHER_CLIENT),
        status(5, OTHER_CLIENT, word="Filled"),
        status(5, perm_id=1),
        open_order(6, perm_id=2),
        status(9, perm_id=3),
    ]
    joined = join_open_orders(rows)
    words = [(row.order_id, row.order.clientId, row.status and row.status.status) for row in joined]
    assert words == [(5, CLIENT_ID, "Submitted"), (5, OTHER_CLIENT, "Filled"), (6, CLIENT_ID, None)]


def test_an_order_that_came_twice_is_one_row() -> None:
    rows = [open_order(5, perm_id=1), open_order(5, perm_id=1)]
    assert len(join_open_orders(rows)) == 1
