"""Recorded frames of real gateways, through our session: the callbacks and values of what ibapi makes of them.

The recordings are other people's and stay where they are: ``TRIO_IBTWS_WIRE_CORPUS`` names the folder, which holds
``vectors.jsonl``, ``decoded.jsonl`` and ``sessions/``.
"""

from __future__ import annotations

import inspect
import json
import os
from decimal import Decimal
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ibapi.wrapper import EWrapper

from tests.read_back import arguments_of, message_type, methods_by_id, row_for, text_arguments
from tests.stock import Ours, difference, expected, stock_calls
from trio_ibtws._runtime._compat import MAX_CLIENT_VERSION

FOLDER = os.environ.get("TRIO_IBTWS_WIRE_CORPUS", "")

pytestmark = pytest.mark.recorded

RELEASES = {157: "9.81.1", 176: "10.19.4n", 187: "10.30.1n", 203: "10.37.2n", 225: "10.46.1n", 226: "10.51.1"}
"""How ``decoded.jsonl`` calls the release that speaks up to a version."""

Row = dict[str, Any]


@cache
def rows(name: str) -> list[Row]:
    """Return the rows of a file of the corpus, none without one."""
    if not FOLDER:
        return []
    return [json.loads(line) for line in (Path(FOLDER) / name).read_text().splitlines()]


def body_of(row: Row) -> bytes:
    """Return a recorded frame without its length."""
    if "hex" in row:
        return bytes.fromhex(row["hex"])
    fields = [field.encode() + b"\0" for field in row["fields"]]
    if row["server_version"] < 201:
        return b"".join(fields)
    return int(row["fields"][0]).to_bytes(4, "big") + b"".join(fields[1:])


def inbound() -> list[Row]:
    """Return the recorded frames of servers that the installed ibapi can speak with."""
    return [
        row
        for row in rows("vectors.jsonl")
        if row["direction"] == "in" and row["server_version"] and row["server_version"] <= MAX_CLIENT_VERSION
    ]


@cache
def decoded() -> dict[str, Row]:
    return {row["id"]: row for row in rows("decoded.jsonl")}


# --- values, written as decoded.jsonl writes them ----------------------------------------------------------------


def written(value: Any) -> Any:
    """Return *value* as ``decoded.jsonl`` has it."""
    if isinstance(value, Decimal):
        return f"D:{value}"
    if isinstance(value, Enum):
        return {"__": type(value).__name__}
    if isinstance(value, dict):
        return {str(key): written(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((written(item) for item in value), key=str)
    if isinstance(value, (list, tuple)):
        return [written(item) for item in value]
    if hasattr(value, "DESCRIPTOR"):
        return f"<{type(value).__name__}>"
    if hasattr(value, "__dict__"):
        return {"__": type(value).__name__} | {name: written(item) for name, item in vars(value).items()}
    return value


# --- inbound -----------------------------------------------------------------------------------------------------

NEWEST = MAX_CLIENT_VERSION >= 226


NOTHING: tuple[Any, ...] = (None, False, "", [])
"""What stands in an attribute that no frame filled."""

EMPTY_DELTA_NEUTRAL = {"__": "DeltaNeutralContract", "conId": 0, "delta": 0.0, "price": 0.0}
"""What ibapi 10.37 makes of a protobuf contract without a delta-neutral part."""


def unlike(mine: Any, theirs: Any, path: str = "") -> str:
    """Return where a value differs from the recorded decoding, nothing where it does not.

    ``decoded.jsonl`` is what ibapi 10.51.1 makes of the frames. An older release has fewer attributes, calls a bar's
    ``wap`` ``average``, has sizes that are no Decimals, and other defaults for what no frame filled (``None`` for an
    empty list or ``False``): those are the differences that are let pass, there alone.
    """
    if not NEWEST and theirs in NOTHING and (mine in NOTHING or mine == EMPTY_DELTA_NEUTRAL):
        return ""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        if NEWEST and set(mine) != set(theirs):
            return f"{path}: {sorted(set(mine) ^ set(theirs))} are in one only"
        found = (unlike(mine[key], theirs[key], f"{path}.{key}") for key in mine if key in theirs)
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        found = (unlike(*pair, f"{path}[{number}]") for number, pair in enumerate(zip(mine, theirs, strict=True)))
    elif not NEWEST and isinstance(mine, (int, float)) and str(theirs).startswith("D:"):
        return "" if Decimal(mine) == Decimal(theirs[2:]) else f"{path}: {mine!r}, recorded {theirs!r}"
    else:
        same = mine.__class__ is theirs.__class__ and mine == theirs
        return "" if same else f"{path}: {mine!r}, recorded {theirs!r}"
    return next(filter(None, found), "")


def named(calls: list[Any]) -> list[Any]:
    """Return callbacks with their arguments by name, as ``decoded.jsonl`` has them."""
    return [
        [
            name,
            dict(
                zip(list(inspect.signature(getattr(EWrapper, name)).parameters)[1:], map(written, given), strict=True)
            ),
        ]
        for name, given in calls
    ]


def test_every_recorded_frame_is_decoded_as_it_was() -> None:
    """The callbacks and values of ``decoded.jsonl``, and ours are the events of those callbacks."""
    wrong = []
    for row in inbound():
        known = decoded()[row["id"]]
        status = known["status"].get(RELEASES.get(MAX_CLIENT_VERSION, ""), "ok")
        assert status == "ok", row["id"]
        calls = stock_calls(body_of(row), row["server_version"])
        recorded = unlike(named(calls), known["calls"])
        ours = difference(Ours(row["server_version"]).decode(body_of(row)), expected(calls))
        if recorded or ours:
            wrong.append((row["id"], row["msg_name"], recorded, ours))
    assert wrong == []


def test_how_many_frames_there_are() -> None:
    """A corpus that is not found, or a release that leaves out all of it, would pass every other test."""
    least = {157: 4, 176: 300, 187: 300, 203: 350}.get(MAX_CLIENT_VERSION, 400)
    assert len(inbound()) >= least


def test_a_frame_that_no_row_tells_the_version_of_is_left_out() -> None:
    left_out = [row["id"] for row in rows("vectors.jsonl") if row["direction"] == "in" and not row["server_version"]]
    assert len(left_out) == 18


# --- sessions ----------------------------------------------------------------------------------------------------


def sessions() -> list[str]:
    return sorted(path.name for path in (Path(FOLDER) / "sessions").glob("*.json")) if FOLDER else []


@pytest.mark.parametrize("name", sessions())
def test_a_recorded_session_in_order(name: str) -> None:
    """All frames of a session through one session of ours, in their order."""
    session = json.loads((Path(FOLDER) / "sessions" / name).read_text())
    frames = [each for each in session["frames"] if each["direction"] == "in"]
    version = frames[0]["server_version"]
    if version > MAX_CLIENT_VERSION:  # named: this release does not offer that version
        assert version in (207, 225)
        return
    ours = Ours(version, client_id=1)
    for each in frames:
        body = body_of(each)
        assert difference(ours.decode(body), expected(stock_calls(body, version))) == "", each
    assert ours.session.stats().decode_errors == 0


# --- outbound ----------------------------------------------------------------------------------------------------

OTHER_CLIENT = "the client that was recorded leaves out numbers that are zero, which ibapi sends"
OTHER_VERSION = "the client that was recorded writes 2 as the version of this message, ibapi 3"
NO_FLAG = "the client that was recorded leaves excludeConvertible empty, ibapi writes 0"
NOT_EQUAL = {
    "v0216": OTHER_CLIENT,  # an empty execution filter
    "v0225": NO_FLAG,
    "v0229": OTHER_VERSION,
} | dict.fromkeys(
    ("v0257", "v0266", "v0300", "v0301", "v0302", "v0351", "v0353", "v0355", "v0471"),  # placeOrder
    OTHER_CLIENT,
)
"""Recorded frames that ibapi does not send to the byte, and why. The recorded client is no ibapi."""

OTHER_FIELDS = {(b"3", b"2"): OTHER_VERSION, (b"0", b""): NO_FLAG}
"""Ours and the recorded text field, where one field alone differs."""


def outbound() -> list[Row]:
    """Return the recorded frames of clients whose server the installed ibapi can speak with."""
    return [
        row
        for row in rows("vectors.jsonl")
        if row["direction"] == "out" and row["server_version"] and row["server_version"] <= MAX_CLIENT_VERSION
    ]


def session_frames() -> list[Row]:
    """Return the frames that clients sent in the recorded sessions."""
    frames = [
        each
        for name in sessions()
        for each in json.loads((Path(FOLDER) / "sessions" / name).read_text())["frames"]
        if each["direction"] == "out" and each["server_version"] <= MAX_CLIENT_VERSION
    ]
    for each in frames:
        raw = int(each["raw_msg_id"] if "raw_msg_id" in each else each["fields"][0])
        each["msg_id"] = raw - 200 if raw > 200 else raw
        if each["encoding"] == "text" and "hex" in each:
            each["fields"] = [str(raw), *bytes.fromhex(each["hex"])[4:].decode().split("\0")[:-1]]
    return frames


def request_in(row: Row) -> tuple[str, dict[str, Any], int]:
    """Return the method and arguments that a recorded frame stands for, and the client id if it is startApi."""
    method = methods_by_id()[row["msg_id"]]
    if row["encoding"] == "text":
        client_id = int(row["fields"][2]) if method == "startApi" else 0
        return method, text_arguments(method, row["fields"][1:]), client_id
    message = message_type(method)()
    message.ParseFromString(body_of(row)[4:])
    client_id = message.clientId if method == "startApi" else 0
    return method, arguments_of(method, message), client_id


def encoded(row: Row) -> bytes:
    """Return what our bridge makes of the request in a recorded frame, through its row where there is one."""
    method, arguments, client_id = request_in(row)
    bridge = Ours(row["server_version"], client_id=client_id).bridge
    request = row_for(method, arguments)
    if request is None:  # startApi and the cancels, which are no rows
        return bytes(bridge.encode_method(method, arguments))[4:]
    values = dict(zip(request.parameters, arguments.values(), strict=True))
    if request.message is not None:
        return bytes(bridge.encode(request, values, arguments[request.parameters[0]].reqId))[4:]
    request_id = values.pop(request.key) if request.key in request.parameters else None
    return bytes(bridge.encode(request, values, request_id))[4:]


def without_zeros(message: Any, like: Any) -> Any:
    """Clear what is zero in *message* and absent in *like*, in its parts too."""
    for field, value in message.ListFields():
        is_part = field.message_type is not None and hasattr(value, "ListFields")
        if is_part and like.HasField(field.name):
            without_zeros(value, getattr(like, field.name))
        elif not is_part and field.message_type is None and value == 0 and not like.HasField(field.name):
            message.ClearField(field.name)
    return message


def check_sent(row: Row) -> str:
    """Return how a recorded frame differs from ours, nothing where it does not but for named zeros."""
    recorded, ours = body_of(row), encoded(row)
    if ours == recorded:
        return ""
    if row["encoding"] == "text":
        pairs = zip(ours[4:].split(b"\0"), recorded[4:].split(b"\0"), strict=True)
        differing = [pair for pair in pairs if pair[0] != pair[1]]
        return OTHER_FIELDS.get(differing[0], "") if len(differing) == 1 else f"ours {ours!r}, recorded {recorded!r}"
    kind = message_type(methods_by_id()[row["msg_id"]])
    mine, theirs = kind.FromString(ours[4:]), kind.FromString(recorded[4:])
    less = without_zeros(mine, theirs)
    if ours[:4] == recorded[:4] and less.SerializeToString(deterministic=True) == theirs.SerializeToString(
        deterministic=True
    ):
        return OTHER_CLIENT
    return f"ours {less}, recorded {theirs}"


def test_every_recorded_request_is_encoded_as_it_was() -> None:
    found = {row["id"]: check_sent(row) for row in outbound()}
    differing = {name: difference for name, difference in found.items() if difference}
    assert differing == {name: reason for name, reason in NOT_EQUAL.items() if name in found}
    assert len(found) >= (120 if MAX_CLIENT_VERSION >= 225 else 0)


def test_every_request_of_the_recorded_sessions_is_encoded_as_it_was() -> None:
    for row in session_frames():
        method = methods_by_id()[row["msg_id"]]
        assert check_sent(row) in ("", OTHER_CLIENT if method in ("placeOrder", "reqExecutions") else ""), row
