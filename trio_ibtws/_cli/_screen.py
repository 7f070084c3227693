"""What the demo draws with: a console that is at most 100 columns wide, headings, a board of live quotes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from ._chart import sparkline

__all__ = ["QuoteBoard", "Screen"]

_WIDEST = 100
_KEPT_PRICES = 60
_LINES_WITHOUT_TERMINAL = 6
_NAME_WIDTH = 16
_COLUMN = 12

# IB's tick types; the second number is the same value, delayed.
_PRICES = {1: "bid", 66: "bid", 2: "ask", 67: "ask", 4: "last", 68: "last"}
_SIZES = {8: "volume", 74: "volume"}
_SHOWN = {"bid": "green", "ask": "red", "last": "bold", "volume": ""}


class Screen:
    """The console, and the number of the next heading."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console if console is not None else Console(highlight=False)
        if self.console.width > _WIDEST:
            self.console.width = _WIDEST
        self._scene = 0

    @property
    def ascii_only(self) -> bool:
        """Whether the output cannot take the characters that charts are drawn with."""
        return self.console.options.ascii_only

    def title(self, rest: str) -> None:
        """Begin: the library's name, and what it runs on."""
        self.console.print(Text.assemble(("trio_ibtws", "bold"), " ", rest))

    def scene(self, title: str, code: str) -> None:
        """Begin a part of the demo: what it shows, and the line of code that does it."""
        self._scene += 1
        self.console.print()
        self.console.print(Text.assemble((f"{self._scene}  {title}", "bold cyan")))
        self.console.print(Text(f"   {code}", style="dim", overflow="ellipsis", no_wrap=True))

    def say(self, text: str, style: str = "") -> None:
        """Print a line of a scene."""
        self.console.print(Text(f"   {text}", style=style, overflow="ellipsis", no_wrap=True))

    def fact(self, name: str, value: str) -> None:
        """Print a name and a value, in two columns."""
        line = Text.assemble((f"   {name:<{_NAME_WIDTH}}", "dim"), value, overflow="ellipsis", no_wrap=True)
        self.console.print(line)


class QuoteBoard:
    """Bid, ask, last and volume for some *seconds*: redrawn in place on a terminal, else a line now and then."""

    def __init__(self, screen: Screen, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self.events = 0
        self._screen = screen
        self._values: dict[str, float] = {}
        self._last_prices: deque[float] = deque(maxlen=_KEPT_PRICES)
        # Without its refresh thread: the library promises that there is none, and the demo counts them.
        self._live = Live(console=screen.console, auto_refresh=False) if screen.console.is_terminal else None
        self._now = now
        self._pause = seconds / _LINES_WITHOUT_TERMINAL
        self._next_line = now()

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        else:
            self._screen.say("".join(f"{name:>{_COLUMN}}" for name in _SHOWN), style="dim")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()
        else:
            self._screen.say(self._count(), style="dim")

    def take(self, event: Any) -> None:
        """Note a price or a size, and show it."""
        self.events += 1
        name, value = _tick(event)
        if name is None or value is None:
            return
        self._values[name] = value
        if name == "last":
            self._last_prices.append(value)
        if self._values.get("bid", 0.0) <= self._values.get("ask", 0.0):  # else the other side is still on its way
            self._show()

    def _show(self) -> None:
        if self._live is not None:
            self._live.update(self._drawn(), refresh=True)
        elif self._now() >= self._next_line and _SHOWN.keys() <= self._values.keys():
            self._next_line = self._now() + self._pause
            self._screen.say("".join(f"{self._text(name):>{_COLUMN}}" for name in _SHOWN))

    def _drawn(self) -> Text:
        head = "".join(f"{name:>{_COLUMN}}" for name in _SHOWN)
        values = [(f"{self._text(name):>{_COLUMN}}", style) for name, style in _SHOWN.items()]
        line = sparkline(self._last_prices, ascii_only=self._screen.ascii_only)
        return Text.assemble(
            (f"   {head}\n   ", "dim"),
            *values,
            "\n   ",
            (f"{line:<{_KEPT_PRICES}}\n   ", "cyan"),
            (self._count(), "dim"),
        )

    def _text(self, name: str) -> str:
        return _written(name, self._values[name]) if name in self._values else "-"

    def _count(self) -> str:
        return f"{self.events} events"


def _tick(event: Any) -> tuple[str | None, float | None]:
    """Return name and value of what the board shows, and ``None`` for the many other ticks."""
    kind = getattr(event, "tick_type", None)
    if kind is None:
        return None, None
    if (name := _PRICES.get(kind)) is not None:
        return name, getattr(event, "price", None)
    if (name := _SIZES.get(kind)) is not None and (size := getattr(event, "size", None)) is not None:
        return name, float(size)
    return None, None


def _written(name: str, value: float) -> str:
    return f"{value:,.0f}" if name not in _PRICES.values() else f"{value:,.4f}" if value < 10 else f"{value:,.2f}"
