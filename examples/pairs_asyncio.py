"""The pairs watcher of ``examples/pairs.py`` on asyncio: the library is the same, the nurseries are task groups.

``python examples/pairs_asyncio.py`` runs on the simulator; ``--port 7497`` asks a TWS of yours.
"""

from __future__ import annotations

import asyncio

from pairs import FIRST, OLD, PAIR, RATIOS, SECOND, Band
from where import arguments, connected

from trio_ibtws import Client, TickByTickAllLast
from trio_ibtws.contracts import stock


class Quotes:
    """The newest price of each symbol, and when it came."""

    def __init__(self) -> None:
        self._prices: dict[str, tuple[float, float]] = {}
        self._changed = asyncio.Event()

    def put(self, symbol: str, price: float) -> None:
        """Keep a price, and wake who waits for one."""
        self._prices[symbol] = (price, asyncio.get_running_loop().time())
        self._changed.set()
        self._changed = asyncio.Event()

    def stale(self) -> list[str]:
        """Return the symbols without a price of the last few seconds."""
        now = asyncio.get_running_loop().time()
        return [symbol for symbol in PAIR if now - self._prices.get(symbol, (0.0, -OLD))[1] >= OLD]

    async def ratio(self) -> float:
        """Wait for a change after which both prices are fresh, and return their ratio."""
        while True:
            await self._changed.wait()
            if not self.stale():
                return self._prices[FIRST][0] / self._prices[SECOND][0]


async def follow(client: Client, symbol: str, quotes: Quotes) -> None:
    """Keep the price of one symbol current."""
    async with client.tick_by_tick_data(stock(symbol), "Last", overflow="drop_oldest") as ticks:
        async for tick in ticks:
            if isinstance(tick, TickByTickAllLast) and tick.price is not None:
                quotes.put(symbol, tick.price)


async def compare(quotes: Quotes) -> None:
    """Print so many ratios."""
    band = Band()
    for _ in range(RATIOS):
        print(band.judge(await quotes.ratio()))


async def complain(quotes: Quotes) -> None:
    """Say whose price is old: a ratio of it would be worth nothing."""
    while True:
        await asyncio.sleep(OLD)
        for symbol in quotes.stale():
            print(f"no price of {symbol} for {OLD:.0f} seconds")


async def main() -> None:
    quotes = Quotes()
    async with connected(arguments(__doc__).parse_args(), speed=30.0) as client, asyncio.TaskGroup() as feeding:
        feeders = [feeding.create_task(follow(client, symbol, quotes)) for symbol in PAIR]
        async with asyncio.TaskGroup() as watching:
            complaining = watching.create_task(complain(quotes))
            await watching.create_task(compare(quotes))
            complaining.cancel()
        for feeder in feeders:
            feeder.cancel()


if __name__ == "__main__":
    asyncio.run(main())
