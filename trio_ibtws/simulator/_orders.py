"""An order at the exchange, its executions, and the rules that need no more than the order and a tick."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from ._market_instrument import Instrument, Leg

__all__ = ["ORDER_TYPES", "OTHER_TYPES", "TERMINAL", "Execution", "Order", "parts_of"]

ORDER_TYPES: dict[str, str] = {
    "MKT": "MKT",
    "LMT": "LMT",
    "STP": "STP",
    "STP LMT": "STPLMT",
    "TRAIL": "TRAIL",
    "TRAIL LIMIT": "TRAILLMT",
    "MIT": "MIT",
    "LIT": "LIT",
    "MOC": "MOC",
    "LOC": "LOC",
}
"""The order types, and what contract details call them."""
OTHER_TYPES = frozenset(
    {
        "AUC",
        "BOX TOP",
        "LMT + MKT",
        "MIDPRICE",
        "MKT PRT",
        "MTL",
        "PASSV REL",
        "PEG BENCH",
        "PEG BEST",
        "PEG MID",
        "PEG MKT",
        "PEG PRIM",
        "PEG STK",
        "REL",
        "REL + LMT",
        "REL + MKT",
        "SNAP MID",
        "SNAP MKT",
        "SNAP PRIM",
        "STP PRT",
        "TRAIL LIT",
        "TRAIL MIT",
        "VOL",
    }
)
"""Order types that TWS knows, and that nothing here trades."""
_TRIGGERED = frozenset({"STP", "STP LMT", "TRAIL", "TRAIL LIMIT", "MIT", "LIT"})
_LIMITED = frozenset({"LMT", "STP LMT", "LIT", "LOC"})
TERMINAL = frozenset({"Filled", "Cancelled", "Inactive", "ApiCancelled"})


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
    of_combo: bool = False
    """Whether it is of a combo as a whole: commissions are of its legs."""


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
    released: bool = False
    """Whether its conditions have been met."""
    began: float = 0.0
    """When it was sent to the exchange."""
    bound: bool = True
    """Whether it has an order id; one that was given by hand has none at first."""
    trail: float | None = None
    """Where the stop price of a trailing order is."""
    reduced: Decimal = Decimal(0)
    """By how much fills of others in its group have made it smaller."""
    legs: list[Order] = []
    """Of an order for a combo, what is traded of each leg."""
    parent: Order | None = None
    ended: float = 0.0
    """When it was done."""

    @property
    def key(self) -> tuple[int, int]:
        """What tells it from others."""
        return self.client_id, self.order_id

    @property
    def shown_id(self) -> int:
        """Its order id as clients see it."""
        return self.order_id if self.bound else 0

    @property
    def done(self) -> bool:
        """Whether nothing happens to it any more."""
        return self.status in TERMINAL

    @property
    def quantity(self) -> Decimal:
        """How much was ordered, less what others of its group have taken."""
        return (self.values["totalQuantity"] or Decimal(0)) - self.reduced

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
    def tif(self) -> str:
        """How long it is good for."""
        return str(self.values["tif"] or "DAY")

    @property
    def waits(self) -> bool:
        """Whether it rests until a price is reached, and it has not been."""
        return self.kind in _TRIGGERED and not self.stopped

    @property
    def conditional(self) -> bool:
        """Whether it has conditions, and they have not been met."""
        return bool(self.values.get("conditions")) and not self.released

    @property
    def waits_for_conditions(self) -> bool:
        """Whether it does not work until its conditions are met, rather than is cancelled by them."""
        return self.conditional and not self.values.get("conditionsCancelOrder")

    @property
    def at_close(self) -> bool:
        """Whether it trades in the closing auction alone."""
        return self.kind in {"MOC", "LOC"}

    @property
    def limit(self) -> float | None:
        """The price beyond which it does not trade, or ``None``."""
        stop = self.values.get("trailStopPrice") if self.trail is None else self.trail
        if self.kind == "TRAIL LIMIT" and stop:
            return float(stop + (self.values.get("lmtPriceOffset") or 0.0) * self.sign)
        return self.values.get("lmtPrice") or 0.0 if self.kind in _LIMITED else None

    @property
    def reduces(self) -> bool:
        """Whether a fill makes the others of its group smaller, rather than cancels them."""
        return (self.values.get("ocaType") or 0) in {2, 3} and bool(self.values.get("ocaGroup"))

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


def parts_of(order: Order) -> list[Order]:
    """Return what is traded for an order: itself, or an order for each leg of a combo, always the same ones."""
    combo = order.instrument
    if combo.legs and not order.legs:
        order.legs = [_leg_order(order, leg) for leg in combo.legs]
    return order.legs or [order]


def _leg_order(order: Order, leg: Leg) -> Order:
    action = "BUY" if order.sign * leg.sign > 0 else "SELL"
    return Order(
        client_id=order.client_id,
        order_id=order.order_id,
        perm_id=order.perm_id,
        instrument=leg.instrument,
        contract=leg.instrument.contract(leg.instrument.exchange),
        values={**order.values, "action": action, "totalQuantity": order.quantity * leg.ratio},
        account=order.account,
        bound=order.bound,
    )
