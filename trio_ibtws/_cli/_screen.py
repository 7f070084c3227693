"""What the demo draws with: a console that is at most 100 columns wide, headings, a board of live quotes."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Any, Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ._chart import sparkline

__all__ = ["QuoteBoard", "Screen"]

_WIDEST = 100
_KEPT_PRICES = 60
_LINES_WITHOUT_TERMINAL = 8

# IB's tick types; the second number is the same value, delayed.
_PRICES = {1: "bid", 66: "bid", 2: "ask", 67: "ask", 4: "last", 68: "last"}
_SIZES = {0: "bid size", 69: "bid size", 3: "ask size", 70: "ask size", 8: "volume", 74: "volume"}


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

    def scene(self, title: str, code: str) -> None:
        """Begin a part of the demo: what it shows, and the line of code that does it."""
        self._scene += 1
        self.console.print()
        self.console.print(Text.assemble((f"{self._scene}  {title}", "bold cyan")))
        self.console.print(Text(f"   {code}", style="dim", overflow="ellipsis", no_wrap=True))

    def say(self, what: RenderableType, style: str = "") -> None:
        """Print a line, or anything else that rich can draw, indented as the text of a scene."""
        if isinstance(what, str):
            what = Text(f"   {what}", style=style)
        self.console.print(what)

    def facts(self, rows: dict[str, str]) -> None:
        """Print names and values in two columns."""
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", width=16, no_wrap=True)
        table.add_column(overflow="ellipsis")
        for name, value in rows.items():
            table.add_row(f"   {name}", value)
        self.console.print(table)


class QuoteBoard:
    """Bid, ask, last and volume: redrawn in place on a terminal, else a few lines of what came."""

    def __init__(self, screen: Screen) -> None:
        self.events = 0
        self._screen = screen
        self._values: dict[str, float] = {}
        self._last_prices: deque[float] = deque(maxlen=_KEPT_PRICES)
        # Without its refresh thread: the library promises that there is none, and the demo counts them.
        self._live = Live(console=screen.console, auto_refresh=False) if screen.console.is_terminal else None
        self._lines = 0

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()
        elif self.events > self._lines:
            self._screen.say(f"… {self.events} events in all", style="dim")

    def take(self, event: Any) -> None:
        """Note a price or a size, and show it."""
        self.events += 1
        name, value = _tick(event)
        if name is None or value is None:
            return
        self._values[name] = value
        if name == "last":
            self._last_prices.append(value)
        self._show(name, value)

    def _show(self, name: str, value: float) -> None:
        if self._live is not None:
            self._live.update(self._drawn(), refresh=True)
        elif self._lines < _LINES_WITHOUT_TERMINAL:
            self._lines += 1
            self._screen.say(f"{name:<9} {_written(name, value):>14}")

    def _drawn(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for name in ("bid", "ask", "last", "volume"):
            table.add_column(justify="right", min_width=11, header=name)
        table.add_row(*(Text(name, style="dim") for name in ("bid", "ask", "last", "volume")))
        styles = {"bid": "green", "ask": "red", "last": "bold", "volume": ""}
        table.add_row(*(Text(self._text(name), style=style) for name, style in styles.items()))
        outer = Table.grid()
        outer.add_row(table)
        line = sparkline(self._last_prices, ascii_only=self._screen.ascii_only)
        outer.add_row(Text(f"   {line:<{_KEPT_PRICES}}  {self.events} events", style="cyan"))
        return outer

    def _text(self, name: str) -> str:
        return _written(name, self._values[name]) if name in self._values else "-"


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
