"""Requests for live market data, and for the option model that TWS runs on it."""

from __future__ import annotations

from ..model import Family, Row

_TICKS = (
    "tickPrice",
    "tickSize",
    "tickGeneric",
    "tickString",
    "tickOptionComputation",
    "tickEFP",
    "tickNews",
    "tickReqParams",
    "marketDataType",
    "deltaNeutralValidation",
    "rerouteMktDataReq",
)

MARKET_DATA = Family(
    "market_data",
    "MarketDataRequests",
    "live market data",
    (
        Row(
            "reqMktData",
            "stream",
            "Subscribe to the quotes of *contract*.",
            items=_TICKS,
            cancel="cancelMktData",
            constants={"snapshot": False, "regulatorySnapshot": False},
            conflate=("tick_type",),
            notes="*generic_tick_list* names further ticks by number, with commas between them. A CFD is only told "
            "(``RerouteMktDataReq``) which contract to ask for instead.",
        ),
        Row(
            "reqMktData",
            "list",
            "Return one set of quotes of *contract*, gathered over up to eleven seconds.",
            name="mkt_data_snapshot",
            items=_TICKS,
            end="tickSnapshotEnd",
            cancel="cancelMktData",
            constants={"snapshot": True, "regulatorySnapshot": False},
        ),
        Row(
            "reqMktData",
            "list",
            "Buy one regulatory snapshot of the quotes of *contract*.",
            name="mkt_data_regulatory_snapshot",
            items=_TICKS,
            end="tickSnapshotEnd",
            cancel="cancelMktData",
            constants={"snapshot": False, "regulatorySnapshot": True},
            effect="spend",
            notes="Every call is charged to the account unless it subscribes to the data.",
        ),
        Row(
            "reqMarketDataType",
            "send",
            "Choose the data that later quotes are made of: 1 live, 2 frozen, 3 delayed, 4 delayed and frozen.",
            effect="session",
        ),
        Row(
            "reqTickByTickData",
            "stream",
            "Subscribe to every single tick of *contract*.",
            items=(
                "tickByTickAllLast",
                "tickByTickBidAsk",
                "tickByTickMidPoint",
                "historicalTicksLast",
                "historicalTicksBidAsk",
                "historicalTicks",
            ),
            cancel="cancelTickByTickData",
            defaults={"numberOfTicks": 0, "ignoreSize": False},
            notes='*tick_type* is ``"Last"``, ``"AllLast"``, ``"BidAsk"`` or ``"MidPoint"`` and says which events '
            "come. *number_of_ticks* past ticks are sent first.",
        ),
        Row(
            "reqMktDepth",
            "stream",
            "Subscribe to the order book of *contract*, as changes to its rows.",
            items=("updateMktDepth", "updateMktDepthL2", "rerouteMktDepthReq"),
            markers=("DepthReset",),
            cancel="cancelMktDepth",
            cancel_parameters=("isSmartDepth",),
            notes="After ``DepthReset`` the book is empty and is sent anew.",
        ),
        Row(
            "reqRealTimeBars",
            "stream",
            "Subscribe to bars of five seconds.",
            items=("realtimeBar",),
            cancel="cancelRealTimeBars",
            notes='*bar_size* is 5, TWS takes no other. *what_to_show* is ``"TRADES"``, ``"MIDPOINT"``, ``"BID"`` or '
            '``"ASK"``.',
        ),
        Row(
            "calculateImpliedVolatility",
            "one",
            "Return TWS's option model for an option's price: the implied volatility and the greeks.",
            items=("tickOptionComputation",),
            cancel="cancelCalculateImpliedVolatility",
        ),
        Row(
            "calculateOptionPrice",
            "one",
            "Return TWS's option model for a volatility: the option's price and the greeks.",
            items=("tickOptionComputation",),
            cancel="cancelCalculateOptionPrice",
            notes="*volatility* is a fraction: 0.2 is 20 %.",
        ),
    ),
)
