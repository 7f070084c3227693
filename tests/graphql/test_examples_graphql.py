"""The request files, the two clients, and what the page asks for: all fit the schema; the clients run them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "graphql"
PAGE = ROOT / "trio_ibtws" / "graphql" / "page"
TOKEN = "a-token-that-is-for-tests-only"
DEADLINE = 60

REQUESTS = sorted(EXAMPLES.glob("*.graphql"))
# Documents are template literals or strings of one line in these two modules, and nothing is put into them.
DOCUMENT = re.compile(r"[`\"]((?:query|mutation|subscription) [^`]*?\})(?:`|\";)")
ON_PAGE = [
    (path.name, document)
    for path in (PAGE / "operations.js", PAGE / "examples.js")
    for document in DOCUMENT.findall(path.read_text(encoding="utf-8"))
]

CLIENTS = {"python": [sys.executable, str(EXAMPLES / "client.py")]}
if node := shutil.which("node"):
    CLIENTS["node"] = [node, str(EXAMPLES / "client.mjs")]


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    sdl = ROOT / "trio_ibtws" / "_gen" / "schema.graphql"
    return build_schema(sdl.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", REQUESTS, ids=[path.stem for path in REQUESTS])
def test_a_request_file_fits_the_schema(path: Path, schema: GraphQLSchema) -> None:
    assert validate(schema, parse(path.read_text(encoding="utf-8"))) == []


def test_the_page_has_these_documents() -> None:
    assert len(ON_PAGE) == sum(
        len(re.findall(r"export const|^    query: ", (PAGE / name).read_text(encoding="utf-8"), re.MULTILINE))
        - (name == "examples.js")
        for name in ("operations.js", "examples.js")
    )


@pytest.mark.parametrize(("name", "document"), ON_PAGE, ids=[re.split(r"\W", text)[1] for _, text in ON_PAGE])
def test_what_the_page_asks_fits_the_schema(name: str, document: str, schema: GraphQLSchema) -> None:
    assert validate(schema, parse(document)) == []


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A service on the simulator, in a process of its own."""
    command = [sys.executable, "-m", "trio_ibtws", "serve", "--simulate", "--bind", "127.0.0.1:0", "--enable-trading"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TRIO_IBTWS_TOKEN": TOKEN}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        try:
            found = re.search(r"http://127\.0\.0\.1:\d+/graphql", process.stdout.readline())
            assert found, f"the service ended with {process.wait(DEADLINE)}"
            yield found[0]
        finally:
            process.kill()


def run_client(client: str, url: str, request: str, *arguments: str, token: str = TOKEN) -> list[dict[str, object]]:
    """Run a client to its end; what it printed."""
    done = subprocess.run(
        [*CLIENTS[client], str(EXAMPLES / f"{request}.graphql"), *arguments, "--url", url],
        env={**os.environ, "TRIO_IBTWS_TOKEN": token},
        capture_output=True,
        encoding="utf-8",
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("client", CLIENTS)
def test_current_time(client: str, url: str) -> None:
    [answer] = run_client(client, url, "current_time")
    assert isinstance(seconds := answer["reqCurrentTime"], int)
    assert 1357570800 <= seconds < 1357570800 + 600


@pytest.mark.parametrize(("client", "symbol"), list(zip(CLIENTS, ["IBM", "MSFT"], strict=False)))
def test_historical_data(client: str, symbol: str, url: str) -> None:
    [answer] = run_client(client, url, "historical_data", f"symbol={symbol}", "duration=1 W")
    bars = answer["reqHistoricalData"]
    assert isinstance(bars, list)
    assert [bar["date"] for bar in bars] == ["20130102", "20130103", "20130104", "20130107"]
    assert all(bar["low"] <= bar["close"] <= bar["high"] for bar in bars)


@pytest.mark.parametrize(("client", "symbol"), list(zip(CLIENTS, ["AAPL", "GOOG"], strict=False)))
def test_historical_data_stream(client: str, symbol: str, url: str) -> None:
    answers = run_client(client, url, "historical_data_stream", f"symbol={symbol}", "duration=600 S", "--count=15")
    names = [str(event["__typename"]) for answer in answers if isinstance(event := answer["reqHistoricalData"], dict)]
    assert len(names) == 15
    end = names.index("EndOfSnapshot")
    assert set(names[:end]) == set(names[end + 1 :]) == {"BarData"}


@pytest.mark.parametrize("client", CLIENTS)
def test_tick_by_tick(client: str, url: str) -> None:
    answers = run_client(client, url, "tick_by_tick", "--count=3")
    for answer in answers:
        tick = answer["reqTickByTickData"]
        assert isinstance(tick, dict)
        assert tick["__typename"] == "TickByTickBidAsk"
        assert 1 < tick["bidPrice"] <= tick["askPrice"] < 1.3
    assert len(answers) == 3


@pytest.mark.parametrize("client", CLIENTS)
def test_place_order(client: str, url: str) -> None:
    [answer] = run_client(client, url, "place_order", "limit=400", "quantity=3", f"ref={client}-1")
    outcome = answer["placeOrder"]
    assert isinstance(outcome, dict)
    assert outcome["__typename"] == "Accepted"
    [again] = run_client(client, url, "place_order", "limit=400", "quantity=3", f"ref={client}-1")
    assert again == answer


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("request_name", ["current_time", "tick_by_tick"])
def test_a_wrong_token_is_said(client: str, request_name: str, url: str) -> None:
    with pytest.raises(AssertionError, match="refused: "):
        run_client(client, url, request_name, token="not-the-token-of-this-service")
