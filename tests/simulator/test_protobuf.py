"""Sessions that are protobuf from the first frame to the last: ibapi's client, our own, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from ibapi.order import Order

from tests.simulator.stock import PROTOBUF_VERSIONS, StockClient, contract, names, order
from trio_ibtws import Client, TickByTickBidAsk, UpdateAccountValue, open_client
from trio_ibtws._runtime._framing import FrameBuffer, frame
from trio_ibtws.simulator import Scenario, Simulator, open_simulator
from trio_ibtws.simulator._codec import UnknownMessage, decode_request
from trio_ibtws.simulator._codec_protobuf import wire_class
from trio_ibtws.simulator._handshake import check_version, choose_version

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.speaks(213),
]
NEWEST = max(PROTOBUF_VERSIONS, default=0)


# --- which version -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", PROTOBUF_VERSIONS)
def test_a_client_gets_the_newest_version_that_both_know(version: int) -> None:
    assert choose_version(b"v100..%d" % version, None) == version
    assert choose_version(b"v%d..999" % version, None) == NEWEST
    assert choose_version(b"v100..999", version) == version


@pytest.mark.parametrize("highest", [177, 193, 200, 201, 212])
def test_between_text_and_protobuf_a_client_gets_176(highest: int) -> None:
    assert choose_version(b"v100..%d" % highest, None) == 176
    assert choose_version(b"v177..%d" % highest, None) is None


@pytest.mark.parametrize("version", [0, 156, 177, 200, 212, 227])
def test_versions_that_nobody_serves(version: int) -> None:
    with pytest.raises(ValueError, match="is not served"):
        check_version(version)


def test_a_version_whose_messages_the_installed_ibapi_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trio_ibtws.simulator._handshake.SERVER_VERSIONS", (176, 157))
    monkeypatch.setattr("trio_ibtws.simulator._handshake.MAX_CLIENT_VERSION", 187)
    with pytest.raises(ValueError, match=r"installed release .* has those of versions up to 187"):
        check_version(226)


@pytest.mark.parametrize("version", PROTOBUF_VERSIONS)
async def test_every_version_serves_ibapi(speed: float, version: int) -> None:
    async with open_simulator(port=None, server_version=version, scenario=Scenario(speed=speed)) as sim:
        client = await StockClient.start(sim, version, 1)
        client.reqContractDetails(1, contract())
        got = await client.until("contractDetailsEnd")
        assert got[0].contractDetails.longName
        client.placeOrder(1, contract(), order("BUY", 10))
        got = await client.until("orderStatus", status="Filled")
        assert {"openOrder", "orderStatus", "execDetails", "commissionReport"} >= set(names(got)) >= {"openOrder"}
        assert all(body[:4] > (200).to_bytes(4, "big") for body in client.frames)


# --- bad input ---------------------------------------------------------------------------------------------------


@pytest.fixture
def version() -> int:
    return NEWEST


async def test_unreadable_requests_are_refused(client: StockClient) -> None:
    assert client.stream is not None
    wrong_id, text, cut = b"\0\0\x03\xe7", b"\0\0\0\x5b26\0", b"\0\0\0\xc9\x08"
    for body in (wrong_id, text, cut, b"\0"):
        await client.stream.send(frame(body))
    assert [each.errorCode for each in await client.sync()] == [320] * 4


def test_a_number_that_is_none() -> None:
    request = wire_class("placeOrder", request=True)(orderId=7)
    request.order.totalQuantity = "many"
    with pytest.raises(Exception, match="totalQuantity") as caught:
        decode_request((203).to_bytes(4, "big") + request.SerializeToString(), NEWEST)
    assert not isinstance(caught.value, UnknownMessage)


# --- orders, one attribute at a time -----------------------------------------------------------------------------

NOT_SENT = {
    # identity that a request has once, what TWS alone sets, and what is gone from the wire
    "orderId", "filledQuantity", "refFuturesConId", "shareholder", "parentPermId", "autoCancelDate", "auctionStrategy",
    "basisPoints", "basisPointsType", "faProfile", "eTradeOnly", "firmQuoteOnly", "nbboPriceCap", "sharesAllocation",
    "externalUserId",
    # lists, tested with the layouts
    "algoParams", "conditions", "orderComboLegs", "orderMiscOptions", "smartComboRoutingParams", "softDollarTier",
}  # fmt: skip


def different(attribute: str, default: Any) -> Any:
    if isinstance(default, bool) or attribute in {"usePriceMgmtAlgo", "seekPriceImprovement", "routeMarketableToBbo"}:
        return not default
    if isinstance(default, str):
        return {"right": "C"}.get(attribute, "x1")
    if isinstance(default, Decimal):
        return Decimal(6)
    return 6.25 if isinstance(default, float) else 6


@pytest.mark.parametrize("attribute", sorted(set(vars(Order())) - NOT_SENT))
def test_every_attribute_of_an_order_is_read(attribute: str) -> None:
    value = different(attribute, getattr(Order(), attribute))
    client = StockClient(None, NEWEST)
    made = order("BUY", 10, "LMT")
    setattr(made, attribute, value)
    client.placeOrder(5, contract(), made)
    assert not client.got, client.got
    frames = FrameBuffer()
    frames.receive_data(bytes(client.outbox.data))
    request = decode_request(frames.next_frame() or b"", NEWEST)
    order_values, attached = request.values["order"], request.values.get("attachedOrders", {})
    assert {**order_values, **attached}.get(attribute, False) == value


# --- our own client ----------------------------------------------------------------------------------------------


async def test_our_own_client(sim: Simulator) -> None:
    async with open_client(stream=await sim.connect(), client_id=7, trading=True) as client:
        assert client.server_version == NEWEST
        (details,) = await client.contract_details(contract())
        assert (details.contract.symbol, details.minTick) == ("AAPL", 0.01)
        bars = await client.historical_data(contract(), "", "5 D", "1 hour", "TRADES")
        assert len(bars) > 3
        assert bars.end is not None
        assert bars.end.end
        async with client.mkt_data(contract()) as ticks:
            kinds = {type(await ticks.receive()).__name__ for _ in range(8)}
            assert {"TickPrice", "TickSize"} <= kinds
        await fill(client)
        positions = await client.positions()
        assert [(each.contract.symbol, each.position) for each in positions] == [("AAPL", Decimal(10))]
        updates = await client.account_updates()
        values = {each.key: each.val for each in updates if isinstance(each, UpdateAccountValue)}
        assert Decimal(values["NetLiquidation"]) > 0


async def fill(client: Client) -> None:
    async with client.place_order(contract(), order("BUY", 10)) as events:
        told = set()
        async for event in events:
            told.add(type(event).__name__)
            if getattr(event, "status", "") == "Filled":
                break
    assert {"OpenOrder", "OrderStatus"} <= told


async def test_what_needs_live_data(speed: float) -> None:
    scenario = Scenario(speed=speed, live_data=True)
    async with open_simulator(port=None, scenario=scenario) as sim:
        async with open_client(stream=await sim.connect()) as client:
            async with client.tick_by_tick_data(contract(), "BidAsk") as ticks:
                tick = await ticks.receive()
                assert isinstance(tick, TickByTickBidAsk)
                assert 0 < (tick.bid_price or 0) < (tick.ask_price or 0)


async def test_a_condition_has_no_fields_of_other_kinds(speed: float) -> None:
    from ibapi.order_condition import TimeCondition

    later = TimeCondition(True, "20130301 10:00:00 US/Eastern")
    async with open_simulator(port=None, scenario=Scenario(speed=speed)) as sim:
        client = await StockClient.start(sim, NEWEST, 1)
        client.placeOrder(1, contract(), order("BUY", 10, conditions=[later]))
        await client.flush()
        while (body := await client._frame())[:4] != (205).to_bytes(4, "big"):
            pass
        message = wire_class("OpenOrder")()
        message.ParseFromString(body[4:])
        (condition,) = message.order.conditions
        given = [field.name for field, _ in condition.ListFields()]
        assert given == ["type", "isConjunctionConnection", "isMore", "time"]
