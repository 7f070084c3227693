"""The book of executions: each is booked in the account as it happens."""

from __future__ import annotations

from decimal import Decimal

from ._accounts import Account
from ._clock import Clock
from ._order_prices import commission_of
from ._orders import Execution, Order

__all__ = ["Fills"]

_VENUES = ("ARCA", "NYSE", "IEX", "BATS")


class Fills:
    """All executions, in the order in which they happened."""

    def __init__(self, clock: Clock, account: Account) -> None:
        self._clock = clock
        self._account = account
        self.executions: list[Execution] = []

    def execute(self, order: Order, quantity: Decimal, price: Decimal) -> Execution:
        """Book a fill of *quantity* at *price*."""
        order.filled += quantity
        order.paid += quantity * price
        order.last_price = price
        due = commission_of(order, order.filled, order.paid)
        commission, order.commission = due - order.commission, due
        realized = self._account.fill(order.instrument, quantity * order.sign, price, commission)
        number = len(self.executions) + 1
        execution = Execution(
            exec_id=f"0000e0d5.{order.perm_id:08x}.{number:02d}.01",
            order=order,
            at=self._clock.now(),
            exchange=_VENUES[number % len(_VENUES)] if order.instrument.is_stock else order.instrument.exchange,
            quantity=quantity,
            price=price,
            total=order.filled,
            average=order.average,
            commission=commission,
            realized=realized,
        )
        self.executions.append(execution)
        return execution
