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
from ibapi.execution import ExecutionFilter
from trio.testing import MockClock

from tests.simulator.stock import MAX_CLIENT_VER, PROTOBUF_VERSIONS, StockClient, contract, order
from trio_ibtws.simulator import Scenario, open_simulator
from trio_ibtws.simulator._codec import decode_answer, decode_request, encode_answer
from trio_ibtws.simulator._codec_answers import ANSWERS
from trio_ibtws.simulator._codec_protobuf import wire_class
from trio_ibtws.simulator._presence import presence_of

FOLDER = os.environ.get("TRIO_IBTWS_WIRE_CORPUS", "")
ON_TRIO = pytest.mark.parametrize("anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})])

needs_corpus = pytest.mark.skipif(not FOLDER, reason="TRIO_IBTWS_WIRE_CORPUS does not name a folder of recorded frames")
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
    # the recorded position had not been traded that day
    "PnLSingle": (set(), {"realizedPnL"}),
}
"""Where the fields differ: those that a gateway always sets and the simulator does not, and the other way round."""


NOT_IN_THIS_SESSION = {
    "ConfigResponse", "CurrentTimeInMillis", "DisplayGroupList", "DisplayGroupUpdated", "HeadTimestamp",
    "HistoricalNews", "HistoricalNewsEnd", "HistoricalSchedule", "MarketDepth", "MarketDepthExchanges", "NewsProviders",
    "RerouteMarketDataRequest", "ScannerData", "SecDefOptParameter", "SecDefOptParameterEnd", "SmartComponents",
    "SoftDollarTiers", "TickGeneric", "TickNews", "TickOptionComputation", "TickSnapshotEnd", "UserInfo",
}  # fmt: skip
"""Recorded types that the session below has no use for; the test before it compares them byte for byte."""


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


async def session(version: int) -> list[bytes]:
    """Do a bit of everything; return the frames that came."""
    async with open_simulator(port=None, scenario=Scenario(live_data=True)) as sim:
        client = await StockClient.start(sim, version, 1)
        apple = contract()
        client.reqContractDetails(1, apple)
        await client.until("contractDetailsEnd")
        client.reqHistoricalData(2, apple, "", "1 D", "1 hour", "TRADES", 1, 1, False, [])
        await client.until("historicalDataEnd")
        client.reqMktData(3, apple, "", False, False, [])
        await client.until("tickPrice", tickType=9)
        client.reqTickByTickData(4, apple, "BidAsk", 0, False)
        await client.until("tickByTickBidAsk")
        client.cancelMktData(3)
        client.cancelTickByTickData(4)
        for number, (side, kind, extra) in enumerate(
            (("BUY", "MKT", {}), ("SELL", "MKT", {}), ("BUY", "LMT", {"lmtPrice": 1.0, "orderRef": "mine"})), 1
        ):
            client.placeOrder(number, apple, order(side, 10, kind, **extra))
            await client.until("orderStatus", status="Submitted" if kind == "LMT" else "Filled")
        client.placeOrder(4, apple, order("BUY", 10, "MKT", whatIf=True))
        await client.sync()
        client.reqExecutions(5, ExecutionFilter())
        await client.until("execDetailsEnd")
        client.reqCompletedOrders(False)
        await client.until("completedOrdersEnd")
        client.placeOrder(5, apple, order("BUY", 7, "MKT"))
        await client.until("orderStatus", status="Filled")
        for ask, end in (
            (client.reqOpenOrders, "openOrderEnd"),
            (client.reqPositions, "positionEnd"),
            (client.reqFamilyCodes, "familyCodes"),
            (client.reqCurrentTime, "currentTime"),
        ):
            ask()
            await client.until(end)
        client.reqManagedAccts()
        account = (await client.until("managedAccounts"))[-1].accountsList
        client.reqAccountUpdates(True, account)
        await client.until("accountDownloadEnd")
        client.reqAccountSummary(6, "All", "NetLiquidation,BuyingPower")
        await client.until("accountSummaryEnd")
        client.reqPositionsMulti(7, account, "")
        await client.until("positionMultiEnd")
        client.reqAccountUpdatesMulti(8, account, "", False)
        await client.until("accountUpdateMultiEnd")
        client.reqPnL(9, account, "")
        await client.until("pnl")
        client.reqPnLSingle(10, account, "", 265598)
        await client.until("pnlSingle")
        client.reqMatchingSymbols(11, "AAPL")
        await client.until("symbolSamples")
        return client.frames


@needs_corpus
@needs_protobuf
@pytest.mark.anyio
@ON_TRIO
async def test_the_fields_of_a_session_are_a_gateways() -> None:
    gateway = habits([bytes.fromhex(row["hex"]) for row in rows("in", "protobuf")])
    ours = habits(await session(PROTOBUF_VERSIONS[0]))
    found = {}
    for name in sorted(gateway.keys() & ours.keys()):
        missing = gateway[name].always - ours[name].always
        added = ours[name].fields.keys() - gateway[name].fields.keys()
        if missing or added:
            found[name] = (missing, added)
    assert gateway.keys() - ours.keys() <= NOT_IN_THIS_SESSION
    assert found == DIFFERENT


# --- a session's fields, in text -----------------------------------------------------------------------------------

TEXT_VERSION = 176
VARIABLE = {"10", "17", "79", "93"}
"""Messages with lists in them, whose number of fields says nothing."""

DIFFERENT_TEXT: dict[tuple[str, int], str] = {
    ("5", 22): "no recorded order had a reference",
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


@needs_corpus
@pytest.mark.anyio
@ON_TRIO
async def test_the_text_fields_of_a_session_are_a_gateways() -> None:
    if TEXT_VERSION > MAX_CLIENT_VER:
        return  # what speaks this version is another release
    recorded: dict[str, list[list[str]]] = defaultdict(list)
    for row in rows("in", "text"):
        if row["server_version"] in {173, TEXT_VERSION}:
            recorded[row["fields"][0]].append(row["fields"])
    found, compared = set(), set()
    for body in await session(TEXT_VERSION):
        number, *fields = body.decode().split("\0")[:-1]
        if number in VARIABLE or number not in recorded:
            continue
        alike = [frame[1:] for frame in recorded[number] if len(frame) == len(fields) + 1]
        assert alike, (number, len(fields), {len(frame) for frame in recorded[number]})
        compared.add(number)
        for at, text in enumerate(fields):
            if kind(text) not in {kind(each[at]) for each in alike}:
                found.add((number, at))
    assert len(compared) > 12
    assert found == set(DIFFERENT_TEXT)
