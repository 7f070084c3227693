"""Names on the protobuf wire: which message class carries which message, and what its fields are called here.

Most names are derived: ``reqMktData`` is a ``MarketDataRequest``, ``cancelMktData`` a ``CancelMarketData``, and a field
is called as the value. The tables have the rest.
"""

from __future__ import annotations

__all__ = ["FLAT", "answer_class", "request_class", "value_name"]

_ANSWER_CLASSES = {
    "error": "ErrorMessage",
    "updateAccountValue": "AccountValue",
    "updatePortfolio": "PortfolioValue",
    "updateAccountTime": "AccountUpdateTime",
    "contractDetails": "ContractData",
    "bondContractDetails": "ContractData",
    "contractDetailsEnd": "ContractDataEnd",
    "execDetails": "ExecutionDetails",
    "execDetailsEnd": "ExecutionDetailsEnd",
    "updateMktDepth": "MarketDepth",
    "updateMktDepthL2": "MarketDepthL2",
    "updateNewsBulletin": "NewsBulletin",
    "realtimeBar": "RealTimeBarTick",
    "fundamentalData": "FundamentalsData",
    "openOrderEnd": "OpenOrdersEnd",
    "accountDownloadEnd": "AccountDataEnd",
    "commissionReport": "CommissionAndFeesReport",
    "verifyMessageAPI": "VerifyMessageApi",
    "securityDefinitionOptionParameter": "SecDefOptParameter",
    "securityDefinitionOptionParameterEnd": "SecDefOptParameterEnd",
    "rerouteMktDataReq": "RerouteMarketDataRequest",
    "rerouteMktDepthReq": "RerouteMarketDepthRequest",
    "pnl": "PnL",
    "pnlSingle": "PnLSingle",
    "tickByTick": "TickByTickData",
}
_REQUEST_CLASSES = {
    "cancelOrder": "CancelOrderRequest",
    "reqAccountUpdates": "AccountDataRequest",
    "reqExecutions": "ExecutionRequest",
    "reqContractDetails": "ContractDataRequest",
    "reqManagedAccts": "ManagedAccountsRequest",
    "requestFA": "FARequest",
    "replaceFA": "FAReplace",
    "reqFundamentalData": "FundamentalsDataRequest",
    "cancelFundamentalData": "CancelFundamentalsData",
    "verifyRequest": "VerifyRequest",
    "reqHeadTimeStamp": "HeadTimestampRequest",
    "cancelHeadTimeStamp": "CancelHeadTimestamp",
    "reqTickByTickData": "TickByTickRequest",
    "cancelTickByTickData": "CancelTickByTick",
}

_VALUE_NAMES = {
    "AccountSummaryRequest.group": "groupName",
    "AutoOpenOrdersRequest.autoBind": "bAutoBind",
    "CalculateImpliedVolatilityRequest.impliedVolatilityOptions": "implVolOptions",
    "CalculateOptionPriceRequest.optionPriceOptions": "optPrcOptions",
    "ComboLeg.shortSalesSlot": "shortSaleSlot",
    "CommissionAndFeesReport.bondYield": "yield",
    "CommissionAndFeesReport.commissionAndFees": "commission",
    "Contract.primaryExch": "primaryExchange",
    "ContractDetails.bondNotes": "notes",
    "ContractDetails.puttable": "putable",
    "CurrentTime.currentTime": "time",
    "CurrentTimeInMillis.currentTimeInMillis": "timeInMillis",
    "ErrorMessage.errorMsg": "errorString",
    "ErrorMessage.id": "reqId",
    "Execution.isLiquidation": "liquidation",
    "Execution.isPriceRevisionPending": "pendingPriceRevision",
    "ExecutionRequest.executionFilter": "execFilter",
    "ExerciseOptionsRequest.orderId": "reqId",
    "FAReplace.faDataType": "faData",
    "FAReplace.xml": "cxml",
    "FARequest.faDataType": "faData",
    "FamilyCode.accountId": "accountID",
    "FamilyCode.familyCode": "familyCodeStr",
    "FundamentalsDataRequest.fundamentalsDataOptions": "fundamentalDataOptions",
    "HistogramData.histogramDataEntries": "items",
    "HistoricalData.historicalDataBars": "bars",
    "HistoricalDataBar.WAP": "wap",
    "HistoricalDataRequest.duration": "durationStr",
    "HistoricalSchedule.historicalSessions": "sessions",
    "HistoricalTicks.historicalTicks": "ticks",
    "HistoricalTicks.isDone": "done",
    "HistoricalTicksBidAsk.historicalTicksBidAsk": "ticks",
    "HistoricalTicksBidAsk.isDone": "done",
    "HistoricalTicksLast.historicalTicksLast": "ticks",
    "HistoricalTicksLast.isDone": "done",
    "HistoricalTicksRequest.useRTH": "useRth",
    "MarketDataRequest.marketDataOptions": "mktDataOptions",
    "MarketDepthExchanges.depthMarketDataDescriptions": "depthMktDataDescriptions",
    "MarketDepthRequest.marketDepthOptions": "mktDepthOptions",
    "NewsBulletin.newsMsgId": "msgId",
    "NewsBulletin.newsMsgType": "msgType",
    "NewsBulletin.originatingExch": "originExch",
    "NewsBulletinsRequest.allMessages": "allMsgs",
    "NewsProvider.providerCode": "code",
    "NewsProvider.providerName": "name",
    "OrderState.commissionAndFees": "commission",
    "OrderState.commissionAndFeesCurrency": "commissionCurrency",
    "OrderState.maxCommissionAndFees": "maxCommission",
    "OrderState.minCommissionAndFees": "minCommission",
    "PnLSingle.position": "pos",
    "RealTimeBarTick.WAP": "wap",
    "ReceiveFA.faDataType": "faData",
    "ReceiveFA.xml": "cxml",
    "ScannerData.scannerDataElement": "elements",
    "ScannerDataElement.comboKey": "legsStr",
    "SoftDollarTiers.softDollarTiers": "tiers",
    "TickNews.timestamp": "timeStamp",
}

FLAT = frozenset(
    {
        "CancelOrderRequest.orderCancel",
        "ContractData.contractDetails",
        "ContractDescription.contract",
        "GlobalCancelRequest.orderCancel",
        "HistoricalDataUpdate.historicalDataBar",
        "MarketDepth.marketDepthData",
        "MarketDepthL2.marketDepthData",
        "ScannerSubscriptionRequest.scannerSubscription",
    }
)
"""Nested messages whose values are not nested here."""


def _long(name: str) -> str:
    return (name[:1].upper() + name[1:]).replace("Mkt", "Market")


def answer_class(name: str) -> str:
    """Return the class of the protobuf message that carries an answer."""
    return _ANSWER_CLASSES.get(name) or _long(name)


def request_class(name: str) -> str:
    """Return the class of the protobuf message that carries a request."""
    if name in _REQUEST_CLASSES:
        return _REQUEST_CLASSES[name]
    if name.startswith("cancel"):
        return _long(name)
    return _long(name.removeprefix("req")) + "Request"


def value_name(message_type: str, field: str) -> str:
    """Return what the value of a protobuf field is called in a message's values."""
    return _VALUE_NAMES.get(f"{message_type}.{field}", field)
