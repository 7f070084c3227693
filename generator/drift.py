"""What a release has that another one has not: shown when a release is recorded that nobody has seen yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .model import Method, Release

__all__ = ["drift"]


def drift(older: Release, newer: Release) -> list[str]:
    """Return the public methods that came, went or changed, one line for each; ``+``, ``-`` and ``~`` in front."""
    return [*_changes("EClient", older.client, newer.client), *_changes("EWrapper", older.wrapper, newer.wrapper)]


def _changes(cls: str, older: Mapping[str, Method], newer: Mapping[str, Method]) -> Iterator[str]:
    for name in sorted({*older, *newer}):
        before, after = older.get(name), newer.get(name)
        if before is None and after is not None:
            yield f"+ {cls}.{after}"
        elif after is None and before is not None:
            yield f"- {cls}.{before}"
        elif before != after:
            yield f"~ {cls}.{before} is now {after}"
