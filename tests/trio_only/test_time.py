"""What depends on time, in virtual time: pacing, probes, the clock's spacing, drains, and every deadline."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import anyio
import pytest
import trio
import trio.testing
from trio.testing import MockClock

from tests import script
from tests.peer import Peer, connected, text
from tests.script import assert_usable, limit_order, open_peer, stock, time_is
from trio_ibtws import (
    Client,
    ConnectionLost,
    ConnectTimeout,
    LocalError,
    Pacer,
    open_client,
)

pytestmark = pytest.mark.trio

Heard = list[tuple[float, list[str]]]


async def listen(peer: Peer, heard: Heard, answers: Callable[[list[str]], bytes] = lambda words: b"") -> None:
    """Keep when each message came, and answer it, until the client has gone."""
    start = trio.current_time()
    while True:
        try:
            words = await peer.receive()
        except anyio.EndOfStream:
            return
        heard.append((round(trio.current_time() - start, 3), words))
        answer = answers(words)
        if answer:
            await peer.send(answer)


def clock_only(words: list[str]) -> bytes:
    return time_is(1700000000) if words[0] == script.CURRENT_TIME else b""


def times(heard: Heard, kind: str) -> list[float]:
    return [when for when, words in heard if words[0] == kind]


def assert_paced(moments: list[float], rate: int) -> None:
    """No half-open second holds more than *rate* of them."""
    for index in range(len(moments) - rate):
        assert moments[index + rate] - moments[index] > 1.0, (index, moments[index : index + rate + 1])


# --- pacing


@pytest.mark.parametrize("rate", [1, 7, 45])
async def test_never_more_in_a_second_and_the_order_is_kept(autojump_clock: MockClock, rate: int) -> None:
    async with connected(pacer=Pacer(rate)) as (client, peer), trio.open_nursery() as nursery:
        heard: Heard = []
        nursery.start_soon(listen, peer, heard)
        before = trio.current_time()
        for number in range(5 * rate):
            client.set_server_log_level(number)
        await trio.sleep(0.5)
        for number in range(5 * rate, 6 * rate):
            client.set_server_log_level(number)
        assert trio.current_time() == before + 0.5  # the caller is never held up
        await trio.sleep(20)
        levels = [words[2] for _, words in heard if words[0] == script.LOG_LEVEL]
        assert levels == [str(number) for number in range(6 * rate)]
        assert_paced([when for when, _ in heard], rate)
        nursery.cancel_scope.cancel()


async def test_an_order_waits_for_the_pacer_but_for_no_data_request(autojump_clock: MockClock) -> None:
    async with connected(trading=True) as (client, peer), trio.open_nursery() as nursery:
        heard: Heard = []
        nursery.start_soon(listen, peer, heard)
        for _ in range(500):
            client.set_server_log_level(1)
        await trio.sleep(0.5)
        client.cancel_order(1)
        await trio.sleep(20)
        assert times(heard, script.CANCEL_ORDER)[0] < 1.1
        assert_paced([when for when, _ in heard], 45)
        nursery.cancel_scope.cancel()


async def test_unwritten_frames_are_taken_back_from_behind_the_pacer(autojump_clock: MockClock) -> None:
    async with connected(pacer=Pacer(2)) as (client, peer), trio.open_nursery() as nursery:
        with trio.move_on_after(0.5) as scope:
            await client.contract_details(stock("NEVER"))
        assert scope.cancelled_caught
        assert client.stats().unsent_frames == 0
        heard: Heard = []
        nursery.start_soon(listen, peer, heard)
        await trio.sleep(5)
        assert heard == []
        nursery.cancel_scope.cancel()


# --- the probe


async def test_an_idle_connection_is_probed_and_a_dead_one_found(autojump_clock: MockClock) -> None:
    async with connected() as (client, peer), trio.open_nursery() as nursery:
        heard: Heard = []
        nursery.start_soon(listen, peer, heard)
        start = trio.current_time()
        with pytest.raises(ConnectionLost, match="nothing came for 24 s"):
            await client.wait_closed()
        assert trio.current_time() - start == pytest.approx(24)
        assert times(heard, script.CURRENT_TIME) == pytest.approx([8, 16])
        nursery.cancel_scope.cancel()


async def test_a_peer_that_dies_later_is_found_too(autojump_clock: MockClock) -> None:
    async with connected() as (client, peer), trio.open_nursery() as nursery:
        heard: Heard = []
        start = trio.current_time()
        with trio.move_on_after(100):
            await listen(peer, heard, clock_only)
        nursery.start_soon(listen, peer, [])
        with pytest.raises(ConnectionLost):
            await client.contract_details(stock())
        assert trio.current_time() - start <= 100 + 25
        nursery.cancel_scope.cancel()


async def test_a_peer_that_answers_is_never_declared_dead(autojump_clock: MockClock) -> None:
    async with connected() as (client, peer), trio.open_nursery() as nursery:
        heard: Heard = []
        nursery.start_soon(listen, peer, heard, clock_only)
        await trio.sleep(3600)
        probes = times(heard, script.CURRENT_TIME)
        assert len(probes) == pytest.approx(450, abs=2)
        assert client.stats().open_requests == 0
        nursery.cancel_scope.cancel()
        await assert_usable(client, peer)


async def test_an_error_that_comes_while_nobody_but_the_probe_waits_is_heard(autojump_clock: MockClock) -> None:
    """It names no request, and would be taken for the answer to the probe."""
    async with connected() as (client, peer), client.notices() as notices, trio.open_nursery() as nursery:

        async def serve() -> None:
            assert (await peer.receive())[0] == script.CURRENT_TIME
            await peer.send(script.error(-1, 502, "Couldn't connect to TWS."))

        nursery.start_soon(serve)
        with trio.fail_after(20):
            assert (await notices.receive()).code == 502
        assert client.stats().open_requests == 0


async def test_a_peer_that_answers_slowly_is_not_dead(autojump_clock: MockClock) -> None:
    async with connected() as (client, peer), trio.open_nursery() as nursery:

        async def serve() -> None:
            while True:
                words = await peer.receive()
                assert words[0] == script.CURRENT_TIME
                await trio.sleep(7)
                await peer.send(time_is(1))

        nursery.start_soon(serve)
        await trio.sleep(600)
        nursery.cancel_scope.cancel()
        assert client.stats().decode_errors == 0
        with trio.move_on_after(0):
            await client.wait_closed()


async def test_a_busy_connection_is_not_probed(autojump_clock: MockClock) -> None:
    async with connected() as (client, peer), trio.open_nursery() as nursery:
        heard: Heard = []
        nursery.start_soon(listen, peer, heard)
        for _ in range(100):
            await peer.send(script.tick(1_500_000_000, "x"))
            await trio.sleep(7.9)
        assert heard == []
        assert client.stats().late_frames == 100
        nursery.cancel_scope.cancel()


async def test_the_probe_goes_past_a_lane_that_is_taken(autojump_clock: MockClock) -> None:
    """A request that TWS never answers must not make the connection look dead."""
    async with connected() as (client, peer), trio.open_nursery() as nursery:
        heard: Heard = []
        nursery.start_soon(listen, peer, heard, clock_only)
        nursery.start_soon(client.open_orders)
        await trio.sleep(300)
        assert client.stats().open_requests == 1
        client.set_server_log_level(1)  # it is still there
        probes = times(heard, script.CURRENT_TIME)
        assert all(later - earlier >= 4.5 for earlier, later in pairwise(probes))
        nursery.cancel_scope.cancel()


async def test_a_caller_of_the_clock_and_the_probe_keep_their_distance(autojump_clock: MockClock) -> None:
    """TWS answers only the first of several within about four seconds."""
    for delay in (0.0, 3.0, 4.0, 5.0, 7.0, 7.9, 8.0, 8.1, 11.0, 12.0, 13.0, 15.9):
        async with connected() as (client, peer), trio.open_nursery() as nursery:
            heard: Heard = []
            nursery.start_soon(listen, peer, heard)
            await trio.sleep(delay)
            with pytest.raises(ConnectionLost):
                await client.current_time()
            sent = times(heard, script.CURRENT_TIME)
            assert all(later - earlier >= 4.499 for earlier, later in pairwise(sent)), (delay, sent)
            nursery.cancel_scope.cancel()


# --- the clock


async def test_requests_for_the_clock_are_spaced(autojump_clock: MockClock) -> None:
    async with connected() as (client, peer), trio.open_nursery() as nursery:
        heard: Heard = []
        nursery.start_soon(listen, peer, heard, clock_only)
        for _ in range(4):
            assert await client.current_time() == 1700000000
        assert times(heard, script.CURRENT_TIME) == pytest.approx([0, 4.5, 9, 13.5])
        nursery.cancel_scope.cancel()


async def test_other_requests_do_not_wait_for_the_clocks_spacing(autojump_clock: MockClock) -> None:
    async with connected() as (client, peer), trio.open_nursery() as nursery:
        heard: Heard = []
        nursery.start_soon(listen, peer, heard, answer_all)
        await client.current_time()
        nursery.start_soon(client.current_time)
        await trio.sleep(0.1)
        start = trio.current_time()
        assert await client.open_orders() == []
        assert trio.current_time() == start
        await trio.sleep(10)
        assert times(heard, script.CURRENT_TIME) == pytest.approx([0, 4.5])
        nursery.cancel_scope.cancel()


def answer_all(words: list[str]) -> bytes:
    if words[0] in (script.OPEN_ORDERS, script.ALL_OPEN_ORDERS):
        return script.OPEN_ORDER_END
    return clock_only(words)


async def test_callers_share_an_answer_and_a_lost_one_is_asked_for_again(autojump_clock: MockClock) -> None:
    async with connected() as (client, peer), trio.open_nursery() as nursery:
        heard: Heard = []
        nursery.start_soon(listen, peer, heard, lambda words: clock_only(words) if len(heard) > 1 else b"")
        results: list[int] = []

        async def ask() -> None:
            results.append(await client.current_time())

        async with trio.open_nursery() as callers:
            for _ in range(5):
                callers.start_soon(ask)
                await trio.sleep(0.1)
        assert results == [1700000000] * 5
        sent = times(heard, script.CURRENT_TIME)
        assert len(sent) == 2
        assert 4.5 <= sent[1] - sent[0] <= 10.5
        nursery.cancel_scope.cancel()


# --- drains


async def abandon(client: Client, peer: Peer) -> None:
    """Ask for open orders, and give up when it has gone out."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.open_orders)
        assert (await peer.receive())[0] == script.OPEN_ORDERS
        nursery.cancel_scope.cancel()


async def test_a_drain_that_does_not_end_fails_those_behind_it(autojump_clock: MockClock) -> None:
    async with connected() as (client, peer), trio.open_nursery() as nursery:
        await abandon(client, peer)
        start = trio.current_time()
        heard: Heard = []
        nursery.start_soon(listen, peer, heard, clock_only)
        await trio.sleep(3)
        for expected in (10, 10):
            with pytest.raises(LocalError, match="reqOpenOrders was asked and given up"):
                await client.positions()
            assert trio.current_time() - start == pytest.approx(expected)
        assert script.POSITIONS not in [words[0] for _, words in heard]
        await peer.send(script.OPEN_ORDER_END)  # at last
        await trio.testing.wait_all_tasks_blocked()
        assert client.stats().open_requests == 0
        nursery.cancel_scope.cancel()
        await assert_usable(client, peer)


async def test_a_drain_that_ends_in_time_lets_the_next_one_go(autojump_clock: MockClock) -> None:
    async with connected() as (client, peer), trio.open_nursery() as nursery:
        await abandon(client, peer)
        results: list[Any] = []

        async def ask() -> None:
            results.append(await client.all_open_orders())

        nursery.start_soon(ask)
        await trio.sleep(7)
        await peer.send(script.OPEN_ORDER_END)
        assert (await peer.receive())[0] == script.ALL_OPEN_ORDERS
        assert not results
        await peer.send(script.OPEN_ORDER_END)
        await trio.testing.wait_all_tasks_blocked()
        assert results == [[]]
        nursery.cancel_scope.cancel()


async def test_an_abandoned_clock_does_not_hold_the_lane_for_ever(autojump_clock: MockClock) -> None:
    async with connected() as (client, peer), trio.open_nursery() as nursery:
        heard: Heard = []
        nursery.start_soon(listen, peer, heard, lambda words: b"" if words[0] == "49" else answer_all(words))
        with trio.move_on_after(1):
            await client.current_time()
        start = trio.current_time()
        assert await client.open_orders() == []
        assert trio.current_time() - start <= 10
        nursery.cancel_scope.cancel()


# --- deadlines


@pytest.mark.parametrize("seconds", [10.0, 60.0])
@pytest.mark.parametrize("phase", ["handshake", "start-up"])
async def test_a_silent_peer_at_the_start(autojump_clock: MockClock, phase: str, seconds: float) -> None:
    """Also with a deadline longer than the time after which an idle connection counts as dead."""
    async with open_peer() as (ours, peer):
        if phase == "start-up":
            await peer.send(peer.hello(), peer.accounts("DU1"))
        start = trio.current_time()
        with pytest.raises(ConnectTimeout) as caught:
            async with open_client(stream=ours, max_server_version=157, connect_deadline=seconds):
                raise AssertionError("there can be no client")
        assert caught.value.phase == phase
        assert trio.current_time() - start == pytest.approx(seconds)


@pytest.mark.parametrize("said", [b"", text(15, 1, "DU1"), text(9, 1, 1), text(4, 2, -1, 2104, "farm:ok")])
async def test_a_start_that_is_not_complete(autojump_clock: MockClock, said: bytes) -> None:
    async with open_peer() as (ours, peer):
        await peer.send(peer.hello(), said)
        with pytest.raises(ConnectTimeout, match="start-up"):
            async with open_client(stream=ours, max_server_version=157):
                raise AssertionError("there can be no client")


async def test_a_peer_that_is_slow_at_the_start_is_waited_for(autojump_clock: MockClock) -> None:
    async with open_peer() as (ours, peer), trio.open_nursery() as nursery:

        async def serve() -> None:
            await trio.sleep(50)
            await peer.greet()

        nursery.start_soon(serve)
        async with open_client(stream=ours, max_server_version=157, connect_deadline=60) as client:
            assert client.accounts == ("DU1",)


def huge(client: Client) -> None:
    """Queue more than the connection holds."""
    client._connection.session.outbox.append(text("14", "1", "9" * 200_000))


async def test_a_peer_that_takes_nothing_ends_the_session(autojump_clock: MockClock) -> None:
    async with connected() as (client, _):
        huge(client)
        start = trio.current_time()
        with pytest.raises(ConnectionLost, match="took nothing for 5 s"):
            await client.contract_details(stock())
        assert trio.current_time() - start == pytest.approx(5)


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_peer_that_takes_nothing_holds_up_the_end_for_a_second(
    autojump_clock: MockClock, cancelled: bool
) -> None:
    async with open_peer() as (ours, peer):
        await peer.send(peer.hello(), peer.accounts("DU1"), peer.next_valid_id(1))
        start = trio.current_time()
        with trio.CancelScope() as scope:
            async with open_client(stream=ours, max_server_version=157) as client:
                huge(client)
                if cancelled:
                    scope.cancel()
                await trio.lowlevel.checkpoint()
        assert trio.current_time() - start == pytest.approx(1)


async def test_an_order_behind_a_full_pacer_goes_out_before_the_end(autojump_clock: MockClock) -> None:
    async with open_peer() as (ours, peer):
        await peer.send(peer.hello(), peer.accounts("DU1"), peer.next_valid_id(1))
        async with open_client(stream=ours, max_server_version=157, trading=True) as client:
            for _ in range(60):
                client.set_server_log_level(1)
            await trio.testing.wait_all_tasks_blocked()
            async with client.place_order(stock(), limit_order()) as order:
                assert order.order_id == 1
            start = trio.current_time()
        assert trio.current_time() - start <= 2.1
        await peer.read_hello()
        kinds = []
        with pytest.raises(anyio.EndOfStream):
            while True:
                kinds.append((await peer.receive())[0])
        assert kinds.count(script.PLACE_ORDER) == 1
