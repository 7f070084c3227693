"""Messages to bytes and bytes to messages: the only module that knows how a message looks on the wire.

The rest of the simulator speaks ``Message``: IB's name of it, and a dict of values. What the client's server version
makes of it is decided here: text, from the tables in ``_codec_answers``, ``_codec_requests`` and ``_codec_orders``, or
protobuf, from the classes that the installed ibapi brings. From server version 201 on a frame starts with a message id
of four bytes, to which 200 is added for protobuf; those that are served here are all protobuf, but for the few messages
that have no such form.
"""

from __future__ import annotations

import msgspec

from .._runtime._compat import PROTOBUF_ID, RAW_ID_SERVER_VERSION
from . import _codec_protobuf
from ._codec_answers import ANSWERS
from ._codec_answers import PROTOBUF_ONLY as ANSWERS_WITHOUT_TEXT
from ._codec_fields import FieldError, Layout, Values, read, write
from ._codec_requests import PROTOBUF_ONLY as REQUESTS_WITHOUT_TEXT
from ._codec_requests import REQUESTS

__all__ = [
    "FieldError",
    "Message",
    "UnknownMessage",
    "decode_answer",
    "decode_request",
    "encode_answer",
    "parts_of",
]

_HISTORICAL_DATA_END_SINCE = 196


class Message(msgspec.Struct, frozen=True):
    """One message: the name of its ``EClient`` method or ``EWrapper`` callback, and its values by IB's names."""

    name: str
    values: Values


class UnknownMessage(Exception):
    """A frame starts with no message id that TWS knows."""


_ANSWERS_BY_NUMBER = {number: (name, layout) for name, (number, layout) in ANSWERS.items()}
_TEXT_ANSWERS = {number: row for number, row in _ANSWERS_BY_NUMBER.items() if row[0] not in ANSWERS_WITHOUT_TEXT}
_TEXT_REQUESTS = {number: row for number, row in REQUESTS.items() if number not in REQUESTS_WITHOUT_TEXT}

_Rows = dict[int, tuple[str, Layout]]


# --- writing -----------------------------------------------------------------------------------------------------


def encode_answer(message: Message, version: int) -> bytes:
    """Return the body of the frame that carries *message* to a client at server *version*.

    Raises:
      KeyError: there is no such message at that version.
    """
    number, layout = ANSWERS[message.name]
    if version >= RAW_ID_SERVER_VERSION:
        if _codec_protobuf.wire_class(message.name) is not None:
            body = _codec_protobuf.encode(message.name, message.values)
            return (number + PROTOBUF_ID).to_bytes(4, "big") + body
        return number.to_bytes(4, "big") + _text(layout, message.values, version, [])
    if message.name in ANSWERS_WITHOUT_TEXT:
        raise KeyError(message.name)
    return _text(layout, message.values, version, [str(number)])


def parts_of(message: Message, version: int) -> list[Message]:
    """Return the messages as which *message* is sent at server *version*: one, or two where newer versions have two."""
    if message.name == "historicalData" and version >= _HISTORICAL_DATA_END_SINCE:
        return [message, Message("historicalDataEnd", message.values)]
    return [message]


def _text(layout: Layout, values: Values, version: int, out: list[str]) -> bytes:
    write(layout, values, values, version, out)
    out.append("")
    return "\0".join(out).encode("utf-8")


# --- reading -----------------------------------------------------------------------------------------------------


def decode_request(body: bytes, version: int) -> Message:
    """Read what a client at server *version* sent.

    Raises:
      UnknownMessage: it starts with no message id that TWS knows.
      FieldError: a field is missing, or no value of its kind.
    """
    rows = REQUESTS if version >= RAW_ID_SERVER_VERSION else _TEXT_REQUESTS
    return _decode(body, version, rows, request=True)


def decode_answer(body: bytes, version: int) -> Message:
    """Read what the simulator, or a gateway, sent: for tests and tools.

    Raises:
      UnknownMessage: it starts with no message id of the tables.
      FieldError: a field is missing, or no value of its kind.
    """
    rows = _ANSWERS_BY_NUMBER if version >= RAW_ID_SERVER_VERSION else _TEXT_ANSWERS
    return _decode(body, version, rows, request=False)


def _decode(body: bytes, version: int, rows: _Rows, *, request: bool) -> Message:
    number, rest = _split_id(body, version)
    is_protobuf = number > PROTOBUF_ID
    if is_protobuf:
        number -= PROTOBUF_ID
    if number not in rows:
        raise UnknownMessage(str(number))
    name, layout = rows[number]
    has_protobuf = version >= RAW_ID_SERVER_VERSION and _codec_protobuf.wire_class(name, request=request) is not None
    if is_protobuf != has_protobuf:
        raise UnknownMessage(str(number))
    values: Values = {}
    try:
        if is_protobuf:
            values = _codec_protobuf.decode(name, rest, request=request)
        else:
            read(layout, iter(_texts(rest)), values, values, version)
    except FieldError as error:
        error.add_note(f"in {name}")
        error.values = error.values or values
        raise
    return Message(name, values)


def _split_id(body: bytes, version: int) -> tuple[int, bytes]:
    """Return the message id and what follows it."""
    if version >= RAW_ID_SERVER_VERSION:
        if len(body) < 4:
            raise UnknownMessage(body.hex())
        return int.from_bytes(body[:4], "big"), body[4:]
    number, _, rest = body.partition(b"\0")
    if not number.isdigit() or len(number) > 9:
        raise UnknownMessage(number.decode("utf-8", "backslashreplace"))
    if int(number) > PROTOBUF_ID:
        raise UnknownMessage(str(int(number)))
    return int(number), rest


def _texts(body: bytes) -> list[str]:
    return body.decode("utf-8", "backslashreplace").removesuffix("\0").split("\0") if body else []
