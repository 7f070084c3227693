"""``OrderRecord``: one order and all that is known of it. Every change of an order's state happens in this file.

No I/O and no waiting: each method takes one piece of news and returns what is new about it. News repeats, comes late
and is left out, so nothing here counts on an order of arrival but one: a final state is not undone by older news.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from ibapi.contract import Contract
from ibapi.order import Order
from ibapi.order_condition import MarginCondition

from .._runtime._events import CommissionAndFeesReport, ExecDetails, Notice, OpenOrder, OrderStatus
from .._runtime._sinks import NOTICES_KEPT
from .._runtime._values import UNSET_DECIMAL, UNSET_DOUBLE, UNSET_INTEGERS, size
from ..errors import RequestError
from ..times import TimeError, parse_time
from ._fills import FillLedger
from ._states import (
    FINAL,
    TRANSITIONS,
    Accepted,
    Alarm,
    CancelRefused,
    Modified,
    ModifyRefused,
    PlaceOutcome,
    Rejected,
    StateChange,
    TradeEvent,
    TradeState,
    Unknown,
    Warned,
    state_of,
)

__all__ = ["Modification", "OrderRecord", "same_value"]

CANCEL_REFUSALS = frozenset({161, 10147, 10148})
CANCELLED = 202


def same_value(one: Any, other: Any) -> bool:
    """Whether two attributes of an order say the same, unset and empty being one."""
    return bool(_plain(one) == _plain(other))


def _plain(value: Any) -> Any:
    if value in (None, "", UNSET_DOUBLE, UNSET_DECIMAL, *UNSET_INTEGERS):
        return None
    if isinstance(value, (int, float, Decimal)):
        return float(value)
    return value


_ECHOED = frozenset(
    {
        *(
            "action",
            "totalQuantity",
            "orderType",
            "lmtPrice",
            "auxPrice",
            "tif",
            "outsideRth",
            "hidden",
            "goodTillDate",
        ),
        *("goodAfterTime", "trailStopPrice", "trailingPercent", "allOrNone", "minQty", "discretionaryAmt", "ocaGroup"),
    }
)
"""Attributes that TWS shows in openOrder as they were sent."""

_TIMES = ("goodTillDate", "goodAfterTime")
_FOLLOWED = ("totalQuantity", "lmtPrice", "auxPrice")
_AS_GIVEN = frozenset({"LMT", "LOC", "LIT", "MIT", "STP", "STP LMT"})
"""Order types whose prices stay as they were given unless somebody changes them."""


def _shows(name: str, shown: Any, wanted: Any) -> bool:
    """Whether what TWS shows is what was wanted, in its words: ``DAY`` for no tif, zero for no price, its own zone."""
    if name == "tif":
        shown, wanted = shown or "DAY", wanted or "DAY"
    if name in _TIMES and shown and wanted:
        return _same_time(shown, wanted)
    return bool((_plain(shown) or None) == (_plain(wanted) or None))


def _same_time(shown: str, wanted: str) -> bool:
    try:
        return parse_time(shown) == parse_time(wanted)
    except TimeError:  # the one that was wanted has no zone: it is TWS's
        return shown.startswith(wanted)


def _to_send(shown: Order) -> Order:
    """Return what TWS shows as it can be sent: ibapi reads the percent of a margin condition as a float."""
    order = copy.deepcopy(shown)
    for condition in order.conditions or ():
        if isinstance(condition, MarginCondition) and condition.percent is not None:
            condition.percent = int(condition.percent)
    return order


class Modification:
    """A change of an order that has been sent, and what became of it."""

    def __init__(self, order: Order, sent: Sequence[Order]) -> None:
        """Make *order* of one that was *sent* as each of these, any of which may be in force."""
        self.order = order
        self.outcome: Modified | ModifyRefused | None = None
        self.awaited = False
        self._changed = [
            name
            for name in _ECHOED
            if not all(same_value(getattr(order, name), getattr(before, name)) for before in sent)
        ]

    def shown_in(self, shown: Order) -> bool:
        """Whether *shown* has every change."""
        return all(_shows(name, getattr(shown, name), getattr(self.order, name)) for name in self._changed)


class OrderRecord:
    """The state of one order."""

    def __init__(
        self, contract: Contract, order: Order, *, client_id: int, placed: bool, restored: bool = False
    ) -> None:
        """Know an order: *placed* by this book, now or (*restored* from a journal) before."""
        self.contract: Contract = contract
        self.order: Order = order
        self.ref: str = str(order.orderRef)
        self.client_id: int = client_id
        self.placed = placed
        self._as_shown = restored or not placed
        self.in_part: bool = False  # the journal keeps no conditions, legs or parameters
        self.order_ids: list[int] = [order.orderId] if order.orderId else []
        self.perm_ids: list[int] = [order.permId] if order.permId else []
        self.state: TradeState = "Pending"
        self.status: str = ""
        self.outcome: PlaceOutcome | None = None
        self.refusal: Rejected | None = None
        self.ledger: FillLedger = FillLedger()
        self.reported_filled: Decimal = Decimal(0)
        self.remarks: deque[Notice] = deque(maxlen=NOTICES_KEPT)
        self.unanswered_changes: list[Modification] = []
        self.change_failed: bool = False  # and the journal does not know
        self.cancel_refusal: CancelRefused | None = None

    # --- facts

    @property
    def order_id(self) -> int:
        return self.order_ids[-1] if self.order_ids else 0

    @property
    def perm_id(self) -> int:
        return self.perm_ids[0] if self.perm_ids else 0

    @property
    def over(self) -> bool:
        return self.state in FINAL

    @property
    def total(self) -> Decimal:
        """How much is to be traded in all; 0 where that is not known (an order for an amount of money)."""
        return size(self.order.totalQuantity) or Decimal(0)

    @property
    def drained(self) -> bool:
        """Whether all has come that TWS has announced: executions, and the commission of each."""
        wanted = max(self.reported_filled, self.total if self.state == "Filled" else Decimal(0))
        return self.over and self.ledger.filled >= wanted and self.ledger.reported

    def looks_like(self, contract: Contract, order: Order) -> bool:
        """Whether this is that order, by what tells orders of one reference apart: its contract, side, type and size.

        What is not known, as TWS tells it here or there only, tells nothing apart.
        """
        pairs: list[tuple[Any, Any]] = [
            (self.contract.conId, contract.conId),
            (self.contract.symbol, contract.symbol),
            (self.contract.secType, contract.secType),
            (self.order.action, order.action),
            (self.order.orderType, order.orderType),
            (self.total, size(order.totalQuantity)),
        ]
        return all(not one or not other or one == other for one, other in pairs)

    # --- news

    def open_order(self, event: OpenOrder) -> list[TradeEvent]:
        """EWrapper.openOrder."""
        news = self.identify(event.order_id, event.order.permId)
        shown = [change for change in self.unanswered_changes if change.shown_in(event.order)]
        if shown:
            self._changed_to(shown[-1])
        elif self._as_shown:
            transmit = self.order.transmit  # which TWS does not tell
            self.order, self.contract = _to_send(event.order), copy.deepcopy(event.contract)
            self.order.transmit, self.in_part = transmit, False
        elif not self.unanswered_changes:
            self._follow(event.order)
        return news + self._status(event.order_state.status)

    def order_status(self, event: OrderStatus) -> list[TradeEvent]:
        """EWrapper.orderStatus."""
        news = self.identify(event.order_id, event.perm_id)
        self.reported_filled = max(self.reported_filled, event.filled or Decimal(0))
        return news + self._status(event.status)

    def execution(self, event: ExecDetails) -> list[TradeEvent]:
        """EWrapper.execDetails, live or as an answer."""
        news = self.identify(event.execution.orderId, event.execution.permId)
        leg = self.contract.secType == "BAG" and event.contract.secType != "BAG"
        before = self.ledger.filled
        fill = self.ledger.add(event, leg=leg)
        if fill is None:
            return news
        news.append(fill)
        self.reported_filled += min(self.ledger.filled - before, Decimal(0))  # only a correction takes something back
        return news + self._traded()

    def commission(self, report: CommissionAndFeesReport) -> list[TradeEvent]:
        """EWrapper.commissionAndFeesReport."""
        reported = self.ledger.report(report)
        return [] if reported is None else [reported]

    def refused(self, notice: Notice, kind: type[RequestError], advanced_reject: str) -> list[TradeEvent]:
        """A code that refuses what was sent last: a change if one is under way, else the order if nobody has it yet.

        An order that TWS works is not over by a code alone: its status says so too, or it lives.
        """
        self.remarks.append(notice)
        if self.state in ("Working", "Inactive") and self._change_refused(notice):
            return [Warned(notice)]
        self.refusal = Rejected(self.order_id, notice.code, notice.message, advanced_reject)
        if self.state in ("Pending", "Unknown", "Inactive"):
            return self._to("Rejected", f"{notice.code}: {notice.message}")
        return [Warned(notice)]

    def cancel_refused(self, notice: Notice) -> list[TradeEvent]:
        """An error that came when a cancel was sent last: the order goes on. It may be about a change before that."""
        self.remarks.append(notice)
        if notice.code not in CANCEL_REFUSALS and self._change_refused(notice):
            return [Warned(notice)]
        self.cancel_refusal = CancelRefused(notice.code, notice.message)
        return [Warned(notice)]

    def noticed(self, notice: Notice) -> list[TradeEvent]:
        """A code that refuses nothing."""
        if notice.code in CANCEL_REFUSALS:
            return self.cancel_refused(notice)
        self.remarks.append(notice)
        if notice.code == CANCELLED:
            return [Warned(notice), *self._to("Cancelled", f"{notice.code}: {notice.message}")]
        return [Warned(notice)]

    def completed(self, order: Order, status: str) -> list[TradeEvent]:
        """EWrapper.completedOrder: it is over, and TWS says how."""
        news = self.identify(0, order.permId)
        state = state_of(status)
        if state == "Inactive":
            self.refusal = self.refusal or Rejected(self.order_id, None, f"TWS lists it as done, {status}")
            return news + self._to("Rejected", status)
        return news + ([] if state is None or state == "Working" else self._to(state, status))

    def unanswered(self, reason: str) -> list[TradeEvent]:
        """No word will come for now."""
        return self._to("Unknown", reason) if self.state in ("Pending", "Working", "Inactive") else []

    def settle(self, reason: str) -> None:
        """Fix the outcome if nothing did: an inactive order is one that TWS has."""
        if self.outcome is None:
            self.outcome = (
                Accepted(self.order_id, self.perm_id, self.ref)
                if self.state in ("Working", "Inactive")
                else Unknown(self.order_id, self.ref, reason)
            )

    def not_found(self) -> list[TradeEvent]:
        """TWS has it in none of its lists."""
        return self._to("NotFound", "in none of TWS's lists") if self.state == "Unknown" else []

    def taken_back(self, reason: str) -> list[TradeEvent]:
        """What was sent last never left: the order, or a change of it."""
        if self.unanswered_changes:
            self.unanswered_changes.pop().outcome = ModifyRefused(None, reason)
            self.change_failed = True
            return []
        return self._to("NotSent", reason) if self.state == "Pending" else []

    # --- changes

    def _changed_to(self, change: Modification) -> None:
        """TWS shows *change*, and so has answered those before it."""
        del self.unanswered_changes[: self.unanswered_changes.index(change) + 1]
        self.order = change.order
        change.outcome = Modified(copy.deepcopy(change.order))

    def _change_refused(self, notice: Notice) -> bool:
        """Take a refusal for that of the oldest change without an answer, as TWS answers in order."""
        if not self.unanswered_changes:
            return False
        self.unanswered_changes.pop(0).outcome = ModifyRefused(notice.code, notice.message)
        self.change_failed = True
        return True

    def _follow(self, shown: Order) -> None:
        """Take what somebody changed in TWS itself, so that a change of ours does not take it back."""
        for name in _FOLLOWED:
            given, now = _plain(getattr(self.order, name)), _plain(getattr(shown, name))
            if given and now and given != now and (name == "totalQuantity" or self.order.orderType in _AS_GIVEN):
                setattr(self.order, name, copy.copy(getattr(shown, name)))

    def bound_to(self, client_id: int) -> None:
        """EWrapper.orderBound: it is another client's from here on, which numbers it anew."""
        self.client_id = client_id
        self.order_ids.clear()

    def identify(self, order_id: int, perm_id: int) -> list[TradeEvent]:
        """Learn the ids that TWS has for this order."""
        if order_id > 0 and order_id not in self.order_ids:
            self.order_ids.append(order_id)
        if not perm_id or perm_id in self.perm_ids:
            return []
        self.perm_ids.append(perm_id)
        if len(self.perm_ids) == 1:
            return []
        return [Alarm(f"order {self.order_id} ({self.ref}) has a second permanent id at TWS: {self.perm_ids}")]

    def _status(self, status: str) -> list[TradeEvent]:
        state = state_of(status)
        if state is None:
            return []
        if state == "Inactive" and self.refusal is not None:
            return self._to("Rejected", f"{self.refusal.code}: {self.refusal.message}")
        before = self.state
        if state == before or state in TRANSITIONS[before]:
            self.status = status
        news = self._to(state, "")
        if before in ("Rejected", "NotFound") and news:
            news.append(Alarm(f"order {self.order_id} ({self.ref}) was {before}, and TWS says {status}"))
        return news

    def _traded(self) -> list[TradeEvent]:
        """An execution says that TWS has the order, and the last one that it is filled."""
        changed = [size(change.order.totalQuantity) or Decimal(0) for change in self.unanswered_changes]
        total = max(self.total, *changed, Decimal(0))
        if total and self.ledger.filled >= total:
            return self._to("Filled", "all of it was traded")
        if self.state in ("Pending", "Unknown", "NotFound", "Rejected"):
            return self._to("Working", "a part of it was traded")
        return []

    def _to(self, state: TradeState, reason: str) -> list[TradeEvent]:
        if state == self.state or state not in TRANSITIONS[self.state]:
            return []
        before, self.state = self.state, state
        if self.outcome is None:
            self._decide(reason)
        return [StateChange(before, state, self.status, reason)]

    def _decide(self, reason: str) -> None:
        if self.state in ("Working", "Filled", "Cancelled"):
            self.outcome = Accepted(self.order_id, self.perm_id, self.ref)
        elif self.state == "Rejected":
            self.outcome = self.refusal
        elif self.state == "Unknown":
            self.outcome = Unknown(self.order_id, self.ref, reason)
