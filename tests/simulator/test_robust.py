"""Whatever a client sends, the simulator stays up: every request with every kind of nonsense in it."""

from __future__ import annotations

from random import Random
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulator.stock import PROTOBUF_VERSIONS, SPOKEN_TEXT_VERSIONS
from trio_ibtws._runtime._framing import FrameBuffer, frame
from trio_ibtws.simulator import Limits, Scenario, Simulator, open_simulator
from trio_ibtws.simulator._codec_protobuf import wire_class
from trio_ibtws.simulator._codec_requests import REQUESTS

TEXTS = st.one_of(
    st.sampled_from(["", "0", "1", "-1", "2147483647", "2147483648", "nan", "inf", "1e400", "1.7976931348623157E308"]),
    st.sampled_from(["AAPL", "STK", "SMART", "USD", "EUR", "CASH", "IDEALPRO", "TRADES", "1 D", "1 day", "1 min"]),
    st.sampled_from(
        [
            "BUY",
            "SELL",
            "MKT",
            "LMT",
            "STP",
            "DAY",
            "IOC",
            "99999 Y",
            "99999 W",
            "99999 M",
            "999999 S",
            "1 month",
            "BidAsk",
        ]
    ),
    st.sampled_from(["20130104 16:00:00", "00010101 00:00:00", "99991231-23:59:59", "20130104 10:00:00 Mars/X"]),
    st.text(max_size=5),
)
AAPL = ["0", "AAPL", "STK", "", "0.0", "", "", "SMART", "", "USD", "", ""]


def bodies(version: int) -> st.SearchStrategy[list[str]]:
    """Frames that have a chance to be read: right beginnings with nonsense, and the other way round."""
    nonsense = st.lists(TEXTS, max_size=60)
    anything = st.tuples(st.sampled_from(sorted(map(str, REQUESTS))), nonsense).map(lambda pair: [pair[0], *pair[1]])
    order = st.tuples(*[TEXTS] * 8, nonsense).map(
        lambda row: ["3", row[0], *AAPL, "", "", row[1], row[2], row[3], row[4], row[5], row[6], *[""] * 4, *row[8]]
    )
    tail = st.tuples(*[TEXTS] * 5).map(lambda row: ["20", "1", *AAPL, "0", *row[:3], "1", row[3], "1", "0", ""])
    return st.one_of(anything, order, tail)


async def survive(version: int, requests: list[list[str]]) -> None:
    async with open_simulator(port=None) as sim:
        stream = await sim.connect()
        await stream.send(b"API\0" + frame(f"v100..{version}".encode()) + frame(b"71\x002\x001\x00\0"))
        for fields in requests:
            await stream.send(frame("\0".join([*fields, ""]).encode("utf-8", "replace")))
        await stream.send(frame(b"91\x0026\0"))
        frames = FrameBuffer()
        while not (body := frames.next_frame() or b"").startswith(b"93\0"):
            if not body:
                frames.receive_data(await stream.receive())


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_nonsense_is_survived(data: Any) -> None:
    version = data.draw(st.sampled_from(SPOKEN_TEXT_VERSIONS))
    requests = data.draw(st.lists(bodies(version), min_size=1, max_size=12))
    anyio.run(survive, version, requests, backend="trio")


# --- protobuf ----------------------------------------------------------------------------------------------------

NUMBERS = (0, 1, -1, 2, 3, 7, 100, 265598, 12087792, 2**31 - 1, -(2**31))
WORDS = (
    "", "AAPL", "STK", "OPT", "CASH", "SMART", "USD", "BUY", "SELL", "MKT", "LMT", "TRAIL", "GTC", "GTD", "TRADES",
    "BidAsk", "1 D", "1 W", "1 day", "1 min", "20130104 16:00:00", "99991231-23:59:59", "NaN", "1e999", "-5", "\u20ac",
    "All", "NetLiquidation,$LEDGER", "233,292", "TOP_PERC_GAIN", "DU1000001", "2 Y", "x" * 300,
)  # fmt: skip
AMOUNTS = (0.0, 1.0, -1.0, 100.5, 1e300, -1e300, float("inf"), float("-inf"), float("nan"), 1.7976931348623157e308)
FRAMES = 300  # of which each is right, damaged, or no message at all


def scribble(random: Random, message: Any, depth: int = 0) -> Any:
    """Set half of a message's fields to anything that their types take."""
    for field in message.DESCRIPTOR.fields:
        if random.random() < 0.5 or depth > 3:
            continue
        if field.message_type is None:
            value = one_of(random, field.cpp_type)
            many = getattr(message, field.name) if repeated(field) else None
            many.append(value) if many is not None else setattr(message, field.name, value)
        elif not field.message_type.GetOptions().map_entry:
            part = getattr(message, field.name)
            scribble(random, part.add() if repeated(field) else part, depth + 1)
    return message


def repeated(field: Any) -> bool:
    return bool(field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED)


def one_of(random: Random, kind: int) -> Any:
    return random.choice({7: (True, False), 9: WORDS, 5: AMOUNTS}.get(kind, NUMBERS))


def damaged(random: Random, body: bytes) -> bytes:
    spoilt = bytearray(body)
    for _ in range(random.choice((0, 0, 1, 3, 20))):
        at = random.randrange(len(spoilt) + 1)
        spoilt[at : at + random.choice((0, 1, 4))] = random.randbytes(random.choice((0, 1, 4)))
    return bytes(spoilt)


def a_frame(random: Random) -> bytes:
    number = random.choice([number for number, (name, _) in REQUESTS.items() if wire_class(name, request=True)])
    if random.random() < 0.05:
        return random.randbytes(random.randrange(40))
    message = scribble(random, wire_class(REQUESTS[number][0], request=True)())
    return damaged(random, (number + 200).to_bytes(4, "big") + message.SerializeToString())


async def connect(sim: Simulator, version: int, client_id: int) -> Any:
    stream = await sim.connect()
    start = wire_class("startApi", request=True)(clientId=client_id).SerializeToString()
    await stream.send(b"API\0" + frame(f"v100..{version}".encode()) + frame((271).to_bytes(4, "big") + start))
    return stream


async def answers_with_rules(stream: Any) -> bool:
    """Return whether a connection still answers a question; ``False``: it was closed."""
    question = wire_class("reqMarketRule", request=True)(marketRuleId=26).SerializeToString()
    frames = FrameBuffer()
    try:
        await stream.send(frame((291).to_bytes(4, "big") + question))
        while not (body := frames.next_frame() or b"").startswith((293).to_bytes(4, "big")):
            if not body:
                frames.receive_data(await stream.receive())
    except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        return False
    return True


async def survive_protobuf(seed: int) -> None:
    random = Random(seed)
    version = random.choice(PROTOBUF_VERSIONS)
    async with open_simulator(port=None, scenario=Scenario(limits=Limits.off())) as sim:
        other = await connect(sim, version, 2)
        stream = await connect(sim, version, 1)
        for _ in range(FRAMES):
            try:
                await stream.send(frame(a_frame(random)))
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                break
        await answers_with_rules(stream)
        assert await answers_with_rules(other)


@pytest.mark.speaks(213)
@pytest.mark.parametrize("seed", range(8))
def test_nonsense_in_protobuf_is_survived(seed: int) -> None:
    anyio.run(survive_protobuf, seed, backend="trio")


async def survive_legs_without_a_value() -> None:
    """Text has no legs in these requests; in protobuf every contract may have some, without some of their values."""
    async with open_simulator(port=None, scenario=Scenario(limits=Limits.off())) as sim:
        stream = await connect(sim, PROTOBUF_VERSIONS[0], 1)
        for number in (9, 21, 50, 87, 88, 96, 97):
            message = wire_class(REQUESTS[number][0], request=True)()
            message.contract.symbol, message.contract.secType, message.contract.exchange = "AAPL", "BAG", "SMART"
            message.contract.comboLegs.add().conId = 265598
            message.contract.comboLegs.add().action = "BUY"
            await stream.send(frame((number + 200).to_bytes(4, "big") + message.SerializeToString()))
        assert await answers_with_rules(stream)


@pytest.mark.speaks(213)
def test_legs_without_a_value_are_survived() -> None:
    anyio.run(survive_legs_without_a_value, backend="trio")


# --- connections that say nothing ----------------------------------------------------------------------------------


async def crowd_of_silent_ones() -> None:
    async with open_simulator(port=None, scenario=Scenario(limits=Limits(clients=2))) as sim:
        silent = [await sim.connect() for _ in range(5)]
        for client_id in (1, 2):
            stream = await sim.connect()
            await stream.send(b"API\0" + frame(b"v100..157") + frame(b"71\x002\x00%d\x00\0" % client_id))
            assert await stream.receive()
        assert len(silent) == 5


@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_those_that_say_nothing_take_no_place(backend: str) -> None:
    anyio.run(crowd_of_silent_ones, backend=backend)
