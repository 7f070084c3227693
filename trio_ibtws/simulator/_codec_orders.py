"""The two layouts that carry a whole order: ``placeOrder`` (client to TWS) and ``openOrder`` (TWS to client).

The order of the fields is history: each release put its additions at the end, or where the old C++ client happened
to read them. What stands after ``=`` is what a gateway sends when the order does not have the attribute.
"""

from __future__ import annotations

from ._codec_fields import UNSET_DOUBLE_TEXT, Field, Group, Layout, Optional, Repeat, Values, When, fields

__all__ = ["COMPLETED_ORDER", "OPEN_ORDER", "PLACE_ORDER"]

_PEG_BENCH = frozenset({"PEG BENCH", "PEGBENCH"})
_PEG_BEST = frozenset({"PEG BEST", "PEGBEST"})
_PEG_MID = frozenset({"PEG MID", "PEGMID"})
_PRICE, _TIME, _MARGIN, _EXECUTION, _VOLUME, _PERCENT = 1, 3, 4, 5, 6, 7
_CONTRACT_CONDITIONS = frozenset({_PRICE, _VOLUME, _PERCENT})


def _is_combo(_: Values, root: Values) -> bool:
    return bool(root["contract"].get("secType") == "BAG")


def _scales(order: Values, _: Values) -> bool:
    return (order.get("scalePriceIncrement") or 0) > 0


def _hedges(order: Values, _: Values) -> bool:
    return bool(order.get("hedgeType"))


def _is_algo(order: Values, _: Values) -> bool:
    return bool(order.get("algoStrategy"))


def _is_peg_bench(order: Values, _: Values) -> bool:
    return order.get("orderType") in _PEG_BENCH


def _has_conditions(order: Values, _: Values) -> bool:
    return bool(order.get("conditions"))


def _is_delta_neutral(order: Values, _: Values) -> bool:
    return bool(order.get("deltaNeutralOrderType"))


def _sends_mid_offsets(order: Values, _: Values) -> bool:
    if order.get("orderType") in _PEG_BEST:
        return order.get("competeAgainstBestOffset") == float("inf")
    return order.get("orderType") in _PEG_MID


_TAG_VALUE = fields("tag value")
_COMBO_LEG = fields(
    "conId:int ratio:int action exchange openClose:int shortSaleSlot:int designatedLocation exemptCode:int=-1"
)
_DELTA_NEUTRAL_CONTRACT = fields("conId:int delta:float price:float")
_PEG_BENCH_FIELDS = fields(
    "referenceContractId:int isPeggedChangeAmountDecrease:bool peggedChangeAmount:float referenceChangeAmount:float "
    "referenceExchangeId"
)
_SCALE = fields(
    "scalePriceAdjustValue:float= scalePriceAdjustInterval:int= scaleProfitOffset:float= scaleAutoReset:bool "
    "scaleInitPosition:int= scaleInitFillQty:int= scaleRandomPercent:bool"
)
_CONDITION = (
    *fields("type:int connector"),
    When(lambda row, _: row["type"] == _EXECUTION, *fields("secType exchange symbol")),
    When(lambda row, _: row["type"] != _EXECUTION, *fields("isMore:bool value")),
    When(lambda row, _: row["type"] in _CONTRACT_CONDITIONS, *fields("conId:int exchange")),
    When(lambda row, _: row["type"] == _PRICE, *fields("triggerMethod:int")),
)
_CONDITIONS = (
    Repeat("conditions", *_CONDITION),
    When(_has_conditions, *fields("conditionsIgnoreRth:bool conditionsCancelOrder:bool")),
)

PLACE_ORDER: Layout = (
    *fields("orderId:id"),
    Group(
        "contract",
        *fields(
            "conId:int symbol secType lastTradeDateOrContractMonth strike:float right multiplier exchange "
            "primaryExchange currency localSymbol tradingClass secIdType secId"
        ),
    ),
    Group(
        "order",
        *fields(
            "action totalQuantity:decimal orderType lmtPrice:float= auxPrice:float= tif ocaGroup account openClose "
            "origin:int orderRef transmit:bool parentId:int blockOrder:bool sweepToFill:bool displaySize:int "
            "triggerMethod:int outsideRth:bool hidden:bool"
        ),
    ),
    When(
        _is_combo,
        Group("contract", Repeat("comboLegs", *_COMBO_LEG)),
        Group(
            "order",
            Repeat("orderComboLegs", Field("value", "float", ""), plain=True),
            Repeat("smartComboRoutingParams", *_TAG_VALUE),
        ),
    ),
    Group(
        "order",
        *fields(
            "sharesAllocation discretionaryAmt:float goodAfterTime goodTillDate faGroup faMethod faPercentage "
            "faProfile modelCode shortSaleSlot:int designatedLocation exemptCode:int=-1 ocaType:int rule80A "
            "settlingFirm allOrNone:bool minQty:int= percentOffset:float= eTradeOnly:bool firmQuoteOnly:bool "
            "nbboPriceCap:float= auctionStrategy:int startingPrice:float= stockRefPrice:float= delta:float= "
            "stockRangeLower:float= stockRangeUpper:float= overridePercentageConstraints:bool volatility:float= "
            "volatilityType:int= deltaNeutralOrderType deltaNeutralAuxPrice:float="
        ),
        When(
            _is_delta_neutral,
            *fields(
                "deltaNeutralConId:int deltaNeutralSettlingFirm deltaNeutralClearingAccount deltaNeutralClearingIntent "
                "deltaNeutralOpenClose deltaNeutralShortSale:bool deltaNeutralShortSaleSlot:int "
                "deltaNeutralDesignatedLocation"
            ),
        ),
        *fields(
            "continuousUpdate:bool referencePriceType:int= trailStopPrice:float= trailingPercent:float= "
            "scaleInitLevelSize:int= scaleSubsLevelSize:int= scalePriceIncrement:float="
        ),
        When(_scales, *_SCALE),
        *fields("scaleTable activeStartTime activeStopTime hedgeType"),
        When(_hedges, *fields("hedgeParam")),
        *fields("optOutSmartRouting:bool clearingAccount clearingIntent notHeld:bool"),
    ),
    Group("contract", Optional("deltaNeutralContract", *_DELTA_NEUTRAL_CONTRACT)),
    Group(
        "order",
        *fields("algoStrategy"),
        When(_is_algo, Repeat("algoParams", *_TAG_VALUE)),
        *fields("algoId whatIf:bool orderMiscOptions solicited:bool randomizeSize:bool randomizePrice:bool"),
        When(_is_peg_bench, *_PEG_BENCH_FIELDS),
        *_CONDITIONS,
        *fields(
            "adjustedOrderType triggerPrice:float= lmtPriceOffset:float= adjustedStopPrice:float= "
            "adjustedStopLimitPrice:float= adjustedTrailingAmount:float= adjustableTrailingUnit:int extOperator"
        ),
        Group("softDollarTier", *fields("name value")),
        *fields(
            "cashQty:float= mifid2DecisionMaker mifid2DecisionAlgo mifid2ExecutionTrader mifid2ExecutionAlgo "
            "dontUseAutoPriceForHedge:bool isOmsContainer:bool discretionaryUpToLimitPrice:bool usePriceMgmtAlgo:int= "
            "duration:int=@158 postToAts:int=@160 autoCancelParent:bool@162 advancedErrorOverride@166 "
            "manualOrderTime@169"
        ),
        When(lambda _, root: root["contract"].get("exchange") == "IBKRATS", *fields("minTradeQty:int="), since=170),
        When(
            lambda order, _: order.get("orderType") in _PEG_BEST,
            *fields("minCompeteSize:int= competeAgainstBestOffset:float="),
            since=170,
        ),
        When(_sends_mid_offsets, *fields("midOffsetAtWhole:float= midOffsetAtHalf:float="), since=170),
    ),
)

_MARGINS = " ".join(
    f"{name}{when}={UNSET_DOUBLE_TEXT}"
    for when in ("Before", "Change", "After")
    for name in ("initMargin", "maintMargin", "equityWithLoan")
)
_ADJUSTED = " ".join(
    f"{name}:float={UNSET_DOUBLE_TEXT}"
    for name in (
        "triggerPrice",
        "trailStopPrice",
        "lmtPriceOffset",
        "adjustedStopPrice",
        "adjustedStopLimitPrice",
        "adjustedTrailingAmount",
    )
)

OPEN_ORDER: Layout = (
    *fields("orderId:id"),
    Group(
        "contract",
        *fields(
            "conId:int symbol secType lastTradeDateOrContractMonth strike:number right=? multiplier exchange currency "
            "localSymbol tradingClass"
        ),
    ),
    Group(
        "order",
        *fields(
            "action totalQuantity:decimal orderType lmtPrice:float auxPrice:float tif ocaGroup account openClose "
            "origin:int orderRef clientId:int permId:long outsideRth:bool hidden:bool discretionaryAmt:number "
            "goodAfterTime sharesAllocation faGroup faMethod faPercentage faProfile modelCode goodTillDate rule80A "
            "percentOffset:float= settlingFirm shortSaleSlot:int designatedLocation exemptCode:int=-1 "
            "auctionStrategy:int startingPrice:float= stockRefPrice:float= delta:float= stockRangeLower:float= "
            "stockRangeUpper:float= displaySize:int=2147483647 blockOrder:bool sweepToFill:bool allOrNone:bool "
            "minQty:int= ocaType:int=3 eTradeOnly:bool firmQuoteOnly:bool nbboPriceCap:float= parentId:int "
            "triggerMethod:int volatility:float= volatilityType:int deltaNeutralOrderType=None "
            "deltaNeutralAuxPrice:float= deltaNeutralConId:int deltaNeutralSettlingFirm deltaNeutralClearingAccount "
            "deltaNeutralClearingIntent deltaNeutralOpenClose=? deltaNeutralShortSale:bool "
            "deltaNeutralShortSaleSlot:int deltaNeutralDesignatedLocation continuousUpdate:bool "
            "referencePriceType:int trailStopPrice:float= trailingPercent:float= basisPoints:float= "
            "basisPointsType:int="
        ),
    ),
    Group("contract", *fields("comboLegsDescrip"), Repeat("comboLegs", *_COMBO_LEG)),
    Group(
        "order",
        Repeat("orderComboLegs", Field("value", "float", ""), plain=True),
        Repeat("smartComboRoutingParams", *_TAG_VALUE),
        *fields("scaleInitLevelSize:int=2147483647 scaleSubsLevelSize:int=2147483647 scalePriceIncrement:float="),
        When(_scales, *_SCALE),
        *fields("hedgeType"),
        When(_hedges, *fields("hedgeParam")),
        *fields("optOutSmartRouting:bool clearingAccount clearingIntent=IB notHeld:bool"),
    ),
    Group("contract", Optional("deltaNeutralContract", *_DELTA_NEUTRAL_CONTRACT)),
    Group(
        "order",
        *fields("algoStrategy"),
        When(_is_algo, Repeat("algoParams", *_TAG_VALUE)),
        *fields("solicited:bool whatIf:bool"),
    ),
    Group(
        "orderState",
        *fields(f"status {_MARGINS}"),
        *fields("commission:float= minCommission:float= maxCommission:float= commissionCurrency warningText"),
    ),
    Group(
        "order",
        *fields("randomizeSize:bool randomizePrice:bool"),
        When(_is_peg_bench, *_PEG_BENCH_FIELDS),
        *_CONDITIONS,
        *fields(f"adjustedOrderType=None {_ADJUSTED} adjustableTrailingUnit:int"),
        Group("softDollarTier", *fields("name value displayName")),
        *fields(
            "cashQty:number dontUseAutoPriceForHedge:bool=1 isOmsContainer:bool discretionaryUpToLimitPrice:bool "
            "usePriceMgmtAlgo:int duration:int=@158 postToAts:int=@160 autoCancelParent:bool@162 minTradeQty:int=@170 "
            "minCompeteSize:int=@170 competeAgainstBestOffset:float=@170 midOffsetAtWhole:float=@170 "
            "midOffsetAtHalf:float=@170"
        ),
    ),
)

COMPLETED_ORDER: Layout = (
    Group(
        "contract",
        *fields(
            "conId:int symbol secType lastTradeDateOrContractMonth strike:number right=? multiplier exchange currency "
            "localSymbol tradingClass"
        ),
    ),
    Group(
        "order",
        *fields(
            "action totalQuantity:decimal orderType lmtPrice:float auxPrice:float tif ocaGroup account openClose "
            "origin:int orderRef permId:long outsideRth:bool hidden:bool discretionaryAmt:number goodAfterTime faGroup "
            "faMethod faPercentage faProfile modelCode goodTillDate rule80A percentOffset:float= settlingFirm "
            "shortSaleSlot:int designatedLocation exemptCode:int=-1 startingPrice:float= stockRefPrice:float= "
            "delta:float= stockRangeLower:float= stockRangeUpper:float= displaySize:int=2147483647 sweepToFill:bool "
            "allOrNone:bool minQty:int= ocaType:int=3 triggerMethod:int volatility:float= volatilityType:int "
            "deltaNeutralOrderType=None deltaNeutralAuxPrice:float= deltaNeutralConId:int deltaNeutralShortSale:bool "
            "deltaNeutralShortSaleSlot:int deltaNeutralDesignatedLocation continuousUpdate:bool "
            "referencePriceType:int trailStopPrice:float= trailingPercent:float="
        ),
    ),
    Group("contract", *fields("comboLegsDescrip"), Repeat("comboLegs", *_COMBO_LEG)),
    Group(
        "order",
        Repeat("orderComboLegs", Field("value", "float", ""), plain=True),
        Repeat("smartComboRoutingParams", *_TAG_VALUE),
        *fields("scaleInitLevelSize:int=2147483647 scaleSubsLevelSize:int=2147483647 scalePriceIncrement:float="),
        When(_scales, *_SCALE),
        *fields("hedgeType"),
        When(_hedges, *fields("hedgeParam")),
        *fields("clearingAccount clearingIntent=IB notHeld:bool"),
    ),
    Group("contract", Optional("deltaNeutralContract", *_DELTA_NEUTRAL_CONTRACT)),
    Group(
        "order", *fields("algoStrategy"), When(_is_algo, Repeat("algoParams", *_TAG_VALUE)), *fields("solicited:bool")
    ),
    Group("orderState", *fields("status")),
    Group(
        "order",
        *fields("randomizeSize:bool randomizePrice:bool"),
        When(_is_peg_bench, *_PEG_BENCH_FIELDS),
        *_CONDITIONS,
        *fields(
            f"trailStopPrice:float={UNSET_DOUBLE_TEXT} lmtPriceOffset:float={UNSET_DOUBLE_TEXT} cashQty:number "
            "dontUseAutoPriceForHedge:bool=1 isOmsContainer:bool autoCancelDate filledQuantity:decimal "
            "refFuturesConId:int=2147483647 autoCancelParent:bool"
        ),
        Field("shareholder", absent="Not an insider or substantial shareholder"),
        *fields("imbalanceOnly:bool routeMarketableToBbo:bool parentPermId:long=9223372036854775807"),
    ),
    Group("orderState", *fields("completedTime completedStatus")),
    Group(
        "order",
        *fields(
            "minTradeQty:int=@170 minCompeteSize:int=@170 competeAgainstBestOffset:float=@170 "
            "midOffsetAtWhole:float=@170 midOffsetAtHalf:float=@170"
        ),
    ),
)
