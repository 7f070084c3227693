"""The shipped pytest plugin, used as a user's project uses it."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

TEST = """
import pytest
from trio_ibtws import open_client

@pytest.fixture(params=["trio", "asyncio"])
def anyio_backend(request):
    return request.param

@pytest.mark.anyio
async def test_it(tws_simulator):
    async with tws_simulator() as sim, open_client(stream=await sim.connect()) as client:
        assert client.accounts == ("DU1000001",)
        print("began", sim.time())

async def test_trio(tws_simulator, autojump_clock):
    async with tws_simulator(port=None) as sim, open_client(stream=await sim.connect()) as client:
        assert await client.current_time() > 0
"""


@pytest.mark.parametrize(
    ("plugins", "passed"),
    [
        (["-p", "no:trio", "-k", "test_it"], "2 passed"),
        (["-p", "trio", "-p", "no:anyio", "-k", "test_trio"], "1 passed"),
    ],
)
def test_both_plugins_can_use_it(tmp_path: Path, plugins: list[str], passed: str) -> None:
    (tmp_path / "test_strategy.py").write_text(TEST, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\ntrio_mode = true\n", encoding="utf-8")
    root = Path(__file__).parents[2]
    installed = bool(entry_points(group="pytest11", name="trio_ibtws"))
    ours = [] if installed else ["-p", "trio_ibtws._pytest_plugin"]
    command = [sys.executable, "-m", "pytest", "-q", *ours, *plugins, "--tws-seed", "3"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={"PYTHONPATH": str(root), "PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "", "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert passed in done.stdout, done.stdout + done.stderr
