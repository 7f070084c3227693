"""Simulated time: one heap of things to do, run in order by one task.

Everything that the simulator does, it does from here, at a known instant and in the order in which it was asked for.
So the same requests at the same times give the same answers, on a virtual clock exactly. The clock's instants are
seconds since 1970; how long a simulated second takes is ``1 / speed`` seconds of the event loop's clock.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from itertools import count

import anyio

__all__ = ["Clock", "Timer"]

_ROUNDING = 1e-6  # seconds: an event loop's clock counts from an arbitrary instant, so sums of floats do not meet


class Timer:
    """Something that is to be done, once or every *interval* seconds, and can be called off."""

    __slots__ = ("_do", "at", "cancelled", "interval")

    def __init__(self, at: float, do: Callable[[], None], interval: float = 0.0) -> None:
        self.at: float = at
        self._do = do
        self.interval: float = interval
        self.cancelled: bool = False

    def cancel(self) -> None:
        """Call it off; harmless when it is done already."""
        self.cancelled = True

    def fire(self) -> None:
        """Do it, unless it was called off."""
        if not self.cancelled:
            self._do()


class Clock:
    """The simulated clock and what is to happen on it."""

    def __init__(self, start: float, speed: float) -> None:
        self._start = start
        self._speed = speed
        self._origin = anyio.current_time()
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = count()
        self._changed = anyio.Event()
        self._at = start
        self._busy = False

    def now(self) -> float:
        """Return the simulated instant: while something is being done, the instant that it was set for."""
        return self._at if self._busy else self.time()

    def time(self) -> float:
        """Return the simulated instant for those outside, who act between the things that are done here."""
        return max(self._at, self._elapsed())

    def _elapsed(self) -> float:
        return self._start + (anyio.current_time() - self._origin) * self._speed

    def call_at(self, at: float, do: Callable[[], None]) -> Timer:
        """Have *do* called at the simulated instant *at*, or as soon as possible when that has passed."""
        return self._push(Timer(max(at, self._at), do))

    def _push(self, timer: Timer) -> Timer:
        heapq.heappush(self._heap, (timer.at, next(self._order), timer))
        self._changed.set()
        return timer

    def call_later(self, delay: float, do: Callable[[], None]) -> Timer:
        """Have *do* called *delay* simulated seconds from now."""
        return self.call_at(self.now() + delay, do)

    def call_soon(self, do: Callable[[], None]) -> Timer:
        """Have *do* called now, after what is due before it: the way in for what comes from outside."""
        return self.call_at(self.time(), do)

    def every(self, interval: float, do: Callable[[], None]) -> Callable[[], None]:
        """Have *do* called again and again, first in *interval* simulated seconds; return what stops that."""
        return self._push(Timer(self.now() + interval, do, interval)).cancel

    async def run(self) -> None:
        """Do what is due, for ever."""
        while True:
            self._changed = anyio.Event()
            self._run_due()
            delay = (self._heap[0][0] - self._elapsed()) / self._speed if self._heap else math.inf
            with anyio.move_on_after(max(delay, 0)):
                await self._changed.wait()
            await anyio.lowlevel.checkpoint()

    def _run_due(self) -> None:
        limit = self._elapsed() + _ROUNDING
        while self._heap and self._heap[0][0] <= limit:
            self._at = max(self._at, self._heap[0][0])
            timer = heapq.heappop(self._heap)[2]
            self._busy = True
            timer.fire()
            self._busy = False
            if timer.interval and not timer.cancelled:
                timer.at += timer.interval
                self._push(timer)
