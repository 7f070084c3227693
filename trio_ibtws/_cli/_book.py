"""``trio-ibtws book``: the order book of a contract, as a ladder."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from .._client import Client
from .._contracts._qualify import Qualified
from .._data._depth import DepthBook, DepthLevel
from . import _json
from ._run import Watch, watch
from ._which import described, digits_of, find_one, wanted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from ._board import Board

__all__ = ["check", "command"]

_WIDEST = 100
_PRICE, _SIZE = 8, 6
"""How wide prices and sizes are at least; they grow with what comes, and never shrink again."""


def check(arguments: argparse.Namespace) -> None:
    """Raise ``CommandError`` if the words describe no contract."""
    wanted(arguments)


async def command(client: Client, arguments: argparse.Namespace) -> int:
    """Show the book until time, number or Ctrl-C ends it.

    Raises:
      CommandError: there is no one contract.
      RequestError: TWS refuses the data.
      DepthError: TWS has the book under another contract.
    """
    found = await find_one(client, arguments)
    changes = partial(client.mkt_depth, found.contract, arguments.rows, arguments.smart, buffer=10_000)
    if arguments.json:
        return (await watch(changes(), _print, arguments)).exit_code
    from ._board import Board
    from ._tables import make_console

    console = make_console()
    shown = _Shown(found, console, arguments.rows)
    with Board(console, shown.picture) as board:
        board.say(f"{shown.name}: seconds since the start, best bid and ask")

        def take(watched: Watch, event: Any) -> None:
            shown.take(watched, event, board)
            board.refresh()

        watched = await watch(changes(), take, arguments)
    shown.summary = watched.summary()
    board.finish()
    return watched.exit_code


def _print(_: Watch, event: Any) -> None:
    print(_json.line(event), flush=True)


class _Shown:
    """The ladder, drawn."""

    def __init__(self, found: Qualified, console: Console, rows: int) -> None:
        self.name = described(found.contract)
        self._digits = digits_of(found.details)
        self.summary = ""
        self._book = DepthBook(rows)
        self._rows = rows
        self._width = min(console.width, _WIDEST)
        self._price, self._size = _PRICE, _SIZE
        self._block = "#" if console.options.ascii_only else "█"
        self._best = ""

    def take(self, watched: Watch, event: Any, board: Board) -> None:
        """Apply a change; where there is no picture, print the best prices when they move."""
        self._book.apply(event)
        depth = self._book.snapshot()
        self._widen((*depth.bids, *depth.asks))
        if depth.bid is not None and depth.ask is not None:
            best = f"{self._bid(depth.bid)} | {self._ask(depth.ask)}".rstrip()
            if best != self._best:
                board.say(f"{watched.seconds:8.2f}  {best}")
            self._best = best

    def _widen(self, levels: Iterable[DepthLevel]) -> None:
        for size, price in map(self._texts, levels):
            self._price, self._size = max(self._price, len(price)), max(self._size, len(size))

    def picture(self) -> Text:
        """Return the ladder as it is now: a line for each level, with bars as long as their sizes."""
        from rich.text import Text

        left = f"{'':{self._bar}} {'size':>{self._size}} {'bid':>{self._price}}"
        head = f"{left} | {'ask':<{self._price}} size"
        picture = Text.assemble((f"{self.name}\n", "bold"), (f"{head}\n", "dim"), no_wrap=True)
        depth = self._book.snapshot()
        bids, asks = depth.bids, depth.asks
        most = max((float(level.size) for level in bids + asks), default=0.0)
        for at in range(min(self._rows, max(len(bids), len(asks)))):
            bid, ask = (side[at] if at < len(side) else None for side in (bids, asks))
            picture.append(f"{self._drawn(bid, most):>{self._bar}} {self._bid(bid)}", style="green")
            picture.append(" | ", style="dim").append(f"{self._ask(ask)} {self._drawn(ask, most)}", style="red")
            picture.rstrip()
            picture.append("\n")
        if depth.flaw is not None:
            picture.append(f"{depth.flaw}; wait for TWS to send it anew\n", style="yellow")
        return picture.append(self.summary or "Ctrl-C ends it", style="dim")

    @property
    def _bar(self) -> int:
        """How long the longest bar is."""
        return max(0, (self._width - 2 * (self._price + self._size + 1) - 5) // 2)

    def _drawn(self, level: DepthLevel | None, most: float) -> str:
        return "" if level is None or not most else self._block * round(float(level.size) / most * self._bar)

    def _bid(self, level: DepthLevel | None) -> str:
        size, price = self._texts(level)
        return f"{size:>{self._size}} {price:>{self._price}}"

    def _ask(self, level: DepthLevel | None) -> str:
        size, price = self._texts(level)
        return f"{price:<{self._price}} {size:<{self._size}}"

    def _texts(self, level: DepthLevel | None) -> tuple[str, str]:
        from ._tables import number

        return ("", "") if level is None else (number(level.size), number(level.price, self._digits))
