"""The order book that TWS's changes make: what fits, what does not, and what the simulator sends."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_ibtws import (
    Depth,
    DepthBook,
    DepthError,
    DepthLevel,
    DepthReset,
    IBError,
    RerouteMktDepthReq,
    SlowConsumer,
    UpdateMktDepth,
    UpdateMktDepthL2,
    open_client,
    open_simulator,
)
from trio_ibtws.contracts import stock
from trio_ibtws.simulator._market_book import Level, changes

ASK, BID = 0, 1
INSERT, UPDATE, DELETE = 0, 1, 2


def change(operation: int, position: int, side: int = BID, price: float | None = 1.0, size: int = 1) -> UpdateMktDepth:
    return UpdateMktDepth(position, operation, side, price, Decimal(size))


def prices(depth: Depth) -> tuple[list[float], list[float]]:
    return [row.price for row in depth.bids], [row.price for row in depth.asks]


def filled(rows: int | None = None, *, strict: bool = False) -> DepthBook:
    book = DepthBook(rows, strict=strict)
    for at, (bid, ask) in enumerate([(9.9, 10.1), (9.8, 10.2), (9.7, 10.3)]):
        book.apply_all([change(INSERT, at, BID, bid), change(INSERT, at, ASK, ask)])
    return book


def test_rows() -> None:
    book = filled()
    assert prices(book.snapshot()) == ([9.9, 9.8, 9.7], [10.1, 10.2, 10.3])
    before = book.snapshot()
    book.apply(change(INSERT, 0, BID, 9.95, 7))
    book.apply(change(UPDATE, 1, BID, 9.9, 5))
    book.apply(change(DELETE, 0, ASK, 0.0, 0))
    after = book.snapshot()
    assert after.bids[:2] == (DepthLevel(9.95, Decimal(7)), DepthLevel(9.9, Decimal(5)))
    assert prices(after) == ([9.95, 9.9, 9.8, 9.7], [10.2, 10.3])
    assert after.spread == pytest.approx(0.25)
    assert after.bid is after.bids[0]
    assert after.ask is after.asks[0]
    assert after.ordered
    assert not after.crossed
    assert after.flaw is None
    assert prices(before) == ([9.9, 9.8, 9.7], [10.1, 10.2, 10.3])


def test_a_book_that_is_empty() -> None:
    depth = DepthBook().snapshot()
    assert depth == Depth((), ())
    assert (depth.bid, depth.ask, depth.spread, depth.crossed, depth.ordered) == (None, None, None, False, True)


def test_makers() -> None:
    book = DepthBook()
    book.apply(UpdateMktDepthL2(0, "ARCA", INSERT, BID, 9.9, Decimal(3), True))
    book.apply(UpdateMktDepthL2(1, "NSDQ", INSERT, BID, 9.9, None, True))
    assert book.snapshot().bids == (DepthLevel(9.9, Decimal(3), "ARCA"), DepthLevel(9.9, Decimal(0), "NSDQ"))


def test_a_crossed_book_is_one_and_says_so() -> None:
    book = filled(strict=True)
    book.apply(change(INSERT, 0, BID, 10.15))
    assert book.snapshot().crossed
    book.apply(change(INSERT, 3, BID, 11.0))
    assert not book.snapshot().ordered


@pytest.mark.parametrize(
    "wrong",
    [
        change(INSERT, 4),
        change(UPDATE, 3),
        change(DELETE, 3),
        change(DELETE, -1),
        change(INSERT, 0, price=None),
        change(7, 0),
        change(INSERT, 0, side=2),
    ],
)
def test_a_change_that_does_not_fit(wrong: UpdateMktDepth) -> None:
    book = filled()
    before = prices(book.snapshot())
    book.apply(wrong)
    assert book.flaw
    assert prices(book.snapshot()) == before
    first = book.flaw
    book.apply(change(DELETE, 9))
    assert book.snapshot().flaw == first
    book.apply(DepthReset())
    assert book.snapshot() == Depth((), ())
    strict = filled(strict=True)
    with pytest.raises(DepthError, match="misses something") as error:
        strict.apply(wrong)
    assert isinstance(error.value, IBError)


def test_rows_that_are_pushed_out() -> None:
    book = filled(3, strict=True)
    book.apply(change(INSERT, 0, BID, 9.95))
    assert prices(book.snapshot())[0] == [9.95, 9.9, 9.8]
    book.apply(change(DELETE, 3, BID))  # of the row that was pushed out
    assert prices(book.snapshot())[0] == [9.95, 9.9, 9.8]
    with pytest.raises(DepthError):
        DepthBook(3, strict=True).apply(change(DELETE, 1))


def test_a_book_that_is_elsewhere() -> None:
    with pytest.raises(DepthError, match="under contract 7 on IBIS"):
        DepthBook().apply(RerouteMktDepthReq(7, "IBIS"))


SIDES = st.dictionaries(st.integers(1, 30), st.integers(1, 5), max_size=8)


@given(st.lists(st.tuples(SIDES, SIDES), max_size=6))
def test_changes_between_any_books_make_the_one_of_the_other(
    states: list[tuple[dict[int, int], dict[int, int]]],
) -> None:
    book = DepthBook(8, strict=True)
    shown: dict[int, list[Level]] = {}
    for bids, asks in states:
        wanted = {
            BID: [Level(float(price), bids[price], "") for price in sorted(bids, reverse=True)],
            ASK: [Level(float(price), asks[price], "") for price in sorted(asks)],
        }
        for each in changes(shown, wanted):
            book.apply(change(each.operation, each.position, each.side, each.level.price, each.level.size))
        shown = wanted
        depth = book.snapshot()
        assert [(row.price, row.size) for row in depth.bids] == [(row.price, Decimal(row.size)) for row in wanted[BID]]
        assert [(row.price, row.size) for row in depth.asks] == [(row.price, Decimal(row.size)) for row in wanted[ASK]]
        assert depth.ordered


@pytest.mark.anyio
@pytest.mark.parametrize("smart", [False, True])
async def test_books_of_the_simulator(smart: bool) -> None:
    async with (
        open_simulator(port=None) as sim,
        open_client(stream=await sim.connect(), client_id=1, max_server_version=176) as client,
    ):
        wanted = stock("AAPL", "SMART" if smart else "ISLAND")
        async with client.depth(wanted, 5, smart, strict=True) as books:
            depth = await books.receive()
            while len(depth.bids) < 5 or len(depth.asks) < 5:
                depth = await books.receive()
            assert depth.ordered
            assert not depth.crossed
            assert all(row.market_maker for row in depth.bids) == smart or not smart
            rounds = 0
            async for depth in books:
                assert len(depth.bids) <= 5
                assert len(depth.asks) <= 5
                rounds += 1
                if rounds == 3:
                    break
            assert books.book.snapshot() == depth
            assert books.events.statistics().max_buffer_size == 10_000


@pytest.mark.anyio
async def test_how_the_stream_ends_is_raised() -> None:
    async with (
        open_simulator(port=None) as sim,
        open_client(stream=await sim.connect(), client_id=1, max_server_version=176) as client,
    ):
        async with client.depth(stock("NOSUCH"), 5) as books:
            with pytest.raises(IBError) as error:
                await books.receive()
            assert not isinstance(error.value, SlowConsumer)
