"""The command line as a process, on a simulator behind a real socket, and what ends a stream."""

from __future__ import annotations

import argparse
import json
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from tests.cli.process import DEADLINE, Command, command_line, environment, simulator
from tests.cli.test_demo import heed_ctrl_c
from tests.cli.virtual import run_virtually
from trio_ibtws import cli

BACKENDS = ["trio", "asyncio"]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a simulator in a process of its own."""
    with simulator() as (_, number):
        yield number


# --- over a socket, on both backends -----------------------------------------------------------------------------


@pytest.fixture(scope="module", params=BACKENDS)
def served(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A backend, and the port of a simulator for it alone: the same bars twice would be a pacing violation."""
    with simulator() as (_, number):
        yield request.param, str(number)


@pytest.mark.parametrize(
    ("arguments", "first_line"),
    [
        (["contract", "AAPL"], "APPLE INC"),
        (["bars", "AAPL", "--duration", "1M"], "AAPL, TRADES, 1 day"),
        (["ticks", "AAPL", "--count", "15"], "AAPL: seconds since the start, tick, value"),
        (["ticks", "AAPL", "--every", "Last", "--seconds", "0.5"], "AAPL: time in US/Eastern, price x size"),
        (["book", "AAPL@NASDAQ", "--count", "20"], "AAPL@NASDAQ: seconds since the start, best bid and ask"),
        (["positions"], "no positions"),
        (["orders"], "no open orders"),
        (["account"], "account    tag                         value  currency"),
        (["scan", "MOST_ACTIVE"], "rank  contract        id  currency"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_command(
    served: tuple[str, str], arguments: list[str], first_line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    backend, port = served
    assert cli.main([*arguments, "--port", port, "--backend", backend]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[0] == first_line
    assert captured.err == ""


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_embedded_simulator(backend: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ticks", "AAPL", "--count", "3", "--json", "--simulate", "--backend", backend]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_the_address_out_of_the_environment(command: Command, port: int) -> None:
    done = command("positions", "--json", IB_SERVER_PORT=str(port))
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_nothing_there(command: Command) -> None:
    done = command("account", "--port", "1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("trio-ibtws: nothing answers at 127.0.0.1:1 (")
    assert "Start TWS or IB Gateway" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [["bars", "BRK.B"], ["bars", "AAPL", "--bar", "7m"], ["ticks"], ["book", "X.Y"], ["contract"], ["scan"]],
    ids=" ".join,
)
def test_what_makes_no_request_is_said_before_anything_is_asked(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*arguments, "--port", "1"]) == 2
    assert "nothing answers" not in capsys.readouterr().err


# --- ends --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("how", [[], ["--json"]], ids=["lines", "json"])
def test_ctrl_c_ends_a_stream_in_good_order(port: int, backend: str, how: list[str]) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command_line("ticks", "AAPL", "--port", str(port), "--backend", backend, *how),
        env=environment(),
        stdout=pipe,
        stderr=pipe,
        encoding="utf-8",
        preexec_fn=heed_ctrl_c,  # noqa: PLW1509  one thread
    ) as process:
        assert process.stdout is not None
        before = [process.stdout.readline() for _ in range(10)]
        process.send_signal(signal.SIGINT)
        out, complaint = process.communicate(timeout=DEADLINE)
    assert (process.returncode, complaint) == (130, "")
    last = "".join([*before, out]).splitlines()[-1]
    assert json.loads(last) if how else re.fullmatch(r"\d+ events in \d+\.\d s", last)


@pytest.mark.parametrize("how", [[], ["--json"]], ids=["lines", "json"])
def test_a_reader_that_goes_away_is_no_traceback(port: int, how: list[str]) -> None:
    script = " ".join(command_line("ticks", "AAPL", "--port", str(port), *how))
    done = subprocess.run(
        ["sh", "-c", f"{script} | head -n 2"],
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=DEADLINE,
        check=False,
    )
    assert (len(done.stdout.splitlines()), done.stderr) == (2, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
@pytest.mark.parametrize("arguments", [["ticks", "AAPL"], ["ticks", "AAPL", "--json"], ["contract", "AAPL"]])
def test_a_full_disk_is_one_line(port: int, arguments: list[str]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            command_line(*arguments, "--port", str(port)),
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=DEADLINE,
            check=False,
        )
    complaint = "trio-ibtws: cannot write the output (No space left on device); send it elsewhere\n"
    assert (done.returncode, done.stderr) == (1, complaint)


# --- terminals ---------------------------------------------------------------------------------------------------


def on_a_terminal(*arguments: str, **changes: str) -> str:
    """Return what a command writes to a terminal."""
    process, terminal = pty.fork()
    if process == 0:
        line = command_line(*arguments)
        os.execve(line[0], line, environment(TERM="xterm-256color", LINES="40", **changes))
    written = b""
    try:
        while chunk := os.read(terminal, 65536):
            written += chunk
    except OSError:  # how Linux tells that the other end is gone
        pass
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    return written.decode("utf-8")


COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9][0-9;]*m")


def test_on_a_terminal_there_are_colours_unless_no_color() -> None:
    assert COLOUR.search(on_a_terminal("bars", "AAPL", "--simulate"))
    plain = on_a_terminal("bars", "AAPL", "--simulate", NO_COLOR="1")
    assert not COLOUR.search(plain)
    assert "┤" in plain


@pytest.mark.parametrize("arguments", [["ticks", "AAPL"], ["book", "AAPL@NASDAQ"]], ids=["ticks", "book"])
def test_on_a_terminal_a_stream_is_a_picture_that_is_drawn_again(arguments: list[str]) -> None:
    out = on_a_terminal(*arguments, "--seconds", "0.7", "--simulate")
    assert out.count("Ctrl-C ends it") > 1
    assert "\x1b[1A" in out  # up again, to draw over what was there
    assert re.search(r"\d+ events in 0\.\d s", out)


def test_where_only_ascii_can_be_written(command: Command) -> None:
    for arguments in (["bars", "AAPL"], ["book", "AAPL@NASDAQ", "--count", "20"], ["ticks", "AAPL", "--count", "9"]):
        done = command(*arguments, "--simulate", PYTHONIOENCODING="ascii")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.isascii()


def test_json_needs_no_rich(command: Command, tmp_path: Path) -> None:
    (tmp_path / "rich.py").write_text("raise ImportError('not here')\n", encoding="utf-8")
    done = command("bars", "AAPL", "--json", "--simulate")
    assert done.returncode == 0
    assert json.loads(done.stdout)
    assert command("bars", "AAPL", "--csv", "-", "--simulate").stdout.startswith("date,open,")
    without = command("bars", "AAPL", "--simulate")
    assert without.returncode == 2
    assert without.stderr.endswith("pip install 'trio-ibtws[cli]'\n")


# --- help and completion -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_that_the_shell_can_read(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for word in ("bars", "--con-id", "MidPoint", "completion"):
        assert word in script
    if (program := shutil.which(shell)) is not None:
        subprocess.run([program, "-n"], input=script, encoding="utf-8", check=True, timeout=DEADLINE)


def test_bash_completes_commands_options_and_values(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    cli.main(["completion", "bash"])
    script = tmp_path / "completion.bash"
    script.write_text(capsys.readouterr().out, encoding="utf-8")
    bash = shutil.which("bash")
    if bash is None:
        return  # a machine without it

    def completed(*words: str) -> set[str]:
        line = " ".join(f"'{word}'" for word in words)
        asked = (
            f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _shtab_trio_ibtws;"
            ' printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run([bash, "-c", asked], capture_output=True, encoding="utf-8", check=True, timeout=DEADLINE)
        return set(done.stdout.split())

    assert completed("trio-ibtws", "bo") == {"book"}
    assert {"--seconds", "--simulate", "--con-id"} <= completed("trio-ibtws", "ticks", "--")
    assert completed("trio-ibtws", "ticks", "--every", "") >= {"Last", "BidAsk"}


def test_without_shtab_completion_names_the_extra(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "shtab", None)
    assert cli.main(["completion", "bash"]) == 2
    assert capsys.readouterr().err.endswith("not installed: pip install 'trio-ibtws[cli]'\n")


def examples() -> list[list[str]]:
    """Return every example of every command's help that ends by itself and needs nothing but the simulator."""
    found = []
    for name, command in next(
        action.choices for action in cli._parser()._actions if isinstance(action, argparse._SubParsersAction)
    ).items():
        lines = (command.epilog or "").splitlines()
        found += [shlex.split(line)[1:] for line in lines if line.startswith(f"  trio-ibtws {name}")]
    assert len(found) > 20
    return [words for words in found if "--simulate" in words and words[0] != "serve"]


@pytest.mark.parametrize("arguments", examples(), ids=" ".join)
def test_the_examples_of_the_help_run(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anyio, "run", run_virtually)
    assert cli.main(arguments) == 0
    captured = capsys.readouterr()
    assert captured.out
    assert captured.err == ""
