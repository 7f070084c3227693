"""What cannot be sent is refused here, on both wires alike: text, and values that ask for something else.

ibapi refuses a NUL or a non-ASCII character on the text wire, but lets most of them through on the protobuf wire,
and names no field.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..errors import InvalidRequest
from ._request import Request

__all__ = ["check_elsewhere", "check_texts"]

_CONTROL = "\t\n\r"


def check_texts(arguments: Mapping[str, Any]) -> None:
    """Look into every string of *arguments*, and of the objects and lists in them.

    Raises:
      InvalidRequest: one of them has a character that TWS does not take; it names the argument and the attribute.
    """
    for name, value in arguments.items():
        _check(name, value)


def check_elsewhere(request: Request[Any], arguments: Mapping[str, Any]) -> None:
    """Refuse what TWS would answer with messages that *request* does not wait for.

    Raises:
      InvalidRequest: it names the function that asks for that.
    """
    for name, functions in request.elsewhere.items():
        value = arguments[name]
        function = functions.get(value.upper()) if isinstance(value, str) else None
        if function is not None:
            raise InvalidRequest(name, f"{value!r} is answered otherwise: use {function}(). Nothing was sent")


def _check(name: str, value: Any) -> None:
    if value.__class__ in _PLAIN:
        return
    if isinstance(value, str):
        _check_text(name, value)
    elif isinstance(value, (list, tuple)):
        for position, element in enumerate(value):
            _check(f"{name}[{position}]", element)
    elif hasattr(value, "ListFields"):
        _check_message(name, value)
    elif hasattr(value, "__dict__") and not callable(value):
        _check_object(name, value)


def _check_object(name: str, value: Any) -> None:
    for attribute, content in vars(value).items():
        if content.__class__ is str:
            if content and not (content.isascii() and content.isprintable()):
                _check_text(f"{name}.{attribute}", content)
        elif content.__class__ not in _PLAIN:
            _check(f"{name}.{attribute}", content)


def _check_message(name: str, message: Any) -> None:
    """Look into a protobuf message; of a map, into its values."""
    for field, content in message.ListFields():
        if hasattr(content, "items"):
            for key, element in content.items():
                _check(f"{name}.{field.name}", key)
                _check(f"{name}.{field.name}[{key!r}]", element)
        elif (
            hasattr(content, "__len__") and not isinstance(content, (str, bytes)) and not hasattr(content, "ListFields")
        ):
            _check(f"{name}.{field.name}", list(content))
        else:
            _check(f"{name}.{field.name}", content)


_PLAIN = frozenset({int, float, bool, Decimal, type(None)})


def _check_text(name: str, text: str) -> None:
    if text.isascii() and text.isprintable():
        return
    for character in text:
        if not (character.isascii() and (character.isprintable() or character in _CONTROL)):
            raise InvalidRequest(
                name, f"{text!r} has the character {character!r}; TWS takes printable ASCII only. Nothing was sent"
            )
