"""Contracts of every kind: what is found, what it says of itself, and chains of options."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulator.stock import StockClient, contract, names
from trio_ibtws.simulator._market import Market
from trio_ibtws.simulator._market_black_scholes import RATE, greeks, implied_volatility, option_price
from trio_ibtws.simulator._market_contracts import Contracts
from trio_ibtws.simulator._market_instrument import MARKET_RULES

TEN = datetime(2013, 1, 15, 15, tzinfo=UTC).timestamp()  # in New York
MARKET = Market(0)
CONTRACTS = Contracts(date(2013, 1, 15), lambda each: MARKET.previous_close(each, TEN))


def like(**values: Any) -> Any:
    made = contract("", "", "", "")
    for name, value in values.items():
        setattr(made, name, value)
    return made


async def found(client: StockClient, **values: Any) -> list[Any]:
    client.reqContractDetails(1, like(**values))
    got = await client.sync()
    return [each.contractDetails for each in got if each.name in {"contractDetails", "bondContractDetails"}]


@pytest.mark.anyio
async def test_one_of_each_kind(client: StockClient) -> None:
    for symbol, sec_type, exchange, rule in (
        ("SPY", "STK", "SMART", "26"),
        ("SPX", "IND", "CBOE", "26"),
        ("GBP", "CASH", "IDEALPRO", "239"),
        ("BTC", "CRYPTO", "PAXOS", "26"),
    ):
        (details,) = await found(client, symbol=symbol, secType=sec_type, exchange=exchange)
        assert details.contract.symbol == symbol
        assert details.marketRuleIds.split(",")[0] == rule
        assert len(details.marketRuleIds.split(",")) == len(details.validExchanges.split(","))
    assert (await found(client, symbol="SPY", secType="STK", exchange="SMART"))[0].stockType == "ETF"


@pytest.mark.anyio
async def test_futures(client: StockClient) -> None:
    near, far = await found(client, symbol="ES", secType="FUT", exchange="CME")
    assert (near.contract.localSymbol, near.contract.multiplier, near.minTick) == ("ESH3", "50", 0.25)
    assert (near.contractMonth, near.underSymbol, near.underSecType) == ("201303", "SPX", "IND")
    assert near.contract.lastTradeDateOrContractMonth == "20130315"
    assert (near.lastTradeTime, near.timeZoneId) == ("09:30:00", "US/Eastern")
    assert near.aggGroup != 1  # a stock's
    (one,) = await found(client, symbol="ES", secType="FUT", exchange="CME", lastTradeDateOrContractMonth="201306")
    assert one.contract.conId == far.contract.conId
    (euro,) = await found(client, localSymbol="6EH3", exchange="CME")
    assert (euro.contract.symbol, euro.contract.tradingClass) == ("EUR", "6E")


@pytest.mark.anyio
async def test_a_bond(client: StockClient) -> None:
    client.reqContractDetails(1, like(symbol="459200AM3", secType="BOND", exchange="SMART"))
    bond, end = await client.sync()
    assert (bond.name, end.name) == ("bondContractDetails", "contractDetailsEnd")
    details = bond.contractDetails
    assert (details.cusip, details.coupon, details.maturity) == ("459200AM3", 7.0, "20251030")
    assert details.contract.secType == "BOND"
    assert len(await found(client, symbol="IBM", secType="BOND")) == 1


@pytest.mark.anyio
async def test_a_chain(client: StockClient) -> None:
    client.reqSecDefOptParams(1, "AAPL", "", "STK", 265598)
    *rows, end = await client.sync()
    assert end.name == "securityDefinitionOptionParameterEnd"
    assert {"SMART", "CBOE"} <= {each.exchange for each in rows}
    row = rows[0]
    assert (row.underlyingConId, row.tradingClass, row.multiplier) == (265598, "AAPL", "100")
    assert (len(row.expirations), len(row.strikes)) == (4, 9)
    everything = await found(client, symbol="AAPL", secType="OPT", exchange="SMART")
    assert len(everything) == 4 * 9 * 2
    assert {each.contract.strike for each in everything} == set(row.strikes)
    assert {each.contract.lastTradeDateOrContractMonth[:8] for each in everything} == set(row.expirations)
    expiry, strike = sorted(row.expirations)[1], sorted(row.strikes)[4]
    wanted = {"symbol": "AAPL", "secType": "OPT", "exchange": "SMART", "lastTradeDateOrContractMonth": expiry}
    (call,) = await found(client, **wanted, strike=strike, right="CALL")
    assert call.contract.localSymbol == f"AAPL  {expiry[2:]}C{round(strike * 1000):08}"
    assert call.underConId == 265598
    assert (await found(client, conId=call.contract.conId))[0].contract.localSymbol == call.contract.localSymbol


@pytest.mark.anyio
async def test_chains_that_are_none(client: StockClient) -> None:
    client.reqSecDefOptParams(1, "MSFT", "", "STK", 272093)
    client.reqSecDefOptParams(2, "AAPL", "SMART", "STK", 265598)
    client.reqSecDefOptParams(3, "AAPL", "", "STK", 0)
    client.reqSecDefOptParams(4, "IBM", "", "STK", 265598)
    got = await client.sync()
    assert names(got) == ["securityDefinitionOptionParameterEnd"] * 2 + ["error"] * 2
    assert [each.errorCode for each in got[2:]] == [321, 321]


@pytest.mark.anyio
async def test_symbols_say_what_is_listed_on_them(client: StockClient) -> None:
    client.reqMatchingSymbols(1, "SP")
    (got,) = await client.sync()
    kinds: dict[str, Any] = {each.contract.symbol: list(each.derivativeSecTypes) for each in got.contractDescriptions}
    assert kinds == {"SPY": ["CFD", "OPT"], "SPX": ["FUT"]}


def test_expired_contracts_are_found_when_asked_for() -> None:
    wanted = {"symbol": "ES", "secType": "FUT"}
    assert len(CONTRACTS.find(wanted, date(2013, 4, 1))) == 1
    assert len(CONTRACTS.find({**wanted, "includeExpired": True}, date(2013, 4, 1))) == 2


def test_ids_are_unique_and_rules_are_there() -> None:
    ids = [each.con_id for each in CONTRACTS.listed]
    assert len(set(ids)) == len(ids)
    assert all(each.market_rule in MARKET_RULES for each in CONTRACTS.listed)


@pytest.mark.parametrize("kind", ["OPT", "FUT", "IND"])
def test_derivatives_tell_one_story_too(kind: str) -> None:
    for instrument in [each for each in CONTRACTS.listed if each.sec_type == kind][::23]:
        (bar,) = MARKET.bars(instrument, TEN, TEN + 60, 60)
        ticks = [MARKET.tick(instrument, TEN + at / 4) for at in range(240)]
        assert (ticks[0].last, ticks[-1].last) == (bar.open, bar.close)
        assert (max(each.last for each in ticks), min(each.last for each in ticks)) == (bar.high, bar.low)
        assert sum(each.last_size for each in ticks) == bar.volume
        assert all(0 < each.bid < each.ask for each in ticks)


def test_calls_and_puts_agree() -> None:
    """A call less a put is the underlying less the strike, but for interest and rounding."""
    chain = CONTRACTS.chain(CONTRACTS.listed[0], date(2013, 1, 15))
    under = MARKET.tick(CONTRACTS.listed[0], TEN).last
    for call, put in zip(chain[::2], chain[1::2], strict=True):
        difference = MARKET.tick(call, TEN).last - MARKET.tick(put, TEN).last
        assert difference == pytest.approx(under - call.strike, abs=0.5)


spots = st.floats(min_value=10, max_value=1000)
volatilities = st.floats(min_value=0.05, max_value=2.0)
years = st.floats(min_value=0.01, max_value=3.0)


@settings(deadline=None)
@given(st.booleans(), spots, st.floats(min_value=0.7, max_value=1.4), years, volatilities)
def test_black_and_scholes(is_call: bool, under: float, moneyness: float, left: float, volatility: float) -> None:
    strike = under * moneyness
    price = option_price(is_call, under, strike, left, volatility, RATE)
    slopes = greeks(is_call, under, strike, left, volatility, RATE)
    step = under * 1e-4
    up, down = (option_price(is_call, under + by, strike, left, volatility, RATE) for by in (step, -step))
    assert slopes.delta == pytest.approx((up - down) / (2 * step), abs=1e-3)
    assert slopes.gamma >= 0 <= slopes.vega
    found_again = implied_volatility(is_call, under, strike, left, price, RATE)
    if slopes.vega > 1e-4:
        assert found_again == pytest.approx(volatility, rel=1e-3)


def test_a_price_below_what_an_option_is_worth_at_once_implies_nothing() -> None:
    assert implied_volatility(True, 100.0, 50.0, 0.5, 10.0, RATE) is None
    assert implied_volatility(True, 100.0, 50.0, 0.5, 101.0, RATE) is None
