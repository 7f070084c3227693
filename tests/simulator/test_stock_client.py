"""The installed ibapi as its users run it: its own threads and sockets, in a process of its own.

``nox -s matrix`` runs this with each release.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.simulator.stock import MAX_CLIENT_VER
from trio_ibtws.simulator import Scenario, open_simulator
from trio_ibtws.simulator._handshake import SERVER_VERSIONS

pytestmark = pytest.mark.anyio

SCRIPT = Path(__file__).with_name("stock_session.py")
FAST = 10.0  # simulated seconds a second


@pytest.fixture
def anyio_backend() -> str:
    """A socket needs real time, and ibapi does not see what is behind it."""
    return "trio"


async def test_a_session_of_stock_ibapi() -> None:
    async with open_simulator(port=0, scenario=Scenario(speed=FAST)) as sim:
        with anyio.fail_after(60):
            done = await anyio.run_process([sys.executable, str(SCRIPT), str(sim.port)], check=False)
    assert done.returncode == 0, done.stderr.decode()
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen.pop("version") == max(version for version in SERVER_VERSIONS if version <= MAX_CLIENT_VER)
    assert 0 < seen["prices"].pop("spread") < 0.5
    assert seen == {
        "first": 1,
        "contracts": {"conId": 265598, "name": "APPLE INC", "no such": 200, "chains": 10},
        "prices": {"bars": 19, "head": "20000301-14:30:00", "size": True},
        "orders": {"filled": 10, "cancel": "Cancelled", "margin": True, "executions": 1, "fee": 1.0},
        "account": {"account": "DU1000001", "position": 10, "portfolio": 10, "values": True, "scanned": 5},
        "errors": [200, 202, 2152],
    }
