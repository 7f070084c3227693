"""An order that makes no sense is refused here, before anything of it is encoded, and the error names the attribute.

ibapi sends an order as it finds it: a quantity of 1.7e38 where none was set, a price that is not a number, a limit
order without a limit. What is wrong with an order whatever the account and the market are is decided here; what
depends on them (limits, price steps, collars) is the order book's.

Every attribute is held against the type and the range that its default has in the installed ibapi; then come the
rules of order types.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from ibapi.contract import ComboLeg, Contract, DeltaNeutralContract
from ibapi.order import Order
from ibapi.order_condition import OrderCondition

from ..errors import InvalidRequest
from ._order_forms import check_forms
from ._values import UNSET_DECIMAL, UNSET_DOUBLE, UNSET_INTEGERS

__all__ = ["check_order"]

_ACTIONS = ("BUY", "SELL", "SSHORT", "SLONG")

_NOT_SENT = frozenset(
    {"orderId", "clientId", "permId", "parentPermId", "filledQuantity", "autoCancelDate", "refFuturesConId"}
)
"""Attributes that TWS fills in, and placeOrder leaves out or has as its own argument."""

_FORMER = frozenset({"eTradeOnly", "firmQuoteOnly", "nbboPriceCap", "faProfile"})
"""Attributes that releases before 10.10 send: programs that must run with both set them."""

_NOTHING = (UNSET_DOUBLE, *UNSET_INTEGERS)

_MOST = 10**15

_QUANTITIES = frozenset({"totalQuantity"})
_NUMBERS = frozenset({"discretionaryAmt"})  # a whole number by its default, an amount by its meaning

_SIGNED = frozenset(
    {
        "delta",
        "exemptCode",
        "lmtPriceOffset",
        "midOffsetAtWhole",
        "midOffsetAtHalf",
        "peggedChangeAmount",
        "referenceChangeAmount",
        "scalePriceAdjustValue",
        "scaleInitPosition",
        "basisPoints",
        "openClose",
    }
)
"""Numbers that may be negative whatever is traded."""

_PRICES = frozenset(
    {
        "lmtPrice",
        "auxPrice",
        "trailStopPrice",
        "triggerPrice",
        "adjustedStopPrice",
        "adjustedStopLimitPrice",
        "startingPrice",
        "stockRefPrice",
        "deltaNeutralAuxPrice",
        "nbboPriceCap",
    }
)
_MAY_COST_LESS_THAN_NOTHING = frozenset({"BAG", "FUT", "FOP"})
"""Kinds of contracts whose price can be zero or negative: spreads, and futures in a bad week."""

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "LMT": ("lmtPrice",),
    "LOC": ("lmtPrice",),
    "STP": ("auxPrice",),
    "STP LMT": ("lmtPrice", "auxPrice"),
    "STP PRT": ("auxPrice",),
    "MIT": ("auxPrice",),
    "LIT": ("lmtPrice", "auxPrice"),
}
"""The prices without which an order of this type is none."""

_RANGES: Mapping[str, tuple[int, int]] = {
    "ocaType": (0, 3),
    "origin": (0, 1),
    "shortSaleSlot": (0, 2),
    "triggerMethod": (0, 8),
    "volatilityType": (0, 2),
    "referencePriceType": (0, 2),
    "auctionStrategy": (0, 3),
    "deltaNeutralShortSaleSlot": (0, 2),
    "adjustableTrailingUnit": (0, 100),
}


def check_order(arguments: Mapping[str, Any]) -> None:
    """Look at the ``contract`` and the ``order`` of a placeOrder.

    Raises:
      InvalidRequest: one of them cannot be meant; it names the attribute, such as ``order.totalQuantity``.
    """
    contract, order = arguments.get("contract"), arguments.get("order")
    if not isinstance(contract, Contract):
        raise _refused("contract", contract, "is no ibapi Contract")
    if not isinstance(order, Order):
        raise _refused("order", order, "is no ibapi Order")
    _check_contract(contract)
    _check_values("order", order, Order)
    _check_ranges(order, contract)
    _check_meaning(order, contract)
    _check_parts(order)
    check_forms(contract, order)


def _refused(field: str, value: object, why: str) -> InvalidRequest:
    return InvalidRequest(field, f"{value!r} {why}. Nothing was sent")


# --- types and sizes ---------------------------------------------------------------------------------------------


@cache
def _defaults(kind: type) -> Mapping[str, Any]:
    defaults: dict[str, Any] = vars(kind())
    return defaults


def _check_values(name: str, given: Any, kind: type) -> None:
    """Hold every attribute of *given* against the default that a new one has. A subclass may have some of its own."""
    defaults = _defaults(kind)
    for attribute, value in vars(given).items():
        field = f"{name}.{attribute}"
        if attribute in _NOT_SENT:
            continue
        if attribute in defaults:
            _check_value(field, value, defaults[attribute], attribute)
        elif type(given) is kind and value and value not in _NOTHING and attribute not in _FORMER:
            raise _refused(field, value, f"would not be sent: ibapi's {kind.__name__} has no such attribute")


def _check_value(field: str, value: Any, default: Any, attribute: str) -> None:
    if value is default:
        return
    if attribute in _QUANTITIES:
        _check_quantity(field, value)
    elif isinstance(default, bool):
        if not isinstance(value, bool) and value not in (0, 1):
            raise _refused(field, value, "is neither True nor False")
    elif isinstance(default, float) or attribute in _NUMBERS:
        _check_number(field, value)
    elif isinstance(default, int):
        _check_integer(field, value)
    elif isinstance(default, str) and not isinstance(value, str):
        raise _refused(field, value, "is no text")


def _check_quantity(field: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise _refused(field, value, "is no quantity; give a Decimal, an int or a float")
    finite = value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)
    if not finite or (value > _MOST and _is_set(value)):
        raise _refused(field, value, "is no quantity that exists")


def _check_number(field: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _refused(field, value, "is no number that ibapi can send; give a float")
    if field == "order.competeAgainstBestOffset" and value == math.inf:  # ibapi's own mark for "up to the middle"
        return
    if not math.isfinite(value):
        raise _refused(field, value, "is no finite number")


def _check_integer(field: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _refused(field, value, "is no whole number")
    if not -(2**31) <= value < 2**31:
        raise _refused(field, value, "does not fit into 32 bits")


def _is_set(value: Any) -> bool:
    """Whether *value* is a number that is sent: not left out, not one of ibapi's marks for it."""
    if isinstance(value, (bool, str)) or not isinstance(value, (int, float, Decimal)):
        return False
    return value != UNSET_DOUBLE and value != UNSET_DECIMAL and value not in UNSET_INTEGERS


# --- ranges ------------------------------------------------------------------------------------------------------


def _check_ranges(order: Order, contract: Contract) -> None:
    below_zero = contract.secType in _MAY_COST_LESS_THAN_NOTHING
    for attribute, value in vars(order).items():
        if attribute in _NOT_SENT or attribute in _SIGNED or not _is_set(value) or value >= 0:
            continue
        if attribute not in _PRICES or not below_zero:
            raise _refused(f"order.{attribute}", value, "is negative")
    for attribute, (least, most) in _RANGES.items():
        value = getattr(order, attribute)
        if _is_set(value) and not least <= value <= most:
            raise _refused(f"order.{attribute}", value, f"is not from {least} to {most}")


# --- what an order of its type needs -----------------------------------------------------------------------------


def _check_meaning(order: Order, contract: Contract) -> None:
    if order.action not in _ACTIONS:
        raise _refused("order.action", order.action, f"is none of {', '.join(_ACTIONS)}")
    if not order.orderType:
        raise _refused("order.orderType", order.orderType, "is no order type; MKT, LMT, STP and so on are")
    _check_size(order)
    for attribute in _NEEDS.get(order.orderType, ()):
        _check_needed_price(order, attribute, contract)
    if order.orderType in ("TRAIL", "TRAIL LIMIT"):
        _check_trail(order)
    if order.tif == "GTD" and not order.goodTillDate:
        raise _refused("order.goodTillDate", "", "is missing, and the time in force is GTD")
    if order.algoParams and not order.algoStrategy:
        raise _refused("order.algoStrategy", "", "is missing, so that order.algoParams would not be sent")
    if order.parentId and order.parentId == order.orderId:
        raise _refused("order.parentId", order.parentId, "is the order itself")


def _check_size(order: Order) -> None:
    by_money = _is_set(order.cashQty) and order.cashQty > 0
    by_advisor = bool(order.faGroup or order.faPercentage or getattr(order, "faProfile", ""))
    if not _is_set(order.totalQuantity) and not by_money:
        raise _refused("order.totalQuantity", order.totalQuantity, "stands for 'not set'; say how much")
    if _is_set(order.totalQuantity) and order.totalQuantity == 0 and not (by_money or by_advisor):
        raise _refused("order.totalQuantity", order.totalQuantity, "is nothing; say how much")


def _check_needed_price(order: Order, attribute: str, contract: Contract) -> None:
    price = getattr(order, attribute)
    if not _is_set(price):
        raise _refused(f"order.{attribute}", price, f"stands for 'not set', and a {order.orderType} order needs it")
    if price == 0 and contract.secType not in _MAY_COST_LESS_THAN_NOTHING:
        raise _refused(f"order.{attribute}", price, f"is no price for a {order.orderType} order")


def _check_trail(order: Order) -> None:
    by_amount = _is_set(order.auxPrice) and order.auxPrice > 0
    by_percent = _is_set(order.trailingPercent)
    if by_percent and not 0 < order.trailingPercent <= 100:
        raise _refused("order.trailingPercent", order.trailingPercent, "is not above 0 and up to 100")
    if by_amount == by_percent:
        both = "and order.trailingPercent are both set" if by_amount else "is not set, nor order.trailingPercent"
        raise _refused("order.auxPrice", order.auxPrice, f"{both}; a {order.orderType} order needs one of them")
    if order.orderType == "TRAIL LIMIT" and not _is_set(order.lmtPriceOffset) and not _is_set(order.lmtPrice):
        raise _refused("order.lmtPriceOffset", order.lmtPriceOffset, "is not set, and a TRAIL LIMIT order needs it")


# --- the parts of an order ---------------------------------------------------------------------------------------


def _check_parts(order: Order) -> None:
    for name in ("algoParams", "smartComboRoutingParams", "orderMiscOptions"):
        for number, pair in _numbered(f"order.{name}", getattr(order, name)):
            for part in ("tag", "value"):
                if not isinstance(getattr(pair, part, None), str):
                    raise _refused(f"order.{name}[{number}].{part}", getattr(pair, part, None), "is no text")
    for number, leg in _numbered("order.orderComboLegs", order.orderComboLegs):
        _check_number(f"order.orderComboLegs[{number}].price", getattr(leg, "price", None))
    for number, condition in _numbered("order.conditions", order.conditions):
        _check_condition(f"order.conditions[{number}]", condition)


def _numbered(field: str, values: Any) -> Iterable[tuple[int, Any]]:
    if values is None:
        return ()
    if not isinstance(values, (list, tuple)):
        raise _refused(field, values, "is no list")
    return enumerate(values)


def _check_condition(field: str, condition: Any) -> None:
    if not isinstance(condition, OrderCondition):
        raise _refused(field, condition, "is no condition of ibapi.order_condition")
    for attribute, value in vars(condition).items():
        if value is None:
            raise _refused(f"{field}.{attribute}", value, "is missing")
        if isinstance(value, float) and (not math.isfinite(value) or value == UNSET_DOUBLE):
            raise _refused(f"{field}.{attribute}", value, "is no finite number")


def _check_contract(contract: Contract) -> None:
    _check_values("contract", contract, Contract)
    if not (contract.conId or contract.symbol or contract.localSymbol or contract.secId):
        raise _refused("contract.symbol", contract.symbol, "names nothing; give a symbol, a conId or a localSymbol")
    for attribute in ("conId", "strike"):
        if _is_set(getattr(contract, attribute)) and getattr(contract, attribute) < 0:
            raise _refused(f"contract.{attribute}", getattr(contract, attribute), "is negative")
    for number, leg in _numbered("contract.comboLegs", contract.comboLegs):
        if not isinstance(leg, ComboLeg):
            raise _refused(f"contract.comboLegs[{number}]", leg, "is no ibapi ComboLeg")
        _check_leg(f"contract.comboLegs[{number}]", leg)
    if contract.secType == "BAG" and not contract.comboLegs:
        raise _refused("contract.comboLegs", contract.comboLegs, "is empty, and the contract is a combination (BAG)")
    if contract.deltaNeutralContract is not None:
        _check_values("contract.deltaNeutralContract", contract.deltaNeutralContract, DeltaNeutralContract)


def _check_leg(field: str, leg: ComboLeg) -> None:
    _check_values(field, leg, ComboLeg)
    if leg.conId <= 0:
        raise _refused(f"{field}.conId", leg.conId, "is no contract")
    if leg.ratio <= 0:
        raise _refused(f"{field}.ratio", leg.ratio, "is no ratio")
    if leg.action not in _ACTIONS:
        raise _refused(f"{field}.action", leg.action, f"is none of {', '.join(_ACTIONS)}")
