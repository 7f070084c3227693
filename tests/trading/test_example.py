"""The examples run, as a user would run them."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


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
