"""One HTTP request and its answer: the body within its limits, sends within theirs, and the end of who asked.

While the request is worked on, ``pump`` takes everything that the server has of it. That is how a client that leaves
is noticed, and why a server never waits with a body that nobody reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio

from ._limits import Limits
from ._respond import HTTPError, Receive, Scope, Send, answer, header

__all__ = ["Exchange", "Gone"]

CLOSE = (b"connection", b"close")


class Gone(Exception):
    """The client has left: there is nobody to answer."""


class Exchange:
    """A request that is being answered."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, limits: Limits) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: list[tuple[bytes, bytes]] = []  # for whatever the answer will be
        self._receive, self._send, self._limits = receive, send, limits
        self._body = bytearray()
        self._whole = self._gone = False
        self._arrived = anyio.Event()
        self._work: anyio.CancelScope | None = None
        self.status = 0
        """That of the answer, once there is one."""

    def header(self, name: bytes) -> str | None:
        """Return the value of a header of the request, the first of several; ``None`` without one."""
        return header(self.scope, name)

    # --- in

    async def pump(self) -> None:
        """Take what comes until the client has left or the answer is complete."""
        while not self._gone:
            event = await self._receive()
            if event["type"] == "http.request":
                self._take(event.get("body", b""), event.get("more_body", False))
            elif event["type"] == "http.disconnect":
                self._leave()

    def _take(self, piece: bytes, more: bool) -> None:
        if len(self._body) <= self._limits.body_bytes:
            self._body += piece
        self._whole = not more
        if self._whole or self._is_too_large:
            self._arrived.set()

    def _leave(self) -> None:
        self._gone = True
        self._arrived.set()
        if self._work is not None:
            self._work.cancel()

    @property
    def _is_too_large(self) -> bool:
        return len(self._body) > self._limits.body_bytes

    async def body(self) -> bytes:
        """Return the whole body.

        Raises:
          HTTPError: 413, it is too large; 408, it did not come in time.
          Gone: the client left before it was complete.
        """
        self._check_announced()
        with anyio.move_on_after(self._limits.body_seconds):
            await self._arrived.wait()
        if self._is_too_large:
            raise self._too_large()
        if self._whole:
            return bytes(self._body)
        if self._gone:
            raise Gone
        raise HTTPError(408, "TIMEOUT", f"the body took more than {self._limits.body_seconds:g} s", [CLOSE])

    def _check_announced(self) -> None:
        announced = self.header(b"content-length") or ""
        if announced.isdecimal() and int(announced[:20]) > self._limits.body_bytes:
            raise self._too_large()

    def _too_large(self) -> HTTPError:
        return HTTPError(413, "LIMIT_EXCEEDED", f"a body has at most {self._limits.body_bytes} bytes", [CLOSE])

    @contextmanager
    def abandonable(self) -> Iterator[anyio.CancelScope]:
        """A block that is cancelled when the client leaves.

        Raises:
          Gone: it has.
        """
        with anyio.CancelScope() as scope:
            self._work = scope
            if self._gone:
                scope.cancel()
            try:
                yield scope
            finally:
                self._work = None
        if self._gone and scope.cancelled_caught:
            raise Gone

    # --- out

    async def reply(self, status: int, body: bytes, media: str | None, *headers: tuple[bytes, bytes]) -> None:
        """Send a whole answer; without its body to a HEAD request.

        Raises:
          Gone: the client does not take it.
        """
        self.status = status
        try:
            with anyio.fail_after(self._limits.send_seconds):
                await answer(self._send, status, body, media, [*headers, *self.headers])
        except TimeoutError:
            raise Gone from None

    async def send(self, message: dict[str, Any]) -> None:
        """Send a part of an answer.

        Raises:
          Gone: the client does not take it.
        """
        self.status = message.get("status", self.status)
        try:
            with anyio.fail_after(self._limits.send_seconds):
                await self._send(message)
        except TimeoutError:
            raise Gone from None
