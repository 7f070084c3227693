"""First bytes of clients that nobody here wrote: their ranges of versions, and their ways to start."""

from __future__ import annotations

import pytest
from anyio import EndOfStream

from tests.simulator.stock import MAX_CLIENT_VER, comes_true
from trio_ibtws._runtime._framing import FrameBuffer, frame
from trio_ibtws.simulator import Simulator

pytestmark = pytest.mark.anyio

FIRST_PROTOBUF = 213
START = b"71\x002\x005\x00\x00"


async def answer(sim: Simulator, *parts: bytes, frames: int = 1) -> list[bytes]:
    """Send bytes, each on its own; return so many frames, or what came before the end with an empty one for it."""
    stream = await sim.connect()
    buffer = FrameBuffer()
    came: list[bytes] = []
    for part in parts:
        await stream.send(part)
    try:
        while len(came) < frames:
            buffer.receive_data(await stream.receive())
            came += iter(buffer.next_frame, None)
    except EndOfStream:
        came.append(b"")
    await stream.aclose()
    return came[:frames]


def newest(upto: int) -> int:
    """Return the newest version that is served, up to one of the protobuf versions."""
    return min(upto, MAX_CLIENT_VER) if min(upto, MAX_CLIENT_VER) >= FIRST_PROTOBUF else 176


@pytest.mark.parametrize(
    ("offer", "version"),
    [
        (b"v100..157", 157),
        (b"v100..175", 157),
        (b"v100..176", 176),
        (b"v100..177", 176),
        (b"v38..193", 176),
        (b"v100..212", 176),
        (b"v100..176\0", 176),
        (b"v176", 176),
        (b"v176 +PACEAPI", 176),
        (b"v100..213", newest(213)),
        (b"v100..999", newest(226)),
        (b"v157..999 any=thing", newest(226)),
    ],
)
async def test_a_version_of_the_range_is_chosen(sim: Simulator, offer: bytes, version: int) -> None:
    (greeting,) = await answer(sim, b"API\0", frame(offer))
    assert greeting.split(b"\0")[0] == str(version).encode()


@pytest.mark.parametrize(
    "first",
    [
        b"API\0" + frame(b"v100..150"),  # nothing in it that is served
        b"API\0" + frame(b"v177..212"),
        b"API\0" + frame(b"hello"),
        b"62\0",  # a client of the time before ranges
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
async def test_others_are_hung_up_on(sim: Simulator, first: bytes) -> None:
    assert await answer(sim, first) == [b""]


@pytest.mark.parametrize("start", [START, b"71\x002\x005\x00", b"71\x001\x005\x00"], ids=["new", "short", "old"])
async def test_the_start_of_old_clients(sim: Simulator, start: bytes) -> None:
    _, accounts, ids = await answer(sim, b"API\0", frame(b"v100..176"), frame(start), frames=3)
    assert (accounts, ids) == (b"15\x001\x00DU1000001\x00", b"9\x001\x001\x00")


async def test_bytes_come_as_they_like(sim: Simulator) -> None:
    everything = b"API\0" + frame(b"v100..176") + frame(START)
    at_once = await answer(sim, everything, frames=6)
    await comes_true(lambda: not sim.clients)
    one_by_one = await answer(sim, *(everything[at : at + 1] for at in range(len(everything))), frames=6)
    assert [body[:2] for body in one_by_one] == [body[:2] for body in at_once]
    assert len(at_once) == 6


async def test_a_request_before_the_start_ends_it(sim: Simulator) -> None:
    _, end = await answer(sim, b"API\0", frame(b"v100..176"), frame(b"49\x001\x00"), frames=2)
    assert end == b""


@pytest.mark.parametrize("options", [b"\x00", b"0\x00\x00"], ids=["in Java", "in Python"])
async def test_options_of_fundamental_data_with_and_without_their_count(sim: Simulator, options: bytes) -> None:
    asked = b"52\x002\x008001\x000\x00IBM\x00STK\x00SMART\x00\x00USD\x00\x00ReportsFinSummary\x00" + options
    came = await answer(sim, b"API\0", frame(b"v100..176"), frame(START), frame(asked), frames=7)
    assert came[-1].startswith(b"4\x002\x008001\x0010358\x00")
