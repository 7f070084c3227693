"""What the simulator sends beside what gateways sent: the same fields, of the same types, there and not there alike.

The recordings are other people's and stay where they are: ``TRIO_IBTWS_WIRE_CORPUS`` names the folder.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from tests.simulator.bit_of_everything import long_tail, session
from tests.simulator.stock import PROTOBUF_VERSIONS
from trio_ibtws.simulator._codec import decode_answer, decode_request, encode_answer
from trio_ibtws.simulator._codec_answers import ANSWERS
from trio_ibtws.simulator._codec_protobuf import wire_class
from trio_ibtws.simulator._presence import presence_of

FOLDER = os.environ.get("TRIO_IBTWS_WIRE_CORPUS", "")
ON_TRIO = pytest.mark.parametrize("anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})])

needs_corpus = pytest.mark.recorded
needs_protobuf = pytest.mark.speaks(213)


@cache
def rows(direction: str, encoding: str) -> list[dict[str, Any]]:
    """Return the recorded frames of one kind, none without a folder."""
    if not FOLDER:
        return []
    lines = (Path(FOLDER) / "vectors.jsonl").read_text().splitlines()
    every = [json.loads(line) for line in lines]
    return [row for row in every if (row["direction"], row["encoding"]) == (direction, encoding)]


# --- recorded frames -----------------------------------------------------------------------------------------------


@needs_corpus
@needs_protobuf
def test_recorded_answers_are_read_and_written_byte_for_byte() -> None:
    checked = 0
    for row in rows("in", "protobuf"):
        body = bytes.fromhex(row["hex"])
        assert encode_answer(decode_answer(body, PROTOBUF_VERSIONS[0]), PROTOBUF_VERSIONS[0]) == body, row["id"]
        checked += 1
    assert checked > 100


@needs_corpus
@needs_protobuf
def test_recorded_requests_are_read() -> None:
    checked = 0
    for row in rows("out", "protobuf"):
        request = decode_request(bytes.fromhex(row["hex"]), PROTOBUF_VERSIONS[0])
        if "reqId" in request.values and row["msg_id"] != 21:
            assert request.values["reqId"] >= 0
        checked += 1
    assert checked > 60


@needs_protobuf
def test_the_table_names_fields_that_there_are() -> None:
    from trio_ibtws.simulator._presence import _PRESENCE

    for name in _PRESENCE:
        module = __import__(f"ibapi.protobuf.{name}_pb2", fromlist=[name])
        fields = set(getattr(module, name).DESCRIPTOR.fields_by_name)
        presence = presence_of(name)
        newer = {"lastPricePrecision", "lastSizePrecision", "minAlgoSize", "seekPriceImprovement"}
        assert presence.kept | presence.never <= fields | newer


# --- a session's fields ----------------------------------------------------------------------------------------------

DIFFERENT: dict[str, tuple[set[str], set[str]]] = {
    # every recorded frame is of an account in HKD
    "AccountUpdateMulti": ({"currency"}, set()),
    # the recorded frame is the account's own number, which has no currency
    "AccountValue": (set(), {"currency"}),
    # echoed at the whim of the recorded orders: outside regular hours, with a stop price that a gateway made up
    "CompletedOrder": ({"order.outsideRth", "order.trailStopPrice"}, set()),
    # every recorded order had a reference
    "OpenOrder": ({"order.orderRef"}, set()),
    # every recorded line was of a stock, and an option's or a currency's has none
    "TickReqParams": ({"bboExchange"}, set()),
    # the recorded position had not been traded that day
    "PnLSingle": (set(), {"realizedPnL"}),
}
"""Where the fields differ: those that a gateway always sets and the simulator does not, and the other way round."""


def paths(message: Any, prefix: str = "") -> Iterator[str]:
    """Yield the dotted name of every field that is set, once."""
    seen: dict[str, None] = {}
    for field, value in message.ListFields():
        name = prefix + field.name
        seen[name] = None
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for part in value if not hasattr(value, "ListFields") else [value]:
            seen |= dict.fromkeys(paths(part, f"{name}."))
    yield from seen


class Habits:
    """Which fields are set in messages of one type, and how often."""

    def __init__(self) -> None:
        self.messages = 0
        self.fields: Counter[str] = Counter()

    def add(self, message: Any) -> None:
        self.messages += 1
        self.fields.update(paths(message))

    @property
    def always(self) -> set[str]:
        return {name for name, times in self.fields.items() if times == self.messages}


def habits(bodies: list[bytes]) -> dict[str, Habits]:
    """Return the habits of whoever sent these frames, by type of message."""
    names = {number: name for name, (number, _) in ANSWERS.items()}
    found: dict[str, Habits] = defaultdict(Habits)
    for body in bodies:
        cls = wire_class(names[int.from_bytes(body[:4], "big") - 200])
        message = cls()
        message.ParseFromString(body[4:])
        found[cls.DESCRIPTOR.name].add(message)
    return found


@needs_corpus
@needs_protobuf
@pytest.mark.anyio
@ON_TRIO
async def test_the_fields_of_a_session_are_a_gateways() -> None:
    gateway = habits([bytes.fromhex(row["hex"]) for row in rows("in", "protobuf")])
    ours = habits(await session(PROTOBUF_VERSIONS[0]) + await long_tail(PROTOBUF_VERSIONS[0]))
    found = {}
    for name in sorted(gateway.keys() & ours.keys()):
        missing = gateway[name].always - ours[name].always
        added = ours[name].fields.keys() - gateway[name].fields.keys()
        if missing or added:
            found[name] = (missing, added)
    assert gateway.keys() - ours.keys() == set()
    assert found == DIFFERENT


# --- a session's fields, in text -----------------------------------------------------------------------------------

TEXT_VERSION = 176
LISTS = {"17": "bars", "20": "elements", "85": "newsProviders", "96": "ticks", "97": "ticks", "98": "ticks"}
"""Messages with lists in them, whose number of fields says nothing: their rows are compared instead."""

DIFFERENT_TEXT: dict[tuple[str, int], str] = {
    ("5", 22): "no recorded order had a reference",
    ("88", 1): "the recorded question was for seconds since 1970",
    ("5", 103): "the recorded questions what an order costs give a range of commissions, and no order was filled",
}
"""By message id and place of the field: why what the simulator sends there is of no recorded kind."""


def kind(text: str) -> str:
    if not text:
        return "nothing"
    try:
        float(text)
    except ValueError:
        return "text"
    return "number"


def flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the dotted name of every value, and of what kind it is."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, kind("" if value is None else str(value))


def row_kinds(number: str, fields: list[str], version: int) -> set[tuple[str, str]]:
    body = "\0".join([number, *fields, ""]).encode()
    rows = decode_answer(body, version).values[LISTS[number]]
    return {each for row in rows for each in flat(row)}


async def text_sessions() -> list[list[str]]:
    bodies = await session(TEXT_VERSION) + await long_tail(TEXT_VERSION)
    return [body.decode().split("\0")[:-1] for body in bodies]


def recorded_texts() -> dict[str, list[tuple[int, list[str]]]]:
    found: dict[str, list[tuple[int, list[str]]]] = defaultdict(list)
    for row in rows("in", "text"):
        if row["server_version"] in {173, TEXT_VERSION}:
            found[row["fields"][0]].append((row["server_version"], row["fields"][1:]))
    return found


@needs_corpus
@pytest.mark.speaks(TEXT_VERSION)
@pytest.mark.anyio
@ON_TRIO
async def test_the_text_fields_of_a_session_are_a_gateways() -> None:
    recorded = recorded_texts()
    found, compared = set(), set()
    for number, *fields in await text_sessions():
        if number in LISTS or number not in recorded:
            continue
        alike = [frame for _, frame in recorded[number] if len(frame) == len(fields)]
        assert alike, (number, len(fields), {len(frame) for _, frame in recorded[number]})
        compared.add(number)
        for at, text in enumerate(fields):
            if kind(text) not in {kind(each[at]) for each in alike}:
                found.add((number, at))
    assert compared == recorded.keys() - LISTS.keys()
    assert found == set(DIFFERENT_TEXT)


@needs_corpus
@pytest.mark.speaks(TEXT_VERSION)
@pytest.mark.anyio
@ON_TRIO
async def test_the_rows_of_lists_in_text_are_a_gateways() -> None:
    recorded = recorded_texts()
    ours: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for number, *fields in await text_sessions():
        if number in LISTS:
            ours[number] |= row_kinds(number, fields, TEXT_VERSION)
    found = {}
    for number in LISTS.keys() & recorded.keys():
        theirs = set().union(*(row_kinds(number, fields, version) for version, fields in recorded[number]))
        if ours[number] - theirs:
            found[number] = ours[number] - theirs
    assert found == {}
