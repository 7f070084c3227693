"""A trading day with our own client, in virtual time, with what goes wrong on one: it takes seconds, and repeats."""

from __future__ import annotations

from datetime import datetime, time

import pytest
import trio
from trio.testing import MockClock

from tests.script import stock
from trio_ibtws import ConnectError, ConnectionLost, open_client
from trio_ibtws.simulator import Scenario, Simulator, open_simulator

pytestmark = pytest.mark.trio

DAY = Scenario(
    start=datetime.fromisoformat("2013-01-15T08:00:00-05:00"),
    restart_at=time(23, 55),
    restart_lasts=1200,
    script="""
        at 11:00
        farm usfarm broken
        wait 60
        farm usfarm ok
        at 12:30
        lose link 300 data=lost
        at 14:00
        reset
        at 15:00
        half-open
    """,
)
HOUR = 3600


async def watch(sim: Simulator, end: float, story: list[str]) -> None:
    """Look at the price every quarter of an hour; connect again whenever the connection is lost."""
    while sim.time() < end:
        try:
            async with open_client(stream=await sim.connect(), client_id=5) as client:
                story.append(f"{sim.time():.0f} connected")
                while sim.time() < end:
                    ticks = await client.mkt_data_snapshot(stock("AAPL"))
                    story.append(f"{sim.time():.0f} {len(ticks)} ticks")
                    await trio.sleep(900)
        except (ConnectionLost, ConnectError, OSError) as error:
            story.append(f"{sim.time():.0f} {type(error).__name__}")
            await trio.sleep(30)


async def live(hours: float) -> list[str]:
    story: list[str] = []
    async with open_simulator(port=None, seed=1, scenario=DAY) as sim:
        await watch(sim, DAY.begin(0) + hours * HOUR, story)
    return story


async def test_a_day_with_faults(autojump_clock: MockClock) -> None:
    story = await live(17)
    assert sum("connected" in line for line in story) == 4  # the start, a reset, a half-open one, the restart
    assert sum("ConnectionLost" in line for line in story) == 3
    assert sum("ConnectionRefused" in line for line in story) >= 3  # twenty minutes of a shut port
    assert sum("ticks" in line for line in story) > 50
    again = await live(4)
    assert len(again) > 15
    assert again == story[: len(again)]
