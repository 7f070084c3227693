"""Everything of the library that waits, but for single requests (``every_request``): a task for each, to be cancelled.

``waiting()`` finds all public coroutine functions and context managers. ``VICTIMS`` says which of them a victim
calls; that it does is measured, not believed.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from decimal import Decimal
from functools import partial
from types import CodeType, FrameType
from typing import Any, NamedTuple, Self

import anyio

import trio_ibtws
from tests.script import stock
from trio_ibtws import (
    BarStream,
    Client,
    OrderBook,
    OrderLimits,
    Rejected,
    TickBars,
    Trade,
    open_client,
    open_simulator,
    simulator,
)
from trio_ibtws._gen.requests_contracts import CONTRACT_DETAILS
from trio_ibtws.orders import bracket, limit_order, market_order
from trio_ibtws.simulator import ChaosProxy, Limits, Scenario, Simulator
from trio_ibtws.simulator._memory import memory_connection

FAR_BELOW, FAR_ABOVE = 1.0, 100_000.0
SCENARIO = Scenario(limits=Limits.off(), reset_at=None)

WITHOUT_A_VICTIM = {
    "OrderBook.restore": "called with a journal, whose file another thread writes: see tests/trading/test_crashes.py",
    "Trade.decided": "called by place() before anybody has the trade",
}
"""Public by name; tried by way of what calls them."""


def waiting() -> dict[str, CodeType]:
    """Return the code of every public function that is awaited or opened as a block, requests of the table left out."""
    found: dict[str, CodeType] = {}
    for namespace in (trio_ibtws, simulator):
        for name in dir(namespace):
            value = getattr(namespace, name)
            if not name.startswith("_") and getattr(value, "__module__", "").startswith("trio_ibtws"):
                members = _members(value) if inspect.isclass(value) else {name: value}
                found.update({member: code for member, each in members.items() if (code := _waits(each)) is not None})
    return found


def _members(kind: type) -> dict[str, Any]:
    special = ("__aenter__", "__aexit__", "__anext__")
    return {
        member.__qualname__: member
        for base in kind.__mro__
        if base.__module__.startswith("trio_ibtws") and "._gen." not in base.__module__
        for name, member in vars(base).items()
        if inspect.isfunction(member) and (not name.startswith("_") or name in special)
    }


def _waits(function: Any) -> CodeType | None:
    inner = inspect.unwrap(function) if callable(function) and not inspect.isclass(function) else None
    opens = "AbstractAsyncContextManager" in str(inspect.signature(inner).return_annotation) if inner else False
    if opens or inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner):
        return getattr(inner, "__code__", None)
    return None


# --- where a victim lives ----------------------------------------------------------------------------------------


class World(NamedTuple):
    """A simulator, a client of it, its book if the victim wants one, and an order there that is working."""

    sim: Simulator
    client: Client
    book: OrderBook
    trade: Trade


@asynccontextmanager
async def world(*, book: bool) -> AsyncGenerator[World]:
    async with open_simulator(port=None, scenario=SCENARIO) as sim:
        async with open_client(stream=await sim.connect(), client_id=1, trading=True) as client:
            if not book:
                yield World(sim, client, None, None)  # type: ignore[arg-type]
                return
            async with client.orders(journal=False, limits=OrderLimits(max_open_orders=None)) as orders:
                trade = await orders.place(stock(), limit_order("BUY", 5, FAR_BELOW, orderRef="old"))
                yield World(sim, client, orders, trade)


# --- contracts


async def find(at: World) -> None:
    found = await at.client.qualify([stock(), stock("IBM")], fresh=True)
    await at.client.round_price(found[0].one(), 10.123)
    await at.client.market_rules(found[1].one().details)


async def find_options(at: World) -> None:
    chain = await at.client.option_chain(stock())
    await at.client.option_contracts(chain, chain.expirations[:2], chain.strikes[:1])


async def call(at: World) -> None:
    await at.client.call(CONTRACT_DETAILS, stock())


# --- streams


async def follow_depth(at: World) -> None:
    contract = stock()
    contract.exchange = "ISLAND"
    async with at.client.depth(contract, 5) as books:
        await books.receive()
        await anext(books)


async def follow_bars(at: World) -> None:
    async with at.client.tick_by_tick_data(stock(), "Last", 10) as ticks:
        bars = BarStream(ticks, TickBars(2))
        await bars.receive()
        await anext(bars)


async def follow_quotes(at: World) -> None:
    async with at.client.mkt_data(stock()) as ticks:
        await ticks.receive()
        await ticks.receive_batch(2)
        await anext(ticks)
        await ticks.aclose()


async def follow_in_a_task(at: World) -> None:
    async with anyio.create_task_group() as tasks:
        ticks: Any = await tasks.start(at.client.mkt_data(stock()).run)
        async with aclosing(ticks):
            await ticks.receive()
        await ticks.wait_ended()


async def follow_a_group(at: World) -> None:
    async with at.client.subscribe_to_group_events(1) as group:
        with anyio.move_on_after(1):
            await group.receive()


async def wait_for_the_end(at: World) -> None:
    with anyio.move_on_after(1):
        await at.client.wait_closed()


# --- orders


async def place_without_a_book(at: World) -> None:
    async with at.client.place_order(stock(), market_order("BUY", 1)) as events:
        await events.receive()


async def place_and_wait(at: World) -> None:
    trade = await at.book.place(stock(), market_order("BUY", 3, orderRef="new"))
    await trade.filled()
    await trade.done()


async def place_several(at: World) -> None:
    await at.book.place_all([(stock(), limit_order("BUY", 1, FAR_BELOW)), (stock("IBM"), market_order("BUY", 1))])
    family = bracket(limit_order("BUY", 1, FAR_BELOW), take_profit=FAR_ABOVE, stop_loss=FAR_BELOW / 2)
    await at.book.place_bracket(stock(), family)


async def change_and_cancel(at: World) -> None:
    await at.trade.modify(totalQuantity=Decimal(7))
    await at.trade.cancel()


async def wait_for_a_change(at: World) -> None:
    with anyio.move_on_after(1):
        await at.trade.changed()


async def look(at: World) -> None:
    await at.book.what_if(stock(), market_order("BUY", 3))
    await at.book.reconcile()


async def exercise(at: World) -> None:
    outcome = await at.book.exercise_options(stock(), 1, 1, "", 0, "", "", False)  # which is no option
    assert isinstance(outcome, Rejected)


async def kill_and_resume(at: World) -> None:
    await at.book.kill()
    await at.book.resume()


async def open_a_book(at: World) -> None:
    async with at.client.orders(journal=False):
        pass


async def open_the_state(at: World) -> None:
    async with at.client.state() as state:
        await state.positions.ready()
        await state.refresh()
        with anyio.move_on_after(5):
            await state.pnl.changed()


# --- the simulator


async def connect_again(at: World) -> None:
    async with open_client(stream=await at.sim.connect(), client_id=2):
        pass


async def open_another(_: World) -> None:
    async with open_simulator(port=None, scenario=SCENARIO):
        pass


async def serve(at: World) -> None:
    ours, theirs = memory_connection()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(at.sim.serve, ours)
        async with open_client(stream=theirs, client_id=2):
            pass


async def listen(at: World) -> None:
    await at.sim.listen(0)


async def spoil(_: World) -> None:
    async with anyio.create_task_group() as tasks:
        await tasks.start(ChaosProxy("127.0.0.1", 1).run)
        tasks.cancel_scope.cancel()


class Victim(NamedTuple):
    """A task, what of the library it waits in, and whether it wants a book."""

    run: Callable[[World], Coroutine[Any, Any, None]]
    waits_in: str
    book: bool = False


VICTIMS = [
    Victim(find, "ContractFinder.qualify ContractFinder.round_price ContractFinder.market_rules"),
    Victim(
        find_options,
        "ContractFinder.option_chain ContractFinder.option_chains ContractFinder.option_contracts",
    ),
    Victim(call, "Client.call"),
    Victim(
        follow_depth,
        "DepthSubscription.__aenter__ DepthSubscription.__aexit__ DepthStream.receive DepthStream.__anext__",
    ),
    Victim(follow_bars, "BarStream.receive BarStream.__anext__"),
    Victim(
        follow_quotes,
        "Subscription.__aenter__ Subscription.__aexit__ EventStream.receive EventStream.receive_batch "
        "EventStream.__anext__ EventStream.aclose",
    ),
    Victim(follow_in_a_task, "Subscription.run EventStream.wait_ended"),
    Victim(follow_a_group, "GroupSubscription.__aenter__"),
    Victim(wait_for_the_end, "Client.wait_closed"),
    Victim(place_without_a_book, "OrderSubscription.__aenter__"),
    Victim(place_and_wait, "OrderBook.place Trade.filled Trade.done", book=True),
    Victim(place_several, "OrderBook.place_all OrderBook.place_bracket", book=True),
    Victim(change_and_cancel, "Trade.modify Trade.cancel", book=True),
    Victim(wait_for_a_change, "Trade.changed", book=True),
    Victim(look, "OrderBook.what_if OrderBook.reconcile", book=True),
    Victim(exercise, "OrderBook.exercise_options", book=True),
    Victim(kill_and_resume, "OrderBook.kill OrderBook.resume", book=True),
    Victim(open_a_book, "Client.orders"),
    Victim(open_the_state, "Client.state AccountState.refresh View.ready View.changed"),
    Victim(connect_again, "open_client Simulator.connect"),
    Victim(open_another, "open_simulator"),
    Victim(serve, "Simulator.serve"),
    Victim(listen, "Simulator.listen"),
    Victim(spoil, "ChaosProxy.run"),
]


# --- what happens to it ------------------------------------------------------------------------------------------

Run = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Coroutine[Any, Any, None]]
"""Runs a victim, and cancels it somewhere."""


async def try_one(victim: Victim, run: Run) -> None:
    """Let *run* cancel a victim, and look whether anything is left of it, and whether all can be used as before."""
    async with world(book=victim.book) as at:
        await anyio.sleep(1)
        before = at.client.stats().open_requests
        await run(partial(victim.run, at))
        await anyio.sleep(11)  # what drains has drained
        if at.client.stats().open_requests != before:
            await anyio.sleep(1)  # that was the probe of an idle connection
        stats = at.client.stats()
        assert (stats.open_requests, stats.unsent_frames, stats.decode_errors) == (before, 0, 0)
        await at.client.qualify(stock(), fresh=True)
        if victim.book:
            states = [trade.state for trade in at.book.trades]
            await at.book.reconcile()
            assert [trade.state for trade in at.book.trades] == states
            assert len({trade.order_ref for trade in at.book.trades}) == len(states)
        assert at.sim.clients == (1,)


class Calls:
    """The code of what is called while it is open."""

    def __init__(self) -> None:
        self.seen: set[CodeType] = set()

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            self.seen.add(frame.f_code)

    def __enter__(self) -> Self:
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
