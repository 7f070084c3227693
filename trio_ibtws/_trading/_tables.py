"""Rows as a table of pandas or polars, which are imported here and only when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from .._runtime._values import number, size

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
    "Order": ("permId", "action", "totalQuantity", "orderType", "lmtPrice", "auxPrice", "tif", "orderRef"),
    "OrderState": ("status",),
    "Execution": ("execId", "time", "side", "shares", "price", "orderId", "permId"),
}


def columns(rows: Iterable[Any]) -> dict[str, list[Any]]:
    """Return structs as columns; of ibapi's objects in them the attributes that tell them apart, sizes as floats."""
    flat = [dict(_flat(row)) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    return {name: [row.get(name) for row in flat] for name in names}


def _flat(row: Any) -> Iterable[tuple[str, Any]]:
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if isinstance(value, msgspec.Struct):
            yield from ((f"{name}_{inner}", each) for inner, each in _flat(value))
        elif type(value).__name__ in _IBAPI_COLUMNS:
            for attribute in _IBAPI_COLUMNS[type(value).__name__]:
                yield attribute, _cell(getattr(value, attribute))
        else:
            yield name, _cell(value)


def _cell(value: Any) -> Any:
    if isinstance(value, Decimal):
        known = size(value)
        return None if known is None else float(known)
    return number(value) if isinstance(value, float) else value


def to_pandas(rows: Iterable[Any]) -> pandas.DataFrame:
    """Return a table; raises ``ImportError`` without pandas (``trio-ibtws[pandas]``)."""
    import pandas

    return pandas.DataFrame(columns(rows))


def to_polars(rows: Iterable[Any]) -> polars.DataFrame:
    """Return a table; raises ``ImportError`` without polars (``trio-ibtws[polars]``)."""
    import polars

    return polars.DataFrame(columns(rows), strict=False)
