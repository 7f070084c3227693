"""Sessions that were recorded at gateways, played to the simulator: the same messages in the same order.

What clients sent is sent again, byte for byte. The recordings are other people's and stay where they are:
``TRIO_IBTWS_WIRE_CORPUS`` names the folder.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from trio.testing import MockClock

from tests.simulator.stock import StockClient
from trio_ibtws._runtime._framing import frame
from trio_ibtws.simulator import Scenario, Simulator, open_simulator
from trio_ibtws.simulator._codec import decode_answer

FOLDER = os.environ.get("TRIO_IBTWS_WIRE_CORPUS", "")
VERSION = 225
TEXT_VERSION = 176
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.recorded,
    pytest.mark.parametrize("anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})]),
]

AT_NIGHT = datetime(2013, 1, 15, 5, 30)
AT_NOON = datetime(2013, 1, 15, 12, 0)
ACCOUNT = "DU9000001"
PAPER = Scenario(start=AT_NIGHT, live_data=False, account=ACCOUNT)
DELAYED = Scenario(start=AT_NOON, live_data=False)
SESSIONS: dict[str, Scenario] = {
    "api_bracket_trigger_aapl": PAPER,
    "api_duplicate_quote_subscriptions_aapl": DELAYED,
    "api_order_fill_aapl": Scenario(start=AT_NOON, account=ACCOUNT),
    "api_reconnect_active_order_aapl": PAPER,
    "api_whatif_margin_aapl": Scenario(start=AT_NOON, account=ACCOUNT),
    "api_wsh_variants_aapl": PAPER,
    "contract_details_not_found": PAPER,
    "head_timestamp": PAPER,
    "req_ids_read_only": Scenario(start=AT_NIGHT, read_only=True),
    "tick_news_aapl": DELAYED,
}
"""The recorded sessions of a version that is served, and the account that each was recorded with."""

IN_TEXT: dict[str, list[str]] = {
    "api_tick_by_tick_entitlement_errors_aapl": ["error 10189", "error 10089"],
    "historical_ticks_midpoint_sv207": ["error 10187"],
}
"""Sessions of a version that is not served, whose requests are the same at one that is, and the errors in them.

At the gateway the last two requests for ticks, quotes and midpoints, got no answer in the time of the recording. Here
they are refused: silence is not what a client can test.
"""
UNANSWERED_THERE = {"api_tick_by_tick_entitlement_errors_aapl": ["error 10189"]}

_FARMS = range(2100, 2170)
_MOVING_SIZES = {69, 70, 71}
_SETTLED = 5.0  # seconds


def told(name: str, values: dict[str, Any]) -> str | None:
    """Return what matters of a message's place in the order; nothing for what comes at any time."""
    if name == "error":
        return None if values["errorCode"] in _FARMS else f"error {values['errorCode']}"
    if name == "openOrder":
        return f"openOrder {values['orderId']} {values['orderState']['status']}"
    if name == "orderStatus":
        return f"orderStatus {values['orderId']} {values['status']} {values['whyHeld']}".strip()
    if values.get("tickType") in _MOVING_SIZES:
        return None
    return f"{name} {values['tickType']}" if "tickType" in values else name


def is_quote(name: str) -> bool:
    return name.startswith(("tickPrice", "tickSize", "tickString", "tickReqParams", "marketDataType"))


class Story:
    """An order of messages, without repeats: gateways tell of an order once or more, of a price now and then.

    Quotes come beside everything else, each line's in an order of its own.
    """

    def __init__(self) -> None:
        self.acts: list[list[str]] = []
        self.lines: dict[int, list[str]] = defaultdict(list)

    def add(self, bodies: list[bytes], version: int = VERSION) -> None:
        act: dict[str, None] = {}
        for answer in (decode_answer(body, version) for body in bodies):
            said = told(answer.name, answer.values)
            if said is not None and is_quote(said):
                self.lines[answer.values["reqId"]].append(said)
            elif said is not None:
                act[said] = None
        self.acts.append(list(act))

    def quotes(self, request: int) -> list[str]:
        return list(dict.fromkeys(self.lines[request]))


def acts(name: str) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """Yield what a client sent at once, and what came then; a new connection begins with nothing sent."""
    rows = json.loads((Path(FOLDER) / "sessions" / f"{name}.json").read_text())["frames"]
    sent: list[bytes] = []
    came: list[bytes] = []
    for row in rows:
        if row["direction"] == "out":
            if came:
                yield sent, came
                sent, came = [], []
            sent.append(bytes.fromhex(row["hex"]))
        elif row["direction"] == "in":
            came.append(bytes.fromhex(row["hex"]))
        else:
            yield sent, came
            sent, came = [], []
    yield sent, came


class Player:
    """A client that sends what another one sent."""

    def __init__(self, sim: Simulator, version: int = VERSION) -> None:
        self.sim = sim
        self.version = version
        self.client: StockClient | None = None

    async def answers(self, sent: list[bytes]) -> list[bytes]:
        if not sent:
            return await self.connect()
        assert self.client is not None
        assert self.client.stream is not None
        await self.client.stream.send(b"".join(frame(body) for body in sent))
        return await self.all_that_comes()

    async def connect(self) -> list[bytes]:
        if self.client is not None:
            assert self.client.stream is not None
            await self.client.stream.aclose()
            await anyio.sleep(_SETTLED)
        self.client = StockClient(await self.sim.connect(), self.version)
        await self.client.shake_hands(f"v100..{self.version}")
        self.client.clientId = 1
        self.client.startApi()
        await self.client.flush()
        return await self.all_that_comes()

    async def all_that_comes(self) -> list[bytes]:
        assert self.client is not None
        came: list[bytes] = []
        with anyio.move_on_after(_SETTLED):
            while True:
                came.append(await self.client._frame())
        return came


@pytest.mark.speaks(VERSION)
@pytest.mark.parametrize("name", SESSIONS)
async def test_the_order_of_a_session_is_a_gateways(name: str) -> None:
    theirs, ours = Story(), Story()
    async with open_simulator(port=None, scenario=SESSIONS[name]) as sim:
        player = Player(sim)
        for sent, came in acts(name):
            theirs.add(came)
            ours.add(await player.answers(sent))
    assert ours.acts == theirs.acts
    for request in theirs.lines:
        recorded = theirs.quotes(request)
        assert ours.quotes(request)[: len(recorded)] == recorded


@pytest.mark.speaks(TEXT_VERSION)
@pytest.mark.parametrize("name", IN_TEXT)
async def test_the_errors_of_a_session_are_a_gateways(name: str) -> None:
    ours = Story()
    async with open_simulator(port=None, scenario=PAPER, server_version=TEXT_VERSION) as sim:
        player = Player(sim, TEXT_VERSION)
        await player.connect()
        for sent, _ in acts(name):
            # a body after a number of four bytes there, after its digits here
            bodies = [f"{int.from_bytes(body[:4], 'big')}\0".encode() + body[4:] for body in sent]
            ours.add(await player.answers(bodies) if bodies else [], TEXT_VERSION)
    assert [each for act in ours.acts for each in act] == IN_TEXT[name] + UNANSWERED_THERE.get(name, [])
