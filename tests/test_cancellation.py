"""Cancelling a request, in every shape and at every point of its life, leaves nothing of it behind.

Before it was encoded nothing is sent; an unwritten frame is taken back; behind a written one goes its cancel message,
once, where TWS has one; a request without an id drains. After each the connection answers the next query.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, NamedTuple

import anyio
import anyio.lowlevel
import pytest

from tests import script
from tests.peer import Peer, connected, text
from tests.script import assert_usable, bars_end, details_end, error, market_rule, settle, stock, tick, time_is
from trio_ibtws import Client

pytestmark = pytest.mark.anyio


class Shape(NamedTuple):
    """One way to ask."""

    use: Callable[[Client], Coroutine[Any, Any, Any]]
    sent: str
    answer: Callable[[str], bytes]
    cancel: str | None
    by_id: bool = True


async def stream(client: Client) -> None:
    async with client.mkt_data(stock()) as ticks:
        async for _ in ticks:
            pass


async def lane_stream(client: Client) -> None:
    async with client.positions_stream() as positions:
        async for _ in positions:
            pass


async def run_stream(client: Client) -> None:
    async with anyio.create_task_group() as tasks:
        await tasks.start(client.mkt_data(stock()).run)


def history(client: Client) -> Coroutine[Any, Any, Any]:
    return client.historical_data(stock(), "", "1 D", "1 day", "TRADES")


SHAPES = {
    "list": Shape(lambda client: client.contract_details(stock()), script.CONTRACT_DETAILS, details_end, None),
    "list with a cancel": Shape(history, script.HISTORICAL_DATA, bars_end, script.CANCEL_HISTORICAL_DATA),
    "stream": Shape(stream, script.MKT_DATA, lambda id: tick(id, "x"), script.CANCEL_MKT_DATA),
    "stream in a task": Shape(run_stream, script.MKT_DATA, lambda id: tick(id, "x"), script.CANCEL_MKT_DATA),
    "one by value": Shape(
        lambda client: client.market_rule(26), script.MARKET_RULE, lambda _: market_rule(26, 0.01), None, False
    ),
    "clock": Shape(
        lambda client: client.current_time(), script.CURRENT_TIME, lambda _: time_is(1700000000), None, False
    ),
    "lane": Shape(
        lambda client: client.open_orders(), script.OPEN_ORDERS, lambda _: script.OPEN_ORDER_END, None, False
    ),
    "lasting lane": Shape(
        lambda client: client.positions(),
        script.POSITIONS,
        lambda _: script.POSITION_END,
        script.CANCEL_POSITIONS,
        False,
    ),
    "lane stream": Shape(lane_stream, script.POSITIONS, lambda _: script.POSITION_END, script.CANCEL_POSITIONS, False),
}


@pytest.fixture(params=list(SHAPES.values()), ids=list(SHAPES))
def shape(request: pytest.FixtureRequest) -> Shape:
    found: Shape = request.param
    return found


def id_of(words: list[str]) -> str:
    """Return the request id of a message, which stands in the first or the second place."""
    return next(word for word in words[1:3] if word.startswith("15000"))


async def finish(client: Client, peer: Peer, shape: Shape, words: list[str]) -> None:
    """Answer what was abandoned, and check that it has left nothing but its cancel message."""
    if shape.by_id:
        request_id = id_of(words)
        if shape.cancel is not None:
            cancel = await peer.receive()
            assert (cancel[0], cancel[-1]) == (shape.cancel, request_id)
        before = client.stats().late_frames
        echoes = [error(request_id, code, "the echo of a cancel") for code in (162, 300, 310, 366)]
        await peer.send(shape.answer(request_id), *echoes)
        await assert_usable(client, peer)
        assert client.stats().late_frames == before + 5
        assert client.stats().notices == 0
    else:
        assert client.stats().open_requests == 1  # it drains
        await peer.send(shape.answer(""))
        if shape.cancel is not None:
            assert (await peer.receive())[0] == shape.cancel
        await assert_usable(client, peer)
    assert client.stats().open_requests == 0
    assert client.stats().unsent_frames == 0


# --- by a scope


async def test_cancelled_before_it_was_encoded(shape: Shape) -> None:
    async with connected() as (client, peer):
        before = client.stats()
        with anyio.CancelScope() as scope:
            scope.cancel()
            await shape.use(client)
        assert scope.cancelled_caught
        assert client.stats() == before
        await assert_usable(client, peer)


async def test_cancelled_while_it_is_unwritten(shape: Shape) -> None:
    """The peer takes nothing, so that the frame stays with us; then it is taken back."""
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        await clog(client)
        before = client.stats()
        scope = anyio.CancelScope()

        async def use() -> None:
            with scope:
                await shape.use(client)

        tasks.start_soon(use)
        await settle()
        assert client.stats().unsent_frames == before.unsent_frames + 1
        scope.cancel()
        await settle()
        assert scope.cancelled_caught
        assert client.stats() == before
        await unclog(peer)
        await settle()
        if shape.sent == script.CURRENT_TIME:
            assert client.stats().open_requests == 0
        await assert_usable(client, peer)


_HUGE = ["14", "1", "9" * 200_000]


async def clog(client: Client) -> None:
    """Fill the connection with one huge frame that the peer does not take."""
    client._connection.session.outbox.append(text(*_HUGE))
    await settle()


async def unclog(peer: Peer) -> None:
    assert await peer.receive() == _HUGE


async def test_cancelled_after_it_was_written(shape: Shape) -> None:
    async with connected() as (client, peer):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(shape.use, client)
            words = await peer.receive()
            assert words[0] == shape.sent
            assert client.stats().open_requests == 1
            tasks.cancel_scope.cancel()
        await finish(client, peer, shape, words)


async def test_cancelled_after_the_answer_came(shape: Shape) -> None:
    """The answer and the cancellation come in the same turn; whichever wins, nothing is left and nothing is doubled."""
    async with connected() as (client, peer):
        for steps in range(8):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(shape.use, client)
                words = await peer.receive()
                await peer.send(shape.answer(id_of(words) if shape.by_id else ""))
                for _ in range(steps):
                    await anyio.lowlevel.checkpoint()
                tasks.cancel_scope.cancel()
            await settle()
            assert await cancels_before_the_next(client, peer, shape.cancel) <= 1
            assert client.stats().open_requests == 0
            if shape.sent == script.CURRENT_TIME:
                return  # the next one waits 4.5 seconds


async def cancels_before_the_next(client: Client, peer: Peer, cancel: str | None) -> int:
    """Ask something; return how many cancel messages went before it."""
    cancels = 0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.contract_details, stock("PROBE"))
        while (words := await peer.receive())[0] == cancel:
            cancels += 1
        assert "PROBE" in words
        await peer.send(details_end(words[2]))
    return cancels


async def test_a_deadline_of_the_caller(shape: Shape) -> None:
    async with connected() as (client, peer):
        words: list[str] = []
        with pytest.raises(TimeoutError):
            with anyio.fail_after(3600) as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(shape.use, client)
                    words = await peer.receive()
                    scope.deadline = anyio.current_time() - 1
        await finish(client, peer, shape, words)


async def test_a_waiting_caller_who_leaves_the_queue_changes_nothing_for_the_others() -> None:
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        answered: list[str] = []

        async def ask(name: str, query: Callable[[], Awaitable[Any]]) -> None:
            await query()
            answered.append(name)

        tasks.start_soon(ask, "first", client.open_orders)
        await settle()
        scope = anyio.CancelScope()

        async def leave() -> None:
            with scope:
                await client.positions()

        tasks.start_soon(leave)
        await settle()
        tasks.start_soon(ask, "third", client.all_open_orders)
        await settle()
        scope.cancel()
        assert (await peer.receive())[0] == script.OPEN_ORDERS
        await peer.send(script.OPEN_ORDER_END)
        assert (await peer.receive())[0] == script.ALL_OPEN_ORDERS  # positions was never sent
        await peer.send(script.OPEN_ORDER_END)
        await settle()
        assert answered == ["first", "third"]


async def test_one_of_two_who_share_an_answer_leaves() -> None:
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        results: list[Any] = []
        scope = anyio.CancelScope()
        both = anyio.Event()

        async def ask(scope: anyio.CancelScope) -> None:
            with scope:
                await both.wait()
                results.append(await client.managed_accts())

        tasks.start_soon(ask, scope)
        tasks.start_soon(ask, anyio.CancelScope())
        await settle()
        both.set()
        assert (await peer.receive())[0] == "17"
        scope.cancel()
        await settle()
        await peer.send(peer.accounts("DU7"))
        await settle()
        assert results == ["DU7"]
        await assert_usable(client, peer)


# --- natively, at every await


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_native_cancel_after_each_turn_of_the_loop(shape: Shape) -> None:
    """asyncio's ``Task.cancel()`` after k turns, for every k up to where the request has long been answered."""
    for turns in range(14):
        async with connected() as (client, peer):
            seen: list[list[str]] = []
            serving = asyncio.create_task(serve(peer, shape, seen))
            victim = asyncio.create_task(shape.use(client))
            for _ in range(turns):
                await asyncio.sleep(0)
            victim.cancel()
            await asyncio.wait([victim])
            await settle()
            serving.cancel()
            await asyncio.wait([serving])
            assert client.stats().open_requests == 0, turns
            assert client.stats().unsent_frames == 0
            sent = [words for words in seen if words[0] == shape.sent]
            cancels = [words for words in seen if words[0] == shape.cancel]
            assert len(sent) <= 1
            assert len(cancels) <= len(sent), turns
            if sent and shape.cancel and (shape.use in (stream, run_stream) or not shape.by_id):
                assert len(cancels) == 1, turns
            await assert_usable(client, peer)


async def serve(peer: Peer, shape: Shape, seen: list[list[str]]) -> None:
    """Answer the one request, and keep everything that came."""
    while True:
        words = await peer.receive()
        seen.append(words)
        if words[0] == shape.sent:
            await peer.send(shape.answer(id_of(words) if shape.by_id else ""))


@types.coroutine
def drive(coroutine: Coroutine[Any, Any, Any], at: int, cancel: Callable[[], object]) -> Generator[Any, Any, Any]:
    """Drive *coroutine*, and call *cancel* when it waits for the *at*-th time; return how often it had waited."""
    count, value, error = 0, None, None
    while True:
        try:
            waits_for = coroutine.send(value) if error is None else coroutine.throw(error)
        except StopIteration:
            return count
        count += 1
        if count == at:
            cancel()
        value = error = None
        try:
            value = yield waits_for
        except BaseException as exc:
            error = exc


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_native_cancel_at_every_await_of_the_victim(shape: Shape) -> None:
    for at in range(1, 12):  # none of them waits more often than that
        async with connected() as (client, peer):
            seen: list[list[str]] = []
            serving = asyncio.create_task(serve(peer, shape, seen))
            victim = asyncio.create_task(cancel_at(shape.use(client), at))
            await settle()
            if not victim.done():  # a stream that waits for the next event: every await has been tried
                victim.cancel()
            await asyncio.wait([victim])
            await settle()
            serving.cancel()
            await asyncio.wait([serving])
            assert client.stats().open_requests == 0, at
            sent = [words for words in seen if words[0] == shape.sent]
            cancels = [words for words in seen if words[0] == shape.cancel]
            assert len(cancels) <= len(sent) <= 1, at
            await assert_usable(client, peer)


async def cancel_at(coroutine: Coroutine[Any, Any, Any], at: int) -> int:
    task = asyncio.current_task()
    assert task is not None
    waits: int = await drive(coroutine, at, task.cancel)
    return waits
