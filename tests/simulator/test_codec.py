"""The layouts against ibapi: what its encoder writes is read, and what is written its decoder reads."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibapi.contract import Contract
from ibapi.execution import ExecutionFilter
from ibapi.order import Order

from tests.simulator.stock import VERSIONS, StockClient, cancel, cancel_all, contract, order
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
from trio_ibtws.simulator._codec_requests import REQUESTS

AAPL = {"conId": 265598, "symbol": "AAPL", "secType": "STK", "exchange": "SMART", "currency": "USD"}
BAR = {
    "date": "20130115",
    "open": 498.3,
    "high": 499.0,
    "low": 495.25,
    "close": 496.0,
    "volume": 1200,
    "wap": "497.125",
    "barCount": 17,
}

ANSWERS: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("tickPrice", {"reqId": 7, "tickType": 6, "price": 1.25, "size": 0}, "tickPrice", {"tickType": 6, "price": 1.25}),
    ("tickSize", {"reqId": 7, "tickType": 8, "size": 900}, "tickSize", {"tickType": 8, "size": 900}),
    ("tickString", {"reqId": 7, "tickType": 45, "value": "1358262000"}, "tickString", {"value": "1358262000"}),
    ("tickGeneric", {"reqId": 7, "tickType": 49, "value": 0.0}, "tickGeneric", {"value": 0.0}),
    (
        "orderStatus",
        {
            "orderId": 5,
            "status": "Filled",
            "filled": Decimal("1.5"),
            "remaining": Decimal(0),
            "avgFillPrice": 9.75,
            "permId": 900000001,
            "parentId": 4,
            "lastFillPrice": 9.5,
            "clientId": 3,
            "whyHeld": "child",
        },
        "orderStatus",
        {
            "orderId": 5,
            "status": "Filled",
            "filled": 1.5,
            "permId": 900000001,
            "whyHeld": "child",
            "avgFillPrice": 9.75,
        },
    ),
    (
        "error",
        {"reqId": 9, "errorCode": 200, "errorString": "none"},
        "error",
        {"errorCode": 200, "errorString": "none"},
    ),
    (
        "updateAccountValue",
        {"key": "NetLiquidation", "value": "1.00", "currency": "USD", "accountName": "DU1"},
        "updateAccountValue",
        {"key": "NetLiquidation", "val": "1.00", "currency": "USD", "accountName": "DU1"},
    ),
    ("updateAccountTime", {"timeStamp": "10:00"}, "updateAccountTime", {"timeStamp": "10:00"}),
    (
        "updatePortfolio",
        {
            "contract": AAPL,
            "position": Decimal(-5),
            "marketPrice": 2.5,
            "marketValue": -12.5,
            "averageCost": 2.0,
            "unrealizedPNL": -2.5,
            "realizedPNL": 1.25,
            "accountName": "DU1",
        },
        "updatePortfolio",
        {"position": -5, "marketValue": -12.5, "unrealizedPNL": -2.5, "realizedPNL": 1.25, "accountName": "DU1"},
    ),
    ("nextValidId", {"orderId": 12}, "nextValidId", {"orderId": 12}),
    ("managedAccounts", {"accountsList": "DU1,DU2,"}, "managedAccounts", {"accountsList": "DU1,DU2,"}),
    ("currentTime", {"time": 1358262000}, "currentTime", {"time": 1358262000}),
    ("contractDetailsEnd", {"reqId": 3}, "contractDetailsEnd", {"reqId": 3}),
    ("openOrderEnd", {}, "openOrderEnd", {}),
    ("accountDownloadEnd", {"accountName": "DU1"}, "accountDownloadEnd", {"accountName": "DU1"}),
    ("execDetailsEnd", {"reqId": 3}, "execDetailsEnd", {"reqId": 3}),
    ("tickSnapshotEnd", {"reqId": 3}, "tickSnapshotEnd", {"reqId": 3}),
    ("marketDataType", {"reqId": 3, "marketDataType": 4}, "marketDataType", {"marketDataType": 4}),
    (
        "position",
        {"account": "DU1", "contract": AAPL, "position": Decimal("2.5"), "avgCost": 7.125},
        "position",
        {"account": "DU1", "position": 2.5, "avgCost": 7.125},
    ),
    ("positionEnd", {}, "positionEnd", {}),
    (
        "accountSummary",
        {"reqId": 3, "account": "DU1", "tag": "Cushion", "value": "1", "currency": "USD"},
        "accountSummary",
        {"reqId": 3, "account": "DU1", "tag": "Cushion", "value": "1", "currency": "USD"},
    ),
    ("accountSummaryEnd", {"reqId": 3}, "accountSummaryEnd", {"reqId": 3}),
    (
        "tickReqParams",
        {"reqId": 3, "minTick": 0.01, "bboExchange": "9c0001", "snapshotPermissions": 4},
        "tickReqParams",
        {"minTick": 0.01, "bboExchange": "9c0001", "snapshotPermissions": 4},
    ),
    (
        "tickByTick",
        {"reqId": 3, "tickType": 2, "time": 5, "price": 2.5, "size": 3, "mask": 2, "exchange": "X"},
        "tickByTickAllLast",
        {"tickType": 2, "time": 5, "price": 2.5, "size": 3, "exchange": "X"},
    ),
    (
        "tickByTick",
        {"reqId": 3, "tickType": 3, "time": 5, "bidPrice": 2.5, "askPrice": 2.75, "bidSize": 3, "askSize": 4},
        "tickByTickBidAsk",
        {"bidPrice": 2.5, "askPrice": 2.75, "bidSize": 3, "askSize": 4},
    ),
    (
        "tickByTick",
        {"reqId": 3, "tickType": 4, "time": 5, "midPoint": 2.625},
        "tickByTickMidPoint",
        {"midPoint": 2.625},
    ),
    ("completedOrdersEnd", {}, "completedOrdersEnd", {}),
    ("pnl", {"reqId": 3, "dailyPnL": 1.5, "unrealizedPnL": 1.0, "realizedPnL": 0.5}, "pnl", {"dailyPnL": 1.5}),
    ("pnlSingle", {"reqId": 3, "pos": 4, "dailyPnL": 1.5, "value": 9.0}, "pnlSingle", {"pos": 4, "value": 9.0}),
]


def decoded(message: Message, version: int) -> list[Any]:
    client = StockClient(None, version)
    for part in parts_of(message, version):
        client.interpret(encode_answer(part, version))
    return client.got


@pytest.mark.parametrize(("name", "values", "callback", "expected"), ANSWERS)
def test_ibapi_reads_what_went_in(
    version: int, name: str, values: dict[str, Any], callback: str, expected: dict[str, Any]
) -> None:
    (got,) = decoded(Message(name, values), version)
    assert got.name == callback
    assert {key: getattr(got, key) for key in expected} == expected


def test_nested_answers(version: int) -> None:
    (got,) = decoded(
        Message("execDetails", {"reqId": -1, "orderId": 5, "contract": AAPL, "execution": EXECUTION}), version
    )
    assert (got.reqId, got.contract.symbol, got.execution.orderId) == (-1, "AAPL", 5)
    for name, value in EXECUTION.items():
        assert getattr(got.execution, name) == value
    bar, end = decoded(
        Message("historicalData", {"reqId": 3, "startDateStr": "a", "endDateStr": "b", "bars": [BAR]}), version
    )
    assert (bar.bar.date, bar.bar.open, bar.bar.volume, bar.bar.barCount) == ("20130115", 498.3, 1200, 17)
    assert (end.name, end.start, end.end) == ("historicalDataEnd", "a", "b")
    (update,) = decoded(Message("historicalDataUpdate", {"reqId": 3, **BAR}), version)
    assert (update.bar.high, update.bar.low, update.bar.close, update.bar.volume) == (499.0, 495.25, 496.0, 1200)
    (rule,) = decoded(
        Message("marketRule", {"marketRuleId": 26, "priceIncrements": [{"lowEdge": 0.0, "increment": 0.01}]}), version
    )
    assert [(each.lowEdge, each.increment) for each in rule.priceIncrements] == [(0.0, 0.01)]
    sample = {**AAPL, "primaryExchange": "NASDAQ", "derivativeSecTypes": ["OPT", "CFD"]}
    (samples,) = decoded(Message("symbolSamples", {"reqId": 3, "contractDescriptions": [sample]}), version)
    assert samples.contractDescriptions[0].contract.primaryExchange == "NASDAQ"
    assert list(samples.contractDescriptions[0].derivativeSecTypes) == ["OPT", "CFD"]
    (report,) = decoded(Message("commissionReport", {"execId": "e", "commission": 1.0, "currency": "USD"}), version)
    (charge,) = [value for key, value in vars(report).items() if key != "name"]
    assert (charge.execId, charge.currency) == ("e", "USD")
    assert charge.realizedPNL > 1e308 or version >= 213  # ibapi makes 0 of what a protobuf message has not
    (codes,) = decoded(Message("familyCodes", {"familyCodes": [{"accountID": "*", "familyCodeStr": ""}]}), version)
    assert codes.familyCodes[0].accountID == "*"


EXECUTION = {
    "execId": "0001.02",
    "time": "20130115 10:00:00",
    "acctNumber": "DU1",
    "exchange": "IEX",
    "side": "BOT",
    "shares": Decimal("1.5"),
    "price": 9.75,
    "permId": 900000001,
    "clientId": 3,
    "cumQty": Decimal(2),
    "avgPrice": 9.5,
    "orderRef": "mine",
    "lastLiquidity": 2,
}


def test_contract_details(version: int) -> None:
    values = {
        "reqId": 3,
        "contract": {**AAPL, "primaryExchange": "NASDAQ", "tradingClass": "NMS", "localSymbol": "AAPL"},
        "marketName": "NMS",
        "minTick": 0.01,
        "orderTypes": "MKT",
        "validExchanges": "SMART,IEX",
        "longName": "Soci\u00e9t\u00e9",
        "timeZoneId": "US/Eastern",
        "tradingHours": "t",
        "liquidHours": "l",
        "secIdList": [{"tag": "ISIN", "value": "US0378331005"}],
        "marketRuleIds": "26,26",
        "stockType": "COMMON",
        "minSize": "0.0001",
    }
    (got,) = decoded(Message("contractDetails", values), version)
    details = got.contractDetails
    assert (details.contract.conId, details.contract.primaryExchange) == (265598, "NASDAQ")
    assert (details.longName, details.marketRuleIds, details.stockType) == ("Soci\u00e9t\u00e9", "26,26", "COMMON")
    assert [(each.tag, each.value) for each in details.secIdList] == [("ISIN", "US0378331005")]
    if version >= 164:
        assert (details.minSize, details.sizeIncrement) == (Decimal("0.0001"), 1)


def test_texts_are_ascii_with_escapes() -> None:
    message = Message("error", {"reqId": 1, "errorCode": 2, "errorString": "caf\u00e9 \U0001f600"})
    assert b"caf\\u00e9 \\ud83d\\ude00" in encode_answer(message, 176)


# --- requests ----------------------------------------------------------------------------------------------------


def requested(client: StockClient) -> Message:
    frames = FrameBuffer()
    frames.receive_data(bytes(client.outbox.data))
    client.outbox.data.clear()
    body = frames.next_frame()
    assert body is not None
    assert frames.next_frame() is None
    return decode_request(body, client.serverVersion())


def full_contract() -> Contract:
    made = contract()
    made.conId, made.localSymbol, made.tradingClass, made.primaryExchange = 265598, "AAPL", "NMS", "NASDAQ"
    made.lastTradeDateOrContractMonth, made.strike, made.right, made.multiplier = "201301", 2.5, "C", "100"
    return made


def test_requests_are_read_as_ibapi_wrote_them(version: int) -> None:
    client = StockClient(None, version)
    wanted = full_contract()
    client.clientId = 4
    plain: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("startApi", (), {"clientId": 4}),
        ("reqCurrentTime", (), {}),
        ("reqIds", (3,), {"numIds": 3}),
        ("reqManagedAccts", (), {}),
        ("reqMatchingSymbols", (7, "app"), {"reqId": 7, "pattern": "app"}),
        ("reqMarketRule", (26,), {"marketRuleId": 26}),
        ("cancelHistoricalData", (7,), {"reqId": 7}),
        ("cancelMktData", (7,), {"reqId": 7}),
        ("reqMarketDataType", (3,), {"marketDataType": 3}),
        ("cancelTickByTickData", (7,), {"reqId": 7}),
        ("reqPositions", (), {}),
        ("cancelPositions", (), {}),
        ("reqAccountSummary", (7, "All", "A,B"), {"reqId": 7, "groupName": "All", "tags": "A,B"}),
        ("cancelAccountSummary", (7,), {"reqId": 7}),
        ("reqAccountUpdates", (True, "DU1"), {"subscribe": True, "acctCode": "DU1"}),
        ("reqOpenOrders", (), {}),
        ("reqAllOpenOrders", (), {}),
        ("reqAutoOpenOrders", (True,), {"bAutoBind": True}),
        ("reqCompletedOrders", (True,), {"apiOnly": True}),
        ("setServerLogLevel", (5,), {"logLevel": 5}),
        ("reqPnL", (7, "DU1", ""), {"reqId": 7, "account": "DU1"}),
        ("reqPnLSingle", (7, "DU1", "", 8), {"reqId": 7, "conId": 8}),
    ]
    for name, arguments, expected in plain:
        getattr(client, name)(*arguments)
        message = requested(client)
        assert message.name == name
        assert {key: message.values[key] for key in expected} == expected
    client.reqContractDetails(7, wanted)
    check_contract(requested(client), "reqContractDetails", wanted)
    client.reqMktData(7, wanted, "233", True, False, [])
    message = requested(client)
    check_contract(message, "reqMktData", wanted)
    assert (message.values["genericTickList"], message.values["snapshot"]) == ("233", True)
    client.reqTickByTickData(7, wanted, "BidAsk", 5, True)
    message = requested(client)
    check_contract(message, "reqTickByTickData", wanted)
    assert (message.values["tickType"], message.values["numberOfTicks"]) == ("BidAsk", 5)
    client.reqHistoricalData(7, wanted, "20130115 10:00:00", "1 D", "1 hour", "TRADES", 1, 2, True, [])
    message = requested(client)
    check_contract(message, "reqHistoricalData", wanted)
    assert [message.values[name] for name in ("durationStr", "formatDate", "keepUpToDate")] == ["1 D", 2, True]
    cancel(client, 8)
    assert requested(client).values["orderId"] == 8
    cancel_all(client)
    assert requested(client).name == "reqGlobalCancel"


def test_execution_filters(version: int) -> None:
    client = StockClient(None, version)
    wanted = ExecutionFilter()
    wanted.clientId, wanted.acctCode, wanted.time, wanted.symbol = 3, "DU1", "20130115 09:30:00", "IBM"
    wanted.secType, wanted.exchange, wanted.side = "STK", "ARCA", "SELL"
    client.reqExecutions(7, wanted)
    read = requested(client).values["execFilter"]
    assert read == {name: getattr(wanted, name) for name in read}


def check_contract(message: Message, name: str, wanted: Contract) -> None:
    assert (message.name, message.values["reqId"]) == (name, 7)
    for attribute in (
        "conId",
        "symbol",
        "strike",
        "right",
        "multiplier",
        "exchange",
        "primaryExchange",
        "tradingClass",
    ):
        assert message.values["contract"][attribute] == getattr(wanted, attribute), attribute


# --- orders with every attribute, one at a time -----------------------------------------------------------------

NOT_SENT_PLAINLY = {
    # identity, and what TWS alone sets
    "orderId", "clientId", "permId", "filledQuantity", "refFuturesConId", "shareholder", "parentPermId",
    "autoCancelDate", "imbalanceOnly", "routeMarketableToBbo", "basisPoints", "basisPointsType",
    # later server versions, or protobuf alone
    "customerAccount", "professionalCustomer", "bondAccruedInterest", "includeOvernight", "manualOrderIndicator",
    "submitter",
    "externalUserId", "postOnly", "allowPreOpen", "ignoreOpenAuction", "deactivate", "seekPriceImprovement",
    "whatIfType", "conditionsIncludeOvernight", "slOrderId", "slOrderType", "ptOrderId", "ptOrderType", "hedgeMaxSize",
    # gone from the wire, or written by ibapi as constants
    "faProfile", "eTradeOnly", "firmQuoteOnly", "nbboPriceCap", "sharesAllocation",
    # written only together with another attribute, or lists: tested below
    "hedgeParam", "conditions", "conditionsIgnoreRth", "conditionsCancelOrder", "algoParams", "orderComboLegs",
    "smartComboRoutingParams", "orderMiscOptions", "softDollarTier", "minTradeQty", "minCompeteSize",
    "competeAgainstBestOffset", "midOffsetAtWhole", "midOffsetAtHalf", "orderType", "totalQuantity", "action",
    "isPeggedChangeAmountDecrease", "peggedChangeAmount", "referenceChangeAmount", "referenceExchangeId",
    "referenceContractId", "scalePriceAdjustValue", "scalePriceAdjustInterval", "scaleProfitOffset", "scaleAutoReset",
    "scaleInitPosition", "scaleInitFillQty", "scaleRandomPercent", "deltaNeutralConId", "deltaNeutralSettlingFirm",
    "deltaNeutralClearingAccount", "deltaNeutralClearingIntent", "deltaNeutralOpenClose", "deltaNeutralShortSale",
    "deltaNeutralShortSaleSlot", "deltaNeutralDesignatedLocation",
}  # fmt: skip
SINCE = {
    "duration": 158,
    "postToAts": 160,
    "autoCancelParent": 162,
    "advancedErrorOverride": 166,
    "manualOrderTime": 169,
}
NOT_ECHOED = {
    "transmit", "overridePercentageConstraints", "scaleTable", "activeStartTime", "activeStopTime", "algoId",
    "extOperator", "mifid2DecisionMaker", "mifid2DecisionAlgo", "mifid2ExecutionTrader", "mifid2ExecutionAlgo",
    "advancedErrorOverride", "manualOrderTime", "sharesAllocation",
}  # fmt: skip
"""Attributes that openOrder has no field for."""


def sample(attribute: str) -> Any:
    default = getattr(Order(), attribute)
    if isinstance(default, bool) or attribute == "usePriceMgmtAlgo":
        return not default
    if isinstance(default, str):
        return {"openClose": "C", "tif": "GTC"}.get(attribute, "x1")
    return 6 if isinstance(default, int) else 6.25


ATTRIBUTES = sorted(set(vars(Order())) - NOT_SENT_PLAINLY)


TEXT_ONLY = {"auctionStrategy"}
"""Attributes that protobuf has no field for."""


def is_sent(attribute: str, version: int) -> bool:
    return SINCE.get(attribute, 0) <= version and not (version >= 213 and attribute in TEXT_ONLY)


CASES = [(each, name) for each in VERSIONS for name in ATTRIBUTES if is_sent(name, each)]


@pytest.mark.parametrize(("version", "attribute"), CASES)
def test_every_attribute_of_an_order_comes_and_goes(version: int, attribute: str) -> None:
    value = sample(attribute)
    client = StockClient(None, version)
    client.placeOrder(5, contract(), order("BUY", 10, "LMT", **{attribute: value}))
    assert not client.got, client.got
    message = requested(client)
    assert message.values["order"][attribute] == value
    if attribute not in NOT_ECHOED:
        shown = {
            "orderId": 5,
            "contract": AAPL,
            "order": message.values["order"],
            "orderState": {"status": "Submitted"},
        }
        (got,) = decoded(Message("openOrder", shown), version)
        assert (got.orderId, got.contract.symbol, got.orderState.status) == (5, "AAPL", "Submitted")
        assert getattr(got.order, attribute) == value


def compound_orders() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    scale = {
        "scalePriceIncrement": 0.5, "scalePriceAdjustValue": 1.5, "scalePriceAdjustInterval": 60,
        "scaleProfitOffset": 2.5, "scaleAutoReset": True, "scaleInitPosition": 4, "scaleInitFillQty": 3,
        "scaleRandomPercent": True,
    }  # fmt: skip
    bench = {
        "orderType": "PEG BENCH", "referenceContractId": 8, "isPeggedChangeAmountDecrease": True,
        "peggedChangeAmount": 1.5, "referenceChangeAmount": 2.5, "referenceExchangeId": "NYSE",
    }  # fmt: skip
    neutral = {
        "deltaNeutralOrderType": "MKT", "deltaNeutralConId": 8, "deltaNeutralSettlingFirm": "a",
        "deltaNeutralClearingAccount": "b", "deltaNeutralClearingIntent": "c", "deltaNeutralOpenClose": "O",
        "deltaNeutralShortSale": True, "deltaNeutralShortSaleSlot": 1, "deltaNeutralDesignatedLocation": "d",
    }  # fmt: skip
    hedge = {"hedgeType": "B", "hedgeParam": "0.5"}
    return [(each, each) for each in (scale, bench, neutral, hedge)]


@pytest.mark.parametrize(("attributes", "expected"), compound_orders())
def test_attributes_that_come_together(version: int, attributes: dict[str, Any], expected: dict[str, Any]) -> None:
    client = StockClient(None, version)
    client.placeOrder(5, contract(), order("BUY", 10, attributes.get("orderType", "LMT"), **attributes))
    assert not client.got, client.got
    message = requested(client)
    assert {key: message.values["order"][key] for key in expected} == expected
    shown = {"orderId": 5, "contract": AAPL, "order": message.values["order"], "orderState": {"status": "Submitted"}}
    (got,) = decoded(Message("openOrder", shown), version)
    assert {key: getattr(got.order, key) for key in expected} == expected


def test_conditions_and_algorithms(version: int) -> None:
    from ibapi.order_condition import (
        ExecutionCondition,
        MarginCondition,
        PercentChangeCondition,
        PriceCondition,
        TimeCondition,
        VolumeCondition,
    )
    from ibapi.tag_value import TagValue

    made = order("BUY", 10, algoStrategy="Twap", conditionsIgnoreRth=True)
    made.algoParams = [TagValue("allowPastEndTime", "1")]
    made.conditions = [
        PriceCondition(2, 8314, "SMART", True, 190.5),
        TimeCondition(True, "20130115 10:00:00"),
        MarginCondition(False, 30),
        ExecutionCondition("STK", "SMART", "IBM"),
        VolumeCondition(8314, "SMART", True, 1000),
        PercentChangeCondition(8314, "SMART", False, 0.5),
    ]
    client = StockClient(None, version)
    client.placeOrder(5, contract(), made)
    message = requested(client)
    shown = {"orderId": 5, "contract": AAPL, "order": message.values["order"], "orderState": {"status": "Submitted"}}
    (got,) = decoded(Message("openOrder", shown), version)
    assert [(each.tag, each.value) for each in got.order.algoParams] == [("allowPastEndTime", "1")]
    assert [vars(each) for each in got.order.conditions] == [vars(each) for each in made.conditions]
    assert got.order.conditionsIgnoreRth


def test_what_is_unset_stays_unset(version: int) -> None:
    client = StockClient(None, version)
    client.placeOrder(5, contract(), order("BUY", 10))
    values = requested(client).values["order"]
    for name in ("auxPrice", "percentOffset", "trailStopPrice", "scalePriceIncrement", "delta"):
        assert values[name] is None
    (got,) = decoded(
        Message("openOrder", {"orderId": 5, "contract": AAPL, "order": values, "orderState": {"status": "x"}}), version
    )
    assert got.order.trailStopPrice > 1e308
    assert got.order.minQty == 2**31 - 1


def test_completed_orders(version: int) -> None:
    values = {"action": "BUY", "orderType": "LMT", "lmtPrice": 2.5, "permId": 9, "filledQuantity": 7, "parentPermId": 8}
    state = {"status": "Filled", "completedTime": "then", "completedStatus": "Filled Size: 7"}
    (got,) = decoded(Message("completedOrder", {"contract": AAPL, "order": values, "orderState": state}), version)
    assert (got.order.permId, got.order.lmtPrice, got.order.filledQuantity, got.order.parentPermId) == (9, 2.5, 7, 8)
    assert (got.orderState.completedTime, got.orderState.completedStatus) == ("then", "Filled Size: 7")


# --- bad input ---------------------------------------------------------------------------------------------------


def test_unknown_messages() -> None:
    for body in (b"", b"\0", b"999\x001\0", b"x\0", b"-1\0", b"\xff\0"):
        with pytest.raises(UnknownMessage):
            decode_request(body, 176)


def test_missing_and_wrong_fields() -> None:
    with pytest.raises(FieldError, match="reqId"):
        decode_request(b"2\x002\x00All\0", 176)
    with pytest.raises(FieldError):
        decode_request(b"2\x002\0", 176)


@settings(deadline=None)
@given(st.sampled_from(sorted(REQUESTS)), st.lists(st.text(max_size=6), max_size=40), st.sampled_from([157, 176]))
def test_no_frame_breaks_the_reader(number: int, texts: list[str], version: int) -> None:
    body = "\0".join([str(number), *texts, ""]).encode()
    try:
        decode_request(body, version)
    except (FieldError, UnknownMessage):
        pass


# --- recorded frames ---------------------------------------------------------------------------------------------

CORPUS = os.environ.get("TRIO_IBTWS_WIRE_CORPUS")
TEXT_VERSIONS = {151, 157, 173, 176}


@pytest.mark.recorded
def test_recorded_frames_are_read_and_written_byte_for_byte() -> None:
    checked = 0
    for line in (Path(CORPUS or "") / "vectors.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["encoding"] != "text" or row["direction"] != "in" or row["server_version"] not in TEXT_VERSIONS:
            continue
        if row["fields"][:2] == ["85", "08"]:
            continue  # garbled by its recorder: an octal escape took the first digit of a name
        body = ("\0".join(row["fields"]) + "\0").encode()
        try:
            message = decode_answer(body, row["server_version"])
        except UnknownMessage:
            continue
        assert encode_answer(message, row["server_version"]) == body
        checked += 1
    assert checked > 100
