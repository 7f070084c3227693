"""Runs the command line as its users do: as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEADLINE = 60

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def command_line(*arguments: str) -> list[str]:
    """Return what to start: warnings are errors in the process too."""
    return [sys.executable, "-W", "error", "-m", "trio_ibtws", *arguments]


def environment(**changes: str) -> dict[str, str]:
    """Return an environment that does not depend on the terminal that the tests run in."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "PYTHONIOENCODING": "utf-8", **changes}


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """A function that runs ``trio-ibtws`` with some arguments to its end, and returns its output and exit code."""

    def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command_line(*arguments),
            cwd=tmp_path,
            env=environment(**changes),
            capture_output=True,
            encoding="utf-8",
            timeout=DEADLINE,
            check=False,
        )

    return run
