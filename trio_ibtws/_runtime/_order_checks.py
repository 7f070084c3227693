"""An order that makes no sense is refused here, before anything of it is encoded, and the error names the attribute.

ibapi sends an order as it finds it: a quantity of 1.7e38 where none was set, a price that is not a number, a limit
order without a limit. What is wrong with an order whatever the account and the market are is decided here; what
depends on them (limits, price steps, collars) is the order book's.

Every attribute is held against the type that its default has in the installed ibapi (``_argument_checks``), and its
range; then come the rules of order types.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ibapi.contract import ComboLeg, Contract
from ibapi.order import Order
from ibapi.order_condition import OrderCondition

from ._argument_checks import check_attributes, check_contract, check_number, is_set, numbered, refused
from ._order_forms import check_forms
from ._values import UNSET_DOUBLE

__all__ = ["check_order"]

_ACTIONS = ("BUY", "SELL", "SSHORT", "SLONG")

_NOT_SENT = frozenset(
    {"orderId", "clientId", "permId", "parentPermId", "filledQuantity", "autoCancelDate", "refFuturesConId"}
)
"""Attributes that TWS fills in, and placeOrder leaves out or has as its own argument."""

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
        raise refused("contract", contract, "is no ibapi Contract")
    if not isinstance(order, Order):
        raise refused("order", order, "is no ibapi Order")
    _check_contract(contract)
    check_attributes("order", order, Order, but=_NOT_SENT)
    _check_ranges(order, contract)
    _check_meaning(order, contract)
    _check_parts(order)
    check_forms(contract, order)


# --- ranges ------------------------------------------------------------------------------------------------------


def _check_ranges(order: Order, contract: Contract) -> None:
    below_zero = contract.secType in _MAY_COST_LESS_THAN_NOTHING
    for attribute, value in vars(order).items():
        if attribute in _NOT_SENT or attribute in _SIGNED or not is_set(value) or value >= 0:
            continue
        if attribute not in _PRICES or not below_zero:
            raise refused(f"order.{attribute}", value, "is negative")
    for attribute, (least, most) in _RANGES.items():
        value = getattr(order, attribute)
        if is_set(value) and not least <= value <= most:
            raise refused(f"order.{attribute}", value, f"is not from {least} to {most}")


# --- what an order of its type needs -----------------------------------------------------------------------------


def _check_meaning(order: Order, contract: Contract) -> None:
    if order.action not in _ACTIONS:
        raise refused("order.action", order.action, f"is none of {', '.join(_ACTIONS)}")
    if not order.orderType:
        raise refused("order.orderType", order.orderType, "is no order type; MKT, LMT, STP and so on are")
    _check_size(order)
    for attribute in _NEEDS.get(order.orderType, ()):
        _check_needed_price(order, attribute, contract)
    if order.orderType in ("TRAIL", "TRAIL LIMIT"):
        _check_trail(order)
    if order.tif == "GTD" and not order.goodTillDate:
        raise refused("order.goodTillDate", "", "is missing, and the time in force is GTD")
    if order.algoParams and not order.algoStrategy:
        raise refused("order.algoStrategy", "", "is missing, so that order.algoParams would not be sent")
    if order.parentId and order.parentId == order.orderId:
        raise refused("order.parentId", order.parentId, "is the order itself")


def _check_size(order: Order) -> None:
    by_money = is_set(order.cashQty) and order.cashQty > 0
    by_advisor = bool(order.faGroup or order.faPercentage or getattr(order, "faProfile", ""))
    if not is_set(order.totalQuantity) and not by_money:
        raise refused("order.totalQuantity", order.totalQuantity, "stands for 'not set'; say how much")
    if is_set(order.totalQuantity) and order.totalQuantity == 0 and not (by_money or by_advisor):
        raise refused("order.totalQuantity", order.totalQuantity, "is nothing; say how much")


def _check_needed_price(order: Order, attribute: str, contract: Contract) -> None:
    price = getattr(order, attribute)
    if not is_set(price):
        raise refused(f"order.{attribute}", price, f"stands for 'not set', and a {order.orderType} order needs it")
    if price == 0 and contract.secType not in _MAY_COST_LESS_THAN_NOTHING:
        raise refused(f"order.{attribute}", price, f"is no price for a {order.orderType} order")


def _check_trail(order: Order) -> None:
    by_amount = is_set(order.auxPrice) and order.auxPrice > 0
    by_percent = is_set(order.trailingPercent)
    if by_percent and not 0 < order.trailingPercent <= 100:
        raise refused("order.trailingPercent", order.trailingPercent, "is not above 0 and up to 100")
    if by_amount == by_percent:
        both = "and order.trailingPercent are both set" if by_amount else "is not set, nor order.trailingPercent"
        raise refused("order.auxPrice", order.auxPrice, f"{both}; a {order.orderType} order needs one of them")
    if order.orderType == "TRAIL LIMIT" and not is_set(order.lmtPriceOffset) and not is_set(order.lmtPrice):
        raise refused("order.lmtPriceOffset", order.lmtPriceOffset, "is not set, and a TRAIL LIMIT order needs it")


# --- the parts of an order ---------------------------------------------------------------------------------------


def _check_parts(order: Order) -> None:
    for name in ("algoParams", "smartComboRoutingParams", "orderMiscOptions"):
        for number, pair in numbered(f"order.{name}", getattr(order, name)):
            for part in ("tag", "value"):
                if not isinstance(getattr(pair, part, None), str):
                    raise refused(f"order.{name}[{number}].{part}", getattr(pair, part, None), "is no text")
    for number, leg in numbered("order.orderComboLegs", order.orderComboLegs):
        check_number(f"order.orderComboLegs[{number}].price", getattr(leg, "price", None))
    for number, condition in numbered("order.conditions", order.conditions):
        _check_condition(f"order.conditions[{number}]", condition)


def _check_condition(field: str, condition: Any) -> None:
    if not isinstance(condition, OrderCondition):
        raise refused(field, condition, "is no condition of ibapi.order_condition")
    for attribute, value in vars(condition).items():
        if value is None:
            raise refused(f"{field}.{attribute}", value, "is missing")
        if isinstance(value, float) and (not math.isfinite(value) or value == UNSET_DOUBLE):
            raise refused(f"{field}.{attribute}", value, "is no finite number")


def _check_contract(contract: Contract) -> None:
    check_contract("contract", contract)
    if not (contract.conId or contract.symbol or contract.localSymbol or contract.secId):
        raise refused("contract.symbol", contract.symbol, "names nothing; give a symbol, a conId or a localSymbol")
    for attribute in ("conId", "strike"):
        if is_set(getattr(contract, attribute)) and getattr(contract, attribute) < 0:
            raise refused(f"contract.{attribute}", getattr(contract, attribute), "is negative")
    for number, leg in numbered("contract.comboLegs", contract.comboLegs):
        _check_leg(f"contract.comboLegs[{number}]", leg)
    if contract.secType == "BAG" and not contract.comboLegs:
        raise refused("contract.comboLegs", contract.comboLegs, "is empty, and the contract is a combination (BAG)")


def _check_leg(field: str, leg: ComboLeg) -> None:
    if leg.conId <= 0:
        raise refused(f"{field}.conId", leg.conId, "is no contract")
    if leg.ratio <= 0:
        raise refused(f"{field}.ratio", leg.ratio, "is no ratio")
    if leg.action not in _ACTIONS:
        raise refused(f"{field}.action", leg.action, f"is none of {', '.join(_ACTIONS)}")
