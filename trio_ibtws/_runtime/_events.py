"""The events that no single callback stands for: in-band markers of a stream, notices, and what happens to orders.

The events of the plain callbacks are generated (``trio_ibtws._gen.events``). Those of orders are written by hand
because several requests and callbacks share them, and because their shape differs between releases of ibapi.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from ._values import is_unset

if TYPE_CHECKING:
    from ibapi.contract import Contract
    from ibapi.execution import Execution
    from ibapi.order import Order
    from ibapi.order_state import OrderState

__all__ = [
    "CommissionAndFeesReport",
    "DepthReset",
    "EndOfSnapshot",
    "Event",
    "ExecDetails",
    "Gap",
    "Lagged",
    "Notice",
    "OpenOrder",
    "OrderBound",
    "OrderEvent",
    "OrderStatus",
]


class Event(msgspec.Struct, frozen=True, gc=False):
    """The base of all events: plain, immutable values."""

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={shown(getattr(self, name))}" for name in self.__struct_fields__)
        return f"{type(self).__name__}({fields})"


def shown(value: Any) -> str:
    """Return *value* for reading: of ibapi's objects, which print as an address, what is set."""
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if type(value).__module__.startswith("ibapi.") and not isinstance(value, Enum):
        told = {name: each for name, each in vars(value).items() if each and not is_unset(each)}
        return f"{type(value).__name__}({', '.join(f'{name}={shown(each)}' for name, each in told.items())})"
    return repr(value)


# --- markers in a stream -----------------------------------------------------------------------------------------


class EndOfSnapshot(Event, frozen=True, gc=False):
    """What TWS had at the time of the request is complete; updates follow."""


class Lagged(Event, frozen=True, gc=False):
    """A stream with ``overflow="drop_oldest"`` dropped *count* events here because its reader was slow."""

    count: int


class Gap(Event, frozen=True, gc=False):
    """Events may be missing here: *reason* says why, *since* and *until* are seconds since the epoch."""

    reason: str
    since: float
    until: float | None


class DepthReset(Event, frozen=True, gc=False):
    """TWS emptied the book (317): forget all rows of it, new ones follow."""


# --- beside the streams ------------------------------------------------------------------------------------------


class Notice(Event, frozen=True, gc=False):
    """A message of TWS that ends nothing (EWrapper.error with a code that is no error).

    Attributes:
      id: the request or order that it is about, -1 for none.
      code: the TWS message code; 0 for a message of an unknown type that was passed over.
      message: TWS's text.
      time: milliseconds since the epoch by TWS's clock, ``None`` where the server does not say.
    """

    id: int
    code: int
    message: str
    time: int | None


# --- orders ------------------------------------------------------------------------------------------------------


class OpenOrder(Event, frozen=True, gc=False):
    """An order as TWS has it (EWrapper.openOrder).

    *status* is there in the rows of ``open_orders()`` and ``all_open_orders()``, and ``None`` in an event.
    """

    order_id: int
    contract: Contract
    order: Order
    order_state: OrderState
    status: OrderStatus | None = None


class OrderStatus(Event, frozen=True, gc=False):
    """How far an order is (EWrapper.orderStatus). TWS repeats these, and may leave one out."""

    order_id: int
    status: str
    filled: Decimal | None
    remaining: Decimal | None
    avg_fill_price: float | None
    perm_id: int
    parent_id: int
    last_fill_price: float | None
    client_id: int
    why_held: str
    mkt_cap_price: float | None


class CommissionAndFeesReport(Event, frozen=True, gc=False):
    """What an execution cost (EWrapper.commissionAndFeesReport, commissionReport before ibapi 10.37)."""

    exec_id: str
    commission_and_fees: float | None
    currency: str
    realized_pnl: float | None
    yield_: float | None
    yield_redemption_date: int | None  # YYYYMMDD


class ExecDetails(Event, frozen=True, gc=False):
    """A fill, or the correction of one (EWrapper.execDetails).

    *commission_and_fees* is there in the rows of ``executions()`` where TWS reported it before the end of the
    answer, and ``None`` in an event: the report is an event of its own.
    """

    contract: Contract
    execution: Execution
    commission_and_fees: CommissionAndFeesReport | None = None


class OrderBound(Event, frozen=True, gc=False):
    """An order made in TWS was given an API order id (EWrapper.orderBound)."""

    perm_id: int
    client_id: int
    order_id: int


OrderEvent: TypeAlias = OpenOrder | OrderStatus | ExecDetails | CommissionAndFeesReport | OrderBound
"""What ``order_events()`` and the stream of ``place_order()`` yield."""
