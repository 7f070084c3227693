"""A websocket client that sends what it is told to, sound or not."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import anyio
from anyio.abc import SocketStream
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Message, Ping, RejectConnection, RejectData, Request
from wsproto.extensions import PerMessageDeflate

from tests.graphql.harness import LONG, TOKEN

INIT = {"type": "connection_init", "payload": {"authorization": f"Bearer {TOKEN}"}}


class Refused(Exception):
    """The handshake was answered with a status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Socket:
    """A connection. After it is closed ``code`` says how; 1006 is without a word."""

    def __init__(self, stream: SocketStream) -> None:
        self.stream = stream
        self.code: int | None = None
        self.accepted: AcceptConnection | None = None
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._texts: deque[str] = deque()
        self._part = ""

    async def shake_hands(self, request: Request) -> None:
        await self.stream.send(self._protocol.send(request))
        while self.accepted is None:
            await self._receive()

    async def _receive(self) -> None:
        try:
            data: bytes | None = await self.stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            data = None
        self._protocol.receive_data(data)
        for event in self._protocol.events():
            await self._handle(event)

    async def _handle(self, event: Any) -> None:
        if isinstance(event, AcceptConnection):
            self.accepted = event
        elif isinstance(event, RejectConnection):
            raise Refused(event.status_code)
        elif isinstance(event, Message):
            self._part += event.data
            if event.message_finished:
                self._texts.append(self._part)
                self._part = ""
        elif isinstance(event, CloseConnection):
            self.code = event.code
            await self.raw(self._protocol.send(event.response()))
        elif isinstance(event, Ping):
            await self.raw(self._protocol.send(event.response()))
        else:
            assert isinstance(event, RejectData)

    async def raw(self, data: bytes) -> None:
        """Send bytes."""
        try:
            await self.stream.send(data)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return

    async def text(self, text: str) -> None:
        """Send a message."""
        await self.raw(self._protocol.send(Message(data=text)))

    async def binary(self, data: bytes) -> None:
        """Send a message of the other kind."""
        await self.raw(self._protocol.send(Message(data=data)))

    async def say(self, **message: Any) -> None:
        """Send a message as JSON."""
        await self.text(json.dumps(message))

    async def subscribe(self, query: str, identity: str = "1", **variables: Any) -> None:
        """Send an operation."""
        await self.say(type="subscribe", id=identity, payload={"query": query, "variables": variables})

    async def hear(self) -> Any:
        """Return the next message."""
        with anyio.fail_after(LONG):
            while not self._texts:
                assert self.code is None, self.code
                await self._receive()
        return json.loads(self._texts.popleft())

    async def closed(self) -> int:
        """Return the code that the connection is closed with."""
        with anyio.fail_after(LONG):
            while self.code is None:
                await self._receive()
        return self.code


class Reachable(Protocol):
    """A service."""

    port: int

    async def connect(self) -> SocketStream:
        """Return a connection."""
        ...


@asynccontextmanager
async def open_socket(
    service: Reachable,
    *,
    path: str = "/graphql",
    init: bool = True,
    protocols: tuple[str, ...] = ("graphql-transport-ws",),
    host: str | None = None,
    headers: tuple[tuple[str, str], ...] = (),
    deflate: bool = False,
) -> AsyncIterator[Socket]:
    """Open a websocket for a block, and begin the session if *init*."""
    async with await service.connect() as stream:
        socket = Socket(stream)
        request = Request(
            host=host or f"127.0.0.1:{service.port}",
            target=path,
            subprotocols=list(protocols),
            extra_headers=[(name.encode(), value.encode()) for name, value in headers],
            extensions=[PerMessageDeflate()] if deflate else [],
        )
        with anyio.fail_after(LONG):
            await socket.shake_hands(request)
        if init:
            await socket.say(**INIT)
            assert await socket.hear() == {"type": "connection_ack"}
        yield socket
