"""Cancelling at every step: a scope is cancelled at the k-th step that any task takes, for every k. On trio."""

from __future__ import annotations

import gc
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio

MOST_STEPS = 4000


class CancelAt(trio.abc.Instrument):
    """Cancels *scope* before the k-th step of any task, counted from when it is watching."""

    def __init__(self, at: int) -> None:
        self._at = at
        self.count = 0
        self.scope: trio.CancelScope | None = None

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if self.scope is None:
            return
        self.count += 1
        if self.count == self._at:
            self.scope.cancel()

    @property
    def fired(self) -> bool:
        return self.count >= self._at

    async def run(self, victim: Callable[[], Awaitable[object]]) -> None:
        """Run *victim* in the scope, and count while it runs."""
        with trio.CancelScope() as self.scope:
            await victim()
        self.scope = None


@asynccontextmanager
async def instrumented(at: int) -> AsyncGenerator[CancelAt]:
    instrument = CancelAt(at)
    trio.lowlevel.add_instrument(instrument)
    try:
        yield instrument
    finally:
        trio.lowlevel.remove_instrument(instrument)


async def at_every_step(trial: Callable[[CancelAt], Awaitable[None]]) -> int:
    """Run *trial* with one more step each time, until the victim ends before it is cancelled; return how many."""
    for at in range(1, MOST_STEPS):
        async with instrumented(at) as instrument:
            await trial(instrument)
        if not instrument.fired:
            gc.collect()  # what was never awaited or closed warns here
            return at - 1
    raise AssertionError("it never ends")
