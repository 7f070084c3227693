"""Runs jobs: each in a process of its own, one after another, in rounds, with a bound on its time."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from .suite import Job

Measured = dict[str, list[dict[str, float]]]
"""The figures of every round, by the job that they are of."""

SECONDS = 60
"""What takes longer has hung: a peer that does so has no figure, and the run goes on."""

_NEEDS = {"uvloop": "uvloop", "ib_async": "ib_async"}
_IMPORTS = {"trio": "trio_ibtws", "ib_async": "ib_async", "ibapi": "ibapi.client"}


def key(job: Job) -> str:
    """Return what tells *job* from others."""
    return json.dumps(job, sort_keys=True)


def takes_part(who: str) -> bool:
    """Whether a contender is installed."""
    return who not in _NEEDS or find_spec(_NEEDS[who]) is not None


@contextmanager
def feeder() -> Iterator[dict[str, int]]:
    """Give the server's ports; it ends with the block."""
    command = [sys.executable, "-m", "benchmarks.feeder"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(10)


def measure(job: Job, ports: dict[str, int]) -> dict[str, float]:
    """Return the figures of one run of *job*, none where it hung."""
    if job["measure"] == "import":
        code = f"import time; began = time.process_time(); import {_IMPORTS[job['who']]}\n"
        command = [sys.executable, "-c", code + "print('{\"ms\": %f}' % ((time.process_time() - began) * 1e3))"]
    else:
        argument = json.dumps(job | {"port": ports[job["wire"]]})
        command = [sys.executable, "-m", "benchmarks.contender", argument]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        print(f"\n{job} hung", file=sys.stderr)
        return {}
    if done.returncode:
        print(f"\n{job} failed:\n{done.stderr}", file=sys.stderr)
        return {}
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def run(jobs: Iterable[Job], rounds: int, *, progress: Any = sys.stderr) -> Measured:
    """Run all *jobs* in turn, *rounds* times over, so that what disturbs the machine disturbs all alike."""
    todo = {key(job): job for job in jobs if takes_part(job["who"])}
    measured: Measured = {name: [] for name in todo}
    with feeder() as ports:
        for number in range(rounds):
            for done, (name, job) in enumerate(todo.items()):
                measured[name].append(measure(job, ports))
                print(f"\rround {number + 1}/{rounds}, {done + 1}/{len(todo)} ", end="", file=progress, flush=True)
    print(file=progress)
    return measured


def median(measured: Measured, job: Job, figure: str) -> float | None:
    """Return the median of one figure over the rounds, ``None`` where the job was not run."""
    values = [figures[figure] for figures in measured.get(key(job), []) if figure in figures]
    return statistics.median(values) if values else None
