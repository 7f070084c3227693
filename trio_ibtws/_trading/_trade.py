"""``Trade``: the handle of one order, for the task that cares about it.

A trade is told by the book what happens, in plain calls; those who wait look again after every change. Whoever is
cancelled while he waits takes nothing with him: an order ends by a cancel of its own, never by one of a task.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import anyio
import msgspec
from anyio.lowlevel import checkpoint

from .._runtime._orders import ORDER_BUFFER
from .._runtime._sinks import Buffer
from .._runtime._streams import EventStream, Subscription
from ..errors import IBError, InvalidRequest, LocalError
from ._record import Modification, OrderRecord
from ._states import (
    CancelConfirmed,
    CancelOutcome,
    CancelRefused,
    Fill,
    Finished,
    ModifyOutcome,
    ModifyRefused,
    PlaceOutcome,
    TradeEvent,
    TradeState,
    Unknown,
)

if TYPE_CHECKING:
    from ibapi.contract import Contract
    from ibapi.order import Order

    from .._runtime._events import Notice

__all__ = ["Done", "Trade", "TradeDesk"]


class Done(msgspec.Struct, frozen=True):
    """How an order ended.

    Attributes:
      state: ``"Filled"``, ``"Cancelled"``, ``"Rejected"``, ``"NotFound"`` or ``"NotSent"``.
      filled: how much was traded.
      average_price: at which price on average, ``None`` without a fill.
      fills: the executions, corrections applied.
      complete: whether all came that TWS announced: every execution, and the commission of each.
    """

    state: TradeState
    filled: Decimal
    average_price: float | None
    fills: tuple[Fill, ...]
    complete: bool


class TradeDesk(Protocol):
    """What a trade needs of its book."""

    answer_within: float
    drain_within: float

    def ended_error(self) -> IBError | None: ...
    def owns(self, record: OrderRecord) -> bool: ...
    def send_cancel(self, order_id: int, order_cancel: Any) -> None: ...
    async def send_change(self, trade: Trade, change: Modification) -> None: ...
    async def look_at_open_orders(self) -> None: ...
    async def look_at_executions(self) -> None: ...


class Trade:
    """An order and what becomes of it; made by ``book.place``, or by the book for an order that it found."""

    def __init__(self, desk: TradeDesk, record: OrderRecord) -> None:
        self.record = record
        self.failure: LocalError | None = None
        self.fingerprint = ""
        self._desk = desk
        self._changed = anyio.Event()
        self._changing = anyio.Lock()
        self._cancels = 0
        self._past: list[TradeEvent] = []
        self._readers: list[Buffer] = []
        self._ended: Callable[[], Exception] | None = None

    def __repr__(self) -> str:
        order = self.record.order
        what = f"{order.action} {order.totalQuantity} {self.record.contract.symbol} {order.orderType}"
        return f"<Trade {self.order_id} {what}: {self.state}, {self.filled_quantity} filled>"

    # --- facts

    @property
    def order_ref(self) -> str:
        """The order's reference, by which it is placed once."""
        return self.record.ref

    @property
    def order_id(self) -> int:
        """The API order id; 0 for an order of TWS itself."""
        return self.record.order_id

    @property
    def perm_id(self) -> int:
        """TWS's permanent id, 0 before TWS has said it."""
        return self.record.perm_id

    @property
    def client_id(self) -> int:
        """The client that placed it."""
        return self.record.client_id

    @property
    def contract(self) -> Contract:
        """The contract (a copy)."""
        return copy.deepcopy(self.record.contract)

    @property
    def order(self) -> Order:
        """The order as it stands, accepted changes included (a copy)."""
        return copy.deepcopy(self.record.order)

    @property
    def state(self) -> TradeState:
        """What is known of it."""
        return self.record.state

    @property
    def status(self) -> str:
        """TWS's own word, such as ``"PreSubmitted"``; empty before the first one."""
        return self.record.status

    @property
    def outcome(self) -> PlaceOutcome | None:
        """What became of placing it, ``None`` before that is known. It does not change afterwards; ``state`` does."""
        return self.record.outcome

    @property
    def fills(self) -> tuple[Fill, ...]:
        """The executions, corrections applied."""
        return self.record.ledger.fills()

    @property
    def filled_quantity(self) -> Decimal:
        """How much was traded."""
        return self.record.ledger.filled

    @property
    def remaining(self) -> Decimal:
        """How much is left to trade, by the quantity of the order and its executions."""
        return max(self.record.total - self.filled_quantity, Decimal(0))

    @property
    def average_price(self) -> float | None:
        """The average price of the fills, ``None`` without one."""
        return self.record.ledger.average_price

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What TWS remarked about the order, the newest 100."""
        return tuple(self.record.remarks)

    # --- what happens

    def events(self) -> Subscription[TradeEvent]:
        """Subscribe to what happens to the order, from its beginning on. Nothing is dropped.

        With 100 000 unread the stream ends with ``SlowConsumer``; at the end of the session with ``ConnectionLost`` or
        ``ClientClosed``, and what came before can be read.
        """

        def opened() -> EventStream[TradeEvent]:
            buffer = Buffer(ORDER_BUFFER, name="trade.events()")
            buffer.items(self._past, False)
            if self._ended is not None:
                buffer.fail(self._ended())
            self._readers.append(buffer)
            return EventStream(buffer, lambda: self._readers.remove(buffer))

        return Subscription(opened)

    def tell(self, news: list[TradeEvent]) -> None:
        """Take what is new, and let everybody who waits look again."""
        self._past.extend(news)
        for buffer in self._readers:
            buffer.items(news, False)
        self.wake()

    def wake(self) -> None:
        """Something changed."""
        self._changed.set()
        self._changed = anyio.Event()

    def session_ended(self, error: Callable[[], Exception]) -> None:
        """No more news will come in this session."""
        self._ended = error
        for buffer in self._readers:
            buffer.fail(error())
        self.wake()

    async def changed(self) -> None:
        """Wait for the next change."""
        await self._changed.wait()

    async def _until(self, true: Callable[[], bool], seconds: float) -> bool:
        """Wait until *true*, the end of the session or the deadline; return whether it is true."""
        with anyio.move_on_after(seconds):
            while not true() and self._desk.ended_error() is None:
                await self.changed()
        return true()

    async def decided(self) -> None:
        """Wait until it is known, or known not to be known, whether TWS has the order.

        Raises:
          LocalError: it was not sent.
        """
        if not await self._until(self._is_decided, self._desk.answer_within) and self._desk.ended_error() is None:
            await self._desk.look_at_open_orders()
        if self.failure is not None:
            raise self.failure
        if self.record.outcome is None:
            ended = self._desk.ended_error()
            reason = str(ended) if ended else f"no answer within {self._desk.answer_within:g} s"
            self.tell([] if self.state == "Inactive" else self.record.unanswered(reason))
            self.record.settle(reason)

    def _is_decided(self) -> bool:
        return self.record.outcome is not None or self.failure is not None

    # --- the end

    async def filled(self) -> Done:
        """Wait until all of it was traded, or no more of it will be; do not wait for what comes after that.

        Cancelled and Raises: as ``done``.
        """
        await checkpoint()
        while not self.record.over:
            self._check_session()
            await self.changed()
        return self._done()

    def _check_session(self) -> None:
        error = self._desk.ended_error()
        if error is not None:
            raise error

    async def done(self) -> Done:
        """Wait until the order is over, and for the fills and commissions that come after its final status.

        What is announced and does not come within ``drain_within`` seconds is asked for once.

        Cancelled means that nobody waits any more; the order goes on.

        Raises:
          ConnectionLost, ClientClosed: the session ended before the order did.
        """
        await self.filled()
        drained = await self._until(lambda: self.record.drained, self._desk.drain_within)
        if not drained and self._desk.ended_error() is None:
            await self._desk.look_at_executions()
        return self._done()

    def _done(self) -> Done:
        return Done(self.state, self.filled_quantity, self.average_price, self.fills, self.record.drained)

    # --- cancel and modify

    async def cancel(self, order_cancel: Any = None) -> CancelOutcome:
        """Cancel the order at TWS, and say what became of that (EClient.cancelOrder).

        Returns ``CancelConfirmed``, ``CancelRefused``, ``Finished`` when the order was over, or was filled meanwhile,
        and ``Unknown`` when no answer came. Codes 161, 202, 10147 and 10148 are outcomes, never exceptions.

        Cancelled means that nobody waits for the answer; what was sent stays sent.

        Raises:
          TradingDisabled: the client was opened without ``trading=True``.
        """
        await checkpoint()
        refused = self._not_ours()
        if refused is not None:
            return refused
        record = self.record
        if self._cancels == 0 or record.cancel_refusal is not None:
            record.cancel_refusal = None
            for order_id in record.order_ids or [0]:
                self._desk.send_cancel(order_id, order_cancel)
        self._cancels += 1
        try:
            answered = await self._until(
                lambda: record.over or record.cancel_refusal is not None, self._desk.answer_within
            )
        finally:
            self._cancels -= 1
        return self._cancel_outcome(answered)

    def _not_ours(self) -> CancelOutcome | None:
        """Return why nothing is sent for this order."""
        if self.record.over:
            return Finished(self.state, self.filled_quantity)
        ended = self._desk.ended_error()
        if ended is not None:
            return Unknown(self.order_id, self.order_ref, f"nothing was sent: {ended}")
        if not self._desk.owns(self.record):
            return CancelRefused(
                None, f"it is an order of client {self.client_id}, id {self.order_id}: only that client can change it"
            )
        return None

    def _cancel_outcome(self, answered: bool) -> CancelOutcome:
        record = self.record
        if record.state == "Cancelled":
            return CancelConfirmed(self.filled_quantity)
        if record.over:
            return Finished(record.state, self.filled_quantity)
        if answered and record.cancel_refusal is not None:
            return record.cancel_refusal
        ended = self._desk.ended_error()
        return Unknown(self.order_id, self.order_ref, str(ended) if ended else "TWS did not answer the cancel")

    async def modify(self, order: Order | None = None, **changes: Any) -> ModifyOutcome:
        """Change the order at TWS, and say what became of that (EClient.placeOrder with the order's id).

        Give the whole *order*, or only what changes: ``await trade.modify(lmtPrice=10.5)``. Changes of one order are
        sent one after the other, each when the last has been answered or ``answer_within`` seconds have passed, and the
        first when TWS has the order; what was sent and never answered is part of the next one. Returns ``Modified``
        when TWS shows the order with the changes, ``ModifyRefused`` with its code: the order is as it was; ``Finished``
        and ``Unknown`` as ``cancel``. A change of an order that is ``Unknown`` is not sent: TWS would take it for a new
        order if it does not have it.

        Once an order was transmitted its changes are too, whatever *order* says; ``transmit=False`` among the *changes*
        holds one back in TWS.

        Cancelled means that nobody waits for the answer; what was sent stays sent.

        Raises:
          InvalidRequest, OrderLimitExceeded: the changed order is not sent.
          TradingDisabled, TradingHalted, JournalError, LocalError: nothing was sent.
        """
        await checkpoint()
        async with self._changing:
            if self.state == "Pending":  # refused, TWS would take the change for a new order
                await self.decided()
            last = self.record.unanswered_changes[-1:]
            if last and not last[0].awaited:  # who sent it is gone
                await self._answered(last[0])
            refused = self._not_ours()
            if isinstance(refused, CancelRefused):
                return ModifyRefused(None, refused.message)
            if refused is None and self.state == "Unknown":  # TWS would take the change of what it has not for an order
                return ModifyRefused(
                    None, "it is not known whether TWS has the order: book.reconcile() asks. Nothing was sent"
                )
            if refused is None and self.record.in_part:
                return ModifyRefused(
                    None,
                    "TWS has not shown the order since the restart, and the journal has a part of it. Nothing was sent",
                )
            if refused is not None:
                assert not isinstance(refused, CancelConfirmed)
                return refused
            return await self._modify(order, changes)

    async def _answered(self, change: Modification) -> None:
        """Wait for TWS's answer to a change; if none comes look at what TWS shows."""
        over = await self._until(lambda: change.outcome is not None or self.record.over, self._desk.answer_within)
        if not over and self._desk.ended_error() is None:
            await self._desk.look_at_open_orders()
        change.awaited = True

    async def _modify(self, order: Order | None, changes: dict[str, Any]) -> ModifyOutcome:
        record = self.record
        sent = [record.order, *(change.order for change in record.unanswered_changes)]  # any may be in force
        changed = copy.deepcopy(sent[-1] if order is None else order)
        for name, value in changes.items():
            setattr(changed, name, value)
        if changed.whatIf:
            raise InvalidRequest("order.whatIf", "True would change no order; book.what_if() asks. Nothing was sent")
        changed.orderId, changed.orderRef, changed.parentId = self.order_id, self.order_ref, record.order.parentId
        if record.order.transmit and "transmit" not in changes:  # else TWS would hold back the change
            changed.transmit = True
        change = Modification(changed, sent)
        await self._desk.send_change(self, change)
        await self._answered(change)
        if change.outcome is not None:
            return change.outcome
        if record.over:
            return Finished(self.state, self.filled_quantity)
        ended = self._desk.ended_error()
        return Unknown(self.order_id, self.order_ref, str(ended) if ended else "TWS did not answer the change")
