"""Where an example connects: the port on its command line, or a simulator of its own."""

from __future__ import annotations

import argparse
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from trio_ibtws import Client, open_client, open_simulator
from trio_ibtws.simulator import Scenario


def arguments(about: str | None) -> argparse.ArgumentParser:
    """Return a parser with the arguments that all examples have."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--port", type=int, help="of TWS or IB Gateway on this machine; without it, a simulator")
    parser.add_argument("--client-id", type=int, default=17)
    parser.add_argument("--backend", choices=["trio", "asyncio"], default="trio")
    return parser


@asynccontextmanager
async def connected(options: argparse.Namespace, *, speed: float = 1.0) -> AsyncGenerator[Client]:
    """Open a client; the simulator's clock runs *speed* times as fast."""
    if options.port is not None:
        async with open_client(port=options.port, client_id=options.client_id) as client:
            yield client
        return
    async with (
        open_simulator(port=None, scenario=Scenario(speed=speed)) as simulator,
        open_client(stream=await simulator.connect(), client_id=options.client_id) as client,
    ):
        yield client
