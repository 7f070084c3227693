"""What is public gets its public address, so that tracebacks, pickles and documentation show it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, get_type_hints

import msgspec
from ibapi import common, contract, execution, order, order_state

__all__ = ["publish"]

_NOUNS = (common, contract, execution, order, order_state)


def publish(address: str, values: Iterable[Any]) -> None:
    """Give *values* the module name *address*.

    The names in a struct's annotations are those of the module it was written in. They are looked up before the struct
    leaves it: msgspec, ``inspect``, ``help()`` and Sphinx would look in the new one. What that module imports for type
    checkers only is one of ibapi's nouns, or is published with it.
    """
    public = list(values)
    names: dict[str, Any] = {"Decimal": Decimal}
    for module in _NOUNS:
        names |= {name: noun for name, noun in vars(module).items() if isinstance(noun, type)}
    names |= {value.__name__: value for value in public if isinstance(value, type)}
    for value in public:
        if isinstance(value, type) and issubclass(value, msgspec.Struct):
            _resolve(value, names)
        value.__module__ = address


def _resolve(struct: type[msgspec.Struct], names: dict[str, Any]) -> None:
    try:
        hints = get_type_hints(struct, localns=names)
    except NameError as unknown:  # a class of ibapi's that this release has not
        names[str(unknown.name)] = Any
        return _resolve(struct, names)
    struct.__annotations__ = {name: hints[name] for name in vars(struct).get("__annotations__", {})}
    return None
