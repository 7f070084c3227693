"""ib_async as a contender: text only, up to server version 178, on asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import ib_async
from ib_async.ib import StartupFetchNONE

from .measuring import Figures, Stopwatch, latencies, resident_bytes

Job = dict[str, Any]

TICKS = {"tick": "tickByTicks", "price": "ticks", "depth": "domTicks"}
"""Where a ticker has what came since its last event."""


def run(job: Job) -> Figures:
    return asyncio.run(MEASURES[job["measure"]](job))


async def connect(job: Job) -> ib_async.IB:
    ib = ib_async.IB()
    ib.client.MaxRequests = 0
    await ib.connectAsync("127.0.0.1", job["port"], clientId=1, readonly=True, fetchFields=StartupFetchNONE)
    return ib


def contract(command: str, con_id: int = 265598) -> Any:
    return ib_async.Contract(conId=con_id, symbol=command, secType="STK", exchange="SMART", currency="USD")


def subscribe(ib: ib_async.IB, kind: str, command: str, con_id: int = 265598) -> Any:
    if kind == "tick":
        return ib.reqTickByTickData(contract(command, con_id), "AllLast")
    if kind == "price":
        return ib.reqMktData(contract(command, con_id))
    return ib.reqMktDepth(contract(command, con_id), 5)


async def stream(job: Job) -> Figures:
    ib = await connect(job)
    done = asyncio.Event()
    watch = Stopwatch()
    left, attribute = job["count"], TICKS[job["kind"]]

    def arrived(ticker: Any) -> None:
        nonlocal left
        if left == job["count"]:
            watch.start()
        for _ in getattr(ticker, attribute):
            left -= 1
        if left <= 0:
            done.set()

    subscribe(ib, job["kind"], f"FLOOD{job['count']}").updateEvent += arrived
    await done.wait()
    figures = watch.stop(job["count"] - 1)
    ib.disconnect()
    return figures


async def burst(job: Job) -> Figures:
    ib = await connect(job)
    done = asyncio.Event()
    left = job["count"]

    def arrived(ticker: Any) -> None:
        nonlocal left
        for _ in ticker.tickByTicks:
            left -= 1
        if left <= 0:
            done.set()

    watch = Stopwatch()
    watch.start()
    subscribe(ib, "tick", f"FLOOD{job['count']}").updateEvent += arrived
    await done.wait()
    figures = watch.stop(job["count"])
    ib.disconnect()
    return figures


async def latency(job: Job) -> Figures:
    ib = await connect(job)
    seconds: list[float] = []
    done = asyncio.Event()

    def arrived(ticker: Any) -> None:
        seconds.extend(time.monotonic() - tick.price for tick in ticker.tickByTicks)
        if len(seconds) >= job["count"]:
            done.set()

    subscribe(ib, "tick", f"RATE{job['rate']}X{job['count']}").updateEvent += arrived
    await done.wait()
    ib.disconnect()
    return latencies(seconds)


async def timer(job: Job) -> Figures:
    ib = await connect(job)
    late: list[float] = []
    left, done = job["count"], asyncio.Event()

    async def sleeper() -> None:
        while True:
            due = time.monotonic() + 0.01
            await asyncio.sleep(0.01)
            late.append(time.monotonic() - due)

    def arrived(ticker: Any) -> None:
        nonlocal left
        left -= len(ticker.tickByTicks)
        if left <= 0:
            done.set()

    sleeping = asyncio.create_task(sleeper())
    subscribe(ib, "tick", f"FLOOD{job['count']}").updateEvent += arrived
    await done.wait()
    sleeping.cancel()
    ib.disconnect()
    return latencies(late)


async def lines(job: Job) -> Figures:
    ib = await connect(job)
    left, done = job["count"], asyncio.Event()

    def arrived(ticker: Any) -> None:
        nonlocal left
        for _ in ticker.tickByTicks:
            left -= 1
        if left <= 0:
            done.set()

    before = resident_bytes()
    for number in range(job["lines"] - 1):
        subscribe(ib, "tick", "QUIET", number + 1).updateEvent += arrived
    await ib.reqHeadTimeStampAsync(contract("QUIET"), "TRADES", True, 2)
    memory = resident_bytes() - before
    watch = Stopwatch()
    watch.start()
    subscribe(ib, "tick", f"SPREAD{job['turn']}X{job['count']}", job["lines"]).updateEvent += arrived
    await done.wait()
    figures = watch.stop(job["count"])
    ib.disconnect()
    return figures | {"bytes_a_line": memory / job["lines"], "resident_mib": (before + memory) / 2**20}


async def history(job: Job) -> Figures:
    ib = await connect(job)
    watch = Stopwatch()
    watch.start()
    for _ in range(job["count"]):
        command = contract(f"BARS{job['bars']}")
        rows = await ib.reqHistoricalDataAsync(command, "", "5 D", "1 min", "TRADES", True, formatDate=2)
        assert len(rows) == job["bars"]
    figures = watch.stop(job["count"])
    ib.disconnect()
    return figures


async def requests(job: Job) -> Figures:
    ib = await connect(job)
    watch = Stopwatch()
    watch.start()
    if job["at_once"] == 1:
        for _ in range(job["count"]):
            await ib.reqHeadTimeStampAsync(contract("QUIET"), "TRADES", True, 2)
        return watch.stop(job["count"])
    for _ in range(job["count"] // job["at_once"]):
        asking = [ib.reqHeadTimeStampAsync(contract("QUIET"), "TRADES", True, 2) for _ in range(job["at_once"])]
        await asyncio.gather(*asking)
    figures = watch.stop(job["count"])
    ib.disconnect()
    return figures


async def start(job: Job) -> Figures:
    began = time.perf_counter()
    for _ in range(job["count"]):
        ib = await connect(job)
        ib.disconnect()
    return {"ms": (time.perf_counter() - began) / job["count"] * 1e3}


MEASURES: dict[str, Callable[[Job], Awaitable[Figures]]] = {
    measure.__name__: measure for measure in (stream, burst, latency, timer, lines, history, requests, start)
}
