"""ib_async, unmodified, in a process of its own, over a real socket."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from trio_ibtws.simulator import Scenario, open_simulator

pytestmark = pytest.mark.anyio

SCRIPT = Path(__file__).with_name("ib_async_session.py")
FAST = 10.0  # simulated seconds a second; ib_async's own limits and timeouts are in real ones


@pytest.fixture
def anyio_backend() -> str:
    """A socket needs real time, and ib_async does not see what is behind it."""
    return "trio"


async def test_a_session_of_ib_async() -> None:
    async with open_simulator(port=0, scenario=Scenario(speed=FAST)) as sim:
        command = [sys.executable, str(SCRIPT), str(sim.port)]
        with anyio.fail_after(60):
            done = await anyio.run_process(command, check=False)
        assert done.returncode == 0, done.stderr.decode()
        asked = {each.name for each in sim.received}
    check(json.loads(done.stdout))
    assert {"reqAccountUpdates", "reqPositions", "reqOpenOrders", "reqCompletedOrders", "reqExecutions"} <= asked


def check(seen: dict[str, dict[str, Any]]) -> None:
    assert (seen["start"]["version"], seen["start"]["accounts"]) == (176, ["DU1000001"])
    assert min(seen["start"]["values"], seen["start"]["summary"]) > 20
    assert 0 < seen["prices"].pop("spread") < 0.5
    assert seen["orders"].pop("margin") > 20_000
    assert {name: values for name, values in seen.items() if name != "start"} == {
        "contracts": {
            "conId": 265598,
            "exchange": "NASDAQ",
            "name": "APPLE INC",
            "option": "AAPL  130118C00490000",
            "strikes": 9,
            "nothing": [None],
        },
        "prices": {
            "bars": 19,
            "close": 529.82,
            "bar": 5.0,
            "quote": True,
            "head": "2000-03-01 14:30:00",
            "ticks": 12,  # ten, and the rest of the second of the last
        },
        "depth": {"makers": True},
        "orders": {"filled": 10.0, "fill": "Filled", "commission": 1.0, "cancel": "Cancelled"},
        "bracket": {
            "states": ["Filled", "Submitted", "PreSubmitted"],
            "ends": ["Filled", "Cancelled", "Cancelled"],
        },
        "account": {
            "executions": 15.0,
            "positions": [["AAPL", 15.0]],
            "portfolio": [["AAPL", 15.0]],
            "single": 15.0,
            "open": 0,
            "completed": 5,
        },
        "rest": {"providers": 3, "headlines": 3, "article": True, "scanned": 5, "samples": 2, "time": 2013},
        "errors": [162, 200, 202, 2152],
    }
