"""``open_client`` as a block: what ready means, and that what the user's block raises comes out as it was raised."""

from __future__ import annotations

import asyncio
import gc
import itertools
from typing import Any

import anyio
import pytest

from tests.peer import TEXT, Peer, text
from tests.script import START_API, assert_usable, open_peer, outcome, running, settle, stock
from trio_ibtws import Client, ClientClosed, ConnectionLost, InternalError, InvalidRequest, open_client
from trio_ibtws._runtime._connection import Connection
from trio_ibtws._runtime._session import Session
from trio_ibtws.simulator._memory import MemoryStream

pytestmark = pytest.mark.anyio


# --- ready


async def test_ready_means_handshake_start_api_accounts_and_next_order_id() -> None:
    """The block starts after the last of them, whatever their order, and not before."""
    for messages in itertools.permutations((text(9, 1, 42), text(15, 1, "DU1,DU2,"))):
        entered: list[Client] = []
        async with open_peer() as (ours, peer), anyio.create_task_group() as tasks:
            leave = anyio.Event()

            async def use(
                ours: MemoryStream = ours, entered: list[Client] = entered, leave: anyio.Event = leave
            ) -> None:
                async with open_client(stream=ours, client_id=3, max_server_version=TEXT) as client:
                    entered.append(client)
                    await leave.wait()

            tasks.start_soon(use)
            assert await peer.read_hello() == b"v100..%d" % TEXT
            for message in (peer.hello(), *messages):
                await settle()
                assert not entered
                await peer.send(message)
            assert await peer.receive() == [START_API, "2", "3", ""]
            await settle()
            [client] = entered
            assert (client.server_version, client.accounts, client.next_order_id) == (TEXT, ("DU1", "DU2"), 42)
            assert client.connection_time == "20231021 13:28:15 EST"
            leave.set()


async def test_start_up_messages_may_come_before_start_api_was_read() -> None:
    """A peer that sends hello and start-up messages in one piece."""
    async with open_peer() as (ours, peer):
        await peer.send(peer.hello(), peer.accounts("DU1"), peer.next_valid_id(7))
        async with open_client(stream=ours, max_server_version=TEXT) as client:
            assert client.next_order_id == 7
            await peer.read_hello()
            assert (await peer.receive())[0] == START_API
            await assert_usable(client, peer)


# --- what the block raises


async def raising(error: BaseException) -> BaseException | None:
    async def body(client: Client) -> None:
        raise error

    return await outcome(body)


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, anyio.EndOfStream, TimeoutError])
async def test_what_the_block_raises_comes_out_as_the_same_object(kind: type[BaseException]) -> None:
    error = kind("mine")
    assert await raising(error) is error
    assert error.__cause__ is None


async def test_the_users_own_exception_group_is_not_touched() -> None:
    group = ExceptionGroup("mine", [ValueError(1), ExceptionGroup("inner", [KeyError(2)])])
    assert await raising(group) is group
    assert len(group.exceptions) == 2


async def test_the_group_of_a_users_task_group_comes_out_as_it_is() -> None:
    async def body(client: Client) -> None:
        async def crash() -> None:
            raise ValueError("in a task")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(crash)
            await client.contract_details(stock())

    caught = await outcome(body)
    assert isinstance(caught, ExceptionGroup)
    [error] = caught.exceptions
    assert isinstance(error, ValueError)


async def test_a_value_returned_from_the_block_leaves_no_exception() -> None:
    async def body(client: Client) -> None:
        return

    assert await outcome(body) is None


async def test_cancelled_by_an_outer_scope() -> None:
    async with open_peer() as (ours, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(peer.greet)
        with anyio.CancelScope() as scope:
            async with open_client(stream=ours, max_server_version=TEXT):
                scope.cancel()
                await anyio.sleep_forever()
        assert scope.cancelled_caught


async def test_an_error_raised_while_cancelled_is_not_masked() -> None:
    """Leaving the task group is a checkpoint, at which Cancelled would take the error's place."""
    error = ValueError("during cancellation")
    caught: BaseException | None = None
    async with open_peer() as (ours, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(peer.greet)
        with anyio.CancelScope() as scope:
            try:
                async with open_client(stream=ours, max_server_version=TEXT):
                    scope.cancel()
                    try:
                        await anyio.sleep_forever()
                    finally:
                        raise error
            except ValueError as exc:
                caught = exc
    assert caught is error


async def test_a_deadline_of_the_users_own() -> None:
    """``move_on_after`` and ``fail_after`` around the client work as around anything else."""
    with pytest.raises(TimeoutError):
        with anyio.fail_after(0):
            async with open_peer() as (ours, _), open_client(stream=ours):
                await anyio.sleep_forever()


async def test_cancelled_before_it_was_entered() -> None:
    async with open_peer() as (ours, _):
        with anyio.CancelScope() as scope:
            scope.cancel()
            async with open_client(stream=ours):
                raise AssertionError("there can be no client")
        assert scope.cancelled_caught
        with pytest.raises(anyio.ClosedResourceError):
            await ours.send(b"x")


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_native_cancel_comes_out_as_a_cancelled_error() -> None:
    inside = asyncio.Event()

    async def use(ours: MemoryStream) -> None:
        async with open_client(stream=ours, max_server_version=TEXT):
            inside.set()
            await asyncio.sleep(3600)

    async with open_peer() as (ours, peer):
        task = asyncio.create_task(use(ours))
        await peer.greet()
        await inside.wait()
        task.cancel("mine")
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelling() == 1


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_asyncio_timeout_around_the_client() -> None:
    """It counts the cancel requests of the task, so that one too many or too few would leave it confused."""
    async with open_peer() as (ours, peer):
        greeting = asyncio.create_task(peer.greet())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(None) as limit:
                async with open_client(stream=ours, max_server_version=TEXT):
                    limit.reschedule(0)
                    await asyncio.sleep(3600)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        await greeting


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_native_cancel_while_closing_does_not_hang() -> None:
    """asyncio's cancel goes through a shield: the rest of the close must happen all the same."""
    ours_and_peer = open_peer()
    async with ours_and_peer as (ours, peer):
        inside = asyncio.Event()
        before = running()

        async def use() -> None:
            async with open_client(stream=ours, max_server_version=TEXT) as client:
                inside.set()
                client.set_server_log_level(1)
                await asyncio.sleep(3600)

        task = asyncio.create_task(use())
        await peer.greet()
        await inside.wait()
        task.cancel()
        while not task.done():
            await asyncio.sleep(0)
            task.cancel()
        assert task.cancelled()
        await settle()
        assert running() == before
        with pytest.raises(anyio.EndOfStream):
            while True:
                await peer.stream.receive()


# --- a bug of ours


async def crash(self: Connection) -> None:
    raise RuntimeError("a bug")


async def test_a_bug_in_one_of_our_tasks_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "_keep_time", crash)
    async with open_peer() as (ours, _):
        with pytest.raises(InternalError) as caught:
            async with open_client(stream=ours):
                raise AssertionError("there can be no client")
        assert isinstance(caught.value.__cause__, ExceptionGroup)
        assert isinstance(caught.value.__cause__.exceptions[0], RuntimeError)


async def test_a_bug_later_on_ends_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_peer() as (ours, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(peer.greet)
        with pytest.raises(InternalError):
            async with open_client(stream=ours, max_server_version=TEXT):
                monkeypatch.setattr(Session, "deliver", lambda self, seconds: 1 // 0)
                await peer.send(text(9, 1, 1))
                await anyio.sleep_forever()


@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_ctrl_c_that_strikes_one_of_our_tasks_is_a_keyboard_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Trio the signal raises in whichever task runs; on asyncio it never does."""

    def interrupted(self: Session, seconds: float) -> bool:
        raise KeyboardInterrupt

    async with open_peer() as (ours, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(peer.greet)
        with pytest.raises(KeyboardInterrupt):
            async with open_client(stream=ours, max_server_version=TEXT):
                monkeypatch.setattr(Session, "deliver", interrupted)
                await peer.send(text(9, 1, 1))
                await anyio.sleep_forever()


# --- nothing is left behind


async def test_nothing_is_left_behind() -> None:
    before = running()
    async with open_peer() as (ours, peer):
        await peer.send(peer.hello(), peer.accounts("DU1"), peer.next_valid_id(7))
        async with open_client(stream=ours, max_server_version=TEXT) as client:
            assert len(running() - before) == 3  # the reader, the writer, the clock
        assert running() == before
        with pytest.raises(anyio.ClosedResourceError):
            await ours.send(b"x")
    with pytest.raises(ClientClosed):
        client.set_server_log_level(1)
    gc.collect()  # an unclosed stream or an unawaited coroutine would warn here


async def test_a_stream_that_fails_to_close_does_not_mask_the_error() -> None:
    class Stubborn(MemoryStream):
        async def aclose(self) -> None:
            await super().aclose()
            raise OSError("while closing")

    error = ValueError("mine")
    async with open_peer() as (ours, peer):
        ours.__class__ = Stubborn
        await peer.send(peer.hello(), peer.accounts("DU1"), peer.next_valid_id(7))
        with pytest.raises(ValueError, match="mine") as caught:
            async with open_client(stream=ours, max_server_version=TEXT):
                raise error
    assert caught.value is error


async def test_the_block_goes_on_when_the_connection_is_lost() -> None:
    reached = False
    async with open_peer() as (ours, peer):
        await peer.send(peer.hello(), peer.accounts("DU1"), peer.next_valid_id(7))
        async with open_client(stream=ours, max_server_version=TEXT) as client:
            await peer.stream.aclose()
            with pytest.raises(ConnectionLost):
                await client.wait_closed()
            await anyio.lowlevel.checkpoint()
            reached = True
    assert reached


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"port": 0}, "port"),
        ({"port": 70000}, "port"),
        ({"client_id": -1}, "client_id"),
        ({"host": ""}, "host"),
        ({"max_server_version": 100}, "max_server_version"),
    ],
)
async def test_arguments_that_make_no_sense(options: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        async with open_client(**options):  # type: ignore[arg-type]
            raise AssertionError("there can be no client")
    assert caught.value.field == field


async def test_the_same_peer_twice_gives_two_clients() -> None:
    for _ in range(2):
        async with open_peer() as (ours, peer):
            assert isinstance(peer, Peer)
            await peer.send(peer.hello(), peer.accounts("DU1"), peer.next_valid_id(7))
            async with open_client(stream=ours, max_server_version=TEXT) as client:
                assert client.accounts == ("DU1",)


@pytest.mark.parametrize(("given", "field"), [({"port": "7497"}, "port"), ({"client_id": "a"}, "client_id")])
async def test_numbers_that_are_none(given: Any, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        async with open_client(**given):
            raise AssertionError("there can be no client")
    assert caught.value.field == field
