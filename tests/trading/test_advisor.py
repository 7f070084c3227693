"""Orders of an advisor for a group of accounts, of which TWS tells every execution twice."""

from __future__ import annotations

import itertools
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.script import settle, stock
from tests.trading.test_book import opened, placed
from tests.trading.tws import Order, Tws
from trio_ibtws import Trade
from trio_ibtws._trading._fills import is_advisor
from trio_ibtws.orders import limit_order

pytestmark = pytest.mark.anyio

OWN, ONE, OTHER = "DF1000001", "DU1000002", "DU1000003"


def group_order() -> Any:
    return limit_order("BUY", 100, 10.0, orderRef="group", faGroup="everyone", faMethod="NetLiq")


async def told(tws: Tws, order: Order, *fills: tuple[str, int, float]) -> None:
    for account, quantity, price in fills:
        tws.fill_for(order, account, Decimal(quantity), price)
    await tws.deliver()
    await settle()


def facts(trade: Trade) -> tuple[str, Decimal, Decimal, float | None]:
    return trade.state, trade.filled_quantity, trade.remaining, trade.average_price


async def test_what_was_traded_counts_once(tmp_path: Path) -> None:
    tws, path = Tws(automatic=True), tmp_path / "journal"
    async with opened(tws, journal=path) as (_, book):
        trade = await book.place(stock(), group_order())
        order = tws.orders["group"]
        await told(tws, order, (OWN, 50, 10.0), (ONE, 20, 10.0), (OTHER, 30, 10.0))
        assert facts(trade) == ("Working", Decimal(50), Decimal(50), 10.0)
        assert [(fill.account, int(fill.quantity)) for fill in trade.fills] == [(OWN, 50), (ONE, 20), (OTHER, 30)]
        await told(tws, order, (OWN, 30, 9.0))
        assert facts(trade) == ("Working", Decimal(80), Decimal(20), 9.625)
    async with opened(tws, journal=path) as (_, book):
        trade = book.by_ref["group"]
        assert [fill.account for fill in trade.fills] == [OWN, ONE, OTHER, OWN]
        assert trade.filled_quantity == 80
        await told(tws, order, (ONE, 30, 9.0), (OWN, 20, 9.0))
        assert facts(trade) == ("Filled", Decimal(100), Decimal(0), 9.5)


ALL_ORDERS = list(itertools.permutations([(OWN, 60, 10.0), (ONE, 20, 10.0), (OTHER, 40, 10.0)]))


@pytest.mark.parametrize("arrival", ALL_ORDERS, ids=str)
async def test_in_whatever_order_they_come(arrival: tuple[tuple[str, int, float], ...]) -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book, group_order())
        await told(tws, tws.orders["group"], *arrival)
        assert facts(trade) == ("Working", Decimal(60), Decimal(40), 10.0)


async def test_parts_alone_count() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book, group_order())
        await told(tws, tws.orders["group"], (ONE, 40, 10.0), (OTHER, 60, 10.0))
        assert facts(trade) == ("Filled", Decimal(100), Decimal(0), 10.0)


async def test_the_correction_of_a_part_is_one_of_the_part() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        trade = await placed(tws, book, group_order())
        order = tws.orders["group"]
        part = tws.fill_for(order, ONE, Decimal(100))
        await told(tws, order, (OWN, 100, 10.0))
        tws.correct(order, part, 9.0)
        await tws.deliver()
        await settle()
        assert [(fill.account, fill.price) for fill in trade.fills] == [(ONE, 9.0), (OWN, 10.0)]
        assert facts(trade) == ("Filled", Decimal(100), Decimal(0), 10.0)


@pytest.mark.parametrize(
    ("account", "advisor"),
    [("F1234567", True), ("DF1234567", True), ("I12345", True), ("DI123", True), ("U1234567", False), ("DU123", False)],
)
def test_whose_account_it_is(account: str, advisor: bool) -> None:
    assert is_advisor(account) is advisor
