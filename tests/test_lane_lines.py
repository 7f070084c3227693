"""Lines without an id that go on after their end marker, in the corners: renewed, lost, or without a cancel message."""

from __future__ import annotations

import pytest

from tests.sessions import Clock
from tests.test_lanes import ACCOUNT_1, POSITIONS, Caller, Kind, World
from trio_ibtws import LocalError, RequestError
from trio_ibtws._gen.events import UpdateAccountValue
from trio_ibtws._runtime._lanes import LaneBusy, Lanes, Ticket
from trio_ibtws._runtime._outbox import Outbox
from trio_ibtws._runtime._rows import newest


def opened(world: World, kind: Kind) -> Caller:
    """Return a stream on a line that has come to its end marker."""
    stream = world.join(kind, stream=True)
    world.write()
    world.end()
    return stream


def lost() -> RequestError:
    return RequestError(2100, "new account data requested")


def test_a_line_that_tws_ended_by_itself_fails_its_streams_and_is_not_cancelled() -> None:
    world = World()
    stream, other = opened(world, ACCOUNT_1), opened(world, POSITIONS)
    world.lanes.lose("reqAccountUpdates", lost)
    assert isinstance(stream.error, RequestError)
    assert other.error is None
    world.leave(stream)
    assert world.write() is None
    assert len(world.lanes) == 1


@pytest.mark.parametrize("written", [False, True])
def test_a_line_that_is_being_renewed_is_not_lost(written: bool) -> None:
    """It is our own second request that ended the first."""
    world = World()
    stream = opened(world, ACCOUNT_1)
    query = world.join(ACCOUNT_1)
    if written:
        world.write()
    world.lanes.lose("reqAccountUpdates", lost)
    assert stream.error is None
    assert query.error is None
    if not written:
        world.write()
    world.end()
    assert query.finished
    world.leave(query)
    world.leave(stream)
    assert world.write() == ACCOUNT_1.cancel


@pytest.mark.parametrize("written", [False, True])
def test_the_last_stream_leaves_while_a_query_is_under_way(written: bool) -> None:
    """The cancel would end the query as well: it waits for the end marker."""
    world = World()
    stream = opened(world, POSITIONS)
    query = world.join(POSITIONS)
    if written:
        world.write()
    world.leave(stream)
    if not written:
        assert world.write() == POSITIONS.frame
    assert world.write() is None
    world.end()
    assert query.finished
    world.leave(query)
    assert world.write() == POSITIONS.cancel
    assert len(world.lanes) == 0


def test_a_line_that_has_no_cancel_message_is_just_left() -> None:
    """The server is older than the message, or the installed release is."""
    outbox = Outbox(lambda: None)
    lanes = Lanes(outbox, Clock(), lambda: None)
    stream = Caller(POSITIONS, stream=True)
    ticket = lanes.join(Ticket(POSITIONS.request, POSITIONS.lane, POSITIONS.frame, None, single=False), stream)
    assert outbox.take() is not None
    assert lanes.end(POSITIONS.lane)
    lanes.leave(ticket, stream)
    assert outbox.take() is None
    assert len(lanes) == 0


def test_the_probe_of_an_idle_connection_is_no_second_request_for_the_clock() -> None:
    """It goes past a lane that is taken, and only when TWS would answer one more."""
    world = World()
    may_ask = [world.lanes.may_ask_clock]
    world.lanes.clock_asked()
    for _ in range(2):
        may_ask.append(world.lanes.may_ask_clock)
        world.clock.now += 10
    may_ask.append(world.lanes.may_ask_clock)
    assert may_ask == [True, False, True, True]


def test_another_line_of_the_same_kind_is_refused_while_one_is_asked_for() -> None:
    world = World()
    first = world.join(ACCOUNT_1, stream=True)
    with pytest.raises(LaneBusy):
        world.join(Kind("reqAccountUpdates", "accountDownloadEnd", "DU9", lasting=True))
    world.lanes.fail_all(lambda: LocalError("over"))
    assert first.error is not None


def test_values_in_two_currencies_are_about_two_things() -> None:
    """A newer one stands for an older one of the same key, currency and account only."""
    rows = [UpdateAccountValue("Cash", value, currency, "DU1") for value, currency in (("1", "USD"), ("2", "EUR"))]
    newer = UpdateAccountValue("Cash", "3", "USD", "DU1")
    assert newest([*rows, newer]) == [newer, rows[1]]
