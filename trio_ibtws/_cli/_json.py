"""JSON for scripts: our structs and ibapi's objects under IB's names in snake_case.

Unset values are ``null``. Decimals are numbers with every digit that TWS sent: who must not lose any reads them as
decimals. One document for a query, one object a line for a stream, in which ``event`` names the kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from .._runtime._values import integer, number, size

__all__ = ["document", "line", "plain", "write"]

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_RENAMED = {"average": "wap"}  # of bars, before ibapi 10
_UNSET_TEXT = "1.7976931348623157E308"  # in margins, which are text
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def write(rows: Iterable[Any]) -> None:
    """Print *rows* as one JSON document: an array, one row a line."""
    print(document(rows), flush=True)


def document(rows: Iterable[Any]) -> str:
    """Return *rows* as a JSON array, one row a line."""
    lines = ",\n".join(_encoded(plain(row)) for row in rows)
    return f"[\n{lines}\n]" if lines else "[]"


def line(event: Any) -> str:
    """Return an event of a stream as a JSON object on one line."""
    return _encoded({"event": type(event).__name__, **plain(event)})


def _encoded(value: Any) -> str:
    return _ENCODER.encode(value).decode()


def plain(value: Any) -> Any:
    """Return *value* as dicts, lists and scalars."""
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(plain(each) for each in value)
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, Enum):
        return value.name
    if hasattr(value, "__dict__"):  # one of ibapi's nouns
        return {_name(name): plain(each) for name, each in vars(value).items()}
    return _scalar(value)


def _name(attribute: str) -> str:
    name = _BOUNDARY.sub("_", attribute).lower()
    return _RENAMED.get(name, name)


def _scalar(value: Any) -> Any:
    if isinstance(value, Decimal):
        return size(value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return integer(value)
    if isinstance(value, str):
        return None if value == _UNSET_TEXT else value
    return value if value is None or isinstance(value, bool) else str(value)
