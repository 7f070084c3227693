"""A small strategy: buy when the price has moved, with a profit and a loss that end the position by themselves.

It runs on the simulator, in a few seconds: ``python examples/bracket.py``. With a TWS of your own, replace the stream
by its address, and read docs/orders.md before you set ``trading=True``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import anyio
from ibapi.contract import Contract

from trio_ibtws import Accepted, Client, Done, OrderBook, OrderLimits, open_client, open_simulator
from trio_ibtws.orders import bracket, market_order
from trio_ibtws.simulator import Scenario

SHARES = 10
LIMITS = OrderLimits(max_quantity=100, max_notional=100_000, collar=0.05)


def stock(symbol: str) -> Contract:
    contract = Contract()
    contract.symbol, contract.secType, contract.exchange, contract.currency = symbol, "STK", "SMART", "USD"
    return contract


async def price_of(client: Client, contract: Contract) -> float:
    """Return the next traded price."""
    async with client.tick_by_tick_data(contract, "Last") as ticks:
        tick = await ticks.receive()
        return float(tick.price)


async def trade_once(client: Client, book: OrderBook, contract: Contract) -> tuple[Done, Done]:
    """Buy, and wait until the profit was taken or the loss was stopped; return how the two orders ended."""
    price = await price_of(client, contract)
    book.market.set_quote(contract, price, anyio.current_time())
    cost = await book.what_if(contract, market_order("BUY", SHARES))
    print(f"{contract.symbol} trades at {price:.2f}; {SHARES} of it need {cost.init_margin_change} of margin")

    legs = bracket(
        market_order("BUY", SHARES), take_profit=round(price * 1.0002, 2), stop_loss=round(price * 0.9998, 2), tif="GTC"
    )
    parent, profit, loss = await book.place_bracket(contract, legs)
    if not isinstance(parent.outcome, Accepted):
        raise SystemExit(f"not placed: {parent.outcome}")
    bought = await parent.done()
    print(f"bought {bought.filled.normalize():f} at {bought.average_price}")

    ends: list[Done] = []
    async with anyio.create_task_group() as tasks:
        for leg in (profit, loss):

            async def wait(leg=leg) -> None:
                ends.append(await leg.done())

            tasks.start_soon(wait)
    return next(end for end in ends if end.state == "Filled"), next(end for end in ends if end.state == "Cancelled")


async def main() -> None:
    async with (
        open_simulator(port=None, scenario=Scenario(speed=30.0)) as simulator,
        open_client(stream=await simulator.connect(), client_id=1, trading=True) as client,
        client.state() as account,
    ):
        with tempfile.TemporaryDirectory() as folder:
            async with client.orders(limits=LIMITS, journal=Path(folder) / "orders.sqlite") as book:
                sold, other = await trade_once(client, book, stock("AAPL"))
                print(f"sold {sold.filled.normalize():f} at {sold.average_price}; the other order is {other.state}")
                while len(account.positions):
                    await account.positions.changed()
                commissions = [fill.commission for trade in book.trades for fill in trade.fills]
                paid = sum(report.commission_and_fees or 0.0 for report in commissions if report is not None)
                print(f"no position is left; {len(commissions)} fills cost {paid:.2f} in commissions")


if __name__ == "__main__":
    anyio.run(main, backend=sys.argv[1] if len(sys.argv) > 1 else "trio")
