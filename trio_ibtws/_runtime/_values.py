"""Values as ibapi gives them, made plain: ``None`` for what TWS left unset, ``Decimal`` for sizes.

ibapi writes an unset value as the largest number of its type, and not the same one in every release.
"""

from __future__ import annotations

from decimal import Decimal

__all__ = ["integer", "number", "size"]

UNSET_DOUBLE = 1.7976931348623157e308
UNSET_DECIMAL = Decimal(2**127 - 1)
UNSET_INTEGERS = (2**31 - 1, 2**63 - 1)


def number(value: float | None) -> float | None:
    """Return *value*, or ``None`` where it is unset or not a number."""
    return None if value is None or value == UNSET_DOUBLE or value != value else value


def size(value: Decimal | float | None) -> Decimal | None:
    """Return *value* as a Decimal, or ``None`` where it is unset or not a number."""
    if isinstance(value, Decimal):
        return None if value.is_nan() or value == UNSET_DECIMAL else value
    known = number(value)
    return None if known is None or known in UNSET_INTEGERS else Decimal(str(known))


def integer(value: int | None) -> int | None:
    """Return *value*, or ``None`` where it is unset."""
    return None if value in UNSET_INTEGERS else value
