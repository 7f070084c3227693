"""Limits that an order is held against before it is sent, and what is known of the market to do so.

All of them are on with a figure that suits a small account; each can be changed, and ``None`` switches one off.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from .._runtime._values import UNSET_DOUBLE, number, size
from ..errors import InvalidRequest, OrderLimitExceeded

if TYPE_CHECKING:
    from ibapi.contract import Contract
    from ibapi.order import Order

    from ._record import OrderRecord

__all__ = ["Market", "OrderLimits", "Watchman"]

_PRICES = ("lmtPrice", "auxPrice", "trailStopPrice", "adjustedStopPrice", "adjustedStopLimitPrice", "triggerPrice")
_OFFSETS = ("TRAIL", "TRAIL LIMIT", "REL", "PEG MKT", "PEG STK", "PEG PRIM")
"""Order types whose auxPrice is a distance and no price."""

_SHARES_OF_AN_OPTION = 100
"""What an option's multiplier is held to be where the contract does not say."""

_CAPPED = ("LMT", "LOC", "LIT", "STP LMT")
"""Order types that never pay more than their limit."""

MAY_COST_NOTHING = frozenset({"BAG", "FUT", "FOP"})
"""Kinds of contracts whose price can be zero or negative."""

V = TypeVar("V")


class OrderLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What an order may be at most.

    Attributes:
      max_quantity: its quantity: shares, contracts.
      max_notional: its quantity times its price times the contract's multiplier, in the contract's currency. The price
        is the limit of a purchase; else the higher of its own price (limit, start of the trail, stop) and the newest
        quote; without any the limit cannot be applied.
      collar: how far its price may be from the newest quote, as a part of the quote: 0.1 is ten percent.
      quote_max_age: after so many seconds a quote is old. An order for a contract whose quote is old is refused, and
        one whose quote is as far in the future.
      require_quote: refuse an order for a contract that has no quote at all.
      while_disconnected: place and change orders while TWS says that it has no connection to IB (1100, 2110).
      max_orders_per_minute: how many orders are sent in any 60 seconds.
      max_open_orders: how many orders are open at a time for one contract and side. TWS takes 15 to 20.
    """

    max_quantity: Decimal | None = Decimal(10_000)
    max_notional: Decimal | None = Decimal(1_000_000)
    collar: float | None = 0.1
    quote_max_age: float | None = 5.0
    require_quote: bool = False
    while_disconnected: bool = False
    max_orders_per_minute: int | None = 120
    max_open_orders: int | None = 15


class _Quote(msgspec.Struct, frozen=True):
    price: float
    at: float


class Market:
    """What the user has told the book of the market: price steps and quotes, by contract.

    A contract is known by its ``conId``, and by what it says of itself, so that a quote of the qualified contract holds
    for an order that names its symbol, and the other way round.
    """

    def __init__(self) -> None:
        self._steps: dict[Any, tuple[int, Decimal]] = {}
        self._quotes: dict[Any, tuple[int, _Quote]] = {}

    def set_min_tick(self, contract: Contract, min_tick: float) -> None:
        """The prices of *contract* are multiples of *min_tick* (ContractDetails.minTick).

        Raises:
          InvalidRequest: it is no size of a step.
        """
        if not (math.isfinite(min_tick) and min_tick >= 0):
            raise InvalidRequest("min_tick", f"{min_tick!r} is no price step")
        _put(self._steps, contract, Decimal(str(min_tick)))

    def set_quote(self, contract: Contract, price: float, at: float) -> None:
        """*contract* was traded, or quoted, at *price* at the instant *at* of the event loop's clock.

        Raises:
          InvalidRequest: it is no price, such as the -1 that TWS sends where there is none.
        """
        if not math.isfinite(price) or (price <= 0 and contract.secType not in MAY_COST_NOTHING):
            raise InvalidRequest("price", f"{price!r} is no price of {contract.symbol or contract.conId}")
        if not math.isfinite(at):
            raise InvalidRequest("at", f"{at!r} is no instant; give anyio.current_time()")
        _put(self._quotes, contract, _Quote(price, at))

    def step(self, contract: Contract) -> Decimal | None:
        """Return the price step, if it is known."""
        return _get(self._steps, contract)

    def quote(self, contract: Contract) -> _Quote | None:
        """Return the newest quote, if there is one."""
        return _get(self._quotes, contract)


def _keys(contract: Contract) -> list[Any]:
    """Return what *contract* may be known by, the surest first."""
    described = (
        contract.secType,
        contract.currency,
        contract.lastTradeDateOrContractMonth,
        float(contract.strike or 0) if number(contract.strike) is not None else 0.0,
        contract.right[:1],
        tuple((leg.conId, leg.action, leg.ratio) for leg in contract.comboLegs or ()),
    )
    names = [name for name in (contract.symbol, contract.localSymbol) if name]
    return [*([contract.conId] if contract.conId else []), *(("what", name, *described) for name in names)]


def _put(table: dict[Any, tuple[int, V]], contract: Contract, value: V) -> None:
    for key in _keys(contract):
        table[key] = contract.conId, value


def _get(table: Mapping[Any, tuple[int, V]], contract: Contract) -> V | None:
    """Return what is known of *contract*: not what is of another one with the same description."""
    for key in _keys(contract):
        con_id, value = table.get(key, (0, None))
        if value is not None and (not con_id or not contract.conId or con_id == contract.conId):
            return value
    return None


def _same(one: Contract, other: Contract) -> bool:
    """Whether two contracts may be one."""
    if one.conId and other.conId:
        return one.conId == other.conId
    return not set(_keys(one)).isdisjoint(_keys(other))


class Watchman:
    """Holds orders against the limits."""

    def __init__(self, limits: OrderLimits) -> None:
        self.limits = limits
        self.market: Market = Market()
        self.link_lost: str | None = None
        self._sent: deque[float] = deque()

    def check(self, legs: Iterable[tuple[Contract, Order]], open_orders: Iterable[OrderRecord], now: float) -> None:
        """Look at orders that are about to be sent together.

        Raises:
          OrderLimitExceeded: one is beyond a limit; it names the attribute and the limit.
        """
        family = list(legs)
        self._check_rate(len(family), now)
        self._check_open(family, list(open_orders))
        for contract, order in family:
            self.check_values(contract, order, now)

    def check_exercise(self, contract: Contract, quantity: int, now: float) -> None:
        """Look at options that are about to be exercised: a trade at their strike; raises as ``check``."""
        limits = self.limits
        self._check_rate(1, now)
        if limits.max_quantity is not None and quantity > limits.max_quantity:
            raise _beyond("exercise_quantity", "max_quantity", f"{quantity} is above {limits.max_quantity}")
        strike = Decimal(str(_set(number(contract.strike)) or 0))
        multiplier = _multiplier(contract) if contract.multiplier else _SHARES_OF_AN_OPTION
        notional = quantity * strike * Decimal(str(multiplier))
        if limits.max_notional is not None and notional > limits.max_notional:
            raise _beyond(
                "exercise_quantity", "max_notional", f"{notional} at the strike is above {limits.max_notional}"
            )

    def sent(self, count: int, now: float) -> None:
        """So many orders were sent now."""
        self._sent.extend([now] * count)

    def check_values(self, contract: Contract, order: Order, now: float) -> None:
        """Look at one order by itself; raises as ``check``."""
        limits = self.limits
        if self.link_lost is not None and not limits.while_disconnected:
            raise _beyond("order", "while_disconnected", f"TWS has no connection to IB, {self.link_lost}")
        quantity = size(order.totalQuantity) or Decimal(0)
        if limits.max_quantity is not None and quantity > limits.max_quantity:
            raise _beyond("order.totalQuantity", "max_quantity", f"{quantity} is above {limits.max_quantity}")
        self._check_steps(contract, order)
        quote = self._fresh_quote(contract, now)
        if quote is not None and limits.collar is not None:
            self._check_collar(order, quote.price, limits.collar)
        self._check_notional(contract, order, quantity, quote)

    def _check_rate(self, count: int, now: float) -> None:
        limit = self.limits.max_orders_per_minute
        while self._sent and self._sent[0] <= now - 60:
            self._sent.popleft()
        if limit is not None and len(self._sent) + count > limit:
            raise _beyond("order", "max_orders_per_minute", f"{len(self._sent)} orders were sent in the last minute")

    def _check_open(self, family: list[tuple[Contract, Order]], records: list[OrderRecord]) -> None:
        limit = self.limits.max_open_orders
        if limit is None:
            return
        taken = [(record.contract, record.order.action) for record in records]
        for contract, order in family:
            taken.append((contract, order.action))
            if sum(action == order.action and _same(contract, each) for each, action in taken) > limit:
                raise _beyond(
                    "order.action", "max_open_orders", f"{limit} {order.action} orders for {contract.symbol} are open"
                )

    def _check_steps(self, contract: Contract, order: Order) -> None:
        step = self.market.step(contract)
        if not step:
            return
        for name in _PRICES:
            price = number(getattr(order, name))
            if price is not None and Decimal(str(price)) % step:
                raise _beyond(f"order.{name}", "min_tick", f"{price} is no multiple of the price step {step}")

    def _fresh_quote(self, contract: Contract, now: float) -> _Quote | None:
        quote = self.market.quote(contract)
        if quote is None:
            if self.limits.require_quote:
                raise _beyond("contract", "require_quote", f"there is no quote of {contract.symbol}")
            return None
        age, most = now - quote.at, self.limits.quote_max_age
        if most is not None and age < -most:  # the time of another clock would be fresh for ever
            what = f"the quote of {contract.symbol} is {-age:.1f} s from the future: give anyio.current_time()"
            raise _beyond("contract", "quote_max_age", what)
        if most is not None and age > most:
            raise _beyond("contract", "quote_max_age", f"the quote of {contract.symbol} is {age:.1f} s old")
        return quote

    def _check_collar(self, order: Order, quote: float, collar: float) -> None:
        names = ("lmtPrice",) if order.orderType in _OFFSETS else ("lmtPrice", "auxPrice")
        for name in names:
            price = _set(getattr(order, name))
            distance = None if price is None else abs(_exact(price) - _exact(quote))
            if distance is not None and distance > _exact(collar) * abs(_exact(quote)):
                raise _beyond(
                    f"order.{name}", "collar", f"{price} is more than {collar:.0%} away from the quote {quote}"
                )

    def _check_notional(self, contract: Contract, order: Order, quantity: Decimal, quote: _Quote | None) -> None:
        limit = self.limits.max_notional
        if limit is None:
            return
        prices = [_set(order.lmtPrice), _set(order.trailStopPrice)]
        if order.orderType not in _OFFSETS:
            prices.append(_set(order.auxPrice))
        known = [price for price in prices if price is not None][:1]
        if quote is not None and (not known or order.action != "BUY" or order.orderType not in _CAPPED):
            known.append(quote.price)  # what it trades at may be above its own price
        worth = _exact(_set(order.cashQty) or 0.0)
        for price in known:
            worth = max(worth, quantity * abs(_exact(price)) * _exact(_multiplier(contract)))
        if worth > limit:
            raise _beyond("order.totalQuantity", "max_notional", f"the order is worth {worth}, above {limit}")


def _exact(price: float) -> Decimal:
    """Return a number as it is written: at a limit is not beyond it."""
    return Decimal(str(price))


def _set(price: float | None) -> float | None:
    """Return a price that is one: some order types have a zero where they have none."""
    return None if price in (None, 0, UNSET_DOUBLE) else price


def _multiplier(contract: Contract) -> float:
    try:
        return float(contract.multiplier or 1)
    except ValueError:
        return 1.0


def _beyond(field: str, limit: str, message: str) -> OrderLimitExceeded:
    return OrderLimitExceeded(field, limit, message)
