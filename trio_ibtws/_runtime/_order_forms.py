"""The forms of what an order says: texts that can be read, words as TWS writes them, conditions of the right kinds.

Which order types and times in force there are depends on the exchange, and TWS knows; but ``"lmt"``, ``"LMT "`` and
``"LIMIT"`` are none at any, and the rules about limits and stops would not see them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from ibapi.contract import Contract
from ibapi.order import Order
from ibapi.order_condition import (
    ExecutionCondition,
    MarginCondition,
    PercentChangeCondition,
    PriceCondition,
    TimeCondition,
    VolumeCondition,
)

from ..errors import InvalidRequest
from ._values import UNSET_DECIMAL, UNSET_DOUBLE

__all__ = ["check_forms"]

_WORD = re.compile(r"[A-Z0-9+]+( [A-Z0-9+]+)*")
_LONGEST_WORD = 20
_LIKE_NO_OTHER = frozenset({"Minutes"})  # the one time in force in small letters

_MEANT: Mapping[str, str] = {
    "MARKET": "MKT",
    "LIMIT": "LMT",
    "STOP": "STP",
    "STOP LIMIT": "STP LMT",
    "STPLMT": "STP LMT",
    "TRAILING": "TRAIL",
    "TRAILLMT": "TRAIL LIMIT",
    "TRAIL LMT": "TRAIL LIMIT",
}
"""Words for order types that are no order types."""

_RIGHTS = ("", "C", "P", "CALL", "PUT", "?", "0")
"""The last two are TWS's own for a contract that is no option."""

_MOST = 1e15
_LEAST = Decimal("1E-16")

_CONDITIONS: Mapping[type, Mapping[str, type]] = {
    PriceCondition: {"isMore": bool, "conId": int, "exchange": str, "price": float, "triggerMethod": int},
    TimeCondition: {"isMore": bool, "time": str},
    MarginCondition: {"isMore": bool, "percent": int},
    ExecutionCondition: {"secType": str, "exchange": str, "symbol": str},
    VolumeCondition: {"isMore": bool, "conId": int, "exchange": str, "volume": int},
    PercentChangeCondition: {"isMore": bool, "conId": int, "exchange": str, "changePercent": float},
}
_TRIGGER_METHODS = range(9)


def check_forms(contract: Contract, order: Order) -> None:
    """Look at an order whose attributes are of the right types.

    Raises:
      InvalidRequest: one of them cannot be meant; it names the attribute.
    """
    for field, text in _texts(contract, order):
        if not text.isprintable():
            raise _refused(field, text, "has a character that is not printed")
    _check_word("order.orderType", order.orderType)
    if order.orderType in _MEANT:
        raise _refused("order.orderType", order.orderType, f"is no order type; {_MEANT[order.orderType]} is")
    if order.tif not in _LIKE_NO_OTHER:
        _check_word("order.tif", order.tif)
    _check_word("contract.secType", contract.secType)
    if contract.right not in _RIGHTS:
        raise _refused("contract.right", contract.right, f"is none of {', '.join(filter(None, _RIGHTS))}")
    _check_sizes(order)
    for number, condition in enumerate(order.conditions or ()):
        _check_condition(f"order.conditions[{number}]", condition)


def _texts(contract: Contract, order: Order) -> Iterator[tuple[str, str]]:
    for name, noun in (("contract", contract), ("order", order)):
        for attribute, value in vars(noun).items():
            if isinstance(value, str):
                yield f"{name}.{attribute}", value
    parts = [(f"contract.comboLegs[{number}]", leg) for number, leg in enumerate(contract.comboLegs or ())]
    for attribute in ("algoParams", "smartComboRoutingParams", "orderMiscOptions", "conditions"):
        parts += [(f"order.{attribute}[{number}]", part) for number, part in enumerate(getattr(order, attribute) or ())]
    for field, part in parts:
        yield from ((f"{field}.{name}", value) for name, value in vars(part).items() if isinstance(value, str))


def _check_word(field: str, word: str) -> None:
    if word and (len(word) > _LONGEST_WORD or not _WORD.fullmatch(word)):
        raise _refused(field, word, "is not as TWS writes it: in capital letters, and nothing around them")


def _check_sizes(order: Order) -> None:
    for attribute, value in vars(order).items():
        if isinstance(value, float) and math.isfinite(value) and value != UNSET_DOUBLE and abs(value) > _MOST:
            raise _refused(f"order.{attribute}", value, "is no number that exists at a market")
    quantity = Decimal(str(order.totalQuantity))
    if quantity != UNSET_DECIMAL and 0 < quantity < _LEAST:
        raise _refused("order.totalQuantity", order.totalQuantity, "is less than any market trades")


def _check_condition(field: str, condition: Any) -> None:
    kinds = _CONDITIONS.get(type(condition))
    if kinds is None:  # one of a newer release, or of the user's own
        return
    if condition.condType != type(condition)().condType:
        raise _refused(f"{field}.condType", condition.condType, f"is not that of a {type(condition).__name__}")
    for attribute, kind in {"isConjunctionConnection": bool, **kinds}.items():
        value = getattr(condition, attribute)
        if not _is_a(value, kind):
            raise _refused(f"{field}.{attribute}", value, f"is no {kind.__name__}")
        if kind is int and not 0 <= value < 2**31:
            raise _refused(f"{field}.{attribute}", value, "is not from 0 to 2147483647")
    if isinstance(condition, PriceCondition) and condition.triggerMethod not in _TRIGGER_METHODS:
        raise _refused(f"{field}.triggerMethod", condition.triggerMethod, "is not from 0 to 8")
    if isinstance(condition, TimeCondition) and not str(condition.time).strip():
        raise _refused(f"{field}.time", condition.time, "is no time")


def _is_a(value: object, kind: type) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _refused(field: str, value: object, why: str) -> InvalidRequest:
    return InvalidRequest(field, f"{value!r} {why}. Nothing was sent")
