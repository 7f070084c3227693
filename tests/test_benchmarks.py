"""The benchmarks run: every measure once, in small. What they measure is not held against anything here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_harness_measures_everything_in_brief(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "--brief", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    measured = json.loads((tmp_path / "performance.json").read_text())
    jobs = [(json.loads(job), rounds) for job, rounds in measured.items()]
    assert all(figures for _, rounds in jobs for figures in rounds), done.stderr
    assert {job["measure"] for job, _ in jobs} == {
        "backlog", "burst", "history", "import", "latency", "lines", "requests", "start", "stream", "timer"
    }  # fmt: skip
    assert {job["who"] for job, _ in jobs} >= {"trio", "asyncio", "ibapi", "decoder"}
    assert all(value >= 0 for _, rounds in jobs for figures in rounds for value in figures.values())
    assert "### Streams, text" in (tmp_path / "performance.md").read_text()
