"""The book of executions: each is booked in the account as it happens."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ._accounts import Account
from ._clock import Clock
from ._market import Market
from ._order_prices import commission_of
from ._orders import Execution, Order, parts_of

__all__ = ["Fills"]

_VENUES = ("ARCA", "NYSE", "IEX", "BATS")


class Fills:
    """All executions, in the order in which they happened."""

    def __init__(self, clock: Clock, market: Market, account: Account) -> None:
        self._clock = clock
        self._market = market
        self._account = account
        self.executions: list[Execution] = []

    def execute(self, order: Order, quantity: Decimal, price: Decimal) -> list[Execution]:
        """Book a fill of *quantity* at *price*: of an order for a combo as a whole first, then of its legs."""
        order.filled += quantity
        order.paid += quantity * price
        order.last_price = price
        if not order.instrument.legs:
            return [self._book(order, quantity, price)]
        whole = self._note(order, quantity, price, Decimal(0), None)
        parts = [
            self.execute(part, quantity * leg.ratio, self._price(part))[0]
            for part, leg in zip(parts_of(order), order.instrument.legs, strict=True)
        ]
        order.commission = sum((part.commission for part in parts_of(order)), Decimal(0))
        return [whole, *parts]

    def correct(self, execution: Execution, price: Decimal) -> Execution:
        """Book an execution at another price, under its id with the number after the last dot one higher."""
        order = execution.order
        signed = execution.quantity * order.sign
        realized = self._account.correct(order.instrument, signed, execution.price, price, execution.realized)
        order.paid += execution.quantity * (price - execution.price)
        name, _, number = execution.exec_id.rpartition(".")
        corrected = msgspec.structs.replace(
            execution,
            exec_id=f"{name}.{int(number) + 1:02d}",
            price=price,
            average=order.average,
            realized=realized,
        )
        self.executions[self.executions.index(execution)] = corrected
        return corrected

    def _price(self, part: Order) -> Decimal:
        """Return what a leg trades at: its side of its own market."""
        tick = self._market.tick(part.instrument, self._clock.now())
        return Decimal(str(tick.ask if part.sign > 0 else tick.bid))

    def _book(self, order: Order, quantity: Decimal, price: Decimal) -> Execution:
        due = commission_of(order, order.filled, order.paid)
        commission, order.commission = due - order.commission, due
        realized = self._account.fill(order.instrument, quantity * order.sign, price, commission)
        return self._note(order, quantity, price, commission, realized)

    def _note(
        self, order: Order, quantity: Decimal, price: Decimal, commission: Decimal, realized: Decimal | None
    ) -> Execution:
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
            of_combo=bool(order.instrument.legs),
        )
        self.executions.append(execution)
        return execution
