"""How a request is awaited: one answer, rows, a stream, an order, or nothing at all.

The generated request functions are made of these. The awaits are a checkpoint before anything happens and the wait
for the answer; what lies between is plain calls of ``Session``, so being cancelled is simple to state: before the
request was encoded it did not happen, later ``leave`` takes it back or tells TWS.
"""

from __future__ import annotations

import copy
import threading
from typing import Any, TypeVar

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from ..errors import InvalidRequest
from ._argument_checks import is_count, is_flag
from ._events import Notice, OrderEvent
from ._lanes import LaneBusy
from ._orders import ORDER_BUFFER
from ._request import Request
from ._result import Result
from ._session import Asked, Session
from ._sinks import Answer, Buffer, Conflating, Overflow
from ._streams import EventStream, GroupStream, GroupSubscription, OrderStream, OrderSubscription, Subscription

__all__ = ["Calls"]

T = TypeVar("T")


class Calls:
    """The requests of one session, by their shape."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._home = threading.get_ident()

    def _check_home(self) -> None:
        """Raise ``RuntimeError`` in another thread than the client's, whose event loop would not hear of it."""
        if threading.get_ident() != self._home:
            raise RuntimeError(
                "a client belongs to the event loop in which it was opened, and this is another thread. Come there "
                "with anyio.from_thread, or use trio_ibtws.blocking. Nothing was sent"
            )

    # --- queries

    async def one(self, request: Request[T], *arguments: Any) -> T:
        """Send *request* and return its answer."""
        answer: T = await self._query(request, arguments, single=True)
        return answer

    async def collect(self, request: Request[T], *arguments: Any) -> Result[T]:
        """Send *request* and return the rows that came before its end marker, which is their ``end``."""
        rows: Result[T] = await self._query(request, arguments, single=False)
        return rows

    async def _query(self, request: Request[Any], arguments: tuple[Any, ...], *, single: bool) -> Any:
        await checkpoint_if_cancelled()
        answered = anyio.Event()
        answer = Answer(answered.set, single=single, updated=request.lasting)
        asked = self._ask(request, _named(request, arguments), answer, single=single)
        try:
            await answered.wait()
        finally:
            self._session.leave(asked, answer)
        return answer.result()

    def _ask(
        self, request: Request[Any], arguments: dict[str, Any], sink: Any, *, single: bool = False, share: bool = False
    ) -> Asked:
        self._check_home()
        try:
            return self._session.ask(request, arguments, sink, single=single, share=share)
        except LaneBusy as exc:
            raise anyio.BusyResourceError(
                f"subscribing with {request.method}, which TWS gives a connection once at a time,"
            ) from exc

    # --- streams

    def subscribe(
        self,
        request: Request[T],
        *arguments: Any,
        buffer: int = 1000,
        overflow: Overflow = "raise",
        share: bool = False,
    ) -> Subscription[T]:
        """Return a subscription that sends *request* when it is opened."""
        named = _snapshot(_named(request, arguments))

        def opened() -> EventStream[T]:
            sink = self._buffer(request, buffer, overflow, share)
            asked = self._ask(request, named, sink, share=share)
            return EventStream(sink, lambda: self._session.leave(asked, sink))

        return Subscription(opened, request.method)

    def subscribe_group(
        self,
        request: Request[T],
        update: Request[None],
        *arguments: Any,
        buffer: int = 1000,
        overflow: Overflow = "raise",
        share: bool = False,
    ) -> GroupSubscription[T]:
        """Return a subscription whose stream can change, with *update*, what it shows."""
        named = _snapshot(_named(request, arguments))

        def opened() -> GroupStream[T]:
            sink = self._buffer(request, buffer, overflow, share)
            asked = self._ask(request, named, sink, share=share)

            def change(contract_info: str) -> None:
                self._check_home()
                self._session.send_on(asked, update, _named(update, (contract_info,)))

            return GroupStream(sink, lambda: self._session.leave(asked, sink), change)

        return GroupSubscription(opened, request.method)

    def _buffer(self, request: Request[Any], limit: int, overflow: Overflow, share: bool) -> Buffer:
        if not is_count(limit):
            raise InvalidRequest("buffer", f"{limit!r} events is no buffer; give a number of them. Nothing was sent")
        if not is_flag(share):
            raise InvalidRequest("share", f"{share!r} is neither True nor False. Nothing was sent")
        if overflow == "conflate":
            if request.conflate is None:
                raise InvalidRequest(
                    "overflow",
                    f"'conflate' would lose events of {request.method}; choose 'raise' or 'drop_oldest'",
                )
            return Conflating(limit, request.conflate, name=request.method)
        if overflow not in ("raise", "drop_oldest"):
            raise InvalidRequest("overflow", f"{overflow!r} is none of 'raise', 'drop_oldest' and 'conflate'")
        return Buffer(
            limit,
            overflow,
            name=request.method,
            batches=request.batches,
            dropped=self._dropped,
            crowded=self._session.crowd,
        )

    def _dropped(self, count: int) -> None:
        self._session.events_dropped += count

    def notices(self) -> Subscription[Notice]:
        """Return a subscription to all notices, whatever they are about."""
        session = self._session

        def opened() -> EventStream[Notice]:
            self._check_home()
            session.check()
            sink = Buffer(ORDER_BUFFER, name="notices()", dropped=self._dropped)
            session.router.add_notices(sink)
            return EventStream(sink, lambda: session.router.remove_notices(sink))

        return Subscription(opened, "notices()")

    # --- no answer

    def send(self, request: Request[Any], *arguments: Any) -> None:
        """Send *request*."""
        self._check_home()
        self._session.send(request, _named(request, arguments))

    # --- orders

    def cancel_order(self, request: Request[None], order_id: int, order_cancel: Any) -> None:
        """Send the cancel of an order."""
        self._check_home()
        self._session.send(request, _named(request, (order_id, order_cancel)))

    def place(self, request: Request[Any], *arguments: Any) -> OrderSubscription[OrderEvent]:
        """Return an order that is sent when it is opened."""
        named = _snapshot(_named(request, arguments))
        session = self._session

        def opened() -> OrderStream[OrderEvent]:
            self._check_home()
            sink = Buffer(ORDER_BUFFER, name="place_order()")
            order_id = session.place(request, named, sink)
            return OrderStream(sink, lambda: session.orders.detach(order_id, sink), order_id)

        return OrderSubscription(opened, request.method)

    def order_events(self) -> Subscription[OrderEvent]:
        """Return a subscription to everything about orders since the connection was made."""
        session = self._session
        orders = session.orders

        def opened() -> EventStream[OrderEvent]:
            self._check_home()
            sink = orders.start_reading()
            if sink is None:
                raise anyio.BusyResourceError("reading order_events(), which has one reader at a time,")
            if session.ended is not None:  # a buffer that overflowed was replaced, and nobody else would end this one
                sink.fail(session.ended_error())
            return EventStream(sink, orders.stop_reading)

        return Subscription(opened, "order_events()")


def _named(request: Request[Any], arguments: tuple[Any, ...]) -> dict[str, Any]:
    """Return the arguments by EClient's names, with the flags that choose the function."""
    names = [name for name in request.parameters if name != request.key and name not in request.constants]
    if len(arguments) != len(names):
        raise TypeError(
            f"{request.method} takes {len(names)} arguments ({', '.join(names)}), {len(arguments)} were given"
        )
    return dict(zip(names, arguments, strict=True)) | dict(request.constants)


def _snapshot(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return *arguments* as they are now: the caller may change his contract before it is sent."""
    return {
        name: value if isinstance(value, (str, int, float)) else copy.deepcopy(value)
        for name, value in arguments.items()
    }
