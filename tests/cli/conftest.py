"""The fixture that runs the command line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.process import DEADLINE, Command, command_line, environment


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
