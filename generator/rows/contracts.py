"""Requests about contracts: what exists, where it trades, and by which rules."""

from __future__ import annotations

from ..model import Family, Row

CONTRACTS = Family(
    "contracts",
    "ContractRequests",
    "contracts and exchanges",
    (
        Row(
            "reqContractDetails",
            "list",
            "Return every contract that fits *contract*.",
            items=("contractDetails", "bondContractDetails"),
            end="contractDetailsEnd",
            cancel="cancelContractData",
        ),
        Row(
            "reqMatchingSymbols",
            "one",
            "Return contracts whose symbol or company name begins with *pattern*.",
            items=("symbolSamples",),
            notes="TWS wants a second between two of these.",
        ),
        Row(
            "reqMarketRule",
            "one",
            "Return the price increments of a market rule, by the lower edge of the price range.",
            items=("marketRule",),
            echo="marketRuleId",
            notes="The ids stand in the marketRuleIds of ContractDetails, in the order of its validExchanges.",
        ),
        Row(
            "reqSecDefOptParams",
            "list",
            "Return the option chains of an underlying: one row for each exchange and trading class.",
            items=("securityDefinitionOptionParameter",),
            end="securityDefinitionOptionParameterEnd",
            notes="An empty *fut_fop_exchange* means every exchange.",
        ),
        Row(
            "reqSmartComponents",
            "one",
            "Return the exchanges behind a SMART quote: bit number to name and letter.",
            items=("smartComponents",),
            notes="*bbo_exchange* is the field of that name in the ``TickReqParams`` of a running quote.",
        ),
        Row(
            "reqMktDepthExchanges",
            "one",
            "Return the exchanges that offer market depth.",
            items=("mktDepthExchanges",),
        ),
        Row(
            "reqSoftDollarTiers",
            "one",
            "Return the soft dollar tiers of this login.",
            items=("softDollarTiers",),
        ),
    ),
)
