"""The commands that ask TWS, on the simulator: what they print, what they send, and how they end."""

from __future__ import annotations

import csv
import io
import json
import signal
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.virtual import SCREENS, Terminal
from trio_ibtws import cli
from trio_ibtws._cli import _ticks
from trio_ibtws._cli._run import Watch

FOLDER = Path(__file__).parent / "screens"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(monkeypatch, capsys)


# --- screens -----------------------------------------------------------------------------------------------------


@pytest.mark.speaks(176)  # before, sizes are in hundreds
@pytest.mark.parametrize("name", SCREENS)
def test_the_screen_of_a_command(terminal: Terminal, name: str) -> None:
    """``python -m tests.cli.paint`` writes these files, when what is on the screens was meant to change."""
    code, out, err = terminal.run(*SCREENS[name])
    assert (code, err) == (0, "")
    assert out == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SCREENS)
def test_screens_fit_80_columns_and_have_no_control_codes(name: str) -> None:
    lines = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= 80
    assert all(line == line.rstrip() or "│" in line or "┤" in line for line in lines)
    assert not any("\x1b" in line for line in lines)


@pytest.mark.parametrize("name", ["contracts", "account", "orders", "bars", "positions"])
def test_on_a_narrow_terminal_nothing_is_cut_off(terminal: Terminal, name: str) -> None:
    terminal.resize(40)
    code, out, _ = terminal.run(*SCREENS[name])
    assert code == 0
    assert max(map(len, out.splitlines())) <= 40
    assert "…" not in out


def test_a_ladder_fits_a_narrow_terminal(terminal: Terminal) -> None:
    terminal.resize(40)
    _, out, _ = terminal.run(*SCREENS["book"])
    ladder = [line for line in out.splitlines()[-6:-1] if "|" in line]
    assert len(ladder) == 5
    assert max(map(len, ladder)) <= 40


def test_a_table_that_does_not_fit_is_written_one_value_a_line(terminal: Terminal) -> None:
    terminal.resize(30)
    _, out, _ = terminal.run("positions")
    assert [line.split() for line in out.splitlines()][:3] == [
        ["account", "DU1000001"],
        ["contract", "AAPL@NASDAQ"],
        ["position", "100"],
    ]


# --- JSON --------------------------------------------------------------------------------------------------------


def document(terminal: Terminal, *arguments: str) -> Any:
    code, out, err = terminal.run(*arguments, "--json")
    assert (code, err) == (0, "")
    return json.loads(out, parse_float=Decimal)


def test_contracts_as_json(terminal: Terminal) -> None:
    [row] = document(terminal, "contract", "AAPL")
    assert row["contract"]["con_id"] == 265598
    assert row["contract"]["sec_type"] == "STK"
    assert row["contract"]["last_trade_date_or_contract_month"] == ""
    assert row["long_name"] == "APPLE INC"
    assert row["min_tick"] == Decimal("0.01")
    assert row["time_zone_id"] == "US/Eastern"


def test_a_search_as_json(terminal: Terminal) -> None:
    [row, *_] = document(terminal, "contract", "--search", "goog")
    assert row["contract"]["symbol"] == "GOOG"
    assert isinstance(row["derivative_sec_types"], list)
    assert terminal.run("contract", "--search", "xyzzy")[1] == "nothing is called xyzzy\n"


def test_bars_as_json(terminal: Terminal) -> None:
    rows = document(terminal, "bars", "AAPL", "--duration", "1D", "--bar", "5m")
    assert {"date", "open", "high", "low", "close", "volume", "wap", "bar_count"} <= rows[0].keys()
    assert datetime.fromisoformat(rows[0]["date"]).isoformat() == "2013-01-07T09:30:00-05:00"
    days = document(terminal, "bars", "AAPL", "--duration", "1W")
    assert days[-1]["date"] == "2013-01-07"


def test_positions_orders_executions_and_accounts_as_json(terminal: Terminal) -> None:
    [position] = document(terminal, "positions")
    assert (position["account"], position["position"], position["contract"]["symbol"]) == ("DU1000001", 100, "AAPL")
    [order] = document(terminal, "orders")
    assert (order["order"]["lmt_price"], order["order"]["client_id"]) == (Decimal("150.25"), 7)
    assert order["order"]["aux_price"] in (None, 0)
    assert order["status"]["status"] in ("Submitted", "PreSubmitted")
    [execution] = document(terminal, "orders", "--executions")
    assert execution["execution"]["shares"] == 100
    assert execution["commission_and_fees"]["currency"] == "USD"
    values = document(terminal, "account", "--tags", "NetLiquidation,BuyingPower")
    assert {(row["account"], row["tag"]) for row in values} == {
        ("DU1000001", "NetLiquidation"),
        ("DU1000001", "BuyingPower"),
    }
    assert document(terminal, "positions", "--account", "DU1000001") != []


def test_scans_as_json(terminal: Terminal) -> None:
    rows = document(terminal, "scan", "MOST_ACTIVE", "--rows", "2", "--above-price", "1")
    assert [row["rank"] for row in rows] == [0, 1]
    assert "con_id" in rows[0]["contract_details"]["contract"]
    assert {"scan_code", "display_name", "instruments"} == document(terminal, "scan", "--codes")[0].keys()


def test_streams_as_json_are_one_object_a_line(terminal: Terminal) -> None:
    _, out, err = terminal.run("ticks", "AAPL", "--seconds", "1", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert {"MarketDataType", "TickPrice", "TickSize"} <= {event["event"] for event in events}
    assert err == ""
    _, out, _ = terminal.run("book", "AAPL@NASDAQ", "--count", "3", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert len(events) == 3
    assert events[0].keys() >= {"event", "position", "operation", "side", "price", "size"}
    _, out, _ = terminal.run("ticks", "AAPL", "--every", "MidPoint", "--count", "2", "--json")
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["TickByTickMidPoint"] * 2


# --- CSV ---------------------------------------------------------------------------------------------------------


def test_bars_as_csv(terminal: Terminal, tmp_path: Path) -> None:
    code, out, err = terminal.run("bars", "AAPL", "--duration", "1W", "--csv", "-")
    assert (code, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == ["date", "open", "high", "low", "close", "volume", "wap", "bar_count"]
    assert rows[-1]["date"] == "2013-01-07"
    assert float(rows[-1]["close"]) > 0
    file = tmp_path / "aapl.csv"
    code, written, err = terminal.run("bars", "AAPL", "--duration", "1W", "--csv", str(file))
    assert (code, written, err) == (0, "", f"{len(rows)} bars written to {file}\n")
    assert file.read_text(encoding="utf-8") == out


def test_a_file_that_cannot_be_written(terminal: Terminal, tmp_path: Path) -> None:
    code, _, err = terminal.run("bars", "AAPL", "--csv", str(tmp_path / "no" / "aapl.csv"))
    assert code == 1
    assert err.startswith("trio-ibtws: cannot write ")
    assert err.count("\n") == 1


# --- what is sent ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "asked", "ended"),
    [
        (["ticks", "AAPL", "--seconds", "1"], "reqMktData", "cancelMktData"),
        (["ticks", "AAPL", "--count", "3", "--json"], "reqMktData", "cancelMktData"),
        (["ticks", "AAPL", "--every", "Last", "--count", "1"], "reqTickByTickData", "cancelTickByTickData"),
        (["book", "AAPL@NASDAQ", "--count", "5"], "reqMktDepth", "cancelMktDepth"),
        (["scan", "MOST_ACTIVE"], "reqScannerSubscription", "cancelScannerSubscription"),
        (["positions"], "reqPositions", "cancelPositions"),
        (["account"], "reqAccountSummary", "cancelAccountSummary"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_was_asked_for_is_cancelled(terminal: Terminal, arguments: list[str], asked: str, ended: str) -> None:
    assert terminal.run(*arguments)[0] == 0
    assert terminal.received[-2:] == [asked, ended]


def test_ctrl_c_cancels_too(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _ticks._print

    def strike(watched: Watch, event: Any) -> None:
        shown(watched, event)
        if watched.events == 5:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(_ticks, "_print", strike)
    code, out, err = terminal.run("ticks", "AAPL", "--json")
    assert (code, err) == (130, "")
    assert len(out.splitlines()) >= 5
    assert terminal.received[-2:] == ["reqMktData", "cancelMktData"]


@pytest.mark.parametrize(
    ("how", "request_name", "line"),
    [
        (["--every", "Last"], "reqTickByTickData", "ticks may be missing: Connectivity between"),
        ([], "reqMktData", "gap"),
    ],
)
def test_a_gap_in_the_ticks_is_told(terminal: Terminal, how: list[str], request_name: str, line: str) -> None:
    terminal.script = f"wait {request_name}\nwait 2\nlose link 3 data=lost"
    code, out, err = terminal.run("ticks", "AAPL", *how, "--seconds", "10")
    assert (code, err) == (0, "")
    assert sum(line in each for each in out.splitlines()) == 1


def test_orders_are_only_read(terminal: Terminal) -> None:
    for which in ([], ["--mine"], ["--completed"], ["--executions"]):
        assert terminal.run("orders", *which)[0] == 0
        asked = [name for name in terminal.received if "rder" in name or "xec" in name]
        assert asked[:2] == ["placeOrder", "placeOrder"]  # by the client before
        assert all(name.startswith("req") for name in asked[2:])


def test_the_seed_chooses_the_prices(terminal: Terminal) -> None:
    arguments = ("bars", "AAPL", "--duration", "1W", "--csv", "-", "--seed")
    assert terminal.run(*arguments, "1") == terminal.run(*arguments, "1")
    assert terminal.run(*arguments, "1") != terminal.run(*arguments, "2")


# --- what fails --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["contract", "NOPE"], 1, "No security definition has been found for the request; check symbol, type"),
        (["bars", "NOPE"], 1, "TWS code 200: No security definition"),
        (["ticks", "ES.FUT"], 1, "2 contracts fit: ES.FUT.20130315@CME, ES.FUT.20130621@CME; say which: --con-id"),
        (["contract"], 2, "which contract? Give a symbol, as AAPL, or --con-id"),
        (["contract", "BRK.B"], 2, "B is no type of contract; it may be STK, "),
        (["contract", "AAPL", "--sec-type", "EGG"], 2, "EGG is no type of contract"),
        (["contract", "ES.FUT", "--sec-type", "STK"], 2, "ES.FUT says FUT and --sec-type says STK: leave one away"),
        (["contract", "ES.FUT", "--expiry", "soon"], 2, "soon is no expiry; give the month"),
        (["contract", "AAPL.OPT.20130215.X.5"], 2, "X is no right of an option; it is C or P"),
        (["contract", "AAPL.OPT.20130215.C.five"], 2, "FIVE is no strike"),
        (["bars", "AAPL", "--duration", "long"], 2, "--duration 'long': a number and S, D, W, M or Y is wanted"),
        (["bars", "AAPL", "--duration", "0D"], 2, "--duration '0D'"),
        (["bars", "AAPL", "--bar", "7m"], 2, "--bar '7m': TWS has bars of 1, 5, 10, 15, 30 sec; "),
        (["bars", "AAPL", "--end", "tomorrow"], 2, "--end 'tomorrow': a time as 2026-11-20T16:00-05:00 is wanted"),
        (["bars", "AAPL", "--bar", "1min1"], 2, "--bar '1min1': TWS has bars of"),
        (["bars", "AAPL", "--what", "schedule"], 2, "--what SCHEDULE gives no bars; `trio-ibtws contract` shows the"),
        (["bars", "AAPL", "--csv", ""], 2, "--csv '': a file is wanted, or - for stdout"),
        (["bars", "@"], 2, "which contract? Give a symbol, as AAPL, or --con-id"),
        (["bars", "AAPL", "--multiplier", "abc"], 2, "'abc' is no multiplier; it is a number, as 100"),
        (["contract", "AAPL.OPT.20130215.C.nan"], 2, "NAN is no strike"),
        (
            ["contract", "EURUSD.CASH", "--currency", "GBP"],
            2,
            "EURUSD says USD and --currency says GBP: leave",
        ),
        (["contract", "--search", " "], 2, "--search what? Give the beginning of a symbol or name"),
        (["contract", "AAPL", "--search", "micro"], 2, "AAPL is one contract and --search looks for others: leave one"),
        (["positions", "--account", "U1"], 1, "there is no account U1; it may be DU1000001"),
        (["bars", "AAPL", "--what", "EGGS"], 1, "What to show field is missing or incorrect"),
        (["book", "SPX.IND@CBOE", "--seconds", "5", "--json"], 1, "; say whose book it is, as in AAPL@NASDAQ, or show"),
        (["account", "--account", "U1"], 1, "there is no account U1; it may be DU1000001"),
        (["account", "--tags", "Eggs"], 1, "TWS has no value of Eggs; without --tags"),
        (["scan"], 2, "which scan? Give a code, as TOP_PERC_GAIN; --codes lists them"),
        (["scan", "EGGS"], 1, "EGGS"),
        (["positions", "--port", "7497"], 2, "--simulate is a TWS of its own: leave --host and --port away"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_an_error_is_one_line(terminal: Terminal, arguments: list[str], code: int, complaint: str) -> None:
    found, out, err = terminal.run(*arguments)
    assert (found, out) == (code, "")
    assert err.startswith("trio-ibtws: ")
    assert complaint in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["ticks", "AAPL", "--seconds", "0"], "'0' is no number of seconds between 0 and 604800"),
        (["ticks", "AAPL", "--count", "none"], "'none' is no number of events: give 1 or more"),
        (["ticks", "AAPL", "--every", "Second"], "invalid choice: 'Second'"),
        (["book", "AAPL", "--rows", "21"], "'21' is no number of rows from 1 to 20"),
        (["positions", "--port", "0"], "'0' is no port: give a number from 1 to 65535"),
        (["positions", "--host", "two words"], "'two words' is no host name or address"),
        (["contract", "--con-id", "0"], "'0' is no contract id: `trio-ibtws contract SYMBOL` shows them"),
        (["contract", "AAPL", "--strike", "high"], "'high' is no positive number"),
        (["bars", "AAPL", "--csv", "-", "--json"], "not allowed with argument"),
        (["orders", "--mine", "--completed"], "not allowed with argument"),
        (["completion", "cmd"], "invalid choice: 'cmd'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_not_understood(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(arguments)
    err = capsys.readouterr().err
    assert exit_.value.code == 2
    assert complaint in err
    assert err.count("\n") == 1
