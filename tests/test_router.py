"""The router: ids are used once, lines open and close, and what belongs to nobody is counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.peer import text
from tests.sessions import VERSIONS, arguments, contract, feed, ready_session, requests, sent
from trio_ibtws import ClientIdInUse, ConnectionLost, DecodeError, EndOfSnapshot, NoSuchContract, Notice, SlowConsumer
from trio_ibtws._runtime._router import FIRST_REQUEST_ID, LAST_REQUEST_ID, Line
from trio_ibtws._runtime._session import Session
from trio_ibtws._runtime._sinks import Answer, Buffer

TABLE = dict(requests())


def query(session: Session, name: str = "CONTRACT_DETAILS", *, single: bool = False) -> tuple[Line, Answer]:
    answer = Answer(lambda: None, single=single)
    line = session.ask(TABLE[name], arguments(TABLE[name]), answer, single=single)
    assert isinstance(line, Line)
    return line, answer


def stream(session: Session, name: str = "MKT_DATA", *, limit: int = 100, share: bool = False) -> tuple[Line, Buffer]:
    buffer = Buffer(limit, name=name)
    line = session.ask(TABLE[name], arguments(TABLE[name]), buffer, single=False, share=share)
    assert isinstance(line, Line)
    return line, buffer


def ids(frames: list[bytes]) -> list[bytes]:
    return [frame.split(b"\0")[0] for frame in frames]


# --- ids and lines -----------------------------------------------------------------------------------------------


def test_ids_begin_above_those_of_orders_and_are_used_once() -> None:
    session = ready_session()
    lines = [query(session)[0] for _ in range(5)]
    for line in lines[:3]:
        session.router.end(line.request_id)
    lines += [query(session)[0] for _ in range(5)]
    assert [line.request_id for line in lines] == list(range(FIRST_REQUEST_ID, FIRST_REQUEST_ID + 10))


def test_ids_run_out_loudly() -> None:
    router = ready_session().router
    router._next_request_id = LAST_REQUEST_ID
    assert router.new_request_id() == 2**31 - 2
    with pytest.raises(OverflowError, match="open a new one"):
        router.new_request_id()


def test_a_complete_query_is_off_the_tables_and_needs_no_cancel() -> None:
    session = ready_session()
    line, answer = query(session)
    assert ids(sent(session)) == [b"9"]
    session.router.item(line.request_id, "row")
    session.router.end(line.request_id)
    assert answer.result() == ["row"]
    assert session.stats().open_requests == 0
    session.leave(line, answer)
    session.leave(line, answer)
    assert sent(session) == []


def test_a_query_whose_line_lasts_is_cancelled_when_it_is_left_and_takes_no_updates() -> None:
    session = ready_session()
    line, answer = query(session, "ACCOUNT_SUMMARY")
    assert ids(sent(session)) == [b"62"]
    session.router.item(line.request_id, "row")
    session.router.end(line.request_id)
    session.router.item(line.request_id, "update")
    assert answer.result() == ["row"]
    session.leave(line, answer)
    assert ids(sent(session)) == [b"63"]
    session.leave(line, answer)
    assert sent(session) == []


def test_what_was_not_written_is_taken_back() -> None:
    session = ready_session()
    line, answer = query(session)
    session.leave(line, answer)
    assert sent(session) == []
    assert session.stats().open_requests == 0


def test_leaving_a_stream_that_was_sent_cancels_it_once() -> None:
    session = ready_session()
    line, buffer = stream(session)
    assert ids(sent(session)) == [b"1"]
    session.leave(line, buffer)
    session.leave(line, buffer)
    assert ids(sent(session)) == [b"2"]


def test_a_stream_that_overflowed_is_still_cancelled() -> None:
    session = ready_session()
    line, buffer = stream(session, limit=1)
    sent(session)
    for event in range(3):
        session.router.item(line.request_id, event)
    assert isinstance(buffer.error, SlowConsumer)
    session.leave(line, buffer)
    assert ids(sent(session)) == [b"2"]


def test_late_events_of_every_kind_are_counted() -> None:
    session = ready_session()
    line, buffer = stream(session)
    session.leave(line, buffer)
    router = session.router
    router.item(line.request_id, "event")
    router.items(line.request_id, ["event"], True)
    router.end(line.request_id)
    router.error(line.request_id, 300, "Can't find EId", None, "")
    router.item("openOrderEnd", "event")
    router.items("marketRule", [], True)
    router.end("openOrderEnd")
    assert session.stats().late_frames == 7
    assert len(buffer) == 0


def test_the_start_up_is_told_and_an_answer_to_nobody_is_not_late() -> None:
    session = ready_session(order_id=12)
    assert list(session.router.accounts or ()) == ["DU1"]
    assert session.orders.next_order_id == 12
    session.router.managed_accounts("DU1,,DU2,")
    assert list(session.router.accounts or ()) == ["DU1", "DU2"]
    assert session.stats().late_frames == 0


def test_items_done_and_not_done() -> None:
    session = ready_session()
    line, answer = query(session, "HISTORICAL_TICKS")
    session.router.items(line.request_id, [1, 2], False)
    assert session.stats().open_requests == 1
    session.router.items(line.request_id, [3], True)
    assert (answer.result(), session.stats().open_requests) == ([1, 2, 3], 0)


# --- sharing -----------------------------------------------------------------------------------------------------


def test_a_shared_line_is_one_frame_and_is_cancelled_by_the_last() -> None:
    session = ready_session()
    line, first = stream(session, share=True)
    again, second = stream(session, share=True)
    assert again is line
    alone, _ = stream(session)
    assert alone is not line
    assert ids(sent(session)) == [b"1", b"1"]
    session.router.item(line.request_id, "event")
    assert (first.pop(), second.pop()) == ("event", "event")
    session.leave(line, first)
    assert sent(session) == []
    session.leave(line, second)
    assert ids(sent(session)) == [b"2"]
    fresh, _ = stream(session, share=True)
    assert fresh is not line


def test_who_shares_keeps_his_own_buffer_and_his_own_failure() -> None:
    session = ready_session()
    line, small = stream(session, limit=1, share=True)
    _, large = stream(session, share=True)
    for event in range(3):
        session.router.item(line.request_id, event)
    assert isinstance(small.error, SlowConsumer)
    assert [large.pop() for _ in range(3)] == [0, 1, 2]


def test_another_contract_is_another_line() -> None:
    session = ready_session()
    line, _ = stream(session, share=True)
    other = contract()
    other.symbol = "MSFT"
    given = arguments(TABLE["MKT_DATA"]) | {"contract": other}
    assert session.ask(TABLE["MKT_DATA"], given, Buffer(10), single=False, share=True) is not line


def test_an_error_ends_a_shared_line_for_all_and_for_those_to_come() -> None:
    session = ready_session()
    line, first = stream(session, share=True)
    _, second = stream(session, share=True)
    session.router.error(line.request_id, 200, "No security definition", None, "")
    assert isinstance(first.error, NoSuchContract)
    assert isinstance(second.error, NoSuchContract)
    fresh, _ = stream(session, share=True)
    assert fresh is not line


# --- the end of the session --------------------------------------------------------------------------------------


def test_the_end_fails_everything_once_and_sends_nothing_more() -> None:
    session = ready_session()
    line, answer = query(session)
    other, buffer = stream(session, share=True)
    lane = Answer(lambda: None, single=False)
    ticket = session.ask(TABLE["OPEN_ORDERS"], {}, lane, single=False)
    notices = Buffer(10)
    session.router.add_notices(notices)
    sent(session)
    session.router.item(other.request_id, "event")
    session.lose("pulled the plug", OSError("reset"))
    session.close()
    for failed in (answer, lane):
        with pytest.raises(ConnectionLost, match="pulled the plug") as caught:
            failed.result()
        assert isinstance(caught.value.__cause__, OSError)
    assert buffer.pop() == "event"
    assert isinstance(buffer.error, ConnectionLost)
    assert isinstance(notices.error, ConnectionLost)
    assert buffer.error is not notices.error  # each caller raises his own
    assert session.stats().open_requests == 0
    session.leave(line, answer)
    session.leave(other, buffer)
    session.leave(ticket, lane)
    assert sent(session) == []
    with pytest.raises(ConnectionLost):
        query(session)


def test_a_client_id_in_use_is_told() -> None:
    session = ready_session()
    session.router.error(-1, 326, "Unable to connect as the client id is already in use.", None, "")
    assert isinstance(session.router.refused, ClientIdInUse)


# --- notices -----------------------------------------------------------------------------------------------------


def test_notices_go_to_all_who_listen_while_they_do() -> None:
    session = ready_session()
    first, second = Buffer(10), Buffer(10)
    for buffer in (first, second):
        session.router.add_notices(buffer)
    session.router.error(-1, 2104, "OK:farm", 17, "")
    session.router.remove_notices(first)
    session.router.remove_notices(first)
    session.router.unknown_message(199)
    assert [first.pop()] == [Notice(-1, 2104, "OK:farm", 17)]
    assert len(first) == 0
    assert second.pop().code == 2104
    assert "199" in second.pop().message
    assert session.stats().notices == 2


def test_a_warning_about_a_stream_is_on_the_stream_and_among_the_notices() -> None:
    session = ready_session()
    line, buffer = stream(session)
    notices = Buffer(10)
    session.router.add_notices(notices)
    session.router.error(line.request_id, 10167, "delayed data follow", None, "")
    assert list(buffer.notices) == [notices.pop()]


# --- whose a damaged frame is ------------------------------------------------------------------------------------

TEXT_VERSIONS = [version for version in VERSIONS if version <= 200]


@pytest.mark.parametrize("version", TEXT_VERSIONS)
def test_a_damaged_frame_fails_its_request_which_is_then_cancelled(version: int) -> None:
    session = ready_session(version)
    line, buffer = stream(session)
    other, untouched = stream(session)
    sent(session)
    feed(session, text(1, 6, line.request_id, 1, "no price", "100", 0, version=version))
    assert isinstance(buffer.error, DecodeError)
    assert untouched.error is None
    feed(session, text(2, 6, line.request_id, 5, "100", version=version))  # TWS goes on
    session.leave(line, buffer)
    assert len(sent(session)) == 1
    feed(session, text(1, 6, line.request_id, 1, "no price", "100", 0, version=version))
    stats = session.stats()
    assert (stats.decode_errors, stats.late_frames, stats.open_requests) == (2, 1, 1)
    session.leave(other, untouched)


def test_a_damaged_frame_of_nobody_is_raised() -> None:
    session = ready_session()
    for about in (5, 1_499_999_999, 2**31 - 1):
        with pytest.raises(DecodeError):
            feed(session, text(1, 6, about, 1, "no price", "100", 0))


def test_a_query_with_a_damaged_frame_fails_although_its_end_comes() -> None:
    session = ready_session()
    line, answer = query(session, "TICK_BY_TICK_DATA")
    sent(session)
    assert session.router.fail_owner([1, line.request_id], lambda: DecodeError("damaged"))
    session.router.end(line.request_id)
    with pytest.raises(DecodeError):
        answer.result()
    assert session.stats().open_requests == 0


# --- against a model ---------------------------------------------------------------------------------------------


class RouterMachine(RuleBasedStateMachine):
    """Requests come and go, are answered, refused and cancelled; nothing leaks and TWS knows what we know."""

    def __init__(self) -> None:
        super().__init__()
        self.session = ready_session()
        self.open: list[tuple[Line, Any]] = []
        self.at_tws: dict[int, bool] = {}  # by id: whether it was written
        self.cancelled: list[int] = []

    @rule(name=st.sampled_from(["HISTORICAL_DATA", "ACCOUNT_SUMMARY"]))
    def ask(self, name: str) -> None:
        self.open.append(query(self.session, name))
        self.at_tws.setdefault(self.open[-1][0].request_id, False)

    @rule(share=st.booleans(), name=st.sampled_from(["MKT_DATA", "ACCOUNT_SUMMARY_STREAM"]))
    def subscribe(self, share: bool, name: str) -> None:
        self.open.append(stream(self.session, name, limit=2, share=share))
        self.at_tws.setdefault(self.open[-1][0].request_id, False)

    @rule()
    def write(self) -> None:
        for body in sent(self.session):
            kind, *rest = body.split(b"\0")
            number = next(int(field) for field in rest if field.startswith(b"15000"))
            if kind in (b"2", b"25", b"63"):
                assert self.at_tws[number], "a cancel before its request, or of what is over"
                self.cancelled.append(number)
                del self.at_tws[number]
            else:
                self.at_tws[number] = True

    @precondition(lambda self: self.open)
    @rule(data=st.data(), what=st.sampled_from(["item", "end", "error", "notice", "leave"]))
    def happens(self, data: st.DataObject, what: str) -> None:
        line, sink = data.draw(st.sampled_from(self.open))
        router, number = self.session.router, line.request_id
        if what == "leave":
            self.session.leave(line, sink)
            self.open.remove((line, sink))
            if not self.at_tws.get(number, True) and not any(other is line for other, _ in self.open):
                del self.at_tws[number]
        elif what == "item":
            router.item(number, "event")
        elif what == "notice":
            router.error(number, 2150, "a warning", None, "")
        elif self.at_tws.get(number):
            if what == "end":
                router.end(number)
                if line.request is TABLE["HISTORICAL_DATA"]:
                    del self.at_tws[number]
            else:
                router.error(number, 200, "No security definition", None, "")
                del self.at_tws[number]

    @invariant()
    def the_tables_hold_what_is_open(self) -> None:
        lines = {line.request_id for line, _ in self.open if line.request_id in self.at_tws}
        assert self.session.stats().open_requests == len(lines)
        assert len(self.cancelled) == len(set(self.cancelled))

    @invariant()
    def tws_answers_one_account_summary_at_a_time(self) -> None:
        summaries = {line.request_id: line for line, _ in self.open if line.request.method == "reqAccountSummary"}
        assert len([line for number, line in summaries.items() if self.at_tws.get(number) and line.answering]) <= 1

    def teardown(self) -> None:
        for line, sink in self.open:
            self.write()
            self.session.leave(line, sink)
        self.open.clear()
        self.write()
        self.at_tws = {number: written for number, written in self.at_tws.items() if written}
        assert self.at_tws == {}
        assert self.session.stats().open_requests == 0
        router = self.session.router
        assert (router._shared, router._answering, router._following) == ({}, {}, {})


TestRouter = RouterMachine.TestCase
TestRouter.settings = settings(deadline=None, max_examples=80, stateful_step_count=30)


def test_end_of_snapshot_is_in_band() -> None:
    session = ready_session()
    line, buffer = stream(session, "POSITIONS_MULTI_STREAM")
    session.router.item(line.request_id, "row")
    session.router.end(line.request_id)
    session.router.item(line.request_id, "update")
    assert [buffer.pop() for _ in range(3)] == ["row", EndOfSnapshot(), "update"]


def test_orders_and_their_states_answer_the_query_of_open_orders_and_are_events_too() -> None:
    session = ready_session()
    answer = Answer(lambda: None, single=False)
    session.ask(TABLE["OPEN_ORDERS"], {}, answer, single=False)
    sent(session)
    feed(session, text(3, 5, "Submitted", "0", "1", "0", 9, 0, "0", 7, "", "0"), text(53, 1))
    assert [row.order_id for row in answer.result()] == [5]
    events = session.orders.start_reading()
    assert events is not None
    assert events.pop() == answer.result()[0]


def test_several_rows_at_once_may_answer_a_request_without_an_id() -> None:
    session = ready_session()
    answer = Answer(lambda: None, single=False)
    session.ask(TABLE["OPEN_ORDERS"], {}, answer, single=False)
    sent(session)
    session.router.items("openOrderEnd", ["row 1", "row 2"], True)
    assert answer.result() == ["row 1", "row 2"]
    assert session.router.lanes.free
    assert session.stats().late_frames == 0


def test_a_remark_about_the_whole_session_reaches_who_reads_notices_later() -> None:
    router = ready_session().router
    router.remark("decoded slowly")
    for _ in range(2):
        buffer = Buffer(10)
        router.add_notices(buffer)
        assert buffer.pop() == Notice(-1, 0, "decoded slowly", None)
