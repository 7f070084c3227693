"""Scenario files, and your own prices in them."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.stock import VERSIONS, StockClient, contract, names, order
from trio_ibtws.simulator import Limits, Scenario, open_simulator
from trio_ibtws.simulator._data import read_bars

pytestmark = pytest.mark.anyio

DAYS = """Date,Open,High,Low,Close,Volume
2024-03-01,10,11,9,10.5,1000000
2024-03-04,10.5,12,10.5,12,1000000
2024-03-05,12,12,11,11.5,1000000
"""
MINUTES = "time,open,high,low,close\n" + "".join(
    f"2024-03-05 {9 + at // 60:02}:{at % 60:02}:00,20,21,19,20\n" for at in range(30, 90)
)
SCENARIO = """
start = 2024-03-05 10:00:00
account = "DU7"
cash = "50000"
restart_at = 03:00:00
script = '''
wait placeOrder
drop orderStatus
'''
[limits]
depth = 5
messages_per_second = 40
[data]
ACME = "acme.csv"
AAPL = "minutes.csv"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "acme.csv").write_text(DAYS, encoding="utf-8")
    (tmp_path / "minutes.csv").write_text(MINUTES, encoding="utf-8")
    (tmp_path / "scenario.toml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path


async def test_a_scenario_file(folder: Path) -> None:
    scenario = Scenario.load(folder / "scenario.toml")
    assert scenario.account == "DU7"
    assert scenario.limits == Limits(depth=5, messages_per_second=40)
    assert scenario.begin(0) == 1709650800
    async with open_simulator(port=None, scenario=scenario) as sim:
        client = await StockClient.start(sim, VERSIONS[-1], client_id=1)
        client.reqHistoricalData(1, contract("ACME"), "", "2 D", "1 day", "TRADES", 1, 1, False, [])
        got = await client.until("historicalDataEnd")
        assert [each.bar.date for each in got if each.name == "historicalData"] == ["20240304", "20240305"]
        assert got[0].bar.close == 12.0
        client.reqMktData(2, contract(), "", False, False, [])
        got = await client.until("tickSize", tickType=5)
        assert 19 <= got[-2].price <= 21
        client.placeOrder(1, contract("ACME"), order("BUY", 1, "LMT", lmtPrice=1.0))
        assert names(await client.until("openOrder"))[-1] == "openOrder"


@pytest.mark.parametrize(
    ("text", "problem"),
    [("speed = 'x'", "speed"), ("sped = 2", "sped"), ("[limits]\ndpth = 1", "dpth"), ("= 3", "Invalid")],
)
def test_what_is_no_scenario(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=problem):
        Scenario.load(tmp_path / "bad.toml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no bar"),
        ("day,open\n2024-01-01,1\n", "no column is called date"),
        ("date,open,high,low\n2024-01-01,1,2,1\n", "no column is called close"),
        ("date,open,high,low,close\nx,1,2,1,1\n", "line 2"),
        ("date,open,high,low,close\n2024-01-01,1,2,1,x\n", "line 2"),
        ("date,open,high,low,close\n2024-01-01,1,2,3,1\n", "do not fit"),
        ("date,open,high,low,close\n2024-01-02,1,2,1,1\n2024-01-01,1,2,1,1\n", "not in order"),
    ],
)
def test_what_are_no_bars(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "bars.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=problem):
        read_bars(tmp_path / "bars.csv")


def test_parquet_needs_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: str) -> Any:
        return None

    monkeypatch.setattr("trio_ibtws.simulator._data.find_spec", nothing)
    with pytest.raises(ValueError, match="polars or pyarrow"):
        read_bars(tmp_path / "bars.parquet")


def check_parquet(path: Path) -> None:
    bars = read_bars(path)
    assert [(bar.minutes, bar.open, bar.close, bar.volume) for bar in bars] == [(1, 20.0, 20.5, 100)] * 3
    assert [bar.start - bars[0].start for bar in bars] == [0.0, 60.0, 120.0]
    assert f"{bars[0].day:%Y%m%d}" == "20240305"


def columns(zone: tzinfo | None) -> dict[str, list[Any]]:
    hour = 9 if zone is None else 14
    times = [datetime(2024, 3, 5, hour, 30 + at, tzinfo=zone) for at in range(3)]
    prices: dict[str, list[Any]] = {"open": [20.0] * 3, "high": [21.0] * 3, "low": [19.0] * 3, "close": [20.5] * 3}
    return {"time": times, **prices, "volume": [100] * 3}


if find_spec("polars") is not None:

    @pytest.mark.parametrize("zone", [None, UTC])
    def test_parquet_with_polars(tmp_path: Path, zone: tzinfo | None) -> None:
        import_module("polars").DataFrame(columns(zone)).write_parquet(tmp_path / "bars.parquet")
        check_parquet(tmp_path / "bars.parquet")


if find_spec("pyarrow") is not None:

    @pytest.mark.parametrize("zone", [None, UTC])
    def test_parquet_with_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zone: tzinfo | None) -> None:
        table = import_module("pyarrow").table(columns(zone))
        import_module("pyarrow.parquet").write_table(table, tmp_path / "bars.parquet")
        without_polars = {"pyarrow": find_spec("pyarrow")}
        monkeypatch.setattr("trio_ibtws.simulator._data.find_spec", without_polars.get)
        check_parquet(tmp_path / "bars.parquet")
