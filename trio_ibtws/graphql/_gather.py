"""A ``gather`` that is structured, and the same on Trio and on asyncio: Tartiflette's one tie to asyncio, cut.

Tartiflette uses asyncio at eight places, and only ``asyncio.gather``. What asyncio's does is not wanted: it breaks
shields, makes a value of a CancelledError, and leaves its children behind.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Any

import anyio

from ..errors import interruption


class UnsupportedTartiflette(ImportError):
    """The installed Tartiflette is not the one that this was written for."""


class Lost(Exception):
    """A resolver raised asyncio's CancelledError though nobody had cancelled it."""


async def gather(*awaitables: Awaitable[Any], return_exceptions: bool = False) -> list[Any]:
    """Await all of *awaitables* side by side, and return what came of each, in their order.

    Nothing outlives the call, and cancellation, Ctrl-C and SystemExit pass through, with ``return_exceptions`` too.
    """
    if return_exceptions and len(awaitables) > 1:
        return await _side_by_side(awaitables)
    return await in_turn(*awaitables, return_exceptions=return_exceptions)


async def in_turn(*awaitables: Awaitable[Any], return_exceptions: bool = False) -> list[Any]:
    """Do the same one after the other: for what coerces values, which waits for nothing and gains nothing from tasks.

    That a request's variables are coerced without waiting stands on it.
    """
    results: list[Any] = []
    try:
        for awaitable in awaitables:
            try:
                results.append(await awaitable)
            except Exception as error:
                if not return_exceptions:
                    raise
                results.append(error)
    finally:
        _close(awaitables)
    return results


async def _side_by_side(awaitables: tuple[Awaitable[Any], ...]) -> list[Any]:
    # On asyncio a task group takes a child that raises CancelledError of its own accord for one that was cancelled, and
    # says nothing: what a child has not set must never become a value.
    results: list[Any] = [Lost("a resolver was cancelled, but not by us") for _ in awaitables]

    async def run(index: int, awaitable: Awaitable[Any]) -> None:
        try:
            results[index] = await awaitable
        except Exception as error:  # noqa: BLE001 - it is the result
            results[index] = error

    try:
        async with anyio.create_task_group() as tasks:
            for index, awaitable in enumerate(awaitables):
                tasks.start_soon(run, index, awaitable)
    except BaseExceptionGroup as group:
        raise interruption(group) or group from None
    finally:
        _close(awaitables)
    return results


def _close(awaitables: Iterable[Awaitable[Any]]) -> None:
    """Close the coroutines that never began: after an error, or on asyncio after a cancelled start."""
    for awaitable in awaitables:
        close = getattr(awaitable, "close", None)
        if close is not None:
            close()
