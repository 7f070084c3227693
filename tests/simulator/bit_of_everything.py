"""Sessions in which the simulator sends messages of every type, for comparison with recorded ones."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ibapi.execution import ExecutionFilter
from ibapi.scanner import ScannerSubscription

from tests.simulator.stock import StockClient, contract, order
from trio_ibtws.simulator import Scenario, open_simulator


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


async def long_tail(version: int) -> list[bytes]:
    """Do what few clients do; return the frames that came."""
    async with open_simulator(port=None, scenario=Scenario(live_data=True)) as sim:
        client = await StockClient.start(sim, version, 1)
        await look_up(client)
        await read_news(client)
        await quote(client)
        return client.frames


async def look_up(client: StockClient) -> None:
    for ask, end in (
        (lambda: client.reqSecDefOptParams(1, "AAPL", "", "STK", 265598), "securityDefinitionOptionParameterEnd"),
        (lambda: client.reqSoftDollarTiers(2), "softDollarTiers"),
        (lambda: client.reqUserInfo(3), "userInfo"),
        (lambda: client.queryDisplayGroups(4), "displayGroupList"),
        (lambda: client.subscribeToGroupEvents(5, 1), "displayGroupUpdated"),
        (lambda: client.reqHeadTimeStamp(6, contract(), "TRADES", 1, 1), "headTimestamp"),
        (client.reqMktDepthExchanges, "mktDepthExchanges"),
        (lambda: client.reqScannerSubscription(9, a_scan(), [], []), "scannerDataEnd"),
    ):
        ask()
        await client.until(end)
    client.reqHistoricalData(7, contract(), "", "3 D", "1 day", "SCHEDULE", 1, 1, False, [])
    await client.until("historicalSchedule")
    for ticks in ("TRADES", "BID_ASK", "MIDPOINT"):
        client.reqHistoricalTicks(8, contract(), "", "20130102 15:00:00", 10, ticks, 1, False, [])
        await client.until(TICKS[ticks])
    client.reqHistoricalData(10, contract(), "", "1 D", "1 hour", "TRADES", 1, 1, False, [])
    await client.until("historicalDataEnd")
    if client.serverVersion() >= SETTINGS_SINCE:
        client.reqCurrentTimeInMillis()
        await client.until("currentTimeInMillis")
        client.reqConfigProtoBuf(a_question())
        await client.until("configResponseProtoBuf")


TICKS = {"TRADES": "historicalTicksLast", "BID_ASK": "historicalTicksBidAsk", "MIDPOINT": "historicalTicks"}
SETTINGS_SINCE = 219


def a_scan() -> ScannerSubscription:
    made = ScannerSubscription()
    made.instrument, made.locationCode, made.scanCode = "STK", "STK.US.MAJOR", "TOP_PERC_GAIN"
    return made


def a_question() -> Any:
    return import_module("ibapi.protobuf.ConfigRequest_pb2").ConfigRequest(reqId=10)


async def read_news(client: StockClient) -> None:
    client.reqNewsProviders()
    await client.until("newsProviders")
    client.reqHistoricalNews(20, 265598, "BRFG", "", "", 3, [])
    await client.until("historicalNewsEnd")
    client.reqMktData(21, contract(), "mdoff,292:BRFG", False, False, [])
    await client.until("tickNews")
    client.cancelMktData(21)


async def quote(client: StockClient) -> None:
    client.reqMktData(30, contract(), "106", True, False, [])
    await client.until("tickSnapshotEnd")
    client.reqMktData(31, contract(), "106", False, False, [])
    await client.until("tickGeneric", tickType=24)
    client.reqSmartComponents(36, "9c0001")
    await client.until("smartComponents")
    client.reqMktDepth(32, contract("EUR", "CASH", "IDEALPRO"), 3, False, [])
    await client.until("updateMktDepth")
    client.reqSecDefOptParams(33, "AAPL", "", "STK", 265598)
    came = await client.until("securityDefinitionOptionParameterEnd")
    chain = next(each for each in came if each.name == "securityDefinitionOptionParameter")
    option = contract("AAPL", "OPT")
    option.lastTradeDateOrContractMonth, option.right, option.strike = min(chain.expirations), "C", min(chain.strikes)
    client.reqMktData(34, option, "", False, False, [])
    await client.until("tickOptionComputation")
    client.reqMktData(35, contract("AAPL", "CFD"), "", False, False, [])
    await client.until("rerouteMktDataReq")
