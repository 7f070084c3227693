"""Contracts out of words and flags, and back."""

from __future__ import annotations

import argparse
from types import SimpleNamespace
from typing import Any

import pytest
from ibapi.contract import Contract

from trio_ibtws._cli._errors import CommandError
from trio_ibtws._cli._which import described, digits_of, local_zone, wanted


def described_by(text: str | None = None, **flags: Any) -> dict[str, Any]:
    """Return what is set in the contract that the words mean."""
    contract = wanted(argparse.Namespace(contract=text, **flags))
    return {name: value for name, value in vars(contract).items() if value != vars(Contract())[name]}


STOCK = {"symbol": "AAPL", "secType": "STK", "exchange": "SMART", "currency": "USD"}
OPTION = {
    "symbol": "AAPL",
    "secType": "OPT",
    "exchange": "SMART",
    "currency": "USD",
    "lastTradeDateOrContractMonth": "20261218",
    "right": "C",
    "strike": 252.5,
}
EURO = {"symbol": "EUR", "secType": "CASH", "exchange": "IDEALPRO", "currency": "USD"}
FUTURE = {"symbol": "ES", "secType": "FUT", "exchange": "CME", "currency": "USD"}


@pytest.mark.parametrize(
    ("text", "flags", "terms"),
    [
        ("AAPL", {}, STOCK),
        ("aapl.stk@smart", {}, STOCK),
        ("AAPL@NASDAQ", {"currency": "USD"}, STOCK | {"exchange": "NASDAQ"}),
        ("AAPL", {"exchange": "MEXI", "currency": "MXN"}, STOCK | {"exchange": "MEXI", "currency": "MXN"}),
        ("EUR.USD", {}, EURO),
        ("EURUSD.CASH", {}, EURO),
        ("EUR.CASH", {"currency": "GBP"}, EURO | {"currency": "GBP"}),
        ("ES.FUT.202612@CME", {}, FUTURE | {"lastTradeDateOrContractMonth": "202612"}),
        ("ES", {"expiry": "202612", "exchange": "CME"}, FUTURE | {"lastTradeDateOrContractMonth": "202612"}),
        ("ES.FUT@CME", {}, FUTURE),
        ("AAPL.OPT.20261218.C.252.5", {}, OPTION),
        ("AAPL", {"expiry": "20261218", "right": "CALL", "strike": 252.5}, OPTION),
        ("AAPL.OPT.20261218.call.252.5", {"right": "C"}, OPTION),
        ("SPX.IND@CBOE", {}, {"symbol": "SPX", "secType": "IND", "exchange": "CBOE", "currency": "USD"}),
        ("BTC.CRYPTO", {}, {"symbol": "BTC", "secType": "CRYPTO", "exchange": "PAXOS", "currency": "USD"}),
        (None, {"con_id": 265598}, {"conId": 265598}),
        (None, {"con_id": 265598, "exchange": "NASDAQ"}, {"conId": 265598, "exchange": "NASDAQ"}),
        (
            None,
            {"local_symbol": "ESZ6", "sec_type": "FUT", "exchange": "CME"},
            {"localSymbol": "ESZ6", "secType": "FUT", "exchange": "CME", "currency": "USD"},
        ),
        ("BRK B", {}, STOCK | {"symbol": "BRK B"}),
    ],
)
def test_words_and_flags(text: str | None, flags: dict[str, Any], terms: dict[str, Any]) -> None:
    assert described_by(text, **flags) == terms


@pytest.mark.parametrize(
    ("text", "flags", "complaint"),
    [
        (None, {}, "which contract?"),
        ("EUR.EURO", {}, "EURO is no type of contract"),
        ("EUR.USD.CASH", {}, "USD is no type of contract"),
        ("AAPL@NYSE", {"exchange": "SMART"}, "says NYSE and --exchange says SMART: leave one away"),
        ("ES.FUT.20261", {}, "20261 is no expiry"),
    ],
)
def test_words_that_are_none(text: str | None, flags: dict[str, Any], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint) as error:
        described_by(text, **flags)
    assert error.value.code == 2


@pytest.mark.parametrize(
    "text", ["AAPL", "AAPL@NASDAQ", "EUR.USD", "ES.FUT.202612@CME", "AAPL.OPT.20261218.C.252.5", "BTC.CRYPTO"]
)
def test_the_description_of_a_contract_finds_it_again(text: str) -> None:
    assert described(wanted(argparse.Namespace(contract=text))) == text


@pytest.mark.parametrize(("step", "digits"), [(0.01, 2), (0.00005, 5), (0.25, 2), (1.0, 0), (5.0, 0), (0.0, 2)])
def test_digits_of_prices(step: float, digits: int) -> None:
    assert digits_of(SimpleNamespace(minTick=step)) == digits  # type: ignore[arg-type]


def test_a_zone_that_nobody_knows_is_utc() -> None:
    assert local_zone(SimpleNamespace(timeZoneId="US/Eastern"))[1] == "US/Eastern"  # type: ignore[arg-type]
    assert local_zone(SimpleNamespace(timeZoneId="Egg/Yolk"))[1] == "UTC"  # type: ignore[arg-type]
