"""Frames made by reflection: for every inbound message of the installed ibapi, with every field filled.

A text message says nowhere what its fields are, but the decoder does while it asks for them: a ``decode`` that makes
up a value of the type asked for, and remembers it, writes the message that the decoder reads. A protobuf message is
filled from its descriptor. Both are tried until ibapi itself can decode what came out.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from typing import Any

import ibapi.decoder
import ibapi.utils
from ibapi.decoder import Decoder

from tests.stock import Call, StockDecoder, recorder, stock_calls
from trio_ibtws._runtime._compat import interpret_takes_id

TABLES: Any = Decoder  # its tables differ between releases, and are keyed by an enum

SAMPLES = 6
TRIES = 400

_INTEGERS = (0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 12)
_FLOATS = ("0", "1.5", "-1", "100.25", "1.7976931348623157E308", "1e-7", "")
_SIZES = ("0", "100", "12.50", "", "9223372036854775807", "2147483647", "1E+3")
_TEXTS = ("", "7", "AAPL", "20240119", "20240119 16:00:00 US/Eastern", "a;b", "a:b", "caf\\u00e9", "caf\u00e9", "1.5")


def text_ids() -> list[int]:
    """Return the ids of the text messages that the installed ibapi decodes."""
    return sorted(int(message_id) for message_id in Decoder.msgId2handleInfo)


def protobuf_ids() -> list[int]:
    """Return the ids of its protobuf messages, without the 200 that is added on the wire."""
    return sorted(int(message_id) for message_id in getattr(Decoder, "msgId2handleInfoProtoBuf", {}))


# --- text --------------------------------------------------------------------------------------------------------


class _Writing:
    """Stands in for the iterator over the fields of a message: it makes them up."""

    def __init__(self, rng: random.Random, message_id: int) -> None:
        self.rng = rng
        self.fields: list[bytes] = []
        self._first = None if interpret_takes_id else b"%d" % message_id

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """A field that the decoder passes over."""
        return self.add(b"1")

    def add(self, field: bytes) -> bytes:
        if self._first is not None:
            field, self._first = self._first, None
        self.fields.append(field)
        return field

    def make(self, kind: Any, show_unset: bool) -> bytes:
        if kind is float:
            return self.rng.choice(_FLOATS).encode()
        if kind is Decimal:
            return self.rng.choice(_SIZES).encode()
        if kind in (int, bool):
            return b"" if show_unset and self.rng.random() < 0.3 else b"%d" % self._integer(kind)
        return self.rng.choice(_TEXTS).encode()

    def _integer(self, kind: Any) -> int:
        return self.rng.randint(0, 1) if kind is bool else self.rng.choice(_INTEGERS)


@contextmanager
def _made_up_fields() -> Iterator[None]:
    """Let ibapi's decoding functions write the message that they read."""
    stock = ibapi.utils.decode

    def decode(kind: Any, fields: Any, show_unset: bool = False, use_unicode: bool = False) -> Any:
        if not isinstance(fields, _Writing):
            return stock(kind, fields, show_unset)
        made = fields.add(fields.make(kind, show_unset))
        options = (show_unset, use_unicode) if interpret_takes_id else (show_unset,)
        return stock(kind, iter([made]), *options)

    modules = [
        module
        for name, module in sys.modules.items()
        if name.startswith("ibapi.") and getattr(module, "decode", None) is stock
    ]
    for module in modules:
        module.decode = decode  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module in modules:
            module.decode = stock  # type: ignore[attr-defined]


def _text_fields(message_id: int, version: int, rng: random.Random) -> list[bytes]:
    """Return the fields of a message after its id, made up as the decoder asks for them."""
    info: Any = TABLES.msgId2handleInfo[message_id]
    writing = _Writing(rng, message_id)
    if info.wrapperMeth is not None:
        kinds = [parameter.annotation for name, parameter in info.wrapperParams.items() if name != "self"]
        return [b"1", *(b"2" if kind is int else writing.make(kind, False) or b"0" for kind in kinds)]
    with _made_up_fields():
        info.processMeth(StockDecoder(recorder([]), version), writing)
    return writing.fields if interpret_takes_id else writing.fields[1:]


def text_frame(message_id: int, version: int, rng: random.Random) -> bytes:
    """Return a text message without its length."""
    body = b"".join(field + b"\0" for field in _text_fields(message_id, version, rng))
    return (b"%d\0" % message_id if version < 201 else message_id.to_bytes(4, "big")) + body


# --- protobuf ----------------------------------------------------------------------------------------------------


def message_class(message_id: int) -> Any:
    """Return the protobuf message that ibapi's decoder parses for an id."""
    function = TABLES.msgId2handleInfoProtoBuf[message_id].processMeth
    for name in function.__code__.co_names:
        kind = getattr(ibapi.decoder, name, None)
        if hasattr(kind, "DESCRIPTOR") and hasattr(kind, "ParseFromString"):
            return kind
    raise LookupError(f"{function.__name__} parses no message")


def fill(message: Any, rng: random.Random, texts: Callable[[], str], present: float = 1.0, depth: int = 0) -> Any:
    """Fill the fields of *message*, each with the probability *present*, and return it."""
    for field in message.DESCRIPTOR.fields:
        if rng.random() > present or depth > 5:
            continue
        repeated = field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _fill_map(getattr(message, field.name), field.message_type.fields_by_name, rng, texts)
        elif field.message_type is not None:
            parts = [getattr(message, field.name).add() for _ in range(2)] if repeated else []
            for part in parts or [getattr(message, field.name)]:
                part.SetInParent()
                fill(part, rng, texts, present, depth + 1)
        elif repeated:
            getattr(message, field.name).extend(_scalar(field, rng, texts) for _ in range(2))
        else:
            setattr(message, field.name, _scalar(field, rng, texts))
    return message


def _fill_map(target: Any, parts: Any, rng: random.Random, texts: Callable[[], str]) -> None:
    for number in range(2):
        key = str(number) if parts["key"].type == parts["key"].TYPE_STRING else number
        if parts["value"].message_type is not None:
            fill(target[key], rng, texts)
        else:
            target[key] = _scalar(parts["value"], rng, texts)


def _scalar(field: Any, rng: random.Random, texts: Callable[[], str]) -> Any:
    if field.type == field.TYPE_STRING:
        return texts()
    if field.type == field.TYPE_BOOL:
        return rng.random() < 0.5
    if field.type in (field.TYPE_DOUBLE, field.TYPE_FLOAT):
        return float(rng.choice(_FLOATS[:-1]))
    if field.type == field.TYPE_BYTES:
        return b"bytes"
    return rng.choice(_INTEGERS)


def protobuf_frame(message_id: int, rng: random.Random) -> bytes:
    """Return a protobuf message without its length; all fields, or some, with texts that may be numbers."""
    numeric = rng.random() < 0.6
    texts = (lambda: rng.choice(("7", "12", "100"))) if numeric else (lambda: rng.choice(_TEXTS))
    message = fill(message_class(message_id)(), rng, texts, rng.choice((1.0, 1.0, 0.8, 0.4)))
    return (message_id + 200).to_bytes(4, "big") + bytes(message.SerializeToString())


# --- what ibapi can decode ---------------------------------------------------------------------------------------


def decodable(make: Callable[[random.Random], bytes], version: int, seed: int) -> list[tuple[bytes, list[Call]]]:
    """Return frames that stock ibapi decodes at *version*, with its calls."""
    rng = random.Random(seed)
    found: list[tuple[bytes, list[Call]]] = []
    for _ in range(TRIES):
        if len(found) == SAMPLES:
            break
        try:
            body = make(rng)
            found.append((body, stock_calls(body, version)))
        except Exception:  # what is made up need not make sense to ibapi; the next one may
            continue
    return found


@cache
def text_samples(message_id: int, version: int) -> list[tuple[bytes, list[Call]]]:
    """Return text messages of one kind, each with stock ibapi's calls."""
    return decodable(lambda rng: text_frame(message_id, version, rng), version, message_id * 1000 + version)


@cache
def protobuf_samples(message_id: int, version: int) -> list[tuple[bytes, list[Call]]]:
    """Return protobuf messages of one kind, each with stock ibapi's calls."""
    return decodable(lambda rng: protobuf_frame(message_id, rng), version, message_id)
