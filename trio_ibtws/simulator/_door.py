"""The TCP port: open, shut, and open again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import ByteStream, Listener, SocketAttribute, TaskGroup

__all__ = ["HOST", "Door"]

HOST = "127.0.0.1"
_AGAIN = 0.5  # seconds until a port that somebody else has taken is tried again


class Door:
    """Where clients come in through a socket."""

    def __init__(self, tasks: TaskGroup, serve: Callable[[ByteStream], Awaitable[None]]) -> None:
        self._tasks = tasks
        self._serve = serve
        self._scope = anyio.CancelScope()

    async def open(self, port: int) -> int:
        """Listen on *port*, or on a free one for 0; return which.

        Raises:
          OSError: the port cannot be had.
        """
        listener = await anyio.create_tcp_listener(local_host=HOST, local_port=port)
        self._scope = anyio.CancelScope()
        self._tasks.start_soon(self._listen, listener, self._scope)
        return int(listener.extra(SocketAttribute.local_port))

    async def _listen(self, listener: Listener[ByteStream], scope: anyio.CancelScope) -> None:
        with scope:
            async with listener:
                await listener.serve(self._serve, self._tasks)

    def shut(self) -> None:
        """Listen no longer. Connections stay."""
        self._scope.cancel()

    def reopen(self, port: int) -> None:
        """Listen again, as soon as the port can be had."""
        self._tasks.start_soon(self._reopen, port)

    async def _reopen(self, port: int) -> None:
        while True:
            try:
                await self.open(port)
            except OSError:
                await anyio.sleep(_AGAIN)
            else:
                return
