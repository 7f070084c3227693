"""What the functions of ``trio_ibtws.contracts`` fill in, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from ibapi.contract import Contract

from trio_ibtws import InvalidRequest
from trio_ibtws.contracts import (
    bond,
    by_con_id,
    by_local_symbol,
    cfd,
    combo,
    commodity,
    continuous_future,
    crypto,
    forex,
    fund,
    future,
    future_option,
    index,
    leg,
    option,
    stock,
    warrant,
)


def filled(contract: Contract) -> dict[str, Any]:
    """What differs from a new Contract."""
    new = vars(Contract())
    return {name: value for name, value in vars(contract).items() if value != new[name]}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (stock("AAPL"), {"symbol": "AAPL", "secType": "STK", "exchange": "SMART", "currency": "USD"}),
        (
            stock("SAP", "IBIS", "EUR", "IBIS2", tradingClass="XETRA"),
            {"symbol": "SAP", "secType": "STK", "exchange": "IBIS", "currency": "EUR"}
            | {"primaryExchange": "IBIS2", "tradingClass": "XETRA"},
        ),
        (forex("EURUSD"), {"symbol": "EUR", "secType": "CASH", "exchange": "IDEALPRO", "currency": "USD"}),
        (forex("gbp/jpy"), {"symbol": "GBP", "secType": "CASH", "exchange": "IDEALPRO", "currency": "JPY"}),
        (index("SPX", "CBOE"), {"symbol": "SPX", "secType": "IND", "exchange": "CBOE", "currency": "USD"}),
        (crypto("BTC"), {"symbol": "BTC", "secType": "CRYPTO", "exchange": "PAXOS", "currency": "USD"}),
        (bond("459200AM3"), {"symbol": "459200AM3", "secType": "BOND", "exchange": "SMART", "currency": "USD"}),
        (
            bond("US459200AM34"),
            {"secIdType": "ISIN", "secId": "US459200AM34", "secType": "BOND", "exchange": "SMART", "currency": "USD"},
        ),
        (cfd("IBM"), {"symbol": "IBM", "secType": "CFD", "exchange": "SMART", "currency": "USD"}),
        (commodity("XAUUSD"), {"symbol": "XAUUSD", "secType": "CMDTY", "exchange": "SMART", "currency": "USD"}),
        (fund("VINIX"), {"symbol": "VINIX", "secType": "FUND", "exchange": "FUNDSERV", "currency": "USD"}),
        (
            future("ES", "202612", "CME", multiplier=50),
            {"symbol": "ES", "secType": "FUT", "exchange": "CME", "currency": "USD"}
            | {"lastTradeDateOrContractMonth": "202612", "multiplier": "50"},
        ),
        (
            future("ES", date(2026, 12, 18), "CME", includeExpired=True),
            {"symbol": "ES", "secType": "FUT", "exchange": "CME", "currency": "USD"}
            | {"lastTradeDateOrContractMonth": "20261218", "includeExpired": True},
        ),
        (continuous_future("ES", "CME"), {"symbol": "ES", "secType": "CONTFUT", "exchange": "CME", "currency": "USD"}),
        (
            option("SPX", datetime(2026, 12, 18, 9), Decimal("6500.5"), "put", trading_class="SPXW"),
            {"symbol": "SPX", "secType": "OPT", "exchange": "SMART", "currency": "USD", "strike": 6500.5}
            | {"lastTradeDateOrContractMonth": "20261218", "right": "P", "tradingClass": "SPXW"},
        ),
        (
            future_option("ES", "20261218", 6800, "C", "CME", multiplier="50"),
            {"symbol": "ES", "secType": "FOP", "exchange": "CME", "currency": "USD", "strike": 6800.0}
            | {"lastTradeDateOrContractMonth": "20261218", "right": "C", "multiplier": "50"},
        ),
        (
            warrant("GOOG", "201711", 1000, "C", "FWB", multiplier=0.01),
            {"symbol": "GOOG", "secType": "WAR", "exchange": "FWB", "currency": "EUR", "strike": 1000.0}
            | {"lastTradeDateOrContractMonth": "201711", "right": "C", "multiplier": "0.01"},
        ),
        (by_con_id(265598, "SMART"), {"conId": 265598, "exchange": "SMART"}),
        (by_con_id(265598), {"conId": 265598}),
        (
            by_local_symbol("ESZ6", "FUT", "CME"),
            {"localSymbol": "ESZ6", "secType": "FUT", "exchange": "CME", "currency": "USD"},
        ),
    ],
)
def test_what_is_filled_in(made: Contract, expected: dict[str, Any]) -> None:
    assert type(made) is Contract
    assert filled(made) == expected


def test_a_combination() -> None:
    legs = [leg(43645865, "BUY"), leg(9408, "SELL", ratio=2, exchange="NYSE")]
    made = combo("IBKR,MCD", *legs)
    assert (made.symbol, made.secType, made.exchange, made.currency) == ("IBKR,MCD", "BAG", "SMART", "USD")
    assert made.comboLegs == legs


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("symbol", lambda: stock("")),
        ("symbol", lambda: stock(" AAPL")),
        ("symbol", lambda: stock("ÅF")),
        ("symbol", lambda: stock("A\0")),
        ("symbol", lambda: stock(None)),  # type: ignore[arg-type]
        ("exchange", lambda: stock("AAPL", "")),
        ("currency", lambda: stock("AAPL", currency="dollars")),
        ("currency", lambda: stock("AAPL", currency="usd")),
        ("primary_exchange", lambda: stock("AAPL", primary_exchange="\t")),
        ("conid", lambda: stock("AAPL", conid=3)),
        ("pair", lambda: forex("EURUS")),
        ("pair", lambda: forex("USDUSD")),
        ("pair", lambda: forex(1)),  # type: ignore[arg-type]
        ("identifier", lambda: bond("")),
        ("expiration", lambda: future("ES", "2026", "CME")),
        ("expiration", lambda: future("ES", "202613", "CME")),
        ("expiration", lambda: future("ES", "20260230", "CME")),
        ("expiration", lambda: future("ES", "Dec26", "CME")),
        ("expiration", lambda: future("ES", 202612, "CME")),  # type: ignore[arg-type]
        ("multiplier", lambda: future("ES", "202612", "CME", multiplier="x")),
        ("multiplier", lambda: future("ES", "202612", "CME", multiplier=-1)),
        ("multiplier", lambda: future("ES", "202612", "CME", multiplier=float("nan"))),
        ("trading_class", lambda: option("SPX", "202612", 1, "C", trading_class="\n")),
        ("strike", lambda: option("SPX", "202612", 0, "C")),
        ("strike", lambda: option("SPX", "202612", float("inf"), "C")),
        ("strike", lambda: option("SPX", "202612", True, "C")),
        ("strike", lambda: option("SPX", "202612", "high", "C")),  # type: ignore[arg-type]
        ("right", lambda: option("SPX", "202612", 1, "X")),
        ("right", lambda: option("SPX", "202612", 1, None)),  # type: ignore[arg-type]
        ("con_id", lambda: by_con_id(0)),
        ("con_id", lambda: by_con_id(True)),
        ("con_id", lambda: by_con_id(2**31)),
        ("con_id", lambda: by_con_id("265598")),  # type: ignore[arg-type]
        ("local_symbol", lambda: by_local_symbol("", "FUT", "CME")),
        ("sec_type", lambda: by_local_symbol("ESZ6", "", "CME")),
        ("legs", lambda: combo("X", leg(1, "BUY"))),
        ("legs", lambda: combo("X", leg(1, "BUY"), leg(0, "SELL"))),
        ("legs", lambda: combo("X", leg(1, "BUY"), leg(2, "SELL", ratio=0))),
    ],
)
def test_what_is_refused(field: str, make: Callable[[], Contract]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        make()
    assert refused.value.field == field
