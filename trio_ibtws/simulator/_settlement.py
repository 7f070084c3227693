"""What becomes of contracts at their end: options are exercised or worth nothing, futures and CFDs are paid out.

It happens at midnight after the last day, without orders of anybody, and every client that follows the account sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from ._market_instrument import Instrument
from ._orders import Order

if TYPE_CHECKING:
    from ._world import World

__all__ = ["booked", "next_hand_id", "settle"]

_Trade = tuple[Order, Decimal]


def next_hand_id(world: World) -> int:
    """Return the id of an order that no client gave: they are negative."""
    return -1 - sum(each.order_id < 0 for each in world.exchange.orders(0))


def booked(world: World, what: Instrument, signed: Decimal, client_id: int = 0, order_id: int | None = None) -> Order:
    """Make an order that is not traded but booked, without a commission; a client's, or nobody's."""
    return Order(
        client_id=client_id,
        order_id=next_hand_id(world) if order_id is None else order_id,
        perm_id=world.exchange.next_perm_id(),
        instrument=what,
        contract=what.contract(what.exchange),
        values={
            "action": "BUY" if signed > 0 else "SELL",
            "totalQuantity": abs(signed),
            "orderType": "MKT",
            "tif": "DAY",
            "transmit": True,
            "exercised": True,
        },
        account=world.account.name,
        bound=order_id is not None,
    )


def settle(world: World, today: date) -> None:
    """End all positions and orders in what expired before *today*."""
    for order in world.exchange.working():
        if _expired(order.instrument, today):
            world.exchange.cancel(order)
    for holding in list(world.account.holdings.values()):
        if holding.quantity and _expired(holding.instrument, today):
            for trade in _trades(world, holding.instrument, holding.quantity):
                world.exchange.book(trade)


def _expired(instrument: Instrument, today: date) -> bool:
    return instrument.expiry is not None and instrument.expiry < today


def _trades(world: World, what: Instrument, held: Decimal) -> Iterator[_Trade]:
    if what.sec_type != "OPT" or what.under is None:
        yield booked(world, what, -held), world.mark(what)
        return
    yield booked(world, what, -held), Decimal(0)
    price, strike = world.mark(what.under), Decimal(str(what.strike))
    is_call = what.right == "C"
    if price > strike if is_call else price < strike:
        shares = held * Decimal(what.value_factor)
        yield booked(world, what.under, shares if is_call else -shares), strike
