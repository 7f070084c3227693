"""Limits name the attribute and the limit, and nothing beyond one is written."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import anyio
import pytest
from ibapi.contract import Contract
from ibapi.order import Order

from tests.script import stock
from tests.trading.test_book import doing, opened, placed
from tests.trading.tws import Tws
from trio_ibtws import (
    ClientClosed,
    InvalidRequest,
    Market,
    OrderLimitExceeded,
    OrderLimits,
    OrderRejected,
    TradingHalted,
    Unknown,
    WhatIf,
    open_client,
)
from trio_ibtws._trading._limits import Watchman
from trio_ibtws._trading._record import OrderRecord
from trio_ibtws.orders import combo, leg, limit_order, market_order, stop_order, trailing_stop_order
from trio_ibtws.simulator import open_simulator

pytestmark = pytest.mark.anyio

OFF = OrderLimits(
    max_quantity=None,
    max_notional=None,
    collar=None,
    quote_max_age=None,
    max_orders_per_minute=None,
    max_open_orders=None,
)


def future(multiplier: str) -> Contract:
    contract = stock("ES")
    contract.secType, contract.multiplier = "FUT", multiplier
    return contract


def quoted(price: float, at: float = 0.0) -> Any:
    def prepare(market: Market) -> None:
        market.set_quote(stock(), price, at)

    return prepare


def stepped(step: float) -> Any:
    def prepare(market: Market) -> None:
        market.set_min_tick(stock(), step)

    return prepare


def quoted_as(contract: Contract, price: float) -> Any:
    def prepare(market: Market) -> None:
        market.set_quote(contract, price, 0.0)

    return prepare


def with_id(con_id: int, symbol: str = "AAPL") -> Contract:
    contract = stock(symbol)
    contract.conId, contract.localSymbol, contract.primaryExchange = con_id, symbol, "NASDAQ"
    return contract


def option(strike: float) -> Contract:
    contract = stock()
    contract.secType, contract.strike, contract.right, contract.multiplier = "OPT", strike, "C", "100"
    contract.lastTradeDateOrContractMonth = "20300118"
    return contract


def spread(first: int, second: int) -> Contract:
    return combo("AAPL", leg(first, "BUY"), leg(second, "SELL"))


def nothing(market: Market) -> None:
    """Nothing is known of the market."""


FREE = OrderLimits(collar=None)
WORTH = "order.totalQuantity", "max_notional"

BEYOND: list[tuple[str, str, OrderLimits, Any, Contract, Order]] = [
    ("order.totalQuantity", "max_quantity", OrderLimits(), nothing, stock(), market_order("BUY", 10_001)),
    ("order.totalQuantity", "max_notional", OrderLimits(), nothing, stock(), limit_order("BUY", 10_000, 100.01)),
    ("order.totalQuantity", "max_notional", OrderLimits(), nothing, stock(), stop_order("BUY", 10_000, 101.0)),
    ("order.totalQuantity", "max_notional", OrderLimits(), nothing, future("50"), limit_order("BUY", 5, 4100.0)),
    ("order.totalQuantity", "max_notional", OrderLimits(), quoted(200.0), stock(), market_order("BUY", 6_000)),
    ("order.lmtPrice", "collar", OrderLimits(), quoted(10.0), stock(), limit_order("BUY", 1, 11.01)),
    ("order.lmtPrice", "collar", OrderLimits(), quoted(10.0), stock(), limit_order("SELL", 1, 8.99)),
    ("order.auxPrice", "collar", OrderLimits(), quoted(10.0), stock(), stop_order("SELL", 1, 1.0)),
    ("order.lmtPrice", "min_tick", OrderLimits(), stepped(0.05), stock(), limit_order("BUY", 1, 10.01)),
    ("order.auxPrice", "min_tick", OrderLimits(), stepped(0.01), stock(), stop_order("BUY", 1, 10.001)),
    ("contract", "quote_max_age", OrderLimits(), quoted(10.0, -5.1), stock(), limit_order("BUY", 1, 10.0)),
    ("contract", "quote_max_age", OrderLimits(), quoted(10.0, 1.7e9), stock(), limit_order("BUY", 1, 10.0)),
    # a contract is the same with and without its number
    ("order.lmtPrice", "collar", OrderLimits(), quoted_as(with_id(1), 10.0), stock(), limit_order("BUY", 1, 12.0)),
    ("order.lmtPrice", "collar", OrderLimits(), quoted(10.0), with_id(1), limit_order("BUY", 1, 12.0)),
    ("order.lmtPrice", "collar", OrderLimits(), quoted_as(option(100), 5.0), option(100), limit_order("BUY", 1, 6.0)),
    (
        "order.lmtPrice",
        "collar",
        OrderLimits(),
        quoted_as(spread(1, 2), -1.0),
        spread(1, 2),
        limit_order("BUY", 1, 1.0),
    ),
    # what a sale brings is not what its limit says
    (
        "order.totalQuantity",
        "max_notional",
        OrderLimits(collar=None),
        quoted(200.0),
        stock(),
        limit_order("SELL", 6_000, 1.0),
    ),
    (
        "order.totalQuantity",
        "max_notional",
        OrderLimits(collar=None),
        quoted(200.0),
        stock(),
        stop_order("BUY", 6_000, 1.0),
    ),
    (
        "order.totalQuantity",
        "max_notional",
        OrderLimits(),
        nothing,
        stock(),
        trailing_stop_order("SELL", 6_000, amount=1.0, trailStopPrice=200.0),
    ),
    (
        "order.totalQuantity",
        "max_notional",
        OrderLimits(),
        nothing,
        stock(),
        market_order("BUY", 0, cashQty=1_000_000.01),
    ),
    ("contract", "require_quote", OrderLimits(require_quote=True), nothing, stock(), market_order("BUY", 1)),
]


@pytest.mark.parametrize(("field", "limit", "limits", "prepare", "contract", "order"), BEYOND)
def test_beyond(field: str, limit: str, limits: OrderLimits, prepare: Any, contract: Contract, order: Order) -> None:
    watchman = Watchman(limits)
    prepare(watchman.market)
    with pytest.raises(OrderLimitExceeded) as caught:
        watchman.check([(contract, order)], [], 0.0)
    assert (caught.value.field, caught.value.limit) == (field, limit)
    assert limit in str(caught.value)
    watchman.limits = OFF
    if limit not in ("min_tick", "require_quote"):
        watchman.check([(contract, order)], [], 0.0)


WITHIN: list[tuple[OrderLimits, Any, Contract, Order]] = [
    (OrderLimits(), nothing, stock(), market_order("BUY", 10_000)),
    (OrderLimits(), nothing, stock(), limit_order("BUY", 10_000, 100.0)),
    (OrderLimits(), quoted(10.0), stock(), limit_order("BUY", 1, 11.0)),
    (OrderLimits(), quoted(10.0, -5.0), stock(), limit_order("BUY", 1, 9.0)),
    (OrderLimits(), quoted(3.3), stock(), limit_order("BUY", 1, 3.63)),
    (OrderLimits(), quoted(0.7), stock(), limit_order("BUY", 1, 0.77)),
    (OrderLimits(), quoted_as(with_id(2), 100.0), with_id(1), limit_order("BUY", 1, 10.0)),
    (OrderLimits(), quoted_as(option(100), 50.0), option(200), limit_order("BUY", 1, 1.0)),
    (OrderLimits(), quoted_as(spread(1, 2), 50.0), spread(1, 3), limit_order("BUY", 1, 1.0)),
    (OrderLimits(collar=None), quoted(200.0), stock(), limit_order("BUY", 6_000, 1.0)),
    (OrderLimits(), nothing, stock(), market_order("BUY", 0, cashQty=1_000_000.0)),
    (OrderLimits(), stepped(0.05), stock(), limit_order("BUY", 1, 10.15)),
    (OrderLimits(), quoted(100.0), stock(), trailing_stop_order("SELL", 1, amount=0.5)),
    (OrderLimits(require_quote=True), quoted(10.0), stock(), market_order("BUY", 1)),
]


@pytest.mark.parametrize(("limits", "prepare", "contract", "order"), WITHIN)
def test_within(limits: OrderLimits, prepare: Any, contract: Contract, order: Order) -> None:
    watchman = Watchman(limits)
    prepare(watchman.market)
    watchman.check([(contract, order)], [], 0.0)


def test_orders_per_minute() -> None:
    watchman = Watchman(OrderLimits(max_orders_per_minute=3))
    leg = (stock(), market_order("BUY", 1))
    watchman.check([leg] * 3, [], 0.0)
    watchman.sent(2, 0.0)
    watchman.sent(1, 30.0)
    for now in (0.0, 59.9):
        with pytest.raises(OrderLimitExceeded, match="max_orders_per_minute"):
            watchman.check([leg], [], now)
    watchman.check([leg] * 2, [], 60.0)


def test_open_orders_are_counted_by_contract_and_side() -> None:
    watchman = Watchman(OrderLimits(max_open_orders=2))
    buying = OrderRecord(stock(), market_order("BUY", 1), client_id=1, placed=True)
    with pytest.raises(OrderLimitExceeded, match="max_open_orders"):
        watchman.check([(stock(), market_order("BUY", 1))], [buying, buying], 0.0)
    watchman.check([(stock(), market_order("SELL", 1))], [buying, buying], 0.0)
    watchman.check([(stock("IBM"), market_order("BUY", 1))], [buying, buying], 0.0)
    with pytest.raises(OrderLimitExceeded):
        watchman.check([(stock(), market_order("BUY", 1))] * 2, [buying], 0.0)


def test_open_orders_are_counted_with_and_without_the_contract_s_number() -> None:
    watchman = Watchman(OrderLimits(max_open_orders=1))
    for first, second in ((stock(), with_id(1)), (with_id(1), stock()), (with_id(1), with_id(1))):
        buying = OrderRecord(first, market_order("BUY", 1), client_id=1, placed=True)
        with pytest.raises(OrderLimitExceeded, match="max_open_orders"):
            watchman.check([(second, market_order("BUY", 1))], [buying], 0.0)
        watchman.check([(option(1.0), market_order("BUY", 1))], [buying], 0.0)
        watchman.check([(with_id(2, "IBM"), market_order("BUY", 1))], [buying], 0.0)


@pytest.mark.parametrize("price", [math.nan, math.inf, -math.inf, -1.0, 0.0])
def test_a_quote_that_is_none_is_refused(price: float) -> None:
    market = Market()
    with pytest.raises(InvalidRequest, match="is no price of AAPL"):
        market.set_quote(stock(), price, 0.0)
    with pytest.raises(InvalidRequest, match="current_time"):
        market.set_quote(stock(), 10.0, math.nan)
    with pytest.raises(InvalidRequest, match="is no price step"):
        market.set_min_tick(stock(), math.nan)
    assert market.quote(stock()) is None
    if math.isfinite(price):
        market.set_quote(spread(1, 2), price, 0.0)


async def test_the_book_asks_before_it_writes() -> None:
    tws = Tws()
    async with opened(tws) as (client, book):
        trade = await placed(tws, book)
        sent = client.stats().bytes_out
        book.market.set_quote(stock(), 9.5, anyio.current_time())
        with pytest.raises(OrderLimitExceeded, match="collar"):
            await book.place(stock(), limit_order("BUY", 1, 12.0))
        with pytest.raises(OrderLimitExceeded, match="collar"):
            await trade.modify(lmtPrice=12.0)
        with pytest.raises(OrderLimitExceeded, match="max_quantity"):
            await trade.modify(totalQuantity=Decimal(20_000))
        assert client.stats().bytes_out == sent
        assert book.trades == (trade,)
        book.limits = OFF
        async with doing(lambda: book.place(stock(), limit_order("BUY", 20_000, 12.0))) as placing:
            tws.read_request()
            await tws.deliver()
        assert placing.value.state == "Working"


# --- exercising options ---


def call(strike: float = 100.0, multiplier: str = "100") -> Contract:
    contract = stock()
    contract.secType, contract.right, contract.strike, contract.multiplier = "OPT", "C", strike, multiplier
    return contract


OTHERS = ("DU1", 0, "", "", False)


@pytest.mark.parametrize(
    ("contract", "quantity", "limit"),
    [
        (call(0), 10_001, "max_quantity"),
        (call(), 101, "max_notional"),
        (call(multiplier=""), 101, "max_notional"),
        (call(multiplier="10"), 1_001, "max_notional"),
    ],
)
def test_an_exercise_beyond(contract: Contract, quantity: int, limit: str) -> None:
    watchman = Watchman(OrderLimits())
    with pytest.raises(OrderLimitExceeded, match=limit) as caught:
        watchman.check_exercise(contract, quantity, 0.0)
    assert (caught.value.field, caught.value.limit) == ("exercise_quantity", limit)
    watchman.check_exercise(contract, quantity - 1, 0.0)
    watchman.limits = OFF
    watchman.check_exercise(contract, quantity, 0.0)


async def test_the_book_asks_before_it_exercises() -> None:
    tws = Tws()
    async with opened(tws, answer_within=0.05) as (client, book):
        sent = client.stats().bytes_out
        for action, quantity, field in ((0, 1, "exercise_action"), (1, 0, "quantity"), (1, "1", "quantity")):
            with pytest.raises(InvalidRequest, match=field):
                await book.exercise_options(call(), action, quantity, *OTHERS)  # type: ignore[arg-type]
        with pytest.raises(OrderLimitExceeded, match="max_notional"):
            await book.exercise_options(call(), 1, 101, *OTHERS)
        book.limits = OrderLimits(max_orders_per_minute=1)
        assert client.stats().bytes_out == sent
        async with doing(lambda: book.exercise_options(call(), 1, 1, *OTHERS)) as exercising:
            pass  # nothing is said of it
        assert isinstance(exercising.value, Unknown)
        sent = client.stats().bytes_out
        with pytest.raises(OrderLimitExceeded, match="max_orders_per_minute"):
            await book.exercise_options(call(), 1, 1, *OTHERS)
        book.limits = OFF
        with anyio.move_on_after(0):
            await book.kill("enough")
        sent = client.stats().bytes_out
        with pytest.raises(TradingHalted, match="enough"):
            await book.exercise_options(call(), 2, 1, *OTHERS)
        assert client.stats().bytes_out == sent
    with pytest.raises(ClientClosed):
        await book.exercise_options(call(), 1, 1, *OTHERS)


# --- what-if -----------------------------------------------------------------------------------------------------


async def test_what_if_on_the_simulator() -> None:
    async with (
        open_simulator(port=None) as sim,
        open_client(stream=await sim.connect(), client_id=3, trading=True, max_server_version=176) as client,
        client.orders(journal=False, recheck=0.0) as book,
    ):
        answer = await book.what_if(stock(), market_order("BUY", 10))
        assert isinstance(answer, WhatIf)
        assert answer.init_margin_change is not None
        assert answer.init_margin_change > 0
        assert answer.commission == 1.0
        assert answer.warning == ""
        with pytest.raises(OrderRejected):
            await book.what_if(stock(), limit_order("BUY", 10, 9.999))
        assert book.trades == ()
        [asked, _] = [each.values for each in sim.received if each.name == "placeOrder"]
        assert asked["order"]["whatIf"]


async def test_what_if_with_a_warning_only() -> None:
    tws = Tws()
    async with opened(tws) as (_, book):
        async with doing(lambda: book.what_if(stock(), limit_order("BUY", 10, 9.5))) as asking:
            request = tws.requests.popleft()
            state = {"status": "PreSubmitted", "warningText": "mind"}
            order = {**request["order"], "clientId": 7, "permId": 0, "cashQty": None}
            for name in ("triggerPrice", "lmtPriceOffset", "adjustedStopPrice", "adjustedStopLimitPrice"):
                order[name] = None
            tws.outgoing.append(
                tws.encoded("openOrder", orderId=1, contract=request["contract"], order=order, orderState=state)
            )
            await tws.deliver()
        assert asking.value.warning == "mind"
        assert asking.value.init_margin_after is None
        assert book.trades == ()
