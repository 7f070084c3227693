"""Frames of every message that the installed ibapi knows, and what is done to them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.samples import protobuf_ids, protobuf_samples, text_ids, text_samples

__all__ = ["REQUEST_IDS", "mutate", "seeds"]

REQUEST_IDS = (1_500_000_000, 1_500_000_001, 1_500_000_002)
"""The ids of requests that are open while the frames come, so that a frame may be somebody's."""

_NUMBERS = [b"", b"0", b"-1", b"nan", b"-inf", b"sNaN", b"1e400", b"1_000", b"1E+999999", b"abc", b"0x10", b"1.5"]
_NUMBERS += [b"2147483647", b"2147483648", b"9223372036854775807", b"1.7976931348623157E308", b"9" * 20, b"9" * 4301]
_TEXTS = [b"\\", b"\\u", b"\\x", b"\xff\xfe", b"caf\xc3\xa9", b"a\nb", b"\xe2\x80\xae", b"%s%n", b"A" * 5000]
_FIELDS = _NUMBERS + _TEXTS + [b"%d" % number for number in REQUEST_IDS] * 4

Mutation = Callable[[bytes, Random], bytes]


def seeds(version: int, *, every: int = 1) -> list[bytes]:
    """Return well-formed frames, without their lengths: of *every* so-manieth message that *version* has."""
    protobuf = version > 200
    ids, samples = (protobuf_ids(), protobuf_samples) if protobuf else (text_ids(), text_samples)
    return [body for message_id in ids[::every] for body, _ in samples(message_id, version)]


# --- text --------------------------------------------------------------------------------------------------------


def _one_field(body: bytes, random: Random) -> bytes:
    fields = body.split(b"\0")
    fields[random.randrange(len(fields))] = random.choice(_FIELDS)
    return b"\0".join(fields)


def _one_field_less(body: bytes, random: Random) -> bytes:
    fields = body.split(b"\0")
    del fields[random.randrange(len(fields))]
    return b"\0".join(fields)


def _one_field_more(body: bytes, random: Random) -> bytes:
    fields = body.split(b"\0")
    fields.insert(random.randrange(len(fields) + 1), random.choice(_FIELDS))
    return b"\0".join(fields)


def _own(body: bytes, random: Random) -> bytes:
    """Give the frame to one of the open requests."""
    fields = body.split(b"\0")
    fields[min(random.choice((1, 1, 2)), len(fields) - 1)] = b"%d" % random.choice(REQUEST_IDS)
    return b"\0".join(fields)


# --- protobuf ----------------------------------------------------------------------------------------------------


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _own_message(body: bytes, random: Random) -> bytes:
    """Give the message to one of the open requests: of a field that comes twice the last one holds."""
    number = b"\x08" + _varint(random.choice(REQUEST_IDS))
    return body[:4] + number + body[4:] + number


def _field_at_the_end(body: bytes, random: Random) -> bytes:
    """Add a field, known or unknown, of any wire type."""
    tag = _varint(random.randrange(1, 40) << 3 | random.randrange(8))
    value = random.choice(_FIELDS)
    return (
        body + tag + random.choice((_varint(len(value)) + value, _varint(random.getrandbits(63)), random.randbytes(8)))
    )


# --- both --------------------------------------------------------------------------------------------------------


def _flip(body: bytes, random: Random) -> bytes:
    damaged = bytearray(body)
    for _ in range(random.choice((1, 1, 2, 8))):
        if damaged:
            damaged[random.randrange(len(damaged))] = random.getrandbits(8)
    return bytes(damaged)


def _cut(body: bytes, random: Random) -> bytes:
    return body[: random.randrange(len(body) + 1)]


def _insert(body: bytes, random: Random) -> bytes:
    at = random.randrange(len(body) + 1)
    return body[:at] + random.randbytes(random.choice((1, 1, 2, 16))) + body[at:]


def _repeat(body: bytes, random: Random) -> bytes:
    at = random.randrange(len(body) + 1)
    return body[:at] + body[random.randrange(at + 1) :]


def _other_message(body: bytes, random: Random) -> bytes:
    """Say that it is another message."""
    if body[:1] == b"\0":
        return random.randrange(330).to_bytes(4, "big") + body[4:]
    return b"%d\0" % random.randrange(130) + body.partition(b"\0")[2]


_BOTH: list[Mutation] = [_flip, _cut, _insert, _repeat, _other_message]
_TEXT: list[Mutation] = [*_BOTH, _one_field, _one_field, _one_field, _one_field_less, _one_field_more, _own, _own]
_PROTOBUF: list[Mutation] = [*_BOTH, _own_message, _own_message, _own_message, _field_at_the_end, _field_at_the_end]


def mutate(body: bytes, random: Random) -> bytes:
    """Return *body* damaged in one to three ways."""
    kinds = _PROTOBUF if body[:1] == b"\0" and int.from_bytes(body[:4], "big") > 200 else _TEXT
    for _ in range(random.choice((1, 1, 2, 3))):
        body = random.choice(kinds)(body, random)
    return body
