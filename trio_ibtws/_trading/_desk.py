"""``Desk``: hears everything about orders, and gives it to the trade that it is about.

It is called by the session in the moment in which TWS's message is decoded, so that a trade is never behind the
streams of the client, and takes nothing from ``order_events()``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Literal

from ibapi.order import Order

from .._runtime._events import (
    CommissionAndFeesReport,
    ExecDetails,
    Notice,
    OpenOrder,
    OrderBound,
    OrderEvent,
    OrderStatus,
)
from .._runtime._sinks import Buffer
from ..errors import OrderRejected, RequestError
from ._fills import base_of
from ._identity import Index
from ._journal import Journal
from ._journal_rows import fill_is, forgotten, order_is, row_of, state_is
from ._preview import Preview
from ._record import OrderRecord
from ._states import Alarm, Fill, FillCorrected, StateChange, TradeEvent
from ._trade import Trade, TradeDesk

__all__ = ["Desk", "Scope", "TradeNews"]

Scope = Literal["mine", "auto-bind", "all"]
"""Whose orders a book has: this client's; those made in TWS too (client 0); everybody's."""

TradeNews = tuple[Trade, TradeEvent]
"""What ``book.events()`` yields."""

_ORPHANS = 10_000


class Desk:
    """The trades of one book, and whose news is whose."""

    def __init__(self, client_id: int, scope: Scope, journal: Journal | None) -> None:
        self.client_id = client_id
        self.scope = scope
        self.journal = journal
        self.index: Index[Trade] = Index()
        self.previews: dict[int, Preview] = {}
        self.readers: list[Buffer] = []
        self.ended: Callable[[], Exception] | None = None
        self.trade_desk: TradeDesk
        self._owner: dict[str, Trade] = {}
        self._orphans: dict[str, CommissionAndFeesReport] = {}

    # --- trades

    def new_trade(self, record: OrderRecord) -> Trade:
        """Have a trade for *record*."""
        trade = Trade(self.trade_desk, record)
        self.index.add(trade)
        return trade

    def forget(self, trade: Trade) -> None:
        """The order of *trade* was not sent."""
        self.index.forget(trade)
        if self.journal is not None:
            self.journal.note(forgotten(trade.order_ref))

    def in_scope(self, client_id: int) -> bool:
        """Whether orders of this client are to be in the book."""
        if self.scope == "all" or client_id == self.client_id:
            return True
        return self.scope == "auto-bind" and client_id == 0

    # --- OrderListener

    def order_event(self, event: OrderEvent) -> None:
        """Give one event to whom it is about."""
        if isinstance(event, OpenOrder):
            self._open_order(event)
        elif isinstance(event, OrderStatus):
            trade = self.index.find(perm_id=event.perm_id, ref=None, client_id=event.client_id, order_id=event.order_id)
            if trade is not None:
                self.tell(trade, trade.record.order_status(event))
        elif isinstance(event, ExecDetails):
            self.execution(event)
        elif isinstance(event, CommissionAndFeesReport):
            self.commission(event)
        else:
            self._bound(event)

    def write_down_as_it_is(self, trade: Trade) -> None:
        """Have the order of *trade* in the journal as it is: what was written about a change of it did not happen."""
        if self.journal is not None and trade.record.placed:
            self.journal.note(order_is(row_of(trade, trade.order_id), "a change was not made"))

    def order_refused(self, notice: Notice, kind: type[RequestError], advanced_reject: str) -> None:
        preview = self.previews.get(notice.id)
        if preview is not None:
            kind = OrderRejected if kind is RequestError else kind
            preview.fail(
                kind(notice.code, notice.message, request="placeOrder (what-if)", advanced_reject=advanced_reject)
            )
        trade = self.index.by_number(self.client_id, notice.id)
        if trade is not None:
            self.tell(trade, trade.record.refused(notice, kind, advanced_reject))

    def order_cancel_refused(self, notice: Notice) -> None:
        trade = self.index.by_number(self.client_id, notice.id)
        if trade is not None:
            self.tell(trade, trade.record.cancel_refused(notice))

    def order_noticed(self, notice: Notice) -> None:
        trade = self.index.by_number(self.client_id, notice.id)
        if trade is not None:
            self.tell(trade, trade.record.noticed(notice))

    def session_ended(self, error: Callable[[], Exception]) -> None:
        self.ended = error
        for preview in self.previews.values():
            preview.fail(error())
        for trade in self.index:
            trade.session_ended(error)
        for buffer in self.readers:
            buffer.fail(error())

    # --- one kind of event each

    def _open_order(self, event: OpenOrder) -> None:
        order = event.order
        preview = self.previews.get(event.order_id) if order.clientId in (0, self.client_id) else None
        if preview is not None:
            preview.take(event)
            return
        if order.whatIf:
            return
        trade = self.index.find(
            perm_id=order.permId, ref=order.orderRef, client_id=order.clientId, order_id=event.order_id
        )
        if trade is None:
            if not self.in_scope(order.clientId):
                return
            trade = self._adopt(event.contract, order, event.order_id)
        self.tell(trade, trade.record.open_order(event))

    def _adopt(self, contract: Any, order: Order, order_id: int) -> Trade:
        own = copy.deepcopy(order)
        own.orderId = order_id
        namesake = self.index.by_ref(order.clientId, order.orderRef) if order.orderRef else None
        trade = self.new_trade(OrderRecord(copy.deepcopy(contract), own, client_id=order.clientId, placed=False))
        if namesake is not None and not namesake.record.over:
            what = f"order {namesake.order_id} ({order.orderRef}) is not alone: TWS has another one with its reference"
            self.tell(namesake, [Alarm(f"{what}, order {order_id} with the permanent id {order.permId}")])
        return trade

    def execution(self, event: ExecDetails) -> None:
        """Take an execution, live or as an answer; one of an order that nobody showed makes a trade of its own."""
        execution = event.execution
        base = base_of(execution.execId)
        trade = self._owner.get(base) or self.index.find(
            perm_id=execution.permId,
            ref=execution.orderRef,
            client_id=execution.clientId,
            order_id=execution.orderId,
        )
        if trade is None:
            if not self.in_scope(execution.clientId):
                return
            trade = self._adopt(event.contract, _order_of(execution), execution.orderId)
        self._owner[base] = trade
        report = event.commission_and_fees or self._orphans.pop(execution.execId, None)
        self.tell(trade, trade.record.execution(event))
        if report is not None:
            self.tell(trade, trade.record.commission(report))

    def commission(self, report: CommissionAndFeesReport) -> None:
        """Take a commission report; one that comes before its execution waits for it."""
        trade = self._owner.get(base_of(report.exec_id))
        if trade is not None:
            self.tell(trade, trade.record.commission(report))
            return
        self._orphans[report.exec_id] = report
        if len(self._orphans) > _ORPHANS:
            del self._orphans[next(iter(self._orphans))]

    def _bound(self, event: OrderBound) -> None:
        trade = self.index.by_perm(event.perm_id)
        if trade is None:
            return
        if trade.record.client_id != event.client_id:  # its old number may be that of an order of the new client
            self.index.forget(trade)
            trade.record.bound_to(event.client_id)
            self.index.add(trade)
        self.tell(trade, trade.record.identify(event.order_id, event.perm_id))

    # --- telling

    def tell(self, trade: Trade, news: list[TradeEvent]) -> None:
        """Let everybody know what is new about *trade*, and the journal."""
        self.index.learn(trade)
        if self.journal is not None and trade.record.placed:
            self._journal(self.journal, trade, news)
        trade.tell(news)
        for buffer in self.readers:
            buffer.items([(trade, event) for event in news], False)

    def _journal(self, journal: Journal, trade: Trade, news: list[TradeEvent]) -> None:
        if trade.record.change_failed and not trade.record.unanswered_changes:
            trade.record.change_failed = False
            self.write_down_as_it_is(trade)
        for event in news:
            if isinstance(event, StateChange):
                journal.note(state_is(trade.order_ref, event.after, trade.perm_id, event.reason))
            elif isinstance(event, (Fill, FillCorrected)):
                fill = event if isinstance(event, Fill) else event.after
                journal.note(fill_is(base_of(fill.exec_id), trade.order_ref, fill))


def _order_of(execution: Any) -> Order:
    """Return what an execution tells of its order."""
    order = Order()
    order.permId, order.clientId, order.orderId = execution.permId, execution.clientId, execution.orderId
    order.orderRef = execution.orderRef
    order.action = "BUY" if execution.side == "BOT" else "SELL"
    return order
