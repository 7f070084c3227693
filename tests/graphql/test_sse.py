"""Server-sent events on both workers: responses as events, and the ends of a stream."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from anyio.abc import SocketStream

from tests.graphql.harness import Running, open_service, read_all, read_until, settled, until

pytestmark = pytest.mark.anyio

EVENTS = "text/event-stream"


def events(body: bytes) -> list[tuple[str, Any]]:
    """Return the events in a body, comments left out."""
    found = []
    for block in body.decode().split("\n\n"):
        if block.startswith("event: "):
            kind, data = block.split("\n")
            text = data.removeprefix("data: ")
            found.append((kind.removeprefix("event: "), json.loads(text) if text.strip() else None))
    return found


@asynccontextmanager
async def open_stream(service: Running, query: str) -> AsyncIterator[SocketStream]:
    """Ask for a stream, for a block."""
    async with await service.connect() as stream:
        await stream.send(service.request(json.dumps({"query": query}).encode(), accept=EVENTS))
        yield stream


async def test_operations_of_every_kind_are_streams() -> None:
    async with open_service() as service:
        answer = await service.ask({"query": "subscription { count(to: 2) { seq } }"}, accept=EVENTS)
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        expected = [("next", {"data": {"count": {"seq": number}}}) for number in range(2)]
        assert events(answer.body) == [*expected, ("complete", None)]
        hello = await service.ask({"query": "{ hello }"}, accept=EVENTS)
        assert events(hello.body) == [("next", {"data": {"hello": "hello world"}}), ("complete", None)]


@pytest.mark.parametrize("query", ["{ nothing }", "{", "subscription { refused { seq } }"])
async def test_what_graphql_refuses_is_an_event(query: str) -> None:
    async with open_service() as service:
        answer = await service.ask({"query": query}, accept=EVENTS)
        assert answer.status == 200
        [(kind, response), end] = events(answer.body)
        assert (kind, end) == ("next", ("complete", None))
        assert response["errors"][0]["message"]
        assert "data" not in response


async def test_a_source_that_breaks_is_the_last_event_and_its_error_masked() -> None:
    async with open_service() as service:
        answer = await service.ask({"query": "subscription { broken { seq } }"}, accept=EVENTS)
        [_, (kind, response), end] = events(answer.body)
        assert (kind, end) == ("next", ("complete", None))
        assert response["errors"][0]["extensions"]["code"] == "INTERNAL"
        assert b"secret" not in answer.body


async def test_hanging_up_ends_the_subscription() -> None:
    async with open_service() as service:
        async with open_stream(service, "subscription { forever { seq } }") as stream:
            await read_until(stream, b"event: next")
            assert service.engine.streams == 1
        await until(lambda: service.engine.streams == 0)
        await service.still_serves()


async def test_a_subscriber_that_does_not_read_stops_the_source_instead_of_filling_the_memory() -> None:
    async with open_service() as service:
        body = b'{"query": "subscription { forever(size: 20000) { seq pad } }"}'
        with service.mute(service.request(body, accept=EVENTS)):
            await until(lambda: service.engine.streams)
            produced = await settled(lambda: service.engine.produced)
            assert produced * 20_000 < 20_000_000  # what the kernel takes, and no more
        await until(lambda: service.engine.streams == 0)


async def test_silence_is_filled_with_comments() -> None:
    async with open_service(ping_seconds=0.05) as service:
        async with open_stream(service, "{ slow }") as stream:
            data = await read_until(stream, b":\n\n")
            data += await read_until(stream, b":\n\n")
            assert b"event:" not in data


async def test_when_the_service_ends_so_does_the_stream() -> None:
    async with open_service() as service:
        async with open_stream(service, "subscription { forever { seq } }") as stream:
            await read_until(stream, b"event: next")
            service.stopping.set()
            data = await read_all(stream)
            assert 0 < data.find(b'"code":"SHUTTING_DOWN"') < data.find(b"event: complete")
        assert service.engine.streams == 0


async def test_streams_have_a_limit() -> None:
    async with open_service(sockets=1) as service:
        async with open_stream(service, "subscription { forever { seq } }") as stream:
            await read_until(stream, b"event: next")
            answer = await service.ask({"query": "subscription { forever { seq } }"}, accept=EVENTS)
            assert (answer.status, answer.code) == (503, "BUSY")
