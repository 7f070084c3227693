"""Lanes: whatever callers, the writer, TWS and time do in whatever order, no answer goes to another's caller."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.sessions import Clock
from trio_ibtws import LocalError, Notice, Request, RequestError
from trio_ibtws._runtime._lanes import CLOCK_LOST_SECONDS, CLOCK_SECONDS, DRAIN_SECONDS, LaneBusy, Lanes, Ticket
from trio_ibtws._runtime._outbox import Outbox


class Kind:
    """One id-less request of TWS."""

    def __init__(self, method: str, lane: Hashable, argument: str = "", **flags: bool) -> None:
        self.single = flags.pop("single", False)
        self.request: Request[Any] = Request(method=method, key=str(lane), **flags)  # type: ignore[arg-type]
        self.lane = lane
        self.frame = f"{method} {argument}".encode()
        self.lasts = self.request.lasting or self.request.endless
        self.cancel = f"cancel {method}".encode() if self.lasts else None
        self.clock = method.startswith("reqCurrentTime")

    def ticket(self) -> Ticket:
        return Ticket(self.request, self.lane, self.frame, self.cancel, single=self.single)


OPEN_ORDERS = Kind("reqOpenOrders", "openOrderEnd")
ALL_OPEN_ORDERS = Kind("reqAllOpenOrders", "openOrderEnd")
COMPLETED_ORDERS = Kind("reqCompletedOrders", "completedOrdersEnd")
RULE_26 = Kind("reqMarketRule", ("marketRule", 26), "26", single=True)
RULE_27 = Kind("reqMarketRule", ("marketRule", 27), "27", single=True)
POSITIONS = Kind("reqPositions", "positionEnd", lasting=True)
ACCOUNT_1 = Kind("reqAccountUpdates", "accountDownloadEnd", "DU1", lasting=True)
ACCOUNT_2 = Kind("reqAccountUpdates", "accountDownloadEnd", "DU2", lasting=True)
BULLETINS = Kind("reqNewsBulletins", "updateNewsBulletin", "all", endless=True)
NEW_BULLETINS = Kind("reqNewsBulletins", "updateNewsBulletin", "new", endless=True)
TIME = Kind("reqCurrentTime", "currentTime", single=True)
MILLIS = Kind("reqCurrentTimeInMillis", "currentTimeInMillis", single=True)

KINDS = [
    OPEN_ORDERS,
    ALL_OPEN_ORDERS,
    COMPLETED_ORDERS,
    RULE_26,
    RULE_27,
    POSITIONS,
    ACCOUNT_1,
    ACCOUNT_2,
    BULLETINS,
    NEW_BULLETINS,
    TIME,
    MILLIS,
]
BY_FRAME = {kind.frame: kind for kind in KINDS}
BY_CANCEL = {kind.cancel: kind.lane for kind in KINDS if kind.cancel}


class Caller:
    """A sink that remembers what it was given."""

    def __init__(self, kind: Kind, *, stream: bool = False) -> None:
        self.kind = kind
        self.stream = stream
        self.ticket: Ticket | None = None
        self.rows: list[Any] = []
        self.ends = 0
        self.error: Exception | None = None
        self.finished = False
        self.left = False
        self.asked_by: Sent | None = None

    def item(self, event: Any) -> None:
        assert not self.left
        if not self.done:
            self.rows.append(event)
            self.finished = self.kind.single and not self.stream

    def items(self, events: Iterable[Any], done: bool) -> None:
        self.rows += events
        self.finished = done

    def end(self, value: Any = None) -> None:
        assert not self.left
        self.ends += 1
        self.finished = not self.stream

    def fail(self, error: Exception) -> None:
        assert not self.done
        self.error = error

    def complete(self, notice: Notice) -> None:
        raise AssertionError

    def notice(self, notice: Notice) -> None:
        raise AssertionError

    @property
    def done(self) -> bool:
        return self.finished or self.error is not None

    @property
    def waiting(self) -> bool:
        """Whether it wants something, and no frame was sent for it."""
        return not (self.left or self.done) and self.asked_by is None

    @property
    def live(self) -> bool:
        return not self.left and not self.done


class Sent:
    """A request that TWS has, and has not finished answering."""

    def __init__(self, kind: Kind, number: int, now: float) -> None:
        self.kind = kind
        self.number = number
        self.written_at = now
        self.abandoned_at: float | None = None
        self.refused_at: float | None = None


class World:
    """Lanes, a writer, and a TWS that answers one request after another."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.outbox = Outbox(lambda: None)
        self.lanes = Lanes(self.outbox, self.clock, lambda: None)
        self.callers: list[Caller] = []
        self.pending: list[Sent] = []
        self.lines: dict[Hashable, bytes] = {}
        self.cancels: list[Hashable] = []
        self.written: list[bytes] = []
        self.clock_written: list[float] = []

    # --- callers

    def join(self, kind: Kind, *, stream: bool = False) -> Caller:
        caller = Caller(kind, stream=stream)
        caller.ticket = self.lanes.join(kind.ticket(), caller)
        if kind.clock:
            caller.asked_by = next((sent for sent in self.pending if sent.kind is kind), None)
            if caller.asked_by is not None:
                caller.asked_by.abandoned_at = None
        if kind.request.endless:
            on_the_line = (other.asked_by for other in self.callers if other.live and other.kind is kind)
            caller.asked_by = next(on_the_line, None)
        self.callers.append(caller)
        return caller

    def leave(self, caller: Caller) -> None:
        assert caller.ticket is not None
        caller.left = True
        self.lanes.leave(caller.ticket, caller)
        sent = caller.asked_by
        if sent in self.pending and not self.listeners(sent) and sent.abandoned_at is None:
            sent.abandoned_at = self.clock.now

    def listeners(self, sent: Sent | None) -> list[Caller]:
        return [caller for caller in self.callers if caller.asked_by is sent and caller.live]

    # --- the writer

    def write(self) -> bytes | None:
        waiting = [caller for caller in self.callers if caller.waiting or self._lost(caller)]
        entry = self.outbox.take()
        if entry is None:
            return None
        self.written.append(entry.data)
        if entry.data in BY_CANCEL:
            self._cancelled(BY_CANCEL[entry.data])
        else:
            self._asked(BY_FRAME[entry.data], waiting)
        return entry.data

    def _lost(self, caller: Caller) -> bool:
        return caller.live and caller.kind.clock and caller.asked_by not in self.pending

    def _cancelled(self, lane: Hashable) -> None:
        self.cancels.append(lane)
        assert lane in self.lines, "cancelled twice, or before it was there"
        assert not any(sent.kind.lane == lane for sent in self.pending), "cancelled before the end marker under way"
        del self.lines[lane]

    def _asked(self, kind: Kind, waiting: list[Caller]) -> None:
        sent = Sent(kind, len(self.written), self.clock.now)
        for caller in waiting:
            if caller.kind is kind:
                caller.asked_by = sent
        if kind.clock:
            self.clock_written.append(self.clock.now)
        if kind.lasts:
            self.lines[kind.lane] = kind.frame
        if not kind.request.endless:
            assert not self.pending, "two in flight"
            self.pending.append(sent)

    # --- TWS

    def row(self) -> None:
        """Send one row of the answer; of a single value it is the whole answer."""
        sent = self.pending[0]
        listening = self.listeners(sent)
        before = [len(caller.rows) for caller in listening]
        if sent.kind.single:
            self.pending.pop(0)
        assert self.lanes.item(sent.kind.lane, sent.number)
        assert [len(caller.rows) - count for caller, count in zip(listening, before, strict=True)] == [1] * len(before)

    def end(self) -> None:
        sent = self.pending.pop(0)
        listening = self.listeners(sent)
        others = [caller for caller in self.callers if caller not in listening]
        before = [caller.ends for caller in listening], [caller.ends for caller in others]
        assert self.lanes.end(sent.kind.lane)
        assert [caller.ends - count for caller, count in zip(listening, before[0], strict=True)] == [1] * len(listening)
        assert [caller.ends for caller in others] == before[1], "an end marker went to another's caller"

    def refuse_and_answer_later(self) -> None:
        """Send an error without an id, and go on with the answer all the same."""
        sent = self.pending[0]
        listening = self.listeners(sent)
        assert self.lanes.fail(lambda method: RequestError(100, "too fast", request=method), held=True)
        assert all(isinstance(caller.error, RequestError) for caller in listening)
        sent.abandoned_at = sent.refused_at = self.clock.now

    def refuse(self) -> None:
        sent = self.pending[0]
        listening = self.listeners(sent)
        self._dropped(sent)
        assert self.lanes.fail(lambda method: RequestError(321, "read-only", request=method))
        assert all(isinstance(caller.error, RequestError) for caller in listening)

    def _dropped(self, sent: Sent) -> None:
        self.pending.remove(sent)
        had_line = any(caller.stream and caller.live and caller.asked_by is not sent and caller.ends
                       for caller in self.callers if caller.kind.lane == sent.kind.lane)  # fmt: skip
        if sent.kind.lasts and not had_line and not self._line_of_lanes(sent.kind.lane):
            self.lines.pop(sent.kind.lane, None)

    def _line_of_lanes(self, lane: Hashable) -> bool:
        """Whether an earlier request made the line, whose cancel is still to come."""
        return lane in self.lanes._lasting

    def advance(self, seconds: float) -> None:
        self.clock.now += seconds
        # A clock that was not answered for so long never will be.
        self.pending = [
            sent
            for sent in self.pending
            if not (sent.kind.clock and self.clock.now >= sent.written_at + CLOCK_LOST_SECONDS)
        ]
        # What TWS refused and has not answered for so long, it dropped.
        for sent in list(self.pending):
            if sent.refused_at is not None and self.clock.now >= sent.refused_at + DRAIN_SECONDS:
                self._dropped(sent)
        self.lanes.tick()
        assert self.lanes.next_deadline() > self.clock.now, "a deadline that tick() does not clear is a busy loop"

    @property
    def stuck(self) -> bool:
        return any(
            sent.abandoned_at is not None and self.clock.now >= sent.abandoned_at + DRAIN_SECONDS
            for sent in self.pending
        )


class LanesMachine(RuleBasedStateMachine):
    """Callers, the writer, TWS and time take turns as Hypothesis likes."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @rule(kind=st.sampled_from(KINDS), stream=st.booleans())
    def join(self, kind: Kind, stream: bool) -> None:
        world = self.world
        stream = kind.request.endless or (stream and kind.lasts)
        others = [
            caller
            for caller in world.callers
            if caller.live and caller.kind.lane == kind.lane and caller.kind is not kind
        ]
        if kind.lasts and others:
            with pytest.raises(LaneBusy):
                world.join(kind, stream=stream)
        elif world.stuck:
            with pytest.raises(LocalError, match="Nothing was sent"):
                world.join(kind, stream=stream)
        else:
            world.join(kind, stream=stream)

    @precondition(lambda self: any(not caller.left for caller in self.world.callers))
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        here = [caller for caller in self.world.callers if not caller.left]
        caller = data.draw(st.sampled_from(here))
        self.world.leave(caller)
        before = len(self.world.outbox)
        assert caller.ticket is not None
        self.world.lanes.leave(caller.ticket, caller)  # idempotent
        assert len(self.world.outbox) == before

    @rule()
    def write(self) -> None:
        self.world.write()

    @precondition(lambda self: self.world.pending)
    @rule()
    def row(self) -> None:
        self.world.row()

    @precondition(lambda self: self.world.pending and not self.world.pending[0].kind.single)
    @rule()
    def end(self) -> None:
        self.world.end()

    @precondition(lambda self: self.world.pending)
    @rule()
    def refuse(self) -> None:
        self.world.refuse()

    @precondition(lambda self: self.world.pending and self.world.listeners(self.world.pending[0]))
    @rule()
    def refuse_and_answer_later(self) -> None:
        self.world.refuse_and_answer_later()

    @precondition(lambda self: self.world.lines)
    @rule(data=st.data())
    def update(self, data: st.DataObject) -> None:
        """A line that is open brings an event for all who have it."""
        lane = data.draw(st.sampled_from(sorted(map(str, self.world.lines))))
        on_it = [
            caller
            for caller in self.world.callers
            if caller.stream and caller.live and caller.kind.lane == lane and caller.asked_by is not None
        ]
        before = [len(caller.rows) for caller in on_it]
        self.world.lanes.item(lane, "update")
        assert all(len(caller.rows) > count for caller, count in zip(on_it, before, strict=True))

    @rule(lane=st.sampled_from(["openOrderEnd", "nextValidId", "currentTime", ("marketRule", 26)]))
    def unasked(self, lane: Hashable) -> None:
        """What TWS says of itself answers nobody whose request is not on its way."""
        if not any(sent.kind.lane == lane for sent in self.world.pending):
            assert not self.world.lanes.item(lane, "unasked")

    @rule(seconds=st.sampled_from([0.5, 2.0, CLOCK_SECONDS, DRAIN_SECONDS]))
    def time_passes(self, seconds: float) -> None:
        self.world.advance(seconds)
        if self.world.stuck:
            assert not any(caller.waiting for caller in self.world.callers)
        for caller in self.world.callers:
            if isinstance(caller.error, LocalError):
                assert "could be taken for yours" in str(caller.error)

    def remembered(self, caller: Caller, row: int) -> bool:
        """Whether the open line of account updates may have kept *row*, from when the same was asked before."""
        return caller.kind in (ACCOUNT_1, ACCOUNT_2) and self.world.written[row - 1] == caller.kind.frame

    @invariant()
    def rows_are_of_a_request_that_was_written_for_the_caller(self) -> None:
        for caller in self.world.callers:
            for row in caller.rows:
                asked = caller.asked_by is not None and row != "update" and row >= caller.asked_by.number
                assert row == "update" or caller.stream or asked or self.remembered(caller, row)
            assert "unasked" not in caller.rows

    @invariant()
    def clocks_are_asked_for_with_time_in_between(self) -> None:
        times = self.world.clock_written
        assert all(later - earlier >= CLOCK_SECONDS for earlier, later in pairwise(times))

    def teardown(self) -> None:
        """Let the writer write, TWS answer and time pass: everybody has his answer, and nothing is left over."""
        world = self.world
        for _ in range(100):
            if world.write() is None:
                if world.pending:
                    (world.row if world.pending[0].kind.single else world.end)()
                elif world.lanes.free:
                    break
                else:
                    world.advance(CLOCK_SECONDS)
        assert world.lanes.free
        assert not any(caller.live and not caller.stream for caller in world.callers)
        users = {caller.kind.lane for caller in world.callers if caller.stream and caller.live}
        assert set(world.lines) == users
        assert len(world.lanes) == len(users)
        for caller in world.callers:
            if not caller.left:
                world.leave(caller)
        while world.write() is not None:
            pass
        assert world.lines == {}
        assert len(world.lanes) == 0


TestLanes = LanesMachine.TestCase
TestLanes.settings = settings(deadline=None, max_examples=150, stateful_step_count=40)


# --- the rules one by one ----------------------------------------------------------------------------------------


def test_callers_who_ask_before_it_is_written_share_one_frame_and_later_ones_queue() -> None:
    world = World()
    first, second = world.join(OPEN_ORDERS), world.join(OPEN_ORDERS)
    assert world.write() == OPEN_ORDERS.frame
    third = world.join(OPEN_ORDERS)
    world.row()
    world.end()
    assert (first.rows, second.rows, third.rows) == ([1], [1], [])
    assert (first.finished, second.finished, third.finished) == (True, True, False)
    world.write()
    world.end()
    assert third.finished
    assert world.written == [OPEN_ORDERS.frame] * 2


def test_requests_that_share_an_end_marker_are_told_apart_by_their_turn() -> None:
    world = World()
    ours, everyones = world.join(OPEN_ORDERS), world.join(ALL_OPEN_ORDERS)
    world.write()
    assert world.write() is None
    world.end()
    assert (ours.finished, everyones.finished) == (True, False)
    assert world.write() == ALL_OPEN_ORDERS.frame


def test_an_abandoned_answer_drains_and_is_nobody_elses() -> None:
    world = World()
    leaver = world.join(OPEN_ORDERS)
    world.write()
    world.leave(leaver)
    other = world.join(OPEN_ORDERS)
    assert world.write() is None
    world.row()
    world.end()
    assert (other.rows, other.finished) == ([], False)
    assert world.write() == OPEN_ORDERS.frame


def test_a_drain_that_does_not_end_fails_those_behind_it_until_it_does() -> None:
    world = World()
    leaver = world.join(OPEN_ORDERS)
    world.write()
    world.leave(leaver)
    behind = world.join(COMPLETED_ORDERS)
    assert world.lanes.next_deadline() == world.clock.now + DRAIN_SECONDS
    world.advance(DRAIN_SECONDS)
    assert isinstance(behind.error, LocalError)
    with pytest.raises(LocalError, match="reqOpenOrders was asked and given up"):
        world.join(COMPLETED_ORDERS)
    world.end()
    world.join(COMPLETED_ORDERS)
    assert world.write() == COMPLETED_ORDERS.frame


def test_a_request_that_was_one_too_many_holds_the_others_up_for_so_long_only() -> None:
    """It used to be the end of all requests without an id, for as long as the connection was there."""
    world = World()
    refused = world.join(OPEN_ORDERS)
    world.write()
    world.refuse_and_answer_later()
    assert isinstance(refused.error, RequestError)
    behind = world.join(COMPLETED_ORDERS)
    assert world.write() is None
    world.advance(DRAIN_SECONDS)
    assert world.write() == COMPLETED_ORDERS.frame
    world.end()
    assert behind.finished


def test_and_whoever_comes_later_is_served() -> None:
    world = World()
    world.join(OPEN_ORDERS)
    world.write()
    world.refuse_and_answer_later()
    world.pending.clear()
    world.clock.now += DRAIN_SECONDS
    caller = world.join(OPEN_ORDERS)
    assert world.write() == OPEN_ORDERS.frame
    world.end()
    assert caller.finished


def test_clocks_are_spaced_and_a_lost_one_is_asked_for_again() -> None:
    world = World()
    caller = world.join(TIME)
    world.write()
    other = world.join(MILLIS)
    world.pending.clear()  # TWS answers neither
    world.advance(CLOCK_LOST_SECONDS)
    assert world.write() == TIME.frame
    world.row()
    assert caller.finished
    assert world.write() is None
    assert world.lanes.next_deadline() == world.clock.now + CLOCK_SECONDS
    world.advance(CLOCK_SECONDS)
    assert world.write() == MILLIS.frame
    world.row()
    assert other.finished


def test_a_clock_that_somebody_joined_again_is_given_up_no_more() -> None:
    """Those behind it wait for as long as he does, and are not told that nobody wants the answer."""
    world = World()
    leaver = world.join(TIME)
    world.write()
    world.leave(leaver)
    world.advance(CLOCK_SECONDS)
    caller = world.join(TIME)
    world.pending.clear()  # the answer is lost
    world.advance(CLOCK_LOST_SECONDS - CLOCK_SECONDS)
    assert world.write() == TIME.frame
    world.advance(DRAIN_SECONDS - CLOCK_LOST_SECONDS + 1)
    behind = world.join(COMPLETED_ORDERS)
    world.row()
    assert caller.finished
    assert world.write() == COMPLETED_ORDERS.frame
    assert behind.error is None


def test_a_waiting_clock_holds_nobody_up() -> None:
    world = World()
    world.join(TIME)
    world.write()
    world.row()
    world.join(TIME)
    orders = world.join(OPEN_ORDERS)
    assert world.write() == OPEN_ORDERS.frame
    world.end()
    assert orders.finished


def test_a_line_is_kept_for_its_streams_and_cancelled_by_the_last_one() -> None:
    world = World()
    streams = [world.join(POSITIONS, stream=True), world.join(POSITIONS, stream=True)]
    query = world.join(POSITIONS)
    world.write()
    world.end()
    assert query.finished
    world.leave(query)
    world.leave(streams[0])
    assert world.write() is None
    world.leave(streams[1])
    assert world.write() == POSITIONS.cancel


def test_a_line_is_not_cancelled_before_the_end_marker_under_way() -> None:
    world = World()
    stream = world.join(POSITIONS, stream=True)
    world.write()
    world.leave(stream)
    assert world.write() is None
    world.end()
    assert world.write() == POSITIONS.cancel


def test_a_line_with_other_arguments_is_busy() -> None:
    world = World()
    world.join(ACCOUNT_1, stream=True)
    with pytest.raises(LaneBusy):
        world.join(ACCOUNT_2)
    world.write()
    world.end()
    with pytest.raises(LaneBusy):
        world.join(ACCOUNT_2)


def test_a_session_that_ended_fails_everybody_once() -> None:
    world = World()
    callers = [world.join(kind) for kind in (OPEN_ORDERS, COMPLETED_ORDERS, TIME)]
    callers.append(world.join(POSITIONS, stream=True))
    world.lanes.fail_all(lambda: LocalError("lost"))
    assert all(isinstance(caller.error, LocalError) for caller in callers)
    world.lanes.fail_all(lambda: LocalError("again"))
    for caller in callers:
        world.leave(caller)
    assert len(world.lanes) == 0


def test_an_error_without_an_id_is_about_what_is_in_flight() -> None:
    world = World()
    assert not world.lanes.fail(lambda method: RequestError(321, method))
    first, second = world.join(OPEN_ORDERS), world.join(RULE_26)
    assert not world.lanes.fail(lambda method: RequestError(321, method))  # it has not been written
    world.write()
    assert world.lanes.fail(lambda method: RequestError(321, method))
    assert isinstance(first.error, RequestError)
    assert first.error.message == "reqOpenOrders"
    assert second.error is None
