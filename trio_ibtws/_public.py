"""What is public gets its public address, so that tracebacks, pickles and documentation show it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_type_hints

import msgspec

__all__ = ["publish"]


def publish(address: str, values: Iterable[Any]) -> None:
    """Give *values* the module name *address*.

    The names in a struct's annotations are those of the module it was written in. They are looked up before the struct
    leaves it: msgspec, ``inspect`` and Sphinx would look in the new one.
    """
    for value in values:
        if isinstance(value, type) and issubclass(value, msgspec.Struct):
            _resolve(value)
        value.__module__ = address


def _resolve(struct: type[msgspec.Struct]) -> None:
    try:
        hints = get_type_hints(struct)
    except NameError:  # an event with a class of ibapi's that some release has not
        return
    struct.__annotations__ = {name: hints[name] for name in vars(struct).get("__annotations__", {})}
