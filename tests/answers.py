"""What a peer answers to each row of the table, made of sample frames with the request's own id put in."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from generator.model import Row
from generator.spec import TABLE
from tests.read_back import table
from tests.samples import (
    decodable,
    message_class,
    protobuf_frame,
    protobuf_ids,
    protobuf_samples,
    text_frame,
    text_ids,
    text_samples,
)
from tests.stock import Call, Ours, expected, same, stock_calls
from tests.test_round_trip import argument, arguments
from trio_ibtws import Client, EndOfSnapshot, UnsupportedRequest
from trio_ibtws._runtime._compat import MAX_CLIENT_VERSION
from trio_ibtws._runtime._framing import frame

VERSIONS = [version for version in (157, 176, 226) if version <= MAX_CLIENT_VERSION]
FIRST_ID = 1_500_000_000
RENAMED = {"commissionReport": "commissionAndFeesReport"}
TICK_BY_TICK = 99

NO_PROTOBUF = {"tickEFP", "deltaNeutralValidation"}
"""Callbacks for which ibapi decodes no protobuf message."""


def shape(constant: str) -> str:
    """Return which of the runtime's calls a row's function is made of."""
    source = inspect.getsource(getattr(Client, constant.lower())) if hasattr(Client, constant.lower()) else ""
    found = re.search(r"self\._calls\.(\w+)", source)
    return found.group(1) if found else ""


def row_of(constant: str) -> Row:
    """Return the row of the table that a generated constant comes from."""
    request = table()[constant]
    rows = [row for family in TABLE.families for row in family.rows if row.method == request.method]
    named = [row for row in rows if row.name == constant.lower()]
    unnamed = [row for row in rows if not row.name]
    streams = [row for row in rows if (row.pattern == "stream") == shape(constant).startswith("subscribe")]
    return (named or [row for row in unnamed if row in streams] or rows)[0]


QUERIES = [name for name in sorted(table()) if shape(name) in ("one", "collect")]
STREAMS = [name for name in sorted(table()) if shape(name).startswith("subscribe")]
SENDS = [name for name in sorted(table()) if shape(name) in ("send", "cancel_order")]
PLACES = [name for name in sorted(table()) if shape(name) == "place"]


# --- frames for a callback ---------------------------------------------------------------------------------------


@cache
def frames_of(version: int) -> dict[str, list[tuple[bytes, list[Call]]]]:
    """Return, by callback, the sample frames that call it."""
    found: dict[str, list[tuple[bytes, list[Call]]]] = {}
    samples = [text_samples(each, version) for each in text_ids()] if version < 213 else []
    samples += [protobuf_samples(each, version) for each in protobuf_ids()] if version >= 213 else []
    samples += [_more_ticks(version, seed) for seed in range(24)]
    for body, calls in (sample for each in samples for sample in each):
        for name in {RENAMED.get(name, name) for name, _ in calls}:
            found.setdefault(name, []).append((body, calls))
    return found


def _more_ticks(version: int, seed: int) -> list[tuple[bytes, list[Call]]]:
    """Tick by tick is one message with a callback for each kind: it takes more of them to have all."""
    if version < 213:
        return decodable(lambda rng: text_frame(TICK_BY_TICK, version, rng), version, seed)
    return decodable(lambda rng: protobuf_frame(TICK_BY_TICK, rng), version, seed)


def with_id(body: bytes, calls: list[Call], version: int, request_id: int) -> bytes | None:
    """Return *body* with *request_id* in place of its own, ``None`` where it cannot be told where that stands."""
    wanted = [_with_key(call, request_id) for call in expected(calls)]
    if version >= 213:
        made = next(iter(_replaced(body, version, request_id)), None)
        told = expected(stock_calls(made, version)) if made is not None else []
        return made if told and all(arguments[0] == request_id for _, arguments in told) else None
    for made in _replaced(body, version, request_id):
        try:
            if same(expected(stock_calls(made, version)), wanted):
                return made
        except Exception:  # it was another field
            continue
    return None


def _with_key(call: Call, request_id: int) -> Call:
    name, arguments = call
    return name, (request_id, *arguments[1:])


def _replaced(body: bytes, version: int, request_id: int) -> list[bytes]:
    if version < 213:
        fields = body.split(b"\0")
        return [
            b"\0".join([*fields[:place], b"%d" % request_id, *fields[place + 1 :]])
            for place in range(1, min(len(fields), 6))
        ]
    message = message_class(int.from_bytes(body[:4], "big") - 200)()
    message.ParseFromString(body[4:])
    if "reqId" not in {field.name for field in message.DESCRIPTOR.fields}:
        return []
    message.reqId = request_id
    return [body[:4] + message.SerializeToString()]


# --- one row -----------------------------------------------------------------------------------------------------


class Script:
    """What a peer answers to one row, and what that must come to."""

    def __init__(self, row: Row, version: int, *, by_id: bool) -> None:
        self.row = row
        self.version = version
        self.by_id = by_id
        self.frames: list[bytes] = []
        self.told: list[Call] = []
        self.missing: list[str] = []
        for name in row.items:
            if name == "commissionAndFeesReport":  # it names its execution only: see test_orders
                continue
            self._add(name, self._is_item)
        if row.end is not None and not any(name == "end" for name, _ in self.told):
            self._add(row.end, lambda told: True)

    def _is_item(self, told: list[Call]) -> bool:
        """Whether a frame is one answer: no end of a list that is to go on, or the end where that is the only way."""
        if self.row.done is not None:
            is_last = self.row.items[-1] in self._adding
            return len(told) == 1 and bool(told[0][1][2]) == is_last
        return bool(told) and all(name != "end" or self.row.end == self._adding for name, _ in told)

    def _add(self, name: str, fits: Callable[[list[Call]], bool]) -> None:
        self._adding = name
        candidates = frames_of(self.version).get(name, [])
        for strict in (True, False):
            for body, calls in candidates:
                made = with_id(body, calls, self.version, FIRST_ID) if self.by_id else body
                told = expected(stock_calls(made, self.version)) if made is not None else []
                if made is not None and told and (fits(told) if strict else self.row.done is None):
                    self.frames.append(frame(made))
                    self.told += told
                    return
        self.missing.append(name)

    @property
    def streamed(self) -> list[Any]:
        """Return the events of a stream: an end marker is one in band."""
        found: list[Any] = []
        for name, told in self.told:
            if name == "end":
                found.append(EndOfSnapshot())
            elif name == "items":
                found += told[1]
            else:
                found.append(told[-1])
        return found

    @property
    def items(self) -> list[Any]:
        """Return the events that the answer holds."""
        return [event for event in self.streamed if not isinstance(event, EndOfSnapshot)]

    @property
    def end(self) -> Any:
        return next((arguments[1] for name, arguments in self.told if name == "end" and len(arguments) > 1), None)


@cache
def script(constant: str, version: int) -> Script:
    return Script(row_of(constant), version, by_id=table()[constant].by_request_id)


def call_arguments(constant: str, told: list[Call]) -> list[Any]:
    """Return the arguments of the client's function; a value that the answer echoes is the answer's."""
    request = table()[constant]
    names = [name for name in request.parameters if name != request.key and name not in request.constants]
    values = {name: argument(request.method, name) for name in names if not name.endswith("Proto")}
    if request.echo is not None:
        values[request.echo] = told[0][1][0][1]
    if request.message is not None and names:
        values[names[0]] = argument(request.method, names[0])
    return [values[name] for name in names]


def supported(constant: str, version: int) -> bool:
    """Whether the installed release and this server have the request; ``test_round_trip`` tries those that do not."""
    request = table()[constant]
    given = arguments(request)
    try:
        Ours(version).bridge.encode(request, given, FIRST_ID if request.by_request_id else None)
    except UnsupportedRequest:
        return False
    return True
