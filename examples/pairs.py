"""A pairs watcher on Trio: one nursery keeps two quotes fresh, another watches what is made of them.

When the watchers are done, the outer nursery is cancelled, and with it the subscriptions at TWS. When anything fails,
everything is. ``examples/pairs_asyncio.py`` is the same program on asyncio. ``python examples/pairs.py`` runs on the
simulator; ``--port 7497`` asks a TWS of yours.
"""

from __future__ import annotations

from collections import deque
from statistics import mean, stdev

import trio
from where import arguments, connected

from trio_ibtws import Client, TickByTickAllLast
from trio_ibtws.contracts import stock

FIRST, SECOND = PAIR = ("AAPL", "MSFT")
RATIOS = 20
OLD = 5.0


class Band:
    """The newest ratios, and whether one is far from the others."""

    def __init__(self, memory: int = 30) -> None:
        self._seen: deque[float] = deque(maxlen=memory)

    def judge(self, ratio: float) -> str:
        """Take a ratio, and return a line about it."""
        seen = self._seen
        far = len(seen) > 5 and abs(ratio - mean(seen)) > 2 * stdev(seen)
        seen.append(ratio)
        return f"{FIRST}/{SECOND} {ratio:.5f}" + ("  far from its mean" if far else "")


class Quotes:
    """The newest price of each symbol, and when it came."""

    def __init__(self) -> None:
        self._prices: dict[str, tuple[float, float]] = {}
        self._changed = trio.Event()

    def put(self, symbol: str, price: float) -> None:
        """Keep a price, and wake who waits for one."""
        self._prices[symbol] = (price, trio.current_time())
        self._changed.set()
        self._changed = trio.Event()

    def stale(self) -> list[str]:
        """Return the symbols without a price of the last few seconds."""
        now = trio.current_time()
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


async def compare(quotes: Quotes, done: trio.CancelScope) -> None:
    """Print so many ratios, then end the others who watch."""
    band = Band()
    for _ in range(RATIOS):
        print(band.judge(await quotes.ratio()))
    done.cancel()


async def complain(quotes: Quotes) -> None:
    """Say whose price is old: a ratio of it would be worth nothing."""
    while True:
        await trio.sleep(OLD)
        for symbol in quotes.stale():
            print(f"no price of {symbol} for {OLD:.0f} seconds")


async def main() -> None:
    quotes = Quotes()
    async with connected(arguments(__doc__).parse_args(), speed=30.0) as client, trio.open_nursery() as feeding:
        for symbol in PAIR:
            feeding.start_soon(follow, client, symbol, quotes)
        async with trio.open_nursery() as watching:
            watching.start_soon(compare, quotes, watching.cancel_scope)
            watching.start_soon(complain, quotes)
        feeding.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
