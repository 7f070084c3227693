"""Values as ibapi gives them, made plain: ``None`` for what TWS left unset, ``Decimal`` for sizes.

ibapi writes an unset value as the largest number of its type, and not the same one in every release.
"""

from __future__ import annotations

from decimal import Decimal

__all__ = ["integer", "is_unset", "number", "order_id", "size"]

UNSET_DOUBLE = 1.7976931348623157e308
UNSET_DECIMAL = Decimal(2**127 - 1)
UNSET_INTEGERS = (2**31 - 1, 2**63 - 1)


def number(value: float | None) -> float | None:
    """Return *value*, or ``None`` where it is unset or not finite: no price is NaN or infinite."""
    return value if value is not None and -UNSET_DOUBLE < value < UNSET_DOUBLE else None


def size(value: Decimal | float | None) -> Decimal | None:
    """Return *value* as a Decimal, or ``None`` where it is unset or not finite."""
    if isinstance(value, Decimal):
        return value if value.is_finite() and value != UNSET_DECIMAL else None
    known = number(value)
    return None if known is None or known in UNSET_INTEGERS else Decimal(str(known))


def is_unset(value: object) -> bool:
    """Return whether *value* is what ibapi writes for nothing, in one of its types and releases."""
    return value in (UNSET_DOUBLE, UNSET_DECIMAL, *UNSET_INTEGERS)


def order_id(value: int) -> int:
    """Return an id that IB writes as 0 where there is none, or 0 where it is unset."""
    return 0 if value in UNSET_INTEGERS else value


def integer(value: int | None) -> int | None:
    """Return *value*, or ``None`` where it is unset."""
    return None if value in UNSET_INTEGERS else value
