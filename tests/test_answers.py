"""Every row's answer, through a real client: what the peer sends is what the call returns, of the type it promises.

The frames are the sample frames of the callbacks that the table names for a row, with the request's own id put in;
what must come out is what stock ibapi's callbacks get of the very same frames.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

import anyio
import pytest

from generator.model import Row
from generator.spec import TABLE
from tests.peer import Peer, connected, protobuf, text
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
from tests.stock import Call, Ours, expected, same, shown, stock_calls
from tests.test_round_trip import argument, arguments
from trio_ibtws import Client, EndOfSnapshot, OrderStatus, UnsupportedRequest
from trio_ibtws._gen import events
from trio_ibtws._runtime import _events
from trio_ibtws._runtime._compat import MAX_CLIENT_VERSION
from trio_ibtws._runtime._framing import frame
from trio_ibtws._runtime._orders import join_commissions, join_open_orders

VERSIONS = [version for version in (157, 176, 226) if version <= MAX_CLIENT_VERSION]
FIRST_ID = 1_500_000_000
RENAMED = {"commissionReport": "commissionAndFeesReport"}
TICK_BY_TICK = 99

NO_PROTOBUF = {"tickEFP", "deltaNeutralValidation"}
"""Callbacks for which ibapi decodes no protobuf message."""

JOINS = {"open_orders": join_open_orders, "all_open_orders": join_open_orders, "executions": join_commissions}


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


def promised(constant: str) -> str:
    """Return the types that a function's annotation names, unions spelled out."""
    annotation = str(inspect.signature(getattr(Client, constant.lower())).return_annotation)
    for word in re.findall(r"\w+Event\b", annotation):
        alias = getattr(events, word, None) or getattr(_events, word)
        annotation += str(alias)
    return annotation


def keeps_promise(constant: str, values: list[Any]) -> bool:
    names = set(re.findall(r"\w+", promised(constant))) | {"EndOfSnapshot"}
    return all({kind.__name__ for kind in type(value).__mro__} & names or "Message" in names for value in values)


async def answer(peer: Peer, frames: list[bytes]) -> None:
    """Take the request, and send the answer."""
    await peer.receive_frame()
    await peer.send(*frames)


CASES = [(name, version) for name in QUERIES for version in VERSIONS if supported(name, version)]


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "version"), CASES)
async def test_a_query_returns_what_was_sent(name: str, version: int) -> None:
    told = script(name, version)
    assert set(told.missing) <= (NO_PROTOBUF if version >= 213 else set()), f"no frame for {told.missing}"
    async with (
        connected(version, trading=True) as (client, peer),
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(answer, peer, told.frames)
        with anyio.fail_after(5):
            got = await getattr(client, name.lower())(*call_arguments(name, told.told))
    if shape(name) == "one":
        assert same(got, told.items[0]), (shown(got), shown(told.items[0]))
        assert keeps_promise(name, [got])
        return
    wanted = JOINS.get(name.lower(), list)(told.items)
    assert same(list(got), wanted), (shown(list(got)), shown(wanted))
    assert same(getattr(got, "end", None), told.end)
    assert wanted
    assert keeps_promise(name, list(got))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "version"), [(name, version) for name in STREAMS for version in VERSIONS if supported(name, version)]
)
async def test_a_stream_yields_what_was_sent(name: str, version: int) -> None:
    told, row = script(name, version), row_of(name)
    assert set(told.missing) <= (NO_PROTOBUF if version >= 213 else set()), f"no frame for {told.missing}"
    wanted = [told.items] if row.batches else told.streamed
    async with connected(version, trading=True) as (client, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(answer, peer, told.frames)
        async with getattr(client, name.lower())(*call_arguments(name, told.told)) as stream:
            with anyio.fail_after(5):
                got = [await stream.receive() for _ in wanted]
    assert same(got, wanted), (shown(got), shown(wanted))
    assert wanted
    assert keeps_promise(name, got[0] if row.batches else got)


@pytest.mark.anyio
@pytest.mark.parametrize("name", SENDS)
async def test_a_request_without_an_answer_is_sent(name: str) -> None:
    version = VERSIONS[-1]
    request = table()[name]
    given = arguments(request)
    async with connected(version, trading=True) as (client, peer):
        getattr(client, name.lower())(*call_arguments(name, []))
        with anyio.fail_after(5):
            assert await peer.receive_frame() == Ours(version).bridge.encode(request, given)[4:]


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "version"), [(name, version) for name in PLACES for version in VERSIONS])
async def test_an_order_hears_its_status(name: str, version: int) -> None:
    if version >= 213:
        amounts = {"filled": "2", "remaining": "0", "avgFillPrice": 1.5}
        sent = protobuf(3, "OrderStatus", orderId=1, clientId=0, status="Filled", **amounts)
    else:
        sent = text(3, 1, "Filled", 2, 0, 1.5, 0, 0, 0, 0, "", 0)
    async with connected(version, trading=True) as (client, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(answer, peer, [sent])
        async with getattr(client, name.lower())(*call_arguments(name, [])) as stream:
            with anyio.fail_after(5):
                event = await stream.receive()
    assert isinstance(event, OrderStatus)
    assert (event.order_id, event.status, event.avg_fill_price) == (1, "Filled", 1.5)
    assert event.filled == Decimal(2)


def test_every_row_is_tried() -> None:
    rest = set(table()) - set(QUERIES) - set(STREAMS) - set(SENDS) - set(PLACES)
    assert rest == {"UPDATE_DISPLAY_GROUP"}  # a method of subscribe_to_group_events' stream
