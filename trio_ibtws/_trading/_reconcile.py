"""Reconciliation: TWS's lists against what the book and its journal know, until each order is found or is not there.

It runs when a book is opened, and is what a reconnect has to call. It asks and never sends an order.
"""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
from ibapi.contract import Contract
from ibapi.execution import Execution, ExecutionFilter
from ibapi.order import Order

from .._runtime._events import ExecDetails
from .._runtime._orders import Orders
from .._runtime._values import size
from ..errors import JournalError, RequestError
from ._journal import Journal
from ._journal_rows import FillRow, Row, is_whole, restored
from ._record import OrderRecord
from ._states import FINAL, Accepted, Rejected, TradeState, Unknown

if TYPE_CHECKING:
    from .._client import Client
    from ._desk import Desk
    from ._trade import Trade

__all__ = ["Reconciler", "Reconciliation"]


class Reconciliation(msgspec.Struct, frozen=True):
    """What a reconciliation came to.

    Attributes:
      found: the orders of which nothing was known and that TWS has, or had.
      not_found: those that are in none of TWS's lists. None of them is sent again.
      unknown: those that could not be settled because TWS refused a list.
      refused: the lists that TWS refused, by their request.
    """

    found: tuple[Trade, ...]
    not_found: tuple[Trade, ...]
    unknown: tuple[Trade, ...]
    refused: tuple[str, ...]


class Reconciler:
    """Asks TWS for its lists and gives them to the desk."""

    def __init__(self, client: Client, orders: Orders, desk: Desk, recheck: float) -> None:
        self._client = client
        self._orders = orders
        self._desk = desk
        self._recheck = recheck
        self._one = anyio.Lock()
        self._refused: set[str] = set()
        self._unread: JournalError | None = None

    async def reconcile(self) -> Reconciliation:
        """Settle every order whose state is unknown.

        An order that is in no list is looked for a second time, ``recheck`` seconds later, before it counts as not
        found: TWS may have been about to take it. Cancelled: what was found out so far stays.

        Raises:
          JournalError: an order of TWS's lists cannot be read from the journal; all others are settled.
        """
        async with self._one:
            asked = [trade for trade in self._desk.index if trade.state == "Unknown"]
            self._refused, self._unread = set(), None
            await self._pass()
            if any(trade.state == "Unknown" for trade in asked):
                await anyio.sleep(self._recheck)
                await self._pass()
            if not self._refused:
                for trade in asked:
                    self._desk.tell(trade, trade.record.not_found())
            for trade in asked:
                trade.record.settle("TWS has it in none of its lists")
            if self._unread is not None:
                raise self._unread
            return self._result(asked)

    def _result(self, asked: list[Trade]) -> Reconciliation:
        def those(*states: TradeState) -> tuple[Trade, ...]:
            return tuple(trade for trade in asked if trade.state in states)

        open_or_over: list[TradeState] = ["Pending", "Working", "Inactive", "Filled", "Cancelled", "Rejected"]
        return Reconciliation(those(*open_or_over), those("NotFound"), those("Unknown"), tuple(sorted(self._refused)))

    async def _pass(self) -> None:
        await self.look_at_open_orders()
        await self.look_at_executions()
        await self.look_at_completed_orders()

    # --- the lists

    async def look_at_open_orders(self) -> None:
        """Ask for the open orders; they come to the desk as events."""
        try:
            await self._client.all_open_orders()
        except RequestError:  # a list that TWS refuses settles nothing, and says so in the result
            self._refused.add("all_open_orders")

    async def look_at_executions(self) -> None:
        """Ask for today's executions, and take those that are new."""
        wanted = ExecutionFilter()
        wanted.clientId = 0 if self._desk.scope == "all" else self._desk.client_id
        try:
            rows = await self._client.executions(wanted)
        except RequestError:
            self._refused.add("executions")
            return
        await self._restore_listed(row.execution.orderRef for row in rows)
        for row in rows:
            execution = row.execution
            if execution.clientId == self._desk.client_id:
                self._orders.never_below(execution.orderId)
            trade = self._desk.index.find(
                perm_id=execution.permId,
                ref=execution.orderRef,
                client_id=execution.clientId,
                order_id=execution.orderId,
            )
            if trade is not None:  # those of orders that nobody asked about are history
                self._desk.execution(row)

    async def look_at_completed_orders(self) -> None:
        """Ask for the orders that are over, and take how ours ended."""
        try:
            rows = await self._client.completed_orders(False)
        except RequestError:
            self._refused.add("completed_orders")
            return
        await self._restore_listed(row.order.orderRef for row in rows)
        for row in rows:
            order = row.order
            trade = self._desk.index.by_perm(order.permId) or self._named(row)
            if trade is not None:
                self._desk.tell(trade, trade.record.completed(order, row.order_state.status))

    def _named_alike(self, ref: str) -> Trade | None:
        return self._desk.index.by_ref(self._desk.client_id, ref)

    def _named(self, row: Any) -> Trade | None:
        """Return the order of ours that a completed one can only be by its reference, as TWS names no client there.

        One that traded is known by its executions, which do name the client; by its reference only one that did not.
        """
        trade = self._named_alike(row.order.orderRef) if row.order.orderRef else None
        if trade is None or not trade.record.placed or trade.record.perm_ids:
            return None
        traded = row.order_state.status == "Filled" or bool(size(row.order.filledQuantity))
        return None if traded or not trade.record.looks_like(row.contract, row.order) else trade

    # --- the journal

    async def _restore_listed(self, refs: Any) -> None:
        """Bring back those that TWS lists: one that cannot be read keeps no news from the others."""
        wanted = set(refs)
        try:
            await self.restore(wanted)
        except JournalError as error:
            self._unread = error
            for ref in wanted:
                with suppress(JournalError):
                    await self.restore([ref])

    async def restore(self, refs: Any) -> None:
        """Bring back from the journal the orders with these references that the book does not have."""
        journal = self._desk.journal
        if journal is None:
            return
        missing = {ref for ref in refs if ref and self._named_alike(ref) is None}
        for row in await journal.rows(sorted(missing)):
            if row.client_id == self._desk.client_id and self._named_alike(row.ref) is None:
                await self.restore_row(journal, row)

    async def restore_row(self, journal: Journal, row: Row) -> Trade:
        """Have a trade for an order in the journal: over as it was, or unknown until TWS has been asked."""
        fills = await journal.fills(row.ref)
        try:
            record = _record_of(row)
        except (ValueError, TypeError, ArithmeticError) as exc:
            raise JournalError(
                f"the journal {journal.path} is damaged: order {row.order_id} ({row.ref}) cannot be read: {exc}. "
                "Nothing was sent"
            ) from exc
        for fill in fills:
            record.ledger.add(_execution_of(row, record.contract, fill), leg=bool(fill.leg))
        trade = self._desk.new_trade(record)
        trade.fingerprint = row.fingerprint
        return trade


def _record_of(row: Row) -> OrderRecord:
    contract, order = restored(Contract, row.contract), restored(Order, row.order)
    order.orderId, order.permId, order.orderRef = row.order_id, row.perm_id, row.ref
    record = OrderRecord(contract, order, client_id=row.client_id, placed=True, restored=True)
    record.in_part = not (is_whole(row.contract) and is_whole(row.order))
    state: Any = row.state
    record.state = state if state in FINAL else "Unknown"
    if row.state in ("Working", "Inactive", "Filled", "Cancelled"):
        record.outcome = Accepted(row.order_id, row.perm_id, row.ref)
    elif row.state == "Rejected":
        record.outcome = Rejected(row.order_id, None, "it was rejected in an earlier session")
    elif row.state == "NotFound":
        record.outcome = Unknown(row.order_id, row.ref, "TWS had it in none of its lists in an earlier session")
    return record


def _execution_of(row: Row, contract: Contract, fill: FillRow) -> ExecDetails:
    execution = Execution()
    execution.execId, execution.side, execution.time = fill.exec_id, fill.side, fill.time
    execution.price = float(fill.price)
    execution.shares = Decimal(fill.quantity)  # whatever the installed release would make of it
    execution.orderId, execution.permId, execution.orderRef = row.order_id, row.perm_id, row.ref
    execution.clientId, execution.acctNumber = row.client_id, fill.account
    return ExecDetails(contract, execution)
