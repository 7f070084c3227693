"""Every message at every kind of server version: what goes in comes out, with ibapi at the other end.

Values are made up from the layouts, each of them different from all others, so that one which is lost, or read from
another's place, is missing from what ibapi's callbacks, or the simulator, got.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.order import Order
from ibapi.tag_value import TagValue

from tests.simulator.stock import PROTOBUF_VERSIONS, VERSIONS, StockClient
from trio_ibtws._runtime._framing import FrameBuffer
from trio_ibtws.simulator._codec import (
    FieldError,
    Message,
    UnknownMessage,
    decode_answer,
    decode_request,
    encode_answer,
    parts_of,
)
from trio_ibtws.simulator._codec_answers import ANSWERS
from trio_ibtws.simulator._codec_answers import PROTOBUF_ONLY as ANSWERS_WITHOUT_TEXT
from trio_ibtws.simulator._codec_requests import PROTOBUF_ONLY as REQUESTS_WITHOUT_TEXT
from trio_ibtws.simulator._codec_requests import REQUESTS
from trio_ibtws.simulator._codec_schema import Schema, schema_of

GIVEN: dict[str, Any] = {
    # values that decide what else there is, or that must look like something
    "multiplier": "77",
    "coupon": 5,
    "right": "C",
    "orderType": "PEG BENCH",
    "tickType": 1,
    "yieldRedemptionDate": 20300115,
    "openClose": 1,
    "liquidation": 1,
}
ELSEWHERE = {"conditions"}
"""What depends on other values: tested with the layouts."""

FLAGS = {"attrMask", "connector", "isMore", "mask"}
"""Numbers and texts that ibapi turns into flags."""

NOT_TOLD = {
    "contractDetails": {"mdSizeMultiplier", "sizeMinTick"},
    "bondContractDetails": {"mdSizeMultiplier"},
    "openOrder": {"eTradeOnly", "faProfile", "firmQuoteOnly", "nbboPriceCap", "sharesAllocation", "usePriceMgmtAlgo"},
    "completedOrder": {"faProfile", "usePriceMgmtAlgo"},
}
"""Values that ibapi reads over, by message."""

NOT_IN_PROTOBUF = {
    "contractDetails": {"mdSizeMultiplier", "sizeMinTick"},
    "bondContractDetails": {"mdSizeMultiplier"},
    "openOrder": {
        "auctionStrategy", "basisPoints", "basisPointsType", "eTradeOnly", "faProfile", "firmQuoteOnly",
        "nbboPriceCap", "sharesAllocation",
    },
    "completedOrder": {"faProfile"},
}  # fmt: skip
"""Values for which the protobuf messages have no field."""


# --- values that are all different -------------------------------------------------------------------------------


def sample(schema: Schema, numbers: Iterator[int], left_out: set[str]) -> dict[str, Any]:
    """Make up values for a message."""
    values: dict[str, Any] = {}
    for name, part in schema.items():
        if name in left_out or name in ELSEWHERE:
            continue
        if part.kind in {"group", "optional"}:
            values[name] = sample(part.parts, numbers, left_out)
        elif part.kind == "rows":
            values[name] = [sample(part.parts, numbers, left_out) for _ in range(2 if part.parts else 0)]
        elif part.kind == "plain":
            values[name] = [single(part.parts["value"].kind, "", numbers) for _ in range(2)]
        else:
            values[name] = single(part.kind, name, numbers)
    return values


def single(kind: str, name: str, numbers: Iterator[int]) -> Any:
    if name in GIVEN:
        return GIVEN[name]
    number = next(numbers)
    if kind == "bool":
        return True
    if kind in {"float", "number", "price"}:
        return number + 0.25
    if kind in {"decimal", "size"}:
        return Decimal(number)
    if kind in {"int", "id"}:
        return 1 if name == "mask" else number
    return str(number)


def leaves(value: Any) -> Iterator[Any]:
    """Yield every single value in arguments of a callback or of a request, numbers as numbers."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item)
            yield key
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from leaves(item)
    elif hasattr(value, "ListFields"):
        yield from leaves([item for _, item in value.ListFields()])
    elif isinstance(value, str | int | float | Decimal) and not isinstance(value, bool | Enum):
        yield number_or_text(value)
    elif hasattr(value, "__dict__") and not isinstance(value, type):
        yield from leaves(list(vars(value).values()))


def number_or_text(value: Any) -> Any:
    try:
        return float(value)
    except ValueError:
        return value


def wanted(values: Any, left_out: set[str]) -> Iterator[tuple[str, Any]]:
    """Yield the name and the value of everything that went in, flags aside."""
    if isinstance(values, dict):
        for name, value in values.items():
            if name in left_out:
                continue
            if isinstance(value, dict | list):
                yield from ((name if each[0] == "" else each[0], each[1]) for each in wanted(value, left_out))
            elif value is not None and not isinstance(value, bool):
                yield name, number_or_text(value)
    elif isinstance(values, list):
        for value in values:
            if isinstance(value, dict):
                yield from wanted(value, left_out)
            else:
                yield "", number_or_text(value)


# --- answers -----------------------------------------------------------------------------------------------------


def known_to_ibapi(name: str, version: int) -> bool:
    """Return whether the installed ibapi has a callback for an answer that there is at this version."""
    if version < 201 and name in ANSWERS_WITHOUT_TEXT:
        return False
    client = StockClient(None, version)
    number = ANSWERS[name][0]
    tables = (client.decoder.msgId2handleInfo, getattr(client.decoder, "msgId2handleInfoProtoBuf", {}))
    raw = encode_is_protobuf(name, version)
    return number in {int(each) for each in tables[raw]}


def encode_is_protobuf(name: str, version: int) -> bool:
    from trio_ibtws.simulator._codec_protobuf import wire_class

    return version >= 201 and wire_class(name) is not None


def left_out(name: str, version: int) -> set[str]:
    """Return the values of an answer that this version has no place for."""
    if version >= 213:
        return NOT_IN_PROTOBUF.get(name, set())
    values = sample(schema_of(ANSWERS[name][1]), count(1001), set())
    again = decode_answer(encode_answer(Message(name, values), version), version).values
    return {key for key, _ in wanted(values, set())} - {key for key, _ in wanted(again, set())}


ANSWER_CASES = [
    (version, name)
    for version in VERSIONS
    for name in ANSWERS
    if name != "tickByTick" and known_to_ibapi(name, version)
]


def answer(version: int, name: str) -> Message:
    values = sample(schema_of(ANSWERS[name][1]), count(1001), left_out(name, version))
    return Message(name, {**values, "errorTime": 1358262000000} if name == "error" and version >= 213 else values)


@pytest.mark.parametrize(("version", "name"), ANSWER_CASES)
def test_ibapi_is_told_every_value_of_an_answer(version: int, name: str) -> None:
    message = answer(version, name)
    client = StockClient(None, version)
    for part in parts_of(message, version):
        client.interpret(encode_answer(part, version))
    got = set(leaves([vars(each) for each in client.got]))
    sent = wanted(message.values, NOT_TOLD.get(name, set()) | FLAGS)
    assert {key: value for key, value in sent if value not in got} == {}


@pytest.mark.parametrize(("version", "name"), ANSWER_CASES)
def test_an_answer_comes_back(version: int, name: str) -> None:
    message = answer(version, name)
    again: dict[str, Any] = {}
    for part in parts_of(message, version):
        read = decode_answer(encode_answer(part, version), version)
        assert read.name == part.name
        again = {**read.values, **{key: value for key, value in again.items() if value}}
    assert set(wanted(message.values, set())) <= set(wanted(again, set()))


def test_every_answer_of_ibapi_has_a_row() -> None:
    client = StockClient(None, VERSIONS[0])
    numbers = {number for number, _ in ANSWERS.values()}
    for table in ("msgId2handleInfo", "msgId2handleInfoProtoBuf"):
        assert {int(number) for number in getattr(client.decoder, table, {})} <= numbers


# --- requests ----------------------------------------------------------------------------------------------------


def made(parameter: inspect.Parameter, numbers: Iterator[int]) -> Any:
    """Make an argument for a request, by its name and annotation."""
    number = next(numbers)
    name, kind = parameter.name, parameter.annotation
    if name == "contract":
        return filled(Contract(), numbers)
    if name == "order":
        return filled(Order(), numbers)
    if name.lower().endswith(("options", "options_")) or kind is list:
        return [TagValue("a", "5"), TagValue("b", "6")]
    if isinstance(kind, type) and kind.__module__.startswith("ibapi.") and "enum" not in kind.__module__:
        return filled(kind(), numbers) if not issubclass(kind, Enum) else 1
    if kind is bool or name in {"useRTH", "useRth", "override"}:
        return True
    if kind is float:
        return number + 0.25
    if kind is int or kind is Decimal or name in {"faData", "numIds"}:
        return 1 if name == "faData" else number
    return str(number)


def filled(noun: Any, numbers: Iterator[int]) -> Any:
    """Set every plain attribute of one of ibapi's nouns to a value of its own, but what only a few orders have."""
    for name, value in vars(noun).items():
        number = next(numbers)
        if name in {"right", "multiplier"}:
            setattr(noun, name, GIVEN[name])
        elif isinstance(value, bool):
            setattr(noun, name, name not in {"extraAuth"})
        elif isinstance(value, int) and name != "exemptCode":
            setattr(noun, name, number)
        elif isinstance(value, float):
            setattr(noun, name, number + 0.25)
        elif isinstance(value, Decimal):
            setattr(noun, name, Decimal(number))
        elif isinstance(value, str):
            setattr(noun, name, str(number))
    return noun


REQUEST_CASES = [
    (version, name)
    for version in VERSIONS
    for number, (name, _) in REQUESTS.items()
    if hasattr(EClient, name) and name != "placeOrder" and (version >= 201 or number not in REQUESTS_WITHOUT_TEXT)
]


A_SLIP = {"MIN_SERVER_VER_WSH_EVENT_DATA_FILTERS_DATE"}
"""A parameter that ibapi 10.30.1's reqWshEventData has by mistake, and that stands in the way of the request."""


def written(client: StockClient) -> list[Message]:
    frames = FrameBuffer()
    frames.receive_data(bytes(client.outbox.data))
    client.outbox.data.clear()
    bodies = iter(frames.next_frame, None)
    return [decode_request(body, client.serverVersion()) for body in bodies]


@pytest.mark.parametrize(("version", "name"), REQUEST_CASES)
def test_a_request_is_read_as_ibapi_wrote_it(version: int, name: str) -> None:
    client = StockClient(None, version)
    client.extraAuth = True
    numbers = count(1001)
    parameters = list(inspect.signature(getattr(EClient, name)).parameters.values())[1:]
    arguments = {each.name: made(each, numbers) for each in parameters if each.name not in A_SLIP}
    if name == "startApi":
        client.clientId = 1001
    if A_SLIP & {each.name for each in parameters}:
        arguments |= dict.fromkeys(A_SLIP, True)
    try:
        getattr(client, name)(*arguments.values())
    except NotImplementedError:  # options, in ibapi 9.81
        arguments = {key: [] if isinstance(value, list) else value for key, value in arguments.items()}
        getattr(client, name)(*arguments.values())
    messages = written(client)
    if not messages:
        assert client.got, "neither sent nor refused"
        return
    (message,) = messages
    assert message.name == name
    got = set(leaves(message.values))
    for parameter, argument in arguments.items():
        if isinstance(argument, str | int | float) and argument not in (True, False):
            assert number_or_text(argument) in got, parameter
        elif isinstance(argument, list):
            assert not argument or name in NO_OPTIONS or "a=5;b=6;" in got, parameter
        elif hasattr(argument, "__dict__"):
            compare(argument, message.values.get(parameter, message.values))


NO_OPTIONS = {"reqHistoricalNews"}
"""Requests whose options some releases of ibapi forget."""


def compare(noun: Any, values: dict[str, Any]) -> None:
    """Check that every value that one of ibapi's nouns has an attribute for is that attribute's."""
    compared = 0
    for name, value in values.items():
        if hasattr(noun, name) and isinstance(value, str | int | float | Decimal):
            assert number_or_text(getattr(noun, name)) == number_or_text(value), name
            compared += 1
    assert compared


@pytest.mark.speaks(213)
@pytest.mark.parametrize("version", PROTOBUF_VERSIONS or [0])
def test_requests_that_are_protobuf_alone(version: int) -> None:
    client = StockClient(None, version)
    for method, name, wire_name, since in (
        ("reqConfigProtoBuf", "reqConfig", "ConfigRequest", 219),
        ("updateConfigProtoBuf", "updateConfig", "UpdateConfigRequest", 221),
    ):
        if version < since:
            continue
        module = __import__(f"ibapi.protobuf.{wire_name}_pb2", fromlist=[wire_name])
        request = getattr(module, wire_name)(reqId=7)
        getattr(client, method)(request)
        (message,) = written(client)
        assert (message.name, message.values["reqId"]) == (name, 7)


@pytest.mark.speaks(213)
@pytest.mark.parametrize("version", PROTOBUF_VERSIONS[:1] or [0])
@settings(deadline=None)
@given(st.sampled_from(sorted(REQUESTS)), st.sampled_from([0, 200]), st.binary(max_size=40))
def test_no_bytes_break_the_reader(version: int, number: int, plus: int, rest: bytes) -> None:
    for body in (rest, (number + plus).to_bytes(4, "big") + rest):
        try:
            decode_request(body, version)
        except (FieldError, UnknownMessage):
            pass
