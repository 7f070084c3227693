"""Books that move, generic ticks, and what options say about themselves."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from tests.simulator.stock import Got, StockClient, contract, names
from tests.simulator.test_contracts import CONTRACTS, MARKET, TEN
from trio_ibtws.simulator import Scenario, Simulator, open_simulator
from trio_ibtws.simulator._market_book import Book, book_at, changes

EURUSD = ("EUR", "CASH", "IDEALPRO", "USD")
_INSERT, _UPDATE, _DELETE = 0, 1, 2


@pytest.fixture
def speed(anyio_backend: tuple[str, dict[str, Any]]) -> float:
    """Slower than elsewhere: ibapi does not decode a day of books in a second."""
    return 1.0 if anyio_backend[0] == "trio" else 20.0


def apply(book: dict[int, list[Any]], got: list[Got]) -> None:
    """Do what a client does with updates of a book."""
    for each in got:
        if each.name not in {"updateMktDepth", "updateMktDepthL2"}:
            continue
        side, row = book.setdefault(each.side, []), (each.price, each.size)
        if each.operation == _INSERT:
            assert each.position <= len(side)
            side.insert(each.position, row)
        elif each.operation == _UPDATE:
            side[each.position] = row
        else:
            del side[each.position]


def in_order(book: dict[int, list[Any]], rows: int) -> bool:
    asks, bids = [row[0] for row in book[0]], [row[0] for row in book[1]]
    return asks == sorted(asks) and bids == sorted(bids)[::-1] and bids[0] < asks[0] and len(bids) == len(asks) == rows


@pytest.mark.anyio
@pytest.mark.parametrize(("venue", "smart"), [("SMART", True), ("ISLAND", False), ("ARCA", False), ("NYSE", False)])
async def test_a_book_that_moves(client: StockClient, venue: str, smart: bool) -> None:
    wanted = contract("AAPL" if venue != "ISLAND" else "IBM", "STK", venue)
    client.reqMktDepth(1, wanted, 5, smart, [])
    got = await client.sync()
    notices = [each.errorCode for each in got if each.name == "error"]
    assert notices == ([2152] if smart else [])
    book: dict[int, list[Any]] = {}
    apply(book, got)
    assert in_order(book, 5)
    before = repr(book)
    for _ in range(12):
        await anyio.sleep(0.001)
        apply(book, await client.until(got[-1].name) + await client.sync())
        assert in_order(book, 5)
    assert repr(book) != before
    assert {each.name for each in got if each.name != "error"} == {
        "updateMktDepth" if venue == "NYSE" else "updateMktDepthL2"
    }
    client.cancelMktDepth(1, smart)
    await client.sync()
    client.cancelMktDepth(1, smart)
    assert [each.errorCode for each in await client.sync()] == [310]


@pytest.mark.anyio
async def test_a_book_that_is_reset(sim: Simulator, client: StockClient) -> None:
    client.reqMktDepth(1, contract("EUR", "CASH", "IDEALPRO"), 3, False, [])
    await client.sync()
    assert sim.reset_depth(1)
    assert not sim.reset_depth(2)
    book: dict[int, list[Any]] = {}
    assert (await client.until("error"))[-1].errorCode == 317
    while len(book) < 2 or len(book[1]) < 3:
        apply(book, await client.until("updateMktDepth"))
    apply(book, await client.sync())
    assert in_order(book, 3)


@pytest.mark.anyio
async def test_books_that_are_not_there(client: StockClient) -> None:
    client.reqMktDepth(1, contract(), 5, False, [])
    client.reqMktDepth(2, contract("SPX", "IND", "CBOE"), 5, False, [])
    client.reqMktDepth(3, contract("XYZ"), 5, True, [])
    assert [each.errorCode for each in await client.sync()] == [10092, 10092, 200]


def test_the_changes_of_a_book_make_the_next_one() -> None:
    for instrument in (CONTRACTS.listed[0], CONTRACTS.listed[9], CONTRACTS.listed[-1]):
        client: Book = {0: [], 1: []}
        for at in range(400):
            book = book_at(instrument, MARKET.tick(instrument, TEN + at / 4), 6, ("A", "B"))
            for change in changes(client, book):
                rows = client[change.side]
                if change.operation == _DELETE:
                    del rows[change.position]
                elif change.operation == _UPDATE:
                    assert rows[change.position].price == change.level.price
                    rows[change.position] = change.level
                else:
                    rows.insert(change.position, change.level)
                assert len(rows) <= 6
            assert client == book


@pytest.mark.anyio
async def test_who_has_depth_and_what_letters_mean(client: StockClient) -> None:
    client.reqMktDepthExchanges()
    (got,) = await client.until("mktDepthExchanges")
    assert {"ISLAND", "IDEALPRO"} <= {each.exchange for each in got.depthMktDataDescriptions}
    client.reqSmartComponents(1, "9c0001")
    assert list((await client.until("smartComponents"))[0].smartComponentMap) == []
    client.reqMktData(2, contract(), "", False, False, [])
    client.reqSmartComponents(3, "9c0001")
    components = (await client.until("smartComponents"))[-1].smartComponentMap
    rows = components.values() if isinstance(components, dict) else components
    assert "ISLAND" in str([vars(each) if hasattr(each, "exchange") else each for each in rows])


# --- generic ticks ----------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_generic_ticks(client: StockClient) -> None:
    client.reqMktData(1, contract(), "100,101,104,106,165,221,233,236,293,456", False, False, [])
    kinds: set[int] = set()
    while not {15, 16, 21, 23, 24, 27, 28, 29, 30, 37, 46, 48, 54, 59, 89} <= kinds:
        kinds |= {each.tickType for each in await client.until("tickSize") if hasattr(each, "tickType")}
    client.cancelMktData(1)


@pytest.mark.anyio
async def test_a_trade_in_words(client: StockClient) -> None:
    client.reqMktData(1, contract(), "mdoff,233", False, False, [])
    price, size, at, volume, wap, single = (await client.until("tickString", tickType=48))[-1].value.split(";")
    assert float(price) == pytest.approx(float(wap), rel=0.1)
    assert int(volume) > int(size) > 0
    assert (len(at), single) == (13, "true")


@pytest.mark.anyio
async def test_generic_ticks_that_there_are_not(client: StockClient) -> None:
    client.reqMktData(1, contract(), "999", False, False, [])
    client.reqMktData(2, contract(*EURUSD), "233", False, False, [])
    client.reqMktData(3, contract(), "258", False, False, [])
    got = await client.sync()
    assert [each.errorCode for each in got] == [321, 321, 10358]
    assert "Incorrect generic tick list" in got[0].errorString


@pytest.mark.anyio
@pytest.mark.parametrize("code", [10089, 10168, 354])
async def test_what_gateways_of_every_age_say_without_a_subscription(version: int, speed: float, code: Any) -> None:
    scenario = Scenario(live_data=False, not_subscribed=code, speed=speed)
    async with open_simulator(port=None, scenario=scenario) as sim:
        client = await StockClient.start(sim, version, client_id=1)
        client.reqMktData(1, contract(), "", False, False, [])
        assert [each.errorCode for each in await client.sync() if each.name == "error"] == [code]
        client.reqMarketDataType(3)
        client.reqMktData(2, contract(), "", True, False, [])
        codes = [each.errorCode for each in await client.until("tickSnapshotEnd") if each.name == "error"]
        assert codes == ([10167] if code == 354 else [])


# --- options ----------------------------------------------------------------------------------------------------------


async def an_option(client: StockClient, right: str = "C") -> Any:
    wanted = contract("AAPL", "OPT")
    wanted.right = right
    client.reqContractDetails(99, wanted)
    rows = [each.contractDetails.contract for each in await client.sync() if each.name == "contractDetails"]
    return rows[len(rows) // 2]


@pytest.mark.anyio
@pytest.mark.parametrize("right", ["C", "P"])
async def test_an_option_says_what_it_implies(client: StockClient, right: str) -> None:
    client.reqMktData(1, await an_option(client, right), "", False, False, [])
    found: dict[int, Got] = {}
    while len(found) < 4:
        for each in await client.until("tickOptionComputation"):
            if each.name == "tickOptionComputation":
                found[each.tickType] = each
    assert set(found) == {10, 11, 12, 13}
    model = found[13]
    assert 0.1 < model.impliedVol < 1.0
    assert 0 < model.delta * (1 if right == "C" else -1) < 1
    assert model.gamma > 0 > model.theta
    assert found[10].optPrice < found[11].optPrice
    assert found[10].impliedVol < found[11].impliedVol


@pytest.mark.anyio
async def test_questions_about_an_option(client: StockClient) -> None:
    option = await an_option(client)
    client.calculateOptionPrice(1, option, 0.3, 520.0, [])
    (priced,) = await client.until("tickOptionComputation")
    assert (priced.tickType, priced.impliedVol, priced.undPrice) == (53, 0.3, 520.0)
    client.calculateImpliedVolatility(2, option, priced.optPrice, 520.0, [])
    (implied,) = await client.until("tickOptionComputation")
    assert implied.impliedVol == pytest.approx(0.3)
    client.calculateImpliedVolatility(3, option, 100_000.0, 520.0, [])
    (none,) = await client.until("tickOptionComputation")
    assert none.impliedVol is None or none.impliedVol < 0
    client.calculateOptionPrice(4, contract(), 0.3, 520.0, [])
    client.calculateOptionPrice(5, option, 0.3, 0.0, [])
    assert [each.errorCode for each in await client.sync()] == [321, 321]


@pytest.mark.anyio
async def test_tick_by_tick_of_all_kinds(client: StockClient) -> None:
    for request, wanted in enumerate([("ES", "FUT", "CME"), ("BTC", "CRYPTO", "PAXOS"), ("EUR", "CASH", "IDEALPRO")]):
        made = contract(*wanted)
        made.lastTradeDateOrContractMonth = "201303" if wanted[1] == "FUT" else ""
        client.reqTickByTickData(request, made, "BidAsk", 0, False)
        assert (await client.until("tickByTickBidAsk", reqId=request))[-1].bidPrice > 0
        client.cancelTickByTickData(request)
        await client.sync()
    client.reqTickByTickData(7, contract("SPX", "IND", "CBOE"), "BidAsk", 0, False)
    assert [each.errorCode for each in await client.sync() if each.name == "error"] == [10189]


@pytest.mark.anyio
async def test_ticks_of_the_past_come_first(client: StockClient) -> None:
    client.reqTickByTickData(1, contract(), "Last", 5, False)
    got = await client.until("tickByTickAllLast")
    assert names(got) == ["historicalTicksLast", "tickByTickAllLast"]
    assert 5 <= len(got[0].ticks) < 8
    assert got[0].ticks[-1].time <= got[1].time
