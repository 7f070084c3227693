"""Candles in the terminal: bars in, lines of text out.

Every cell holds two steps of price, because a line can be drawn in its upper half, its lower half or both, thick for
the body of a candle and thin for its wick.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from rich.text import Text

__all__ = ["Candle", "candle_chart", "fit", "sparkline"]

UP, DOWN = "green", "red"

# What to draw in a cell, by what its upper and its lower half hold.
_EMPTY, _WICK, _BODY = range(3)
_CELLS = {
    (_EMPTY, _EMPTY): " ",
    (_EMPTY, _WICK): "╷",
    (_WICK, _EMPTY): "╵",
    (_WICK, _WICK): "│",
    (_EMPTY, _BODY): "╻",
    (_BODY, _EMPTY): "╹",
    (_BODY, _BODY): "┃",
    (_WICK, _BODY): "╽",
    (_BODY, _WICK): "╿",
}
_ASCII = {cell: "#" if _BODY in cell else "|" if _WICK in cell else " " for cell in _CELLS}
_SPARKS = "▁▂▃▄▅▆▇█"


class Bar(Protocol):
    """What is used of ibapi's BarData."""

    date: str
    open: float
    high: float
    low: float
    close: float


class Candle(NamedTuple):
    """One column of the chart: the bars from *first* to *last*, as TWS wrote their dates."""

    first: str
    last: str
    open: float
    high: float
    low: float
    close: float


def fit(bars: Sequence[Bar], columns: int) -> list[Candle]:
    """Return at most *columns* candles that cover all *bars*, each for the same number of them but the last."""
    each = max(1, -(-len(bars) // columns))
    return [_candle(bars[start : start + each]) for start in range(0, len(bars), each)]


def _candle(bars: Sequence[Bar]) -> Candle:
    high, low = max(bar.high for bar in bars), min(bar.low for bar in bars)
    return Candle(str(bars[0].date), str(bars[-1].date), bars[0].open, high, low, bars[-1].close)


def candle_chart(candles: Sequence[Candle], *, height: int = 12, ascii_only: bool = False) -> list[Text]:
    """Return *height* lines of chart with the prices on their left, and a line of dates below.

    Raises:
      ValueError: there is no candle.
    """
    if not candles:
        raise ValueError("a chart needs at least one candle")
    scale = _Scale(min(c.low for c in candles), max(c.high for c in candles), 2 * height)
    cells = _ASCII if ascii_only else _CELLS
    labels = {0: scale.top, height // 2: scale.price(height // 2 * 2), height - 1: scale.bottom}
    lines = [_row(candles, scale, cells, row, labels.get(row)) for row in range(height)]
    return [*lines, _dates(candles)]


class _Scale:
    """Prices to half cells, counted from the top."""

    def __init__(self, bottom: float, top: float, steps: int) -> None:
        self.bottom, self.top = bottom, top
        self._step = (top - bottom) / (steps - 1) or 1.0

    def step(self, price: float) -> int:
        return round((self.top - price) / self._step)

    def price(self, step: int) -> float:
        return self.top - step * self._step


def _row(
    candles: Sequence[Candle], scale: _Scale, cells: dict[tuple[int, int], str], row: int, label: float | None
) -> Text:
    tick, axis = ("+", "|") if cells is _ASCII else ("┤", "│")
    line = Text(f"{'':>9} {axis}" if label is None else f"{_label(label):>9} {tick}", style="dim", no_wrap=True)
    for candle in candles:
        halves = (_half(candle, scale, 2 * row), _half(candle, scale, 2 * row + 1))
        line.append(cells[halves], style=f"not dim {UP if candle.close >= candle.open else DOWN}")
    return line


def _label(price: float) -> str:
    """Return *price* in at most nine characters: currencies are quoted to four decimals, stocks to two."""
    if abs(price) < 10:
        return f"{price:.4f}"
    return f"{price:.2f}" if abs(price) < 1e5 else f"{price:.7g}" if abs(price) < 1e7 else f"{price:.2e}"


def _half(candle: Candle, scale: _Scale, step: int) -> int:
    body = sorted((scale.step(candle.open), scale.step(candle.close)))
    if body[0] <= step <= body[1]:
        return _BODY
    return _WICK if scale.step(candle.high) <= step <= scale.step(candle.low) else _EMPTY


def _dates(candles: Sequence[Candle]) -> Text:
    """Return the first and the last date, and one between where there is room, each where its candle is."""
    width, centre = len(candles), len(candles) // 2
    first, middle, last = _day(candles[0].first), _day(candles[centre].first), _day(candles[-1].last)
    if width < len(first) + len(last) + 2:
        line = f"{first} to {last}"
    elif len(first) + 2 <= centre and centre + len(middle) + 2 <= width - len(last):
        line = f"{first:<{centre}}{middle:<{width - centre - len(last)}}{last}"
    else:
        line = f"{first:<{width - len(last)}}{last}"
    return Text(f"{'':>11}{line}", style="dim", no_wrap=True)


def _day(date: str) -> str:
    """Return TWS's 20130228 as 2013-02-28, and anything else as it came."""
    day = date.split(" ", maxsplit=1)[0]
    return f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == 8 and day.isdigit() else date


def sparkline(values: Iterable[float], *, ascii_only: bool = False) -> str:
    """Return *values* as a line of little bars; an empty one where little bars cannot be shown."""
    numbers = list(values)
    if ascii_only or not numbers:
        return ""
    low, span = min(numbers), max(numbers) - min(numbers)
    top = len(_SPARKS) - 1
    return "".join(_SPARKS[round((number - low) / span * top) if span else top // 2] for number in numbers)
