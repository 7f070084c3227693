"""TWS lost its market data lines with its connection to IB (1101): they are asked for anew, and each stream says so."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from tests.peer import NEWEST
from tests.script import stock
from tests.sessions import arguments, ready_session, requests, sent
from trio_ibtws import CodeRule, DepthReset, Gap, TickPrice, open_client, open_simulator
from trio_ibtws._runtime._router import Line
from trio_ibtws._runtime._session import Session
from trio_ibtws._runtime._sinks import Answer, Buffer
from trio_ibtws.simulator import Scenario

TABLE = dict(requests())
LOST = "Connectivity between IBKR and Trader Workstation has been lost."
BACK = "Connectivity between IBKR and Trader Workstation has been restored - data lost."
KEPT = "Connectivity between IBKR and Trader Workstation has been restored - data maintained."
SINCE, UNTIL = 1_700_000_000.0, 1_700_000_060.5

MARKET_DATA = ["MKT_DATA", "TICK_BY_TICK_DATA", "MKT_DEPTH", "REAL_TIME_BARS", "HISTORICAL_DATA_STREAM"]


def subscribe(session: Session, name: str, *, share: bool = False) -> tuple[Line, Buffer]:
    buffer = Buffer(100)
    asked = session.ask(TABLE[name], arguments(TABLE[name]), buffer, single=False, share=share)
    assert isinstance(asked, Line)
    return asked, buffer


def lose_and_restore(session: Session, code: int = 1101, message: str = BACK) -> None:
    session.router.error(-1, 1100, LOST, int(SINCE * 1000), "")
    session.router.error(-1, code, message, int(UNTIL * 1000), "")


def events(buffer: Buffer) -> list[Any]:
    return [buffer.pop() for _ in range(len(buffer))]


@pytest.mark.parametrize("name", MARKET_DATA)
def test_a_stream_is_asked_for_anew_under_a_new_id(name: str) -> None:
    session = ready_session(NEWEST)
    line, buffer = subscribe(session, name)
    [asked] = sent(session)
    before = line.request_id
    session.router.item(before, "old")
    lose_and_restore(session)
    cancelled, again = sent(session)
    assert line.request_id != before
    assert str(before).encode() in cancelled or cancelled != asked
    assert len(again) == len(asked)
    assert again != asked
    session.router.item(before, "late")
    session.router.item(line.request_id, "new")
    reset = [DepthReset()] if name == "MKT_DEPTH" else []
    assert events(buffer) == ["old", Gap(BACK, SINCE, UNTIL), *reset, "new"]
    assert session.stats().late_frames == 1


def test_leaving_it_afterwards_cancels_the_new_line_and_only_that() -> None:
    session = ready_session()
    line, buffer = subscribe(session, "MKT_DATA")
    sent(session)
    lose_and_restore(session)
    sent(session)
    session.leave(line, buffer)
    [cancel] = sent(session)
    assert str(line.request_id).encode() in cancel
    assert session.stats().open_requests == 0


def test_what_tws_says_about_the_old_line_is_absorbed_and_about_the_new_one_heard() -> None:
    session = ready_session()
    line, buffer = subscribe(session, "MKT_DATA")
    sent(session)
    before = line.request_id
    lose_and_restore(session)
    session.router.error(before, 300, "Can't find EId with tickerId", None, "")
    assert buffer.error is None
    session.router.error(line.request_id, 354, "Requested market data is not subscribed.", None, "")
    assert buffer.error is not None


def test_all_who_share_a_line_are_told_and_a_late_one_hears_nothing_from_before() -> None:
    session = ready_session()
    line, first = subscribe(session, "MKT_DATA", share=True)
    _, second = subscribe(session, "MKT_DATA", share=True)
    sent(session)
    session.router.item(line.request_id, "old")
    lose_and_restore(session)
    assert len(sent(session)) == 2
    assert events(first) == events(second) == ["old", Gap(BACK, SINCE, UNTIL)]
    _, third = subscribe(session, "MKT_DATA", share=True)
    assert sent(session) == []
    assert events(third) == []


def test_a_line_that_is_still_unwritten_is_sent_once() -> None:
    session = ready_session()
    _, buffer = subscribe(session, "MKT_DATA")
    lose_and_restore(session)
    assert len(sent(session)) == 1
    assert events(buffer) == []


def test_data_that_was_maintained_and_queries_and_accounts_are_left_alone() -> None:
    session = ready_session()
    _, buffer = subscribe(session, "MKT_DATA")
    answer = Answer(lambda: None, single=False)
    session.ask(TABLE["CONTRACT_DETAILS"], arguments(TABLE["CONTRACT_DETAILS"]), answer, single=False)
    subscribe(session, "PNL")
    sent(session)
    lose_and_restore(session, 1102, KEPT)
    assert (sent(session), events(buffer)) == ([], [])
    lose_and_restore(session)
    assert len(sent(session)) == 2
    assert not answer.finished


def test_a_gap_without_the_news_of_the_loss_begins_when_it_ends() -> None:
    session = ready_session()
    _, buffer = subscribe(session, "MKT_DATA")
    sent(session)
    session.router.error(-1, 1101, BACK, int(UNTIL * 1000), "")
    assert events(buffer) == [Gap(BACK, UNTIL, UNTIL)]


def test_an_outage_that_lost_no_data_is_no_part_of_a_later_gap() -> None:
    session = ready_session()
    _, buffer = subscribe(session, "MKT_DATA")
    sent(session)
    hour = 3_600_000
    session.router.error(-1, 1100, LOST, int(SINCE * 1000) - 2 * hour, "")
    session.router.error(-1, 1102, KEPT, int(SINCE * 1000) - hour, "")
    lose_and_restore(session)
    assert events(buffer) == [Gap(BACK, SINCE, UNTIL)]


def test_news_of_kept_data_begins_no_gap() -> None:
    session = ready_session()
    _, buffer = subscribe(session, "MKT_DATA")
    sent(session)
    session.router.error(-1, 1102, KEPT, int(SINCE * 1000), "")
    session.router.error(-1, 1101, BACK, int(UNTIL * 1000), "")
    assert events(buffer) == [Gap(BACK, UNTIL, UNTIL)]


def test_a_rule_of_the_users_may_leave_the_streams_as_they_are() -> None:
    session = ready_session(codes={1101: CodeRule(effect="connection")})
    _, buffer = subscribe(session, "MKT_DATA")
    sent(session)
    lose_and_restore(session)
    assert (sent(session), events(buffer)) == ([], [])


@pytest.mark.anyio
async def test_quotes_go_on_after_the_gap() -> None:
    """The simulator forgets its lines as TWS does, and a stream goes on with what was asked for anew."""
    async with (
        open_simulator(port=None, scenario=Scenario(speed=50.0, reset_at=None)) as sim,
        open_client(stream=await sim.connect()) as client,
        client.mkt_data(stock()) as ticks,
    ):
        with anyio.fail_after(30):
            await ticks.receive()
            sim.faults.lose_link(5.0, data_lost=True)
            while not isinstance(event := await ticks.receive(), Gap):
                assert event is not None
            assert event.reason == BACK
            assert event.since <= (event.until or 0.0)
            while not isinstance(await ticks.receive(), TickPrice):
                pass
        asked = [request.name for request in sim.received if request.name.endswith("MktData")]
        assert asked == ["reqMktData", "cancelMktData", "reqMktData"]
