"""An order at the exchange, its executions, and the rules that need no more than the order and a tick."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from ._accounts import cents
from ._market import Tick
from ._market_instrument import Instrument

__all__ = ["ORDER_TYPES", "TERMINAL", "Execution", "Order", "commission_of", "marketable_price", "triggered"]

ORDER_TYPES = ("MKT", "LMT", "STP", "STP LMT")
TERMINAL = frozenset({"Filled", "Cancelled", "Inactive", "ApiCancelled"})

_PER_SHARE = Decimal("0.005")
_LEAST = {"STK": Decimal("1.00"), "CASH": Decimal("2.00")}
_MOST_OF_VALUE = Decimal("0.01")
_OF_VALUE = Decimal("0.00002")


class Execution(msgspec.Struct, frozen=True):
    """A fill."""

    exec_id: str
    order: Order
    at: float
    exchange: str
    quantity: Decimal
    price: Decimal
    total: Decimal
    average: Decimal
    commission: Decimal
    realized: Decimal | None


class Order(msgspec.Struct, kw_only=True):
    """An order and how far it has come.

    ``values`` are the order's attributes as the client sent them; ``contract`` is the instrument at the exchange that
    the client named.
    """

    client_id: int
    order_id: int
    perm_id: int
    instrument: Instrument
    contract: dict[str, Any]
    values: dict[str, Any]
    account: str
    status: str = "PreSubmitted"
    why_held: str = ""
    filled: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    last_price: Decimal = Decimal(0)
    commission: Decimal = Decimal(0)
    transmitted: bool = False
    active: bool = False
    stopped: bool = False
    """Whether its stop price has been reached."""
    parent: Order | None = None
    ended: float = 0.0
    """When it was done."""

    @property
    def key(self) -> tuple[int, int]:
        """What tells it from others."""
        return self.client_id, self.order_id

    @property
    def done(self) -> bool:
        """Whether nothing happens to it any more."""
        return self.status in TERMINAL

    @property
    def quantity(self) -> Decimal:
        """How much was ordered."""
        return self.values["totalQuantity"] or Decimal(0)

    @property
    def remaining(self) -> Decimal:
        """How much is not filled."""
        return self.quantity - self.filled

    @property
    def sign(self) -> int:
        """One for an order to buy, minus one for one to sell."""
        return 1 if self.values["action"] == "BUY" else -1

    @property
    def kind(self) -> str:
        """The order type."""
        return str(self.values["orderType"])

    @property
    def average(self) -> Decimal:
        """The average price of its fills."""
        return self.paid / self.filled if self.filled else Decimal(0)

    @property
    def oca_group(self) -> str:
        """The name of the group of which one cancels all: children of one parent are one."""
        own = str(self.values.get("ocaGroup") or "")
        return own or (str(self.parent.perm_id) if self.parent is not None else "")

    @property
    def repeats(self) -> bool:
        """Whether the gateway tells the states of this order more than once; it does for about half of them."""
        return self.perm_id % 2 == 0


def triggered(order: Order, tick: Tick) -> bool:
    """Return whether a stop order's price has been reached by the last trade; the middle where none are shown."""
    if order.kind not in {"STP", "STP LMT"} or order.stopped:
        return True
    price = tick.last if order.instrument.has_trades else (tick.bid + tick.ask) / 2
    stop = order.values.get("auxPrice") or 0.0
    return price >= stop if order.sign > 0 else price <= stop


def marketable_price(order: Order, tick: Tick) -> Decimal | None:
    """Return the price at which an active order trades against the quote, or ``None`` when its limit forbids it."""
    price = tick.ask if order.sign > 0 else tick.bid
    if order.kind in {"LMT", "STP LMT"}:
        limit = order.values.get("lmtPrice") or 0.0
        if (price - limit) * order.sign > 1e-9:
            return None
    return Decimal(str(price))


def commission_of(order: Order, filled: Decimal, paid: Decimal) -> Decimal:
    """Return the commission of an order of which *filled* was traded for *paid* in all."""
    if order.instrument.is_stock:
        fee = max(filled * _PER_SHARE, _LEAST["STK"])
        return cents(min(fee, max(paid * _MOST_OF_VALUE, Decimal("0.01"))))
    return cents(max(paid * _OF_VALUE, _LEAST["CASH"]))
