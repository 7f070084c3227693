"""How the command line is started as a process of its own, as its users do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
DEADLINE = 60

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def command_line(*arguments: str) -> list[str]:
    """Return what to start: warnings are errors in the process too."""
    return [sys.executable, "-W", "error", "-m", "trio_ibtws", *arguments]


def environment(**changes: str) -> dict[str, str]:
    """Return an environment that does not depend on the terminal that the tests run in."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "PYTHONIOENCODING": "utf-8", **changes}
