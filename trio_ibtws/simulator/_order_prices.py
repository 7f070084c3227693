"""When an order may trade, at what price, and what that costs: rules that need no more than the order and a tick."""

from __future__ import annotations

from decimal import Decimal

from ._accounts import cents
from ._market import Tick
from ._market_instrument import rounded
from ._orders import Order

__all__ = ["commission_of", "marketable_price", "triggered"]

_PER_SHARE = Decimal("0.005")
_LEAST = {"STK": Decimal(1), "CASH": Decimal(2), "OPT": Decimal(1), "CRYPTO": Decimal("1.75"), "BOND": Decimal(1)}
_PER_CONTRACT = {"OPT": Decimal("0.70"), "FUT": Decimal("2.25")}
_OF_VALUE = {"CASH": Decimal("0.00002"), "CRYPTO": Decimal("0.0018"), "BOND": Decimal("0.001")}
_MOST_OF_VALUE = Decimal("0.01")
_CLOSING = 0.3  # seconds before the end of the day, in which the last tick is, and no other


def _reference(order: Order, tick: Tick) -> float:
    """Return the price that triggers: the last trade, or the middle where none are shown."""
    return tick.last if order.instrument.has_trades else (tick.bid + tick.ask) / 2


def _move_trail(order: Order, price: float) -> float:
    """Return where the stop price of a trailing order is after *price*; it never goes back."""
    percent = order.values.get("trailingPercent")
    away = price * percent / 100 if percent else order.values.get("auxPrice") or 0.0
    stop = rounded(order.instrument, price + away * order.sign)
    before = order.trail if order.trail is not None else order.values.get("trailStopPrice")
    if before is not None:
        stop = min(stop, before) if order.sign > 0 else max(stop, before)
    order.trail = order.values["trailStopPrice"] = stop
    return stop


def triggered(order: Order, tick: Tick) -> bool:
    """Return whether an order need not wait, or its price has been reached; the stop of a trailing one moves."""
    if not order.waits:
        return True
    price = _reference(order, tick)
    if order.kind.startswith("TRAIL"):
        stop = _move_trail(order, price)
    else:
        stop = order.values.get("auxPrice") or 0.0
    beyond = (price - stop) * order.sign
    return beyond <= 0 if order.kind in {"MIT", "LIT"} else beyond >= 0


def marketable_price(order: Order, tick: Tick, day_end: float) -> Decimal | None:
    """Return the price at which an active order trades, or ``None`` when it does not."""
    price = tick.ask if order.sign > 0 else tick.bid
    if order.at_close:
        if tick.at < day_end - _CLOSING:
            return None
        price = tick.last
    elif order.tif == "OPG":
        price = tick.last
    limit = order.limit
    if limit is not None and (price - limit) * order.sign > 1e-9:
        return None
    return Decimal(str(price))


def commission_of(order: Order, filled: Decimal, paid: Decimal) -> Decimal:
    """Return the commission of an order of which *filled* was traded for *paid* in all."""
    kind = order.instrument.sec_type
    value = paid * Decimal(order.instrument.value_factor)
    if order.values.get("exercised"):
        return Decimal(0)
    if kind in _PER_CONTRACT:
        return cents(max(filled * _PER_CONTRACT[kind], _LEAST.get(kind, Decimal(0))))
    if kind in _OF_VALUE:
        fee = max(value * _OF_VALUE[kind], _LEAST[kind])
        return cents(fee if kind == "CASH" else min(fee, max(value * _MOST_OF_VALUE, Decimal("0.01"))))
    fee = max(filled * _PER_SHARE, _LEAST["STK"])
    return cents(min(fee, max(value * _MOST_OF_VALUE, Decimal("0.01"))))
