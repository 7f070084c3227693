"""``open_simulator``: one of the two context managers of the package that own a task group."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from anyio import create_task_group, get_cancelled_exc_class
from anyio.abc import TaskGroup

from ..errors import InternalError, interruption
from ._clock import Clock
from ._gateway import Gateway
from ._handshake import check_version
from ._scenario import Scenario
from ._script import parse_script
from ._serve import connect_exchange
from ._simulator import Simulator

__all__ = ["open_simulator"]


@asynccontextmanager
async def open_simulator(
    *, port: int | None = 0, seed: int = 0, server_version: int | None = None, scenario: Scenario | None = None
) -> AsyncGenerator[Simulator]:
    """Run a simulated TWS for the length of a block.

    Its clock is the event loop's: under ``trio.testing.MockClock`` it takes no time at all. The same *seed* and the
    same requests at the same instants give the same bytes.

    Args:
      port: the TCP port to listen on at 127.0.0.1; 0 lets the system choose one (``sim.port``). ``None``: no socket,
        clients come through ``await sim.connect()`` alone.
      seed: picks the day on which it starts and what happens between the recorded prices.
      server_version: the only protocol version to serve: 157, 176, or 213 to 226 as far as the installed ibapi has
        the messages; ``None`` serves the best that a client can.
      scenario: the account, its permissions, the gateway's settings, the instant at which it starts, your own prices,
        and what goes wrong.

    Cancelled: all connections are closed.

    Raises:
      ValueError: there is no such server version, or the scenario's script or data cannot be read.
      OSError: the port or a file of data cannot be had.
      InternalError: the simulator has a bug. What the block raises comes out as it is.
    """
    check_version(server_version)
    scenario = scenario or Scenario()
    parse_script(scenario.script)
    carried: BaseException | None = None
    try:
        async with create_task_group() as tasks:
            try:
                yield await _start(tasks, port, seed, server_version, scenario)
            except BaseException as exc:  # noqa: BLE001 (kept out of the group, raised below)
                carried = exc
            tasks.cancel_scope.cancel()
    except BaseExceptionGroup as group:  # our tasks never raise by design
        struck = interruption(group)
        if struck is not None:
            raise struck from None
        raise InternalError("the simulator failed: please report this") from group
    except get_cancelled_exc_class():
        if carried is None:
            raise
    if carried is not None:
        raise carried


async def _start(
    tasks: TaskGroup, port: int | None, seed: int, server_version: int | None, scenario: Scenario
) -> Simulator:
    clock = Clock(scenario.begin(seed), scenario.speed)
    gateway = Gateway(clock, seed, scenario)
    connect_exchange(gateway)
    simulator = Simulator(tasks, gateway, server_version)
    tasks.start_soon(clock.run)
    if port is not None:
        await simulator.listen(port)
    simulator.run_script(scenario.script)
    return simulator
