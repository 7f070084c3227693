"""The scalars that GraphQL does not have: ``DateTime``, ``Decimal``, ``JSON`` and ``Long``.

Each takes values from variables (``coerce_input``) and from the text of a query (``parse_literal``, of Tartiflette's
or graphql-core's nodes alike) and makes them plain for an answer (``coerce_output``). What it does not take raises
``ValueError``, whose text is for the one who asks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

__all__ = ["SCALARS", "DateTimeScalar", "DecimalScalar", "JSONScalar", "LongScalar"]

_MOST_DIGITS = 40
"""A number with more digits before or after the point is none of a market, and costs time to write."""

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


class DecimalScalar:
    """A number in decimals; text in answers, text or a number in arguments."""

    def coerce_output(self, value: Any) -> str:
        """Return the number as text, without an exponent."""
        return format(Decimal(value), "f")

    def coerce_input(self, value: Any) -> Decimal:
        """Return the number that a JSON value is."""
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValueError(f"{_shown(value)} is no number")
        return self._parse(str(value))

    def parse_literal(self, ast: Any) -> Decimal:
        """Return the number in a query: ``1.5`` and ``"1.5"``."""
        return self._parse(_literal(ast, "StringValueNode", "IntValueNode", "FloatValueNode"))

    def _parse(self, text: str) -> Decimal:
        try:
            number = Decimal(text) if len(text) <= 2 * _MOST_DIGITS else Decimal("NaN")
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or abs(number.adjusted()) >= _MOST_DIGITS:
            raise ValueError(f"{_shown(text)} is no number of at most {_MOST_DIGITS} digits")
        return number


class LongScalar:
    """A whole number of up to 64 bits."""

    def coerce_output(self, value: Any) -> int:
        """Return the number."""
        return int(value)

    def coerce_input(self, value: Any) -> int:
        """Return the number that a JSON value is."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"{_shown(value)} is no whole number")
        if not _LOWEST <= value <= _HIGHEST:
            raise ValueError(f"{_shown(value)} has more than 64 bits")
        return value

    def parse_literal(self, ast: Any) -> int:
        """Return the number in a query."""
        text = _literal(ast, "IntValueNode")
        if len(text) > _MOST_DIGITS:
            raise ValueError(f"{_shown(text)} has more than 64 bits")
        return self.coerce_input(int(text))


class DateTimeScalar:
    """A moment, in ISO 8601 with a time zone."""

    def coerce_output(self, value: Any) -> str:
        """Return the moment in UTC, to the millisecond."""
        assert isinstance(value, datetime)
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def coerce_input(self, value: Any) -> datetime:
        """Return the moment that a JSON value is."""
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise ValueError(f"{_shown(value)} is no moment; it is written as 2024-01-31T16:00:00Z") from None
        if moment.tzinfo is None:
            raise ValueError(f"{_shown(value)} has no time zone; for UTC add a Z")
        return moment

    def parse_literal(self, ast: Any) -> datetime:
        """Return the moment in a query."""
        return self.coerce_input(_literal(ast, "StringValueNode"))


class JSONScalar:
    """Any JSON value."""

    def coerce_output(self, value: Any) -> Any:
        """Return what JSON can say: null for what is not finite, text for keys."""
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if isinstance(value, Mapping):
            return {str(key): self.coerce_output(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.coerce_output(each) for each in value]
        return value if isinstance(value, (str, int, bool, type(None))) else str(value)

    def coerce_input(self, value: Any) -> Any:
        """Return the value."""
        return value

    def parse_literal(self, ast: Any) -> Any:
        """Return the value in a query; it has no variables in it, they are sent as a whole."""
        kind = type(ast).__name__
        if kind == "ObjectValueNode":
            return {field.name.value: self.parse_literal(field.value) for field in ast.fields}
        if kind == "ListValueNode":
            return [self.parse_literal(each) for each in ast.values]
        if kind == "NullValueNode":
            return None
        if kind == "BooleanValueNode":
            return bool(ast.value)
        if kind == "IntValueNode":
            return self._whole(_literal(ast, kind))
        if kind == "FloatValueNode":
            return self._real(_literal(ast, kind))
        return _literal(ast, "StringValueNode", "EnumValueNode")

    def _whole(self, text: str) -> int:
        if len(text) > _MOST_DIGITS:
            raise ValueError(f"{_shown(text)} has more than {_MOST_DIGITS} digits")
        return int(text)

    def _real(self, text: str) -> float:
        number = float(text)
        if not math.isfinite(number):
            raise ValueError(f"{_shown(text)} is too large")
        return number


SCALARS: Mapping[str, Any] = {
    "DateTime": DateTimeScalar(),
    "Decimal": DecimalScalar(),
    "JSON": JSONScalar(),
    "Long": LongScalar(),
}
"""The scalars by their names in the schema."""


def _literal(ast: Any, *kinds: str) -> str:
    """Return the text of a node of one of these kinds."""
    if type(ast).__name__ not in kinds:
        raise ValueError(f"it is no {' or '.join(kind.removesuffix('ValueNode').lower() for kind in kinds)}")
    return str(ast.value)


def _shown(value: Any) -> str:
    """Return what was given, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
