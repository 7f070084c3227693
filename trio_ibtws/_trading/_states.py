"""What an order can be, how it may change, and what its handle tells.

The states are ours: TWS's own words are in ``Trade.status``. An order changes only by ``openOrder``, ``orderStatus``,
executions, a code that refuses it, or the finding that TWS does not have it; never by a warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

from .._runtime._events import CommissionAndFeesReport, Event, Notice

if TYPE_CHECKING:
    from ibapi.contract import Contract
    from ibapi.execution import Execution
    from ibapi.order import Order

__all__ = [
    "FINAL",
    "TRANSITIONS",
    "Accepted",
    "Alarm",
    "CancelConfirmed",
    "CancelOutcome",
    "CancelRefused",
    "Fill",
    "FillCorrected",
    "FillReported",
    "Finished",
    "Modified",
    "ModifyOutcome",
    "ModifyRefused",
    "PlaceOutcome",
    "Rejected",
    "StateChange",
    "TradeEvent",
    "TradeState",
    "Unknown",
    "Warned",
    "state_of",
]

TradeState = Literal[
    "Pending", "Working", "Inactive", "Filled", "Cancelled", "Rejected", "Unknown", "NotFound", "NotSent"
]
"""What is known of an order.

``Pending``: on its way, TWS has said nothing. ``Working``: TWS or the exchange has it. ``Inactive``: TWS has it and
does not work it. ``Filled``, ``Cancelled``, ``Rejected``: over. ``Unknown``: sent, and no word of it; it may be alive.
``NotFound``: in none of TWS's lists. ``NotSent``: taken back before it was written.
"""

FINAL: frozenset[TradeState] = frozenset({"Filled", "Cancelled", "Rejected", "NotFound", "NotSent"})

_SEEN: frozenset[TradeState] = frozenset({"Working", "Inactive", "Filled", "Cancelled", "Rejected"})

TRANSITIONS: Mapping[TradeState, frozenset[TradeState]] = {
    "Pending": frozenset({*_SEEN, "Unknown", "NotSent"}),
    "Unknown": frozenset({*_SEEN, "NotFound"}),
    "Working": frozenset({"Inactive", "Filled", "Cancelled", "Rejected", "Unknown"}),
    "Inactive": frozenset({"Working", "Filled", "Cancelled", "Rejected", "Unknown"}),
    "Cancelled": frozenset({"Filled"}),  # the last fill was on its way when the cancel was confirmed
    "Rejected": frozenset({"Working", "Filled", "Cancelled"}),  # the code was no rejection: TWS says that it lives
    "NotFound": _SEEN,
    "Filled": frozenset(),
    "NotSent": frozenset(),
}
"""Every change that there is. What would be another one is ignored: TWS repeats old news."""

_STATES: Mapping[str, TradeState] = {
    "ApiPending": "Working",
    "PendingSubmit": "Working",
    "PendingCancel": "Working",
    "PreSubmitted": "Working",
    "Submitted": "Working",
    "Inactive": "Inactive",
    "Filled": "Filled",
    "Cancelled": "Cancelled",
    "ApiCancelled": "Cancelled",
}


def state_of(status: str) -> TradeState | None:
    """Return what TWS's *status* means, ``None`` for a word that is not known: it changes nothing."""
    return _STATES.get(status)


# --- outcomes ----------------------------------------------------------------------------------------------------


class Accepted(Event, frozen=True, gc=False):
    """TWS has the order."""

    order_id: int
    perm_id: int
    order_ref: str


class Rejected(Event, frozen=True, gc=False):
    """TWS or the exchange refused the order; *code* is ``None`` where only a list of TWS says so."""

    order_id: int
    code: int | None
    message: str
    advanced_reject: str = ""


class Unknown(Event, frozen=True, gc=False):
    """No word came: what was asked for may have happened or not. It is never sent again by itself."""

    order_id: int
    order_ref: str
    reason: str


PlaceOutcome: TypeAlias = Accepted | Rejected | Unknown
"""What became of ``book.place``."""


class CancelConfirmed(Event, frozen=True, gc=False):
    """TWS cancelled the order; *filled* of it had been traded."""

    filled: Decimal


class CancelRefused(Event, frozen=True, gc=False):
    """The order was not cancelled by this: TWS's *code* (161, 10147, 10148), or ``None``: nothing was sent."""

    code: int | None
    message: str


class Finished(Event, frozen=True, gc=False):
    """The order was over before that: *state* says how, *filled* how much of it was traded."""

    state: TradeState
    filled: Decimal


CancelOutcome: TypeAlias = CancelConfirmed | CancelRefused | Finished | Unknown
"""What became of ``trade.cancel``."""


class Modified(Event, frozen=True, gc=False):
    """TWS shows the order as it was changed."""

    order: Order


class ModifyRefused(Event, frozen=True, gc=False):
    """The order is as it was, and alive: TWS's *code*, or ``None``: nothing was sent."""

    code: int | None
    message: str


ModifyOutcome: TypeAlias = Modified | ModifyRefused | Finished | Unknown
"""What became of ``trade.modify``."""


# --- what a trade tells ------------------------------------------------------------------------------------------


class Fill(Event, frozen=True, gc=False):
    """An execution, as it stands after its corrections, with its commission once that is known.

    Attributes:
      exec_id: TWS's id of the execution; what follows the last dot counts its corrections.
      quantity: how much was traded.
      price: at which price, in the contract's currency.
      side: ``"BOT"`` or ``"SLD"``.
      time: TWS's text.
      order_id: the API order id.
      perm_id: TWS's permanent id of the order.
      leg: whether it is a leg of a combination, whose own fill is told apart.
      account: whose it is. Of an advisor's order for a group TWS tells the executions twice: those of the advisor's own
        account, and the parts of them client by client.
      contract: what was traded.
      execution: the execution as ibapi made it.
      commission: what it cost, ``None`` until TWS says so.
    """

    exec_id: str
    quantity: Decimal
    price: float
    side: str
    time: str
    order_id: int
    perm_id: int
    leg: bool
    account: str
    contract: Contract
    execution: Execution
    commission: CommissionAndFeesReport | None = None


class StateChange(Event, frozen=True, gc=False):
    """An order went from one state to another; *status* is TWS's word, *reason* its text or code where there is one."""

    before: TradeState
    after: TradeState
    status: str
    reason: str


class FillCorrected(Event, frozen=True, gc=False):
    """An execution was corrected: *after* stands in the place of *before*."""

    before: Fill
    after: Fill


class FillReported(Event, frozen=True, gc=False):
    """The commission of a fill became known."""

    fill: Fill


class Warned(Event, frozen=True, gc=False):
    """TWS remarked something about the order; it changed nothing."""

    notice: Notice


class Alarm(Event, frozen=True, gc=False):
    """Something that a person should look at: a second permanent id, a refused order that lives."""

    message: str


TradeEvent: TypeAlias = StateChange | Fill | FillCorrected | FillReported | Warned | Alarm
"""What ``trade.events()`` and ``book.events()`` yield."""
