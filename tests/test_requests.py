"""Queries: keyed and id-less, their errors, the end of the session, and what is counted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio
import pytest

from tests import script
from tests.peer import Peer, connected, text
from tests.script import (
    assert_usable,
    details_end,
    error,
    hang_up,
    market_rule,
    position,
    settle,
    stock,
    time_is,
    value,
)
from trio_ibtws import (
    Client,
    ClientClosed,
    ConnectionLost,
    DecodeError,
    InvalidRequest,
    LocalError,
    NoPermission,
    NoSuchContract,
    Pacer,
    ReadOnlySession,
    Request,
    RequestError,
    SlowConsumer,
)
from trio_ibtws._runtime import _calls

pytestmark = pytest.mark.anyio


class Asked:
    """A query that a task of its own asks; ``result`` when it has one, ``error`` when it failed."""

    def __init__(self, query: Callable[[], Awaitable[Any]]) -> None:
        self._query = query
        self.result: Any = None
        self.error: Exception | None = None
        self.done = anyio.Event()

    async def run(self) -> None:
        try:
            self.result = await self._query()
        except Exception as exc:
            self.error = exc
        self.done.set()


async def ask(tasks: anyio.abc.TaskGroup, query: Callable[[], Awaitable[Any]]) -> Asked:
    """Start *query*, and return when it waits."""
    asked = Asked(query)
    tasks.start_soon(asked.run)
    await settle()
    return asked


# --- by request id


async def test_two_queries_by_id_get_their_own_answers() -> None:
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        first = await ask(tasks, lambda: client.contract_details(stock("A")))
        second = await ask(tasks, lambda: client.contract_details(stock("B")))
        ids = [(await peer.receive())[2] for _ in range(2)]
        assert ids == ["1500000000", "1500000001"]
        await peer.send(details_end(ids[1]))
        await second.done.wait()
        assert second.result == []
        assert not first.done.is_set()
        await peer.send(details_end(ids[0]))
        await first.done.wait()
        assert first.result == []
        assert client.stats().open_requests == 0


async def test_an_error_of_tws_is_raised_by_the_await() -> None:
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        asked = await ask(tasks, lambda: client.contract_details(stock("X")))
        await peer.send(error((await peer.receive())[2], 200, "No security definition has been found"))
        await asked.done.wait()
        assert isinstance(asked.error, NoSuchContract)
        assert (asked.error.code, asked.error.request) == (200, "reqContractDetails")
        assert client.stats().open_requests == 0
        await assert_usable(client, peer)  # and no cancel message went before it


async def test_a_warning_does_not_end_a_query() -> None:
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        asked = await ask(tasks, lambda: client.contract_details(stock("X")))
        request_id = (await peer.receive())[2]
        await peer.send(error(request_id, 2100, "a warning"), error(request_id, 10167, "delayed"))
        await settle()
        assert not asked.done.is_set()
        await peer.send(details_end(request_id))
        await asked.done.wait()
        assert (asked.result, client.stats().notices) == ([], 2)


async def test_an_answer_that_cannot_be_decoded_fails_its_query_only() -> None:
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        asked = await ask(tasks, lambda: client.contract_details(stock("X")))
        await peer.send(text(52, 1, (await peer.receive())[2], "one field too many"))
        await asked.done.wait()
        assert isinstance(asked.error, DecodeError)
        assert client.stats().decode_errors == 1


async def test_an_unknown_message_is_passed_over() -> None:
    async with connected() as (client, peer):
        await peer.send(text(999, "what is this"))
        await assert_usable(client, peer)
        assert client.stats().notices == 1


async def test_an_argument_that_cannot_be_sent_is_refused_before_anything_happens() -> None:
    async with connected() as (client, peer):
        before = client.stats()
        with pytest.raises(InvalidRequest) as caught:
            await client.contract_details(stock("A\0B"))
        assert caught.value.field == "contract.symbol"
        assert client.stats() == before
        await assert_usable(client, peer)


# --- by a value that the answer echoes, and by nothing


async def test_market_rules_are_told_apart_by_their_number() -> None:
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        first = await ask(tasks, lambda: client.market_rule(26))
        second = await ask(tasks, lambda: client.market_rule(27))
        assert await peer.receive() == [script.MARKET_RULE, "26"]
        await peer.send(market_rule(26, 0.01))
        assert await peer.receive() == [script.MARKET_RULE, "27"]
        await peer.send(market_rule(27, 0.05, 0.1))
        await second.done.wait()
        assert [step.increment for step in first.result] == [0.01]
        assert [step.increment for step in second.result] == [0.05, 0.1]


async def test_id_less_requests_go_one_after_the_other() -> None:
    """So that an answer, or an error without an id, is about the one that is in flight."""
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        first = await ask(tasks, client.open_orders)
        second = await ask(tasks, client.all_open_orders)
        third = await ask(tasks, client.positions)
        assert (await peer.receive())[0] == script.OPEN_ORDERS
        await settle()
        assert client.stats().unsent_frames == 0
        assert client.stats().open_requests == 3
        await peer.send(script.OPEN_ORDER_END)
        assert (await peer.receive())[0] == script.ALL_OPEN_ORDERS
        assert first.done.is_set()
        assert not second.done.is_set()
        await peer.send(error(-1, 321, "The API interface is currently in Read-Only mode."))
        await second.done.wait()
        assert isinstance(second.error, ReadOnlySession)
        assert second.error.request == "reqAllOpenOrders"
        assert (await peer.receive())[0] == script.POSITIONS
        await peer.send(position("A"), position("B"), script.POSITION_END)
        await third.done.wait()
        assert [row.contract.symbol for row in third.result] == ["A", "B"]
        assert (await peer.receive())[0] == script.CANCEL_POSITIONS
        assert client.stats().open_requests == 0


async def test_those_who_ask_the_same_before_it_is_written_share_an_answer() -> None:
    async with connected(pacer=Pacer(rate=None)) as (client, peer), anyio.create_task_group() as tasks:
        asked = [Asked(client.managed_accts) for _ in range(3)]
        for one in asked:
            tasks.start_soon(one.run)
        await settle()
        late = await ask(tasks, client.managed_accts)
        assert (await peer.receive())[0] == "17"
        await peer.send(peer.accounts("DU1"))
        for one in asked:
            await one.done.wait()
            assert one.result == "DU1"
        assert not late.done.is_set()  # what was written may answer from before he asked
        assert (await peer.receive())[0] == "17"
        await peer.send(peer.accounts("DU1,DU2"))
        await late.done.wait()
        assert late.result == "DU1,DU2"
        assert client.accounts == ("DU1", "DU2")


async def test_a_caller_may_take_a_clock_that_is_in_flight() -> None:
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        first = await ask(tasks, client.current_time)
        second = await ask(tasks, client.current_time)
        assert await peer.receive() == [script.CURRENT_TIME, "1"]
        await peer.send(time_is(1700000000))
        await first.done.wait()
        await second.done.wait()
        assert (first.result, second.result) == (1700000000, 1700000000)


# --- requests built at run time


async def test_a_request_that_the_table_does_not_know() -> None:
    request: Request[int] = Request(method="reqIds", parameters=("numIds",), key="nextValidId", single=True)
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        asked = await ask(tasks, lambda: client.call(request, 1))
        assert await peer.receive() == ["8", "1", "1"]
        await peer.send(peer.next_valid_id(77))
        await asked.done.wait()
        assert (asked.result, client.next_order_id) == (77, 77)
        with pytest.raises(TypeError, match="numIds"):
            await client.call(request)
        rows: Request[Any] = Request(method="reqContractDetails", parameters=("reqId", "contract"), key="reqId")
        listed = await ask(tasks, lambda: client.call(rows, stock()))
        await peer.send(details_end((await peer.receive())[2]))
        await listed.done.wait()
        assert listed.result == []


# --- the end of the session

EVERYTHING: dict[str, Callable[[Client], Awaitable[Any]]] = {
    "by id": lambda client: client.contract_details(stock()),
    "by value": lambda client: client.market_rule(1),
    "lane": lambda client: client.positions(),
    "clock": lambda client: client.current_time(),
    "wait_closed": lambda client: client.wait_closed(),
}


@pytest.mark.parametrize("how", ["close", "abort", "garbage"])
async def test_everything_outstanding_fails_when_the_connection_is_lost(how: str) -> None:
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        asked = [await ask(tasks, partial(query, client)) for query in EVERYTHING.values()]
        stream = await client.mkt_data(stock()).__aenter__()
        if how == "garbage":
            await peer.send(b"\xff\xff\xff\xff")
        else:
            getattr(peer.stream, how)()
        for one in asked:
            await one.done.wait()
            assert isinstance(one.error, ConnectionLost), one.error
        with pytest.raises(ConnectionLost):
            await stream.receive()
        assert len({id(one.error) for one in asked}) == len(asked)  # each its own object, with its own traceback
        for query in EVERYTHING.values():
            with pytest.raises(ConnectionLost):
                await query(client)
        with pytest.raises(ConnectionLost):
            client.set_server_log_level(1)
        with pytest.raises(ConnectionLost):
            async with client.mkt_data(stock()):
                raise AssertionError("it cannot be opened")
        assert client.stats().open_requests == 0


async def test_an_answer_just_before_the_loss_still_counts() -> None:
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        asked = await ask(tasks, lambda: client.contract_details(stock()))
        await peer.send(details_end((await peer.receive())[2]))
        hang_up(peer)
        await asked.done.wait()
        assert asked.result == []
        with pytest.raises(ConnectionLost, match="closed it"):
            await client.wait_closed()


async def test_a_loss_in_the_middle_of_a_frame_says_so() -> None:
    async with connected() as (client, peer):
        await peer.send(details_end(1)[:7])
        hang_up(peer)
        with pytest.raises(ConnectionLost, match="7 bytes into a frame"):
            await client.wait_closed()


async def test_nothing_works_after_the_block() -> None:
    async with connected() as (client, _):
        pass
    for name, query in EVERYTHING.items():
        if name == "wait_closed":
            await query(client)  # a clean end
            continue
        with pytest.raises(ClientClosed):
            await query(client)
    with pytest.raises(ClientClosed):
        client.set_server_log_level(1)
    for subscription in (client.mkt_data(stock()), client.positions_stream(), client.notices()):
        with pytest.raises(ClientClosed):
            async with subscription:
                raise AssertionError("it cannot be opened")
    assert client.stats().open_requests == 0
    assert client.accounts == ("DU1",)


async def test_what_outlives_the_block_fails_with_client_closed() -> None:
    """A task of an outer nursery is still waiting when the block ends."""
    async with anyio.create_task_group() as tasks:
        async with connected() as (client, peer):
            asked = [
                await ask(tasks, partial(query, client)) for name, query in EVERYTHING.items() if name != "wait_closed"
            ]
            waiting = await ask(tasks, client.wait_closed)
            await peer.receive()
        for one in asked:
            await one.done.wait()
            assert isinstance(one.error, ClientClosed)
        await waiting.done.wait()
        assert waiting.error is None


# --- notices, farms, counters


async def test_farms_and_notices() -> None:
    async with connected() as (client, peer), client.notices() as notices:
        await peer.send(error(-1, 2104, "Market data farm connection is OK:usfarm"))
        await peer.send(error(-1, 2105, "HMDS data farm connection is broken:ushmds"))
        await peer.send(error(-1, 1100, "Connectivity between IBKR and TWS has been lost."))
        got = [await notices.receive() for _ in range(3)]
        assert [(notice.id, notice.code) for notice in got] == [(-1, 2104), (-1, 2105), (-1, 1100)]
        assert client.farms == {"usfarm": "ok", "ushmds": "broken"}
        with pytest.raises(TypeError):
            client.farms["usfarm"] = "broken"  # type: ignore[index]


async def test_several_may_read_the_notices() -> None:
    async with connected() as (client, peer), client.notices() as first:
        async with client.notices() as second:
            await peer.send(error(-1, 2104, "x:y"))
            assert (await first.receive()).code == (await second.receive()).code == 2104
        await peer.send(error(-1, 2106, "x:y"))
        assert (await first.receive()).code == 2106


async def test_notices_that_nobody_reads_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_calls, "ORDER_BUFFER", 2)
    async with connected() as (client, peer), client.notices() as notices:
        await peer.send(*[error(-1, 2104, f"farm{number}:x") for number in range(3)])
        with anyio.fail_after(10):
            await notices.wait_ended()
        assert client.stats().events_dropped == 1
        assert len(await notices.receive_batch()) == 2
        with pytest.raises(SlowConsumer):
            await notices.receive()


async def test_the_counters() -> None:
    async with connected() as (client, peer):
        before = client.stats()
        assert (before.frames_out, before.frames_in, before.open_requests, before.unsent_frames) == (2, 3, 0, 0)
        said = tick(client, peer)
        await peer.send(said)
        await settle()
        after = client.stats()
        assert (after.frames_in, after.bytes_in) == (4, before.bytes_in + len(said))
        assert after.late_frames == before.late_frames + 1
        client.set_server_log_level(5)
        assert client.stats().unsent_frames == 1
        assert await peer.receive() == [script.LOG_LEVEL, "1", "5"]
        assert client.stats().frames_out == 3
        assert client.stats().bytes_out == before.bytes_out + 4 + len(b"14\x001\x005\0")


def tick(client: Client, peer: Peer) -> bytes:
    """One event for a request that was never made."""
    return script.tick(1_500_000_000, "x")


async def test_a_market_data_type_is_sent_at_once() -> None:
    async with connected() as (client, peer):
        client.market_data_type(3)
        assert await peer.receive() == ["59", "1", "3"]
        with pytest.raises(LocalError):
            client.set_server_log_level(None)  # type: ignore[arg-type]
        await assert_usable(client, peer)


async def test_with_delayed_data_switched_on_a_missing_permission_ends_no_stream() -> None:
    """And ends it again when it is switched off."""
    async with connected() as (client, peer):
        client.market_data_type(3)
        await peer.receive()
        async with client.mkt_data(stock()) as ticks:
            request_id = (await peer.receive())[2]
            await peer.send(error(request_id, 354), script.tick(request_id, "delayed"))
            assert value(await ticks.receive()) == "delayed"
            assert [notice.code for notice in ticks.notices] == [354]
            client.market_data_type(1)
            await peer.receive()
            await peer.send(error(request_id, 354))
            with pytest.raises(NoPermission):
                await ticks.receive()


async def test_request_errors_have_all_of_their_facts() -> None:
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        asked = await ask(tasks, lambda: client.contract_details(stock("X")))
        await peer.send(error((await peer.receive())[2], 12345, "never heard of"))
        await asked.done.wait()
        assert type(asked.error) is RequestError
        assert str(asked.error) == "reqContractDetails: TWS code 12345: never heard of"
