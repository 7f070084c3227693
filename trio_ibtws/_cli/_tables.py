"""Tables on the terminal and in files: rows of text in columns, or one below the other where they do not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

__all__ = ["Column", "facts", "make_console", "number", "show"]

_LABEL_WIDTH = 16
_GAP = "  "


class Column(NamedTuple):
    """A column: its title, and what it shows of a row. A column that is empty in every row is left out."""

    title: str
    value: Callable[[Any], str]
    right: bool = False
    style: str = ""


def make_console() -> Console:
    """Return what commands print on: without colours where there is no terminal or where NO_COLOR is set."""
    return Console(highlight=False, emoji=False, markup=False)


def show(console: Console, columns: Sequence[Column], rows: Iterable[Any], *, none: str) -> None:
    """Print *rows*, or the sentence *none* if there are none."""
    texts = [[column.value(row) for column in columns] for row in rows]
    used = [at for at in range(len(columns)) if any(text[at] for text in texts)]
    shown, cells = [columns[at] for at in used], [[text[at] for at in used] for text in texts]
    widths = [max(map(cell_len, (column.title, *(row[at] for row in cells)))) for at, column in enumerate(shown)]
    if not texts:
        console.print(Text(none, style="dim"))
    elif sum(widths) + len(_GAP) * (len(widths) - 1) <= console.width:
        console.print(_line([(column.title, "dim") for column in shown], shown, widths))
        for row in cells:
            console.print(_line([(cell, column.style) for cell, column in zip(row, shown, strict=True)], shown, widths))
    else:
        _one_below_the_other(console, shown, cells)


def _line(cells: Iterable[tuple[str, str]], columns: Sequence[Column], widths: Sequence[int]) -> Text:
    line = Text(no_wrap=True)
    for (text, style), column, width in zip(cells, columns, widths, strict=True):
        room = " " * (width - cell_len(text))
        line.append(f"{room if column.right else ''}{text}", style=style)
        line.append(f"{'' if column.right else room}{_GAP}")
    line.rstrip()
    return line


def _one_below_the_other(console: Console, columns: Sequence[Column], cells: Iterable[Sequence[str]]) -> None:
    """Print what is too wide for a table, so that nothing of it is cut off."""
    width = max(len(column.title) for column in columns) + len(_GAP)
    for at, row in enumerate(cells):
        if at:
            console.print()
        for column, cell in zip(columns, row, strict=True):
            if cell:
                console.print(Text.assemble((f"{column.title:<{width}}", "dim"), (cell, column.style)))


def facts(console: Console, pairs: Iterable[tuple[str, str]]) -> None:
    """Print names and values, those without a value left out."""
    for name, value in pairs:
        if value:
            console.print(Text.assemble((f"{name:<{_LABEL_WIDTH}}", "dim"), value))


def number(value: float | Decimal | None, digits: int | None = None) -> str:
    """Return a number with its thousands apart; with *digits* places, or as many as it has. Empty for ``None``."""
    if value is None:
        return ""
    if digits is not None:
        return f"{value:,.{digits}f}"
    exact = Decimal(str(value))
    return f"{exact.normalize():,f}" if exact else "0"
