"""The demo on the simulator, over a real socket, whole."""

from __future__ import annotations

import re
import signal
import subprocess

import pytest

from tests.cli.process import DEADLINE, Command, command_line, environment
from trio_ibtws._runtime._installed import ibapi_distributions

SCENES = [
    "1  Connect",
    "2  Contract details",
    "3  A year of daily bars",
    "4  Live ticks",
    "5  Cancelled by leaving the block",
    "6  A market order",
    "7  Closed",
]


@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_the_whole_demo(command: Command, backend: str) -> None:
    done = command("demo", "--backend", backend, "--seconds", "1")
    assert (done.returncode, done.stderr) == (0, "")
    out = done.stdout
    [(name, release)] = ibapi_distributions().items()
    assert out.startswith(f"trio_ibtws on {backend}, with {name} {release}\n")
    assert [line for line in out.splitlines() if line[:1].isdigit()] == SCENES
    assert "APPLE INC" in out
    assert out.count("┤") == 3
    assert re.search(r"^ +bid +ask +last +volume\n( +[\d.,]+){4}$", out, re.MULTILINE)
    assert re.search(r"TWS received +reqMktData, cancelMktData, reqCurrentTime$", out, re.MULTILINE)
    assert re.search(r"Filled: 100 filled at \d+\.\d\d, 0 remaining$", out, re.MULTILINE)
    assert "0 frames not decoded, 0 events dropped" in out
    assert re.search(r"threads +0 started$", out, re.MULTILINE)


def test_it_fits_80_columns_and_has_no_colours_in_a_file(command: Command) -> None:
    out = command("demo", "--seconds", "0.5").stdout
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= 80


def test_it_is_plain_where_the_terminal_cannot_draw(command: Command) -> None:
    done = command("demo", "--seconds", "0.5", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "#" in done.stdout


def test_another_symbol(command: Command) -> None:
    assert "MICROSOFT" in command("demo", "--seconds", "0.5", "--symbol", "msft").stdout


def test_a_symbol_that_does_not_exist(command: Command) -> None:
    done = command("demo", "--symbol", "NOPE")
    assert done.returncode == 1
    assert done.stderr.startswith("trio-ibtws: no US stock NOPE: ")
    assert done.stderr.endswith("; give another with --symbol\n")
    assert done.stderr.count("\n") == 1


def heed_ctrl_c() -> None:
    """Undo what a shell does to the processes that it starts in the background, and their children inherit."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_ctrl_c_ends_it_without_a_traceback(backend: str) -> None:
    started = command_line("demo", "--backend", backend)
    pipe = subprocess.PIPE
    with subprocess.Popen(
        started,
        env=environment(),
        stdout=pipe,
        stderr=pipe,
        encoding="utf-8",
        preexec_fn=heed_ctrl_c,  # noqa: PLW1509  one thread
    ) as process:
        assert process.stdout is not None
        assert any(line.startswith("4  Live ticks") for line in process.stdout)
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=DEADLINE)
    assert (process.returncode, complaint) == (130, "")
