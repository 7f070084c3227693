"""Attributes of an order that ibapi leaves out without a word where the server, or the order, is not of their kind.

``postOnly`` to an old TWS is such a one: what was to make a price would take it. There is no list of what ibapi sends
to whom; so the order is encoded once more without the attribute, and it counts as sent if that makes a difference.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from ibapi.order import Order

from ..errors import InvalidRequest
from ._values import UNSET_DECIMAL, UNSET_DOUBLE, UNSET_INTEGERS

__all__ = ["check_nothing_is_lost"]

_MAY_BE_LEFT_OUT = (
    "allowPreOpen",
    "bondAccruedInterest",
    "competeAgainstBestOffset",
    "conditionsIncludeOvernight",
    "deactivate",
    "ignoreOpenAuction",
    "midOffsetAtHalf",
    "midOffsetAtWhole",
    "minCompeteSize",
    "minTradeQty",
    "postOnly",
    "ptOrderId",
    "ptOrderType",
    "slOrderId",
    "slOrderType",
    "whatIfType",
)
_SAYS_NOTHING = (None, "", 0, UNSET_DOUBLE, UNSET_DECIMAL, *UNSET_INTEGERS)


def check_nothing_is_lost(order: Order, server_version: int, encode: Callable[[Order], bytes], frame: bytes) -> None:
    """See that every attribute of *order* that is easily lost is in its *frame*.

    Raises:
      InvalidRequest: one is not.
    """
    defaults = vars(Order())
    for name in _MAY_BE_LEFT_OUT:
        value: Any = getattr(order, name, None)
        if value in _SAYS_NOTHING or name not in defaults:  # one that ibapi does not have is refused elsewhere
            continue
        without = copy.copy(order)
        setattr(without, name, defaults[name])
        if encode(without) == frame:
            raise InvalidRequest(
                f"order.{name}",
                f"{value!r} would not be sent: server version {server_version} does not take it, or not for such an "
                "order. Nothing was sent",
            )
