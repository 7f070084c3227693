"""Lines that several have: who joins one, who gets one of his own, and that nobody ends or falsifies another's."""

from __future__ import annotations

from typing import Any

import pytest
from ibapi.contract import Contract

from tests.peer import text
from tests.sessions import arguments, feed, ready_session, requests, sent
from trio_ibtws import EndOfSnapshot, Lagged, RequestError, SlowConsumer
from trio_ibtws._gen.events import AccountSummary, Position, TickPrice, UpdateAccountTime, UpdateAccountValue
from trio_ibtws._runtime._router import Line
from trio_ibtws._runtime._rows import Memory, identity, newest
from trio_ibtws._runtime._session import Session
from trio_ibtws._runtime._sinks import Answer, Buffer, Overflow
from trio_ibtws.errors import DecodeError

TABLE = dict(requests())


def query(session: Session, name: str, **given: Any) -> tuple[Any, Answer]:
    answer = Answer(lambda: None, single=False, updated=TABLE[name].lasting)
    return session.ask(TABLE[name], arguments(TABLE[name]) | given, answer, single=False), answer


def stream(session: Session, name: str, limit: int = 100, overflow: Overflow = "raise", **given: Any) -> Any:
    buffer = Buffer(limit, overflow, name=name)
    share = bool(given.pop("share", False))
    return session.ask(TABLE[name], arguments(TABLE[name]) | given, buffer, single=False, share=share), buffer


def kinds(session: Session) -> list[bytes]:
    return [frame.split(b"\0")[0] for frame in sent(session)]


def read(buffer: Buffer) -> list[Any]:
    return [buffer.pop() for _ in range(len(buffer))]


def value(key: str, amount: object) -> UpdateAccountValue:
    return UpdateAccountValue(key, str(amount), "USD", "DU1")


def summary(tag: str, amount: object) -> AccountSummary:
    return AccountSummary("DU1", tag, str(amount), "USD")


def position(con_id: int, symbol: str, size: int) -> Position:
    contract = Contract()
    contract.conId, contract.symbol = con_id, symbol
    return Position("DU1", contract, size, 1.0)  # type: ignore[arg-type]


# --- rows --------------------------------------------------------------------------------------------------------


def test_the_newest_row_about_each_thing_stands_where_the_first_did() -> None:
    rows = [position(1, "A", 1), position(0, "B", 2), position(1, "A", 3), position(0, "C", 4), position(0, "B", 5)]
    assert [(row.contract.symbol, row.position) for row in newest(rows)] == [("A", 3), ("B", 5), ("C", 4)]
    assert newest([value("Cash", 1), value("Margin", 2), value("Cash", 3)]) == [value("Cash", 3), value("Margin", 2)]
    assert newest([UpdateAccountTime("10:00"), UpdateAccountTime("10:03")]) == [UpdateAccountTime("10:03")]
    assert newest(["row", "row"]) == ["row", "row"]
    assert identity(value("Cash", 1)) != identity(summary("Cash", 1))


def test_a_memory_of_ticks_goes_by_the_attributes_given() -> None:
    memory = Memory(("tick_type",))
    ticks = [TickPrice(kind, price, None) for kind, price in ((1, 1.0), (2, 2.0), (1, 3.0))]  # type: ignore[arg-type]
    for tick in ticks:
        memory.add(tick)
    assert memory.events() == [ticks[2], ticks[1]]


# --- lines without an id -----------------------------------------------------------------------------------------


def test_positions_asked_for_beside_a_stream_are_the_newest_of_each() -> None:
    session = ready_session()
    _, buffer = stream(session, "POSITIONS_STREAM")
    sent(session)
    session.router.end("positionEnd")
    asked, answer = query(session, "POSITIONS")
    sent(session)
    for row in (position(1, "A", 1), position(2, "B", 2), position(1, "A", 9)):  # the last is an update of the line
        session.router.item("positionEnd", row)
    session.router.end("positionEnd")
    assert [(row.contract.symbol, row.position) for row in answer.result()] == [("A", 9), ("B", 2)]
    session.leave(asked, answer)
    assert kinds(session) == []
    session.router.item("positionEnd", position(1, "A", 10))
    assert read(buffer)[-1].position == 10


@pytest.mark.parametrize("late", ["query", "stream"])
def test_an_end_marker_of_the_line_itself_does_not_make_half_an_answer_of_account_updates(late: str) -> None:
    session = ready_session()
    router, lane = session.router, "accountDownloadEnd"
    stream(session, "ACCOUNT_UPDATES_STREAM")
    sent(session)
    for row in (value("Cash", 1), value("Margin", 2), UpdateAccountTime("10:00")):
        router.item(lane, row)
    router.end(lane)
    asked, sink = (query if late == "query" else stream)(
        session, "ACCOUNT_UPDATES" if late == "query" else "ACCOUNT_UPDATES_STREAM"
    )
    sent(session)
    router.item(lane, value("Cash", 7))  # every three minutes: what has changed, and an end marker
    router.end(lane)
    rows = sink.result() if late == "query" else read(sink)  # type: ignore[arg-type]
    whole = [value("Cash", 7), value("Margin", 2), UpdateAccountTime("10:00")]
    assert rows == (whole if late == "query" else [*whole, EndOfSnapshot()])
    session.leave(asked, sink)
    assert kinds(session) == []


def test_a_line_of_account_updates_that_was_cancelled_is_forgotten() -> None:
    session = ready_session()
    asked, buffer = stream(session, "ACCOUNT_UPDATES_STREAM")
    sent(session)
    session.router.item("accountDownloadEnd", value("Cash", 1))
    session.router.end("accountDownloadEnd")
    session.leave(asked, buffer)
    assert len(sent(session)) == 1
    _, answer = query(session, "ACCOUNT_UPDATES")
    sent(session)
    session.router.item("accountDownloadEnd", value("Margin", 2))
    session.router.end("accountDownloadEnd")
    assert answer.result() == [value("Margin", 2)]


# --- lines with an id that last ----------------------------------------------------------------------------------

LASTING = [
    ("ACCOUNT_SUMMARY", "ACCOUNT_SUMMARY_STREAM", b"62", b"63"),
    ("ACCOUNT_UPDATES_MULTI", "ACCOUNT_UPDATES_MULTI_STREAM", b"76", b"77"),
    ("POSITIONS_MULTI", "POSITIONS_MULTI_STREAM", b"74", b"75"),
]
lasting = pytest.mark.parametrize(("name", "stream_name", "ask", "cancel"), LASTING)


@lasting
def test_streams_of_the_same_line_share_it_and_the_last_one_ends_it(
    name: str, stream_name: str, ask: bytes, cancel: bytes
) -> None:
    session = ready_session()
    line, first = stream(session, stream_name)
    assert kinds(session) == [ask]
    session.router.item(line.request_id, summary("NetLiquidation", 1))
    again, second = stream(session, stream_name)
    assert again is line
    session.router.item(line.request_id, summary("BuyingPower", 2))
    session.router.end(line.request_id)
    third_line, third = stream(session, stream_name)
    assert third_line is line
    session.router.item(line.request_id, summary("BuyingPower", 3))
    snapshot = [summary("NetLiquidation", 1), summary("BuyingPower", 2), EndOfSnapshot()]
    assert read(first) == read(second) == read(third) == [*snapshot, summary("BuyingPower", 3)]
    for buffer in (first, second):
        session.leave(line, buffer)
        assert kinds(session) == []
    session.leave(line, third)
    assert kinds(session) == [cancel]
    assert session.stats().open_requests == 0


@lasting
def test_a_query_beside_a_stream_asks_anew_and_its_cancel_is_its_own(
    name: str, stream_name: str, ask: bytes, cancel: bytes
) -> None:
    session = ready_session()
    line, buffer = stream(session, stream_name)
    sent(session)
    session.router.item(line.request_id, summary("BuyingPower", 1))
    session.router.end(line.request_id)
    asked, answer = query(session, name)
    assert asked is not line
    assert kinds(session) == [ask]
    session.router.item(asked.request_id, summary("BuyingPower", 2))
    session.router.end(asked.request_id)
    assert answer.result() == [summary("BuyingPower", 2)]
    session.leave(asked, answer)
    [frame] = sent(session)
    assert frame.split(b"\0")[0] == cancel
    assert str(asked.request_id).encode() in frame
    session.router.item(line.request_id, summary("BuyingPower", 3))
    assert read(buffer)[-1] == summary("BuyingPower", 3)


@lasting
def test_queries_join_what_is_unwritten_and_else_follow_one_after_the_other(
    name: str, stream_name: str, ask: bytes, cancel: bytes
) -> None:
    session = ready_session()
    first, first_answer = query(session, name)
    joined, joined_answer = query(session, name)
    assert joined is first
    assert kinds(session) == [ask]
    second, second_answer = query(session, name)
    third, third_answer = query(session, name)
    assert second is third is not first
    assert kinds(session) == []
    session.router.item(first.request_id, summary("BuyingPower", 1))
    session.router.end(first.request_id)
    assert first_answer.result() == joined_answer.result() == [summary("BuyingPower", 1)]
    session.leave(first, first_answer)
    assert kinds(session) == []
    session.leave(joined, joined_answer)
    assert kinds(session) == [cancel, ask]  # in this order: TWS has two lines at most
    session.router.end(second.request_id)
    assert second_answer.result() == third_answer.result() == []
    session.leave(second, second_answer)
    session.leave(third, third_answer)
    assert kinds(session) == [cancel]
    assert session.stats().open_requests == 0


def test_a_query_that_follows_goes_when_the_one_before_it_fails_is_given_up_or_was_damaged() -> None:
    for how in ("error", "left", "damaged"):
        session = ready_session()
        first, first_answer = query(session, "ACCOUNT_SUMMARY")
        sent(session)
        second, second_answer = query(session, "ACCOUNT_SUMMARY")
        if how == "error":
            session.router.error(first.request_id, 321, "Error validating request", None, "")
            assert kinds(session) == [b"62"]
        elif how == "damaged":
            assert session.router.fail_owner([first.request_id], lambda: DecodeError("damaged"))
            with pytest.raises(DecodeError):
                first_answer.result()
        session.leave(first, first_answer)
        assert kinds(session) == ([] if how == "error" else [b"63", b"62"])
        session.router.end(second.request_id)
        assert second_answer.result() == []
        session.leave(second, second_answer)
        assert kinds(session) == [b"63"]


def test_a_query_that_follows_and_is_given_up_was_never_sent() -> None:
    session = ready_session()
    first, first_answer = query(session, "ACCOUNT_SUMMARY")
    sent(session)
    second, second_answer = query(session, "ACCOUNT_SUMMARY")
    session.leave(second, second_answer)
    session.router.end(first.request_id)
    session.leave(first, first_answer)
    assert kinds(session) == [b"63"]
    assert session.stats().open_requests == 0


def test_a_stream_that_comes_while_a_query_is_answered_has_the_line_from_then_on() -> None:
    session = ready_session()
    asked, answer = query(session, "ACCOUNT_SUMMARY")
    sent(session)
    session.router.item(asked.request_id, summary("BuyingPower", 1))
    line, buffer = stream(session, "ACCOUNT_SUMMARY_STREAM")
    assert line is asked
    session.router.end(asked.request_id)
    session.leave(asked, answer)
    assert kinds(session) == []
    assert read(buffer) == [summary("BuyingPower", 1), EndOfSnapshot()]
    session.leave(line, buffer)
    assert kinds(session) == [b"63"]


def test_another_group_is_another_line() -> None:
    session = ready_session()
    line, _ = stream(session, "ACCOUNT_SUMMARY_STREAM")
    other, _ = stream(session, "ACCOUNT_SUMMARY_STREAM", groupName="Family")
    assert other is not line
    assert kinds(session) == [b"62", b"62"]


def test_the_end_of_the_session_reaches_who_follows() -> None:
    session = ready_session()
    first, first_answer = query(session, "ACCOUNT_SUMMARY")
    sent(session)
    second, second_answer = query(session, "ACCOUNT_SUMMARY")
    session.lose("gone")
    for asked, answer in ((first, first_answer), (second, second_answer)):
        with pytest.raises(Exception, match="was lost"):
            answer.result()
        session.leave(asked, answer)
    assert kinds(session) == []


# --- share=True --------------------------------------------------------------------------------------------------


def tick(kind: int, price: float) -> TickPrice:
    return TickPrice(kind, price, None)  # type: ignore[arg-type]


def test_who_joins_a_shared_quote_late_has_the_newest_of_each_kind_at_once() -> None:
    session = ready_session()
    line, _ = stream(session, "MKT_DATA", share=True)
    sent(session)
    for each in (tick(1, 1.0), tick(2, 2.0), tick(1, 1.5)):
        session.router.item(line.request_id, each)
    again, late = stream(session, "MKT_DATA", share=True)
    assert again is line
    session.router.item(line.request_id, tick(2, 2.5))
    assert read(late) == [tick(1, 1.5), tick(2, 2.0), tick(2, 2.5)]


@pytest.mark.parametrize("name", ["MKT_DEPTH", "HISTORICAL_DATA_STREAM"])
def test_what_means_nothing_without_its_beginning_is_shared_before_it_is_sent_and_not_later(name: str) -> None:
    session = ready_session()
    line, _ = stream(session, name, share=True)
    assert stream(session, name, share=True)[0] is line
    assert len(sent(session)) == 1
    late, _ = stream(session, name, share=True)
    assert late is not line
    assert len(sent(session)) == 1


def test_everybody_who_shares_has_his_own_policy_and_his_own_end() -> None:
    session = ready_session()
    line, strict = stream(session, "MKT_DATA", 2, share=True)
    _, lossy = stream(session, "MKT_DATA", 2, "drop_oldest", share=True)
    _, roomy = stream(session, "MKT_DATA", 9, share=True)
    sent(session)
    for price in range(4):
        session.router.item(line.request_id, tick(1, price))
    assert isinstance(strict.error, SlowConsumer)
    assert read(lossy) == [Lagged(2), tick(1, 2), tick(1, 3)]
    assert len(read(roomy)) == 4
    session.leave(line, strict)
    session.leave(line, lossy)
    assert sent(session) == []
    session.router.error(line.request_id, 200, "No security definition", None, "")
    assert isinstance(roomy.error, RequestError)
    assert lossy.error is None


def test_a_damaged_frame_is_an_error_of_its_own_for_each_who_shares_the_line() -> None:
    session = ready_session()
    line, one = stream(session, "MKT_DATA", share=True)
    _, other = stream(session, "MKT_DATA", share=True)
    feed(session, text(1, 6, line.request_id, 1, "no price"))
    assert isinstance(one.error, DecodeError)
    assert isinstance(other.error, DecodeError)
    assert one.error is not other.error
    assert one.error.frame == other.error.frame
    assert str(one.error) == str(other.error)
    assert one.error.__cause__ is not None


def test_a_damaged_line_is_joined_by_nobody() -> None:
    session = ready_session()
    line, buffer = stream(session, "MKT_DATA", share=True)
    sent(session)
    assert session.router.fail_owner([line.request_id], lambda: DecodeError("damaged"))
    assert isinstance(buffer.error, DecodeError)
    other, _ = stream(session, "MKT_DATA", share=True)
    assert isinstance(other, Line)
    assert other is not line
