"""The layouts of everything that a client sends, by message id.

Names are those of the ``EClient`` methods. Requests that the simulator only refuses are here as well: it needs their
request id for the refusal.
"""

from __future__ import annotations

from ._codec_fields import Group, Last, Late, Layout, Optional, Repeat, When, fields
from ._codec_orders import PLACE_ORDER

__all__ = ["PROTOBUF_ONLY", "REQUESTS"]

_LONG_CONTRACT = fields(
    "conId:int symbol secType lastTradeDateOrContractMonth strike:float right multiplier exchange primaryExchange "
    "currency localSymbol tradingClass"
)
_CONTRACT = Group("contract", *_LONG_CONTRACT)
_CONTRACT_AND_EXPIRED = Group("contract", *_LONG_CONTRACT, *fields("includeExpired:bool"))
_COMBO = When(
    lambda _, root: root["contract"].get("secType") == "BAG",
    Group("contract", Repeat("comboLegs", *fields("conId:int ratio:int action exchange"))),
)

_MKT_DATA: Layout = (
    *fields("#11 reqId:id"),
    _CONTRACT,
    _COMBO,
    Group("contract", Optional("deltaNeutralContract", *fields("conId:int delta:float price:float"))),
    *fields("genericTickList snapshot:bool regulatorySnapshot:bool mktDataOptions"),
)
_HISTORICAL_DATA: Layout = (
    *fields("reqId:id"),
    _CONTRACT_AND_EXPIRED,
    *fields("endDateTime barSizeSetting durationStr useRTH:bool whatToShow formatDate:int"),
    _COMBO,
    *fields("keepUpToDate:bool chartOptions"),
)
_CONTRACT_DETAILS: Layout = (
    *fields("#8 reqId:id"),
    Group("contract", *_LONG_CONTRACT, *fields("includeExpired:bool secIdType secId issuerId@176")),
)

_EXERCISE_OPTIONS: Layout = (
    *fields("#2 reqId:id"),
    Group(
        "contract",
        *fields(
            "conId:int symbol secType lastTradeDateOrContractMonth strike:float right multiplier exchange currency "
            "localSymbol tradingClass"
        ),
    ),
    *fields("exerciseAction:int exerciseQuantity:int account override:int"),
)

_SCANNER: Layout = fields(
    "reqId:id numberOfRows:int= instrument locationCode scanCode abovePrice:float= belowPrice:float= aboveVolume:int= "
    "marketCapAbove:float= marketCapBelow:float= moodyRatingAbove moodyRatingBelow spRatingAbove spRatingBelow "
    "maturityDateAbove maturityDateBelow couponRateAbove:float= couponRateBelow:float= excludeConvertible:bool "
    "averageOptionVolumeAbove:int= scannerSettingPairs stockTypeFilter scannerSubscriptionFilterOptions "
    "scannerSubscriptionOptions"
)

REQUESTS: dict[int, tuple[str, Layout]] = {
    1: ("reqMktData", _MKT_DATA),
    2: ("cancelMktData", fields("#2 reqId:id")),
    3: ("placeOrder", PLACE_ORDER),
    4: ("cancelOrder", fields("#1 orderId:id manualOrderCancelTime@169")),
    5: ("reqOpenOrders", fields("#1")),
    6: ("reqAccountUpdates", fields("#2 subscribe:bool acctCode")),
    7: (
        "reqExecutions",
        (
            *fields("#3 reqId:id"),
            Group("execFilter", *fields("clientId:int acctCode time symbol secType exchange side")),
        ),
    ),
    8: ("reqIds", fields("#1 numIds:int")),
    9: ("reqContractDetails", _CONTRACT_DETAILS),
    10: (
        "reqMktDepth",
        (*fields("#5 reqId:id"), _CONTRACT, *fields("numRows:int isSmartDepth:bool mktDepthOptions")),
    ),
    11: ("cancelMktDepth", fields("#1 reqId:id isSmartDepth:bool")),
    12: ("reqNewsBulletins", fields("#1 allMsgs:bool")),
    13: ("cancelNewsBulletins", fields("#1")),
    14: ("setServerLogLevel", fields("#1 logLevel:int")),
    15: ("reqAutoOpenOrders", fields("#1 bAutoBind:bool")),
    16: ("reqAllOpenOrders", fields("#1")),
    17: ("reqManagedAccts", fields("#1")),
    18: ("requestFA", fields("#1 faData:int")),
    19: ("replaceFA", fields("#1 faData:int cxml reqId:id@157")),
    20: ("reqHistoricalData", _HISTORICAL_DATA),
    21: ("exerciseOptions", _EXERCISE_OPTIONS),
    22: ("reqScannerSubscription", _SCANNER),
    23: ("cancelScannerSubscription", fields("#1 reqId:id")),
    24: ("reqScannerParameters", fields("#1")),
    25: ("cancelHistoricalData", fields("#1 reqId:id")),
    49: ("reqCurrentTime", fields("#1")),
    50: (
        "reqRealTimeBars",
        (
            *fields("#3 reqId:id"),
            _CONTRACT,
            *fields("barSize:int whatToShow useRTH:bool realTimeBarsOptions"),
        ),
    ),
    51: ("cancelRealTimeBars", fields("#1 reqId:id")),
    52: (
        "reqFundamentalData",
        (
            *fields("#2 reqId:id"),
            Group("contract", *fields("conId:int symbol secType exchange primaryExchange currency localSymbol")),
            *fields("reportType"),
            Last("fundamentalDataOptions"),
        ),
    ),
    53: ("cancelFundamentalData", fields("#1 reqId:id")),
    54: (
        "calculateImpliedVolatility",
        (*fields("#3 reqId:id"), _CONTRACT, *fields("optionPrice:float underPrice:float"), Last("implVolOptions")),
    ),
    55: (
        "calculateOptionPrice",
        (*fields("#3 reqId:id"), _CONTRACT, *fields("volatility:float underPrice:float"), Last("optPrcOptions")),
    ),
    56: ("cancelCalculateImpliedVolatility", fields("#1 reqId:id")),
    57: ("cancelCalculateOptionPrice", fields("#1 reqId:id")),
    58: ("reqGlobalCancel", fields("#1")),
    59: ("reqMarketDataType", fields("#1 marketDataType:int")),
    61: ("reqPositions", fields("#1")),
    62: ("reqAccountSummary", fields("#1 reqId:id groupName tags")),
    63: ("cancelAccountSummary", fields("#1 reqId:id")),
    64: ("cancelPositions", fields("#1")),
    65: ("verifyRequest", fields("#1 apiName apiVersion")),
    66: ("verifyMessage", fields("#1 apiData")),
    67: ("queryDisplayGroups", fields("#1 reqId:id")),
    68: ("subscribeToGroupEvents", fields("#1 reqId:id groupId:int")),
    69: ("updateDisplayGroup", fields("#1 reqId:id contractInfo")),
    70: ("unsubscribeFromGroupEvents", fields("#1 reqId:id")),
    71: ("startApi", (*fields("#2 clientId:id"), Late("optionalCapabilities"))),
    72: ("verifyAndAuthRequest", fields("#1 apiName apiVersion opaqueIsvKey")),
    73: ("verifyAndAuthMessage", fields("#1 apiData xyzResponse")),
    74: ("reqPositionsMulti", fields("#1 reqId:id account modelCode")),
    75: ("cancelPositionsMulti", fields("#1 reqId:id")),
    76: ("reqAccountUpdatesMulti", fields("#1 reqId:id account modelCode ledgerAndNLV:bool")),
    77: ("cancelAccountUpdatesMulti", fields("#1 reqId:id")),
    78: (
        "reqSecDefOptParams",
        fields("reqId:id underlyingSymbol futFopExchange underlyingSecType underlyingConId:int"),
    ),
    79: ("reqSoftDollarTiers", fields("reqId:id")),
    80: ("reqFamilyCodes", fields("")),
    81: ("reqMatchingSymbols", fields("reqId:id pattern")),
    82: ("reqMktDepthExchanges", fields("")),
    83: ("reqSmartComponents", fields("reqId:id bboExchange")),
    84: ("reqNewsArticle", fields("reqId:id providerCode articleId newsArticleOptions")),
    85: ("reqNewsProviders", fields("")),
    86: (
        "reqHistoricalNews",
        fields("reqId:id conId:int providerCodes startDateTime endDateTime totalResults:int historicalNewsOptions"),
    ),
    87: (
        "reqHeadTimeStamp",
        (*fields("reqId:id"), _CONTRACT_AND_EXPIRED, *fields("useRTH:bool whatToShow formatDate:int")),
    ),
    88: ("reqHistogramData", (*fields("reqId:id"), _CONTRACT_AND_EXPIRED, *fields("useRTH:bool timePeriod"))),
    89: ("cancelHistogramData", fields("reqId:id")),
    90: ("cancelHeadTimeStamp", fields("reqId:id")),
    91: ("reqMarketRule", fields("marketRuleId:int")),
    92: ("reqPnL", fields("reqId:id account modelCode")),
    93: ("cancelPnL", fields("reqId:id")),
    94: ("reqPnLSingle", fields("reqId:id account modelCode conId:int")),
    95: ("cancelPnLSingle", fields("reqId:id")),
    96: (
        "reqHistoricalTicks",
        (
            *fields("reqId:id"),
            _CONTRACT_AND_EXPIRED,
            *fields("startDateTime endDateTime numberOfTicks:int whatToShow useRth:bool ignoreSize:bool miscOptions"),
        ),
    ),
    97: (
        "reqTickByTickData",
        (*fields("reqId:id"), _CONTRACT, *fields("tickType numberOfTicks:int ignoreSize:bool")),
    ),
    98: ("cancelTickByTickData", fields("reqId:id")),
    99: ("reqCompletedOrders", fields("apiOnly:bool")),
    100: ("reqWshMetaData", fields("reqId:id")),
    101: ("cancelWshMetaData", fields("reqId:id")),
    102: (
        "reqWshEventData",
        fields(
            "reqId:id conId:int= filter@171 fillWatchlist:bool@171 fillPortfolio:bool@171 fillCompetitors:bool@171 "
            "startDate@173 endDate@173 totalLimit:int=@173"
        ),
    ),
    103: ("cancelWshEventData", fields("reqId:id")),
    104: ("reqUserInfo", fields("reqId:id")),
    105: ("reqCurrentTimeInMillis", ()),
    106: ("cancelContractData", fields("reqId:id")),
    107: ("cancelHistoricalTicks", fields("reqId:id")),
    108: ("reqConfig", fields("reqId:id")),
    109: ("updateConfig", fields("reqId:id")),
}

PROTOBUF_ONLY = frozenset({105, 106, 107, 108, 109})
"""Requests that no text version served here knows."""
