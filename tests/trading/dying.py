"""A process that dies after so many effects on the world: what it commits to its journal, and what it sends to TWS."""

from __future__ import annotations

import random
from typing import Any

import anyio
import anyio.from_thread
from anyio.abc import ByteStream

from trio_ibtws import OrderBook


class Fuse:
    """Counts effects; at the last one the process is dead."""

    def __init__(self, effects: int) -> None:
        self.left = effects
        self.scope = anyio.CancelScope()

    @property
    def dead(self) -> bool:
        return self.left < 0

    def burn(self) -> bool:
        """Have one effect more; return whether the process is alive."""
        self.left -= 1
        return not self.dead


class Dying(ByteStream):
    """A connection of a process that may die in the middle of a write."""

    def __init__(self, stream: ByteStream, fuse: Fuse, rng: random.Random) -> None:
        self._stream = stream
        self._fuse = fuse
        self._rng = rng

    async def send(self, item: bytes) -> None:
        if self._fuse.dead:
            return
        if not self._fuse.burn():
            await self._stream.send(item[: self._rng.choice([0, len(item) // 2, len(item)])] or b"")
            self._fuse.scope.cancel()
            return
        await self._stream.send(item)

    async def receive(self, max_bytes: int = 65536) -> bytes:
        return await self._stream.receive(max_bytes)

    async def send_eof(self) -> None:
        raise NotImplementedError

    async def aclose(self) -> None:
        await self._stream.aclose()


def arm(book: OrderBook, fuse: Fuse) -> None:
    """Let the journal's commits burn the fuse: before they happen, and after."""
    journal: Any = book._desk.journal
    commit = journal._commit

    def dying(batch: Any) -> None:
        if fuse.dead:
            return
        if fuse.burn():
            commit(batch)
            if fuse.burn():
                return
        anyio.from_thread.run_sync(fuse.scope.cancel)

    journal._commit = dying
