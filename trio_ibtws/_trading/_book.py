"""``OrderBook``: the orders of a client, placed once each, journalled before they are sent, known to their end.

Placing goes in this order: look at the order; take its reference; write it to the journal under the id that it will
have; and then, in one step without an await, look at it again, encode it and queue its frame. So an order that was
sent is in the journal, and the id in the journal is the one on the wire. One order at a time goes through this, which
keeps ids in the order in which TWS wants them.
"""

from __future__ import annotations

import copy
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING

import anyio
import msgspec
from anyio.lowlevel import checkpoint

from .._gen.requests_orders import GLOBAL_CANCEL, PLACE_ORDER
from .._runtime._events import OpenOrder
from .._runtime._order_checks import check_order
from .._runtime._orders import ORDER_BUFFER
from .._runtime._session import Session
from .._runtime._sinks import Buffer
from .._runtime._streams import EventStream, Subscription
from ..errors import InvalidRequest, JournalError, LocalError, RequestError
from ..orders import CHILD, Bracket
from ._dealer import Dealer, book_closed
from ._desk import Desk, TradeNews
from ._exercise import exercise
from ._journal import Journal
from ._journal_rows import fact_is, fingerprint, order_is, row_of
from ._limits import Market, OrderLimits
from ._preview import Preview, WhatIf
from ._reconcile import Reconciliation
from ._record import OrderRecord
from ._states import PlaceOutcome
from ._trade import Trade

if TYPE_CHECKING:
    from ibapi.contract import Contract
    from ibapi.order import Order

    from .._client import Client

__all__ = ["KillReport", "OrderBook"]

_HALTED = "halted"
_REF_LENGTH = 20
_WARNED_SECONDS = 2.0
_LOOK_AGAIN_SECONDS = 0.5


class KillReport(msgspec.Struct, frozen=True):
    """What the kill switch did.

    Attributes:
      taken_back: the ids of orders that had not been written yet, and never will be.
      still_open: the orders that TWS still had as open when the book stopped looking.
      verified: whether TWS said that no order is open.
      remembered: whether later sessions know of the halt: it is in the journal.
    """

    taken_back: tuple[int, ...]
    still_open: tuple[OpenOrder, ...]
    verified: bool
    remembered: bool = False


class OrderBook:
    """The orders of a client; made by ``client.orders()``."""

    def __init__(self, client: Client, session: Session, desk: Desk, dealer: Dealer) -> None:
        self._client = client
        self._session = session
        self._desk = desk
        self._dealer = dealer
        self._watchman = self._dealer.watchman
        self._reconciler = self._dealer.reconciler

    # --- its life

    async def restore(self, journal: Journal, keep_days: float | None) -> None:
        """Bring back what an earlier session left: open orders, the ids that it used, a halt.

        Raises:
          JournalError: the journal cannot be opened.
        """
        client_id = self._desk.client_id
        for row in await journal.open(client_id, keep_days):
            await self._reconciler.restore_row(journal, row)
        self._session.orders.never_below(await journal.highest_order_id(client_id))
        reason = await journal.fact(_HALTED)
        if reason is not None:
            self._session.halt(reason)

    def close(self) -> None:
        """No more will be told; who waits for a trade gets ``ClientClosed``."""
        self._dealer.closed = True
        if self._desk.ended is None:
            self._desk.session_ended(book_closed)

    # --- facts

    @property
    def trades(self) -> tuple[Trade, ...]:
        """All orders that the book knows."""
        return tuple(self._desk.index)

    @property
    def open_trades(self) -> tuple[Trade, ...]:
        """Those that are not over, as far as is known."""
        return tuple(trade for trade in self._desk.index if not trade.record.over)

    @property
    def by_ref(self) -> Mapping[str, Trade]:
        """This client's orders by their reference, the one that ``place`` would return where two have the same."""
        own = (trade for trade in reversed(self.trades) if trade.client_id == self._desk.client_id)
        return MappingProxyType({trade.order_ref: trade for trade in own if trade.order_ref})

    @property
    def limits(self) -> OrderLimits:
        """What an order may be at most. Set it to change that."""
        return self._watchman.limits

    @limits.setter
    def limits(self, limits: OrderLimits) -> None:
        self._watchman.limits = limits

    @property
    def market(self) -> Market:
        """What the limits know of the market: tell it quotes and price steps."""
        return self._watchman.market

    @property
    def halted(self) -> str | None:
        """Why no order is sent, ``None`` while they are."""
        return self._session.halted

    def events(self) -> Subscription[TradeNews]:
        """Subscribe to what happens to all orders of the book, from now on: pairs of trade and event.

        Nothing is dropped; with 100 000 unread the stream ends with ``SlowConsumer``.
        """

        def opened() -> EventStream[TradeNews]:
            buffer = Buffer(ORDER_BUFFER, name="book.events()")
            if self._desk.ended is not None:
                buffer.fail(self._desk.ended())
            self._desk.readers.append(buffer)
            return EventStream(buffer, lambda: self._desk.readers.remove(buffer))

        return Subscription(opened)

    # --- placing

    async def place(self, contract: Contract, order: Order) -> Trade:
        """Place an order and wait until it is known whether TWS has it (EClient.placeOrder).

        Returns its trade, whose ``outcome`` is ``Accepted``, ``Rejected`` or ``Unknown``: no word within
        ``answer_within`` seconds, or the session ended. An order is never sent twice: its ``orderRef`` (one is made up
        when it has none) is its key, and a second ``place`` with it returns the trade of the first, in this session
        and, with a journal, in later ones.

        Cancelled before the journal has it: it was not sent. Later: it was, and the book has its trade.

        Raises:
          InvalidRequest: the order cannot be meant; ``OrderLimitExceeded``: it is beyond a limit.
          TradingDisabled, TradingHalted, JournalError, UnsupportedRequest, LocalError: nothing was sent.
          ConnectionLost, ClientClosed: there was no session any more, and nothing was sent.
        """
        [trade] = await self.place_all([(contract, order)])
        return trade

    async def place_bracket(self, contract: Contract, orders: Bracket) -> list[Trade]:
        """Place a bracket as one: its parent, its profit and its loss are sent with nothing in between, or not at all.

        Returns the three trades in this order. TWS holds the first two until it has the third. Raises as ``place``.
        """
        return await self.place_all([(contract, order) for order in orders])

    async def place_all(self, orders: Sequence[tuple[Contract, Order]]) -> list[Trade]:
        """Place several orders as one: they are sent with nothing in between, or none of them is.

        An order whose ``parentId`` is ``-1`` is a child of the first one. Returns and raises as ``place``.
        """
        await checkpoint()
        family = [self._prepared(contract, order) for contract, order in orders]
        known = await self._known([order.orderRef for _, order in family], [order.orderRef for _, order in orders])
        if known:
            trades = self._same_as_before(family, known)
        else:
            trades = await self._submit(family)
            if not family[-1][1].transmit:
                for trade in trades:
                    trade.record.settle("it waits in TWS to be transmitted: the last order has transmit=False")
        for trade in trades:
            await trade.decided()
        return trades

    def _prepared(self, contract: Contract, order: Order) -> tuple[Contract, Order]:
        """Return copies that are ours, the order with a reference and without an id."""
        contract, order = copy.deepcopy(contract), copy.deepcopy(order)
        if getattr(order, "orderId", 0):
            raise InvalidRequest(
                "order.orderId", f"{order.orderId} is given; the book numbers orders. Nothing was sent"
            )
        if getattr(order, "whatIf", False):
            raise InvalidRequest("order.whatIf", "True would place no order; book.what_if() asks. Nothing was sent")
        if not getattr(order, "orderRef", ""):
            order.orderRef = f"tw-{secrets.token_hex(8)}"
        child = getattr(order, "parentId", 0) == CHILD
        if child:
            order.parentId = 0
        check_order({"contract": contract, "order": order})
        if len(order.orderRef) > _REF_LENGTH or not order.orderRef.isprintable():
            raise InvalidRequest(
                "order.orderRef", f"{order.orderRef!r} is not 1 to {_REF_LENGTH} printable characters. Nothing was sent"
            )
        if child:
            order.parentId = CHILD
        return contract, order

    async def _known(self, refs: list[str], given: list[str]) -> dict[str, Trade]:
        """Return the orders that have these references already, here or, where they were *given*, in the journal."""
        if len(set(refs)) < len(refs):
            raise InvalidRequest("order.orderRef", "two orders of one family have the same. Nothing was sent")
        await self._reconciler.restore(given)
        trades = {ref: self._desk.index.by_ref(self._desk.client_id, ref) for ref in refs}
        return {ref: trade for ref, trade in trades.items() if trade is not None}

    def _same_as_before(self, family: list[tuple[Contract, Order]], known: Mapping[str, Trade]) -> list[Trade]:
        for contract, order in family:
            trade = known.get(order.orderRef)
            if trade is None or not _is_that(trade, contract, order):
                raise InvalidRequest(
                    "order.orderRef", f"{order.orderRef!r} is the reference of another order. Nothing was sent"
                )
        return [known[order.orderRef] for _, order in family]

    async def _submit(self, family: list[tuple[Contract, Order]]) -> list[Trade]:
        self._check(family)
        trades = [self._new_trade(contract, order) for contract, order in family]
        try:
            async with self._dealer.sending:
                await self._write_down(trades)
                self._send(trades)
        except BaseException as exc:
            for trade in trades:
                trade.failure = exc if isinstance(exc, LocalError) else LocalError("it was not sent: cancelled before")
                self._desk.forget(trade)
                trade.wake()
            raise
        return trades

    def _check(self, family: list[tuple[Contract, Order]]) -> None:
        if self._dealer.closed:
            raise book_closed()
        self._session.check(PLACE_ORDER)
        open_records = [trade.record for trade in self.open_trades if trade.record.order_ids]
        self._watchman.check(family, open_records, anyio.current_time())

    def _new_trade(self, contract: Contract, order: Order) -> Trade:
        record = OrderRecord(contract, order, client_id=self._desk.client_id, placed=True)
        trade = self._desk.new_trade(record)
        trade.fingerprint = fingerprint(contract, order)
        return trade

    async def _write_down(self, trades: list[Trade]) -> None:
        """Have the orders in the journal under the ids that they will get; again when others took those meanwhile."""
        journal = self._desk.journal
        transmit = trades[-1].record.order.transmit  # the last one transmits those before it
        while journal is not None:
            first = self._session.orders.next_free()
            await journal.write(
                *(
                    order_is(row_of(trade, first + at, parent_id=first, transmit=transmit))
                    for at, trade in enumerate(trades)
                )
            )
            if self._session.orders.next_free() == first:
                return

    def _send(self, trades: list[Trade]) -> None:
        """Check again what may have changed, and queue the frames; no await may come in here."""
        self._check([(trade.record.contract, trade.record.order) for trade in trades])
        first = self._session.orders.next_free()
        for trade in trades:
            if trade.record.order.parentId == CHILD:
                trade.record.order.parentId = first
        family = [{"contract": trade.record.contract, "order": trade.record.order} for trade in trades]
        for trade, order_id in zip(trades, self._session.place_all(PLACE_ORDER, family), strict=True):
            trade.record.order.orderId = order_id
            trade.record.order_ids.append(order_id)
            trade.record.order.transmit = trades[-1].record.order.transmit  # the last one transmits those before it
            self._desk.index.learn(trade)
        self._watchman.sent(len(trades), anyio.current_time())

    # --- options

    async def exercise_options(
        self,
        contract: Contract,
        exercise_action: int,
        exercise_quantity: int,
        account: str,
        override: int,
        manual_order_time: str,
        customer_account: str,
        professional_customer: bool,
    ) -> PlaceOutcome:
        """Exercise (1) or lapse (2) options and wait for TWS's first word about it (EClient.exerciseOptions).

        The limits and the kill switch hold for it: the quantity, its worth at the strike, the orders of a minute. TWS
        has no reference for it and the journal no row: with an ``Unknown`` outcome look at the positions before it is
        sent again, for that exercises again. Cancelled: what was sent stays sent.

        Raises:
          OrderLimitExceeded: it is beyond a limit.
          InvalidRequest, TradingDisabled, TradingHalted, UnsupportedRequest, LocalError: nothing was sent.
          ConnectionLost, ClientClosed: there was no session any more, and nothing was sent.
        """
        others = (account, override, manual_order_time, customer_account, professional_customer)
        return await exercise(self._client, self._dealer, contract, exercise_action, exercise_quantity, *others)

    # --- what-if

    async def what_if(self, contract: Contract, order: Order) -> WhatIf:
        """Ask what an order would cost; nothing is placed (EClient.placeOrder with whatIf, EWrapper.openOrder).

        The frame is compared with that of the order itself before it is sent: it must say that it only asks. Cancelled:
        the answer is dropped.

        Raises:
          OrderRejected, NoSuchContract and others: TWS refuses to say.
          LocalError: nothing was sent. ConnectionLost, ClientClosed: there is no answer.
        """
        await checkpoint()
        asking = copy.deepcopy(order)
        asking.whatIf, asking.transmit, asking.orderId = True, True, 0
        preview = Preview()
        order_id = self._session.ask_what_if(PLACE_ORDER, {"contract": copy.deepcopy(contract), "order": asking})
        self._desk.previews[order_id] = preview
        try:
            while not preview.complete:
                with anyio.move_on_after(_WARNED_SECONDS if preview.answer is not None else None) as patience:
                    preview.changed = anyio.Event()
                    await preview.changed.wait()
                if patience.cancelled_caught:  # there was a warning, and no figures follow
                    break
        finally:
            del self._desk.previews[order_id]
        if preview.error is not None:
            raise preview.error
        assert preview.answer is not None
        return preview.answer

    # --- reconciliation

    async def reconcile(self) -> Reconciliation:
        """Ask TWS for its lists, and settle every order of which nothing is known.

        It runs when the book is opened; call it again when an order stayed ``Unknown``. It never sends an order.

        Raises:
          ConnectionLost, ClientClosed: the session ended before it was done.
          JournalError: an order of TWS's lists cannot be read from the journal; all others are settled.
        """
        return await self._reconciler.reconcile()

    # --- the kill switch

    async def kill(self, reason: str = "the kill switch") -> KillReport:
        """Stop: send no order any more, take back what is unwritten, cancel all at TWS, and see that none is left.

        The cancel goes before everything else that waits to be written. The halt holds until ``resume``, in later
        sessions too where there is a journal. Cancelled: it holds as well, and what was sent stays sent.

        Raises:
          TradingDisabled: the client may not cancel orders; ConnectionLost, ClientClosed: it cannot. It is halted.
        """
        taken_back = self._session.halt(reason)
        for order_id in taken_back:
            trade = self._desk.index.by_number(self._desk.client_id, order_id)
            if trade is not None:
                self._desk.tell(trade, trade.record.taken_back(str(self._session.halted_error())))
                if trade.state == "NotSent":
                    trade.failure = self._session.halted_error()
                    self._desk.forget(trade)
        if self._desk.journal is not None:  # before what may fail, and not waited for: the cancel is urgent
            self._desk.journal.note(fact_is(_HALTED, reason))
        self._session.send(GLOBAL_CANCEL, {"orderCancel": None})
        still_open = await self._still_open()
        return KillReport(tuple(taken_back), still_open or (), still_open == (), await self._halt_is_remembered())

    async def _still_open(self) -> tuple[OpenOrder, ...] | None:
        """Look at the open orders until there is none, or time is up; ``None`` where TWS does not tell them."""
        found: tuple[OpenOrder, ...] | None = None
        with anyio.move_on_after(self._dealer.answer_within), suppress(RequestError):
            while found := tuple(await self._client.all_open_orders()):  # noqa: ASYNC110  TWS does not say when
                await anyio.sleep(_LOOK_AGAIN_SECONDS)
        return found

    async def _halt_is_remembered(self) -> bool:
        if self._desk.journal is None:
            return False
        try:
            await self._desk.journal.write()
        except JournalError:
            return False
        return True

    async def resume(self) -> None:
        """End the halt.

        Raises:
          JournalError: that cannot be written down; the halt goes on.
        """
        await checkpoint()
        if self._desk.journal is not None:
            await self._desk.journal.write(fact_is(_HALTED, None))
        self._session.halted = None


def _is_that(trade: Trade, contract: Contract, order: Order) -> bool:
    """Whether a known order is the one to be placed: all that the user decided where it is known, or what TWS shows."""
    if trade.fingerprint:
        return trade.fingerprint == fingerprint(contract, order)
    return trade.record.looks_like(contract, order)
