"""Hypercorn's two workers, hardened: no peer can end the server, hold it up, or leave anything behind.

What is wrong in Hypercorn 0.18, and what is done here about it, by subclasses of its ``TCPServer`` and ``H11Protocol``:

- An exception in one connection leaves the trio worker's nursery and everything above it (pgjones/hypercorn#225): it
  is logged, and the connection is closed.
- A peer that stops reading holds a shielded send for ever: every send has a limit, after which the peer is dropped.
- A server that shuts down waits for its connections, on asyncio without a limit (pgjones/hypercorn#308): each is cut
  off when its time is over.
- A body that nobody reads any more blocks the reader for ever: after the answer it is read and thrown away for a
  second, and then the peer is dropped. That second is also what lets an honest peer see the answer.
- A websocket that was closed for too large a message goes on collecting the next ones, and one whose handshake was
  refused stays open: what they send is thrown away, for that same second.
- A peer that says it sends no more keeps its connection for as long as an idle one: it is closed once it is answered.
- HTTP/2 and websocket compression are not spoken. The one has problems of its own (pgjones/hypercorn#329), the other
  makes 64 MB out of a message of 64 kB before its size is looked at.

The workers' own code is bound to the subclasses by a copy of their ``worker_serve`` with other globals; nobody else's
Hypercorn is touched. All of this leans on private names, so another version than 0.18 is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from types import FunctionType, ModuleType
from typing import Any

import h11
from hypercorn.events import Closed
from hypercorn.protocol import ProtocolWrapper
from hypercorn.protocol.events import Event, Response
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.ws_stream import WSStream
from wsproto.frame_protocol import CloseReason

from ._respond import BUSY, refuse

__all__ = ["LINGER", "PIECE", "Door", "Http1", "bound_worker", "check_version"]

log = logging.getLogger("trio_ibtws.graphql")

SUPPORTED = "0.18."
PIECE = 8 * 1024
"""Bytes that are read at once: what is larger than a request's head may be must be seen to be, before it is parsed."""

LINGER = 1.0
"""Seconds in which a peer that has its answer may still send, and hang up by itself."""


def check_version() -> None:
    """Raise ``ImportError`` unless the installed Hypercorn is one whose private names are known here."""
    installed = version("hypercorn")
    if not installed.startswith(SUPPORTED):
        message = (
            f"trio_ibtws hardens Hypercorn 0.18, and {installed} is installed: pip install 'hypercorn>=0.18,<0.19'"
        )
        raise ImportError(message)


@dataclass
class Door:
    """What the connections of one server share: who may come in, and how long anything may take.

    Attributes:
      connections: how many may be open; as many again are told that there are too many, and further ones dropped.
      send_seconds: how long a peer may leave what was sent to it unread.
      grace: seconds after the server's end in which a connection may end by itself.
    """

    connections: int
    send_seconds: float
    grace: float
    open: int = 0

    @contextmanager
    def entered(self) -> Iterator[str]:
        """Count a connection; say whether to ``serve``, ``refuse`` or ``drop`` it."""
        self.open += 1
        try:
            if self.open <= self.connections:
                yield "serve"
            else:
                yield "refuse" if self.open <= 2 * self.connections else "drop"
        finally:
            self.open -= 1


async def busy(scope: Any, receive: Any, send: Any, *_: Any) -> None:
    """Answer in place of the app when there are too many connections. Hypercorn's AppWrapper."""
    await refuse(scope, send, 503, BUSY, "too many connections")


_SPELLINGS = {b"sec-websocket-protocol": b"Sec-WebSocket-Protocol"}


class Http1(H11Protocol):
    """HTTP/1.1 and websockets without compression; never HTTP/2."""

    @classmethod
    def in_place_of(cls, wrapper: ProtocolWrapper) -> Http1:
        """Return the protocol of a connection on which *wrapper* would have chosen between HTTP/1.1 and HTTP/2."""
        return cls(
            wrapper.app,
            wrapper.config,
            wrapper.context,
            wrapper.task_group,
            wrapper.state,
            wrapper.ssl,
            wrapper.client,
            wrapper.server,
            wrapper.send,
        )

    @property
    def is_deaf(self) -> bool:
        """Whether a websocket was refused, or ended for too large a message: nothing that follows matters."""
        stream = self.stream
        return isinstance(stream, WSStream) and (stream.closed or stream.buffer.length > stream.buffer.max_length)

    async def _check_protocol(self, event: h11.Request) -> None:
        """Take no offer of HTTP/2: RFC 9110, 7.8 lets a server ignore an Upgrade."""

    async def stream_send(self, event: Event) -> None:
        """Spell the subprotocol's header as RFC 6455 does: gql 4.4 looks for that, and speaks another if it is not."""
        if isinstance(event, Response):
            spelt = [(_SPELLINGS.get(name, name), value) for name, value in event.headers]
            event = replace(event, headers=spelt)
        try:
            await super().stream_send(event)
        except h11.LocalProtocolError:  # there has been another answer meanwhile: the peer did not wait for this one
            await self.send(Closed())

    async def _close_stream(self) -> None:
        """Tell the app that a websocket is over, also when it is so because its handshake was refused on the way."""
        stream = self.stream
        was_refused = isinstance(stream, WSStream) and stream.closed
        await super()._close_stream()
        if was_refused and stream is not None and stream.app_put is not None:
            await stream.app_put({"type": "websocket.disconnect", "code": CloseReason.ABNORMAL_CLOSURE.value})

    async def _create_stream(self, request: h11.Request) -> None:
        headers = [(name, value) for name, value in request.headers if name != b"sec-websocket-extensions"]
        await super()._create_stream(
            h11.Request(
                method=request.method, target=request.target, headers=headers, http_version=request.http_version
            )
        )


def bound_worker(module: ModuleType, connection: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Return the ``worker_serve`` of Hypercorn's *module*, with *connection* as its ``TCPServer``."""
    original: Any = getattr(module, "worker_serve", None)
    if not isinstance(original, FunctionType) or "TCPServer" not in vars(module):
        raise ImportError(f"{module.__name__} is not the one of Hypercorn 0.18")
    worker = FunctionType(
        original.__code__,
        {**vars(module), "TCPServer": connection},
        original.__name__,
        original.__defaults__,
        original.__closure__,
    )
    worker.__kwdefaults__ = original.__kwdefaults__
    return worker
