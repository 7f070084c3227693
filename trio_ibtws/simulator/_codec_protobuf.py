"""The protobuf wire: message values to ``ibapi.protobuf``'s messages and back, by the names of their fields.

No layout is written here. What fields there are is in the descriptors that the installed ibapi brings, what kind a
value is and what stands for it when it is absent is in the text tables, and which fields a gateway sets is in
``_presence``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import import_module
from typing import Any

from ._codec_answers import ANSWERS
from ._codec_fields import (
    UNSET_INTEGER,
    FieldError,
    Layout,
    Values,
    number_text,
    read_decimal,
    read_float,
    read_id,
    read_int,
    size_text,
)
from ._codec_orders import COMPLETED_ORDER, OPEN_ORDER
from ._codec_protobuf_names import FLAT, answer_class, request_class, value_name
from ._codec_protobuf_shapes import INWARDS, OUTWARDS
from ._codec_requests import REQUESTS
from ._codec_schema import Part, Schema, defaults_of, schema_of
from ._presence import presence_of

__all__ = ["decode", "encode", "wire_class"]

_UNSET_DOUBLE = 1.7976931348623157e308
_UNSET_LONG = 2**63 - 1
_EMPTY = Part("")
_MATURITY = "lastTradeDateOrContractMonth"  # which bonds have as a value of its own

Message = Any
"""A protobuf message; ibapi brings no types for them."""
Set = Callable[[Message, Values], None]
Get = Callable[[Message, Values], None]


@cache
def wire_class(name: str, *, request: bool = False) -> Any:
    """Return the protobuf class that carries a message, or ``None`` if it has none in the installed ibapi."""
    wire_name = request_class(name) if request else answer_class(name)
    try:
        return getattr(import_module(f"ibapi.protobuf.{wire_name}_pb2"), wire_name)
    except ModuleNotFoundError:
        return None


@cache
def _schema(name: str, *, request: bool) -> Schema:
    if request:
        return schema_of(next(layout for other, layout in REQUESTS.values() if other == name))
    layout: Layout = ANSWERS[name][1]
    if name == "completedOrder":  # in protobuf it has everything that an open order has
        layout = (*OPEN_ORDER, *COMPLETED_ORDER)
    schema = schema_of(layout)
    if name == "updatePortfolio":  # where text has the primary exchange
        schema["contract"].parts["exchange"] = Part("str", "")
    elif name == "scannerData":
        schema["elements"].parts["contract"].parts["primaryExchange"] = Part("str", "")
    return schema


def encode(name: str, values: Values, *, request: bool = False) -> bytes:
    """Return the serialised message that carries *values*."""
    message = wire_class(name, request=request)()
    _fill(message, values, _schema(name, request=request))
    return bytes(message.SerializeToString(deterministic=True))


def decode(name: str, body: bytes, *, request: bool = False) -> Values:
    """Return the values of a serialised message.

    Raises:
      FieldError: it is none, or a number in it is no number.
    """
    from google.protobuf.message import DecodeError

    message = wire_class(name, request=request)()
    try:
        message.ParseFromString(body)
    except DecodeError:
        raise FieldError("message", body[:20].hex()) from None
    schema = _schema(name, request=request)
    values = defaults_of(schema)
    return _take(message, values, schema)


# --- whole messages ----------------------------------------------------------------------------------------------


def _fill(message: Message, values: Values, schema: Schema) -> None:
    kind = message.DESCRIPTOR.name
    if kind in OUTWARDS:
        values = OUTWARDS[kind](values)
    for fill, _ in _fields(message.DESCRIPTOR, _Names(schema)):
        fill(message, values)


def _take(message: Message, values: Values, schema: Schema) -> Values:
    for _, take in _fields(message.DESCRIPTOR, _Names(schema)):
        take(message, values)
    shape = INWARDS.get(message.DESCRIPTOR.name)
    return values if shape is None else shape(values)


class _Names:
    """A schema that can be a key of a cache, by identity: all of them live as long as the process."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Names) and self.schema is other.schema


@cache
def _fields(descriptor: Any, names: _Names) -> list[tuple[Set, Get]]:
    """Return how each field of a type of message is set from values, and read into them."""
    return [_field(descriptor.name, field, names.schema) for field in descriptor.fields]


def _repeated(field: Any) -> bool:
    try:
        return bool(field.is_repeated)
    except AttributeError:  # before protobuf 6.31
        return bool(field.label == field.LABEL_REPEATED)


def _field(owner: str, field: Any, schema: Schema) -> tuple[Set, Get]:
    if f"{owner}.{field.name}" in FLAT:
        return _flat(field.name, schema)
    name = value_name(owner, field.name)
    part = schema.get(name, _EMPTY)
    if field.message_type is None:
        fill, take = _list(field, name) if _repeated(field) else _scalar(owner, field, name, part)
    elif field.message_type.GetOptions().map_entry:
        fill, take = _map(field.name, name, part)
    else:
        fill, take = (_rows if _repeated(field) else _nested)(field.name, name, part.parts)
    # of a contract a gateway tells in protobuf what it tells in text, so not the same in every message
    unsent = owner == "Contract" and bool(schema) and name not in {*schema, _MATURITY}
    return (_skip, take) if unsent else (fill, take)


# --- kinds of fields ---------------------------------------------------------------------------------------------


def _skip(_: Message, __: Values) -> None:
    """Set nothing."""


def _flat(field: str, schema: Schema) -> tuple[Set, Get]:
    def fill(message: Message, values: Values) -> None:
        _fill(getattr(message, field), values, schema)

    def take(message: Message, values: Values) -> None:
        if message.HasField(field):
            _take(getattr(message, field), values, schema)

    return fill, take


def _nested(field: str, name: str, schema: Schema) -> tuple[Set, Get]:
    def fill(message: Message, values: Values) -> None:
        if value := values.get(name):
            _fill(getattr(message, field), value, schema)

    def take(message: Message, values: Values) -> None:
        if message.HasField(field):
            values[name] = _take(getattr(message, field), defaults_of(schema), schema)

    return fill, take


def _rows(field: str, name: str, schema: Schema) -> tuple[Set, Get]:
    def fill(message: Message, values: Values) -> None:
        for row in values.get(name) or ():
            _fill(getattr(message, field).add(), row, schema)

    def take(message: Message, values: Values) -> None:
        if rows := getattr(message, field):
            values[name] = [_take(row, defaults_of(schema), schema) for row in rows]

    return fill, take


def _list(field: Any, name: str) -> tuple[Set, Get]:
    convert = _TO_WIRE[field.cpp_type]

    def fill(message: Message, values: Values) -> None:
        getattr(message, field.name).extend(convert(value) for value in values.get(name) or ())

    def take(message: Message, values: Values) -> None:
        if rows := getattr(message, field.name):
            values[name] = list(rows)

    return fill, take


def _map(field: str, name: str, part: Part) -> tuple[Set, Get]:
    """Tags and values: rows of them, or in requests one text like ``a=1;b=2;``."""
    as_text = part.kind in {"str", "text"}

    def fill(message: Message, values: Values) -> None:
        for tag, value in _pairs(values.get(name)):
            getattr(message, field)[tag] = value

    def take(message: Message, values: Values) -> None:
        pairs = sorted(getattr(message, field).items())
        if pairs and as_text:
            values[name] = "".join(f"{tag}={value};" for tag, value in pairs)
        elif pairs:
            values[name] = [{"tag": tag, "value": value} for tag, value in pairs]

    return fill, take


def _pairs(value: Any) -> Iterable[tuple[str, str]]:
    if isinstance(value, str):
        for pair in filter(None, value.split(";")):
            tag, _, rest = pair.partition("=")
            yield tag, rest
        return
    for row in value or ():
        yield str(row["tag"]), str(row["value"])


# --- single values -----------------------------------------------------------------------------------------------


def _text_to_wire(value: Any) -> str:
    if isinstance(value, str):
        return value
    return size_text(value) if isinstance(value, Decimal | int) else number_text(value)


_TO_WIRE: dict[int, Callable[[Any], Any]] = {  # by FieldDescriptor.CPPTYPE_…
    1: int,
    2: int,
    5: float,
    7: bool,
    9: _text_to_wire,
}


def _whole(value: Any) -> int | None:
    """Return a number as an integer, whatever the field's type is."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(value)
    return None if value == "" else read_int(str(int(value)))


_FROM_WIRE: dict[str, Callable[[Any], Any]] = {
    # by kind of the value; all others are taken as they are
    "str": lambda value: value if isinstance(value, str) else number_text(value),
    "text": lambda value: value if isinstance(value, str) else number_text(value),
    "int": _whole,
    "id": read_id,
    "long": int,
    "bool": bool,
    "float": read_float,
    "number": read_float,
    "price": read_float,
    "decimal": lambda value: read_decimal(str(value)),
    "size": lambda value: read_decimal(str(value)),
}


def _says_nothing(value: Any) -> bool:
    """Return whether a value is IB's way to say that there is none."""
    if value is None or value == "":
        return True
    if isinstance(value, float):
        return value >= _UNSET_DOUBLE
    return isinstance(value, int) and value in {UNSET_INTEGER, _UNSET_LONG}


def _scalar(owner: str, field: Any, name: str, part: Part) -> tuple[Set, Get]:
    presence = presence_of(owner)
    wire_name = field.name
    to_wire = _TO_WIRE[field.cpp_type]
    from_wire = _FROM_WIRE.get(part.kind, lambda value: value)
    zero_says_something = not presence.sparse or wire_name in presence.kept
    constant = presence.constants.get(wire_name, part.absent if wire_name in presence.kept else None)
    never = wire_name in presence.never

    def fill(message: Message, values: Values) -> None:
        value = values.get(name)
        if _says_nothing(value):
            value = constant
        if never or _says_nothing(value):
            return
        wired = to_wire(value)
        if not _says_nothing(wired) and (wired or zero_says_something):
            setattr(message, wire_name, wired)

    def take(message: Message, values: Values) -> None:
        if not message.HasField(wire_name):
            return
        try:
            values[name] = from_wire(getattr(message, wire_name))
        except (ValueError, InvalidOperation):
            raise FieldError(name, str(getattr(message, wire_name))) from None

    return fill, take
