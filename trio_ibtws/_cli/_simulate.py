"""``trio-ibtws simulate``: a TWS for any client that speaks its protocol, until Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from ..simulator import Simulator, open_simulator
from ._errors import MISUSED, CommandError

__all__ = ["simulate"]


async def simulate(port: int, seed: int, server_version: int | None) -> None:
    """Run the simulator until SIGINT or SIGTERM comes.

    Raises:
      CommandError: the port cannot be listened on, or there is no such server version.
    """
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with _simulator(port, seed, server_version) as sim:
            print(f"TWS simulator on {sim.host}:{sim.port}, seed {seed}. Ctrl-C stops it.", flush=True)
            await anext(aiter(signals))
    print("stopped")


@asynccontextmanager
async def _simulator(port: int, seed: int, server_version: int | None) -> AsyncIterator[Simulator]:
    """Open the simulator; what keeps it from starting becomes a ``CommandError``."""
    started = False
    try:
        async with open_simulator(port=port, seed=seed, server_version=server_version) as sim:
            started = True
            yield sim
    except ValueError as error:
        if started:
            raise
        raise CommandError(f"{error}", code=MISUSED) from error
    except OSError as error:
        if started:
            raise
        raise CommandError(f"cannot listen on port {port} ({error.strerror or error}); choose another") from error
