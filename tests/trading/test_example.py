"""The example runs, as a user would run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "bracket.py"


@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_bracket(backend: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(EXAMPLE.parents[1]), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLE), backend],
        capture_output=True,
        text=True,
        timeout=100,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1].startswith("bought 10 at ")
    assert lines[2].endswith("the other order is Cancelled")
    assert lines[3].startswith("no position is left; ")
