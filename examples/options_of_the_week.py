"""All options on a symbol that expire in one week, with their quotes.

``python examples/options_of_the_week.py AAPL`` takes the next week in which any expire; ``--week 2026-12-14`` another.
``--near 6`` keeps the six strikes nearest to the price. Runs on the simulator; ``--port 7497`` asks a TWS of yours.
"""

from __future__ import annotations

import argparse
from datetime import date, timedelta

import anyio
from where import arguments, connected

from trio_ibtws import Client, IBError, Qualified, TickPrice
from trio_ibtws.contracts import stock
from trio_ibtws.times import parse_date

AT_ONCE = 20
"""How many quotes are asked for at a time: each takes a market data line for as long as it lasts."""

BID, ASK, LAST, CLOSE = 1, 2, 4, 9

Quote = dict[int, float]


async def quote(client: Client, found: Qualified) -> Quote:
    """Return what one snapshot says: prices by the number of the tick."""
    ticks = await client.mkt_data_snapshot(found.contract, "")
    return {tick.tick_type: tick.price for tick in ticks if isinstance(tick, TickPrice) and tick.price is not None}


async def quotes(client: Client, wanted: list[Qualified]) -> dict[int, Quote | IBError]:
    """Ask for all quotes, so many at a time; an option that TWS refuses has its error in place of a quote."""
    limit = anyio.CapacityLimiter(AT_ONCE)
    answers: dict[int, Quote | IBError] = {}

    async def ask(found: Qualified) -> None:
        async with limit:
            try:
                answers[found.contract.conId] = await quote(client, found)
            except IBError as error:
                answers[found.contract.conId] = error

    async with anyio.create_task_group() as tasks:
        for found in wanted:
            tasks.start_soon(ask, found)
    return answers


async def price_of(client: Client, symbol: str) -> float:
    bars = await client.historical_data(stock(symbol), "", "2 D", "1 day", "TRADES")
    return float(bars[-1].close)


def week_of(day: date) -> tuple[date, date]:
    """Return the Monday and the Sunday around *day*."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)


def shown(price: float | None) -> str:
    return f"{price:9.2f}" if price is not None and price > 0 else "        -"


async def show(client: Client, symbol: str, week: date | None, near: int | None) -> int:
    """Print the options, the nearest expiration first; return how many there are."""
    chain = await client.option_chain(stock(symbol))
    days = chain.expirations_between(*week_of(week or chain.expirations[0]))
    strikes = None if near is None else chain.strikes_near(await price_of(client, symbol), near)
    wanted = await client.option_contracts(chain, days, strikes)
    answers = await quotes(client, wanted)
    print(f"{len(wanted)} options on {symbol} expire from {days[0]:%d %B %Y} to {days[-1]:%d %B %Y}")
    print(f"{'expires':<12}{'right':<6}{'strike':>9}{'bid':>10}{'ask':>10}{'last':>10}")
    for found in wanted:
        contract, answer = found.contract, answers[found.contract.conId]
        expires = parse_date(contract.lastTradeDateOrContractMonth)
        line = f"{expires:%Y-%m-%d}  {contract.right:<6}{contract.strike:9.2f}"
        if isinstance(answer, IBError):
            print(f"{line}  {answer}")
        else:
            print(line, shown(answer.get(BID)), shown(answer.get(ASK)), shown(answer.get(LAST, answer.get(CLOSE))))
    return len(wanted)


def options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("symbol", nargs="?", default="AAPL")
    parser.add_argument("--week", type=date.fromisoformat, help="any day of it, as 2026-12-14")
    parser.add_argument("--near", type=int, metavar="N", help="only the N strikes nearest to the price")
    return parser.parse_args()


async def main() -> None:
    chosen = options()
    async with connected(chosen, speed=30.0) as client:
        await show(client, chosen.symbol, chosen.week, chosen.near)


if __name__ == "__main__":
    anyio.run(main, backend=options().backend)
