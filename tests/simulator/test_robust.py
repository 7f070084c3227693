"""Whatever a client sends, the simulator stays up: every request with every kind of nonsense in it."""

from __future__ import annotations

from typing import Any

import anyio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulator.stock import SPOKEN_TEXT_VERSIONS
from trio_ibtws._runtime._framing import FrameBuffer, frame
from trio_ibtws.simulator import open_simulator
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
