"""Contracts and what describes them."""

from __future__ import annotations

from ..schema_model import Noun

__all__ = ["CONTRACTS"]

CONTRACTS = (
    Noun(
        "Contract",
        "An instrument. IB's number alone names it, or as many of the other attributes as make it unique.",
        """
        conId Int IB's number of the contract.
        symbol String The symbol of the contract, or of its underlying.
        secType String The kind: STK, OPT, FUT, CASH, IND, CFD, CRYPTO, BOND, FUND, FOP, WAR, CMDTY, BAG and others.
        lastTradeDateOrContractMonth String The last trading day (YYYYMMDD), or the contract month (YYYYMM).
        lastTradeDate String The last trading day.
        strike Float The strike price of an option.
        right String C or CALL, P or PUT.
        multiplier String How much of the underlying one contract is about.
        exchange String Where it is to be traded: SMART, or an exchange.
        primaryExchange String The exchange of its listing, which tells contracts on SMART apart.
        currency String The currency that it trades in.
        localSymbol String Its symbol at the exchange.
        tradingClass String The trading class of an option or future.
        includeExpired Boolean Whether expired futures are looked for too.
        secIdType String What secId is: ISIN, CUSIP, SEDOL or RIC.
        secId String An identifier of the kind that secIdType names.
        description String What the contract is, in words.
        issuerId String The issuer of a bond.
        comboLegsDescrip String The legs of a combination, in words.
        comboLegs [ComboLeg!] The legs of a combination.
        deltaNeutralContract DeltaNeutralContract The contract that hedges a delta-neutral combination.
        """,
        given=True,
        told=("comboLegsDescrip",),
    ),
    Noun(
        "ComboLeg",
        "One leg of a combination.",
        """
        conId Int IB's number of the leg's contract.
        ratio Int How many of it go into one of the combination.
        action String BUY or SELL, where the combination is bought.
        exchange String Where the leg is to be traded.
        openClose Int Whether it opens or closes a position: 0 as the order, 1 opens, 2 closes, 3 unknown.
        shortSaleSlot Int Where the shares of a short sale come from: 1 the clearing broker, 2 elsewhere.
        designatedLocation String Where they are held, with shortSaleSlot 2.
        exemptCode Int The code of an exemption from the short sale rules, -1 for none.
        """,
        given=True,
    ),
    Noun(
        "DeltaNeutralContract",
        "The contract that hedges a delta-neutral combination.",
        """
        conId Int IB's number of it.
        delta Float The delta of the hedge.
        price Float The price of the hedge.
        """,
        given=True,
    ),
    Noun(
        "ContractDetails",
        "What IB knows about a contract.",
        """
        contract Contract The contract itself, with all that names it.
        marketName String The name of its market.
        minTick Float The smallest price step; marketRuleIds say it by price.
        orderTypes String The order types that it takes, with commas.
        validExchanges String The exchanges where it trades, with commas.
        priceMagnifier Int By what prices are multiplied for display.
        underConId Int IB's number of the underlying.
        longName String The name of the company or product.
        contractMonth String The month of a future or option.
        industry String The industry of the underlying.
        category String The category within the industry.
        subcategory String The subcategory within the category.
        timeZoneId String The time zone of the hours.
        tradingHours String When it trades, by day.
        liquidHours String When it is liquid, by day.
        evRule String The rule of the economic value.
        evMultiplier Float The multiplier of the economic value.
        aggGroup Int The group of exchanges whose quotes are put together.
        underSymbol String The symbol of the underlying.
        underSecType String The kind of the underlying.
        marketRuleIds String The ids of the market rules, in the order of validExchanges.
        secIdList [TagValue!] Its identifiers: CUSIP, ISIN and others.
        realExpirationDate String The day when it really expires.
        lastTradeTime String The time of the last trade on the last day.
        stockType String The kind of stock: COMMON, ETF, ADR and others.
        minSize Decimal The smallest size of an order.
        sizeIncrement Decimal The step of sizes.
        suggestedSizeIncrement Decimal The step of sizes that is advised.
        minAlgoSize Decimal The smallest size for an algo.
        lastPricePrecision Decimal The precision of the last price.
        lastSizePrecision Decimal The precision of the last size.
        mdSizeMultiplier Int By what sizes of market data are multiplied.
        settlementMethod String How it is settled.
        cusip String The CUSIP of a bond.
        ratings String The credit ratings of a bond.
        descAppend String More about a bond.
        bondType String The kind of a bond.
        couponType String The kind of its coupon.
        callable Boolean Whether the issuer may call a bond.
        putable Boolean Whether the holder may sell a bond back.
        coupon Float The coupon of a bond.
        convertible Boolean Whether a bond can be converted.
        maturity String When a bond is due.
        issueDate String When a bond was issued.
        nextOptionDate String The next date when a bond's option may be used.
        nextOptionType String The kind of that option.
        nextOptionPartial Boolean Whether that option may be used in part.
        notes String Remarks about a bond.
        fundName String The name of a fund.
        fundFamily String The family of a fund.
        fundType String The kind of a fund.
        fundFrontLoad String The charge for buying a fund.
        fundBackLoad String The charge for selling a fund.
        fundBackLoadTimeInterval String For how long that charge is taken.
        fundManagementFee String The yearly fee of a fund.
        fundClosed Boolean Whether a fund is closed.
        fundClosedForNewInvestors Boolean Whether a fund is closed for new investors.
        fundClosedForNewMoney Boolean Whether a fund is closed for new money.
        fundNotifyAmount String From which amount on a fund wants to be told.
        fundMinimumInitialPurchase String The least first purchase of a fund.
        fundSubsequentMinimumPurchase String The least later purchase of a fund.
        fundBlueSkyStates String The states where a fund may be sold.
        fundBlueSkyTerritories String The territories where a fund may be sold.
        fundDistributionPolicyIndicator FundDistributionPolicyIndicator What a fund does with its income.
        fundAssetType FundAssetType What a fund holds.
        ineligibilityReasonList [IneligibilityReason!] Why it cannot be traded.
        eventContract1 String The event of an event contract.
        eventContractDescription1 String The event of an event contract, in words.
        eventContractDescription2 String More about that event.
        """,
    ),
    Noun(
        "ContractDescription",
        "A contract that fits a search.",
        """
        contract Contract The contract.
        derivativeSecTypes [String!] The kinds of derivatives that there are on it.
        """,
    ),
    Noun(
        "IneligibilityReason",
        "Why a contract cannot be traded.",
        """
        id_ String The reason's id.
        description String The reason in words.
        """,
    ),
    Noun(
        "PriceIncrement",
        "A price step of a market rule.",
        """
        lowEdge Float From which price on it holds.
        increment Float The step.
        """,
    ),
    Noun(
        "SmartComponent",
        "An exchange behind a SMART quote.",
        """
        bitNumber Int The bit that stands for it.
        exchange String The exchange.
        exchangeLetter String Its letter in quotes.
        """,
    ),
    Noun(
        "DepthMktDataDescription",
        "An exchange that offers market depth.",
        """
        exchange String The exchange.
        secType String The kind of contracts.
        listingExch String The exchange of the listing.
        serviceDataType String Deep for its own book, Deep2 for one that names market makers.
        aggGroup Int The group of exchanges whose quotes are put together.
        """,
    ),
    Noun(
        "SoftDollarTier",
        "A soft dollar tier.",
        """
        name String Its name.
        val String Its value, which orders carry.
        displayName String Its name for display.
        """,
        given=True,
    ),
    Noun(
        "TagValue",
        "A name and its value.",
        """
        tag String The name.
        value String The value.
        """,
        given=True,
    ),
)
