"""Rows as a table of pandas or polars, which are imported here and only when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..times import TimeError, bar_times
from ._values import number, size

if TYPE_CHECKING:
    import pandas
    import polars

__all__ = ["columns", "to_pandas", "to_polars"]

_IBAPI_COLUMNS = {
    "Contract": (
        "conId",
        "symbol",
        "secType",
        "lastTradeDateOrContractMonth",
        "strike",
        "right",
        "exchange",
        "currency",
    ),
    "ContractDetails": ("longName", "marketName", "minTick", "industry", "category", "timeZoneId"),
    "Order": ("permId", "action", "totalQuantity", "orderType", "lmtPrice", "auxPrice", "tif", "orderRef"),
    "OrderState": ("status",),
    "Execution": ("execId", "time", "side", "shares", "price", "orderId", "permId"),
}
"""The attributes that tell ibapi's large objects apart. Of its small ones, such as bars and ticks, all are columns."""

_INSTANTS = ("date", "time")
"""The columns in which TWS writes times, in one form or another."""


def columns(rows: Iterable[Any], zone: str | tzinfo | None = None) -> dict[str, list[Any]]:
    """Return rows, events of ours or objects of ibapi, as columns.

    Sizes become floats, what TWS left unset ``None``, and times datetimes in UTC, or days. Times that name no zone are
    in *zone*; without one they stay as TWS wrote them.
    """
    flat = [dict(_flat(row)) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    table = {name: [row.get(name) for row in flat] for name in names}
    return table | {name: _instants(table[name], zone) for name in _INSTANTS if name in table}


def _flat(row: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in _attributes(row):
        if hasattr(value, "__struct_fields__"):
            yield from _flat(value, f"{name}_")
        elif type(value).__module__.startswith("ibapi.") and hasattr(value, "__dict__") and not _is_scalar(value):
            yield from _flat(value)
        else:
            yield f"{prefix}{name}", _cell(value)


def _attributes(row: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(row, "__struct_fields__"):
        yield from ((name, getattr(row, name)) for name in row.__struct_fields__)
        return
    chosen = _IBAPI_COLUMNS.get(type(row).__name__)
    if type(row).__name__ == "ContractDetails":
        yield "contract", row.contract
    if chosen is not None:
        yield from ((name, getattr(row, name)) for name in chosen)
    elif hasattr(row, "__dict__"):
        yield from vars(row).items()
    else:
        yield "value", row


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (str, int, float, Decimal))


def _cell(value: Any) -> Any:
    if isinstance(value, Decimal):
        known = size(value)
        return None if known is None else float(known)
    return number(value) if isinstance(value, float) else value


def _instants(column: list[Any], zone: str | tzinfo | None) -> list[Any]:
    """Return the times in *column*, or the column as it is when one of them cannot be read."""
    if not all(isinstance(each, (str, int, float)) for each in column):
        return column
    try:
        times: list[datetime | date] = bar_times(column, zone)
    except TimeError:
        return column
    return times if len({type(each) for each in times}) <= 1 else column


def to_pandas(rows: Iterable[Any], zone: str | tzinfo | None = None) -> pandas.DataFrame:
    """Return rows as a table: bars, ticks, contracts, positions, or any other events.

    Sizes become floats, what TWS left unset is missing, and times are datetimes in UTC, or days. Times that name no
    zone are in *zone*; without one they stay as TWS wrote them.

    Raises:
      ImportError: pandas is not installed (``trio-ibtws[pandas]``).
    """
    import pandas

    return pandas.DataFrame(columns(rows, zone))


def to_polars(rows: Iterable[Any], zone: str | tzinfo | None = None) -> polars.DataFrame:
    """Return rows as a table, as ``to_pandas`` does.

    Raises:
      ImportError: polars is not installed (``trio-ibtws[polars]``).
    """
    import polars

    return polars.DataFrame(columns(rows, zone), strict=False)
