"""How the command line is started as a process of its own, as its users do; and a simulator in one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


@contextmanager
def simulator(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start ``trio-ibtws simulate`` on a free port; the process and the port."""
    started = [*command_line("simulate", "--port", "0", *arguments)]
    with subprocess.Popen(started, env=environment(), stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        try:
            found = re.search(r"on 127\.0\.0\.1:(\d+), seed", process.stdout.readline())
            assert found
            yield process, int(found[1])
        finally:
            process.kill()
