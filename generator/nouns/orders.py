"""Orders, their states, conditions and executions."""

from __future__ import annotations

from ..schema_model import Noun

__all__ = ["ORDERS"]

_JOINED = "isConjunctionConnection Boolean Whether this and the next condition must both hold, not one of them.\n"
_MORE = "isMore Boolean Whether the value must be above, not below.\n"
_TRADED = "conId Int IB's number of the contract that is watched.\nexchange String Where it is watched.\n"
_KIND = "condType OrderConditionType The kind of condition.\n"

ORDERS = (
    Noun(
        "Order",
        "An order, or what of it TWS tells. What is not given keeps the default that ibapi gives a new order.",
        """
        action String BUY, SELL, SSHORT or SLONG.
        totalQuantity Decimal How much to trade.
        orderType String The type: LMT, MKT, STP, STP LMT, TRAIL, REL, MOC and others.
        lmtPrice Float The limit price, or the offset of a relative order.
        auxPrice Float The stop price, or the trailing or offset amount, by type.
        tif String How long it holds: DAY, GTC, IOC, GTD, OPG, FOK, DTC.
        account String The account; needed where the login has several.
        orderRef String Its reference, at most 20 characters: an order with a reference is placed once.
        orderId Int Its number, for the client that placed it.
        clientId Int The client that placed it.
        permId Long TWS's permanent number.
        parentId Int The number of the order whose fill brings this one to life.
        parentPermId Long TWS's permanent number of that order.
        transmit Boolean Whether TWS is to work it at once; false holds it back until one of its family is transmitted.
        outsideRth Boolean Whether it may be filled outside of regular trading hours.
        goodAfterTime String The time from which on it is worked.
        goodTillDate String The time until which it holds, with tif GTD.
        activeStartTime String From when on an order GTC is worked.
        activeStopTime String Until when an order GTC is worked.
        ocaGroup String The name of a group of orders of which one cancels the others.
        ocaType Int How that group reacts: 1 cancel, 2 reduce with block, 3 reduce without block.
        hidden Boolean Whether it is hidden from the book.
        displaySize Int How much of it the book shows.
        blockOrder Boolean Whether it is a block order.
        sweepToFill Boolean Whether it takes what is there at once.
        allOrNone Boolean Whether it is filled as a whole or not at all.
        minQty Int The least quantity of a fill.
        triggerMethod Int Which price triggers it: 0 TWS's choice, 2 last, 4 bid/ask, 8 mid point and others.
        rule80A String The kind of trader, as one letter.
        percentOffset Float The offset of a relative order as a fraction.
        overridePercentageConstraints Boolean Whether TWS's precautions about its price are overridden.
        trailStopPrice Float The first stop price of a trailing order.
        trailingPercent Float The trailing amount in percent.
        lmtPriceOffset Float How far the limit is from the stop of a trailing stop limit order.
        faGroup String The advisor's group that it is allocated to.
        faMethod String The advisor's method of allocation.
        faPercentage String The advisor's percentage of allocation.
        faProfile String The advisor's profile of allocation.
        modelCode String The model that it belongs to.
        designatedLocation String Where the shares of a short sale are held.
        openClose String O to open, C to close a position; for institutions.
        origin Int 0 customer, 1 firm.
        shortSaleSlot Int Where the shares of a short sale come from: 1 the clearing broker, 2 elsewhere.
        exemptCode Int The code of an exemption from the short sale rules, -1 for none.
        discretionaryAmt Float By how much the limit may be exceeded.
        discretionaryUpToLimitPrice Boolean Whether a relative order is discretionary up to its limit.
        optOutSmartRouting Boolean Whether smart routing is opted out of.
        auctionStrategy Int At a BOX auction: 1 match, 2 improvement, 3 transparent.
        startingPrice Float The starting price of a BOX order.
        stockRefPrice Float The stock's reference price, for a BOX or volatility order.
        delta Float The delta of a BOX order.
        stockRangeLower Float The lowest price of the stock at which it is worked.
        stockRangeUpper Float The highest price of the stock at which it is worked.
        randomizeSize Boolean Whether its size is made random.
        randomizePrice Boolean Whether its price is made random.
        volatility Float The volatility of a volatility order, in percent.
        volatilityType Int 1 daily, 2 annual.
        continuousUpdate Boolean Whether its price follows the stock.
        referencePriceType Int Which price of the stock counts: 1 the mid point, 2 bid or ask.
        deltaNeutralOrderType String The type of the hedging order.
        deltaNeutralAuxPrice Float The auxiliary price of the hedging order.
        deltaNeutralConId Int IB's number of the hedging contract.
        deltaNeutralSettlingFirm String The settling firm of the hedge.
        deltaNeutralClearingAccount String The clearing account of the hedge.
        deltaNeutralClearingIntent String The clearing intent of the hedge.
        deltaNeutralOpenClose String Whether the hedge opens or closes a position.
        deltaNeutralShortSale Boolean Whether the hedge is a short sale.
        deltaNeutralShortSaleSlot Int Where the shares of the hedge come from.
        deltaNeutralDesignatedLocation String Where the shares of the hedge are held.
        basisPoints Float The basis points of an EFP order.
        basisPointsType Int The type of those.
        scaleInitLevelSize Int The size of a scale order's first part.
        scaleSubsLevelSize Int The size of a scale order's further parts.
        scalePriceIncrement Float The price step of a scale order.
        scalePriceAdjustValue Float By how much its price is adjusted.
        scalePriceAdjustInterval Int How often its price is adjusted, in seconds.
        scaleProfitOffset Float How far away its profit is taken.
        scaleAutoReset Boolean Whether it begins anew.
        scaleInitPosition Int Its first position.
        scaleInitFillQty Int How much of it is filled at first.
        scaleRandomPercent Boolean Whether its sizes are made random.
        scaleTable String Its table, made by hand.
        hedgeType String The kind of hedge: D delta, B beta, F currency, P pair.
        hedgeParam String The beta or ratio of the hedge.
        hedgeMaxSize Int The largest size of the hedge.
        dontUseAutoPriceForHedge Boolean Whether the hedge's price is not set by TWS.
        settlingFirm String The settling firm; for institutions.
        clearingAccount String The account at the clearing firm.
        clearingIntent String IB, Away or PTA (after trade).
        algoStrategy String One of IB's algos.
        algoParams [TagValue!] The parameters of the algo.
        algoId String The id of an algo.
        whatIf Boolean Whether TWS is only asked what it would cost; whatIfOrder does that.
        whatIfType Int What is asked.
        notHeld Boolean Whether the broker has discretion.
        solicited Boolean Whether the order was solicited.
        orderComboLegs [OrderComboLeg!] The prices of the legs, in the order of the contract's.
        smartComboRoutingParams [TagValue!] The parameters of smart routing for a combination.
        orderMiscOptions [TagValue!] Further options.
        referenceContractId Int IB's number of the contract that it is pegged to.
        peggedChangeAmount Float By how much its price changes,
        isPeggedChangeAmountDecrease Boolean Whether that is downwards,
        referenceChangeAmount Float when the reference's changes by so much.
        referenceExchangeId String The exchange of the reference.
        adjustedOrderType String The type that it becomes when triggered.
        triggerPrice Float The price that triggers that.
        adjustedStopPrice Float The stop price that it has then.
        adjustedStopLimitPrice Float The limit of its stop then.
        adjustedTrailingAmount Float The trailing amount that it has then.
        adjustableTrailingUnit Int 0 an amount, 100 percent.
        conditions [OrderCondition!] What must hold before it is worked, or cancels it.
        conditionsCancelOrder Boolean Whether the conditions cancel it.
        conditionsIgnoreRth Boolean Whether the conditions hold outside of regular trading hours too.
        conditionsIncludeOvernight Boolean Whether the conditions hold overnight too.
        extOperator String Who entered it; for some exchanges.
        externalUserId String Who entered it.
        softDollarTier SoftDollarTier Its soft dollar tier.
        cashQty Float How much money to spend, in place of a quantity.
        mifid2DecisionMaker String Who decides, under MiFID II.
        mifid2DecisionAlgo String Which algo decides, under MiFID II.
        mifid2ExecutionTrader String Who executes, under MiFID II.
        mifid2ExecutionAlgo String Which algo executes, under MiFID II.
        autoCancelDate String When it is cancelled by itself.
        autoCancelParent Boolean Whether its parent's cancel cancels it.
        filledQuantity Decimal How much of it is filled.
        refFuturesConId Int IB's number of the reference future.
        shareholder String The shareholder.
        imbalanceOnly Boolean Whether it is for the imbalance of an auction only.
        routeMarketableToBbo Boolean Whether a marketable order goes to the best bid or offer.
        seekPriceImprovement Boolean Whether price improvement is looked for.
        isOmsContainer Boolean Whether it may be split by an order management system.
        usePriceMgmtAlgo Boolean Whether IB's price management algo is used.
        duration Int For how many seconds it holds.
        postToAts Int How much of it is posted to IB's ATS.
        postOnly Boolean Whether it only adds liquidity.
        allowPreOpen Boolean Whether it may be worked before the opening.
        ignoreOpenAuction Boolean Whether it takes no part in the opening auction.
        deactivate Boolean Whether it is deactivated.
        advancedErrorOverride String The codes of the rejections that are overridden.
        manualOrderTime String When it was given by hand.
        manualOrderIndicator Int Whether it was given by hand: 1 yes, 0 no.
        minTradeQty Int The least quantity of a trade at IBKRATS.
        minCompeteSize Int The least size to compete against.
        competeAgainstBestOffset Float The offset from the best price.
        midOffsetAtWhole Float The offset where the mid point is a whole step.
        midOffsetAtHalf Float The offset where the mid point is half a step.
        customerAccount String The customer's account.
        professionalCustomer Boolean Whether the customer is a professional.
        bondAccruedInterest String The accrued interest of a bond.
        includeOvernight Boolean Whether it is worked overnight too.
        submitter String Who submitted it.
        slOrderId Int The number of an attached stop loss order.
        slOrderType String The type of an attached stop loss order.
        ptOrderId Int The number of an attached profit taking order.
        ptOrderType String The type of an attached profit taking order.
        eTradeOnly Boolean Whether it is for electronic trading only.
        firmQuoteOnly Boolean Whether it is for firm quotes only.
        nbboPriceCap Float The largest distance from the best bid or offer.
        """,
        given=True,
        told=("clientId", "permId", "parentPermId", "filledQuantity", "autoCancelDate", "refFuturesConId"),
    ),
    Noun(
        "OrderComboLeg",
        "The price of one leg of a combination.",
        """
        price Float The price.
        """,
        given=True,
    ),
    Noun(
        "PriceCondition",
        "A contract trades above or below a price.",
        _KIND
        + _JOINED
        + _MORE
        + _TRADED
        + """
        price Float The price.
        triggerMethod Int Which price counts, as in Order.
        """,
        condition=1,
    ),
    Noun(
        "TimeCondition",
        "It is later or earlier than a time.",
        _KIND
        + _JOINED
        + _MORE
        + """
        time String The time, with its zone.
        """,
        condition=3,
    ),
    Noun(
        "MarginCondition",
        "The margin cushion is above or below a percentage.",
        _KIND
        + _JOINED
        + _MORE
        + """
        percent Int The percentage.
        """,
        condition=4,
    ),
    Noun(
        "ExecutionCondition",
        "The account has traded a symbol.",
        _KIND
        + _JOINED
        + """
        secType String The kind of contract.
        exchange String Where it was traded.
        symbol String The symbol.
        """,
        condition=5,
    ),
    Noun(
        "VolumeCondition",
        "The volume of a contract is above or below a figure.",
        _KIND
        + _JOINED
        + _MORE
        + _TRADED
        + """
        volume Int The figure.
        """,
        condition=6,
    ),
    Noun(
        "PercentChangeCondition",
        "The price of a contract has changed by more or less than a percentage.",
        _KIND
        + _JOINED
        + _MORE
        + _TRADED
        + """
        changePercent Float The percentage.
        """,
        condition=7,
    ),
    Noun(
        "OrderCancel",
        "What goes with the cancel of an order.",
        """
        manualOrderCancelTime String When it was cancelled by hand.
        extOperator String Who cancels it; for some exchanges.
        externalUserId String Who cancels it.
        manualOrderIndicator Int Whether it is cancelled by hand: 1 yes, 0 no.
        """,
        given=True,
        answered=False,
    ),
    Noun(
        "OrderState",
        "What TWS says of an order beside the order itself: its state, margins and costs.",
        """
        status String The status.
        initMarginBefore Decimal The initial margin as it is.
        initMarginChange Decimal What the order would add to the initial margin.
        initMarginAfter Decimal The initial margin with the order.
        maintMarginBefore Decimal The maintenance margin as it is.
        maintMarginChange Decimal What the order would add to the maintenance margin.
        maintMarginAfter Decimal The maintenance margin with the order.
        equityWithLoanBefore Decimal The equity with loan as it is.
        equityWithLoanChange Decimal What the order would add to the equity with loan.
        equityWithLoanAfter Decimal The equity with loan with the order.
        initMarginBeforeOutsideRTH Float The same outside of regular trading hours.
        initMarginChangeOutsideRTH Float The same outside of regular trading hours.
        initMarginAfterOutsideRTH Float The same outside of regular trading hours.
        maintMarginBeforeOutsideRTH Float The same outside of regular trading hours.
        maintMarginChangeOutsideRTH Float The same outside of regular trading hours.
        maintMarginAfterOutsideRTH Float The same outside of regular trading hours.
        equityWithLoanBeforeOutsideRTH Float The same outside of regular trading hours.
        equityWithLoanChangeOutsideRTH Float The same outside of regular trading hours.
        equityWithLoanAfterOutsideRTH Float The same outside of regular trading hours.
        marginCurrency String The currency of the margins.
        commissionAndFees Float What the order costs or cost.
        minCommissionAndFees Float What it costs at least.
        maxCommissionAndFees Float What it costs at most.
        commissionAndFeesCurrency String The currency of that.
        commission Float What the order costs or cost.
        minCommission Float What it costs at least.
        maxCommission Float What it costs at most.
        commissionCurrency String The currency of that.
        suggestedSize Decimal A size that would be taken.
        rejectReason String Why it was refused.
        orderAllocations [OrderAllocation!] How an advisor's order is allocated.
        warningText String A warning of TWS.
        completedTime String When it was done.
        completedStatus String How it was done.
        """,
    ),
    Noun(
        "OrderAllocation",
        "The part of an account in an advisor's order.",
        """
        account String The account.
        position Decimal Its position.
        positionDesired Decimal The position that is wanted.
        positionAfter Decimal The position afterwards.
        desiredAllocQty Decimal The quantity that is wanted.
        allowedAllocQty Decimal The quantity that is allowed.
        isMonetary Boolean Whether the quantities are money.
        """,
    ),
    Noun(
        "Execution",
        "A fill.",
        """
        execId String IB's id of the fill; what follows the last dot counts its corrections.
        time String When it happened.
        acctNumber String The account.
        exchange String Where it happened.
        side String BOT or SLD.
        shares Decimal How much was traded.
        price Float At which price.
        permId Long TWS's permanent number of the order.
        clientId Int The client that placed the order.
        orderId Int The order's number.
        liquidation Int Whether it was a liquidation by IB: 1 yes.
        cumQty Decimal How much of the order is traded so far.
        avgPrice Float At which price on average.
        orderRef String The order's reference.
        evRule String The rule of the economic value.
        evMultiplier Float The multiplier of the economic value.
        modelCode String The model that the order belongs to.
        lastLiquidity Int Whether it 1 added, 2 removed liquidity, or 3 was routed out.
        pendingPriceRevision Boolean Whether the price may still be revised.
        submitter String Who submitted the order.
        optExerciseOrLapseType OptionExerciseType Which end of an option it stands for.
        """,
    ),
    Noun(
        "ExecutionFilter",
        "Which executions are asked for; what is not given lets all pass.",
        """
        clientId Int The client that placed the order.
        acctCode String The account.
        time String The time from which on: YYYYMMDD-HH:MM:SS in UTC.
        symbol String The symbol.
        secType String The kind of contract.
        exchange String The exchange.
        side String BUY or SELL.
        lastNDays Int The last so many days.
        specificDates [Int!] These days: 20240131.
        """,
        given=True,
        answered=False,
    ),
)
