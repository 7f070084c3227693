"""``trio-ibtws serve`` as a process on both workers, and its one-line errors."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from trio_ibtws import cli
from trio_ibtws.graphql import _requirements
from trio_ibtws.graphql._requirements import check_requirements

TOKEN = "a-token-that-is-for-tests-only"
SECONDS = 30

both = pytest.mark.parametrize("worker", ["trio", "asyncio"])


@contextmanager
def serving(*arguments: str, token: str | None = TOKEN) -> Iterator[subprocess.Popen[str]]:
    """The command as a process, for a block."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("TRIO_IBTWS_", "IB_SERVER_"))}
    if token is not None:
        environment["TRIO_IBTWS_TOKEN"] = token
    command = [sys.executable, "-m", "trio_ibtws", "serve", "--bind", "127.0.0.1:0", *arguments]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def where(process: subprocess.Popen[str]) -> str:
    """Return the URL that the command says it serves at."""
    assert process.stdout is not None
    found = re.match(r"GraphQL at (http://\S+)/graphql for ", process.stdout.readline())
    assert found, process.stderr and process.stderr.read()
    return found[1]


def query(url: str, text: str, token: str = TOKEN) -> object:
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    request = Request(f"{url}/graphql", json.dumps({"query": text}).encode(), headers)
    with urlopen(request, timeout=SECONDS) as answer:
        return json.load(answer)


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, float]:
    """Send a signal; return the exit code and the seconds until then."""
    began = time.monotonic()
    process.send_signal(number)
    code = process.wait(SECONDS)
    return code, time.monotonic() - began


@both
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_the_simulator_until_a_signal_comes(worker: str, number: signal.Signals) -> None:
    with serving("--simulate", "--worker", worker) as process:
        url = where(process)
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == f"page   {url}/\n"
        assert "errors" not in str(query(url, "{ reqCurrentTime }"))
        code, _ = ended(process, number)
        assert (code, process.stdout.read(), process.stderr.read()) == (0, "stopped\n", "")


@both
def test_it_ends_in_five_seconds_with_a_stalled_subscriber_and_a_query_under_way(worker: str) -> None:
    with serving("--simulate", "--worker", worker) as process:
        url = where(process)
        port = int(url.rpartition(":")[2])
        stock = '{ symbol: "AAPL", secType: "STK", exchange: "SMART", currency: "USD" }'
        text = f"subscription {{ reqMktData(contract: {stock}) {{ __typename }} }}"
        body = json.dumps({"query": text}).encode()
        head = (
            f"POST /graphql HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: Bearer {TOKEN}\r\n"
            f"Accept: text/event-stream\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with (
            socket.create_connection(("127.0.0.1", port)) as stalled,
            socket.create_connection(("127.0.0.1", port)) as half,
        ):
            stalled.sendall(head.encode() + body)
            half.sendall(head.encode())
            assert stalled.recv(12) == b"HTTP/1.1 200"
            code, seconds = ended(process, signal.SIGTERM)
        assert code == 0
        assert seconds < 15  # five on a machine that does nothing else


def test_without_a_token_one_is_made_and_printed() -> None:
    with serving("--simulate", token=None) as process:
        url = where(process)
        assert process.stdout is not None
        page, token = process.stdout.readline(), process.stdout.readline().split()[1]
        assert page == f"page   {url}/#token={token}\n"
        assert len(token) == 43
        assert "errors" not in str(query(url, "{ reqCurrentTime }", token))


def test_trading_is_there_when_it_is_enabled_and_is_written_down(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    trader = "another-token-that-is-for-trading"
    with serving("--simulate", "--enable-trading", "--audit", str(audit), "--trade-token", trader) as process:
        url = where(process)
        with pytest.raises(HTTPError) as refused:
            query(url, "mutation { reqGlobalCancel { verified } }")
        refused.value.close()
        assert refused.value.code == 403
        assert "errors" not in str(query(url, "mutation { reqGlobalCancel { verified } }", trader))
        fields = query(url, '{ __type(name: "Mutation") { fields { name } } }')
        assert "placeOrder" in str(fields)
        query(url, "mutation { reqMarketDataType(marketDataType: 3) }")
    assert audit.stat().st_mode & 0o777 == 0o600
    records = [json.loads(line) for line in audit.read_text().splitlines()]
    assert {record["operation"] for record in records} == {"reqMarketDataType", "reqGlobalCancel"}
    assert len({record["token"] for record in records}) == 2


def test_it_waits_for_a_tws_that_is_not_there_yet() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    with serving("--port", str(port)) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert f"127.0.0.1:{port}" in line
        assert line.endswith("; trying again in 1 s\n")
        simulate = [sys.executable, "-m", "trio_ibtws", "simulate", "--port", str(port)]
        with subprocess.Popen(simulate, stdout=subprocess.DEVNULL) as tws:
            try:
                assert "errors" not in str(query(where(process), "{ reqCurrentTime }"))
            finally:
                tws.kill()
        assert process.wait(SECONDS) == 1
        assert process.stderr.read().splitlines()[-1].startswith("trio-ibtws: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bind", "0.0.0.0:8000"], "0.0.0.0 can be reached from other machines"),
        (["--bind", "0.0.0.0:8000", "--allow-remote"], "that takes TLS"),
        (["--bind", "nonsense"], "'nonsense' is no address"),
        (["--token", "short"], "a token has at least 16 characters"),
        (["--trade-token", "short"], "a token has at least 16 characters"),
        (["--token", TOKEN, "--trade-token", TOKEN], "is the same as the other one"),
        (["--cors", "*"], "'*' is no origin"),
        (["--cors", "https://desk.example/"], "without a path"),
        (["--certfile", "x.pem"], "both a certificate and its key"),
        (["--certfile", "x.pem", "--keyfile", "/nonexistent/key.pem"], "cannot read /nonexistent/key.pem"),
        (["--port", "7497"], "leave --host and --port away"),
    ],
)
def test_what_cannot_be_served_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["serve", "--simulate", *arguments]) in (1, 2)
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


# --- what it needs -----------------------------------------------------------------------------------------------


def missing(monkeypatch: pytest.MonkeyPatch, tools: set[str], *, cmake: int = 3) -> str:
    """Return what is said when a package is missing on a machine with *tools*."""

    def absent(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(_requirements, "import_module", absent)
    monkeypatch.setattr("shutil.which", lambda tool: f"/usr/bin/{tool}" if tool in tools else None)
    monkeypatch.setattr(_requirements, "_cmake_major", lambda: cmake)
    with pytest.raises(ImportError) as raised:
        check_requirements()
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    said = missing(monkeypatch, set(), cmake=0)
    for part in (
        "tartiflette",
        "cmake, make, a C++ compiler",
        "pip install 'trio-ibtws[graphql]'",
        "CMAKE_POLICY_VERSION_MINIMUM=3.5",
    ):
        assert part in said
    said = missing(monkeypatch, {"cmake", "make", "g++"})
    assert said.endswith("is not installed: pip install 'trio-ibtws[graphql]'")
    said = missing(monkeypatch, {"cmake", "make", "clang++"}, cmake=4)
    assert "CMAKE_POLICY_VERSION_MINIMUM=3.5 pip install" in said
    monkeypatch.setattr(sys, "platform", "win32")
    assert "does not run on Windows" in missing(monkeypatch, set())


def test_a_library_that_cannot_be_loaded_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise OSError("libgraphqlparser.so: no such file")

    monkeypatch.setattr(_requirements, "import_module", broken)
    with pytest.raises(ImportError, match="libgraphqlparser"):
        check_requirements()


def test_the_version_of_cmake_is_asked_for() -> None:
    assert _requirements._cmake_major() >= 0


def test_the_command_says_it_in_one_line_and_everything_else_works() -> None:
    code = "import sys; sys.modules['tartiflette'] = None; from trio_ibtws import cli; sys.exit(cli.main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "serve", "--simulate"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("trio-ibtws: GraphQL needs the package tartiflette")
    assert done.stderr.count("\n") == 1
    help_ = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=False)
    assert help_.returncode == 0
