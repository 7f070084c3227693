"""What one answer takes, counted while it is made: a limit holds before the memory is gone, and others get to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import anyio.lowlevel

from ._errors import LimitExceeded
from ._limits import Limits

FIELDS_BETWEEN_PAUSES: Final = 200
"""How many fields are completed before others may run: at 5 to 60 µs a field, some milliseconds."""

_COUNTED: Final = {
    "rows": ("rows", "rows in the response"),
    "nodes": ("nodes", "objects in the response"),
    "introspection": ("introspection_nodes", "objects in the introspection"),
    "size": ("response_bytes", "bytes in the response"),
}
"""The limit of each count, and what it is called."""


@dataclass(slots=True)
class Work:
    """What one answer has taken so far.

    Attributes:
      limits: where it ends; without limits nothing is refused.
      fields: fields completed since others could last run.
      rows: objects without objects in them, and items of lists of scalars.
      nodes: all other objects.
      introspection: objects of the introspection.
      size: bytes of JSON, near enough; what a value of JSON has in it is seen when the answer is written.
      exceeded: the limit that was; everything after it fails at once.
      pauses: how often others could run.
    """

    limits: Limits | None = None
    fields: int = 0
    rows: int = 0
    nodes: int = 0
    introspection: int = 0
    size: int = 0
    exceeded: LimitExceeded | None = None
    pauses: int = 0

    def count(self, kind: str, number: int = 1) -> None:
        """Count *number* more of *kind*.

        Raises:
          LimitExceeded: they are too many, or something was before.
        """
        if self.exceeded is not None:
            raise self.exceeded
        total = getattr(self, kind) + number
        setattr(self, kind, total)
        if self.limits is None:
            return
        most, what = getattr(self.limits, _COUNTED[kind][0]), _COUNTED[kind][1]
        if total > most:
            self.exceeded = LimitExceeded(what, f"{total} and more", most)
            raise self.exceeded

    async def pause(self) -> None:
        """Let others run, when it is time. Cancellation is heeded here."""
        if self.fields >= FIELDS_BETWEEN_PAUSES:
            self.fields = 0
            self.pauses += 1
            await anyio.lowlevel.checkpoint()
