"""Classes of ours: events that are written by hand, and the outcomes of orders."""

from __future__ import annotations

from ..schema_model import Noun

__all__ = ["OWN"]

_STATE = "state TradeState What is known of the order.\n"
_FILLED = "filled Decimal How much was traded.\n"

OWN = (
    Noun(
        "EndOfSnapshot",
        "A marker in a stream: what TWS had at the time of the request is complete, updates follow.",
        "complete Boolean! Always true.",
        ours=True,
    ),
    Noun(
        "DepthReset",
        "A marker in a stream: TWS emptied the book. Forget all rows of it, new ones follow.",
        "code Int! TWS's code, always 317.",
        ours=True,
    ),
    Noun(
        "Lagged",
        "A marker in a stream with overflow DROP_OLDEST: events were dropped here because the reader was slow.",
        "count Int How many.",
        ours=True,
    ),
    Noun(
        "Gap",
        "A marker in a stream: events may be missing here.",
        """
        reason String Why.
        since DateTime From when on.
        until DateTime Until when.
        """,
        ours=True,
    ),
    Noun(
        "Notice",
        "A message of TWS that ends nothing.",
        """
        id Int The request or order that it is about, -1 for none.
        code Int TWS's message code.
        message String TWS's text.
        time DateTime When, by TWS's clock; null where the server does not say.
        """,
        ours=True,
    ),
    Noun(
        "OpenOrder",
        "An order as TWS has it.",
        """
        orderId Int Its number.
        contract Contract What is traded.
        order Order The order.
        orderState OrderState Its state, and what it costs.
        status OrderStatus How far it is, in the rows of reqOpenOrders and reqAllOpenOrders.
        """,
        ours=True,
    ),
    Noun(
        "OrderStatus",
        "How far an order is.",
        """
        orderId Int Its number.
        status String TWS's word: PreSubmitted, Submitted, Filled, Cancelled, Inactive and others.
        filled Decimal How much is filled.
        remaining Decimal How much is left.
        avgFillPrice Float At which price on average.
        permId Long TWS's permanent number.
        parentId Int The number of its parent.
        lastFillPrice Float The price of the last fill.
        clientId Int The client that placed it.
        whyHeld String Why it is held: locate, child.
        mktCapPrice Float The price at which it is capped.
        """,
        ours=True,
    ),
    Noun(
        "ExecDetails",
        "A fill, or the correction of one.",
        """
        contract Contract What was traded.
        execution Execution The fill.
        commissionAndFees CommissionAndFeesReport What it cost, where TWS reported it before the end of the answer.
        """,
        ours=True,
    ),
    Noun(
        "CommissionAndFeesReport",
        "What a fill cost.",
        """
        execId String The id of the fill.
        commissionAndFees Float The amount.
        currency String Its currency.
        realizedPNL Float The profit or loss that it realised.
        yield_ Float The yield of a bond.
        yieldRedemptionDate Int The date of the yield, YYYYMMDD.
        """,
        ours=True,
    ),
    Noun(
        "OrderBound",
        "An order made in TWS was given a number of a client.",
        """
        permId Long TWS's permanent number.
        clientId Int The client.
        orderId Int The number.
        """,
        ours=True,
    ),
    Noun(
        "HistoricalNewsList",
        "Headlines of the past.",
        """
        rows [HistoricalNews!]! The headlines, the newest first.
        hasMore Boolean! Whether there are more.
        """,
        ours=True,
    ),
    Noun(
        "ScannerDataList",
        "One refresh of a market scan.",
        "rows [ScannerData!]! All of its rows.",
        ours=True,
    ),
    Noun(
        "DisplayGroupUpdated",
        "The contract that a display group shows.",
        "contractInfo String! conid@exchange, or none.",
        ours=True,
    ),
    Noun(
        "Connection",
        "The connection between this service and TWS.",
        """
        serverVersion Int! The version of the protocol that both agreed on.
        connectionTime String! TWS's clock when the connection was made.
        accounts [String!]! The accounts of this login.
        farms [Farm!]! The state of TWS's data farms.
        stats JSON! The counters of the connection.
        """,
        ours=True,
    ),
    Noun(
        "Farm",
        "A data farm of TWS.",
        """
        name String! Its name.
        state String! Its state.
        """,
        ours=True,
    ),
    # --- outcomes
    Noun(
        "Accepted",
        "TWS has the order.",
        """
        orderId Int Its number.
        permId Long TWS's permanent number.
        orderRef String Its reference.
        """,
        ours=True,
    ),
    Noun(
        "Rejected",
        "TWS or the exchange refused the order.",
        """
        orderId Int Its number.
        code Int TWS's code, null where only a list of TWS says so.
        message String TWS's text.
        advancedReject String The details that some rejections carry, as JSON.
        """,
        ours=True,
    ),
    Noun(
        "Unknown",
        "No word came: what was asked for may have happened or not. It is never sent again by itself.",
        """
        orderId Int The order's number.
        orderRef String The order's reference.
        reason String What is known of why.
        """,
        ours=True,
    ),
    Noun("CancelConfirmed", "TWS cancelled the order.", _FILLED, ours=True),
    Noun(
        "CancelRefused",
        "The order was not cancelled by this.",
        """
        code Int TWS's code (161, 10147, 10148), or null: nothing was sent.
        message String Why.
        """,
        ours=True,
    ),
    Noun("Finished", "The order was over before that.", _STATE + _FILLED, ours=True),
    Noun("Modified", "TWS shows the order as it was changed.", "order Order The order.", ours=True),
    Noun(
        "ModifyRefused",
        "The order is as it was, and alive.",
        """
        code Int TWS's code, or null: nothing was sent.
        message String Why.
        """,
        ours=True,
    ),
    Noun(
        "KillReport",
        "What the kill switch did.",
        """
        takenBack [Int!]! The numbers of orders that had not been written yet, and never will be.
        stillOpen [OpenOrder!]! The orders that TWS still had as open at last.
        verified Boolean! Whether TWS said that no order is open.
        """,
        ours=True,
    ),
    Noun(
        "GlobalCancelReport",
        "What became of the cancel of all orders.",
        """
        stillOpen [OpenOrder!]! The orders that TWS still had as open at last.
        verified Boolean! Whether TWS said that no order is open.
        """,
        ours=True,
    ),
    Noun(
        "WhatIf",
        "What an order would cost, in the account's base currency.",
        """
        initMarginBefore Decimal The initial margin as it is.
        initMarginChange Decimal What the order would add to it.
        initMarginAfter Decimal The initial margin with the order.
        maintMarginBefore Decimal The maintenance margin as it is.
        maintMarginChange Decimal What the order would add to it.
        maintMarginAfter Decimal The maintenance margin with the order.
        equityWithLoanBefore Decimal The equity with loan as it is.
        equityWithLoanChange Decimal What the order would add to it.
        equityWithLoanAfter Decimal The equity with loan with the order.
        commission Float The commission.
        minCommission Float The commission at least.
        maxCommission Float The commission at most.
        commissionCurrency String The currency of the commission.
        warning String TWS's warning.
        orderState OrderState TWS's whole answer.
        """,
        ours=True,
    ),
    Noun(
        "Trade",
        "An order of this service's order book, and what became of it.",
        """
        orderRef String! Its reference.
        orderId Int! Its number, 0 for an order of TWS itself.
        permId Long! TWS's permanent number, 0 before TWS has said it.
        clientId Int! The client that placed it.
        contract Contract! What is traded.
        order Order! The order as it stands, accepted changes included.
        """
        + _STATE
        + """
        status String! TWS's own word, empty before the first one.
        outcome PlaceOutcome What became of placing it, null before that is known.
        filledQuantity Decimal! How much was traded.
        remaining Decimal! How much is left to trade.
        averagePrice Float At which price on average, null without a fill.
        fills [Fill!]! The fills, corrections applied.
        """,
        ours=True,
    ),
    Noun(
        "Fill",
        "A fill as it stands after its corrections.",
        """
        execId String IB's id of it.
        quantity Decimal How much was traded.
        price Float At which price.
        side String BOT or SLD.
        time String When, as TWS writes it.
        orderId Int The order's number.
        permId Long TWS's permanent number of the order.
        leg Boolean Whether it is a leg of a combination, whose own fill is told apart.
        account String Whose it is: of an advisor's group order both the advisor's own fill and its parts are listed.
        contract Contract What was traded.
        execution Execution The fill as TWS told it.
        commission CommissionAndFeesReport What it cost, null until TWS says so.
        """,
        ours=True,
    ),
    Noun(
        "TradeNews",
        "What happened to an order of the book.",
        """
        trade Trade! The order as it stands now.
        event TradeEvent! What happened.
        """,
        ours=True,
    ),
    Noun(
        "StateChange",
        "An order went from one state to another.",
        """
        before TradeState The state before.
        after TradeState The state after.
        status String TWS's word.
        reason String TWS's text or code, where there is one.
        """,
        ours=True,
    ),
    Noun(
        "FillCorrected",
        "A fill was corrected.",
        """
        before Fill What it was.
        after Fill What it is.
        """,
        ours=True,
    ),
    Noun("FillReported", "The commission of a fill became known.", "fill Fill The fill.", ours=True),
    Noun("Warned", "TWS remarked something about the order; it changed nothing.", "notice Notice What.", ours=True),
    Noun(
        "Alarm",
        "Something that a person should look at: a second permanent number, a refused order that lives.",
        "message String What.",
        ours=True,
    ),
)
