"""The router: which event is whose. Every change to the tables of open requests happens here or in ``_lanes``.

The generated wrapper calls ``item``, ``items`` and ``end`` with a key: a request id of ours, or the lane of an
id-less request. One dictionary lookup finds the line, and its sinks take the event. ``error`` decides by the table
of codes whether a message of TWS ends a request, an order, or nothing.

Request ids start at ``FIRST_REQUEST_ID`` and are used once, so that they are never taken for order ids, and a frame
that comes late finds no line and is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterable, Mapping
from time import time as now
from typing import Any, Protocol

from ..codes import CodeRule, FarmState, rule_for
from ..errors import ClientIdInUse, IBError, OrderRejected, RequestError
from ._events import CommissionAndFeesReport, DepthReset, ExecDetails, Gap, Notice, OpenOrder, OrderBound, OrderStatus
from ._lanes import Lanes
from ._orders import Orders
from ._outbox import Entry
from ._request import Request
from ._rows import Memory
from ._sinks import Sink

__all__ = ["FIRST_REQUEST_ID", "Line", "Router"]

FIRST_REQUEST_ID = 1_500_000_000
LAST_REQUEST_ID = 2**31 - 2

_CLIENT_ID_IN_USE = 326
_LINK_KEPT = 1102
_DELAYED_TYPES = (3, 4)
_MARKET_DATA = frozenset({"reqMktData", "reqTickByTickData", "reqMktDepth", "reqRealTimeBars", "reqHistoricalData"})
"""What TWS loses with its connection to IB, where it is a stream."""
_NEED_THEIR_BEGINNING = frozenset({"reqMktDepth", "reqHistoricalData"})
"""Changes to a book, and the newest bar of a chart, mean nothing to who has not heard what came before."""


class Line:
    """One request with an id, from its frame to its end, and those who listen to it.

    *send* queues its frame, and *entry* is where that is, ``None`` as long as it waits for another line. *cancel* takes
    the frame back, or ends at TWS what it asked for. Both go by the line's id, which changes when it is asked for anew.
    """

    def __init__(
        self, request: Request[Any], request_id: int, send: Callable[[Line], Entry], cancel: Callable[[Line], None]
    ) -> None:
        self.request = request
        self.request_id = request_id
        self.send = send
        self.entry: Entry | None = None
        self.cancel = cancel
        self.sinks: list[Sink] = []
        self.only: Callable[[Any], None] | None = None
        self.shared_as: bytes | None = None
        self.memory: Memory | None = None
        self.complete = False

    def add(self, sink: Sink) -> None:
        """Let *sink* listen."""
        self.sinks.append(sink)
        self._find_only()

    def remove(self, sink: Sink) -> None:
        """The reverse of ``add``."""
        self.sinks.remove(sink)
        self._find_only()

    def _find_only(self) -> None:
        """Note what takes an event where, as nearly always, one stream listens and nothing is to be remembered."""
        alone = len(self.sinks) == 1 and self.sinks[0].stream and self.memory is None
        self.only = self.sinks[0].item if alone else None

    @property
    def written(self) -> bool:
        return self.entry is not None and self.entry.written

    @property
    def answering(self) -> bool:
        """Whether a query waits for it, or it has not come to its end marker yet."""
        return not self.complete or not all(sink.stream for sink in self.sinks)


class NoticeReader(Protocol):
    """Is given every notice of the session."""

    def item(self, event: Any, /) -> None: ...
    def fail(self, error: Exception, /) -> None: ...


class Router:
    """The tables of one connection."""

    def __init__(self, codes: Mapping[int, CodeRule], lanes: Lanes, orders: Orders) -> None:
        self._codes = codes
        self.lanes = lanes
        self.orders = orders
        self._lines: dict[int, Line] = {}
        self._shared: dict[bytes, Line] = {}
        self._answering: dict[bytes, Line] = {}
        self._following: dict[bytes, Line] = {}
        self._next_request_id = FIRST_REQUEST_ID
        self._notice_buffers: list[NoticeReader] = []
        self._lasting_notices: list[Notice] = []
        self.accounts: tuple[str, ...] | None = None
        self.farms: dict[str, FarmState] = {}
        self.market_data_type = 1
        self._link_lost_at: float | None = None
        self.refused: IBError | None = None
        self.notices_seen: int = 0
        self.late_frames: int = 0

    # --- lines come and go

    def __len__(self) -> int:
        """Return how many requests are open."""
        return len(self._lines) + len(self.lanes)

    def new_request_id(self) -> int:
        """Return an id that this connection has not used."""
        request_id = self._next_request_id
        if request_id > LAST_REQUEST_ID:
            raise OverflowError("this connection has used up its request ids; open a new one")
        self._next_request_id += 1
        return request_id

    def open(self, line: Line, sink: Sink, *, shared_as: bytes | None = None) -> None:
        """Send *line*, and deliver what comes for it to *sink* from now on.

        Of the same request that lasts, one is answered at a time: a second one waits until the first has been.
        """
        if shared_as is not None and (line.request.lasting or line.request.conflate is not None):
            line.memory = Memory(None if line.request.lasting else line.request.conflate)
        line.add(sink)
        self._lines[line.request_id] = line
        if shared_as is None:
            line.entry = line.send(line)
            return
        line.shared_as = shared_as
        if line.request.lasting and shared_as in self._answering:
            self._following[shared_as] = line
        else:
            self._start(line, shared_as)

    def _start(self, line: Line, shared_as: bytes) -> None:
        if line.request.lasting:
            self._answering[shared_as] = line
        self._shared[shared_as] = line
        line.entry = line.send(line)

    def join(self, shared_as: bytes, sink: Sink) -> Line | None:
        """Let *sink* listen to an open line of the same request, and return it; ``None`` where there is none.

        A query joins what has not been written: what has may answer from before the caller's last order. A stream
        joins late too and hears the newest about each thing, as far as the line remembers; but never a line that means
        nothing without its beginning.
        """
        line = self._shared.get(shared_as)
        if line is None or (line.written and (not sink.stream or line.request.method in _NEED_THEIR_BEGINNING)):
            line = self._following.get(shared_as)
        if line is None:
            return None
        line.add(sink)
        for event in line.memory.events() if line.memory is not None else ():
            sink.item(event)
        if line.complete:
            sink.end()
        return line

    def _next(self, line: Line) -> None:
        """Send the request that waits for *line* to have been answered, if it has been or is off the tables."""
        key = line.shared_as
        if key is None:
            return
        if self._following.get(key) is line and line.request_id not in self._lines:
            del self._following[key]
        if self._answering.get(key) is line and not (line.request_id in self._lines and line.answering):
            del self._answering[key]
            following = self._following.pop(key, None)
            if following is not None:
                self._start(following, key)

    def leave(self, line: Line, sink: Sink) -> None:
        """Stop listening; the last one ends a line that is still open at TWS."""
        if sink in line.sinks:
            line.remove(sink)
        if not line.sinks and self._close(line):
            line.cancel(line)
        self._next(line)

    def _ended(self, request_id: int) -> bool:
        """Whether a request of ours had this id, and is over."""
        return FIRST_REQUEST_ID <= request_id < self._next_request_id and request_id not in self._lines

    def _close(self, line: Line) -> bool:
        """Take *line* off the tables; return whether it was on them."""
        self._unshare(line)
        self.orders.query_ended(line.request_id)
        return self._lines.pop(line.request_id, None) is not None

    def _unshare(self, line: Line) -> None:
        """Let nobody else join *line*."""
        if line.shared_as is not None and self._shared.get(line.shared_as) is line:
            del self._shared[line.shared_as]

    def add_notices(self, buffer: NoticeReader) -> None:
        """Deliver every notice to *buffer* as well, and first what is so for the whole session."""
        self._notice_buffers.append(buffer)
        for notice in self._lasting_notices:
            buffer.item(notice)

    def remark(self, text: str) -> None:
        """Tell every reader of notices from now on what is so for the whole session."""
        self._lasting_notices.append(Notice(-1, 0, text, None))

    def remove_notices(self, buffer: NoticeReader) -> None:
        """The reverse of ``add_notices``; idempotent."""
        if buffer in self._notice_buffers:
            self._notice_buffers.remove(buffer)

    def fail_all(self, error: Callable[[], Exception]) -> None:
        """Fail everything that is open: the session has ended."""
        lines = list(self._lines.values())
        for table in (self._lines, self._shared, self._answering, self._following):
            table.clear()
        for line in lines:
            for sink in list(line.sinks):
                sink.fail(error())
        self.lanes.fail_all(error)
        self.orders.fail_all(error)
        for buffer in self._notice_buffers:
            buffer.fail(error())

    # --- what the wrapper calls

    def item(self, key: Hashable, event: Any) -> None:
        """Deliver one event."""
        line = self._lines.get(key)  # type: ignore[call-overload]  # a lane is no key of it, and finds nothing
        if line is not None and line.only is not None:
            line.only(event)
            return
        if line is None:
            if key.__class__ is int or not self.lanes.item(key, event):
                self.late_frames += 1
            return
        if line.memory is not None:
            line.memory.add(event)
        finished = False
        for sink in line.sinks:
            sink.item(event)
            finished = sink.finished
        if finished:
            self._done(line)

    def items(self, key: Hashable, events: Iterable[Any], done: bool) -> None:
        """Deliver several events that came in one frame; *done* says that they are the last."""
        line = self._lines.get(key)  # type: ignore[call-overload]
        if line is None:
            if key.__class__ is int or not self.lanes.items(key, events, done):
                self.late_frames += 1
            return
        for sink in line.sinks:
            sink.items(events, done)
        self._done(line)

    def end(self, key: Hashable, value: Any = None) -> None:
        """Deliver an end marker."""
        line = self._lines.get(key)  # type: ignore[call-overload]
        if line is None:
            if key.__class__ is int or not self.lanes.end(key, value):
                self.late_frames += 1
            return
        for sink in line.sinks:
            sink.end(value)
        if line.request.lasting:
            line.complete = True
            self._next(line)
        self._done(line)

    def _done(self, line: Line) -> None:
        """Forget a line whose answer is complete, unless it lasts and has to be cancelled by who leaves it."""
        if not line.request.lasting and line.sinks and all(sink.finished for sink in line.sinks):
            self._close(line)

    def next_valid_id(self, order_id: int) -> None:
        self.orders.next_valid_id(order_id)
        self.lanes.item("nextValidId", order_id)

    def managed_accounts(self, accounts: str) -> None:
        self.accounts = tuple(account for account in accounts.split(",") if account)
        self.lanes.item("managedAccounts", accounts)

    def open_order(self, event: OpenOrder) -> None:
        self.lanes.item("openOrderEnd", event)
        self.orders.open_order(event)

    def order_status(self, event: OrderStatus) -> None:
        self.lanes.item("openOrderEnd", event)
        self.orders.order_status(event)

    def exec_details(self, request_id: int, event: ExecDetails) -> None:
        if request_id in self._lines:
            self.orders.queried(request_id, event)
            self.item(request_id, event)
        elif self._ended(request_id):
            self.late_frames += 1
        else:
            self.orders.exec_details(event)

    def commission(self, report: CommissionAndFeesReport) -> None:
        for request_id in self.orders.commission(report):
            self.item(request_id, report)

    def order_bound(self, event: OrderBound) -> None:
        self.orders.order_bound(event)

    # --- errors and notices

    def error(self, about: int, code: int, message: str, time: int | None, advanced_reject: str) -> None:
        """Take one message of TWS: end what it ends, and make everything else observable."""
        notice = Notice(about, code, message, time)
        line = self._lines.get(about)
        if line is not None:
            self._request_error(line, notice, advanced_reject)
        elif self._ended(about):
            self.late_frames += 1  # the echo of our own cancel, most often
        elif about > 0 and self.orders.known(about):
            self._order_error(notice, advanced_reject)
        else:
            self._session_error(notice, advanced_reject)

    def _rule(self, notice: Notice, context: Container[str]) -> CodeRule:
        return rule_for(self._codes, notice.code, notice.message, context)

    def _request_error(self, line: Line, notice: Notice, advanced_reject: str) -> None:
        rule = self._rule(notice, self._context(line.request, line.sinks))
        if rule.effect == "error":
            if rule.held:
                self._unshare(line)  # it stays open until those who listen leave it, and then it is cancelled
            else:
                self._close(line)
            for sink in list(line.sinks):
                sink.fail(_error(rule, notice, line.request.method, advanced_reject))
            self._next(line)
        elif rule.effect == "complete":
            for sink in list(line.sinks):
                sink.complete(notice)
            self._done(line)
        elif rule.effect == "reset":
            for sink in line.sinks:
                sink.item(DepthReset())
        else:
            for sink in line.sinks:
                sink.notice(notice)
            self._notify(notice)

    def _context(self, request: Request[Any], sinks: Iterable[Sink]) -> set[str]:
        """Return what a message about *request* is about, in the words of ``codes``."""
        context = {request.method, "stream" if any(sink.stream for sink in sinks) else "query"}
        if self.market_data_type in _DELAYED_TYPES:
            context.add("delayed")
        return context

    def _order_error(self, notice: Notice, advanced_reject: str) -> None:
        context = self.orders.context(notice.id)
        rule = self._rule(notice, context)
        if rule.effect != "error":
            self.orders.notice(notice)
        elif "cancel" in context and rule.error is not OrderRejected:
            self.orders.cancel_refused(notice)
        else:
            self.orders.reject(notice, rule.error, advanced_reject)
        self._notify(notice)

    def _session_error(self, notice: Notice, advanced_reject: str) -> None:
        asked = self.lanes.asked
        rule = self._rule(notice, () if asked is None else self._context(asked.request, asked.sinks))
        if rule.effect == "farm" and rule.farm is not None:
            self.farms[_farm_name(notice.message)] = rule.farm
        if notice.code == _CLIENT_ID_IN_USE:
            self.refused = ClientIdInUse(f"TWS code {notice.code}: {notice.message}")
        if rule.effect == "renew":
            self._renew(Gap(notice.message, self._link_lost_at or _seconds(notice), _seconds(notice)))
        elif notice.code == _LINK_KEPT:
            self._link_lost_at = None
        elif rule.effect == "connection" and self._link_lost_at is None:
            self._link_lost_at = _seconds(notice)
        method = rule.ends
        if method is not None:
            self.lanes.lose(method, lambda: _error(rule, notice, method, advanced_reject))
        if (
            rule.effect != "error"
            or notice.id > 0
            or not self.lanes.fail(lambda name: _error(rule, notice, name, advanced_reject), held=rule.held)
        ):
            self._notify(notice)

    def _renew(self, gap: Gap) -> None:
        """Ask anew for the market data lines that TWS has lost, and say in each stream where something is missing.

        A line that TWS kept all the same is cancelled: its old id is over, and what may still come for it is late.
        """
        self._link_lost_at = None
        lost = [line for line in self._lines.values() if line.written and _is_market_data(line)]
        for line in lost:
            line.cancel(line)
            del self._lines[line.request_id]
            line.request_id = self.new_request_id()
            self._lines[line.request_id] = line
            if line.memory is not None:
                line.memory.clear()
            for sink in line.sinks:
                sink.item(gap)
                if line.request.method == "reqMktDepth":
                    sink.item(DepthReset())
            line.entry = line.send(line)

    def unknown_message(self, message_id: int) -> None:
        """A message of a kind that neither ibapi nor the table knows was passed over."""
        self._notify(Notice(-1, 0, f"a message of the unknown type {message_id} was passed over", None))

    def _notify(self, notice: Notice) -> None:
        self.notices_seen += 1
        for buffer in self._notice_buffers:
            buffer.item(notice)

    def fail_owner(self, ids: list[int], error: Callable[[], Exception]) -> bool:
        """Fail the request that a damaged frame belongs to, each who listens with an *error* of his own; return
        whether it could be told.

        TWS knows nothing of it, so that the line stays open until those who listen leave it and it is cancelled.
        """
        for number in ids:
            line = self._lines.get(number)
            if line is not None:
                self._unshare(line)
                for sink in list(line.sinks):
                    sink.fail(error())
                return True
            if self._ended(number):
                self.late_frames += 1
                return True
        return False


def _error(rule: CodeRule, notice: Notice, method: str, advanced_reject: str) -> RequestError:
    return rule.error(notice.code, notice.message, request=method, advanced_reject=advanced_reject, advice=rule.advice)


def _is_market_data(line: Line) -> bool:
    return line.request.method in _MARKET_DATA and bool(line.sinks) and all(sink.stream for sink in line.sinks)


def _seconds(notice: Notice) -> float:
    """Return when TWS said it, or else when it came."""
    return now() if notice.time is None else notice.time / 1000


def _farm_name(message: str) -> str:
    """Return the farm that *message* ends with, after a colon, or after a sentence and its full stop."""
    _, colon, name = message.rpartition(":")
    return (name if colon else message.partition(".")[2]).strip() or message
