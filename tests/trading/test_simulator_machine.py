"""A search for a story after which the book and the shipped simulator disagree.

Orders are placed, changed, cancelled and filled by the simulated market, in parts; executions are corrected; messages
are repeated, swapped and lost; connections break at a chosen message; the process dies at a chosen effect, and a new
one begins with its journal. Time is virtual and passes when a rule says so. Another client uses the same references,
and is the witness of what the simulator has. ``TRIO_IBTWS_ORDER_RUNS=100`` searches a hundred times as long; hypothesis
prints how to play a failure again.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.script import stock
from tests.trading.dying import Dying, Fuse, arm
from tests.trading.test_simulator_stories import STATES, Seen
from tests.trading.virtual import Time, backend
from trio_ibtws import IBError, OrderBook, OrderLimits, Pacer, Trade, open_client, open_simulator
from trio_ibtws.orders import limit_order, market_order
from trio_ibtws.simulator import Limits, Scenario, Simulator

RUNS = int(os.environ.get("TRIO_IBTWS_ORDER_RUNS", "1"))
CLIENT, WITNESS = 7, 8
FOREVER = 10**9
NO_LIMITS = OrderLimits(max_open_orders=None, max_orders_per_minute=None)
TALE = ("openOrder", "orderStatus", "execDetails", "commissionReport")
"""What TWS says of an order."""

picks = st.integers(0, 1_000_000)


class SimulatorMachine(RuleBasedStateMachine):
    """One account, two clients, and what can happen to the first one's orders."""

    backend = "trio"

    def __init__(self) -> None:
        super().__init__()
        self.time = Time()
        self.intended: dict[str, tuple[str, int]] = {}
        self.prices: dict[str, float] = {}
        self.corrected: set[str] = set()
        self.futures: list[Future[Any]] = []
        self.folder = Path(tempfile.mkdtemp(prefix="trio_ibtws_"))
        name, options = backend(self.backend, self.time)
        self.portal_block = start_blocking_portal(name, options)
        self.portal = self.portal_block.__enter__()
        self.portal.call(self.time.watch)
        self.time.until = 0.0
        self.fuse: Fuse
        self.simulator: AbstractContextManager[Simulator] | None = None
        self.session: AbstractContextManager[OrderBook] | None = None
        self.sim: Simulator
        self.book: OrderBook

    # --- sessions

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed: int) -> None:
        scenario = Scenario(limits=Limits.off(), reset_at=None, cash=Decimal(10_000_000))
        self.simulator = self.portal.wrap_async_context_manager(open_simulator(port=None, seed=seed, scenario=scenario))
        self.sim = self.simulator.__enter__()
        self._open()

    def _open(self) -> None:
        self.fuse = self.portal.call(Fuse, FOREVER)
        self.session = self.portal.wrap_async_context_manager(self._opened())
        self.book = self.session.__enter__()
        self._agree()

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[OrderBook]:
        stream = Dying(await self.sim.connect(), self.fuse, random.Random(0))
        async with (
            open_client(stream=stream, client_id=CLIENT, trading=True, pacer=Pacer(rate=None)) as client,
            client.orders(
                journal=self.folder / "journal", recheck=0.0, answer_within=60.0, drain_within=1.0, limits=NO_LIMITS
            ) as book,
        ):
            arm(book, self.fuse)
            yield book

    def _close(self) -> None:
        if self.session is not None:
            self.session.__exit__(None, None, None)
            self.session = None
        for future in self.futures:
            with suppress(IBError):
                future.result(timeout=10)  # it has ended, one way or the other
        self.futures.clear()

    @rule(effects=st.integers(0, 6), quantity=st.integers(1, 900), rolled_back=st.integers(0, 4))
    def kill_9(self, effects: int, quantity: int, rolled_back: int) -> None:
        """The process dies while it places an order, at the so-manieth commit or write."""
        self.fuse.left = effects
        self.place("market", quantity)
        self.fuse.left = -1
        self.portal.call(self.sim.faults.clear)
        self._close()
        self.portal.call(self.sim.faults.roll_back_ids, rolled_back)
        self._open()

    @rule(reset=st.booleans())
    def disconnect(self, reset: bool) -> None:
        """The connection breaks, and a new session begins in the same process."""
        self.portal.call(lambda: self.sim.disconnect(CLIENT, reset=reset))
        self._quiet()
        self.leave_and_open()

    @rule(name=st.sampled_from([*TALE, "placeOrder", "cancelOrder"]), how=st.sampled_from(["", " reset"]))
    def disconnect_at(self, name: str, how: str) -> None:
        """The connection will break around the next such message."""
        self._script(f"die {'before' if name in TALE else 'after'} {name}{how} client={CLIENT}")

    def _script(self, step: str) -> None:
        self.portal.call(self.sim.run_script, step)
        self._quiet()

    @rule()
    def leave_and_open(self) -> None:
        self.portal.call(self.sim.faults.clear)
        self._close()
        self._open()

    # --- the user

    @rule(kind=st.sampled_from(["market", "resting", "marketable"]), quantity=st.integers(1, 900))
    def place(self, kind: str, quantity: int) -> None:
        ref = f"r{len(self.intended)}"
        self.intended[ref] = kind, quantity
        self._start(self.book.place, stock(), self._order(ref))

    def _order(self, ref: str) -> Any:
        kind, quantity = self.intended[ref]
        if kind == "market":
            return market_order("BUY", quantity, orderRef=ref)
        return limit_order("BUY", quantity, 1.0 if kind == "resting" else 10_000.0, orderRef=ref)

    @rule(pick=picks)
    def place_again(self, pick: int) -> None:
        if self.intended:
            self._start(self.book.place, stock(), self._order(self._ref(pick)))

    def _ref(self, pick: int) -> str:
        return list(self.intended)[pick % len(self.intended)]

    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        if self.book.trades:
            self._start(self._trade(pick).cancel)

    @rule(pick=picks, quantity=st.integers(1, 1200))
    def modify(self, pick: int, quantity: int) -> None:
        if self.book.trades:
            self._start(lambda: self._trade(pick).modify(totalQuantity=Decimal(quantity)))

    def _trade(self, pick: int) -> Trade:
        return self.book.trades[pick % len(self.book.trades)]

    def _start(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Begin something, and let it come to where it waits for TWS or for time to pass."""
        self.futures.append(self.portal.start_task_soon(call, *arguments))
        self._quiet()

    def _quiet(self) -> None:
        async def quiet() -> None:
            limiter = anyio.to_thread.current_default_thread_limiter()
            for _ in range(4):
                await self._settled()
                while limiter.borrowed_tokens:
                    await anyio.lowlevel.checkpoint()

        self.portal.call(quiet)

    async def _settled(self) -> None:
        if self.backend == "trio":
            await anyio.wait_all_tasks_blocked()
            return
        for _ in range(30):  # anyio's own would look again in a tenth of a second, which may not pass
            await anyio.lowlevel.checkpoint()

    # --- the world

    @rule(seconds=st.integers(1, 5))
    def time_passes(self, seconds: int) -> None:
        async def pass_on() -> None:
            self.time.until += seconds
            await anyio.sleep(seconds)

        self.portal.call(pass_on)
        self._quiet()

    @rule(pick=picks, cents=st.integers(100, 9900))
    def correct(self, pick: int, cents: int) -> None:
        """TWS tells a fill anew, with another price."""
        fills = [(trade, fill) for trade in self.book.trades for fill in trade.fills if trade.client_id == CLIENT]
        if not fills or CLIENT not in self.sim.clients:
            return
        trade, fill = fills[pick % len(fills)]
        base, _, revision = fill.exec_id.rpartition(".")
        exec_id = f"{base}.{int(revision) + 1:02d}"
        if exec_id in self.prices:
            return
        self.prices[exec_id] = cents / 100
        self.corrected.add(exec_id)
        values = {**vars(fill.execution), "execId": exec_id, "price": cents / 100}
        values |= {"permId": trade.perm_id, "clientId": CLIENT, "orderRef": trade.order_ref, "shares": fill.quantity}
        contract = {"symbol": "AAPL", "secType": "STK", "exchange": "SMART", "currency": "USD", "conId": 265598}
        self.portal.call(lambda: self._send_correction(trade.order_id, contract, values))
        self._quiet()

    def _send_correction(self, order_id: int, contract: dict[str, Any], values: dict[str, Any]) -> None:
        execution = {name: values.get(name, "") for name in ("execId", "time", "acctNumber", "exchange", "side")}
        execution |= {name: values[name] for name in ("shares", "price", "permId", "clientId", "orderRef")}
        execution |= {"cumQty": values["shares"], "avgPrice": values["price"]}
        self.sim.send(
            "execDetails", client_id=CLIENT, reqId=-1, orderId=order_id, contract=contract, execution=execution
        )

    @rule(pick=picks)
    def another_client_has_the_same_reference(self, pick: int) -> None:
        if not self.intended:
            return
        ref = self._ref(pick)

        async def place() -> None:
            async with (
                open_client(
                    stream=await self.sim.connect(), client_id=WITNESS, trading=True, pacer=Pacer(rate=None)
                ) as client,
                client.orders(journal=False, recheck=0.0, limits=NO_LIMITS) as book,  # ids are rolled back for it too
            ):
                await book.place(stock(), market_order("SELL", 3, orderRef=ref))

        self.portal.call(place)

    @rule(what=st.sampled_from(["duplicate", "swap"]), name=st.sampled_from(TALE), count=st.integers(1, 3))
    def repeat_and_reorder(self, what: str, name: str, count: int) -> None:
        self._script(f"{what} {name} {count} client={CLIENT}")

    @rule()
    def a_status_is_left_out(self) -> None:
        self._script(f"drop orderStatus client={CLIENT}")

    # --- what must be so

    @invariant()
    def nothing_is_sent_twice(self) -> None:
        if self.session is None:
            return
        ids: dict[str, set[int]] = {}
        for request in self.sim.received:
            if request.name == "placeOrder" and request.client_id == CLIENT:
                ids.setdefault(request.values["order"]["orderRef"], set()).add(request.values["orderId"])
        assert all(len(numbers) == 1 for numbers in ids.values()), f"an order was sent twice: {ids}"
        assert len(set.union(set(), *ids.values())) == len(ids), f"an order id was used twice: {ids}"

    async def _ledger(self) -> dict[str, Seen]:
        """Return what the witness sees of the other one's orders, by reference."""
        found: dict[str, Seen] = {}
        refs: dict[int, str] = {}
        async with open_client(stream=await self.sim.connect(), client_id=WITNESS) as client:
            rows: list[Any] = [*await client.all_open_orders(), *await client.completed_orders(False)]
            for row in rows:
                refs[row.order.permId] = row.order.orderRef
                found.setdefault(str(row.order.permId), Seen(row.order_state.status, set()))
            for details in await client.executions():
                it = details.execution
                found[str(it.permId)].executions.add((it.execId, Decimal(it.shares), it.price))
                if it.clientId != CLIENT:
                    refs.pop(it.permId, None)
            for row in await client.all_open_orders():
                if row.order.clientId != CLIENT:
                    refs.pop(row.order.permId, None)
        return {ref: found[str(perm_id)] for perm_id, ref in refs.items()}

    def _agree(self) -> None:
        """The book has what the simulator has, and nothing else."""
        self._quiet()
        ledger: dict[str, Seen] = self.portal.call(self._ledger)
        trades: Any = self.book.by_ref
        for ref, order in ledger.items():
            assert ref in trades, f"{ref} is lost"
            trade = trades[ref]
            assert order.status in STATES.get(trade.state, ()), f"{ref} is {order.status}, the book says {trade.state}"
            self._agree_on_fills(trade, order)
        for ref in set(trades) - set(ledger):
            assert trades[ref].state in ("NotFound", "NotSent"), f"{ref} never reached TWS: {trades[ref].state}"
            assert not trades[ref].fills
        for ref in set(self.intended) - set(ledger):
            assert ref not in trades or trades[ref].state in ("NotFound", "NotSent")

    def _agree_on_fills(self, trade: Trade, order: Seen) -> None:
        truth = {exec_id.rpartition(".")[0]: (quantity, price) for exec_id, quantity, price in order.executions}
        got = {fill.exec_id.rpartition(".")[0]: fill for fill in trade.fills}
        assert len(got) == len(trade.fills), "a fill stands twice"
        assert set(got) == set(truth), f"{trade}: {sorted(got)} in the book, {sorted(truth)} at TWS"
        for base, fill in got.items():
            quantity, price = truth[base]
            assert fill.quantity == quantity
            assert fill.price == self.prices.get(fill.exec_id, price), "a correction is that of another one"
            newest = max((each for each in self.corrected if each.startswith(f"{base}.")), default=fill.exec_id)
            assert fill.exec_id >= newest, "a correction is lost"

    def teardown(self) -> None:
        try:
            if self.session is not None:
                self.portal.call(self.sim.faults.clear)
                self.time_passes(5)
                if CLIENT not in self.sim.clients:
                    self.leave_and_open()
                self.portal.call(self.book.reconcile)
                self._agree()
                self._close()
        finally:
            if self.simulator is not None:
                self.simulator.__exit__(None, None, None)
            self.portal_block.__exit__(None, None, None)
            shutil.rmtree(self.folder, ignore_errors=True)


class OnAsyncio(SimulatorMachine):
    """The same, on the other backend."""

    backend = "asyncio"


SimulatorMachine.TestCase.settings = OnAsyncio.TestCase.settings = settings(
    deadline=None,
    max_examples=8 * RUNS,
    stateful_step_count=30,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)

TestOnTrio: Any = SimulatorMachine.TestCase
TestOnAsyncio: Any = OnAsyncio.TestCase
