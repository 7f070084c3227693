"""``trio-ibtws orders``: open orders, those that are done, and executions; read-only."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from ibapi.order import Order

from .._client import Client
from .._gen.events import CompletedOrder
from .._runtime._events import ExecDetails, OpenOrder
from .._runtime._values import number as known
from .._runtime._values import size
from . import _json
from ._which import described

if TYPE_CHECKING:
    from ._tables import Column

__all__ = ["command"]

_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(-)| +)(\d\d:\d\d:\d\d) *(.*)")


async def command(client: Client, arguments: argparse.Namespace) -> int:
    """Print the orders or the executions.

    Raises:
      RequestError: TWS refuses the list.
    """
    rows: list[Any]
    if arguments.executions:
        rows = await client.executions()
    elif arguments.completed:
        rows = await client.completed_orders(False)
    else:
        rows = await (client.open_orders() if arguments.mine else client.all_open_orders())
    if arguments.json:
        _json.write(rows)
    else:
        _show(rows, arguments)
    return 0


def _show(rows: list[Any], arguments: argparse.Namespace) -> None:
    from ._tables import make_console, show

    if arguments.executions:
        show(make_console(), _execution_columns(), rows, none="no executions today")
    elif arguments.completed:
        show(make_console(), [*_order_columns()[:-1], *_completed_columns()], rows, none="no completed orders today")
    else:
        columns = [*_id_columns(), *_order_columns(), *_open_columns()]
        show(make_console(), columns, rows, none="no open orders")


def _id_columns() -> list[Column]:
    from ._tables import Column

    return [
        Column("order", lambda row: str(row.order_id or ""), right=True),
        Column("client", lambda row: str(row.order.clientId), right=True),
    ]


def _order_columns() -> list[Column]:
    from ._tables import Column, number

    return [
        Column("side", lambda row: row.order.action),
        Column("size", lambda row: number(_quantity(row.order)), right=True),
        Column("contract", lambda row: described(row.contract), style="bold"),
        Column("type", lambda row: row.order.orderType),
        Column("price", lambda row: _prices(row.order), right=True),
        Column("valid", lambda row: row.order.tif),
    ]


def _open_columns() -> list[Column]:
    from ._tables import Column, number

    def filled(row: OpenOrder) -> str:
        return "" if row.status is None else number(row.status.filled)

    def price(row: OpenOrder) -> str:
        return "" if row.status is None or not row.status.filled else number(row.status.avg_fill_price)

    return [
        Column("status", lambda row: row.status.status if row.status else row.order_state.status),
        Column("filled", filled, right=True),
        Column("at", price, right=True),
    ]


def _completed_columns() -> list[Column]:
    from ._tables import Column, number

    def filled(row: CompletedOrder) -> str:
        return number(size(getattr(row.order, "filledQuantity", None)))

    return [
        Column("status", lambda row: row.order_state.status),
        Column("filled", filled, right=True),
        Column("completed", lambda row: _when(row.order_state.completedTime)[0]),
        Column("zone", lambda row: _when(row.order_state.completedTime)[1]),
    ]


def _execution_columns() -> list[Column]:
    from ._tables import Column, number

    def cost(row: ExecDetails) -> str:
        report = row.commission_and_fees
        return "" if report is None else f"{number(report.commission_and_fees)} {report.currency}"

    return [
        Column("time", lambda row: _when(row.execution.time)[0]),
        Column("zone", lambda row: _when(row.execution.time)[1]),
        Column("side", lambda row: row.execution.side),
        Column("size", lambda row: number(size(row.execution.shares)), right=True),
        Column("contract", lambda row: described(row.contract), style="bold"),
        Column("price", lambda row: number(known(row.execution.price)), right=True),
        Column("on", lambda row: row.execution.exchange),
        Column("cost", cost, right=True),
    ]


def _when(text: str) -> tuple[str, str]:
    """Return a time as TWS tells it, and the zone that it is in; old servers name none, and mean that of TWS."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return text, ""
    year, month, day, utc, clock, zone = match.groups()
    return f"{year}-{month}-{day} {clock}", zone or ("UTC" if utc else "TWS's")


def _quantity(order: Order) -> Any:
    return size(order.totalQuantity) or size(getattr(order, "filledQuantity", None))


def _prices(order: Order) -> str:
    from ._tables import number

    prices = [number(price) for each in (order.lmtPrice, order.auxPrice) if (price := known(each))]
    return " / ".join(prices)
