"""Cancelled at every step: a scope is cancelled at the k-th step that any task takes, for every k.

The steps of all tasks count, the reader's, the writer's and the peer's too: a request is cancelled between any two
things that happen. After each, nothing of it is left: no open request, no unsent or half frame, its cancel message
once where it had gone out and TWS was not done with it, and the connection answers the next query.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple

import anyio
import pytest
import trio
import trio.testing
from trio.testing import MockClock

from tests import script
from tests.peer import TEXT, Peer, connected
from tests.script import (
    assert_usable,
    bars_end,
    details_end,
    limit_order,
    market_rule,
    open_peer,
    order_status,
    position,
    running,
    stock,
    tick,
    time_is,
)
from tests.steps import CancelAt, at_every_step
from trio_ibtws import Client, open_client
from trio_ibtws.simulator._memory import MemoryStream

pytestmark = pytest.mark.trio


# --- requests


class Shape(NamedTuple):
    """A request, what the peer answers to each of its frames, and what cancels it."""

    use: Callable[[Client], Awaitable[object]]
    sent: str
    answers: Callable[[str], tuple[bytes, ...]]
    cancel: str | None
    always: bool  # it is cancelled however it ends


async def stream(client: Client) -> None:
    async with client.mkt_data(stock()) as ticks:
        for _ in range(3):
            await ticks.receive()


async def batches(client: Client) -> None:
    async with client.mkt_data(stock(), overflow="drop_oldest", buffer=2, share=True) as ticks:
        await ticks.receive_batch()
        await ticks.receive()


async def run(client: Client) -> None:
    async with trio.open_nursery() as nursery:
        ticks: Any = await nursery.start(client.mkt_data(stock()).run)
        await ticks.receive()
        nursery.cancel_scope.cancel()


async def lane_stream(client: Client) -> None:
    async with client.positions_stream() as positions:
        for _ in range(3):
            await positions.receive()


async def summary_stream(client: Client) -> None:
    async with client.account_summary_stream("All", "NetLiquidation") as rows:
        for _ in range(2):
            await rows.receive()


def ticks(request_id: str) -> tuple[bytes, ...]:
    return tuple(tick(request_id, number) for number in range(4))


SHAPES = {
    "one": Shape(
        lambda client: client.market_rule(26), script.MARKET_RULE, lambda _: (market_rule(26, 1),), None, False
    ),
    "clock": Shape(lambda client: client.current_time(), script.CURRENT_TIME, lambda _: (time_is(1),), None, False),
    "list": Shape(
        lambda client: client.contract_details(stock()),
        script.CONTRACT_DETAILS,
        lambda id: (details_end(id),),
        None,
        False,
    ),
    "list with a cancel": Shape(
        lambda client: client.historical_data(stock(), "", "1 D", "1 day", "TRADES"),
        script.HISTORICAL_DATA,
        lambda id: (bars_end(id),),
        script.CANCEL_HISTORICAL_DATA,
        False,
    ),
    "stream": Shape(stream, script.MKT_DATA, ticks, script.CANCEL_MKT_DATA, True),
    "shared stream, in batches": Shape(batches, script.MKT_DATA, ticks, script.CANCEL_MKT_DATA, True),
    "stream in a nursery": Shape(run, script.MKT_DATA, ticks, script.CANCEL_MKT_DATA, True),
    "lane query": Shape(
        lambda client: client.open_orders(), script.OPEN_ORDERS, lambda _: (script.OPEN_ORDER_END,), None, False
    ),
    "lasting lane query": Shape(
        lambda client: client.positions(),
        script.POSITIONS,
        lambda _: (position("A"), script.POSITION_END),
        script.CANCEL_POSITIONS,
        True,
    ),
    # The same with an id: a second one waits until the first has been answered.
    "lasting query": Shape(
        lambda client: client.account_summary("All", "NetLiquidation"),
        script.ACCOUNT_SUMMARY,
        lambda id: script.summary(id, 1),
        script.CANCEL_ACCOUNT_SUMMARY,
        True,
    ),
    "lasting stream": Shape(
        summary_stream, script.ACCOUNT_SUMMARY, lambda id: script.summary(id, 1), script.CANCEL_ACCOUNT_SUMMARY, True
    ),
    "lane stream": Shape(
        lane_stream,
        script.POSITIONS,
        lambda _: (position("A"), script.POSITION_END, position("B")),
        script.CANCEL_POSITIONS,
        True,
    ),
}


class Tws:
    """A peer that answers requests of one shape, at once or when told, and keeps what it was sent."""

    def __init__(self, peer: Peer, shape: Shape, *, at_once: bool) -> None:
        self._peer = peer
        self._shape = shape
        self._waiting: list[bytes] = []
        self.at_once = at_once
        self.seen: list[str] = []

    async def serve(self) -> None:
        while True:
            words = await self._peer.receive()
            self.seen.append(words[0])
            if words[0] == self._shape.sent:
                request_id = next((word for word in words[1:3] if word.startswith("15000")), "")
                self._waiting += self._shape.answers(request_id)
                if self.at_once:
                    await self.answer()

    async def answer(self) -> None:
        while self._waiting:
            await self._peer.send(self._waiting.pop(0))
            await trio.lowlevel.checkpoint()

    def count(self, kind: str | None) -> int:
        return self.seen.count(kind or "none")


@pytest.mark.parametrize("at_once", [True, False], ids=["answered", "silent"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
async def test_a_request(shape: Shape, at_once: bool, record_property: Callable[[str, object], None]) -> None:
    """*silent*: the answers come only after the victim has gone, whom a scope cancels when nothing moves any more."""

    async def trial(instrument: CancelAt) -> None:
        async with connected() as (client, peer), trio.open_nursery() as nursery:
            tws = Tws(peer, shape, at_once=at_once)
            nursery.start_soon(tws.serve)
            await trio.testing.wait_all_tasks_blocked()
            async with trio.open_nursery() as victims:

                async def victim() -> None:
                    await instrument.run(lambda: shape.use(client))

                victims.start_soon(victim)
                await trio.testing.wait_all_tasks_blocked()
                if not at_once:
                    victims.cancel_scope.cancel()
            tws.at_once = True
            await tws.answer()
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
            check(client, shape, tws, at_once)
            await assert_usable(client, peer)

    steps = await at_every_step(trial)
    record_property("steps", steps)
    assert steps >= 3


def check(client: Client, shape: Shape, tws: Tws, at_once: bool) -> None:
    assert client.stats().open_requests == 0
    assert client.stats().unsent_frames == 0
    sent, cancels = tws.count(shape.sent), tws.count(shape.cancel)
    assert sent <= 1
    if shape.cancel is not None and (shape.always or not at_once):
        assert cancels == sent
    else:
        assert cancels <= sent
    assert set(tws.seen) <= {shape.sent, shape.cancel}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
async def test_a_request_beside_another_of_the_same_kind(
    shape: Shape, autojump_clock: MockClock, record_property: Callable[[str, object], None]
) -> None:
    """The other one is answered whatever happens to the first."""

    async def trial(instrument: CancelAt) -> None:
        async with connected() as (client, peer), trio.open_nursery() as nursery:
            tws = Tws(peer, shape, at_once=True)
            nursery.start_soon(tws.serve)
            finished = trio.Event()

            async def other() -> None:
                await shape.use(client)
                finished.set()

            async with trio.open_nursery() as both:
                both.start_soon(instrument.run, lambda: shape.use(client))
                both.start_soon(other)
            assert finished.is_set()
            await trio.sleep(0.1)
            nursery.cancel_scope.cancel()
            assert client.stats().open_requests == 0
            assert 1 <= tws.count(shape.sent) <= 2
            assert tws.count(shape.cancel) <= tws.count(shape.sent)
            if shape.always:
                assert tws.count(shape.cancel) >= 1
            await assert_usable(client, peer)

    record_property("steps", await at_every_step(trial))


# --- orders


async def test_an_order(record_property: Callable[[str, object], None]) -> None:
    """It is sent whole and once if it was opened, not at all if it was not, and never cancelled."""

    async def trial(instrument: CancelAt) -> None:
        async with connected(trading=True) as (client, peer), trio.open_nursery() as nursery:
            seen: list[list[str]] = []
            opened: list[int] = []

            async def serve() -> None:
                while True:
                    words = await peer.receive()
                    seen.append(words)
                    await peer.send(order_status(words[1]), order_status(words[1], "Filled"))

            async def victim() -> None:
                async with client.place_order(stock(), limit_order()) as events:
                    opened.append(events.order_id)
                    await events.receive()
                    await events.receive()

            nursery.start_soon(serve)
            await trio.testing.wait_all_tasks_blocked()
            await instrument.run(victim)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
            assert [words[:2] for words in seen] == [[script.PLACE_ORDER, "1"] for _ in opened]
            assert client.next_order_id == 1 + len(opened)
            await assert_usable(client, peer)

    steps = await at_every_step(trial)
    record_property("steps", steps)
    assert steps >= 5


# --- the client itself


async def rest(peer: Peer, *, begun: bool = False) -> list[str]:
    """Return the ids of what the client sent, from its first byte or from here, to the end of the stream."""
    kinds: list[str] = []
    try:
        if not begun:
            await peer.read_hello()
        while True:
            kinds.append((await peer.receive())[0])
    except anyio.EndOfStream:
        assert len(peer._frames) == 0, "half a frame"
    return kinds


async def test_open_client(record_property: Callable[[str, object], None]) -> None:
    async def trial(instrument: CancelAt) -> None:
        before = running()
        async with open_peer() as (ours, peer), trio.open_nursery() as nursery:

            async def say() -> None:
                with suppress(anyio.BrokenResourceError):
                    for message in (peer.hello(), peer.accounts("DU1"), peer.next_valid_id(1)):
                        for half in (message[:5], message[5:]):
                            await peer.send(half)
                            await trio.lowlevel.checkpoint()

            async def victim() -> None:
                async with open_client(stream=ours, max_server_version=TEXT) as client:
                    client.set_server_log_level(1)

            nursery.start_soon(say)
            await instrument.run(victim)
            nursery.cancel_scope.cancel()
            with pytest.raises(anyio.ClosedResourceError):
                await ours.send(b"x")
            kinds = await rest(peer)
            assert kinds in ([], [script.START_API], [script.START_API, script.LOG_LEVEL])
        assert running() == before

    steps = await at_every_step(trial)
    record_property("steps", steps)
    assert steps >= 10


async def test_the_end_of_the_block(record_property: Callable[[str, object], None]) -> None:
    """Cancelled while it closes: what was queued is on the wire all the same, and the stream is closed."""

    async def trial(instrument: CancelAt) -> None:
        before = running()
        async with open_peer() as (ours, peer):
            await peer.send(peer.hello(), peer.accounts("DU1"), peer.next_valid_id(1))

            async def victim() -> None:
                async with client.mkt_data(stock()), client.place_order(stock(), limit_order()):
                    instrument.scope = scope
                    client.cancel_order(1)

            with trio.CancelScope() as scope:
                async with open_client(stream=ours, max_server_version=TEXT, trading=True) as client:
                    await victim()
            instrument.scope = None
            with pytest.raises(anyio.ClosedResourceError):
                await ours.send(b"x")
            kinds = await rest(peer)
            assert kinds[0] == script.START_API
            assert kinds.count(script.PLACE_ORDER) == kinds.count(script.CANCEL_ORDER) == 1
            assert kinds.count(script.CANCEL_MKT_DATA) == kinds.count(script.MKT_DATA)
        assert running() == before

    steps = await at_every_step(trial)
    record_property("steps", steps)
    assert steps >= 2


def reply(words: list[str]) -> tuple[bytes, ...]:
    """What a TWS with a little of everything answers."""
    kind, request_id = words[0], words[2]
    return {
        script.CONTRACT_DETAILS: (details_end(request_id),),
        script.MKT_DATA: ticks(request_id),
        script.POSITIONS: (position("A"), script.POSITION_END, position("B")),
        script.PLACE_ORDER: (order_status(words[1]), order_status(words[1])),
    }.get(kind, ())


async def serve_everything(peer: Peer, kinds: list[str]) -> None:
    """Play TWS until the client has gone, and keep all that it sent."""
    with suppress(anyio.BrokenResourceError):  # an answer came too late
        try:
            await peer.read_hello()
            await peer.send(peer.hello(), peer.accounts("DU1"), peer.next_valid_id(1))
            while True:
                words = await peer.receive()
                kinds.append(words[0])
                await peer.send(*reply([*words, ""]))
        except anyio.EndOfStream:
            assert len(peer._frames) == 0, "half a frame"
            return
    kinds.extend(await rest(peer, begun=True))


async def use_everything(ours: MemoryStream, placed: list[int]) -> None:
    async def order(client: Client) -> None:
        async with client.place_order(stock(), limit_order()) as events:
            placed.append(events.order_id)
            await events.receive()

    async with open_client(stream=ours, max_server_version=TEXT, trading=True) as client:
        async with trio.open_nursery() as users:
            users.start_soon(stream, client)
            users.start_soon(lane_stream, client)
            users.start_soon(order, client)
            users.start_soon(client.contract_details, stock())


async def test_a_session_as_a_whole(record_property: Callable[[str, object], None]) -> None:
    """Everything at once in one scope: a query, two streams and an order, cancelled anywhere from the first byte."""

    async def trial(instrument: CancelAt) -> None:
        before = running()
        placed: list[int] = []
        kinds: list[str] = []
        async with open_peer() as (ours, peer), trio.open_nursery() as nursery:
            nursery.start_soon(serve_everything, peer, kinds)
            await instrument.run(lambda: use_everything(ours, placed))
        assert kinds.count(script.PLACE_ORDER) == len(placed)
        assert kinds.count(script.MKT_DATA) == kinds.count(script.CANCEL_MKT_DATA)
        assert kinds.count(script.POSITIONS) >= kinds.count(script.CANCEL_POSITIONS)
        assert script.CANCEL_ORDER not in kinds
        assert running() == before

    steps = await at_every_step(trial)
    record_property("steps", steps)
    assert steps >= 30
