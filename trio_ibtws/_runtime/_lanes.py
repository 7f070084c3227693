"""Requests without an id: one in flight a connection, in the order in which they were asked.

Theory of operation. The answer to an id-less request says neither whose it is nor which request it answers; only the
callback that ends it is its own. So a *lane* is named after that callback, and a connection has one such request in
flight: whatever comes for its lane answers it, and an error without an id is about it.

- A caller joins an identical request that has not been written yet. One that has been written may answer from before
  the caller's last order, so that he queues behind it.
- A caller who leaves before it was written takes it back. Later the lane *drains*: it stays taken up to its end
  marker, which would else be the next caller's answer. A drain that has not ended after ``DRAIN_SECONDS`` fails the
  callers behind it rather than lie to them. But one that TWS refused, for being one message too many, it dropped if it
  has not answered by then, and the lane is free.
- Some lines last after the end marker (positions, account updates): their streams move to ``_lasting`` and share the
  line. It is cancelled when its last user has left, and never before the end marker that is under way.
- An open line of account updates brings an end marker of its own every three minutes, after what has changed. It may
  come in place of the one that a later caller waits for. So that line remembers the newest row about each thing, and
  whoever has not got one since he asked gets it from there before his end marker.
- TWS answers only the first of several requests for its clock within about four seconds. Those are sent
  ``CLOCK_SECONDS`` apart, a caller may take an answer that is in flight, and one that got lost is asked for again.

No awaits here: every change of state is a plain call, so no cancellation can come between.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import Any

from ..errors import LocalError, RequestError
from ._outbox import Entry, Outbox
from ._request import Request
from ._rows import Memory
from ._sinks import Sink

__all__ = ["LaneBusy", "Lanes", "Ticket"]

DRAIN_SECONDS = 10.0
CLOCK_SECONDS = 4.5
CLOCK_LOST_SECONDS = 10.0

_CLOCKS = frozenset({"reqCurrentTime", "reqCurrentTimeInMillis"})
_PERIODIC = frozenset({"reqAccountUpdates"})


class LaneBusy(Exception):
    """TWS has one such line a connection, and it is in use with other arguments."""


class Ticket:
    """One id-less request and those who wait for it."""

    def __init__(
        self, request: Request[Any], lane: Hashable, frame: bytes, cancel: bytes | None, *, single: bool
    ) -> None:
        self.request = request
        self.lane = lane
        self.single = single
        self.frame = frame
        self.cancel = cancel
        self.sinks: list[Sink] = []
        self.entry: Entry | None = None
        self.written_at: float = 0.0
        self.abandoned_at: float | None = None
        self.refused = False
        self.memory: Memory | None = Memory() if request.method in _PERIODIC else None

    @property
    def written(self) -> bool:
        return self.entry is not None and self.entry.written

    @property
    def clock(self) -> bool:
        return self.request.method in _CLOCKS


class _Line:
    """A line that goes on after its end marker, and the streams on it."""

    def __init__(self, ticket: Ticket) -> None:
        self.method = ticket.request.method
        self.frame = ticket.frame
        self.cancel = ticket.cancel
        self.memory = Memory() if ticket.memory is not None else None
        self.sinks: list[Sink] = []


class Lanes:
    """All id-less requests of one connection."""

    def __init__(self, outbox: Outbox, now: Callable[[], float], wake: Callable[[], None]) -> None:
        """*wake* is called when ``next_deadline`` may have changed."""
        self._outbox = outbox
        self._now = now
        self._wake = wake
        self._current: Ticket | None = None
        self._waiting: deque[Ticket] = deque()
        self._lasting: dict[Hashable, _Line] = {}
        self._clock_sent_at = float("-inf")

    def __len__(self) -> int:
        """Return how many requests and lines are open, abandoned ones included."""
        return len(self._waiting) + (self._current is not None) + len(self._lasting)

    @property
    def free(self) -> bool:
        """Whether a request would go at once."""
        return self._current is None and not self._waiting

    @property
    def asked(self) -> Ticket | None:
        """The request that TWS is answering."""
        return self._current if self._current is not None and self._current.written else None

    # --- the probe of an idle connection, which goes past a lane that is taken

    @property
    def may_ask_clock(self) -> bool:
        """Whether TWS would answer one more request for its clock."""
        return self._now() >= self._clock_sent_at + CLOCK_SECONDS

    def clock_asked(self) -> None:
        """TWS was asked for its clock past the lane; the answer serves whoever waits for one."""
        self._clock_sent_at = self._now()
        if self._current is not None and self._current.clock and self._current.sinks:
            self._current.written_at = self._clock_sent_at

    # --- callers come and go

    def probe(self, ticket: Ticket) -> None:
        """Ask though nobody waits for the answer; who asks the same for the clock before it comes has it too."""
        self._waiting.append(ticket)
        self._advance()

    def join(self, ticket: Ticket, sink: Sink) -> Ticket:
        """Ask, or join those who have just asked the same; return the ticket to ``leave`` with.

        Raises:
          LaneBusy: the line lasts, and is in use with other arguments.
          LocalError: the lane still drains from an abandoned request, for too long.
        """
        if ticket.request.lasting or ticket.request.endless:
            self._refuse_other(ticket.lane, ticket.frame)
        self._refuse_behind_stuck_drain()
        line = self._lasting.get(ticket.lane)
        if ticket.request.endless and line is not None:
            line.sinks.append(sink)
            return ticket
        asked = self._joinable(ticket.frame)
        if asked is None:
            asked = ticket
            self._waiting.append(ticket)
        asked.sinks.append(sink)
        self._advance()
        return asked

    def leave(self, ticket: Ticket, sink: Sink) -> None:
        """Stop listening; idempotent. Ends at TWS what nobody else uses."""
        if sink in ticket.sinks:
            ticket.sinks.remove(sink)
            if not ticket.sinks:
                self._abandon(ticket)
        line = self._lasting.get(ticket.lane)
        if line is not None and sink in line.sinks:
            line.sinks.remove(sink)
            self._cancel_unused(ticket.lane)

    def _refuse_other(self, lane: Hashable, frame: bytes) -> None:
        line = self._lasting.get(lane)
        tickets = [t for t in (self._current, *self._waiting) if t is not None and t.lane == lane and t.sinks]
        if (line is not None and line.frame != frame) or any(t.frame != frame for t in tickets):
            raise LaneBusy(str(lane))

    def _refuse_behind_stuck_drain(self) -> None:
        current = self._current
        if current is None or current.abandoned_at is None:
            return
        if self._now() >= current.abandoned_at + DRAIN_SECONDS:
            if not current.refused:
                raise self._stuck(current)
            self._drop(current)

    def _stuck(self, ticket: Ticket) -> LocalError:
        return LocalError(
            f"{ticket.request.method} was asked and given up more than {DRAIN_SECONDS:.0f} s ago, and TWS has not "
            "finished answering it: its answer could be taken for yours. Nothing was sent; try again later or reconnect"
        )

    def _joinable(self, frame: bytes) -> Ticket | None:
        for ticket in (*self._waiting, self._current):
            if ticket is not None and ticket.frame == frame and (ticket.clock or not ticket.written):
                ticket.abandoned_at = None
                return ticket
        return None

    def _abandon(self, ticket: Ticket) -> None:
        """Take back what was not written; let the rest drain."""
        if ticket in self._waiting:
            self._waiting.remove(ticket)
        elif ticket is self._current:
            assert ticket.entry is not None
            if self._outbox.remove(ticket.entry):
                self._free()
            else:
                ticket.abandoned_at = self._now()
                self._wake()
        self._cancel_unused(ticket.lane)

    # --- what TWS says

    def item(self, lane: Hashable, event: Any) -> bool:
        """Deliver one event; return whether anybody's line it was."""
        for memory in self._memories(lane):
            memory.add(event)
        return self._each(lane, lambda sink: sink.item(event))

    def items(self, lane: Hashable, events: Iterable[Any], done: bool) -> bool:
        """Deliver several events; *done* says that they are the last of the answer."""
        return self._each(lane, lambda sink: sink.items(events, done))

    def end(self, lane: Hashable, value: Any = None) -> bool:
        """Deliver the end marker; return whether anybody's line it was."""
        ticket = self._in_flight(lane)
        if ticket is None:
            return lane in self._lasting
        missing = self._missing(ticket)
        for sink in list(ticket.sinks):
            for event in missing:
                sink.item(event)
            sink.end(value)
        self._settle(ticket)
        return True

    def _memories(self, lane: Hashable) -> list[Memory]:
        """Return what remembers the rows of *lane*: the line, and the request that it answers."""
        those = (self._lasting.get(lane), self._in_flight(lane))
        return [each.memory for each in those if each is not None and each.memory is not None]

    def _missing(self, ticket: Ticket) -> list[Any]:
        """Return the rows of the line that have not come since *ticket* was written."""
        line = self._lasting.get(ticket.lane)
        if line is None or line.memory is None or ticket.memory is None:
            return []
        return line.memory.without(ticket.memory)

    def fail(self, error: Callable[[str], RequestError], *, held: bool = False) -> bool:
        """Fail the request in flight with an error that names no id; return whether anybody had asked it.

        *held*: TWS may answer it all the same, as the error may be about another message, so that the lane drains.
        """
        ticket = self.asked
        if ticket is None:
            return False
        wanted = bool(ticket.sinks) or ticket.abandoned_at is not None
        sinks, ticket.sinks = ticket.sinks, []
        for sink in sinks:
            sink.fail(error(ticket.request.method))
        if held:
            ticket.refused = True
            self._abandon(ticket)
        else:
            self._drop(ticket)
        return wanted

    def _drop(self, ticket: Ticket) -> None:
        """TWS will not answer the request in flight."""
        self._free()
        self._cancel_unused(ticket.lane)

    def lose(self, method: str, error: Callable[[], Exception]) -> None:
        """TWS ended the line of *method* by itself: fail its streams. One that is being renewed goes on."""
        lost = [lane for lane, line in self._lasting.items() if line.method == method]
        for lane in lost:
            if any(ticket is not None and ticket.lane == lane for ticket in (self._current, *self._waiting)):
                continue
            for sink in self._lasting.pop(lane).sinks:
                sink.fail(error())

    def fail_all(self, error: Callable[[], Exception]) -> None:
        """Fail everything: the session has ended."""
        tickets = [t for t in (self._current, *self._waiting) if t is not None]
        lines = list(self._lasting.values())
        sinks = [sink for ticket in tickets for sink in ticket.sinks] + [sink for line in lines for sink in line.sinks]
        self._current = None
        self._waiting.clear()
        self._lasting.clear()
        for sink in sinks:
            sink.fail(error())

    def _each(self, lane: Hashable, deliver: Callable[[Sink], None]) -> bool:
        line = self._lasting.get(lane)
        if line is not None:
            for sink in list(line.sinks):
                deliver(sink)
        ticket = self._in_flight(lane)
        if ticket is None:
            return line is not None
        for sink in list(ticket.sinks):
            deliver(sink)
        if not ticket.request.lasting and self._answered(ticket):
            self._settle(ticket)
        return True

    def _in_flight(self, lane: Hashable) -> Ticket | None:
        """Return the request that *lane* answers: what comes before it was written answers nothing."""
        ticket = self.asked
        return ticket if ticket is not None and ticket.lane == lane else None

    def _answered(self, ticket: Ticket) -> bool:
        """Whether one item was the whole answer: nobody waits any more, or nobody did and no end marker will come."""
        if ticket.sinks:
            return all(sink.finished for sink in ticket.sinks)
        return ticket.single

    # --- the line moves on

    def _settle(self, ticket: Ticket) -> None:
        """The answer is complete: keep the line for its streams, or cancel it, or be done."""
        if ticket.request.lasting:
            self._line(ticket).sinks += [sink for sink in ticket.sinks if not sink.finished]
        ticket.sinks.clear()
        self._free()
        self._cancel_unused(ticket.lane)

    def _line(self, ticket: Ticket) -> _Line:
        """Return the line that *ticket* opened or renewed."""
        line = self._lasting.setdefault(ticket.lane, _Line(ticket))
        line.frame, line.cancel = ticket.frame, ticket.cancel
        if line.memory is not None and ticket.memory is not None:
            line.memory.update(ticket.memory)
        return line

    def _cancel_unused(self, lane: Hashable) -> None:
        line = self._lasting.get(lane)
        if line is None or line.sinks:
            return
        if any(t is not None and t.lane == lane for t in (self._current, *self._waiting)):
            return  # its end marker will decide
        del self._lasting[lane]
        if line.cancel is not None:
            self._outbox.append(line.cancel)

    def _free(self) -> None:
        self._current = None
        self._advance()

    def _advance(self) -> None:
        """Send the next request that may go."""
        if self._current is not None:
            return
        for ticket in self._waiting:
            if ticket.clock and self._now() < self._clock_sent_at + CLOCK_SECONDS:
                self._wake()
                continue
            self._waiting.remove(ticket)
            self._current = ticket
            self._send(ticket)
            return

    def _send(self, ticket: Ticket) -> None:
        if ticket.clock:
            self._clock_sent_at = self._now()
        ticket.entry = self._outbox.append(ticket.frame, on_written=lambda: self._written(ticket))

    def _written(self, ticket: Ticket) -> None:
        """Start the clock of a lost answer; a line without an end marker holds the lane no longer than this."""
        ticket.written_at = self._now()
        if ticket.clock:
            self._clock_sent_at = ticket.written_at
            self._wake()
        if ticket.request.endless and ticket is self._current:
            self._line(ticket).sinks += ticket.sinks
            ticket.sinks.clear()
            self._free()

    # --- time

    def next_deadline(self) -> float:
        """Return when ``tick`` has something to do."""
        deadlines = [float("inf")]
        current = self._current
        if current is not None and current.abandoned_at is not None and self._waiting:
            deadlines.append(current.abandoned_at + DRAIN_SECONDS)
        if current is not None and current.clock and current.written:
            deadlines.append(current.written_at + CLOCK_LOST_SECONDS)
        if current is None and any(ticket.clock for ticket in self._waiting):
            deadlines.append(self._clock_sent_at + CLOCK_SECONDS)
        return min(deadlines)

    def tick(self) -> None:
        """Do what is due: send what had to wait, ask again for a lost clock, fail those behind a stuck drain."""
        current = self._current
        if current is None:
            self._advance()
        elif current.clock and current.written and self._now() >= current.written_at + CLOCK_LOST_SECONDS:
            if current.sinks:
                self._send(current)
            else:
                self._free()
        elif current.abandoned_at is not None and self._now() >= current.abandoned_at + DRAIN_SECONDS:
            if current.refused:
                self._drop(current)
                return
            waiting, self._waiting = self._waiting, deque()
            for ticket in waiting:
                for sink in ticket.sinks:
                    sink.fail(self._stuck(current))
                self._cancel_unused(ticket.lane)
