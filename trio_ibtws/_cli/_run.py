"""Running a command on a client: where it comes from, and when a stream ends."""

from __future__ import annotations

import argparse
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from math import inf
from typing import Any

import anyio

from .._client import Client, open_client
from .._runtime._streams import Subscription
from ..simulator import open_simulator
from ._errors import INTERRUPTED
from ._settings import Settings, find_settings

__all__ = ["Watch", "open_target", "run_on_client", "watch"]

_BUFFER = 10_000
"""Events: a terminal may be slow to scroll."""


def run_on_client(name: str, arguments: argparse.Namespace) -> int:
    """Run the command in the module ``_name``, on the TWS or the simulator that *arguments* name; its exit code.

    Raises:
      CommandError: a setting is wrong, or the command cannot go on.
      IBError: there is no session, it ended, or TWS refused something.
    """
    module = import_module(f"._{name}", __package__)
    if hasattr(module, "check"):  # what can be known to be wrong is said before anything is asked
        module.check(arguments)
    return anyio.run(_on_client, module.command, find_settings(arguments), arguments, backend=arguments.backend)


async def _on_client(
    command: Callable[[Client, argparse.Namespace], Awaitable[int]], settings: Settings, arguments: argparse.Namespace
) -> int:
    async with open_target(settings, arguments.seed if arguments.simulate else None) as client:
        return await command(client, arguments)


@asynccontextmanager
async def open_target(settings: Settings, seed: int | None) -> AsyncIterator[Client]:
    """Open a client of the server in *settings*, or with a *seed* of a simulator of its own."""
    number = settings.client_id.value
    if seed is not None:
        async with open_simulator(port=None, seed=seed) as sim:
            async with open_client(stream=await sim.connect(), client_id=number) as client:
                yield client
    else:
        async with open_client(settings.host.value, settings.port.value, client_id=number) as client:
            yield client


class Watch:
    """A stream that is shown until its time, its number of events or Ctrl-C ends it.

    Attributes:
      events: how many have come.
      seconds: how long it has run.
      interrupted: whether Ctrl-C ended it.
    """

    def __init__(self) -> None:
        self.events = 0
        self.interrupted = False
        self._began = anyio.current_time()

    @property
    def seconds(self) -> float:
        return anyio.current_time() - self._began

    @property
    def exit_code(self) -> int:
        """What a command that watched this ends with."""
        return INTERRUPTED if self.interrupted else 0

    def summary(self) -> str:
        """Return how much there was."""
        return f"{self.events:,} event{'s' * (self.events != 1)} in {self.seconds:.1f} s"


async def watch(
    subscription: Subscription[Any], take: Callable[[Watch, Any], None], arguments: argparse.Namespace
) -> Watch:
    """Give *take* every event until ``--seconds``, ``--count`` or Ctrl-C; the subscription is cancelled by then.

    Raises:
      IBError: TWS refused the subscription, or the session ended.
    """
    watched = Watch()
    carried: BaseException | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_heed_interrupt, tasks.cancel_scope, watched)
        try:
            with anyio.move_on_after(arguments.seconds):
                await _follow(subscription, take, watched, arguments.count or inf)
        except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 (kept out of the group, raised below)
            carried = error
        tasks.cancel_scope.cancel()
    if carried is not None:
        raise carried
    return watched


async def _follow(
    subscription: Subscription[Any], take: Callable[[Watch, Any], None], watched: Watch, most: float
) -> None:
    async with subscription as events:
        async for event in events:
            watched.events += 1
            take(watched, event)
            if watched.events >= most:
                return


async def _heed_interrupt(scope: anyio.CancelScope, watched: Watch) -> None:
    """End the stream in good order with Ctrl-C. Where signals cannot be had, it is a KeyboardInterrupt as always."""
    try:
        with anyio.open_signal_receiver(signal.SIGINT) as signals:
            await anext(aiter(signals))
            watched.interrupted = True
            scope.cancel()
    except (NotImplementedError, RuntimeError, ValueError):
        return
