"""This library as a contender: on trio, on asyncio, and on asyncio with uvloop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio
import trio
from ibapi.contract import Contract

from trio_ibtws import Client, EventStream, Pacer, Subscription, open_client

from . import wire
from .measuring import Figures, Stopwatch, latencies, resident_bytes

Job = dict[str, Any]


def run(job: Job) -> Figures:
    """Run one measurement; what it is stands in *job*."""
    options = {"use_uvloop": True} if job["who"] == "uvloop" else {}
    backend = "trio" if job["who"] == "trio" else "asyncio"
    return anyio.run(MEASURES[job["measure"]], job, backend=backend, backend_options=options)


def connect(job: Job) -> Any:
    version = wire.TEXT if job["wire"] == "text" else None
    return open_client(port=job["port"], client_id=1, pacer=Pacer(rate=None), max_server_version=version)


def contract(command: str) -> Contract:
    made = Contract()
    made.symbol, made.secType, made.exchange, made.currency = command, "STK", "SMART", "USD"
    return made


def subscription(client: Client, kind: str, command: str) -> Subscription[Any]:
    if kind == "tick":
        return client.tick_by_tick_data(contract(command), "AllLast")
    if kind == "price":
        return client.mkt_data(contract(command))
    return client.mkt_depth(contract(command), 5, False)


# --- streams -----------------------------------------------------------------------------------------------------


async def stream(job: Job) -> Figures:
    """Messages a second from the socket to the user."""
    count = job["count"]
    async with connect(job) as client:
        async with subscription(client, job["kind"], f"FLOOD{count}") as events:
            watch = Stopwatch()
            await events.receive()
            watch.start()
            await CONSUMERS[job["by"]](events, count * (2 if job["kind"] == "price" else 1) - 1)
            return watch.stop(count - 1)


async def burst(job: Job) -> Figures:
    """The time from the request to the last message of a burst that the server sends at once."""
    async with connect(job) as client:
        watch = Stopwatch()
        watch.start()
        async with subscription(client, "tick", f"FLOOD{job['count']}") as events:
            await by_item(events, job["count"])
            return watch.stop(job["count"])


async def by_item(events: EventStream[Any], left: int) -> None:
    async for _ in events:
        left -= 1
        if not left:
            return


async def by_batch(events: EventStream[Any], left: int) -> None:
    while left > 0:
        left -= len(await events.receive_batch())


CONSUMERS: dict[str, Callable[[EventStream[Any], int], Awaitable[None]]] = {"item": by_item, "batch": by_batch}


async def latency(job: Job) -> Figures:
    """Time from the server's sending to the consumer's waking up."""
    seconds: list[float] = []
    async with connect(job) as client:
        async with subscription(client, "tick", f"RATE{job['rate']}X{job['count']}") as ticks:
            async for tick in ticks:
                seconds.append(time.monotonic() - tick.price)
                if len(seconds) == job["count"]:
                    break
    return latencies(seconds)


async def timer(job: Job) -> Figures:
    """How late a task that sleeps 10 ms wakes while a stream is at full speed."""
    late: list[float] = []

    async def sleeper() -> None:
        while True:
            due = time.monotonic() + 0.01
            await anyio.sleep(0.01)
            late.append(time.monotonic() - due)

    async with connect(job) as client, anyio.create_task_group() as tasks:
        async with subscription(client, "tick", f"FLOOD{job['count']}") as events:
            tasks.start_soon(sleeper)
            await CONSUMERS[job["by"]](events, job["count"])
            tasks.cancel_scope.cancel()
    return latencies(late)


async def lines(job: Job) -> Figures:
    """What open subscriptions cost: memory, and time a message when all of them are busy."""
    left, done = job["count"], anyio.Event()

    async def read(events: AsyncIterator[Any]) -> None:
        nonlocal left
        async for _ in events:
            left -= 1
            if not left:
                done.set()

    async with connect(job) as client, anyio.create_task_group() as tasks, AsyncExitStack() as stack:
        before = resident_bytes()
        for _ in range(job["lines"] - 1):
            events = await stack.enter_async_context(subscription(client, "tick", "QUIET"))
            tasks.start_soon(read, events)
        await client.head_time_stamp(contract("QUIET"), "TRADES")
        await anyio.wait_all_tasks_blocked()
        memory = resident_bytes() - before
        watch = Stopwatch()
        watch.start()
        last = subscription(client, "tick", f"SPREAD{job['turn']}X{job['count']}")
        tasks.start_soon(read, await stack.enter_async_context(last))
        await done.wait()
        figures = watch.stop(job["count"])
        tasks.cancel_scope.cancel()
    return figures | {"bytes_a_line": memory / job["lines"], "resident_mib": (before + memory) / 2**20}


# --- requests ----------------------------------------------------------------------------------------------------


async def history(job: Job) -> Figures:
    """Requests for historical data a second."""
    async with connect(job) as client:
        watch = Stopwatch()
        watch.start()
        for _ in range(job["count"]):
            rows = await client.historical_data(
                contract(f"BARS{job['bars']}"), "", "5 D", "1 min", "TRADES", format_date=2
            )
            assert len(rows) == job["bars"]
        return watch.stop(job["count"])


async def requests(job: Job) -> Figures:
    """Round trips a second, so many at once."""
    async with connect(job) as client:

        async def ask() -> None:
            await client.head_time_stamp(contract("QUIET"), "TRADES")

        watch = Stopwatch()
        watch.start()
        if job["at_once"] == 1:
            for _ in range(job["count"]):
                await ask()
            return watch.stop(job["count"])
        together = in_a_nursery if job["who"] == "trio" else gathered
        for _ in range(job["count"] // job["at_once"]):
            await together(ask, job["at_once"])
        return watch.stop(job["count"])


async def in_a_nursery(ask: Callable[[], Awaitable[None]], count: int) -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(ask)


async def gathered(ask: Callable[[], Awaitable[None]], count: int) -> None:
    """As a program for asyncio does, and ib_async's is measured."""
    await asyncio.gather(*[ask() for _ in range(count)])


async def start(job: Job) -> Figures:
    """Time from nothing to a client that is ready, in milliseconds."""
    began = time.perf_counter()
    for _ in range(job["count"]):
        async with connect(job):
            pass
    return {"ms": (time.perf_counter() - began) / job["count"] * 1e3}


async def backlog(job: Job) -> Figures:
    """Framing of a backlog that came in one piece."""
    from trio_ibtws._runtime._framing import FrameBuffer

    part = b"".join(wire.messages(wire.maker(wire.TICK_BY_TICK, wire.TEXT), 1_500_000_000, 2000))
    data = part * (job["mib"] * 2**20 // len(part))
    frames = FrameBuffer()
    watch = Stopwatch()
    watch.start()
    frames.receive_data(data)
    while frames.next_frame() is not None:
        pass
    seconds = watch.stop(1)["seconds"]
    return {"mib_per_second": len(data) / 2**20 / seconds}


MEASURES: dict[str, Callable[[Job], Awaitable[Figures]]] = {
    measure.__name__: measure for measure in (stream, burst, latency, timer, lines, history, requests, start, backlog)
}
