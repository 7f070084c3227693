"""The examples run, as a user would run them."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(EXAMPLES.parent), *sys.path])},
        check=False,
    )


@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_bracket(backend: str) -> None:
    done = run(str(EXAMPLES / "bracket.py"), backend)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1].startswith("bought 10 at ")
    assert lines[2].endswith("the other order is Cancelled")
    assert lines[3].startswith("no position is left; ")


def test_a_strategy_is_tested_on_the_simulator() -> None:
    """The example is a test itself; the plugin comes by its entry point where the package is installed."""
    plugin = [] if entry_points(group="pytest11", name="trio_ibtws") else ["-p", "trio_ibtws._pytest_plugin"]
    done = run("-m", "pytest", "-q", "-p", "no:trio", *plugin, str(EXAMPLES / "test_strategy_on_simulator.py"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_every_kind_of_request(backend: str) -> None:
    done = run(str(EXAMPLES / "every_request.py"), "--backend", backend)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) >= 20
    assert lines[-1] == f"{len(lines) - 2} of {len(lines) - 2} went well"


def test_all_options_of_a_week() -> None:
    done = run(str(EXAMPLES / "options_of_the_week.py"), "AAPL", "--near", "3")
    assert done.returncode == 0, done.stderr
    said, heading, *rows = done.stdout.splitlines()
    assert said.startswith("6 options on AAPL expire from ")
    assert heading.split() == ["expires", "right", "strike", "bid", "ask", "last"]
    assert len(rows) == 6
    for row in rows:
        bid, ask = (float(cell) for cell in row.split()[3:5])
        assert 0 < bid < ask


@pytest.mark.parametrize("program", ["pairs.py", "pairs_asyncio.py"])
def test_pairs(program: str) -> None:
    done = run(str(EXAMPLES / program))
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("AAPL/MSFT ")]
    assert len(lines) == 20
    assert all(float(line.split()[1]) > 1 for line in lines)


@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_the_dashboard(backend: str) -> None:
    done = run(str(EXAMPLES / "dashboard.py"), "AAPL", "--seconds", "2", "--backend", backend)
    assert done.returncode == 0, done.stderr
    for words in ("quotes", "AAPL", "positions", "NetLiquidation 1000000"):
        assert words in done.stdout
