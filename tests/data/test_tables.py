"""Rows of every kind as a table; the libraries' own tables where they are installed."""

from __future__ import annotations

import importlib.util
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from ibapi.common import BarData, HistoricalTickLast
from ibapi.contract import Contract

from trio_ibtws import (
    Bar,
    OptionChain,
    Position,
    RealtimeBar,
    Result,
    TickPrice,
    TickSize,
    open_client,
    open_simulator,
    to_pandas,
    to_polars,
)
from trio_ibtws._runtime._tables import columns
from trio_ibtws.contracts import stock

TEN = datetime(2013, 1, 15, 15, tzinfo=UTC)


def bar(when: str, close: float = 1.0) -> BarData:
    made: Any = BarData()
    made.date, made.close, made.volume = when, close, Decimal(2)
    return made  # type: ignore[no-any-return]


def chain() -> OptionChain:
    days = (date(2013, 1, 18), date(2013, 2, 15))
    return OptionChain(Contract(), "SMART", "AAPL", "100", days, (500.0, 510.0))


def test_bars_have_times() -> None:
    zoned = columns([bar("20130115 10:00:00 US/Eastern", 5.0), bar("20130115 10:01:00 US/Eastern")])
    assert zoned["date"] == [TEN, TEN + timedelta(minutes=1)]
    assert (zoned["close"], zoned["volume"]) == ([5.0, 1.0], [2.0, 2.0])
    assert columns([bar("1358262000")])["date"] == [TEN]
    assert columns([bar("20130115")])["date"] == [date(2013, 1, 15)]
    assert columns([bar("20130115  10:00:00")])["date"] == ["20130115  10:00:00"]
    assert columns([bar("20130115  10:00:00")], "US/Eastern")["date"] == [TEN]


def test_ticks_have_times() -> None:
    tick: Any = HistoricalTickLast()
    tick.time, tick.price = 1358262000, 5.0
    table = columns([tick])
    assert (table["time"], table["price"], table["pastLimit"]) == ([TEN], [5.0], [False])
    live = RealtimeBar(1358262000, 1.0, 1.0, 1.0, 1.0, None, None, 3)
    assert columns([live])["time"] == [TEN]


def test_events_of_several_kinds_share_a_table() -> None:
    attributes: Any = None
    table = columns([TickPrice(4, 9.5, attributes), TickSize(5, Decimal(3))])
    assert table["tick_type"] == [4, 5]
    assert (table["price"], table["size"]) == ([9.5, None], [None, 3.0])


def test_what_is_unset_is_missing() -> None:
    row = Position("DU1", Contract(), None, 1.5)
    assert columns([row])["position"] == [None]
    assert columns([]) == {}
    assert columns([1, 2]) == {"value": [1, 2]}


@pytest.mark.anyio
async def test_contracts_and_bars_of_the_simulator() -> None:
    async with (
        open_simulator(port=None) as sim,
        open_client(stream=await sim.connect(), client_id=1, max_server_version=176) as client,
    ):
        one = (await client.qualify(stock("AAPL"))).one()
        table = columns([one.details])
        assert (table["conId"], table["symbol"], table["longName"]) == ([265598], ["AAPL"], ["APPLE INC"])
        assert columns([one])["conId"] == [265598]
        bars = await client.historical_data(one.contract, "", "1 D", "1 hour", "TRADES")
        times = columns(bars, one.details.timeZoneId)["date"]  # old servers leave the zone out
        assert all(isinstance(each, datetime) for each in times)


@pytest.mark.parametrize(("library", "make"), [("pandas", to_pandas), ("polars", to_polars)])
def test_without_the_library_it_is_an_import_error(library: str, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError):
        make([])


# The tables themselves, with the libraries that are there. What is not there has no test to skip.

BARS = [Bar(TEN, TEN + timedelta(minutes=1), 1.0, 2.0, 0.5, 1.5, Decimal("3.5"), None, 2)]

if importlib.util.find_spec("pandas") is not None:

    def test_tables_of_pandas() -> None:
        frame = Result([bar("20130115 10:00:00 US/Eastern", 5.0)], None).to_pandas()
        assert str(frame["date"].dt.tz) == "UTC"
        assert frame["date"].iloc[0].to_pydatetime() == TEN
        assert frame.set_index("date")["close"].tolist() == [5.0]
        made = to_pandas(BARS)
        assert (made["volume"].iloc[0], made["complete"].iloc[0]) == (3.5, True)
        assert len(chain().to_pandas()) == 4
        assert list(to_pandas([]).columns) == []


if importlib.util.find_spec("polars") is not None:

    def test_tables_of_polars() -> None:
        frame = Result([bar("20130115 10:00:00 US/Eastern", 5.0)], None).to_polars()
        assert frame.schema["date"].time_zone == "UTC"  # type: ignore[attr-defined,unused-ignore]
        assert frame["date"].to_list() == [TEN]
        made = to_polars(BARS)
        assert (made["volume"].to_list(), made["wap"].to_list()) == ([3.5], [None])
        assert chain().to_polars()["expiration"].to_list()[0] == date(2013, 1, 18)
        assert to_polars([]).shape == (0, 0)
