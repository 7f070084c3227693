"""Finding contracts on the simulator: one, several or none of them, options, and the steps of prices."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from decimal import Decimal

import anyio
import pytest

from tests.sessions import VERSIONS
from trio_ibtws import (
    Ambiguous,
    Client,
    InvalidRequest,
    NoSuchContract,
    Qualified,
    RequestError,
    UnknownContract,
    open_client,
    open_simulator,
)
from trio_ibtws._contracts._cache import AT_ONCE, Cache, each
from trio_ibtws._contracts._qualify import judged
from trio_ibtws.contracts import combo, crypto, forex, future, index, leg, option, stock

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def simulated(version: int | None = None) -> AsyncGenerator[Client]:
    async with (
        open_simulator(port=None) as sim,
        open_client(stream=await sim.connect(), client_id=1, max_server_version=version) as client,
    ):
        yield client


@pytest.fixture
async def client(anyio_backend: str) -> AsyncGenerator[Client]:
    async with simulated(176) as connected:
        yield connected


# --- qualify -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [version for version in VERSIONS if version in (157, 176) or version > 212])
async def test_one(version: int) -> None:
    async with simulated(version) as client:
        wanted = stock("AAPL")
        before = dict(vars(wanted))
        found = await client.qualify(wanted)
        assert isinstance(found, Qualified)
        assert found.one() is found
        assert (found.contract.conId, found.contract.primaryExchange) == (265598, "NASDAQ")
        assert found.details.longName == "APPLE INC"
        assert found.contract is not found.details.contract
        assert vars(wanted) == before
        assert len(found.trading_hours) == len(found.liquid_hours) == 5
        (es,) = (each.one() for each in await client.qualify([future("ES", "201303", "CME")]))
        assert es.contract.lastTradeDateOrContractMonth == "20130315"


async def test_several(client: Client) -> None:
    found = await client.qualify(future("ES", "", "CME"))
    assert isinstance(found, Ambiguous)
    assert [each.contract.localSymbol for each in found.candidates] == ["ESH3", "ESM3"]
    with pytest.raises(
        InvalidRequest, match=r"contract: it fits 2 contracts, say which: ESH3 FUT CME USD \(\d+\); ESM3"
    ):
        found.one()


async def test_none(client: Client) -> None:
    wanted = stock("NOSUCH")
    found = await client.qualify(wanted)
    assert isinstance(found, UnknownContract)
    assert found.contract.symbol == "NOSUCH"
    with pytest.raises(NoSuchContract) as none:
        found.one()
    assert none.value.code == 200


async def test_many_in_their_order(client: Client) -> None:
    wanted = [stock("IBM"), forex("EURUSD"), stock("NOSUCH"), crypto("BTC"), stock("IBM"), index("SPX", "CBOE")]
    found = await client.qualify(wanted)
    assert [type(each) for each in found] == [Qualified, Qualified, UnknownContract, Qualified, Qualified, Qualified]
    assert [each.contract.symbol for each in found] == ["IBM", "EUR", "NOSUCH", "BTC", "IBM", "SPX"]
    assert await client.qualify([]) == []


async def test_it_is_asked_once(client: Client) -> None:
    before = client.stats().frames_out
    first = await client.qualify([stock("IBM")] * 20)
    assert client.stats().frames_out == before + 1
    again = (await client.qualify(stock("IBM"))).one()
    assert client.stats().frames_out == before + 1
    assert again.details is first[0].one().details
    again.contract.symbol = "CHANGED"
    assert (await client.qualify(stock("IBM"))).one().contract.symbol == "IBM"
    await client.qualify(stock("IBM"), fresh=True)
    assert client.stats().frames_out == before + 2
    assert isinstance(await client.qualify(stock("NOSUCH")), UnknownContract)
    assert isinstance(await client.qualify(stock("NOSUCH")), UnknownContract)
    assert client.stats().frames_out == before + 3


async def test_a_combination_has_no_details(client: Client) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await client.qualify(combo("X", leg(1, "BUY"), leg(2, "SELL")))
    assert refused.value.field == "contract.secType"


async def test_rows_of_one_contract_are_one(client: Client) -> None:
    found = (await client.qualify(stock("AAPL"))).one()
    elsewhere = (await client.qualify(stock("AAPL", "NASDAQ"))).one()
    assert elsewhere.contract.exchange == "NASDAQ"
    wanted = stock("AAPL")
    both = judged(wanted, [elsewhere.details, found.details])
    assert isinstance(both, Qualified)
    assert both.contract.exchange == "SMART"
    assert isinstance(judged(wanted, []), UnknownContract)


# --- options -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [version for version in VERSIONS if version in (157, 176) or version > 212])
async def test_a_chain(version: int) -> None:
    async with simulated(version) as client:
        chain = await client.option_chain(stock("AAPL"))
        assert (chain.exchange, chain.trading_class, chain.multiplier) == ("SMART", "AAPL", "100")
        assert chain.underlying.conId == 265598
        assert len(chain.expirations) == 4
        assert list(chain.expirations) == sorted(chain.expirations)
        first = chain.expirations[0]
        monday = first - timedelta(days=first.weekday())
        assert chain.expirations_between(monday, monday + timedelta(days=6)) == (first,)
        near = chain.strikes_near(chain.strikes[4] + 0.1, 3)
        assert near == chain.strikes[3:6] == chain.strikes_between(near[0], near[-1])
        found = await client.option_contracts(chain, [first], near)
        assert [(each.contract.strike, each.contract.right) for each in found] == [
            (strike, right) for strike in near for right in "CP"
        ]
        assert {each.contract.lastTradeDateOrContractMonth for each in found} == {f"{first:%Y%m%d}"}
        assert all(each.contract.conId and each.contract.tradingClass == "AAPL" for each in found)


async def test_a_request_for_each_expiration_once(client: Client) -> None:
    chain = await client.option_chain(stock("AAPL"))
    before = client.stats().frames_out
    every = await client.option_contracts(chain)
    assert len(every) == 4 * 9 * 2
    assert client.stats().frames_out == before + 4
    puts = await client.option_contracts(chain, strikes=chain.strikes[:2], right="P")
    assert len(puts) == 4 * 2
    await client.option_chain(stock("AAPL"), "CBOE")
    await client.option_contracts(chain)
    (one,) = await client.option_contracts(chain, [chain.expirations[0]], [chain.strikes[0]], "C")
    assert one.contract.right == "C"
    text = f"{chain.expirations[0]:%Y%m%d}"
    (again,) = await client.option_contracts(chain, [text], [chain.strikes[0]], "C")
    assert again.details is one.details


async def test_what_is_in_no_chain(client: Client) -> None:
    chain = await client.option_chain(stock("AAPL"))
    with pytest.raises(InvalidRequest, match="expirations"):
        await client.option_contracts(chain, [date(2013, 1, 1)])
    with pytest.raises(InvalidRequest, match="strikes"):
        await client.option_contracts(chain, strikes=[1.0])
    with pytest.raises(InvalidRequest, match="right"):
        await client.option_contracts(chain, right="X")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="exchange: no options on AAPL at MOON"):
        await client.option_chain(stock("AAPL"), "MOON")
    with pytest.raises(InvalidRequest, match=r"trading_class: 'AAPL7': there are \['AAPL'\]"):
        await client.option_chain(stock("AAPL"), trading_class="AAPL7")
    with pytest.raises(NoSuchContract):
        await client.option_chain(stock("NOSUCH"))
    assert await client.option_chains(forex("EURUSD")) == ()


# --- prices ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [version for version in VERSIONS if version in (157, 176) or version > 212])
async def test_prices(version: int) -> None:
    async with simulated(version) as client:
        chain = await client.option_chain(stock("AAPL"))
        one = (await client.option_contracts(chain, chain.expirations[:1], chain.strikes[:1], "C"))[0]
        assert await client.round_price(one, 2.999, "down") == Decimal("2.99")
        assert await client.round_price(one, 2.999, "up") == Decimal("3.00")
        assert await client.round_price(one, 3.01) == Decimal("3.00")
        assert await client.round_price(one, Decimal("3.03"), exchange="CBOE") == Decimal("3.05")
        rules = await client.market_rules(one.details)
        assert rules["SMART"].edges == (Decimal(0), Decimal(3))
        assert set(rules) == set(one.details.validExchanges.split(","))
        with pytest.raises(InvalidRequest, match="exchange: 'MOON'"):
            await client.round_price(one, 1.0, exchange="MOON")


async def test_a_rule_is_asked_for_once(client: Client) -> None:
    one = (await client.qualify(stock("AAPL"))).one()
    before = client.stats().frames_out
    async with anyio.create_task_group() as tasks:
        for price in range(5):
            tasks.start_soon(client.round_price, one, price + 0.005)
    await client.market_rules(one.details)
    assert client.stats().frames_out == before + 1


# --- what they stand on ------------------------------------------------------------------------------------------


async def test_not_too_many_are_asked_at_once() -> None:
    going, most = 0, 0

    async def ask(item: int) -> int:
        nonlocal going, most
        going += 1
        most = max(most, going)
        await anyio.lowlevel.checkpoint()
        going -= 1
        return -item

    assert await each(ask, range(50)) == [-item for item in range(50)]
    assert most == AT_ONCE


async def test_the_first_error_comes_as_it_is() -> None:
    error = RequestError(321, "no")

    async def ask(item: int) -> int:
        if item == 3:
            raise error
        await anyio.sleep_forever()
        return item

    with pytest.raises(RequestError) as raised:
        await each(ask, range(20))
    assert raised.value is error


async def test_who_waits_for_an_answer_asks_when_the_asker_is_cancelled() -> None:
    cache: Cache[str] = Cache()
    asked: list[str] = []
    scope = anyio.CancelScope()

    async def never() -> str:
        asked.append("never")
        await anyio.sleep_forever()
        return "never"

    async def now() -> str:
        asked.append("now")
        return "now"

    async def first() -> None:
        with scope:
            await cache.get("question", never)

    answers: list[str] = []

    async def second() -> None:
        answers.append(await cache.get("question", now))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first)
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(second)
        await anyio.wait_all_tasks_blocked()
        scope.cancel()
    assert (asked, answers) == (["never", "now"], ["now"])
    assert not cache._asking


async def test_an_error_is_not_kept_and_the_oldest_answer_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trio_ibtws._contracts._cache._MOST", 2)
    cache: Cache[int] = Cache()

    async def fail() -> int:
        raise RequestError(321, "no")

    async def answer() -> int:
        return 1

    with pytest.raises(RequestError):
        await cache.get("a", fail)
    for question in "abc":
        assert await cache.get(question, answer) == 1
    with pytest.raises(RequestError):
        await cache.get("a", fail)
    assert await cache.get("c", fail) == 1


async def test_options_of_a_description(client: Client) -> None:
    chain = await client.option_chain(stock("AAPL"))
    found = await client.qualify(option("AAPL", chain.expirations[0], chain.strikes[0], "P"))
    assert found.one().contract.localSymbol.startswith("AAPL")
