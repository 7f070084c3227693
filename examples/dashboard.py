"""A live dashboard in the terminal: quotes with their age, positions and the account, until Ctrl-C.

``python examples/dashboard.py AAPL MSFT`` runs on the simulator; ``--port 7497`` asks a TWS of yours. Needs rich, which
``trio-ibtws[cli]`` brings. ``--seconds N`` ends it by itself.
"""

from __future__ import annotations

import argparse
from contextlib import suppress

import anyio
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from where import arguments, connected

from trio_ibtws import AccountState, Client, TickPrice
from trio_ibtws.contracts import stock

BID, ASK, LAST = 1, 2, 4
STALE = 10.0
FRAMES_PER_SECOND = 4


class Row:
    """The quotes of one symbol, and when the newest came."""

    def __init__(self) -> None:
        self.prices: dict[int, float] = {}
        self.before: float | None = None
        self.at: float | None = None

    def take(self, tick: TickPrice) -> None:
        """Take one price; TWS sends -1 where there is none."""
        if tick.price is None or tick.price < 0:
            return
        if tick.tick_type == LAST:
            self.before = self.prices.get(LAST)
        self.prices[tick.tick_type] = tick.price
        self.at = anyio.current_time()

    def cells(self) -> list[Text]:
        """Return what a table shows; an old quote is dimmed, and says how old it is."""
        age = None if self.at is None else anyio.current_time() - self.at
        old = "dim" if age is None or age > STALE else ""
        last = self.prices.get(LAST)
        moved = 0.0 if last is None or self.before is None else last - self.before
        colour = old or ("green" if moved > 0 else "red" if moved < 0 else "")
        bid, ask = (Text(shown(self.prices.get(kind)), old) for kind in (BID, ASK))
        return [bid, ask, Text(shown(last), colour), Text("-" if age is None else f"{age:.0f} s", old)]


def shown(price: float | None) -> str:
    return "-" if price is None else f"{price:,.2f}"


async def follow(client: Client, symbol: str, row: Row) -> None:
    """Keep one row current; only the newest quote counts."""
    async with client.mkt_data(stock(symbol), overflow="conflate") as ticks:
        async for tick in ticks:
            if isinstance(tick, TickPrice):
                row.take(tick)


def picture(rows: dict[str, Row], account: AccountState) -> Group:
    quotes = Table("symbol", "bid", "ask", "last", "age", expand=True)
    for symbol, row in rows.items():
        quotes.add_row(symbol, *row.cells())
    held = Table("position", "quantity", "average cost", expand=True)
    for position in account.positions.snapshot():
        held.add_row(position.contract.symbol, f"{position.position:f}", shown(position.avg_cost))
    values = {row.key: row.val for row in account.account_values.snapshot() if row.currency == "USD"}
    worth = ", ".join(f"{name} {values[name]}" for name in ("NetLiquidation", "AvailableFunds") if name in values)
    return Group(Panel(quotes, title="quotes"), Panel(held, title="positions"), Panel(worth or "-", title="account"))


async def show(client: Client, symbols: list[str], console: Console) -> None:
    rows = {symbol: Row() for symbol in symbols}
    async with client.state() as account, anyio.create_task_group() as tasks:
        for symbol, row in rows.items():
            tasks.start_soon(follow, client, symbol, row)
        with Live(picture(rows, account), console=console, auto_refresh=False) as screen:
            while True:
                await anyio.sleep(1 / FRAMES_PER_SECOND)
                screen.update(picture(rows, account), refresh=True)


def options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("symbols", nargs="*", default=["AAPL", "MSFT", "SPY"])
    parser.add_argument("--seconds", type=float, help="end after so many")
    return parser.parse_args()


async def main() -> None:
    chosen = options()
    async with connected(chosen) as client:
        with anyio.move_on_after(chosen.seconds):
            await show(client, chosen.symbols, Console())


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        anyio.run(main, backend=options().backend)
