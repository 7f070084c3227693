"""What can be typed, and the one line that answers what cannot."""

from __future__ import annotations

import sys

import pytest

from trio_ibtws import cli
from trio_ibtws._cli import _errors

COMMANDS = [
    *("demo", "doctor", "simulate", "contract", "bars", "ticks", "book"),
    *("positions", "orders", "account", "scan", "completion"),
]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["dmeo"], "invalid choice: 'dmeo'"),
        (["demo", "--port", "TWS"], "'TWS' is no port: give a number from 1 to 65535"),
        (["demo", "--port", "65536"], "'65536' is no port"),
        (["demo", "--backend", "curio"], "invalid choice: 'curio'"),
        (["demo", "--seconds", "soon"], "'soon' is no number of seconds between 0 and 3600"),
        (["demo", "--seconds", "nan"], "'nan' is no number of seconds"),
        (["demo", "--client-id", "me"], "'me' is no client id: give a number from 0 to 2147483647"),
        (["simulate"], "the following arguments are required: --port"),
    ],
)
def test_what_is_not_understood_is_one_line_and_code_2(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(arguments)
    captured = capsys.readouterr()
    assert exit_.value.code == 2
    assert complaint in captured.err
    assert captured.err.count("\n") == 1
    assert captured.err.endswith("--help` shows what can be given)\n")
    assert captured.out == ""


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_fits_the_terminal(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as exit_:
        cli.main([*command, "--help"])
    assert exit_.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(" ".join(["usage: trio-ibtws", *command]))
    assert all(len(line) <= 80 for line in lines)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out.startswith("trio-ibtws ")


def test_without_rich_the_demo_names_the_extra(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    assert cli.main(["demo"]) == _errors.MISUSED
    assert capsys.readouterr().err.splitlines() == [
        "trio-ibtws: this command draws with the package rich, which is not installed: pip install 'trio-ibtws[cli]'"
    ]
