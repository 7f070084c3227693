"""The simulator as a process: it serves clients until a signal ends it."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path

import pytest

from tests.cli.process import DEADLINE, Command, simulator


@pytest.mark.parametrize("backend", ["trio", "asyncio"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly(how: signal.Signals, backend: str) -> None:
    with simulator("--backend", backend) as (process, _):
        process.send_signal(how)
        out, _ = process.communicate(timeout=DEADLINE)
        assert out == "stopped\n"
        assert process.returncode == 0


@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_demo_and_doctor_against_it(command: Command, backend: str) -> None:
    with simulator("--server-version", "157", "--seed", "3") as (_, port):
        doctor = command("doctor", "--port", str(port))
        assert doctor.returncode == 0, doctor.stderr
        assert re.search(rf"^server +127\.0\.0\.1:{port} speaks version 157$", doctor.stdout, re.MULTILINE)
        assert re.search(r"^accounts +D\*+\d\d$", doctor.stdout, re.MULTILINE)
        assert re.search(r"^farms .*usfarm ok", doctor.stdout, re.MULTILINE)

        demo = command("demo", "--port", str(port), "--seconds", "1", "--symbol", "ibm", "--backend", backend)
        assert demo.returncode == 0, demo.stderr
        assert f"on {backend}, with" in demo.stdout
        assert "INTL BUSINESS MACHINES" in demo.stdout
        assert "refused by the client" in demo.stdout
        assert "cancelMktData" in demo.stdout
        assert "market order" not in demo.stdout

        unknown = command("demo", "--port", str(port), "--symbol", "NOPE", "--backend", backend)
        assert unknown.returncode == 1
        assert unknown.stderr.startswith("trio-ibtws: no US stock NOPE: ")
        assert unknown.stderr.count("\n") == 1


def test_a_port_that_is_taken(command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = command("simulate", "--port", str(port))
    assert done.returncode == 1
    assert done.stderr.startswith(f"trio-ibtws: cannot listen on port {port} (")
    assert done.stderr.count("\n") == 1


def test_a_server_version_that_it_does_not_speak(command: Command) -> None:
    done = command("simulate", "--port", "0", "--server-version", "99")
    assert done.returncode == 2
    assert "server version 99 is not served" in done.stderr
    assert done.stderr.count("\n") == 1


def test_nothing_there_to_connect_to(command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    for arguments in (["doctor"], ["demo"], ["demo", "--backend", "asyncio"]):
        done = command(*arguments, "--port", str(port))
        assert done.returncode == 1
        assert done.stderr.startswith(f"trio-ibtws: nothing answers at 127.0.0.1:{port}")
        assert done.stderr.count("\n") == 1


def test_simulate_works_without_rich(command: Command, tmp_path: Path) -> None:
    (tmp_path / "rich.py").write_text("raise ImportError('not here')\n", encoding="utf-8")
    done = command("simulate", "--port", "0", "--server-version", "99")
    assert "rich" not in done.stderr
    assert "server version 99 is not served" in done.stderr
    assert command("demo").stderr.endswith("pip install 'trio-ibtws[cli]'\n")


def test_a_scenario_file(command: Command, tmp_path: Path) -> None:
    good = tmp_path / "good.toml"
    good.write_text('account = "DU7654321"\n', encoding="utf-8")
    with simulator("--scenario", str(good)) as (_, port):
        doctor = command("doctor", "--port", str(port))
    assert re.search(r"^accounts +D\*+21$", doctor.stdout, re.MULTILINE)
    bad = tmp_path / "bad.toml"
    bad.write_text("colour = 3\n", encoding="utf-8")
    for path, code in ((bad, 2), (tmp_path / "none.toml", 1)):
        done = command("simulate", "--port", "0", "--scenario", str(path))
        assert done.returncode == code
        assert str(path) in done.stderr
        assert done.stderr.count("\n") == 1
