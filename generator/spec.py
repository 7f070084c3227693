"""THE table: every request of ibapi, and what introspection does not tell about its callbacks.

The only thing that a maintainer edits. The rows stand in ``rows/``, a module for each family; everything that holds
for all of them stands here. What a row may say is documented at ``generator.model.Row`` and ``Callback``; parameters,
their order, types and releases come from the recorded releases, and what contradicts those is an error.
"""

from __future__ import annotations

from .model import Callback, Table
from .nouns.words import VOCABULARY
from .rows.accounts import ACCOUNTS
from .rows.contracts import CONTRACTS
from .rows.history import HISTORY
from .rows.market_data import MARKET_DATA
from .rows.orders import ORDERS
from .rows.research import RESEARCH
from .rows.session import SESSION

__all__ = ["TABLE"]

DEFAULTS = {
    "acctCode": "",
    "chartOptions": None,
    "execFilter": None,
    "formatDate": 1,
    "fundamentalDataOptions": None,
    "genericTickList": "",
    "historicalNewsOptions": None,
    "implVolOptions": None,
    "miscOptions": None,
    "mktDataOptions": None,
    "mktDepthOptions": None,
    "newsArticleOptions": None,
    "numIds": 1,
    "optPrcOptions": None,
    "orderCancel": None,
    "realTimeBarsOptions": None,
    "scannerSubscriptionFilterOptions": None,
    "scannerSubscriptionOptions": None,
    "useRTH": True,
}
"""Parameters that need not be given, under EClient's names; only where all that follow have a default too."""

TYPES = {
    "chartOptions": "list[TagValue]",
    "fundamentalDataOptions": "list[TagValue]",
    "historicalNewsOptions": "list[TagValue]",
    "implVolOptions": "list[TagValue]",
    "miscOptions": "list[TagValue]",
    "mktDataOptions": "list[TagValue]",
    "mktDepthOptions": "list[TagValue]",
    "newsArticleOptions": "list[TagValue]",
    "optPrcOptions": "list[TagValue]",
    "realTimeBarsOptions": "list[TagValue]",
    "scannerSubscriptionFilterOptions": "list[TagValue]",
    "scannerSubscriptionOptions": "list[TagValue]",
    "useRTH": "bool",
    "useRth": "bool",
}
"""Types of parameters that ibapi annotates too vaguely."""

_EPOCH = "seconds since the epoch"
_TICK_TYPE = "see ibapi.ticktype.TickTypeEnum"
_CHANGE = {"operation": "0 insert, 1 update, 2 delete", "side": "0 ask, 1 bid"}
_DATA_TYPE = "1 live, 2 frozen, 3 delayed, 4 delayed and frozen"

CALLBACKS = {
    # market data
    "tickPrice": Callback("A price of a quote.", units={"tickType": _TICK_TYPE}),
    "tickSize": Callback("A size of a quote.", units={"tickType": _TICK_TYPE}),
    "tickGeneric": Callback("A value of a quote that is neither price nor size.", units={"tickType": _TICK_TYPE}),
    "tickString": Callback(
        "A value of a quote that is text, as the time of the last trade.", units={"tickType": _TICK_TYPE}
    ),
    "tickEFP": Callback("An exchange-for-physical value of a quote.", units={"tickType": _TICK_TYPE}),
    "tickOptionComputation": Callback(
        "What TWS's option model makes of a quote.",
        units={
            "tickType": _TICK_TYPE,
            "tickAttrib": "0 based on returns, 1 on prices",
            "impliedVol": "a fraction: 0.2 is 20 %",
        },
        optional=("tickAttrib",),
    ),
    "tickNews": Callback(
        "A headline about the contract of a quote.", units={"timeStamp": "milliseconds since the epoch"}
    ),
    "tickReqParams": Callback(
        "The parameters of a quote: its increment, and the code that ``smart_components`` wants.",
        units={"snapshotPermissions": "0 none, 1 or more: regulatory snapshots"},
        optional=("snapshotPermissions",),
        twin={"lastPricePrecision": "str", "lastSizePrecision": "str"},
    ),
    "marketDataType": Callback(
        "The kind of data that a quote is made of from here on.", units={"marketDataType": _DATA_TYPE}
    ),
    "deltaNeutralValidation": Callback("The delta-neutral contract that TWS attached to the one asked for."),
    "rerouteMktDataReq": Callback("Quotes of this contract come under another one: ask for that."),
    "rerouteMktDepthReq": Callback("The book of this contract comes under another one: ask for that."),
    "updateMktDepth": Callback("A change to one row of a book.", units=_CHANGE),
    "updateMktDepthL2": Callback("A change to one row of a book that names market makers.", units=_CHANGE),
    "realtimeBar": Callback("A bar of five seconds.", units={"time": f"its start, {_EPOCH}"}),
    "tickByTickAllLast": Callback("A trade.", units={"tickType": "1 Last, 2 AllLast", "time": _EPOCH}),
    "tickByTickBidAsk": Callback("A change of the best bid or ask.", units={"time": _EPOCH}),
    "tickByTickMidPoint": Callback("A change of the mid point.", units={"time": _EPOCH}),
    # history
    "historicalDataEnd": Callback("The span that the bars cover."),
    "historicalSchedule": Callback(
        "The trading sessions of a contract.", types={"sessions": "list[HistoricalSession]"}
    ),
    "historicalTicks": Callback(types={"ticks": "list[HistoricalTick]"}),
    "historicalTicksBidAsk": Callback(types={"ticks": "list[HistoricalTickBidAsk]"}),
    "historicalTicksLast": Callback(types={"ticks": "list[HistoricalTickLast]"}),
    "histogramData": Callback(types={"items": "list[HistogramData]"}),
    # contracts
    "symbolSamples": Callback(types={"contractDescriptions": "list[ContractDescription]"}),
    "marketRule": Callback(types={"priceIncrements": "list[PriceIncrement]"}),
    "mktDepthExchanges": Callback(types={"depthMktDataDescriptions": "list[DepthMktDataDescription]"}),
    "smartComponents": Callback(
        types={"smartComponentMap": "dict[int, tuple[str, str]]"},
        converted={
            "smartComponentMap": "{0} if isinstance({0}, dict)"
            " else {{each.bitNumber: (each.exchange, each.exchangeLetter) for each in {0}}}"
        },
        why="The text wire gives a list of SmartComponent, protobuf the dict that EWrapper announces.",
    ),
    "softDollarTiers": Callback(types={"tiers": "list[SoftDollarTier]"}),
    "securityDefinitionOptionParameter": Callback(
        "The expirations and strikes of an option chain.",
        types={"expirations": "set[str]", "strikes": "set[float]"},
        units={"expirations": "YYYYMMDD"},
    ),
    # accounts
    "accountSummary": Callback("One value of an account."),
    "updateAccountValue": Callback("One value of the account."),
    "updatePortfolio": Callback("One position of the account, valued."),
    "updateAccountTime": Callback("When the values of the account were up to date.", units={"timeStamp": "HH:MM"}),
    "accountDownloadEnd": Callback(dropped=("accountName",)),
    "accountUpdateMulti": Callback("One value of an account and model."),
    "position": Callback("One position of an account."),
    "positionMulti": Callback("One position of an account and model."),
    "pnl": Callback("The profit and loss of an account."),
    "pnlSingle": Callback("The profit and loss of one position."),
    "familyCodes": Callback(types={"familyCodes": "list[FamilyCode]"}),
    # orders
    "completedOrder": Callback("An order that is done."),
    # research
    "newsProviders": Callback(types={"newsProviders": "list[NewsProvider]"}),
    "updateNewsBulletin": Callback(
        "A bulletin of IB.",
        units={"msgType": "1 general, 2 exchange not available, 3 exchange available again"},
    ),
    "newsArticle": Callback("A news article.", units={"articleType": "0 text or HTML, 1 binary or PDF in base64"}),
    "historicalNews": Callback("A headline of the past."),
    "scannerData": Callback("One row of a market scan."),
    # session
    "configResponseProtoBuf": Callback(types={"configResponseProto": "Message"}, key="configResponseProto.reqId"),
    "updateConfigResponseProtoBuf": Callback(
        types={"updateConfigResponseProto": "Message"}, key="updateConfigResponseProto.reqId"
    ),
}
"""Callbacks about which introspection does not tell everything, under EWrapper's names."""

_START = "it belongs to the start or the end of the session"
_ORDER = "several requests share it, and it comes without any"

HAND_WRITTEN = {
    "commissionAndFeesReport": _ORDER,
    "commissionReport": "commissionAndFeesReport before ibapi 10.37",
    "connectAck": _START,
    "connectionClosed": _START,
    "error": "its shape differs between releases, and it may end any request",
    "execDetails": _ORDER,
    "logAnswer": "ibapi calls it for every message, up to 10.19",
    "managedAccounts": _START,
    "nextValidId": _START,
    "openOrder": _ORDER,
    "orderBound": "the names of its parameters differ between releases",
    "orderStatus": _ORDER,
    "winError": _START,
}
"""Callbacks that ``trio_ibtws._runtime._wrapper`` has by hand, and why."""

_CONNECTION = "the connection is ours"
_HELPER = "a helper of EClient's own methods"
_OPTIONS = "the handshake is ours"
_VERIFY = "verification of programs that IB has certified; it needs an agreement with IB"

IGNORED_METHODS = {
    "checkConnected": _HELPER,
    "connect": _CONNECTION,
    "disconnect": _CONNECTION,
    "isConnected": _CONNECTION,
    "keyboardInterrupt": _CONNECTION,
    "keyboardInterruptHard": _CONNECTION,
    "logRequest": _HELPER,
    "msgLoopRec": _CONNECTION,
    "msgLoopTmo": _CONNECTION,
    "reset": _CONNECTION,
    "run": _CONNECTION,
    "sendMsg": _HELPER,
    "serverVersion": "Client.server_version",
    "setConnState": _CONNECTION,
    "setConnectOptions": _OPTIONS,
    "setConnectionOptions": _OPTIONS,
    "setOptionalCapabilities": _OPTIONS,
    "startApi": _CONNECTION,
    "twsConnectionTime": _OPTIONS,
    "validateAttachedOrdersParameters": _HELPER,
    "validateInvalidSymbols": _HELPER,
    "validateOrderParameters": _HELPER,
    "verifyAndAuthMessage": _VERIFY,
    "verifyAndAuthRequest": _VERIFY,
    "verifyMessage": _VERIFY,
    "verifyRequest": _VERIFY,
}
"""EClient methods that are no requests of ours, and why. The ``...ProtoBuf`` twins are left out by rule."""

IGNORED_CALLBACKS = {
    "verifyAndAuthCompleted": _VERIFY,
    "verifyAndAuthMessageAPI": _VERIFY,
    "verifyCompleted": _VERIFY,
    "verifyMessageAPI": _VERIFY,
}
"""EWrapper callbacks that answer no request of ours, and why. The ``...ProtoBuf`` twins are left out by rule."""

TABLE = Table(
    families=(ACCOUNTS, CONTRACTS, HISTORY, MARKET_DATA, ORDERS, RESEARCH, SESSION),
    callbacks=CALLBACKS,
    defaults=DEFAULTS,
    types=TYPES,
    hand_written=HAND_WRITTEN,
    ignored_methods=IGNORED_METHODS,
    ignored_callbacks=IGNORED_CALLBACKS,
    vocabulary=VOCABULARY,
)
"""What ``python -m generator`` generates from."""
