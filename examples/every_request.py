"""A check of every kind of request: one answer, a list, a subscription, something sent, by an id and without one.

``python examples/every_request.py`` runs on the simulator; ``--port 7497`` asks a TWS of yours, and sends nothing that
costs money or changes an order. Each line says what was asked and how it went.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import anyio
from where import arguments, connected

from trio_ibtws import Client, IBError, Subscription
from trio_ibtws.contracts import forex, stock

APPLE = stock("AAPL")
PATIENCE = 12.0


class Check(NamedTuple):
    """A kind of request, and how one of it is tried: returns a few words about the answer."""

    kind: str
    request: str
    ask: Callable[[Client], Awaitable[str]]


def one(ask: Callable[[Client], Awaitable[Any]]) -> Callable[[Client], Awaitable[str]]:
    """Show the answer."""

    async def run(client: Client) -> str:
        return str(await ask(client))

    return run


def rows(ask: Callable[[Client], Awaitable[list[Any]]]) -> Callable[[Client], Awaitable[str]]:
    """Count the rows of the answer."""

    async def run(client: Client) -> str:
        answer = await ask(client)
        return f"{len(answer)} rows"

    return run


def stream(subscribe: Callable[[Client], Subscription[Any]]) -> Callable[[Client], Awaitable[str]]:
    """Open it, wait for an event, and leave it."""

    async def run(client: Client) -> str:
        async with subscribe(client) as events:
            return f"first came {type(await events.receive()).__name__}"

    return run


async def log_level(client: Client) -> str:
    client.set_server_log_level(2)
    return "sent"


async def chain(client: Client) -> str:
    found = await client.option_chain(APPLE)
    return f"{len(found.expirations)} expirations, {len(found.strikes)} strikes"


async def ticks_of_the_past(client: Client) -> list[Any]:
    stamp = await client.head_time_stamp(APPLE, "TRADES")
    return await client.historical_ticks(APPLE, stamp, "", 100, "TRADES", 1, False, [])


def bars_that_go_on(client: Client) -> Subscription[Any]:
    return client.historical_data_stream(APPLE, "1 D", "5 mins", "TRADES")


CHECKS = [
    Check("one answer", "current_time", one(lambda c: c.current_time())),
    Check("one answer, by id", "head_time_stamp", one(lambda c: c.head_time_stamp(APPLE, "TRADES"))),
    Check("one answer, by a value it echoes", "market_rule", rows(lambda c: c.market_rule(26))),
    Check("list, by id", "contract_details", rows(lambda c: c.contract_details(APPLE))),
    Check("list, by id", "historical_data", rows(lambda c: c.historical_data(APPLE, "", "5 D", "1 day", "TRADES"))),
    Check("list, by its done flag", "historical_ticks", rows(ticks_of_the_past)),
    Check("list, one at a time", "open_orders", rows(lambda c: c.all_open_orders())),
    Check("list, of a line that lasts", "positions", rows(lambda c: c.positions())),
    Check("list, of a line that lasts", "account_summary", rows(lambda c: c.account_summary("All", "NetLiquidation"))),
    Check("list, by id", "executions", rows(lambda c: c.executions())),
    Check("stream", "mkt_data", stream(lambda c: c.mkt_data(APPLE))),
    Check("stream", "tick_by_tick_data", stream(lambda c: c.tick_by_tick_data(APPLE, "Last", 10))),
    Check("stream", "mkt_depth", stream(lambda c: c.mkt_depth(stock("AAPL", "ISLAND"), 5, False, []))),
    Check("stream", "real_time_bars", stream(lambda c: c.real_time_bars(APPLE, 5, "TRADES", True, []))),
    Check("stream, without an id", "positions_stream", stream(lambda c: c.positions_stream())),
    Check("query and stream", "historical_data_stream", stream(bars_that_go_on)),
    Check("query and stream", "mkt_data_snapshot", rows(lambda c: c.mkt_data_snapshot(forex("EURUSD"), ""))),
    Check("sent", "set_server_log_level", log_level),
    Check("several at once", "option_chain", chain),
]


async def run(check: Check, client: Client) -> bool:
    """Try one request, say how it went, and return whether it went well."""
    said = "no answer in time"
    good = False
    with anyio.move_on_after(PATIENCE):
        try:
            said = await check.ask(client)
            good = True
        except IBError as error:
            said = f"{type(error).__name__}: {error}"
    print(f"{'ok ' if good else 'NO '} {check.request:<24} {check.kind:<34} {said}")
    return good


async def main() -> int:
    options = arguments(__doc__).parse_args()
    async with connected(options, speed=30.0) as client:
        print(f"server version {client.server_version}, accounts {', '.join(client.accounts)}")
        results = [await run(check, client) for check in CHECKS]
    print(f"{sum(results)} of {len(results)} went well")
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(anyio.run(main, backend=arguments(__doc__).parse_args().backend))
