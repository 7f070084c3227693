"""The layouts of everything that TWS sends, by message name, with the message's id in front.

Names are those of the ``EWrapper`` callbacks. A constant such as ``#6`` is the version of the message itself, a relic
from before server versions.
"""

from __future__ import annotations

from ._codec_fields import UNSET_DOUBLE_TEXT as _UNSET
from ._codec_fields import Field, Group, Layout, Repeat, When, fields
from ._codec_orders import COMPLETED_ORDER, OPEN_ORDER

__all__ = ["ANSWERS", "PROTOBUF_ONLY"]

_BAR = fields("date open:price high:price low:price close:price volume:size wap:decimal barCount:int")
_TAG_VALUE = fields("tag value")

_CONTRACT_DETAILS: Layout = (
    *fields("#8@<164 reqId:id"),
    Group(
        "contract",
        *fields("symbol secType lastTradeDateOrContractMonth strike:number right exchange currency localSymbol"),
    ),
    *fields("marketName"),
    Group("contract", *fields("tradingClass conId:int")),
    *fields("minTick:float mdSizeMultiplier:int=100@110@<164"),
    Group("contract", *fields("multiplier")),
    *fields("orderTypes validExchanges priceMagnifier:int=1 underConId:int longName:text"),
    Group("contract", *fields("primaryExchange")),
    *fields("contractMonth industry category subcategory timeZoneId tradingHours liquidHours evRule evMultiplier:int="),
    Repeat("secIdList", *_TAG_VALUE),
    *fields(
        "aggGroup:int=1 underSymbol underSecType marketRuleIds realExpirationDate stockType "
        "sizeMinTick:decimal=1@163@<164 minSize:decimal=1@164 sizeIncrement:decimal=1@164 "
        "suggestedSizeIncrement:decimal=100@164"
    ),
)

_BOND_DETAILS: Layout = (
    *fields("#6@<164 reqId:id"),
    Group("contract", *fields("symbol secType")),
    *fields(
        "cusip coupon:number maturity issueDate ratings bondType couponType convertible:bool callable:bool "
        "putable:bool descAppend"
    ),
    Group("contract", *fields("exchange currency")),
    *fields("marketName"),
    Group("contract", *fields("tradingClass conId:int")),
    *fields(
        "minTick:float mdSizeMultiplier:int=1@110@<164 orderTypes validExchanges nextOptionDate nextOptionType "
        "nextOptionPartial:bool notes longName:text evRule evMultiplier:int="
    ),
    Repeat("secIdList", *_TAG_VALUE),
    *fields(
        "aggGroup:int=1 marketRuleIds minSize:decimal=1@164 sizeIncrement:decimal=1@164 "
        "suggestedSizeIncrement:decimal=1@164"
    ),
)

_PORTFOLIO_CONTRACT = fields(
    "conId:int symbol secType lastTradeDateOrContractMonth strike:number right=0 multiplier primaryExchange currency "
    "localSymbol tradingClass"
)
_POSITION_CONTRACT = fields(
    "conId:int symbol secType lastTradeDateOrContractMonth strike:float right multiplier exchange currency "
    "localSymbol tradingClass"
)

_EXECUTION: Layout = (
    *fields("reqId:id orderId:int"),
    Group("contract", *_POSITION_CONTRACT),
    Group(
        "execution",
        *fields(
            "execId time acctNumber exchange side shares:decimal price:float permId:long clientId:int liquidation:int "
            "cumQty:decimal avgPrice:float orderRef evRule evMultiplier:float= modelCode lastLiquidity:int"
        ),
    ),
)

_SYMBOL_SAMPLE: Layout = (
    *fields("conId:int symbol secType primaryExchange currency"),
    Repeat("derivativeSecTypes", Field("value"), plain=True),
    *fields("description@176 issuerId@176"),
)

_TICK_BY_TICK: Layout = (
    *fields("reqId:id tickType:int time:int"),
    When(
        lambda tick, _: tick["tickType"] in {1, 2},
        *fields("price:price size:size mask:int exchange specialConditions"),
    ),
    When(
        lambda tick, _: tick["tickType"] == 3,
        *fields("bidPrice:price askPrice:price bidSize:size askSize:size mask:int"),
    ),
    When(lambda tick, _: tick["tickType"] == 4, *fields("midPoint:number")),
)

_SCANNED: Layout = (
    *fields("rank:int"),
    Group(
        "contract",
        *fields(
            "conId:int symbol secType lastTradeDateOrContractMonth strike:number right exchange currency localSymbol"
        ),
    ),
    *fields("marketName"),
    Group("contract", *fields("tradingClass")),
    *fields("distance benchmark projection legsStr"),
)

_DEPTH = "operation:int side:int price:number size:size"
_TICK_BID_ASK = fields("time:int mask:int priceBid:number priceAsk:number sizeBid:size sizeAsk:size")
_TICK_LAST = fields("time:int mask:int price:number size:size exchange specialConditions")

ANSWERS: dict[str, tuple[int, Layout]] = {
    "tickPrice": (1, fields("#6 reqId:id tickType:int price:float size:size attrMask:int")),
    "tickSize": (2, fields("#6 reqId:id tickType:int size:size")),
    "orderStatus": (
        3,
        fields(
            "orderId:id status filled:decimal remaining:decimal avgFillPrice:number permId:long parentId:int "
            "lastFillPrice:number clientId:int whyHeld mktCapPrice:number"
        ),
    ),
    "error": (4, fields("#2 reqId:id errorCode:int errorString:text advancedOrderRejectJson:text@166")),
    "openOrder": (5, OPEN_ORDER),
    "updateAccountValue": (6, fields("#2 key value currency accountName")),
    "updatePortfolio": (
        7,
        (
            *fields("#8"),
            Group("contract", *_PORTFOLIO_CONTRACT),
            *fields(
                "position:decimal marketPrice:float marketValue:float averageCost:float unrealizedPNL:float "
                "realizedPNL:float accountName"
            ),
        ),
    ),
    "updateAccountTime": (8, fields("#1 timeStamp")),
    "nextValidId": (9, fields("#1 orderId:id")),
    "contractDetails": (10, _CONTRACT_DETAILS),
    "execDetails": (11, _EXECUTION),
    "updateMktDepth": (12, fields(f"#1 reqId:id position:int {_DEPTH}")),
    "updateMktDepthL2": (13, fields(f"#1 reqId:id position:int marketMaker {_DEPTH} isSmartDepth:bool")),
    "updateNewsBulletin": (14, fields("#1 msgId:int msgType:int newsMessage:text originExch")),
    "managedAccounts": (15, fields("#1 accountsList")),
    "receiveFA": (16, fields("#1 faData:int cxml:text")),
    "historicalData": (17, (*fields("reqId:id startDateStr endDateStr"), Repeat("bars", *_BAR))),
    "bondContractDetails": (18, _BOND_DETAILS),
    "scannerParameters": (19, fields("#1 xml:text")),
    "scannerData": (20, (*fields("#3 reqId:id"), Repeat("elements", *_SCANNED))),
    "tickOptionComputation": (
        21,
        fields(
            "reqId:id tickType:int tickAttrib:int impliedVol:number=-1 delta:number=-2 optPrice:number=-1 "
            "pvDividend:number=-1 gamma:number=-2 vega:number=-2 theta:number=-2 undPrice:number=-1"
        ),
    ),
    "tickGeneric": (45, fields("#6 reqId:id tickType:int value:float")),
    "tickString": (46, fields("#6 reqId:id tickType:int value")),
    "tickEFP": (
        47,
        fields(
            "#1 reqId:id tickType:int basisPoints:float formattedBasisPoints totalDividends:float holdDays:int "
            "futureLastTradeDate dividendImpact:float dividendsToLastTradeDate:float"
        ),
    ),
    "currentTime": (49, fields("#1 time:int")),
    "realtimeBar": (
        50,
        fields("#3 reqId:id time:int open:price high:price low:price close:price volume:size wap:decimal count:int"),
    ),
    "fundamentalData": (51, fields("#1 reqId:id data:text")),
    "contractDetailsEnd": (52, fields("#1 reqId:id")),
    "openOrderEnd": (53, fields("#1")),
    "accountDownloadEnd": (54, fields("#1 accountName")),
    "execDetailsEnd": (55, fields("#1 reqId:id")),
    "deltaNeutralValidation": (
        56,
        (*fields("#1 reqId:id"), Group("deltaNeutralContract", *fields("conId:int delta:float price:float"))),
    ),
    "tickSnapshotEnd": (57, fields("#1 reqId:id")),
    "marketDataType": (58, fields("#1 reqId:id marketDataType:int")),
    "commissionReport": (
        59,
        fields(
            f"#1 execId commission:float currency realizedPNL:float={_UNSET} yield:float={_UNSET}"
            " yieldRedemptionDate:int="
        ),
    ),
    "position": (
        61,
        (*fields("#3 account"), Group("contract", *_POSITION_CONTRACT), *fields("position:decimal avgCost:float")),
    ),
    "positionEnd": (62, fields("#1")),
    "accountSummary": (63, fields("#1 reqId:id account tag value currency")),
    "accountSummaryEnd": (64, fields("#1 reqId:id")),
    "verifyMessageAPI": (65, fields("#1 apiData")),
    "verifyCompleted": (66, fields("#1 isSuccessful:bool errorText")),
    "displayGroupList": (67, fields("#1 reqId:id groups")),
    "displayGroupUpdated": (68, fields("#1 reqId:id contractInfo")),
    "verifyAndAuthMessageAPI": (69, fields("#1 apiData xyzChallenge")),
    "verifyAndAuthCompleted": (70, fields("#1 isSuccessful:bool errorText")),
    "positionMulti": (
        71,
        (
            *fields("#3 reqId:id account"),
            Group("contract", *_POSITION_CONTRACT),
            *fields("position:decimal avgCost:float modelCode"),
        ),
    ),
    "positionMultiEnd": (72, fields("#1 reqId:id")),
    "accountUpdateMulti": (73, fields("#1 reqId:id account modelCode key value currency")),
    "accountUpdateMultiEnd": (74, fields("#1 reqId:id")),
    "securityDefinitionOptionParameter": (
        75,
        (
            *fields("reqId:id exchange underlyingConId:int tradingClass multiplier"),
            Repeat("expirations", Field("value"), plain=True),
            Repeat("strikes", Field("value", "float"), plain=True),
        ),
    ),
    "securityDefinitionOptionParameterEnd": (76, fields("reqId:id")),
    "softDollarTiers": (77, (*fields("reqId:id"), Repeat("tiers", *fields("name value displayName")))),
    "familyCodes": (78, (Repeat("familyCodes", *fields("accountID familyCodeStr")),)),
    "symbolSamples": (79, (*fields("reqId:id"), Repeat("contractDescriptions", *_SYMBOL_SAMPLE))),
    "mktDepthExchanges": (
        80,
        (
            Repeat(
                "depthMktDataDescriptions",
                *fields("exchange secType listingExch serviceDataType aggGroup:int=2147483647"),
            ),
        ),
    ),
    "tickReqParams": (81, fields("reqId:id minTick:float bboExchange snapshotPermissions:int")),
    "smartComponents": (
        82,
        (*fields("reqId:id"), Repeat("smartComponents", *fields("bitNumber:int exchange exchangeLetter"))),
    ),
    "newsArticle": (83, fields("reqId:id articleType:int articleText:text")),
    "tickNews": (84, fields("reqId:id timeStamp:long providerCode articleId headline:text extraData")),
    "newsProviders": (85, (Repeat("newsProviders", *fields("code name:text")),)),
    "historicalNews": (86, fields("reqId:id time providerCode articleId headline:text")),
    "historicalNewsEnd": (87, fields("reqId:id hasMore:bool")),
    "headTimestamp": (88, fields("reqId:id headTimestamp")),
    "histogramData": (89, (*fields("reqId:id"), Repeat("items", *fields("price:price size:decimal")))),
    "historicalDataUpdate": (
        90,
        fields("reqId:id barCount:int date open:number close:number high:number low:number wap:decimal volume:size"),
    ),
    "rerouteMktDataReq": (91, fields("reqId:id conId:int exchange")),
    "rerouteMktDepthReq": (92, fields("reqId:id conId:int exchange")),
    "marketRule": (
        93,
        (*fields("marketRuleId:int"), Repeat("priceIncrements", *fields("lowEdge:float increment:float"))),
    ),
    "pnl": (94, fields(f"reqId:id dailyPnL:float unrealizedPnL:float={_UNSET} realizedPnL:float={_UNSET}")),
    "pnlSingle": (
        95,
        fields(
            f"reqId:id pos:decimal dailyPnL:float unrealizedPnL:float={_UNSET} realizedPnL:float={_UNSET} value:float"
        ),
    ),
    "historicalTicks": (
        96,
        (*fields("reqId:id"), Repeat("ticks", *fields("time:int #0 price:number size:size")), *fields("done:bool")),
    ),
    "historicalTicksBidAsk": (97, (*fields("reqId:id"), Repeat("ticks", *_TICK_BID_ASK), *fields("done:bool"))),
    "historicalTicksLast": (98, (*fields("reqId:id"), Repeat("ticks", *_TICK_LAST), *fields("done:bool"))),
    "tickByTick": (99, _TICK_BY_TICK),
    "orderBound": (100, fields("permId:long clientId:int orderId:int")),
    "completedOrder": (101, COMPLETED_ORDER),
    "completedOrdersEnd": (102, ()),
    "replaceFAEnd": (103, fields("reqId:id text:text")),
    "wshMetaData": (104, fields("reqId:id dataJson:text")),
    "wshEventData": (105, fields("reqId:id dataJson:text")),
    "historicalSchedule": (
        106,
        (
            *fields("reqId:id startDateTime endDateTime timeZone"),
            Repeat("sessions", *fields("startDateTime endDateTime refDate")),
        ),
    ),
    "userInfo": (107, fields("reqId:id whiteBrandingId")),
    "historicalDataEnd": (108, fields("reqId:id startDateStr endDateStr")),
    "currentTimeInMillis": (109, fields("timeInMillis:long")),
    "configResponse": (110, fields("reqId:id")),
    "updateConfigResponse": (111, fields("reqId:id")),
}

PROTOBUF_ONLY = frozenset({"historicalDataEnd", "currentTimeInMillis", "configResponse", "updateConfigResponse"})
"""Answers that no text version served here knows."""
