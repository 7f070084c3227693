"""Enums, unions, scalars, and the fields that no request stands for."""

from __future__ import annotations

from ..schema_model import Enumeration, Extra

__all__ = ["ENUMS", "EXTRAS", "SCALARS", "UNIONS"]

ENUMS = (
    Enumeration(
        "Overflow",
        "What happens when a subscription's buffer is full because its reader is slow.",
        {
            "RAISE": "The subscription ends with the error SlowConsumer, after what it held.",
            "DROP_OLDEST": "The oldest events are dropped; a Lagged tells how many.",
            "CONFLATE": "A newer event replaces an older one of its kind: quotes and profit and loss only.",
        },
    ),
    Enumeration(
        "TickByTickType",
        "Which ticks come one by one.",
        {
            "Last": "Trades.",
            "AllLast": "Trades, those of combinations and the like included.",
            "BidAsk": "Changes of the best bid or ask.",
            "MidPoint": "Changes of the mid point.",
        },
    ),
    Enumeration(
        "OrderConditionType",
        "The kind of an order's condition.",
        {
            "Price": "A contract trades above or below a price.",
            "Time": "It is later or earlier than a time.",
            "Margin": "The margin cushion is above or below a percentage.",
            "Execution": "The account has traded a symbol.",
            "Volume": "The volume of a contract is above or below a figure.",
            "PercentChange": "The price of a contract has changed by more or less than a percentage.",
        },
    ),
    Enumeration(
        "FundAssetType",
        "What a fund holds.",
        {
            "NoneItem": "It is not said.",
            "Others": "Something else.",
            "MoneyMarket": "Money market papers.",
            "FixedIncome": "Bonds.",
            "MultiAsset": "Several kinds of assets.",
            "Equity": "Shares.",
            "Sector": "Shares of a sector.",
            "Guaranteed": "It is guaranteed.",
            "Alternative": "Alternative investments.",
        },
    ),
    Enumeration(
        "FundDistributionPolicyIndicator",
        "What a fund does with its income.",
        {
            "NoneItem": "It is not said.",
            "AccumulationFund": "It keeps its income.",
            "IncomeFund": "It pays its income out.",
        },
    ),
    Enumeration(
        "OptionExerciseType",
        "Which end of an option an execution stands for.",
        {
            "NoneItem": "None.",
            "Exercise": "It was exercised.",
            "Lapse": "It lapsed.",
            "DoNothing": "Nothing was done.",
            "Assigned": "It was assigned.",
            "AutoexerciseClearing": "It was exercised by the clearing house.",
            "Expired": "It expired.",
            "Netting": "It was netted.",
            "AutoexerciseTrading": "It was exercised by IB.",
        },
    ),
    Enumeration(
        "TradeState",
        "What is known of an order.",
        {
            "Pending": "It is on its way, TWS has said nothing.",
            "Working": "TWS or the exchange has it.",
            "Inactive": "TWS has it and does not work it.",
            "Filled": "All of it was traded.",
            "Cancelled": "It was cancelled.",
            "Rejected": "It was refused.",
            "Unknown": "It was sent, and there is no word of it; it may be alive.",
            "NotFound": "It is in none of TWS's lists.",
            "NotSent": "It was taken back before it was written.",
        },
    ),
)

_OUTCOMES = "What became of "

UNIONS = {
    "OrderCondition": (
        (
            "PriceCondition",
            "TimeCondition",
            "MarginCondition",
            "ExecutionCondition",
            "VolumeCondition",
            "PercentChangeCondition",
        ),
        "What must hold before an order is worked, or cancels it.",
    ),
    "OrderEvent": (
        ("OpenOrder", "OrderStatus", "ExecDetails", "CommissionAndFeesReport", "OrderBound"),
        "What TWS says of orders.",
    ),
    "PlaceOutcome": (("Accepted", "Rejected", "Unknown"), _OUTCOMES + "placing an order."),
    "CancelOutcome": (("CancelConfirmed", "CancelRefused", "Finished", "Unknown"), _OUTCOMES + "cancelling an order."),
    "ModifyOutcome": (("Modified", "ModifyRefused", "Finished", "Unknown"), _OUTCOMES + "changing an order."),
    "TradeEvent": (
        ("StateChange", "Fill", "FillCorrected", "FillReported", "Warned", "Alarm"),
        "What happened to an order.",
    ),
}

SCALARS = {
    "DateTime": "A moment: ISO 8601 with a time zone, in UTC where it is an answer.",
    "Decimal": "A number in decimals, as text, so that none of its digits is lost; a number is taken too.",
    "JSON": "Any JSON value.",
    "Long": "A whole number of up to 64 bits.",
}

EXTRAS = (
    Extra("Query", "connection", "Connection!", "Return what is known of the connection to TWS."),
    Extra(
        "Query",
        "whatIfOrder",
        "WhatIf!",
        "Return what an order would cost; nothing is placed (EClient.placeOrder with whatIf).",
        arguments=("contract: ContractInput!", "order: OrderInput!"),
        trading=True,
    ),
    Extra(
        "Query",
        "trades",
        "[Trade!]!",
        "Return the orders that the order book knows; with `openOnly` those that are not over.",
        arguments=("openOnly: Boolean! = false",),
        trading=True,
    ),
    Extra(
        "Query",
        "trade",
        "Trade",
        "Return the order with this reference, null where the order book has none: how it goes on after an outcome was "
        "Unknown, or was not heard.",
        arguments=("orderRef: String!",),
        trading=True,
    ),
    Extra(
        "Mutation",
        "modifyOrder",
        "ModifyOutcome!",
        "Change an order of this service: what `order` gives is changed, all else stays (EClient.placeOrder with the "
        "order's number).",
        arguments=("orderId: Int!", "order: OrderInput!"),
        trading=True,
    ),
    Extra(
        "Mutation",
        "kill",
        "KillReport!",
        "The kill switch: send no order any more, take back what is unwritten, cancel all at TWS, and see that none is "
        "left. It holds until `resume`, in later sessions too.",
        arguments=('reason: String! = "the kill switch"',),
        trading=True,
    ),
    Extra(
        "Mutation",
        "placeOrders",
        "[PlaceOutcome!]!",
        "Place several orders as one, as a bracket: they are sent with nothing in between, or none of them is. A "
        "`parentId` of -1 means the first of them; `transmit: false` on all but the last lets TWS wait for it.",
        arguments=("contract: ContractInput!", "orders: [OrderInput!]!"),
        trading=True,
    ),
    Extra("Mutation", "resume", "Boolean!", "End the halt of the kill switch.", trading=True),
    Extra(
        "Subscription", "notices", "Notice!", "Subscribe to every message of TWS that ends nothing (EWrapper.error)."
    ),
    Extra(
        "Subscription",
        "orderEvents",
        "OrderEvent!",
        "Subscribe to what TWS says of orders and executions, from now on; it takes nothing from other readers "
        "(EWrapper.openOrder, orderStatus, execDetails, commissionAndFeesReport, orderBound).",
    ),
    Extra(
        "Subscription",
        "tradeEvents",
        "TradeNews!",
        "Subscribe to what happens to the orders of the order book, from now on. Nothing is dropped.",
        trading=True,
    ),
)
