"""IB's names in Python's spelling."""

from __future__ import annotations

import re

__all__ = ["constant_name", "event_name", "function_name", "snake"]

_WHOLE_WORDS = {"PnL": "Pnl"}
"""Words that would fall apart at their capitals, and how they are spelt so that they do not."""

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """Return a parameter's or method's name in snake_case: ``unrealizedPNL`` is ``unrealized_pnl``.

    A trailing underscore (``open_``) is not part of the name: it keeps ibapi clear of a builtin.
    """
    name = name.rstrip("_")
    for word, spelling in _WHOLE_WORDS.items():
        name = name.replace(word, spelling)
    return _BOUNDARY.sub("_", name).lower()


def function_name(method: str) -> str:
    """Return the function's name for an EClient method: ``reqMktData`` is ``mkt_data``."""
    name = re.sub(r"^req(?=[A-Z])", "", method).removesuffix("ProtoBuf")
    return snake(name)


def constant_name(function: str) -> str:
    """Return the name of the row's constant: ``MKT_DATA``."""
    return function.upper()


def event_name(callback: str) -> str:
    """Return the event's name for an EWrapper callback: its first letter capital and nothing else changed."""
    return callback[:1].upper() + callback[1:]
