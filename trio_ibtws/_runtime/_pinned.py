"""Which functions of ibapi may be stood in for: those whose source is known to the letter.

A function that is written anew does what ibapi's own did when it was written. So it is used only beside the very
source that it was written beside, white space apart, and only after both made the same calls of a few messages. Where
another release has another source, ibapi's own function is used, which costs speed and nothing else.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from hashlib import sha256
from types import FunctionType
from typing import Any

__all__ = ["Heard", "Known", "is_known", "shown", "source_digest"]

_MOST = 4096


class Known(dict[Any, Any]):
    """What fields were converted to: the same few prices, sizes and names come again and again.

    It forgets all of them when it is full, so that it holds those of today.
    """

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, field: Any) -> Any:
        value = self._convert(field)
        if len(self) >= _MOST:
            self.clear()
        self[field] = value
        return value


def is_known(function: Any, digest: str) -> bool:
    """Whether *function* is written as the one that has this digest."""
    return isinstance(function, FunctionType) and source_digest(function) == digest


def source_digest(function: FunctionType) -> str:
    """Return a digest of a method's source without its white space; of nothing where the source is not there."""
    lines = linecache.getlines(function.__code__.co_filename)[function.__code__.co_firstlineno - 1 :]
    own = lines[:1]
    for line in lines[1:]:
        if line.strip() and not line.startswith("     "):  # no deeper than its ``def``
            break
        own.append(line)
    return sha256("".join("".join(own).split()).encode()).hexdigest()[:12]


class Heard:
    """A wrapper that keeps every call."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: self.calls.append((name, arguments))


def shown(value: Any) -> Any:
    """Return what tells *value* from another, to the last attribute and its type."""
    if isinstance(value, (list, tuple)):
        return [shown(each) for each in value]
    if hasattr(value, "__dict__"):
        return type(value), {name: shown(part) for name, part in vars(value).items()}
    return type(value), repr(value)
