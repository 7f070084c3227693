"""Contracts, quotes, ticks and bars as a client sees them."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from tests.simulator.stock import Got, StockClient, contract, names
from trio_ibtws.simulator import Scenario, Simulator, open_simulator

pytestmark = pytest.mark.anyio

EURUSD = ("EUR", "CASH", "IDEALPRO", "USD")
MEXICO = ("AAPL", "STK", "MEXI", "MXN")


def by_id(con_id: int, exchange: str = "SMART") -> Any:
    made = contract("", "", exchange, "")
    made.conId = con_id
    return made


# --- contracts ---------------------------------------------------------------------------------------------------


async def test_contract_details(client: StockClient) -> None:
    client.reqContractDetails(1, contract())
    client.reqContractDetails(2, contract("AAPL", "STK", "", ""))
    client.reqContractDetails(3, contract("XYZ"))
    client.reqContractDetails(4, by_id(8314))
    client.reqContractDetails(5, contract("", "CASH", "", ""))
    one, two, none, ibm, empty = _by_request(await client.sync(), 1, 2, 3, 4, 5)
    assert names(one) == ["contractDetails", "contractDetailsEnd"]
    details = one[0].contractDetails
    assert (details.contract.conId, details.contract.exchange, details.minTick) == (265598, "SMART", 0.01)
    assert details.tradingHours.startswith("20130107:0400-20130107:2000;")
    assert [each.contractDetails.contract.currency for each in two[:-1]] == ["USD", "MXN"]
    for refused in (none, empty):
        assert [each.errorCode for each in refused] == [200]
    assert ibm[0].contractDetails.contract.symbol == "IBM"


def _by_request(got: list[Got], *requests: int) -> list[list[Got]]:
    return [[each for each in got if each.reqId == request] for request in requests]


async def test_matching_symbols(client: StockClient) -> None:
    client.reqMatchingSymbols(1, "micro")
    (got,) = await client.sync()
    assert [each.contract.symbol for each in got.contractDescriptions] == ["MSFT", "MSFT"]


async def test_market_rules(client: StockClient) -> None:
    client.reqMarketRule(239)
    (got,) = await client.until("marketRule")
    assert [each.increment for each in got.priceIncrements] == [0.00005]
    client.reqMarketRule(9999)
    assert [each.errorCode for each in await client.sync()] == [321]


# --- quotes ------------------------------------------------------------------------------------------------------

DELAYED = [66, 67, 68, 88, 72, 73, 74, 75, 76]
LIVE = [45, 4, 49, 1, 2, 6, 7, 8, 9, 14]


def tick_types(got: list[Got]) -> list[int]:
    """Return the types of ticks, without the size that ibapi takes out of a price."""
    sizes = {0, 3, 5, 69, 70, 71}
    return [each.tickType for each in got if each.name.startswith("tick") and each.tickType not in sizes]


async def test_a_live_snapshot(client: StockClient) -> None:
    client.reqMktData(1, contract(), "", True, False, [])
    got = await client.until("tickSnapshotEnd")
    assert names(got)[:2] == ["marketDataType", "tickReqParams"]
    assert got[0].marketDataType == 1
    assert tick_types(got[2:-1]) == LIVE
    prices = {each.tickType: each.price for each in got if each.name == "tickPrice"}
    assert prices[1] < prices[2]
    assert prices[7] <= prices[4] <= prices[6]
    assert await client.sync() == []


async def test_a_delayed_snapshot(client: StockClient) -> None:
    client.reqMarketDataType(3)
    client.reqMktData(1, contract(), "", True, False, [])
    got = await client.until("tickSnapshotEnd")
    assert names(got)[:2] == ["marketDataType", "tickReqParams"]
    assert got[0].marketDataType == 3
    assert tick_types(got[2:-1]) == DELAYED


async def test_a_stream_until_it_is_cancelled(client: StockClient) -> None:
    client.reqMktData(1, contract("IBM"), "", False, False, [])
    client.reqMktData(2, contract("IBM"), "", False, False, [])
    got: list[Got] = []
    for _ in range(20):
        got += await client.until("tickSize", tickType=8)
    assert {each.reqId for each in got if hasattr(each, "reqId")} <= {1, 2}
    client.cancelMktData(1)
    client.cancelMktData(2)
    await client.sync()
    await anyio.sleep(0.02)
    assert await client.sync() == []


async def test_duplicate_and_unknown_lines(client: StockClient) -> None:
    client.reqMktData(1, contract(), "", False, False, [])
    client.reqMktData(1, contract(), "", False, False, [])
    client.cancelMktData(9)
    client.cancelMktData(1)
    got = [each for each in await client.sync() if each.name == "error"]
    assert [(each.reqId, each.errorCode) for each in got] == [(1, 322), (9, 300)]


async def test_data_that_the_account_lacks(version: int, speed: float) -> None:
    async with open_simulator(port=None, scenario=Scenario(live_data=False, speed=speed)) as sim:
        client = await StockClient.start(sim, version, client_id=1)
        client.reqMktData(1, contract(), "", False, False, [])
        got = await client.sync()
        assert names(got) == ["tickReqParams", "error"]
        assert got[1].errorCode == 10089
        client.reqMarketDataType(3)
        client.reqMktData(2, contract(), "", True, False, [])
        assert tick_types((await client.until("tickSnapshotEnd"))[2:-1]) == DELAYED
        client.reqTickByTickData(3, contract(), "Last", 0, False)
        assert [each.errorCode for each in await client.sync()] == [10189]


async def test_the_limit_of_lines(version: int, speed: float) -> None:
    async with open_simulator(port=None, scenario=Scenario(line_limit=2, speed=speed)) as sim:
        client = await StockClient.start(sim, version, client_id=1)
        for request in range(3):
            client.reqMktData(request, contract(), "", False, False, [])
        errors = [each for each in await client.sync() if each.name == "error"]
        assert [(each.reqId, each.errorCode) for each in errors] == [(2, 101)]


async def test_contracts_that_cannot_be_traded(client: StockClient) -> None:
    client.reqMktData(1, contract(*MEXICO), "", False, False, [])
    client.reqMktData(2, contract("AAPL", "STK", "", "USD"), "", False, False, [])
    client.reqMktData(3, contract("XYZ"), "", False, False, [])
    got = [each for each in await client.sync() if each.name == "error"]
    assert [(each.reqId, each.errorCode) for each in got] == [(1, 10089), (2, 321), (3, 200)]


async def test_currencies_have_quotes_and_no_trades(client: StockClient) -> None:
    client.reqMktData(1, contract(*EURUSD), "", True, False, [])
    got = await client.until("tickSnapshotEnd")
    assert tick_types(got[2:-1]) == [1, 2, 6, 7, 9]


@pytest.mark.parametrize(
    ("what", "callback"),
    [
        ("Last", "tickByTickAllLast"),
        ("AllLast", "tickByTickAllLast"),
        ("BidAsk", "tickByTickBidAsk"),
        ("MidPoint", "tickByTickMidPoint"),
    ],
)
async def test_tick_by_tick(client: StockClient, what: str, callback: str) -> None:
    client.reqTickByTickData(1, contract(), what, 0, False)
    times = []
    for _ in range(8):
        (tick,) = await client.until(callback)
        times.append(tick.time)
    assert times == sorted(times)
    client.cancelTickByTickData(1)
    client.cancelTickByTickData(1)
    got = await client.sync()
    assert [each.errorCode for each in got if each.name == "error"] == [300]


# --- bars --------------------------------------------------------------------------------------------------------


def ask_bars(
    client: StockClient, request: int, end: str, duration: str, size: str, what: str = "TRADES", **more: Any
) -> None:
    wanted = more.get("contract") or contract()
    keep = more.get("keep", False)
    client.reqHistoricalData(request, wanted, end, duration, size, what, 1, more.get("format", 1), keep, [])


async def bars(client: StockClient, *arguments: Any, **more: Any) -> list[Any]:
    ask_bars(client, 1, *arguments, **more)
    return [each.bar for each in (await client.until("historicalDataEnd"))[:-1]]


async def test_daily_bars_are_the_recorded_ones(client: StockClient) -> None:
    got = await bars(client, "20121231 23:59:59", "1 Y", "1 day")
    assert len(got) == 250
    last = got[-1]
    assert (last.date, last.open, last.close) == ("20121231", 510.53, 532.17)


async def test_bars_of_every_size_tell_one_story(client: StockClient) -> None:
    (day,) = await bars(client, "20130104 16:00:00", "1 D", "1 day")
    for size, count in {"1 hour": 7, "30 mins": 13, "5 mins": 78, "1 min": 390, "30 secs": 780}.items():
        parts = await bars(client, "20130104 16:00:00", "1 D", size)
        assert len(parts) == count
        assert (parts[0].open, parts[-1].close) == (day.open, day.close)
        assert (max(each.high for each in parts), min(each.low for each in parts)) == (day.high, day.low)
        if client.serverVersion() >= 175:
            assert sum(each.volume for each in parts) == day.volume


async def test_dates(client: StockClient) -> None:
    (bar,) = await bars(client, "20130104 10:00:00", "1 D", "1 hour")
    assert bar.date == ("20130104 09:30:00 US/Eastern" if client.serverVersion() >= 174 else "20130104  09:30:00")
    (bar,) = await bars(client, "20130104-15:00:00", "1 D", "1 hour", format=2)
    assert bar.date == "1357309800"
    weeks = await bars(client, "20130104 16:00:00", "2 W", "1 week")
    assert [each.date for each in weeks] == ["20121224", "20121231"]


async def test_what_to_show(client: StockClient) -> None:
    shown = {
        what: (await bars(client, "20130103 16:00:00", "1 D", "1 day", what))[0] for what in ("TRADES", "BID", "ASK")
    }
    assert shown["BID"].close < shown["TRADES"].close < shown["ASK"].close
    (adjusted,) = await bars(client, "", "1 D", "1 day", "ADJUSTED_LAST")
    assert adjusted.close < shown["TRADES"].close
    hours = await bars(client, "", "1 D", "1 hour", "MIDPOINT", contract=contract(*EURUSD))
    assert 10 < len(hours) <= 24


async def test_queries_that_have_no_answer(client: StockClient) -> None:
    ask_bars(client, 1, "19990101 00:00:00", "1 D", "1 day")
    ask_bars(client, 2, "", "1 D", "1 day", contract=contract(*MEXICO))
    ask_bars(client, 3, "", "1 D", "1 day", contract=contract(*EURUSD))
    ask_bars(client, 4, "", "1 D", "7 mins")
    ask_bars(client, 5, "", "1 X", "1 day")
    ask_bars(client, 6, "yesterday", "1 D", "1 day")
    ask_bars(client, 7, "", "1 D", "1 day", "GUESS")
    ask_bars(client, 8, "", "1 D", "1 day", contract=contract("XYZ"))
    ask_bars(client, 9, "20130104 16:00:00", "1 D", "1 day", keep=True)
    ask_bars(client, 10, "", "3 D", "5 secs")
    ask_bars(client, 11, "00010101 00:00:00", "9999 W", "1 day")
    got: list[Got] = []
    while len(got) < 11:
        got += await client.until("error")
    assert {each.reqId: each.errorCode for each in got} == {
        **dict.fromkeys((1, 2, 3, 10, 11), 162),
        **dict.fromkeys((4, 5, 6, 7, 9), 321),
        8: 200,
    }
    texts = {each.reqId: each.errorString for each in got}
    assert texts[1] == "Historical Market Data Service error message:HMDS query returned no data: AAPL@SMART Trades"


async def test_cancelled_queries(client: StockClient) -> None:
    ask_bars(client, 1, "", "1 D", "1 day")
    ask_bars(client, 1, "", "1 D", "1 day")
    client.cancelHistoricalData(1)
    client.cancelHistoricalData(1)
    got = await client.sync()
    assert [each.errorCode for each in got] == [322, 162, 366]
    assert got[1].errorString == "Historical Market Data Service error message:API historical data query cancelled: 1"


async def test_bars_that_are_kept_up_to_date(sim: Simulator, client: StockClient) -> None:
    ask_bars(client, 1, "", "1 D", "1 min", keep=True)
    first = (await client.until("historicalDataEnd"))[-2].bar
    updates = [(await client.until("historicalDataUpdate"))[-1].bar for _ in range(14)]
    assert updates[0].date >= first.date
    assert len({each.date for each in updates}) >= 2
    client.cancelHistoricalData(1)
    assert [each.errorCode for each in await client.sync() if each.name == "error"] == [162]
