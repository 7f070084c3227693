"""What becomes of a frame: delivered, a notice, ``DecodeError`` or ``FrameTooLarge``; anything else is a finding.

The frames come to a session with requests open: a query, a quote, positions, an order, and a query that no frame is
meant for. That one must be answered afterwards, and every other must have been answered or have failed, or still be
open and end with the session: nothing is left pending in silence.

Every fourth batch comes to a second session as well, which decodes with ibapi's own functions: each frame must become
the same there, and everybody must have been told the same.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from tests.peer import protobuf, text
from tests.sessions import arguments, contract, order, ready_session, requests, sent
from tests.stock import same
from trio_ibtws._runtime._fast_ticks import no_tick
from trio_ibtws._runtime._framing import MAX_FRAME, frame
from trio_ibtws._runtime._session import Session
from trio_ibtws._runtime._sinks import Answer, Buffer
from trio_ibtws.errors import DecodeError, FrameTooLarge, IBError

from .mutations import REQUEST_IDS, mutate

__all__ = ["Finding", "Target", "fuzz"]

_TABLE = dict(requests())
_CONTRACT_DATA_END = 52
BATCH = 400
"""Frames to one session."""
_COMPARED = 4
"""One batch in so many is decoded by ibapi's own functions too."""


class Finding(AssertionError):
    """A frame, or a batch of them, that broke the rule."""


class Target:
    """A session in the middle of its work; *stock*: it decodes with ibapi's own functions."""

    def __init__(self, version: int, *, stock: bool = False) -> None:
        self.version = version
        self.session: Session = ready_session(version)
        if stock:
            bridge = self.session._bridge
            bridge._fast, bridge._fast_protobuf = {}, {}
            bridge.tick = no_tick
        self.sinks: list[tuple[Any, Any]] = [
            self._ask("CONTRACT_DETAILS", Answer(lambda: None, single=False)),
            self._ask("MKT_DATA", Buffer(1000)),
            self._ask("HISTORICAL_TICKS", Answer(lambda: None, single=False)),
            self._ask("POSITIONS", Answer(lambda: None, single=False, updated=True)),
        ]
        assert tuple(asked.request_id for asked, _ in self.sinks[:3]) == REQUEST_IDS
        self.bystander, self.bystanders_answer = self._ask("CONTRACT_DETAILS", Answer(lambda: None, single=False))
        self.order = Buffer(100_000)
        self.session.place(_TABLE["PLACE_ORDER"], {"contract": contract(), "order": order()}, self.order)
        sent(self.session)

    def _ask(self, name: str, sink: Any) -> tuple[Any, Any]:
        single = bool(_TABLE[name].single)
        return self.session.ask(_TABLE[name], arguments(_TABLE[name]), sink, single=single), sink

    def outcome(self, body: bytes) -> str:
        """Deliver one frame, and return what became of it."""
        session = self.session
        errors, notices = session.decode_errors, session.router.notices_seen
        session.receive_data(frame(body))
        try:
            whole = session.next_frame()
        except DecodeError as exc:
            if exc.frame != body or session.decode_errors != errors + 1:
                raise Finding(f"another frame's DecodeError: {exc!r}") from exc
            return "DecodeError that ends the connection"
        except Exception as exc:
            raise Finding(f"{exc!r} came out of the session") from exc
        if not whole or session.unread_bytes:
            raise Finding("the frame was not taken")
        if session.decode_errors > errors:
            return "DecodeError of a request"
        return "Notice" if session.router.notices_seen > notices else "delivered"

    def too_large(self, random: Random) -> str:
        """Announce a frame above the limit."""
        self.session.receive_data(random.randrange(MAX_FRAME + 1, 2**32).to_bytes(4, "big"))
        try:
            self.session.next_frame()
        except FrameTooLarge:
            return "FrameTooLarge"
        raise Finding("a frame above the limit was waited for")

    def answer_bystander(self) -> None:
        """Send the end of the answer that no frame was meant for: it is whole."""
        number = self.bystander.request_id
        if self.version > 200:
            end = protobuf(_CONTRACT_DATA_END, "ContractDataEnd", reqId=number)
        else:
            end = text(_CONTRACT_DATA_END, 1, number, version=self.version)
        self.session.receive_data(end)
        while self.session.next_frame():
            pass
        self._settled(self.bystanders_answer)

    def end(self) -> None:
        """End the session: everybody has an answer or an error then, and what was read is of the right kind."""
        self.session.lose("the fuzzer is done")
        for asked, sink in self.sinks:
            self._settled(sink)
            self.session.leave(asked, sink)
        if self.order.error is None:
            raise Finding("the order's stream goes on after the end of the session")
        if self.session.stats().open_requests:
            raise Finding("a request is open after the end of the session")

    def told(self) -> list[Any]:
        """Return what everybody has been told so far."""
        sinks = [*(sink for _, sink in self.sinks), self.order]
        events = [list(sink._events) if isinstance(sink, Buffer) else sink._rows for sink in sinks]
        errors = [type(sink.error if isinstance(sink, Buffer) else sink._error).__name__ for sink in sinks]
        return [events, errors, self.session.stats()]

    def _settled(self, sink: Any) -> None:
        error = sink.error if isinstance(sink, Buffer) else sink._error
        if error is None and not sink.finished:
            raise Finding("a request is pending after its end")
        if error is not None and not isinstance(error, IBError):
            raise Finding(f"a request failed with {error!r}") from error


def fuzz(version: int, bodies: list[bytes], frames: int, random: Random) -> Counter[str]:
    """Deliver so many mutated frames to one session, and return their outcomes. Raises ``Finding``."""
    target = Target(version)
    twin = Target(version, stock=True) if random.randrange(_COMPARED) == 0 else None
    outcomes: Counter[str] = Counter()
    body = b""
    try:
        for _ in range(frames):
            body = mutate(random.choice(bodies), random)
            outcome = target.outcome(body)
            outcomes[outcome] += 1
            if twin is not None and (stock := twin.outcome(body)) != outcome:
                raise Finding(f"{outcome}, with ibapi's own decoder {stock}")
        body = b""
        if twin is not None and not same(target.told(), twin.told()):
            raise Finding("ibapi's own decoder tells somebody something else")
        target.answer_bystander()
        outcomes[target.too_large(random)] += 1
        target.end()
    except Finding as finding:
        raise Finding(f"{finding}; server version {version}, frame {body[:400]!r}") from finding
    return outcomes
