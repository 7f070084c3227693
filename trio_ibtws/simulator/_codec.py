"""Messages to bytes and bytes to messages: the only module that knows how a message looks on the wire.

The rest of the simulator speaks ``Message``: IB's name of it, and a dict of values. What the client's server version
makes of it is decided here, from the tables in ``_codec_answers``, ``_codec_requests`` and ``_codec_orders``.
"""

from __future__ import annotations

import msgspec

from ._codec_answers import ANSWERS
from ._codec_fields import FieldError, Values, read, write
from ._codec_requests import PROTOBUF_ONLY, REQUESTS

__all__ = ["FieldError", "Message", "UnknownMessage", "decode_answer", "decode_request", "encode_answer"]

_ANSWER_NAMES = {number: name for name, (number, _) in ANSWERS.items()}


class Message(msgspec.Struct, frozen=True):
    """One message: the name of its ``EClient`` method or ``EWrapper`` callback, and its values by IB's names."""

    name: str
    values: Values


class UnknownMessage(Exception):
    """A frame starts with no message id that TWS knows."""


def encode_answer(message: Message, version: int) -> bytes:
    """Return the body of the frame that carries *message* to a client at server *version*."""
    number, layout = ANSWERS[message.name]
    out = [str(number)]
    write(layout, message.values, message.values, version, out)
    out.append("")
    return "\0".join(out).encode("utf-8")


def _split(body: bytes) -> list[str]:
    return body.decode("utf-8", "backslashreplace").removesuffix("\0").split("\0")


def decode_request(body: bytes, version: int) -> Message:
    """Read what a client at server *version* sent.

    Raises:
      UnknownMessage: it starts with no message id that TWS knows.
      FieldError: a field is missing, or no value of its kind.
    """
    number, *texts = _split(body)
    if not number.isdigit() or int(number) not in REQUESTS or int(number) in PROTOBUF_ONLY:
        raise UnknownMessage(number)
    name, layout = REQUESTS[int(number)]
    values: Values = {}
    try:
        read(layout, iter(texts), values, values, version)
    except FieldError as error:
        error.add_note(f"in {name}")
        error.values = values
        raise
    return Message(name, values)


def decode_answer(body: bytes, version: int) -> Message:
    """Read what the simulator, or a gateway, sent: for tests and tools.

    Raises:
      UnknownMessage: it starts with no message id of the tables.
      FieldError: a field is missing, or no value of its kind.
    """
    number, *texts = _split(body)
    if not number.isdigit() or int(number) not in _ANSWER_NAMES:
        raise UnknownMessage(number)
    name = _ANSWER_NAMES[int(number)]
    values: Values = {}
    read(ANSWERS[name][1], iter(texts), values, values, version)
    return Message(name, values)
