"""``Dealer``: what the trades of a book need of it, and a book of itself, to send and to ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from .._gen.requests_orders import CANCEL_ORDER, PLACE_ORDER
from .._runtime._order_checks import check_order
from .._runtime._session import Session
from ..errors import ClientClosed, IBError, JournalError
from ._desk import Desk
from ._journal_rows import order_is, row_of
from ._limits import OrderLimits, Watchman
from ._reconcile import Reconciler
from ._record import Modification, OrderRecord
from ._trade import Trade

if TYPE_CHECKING:
    from .._client import Client

__all__ = ["Dealer", "Timing", "book_closed"]


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How many seconds a book waits for what."""

    answer_within: float
    drain_within: float
    recheck: float


class Dealer:
    """The parts of a book, and what is done with more than one of them."""

    def __init__(self, client: Client, session: Session, desk: Desk, limits: OrderLimits, timing: Timing) -> None:
        self.answer_within: float = timing.answer_within
        self.drain_within: float = timing.drain_within
        self.session = session
        self.desk = desk
        self.watchman: Watchman = Watchman(limits)
        self.reconciler: Reconciler = Reconciler(client, session.orders, desk, timing.recheck)
        self.sending: anyio.Lock = anyio.Lock()
        self.closed = False
        self._back = anyio.Event()
        desk.trade_desk = self

    def ended_error(self) -> IBError | None:
        """Return why no more news will come, ``None`` while some may."""
        if self.session.ended is not None:
            return self.session.ended_error()
        return book_closed() if self.closed else None

    def owns(self, record: OrderRecord) -> bool:
        """Whether this client can change the order: it has a number of this client's."""
        return record.client_id == self.desk.client_id and record.order_id > 0

    def send_cancel(self, order_id: int, order_cancel: Any) -> None:
        """Queue the cancel of an order."""
        self.session.send(CANCEL_ORDER, {"orderId": order_id, "orderCancel": order_cancel})

    async def send_change(self, trade: Trade, change: Modification) -> None:
        """Write a change of an order down, and queue it; raises as ``trade.modify``."""
        record = trade.record
        contract, order = record.contract, change.order
        check_order({"contract": contract, "order": order})
        self.watchman.check_values(contract, order, anyio.current_time())
        self.session.check(PLACE_ORDER)
        journal = self.desk.journal
        async with self.sending:
            try:
                if journal is not None and record.placed:
                    await journal.write(order_is(row_of(trade, record.order_id, order), "a change is about to be sent"))
                self._send_change(record, change)
            finally:
                if change not in record.unanswered_changes:
                    self.desk.write_down_as_it_is(trade)

    def _send_change(self, record: OrderRecord, change: Modification) -> None:
        """Check again what may have changed, and queue the frame; an order that is over by now is not changed."""
        if record.over:
            return
        self.session.check(PLACE_ORDER)
        self.watchman.check_values(record.contract, change.order, anyio.current_time())
        self.session.orders.use(record.order_id)
        self.session.place_all(PLACE_ORDER, [{"contract": record.contract, "order": change.order}])
        record.unanswered_changes.append(change)

    # --- TWS's connection to IB

    def link_lost(self, why: str) -> None:
        """TWS says that it has none: no order is placed or changed."""
        self.watchman.link_lost = why

    def link_back(self) -> None:
        """It has one again, and what happened meanwhile may not have been told."""
        self.watchman.link_lost = None
        self._back.set()

    async def keep_up(self) -> None:
        """Ask for all lists whenever the connection is back, until the session ends."""
        while self.session.ended is None:
            await self._back.wait()
            self._back = anyio.Event()
            await self._briefly(self.reconciler.reconcile)

    async def look_at_open_orders(self) -> None:
        """Ask for the open orders, if the answer comes in time."""
        await self._briefly(self.reconciler.look_at_open_orders)

    async def look_at_executions(self) -> None:
        """Ask for the executions, if the answer comes in time."""
        await self._briefly(self.reconciler.look_at_executions)

    async def _briefly(self, look: Callable[[], Any]) -> None:
        """Look at a list of TWS, if it comes in time and the session lasts: who asks goes on with what is known."""
        with anyio.move_on_after(self.answer_within):
            try:
                await look()
            except JournalError:
                return  # of an order that is over; to place it again says so
            except IBError:
                if self.session.ended is None:
                    raise


def book_closed() -> ClientClosed:
    """Return the error of those who use a book that was left."""
    return ClientClosed("the order book was closed: its 'async with' block has ended")
