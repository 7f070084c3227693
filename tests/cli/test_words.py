"""What errors, accounts and events of orders are called."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ibapi.contract import Contract
from ibapi.execution import Execution
from ibapi.order import Order
from ibapi.order_state import OrderState

from trio_ibtws._cli._words import described, masked, one_line
from trio_ibtws._runtime._events import (
    CommissionAndFeesReport,
    ExecDetails,
    OpenOrder,
    OrderBound,
    OrderEvent,
    OrderStatus,
)
from trio_ibtws.errors import ClientIdInUse, ConnectionLost, NoData, NotTWS, RequestError


def status(name: str, filled: int, price: float | None) -> OrderStatus:
    remaining = Decimal(f"{100 - filled}.0")  # as ibapi 9.81 has it
    return OrderStatus(7, name, Decimal(filled), remaining, price, 1, 0, price, 0, "", None)


def open_order() -> OpenOrder:
    contract, order, state = Contract(), Order(), OrderState()
    contract.symbol, state.status = "AAPL", "Submitted"
    order.action, order.orderType, order.totalQuantity = "BUY", "MKT", Decimal(100)
    return OpenOrder(7, contract, order, state)


def execution() -> ExecDetails:
    fill = Execution()
    fill.shares, fill.price, fill.exchange = Decimal(100), 430.47, "NASDAQ"
    return ExecDetails(Contract(), fill)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (open_order(), "open order     BUY 100 AAPL MKT: Submitted"),
        (status("Submitted", 0, None), "order status   Submitted: 0 filled, 100 remaining"),
        (status("Submitted", 0, 0.0), "order status   Submitted: 0 filled, 100 remaining"),
        (status("Filled", 100, 430.47), "order status   Filled: 100 filled at 430.47, 0 remaining"),
        (execution(), "execution      100 at 430.47 on NASDAQ"),
        (CommissionAndFeesReport("1", 1.5, "USD", None, None, None), "commission     1.5 USD"),
        (OrderBound(1, 0, 7), "order bound    7"),
    ],
)
def test_events_of_orders(event: OrderEvent, words: str) -> None:
    assert described(event) == words


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (ConnectionLost("the peer hung up"), "the peer hung up; the log of TWS"),
        (ClientIdInUse("client id 1 is in use."), "client id 1 is in use; choose another with --client-id"),
        (
            NoData(162, "nothing there", request="reqHistoricalData"),
            "reqHistoricalData: TWS code 162: nothing there; ask",
        ),
        (NotTWS("this\nis HTTP"), "this is HTTP; check --port: TWS listens on 7497"),
    ],
)
def test_an_error_says_what_to_do_on_one_line(error: Exception, advice: str) -> None:
    line = one_line(error)
    assert line.startswith(advice)
    assert "\n" not in line


def test_errors_without_advice_are_left_as_they_are() -> None:
    assert one_line(RequestError(10197, "a text.", request="reqMktData")) == "reqMktData: TWS code 10197: a text"
    assert one_line(NotImplementedError()) == "NotImplementedError"


@pytest.mark.parametrize(("account", "shown"), [("DU1234567", "D******67"), ("DU12", "D*12"), ("DU1", "***")])
def test_accounts_are_masked(account: str, shown: str) -> None:
    assert masked(account) == shown
