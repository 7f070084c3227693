"""Stock ibapi as a contender: ``EClient.run()`` in a thread, an ``EWrapper`` that only counts."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from ibapi import comm
from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.wrapper import EWrapper

from . import wire
from .measuring import Figures, Stopwatch, latencies

Job = dict[str, Any]

CALLBACKS = {"tick": "tickByTickAllLast", "price": "tickPrice", "depth": "updateMktDepth"}


class Client(EWrapper, EClient):
    """A program on stock ibapi, as its own samples have it."""

    def __init__(self, port: int) -> None:
        EWrapper.__init__(self)
        EClient.__init__(self, self)
        self.started, self.done = threading.Event(), threading.Event()
        self.connect("127.0.0.1", port, 1)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        self.started.wait(10)

    def nextValidId(self, orderId: int) -> None:
        self.started.set()

    def error(self, *arguments: Any) -> None:
        logging.getLogger(__name__).error("%s", arguments)

    def on(self, name: str, heard: Callable[..., None]) -> None:
        """Let *heard* take a callback, and nothing take its protobuf twin."""
        setattr(self, name, heard)
        for twin in ("tickByTickData", "tickPrice", "tickSize", "updateMarketDepth", "historicalData", "headTimestamp"):
            setattr(self, f"{twin}ProtoBuf", lambda message: None)


def run(job: Job) -> Figures:
    logging.disable(logging.CRITICAL)
    return MEASURES[job["measure"]](job)


def contract(command: str) -> Contract:
    made = Contract()
    made.symbol, made.secType, made.exchange, made.currency = command, "STK", "SMART", "USD"
    return made


def subscribe(client: Client, kind: str, command: str) -> None:
    if kind == "tick":
        client.reqTickByTickData(1, contract(command), "AllLast", 0, False)
    elif kind == "price":
        client.reqMktData(1, contract(command), "", False, False, [])
    else:
        client.reqMktDepth(1, contract(command), 5, False, [])


def stream(job: Job) -> Figures:
    client = Client(job["port"])
    watch = Stopwatch()
    count = left = job["count"]
    deadline = float("inf")

    def heard(*arguments: Any) -> None:
        nonlocal left, deadline
        if left == count:
            watch.start()
            deadline = time.monotonic() + job["seconds"]
        left -= 1
        if left == 0 or time.monotonic() > deadline:  # its backlog is quadratic: what it does in that time counts
            client.done.set()

    client.on("tickSize", lambda *arguments: None)
    client.on(CALLBACKS[job["kind"]], heard)
    subscribe(client, job["kind"], f"FLOOD{count}")
    client.done.wait()
    return watch.stop(count - left - 1)


def burst(job: Job) -> Figures:
    client = Client(job["port"])
    left = job["count"]

    def heard(*arguments: Any) -> None:
        nonlocal left
        left -= 1
        if not left:
            client.done.set()

    client.on("tickByTickAllLast", heard)
    watch = Stopwatch()
    watch.start()
    subscribe(client, "tick", f"FLOOD{job['count']}")
    client.done.wait()
    return watch.stop(job["count"])


def latency(job: Job) -> Figures:
    client = Client(job["port"])
    seconds: list[float] = []

    def heard(request_id: int, kind: int, sent: int, price: float, *rest: Any) -> None:
        seconds.append(time.monotonic() - price)
        if len(seconds) == job["count"]:
            client.done.set()

    client.on("tickByTickAllLast", heard)
    subscribe(client, "tick", f"RATE{job['rate']}X{job['count']}")
    client.done.wait()
    return latencies(seconds)


def history(job: Job) -> Figures:
    client = Client(job["port"])
    rows = 0
    asked = threading.Event()

    def heard(*arguments: Any) -> None:
        nonlocal rows
        rows += 1

    client.on("historicalData", heard)
    client.on("historicalDataEnd", lambda *arguments: asked.set())
    watch = Stopwatch()
    watch.start()
    for number in range(job["count"]):
        asked.clear()
        command = contract(f"BARS{job['bars']}")
        client.reqHistoricalData(number, command, "", "5 D", "1 min", "TRADES", 1, 2, False, [])
        asked.wait()
    assert rows == job["bars"] * job["count"]
    return watch.stop(job["count"])


def requests(job: Job) -> Figures:
    client = Client(job["port"])
    left = 0
    answered = threading.Event()

    def heard(*arguments: Any) -> None:
        nonlocal left
        left -= 1
        if not left:
            answered.set()

    client.on("headTimestamp", heard)
    watch = Stopwatch()
    watch.start()
    for _ in range(job["count"] // job["at_once"]):
        answered.clear()
        left = job["at_once"]
        for number in range(job["at_once"]):
            client.reqHeadTimeStamp(number, contract("QUIET"), "TRADES", 1, 2)
        answered.wait()
    return watch.stop(job["count"])


def start(job: Job) -> Figures:
    began = time.perf_counter()
    for _ in range(job["count"]):
        Client(job["port"])  # disconnecting takes its threads up to a second, and is left out
    return {"ms": (time.perf_counter() - began) / job["count"] * 1e3}


def backlog(job: Job) -> Figures:
    """``comm.read_msg`` on a backlog that came in one piece, as its reader thread uses it."""
    part = b"".join(wire.messages(wire.maker(wire.TICK_BY_TICK, wire.TEXT), 1_500_000_000, 2000))
    data = left = part * (job["mib"] * 2**20 // len(part))
    watch = Stopwatch()
    watch.start()
    deadline = time.monotonic() + job["seconds"]
    while left and time.monotonic() < deadline:
        left = comm.read_msg(left)[2]
    seconds = watch.stop(1)["seconds"]
    return {"mib_per_second": (len(data) - len(left)) / 2**20 / seconds}


MEASURES: dict[str, Callable[[Job], Figures]] = {
    measure.__name__: measure for measure in (stream, burst, latency, history, requests, start, backlog)
}
