"""How fast the service is: ``python -m tests.graphql.figures`` prints a table, in one run, of both workers and engines.

The same server, protocols and resolvers, once with the service's engine and once with graphql-core in its place; the
server is a process of its own. Rates are those of the wall clock, which depends on what else the machine does, and of
the server's processor time, which depends on that less.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import graphql

from tests.graphql.harness import PLENTY, TOKEN, open_service
from tests.graphql.standin import Prepared, StandIn
from trio_ibtws.graphql._engine import Engine

SDL = """
type Query { hello: String!  bars(n: Int!): [Bar!]! }
type Bar { date: String! open: Float! high: Float! low: Float! close: Float! volume: Int! wap: Float! barCount: Int! }
type Subscription { ticks: Tick! }
type Tick { time: Int! price: Float! size: Int! exchange: String! }
"""
BARS = "{ bars(n: 1000) { date open high low close volume wap barCount } }"
TICKS = "subscription { ticks { time price size exchange } }"
SECONDS = 3.0
CONNECTIONS = 8

Row = Mapping[str, Any]


def bar(number: int) -> Row:
    price = 100 + number / 7
    names = ("open", "high", "low", "close", "wap")
    return {"date": f"20261123 {number:06}", "volume": number, "barCount": 7, **dict.fromkeys(names, price)}


class Ticks(AsyncIterator[Row]):
    """Ticks, as fast as they are taken."""

    def __init__(self) -> None:
        self.time = 0

    async def __anext__(self) -> Row:
        await anyio.lowlevel.checkpoint()
        self.time += 1
        return {"time": self.time, "price": 100.25, "size": 100, "exchange": "ISLAND"}


# --- the two engines ---------------------------------------------------------------------------------------------


async def hello(args: Any, context: Any, info: Any) -> str:
    return "hello"


async def bars(args: Any, context: Any, info: Any) -> list[Row]:
    return [bar(number) for number in range(args["n"])]


@asynccontextmanager
async def ticks(args: Any, context: Any) -> AsyncIterator[Ticks]:
    yield Ticks()


def tartiflette() -> Engine:
    return Engine(
        SDL,
        {"Query.hello": hello, "Query.bars": bars},
        {"Subscription.ticks": ticks},
        {},
        default_resolver=lambda parent, name: parent[name],
        type_name=str,
        limits=PLENTY,
        introspection=False,
    )


class Core(StandIn):
    """graphql-core with the same resolvers; what it has validated it does not validate again."""

    def __post_init__(self) -> None:
        self.schema = graphql.build_schema(SDL)
        self.kept: dict[str, Prepared] = {}

    def prepare(self, request: Any) -> Prepared:
        if request.query not in self.kept:
            self.kept[request.query] = super().prepare(request)
        return self.kept[request.query]

    async def resolve(self, name: str, arguments: Mapping[str, Any]) -> Any:
        return await {"hello": hello, "bars": bars}[name](arguments, None, None)

    @asynccontextmanager
    async def subscribe(self, operation: Prepared, context: object) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        yield Answers(self, operation)


class Answers(AsyncIterator[dict[str, Any]]):
    """The responses to ticks."""

    def __init__(self, core: Core, operation: Prepared) -> None:
        self.core, self.operation, self.ticks = core, operation, Ticks()

    async def __anext__(self) -> dict[str, Any]:
        return self.core.answer(self.operation, {"ticks": await anext(self.ticks)})


ENGINES: dict[str, Callable[[], Any]] = {"tartiflette": tartiflette, "graphql-core": Core}


async def serve(engine: str) -> None:
    """Serve until stdin is closed."""
    async with open_service(ENGINES[engine](), limits=PLENTY, sockets=100, connections=200) as service:
        print(service.port, flush=True)
        await anyio.wait_readable(sys.stdin)


# --- what asks ---------------------------------------------------------------------------------------------------


class Server:
    """A server in a process of its own."""

    def __init__(self, worker: str, engine: str) -> None:
        command = [sys.executable, "-m", "tests.graphql.figures", worker, engine]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def used(self) -> float:
        """Return the seconds of processor time that it has taken."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self.process.communicate()


async def ask(server: Server, query: str, count: list[int]) -> None:
    """Ask the same again and again."""
    body = json.dumps({"query": query}).encode()
    head = f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
    request = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 20)
    try:
        while True:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
            assert b'"data"' in await reader.readexactly(length)
            count[0] += 1
    finally:
        writer.close()


async def listen(server: Server, query: str, count: list[int]) -> None:
    """Subscribe over a websocket and count the events."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    handshake = (
        f"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    )
    try:
        writer.write(handshake.encode())
        await reader.readuntil(b"\r\n\r\n")
        init = {"type": "connection_init", "payload": {"authorization": f"Bearer {TOKEN}"}}
        for message in (init, {"type": "subscribe", "id": "1", "payload": {"query": query}}):
            text = json.dumps(message).ljust(126).encode()
            writer.write(bytes([0x81, 0x80 | 126]) + len(text).to_bytes(2, "big") + bytes(4) + text)
        while data := await reader.read(1 << 16):
            count[0] += data.count(b'"next"')
    finally:
        writer.close()


async def rate(server: Server, client: Any, query: str, clients: int) -> tuple[float, float]:
    """Return how many a second of the wall clock, and of the server's processor time."""
    count = [0]
    tasks = [asyncio.create_task(client(server, query, count)) for _ in range(clients)]
    await asyncio.sleep(0.5)
    begun, used, began = count[0], server.used(), time.monotonic()
    await asyncio.sleep(SECONDS)
    done, spent, seconds = count[0] - begun, server.used() - used, time.monotonic() - began
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(ended, asyncio.CancelledError):
            raise RuntimeError("a client stopped") from ended
    return done / seconds, done / spent


CASES: dict[str, tuple[Any, str, int]] = {
    "queries, a scalar": (ask, "{ hello }", CONNECTIONS),
    "queries, 1 000 bars of 8 fields": (ask, BARS, CONNECTIONS),
    "events, 1 subscriber": (listen, TICKS, 1),
    "events, 50 subscribers": (listen, TICKS, 50),
}


def main() -> None:
    """Measure and print."""
    print("| a second (and a second of the server's processor) | " + " | ".join(columns := list(contenders())) + " |")
    print("|---|" + "---:|" * len(columns))
    rows: dict[str, list[str]] = {case: [] for case in CASES}
    for worker, engine in contenders().values():
        server = Server(worker, engine)
        for case, (client, query, clients) in CASES.items():
            wall, processor = asyncio.run(rate(server, client, query, clients))
            rows[case].append(f"{wall:,.0f} ({processor:,.0f})")
        server.close()
    for case, figures in rows.items():
        print(f"| {case} | " + " | ".join(figures) + " |")


def contenders() -> dict[str, tuple[str, str]]:
    """Return workers and engines by the heads of their columns."""
    return {f"{worker}, {engine}": (worker, engine) for worker in ("trio", "asyncio") for engine in ENGINES}


if __name__ == "__main__":
    if len(sys.argv) == 3:
        anyio.run(serve, sys.argv[2], backend=sys.argv[1])
    else:
        main()
