"""Virtual time for both backends: it passes when no task and no thread has anything to do, and only then.

So a day takes seconds, a deadline is never met early because a thread was slow, and the same story is the same story
again. Nothing here may wait for a socket: to virtual time a packet on its way is nothing to do.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable
from typing import Any

import anyio.to_thread
from trio.abc import Clock

__all__ = ["Time", "backend"]

_REAL_SECONDS = 60.0  # how long to wait for what only another thread can bring
_A_MOMENT = 0.005


class Time(Clock):
    """The time, for one event loop. It does not pass beyond *until*."""

    def __init__(self) -> None:
        self.now = 0.0
        self.until = math.inf
        self._busy: Callable[[], bool] = lambda: False

    async def watch(self) -> None:
        """Stand still while a thread of the current event loop works."""
        limiter = anyio.to_thread.current_default_thread_limiter()
        self._busy = lambda: limiter.borrowed_tokens > 0

    def start_clock(self) -> None:
        """trio begins."""

    def current_time(self) -> float:
        return self.now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Be there at once, if that is allowed; return how long to wait really."""
        if deadline <= self.now:
            return 0.0
        if self._busy():
            return _A_MOMENT
        if deadline <= self.until and math.isfinite(deadline):
            self.now = deadline
            return 0.0
        if math.isfinite(self.until):
            self.now = max(self.now, self.until)
        return _REAL_SECONDS


class _Selector(selectors.DefaultSelector):
    def __init__(self, time: Time) -> None:
        super().__init__()
        self._time = time

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout > 0:
            ready = super().select(0)
            if ready:
                return ready
            timeout = self._time.deadline_to_sleep_time(self._time.now + timeout)
        return super().select(timeout)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, time: Time) -> None:
        self._virtual = time
        super().__init__(_Selector(time))

    def time(self) -> float:
        return self._virtual.now


def backend(name: str, time: Time) -> tuple[str, dict[str, Any]]:
    """Return a backend whose time is *time*, as anyio takes it."""
    if name == "trio":
        return name, {"clock": time, "restrict_keyboard_interrupt_to_checkpoints": True}
    return name, {"loop_factory": lambda: _Loop(time)}
