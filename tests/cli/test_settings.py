"""Where host, port and client id come from, and whose fault a bad one is."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import pytest

from trio_ibtws import cli
from trio_ibtws._cli import _settings
from trio_ibtws._cli._errors import CommandError

VARIABLES = ["TRIO_IBTWS_HOST", "TRIO_IBTWS_PORT", "TRIO_IBTWS_CLIENT_ID", "IB_SERVER_HOST", "IB_SERVER_PORT"]


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine on which nothing is set."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(_settings, "config_path", lambda: tmp_path / "config.toml")
    return tmp_path


def found(**flags: Any) -> dict[str, Any]:
    usual = {"host": None, "port": None, "client_id": None, "config": None, "simulate": False}
    settings = _settings.find_settings(argparse.Namespace(**{**usual, **flags}))
    return {name: (setting.value, setting.source) for name, setting in settings._asdict().items()}


def test_what_is_usual() -> None:
    assert found() == {"host": ("127.0.0.1", "default"), "port": (7497, "default"), "client_id": (0, "default")}


def test_flags_go_before_the_environment_before_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = home / "config.toml"
    file.write_text('host = "file"\nport = 4001\nclient_id = 1\n', encoding="utf-8")
    assert found() == {"host": ("file", str(file)), "port": (4001, str(file)), "client_id": (1, str(file))}
    monkeypatch.setenv("IB_SERVER_PORT", "4002")
    monkeypatch.setenv("TRIO_IBTWS_CLIENT_ID", "2")
    assert found()["port"] == (4002, "IB_SERVER_PORT")
    monkeypatch.setenv("TRIO_IBTWS_PORT", "4003")
    assert found()["port"] == (4003, "TRIO_IBTWS_PORT")
    assert found(client_id=3)["client_id"] == (3, "--client-id")
    assert found(host="flag")["host"] == ("flag", "--host")
    monkeypatch.setenv("TRIO_IBTWS_HOST", "")  # as good as not there
    assert found()["host"] == ("file", str(file))


def test_another_file(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text('port = "4002"\n', encoding="utf-8")
    assert found(config=str(other))["port"] == (4002, str(other))


def test_a_file_as_windows_editors_write_it(home: Path) -> None:
    home.joinpath("x.toml").write_bytes(b"\xef\xbb\xbfport = 4002\r\n")
    assert found(config=str(home / "x.toml"))["port"] == (4002, str(home / "x.toml"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("port = 70000", "port from {file}: '70000' is no port: give a number from 1 to 65535"),
        ("port = [1]", "port from {file}: [1] is no whole number"),
        ("port = true", "port from {file}: True is no whole number"),
        ("client_id = -1", "client_id from {file}: '-1' is no client id"),
        ("host = 7", "host from {file}: 7 is no text"),
        ('host = "two words"', "host from {file}: 'two words' is no host name or address"),
        ("colour = 3", "{file}: there is no setting 'colour'; it may have host, port, client_id"),
        ("port: 3", "the configuration {file} is no TOML: "),
    ],
)
def test_a_bad_file_is_named(home: Path, text: str, complaint: str) -> None:
    file = home / "config.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError) as error:
        found()
    assert str(error.value).startswith(complaint.format(file=file))
    assert error.value.code == 2


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("TRIO_IBTWS_PORT", "TWS", "port from TRIO_IBTWS_PORT: 'TWS' is no port"),
        ("IB_SERVER_PORT", "-1", "port from IB_SERVER_PORT: '-1' is no port"),
        ("TRIO_IBTWS_CLIENT_ID", "me", "client_id from TRIO_IBTWS_CLIENT_ID: 'me' is no client id"),
        ("IB_SERVER_HOST", "a b", "host from IB_SERVER_HOST: 'a b' is no host name or address"),
    ],
)
def test_a_bad_variable_is_named(
    name: str, value: str, complaint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert cli.main(["positions", "--json"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"trio-ibtws: {complaint}")
    assert err.count("\n") == 1


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"there is no configuration file .*; give another with --config"):
        found(config=str(tmp_path / "none.toml"))
    with pytest.raises(CommandError, match="cannot read the configuration"):
        found(config=str(tmp_path))


def test_the_simulator_has_no_address() -> None:
    for flags in ({"host": "here"}, {"port": 1}):
        with pytest.raises(CommandError, match="leave --host and --port away"):
            found(simulate=True, **flags)


@pytest.mark.parametrize(
    ("platform", "variable", "path"),
    [
        ("linux", "XDG_CONFIG_HOME", "/there/trio_ibtws/config.toml"),
        ("win32", "APPDATA", "/there/trio_ibtws/config.toml"),
        ("darwin", "NOTHING", "Library/Application Support/trio_ibtws/config.toml"),
        ("linux", "NOTHING", ".config/trio_ibtws/config.toml"),
    ],
)
def test_where_the_file_is_looked_for(platform: str, variable: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    for name in ("XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(variable, "/there")
    assert _settings.config_path().as_posix().endswith(path)


def test_doctor_tells_the_origin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TRIO_IBTWS_PORT", "4002")
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "connects to  127.0.0.1:4002 as client 0\n" in out
    assert "             port comes from TRIO_IBTWS_PORT\n" in out
