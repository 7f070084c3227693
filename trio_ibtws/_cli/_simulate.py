"""``trio-ibtws simulate``: a TWS for any client that speaks its protocol, until Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from ..simulator import Scenario, Simulator, open_simulator
from ._errors import MISUSED, CommandError

__all__ = ["simulate"]


async def simulate(port: int, seed: int, server_version: int | None, scenario: str | None = None) -> None:
    """Run the simulator, with the scenario in a file if one is given, until SIGINT or SIGTERM comes.

    Raises:
      CommandError: the port cannot be listened on, there is no such server version, or the file is no scenario.
    """
    settings = Scenario() if scenario is None else _load(scenario)
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with _simulator(port, seed, server_version, settings) as sim:
            print(f"TWS simulator on {sim.host}:{sim.port}, seed {seed}. Ctrl-C stops it.", flush=True)
            await anext(aiter(signals))
    print("stopped")


def _load(path: str) -> Scenario:
    try:
        return Scenario.load(path)
    except OSError as error:
        raise CommandError(f"cannot read the scenario {path} ({error.strerror or error})") from error
    except ValueError as error:
        raise CommandError(f"{path} is no scenario: {error}", code=MISUSED) from error


@asynccontextmanager
async def _simulator(port: int, seed: int, server_version: int | None, scenario: Scenario) -> AsyncIterator[Simulator]:
    """Open the simulator; what keeps it from starting becomes a ``CommandError``."""
    started = False
    try:
        async with open_simulator(port=port, seed=seed, server_version=server_version, scenario=scenario) as sim:
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
