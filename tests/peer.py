"""``Peer``: a TWS that says what a test tells it to, on the other end of a connection in memory.

It is no simulator: it shakes hands at a given server version and then sends and receives single messages, text or
protobuf, so that a test can say to the byte what happens on the wire and when.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import anyio
from anyio.abc import ByteStream

from trio_ibtws import Client, open_client
from trio_ibtws._runtime._compat import MAX_CLIENT_VERSION, PROTOBUF_ID, RAW_ID_SERVER_VERSION
from trio_ibtws._runtime._framing import FrameBuffer, frame
from trio_ibtws.simulator._memory import memory_connection

TEXT = 157
"""A server version that every release of ibapi speaks."""

NEWEST = min(MAX_CLIENT_VERSION, 226)

PROTOBUF = NEWEST >= 213
"""Whether the installed ibapi speaks the wire that is all protobuf."""


def text(*fields: object, version: int = TEXT) -> bytes:
    """Return a text message as a whole frame: its id, then its fields."""
    words = [str(int(field) if isinstance(field, bool) else field) for field in fields]
    if version < RAW_ID_SERVER_VERSION:
        return frame(b"".join(word.encode() + b"\0" for word in words))
    return frame(int(words[0]).to_bytes(4, "big") + b"".join(word.encode() + b"\0" for word in words[1:]))


def protobuf(message_id: int, name: str, **fields: Any) -> bytes:
    """Return a protobuf message as a whole frame; dotted names reach into parts: ``**{"contract.conId": 1}``."""
    message = getattr(import_module(f"ibapi.protobuf.{name}_pb2"), name)()
    for path, value in fields.items():
        *parts, last = path.split(".")
        target = message
        for part in parts:
            target = getattr(target, part)
        setattr(target, last, value)
    return frame((message_id + PROTOBUF_ID).to_bytes(4, "big") + message.SerializeToString())


class Peer:
    """The server's end of a connection."""

    def __init__(self, stream: ByteStream, version: int) -> None:
        self.stream = stream
        self.version = version
        self._frames = FrameBuffer()

    # --- the start

    async def read_hello(self) -> bytes:
        """Read the client's prefix and return the range of versions that it offers."""
        prefix = b""
        while len(prefix) < 4:
            prefix += await self.stream.receive(4 - len(prefix))
        assert prefix == b"API\0"
        return await self.receive_frame()

    async def greet(self, *, order_id: int = 1, accounts: str = "DU1") -> None:
        """Shake hands, take startApi, and send what TWS sends at the start."""
        await self.read_hello()
        await self.stream.send(self.hello())
        await self.receive_frame()
        await self.stream.send(self.accounts(accounts) + self.next_valid_id(order_id))

    def hello(self) -> bytes:
        return frame(b"%d\0" % self.version + b"20231021 13:28:15 EST\0")

    def accounts(self, accounts: str) -> bytes:
        if self.version >= 207:
            return protobuf(15, "ManagedAccounts", accountsList=accounts)
        return text(15, 1, accounts, version=self.version)

    def next_valid_id(self, order_id: int) -> bytes:
        if self.version >= 213:
            return protobuf(9, "NextValidId", orderId=order_id)
        return text(9, 1, order_id, version=self.version)

    # --- messages

    def error(self, about: int, code: int, message: str) -> bytes:
        """Return an error message as this server version writes it."""
        if self.version >= 201:
            return protobuf(4, "ErrorMessage", id=about, errorTime=1, errorCode=code, errorMsg=message)
        if self.version >= 194:
            return text(4, about, code, message, "", 1, version=self.version)
        rest = ("",) if self.version >= 166 else ()
        return text(4, 2, about, code, message, *rest, version=self.version)

    async def send(self, *frames: bytes) -> None:
        await self.stream.send(b"".join(frames))

    async def receive_frame(self) -> bytes:
        """Return the next frame of the client, without its length."""
        while (received := self._frames.next_frame()) is None:
            self._frames.receive_data(await self.stream.receive())
        return received

    async def receive(self) -> list[str]:
        """Return the next text message of the client: its id, then its fields."""
        received = await self.receive_frame()
        if self.version < RAW_ID_SERVER_VERSION:
            return received.decode().split("\0")[:-1]
        return [str(int.from_bytes(received[:4], "big")), *received[4:].decode().split("\0")[:-1]]

    async def receive_protobuf(self, name: str) -> Any:
        """Return the next message of the client, which must be the protobuf message *name*."""
        received = await self.receive_frame()
        assert int.from_bytes(received[:4], "big") > PROTOBUF_ID, received
        message = getattr(import_module(f"ibapi.protobuf.{name}_pb2"), name)()
        message.ParseFromString(received[4:])
        return message


@asynccontextmanager
async def connected(version: int = TEXT, **options: Any) -> AsyncGenerator[tuple[Client, Peer]]:
    """Give a client and the peer that it is connected to."""
    ours, theirs = memory_connection()
    peer = Peer(theirs, version)
    options.setdefault("max_server_version", version)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(peer.greet)
        async with open_client(stream=ours, **options) as client:
            yield client, peer
    await theirs.aclose()
