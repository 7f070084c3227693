"""How often and how many at once: the operations of one token, within its limits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from ._auth import Bucket
from ._errors import RequestRefused
from ._limits import Limits
from ._respond import BUSY

__all__ = ["Turns"]


class Turns:
    """What is left of the limits of one token."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._slots = anyio.Semaphore(limits.operations)
        self._requests = Bucket(limits.requests_per_second, limits.requests_burst, anyio.current_time)
        self._mutations = Bucket(limits.mutations_per_second, limits.mutations_burst, anyio.current_time)
        self._reducing = Bucket(limits.requests_per_second, limits.requests_burst, anyio.current_time)

    def count_request(self) -> float:
        """Count an operation that may be of any kind; return the seconds that it comes too early, 0 if it does not."""
        return self._requests.take()

    def count_mutation(self) -> None:
        """Count a mutation.

        Raises:
          RequestRefused: there were too many.
        """
        _check("mutations", self._mutations.take())

    def count_reducing(self) -> None:
        """Count what reduces risk, or may: it has a rate of its own.

        Raises:
          RequestRefused: there were too many.
        """
        _check("operations", self._reducing.take())

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Be one of the operations that are under way, for a block.

        Raises:
          RequestRefused: as many as may be are under way, and none has ended in time.
        """
        with anyio.move_on_after(self._limits.turn_seconds) as waiting:
            await self._slots.acquire()
        if waiting.cancelled_caught:
            raise RequestRefused(f"{self._limits.operations} operations are under way", code=BUSY, status=429)
        try:
            yield
        finally:
            self._slots.release()


def _check(what: str, wait: float) -> None:
    if wait:
        raise too_many(what, wait)


def too_many(what: str, wait: float) -> RequestRefused:
    """Return the refusal of what comes *wait* seconds too early."""
    return RequestRefused(f"too many {what}: try again in {wait:.1f} s", code="RATE_LIMITED", status=429)
