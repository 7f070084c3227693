"""Market data of the past and present, news, scanner, and what a request about them is made of."""

from __future__ import annotations

from ..schema_model import Noun

__all__ = ["MARKET"]

MARKET = (
    Noun(
        "BarData",
        "A bar.",
        """
        date String When it begins: a day, a time with its zone, or seconds since the epoch, by formatDate.
        open Float The first price.
        high Float The highest price.
        low Float The lowest price.
        close Float The last price.
        volume Decimal How much was traded.
        wap Decimal The average price, weighted by volume.
        average Float The average price, weighted by volume.
        barCount Int How many trades there were.
        """,
    ),
    Noun(
        "HistogramData",
        "How much was traded at a price.",
        """
        price Float The price.
        size Decimal How much.
        count Int How much.
        """,
    ),
    Noun(
        "HistoricalSession",
        "A trading session.",
        """
        startDateTime String When it begins.
        endDateTime String When it ends.
        refDate String The day that it counts as.
        """,
    ),
    Noun(
        "HistoricalTick",
        "A mid point of the past.",
        """
        time Long Seconds since the epoch.
        price Float The price.
        size Decimal The size.
        """,
    ),
    Noun(
        "HistoricalTickBidAsk",
        "A best bid and ask of the past.",
        """
        time Long Seconds since the epoch.
        tickAttribBidAsk TickAttribBidAsk Its flags.
        priceBid Float The bid.
        priceAsk Float The ask.
        sizeBid Decimal The size of the bid.
        sizeAsk Decimal The size of the ask.
        """,
    ),
    Noun(
        "HistoricalTickLast",
        "A trade of the past.",
        """
        time Long Seconds since the epoch.
        tickAttribLast TickAttribLast Its flags.
        price Float The price.
        size Decimal The size.
        exchange String Where it was made.
        specialConditions String Its conditions, as letters.
        """,
    ),
    Noun(
        "TickAttrib",
        "The flags of a price.",
        """
        canAutoExecute Boolean Whether an order at it would trade at once.
        pastLimit Boolean Whether it is outside of the day's limits.
        preOpen Boolean Whether it is from before the opening.
        """,
    ),
    Noun(
        "TickAttribBidAsk",
        "The flags of a best bid and ask.",
        """
        bidPastLow Boolean Whether the bid is below the day's low.
        askPastHigh Boolean Whether the ask is above the day's high.
        """,
    ),
    Noun(
        "TickAttribLast",
        "The flags of a trade.",
        """
        pastLimit Boolean Whether it is outside of the day's limits.
        unreported Boolean Whether it is not reported to the consolidated tape.
        """,
    ),
    Noun(
        "NewsProvider",
        "A provider of news.",
        """
        code String Its code, by which it is asked.
        name String Its name.
        """,
    ),
    Noun(
        "FamilyCode",
        "Which family an account belongs to.",
        """
        accountID String The account.
        familyCodeStr String The code of the family.
        """,
    ),
    Noun(
        "ScannerSubscription",
        "A market scan: what is looked for, where, and what is left out.",
        """
        numberOfRows Int How many rows at most; -1 for TWS's own number.
        instrument String The kind of instruments, as STK.
        locationCode String Where, as STK.US.MAJOR.
        scanCode String By what the rows are ranked, as TOP_PERC_GAIN.
        abovePrice Float The lowest price.
        belowPrice Float The highest price.
        aboveVolume Int The least volume.
        marketCapAbove Float The least market capitalisation.
        marketCapBelow Float The largest market capitalisation.
        moodyRatingAbove String The lowest rating by Moody's.
        moodyRatingBelow String The highest rating by Moody's.
        spRatingAbove String The lowest rating by S&P.
        spRatingBelow String The highest rating by S&P.
        maturityDateAbove String The earliest maturity.
        maturityDateBelow String The latest maturity.
        couponRateAbove Float The lowest coupon.
        couponRateBelow Float The highest coupon.
        excludeConvertible Boolean Whether convertible bonds are left out.
        averageOptionVolumeAbove Int The least average volume of options.
        scannerSettingPairs String Further settings of the scan.
        stockTypeFilter String The kind of stocks: ALL, CORP, ADR, ETF and others.
        """,
        given=True,
        answered=False,
    ),
    Noun(
        "WshEventData",
        "Which events of the Wall Street Horizon calendar are asked for.",
        """
        conId Int IB's number of a contract.
        filter String A filter, as JSON; in place of conId.
        fillWatchlist Boolean Whether the contracts of the watchlist are added.
        fillPortfolio Boolean Whether the contracts of the portfolio are added.
        fillCompetitors Boolean Whether competitors are added.
        startDate String The first day, YYYYMMDD.
        endDate String The last day, YYYYMMDD.
        totalLimit Int How many events at most.
        """,
        given=True,
        answered=False,
    ),
)
