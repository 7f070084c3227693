"""A subscription that somebody forgot to open: it says so, and what to write."""

from __future__ import annotations

import gc
import re
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from tests import script
from tests.peer import connected
from tests.script import assert_usable, stock
from trio_ibtws import Client, InvalidRequest, PacingViolation, blocking, open_client, open_simulator
from trio_ibtws.contracts import stock as us_stock
from trio_ibtws.orders import market_order

pytestmark = pytest.mark.anyio

HOW = r"async with \.\.\. as events: async for event in events"


async def iterated(subscription: Any) -> None:
    async for _ in subscription:
        pass


async def awaited(subscription: Any) -> None:
    await subscription


async def iterated_plainly(subscription: Any) -> None:
    for _ in subscription:
        pass


FORGOTTEN: list[tuple[Callable[[Any], Awaitable[None]], str]] = [
    (iterated, "is not open, and cannot be iterated over"),
    (awaited, "is a subscription, and cannot be awaited"),
    (iterated_plainly, "is not open, and cannot be iterated over"),
]


@pytest.mark.parametrize(("use", "complaint"), FORGOTTEN)
@pytest.mark.parametrize(
    ("make", "method"),
    [
        (lambda client: client.mkt_data(stock("A")), "reqMktData"),
        (lambda client: client.place_order(stock("A"), market_order("BUY", 1)), "placeOrder"),
        (lambda client: client.subscribe_to_group_events(1), "reqSubscribe|subscribeToGroupEvents"),
        (lambda client: client.order_events(), r"order_events\(\)"),
        (lambda client: client.notices(), r"notices\(\)"),
        (lambda client: client.depth(stock("A")), "reqMktDepth"),
    ],
)
async def test_using_it_unopened_says_what_to_write(
    make: Callable[[Client], Any], method: str, use: Callable[[Any], Awaitable[None]], complaint: str
) -> None:
    async with connected(trading=True) as (client, peer):
        with pytest.raises(TypeError, match=f"^({method}) {complaint}: {HOW}"):
            await use(make(client))
        await assert_usable(client, peer)


async def test_dropping_an_order_warns_that_nothing_was_sent() -> None:
    async with connected(trading=True) as (client, peer):
        client.mkt_data(stock("A"))  # nothing is lost with this one
        with pytest.warns(RuntimeWarning, match=f"placeOrder was never opened, so that nothing was sent: {HOW}"):
            client.place_order(stock("A"), market_order("BUY", 1))  # which in other libraries is an order
        await assert_usable(client, peer)


async def test_one_that_was_cancelled_while_it_opened_does_not_warn() -> None:
    async with connected() as (client, peer):
        with anyio.CancelScope() as scope:
            scope.cancel()
            async with client.mkt_data(stock("A")):
                pytest.fail("opened")
        async with anyio.create_task_group() as tasks:
            tasks.cancel_scope.cancel()
            await tasks.start(client.mkt_data(stock("A")).run)
        gc.collect()
        await assert_usable(client, peer)


async def test_it_shows_whether_it_is_open() -> None:
    async with connected() as (client, _):
        subscription = client.mkt_data(stock("A"))
        assert re.fullmatch(f"<Subscription of reqMktData, not open: {HOW}.*>", repr(subscription))
        async with subscription:
            assert repr(subscription) == "<Subscription of reqMktData>"


def test_blocking_says_with() -> None:
    how = r"with \.\.\. as events: for event in events"
    with blocking(simulate=True) as tws:
        unopened: Any = tws.mkt_data(us_stock("AAPL"))
        with pytest.raises(TypeError, match=f"^reqMktData is not open, and cannot be iterated over: {how}"):
            iter(unopened)
        tws.pnl("DU1", "")
        with pytest.warns(RuntimeWarning, match=f"placeOrder was never opened, so that nothing was sent: {how}"):
            tws.place_order(us_stock("AAPL"), market_order("BUY", 1))


@pytest.mark.parametrize("what", ["SCHEDULE", "schedule"])
async def test_bars_of_a_schedule_are_another_request(what: str) -> None:
    """TWS answers it with sessions and no end marker, for which a query of bars would wait for ever."""
    async with open_simulator(port=None) as sim, open_client(stream=await sim.connect()) as client:
        with pytest.raises(InvalidRequest, match=r"use historical_schedule\(\). Nothing was sent") as caught:
            await client.historical_data(us_stock("AAPL"), "", "1 M", "1 day", what)
        assert caught.value.field == "whatToShow"
        with pytest.raises(InvalidRequest, match=r"use historical_schedule\(\)"):
            async with client.historical_data_stream(us_stock("AAPL"), "1 M", "1 day", what):
                pass
        assert client.stats().open_requests == 0


async def test_an_error_says_what_to_do_where_tws_does_not() -> None:
    async with connected() as (client, peer):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(refuse, peer, 162, "Historical Market Data Service error message: pacing violation.")
            with pytest.raises(PacingViolation) as caught:
                await client.historical_data(stock("A"), "", "1 D", "1 hour", "TRADES")
        assert caught.value.message.endswith("pacing violation.")
        assert str(caught.value).endswith("pacing violation; " + caught.value.advice)
        assert "15 seconds" in caught.value.advice


async def refuse(peer: Any, code: int, text: str) -> None:
    words = await peer.receive()
    await peer.send(script.error(next(word for word in words if word.startswith("15000")), code, text))
