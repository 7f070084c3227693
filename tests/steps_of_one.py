"""Cancelling at every await of one task, on asyncio: ``Task.cancel()`` when it waits for the k-th time, for every k.

With a loop whose clock jumps, so that nothing of it waits in real time. What ``tests.steps`` is for trio.
"""

from __future__ import annotations

import asyncio
import gc
import selectors
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

MOST_AWAITS = 400


class _Jumping(selectors.DefaultSelector):
    """A selector that does not wait for a timer, but lets the clock jump there."""

    ahead = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout is not None and timeout > 0:
            self.ahead += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """asyncio's loop, but when nothing can run any more it is later at once."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return super().time() + self._jumping.ahead


VIRTUAL_ASYNCIO = ("asyncio", {"loop_factory": JumpingLoop})
"""For ``anyio_backend``."""


@types.coroutine
def _drive(coroutine: Coroutine[Any, Any, Any], at: int, cancel: Callable[[], object]) -> Generator[Any, Any, int]:
    """Drive *coroutine*, and call *cancel* when it waits for the *at*-th time; return how often it had waited."""
    count, value, error = 0, None, None
    while True:
        try:
            waits_for = coroutine.send(value) if error is None else coroutine.throw(error)
        except StopIteration:
            return count
        count += 1
        if count == at:
            cancel()
        value = error = None
        try:
            value = yield waits_for
        except BaseException as exc:
            error = exc


class CancelAtAwait:
    """Cancels the task that runs a victim when it waits for the k-th time."""

    def __init__(self, at: int) -> None:
        self._at = at
        self.fired = False

    async def run(self, victim: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Run *victim* in a task of its own; what it raises but ``CancelledError`` comes out."""
        task = asyncio.ensure_future(self._driven(victim()))
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()

    async def _driven(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.current_task()
        assert task is not None

        def cancel() -> None:
            self.fired = True
            task.cancel()

        await _drive(coroutine, self._at, cancel)


async def at_every_await(trial: Callable[[CancelAtAwait], Awaitable[None]]) -> int:
    """Run *trial* with one more await each time, until the victim ends before it is cancelled; return how many."""
    for at in range(1, MOST_AWAITS):
        canceller = CancelAtAwait(at)
        await trial(canceller)
        if not canceller.fired:
            gc.collect()  # what was never awaited or closed warns here
            return at - 1
    raise AssertionError("it never ends")
