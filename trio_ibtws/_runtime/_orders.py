"""Order ids, and where the events of orders go.

``openOrder``, ``orderStatus``, ``execDetails``, commission reports and ``orderBound`` are not the answer to one
request: the same callback brings live changes, the orders of an ``open_orders()`` and those of other clients. Each
event goes to ``order_events()``, to the streams of the order if it is ours, and to the query that asked for it.
Nothing is dropped and nothing is merged, because TWS repeats some messages and leaves others out.

A commission report names its execution only. It goes to ``order_events()`` if that execution was live and has not
been reported yet, or if no query under way asked for it; so every live fill gets its report there once, and polling
``executions()`` does not fill the buffer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, Protocol

from ..errors import LocalError, OrderRejected, RequestError, SlowConsumer
from ._events import (
    CommissionAndFeesReport,
    ExecDetails,
    Notice,
    OpenOrder,
    OrderBound,
    OrderEvent,
    OrderStatus,
)
from ._sinks import Buffer

__all__ = ["ORDER_BUFFER", "OrderListener", "Orders", "join_commissions", "join_open_orders"]

ORDER_BUFFER = 100_000
"""How many order events wait unread before ``order_events()`` fails: a day of a busy account, some 100 MB."""

_FIRST_REQUEST_ID = 1_500_000_000

Sent = Literal["order", "change", "cancel", "what-if"]
"""What a frame says about an order."""


class OrderListener(Protocol):
    """Is told of everything about orders, in the order in which TWS says it, before any stream is."""

    def order_event(self, event: OrderEvent) -> None:
        """One of the callbacks of orders came, and was no answer to a query of executions."""

    def order_refused(self, notice: Notice, kind: type[RequestError], advanced_reject: str) -> None:
        """TWS refused what was sent for the order ``notice.id``."""

    def order_cancel_refused(self, notice: Notice) -> None:
        """TWS would not cancel the order ``notice.id``."""

    def order_noticed(self, notice: Notice) -> None:
        """TWS remarked something about the order ``notice.id``."""

    def session_ended(self, error: Callable[[], Exception]) -> None:
        """No more will come; *error* makes the exception that says why."""


class Orders:
    """The orders of one connection."""

    def __init__(self, client_id: int) -> None:
        self._client_id = client_id
        self._ours: set[int] = set()
        self._streams: dict[int, list[Buffer]] = {}
        self._order_of: dict[str, int] = {}
        self._unreported: set[str] = set()
        self._queried: dict[int, set[str]] = {}
        self._events = _event_buffer()
        self._reading = False
        self._listeners: list[OrderListener] = []
        self._at_tws: set[int] = set()
        self._sent_last: dict[int, Sent] = {}
        self._changing: dict[int, Buffer] = {}
        self._above_seen = 1  # 0 says "a new order" in a call, and "about no order" in an error
        self.next_order_id: int | None = None

    # --- ids

    def next_valid_id(self, order_id: int) -> None:
        """TWS says which id may come next; ours never goes back, nor to an id that an order has."""
        self.next_order_id = max(order_id, self.next_order_id or 0, self._above_seen)

    def next_free(self, ahead: int = 0) -> int:
        """Return the id for the next order, or for the one so many after it.

        Raises:
          LocalError: TWS has not said which ids are free, or they have run into the range of our request ids.
        """
        order_id = None if self.next_order_id is None else self.next_order_id + ahead
        if order_id is None or order_id >= _FIRST_REQUEST_ID:
            raise LocalError(
                f"no order id can be used: the next one is {order_id}, and must be below {_FIRST_REQUEST_ID}. Reset "
                "the API order id sequence in TWS's settings"
            )
        return order_id

    def use(self, order_id: int) -> None:
        """*order_id* is an order of ours from here on."""
        self._seen(order_id, self._client_id)

    def sent(self, order_id: int, what: Sent) -> None:
        """The next refusal is about *what*, sent last for this order."""
        self._sent_last[order_id] = what
        self._changing.pop(order_id, None)

    def context(self, order_id: int) -> frozenset[str]:
        """Return what an error about this order may be about, in the words of ``codes``.

        Until TWS has shown the order, an error is about the order itself, whatever was sent after it.
        """
        last = self._sent_last.get(order_id, "order")
        if last == "what-if":
            return frozenset({last})
        return frozenset({"order", last} if order_id in self._at_tws else {"order"})

    def never_below(self, order_id: int) -> None:
        """*order_id* was used before this session: the next one is above it."""
        self._seen(order_id, -1)

    def known(self, order_id: int) -> bool:
        """Whether *order_id* is an order of this client."""
        return order_id in self._ours

    def _seen(self, order_id: int, client_id: int, *, at_tws: bool = False) -> None:
        if client_id == self._client_id and order_id > 0:
            self._ours.add(order_id)
            if at_tws:
                self._at_tws.add(order_id)
        if order_id < _FIRST_REQUEST_ID:
            self._above_seen = max(self._above_seen, order_id + 1)
            if self.next_order_id is not None:
                self.next_order_id = max(self.next_order_id, self._above_seen)

    # --- readers

    @property
    def listeners(self) -> tuple[OrderListener, ...]:
        """Who is told."""
        return tuple(self._listeners)

    def add_listener(self, listener: OrderListener) -> None:
        """Tell *listener* from now on; it must not raise."""
        self._listeners.append(listener)

    def remove_listener(self, listener: OrderListener) -> None:
        """The reverse of ``add_listener``; idempotent."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def attach(self, order_id: int, buffer: Buffer) -> None:
        """Deliver the events of *order_id* to *buffer* as well."""
        self._streams.setdefault(order_id, []).append(buffer)
        self._changing[order_id] = buffer

    def detach(self, order_id: int, buffer: Buffer) -> None:
        """The reverse of ``attach``; idempotent."""
        buffers = self._streams.get(order_id, [])
        if buffer in buffers:
            buffers.remove(buffer)
        if not buffers:
            self._streams.pop(order_id, None)

    def start_reading(self) -> Buffer | None:
        """Return the buffer of all order events for its one reader, or ``None`` while another has it."""
        if self._reading:
            return None
        self._reading = True
        if isinstance(self._events.error, SlowConsumer) and not len(self._events):
            self._events = _event_buffer()
        return self._events

    def stop_reading(self) -> None:
        """The reader is gone; what is unread waits for the next one."""
        self._reading = False

    # --- events

    def open_order(self, event: OpenOrder) -> None:
        self._seen(event.order_id, event.order.clientId, at_tws=True)
        self._publish(event, event.order_id, event.order.clientId)

    def order_status(self, event: OrderStatus) -> None:
        self._seen(event.order_id, event.client_id, at_tws=True)
        self._publish(event, event.order_id, event.client_id)

    def exec_details(self, event: ExecDetails) -> None:
        """A live fill."""
        execution = event.execution
        self._seen(execution.orderId, execution.clientId)
        self._unreported.add(execution.execId)
        if execution.clientId == self._client_id:
            self._order_of[execution.execId] = execution.orderId
        self._publish(event, execution.orderId, execution.clientId)

    def queried(self, request_id: int, event: ExecDetails) -> None:
        """A fill that a query asked for."""
        self._queried.setdefault(request_id, set()).add(event.execution.execId)

    def query_ended(self, request_id: int) -> None:
        """Forget the fills of a query."""
        self._queried.pop(request_id, None)

    def commission(self, report: CommissionAndFeesReport) -> list[int]:
        """Publish a report where it belongs; return the queries that are to have it."""
        exec_id = report.exec_id
        asking = [request_id for request_id, exec_ids in self._queried.items() if exec_id in exec_ids]
        if exec_id in self._unreported or not asking:
            self._unreported.discard(exec_id)
            self._publish(report, self._order_of.pop(exec_id, 0), self._client_id)
        return asking

    def order_bound(self, event: OrderBound) -> None:
        self._seen(event.order_id, event.client_id)
        self._publish(event, event.order_id, event.client_id)

    def reject(self, notice: Notice, kind: type[RequestError], advanced_reject: str) -> None:
        """TWS refused what was sent last for this order; an order that it would have changed lives on.

        A stream that has failed already has had its refusal: the next one is about the order as it was before. The
        streams of an order hear of a refused change as a remark when the stream of the change is there no more.
        """
        for listener in self._listeners:
            listener.order_refused(notice, kind, advanced_reject)
        buffers = [buffer for buffer in self._streams.get(notice.id, ()) if buffer.error is None]
        if "change" in self.context(notice.id):
            self._sent_last[notice.id] = "order"
            changing = self._changing.pop(notice.id, None)
            if changing not in buffers:
                for buffer in buffers:
                    buffer.notice(notice)
                return
        if buffers:
            kind = OrderRejected if kind is RequestError else kind
            buffers[-1].fail(
                kind(notice.code, notice.message, request=f"placeOrder {notice.id}", advanced_reject=advanced_reject)
            )

    def cancel_refused(self, notice: Notice) -> None:
        """TWS would not take a cancel of this order, which lives on; the next refusal is about the order."""
        self._sent_last[notice.id] = "order"
        for listener in self._listeners:
            listener.order_cancel_refused(notice)
        self._remark(notice)

    def taken_back(self, order_id: int, error: LocalError) -> None:
        """What was to be sent for this order never will be."""
        self._sent_last.pop(order_id, None)
        for buffer in self._streams.get(order_id, ()):
            buffer.fail(error)

    def notice(self, notice: Notice) -> None:
        """A remark about an order."""
        for listener in self._listeners:
            listener.order_noticed(notice)
        self._remark(notice)

    def _remark(self, notice: Notice) -> None:
        for buffer in self._streams.get(notice.id, ()):
            buffer.notice(notice)

    def fail_all(self, error: Callable[[], Exception]) -> None:
        """The session has ended; what is unread stays readable."""
        for buffer in [buffer for buffers in self._streams.values() for buffer in buffers]:
            buffer.fail(error())
        self._streams.clear()
        self._events.fail(error())
        for listener in self._listeners:
            listener.session_ended(error)

    def _publish(self, event: OrderEvent, order_id: int, client_id: int) -> None:
        for listener in self._listeners:
            listener.order_event(event)
        self._events.push(event)
        if client_id == self._client_id:
            for buffer in self._streams.get(order_id, ()):
                buffer.push(event)


def _event_buffer() -> Buffer:
    return Buffer(ORDER_BUFFER, name="order_events()")


# --- joined answers ----------------------------------------------------------------------------------------------


def join_open_orders(rows: Iterable[Any]) -> list[OpenOrder]:
    """Return the orders among *rows*, each with the newest status among them."""
    orders: dict[Any, OpenOrder] = {}
    statuses: dict[Any, OrderStatus] = {}
    for row in rows:
        if isinstance(row, OpenOrder):
            orders[_identity(row.order.permId, row.order.clientId, row.order_id)] = row
        elif isinstance(row, OrderStatus):
            statuses[_identity(row.perm_id, row.client_id, row.order_id)] = row
    return [
        OpenOrder(order.order_id, order.contract, order.order, order.order_state, statuses.get(identity))
        for identity, order in orders.items()
    ]


def _identity(perm_id: int, client_id: int, order_id: int) -> Any:
    """TWS's own id of an order, or who made it and under which id: order ids are per client."""
    return perm_id or (client_id, order_id)


def join_commissions(rows: Iterable[Any]) -> list[ExecDetails]:
    """Return the fills among *rows*, each with its commission report if that is among them."""
    events = list(rows)
    reports = {row.exec_id: row for row in events if isinstance(row, CommissionAndFeesReport)}
    return [
        ExecDetails(row.contract, row.execution, reports.get(row.execution.execId))
        for row in events
        if isinstance(row, ExecDetails)
    ]
