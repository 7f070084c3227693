"""What-if: what an order would cost, asked by a method of its own so that it cannot be taken for an order."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import anyio
import msgspec
from ibapi.order_state import OrderState

from .._runtime._events import OpenOrder
from .._runtime._values import UNSET_DOUBLE, number

__all__ = ["Preview", "WhatIf"]


class WhatIf(msgspec.Struct, frozen=True):
    """What TWS says that an order would cost (OrderState of the answer to a what-if order).

    Amounts are in the account's base currency, ``None`` where TWS gave none; *change* is what the order would add.
    """

    init_margin_before: Decimal | None
    init_margin_change: Decimal | None
    init_margin_after: Decimal | None
    maint_margin_before: Decimal | None
    maint_margin_change: Decimal | None
    maint_margin_after: Decimal | None
    equity_with_loan_before: Decimal | None
    equity_with_loan_change: Decimal | None
    equity_with_loan_after: Decimal | None
    commission: float | None
    min_commission: float | None
    max_commission: float | None
    commission_currency: str
    warning: str
    order_state: OrderState


class Preview:
    """A what-if that is under way.

    Where TWS has a warning it answers twice: the warning with no figures, then the figures.
    """

    def __init__(self) -> None:
        self.answer: WhatIf | None = None
        self.error: Exception | None = None
        self.changed = anyio.Event()

    @property
    def complete(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.error is not None or (self.answer is not None and self.answer.init_margin_after is not None)

    def take(self, event: OpenOrder) -> None:
        """Take an answer; the second one has the figures, the first the warning."""
        warning = self.answer.warning if self.answer is not None else ""
        self.answer = _what_if(event.order_state, warning)
        self.changed.set()

    def fail(self, error: Exception) -> None:
        """TWS refuses to say."""
        self.error = error
        self.changed.set()


def _what_if(state: OrderState, warning: str) -> WhatIf:
    margins = {
        f"{snake}_{when.lower()}": _amount(getattr(state, f"{name}{when}"))
        for snake, name in (
            ("init_margin", "initMargin"),
            ("maint_margin", "maintMargin"),
            ("equity_with_loan", "equityWithLoan"),
        )
        for when in ("Before", "Change", "After")
    }
    return WhatIf(
        **margins,
        commission=_charge(state, "commission"),
        min_commission=_charge(state, "minCommission"),
        max_commission=_charge(state, "maxCommission"),
        commission_currency=_either(state, "commissionCurrency", "commissionAndFeesCurrency"),
        warning=state.warningText or warning,
        order_state=state,
    )


def _amount(text: Any) -> Decimal | None:
    try:
        amount = Decimal(str(text))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount < Decimal(str(UNSET_DOUBLE)) else None


def _charge(state: OrderState, name: str) -> float | None:
    return number(_either(state, name, f"{name}AndFees"))


def _either(state: OrderState, name: str, new_name: str) -> Any:
    """Return an attribute by the name that it has in the installed release."""
    return getattr(state, new_name) if hasattr(state, new_name) else getattr(state, name)
