"""The same rule with bytes that atheris chooses by the branches that they reach: ``python -m fuzz.guided SECONDS``."""

from __future__ import annotations

import logging
import sys
from random import Random

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]

with atheris.instrument_imports(include=["ibapi", "trio_ibtws"]):
    from tests.sessions import VERSIONS

    from .mutations import mutate, seeds
    from .outcomes import BATCH, Target

__all__ = ["guided"]


def guided(seconds: float) -> None:
    """Run until the time is over; atheris ends the process, with a status that says whether it found something."""
    logging.disable(logging.CRITICAL)  # ibapi's own, about each damaged frame
    bodies = {version: seeds(version, every=3) for version in VERSIONS}
    targets = {version: (Target(version), 0) for version in VERSIONS}

    def one(data: bytes) -> None:
        version_at, first, second, third, fourth, how, *rest = data.ljust(6, b"\0")
        version = VERSIONS[version_at % len(VERSIONS)]
        body = bodies[version][(first << 8 | second) % len(bodies[version])]
        at = (third << 8 | fourth) % (len(body) + 1)
        if how & 1:
            body = mutate(body, Random(data))
        target, used = targets[version]
        target.outcome(body[:at] + bytes(rest) + body[at + (how >> 1) :])
        targets[version] = (target, used + 1) if used < BATCH else (Target(version), 0)

    atheris.Setup([sys.argv[0], f"-max_total_time={seconds:.0f}", "-max_len=600"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    guided(float(sys.argv[1]) if sys.argv[1:] else 60.0)
