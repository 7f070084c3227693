"""The README's program runs as it stands, against the simulator that it opens; on asyncio with what that needs."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.cli.process import DEADLINE, ROOT, environment

# What differs in a program for asyncio.
TO_ASYNCIO = [
    ("import trio\n", "import asyncio\n\nimport anyio\n"),
    ("trio.move_on_after(3)", "anyio.move_on_after(3)"),
    ("trio.run(main)", "asyncio.run(main())"),
]


def program(backend: str) -> str:
    """Return the program of the README, as it is or changed to run on asyncio."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    text = next(block for block in blocks if "async def main" in block)
    for old, new in TO_ASYNCIO if backend == "asyncio" else []:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return str(text)


@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_the_program_of_the_readme(backend: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program(backend)],
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "APPLE INC"
    assert any(line.startswith("TickPrice(tick_type=4, price=") for line in lines)
