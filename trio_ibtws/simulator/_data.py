"""Your own prices: bars from CSV and Parquet files, as the records that a simulation trades on.

A file has a line for each bar, oldest first, and columns called date (or time, or datetime), open, high, low, close and
perhaps volume; days, or parts of one. Instants without a zone are New York's. Parquet is read with polars or pyarrow,
whichever is installed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

from ._market_listing import us_stock
from ._market_series import NEW_YORK, Series, Source
from ._market_source import SourceBar
from ._world import World

__all__ = ["install", "read_bars"]

_TIME_COLUMNS = ("date", "time", "datetime", "timestamp")
_OPENS = time(9, 30)
_DAY_MINUTES = 390
_MOST_MINUTES = 60
_FIRST_CON_ID = 900_000_000


def _rows(path: Path) -> Iterable[Mapping[str, Any]]:
    if path.suffix.lower() != ".parquet":
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    if find_spec("polars") is not None:
        return list(import_module("polars").read_parquet(path).iter_rows(named=True))
    if find_spec("pyarrow") is not None:
        return list(import_module("pyarrow.parquet").read_table(path).to_pylist())
    raise ValueError(f"{path}: Parquet needs polars or pyarrow, and neither is installed")


def _instant(value: Any) -> datetime | date:
    """Return an instant, or a day when it has no time."""
    if isinstance(value, str):
        text = value.strip()
        return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    if isinstance(value, date):
        return value
    raise ValueError(f"{value!r} is no date and no time")


def _start(moment: datetime | date) -> datetime:
    if not isinstance(moment, datetime):
        return datetime.combine(moment, _OPENS, NEW_YORK)
    return moment.replace(tzinfo=NEW_YORK) if moment.tzinfo is None else moment


def read_bars(path: str | Path) -> list[SourceBar]:
    """Return the bars in a file.

    Raises:
      ValueError: it has no bars, they are not in order, or a column is missing; the message says where.
      OSError: it cannot be read.
    """
    path = Path(path)
    read: list[tuple[datetime | date, Mapping[str, Any]]] = []
    for number, row in enumerate(_rows(path), 2):
        names = {str(name).strip().lower(): value for name, value in row.items()}
        try:
            read.append((_instant(next(names[each] for each in _TIME_COLUMNS if each in names)), names))
        except StopIteration:
            raise ValueError(f"{path}: no column is called {' or '.join(_TIME_COLUMNS)}") from None
        except ValueError as problem:
            raise ValueError(f"{path}, line {number}: {problem}") from None
    if not read:
        raise ValueError(f"{path}: there is no bar in it")
    starts = [_start(moment).timestamp() for moment, _ in read]
    if any(later <= earlier for earlier, later in pairwise(starts)):
        raise ValueError(f"{path}: the bars are not in order, the oldest first")
    if any(later - earlier < 60 for earlier, later in pairwise(starts)):
        raise ValueError(f"{path}: there are bars of less than a minute")
    minutes = _minutes(read[0][0], starts)
    rows = zip(starts, (row for _, row in read), strict=True)
    return [_bar(path, number, start, minutes, row) for number, (start, row) in enumerate(rows, 2)]


def _minutes(first: datetime | date, starts: list[float]) -> int:
    """Return how long a bar is: a day's trading, or the shortest distance between two."""
    if not isinstance(first, datetime):
        return _DAY_MINUTES
    shortest = min((later - earlier for earlier, later in pairwise(starts)), default=60.0)
    return min(max(int(shortest // 60), 1), _MOST_MINUTES) if shortest < 6 * 3600 else _DAY_MINUTES


def _bar(path: Path, number: int, start: float, minutes: int, row: Mapping[str, Any]) -> SourceBar:
    day = datetime.fromtimestamp(start, NEW_YORK).date()
    try:
        open_, high, low, close = (float(row[name]) for name in ("open", "high", "low", "close"))
        volume = int(float(row.get("volume") or 1000))
    except KeyError as missing:
        raise ValueError(f"{path}: no column is called {missing.args[0]}") from None
    except (TypeError, ValueError) as problem:
        raise ValueError(f"{path}, line {number}: {problem}") from None
    if not 0 < low <= min(open_, close) <= max(open_, close) <= high:
        raise ValueError(f"{path}, line {number}: low, open, close and high do not fit each other")
    return SourceBar(start, minutes, day, open_, high, low, close, volume)


def install(world: World, data: Mapping[str, str], seed: int) -> None:
    """Have the stocks in *data* trade at the prices in their files; a symbol that is not listed becomes so.

    Raises:
      ValueError: a file is no bars.
      OSError: a file cannot be read.
    """
    for symbol, path in data.items():
        world.market.use(symbol, Series(symbol, Source(read_bars(path), digits=2), seed))
        known = any(each.symbol == symbol and each.is_stock and each.series for each in world.contracts.listed)
        if not known:
            con_id = _FIRST_CON_ID + crc32(symbol.encode()) % 90_000_000
            world.contracts.listed += (us_stock(con_id, symbol, symbol, "NASDAQ", "NMS"),)
