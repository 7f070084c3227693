"""What changes orders: every mutation of them goes through the order book, and ends with an outcome.

The outcome is a value, not an error: accepted, rejected, or unknown. What is refused on this side, before anything was
written, is an error.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio
import msgspec

from .._runtime._events import Notice, OpenOrder, OrderEvent
from .._runtime._orders import ORDER_BUFFER
from .._runtime._sinks import Buffer
from .._runtime._streams import EventStream, Subscription
from .._trading._book import KillReport
from .._trading._preview import WhatIf
from .._trading._states import (
    CancelOutcome,
    ModifyOutcome,
    PlaceOutcome,
    TradeEvent,
)
from .._trading._trade import Trade
from ..errors import IBError, InvalidRequest, RequestError
from ._context import Context
from ._values import Inputs

__all__ = ["MUTATIONS", "QUERIES", "GlobalCancelReport", "TradeNews", "order_events"]

ANSWER_SECONDS = 10.0
"""How long an answer of TWS is waited for where the order book does not wait itself."""

_LOOK_AGAIN_SECONDS = 0.5
_FIXED = ("orderId", "orderRef", "parentId", "whatIf")

Arguments = Mapping[str, Any]


class GlobalCancelReport(msgspec.Struct, frozen=True):
    """What became of the cancel of all orders."""

    still_open: tuple[OpenOrder, ...]
    verified: bool


class TradeNews(msgspec.Struct, frozen=True):
    """What happened to an order of the book."""

    trade: Trade
    event: TradeEvent


# --- one order ---------------------------------------------------------------------------------------------------


async def place_order(args: Arguments, context: Context, inputs: Inputs) -> PlaceOutcome:
    """Place an order; with the reference of an earlier one, return what became of that."""
    book = context.orders
    contract = inputs.argument("Mutation.placeOrder", "contract", args["contract"])
    order = inputs.argument("Mutation.placeOrder", "order", args["order"])
    _check_new("order", order)
    return _outcome(await book.place(contract, order))


async def place_orders(args: Arguments, context: Context, inputs: Inputs) -> list[PlaceOutcome]:
    """Place several orders as one."""
    book = context.orders
    contract = inputs.argument("Mutation.placeOrders", "contract", args["contract"])
    orders = inputs.argument("Mutation.placeOrders", "orders", args["orders"])
    if not orders:
        raise InvalidRequest("orders", "there is none. Nothing was sent")
    for at, order in enumerate(orders):
        _check_new(f"orders[{at}]", order)
    return [_outcome(trade) for trade in await book.place_all([(contract, order) for order in orders])]


def _check_new(path: str, order: Any) -> None:
    if order.orderId:
        raise InvalidRequest(
            f"{path}.orderId", f"{order.orderId} is given; modifyOrder changes orders. Nothing was sent"
        )


def _outcome(trade: Trade) -> PlaceOutcome:
    assert trade.outcome is not None  # placing returns when it is known, or known to be unknown
    return trade.outcome


async def modify_order(args: Arguments, context: Context, inputs: Inputs) -> ModifyOutcome:
    """Change what is given of an order."""
    for name in _FIXED:
        if args["order"].get(name) is not None:
            raise InvalidRequest(f"order.{name}", "it cannot be changed. Nothing was sent")
    trade = _trade(context, args["orderId"])
    return await trade.modify(**inputs.attributes("OrderInput", args["order"], "order"))


async def cancel_order(args: Arguments, context: Context, inputs: Inputs) -> CancelOutcome:
    """Cancel an order."""
    order_cancel = inputs.argument("Mutation.cancelOrder", "orderCancel", args.get("orderCancel"))
    return await _trade(context, args["orderId"]).cancel(order_cancel)


def _trade(context: Context, order_id: int) -> Trade:
    """Return the order with this number: of this client, or of another one where the book has those."""
    found = [trade for trade in context.orders.trades if order_id in trade.record.order_ids]
    if not found:
        raise InvalidRequest("orderId", f"the order book has no order {order_id}. Nothing was sent")
    return max(found, key=lambda trade: trade.client_id == context.client_id)


async def exercise_options(args: Arguments, context: Context, inputs: Inputs) -> PlaceOutcome:
    """Give an instruction about options; the first word of TWS about it is its outcome."""
    book = context.orders
    names = (
        *("contract", "exerciseAction", "exerciseQuantity", "account", "override", "manualOrderTime"),
        *("customerAccount", "professionalCustomer"),
    )
    given = [inputs.argument("Mutation.exerciseOptions", name, args.get(name)) for name in names]
    return await book.exercise_options(*given)


# --- all orders --------------------------------------------------------------------------------------------------


async def global_cancel(args: Arguments, context: Context, inputs: Inputs) -> GlobalCancelReport:
    """Cancel every open order, and look until there is none, or for a while."""
    _ = context.orders
    order_cancel = inputs.argument("Mutation.reqGlobalCancel", "orderCancel", args.get("orderCancel"))
    client = context.client
    client.global_cancel(order_cancel)
    still_open: list[OpenOrder] = []
    with anyio.move_on_after(ANSWER_SECONDS):
        try:
            while still_open := await client.all_open_orders():  # noqa: ASYNC110  TWS does not say when
                await anyio.sleep(_LOOK_AGAIN_SECONDS)
        except IBError:
            return GlobalCancelReport(tuple(still_open), False)  # it was sent; what became of it cannot be seen
        return GlobalCancelReport((), True)
    return GlobalCancelReport(tuple(still_open), False)


async def kill(args: Arguments, context: Context, inputs: Inputs) -> KillReport:
    """Pull the kill switch of the order book."""
    return await context.orders.kill(args["reason"])


async def resume(args: Arguments, context: Context, inputs: Inputs) -> bool:
    """End the halt."""
    await context.orders.resume()
    return True


# --- what happens to orders ---------------------------------------------------------------------------------------


class _Reader:
    """Hears everything about orders beside the order book and ``order_events()``, and keeps the events for a reader."""

    def __init__(self) -> None:
        self.buffer = Buffer(ORDER_BUFFER, name="orderEvents")

    def order_event(self, event: OrderEvent) -> None:
        self.buffer.push(event)

    def order_refused(self, notice: Notice, kind: type[RequestError], advanced_reject: str) -> None:
        """It is no event."""

    def order_cancel_refused(self, notice: Notice) -> None:
        """It is no event."""

    def order_noticed(self, notice: Notice) -> None:
        """It is no event."""

    def session_ended(self, error: Callable[[], Exception]) -> None:
        self.buffer.fail(error())


def order_events(context: Context) -> Subscription[OrderEvent]:
    """Return a subscription to what TWS says of orders, from now on, for any number of readers."""
    session = context.client._connection.session

    def opened() -> EventStream[OrderEvent]:
        session.check()
        reader = _Reader()
        session.orders.add_listener(reader)
        return EventStream(reader.buffer, lambda: session.orders.remove_listener(reader))

    return Subscription(opened)


# --- questions about orders --------------------------------------------------------------------------------------


async def what_if(args: Arguments, context: Context, inputs: Inputs) -> WhatIf:
    """Ask what an order would cost."""
    contract = inputs.argument("Query.whatIfOrder", "contract", args["contract"])
    return await context.orders.what_if(contract, inputs.argument("Query.whatIfOrder", "order", args["order"]))


async def trades(args: Arguments, context: Context, inputs: Inputs) -> list[Trade]:
    """Return the orders of the book."""
    book = context.orders
    return list(book.open_trades if args["openOnly"] else book.trades)


async def trade(args: Arguments, context: Context, inputs: Inputs) -> Trade | None:
    """Return the order with this reference."""
    return context.orders.by_ref.get(args["orderRef"])


Resolve = Callable[[Arguments, Context, Inputs], Awaitable[Any]]

MUTATIONS: Mapping[str, Resolve] = {
    "cancelOrder": cancel_order,
    "exerciseOptions": exercise_options,
    "kill": kill,
    "modifyOrder": modify_order,
    "placeOrder": place_order,
    "placeOrders": place_orders,
    "reqGlobalCancel": global_cancel,
    "resume": resume,
}
"""What changes orders, by the fields of the schema."""

QUERIES: Mapping[str, Resolve] = {"trade": trade, "trades": trades, "whatIfOrder": what_if}
"""What is asked of the order book."""
