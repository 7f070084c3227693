"""Blocking use: a loop in a thread of anyio's, whatever runs in the thread that calls."""

from __future__ import annotations

import asyncio
import inspect
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Literal

import anyio
import pytest
import trio
from anyio.from_thread import start_blocking_portal

import trio_ibtws
from trio_ibtws import (
    BlockingClient,
    Client,
    ClientClosed,
    ConnectRefused,
    InvalidRequest,
    NoSuchContract,
    OpenOrder,
    Qualified,
    TradingDisabled,
    blocking,
    open_simulator,
)
from trio_ibtws._gen.blocking import BlockingRequests
from trio_ibtws._gen.requests import Requests
from trio_ibtws.contracts import stock
from trio_ibtws.orders import limit_order
from trio_ibtws.simulator import Scenario

BACKENDS: list[Literal["trio", "asyncio"]] = ["trio", "asyncio"]


@pytest.fixture(params=BACKENDS)
def tws(request: pytest.FixtureRequest) -> Generator[BlockingClient]:
    with blocking(simulate=True, client_id=1, trading=True, backend=request.param) as connected:
        yield connected


@contextmanager
def simulator() -> Generator[int]:
    """A simulator that listens at this port, in a loop of its own."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(open_simulator(port=0)) as sim:
        assert sim.port is not None
        yield sim.port


# --- queries -----------------------------------------------------------------------------------------------------


def test_queries(tws: BlockingClient) -> None:
    (details,) = tws.contract_details(stock("AAPL"))
    assert details.contract.conId == 265598
    bars = tws.historical_data(details.contract, "", "1 D", "1 hour", "TRADES")
    assert bars
    assert bars.end is not None
    assert tws.accounts == ("DU1000001",)
    assert tws.server_version >= 157
    assert tws.connection_time
    assert tws.stats().frames_out >= 2
    assert "usfarm" in tws.farms
    tws.market_data_type(3)


def test_over_a_socket() -> None:
    with simulator() as port, blocking(port=port, client_id=5) as tws:
        assert isinstance(tws.qualify(stock("AAPL")), Qualified)
    with pytest.raises(ConnectRefused), blocking(port=port):
        pytest.fail("there is nobody")


def test_contracts(tws: BlockingClient) -> None:
    one = tws.qualify(stock("AAPL")).one()
    assert [type(each) for each in tws.qualify([stock("AAPL")])] == [Qualified]
    chain = tws.option_chain(one.contract)
    assert chain in tws.option_chains(one.contract)
    option = tws.option_contracts(chain, chain.expirations[:1], chain.strikes[:1], "C")[0]
    assert tws.round_price(option, 3.01) == Decimal("3.00")
    assert "SMART" in tws.market_rules(one.details)


def test_errors_come_as_they_are(tws: BlockingClient) -> None:
    with pytest.raises(NoSuchContract) as none:
        tws.contract_details(stock("NOSUCH"))
    assert none.value.code == 200
    with pytest.raises(InvalidRequest):
        with tws.mkt_data(stock("AAPL"), buffer=0):
            pytest.fail("it cannot be opened")
    with pytest.raises(ZeroDivisionError):
        tws.run(_divide, 1, 0)
    assert tws.run(_divide, 6, divisor=3) == 2


async def _divide(number: int, divisor: int) -> float:
    return number / divisor


# --- streams -----------------------------------------------------------------------------------------------------


def test_a_stream(tws: BlockingClient) -> None:
    with tws.tick_by_tick_data(stock("AAPL"), "Last", 10) as ticks:
        past: list[Any] = [ticks.receive()]  # ten that were before, at once
        for tick in ticks:
            past.append(tick)
            if len(past) == 10:
                break
        assert [tick.time for tick in past] == sorted(tick.time for tick in past)
        assert ticks.notices == ()
        assert ticks.statistics().max_buffer_size == 1000
        ticks.close()
        assert list(ticks) == []
    with tws.mkt_data(stock("NOSUCH")) as quotes, pytest.raises(NoSuchContract):
        next(quotes)


def test_a_book(tws: BlockingClient) -> None:
    with tws.depth(stock("AAPL", "ISLAND"), 5) as books:
        for depth in books:
            if len(depth.bids) == len(depth.asks) == 5:
                break
        assert depth.ordered


def test_an_order(tws: BlockingClient) -> None:
    with tws.order_events() as events, tws.place_order(stock("AAPL"), limit_order("BUY", 1, 1.0)) as order:
        assert order.order_id == tws.client.next_order_id - 1
        assert isinstance(order.receive(), OpenOrder)
        assert isinstance(events.receive(), OpenOrder)
        tws.cancel_order(order.order_id)
    with blocking(simulate=True) as reader, pytest.raises(TradingDisabled):
        with reader.place_order(stock("AAPL"), limit_order("BUY", 1, 1.0)):
            pytest.fail("it must not be sent")


def test_a_display_group(tws: BlockingClient) -> None:
    with tws.subscribe_to_group_events(1) as shown:
        shown.receive()
        shown.update("265598@SMART")
        assert shown.receive() == "265598@SMART"


def test_the_order_book_of_the_loop(tws: BlockingClient) -> None:
    with tws.enter(tws.client.orders(journal=False, recheck=0.0)) as book:
        trade = tws.run(book.place, stock("AAPL"), limit_order("BUY", 1, 1.0))
        assert trade.order_id
        tws.run(trade.cancel)


# --- how long ----------------------------------------------------------------------------------------------------


def test_a_deadline_for_all_that_is_in_the_block(tws: BlockingClient) -> None:
    before = tws.stats().frames_out
    with tws.order_events() as never:
        with pytest.raises(TimeoutError), tws.fail_after(0.02):
            never.receive()
        with tws.fail_after(60), pytest.raises(TimeoutError), tws.fail_after(0.0):
            tws.contract_details(stock("AAPL"))
    assert tws.stats().frames_out == before  # what is late already is not sent
    assert tws.contract_details(stock("AAPL"))


# --- who else is there -------------------------------------------------------------------------------------------


def test_in_a_notebook_whose_loop_is_running() -> None:
    async def cell() -> int:
        with blocking(simulate=True) as tws:
            return tws.contract_details(stock("AAPL"))[0].contract.conId

    assert asyncio.run(cell()) == 265598


@pytest.mark.parametrize("backend", BACKENDS)
def test_in_a_trio_program_it_is_refused(backend: Literal["trio", "asyncio"]) -> None:
    async def program() -> None:
        with pytest.raises(RuntimeError, match="use open_client"), blocking(simulate=True, backend=backend):
            pytest.fail("it would stop the loop")

    trio.run(program)


def test_from_several_threads(tws: BlockingClient) -> None:
    found: list[int] = []
    symbols = ["AAPL", "IBM", "MSFT", "GOOG"]
    threads = [
        threading.Thread(target=lambda each=each: found.append(tws.contract_details(stock(each))[0].contract.conId))
        for each in symbols
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [8314, 265598, 272093, 30351181]


@pytest.fixture
def ctrl_c_raises() -> Generator[None]:
    """As in a program that was started by hand: one that a script started in the background ignores the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_raises")
@pytest.mark.parametrize("backend", BACKENDS)
def test_ctrl_c_cancels_what_is_waited_for_and_everything_is_closed(backend: Literal["trio", "asyncio"]) -> None:
    opened: list[BlockingClient] = []
    main = threading.main_thread().ident
    cancelled = threading.Event()

    async def waiting() -> None:
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.set()

    with pytest.raises(KeyboardInterrupt):
        with blocking(simulate=True, backend=backend) as tws:
            opened.append(tws)
            tws.run(waiting)
    assert cancelled.wait(10)
    with pytest.raises(ClientClosed):
        opened[0].contract_details(stock("AAPL"))
    assert not [thread for thread in threading.enumerate() if thread.name == "trio_ibtws"]


def test_where_waiting_cannot_be_interrupted_it_is_done_in_pieces(
    tws: BlockingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trio_ibtws._runtime._blocking._PIECE", 0.001)
    assert isinstance(tws.qualify(stock("AAPL")), Qualified)
    with pytest.raises(TimeoutError, match="my own"):
        tws.run(_late)


async def _late() -> None:
    await anyio.sleep(0.01)
    raise TimeoutError("my own")


def test_what_the_block_raises_comes_out_as_it_is() -> None:
    error = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as raised, blocking(simulate=True):
        raise error
    assert raised.value is error


def test_what_is_used_after_the_block_says_so() -> None:
    with blocking(simulate=True) as tws:
        manager = tws.mkt_data(stock("AAPL"))
        ticks = manager.__enter__()
    with pytest.raises(ClientClosed):
        tws.positions()
    manager.__exit__(None, None, None)
    ticks.close()


def test_who_waits_in_another_thread_hears_that_it_is_over() -> None:
    heard: list[BaseException] = []
    with blocking(simulate=True) as tws:
        entered = threading.Event()

        def wait() -> None:
            with tws.order_events() as events:
                entered.set()
                try:
                    events.receive()
                except BaseException as error:
                    heard.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        assert entered.wait(10)
    thread.join(10)
    assert [type(each) for each in heard] == [ClientClosed]


def test_a_scenario() -> None:
    with blocking(simulate=Scenario(account="DU7")) as tws:
        assert tws.accounts == ("DU7",)


# --- the surface -------------------------------------------------------------------------------------------------


def test_it_has_every_request_with_the_same_parameters() -> None:
    names = {name for name, value in inspect.getmembers(Requests) if inspect.isfunction(value) and name[0] != "_"}
    assert names == {
        name for name, value in inspect.getmembers(BlockingRequests) if inspect.isfunction(value) and name[0] != "_"
    }
    for name in names:
        own, other = (inspect.signature(getattr(each, name)).parameters for each in (BlockingRequests, Requests))
        assert {key: (each.default, each.kind) for key, each in own.items()} == {
            key: (each.default, each.kind) for key, each in other.items()
        }, name


def test_what_else_the_client_has() -> None:
    public = {name for name in dir(Client) if not name.startswith("_")}
    blocked = {name for name in dir(BlockingClient) if not name.startswith("_")}
    assert public - blocked == {"call", "subscribe", "orders", "state", "wait_closed", "next_order_id"}
    assert blocked - public == {"client", "enter", "fail_after", "run"}
    assert inspect.getdoc(trio_ibtws.blocking)


def _options() -> set[str]:
    return set(inspect.signature(trio_ibtws.open_client).parameters) - {"stream"}


def test_it_opens_as_open_client_does() -> None:
    given: Any = inspect.signature(blocking).parameters
    assert set(given) == _options() | {"simulate", "backend"}
    for name in _options():
        assert given[name].default == inspect.signature(trio_ibtws.open_client).parameters[name].default
