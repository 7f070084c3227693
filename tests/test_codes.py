"""TWS's codes: every code against every shape of request, before, between and after the rows of the answer.

After a code that ends it nothing is pending, and no error has become an empty answer; after any other the normal
answer still completes the request.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sessions import arguments, contract, order, ready_session, requests, sent
from trio_ibtws import CodeRule, DepthReset, NoData, Notice, OrderRejected, RequestError
from trio_ibtws._runtime._lanes import Ticket
from trio_ibtws._runtime._router import Line
from trio_ibtws._runtime._session import Session
from trio_ibtws._runtime._sinks import Answer, Buffer
from trio_ibtws.codes import CODES, NOTICE, rule_for
from trio_ibtws.errors import (
    CompetingSession,
    NoPermission,
    NoSuchContract,
    PacingViolation,
    ReadOnlySession,
)

TABLE = dict(requests())
UNKNOWN = [-1, 1, 99, 101, 105, 110, 300, 310, 329, 366, 434, 502, 2099, 2100, 2150, 2199, 2200, 10182, 10225, 99999]


def codes() -> Iterator[tuple[int, str]]:
    """Every code with every text that its rule looks for, and one that none looks for."""
    for code in [*CODES, *UNKNOWN]:
        for text in ("some text", *CODES.get(code, NOTICE).texts):
            yield code, f"TWS says: {text}."


every_code = pytest.mark.parametrize(("code", "message"), list(codes()))
every_moment = pytest.mark.parametrize("moment", ["before", "between", "after"])


def error(session: Session, about: int, code: int, message: str) -> CodeRule:
    """Deliver one message of TWS and return its rule."""
    session.router.error(about, code, message, None, "")
    return rule_for({}, code, message)


class Query:
    """One query, its two rows and its end, by its id or its lane."""

    def __init__(self, name: str) -> None:
        self.session = ready_session()
        request = TABLE[name]
        self.single = request.single or name in ("HEAD_TIME_STAMP", "MARKET_RULE", "IDS")
        self.answer = Answer(lambda: None, single=self.single)
        self.asked = self.session.ask(request, arguments(request), self.answer, single=self.single)
        sent(self.session)
        assert isinstance(self.asked, (Line, Ticket))
        self.key: Any = self.asked.request_id if isinstance(self.asked, Line) else self.asked.lane
        self.ids: list[Any] = [self.key] if isinstance(self.asked, Line) else [-1, 0]

    def answer_with(self, moment: str, code: int, message: str) -> CodeRule:
        """Deliver the answer, and the message of TWS at its moment."""
        router = self.session.router
        rule = rule_for({}, code, message)
        if moment == "before":
            error(self.session, self.ids[0], code, message)
        router.item(self.key, "row 1")
        if moment == "between":
            error(self.session, self.ids[-1], code, message)
        if not self.single:
            router.item(self.key, "row 2")
            router.end(self.key)
        if moment == "after":
            error(self.session, self.ids[0], code, message)
        return rule

    @property
    def whole(self) -> Any:
        return "row 1" if self.single else ["row 1", "row 2"]

    def leave(self) -> None:
        self.session.leave(self.asked, self.answer)
        sent(self.session)


QUERIES = [
    "CONTRACT_DETAILS",
    "ACCOUNT_SUMMARY",
    "HEAD_TIME_STAMP",
    "EXECUTIONS",
    "OPEN_ORDERS",
    "POSITIONS",
    "MARKET_RULE",
]


@every_code
@every_moment
@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_answered_or_fails_and_nothing_is_pending(name: str, moment: str, code: int, message: str) -> None:
    query = Query(name)
    effect = query.answer_with(moment, code, message).effect
    has_answer_before = moment == "after" or (moment == "between" and query.single)
    by_id = query.ids != [-1, 0]
    if effect == "error" and not has_answer_before:
        with pytest.raises(rule_for({}, code, message).error) as caught:
            query.answer.result()
        assert (caught.value.code, caught.value.message) == (code, message)
        assert caught.value.request == query.asked.request.method
    elif effect == "complete" and by_id and not has_answer_before:
        if query.single:
            with pytest.raises(NoData):
                query.answer.result()
        else:
            assert query.answer.result() == ["row 1"] * (moment == "between")
    else:
        assert query.answer.result() == query.whole
    query.leave()
    assert query.session.stats().open_requests == 0
    assert query.session.router.lanes.free


def opened(name: str, **options: Any) -> tuple[Session, Any, Buffer]:
    session = ready_session()
    request = TABLE[name]
    buffer = Buffer(100, batches=request.batches)
    asked = session.ask(request, arguments(request), buffer, single=False, **options)
    sent(session)
    return session, asked, buffer


STREAMS = ["MKT_DATA", "MKT_DEPTH", "SCANNER_SUBSCRIPTION", "TICK_BY_TICK_DATA", "POSITIONS_MULTI_STREAM"]


@every_code
@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_fails_or_goes_on_with_a_notice(name: str, share: bool, code: int, message: str) -> None:
    session, asked, buffer = opened(name, share=share)
    rule = error(session, asked.request_id, code, message)
    if rule.effect == "error":
        assert type(buffer.error) is rule.error
        assert session.stats().open_requests == 0
        session.leave(asked, buffer)
        assert sent(session) == []  # TWS has ended it
        return
    assert buffer.error is None
    if rule.effect == "reset" and name == "MKT_DEPTH":
        assert buffer.pop() == DepthReset()
    else:
        assert [notice.code for notice in buffer.notices] == [code]
    session.router.item(asked.request_id, "event")
    session.router.end(asked.request_id)
    assert buffer.pop() == (["event"] if TABLE[name].batches else "event")
    session.leave(asked, buffer)
    assert len(sent(session)) == 1
    assert session.stats().open_requests == 0


@every_code
def test_a_lane_stream_fails_before_its_end_marker_only(code: int, message: str) -> None:
    session, asked, buffer = opened("POSITIONS_STREAM")
    rule = error(session, -1, code, message)
    assert (buffer.error is not None) == (rule.effect == "error")
    if buffer.error is None:
        session.router.end("positionEnd")
        error(session, -1, code, message)
        assert buffer.error is None
    session.leave(asked, buffer)
    assert len(sent(session)) == (0 if rule.effect == "error" else 1)
    assert session.stats().open_requests == 0


@every_code
def test_an_order_is_refused_or_gets_a_notice_and_every_message_can_be_seen(code: int, message: str) -> None:
    session = ready_session(order_id=5)
    stream, notices = Buffer(10), Buffer(10)
    session.router.add_notices(notices)
    session.place(TABLE["PLACE_ORDER"], {"contract": contract(), "order": order()}, stream)
    rule = error(session, 5, code, message)
    assert notices.pop() == Notice(5, code, message, None)
    if rule.on_order == "reject":
        expected = OrderRejected if rule.error is RequestError else rule.error
        assert type(stream.error) is expected
        assert "placeOrder 5" in str(stream.error)
    else:
        assert stream.error is None
        assert [notice.code for notice in stream.notices] == [code]


@every_code
@pytest.mark.parametrize("about", [-1, 0, 3, 2**31 - 1])
def test_what_is_about_nothing_open_can_be_seen_and_ends_nothing(about: int, code: int, message: str) -> None:
    session = ready_session()
    notices = Buffer(10)
    session.router.add_notices(notices)
    error(session, about, code, message)
    assert notices.pop() == Notice(about, code, message, None)
    assert session.stats().notices == 1


@every_code
def test_the_echo_of_a_request_that_is_over_is_absorbed(code: int, message: str) -> None:
    session, asked, buffer = opened("MKT_DATA")
    session.leave(asked, buffer)
    error(session, asked.request_id, code, message)
    assert (session.stats().late_frames, session.stats().notices) == (1, 0)


@every_code
def test_an_error_about_another_id_leaves_the_lane_alone(code: int, message: str) -> None:
    query = Query("OPEN_ORDERS")
    error(query.session, 3, code, message)
    assert not query.answer.finished
    assert query.answer_with("after", code, message) is not None
    assert query.answer.result() == query.whole


# --- the table ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (100, "Max rate of messages per second has been exceeded", PacingViolation),
        (162, "Historical Market Data Service error message:Historical data request pacing violation", PacingViolation),
        (162, "Historical Market Data Service error message:HMDS query returned no data: X@SMART Trades", NoData),
        (162, "Historical Market Data Service error message:No market data permissions for ISLAND STK", NoPermission),
        (162, "Historical Market Data Service error message:API historical data query cancelled: 1", RequestError),
        (200, "No security definition has been found for the request", NoSuchContract),
        (
            321,
            "Error validating request.-'bO' : cause - The API interface is currently in Read-Only mode.",
            ReadOnlySession,
        ),
        (321, "Error validating request: Please enter a valid expiration", RequestError),
        (354, "Requested market data is not subscribed.", NoPermission),
        (10197, "No market data during competing live session", CompetingSession),
        (201, "Order rejected - reason:", OrderRejected),
    ],
)
def test_the_family_of_an_error(code: int, message: str, kind: type[RequestError]) -> None:
    rule = rule_for({}, code, message)
    assert (rule.effect, rule.error) == ("error", kind)


@given(st.integers())
def test_a_code_of_no_table_ends_what_it_names_but_for_the_documented_warnings(code: int) -> None:
    rule = rule_for({}, code, "")
    if code not in CODES:
        assert (rule.effect, rule.on_order) == (("notice", "notice") if 2100 <= code < 2200 else ("error", "reject"))


@pytest.mark.parametrize("code", [code for code, rule in CODES.items() if rule.delayed])
def test_what_delayed_data_makes_a_warning(code: int) -> None:
    session, asked, buffer = opened("MKT_DATA")
    session.send(TABLE["MARKET_DATA_TYPE"], {"marketDataType": 3})
    error(session, asked.request_id, code, "Requested market data is not subscribed. Displaying delayed market data.")
    assert buffer.error is None
    assert [notice.code for notice in buffer.notices] == [code]
    session.send(TABLE["MARKET_DATA_TYPE"], {"marketDataType": 1})
    error(session, asked.request_id, code, "Requested market data is not subscribed.")
    assert isinstance(buffer.error, NoPermission)


def test_farms_and_what_is_said_of_them() -> None:
    session = ready_session()
    for code, state in [(2104, "ok"), (2103, "broken"), (2108, "inactive"), (2119, "connecting"), (2157, "broken")]:
        error(session, -1, code, "Market data farm connection is:usfarm")
        assert session.router.farms["usfarm"] == state
    error(session, -1, 2106, "HMDS data farm connection is OK:ushmds")
    assert dict(session.router.farms) == {"usfarm": "broken", "ushmds": "ok"}


def test_a_table_of_the_users_goes_before_ours() -> None:
    mine = {200: NOTICE, 99999: CodeRule(effect="complete"), 2150: CodeRule(error=NoData)}
    assert rule_for(mine, 200, "") is NOTICE
    assert rule_for(mine, 99999, "").effect == "complete"
    assert rule_for(mine, 2150, "").error is NoData
    assert rule_for(mine, 354, "") is CODES[354]
    session = ready_session(codes=mine)
    answer = Answer(lambda: None, single=False)
    asked = session.ask(TABLE["CONTRACT_DETAILS"], {"contract": contract()}, answer, single=False)
    assert isinstance(asked, Line)
    error(session, asked.request_id, 200, "No security definition")
    assert not answer.finished
    error(session, asked.request_id, 99999, "")
    assert answer.result() == []
