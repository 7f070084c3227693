"""News, scanners, advisors, display groups, the calendar, and what else is seldom asked for."""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from xml.etree import ElementTree

import anyio
import pytest
from ibapi.client import EClient
from ibapi.scanner import ScannerSubscription

from tests.simulator.stock import StockClient, contract, names
from trio_ibtws.simulator import Limits, Scenario, Simulator, open_simulator

pytestmark = pytest.mark.anyio

APPLE = 265598


@asynccontextmanager
async def running(speed: float, version: int, **settings: Any) -> AsyncGenerator[tuple[Simulator, StockClient]]:
    scenario = Scenario(speed=speed, limits=Limits.off(), **settings)
    async with open_simulator(port=None, scenario=scenario) as sim:
        yield sim, await StockClient.start(sim, version, client_id=1)


def codes(got: list[Any]) -> list[tuple[int, int]]:
    return [(getattr(each, "reqId", -1), each.errorCode) for each in got if each.name == "error"]


# --- news --------------------------------------------------------------------------------------------------------


async def test_headlines_and_articles(client: StockClient) -> None:
    client.reqNewsProviders()
    (listed,) = await client.sync()
    assert [each.code for each in listed.newsProviders] == ["BRFG", "BRFUPDN", "DJNL"]
    client.reqHistoricalNews(1, APPLE, "BRFG+DJNL", "2013-01-02 00:00:00.0", "2013-01-04 23:00:00.0", 5, [])
    got = await client.sync()
    assert names(got) == [*["historicalNews"] * 5, "historicalNewsEnd"]
    assert got[0].time == "2013-01-04 13:30:00.0"
    assert got[-1].hasMore
    times = [each.time for each in got[:-1]]
    assert times == sorted(times, reverse=True)
    client.reqNewsArticle(2, got[0].providerCode, got[0].articleId, [])
    (article,) = await client.sync()
    assert got[0].articleId in article.articleText
    client.reqNewsArticle(3, "BRFG", "nonsense", [])
    client.reqHistoricalNews(4, APPLE, "DJ-N", "", "", 5, [])
    client.reqHistoricalNews(5, 1, "BRFG", "", "", 5, [])
    got = await client.sync()
    assert codes(got) == [(3, 10172), (4, 10276)]
    assert names(got)[-1] == "historicalNewsEnd"
    assert not got[-1].hasMore
    client.reqHistoricalNews(6, APPLE, "BRFG", "0001-01-01 00:00:00.0", "0001-01-01 00:00:00.0", 5, [])
    assert names(await client.sync()) == ["historicalNewsEnd"]


async def test_bulletins(client: StockClient, sim: Simulator) -> None:
    client.reqNewsBulletins(True)
    (got,) = await client.sync()
    assert got.newsMessage.startswith("All exchanges trade as usual")
    client.cancelNewsBulletins()
    assert await client.sync() == []


async def test_headlines_as_ticks(client: StockClient) -> None:
    client.reqMktData(1, contract(), "mdoff,292:BRFG", False, False, [])
    *start, tick = await client.sync()
    assert set(names(start)) == {"marketDataType", "tickReqParams"}
    assert (tick.name, tick.tickerId, tick.providerCode) == ("tickNews", 1, "BRFG")
    client.cancelMktData(1)
    assert await client.sync() == []
    client.reqMktData(2, contract(), "292:NONE", False, False, [])
    got = await client.until("error")
    assert "tickReqParams" in names(got)
    assert codes(got) == [(2, 10276)]


# --- scanners ----------------------------------------------------------------------------------------------------


def scan(code: str, **more: Any) -> ScannerSubscription:
    made = ScannerSubscription()
    made.instrument, made.locationCode, made.scanCode = "STK", "STK.US.MAJOR", code
    for name, value in more.items():
        setattr(made, name, value)
    return made


async def test_a_scan_goes_on_until_it_is_cancelled(client: StockClient, sim: Simulator) -> None:
    client.reqScannerParameters()
    (known,) = await client.sync()
    assert "TOP_PERC_GAIN" in [each.text for each in ElementTree.fromstring(known.xml).iter("scanCode")]
    before = sim.time()
    client.reqScannerSubscription(1, scan("TOP_PERC_GAIN", numberOfRows=2), [], [])
    got = await client.until("scannerDataEnd")
    assert names(got) == ["scannerData", "scannerData", "scannerDataEnd"]
    assert [each.rank for each in got[:2]] == [0, 1]
    await client.until("scannerDataEnd")
    assert sim.time() - before >= 30
    client.cancelScannerSubscription(1)
    client.cancelScannerSubscription(2)
    assert codes(await client.sync()) == [(1, 162), (2, 365)]


async def test_scans_that_find_nothing_or_are_none(client: StockClient) -> None:
    client.reqScannerSubscription(1, scan("MOST_ACTIVE", locationCode="STK.HK"), [], [])
    got = await client.until("scannerDataEnd")
    assert codes(got) == [(1, 165)]
    assert names(got) == ["error", "scannerDataEnd"]
    client.reqScannerSubscription(1, scan("MOST_ACTIVE"), [], [])
    client.reqScannerSubscription(2, scan("NONSENSE"), [], [])
    assert codes(await client.sync()) == [(1, 322), (2, 162)]


# --- advisors ----------------------------------------------------------------------------------------------------


async def test_no_advisor(client: StockClient) -> None:
    client.requestFA(1)
    replace(client, 7, 1, "<x/>")
    assert codes(await client.sync()) == [(0, 321), (7, 321)]


def replace(client: StockClient, request: int, kind: int, xml: str) -> None:
    client.replaceFA(request, kind, xml)


async def test_an_advisor(speed: float, version: int) -> None:
    async with running(speed, version, account="F1", advisor=("DU1", "DU2")) as (_, client):
        client.reqManagedAccts()
        (got,) = await client.sync()
        assert got.accountsList == "F1,DU1,DU2,"
        for kind in (1, 3, 9):
            client.requestFA(kind)
        replace(client, 7, 1, "<ListOfGroups/>")
        client.requestFA(1)
        first, aliases, error, end, second = await client.sync()
        assert [each.text for each in ElementTree.fromstring(first.cxml.encode()).iter("String")] == ["DU1", "DU2"]
        assert len(list(ElementTree.fromstring(aliases.cxml.encode()))) == 3
        assert (error.reqId, error.errorCode) == (0, 321)
        assert (end.name, end.reqId) == ("replaceFAEnd", 7)
        assert second.cxml == "<ListOfGroups/>"


# --- display groups ----------------------------------------------------------------------------------------------


async def test_display_groups_are_shared(sim: Simulator, version: int, client: StockClient) -> None:
    other = await StockClient.start(sim, version, client_id=2)
    client.queryDisplayGroups(1)
    client.subscribeToGroupEvents(2, 3)
    client.subscribeToGroupEvents(3, 99)
    listed, shown, error = await client.sync()
    assert listed.groups == "1|2|3|4|5|6|7"
    assert shown.contractInfo == "none"
    assert error.errorCode == 321
    other.subscribeToGroupEvents(8, 3)
    other.updateDisplayGroup(8, f"{APPLE}@SMART")
    assert [each.contractInfo for each in await other.sync()] == ["none", f"{APPLE}@SMART"]
    assert (await client.until("displayGroupUpdated"))[-1].contractInfo == f"{APPLE}@SMART"
    client.unsubscribeFromGroupEvents(2)
    client.updateDisplayGroup(2, "none")
    assert codes(await client.sync()) == [(2, 321)]


# --- the rest ----------------------------------------------------------------------------------------------------


async def test_user_tiers_and_families(client: StockClient, version: int) -> None:
    client.reqSoftDollarTiers(1)
    client.reqFamilyCodes()
    assert names(await client.sync()) == ["softDollarTiers", "familyCodes"]
    if version >= 176:
        client.reqUserInfo(2)
        (got,) = await client.sync()
        assert got.whiteBrandingId == ""


async def test_the_calendar_needs_a_permission(speed: float, version: int) -> None:
    if version < 176:
        return
    for allowed in (False, True):
        async with running(speed, version, calendar=allowed) as (_, client):
            client.reqWshMetaData(1)
            (got,) = await client.sync()
            assert codes([got]) == ([] if allowed else [(1, 10276)])
            if allowed:
                assert json.loads(got.dataJson)["meta_data"]


async def test_the_time_in_milliseconds_is_swallowed_likewise(client: StockClient, version: int, speed: float) -> None:
    if version < 213:
        return
    client.reqCurrentTimeInMillis()
    client.reqCurrentTime()
    assert names(await client.sync()) == ["currentTimeInMillis"]
    await anyio.sleep(5 / speed)
    client.reqCurrentTime()
    assert names(await client.sync()) == ["currentTime"]


async def test_the_configuration(client: StockClient, version: int) -> None:
    if version < 219 or not hasattr(EClient, "reqConfigProtoBuf"):
        return
    messages = importlib.import_module("ibapi.protobuf.ConfigRequest_pb2")
    client.reqConfigProtoBuf(messages.ConfigRequest(reqId=3))
    (got,) = await client.sync()
    (proto,) = [value for name, value in vars(got).items() if name != "name"]
    assert proto.reqId == 3
    assert not proto.api.settings.readOnlyApi
