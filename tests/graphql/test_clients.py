"""Third parties' clients, in Python and JavaScript, and an audit, against the service on both workers."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.graphql.harness import TOKEN, open_service, open_tws_service, until

pytestmark = pytest.mark.anyio

MINUTE = 60.0
SESSION = Path(__file__).with_name("gql_session.py")


async def node(script: Path, url: str) -> list[Any]:
    """Run a script of npm's and return the lines of JSON that it prints."""
    return await run("node", str(script), url, TOKEN)


async def run(*command: str) -> list[Any]:
    """Run a client and return the lines of JSON that it prints."""
    with anyio.fail_after(MINUTE):
        done = await anyio.run_process(command, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


# --- the audit ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_get", [True, False], ids=["get", "post-only"])
async def test_graphql_http_finds_nothing_that_must_or_should_be_otherwise(
    npm: Path, by_get: bool, record_property: Any
) -> None:
    async with open_service(by_get=by_get) as service:
        results = await node(npm / "audit.mjs", service.url)
    assert len(results) == 61
    found = {kind: [each for each in results if each["name"].startswith(kind)] for kind in ("MUST", "SHOULD", "MAY")}
    scores = {kind: Counter(each["status"] for each in audits) for kind, audits in found.items()}
    for kind, score in scores.items():
        record_property(f"audit {kind}", dict(score))
    wrong = [f"{each['name']}: {each['reason']}" for each in results if each["status"] != "ok"]
    assert scores["MUST"] == {"ok": len(found["MUST"])}, wrong
    assert scores["SHOULD"]["ok"] >= len(found["SHOULD"]) - 2, wrong


# --- JavaScript --------------------------------------------------------------------------------------------------


async def test_graphql_ws(npm: Path) -> None:
    async with open_service() as service:
        [seen] = await node(npm / "ws.mjs", service.url.replace("http", "ws"))
        await until(lambda: service.engine.streams == 0)
    assert seen["query"] == [{"data": {"hello": "hello ws"}}]
    assert seen["count"] == [{"data": {"count": {"seq": number}}} for number in range(3)]
    assert len(seen["left"]) == 2
    assert "nothing" in seen["refused"][0]["message"]
    assert seen["forbidden"] == 4403


async def test_graphql_sse(npm: Path) -> None:
    async with open_service() as service:
        [seen] = await node(npm / "sse.mjs", service.url)
        await until(lambda: service.engine.streams == 0)
    assert seen["query"] == [{"data": {"hello": "hello sse"}}]
    assert seen["count"] == [{"data": {"count": {"seq": number}}} for number in range(3)]
    assert len(seen["left"]) == 2
    assert "nothing" in seen["refused"][0]["errors"][0]["message"]
    assert seen["forbidden"] == 401


async def test_graphql_js_reads_the_schema_of_tws(npm: Path) -> None:
    async with open_tws_service() as service:
        [seen] = await node(npm / "schema.mjs", service.url)
    assert seen["errors"] == []
    assert seen["types"] > 100


# --- Python ------------------------------------------------------------------------------------------------------


async def test_gql() -> None:
    async with open_service() as service:
        [seen] = await run(sys.executable, str(SESSION), service.url, TOKEN)
        await until(lambda: service.engine.streams == 0)
    assert seen["query"] == {"hello": "hello http"}
    assert seen["mutation"] == {"place": "http"}
    assert "nothing" in seen["refused"][0]["message"]
    assert seen["socket"] == {"hello": "hello socket"}
    assert seen["count"] == [{"count": {"seq": number}} for number in range(3)]
    assert len(seen["left"]) == 2


async def test_gql_reads_the_schema_of_tws() -> None:
    async with open_tws_service() as service:
        [seen] = await run(sys.executable, str(SESSION), service.url, TOKEN, "schema")
    assert seen["queries"] > 20
    assert seen["time"]["reqCurrentTime"]
