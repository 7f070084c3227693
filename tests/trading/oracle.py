"""What a book must say, from TWS's ledger alone."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from tests.trading.tws import Order, Tws
from trio_ibtws import OrderBook, TradeState

_STATES: dict[str, TradeState] = {
    "PreSubmitted": "Working",
    "Submitted": "Working",
    "Filled": "Filled",
    "Cancelled": "Cancelled",
    "Inactive": "Rejected",
}


def assert_true(book: OrderBook, tws: Tws, intended: Collection[str]) -> None:
    """The book agrees with the ledger: no order is lost, doubled or forgotten, and every fill is its order's, once."""
    assert not tws.violations
    assert len(set(tws.sent_refs)) == len(tws.sent_refs), "an order was sent twice"
    assert len(set(tws.new_ids)) == len(tws.new_ids), "an order id was used twice"
    trades = book.by_ref
    for ref, order in tws.orders.items():
        trade = trades.get(ref)
        assert trade is not None, f"{ref} is lost"
        assert trade.state == _STATES[order.status], f"{ref} is {order.status}, the book says {trade.state}"
        got = sorted((fill.exec_id, fill.quantity, fill.price) for fill in trade.fills)
        assert got == _executions(order), f"{ref}: {got} in the book, {_executions(order)} at TWS"
        assert trade.perm_id == order.perm_id
    for ref in set(intended) - set(tws.orders):
        trade = trades.get(ref)
        assert trade is None or trade.state in ("NotFound", "NotSent"), f"{ref} never reached TWS: {trade}"
        assert trade is None or not trade.fills


def _executions(order: Order) -> list[tuple[str, Decimal, float]]:
    return sorted((each.exec_id, each.quantity, each.price) for each in order.executions)
