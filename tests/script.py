"""What the tests of the client say and hear: messages of server version 157, and small acts of a scripted TWS."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import anyio
import anyio.lowlevel
from ibapi.contract import Contract
from ibapi.order import Order
from sniffio import current_async_library

from tests.peer import TEXT, Peer, text
from trio_ibtws import Client, open_client
from trio_ibtws.simulator._memory import MemoryStream, memory_connection

# --- what the client sends, by message id

MKT_DATA, CANCEL_MKT_DATA = "1", "2"
PLACE_ORDER, CANCEL_ORDER, GLOBAL_CANCEL = "3", "4", "58"
OPEN_ORDERS, ALL_OPEN_ORDERS = "5", "16"
EXECUTIONS = "7"
CONTRACT_DETAILS = "9"
LOG_LEVEL = "14"
HISTORICAL_DATA, CANCEL_HISTORICAL_DATA = "20", "25"
CURRENT_TIME = "49"
POSITIONS, CANCEL_POSITIONS = "61", "64"
ACCOUNT_SUMMARY, CANCEL_ACCOUNT_SUMMARY = "62", "63"
START_API = "71"
MATCHING_SYMBOLS = "81"
MARKET_RULE = "91"

# --- what TWS sends


def tick(request_id: object, value: object) -> bytes:
    """A tick of text: tickString, type 45."""
    return text(46, 6, request_id, 45, value)


def details_end(request_id: object) -> bytes:
    return text(52, 1, request_id)


def position(symbol: str, size: object = 1) -> bytes:
    return text(61, 3, "DU1", 1, symbol, "STK", "", 0, "", "", "", "USD", symbol, "", size, 10.5)


def summary(request_id: object, value: object) -> tuple[bytes, bytes]:
    """An account summary of one row, and its end."""
    return text(63, 1, request_id, "DU1", "NetLiquidation", value, "USD"), text(64, 1, request_id)


POSITION_END = text(62, 1)
OPEN_ORDER_END = text(53, 1)


def time_is(seconds: int) -> bytes:
    return text(49, 1, seconds)


def market_rule(rule: object, *increments: float) -> bytes:
    return text(93, rule, len(increments), *[field for step in increments for field in (0, step)])


def bars_end(request_id: object) -> bytes:
    """An answer without bars."""
    return text(17, request_id, "20240101", "20240102", 0)


def order_status(order_id: object, status: str = "Submitted", client_id: int = 0) -> bytes:
    return text(3, order_id, status, 0, 1, 0, 900, 0, 0, client_id, "", 0)


def fill(exec_id: str, order_id: object = -1, client_id: int = 7, request_id: int = -1) -> bytes:
    contract = (1, "X", "STK", "", 0, "", "", "N", "USD", "", "")
    execution = (exec_id, "t", "", "", "BOT", 1, 1, 9, client_id, 0, 1, 1, "", "", "", "", 1)
    return text(11, request_id, order_id, *contract, *execution)


def error(about: object, code: int, message: str = "no") -> bytes:
    return text(4, 2, about, code, message)


# --- what the user gives


def stock(symbol: str = "AAPL") -> Contract:
    contract = Contract()
    contract.symbol = symbol
    contract.secType = "STK"
    contract.exchange = "SMART"
    contract.currency = "USD"
    return contract


def limit_order(order_id: int = 0) -> Order:
    order = Order()
    order.orderId = order_id
    order.action = "BUY"
    order.orderType = "LMT"
    order.totalQuantity = Decimal(1)
    order.lmtPrice = 10.0
    return order


# --- acts


@asynccontextmanager
async def open_peer(version: int = TEXT) -> AsyncGenerator[tuple[MemoryStream, Peer]]:
    """Give our end of a connection and the peer on the other one, which has said nothing yet."""
    ours, theirs = memory_connection()
    try:
        yield ours, Peer(theirs, version)
    finally:
        theirs.close()


async def outcome(body: Callable[[Client], Awaitable[object]], **options: Any) -> BaseException | None:
    """Run *body* in the block of a client; return what comes out of ``open_client``. Not for Cancelled."""
    caught: BaseException | None = None
    async with open_peer() as (ours, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(peer.greet)
        try:
            async with open_client(stream=ours, max_server_version=TEXT, **options) as client:
                await body(client)
        except BaseException as exc:
            caught = exc
        tasks.cancel_scope.cancel()
    return caught


async def assert_usable(client: Client, peer: Peer) -> None:
    """A query of its own is asked and answered, and nothing else comes before it on the wire."""
    answers: list[Any] = []

    async def ask() -> None:
        answers.append(await client.contract_details(stock()))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        words = await peer.receive()
        assert words[0] == CONTRACT_DETAILS, words
        await peer.send(details_end(words[2]))
    assert answers == [[]]


async def settle() -> None:
    """Let every task do what it can do now; in memory, where nothing comes from outside."""
    if current_async_library() == "trio":
        await anyio.wait_all_tasks_blocked()
    else:  # anyio's own looks every 0.1 s there
        for _ in range(30):
            await anyio.lowlevel.checkpoint()
        await anyio.wait_all_tasks_blocked()  # at once, but for what takes more turns than that


def running() -> set[int]:
    """The tasks that are running."""
    return {task.id for task in anyio.get_running_tasks()}


def hang_up(peer: Peer) -> None:
    """The peer closes the connection."""
    assert isinstance(peer.stream, MemoryStream)
    peer.stream.close()


def value(event: Any) -> Any:
    """The value of a tick."""
    return event.value
