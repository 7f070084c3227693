"""GraphQL over HTTP on both workers: what is answered, and with which status what is not."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import anyio
import pytest
import sniffio

from tests.graphql.harness import TOKEN, Answer, Running, open_service, read_until, until
from tests.graphql.websocket_client import open_socket

pytestmark = pytest.mark.anyio

HELLO = {"query": "{ hello }"}
RESPONSE_JSON = "application/graphql-response+json"
PLACE = {"query": 'mutation { place(name: "one") }'}

# --- what is answered --------------------------------------------------------------------------------------------


async def test_queries_and_mutations_are_answered() -> None:
    async with open_service() as service:
        asked = {
            "query": "query Q($name: String) { hello(name: $name) }",
            "variables": {"name": "é"},
            "operationName": "Q",
        }
        answer = await service.ask(asked)
        assert (answer.status, answer.json) == (200, {"data": {"hello": "hello é"}})
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert (await service.ask(PLACE)).json == {"data": {"place": "one"}}


async def test_many_requests_share_a_connection() -> None:
    async with open_service() as service, await service.connect() as stream:
        request = service.request(json.dumps(HELLO).encode())
        for _ in range(3):
            await stream.send(request)
            answer = Answer.read(await read_until(stream, b"}}"))
            assert answer.json == {"data": {"hello": "hello world"}}


@pytest.mark.parametrize(
    ("accept", "status", "media"),
    [
        (None, 200, "application/json"),
        ("*/*", 200, "application/json"),
        ("application/*;q=0.1", 200, "application/json"),
        (RESPONSE_JSON, 400, RESPONSE_JSON),
        (f"application/json;q=0.5, {RESPONSE_JSON}", 400, RESPONSE_JSON),
        (f"{RESPONSE_JSON};q=0.1, application/json", 200, "application/json"),
        (f"{RESPONSE_JSON};q=nan, application/json;q=x", 406, "application/json"),
        ("text/html", 406, "application/json"),
    ],
)
async def test_the_media_type_says_how_a_refusal_is_answered(accept: str | None, status: int, media: str) -> None:
    async with open_service() as service:
        answer = await service.ask({"query": "{ nothing }"}, accept=accept)
        assert answer.status == status
        assert answer.headers["content-type"] == f"{media}; charset=utf-8"
        assert answer.json["errors"][0]["message"]
        assert "data" not in answer.json


async def test_an_error_that_nobody_meant_for_the_public_is_masked() -> None:
    async with open_service() as service:
        answer = await service.ask({"query": "{ boom }"})
        assert (answer.status, answer.code) == (200, "INTERNAL")
        assert b"secret" not in answer.body


async def test_a_query_has_its_time() -> None:
    async with open_service(operation_seconds=0.1) as service:
        answer = await service.ask({"query": "{ slow }"}, accept=RESPONSE_JSON)
        assert (answer.status, answer.code, answer.json["data"]) == (200, "TIMEOUT", None)
        assert service.engine.log == ["slow began", "slow ended"]


# --- GET ---------------------------------------------------------------------------------------------------------


async def test_get_is_off_unless_switched_on_and_then_for_queries_only() -> None:
    path = f"/graphql?{urlencode({'query': '{ hello }'})}"
    async with open_service() as service:
        answer = await service.ask(method="GET", path=path)
        assert (answer.status, answer.headers["allow"]) == (405, "POST, OPTIONS")
    async with open_service(by_get=True) as service:
        assert (await service.ask(method="GET", path=path)).json == {"data": {"hello": "hello world"}}
        mutation = await service.ask(method="GET", path=f"/graphql?{urlencode(PLACE)}")
        assert (mutation.status, mutation.headers["allow"]) == (405, "POST, OPTIONS")
        assert service.engine.log == []
        for query in ("query=%FF", "query=a%00", "variables=%7B", "&".join("abcdefghijklmnopqrstuvwxyz"), ""):
            assert (await service.ask(method="GET", path=f"/graphql?{query}")).status == 400


# --- what is not answered ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "HEAD", "PROPFIND"])
async def test_other_methods_are_refused(method: str) -> None:
    async with open_service() as service:
        answer = await service.ask(HELLO, method=method)
        assert (answer.status, answer.headers["allow"]) == (405, "POST, OPTIONS")


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/graphql",
        "application/json; charset=utf-16",
    ],
)
async def test_only_json_is_taken(content_type: str | None) -> None:
    async with open_service() as service:
        answer = await service.ask(HELLO, content_type=content_type)
        assert (answer.status, answer.code) == (415, "UNSUPPORTED_MEDIA_TYPE")
        assert (await service.ask(HELLO, content_encoding="gzip")).status == 415


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"1",
        b'"{ hello }"',
        b"{}",
        b'{"query": null}',
        b'{"query": 1}',
        b'{"query": ["{ hello }"]}',
        b'{"query": "{ hello }", "variables": []}',
        b'{"query": "{ hello }", "operationName": 1}',
        b'{"query": "{ hello }", "extensions": "x"}',
        b'[{"query": "{ hello }"}]',
        b'{"query": "\xff"}',
        b'{"query": "\xc3"}',
        b'{"query": "{ hello(name: \\"\\ud800\\") }"}',
        b'{"query": "{ hello }\\u0000{"}',
        b'{"query": "{ hello }", "variables": {"a": ["\\u0000"]}}',
        b'{"query": "{ hello }", "variables": {"\\u0000": 1}}',
        b'{"query": "{ hello }", "variables": {"a": NaN}}',
        b"\xef\xbb\xbf" + b'{"query": "{ hello }"}',
        b"[" * 30_000,
        b'{"a":' * 10_000,
    ],
)
async def test_what_is_no_request_is_400(body: bytes) -> None:
    async with open_service() as service:
        for accept in ("application/json", RESPONSE_JSON, "text/event-stream"):
            answer = await service.ask(body, accept=accept)
            assert (answer.status, answer.code) == (400, "BAD_REQUEST")


async def test_a_body_has_a_size() -> None:
    async with open_service(body_bytes=1000) as service:
        fits = json.dumps(HELLO).ljust(1000).encode()
        assert (await service.ask(fits)).status == 200
        assert (await service.ask(fits + b" ")).status == 413
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(fits) + 1, fits + b" ")
        assert (await service.ask(chunked, transfer_encoding="chunked", content_length=None)).status == 413
        huge = await service.ask(b"x", content_length="99999999999999999999")
        assert huge.status == 413


async def test_a_body_has_its_time() -> None:
    async with open_service(body_seconds=0.1) as service:
        for headers in ({"content_length": "2"}, {"transfer_encoding": "chunked", "content_length": None}):
            answer = await service.ask(b"1", **headers)
            assert (answer.status, answer.code) == (408, "TIMEOUT")
            assert answer.headers["connection"] == "close"


async def test_an_answer_reaches_a_client_that_is_still_sending() -> None:
    """What is sent after the answer is read and thrown away, or the network would throw the answer away."""
    async with open_service(body_bytes=1000) as service:
        answer = await service.ask(b"x" * 2_000_000)
        assert answer.status == 413
        refused = await service.ask(b"x" * 2_000_000, authorization="Bearer wrong")
        assert refused.status == 401


async def test_a_subscription_needs_a_stream() -> None:
    async with open_service() as service:
        answer = await service.ask({"query": "subscription { count { seq } }"})
        assert (answer.status, answer.code) == (406, "NOT_ACCEPTABLE")


# --- how much ----------------------------------------------------------------------------------------------------


async def test_the_rate_has_a_limit() -> None:
    async with open_service(requests_per_second=0.01, requests_burst=2) as service:
        assert [(await service.ask(HELLO)).status for _ in range(3)] == [200, 200, 429]
        answer = await service.ask(HELLO, accept="text/event-stream")
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (429, "RATE_LIMITED", "1")


async def test_the_rate_of_mutations_has_a_limit_of_its_own() -> None:
    async with open_service(mutations_per_second=0.01, mutations_burst=1) as service:
        assert [(await service.ask(PLACE)).status for _ in range(2)] == [200, 429]
        assert (await service.ask(HELLO)).status == 200
        assert service.engine.log.count("placed one") == 1


async def test_so_many_operations_run_at_once_and_the_next_waits_for_its_turn() -> None:
    placed = anyio.Event()
    async with open_service(operations=1, turn_seconds=0.3) as service:
        service.engine.placing = placed.wait
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(service.ask, PLACE)
            await until(lambda: service.engine.log)
            assert (await service.ask(HELLO)).code == "BUSY"
            placed.set()
        await service.still_serves()


CANCEL = {"query": "mutation { cancelOrder(orderId: 1) }"}


async def test_what_reduces_risk_waits_behind_nothing() -> None:
    """Neither for a place among the operations, nor for their rate."""
    placed = anyio.Event()
    async with open_service(operations=1, turn_seconds=30, requests_per_second=0.01, requests_burst=2) as service:
        service.engine.placing = placed.wait
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(service.ask, PLACE)
            await until(lambda: service.engine.log)
            assert (await service.ask(CANCEL)).status == 200
            assert [(await service.ask(HELLO)).status for _ in range(9)] == [429] * 9
            assert [(await service.ask(CANCEL)).status for _ in range(3)] == [200, 200, 429]
            placed.set()
        assert service.engine.log.count("cancelled 1") == 3


async def test_a_mutation_without_an_outcome_ends_with_the_word_that_there_is_none() -> None:
    async with open_service(mutation_seconds=0.1) as service:
        service.engine.placing = anyio.sleep_forever
        answer = await service.ask(PLACE)
        assert answer.code == "TIMEOUT"
        await service.still_serves()


TOO_LARGE = {"message": "bytes in the response: 101, the limit is 100", "extensions": {"code": "LIMIT_EXCEEDED"}}


async def test_an_answer_has_a_size_whatever_is_in_it() -> None:
    async with open_service(response_bytes=100) as service:
        size = 100 - len('{"data":{"long":""}}')
        assert len((await service.ask({"query": f"{{ long(size: {size}) }}"})).body) == 100
        query = f"{{ long(size: {size + 1}) }}"
        response = {"data": None, "errors": [TOO_LARGE]}
        answer = await service.ask({"query": query}, accept=RESPONSE_JSON)
        assert (answer.status, answer.json) == (200, response)
        streamed = await service.ask({"query": query}, accept="text/event-stream")
        assert json.dumps(response, separators=(",", ":")) in streamed.body.decode()
        async with open_socket(service) as socket:
            await socket.subscribe(query)
            assert (await socket.hear())["payload"] == response


# --- leaving -----------------------------------------------------------------------------------------------------


async def leave(service: Running, body: dict[str, str]) -> None:
    """Send a request, wait until it is worked on, and hang up."""
    async with await service.connect() as stream:
        await stream.send(service.request(json.dumps(body).encode()))
        await until(lambda: service.engine.log)


async def test_a_query_whose_client_leaves_is_cancelled() -> None:
    async with open_service() as service:
        await leave(service, {"query": "{ slow }"})
        await until(lambda: service.engine.log == ["slow began", "slow ended"])


async def test_a_mutation_whose_client_leaves_goes_on() -> None:
    placed = anyio.Event()
    async with open_service() as service:
        service.engine.placing = placed.wait
        await leave(service, PLACE)
        await service.still_serves()
        assert service.engine.log == ["placing one"]
        placed.set()
        await until(lambda: "placed one" in service.engine.log)


async def test_a_mutation_goes_on_when_the_asyncio_task_of_its_request_is_cancelled() -> None:
    """Not even a cancel from outside, which no shield of anyio holds, ends it with the one who asked."""
    if sniffio.current_async_library() != "asyncio":
        return  # cancelling a task from outside is asyncio's own
    placed = anyio.Event()
    async with open_service() as service:
        await service.still_serves()  # so the server has begun
        service.engine.placing = placed.wait
        task = asyncio.ensure_future(in_memory(service, PLACE))
        await until(lambda: service.engine.log)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert service.engine.log == ["placing one"]
        placed.set()
        await until(lambda: "placed one" in service.engine.log)


async def in_memory(service: Running, body: dict[str, str]) -> None:
    """Ask without a server in between."""
    request = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]
    scope = {
        "type": "http", "method": "POST", "path": "/graphql", "scheme": "http", "query_string": b"",
        "headers": [
            (b"host", b"localhost:9"),
            (b"authorization", f"Bearer {TOKEN}".encode()),
            (b"content-type", b"application/json"),
        ],
        "server": ("127.0.0.1", 9), "client": ("127.0.0.1", 1),
    }  # fmt: skip

    async def receive() -> Any:
        return request.pop() if request else await anyio.sleep_forever()

    async def send(message: Any) -> None:
        raise AssertionError(message)

    await service.app(scope, receive, send)


async def test_when_the_service_ends_a_query_is_cancelled_and_its_client_told() -> None:
    async with open_service() as service, anyio.create_task_group() as tasks:
        answers: list[Answer] = []

        async def ask() -> None:
            answers.append(await service.ask({"query": "{ slow }"}))

        tasks.start_soon(ask)
        await until(lambda: service.engine.log)
        service.stopping.set()
        await until(lambda: answers)
        assert answers[0].code == "SHUTTING_DOWN"
        assert service.engine.log == ["slow began", "slow ended"]


async def test_when_the_service_ends_a_mutation_has_a_moment_for_its_outcome() -> None:
    async with open_service() as service, anyio.create_task_group() as tasks:
        answers: list[Answer] = []
        placed = anyio.Event()
        service.engine.placing = placed.wait

        async def ask() -> None:
            answers.append(await service.ask(PLACE))

        tasks.start_soon(ask)
        tasks.start_soon(service.ask, {"query": "{ slow }"})
        await until(lambda: len(service.engine.log) == 2)
        service.stopping.set()
        await until(lambda: "slow ended" in service.engine.log)  # so a query's time is over
        placed.set()
        await until(lambda: answers)
        assert answers[0].json == {"data": {"place": "one"}}


async def test_when_the_service_ends_a_mutation_does_not_hold_it_up() -> None:
    async with open_service() as service:
        service.engine.placing = anyio.sleep_forever
        with service.mute(service.request(json.dumps(PLACE).encode())):
            await until(lambda: service.engine.log)
            began = anyio.current_time()
            service.stopping.set()
            await service.stopped.wait()
            assert anyio.current_time() - began < 15  # five on a machine that does nothing else
            assert service.engine.log[-1] == "done with one"
