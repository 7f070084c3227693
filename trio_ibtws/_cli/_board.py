"""What a stream is shown on: redrawn in place on a terminal, lines of text in a file."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

import anyio
from rich.console import Console
from rich.live import Live
from rich.text import Text

__all__ = ["Board"]

_PAUSE = 0.1
"""Seconds between two pictures: the eye sees no more, and a slow terminal must not hold up the stream."""


class Board:
    """A picture that *draw* makes whenever it is wanted; ``pictured`` says whether pictures are shown at all."""

    def __init__(self, console: Console, draw: Callable[[], Text]) -> None:
        self.console = console
        self.pictured = console.is_terminal
        self._draw = draw
        self._next = 0.0
        # A console that records, as for a page of documentation, wants the last picture only. There is no refresh
        # thread: the library promises that.
        changing = self.pictured and not console.record
        self._live = Live(console=console, auto_refresh=False, transient=True) if changing else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def refresh(self) -> None:
        """Draw the picture again, if there is someone to see it and the last one is a while ago."""
        now = anyio.current_time()
        if self._live is not None and now >= self._next:
            self._next = now + _PAUSE
            self._live.update(self._draw(), refresh=True)

    def say(self, line: Text | str) -> None:
        """Print a line that stays, where there is no picture."""
        if not self.pictured:
            self.console.print(line, soft_wrap=True)

    def finish(self) -> None:
        """Print the last picture to stay."""
        self.console.print(self._draw())
