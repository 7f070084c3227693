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
from ._chart import candle_chart, fit
from ._screen import QuoteBoard, Screen
from ._words import described, masked

__all__ = ["Target", "demo"]

_CHART_COLUMNS = 64
_CHART_ROWS = 12
_ORDER_DEADLINE = 10.0
_SHARES = 100


class Target(NamedTuple):
    """Where the demo runs: on the simulator if *host* is ``None``."""

    host: str | None
    port: int
    client_id: int
    symbol: str
    seconds: float


async def demo(target: Target) -> None:
    """Run the demo and print it.

    Raises:
      IBError: no session came about, or it ended before its time.
    """
    screen = Screen()
    screen.console.print(f"[bold]trio_ibtws[/bold] on {sniffio.current_async_library()}, {_ibapi()}")
    if target.host is not None:
        await _session(screen, target, target.host, target.port, simulated=False)
        return
    from ..simulator import open_simulator

    async with open_simulator() as sim:
        await _session(screen, target, sim.host, sim.port, simulated=True)


def _ibapi() -> str:
    return ", ".join(f"{name} {version}" for name, version in ibapi_distributions().items()) or "ibapi from IB"


async def _session(screen: Screen, target: Target, host: str, port: int, *, simulated: bool) -> None:
    screen.scene("Connect", f'async with open_client("{host}", {port}, client_id={target.client_id}) as client:')
    async with open_client(host, port, client_id=target.client_id, trading=simulated) as client:
        _show_session(screen, client, simulated=simulated)
        contract = _stock(target.symbol)
        async with _tolerated(screen):
            contract = await _contract_details(screen, client, contract)
        async with _tolerated(screen):
            await _daily_bars(screen, client, contract)
        async with _tolerated(screen):
            await _live_ticks(screen, client, contract, target.seconds, simulated=simulated)
        if simulated:
            await _market_order(screen, client, contract)
    _show_end(screen, client)


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


def _show_session(screen: Screen, client: Client, *, simulated: bool) -> None:
    screen.facts(
        {
            "server": f"version {client.server_version}" + (", the simulator, over a real socket" if simulated else ""),
            "account": ", ".join(client.accounts if simulated else map(masked, client.accounts)),
            "trading": "allowed: this is the simulator" if simulated else "refused by the client (trading=False)",
        }
    )


async def _contract_details(screen: Screen, client: Client, contract: Contract) -> Contract:
    screen.scene("Contract details", "rows = await client.contract_details(contract)")
    details = (await client.contract_details(contract))[0]
    found: Contract = details.contract
    screen.facts(
        {
            "name": details.longName,
            "contract id": str(found.conId),
            "traded on": f"{found.exchange}, primarily {found.primaryExchange or found.exchange}",
            "smallest step": f"{details.minTick:g} {found.currency}",
        }
    )
    found.exchange = contract.exchange
    return found


async def _daily_bars(screen: Screen, client: Client, contract: Contract) -> None:
    screen.scene("A year of daily bars", 'await client.historical_data(contract, "", "1 Y", "1 day", "TRADES")')
    bars = await client.historical_data(contract, "", "1 Y", "1 day", "TRADES")
    columns = min(_CHART_COLUMNS, screen.console.width - 14)
    for line in candle_chart(fit(bars, columns), height=_CHART_ROWS, ascii_only=screen.ascii_only):
        screen.say(line)
    screen.say(f"{len(bars)} bars of {contract.symbol}, closing at {bars[-1].close:,.2f}", style="dim")


async def _live_ticks(screen: Screen, client: Client, contract: Contract, seconds: float, *, simulated: bool) -> None:
    screen.scene("Live ticks", "async with client.mkt_data(contract) as ticks: async for tick in ticks:")
    if not simulated:
        client.market_data_type(3)  # delayed where the account has no live data
    with QuoteBoard(screen) as board, anyio.move_on_after(seconds):
        async with client.mkt_data(contract) as ticks:
            async for tick in ticks:
                board.take(tick)
    sent = client.stats().frames_out
    await client.current_time()
    screen.say(f"after {seconds:g} s the block was left: cancelMktData is sent ({sent} frames so far)", style="dim")


async def _market_order(screen: Screen, client: Client, contract: Contract) -> None:
    screen.scene("A market order", "async with client.place_order(contract, order) as events:")
    order = Order()
    order.action, order.orderType, order.totalQuantity = "BUY", "MKT", Decimal(_SHARES)
    with anyio.fail_after(_ORDER_DEADLINE):
        async with client.place_order(contract, order) as events:
            async for event in events:
                screen.say(described(event))
                if isinstance(event, CommissionAndFeesReport):
                    break


def _show_end(screen: Screen, client: Client) -> None:
    stats = client.stats()
    screen.scene("Leave", "the block of open_client ends: everything is cancelled, the socket closed")
    screen.facts(
        {
            "sent": f"{stats.frames_out} frames, {stats.bytes_out:,} bytes",
            "received": f"{stats.frames_in} frames, {stats.bytes_in:,} bytes",
            "lost": f"{stats.decode_errors} frames not decoded, {stats.events_dropped} events dropped",
            "threads": f"{threading.active_count()}, the one that the program began with",
        }
    )
