"""The table of TWS's codes itself: the family of an error, where the warnings begin, farms, and a user's own rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sessions import arguments, contract, ready_session, requests, sent
from trio_ibtws import CodeRule, EndOfSnapshot, LimitReached, NoData, OrderRejected, PacingViolation, RequestError
from trio_ibtws._runtime._lanes import Ticket
from trio_ibtws._runtime._router import Line
from trio_ibtws._runtime._session import Session
from trio_ibtws._runtime._sinks import Answer, Buffer
from trio_ibtws.codes import CODES, NOTICE, rule_for
from trio_ibtws.errors import CompetingSession, NoPermission, NoSuchContract, ReadOnlySession

TABLE = dict(requests())


def error(session: Session, about: int, code: int, message: str) -> None:
    session.router.error(about, code, message, None, "")


# --- the table ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (100, "Max rate of messages per second has been exceeded", PacingViolation),
        (162, "Historical Market Data Service error message:Historical data request pacing violation", PacingViolation),
        (162, "Historical Market Data Service error message:HMDS query returned no data: X@SMART Trades", NoData),
        (162, "Historical Market Data Service error message:No market data permissions for ISLAND STK", NoPermission),
        (162, "Historical Market Data Service error message:API historical data query cancelled: 1", RequestError),
        (
            162,
            "Historical Market Data Service error message:Trading TWS session is connected from a different IP address",
            CompetingSession,
        ),
        (165, "Historical Market Data Service query message:no items retrieved", NoData),
        (
            420,
            "Invalid Real-time Query:No market data permissions for ISLAND STK. Requested market data requires more",
            NoPermission,
        ),
        (420, "Invalid Real-time Query:Historical data request pacing violation", PacingViolation),
        (10187, "Failed to request historical ticks:No market data permissions for ISLAND STK", NoPermission),
        (10189, "Failed to request tick-by-tick data.No market data permissions for ISLAND STK.", NoPermission),
        (101, "Max number of tickers has been reached", LimitReached),
        (309, "Max number (3) of market depth requests has been reached", LimitReached),
        (322, "Error processing request.-'bO' : cause - Duplicate ticker id", RequestError),
        (322, "Error processing request: Maximum number of account summary requests exceeded", LimitReached),
        (322, "Error processing request: Only 50 simultaneous API historical data requests allowed.", LimitReached),
        (10190, "Max number of tick-by-tick requests has been reached.", LimitReached),
        (430, "The fundamentals data for the security specified is not available.", NoData),
        (10358, "Fundamentals data is not allowed.", NoPermission),
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


@pytest.mark.parametrize(
    ("code", "effect"), [(2000, "error"), (2099, "error"), (2101, "notice"), (2199, "notice"), (2200, "error")]
)
def test_where_the_documented_warnings_begin_and_end(code: int, effect: str) -> None:
    assert code not in CODES
    assert rule_for({}, code, "").effect == effect


@given(st.integers())
def test_a_code_of_no_table_ends_what_it_names_but_for_the_documented_warnings(code: int) -> None:
    rule = rule_for({}, code, "")
    if code not in CODES:
        assert rule.effect == ("notice" if 2100 <= code < 2200 else "error")


@pytest.mark.parametrize(
    ("code", "message", "farm", "state"),
    [
        (2104, "Market data farm connection is OK:usfarm.nj", "usfarm.nj", "ok"),
        (2103, "Market data farm connection is broken:usbond", "usbond", "broken"),
        (2105, "HMDS data farm connection is broken:ushmds", "ushmds", "broken"),
        (2106, "HMDS data farm connection is OK:ushmds", "ushmds", "ok"),
        (
            2107,
            "HMDS data farm connection is inactive but should be available upon demand.ushmds",
            "ushmds",
            "inactive",
        ),
        (
            2108,
            "Market data farm connection is inactive but should be available upon demand.usfarm.nj",
            "usfarm.nj",
            "inactive",
        ),
        (2119, "Market data farm is connecting:usfarm", "usfarm", "connecting"),
        (2157, "Sec-def data farm connection is broken:secdefil", "secdefil", "broken"),
        (2158, "Sec-def data farm connection is OK:secdefil", "secdefil", "ok"),
        (2158, "without a name", "without a name", "ok"),
    ],
)
def test_a_farm_is_known_by_its_name(code: int, message: str, farm: str, state: str) -> None:
    session = ready_session()
    error(session, -1, 2104, f"Market data farm connection is OK:{farm}")
    error(session, -1, code, message)
    assert dict(session.router.farms) == {farm: state}


def test_a_rule_of_the_users_about_farms_without_a_state_leaves_the_farms_alone() -> None:
    session = ready_session(codes={2104: CodeRule(effect="farm")})
    error(session, -1, 2104, "Market data farm connection is OK:usfarm")
    assert dict(session.router.farms) == {}


def test_texts_go_before_contexts_and_may_have_contexts_of_their_own() -> None:
    rule = CodeRule(
        texts={"Pacing": CodeRule(error=PacingViolation, contexts={"stream": NOTICE})},
        contexts={"query": CodeRule(error=NoData), "reqMktData": CodeRule(error=NoPermission)},
    )
    assert rule.refined("a PACING violation", {"query"}).error is PacingViolation
    assert rule.refined("a pacing violation", {"stream"}) is NOTICE
    assert rule.refined("", {"query", "reqMktData"}).error is NoData
    assert rule.refined("", {"reqMktData"}).error is NoPermission
    assert rule.refined("", ()) is rule


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


# --- what names no request, and ends one -------------------------------------------------------------------------

TAKEN_OVER = "New account data requested from TWS.  API client has been unsubscribed from account data."
ECHO = "API client has been unsubscribed from account data."


def account_updates(session: Session) -> tuple[Ticket, Buffer]:
    buffer = Buffer(10)
    request = TABLE["ACCOUNT_UPDATES_STREAM"]
    asked = session.ask(request, arguments(request), buffer, single=False)
    assert isinstance(asked, Ticket)
    sent(session)
    return asked, buffer


def test_account_updates_that_another_request_took_over_fail_rather_than_go_stale() -> None:
    session = ready_session()
    asked, buffer = account_updates(session)
    session.router.end(asked.lane)
    error(session, -1, 2100, ECHO)
    session.router.item(asked.lane, "row")
    assert [buffer.pop(), buffer.pop()] == [EndOfSnapshot(), "row"]
    error(session, -1, 2100, TAKEN_OVER)
    failed = buffer.error
    assert isinstance(failed, RequestError)
    assert (failed.code, failed.request) == (2100, "reqAccountUpdates")
    session.leave(asked, buffer)
    assert sent(session) == []  # TWS has ended the line, there is nothing to cancel
    assert session.stats().open_requests == 0


def test_account_updates_that_are_just_being_asked_for_are_not_what_was_taken_over() -> None:
    session = ready_session()
    asked, buffer = account_updates(session)
    error(session, -1, 2100, TAKEN_OVER)
    session.router.item(asked.lane, "row")
    assert (buffer.error, buffer.pop()) == (None, "row")


def test_a_request_without_an_id_that_came_too_fast_fails_and_its_late_answer_reaches_nobody() -> None:
    session = ready_session()
    request = TABLE["MARKET_RULE"]
    first, second = (Answer(lambda: None, single=True) for _ in range(2))
    asked = session.ask(request, arguments(request), first, single=True)
    assert isinstance(asked, Ticket)
    sent(session)
    error(session, -1, 100, "Max rate of messages per second has been exceeded")
    with pytest.raises(PacingViolation):
        first.result()
    session.leave(asked, first)
    session.ask(request, arguments(request), second, single=True)
    assert sent(session) == []  # it waits for the end of the answer that may come
    session.router.item(asked.lane, "late")
    assert not second.finished
    assert len(sent(session)) == 1
    session.router.item(asked.lane, "its own")
    assert second.result() == "its own"
