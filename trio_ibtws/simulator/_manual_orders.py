"""Orders that were given by hand, in the window of TWS: client 0 may bind them, which gives them an order id."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ._orders import Order
from ._session import Session
from ._settlement import next_hand_id
from ._world import World

__all__ = ["bind", "place_by_hand"]


def place_by_hand(world: World, contract: dict[str, Any], order: dict[str, Any]) -> Order:
    """Give an order as somebody at the window of TWS does; values by IB's names, no checks but the contract's.

    Raises:
      ValueError: *contract* is not exactly one that is listed.
    """
    found = world.find(contract)
    if len(found) != 1:
        raise ValueError(f"{len(found)} contracts fit {contract!r}")
    usual = {"tif": "DAY", "transmit": True, "totalQuantity": Decimal(0), "parentId": 0}
    made = Order(
        client_id=0,
        order_id=next_hand_id(world),
        perm_id=world.exchange.next_perm_id(),
        instrument=found[0],
        contract=found[0].contract(str(contract.get("exchange") or "")),
        values=usual | order,
        account=world.account.name,
        bound=False,
    )
    if world.auto_bind and 0 in world.sessions:
        _bind(world.sessions[0], made)
    world.exchange.submit(made)
    return made


def bind(session: Session) -> None:
    """Give order ids to all orders that were given by hand: client 0 may change and cancel them from now on."""
    for order in session.world.exchange.orders(0):
        if not order.bound and not order.done:
            _bind(session, order)


def _bind(session: Session, order: Order) -> None:
    order.bound = True
    session.send("orderBound", permId=order.perm_id, clientId=0, orderId=order.order_id)
