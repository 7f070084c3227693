"""What is beside ``/graphql``: the page, its headers, health and metrics; and the app on another server's terms."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from tests.graphql.harness import open_service
from tests.graphql.websocket_client import open_socket
from trio_ibtws.graphql._page import page_files

pytestmark = pytest.mark.anyio


async def test_the_page_is_served_without_a_token_and_keeps_everything_foreign_out() -> None:
    async with open_service() as service:
        answer = await service.ask(method="GET", path="/", authorization=None)
        assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        policy = answer.headers["content-security-policy"]
        for part in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'none'"):
            assert part in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert int(answer.headers["content-length"]) == len(answer.body) > 0


async def test_every_file_of_the_page_is_served_with_its_type_and_asked_for_again_only_when_it_changed() -> None:
    async with open_service() as service:
        for path, file in page_files().items():
            answer = await service.ask(method="GET", path=path, authorization=None)
            assert (answer.status, answer.body) == (200, file.body)
            assert answer.headers["content-type"].startswith(file.media)
            again = await service.ask(method="GET", path=path, if_none_match=answer.headers["etag"])
            assert (again.status, again.body) == (304, b"")
        head = await service.ask(method="HEAD", path="/")
        assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/page",
        "/page/",
        "/page/../_auth.py",
        "/page/%2e%2e/_auth.py",
        "/page//etc/passwd",
        "/page/index.html%00",
        "/graphql/",
        "/GRAPHQL",
        "//",
        "/favicon",
    ],
)
async def test_nothing_else_is_served(path: str) -> None:
    async with open_service() as service:
        answer = await service.ask(method="GET", path=path)
        assert (answer.status, answer.code) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics"])
async def test_what_is_read_is_read_by_get(path: str) -> None:
    async with open_service() as service:
        answer = await service.ask({}, path=path)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_health_is_that_of_the_connection_to_tws() -> None:
    async with open_service() as service:
        answer = await service.ask(method="GET", path="/healthz", authorization=None)
        assert (answer.status, answer.json) == (200, {"status": "ok"})
        service.alive = False
        answer = await service.ask(method="GET", path="/healthz", authorization=None)
        assert (answer.status, answer.json) == (503, {"status": "no connection"})


async def test_metrics_count_what_happens() -> None:
    async with open_service() as service:
        async with open_socket(service) as socket:
            await socket.subscribe("subscription { count(to: 2) { seq } }")
            for _ in range(3):
                await socket.hear()
            await service.query("{ hello }")
            await service.query("{ boom }")
            await service.query("{ nothing }")
            text = (await service.ask(method="GET", path="/metrics")).body.decode()
        lines = set(text.splitlines())
        for line in (
            'trio_ibtws_graphql_operations_total{kind="query",outcome="ok"} 1.0',
            'trio_ibtws_graphql_operations_total{kind="query",outcome="errors"} 1.0',
            'trio_ibtws_graphql_operations_total{kind="subscription",outcome="opened"} 1.0',
            'trio_ibtws_graphql_responses_total{status="200"} 3.0',
            "trio_ibtws_graphql_events_total 2.0",
            "trio_ibtws_graphql_sockets 1.0",
            "trio_ibtws_graphql_subscriptions 0.0",
            "trio_ibtws_frames_in_total 1.0",
            "trio_ibtws_open_requests 1.0",
        ):
            assert line in lines, line


async def test_two_apps_have_counters_of_their_own() -> None:
    async with open_service() as one, open_service() as other:
        await one.query("{ hello }")
        text = (await other.ask(method="GET", path="/metrics")).body.decode()
        assert 'kind="query"' not in text


async def test_the_app_runs_without_a_server_of_ours() -> None:
    """ASGI as the specification has it: one event in, two out, and the end told by the server."""
    async with open_service() as service:
        send_events, receive_events = anyio.create_memory_object_stream[dict[str, Any]](8)
        sent: list[Any] = []
        scope = {
            "type": "http", "method": "GET", "path": "/healthz", "scheme": "http", "query_string": b"",
            "headers": [(b"host", b"localhost:9")], "server": ("127.0.0.1", 9), "client": ("127.0.0.1", 1),
        }  # fmt: skip

        async def send(message: Any) -> None:
            sent.append(message)
            if message["type"] == "http.response.body":
                await send_events.send({"type": "http.disconnect"})

        with send_events, receive_events:
            await send_events.send({"type": "http.request", "body": b"", "more_body": False})
            await service.app(scope, receive_events.receive, send)
        assert [each["type"] for each in sent] == ["http.response.start", "http.response.body"]
        assert sent[0]["status"] == 200
