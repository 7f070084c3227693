"""The bytes of the benchmarks: what the server sends, and what it has to understand of the requests.

A request says in its symbol what it wants: ``FLOOD1000`` is 1 000 messages as fast as they go, ``RATE500X1000`` as
many at 500 a second, ``QUIET`` nothing, ``SPREAD50X1000`` 1 000 messages over all lines that are open, 50 of one line
in a row, and ``BARS5000`` an answer of 5 000 bars. So every client asks with its own encoder.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from importlib import import_module
from typing import Any

from ibapi.server_versions import MAX_CLIENT_VER

TEXT, PROTOBUF = 176, max(213, min(MAX_CLIENT_VER, 226))
_PROTOBUF_ID = 200
_COMMAND = re.compile(rb"(QUIET|FLOOD|RATE|SPREAD|BARS)(\d*)X?(\d*)")
_FIRST_RAW_ID = 201

# Requests: where their id stands among the fields of the text message.
MKT_DATA, MKT_DEPTH, HISTORY, CURRENT_TIME, POSITIONS, START_API = 1, 10, 20, 49, 61, 71
HEAD_TIMESTAMP, TICK_BY_TICK = 87, 97
_ID_FIELD = {MKT_DATA: 2, MKT_DEPTH: 2, HISTORY: 1, HEAD_TIMESTAMP: 1, TICK_BY_TICK: 1}

KINDS = {"tick": TICK_BY_TICK, "price": MKT_DATA, "depth": MKT_DEPTH}
"""The streams that are measured, by the request that opens them."""


def frame(body: bytes) -> bytes:
    return struct.pack("!I", len(body)) + body


# --- requests ----------------------------------------------------------------------------------------------------


def parse(body: bytes, version: int) -> tuple[int, int, str, int, int]:
    """Return message id, request id, command and its two numbers (0 where it has none)."""
    found = _COMMAND.search(body)
    command = (found[1].decode(), int(found[2] or 0), int(found[3] or 0)) if found else ("", 0, 0)
    if version >= _FIRST_RAW_ID:
        message_id = int.from_bytes(body[:4], "big") - _PROTOBUF_ID
        return message_id, _first_varint(body[5:]) if body[4:5] == b"\x08" else 0, *command
    fields = body.split(b"\0")
    message_id = int(fields[0])
    return message_id, int(fields[_ID_FIELD[message_id]]) if message_id in _ID_FIELD else 0, *command


def _first_varint(data: bytes) -> int:
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    return value


TICK_BYTES = 56
"""The length of a tick-by-tick message of ``messages``, its header included."""


# --- answers -----------------------------------------------------------------------------------------------------


def _text(*fields: object) -> bytes:
    return frame(b"".join(str(field).encode() + b"\0" for field in fields))


def _protobuf(message_id: int, name: str, **fields: Any) -> bytes:
    message = getattr(import_module(f"ibapi.protobuf.{name}_pb2"), name)(**fields)
    return frame((message_id + _PROTOBUF_ID).to_bytes(4, "big") + message.SerializeToString())


def hello(version: int) -> bytes:
    return frame(b"%d\0" % version + b"20240102 09:30:00 EST\0")


def start(version: int) -> bytes:
    if version >= _FIRST_RAW_ID:
        return _protobuf(15, "ManagedAccounts", accountsList="DU1") + _protobuf(9, "NextValidId", orderId=1)
    return _text(15, 1, "DU1") + _text(9, 1, 1)


def current_time(version: int) -> bytes:
    if version >= _FIRST_RAW_ID:
        return _protobuf(49, "CurrentTime", currentTime=1704205800)
    return _text(49, 1, 1704205800)


def positions_end() -> bytes:
    return _text(62, 1)


def head_timestamp(version: int, request_id: int) -> bytes:
    if version >= _FIRST_RAW_ID:
        return _protobuf(88, "HeadTimestamp", reqId=request_id, headTimestamp="1704205800")
    return _text(88, request_id, "1704205800")


Maker = Callable[[int, int, float], bytes]
"""Makes the frame of one message from a request id, a number that varies it, and a price."""


def _tick_text(request_id: int, number: int, price: float) -> bytes:
    return _text(99, request_id, 1, 1704205800 + number, f"{price:.6f}", 100 + number % 9, 0, "NASDAQ", "")


def _price_text(request_id: int, number: int, price: float) -> bytes:
    return _text(1, 6, request_id, 1 + number % 2, f"{price:.6f}", 100 + number % 9, 1)


def _depth_text(request_id: int, number: int, price: float) -> bytes:
    return _text(12, 1, request_id, number % 5, 1, number % 2, f"{price:.6f}", 100 + number % 9)


def _tick_protobuf(request_id: int, number: int, price: float) -> bytes:
    tick = {
        "time": 1704205800 + number,
        "price": price,
        "size": str(100 + number % 9),
        "exchange": "NASDAQ",
        "specialConditions": "",
        "tickAttribLast": {"pastLimit": False, "unreported": False},
    }
    return _protobuf(99, "TickByTickData", reqId=request_id, tickType=1, historicalTickLast=tick)


def _price_protobuf(request_id: int, number: int, price: float) -> bytes:
    size = str(100 + number % 9)
    return _protobuf(1, "TickPrice", reqId=request_id, tickType=1 + number % 2, price=price, size=size, attrMask=1)


def _depth_protobuf(request_id: int, number: int, price: float) -> bytes:
    row = {"position": number % 5, "operation": 1, "side": number % 2, "price": price, "size": str(100 + number % 9)}
    return _protobuf(12, "MarketDepth", reqId=request_id, marketDepthData=row)


_MAKERS: dict[tuple[int, bool], Maker] = {
    (TICK_BY_TICK, False): _tick_text,
    (MKT_DATA, False): _price_text,
    (MKT_DEPTH, False): _depth_text,
    (TICK_BY_TICK, True): _tick_protobuf,
    (MKT_DATA, True): _price_protobuf,
    (MKT_DEPTH, True): _depth_protobuf,
}


def maker(message_id: int, version: int) -> Maker:
    """Return what makes the messages that answer this request."""
    return _MAKERS[message_id, version >= _FIRST_RAW_ID]


def messages(make: Maker, request_id: int, count: int) -> list[bytes]:
    """Return *count* messages of one line, none like the next."""
    return [make(request_id, number, 100 + number % 1000 / 100) for number in range(count)]


def bars(version: int, request_id: int, count: int) -> bytes:
    """Return an answer to a request for historical data."""
    rows = [
        (1704205800 + 60 * n, 100.0 + n, 101.25 + n, 99.5 + n, 100.75 + n, 1000 + n, 100.5 + n, n) for n in range(count)
    ]
    if version < _FIRST_RAW_ID:
        return _text(17, request_id, "20240102", "20240103", count, *[field for row in rows for field in row])
    names = ("date", "open", "high", "low", "close", "volume", "WAP", "barCount")
    texts = ("date", "volume", "WAP")
    parts = [
        {name: str(value) if name in texts else value for name, value in zip(names, row, strict=True)} for row in rows
    ]
    end = _protobuf(108, "HistoricalDataEnd", reqId=request_id, startDateStr="20240102", endDateStr="20240103")
    return _protobuf(17, "HistoricalData", reqId=request_id, historicalDataBars=parts) + end
