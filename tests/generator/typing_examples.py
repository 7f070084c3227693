"""Checked by the type checkers, never run: what each shape of request function returns."""

from __future__ import annotations

from typing import assert_type

from ibapi.common import BarData, HistogramData, PriceIncrement
from ibapi.contract import Contract, ContractDetails
from ibapi.order import Order

from trio_ibtws._gen import events
from trio_ibtws._gen.requests import Requests
from trio_ibtws._runtime._events import EndOfSnapshot, ExecDetails, OpenOrder, OrderEvent
from trio_ibtws._runtime._result import Result
from trio_ibtws._runtime._streams import GroupSubscription, OrderSubscription, Subscription


async def one_answer(client: Requests, contract: Contract) -> None:
    assert_type(await client.current_time(), int)
    assert_type(await client.managed_accts(), str)
    assert_type(await client.market_rule(26), list[PriceIncrement])
    assert_type(await client.histogram_data(contract, True, "3 days"), list[HistogramData])
    assert_type(await client.historical_schedule(contract, "", "5 D"), events.HistoricalSchedule)
    assert_type(await client.smart_components("9c0001"), dict[int, tuple[str, str]])
    assert_type(await client.calculate_option_price(contract, 0.2, 100.0), events.TickOptionComputation)


async def lists(client: Requests, contract: Contract) -> None:
    assert_type(await client.contract_details(contract), list[ContractDetails])
    assert_type(await client.positions(), list[events.Position])
    assert_type(await client.account_updates(), list[events.AccountUpdatesEvent])
    bars = await client.historical_data(contract, "", "5 D", "1 hour", "TRADES")
    assert_type(bars, Result[BarData, events.HistoricalDataEnd])
    assert_type(bars.end, events.HistoricalDataEnd | None)
    assert_type(await client.historical_news(1, "BRFG", "", "", 10), Result[events.HistoricalNews, bool])
    assert_type(await client.open_orders(), list[OpenOrder])
    assert_type(await client.executions(), list[ExecDetails])


async def streams(client: Requests, contract: Contract) -> None:
    assert_type(client.mkt_data(contract), Subscription[events.MktDataEvent])
    assert_type(client.positions_stream(), Subscription[events.Position | EndOfSnapshot])
    assert_type(client.subscribe_to_group_events(1), GroupSubscription[str])
    async with client.pnl("DU1", "") as values:
        async for value in values:
            assert_type(value, events.Pnl)


async def forgotten(client: Requests, contract: Contract) -> None:
    """A subscription that is not opened: TypeErrors at run time, and no type checker lets them by."""
    async for _ in client.mkt_data(contract):  # type: ignore[attr-defined]
        pass
    await client.mkt_data(contract)  # type: ignore[misc]
    for _ in client.mkt_data(contract):  # type: ignore[attr-defined]
        pass


async def orders(client: Requests, contract: Contract, order: Order) -> None:
    assert_type(client.place_order(contract, order), OrderSubscription[OrderEvent])
    client.cancel_order(1)
    client.set_server_log_level(5)
