"""Answers that are kept for the length of a connection, and many questions at once, but not too many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Generic, TypeVar

import anyio

from ..errors import interruption

__all__ = ["AT_ONCE", "Cache", "each"]

T = TypeVar("T")
Item = TypeVar("Item")

AT_ONCE = 8
"""TWS answers requests for contracts one after another, and delays those who ask for very many at a time."""
_MOST = 20_000
"""Of so many answers the oldest is forgotten: a session may last for weeks."""


class Cache(Generic[T]):
    """Answers by their question. Who asks what somebody else is asking waits for that answer."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, T] = {}
        self._asking: dict[Hashable, anyio.Lock] = {}

    async def get(self, question: Hashable, ask: Callable[[], Awaitable[T]], *, fresh: bool = False) -> T:
        """Return the answer that is known, or the one that *ask* gives; *fresh* asks in any case.

        An error is not kept. Cancelled while asking: the next one who waits asks again.
        """
        if question in self._answers and not fresh:
            return self._answers[question]
        lock = self._asking.setdefault(question, anyio.Lock())
        try:
            async with lock:
                if question not in self._answers or fresh:
                    self._keep(question, await ask())
                return self._answers[question]
        finally:
            if not lock.statistics().tasks_waiting and self._asking.get(question) is lock:
                del self._asking[question]

    def _keep(self, question: Hashable, answer: T) -> None:
        self._answers.pop(question, None)
        if len(self._answers) >= _MOST:
            del self._answers[next(iter(self._answers))]
        self._answers[question] = answer


async def each(ask: Callable[[Item], Awaitable[T]], items: Iterable[Item]) -> list[T]:
    """Return what *ask* says to each of *items*, in their order; ``AT_ONCE`` of them are asked at a time.

    The first error ends it, and comes as it is.
    """
    todo = list(enumerate(items))[::-1]
    answers: dict[int, T] = {}
    failures: list[Exception] = []

    async def work() -> None:
        while todo and not failures:
            at, item = todo.pop()
            try:
                answers[at] = await ask(item)
            except Exception as error:  # noqa: BLE001  raised below, without the group's wrapping
                failures.append(error)
                tasks.cancel_scope.cancel()

    workers = min(AT_ONCE, len(todo))
    try:
        async with anyio.create_task_group() as tasks:
            for _ in range(workers):
                tasks.start_soon(work)
    except BaseExceptionGroup as group:  # Ctrl-C strikes whichever task is running
        struck = interruption(group)
        if struck is None:
            raise
        raise struck from None
    if failures:
        raise failures[0]
    return [answers[at] for at in range(len(answers))]
