"""``trio-ibtws book``: the order book of a contract, as a ladder."""

from __future__ import annotations

import argparse
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from .._client import Client
from .._contracts._qualify import Qualified
from .._gen.events import RerouteMktDepthReq, UpdateMktDepth, UpdateMktDepthL2
from .._runtime._events import DepthReset
from . import _json
from ._run import Watch, watch
from ._which import described, digits_of, find_one

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from ._board import Board

__all__ = ["Ladder", "command"]

_INSERT, _UPDATE, _DELETE = range(3)
_ASK, _BID = range(2)
_WIDEST = 100
_PRICE, _SIZE = 8, 6
"""How wide prices and sizes are at least; they grow with what comes, and never shrink again."""


class Level(NamedTuple):
    """One row of a side."""

    price: float | None
    size: Decimal | None
    maker: str


class Ladder:
    """Both sides of a book, the best price first."""

    def __init__(self) -> None:
        self.sides: dict[int, list[Level]] = {_BID: [], _ASK: []}

    @property
    def bids(self) -> list[Level]:
        return self.sides[_BID]

    @property
    def asks(self) -> list[Level]:
        return self.sides[_ASK]

    def take(self, event: Any) -> None:
        """Apply a change."""
        if isinstance(event, DepthReset):
            self.bids.clear()
            self.asks.clear()
        elif isinstance(event, (UpdateMktDepth, UpdateMktDepthL2)):
            self._change(event)

    def _change(self, event: UpdateMktDepth | UpdateMktDepthL2) -> None:
        side, at = self.sides[event.side], event.position
        level = Level(event.price, event.size, getattr(event, "market_maker", ""))
        if event.operation == _INSERT:
            side.insert(at, level)
        elif at < len(side):  # else TWS changes a row that it has not sent, which it does after a reset
            side[at : at + 1] = [] if event.operation == _DELETE else [level]


async def command(client: Client, arguments: argparse.Namespace) -> int:
    """Show the book until time, number or Ctrl-C ends it.

    Raises:
      CommandError: there is no one contract.
      RequestError: TWS refuses the data.
    """
    found = await find_one(client, arguments)
    subscription = client.mkt_depth(found.contract, arguments.rows, arguments.smart, buffer=10_000)
    if arguments.json:
        return (await watch(subscription, _print, arguments)).exit_code
    from ._board import Board
    from ._tables import make_console

    console = make_console()
    shown = _Shown(found, console, arguments.rows)
    with Board(console, shown.picture) as board:
        board.say(f"{shown.name}: seconds since the start, best bid and ask")

        def take(watched: Watch, event: Any) -> None:
            shown.take(watched, event, board)
            board.refresh()

        watched = await watch(subscription, take, arguments)
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
        self._ladder = Ladder()
        self._rows = rows
        self._width = min(console.width, _WIDEST)
        self._price, self._size = _PRICE, _SIZE
        self._block = "#" if console.options.ascii_only else "█"
        self._best = ""

    def take(self, watched: Watch, event: Any, board: Board) -> None:
        """Apply a change; where there is no picture, print the best prices when they move."""
        self._ladder.take(event)
        if isinstance(event, (UpdateMktDepth, UpdateMktDepthL2)):
            size, price = self._texts(Level(event.price, event.size, ""))
            self._price, self._size = max(self._price, len(price)), max(self._size, len(size))
        if isinstance(event, RerouteMktDepthReq):
            board.console.print(f"TWS has this book under contract {event.con_id} on {event.exchange}: ask for that")
        elif self._ladder.bids and self._ladder.asks:
            best = f"{self._bid(self._ladder.bids[0])} | {self._ask(self._ladder.asks[0])}".rstrip()
            if best != self._best:
                board.say(f"{watched.seconds:8.2f}  {best}")
            self._best = best

    def picture(self) -> Text:
        """Return the ladder as it is now: a line for each level, with bars as long as their sizes."""
        from rich.text import Text

        left = f"{'':{self._bar}} {'size':>{self._size}} {'bid':>{self._price}}"
        head = f"{left} | {'ask':<{self._price}} size"
        picture = Text.assemble((f"{self.name}\n", "bold"), (f"{head}\n", "dim"), no_wrap=True)
        bids, asks = self._ladder.bids, self._ladder.asks
        most = max((float(level.size or 0) for level in bids + asks), default=0.0)
        for at in range(min(self._rows, max(len(bids), len(asks)))):
            bid, ask = (side[at] if at < len(side) else None for side in (bids, asks))
            picture.append(f"{self._drawn(bid, most):>{self._bar}} {self._bid(bid)}", style="green")
            picture.append(" | ", style="dim")
            picture.append(f"{self._ask(ask)} {self._drawn(ask, most)}".rstrip() + "\n", style="red")
        return picture.append(self.summary or "Ctrl-C ends it", style="dim")

    @property
    def _bar(self) -> int:
        """How long the longest bar is."""
        return max(0, (self._width - 2 * (self._price + self._size + 1) - 5) // 2)

    def _drawn(self, level: Level | None, most: float) -> str:
        return "" if level is None or not most else self._block * round(float(level.size or 0) / most * self._bar)

    def _bid(self, level: Level | None) -> str:
        size, price = self._texts(level)
        return f"{size:>{self._size}} {price:>{self._price}}"

    def _ask(self, level: Level | None) -> str:
        size, price = self._texts(level)
        return f"{price:<{self._price}} {size:<{self._size}}"

    def _texts(self, level: Level | None) -> tuple[str, str]:
        from ._tables import number

        return ("", "") if level is None else (number(level.size), number(level.price, self._digits))
