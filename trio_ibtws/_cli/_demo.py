"""``trio-ibtws demo``: what the library does, in a quarter of a minute, on the simulator or on a TWS of yours."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import NamedTuple

import anyio
import sniffio
from ibapi.contract import Contract
from ibapi.order import Order

from .._client import Client, open_client
from .._runtime._events import CommissionAndFeesReport
from .._runtime._installed import ibapi_distributions
from ..errors import RequestError
from ..simulator import Simulator, open_simulator
from ._chart import candle_chart, fit
from ._errors import CommandError
from ._screen import QuoteBoard, Screen
from ._words import described, masked

__all__ = ["Target", "demo"]

_CHART_COLUMNS = 64
_CHART_ROWS = 12
_ORDER_DEADLINE = 10.0
_SHARES = 100
_DELAYED = 3  # market data type: delayed quotes where the account has no live ones


class Target(NamedTuple):
    """Where the demo runs: on the simulator if *host* is ``None``."""

    host: str | None
    port: int
    client_id: int
    symbol: str
    seconds: float
    seed: int = 0


async def demo(target: Target) -> None:
    """Run the demo and print it.

    Raises:
      IBError: no session came about, or it ended before its time.
      CommandError: the symbol does not exist, or the order was not filled.
    """
    screen = Screen()
    screen.title(f"on {sniffio.current_async_library()}, with {_ibapi()}")
    if target.host is not None:
        await _session(screen, target, None)
        return
    async with open_simulator(seed=target.seed) as sim:
        await _session(screen, target._replace(host=sim.host, port=sim.port or 0), sim)


def _ibapi() -> str:
    return ", ".join(f"{name} {version}" for name, version in ibapi_distributions().items()) or "ibapi"


async def _session(screen: Screen, target: Target, sim: Simulator | None) -> None:
    host, port, client_id, symbol, seconds, _ = target
    threads = threading.active_count()
    screen.scene("Connect", f'async with open_client("{host}", {port}, client_id={client_id}) as client:')
    async with open_client(host or "", port, client_id=client_id, trading=sim is not None) as client:
        _show_session(screen, client, sim)
        contract = await _contract_details(screen, client, _stock(symbol))
        async with _tolerated(screen):
            await _daily_bars(screen, client, contract)
        async with _tolerated(screen):
            await _live_ticks(screen, client, contract, seconds, sim)
        if sim is not None:
            await _market_order(screen, client, contract)
    _show_end(screen, client, threading.active_count() - threads)


@asynccontextmanager
async def _tolerated(screen: Screen) -> AsyncIterator[None]:
    """Show what TWS refuses and go on: an account need not have every permission."""
    try:
        yield
    except RequestError as error:
        screen.say(f"TWS refused: {error}", style="yellow")


def _stock(symbol: str) -> Contract:
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange, contract.currency = symbol, "STK", "SMART", "USD"
    return contract


# --- the scenes --------------------------------------------------------------------------------------------------


def _show_session(screen: Screen, client: Client, sim: Simulator | None) -> None:
    simulated = sim is not None
    screen.fact("server", f"version {client.server_version}{', the simulator, over a real socket' * simulated}")
    screen.fact("account", ", ".join(client.accounts if simulated else map(masked, client.accounts)))
    screen.fact("trading", "allowed, since this is the simulator" if simulated else "refused by the client")


async def _contract_details(screen: Screen, client: Client, contract: Contract) -> Contract:
    screen.scene("Contract details", "rows = await client.contract_details(contract)")
    try:
        details = (await client.contract_details(contract))[0]
    except RequestError as error:
        raise CommandError(f"no US stock {contract.symbol}: {error.message}; give another with --symbol") from error
    found: Contract = details.contract
    screen.fact("name", details.longName)
    screen.fact("contract id", str(found.conId))
    screen.fact("traded on", f"{found.exchange}, primarily {found.primaryExchange or found.exchange}")
    screen.fact("smallest step", f"{details.minTick:g} {found.currency}")
    return found


async def _daily_bars(screen: Screen, client: Client, contract: Contract) -> None:
    screen.scene("A year of daily bars", 'bars = await client.historical_data(contract, "", "1 Y", "1 day", "TRADES")')
    bars = await client.historical_data(contract, "", "1 Y", "1 day", "TRADES")
    columns = min(_CHART_COLUMNS, screen.console.width - 14)
    for line in candle_chart(fit(bars, columns), height=_CHART_ROWS, ascii_only=screen.ascii_only):
        screen.console.print(line)
    screen.say(f"{len(bars)} bars, the last one closes at {bars[-1].close:,.2f}", style="dim")


async def _live_ticks(
    screen: Screen, client: Client, contract: Contract, seconds: float, sim: Simulator | None
) -> None:
    screen.scene("Live ticks", "async with client.mkt_data(contract) as ticks: async for tick in ticks: ...")
    if sim is None:
        client.market_data_type(_DELAYED)
    with QuoteBoard(screen, seconds) as board, anyio.move_on_after(seconds):
        async with client.mkt_data(contract) as ticks:
            async for tick in ticks:
                board.take(tick)
    screen.scene("Cancelled by leaving the block", f"with anyio.move_on_after({seconds:g}): ...")
    await client.current_time()  # once TWS has answered, it has also read what was sent before
    if sim is not None:
        screen.fact("TWS received", ", ".join(request.name for request in list(sim.received)[-3:]))
    else:
        screen.fact("sent", f"cancelMktData; {client.stats().frames_out} frames so far")


async def _market_order(screen: Screen, client: Client, contract: Contract) -> None:
    screen.scene("A market order", "async with client.place_order(contract, order) as events: ...")
    order = Order()
    order.action, order.orderType, order.totalQuantity = "BUY", "MKT", Decimal(_SHARES)
    with anyio.move_on_after(_ORDER_DEADLINE):
        async with client.place_order(contract, order) as events:
            async for event in events:
                screen.say(described(event))
                if isinstance(event, CommissionAndFeesReport):
                    return
    raise CommandError(f"the order was not filled within {_ORDER_DEADLINE:g} s: please report this")


def _show_end(screen: Screen, client: Client, threads: int) -> None:
    stats = client.stats()
    screen.scene("Closed", "the block of open_client was left")
    screen.fact("sent", f"{stats.frames_out} frames, {stats.bytes_out:,} bytes")
    screen.fact("received", f"{stats.frames_in} frames, {stats.bytes_in:,} bytes")
    screen.fact("lost", f"{stats.decode_errors} frames not decoded, {stats.events_dropped} events dropped")
    screen.fact("threads", f"{threads} started")
