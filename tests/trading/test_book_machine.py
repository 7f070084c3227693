"""A search for a story after which the book and TWS's ledger disagree.

Orders are placed, changed, cancelled, filled in parts, corrected; messages are repeated, swapped and lost; the process
crashes or goes, and a new one begins with the journal of the old one. ``TRIO_IBTWS_ORDER_RUNS=100`` searches a hundred
times as long; hypothesis prints how to play a failure again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from concurrent.futures import Future
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.script import settle, stock
from tests.trading.oracle import assert_true
from tests.trading.test_book import opened
from tests.trading.tws import Execution, Order, Tws
from trio_ibtws import OrderBook, Trade
from trio_ibtws.orders import limit_order

RUNS = int(os.environ.get("TRIO_IBTWS_ORDER_RUNS", "1"))

picks = st.integers(0, 1_000_000)
quantities = st.integers(1, 10)
ORDER_STATUS = b"3\0"


class BookMachine(RuleBasedStateMachine):
    """One account, one client, and what can happen to it."""

    backend = "trio"

    def __init__(self) -> None:
        super().__init__()
        self.tws = Tws()
        self.intended: dict[str, int] = {}
        self.futures: list[Future[Any]] = []
        self.folder = Path(tempfile.mkdtemp(prefix="trio_ibtws_"))
        self.portal_block = start_blocking_portal(self.backend)
        self.portal = self.portal_block.__enter__()
        self.session: AbstractContextManager[Any] | None = None
        self.book: OrderBook

    # --- sessions

    @initialize()
    def begin(self) -> None:
        self._open()

    def _open(self) -> None:
        self.session = self.portal.wrap_async_context_manager(
            opened(self.tws, journal=self.folder / "journal", answer_within=60.0)
        )
        _, self.book = self.session.__enter__()

    def _close(self) -> None:
        if self.session is not None:
            self.session.__exit__(None, None, None)
            self.session = None
        for future in self.futures:
            future.exception(timeout=60)  # it has ended, one way or the other
        self.futures.clear()

    @rule(read=st.integers(0, 3), rolled_back=st.integers(0, 4))
    def crash(self, read: int, rolled_back: int) -> None:
        """The process dies: what its journal did not commit is gone, what TWS did not read never was."""
        for _ in range(read):
            self.tws.read_request()
        journal: Any = self.book._desk.journal
        journal._commit = lambda batch: None
        self.portal.call(self.tws.cut)
        self._close()
        self.tws.rolled_back = rolled_back
        self._open()

    @rule()
    def close_and_open(self) -> None:
        self._close()
        self._open()

    # --- the user

    @rule(quantity=quantities)
    def place(self, quantity: int) -> None:
        ref = f"r{len(self.intended)}"
        self.intended[ref] = quantity
        self._start(self.book.place, stock(), limit_order("BUY", quantity, 9.5, orderRef=ref), sends=True)

    @rule(pick=picks)
    def place_again(self, pick: int) -> None:
        if not self.intended:
            return
        ref, quantity = list(self.intended.items())[pick % len(self.intended)]
        before = self.book.by_ref.get(ref)
        self._start(self.book.place, stock(), limit_order("BUY", quantity, 9.5, orderRef=ref), sends=before is None)
        assert before is None or self.book.by_ref[ref] is before

    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        if self.book.trades:
            self._start(self._trade(pick).cancel)

    @rule(pick=picks, price=st.integers(900, 990))
    def modify(self, pick: int, price: int) -> None:
        if not self.book.trades:
            return
        trade = self._trade(pick)

        async def change() -> None:
            await trade.modify(lmtPrice=price / 100)

        at_tws = trade.order_id > 0 and trade.state in ("Working", "Inactive")
        self._start(change, sends=at_tws and not trade._changing.locked())

    def _trade(self, pick: int) -> Trade:
        return self.book.trades[pick % len(self.book.trades)]

    def _start(self, call: Any, *arguments: Any, sends: bool = False) -> None:
        """Begin something, and let it come to where it waits for TWS."""
        before = len(self.tws.requests)
        future = self.portal.start_task_soon(call, *arguments)
        self.futures.append(future)

        async def sent() -> None:
            with anyio.fail_after(60):
                while sends and not future.done() and len(self.tws.requests) == before:
                    await anyio.lowlevel.checkpoint()
            await settle()

        self.portal.call(sent)

    # --- TWS

    @rule(count=st.integers(1, 4))
    def read(self, count: int) -> None:
        for _ in range(count):
            self.tws.read_request()

    @rule(count=st.integers(1, 6))
    def deliver(self, count: int) -> None:
        self.portal.call(self.tws.deliver, count)
        self.portal.call(settle)

    def _alive(self) -> list[Order]:
        return [order for order in self.tws.orders.values() if not order.over]

    @rule(pick=picks, quantity=quantities)
    def fill(self, pick: int, quantity: int) -> None:
        if not self._alive():
            return
        order = self._alive()[pick % len(self._alive())]
        self.tws.fill(order, min(Decimal(quantity), order.quantity - order.filled))

    def _executions(self) -> list[tuple[Order, Execution]]:
        return [(order, each) for order in self.tws.orders.values() for each in order.executions]

    @rule(pick=picks, price=st.integers(900, 1100))
    def correct(self, pick: int, price: int) -> None:
        if not self._executions():
            return
        order, execution = self._executions()[pick % len(self._executions())]
        self.tws.correct(order, execution, price / 100)

    @rule(pick=picks)
    def tws_cancels(self, pick: int) -> None:
        if self._alive():
            self.tws.cancel(self._alive()[pick % len(self._alive())])

    @rule(pick=picks, code=st.sampled_from([201, 110, 10255]))
    def tws_rejects(self, pick: int, code: int) -> None:
        fresh = [order for order in self._alive() if not order.filled]
        if fresh:
            self.tws.reject(fresh[pick % len(fresh)], code)

    @rule(pick=picks, code=st.sampled_from([399, 404, 10349, 2137, 161, 10148]))
    def tws_remarks(self, pick: int, code: int) -> None:
        if not self.tws.orders:
            return
        order = list(self.tws.orders.values())[pick % len(self.tws.orders)]
        self.tws.error(order.order_id, code, "Warning: mind")

    # --- the wire

    @rule(pick=picks)
    def repeat(self, pick: int) -> None:
        if not self.tws.outgoing:
            return
        at = pick % len(self.tws.outgoing)
        self.tws.outgoing.insert(at, self.tws.outgoing[at])

    @rule(pick=picks)
    def swap(self, pick: int) -> None:
        out = self.tws.outgoing
        if len(out) < 2:
            return
        at = pick % (len(out) - 1)
        out[at], out[at + 1] = out[at + 1], out[at]

    @rule()
    def leave_out_a_status(self) -> None:
        for at, each in enumerate(self.tws.outgoing):
            if each[4:].startswith(ORDER_STATUS):
                del self.tws.outgoing[at]
                return

    # --- what must be so

    @invariant()
    def fills_are_their_orders(self) -> None:
        """At any moment: no fill that TWS did not make, none twice, none in the wrong place."""
        if self.session is None:
            return
        assert not self.tws.violations
        for trade in self.book.trades:
            order = self.tws.orders.get(trade.order_ref)
            made = {each.base: each for each in order.executions} if order else {}
            bases = [fill.exec_id.rpartition(".")[0] for fill in trade.fills]
            assert set(bases) <= set(made)
            assert len(set(bases)) == len(bases)

    def teardown(self) -> None:
        try:
            if self.session is not None:
                while self.tws.requests:
                    self.tws.read_request()
                self.portal.call(self.tws.deliver)
                self.portal.call(settle)
                self.portal.call(self.book.reconcile)
                assert_true(self.book, self.tws, self.intended)
                self._close()
        finally:
            self.portal_block.__exit__(None, None, None)
            shutil.rmtree(self.folder, ignore_errors=True)


BookMachine.TestCase.settings = settings(
    deadline=None,
    max_examples=15 * RUNS,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


TestOnTrio: Any = BookMachine.TestCase
