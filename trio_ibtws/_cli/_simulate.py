"""``trio-ibtws simulate``: a TWS for any client that speaks its protocol, until Ctrl-C."""

from __future__ import annotations

import signal

import anyio

from ._errors import CommandError

__all__ = ["simulate"]


async def simulate(port: int, seed: int, server_version: int | None) -> None:
    """Run the simulator until SIGINT or SIGTERM comes.

    Raises:
      CommandError: the port cannot be listened on.
    """
    from ..simulator import open_simulator

    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        try:
            async with open_simulator(port=port, seed=seed, server_version=server_version) as sim:
                print(f"TWS simulator on {sim.host}:{sim.port}, seed {seed}. Ctrl-C stops it.", flush=True)
                await anext(aiter(signals))
        except OSError as error:
            raise CommandError(f"cannot listen on port {port} ({error.strerror or error}); choose another") from error
    print("stopped")
