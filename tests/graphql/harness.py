"""A service on a loopback port, in the event loop of the test, and a client that sends bytes and nothing else."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
from anyio.abc import SocketStream, TaskGroup

from tests.graphql.standin import StandIn
from trio_ibtws import open_client, open_simulator
from trio_ibtws._runtime._session import Stats
from trio_ibtws.graphql import create_app
from trio_ibtws.graphql._app import App
from trio_ibtws.graphql._auth import Gate
from trio_ibtws.graphql._limits import Limits
from trio_ibtws.graphql._metrics import Metrics
from trio_ibtws.graphql._service import Service
from trio_ibtws.graphql._worker import configuration, listen, run_app

TOKEN = "a-token-that-is-for-tests-only"
PLENTY = Limits(requests_per_second=100_000, requests_burst=100_000, mutations_per_second=1000, mutations_burst=1000)
"""Limits without those that would slow a test down."""

LONG = 60.0
"""Seconds after which a test gives up waiting: far more than anything takes on a machine that does much else."""


class Clientele:
    """What the metrics ask of the client."""

    def stats(self) -> Stats:
        return Stats(**dict.fromkeys(Stats.__struct_fields__, 1))


@dataclass
class Running:
    """A service that runs."""

    port: int
    engine: Any
    app: App
    tasks: TaskGroup
    stopping: anyio.Event
    stopped: anyio.Event = field(default_factory=anyio.Event)
    server: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    alive: bool = True

    @property
    def service_streams(self) -> int:
        """Open websockets and event streams."""
        return self.app._service.places.open

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    async def connect(self) -> SocketStream:
        """Return a connection."""
        return await anyio.connect_tcp("127.0.0.1", self.port)

    @contextmanager
    def mute(self, request: bytes) -> Iterator[socket.socket]:
        """A peer that sends *request* and then reads nothing: a socket that no event loop knows, with little room."""
        with socket.socket() as plain:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            plain.connect(("127.0.0.1", self.port))
            plain.sendall(request)
            yield plain

    async def raw(self, request: bytes) -> bytes:
        """Send *request* and return all that comes until the server hangs up."""
        async with await self.connect() as stream:
            await send(stream, request)
            return await read_all(stream)

    async def ask(
        self, body: object = None, *, method: str = "POST", path: str = "/graphql", **headers: str | None
    ) -> Answer:
        """Send one request with the token and return the answer; ``None`` takes a header away."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given: dict[str, str | None] = {
            "host": f"127.0.0.1:{self.port}",
            "authorization": f"Bearer {TOKEN}",
            "content-type": "application/json",
            "content-length": str(len(data)),
            "connection": "close",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = [f"{name}: {value}" for name, value in given.items() if value is not None]
        head = "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode("latin-1")
        with anyio.fail_after(LONG):
            return Answer.read(await self.raw(head + data))

    def request(self, body: bytes, **headers: str) -> bytes:
        """Return a request as it is sent."""
        given = {
            "host": f"127.0.0.1:{self.port}",
            "authorization": f"Bearer {TOKEN}",
            "content-type": "application/json",
            "content-length": str(len(body)),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = [f"{name}: {value}" for name, value in given.items()]
        return "\r\n".join(["POST /graphql HTTP/1.1", *lines, "", ""]).encode("latin-1") + body

    async def query(self, text: str, **variables: Any) -> Any:
        """Return the response to a query."""
        return (await self.ask({"query": text, "variables": variables})).json

    async def still_serves(self) -> None:
        """Fail unless the next one is served."""
        assert (await self.query("{ hello }")) == {"data": {"hello": "hello world"}}


@dataclass
class Answer:
    """An answer over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def read(cls, data: bytes) -> Answer:
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        assert first.startswith("HTTP/1.1 "), data[:200]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("transfer-encoding") == "chunked":
            body = _joined(body)
        return cls(int(first.split()[1]), headers, body)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of the first error."""
        return str(self.json["errors"][0]["extensions"]["code"])


def _joined(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        whole, body = whole + body[: int(size, 16)], body[int(size, 16) + 2 :]
    return whole


async def send(stream: SocketStream, data: bytes) -> None:
    """Send; a peer that hangs up meanwhile is no failure."""
    try:
        await stream.send(data)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        return


async def read_all(stream: SocketStream) -> bytes:
    """Return what comes until the peer hangs up."""
    data = b""
    try:
        while True:
            data += await stream.receive()
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        return data


async def read_until(stream: SocketStream, mark: bytes) -> bytes:
    """Return what comes until *mark* is in it."""
    data = b""
    while mark not in data:
        data += await stream.receive()
    return data


async def until(condition: Callable[[], object]) -> None:
    """Wait until something has happened that nobody is told of."""
    with anyio.fail_after(LONG):
        while not condition():  # noqa: ASYNC110 - nobody would set an event
            await anyio.sleep(0.005)


async def settled(count: Callable[[], int]) -> int:
    """Return *count* when it has stopped growing."""
    before = -1
    while before != (now := count()):
        before = now
        await anyio.sleep(0.2)
    return before


@asynccontextmanager
async def open_service(
    engine: Any = None,
    *,
    limits: Limits = PLENTY,
    by_get: bool = False,
    cors: tuple[str, ...] = (),
    hosts: tuple[str, ...] = (),
    trade_token: str | None = None,
    **changes: Any,
) -> AsyncIterator[Running]:
    """Run a service for a block; *changes* are changes to its limits."""
    limits = replace(limits, **changes)
    engine = StandIn() if engine is None else engine
    service = Service(
        engine,
        lambda caller: None,
        limits,
        Metrics(Clientele()),
        trading_fields=frozenset({"Mutation.place", "Mutation.cancelOrder"}),
    )
    gate = Gate(TOKEN, limits, cors=cors, hosts=hosts, clock=anyio.current_time, trade_token=trade_token)
    app = App(service, gate, lambda: running.alive, by_get=by_get)
    async with _run(app, engine, limits) as running:
        yield running


@asynccontextmanager
async def open_tws_service(
    *, trading: bool = False, trade_token: str | None = None, limits: Limits = PLENTY, **changes: Any
) -> AsyncIterator[Running]:
    """Run the service of a client of the simulator for a block; the client is the ``engine``."""
    limits = replace(limits, **changes)
    async with (
        open_simulator(port=None) as sim,
        open_client(stream=await sim.connect(), client_id=1, trading=trading) as client,
    ):
        app = create_app(client, token=TOKEN, trade_token=trade_token, trading=trading, limits=limits)
        async with _run(app, client, limits) as running:
            yield running


@asynccontextmanager
async def _run(app: App, engine: Any, limits: Limits) -> AsyncIterator[Running]:
    listener = listen("127.0.0.1", 0, limits)
    async with anyio.create_task_group() as tasks:
        running = Running(listener.getsockname()[1], engine, app, tasks, anyio.Event())

        async def run() -> None:
            with running.server:
                await run_app(app, listener, configuration(limits, None, None), limits, running.stopping)
            running.stopped.set()

        tasks.start_soon(run)
        yield running
        running.stopping.set()
        with anyio.fail_after(LONG):
            await running.stopped.wait()
