"""The parts that a message layout is made of, each of which can write itself to text fields and read itself back.

A layout is a tuple of items. Most are fields, noted in one line of text::

    fields("#6 reqId:id tickType:int price:float size:size sizeMinTick:size=1@163@<164")

``#6`` is a constant; ``name:kind`` a field (``str`` when no kind is given); ``=text`` what is sent when the value is
absent; ``@163`` from which server version the field exists and ``@<164`` from which it is gone. The rest are
``Group`` (fields of a nested value), ``Repeat`` (a count, then that many), ``Optional`` (a flag, then perhaps fields)
and ``When`` (fields that depend on other values).

Values are plain ``dict``s with IB's own names, nested where the protobuf messages nest, so that the code that makes
them knows nothing about text or protobuf. ``None`` is "not set".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

__all__ = [
    "Field",
    "FieldError",
    "Group",
    "Item",
    "Last",
    "Late",
    "Layout",
    "Optional",
    "Repeat",
    "Values",
    "When",
    "fields",
    "number_text",
    "read_decimal",
    "read_float",
    "read_id",
    "read_int",
    "size_text",
]

Values = dict[str, Any]

UNSET_INTEGER = 2**31 - 1
UNSET_DOUBLE_TEXT = "1.7976931348623157E308"
_UNSET_DOUBLE = 1.7976931348623157e308
_MOST = Decimal(10) ** 15  # more of anything is a mistake, and makes sums of money that are not exact
_PLACES = 16
_WHOLE_SIZES_BELOW = 163  # sizes have been decimal numbers since FRACTIONAL_SIZE_SUPPORT
_ESCAPES_SINCE = 153  # texts are ASCII with \uXXXX escapes since ENCODE_MSG_ASCII7


class FieldError(Exception):
    """A field of a request could not be read."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"cannot read {name} from {text!r}")
        self.name = name
        self.text = text
        self.values: Values = {}  # what had been read before it


class Item(Protocol):
    """One part of a layout."""

    def write(self, scope: Values, root: Values, version: int, out: list[str]) -> None:
        """Append the fields of *scope* that this part is about."""

    def read(self, source: Iterator[str], scope: Values, root: Values, version: int) -> None:
        """Take this part's fields from *source* and put their values into *scope*."""


Layout = tuple[Item, ...]


def _write_float(value: Any, _: int) -> str:
    if value >= _UNSET_DOUBLE:
        return UNSET_DOUBLE_TEXT
    text = repr(float(value))
    return f"{value:.10f}".rstrip("0") if "e-" in text else text


def _write_number(value: Any, version: int) -> str:
    return _write_float(value, version).removesuffix(".0")


def _write_price(value: Any, version: int) -> str:
    whole, _, part = _write_float(value, version).partition(".")
    return f"{whole}.{part:0<2}"


def _write_int(value: Any, _: int) -> str:
    return str(int(value))


def _write_decimal(value: Any, _: int) -> str:
    text = format(Decimal(value), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _write_size(value: Any, version: int) -> str:
    return str(int(value)) if version < _WHOLE_SIZES_BELOW else _write_decimal(value, version)


def number_text(value: Any) -> str:
    """Return a number as text, as a gateway writes it where it has no fixed number of places."""
    return _write_number(value, 0)


def size_text(value: Any) -> str:
    """Return an exact number as text."""
    return _write_decimal(value, 0)


def _escape(character: str) -> str:
    if ord(character) < 128:
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _write_text(value: Any, version: int) -> str:
    text = str(value).replace("\0", " ")
    return "".join(map(_escape, text)) if version >= _ESCAPES_SINCE else text


def _write_str(value: Any, _: int) -> str:
    return str(value)


def read_id(text: str) -> int:
    """Read an integer of 32 bits, as ids and most numbers are.

    Raises:
      ValueError: it is none, or has more.
    """
    value = int(text)
    if not -UNSET_INTEGER - 1 <= value <= UNSET_INTEGER:
        raise ValueError(text)
    return value


def read_int(text: str) -> int | None:
    """Read an integer of 32 bits that may be unset.

    Raises:
      ValueError: it is none, or has more.
    """
    value = read_id(text) if text else None
    return None if value == UNSET_INTEGER else value


def _read_long(text: str) -> int | None:
    return int(text) if text else None


def read_float(text: str | float) -> float | None:
    """Read a number that may be unset, which infinity is as well.

    Raises:
      ValueError: it is none.
    """
    if text == "":
        return None
    value = float(text)
    if math.isnan(value):
        raise ValueError(text)
    return None if abs(value) >= _UNSET_DOUBLE else value


def read_decimal(text: str) -> Decimal | None:
    """Read a quantity that may be unset.

    Raises:
      ValueError: it is no number, or one that nobody can mean.
      InvalidOperation: it is no number.
    """
    if not text or text in {str(UNSET_INTEGER), str(2**63 - 1), str(-(2**63))}:
        return None
    value = Decimal(text)
    if value.is_finite() and abs(value) >= Decimal(_UNSET_DOUBLE):
        return None
    if not value.is_finite() or abs(value) >= _MOST or value.as_tuple().exponent < -_PLACES:  # type: ignore[operator]
        raise ValueError(text)
    return value


def _read_bool(text: str) -> bool:
    return bool(read_id(text or "0"))


_KINDS: dict[str, tuple[Callable[[Any, int], str], Callable[[str], Any], str]] = {
    # kind: how it is written, how it is read, and what is sent for None
    "str": (_write_str, str, ""),
    "text": (_write_text, str, ""),
    "id": (_write_int, read_id, "0"),
    "int": (_write_int, read_int, "0"),
    "long": (_write_int, _read_long, "0"),
    "bool": (_write_int, _read_bool, "0"),
    "float": (_write_float, read_float, "0.0"),
    "number": (_write_number, read_float, "0"),
    "price": (_write_price, read_float, "0.0"),
    "decimal": (_write_decimal, read_decimal, "0"),
    "size": (_write_size, read_decimal, "0"),
}


class Field:
    """One value."""

    def __init__(
        self, name: str, kind: str = "str", absent: str | None = None, since: int = 0, below: int = 2**31
    ) -> None:
        self.name = name
        self.kind = kind
        self._write, self._read, default = _KINDS[kind]
        self._absent = default if absent is None else absent
        self._since = since
        self._below = below

    @property
    def absent(self) -> Any:
        """The value that is read when the field is not set."""
        return self._read(self._absent)

    def write(self, scope: Values, root: Values, version: int, out: list[str]) -> None:
        """Append the value, or what stands for its absence."""
        if self._since <= version < self._below:
            value = scope.get(self.name)
            out.append(self._absent if value is None or value == "" else self._write(value, version))

    def read(self, source: Iterator[str], scope: Values, root: Values, version: int) -> None:
        """Take the value.

        Raises:
          FieldError: there is none left, or it is no value of this kind.
        """
        if not self._since <= version < self._below:
            return
        text = next(source, None)
        if text is None:
            raise FieldError(self.name, "")
        try:
            scope[self.name] = self._read(text)
        except (ValueError, InvalidOperation):
            raise FieldError(self.name, text) from None


class Last(Field):
    """The last text of a message, in front of which some releases of ibapi write a count and some do not."""

    def read(self, source: Iterator[str], scope: Values, root: Values, version: int) -> None:
        """Take the value, and the count if there is one."""
        super().read(iter(list(source)[-1:]), scope, root, version)


class Late(Field):
    """A last value that old clients do not send."""

    def read(self, source: Iterator[str], scope: Values, root: Values, version: int) -> None:
        """Take the value, or what stands for its absence."""
        super().read(iter([next(source, self._absent)]), scope, root, version)


class _Constant:
    def __init__(self, text: str, since: int = 0, below: int = 2**31) -> None:
        self._text = text
        self._since = since
        self._below = below

    def write(self, scope: Values, root: Values, version: int, out: list[str]) -> None:
        if self._since <= version < self._below:
            out.append(self._text)

    def read(self, source: Iterator[str], scope: Values, root: Values, version: int) -> None:
        if self._since <= version < self._below and next(source, None) is None:
            raise FieldError("version", "")


class Group:
    """Fields that belong to a nested value; a layout may come back to the same group later."""

    def __init__(self, name: str, *items: Item) -> None:
        self.name = name
        self.items = items

    def write(self, scope: Values, root: Values, version: int, out: list[str]) -> None:
        """Append the fields of the nested value."""
        write(self.items, scope.get(self.name) or {}, root, version, out)

    def read(self, source: Iterator[str], scope: Values, root: Values, version: int) -> None:
        """Take the fields of the nested value."""
        read(self.items, source, scope.setdefault(self.name, {}), root, version)


class Repeat:
    """A count, then that many nested values; with ``plain`` they are single values and no dicts."""

    _MOST = 100_000  # a count that no request has: it is a mistake in the frame, not a size to allocate

    def __init__(self, name: str, *items: Item, plain: bool = False) -> None:
        self.name = name
        self.items = items
        self.plain = plain

    def write(self, scope: Values, root: Values, version: int, out: list[str]) -> None:
        """Append the count and the fields of each."""
        rows = scope.get(self.name) or ()
        out.append(str(len(rows)))
        for row in rows:
            write(self.items, {"value": row} if self.plain else row, root, version, out)

    def read(self, source: Iterator[str], scope: Values, root: Values, version: int) -> None:
        """Take as many nested values as the count says."""
        text = next(source, "")
        if not text.isdigit() or int(text) > self._MOST:
            raise FieldError(self.name, text)
        rows: list[Any] = []
        for _ in range(int(text)):
            row: Values = {}
            read(self.items, source, row, root, version)
            rows.append(row["value"] if self.plain else row)
        scope[self.name] = rows


class Optional:
    """A flag, and the fields of a nested value when it is set."""

    def __init__(self, name: str, *items: Item) -> None:
        self.name = name
        self.items = items

    def write(self, scope: Values, root: Values, version: int, out: list[str]) -> None:
        """Append the flag and perhaps the fields."""
        value = scope.get(self.name)
        out.append("1" if value else "0")
        if value:
            write(self.items, value, root, version, out)

    def read(self, source: Iterator[str], scope: Values, root: Values, version: int) -> None:
        """Take the flag and perhaps the fields."""
        flag: Values = {}
        Field("flag", "bool").read(source, flag, root, version)
        if flag["flag"]:
            read(self.items, source, scope.setdefault(self.name, {}), root, version)


class When:
    """Items that are there only if the values read or written so far say so."""

    def __init__(self, test: Callable[[Values, Values], bool], *items: Item, since: int = 0) -> None:
        self._test = test
        self.items = items
        self._since = since

    def write(self, scope: Values, root: Values, version: int, out: list[str]) -> None:
        """Append the items if the test holds."""
        if version >= self._since and self._test(scope, root):
            write(self.items, scope, root, version, out)

    def read(self, source: Iterator[str], scope: Values, root: Values, version: int) -> None:
        """Take the items if the test holds."""
        if version >= self._since and self._test(scope, root):
            read(self.items, source, scope, root, version)


def write(items: Layout, scope: Values, root: Values, version: int, out: list[str]) -> None:
    """Append the fields of every item."""
    for item in items:
        item.write(scope, root, version, out)


def read(items: Layout, source: Iterator[str], scope: Values, root: Values, version: int) -> None:
    """Take the fields of every item."""
    for item in items:
        item.read(source, scope, root, version)


_NOTE = re.compile(r"(#?)([\w.]+)(?::(\w+))?(?:=([^@]*))?(?:@(\d+))?(?:@<(\d+))?")


def _item(note: str) -> Item:
    match = _NOTE.fullmatch(note)
    if match is None:
        raise ValueError(f"no field can be made of {note!r}")
    constant, name, kind, absent, since, below = match.groups()
    gate = (int(since or 0), int(below or 2**31))
    if constant:
        return _Constant(name, *gate)
    return Field(name, kind or "str", absent, *gate)


def fields(notes: str) -> Layout:
    """Make the fields that *notes* names, as the module's docstring says."""
    return tuple(map(_item, notes.split()))
