from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from trio.testing import MockClock

from tests.simulator.stock import VERSIONS, StockClient
from trio_ibtws.simulator import Limits, Scenario, Simulator, open_simulator

FAST = 200.0  # simulated seconds a second: what asyncio has instead of a virtual clock


@pytest.fixture(params=["trio", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """On trio no time passes at all, on asyncio a two-hundredth of it."""
    if request.param == "trio":
        return "trio", {"clock": MockClock(autojump_threshold=0)}
    return "asyncio", {}


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def speed(anyio_backend: tuple[str, dict[str, Any]]) -> float:
    return 1.0 if anyio_backend[0] == "trio" else FAST


@pytest.fixture
async def sim(speed: float) -> AsyncGenerator[Simulator]:
    """Without limits: tests ask for much at one instant."""
    async with open_simulator(port=None, scenario=Scenario(speed=speed, limits=Limits.off())) as simulator:
        yield simulator


@pytest.fixture
async def client(sim: Simulator, version: int) -> StockClient:
    return await StockClient.start(sim, version, client_id=1)
