"""``python -m fuzz``: so many mutated frames, in so much time, from a seed that is printed."""

from __future__ import annotations

import argparse
import faulthandler
import logging
import secrets
import sys
from collections import Counter
from random import Random
from time import monotonic

from tests.sessions import VERSIONS
from trio_ibtws._runtime._compat import ibapi_release

from .mutations import seeds
from .outcomes import BATCH, Finding, fuzz

STUCK_SECONDS = 60.0
"""A batch that takes longer hangs."""


def main() -> int:
    """Fuzz, and return the exit status."""
    given = arguments()
    logging.disable(logging.CRITICAL)  # ibapi's own, about each damaged frame
    seed = given.seed if given.seed is not None else secrets.randbits(32)
    print(f"ibapi {ibapi_release()}, server versions {VERSIONS}, --seed {seed}", flush=True)
    began = monotonic()
    try:
        outcomes = run(given.frames, given.seconds, seed)
    except Finding as finding:
        print(f"FOUND with --seed {seed}: {finding}")
        return 1
    took = monotonic() - began
    print(f"{outcomes.total()} frames in {took:.0f} s, {outcomes.total() / took:.0f} a second")
    for outcome, count in outcomes.most_common():
        print(f"  {count:9} {outcome}")
    if outcomes.total() < given.frames:
        print(f"FEWER than the {given.frames} that were asked for: give it more than {given.seconds:.0f} s")
        return 1
    return 0


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m fuzz")
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--seed", type=int, default=None)
    return parser.parse_args()


def run(frames: int, seconds: float, seed: int) -> Counter[str]:
    """Take the server versions in turn until there are enough frames, or the time is over."""
    random = Random(seed)
    bodies = {version: seeds(version) for version in VERSIONS}
    outcomes: Counter[str] = Counter()
    until = monotonic() + seconds
    while outcomes.total() < frames and monotonic() < until:
        for version in VERSIONS:
            faulthandler.dump_traceback_later(STUCK_SECONDS, exit=True)
            outcomes += fuzz(version, bodies[version], BATCH, random)
            faulthandler.cancel_dump_traceback_later()
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
