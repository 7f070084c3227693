"""What is of the wrong kind is refused here, on both wires alike, before anything of it is encoded.

On the text wire ibapi writes whatever it is given as ``str()`` writes it: a list for a number of rows, a NaN for a
price, ``"abc"`` for an order id. On the protobuf wire most of that is a TypeError that names no argument. So every
argument is held against the annotation that it has in the installed ibapi, and every attribute of ibapi's classes
against the value that a new object has there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import cache, partial
from typing import Any

from ibapi.contract import ComboLeg, Contract, DeltaNeutralContract
from ibapi.order import Order

from ..errors import InvalidRequest
from ._compat import kinds_of
from ._values import UNSET_DECIMAL, UNSET_DOUBLE, UNSET_INTEGERS

__all__ = [
    "check_attributes",
    "check_contract",
    "check_kinds",
    "check_number",
    "is_count",
    "is_flag",
    "is_set",
    "numbered",
    "refused",
]

_FORMER = frozenset({"eTradeOnly", "firmQuoteOnly", "nbboPriceCap", "faProfile"})
"""Attributes that releases before 10.10 send: programs that must run with both set them."""

_NOTHING = (UNSET_DOUBLE, *UNSET_INTEGERS)
_NONE = object()
_MOST = 10**15
_QUANTITIES = frozenset({"totalQuantity"})
_NUMBERS = frozenset({"discretionaryAmt"})  # a whole number by its default, an amount by its meaning


def refused(field: str, value: object, why: str) -> InvalidRequest:
    """Return the error that names an argument, or an attribute of it, and its value."""
    return InvalidRequest(field, f"{_shown(value)} {why}. Nothing was sent")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def is_set(value: Any) -> bool:
    """Whether *value* is a number that is sent: not left out, not one of ibapi's marks for it."""
    if isinstance(value, (bool, str)) or not (isinstance(value, (float, Decimal)) or hasattr(value, "__index__")):
        return False
    return value != UNSET_DOUBLE and value != UNSET_DECIMAL and value not in UNSET_INTEGERS


def numbered(field: str, values: Any) -> Iterable[tuple[int, Any]]:
    """Return the elements of a list with their numbers, none of ``None``; raises ``InvalidRequest`` if it is none."""
    if values is None:
        return ()
    if not isinstance(values, (list, tuple)):
        raise refused(field, values, "is no list")
    return enumerate(values)


def is_count(value: object) -> bool:
    """Whether *value* is a whole number above 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def is_flag(value: object) -> bool:
    """Whether *value* is ``True`` or ``False``: ``"false"`` is neither."""
    return isinstance(value, bool)


# --- the arguments of a request ----------------------------------------------------------------------------------


def check_kinds(method: str, arguments: Mapping[str, Any]) -> None:
    """Hold the *arguments* of an EClient method against its annotations; ``None`` is left to ``_compat``.

    Raises:
      InvalidRequest: one of them is of another kind; it names the argument, and the attribute of it.
    """
    kinds = kinds_of(method)
    for name, value in arguments.items():
        kind = kinds.get(name)
        if value is None and name != "contract":
            continue
        if name == "contract" or kind is Contract:
            if not isinstance(value, Contract):
                raise refused(name, value, "is no ibapi Contract; trio_ibtws.contracts makes one: stock('AAPL')")
            check_contract(name, value)
        elif kind is not None:
            _check_argument(name, value, kind)


def _check_argument(name: str, value: Any, kind: type) -> None:
    check = _CHECKS.get(kind)
    if check is not None:
        check(name, value)
    elif kind.__module__.startswith("ibapi.") and not hasattr(kind, "DESCRIPTOR"):
        if not isinstance(value, kind):
            raise refused(name, value, f"is no ibapi {kind.__name__}")
        if kind is not Order:  # check_order has looked at it
            check_attributes(name, value, kind)


def _check_options(name: str, value: Any) -> None:
    for number, pair in numbered(name, value):
        if not (hasattr(pair, "tag") and hasattr(pair, "value")):
            raise refused(f"{name}[{number}]", pair, "is no ibapi TagValue")


# --- the attributes of ibapi's classes ---------------------------------------------------------------------------


@cache
def _defaults(kind: type) -> Mapping[str, Any]:
    defaults: dict[str, Any] = vars(kind())
    return defaults


def check_attributes(name: str, given: Any, kind: type, *, but: frozenset[str] = frozenset()) -> None:
    """Hold every attribute of *given*, without those in *but*, against the default that a new one has.

    A subclass may have some of its own.
    """
    defaults = _defaults(kind)
    for attribute, value in vars(given).items():
        default = defaults.get(attribute, _NONE)
        if value is default or (value.__class__ is str and default.__class__ is str) or attribute in but:
            continue
        if default is not _NONE:
            _check_value(f"{name}.{attribute}", value, default, attribute)
        elif type(given) is kind and value and value not in _NOTHING and attribute not in _FORMER:
            why = f"would not be sent: ibapi's {kind.__name__} has no such attribute"
            raise refused(f"{name}.{attribute}", value, why)


def check_contract(name: str, contract: Contract) -> None:
    """Look at a contract and its parts.

    Raises:
      InvalidRequest: an attribute is of the wrong kind.
    """
    check_attributes(name, contract, Contract)
    for number, leg in numbered(f"{name}.comboLegs", contract.comboLegs):
        if not isinstance(leg, ComboLeg):
            raise refused(f"{name}.comboLegs[{number}]", leg, "is no ibapi ComboLeg")
        check_attributes(f"{name}.comboLegs[{number}]", leg, ComboLeg)
    part = contract.deltaNeutralContract
    if part is not None:
        if not isinstance(part, DeltaNeutralContract):
            raise refused(f"{name}.deltaNeutralContract", part, "is no ibapi DeltaNeutralContract")
        check_attributes(f"{name}.deltaNeutralContract", part, DeltaNeutralContract)


def _check_value(field: str, value: Any, default: Any, attribute: str) -> None:
    if attribute in _QUANTITIES:
        _check_quantity(field, value)
    elif isinstance(default, bool):
        _check_flag(field, value)
    elif isinstance(default, float) or attribute in _NUMBERS:
        check_number(field, value)
    elif isinstance(default, int):
        _check_integer(field, value)
    elif isinstance(default, str) and value.__class__ is not str:
        _check_text(field, value)


def _check_text(field: str, value: Any) -> None:
    if not isinstance(value, str):
        raise refused(field, value, "is no text")
    if str(value) != value:  # an Enum of texts, of which the text wire would get the name
        raise refused(field, value, f"is written as {str(value)!r}; give plain text")


def _check_flag(field: str, value: Any) -> None:
    if not isinstance(value, bool) and not (isinstance(value, int) and value in (0, 1)):
        raise refused(field, value, "is neither True nor False")


def _check_quantity(field: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise refused(field, value, "is no quantity; give a Decimal, an int or a float")
    finite = value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)
    if not finite or (value > _MOST and is_set(value)):
        raise refused(field, value, "is no quantity that exists")


def check_number(field: str, value: Any, *, kinds: tuple[type[Any], ...] = (int, float)) -> None:
    """Look at what is to be a number; raises ``InvalidRequest`` if it is none, or not finite."""
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise refused(field, value, "is no number that ibapi can send; give a float")
    if field == "order.competeAgainstBestOffset" and value == math.inf:  # ibapi's own mark for "up to the middle"
        return
    if not (value.is_finite() if isinstance(value, Decimal) else -UNSET_DOUBLE <= value <= UNSET_DOUBLE):
        raise refused(field, value, "is no finite number")


def _check_integer(field: str, value: Any) -> None:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise refused(field, value, "is no whole number")
    if not -(2**31) <= value < 2**31:
        raise refused(field, value, "does not fit into 32 bits")


_CHECKS: Mapping[type, Callable[[str, Any], None]] = {
    str: _check_text,
    bool: _check_flag,
    int: _check_integer,
    float: partial(check_number, kinds=(int, float, Decimal)),
    list: _check_options,
}
"""How an argument is looked at, by its annotation: ibapi annotates no list but those of options."""
