"""Who may ask: tokens, hosts, origins, CORS."""

from __future__ import annotations

import pytest

from tests.graphql.harness import PLENTY, TOKEN, open_service
from tests.graphql.websocket_client import open_socket
from trio_ibtws.graphql._auth import Bucket, Gate, check_token, is_loopback

HELLO = {"query": "{ hello }"}
DESK = "https://desk.example"


class Clock:
    """Time that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


# --- over sockets ------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer wrong", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x"]
)
async def test_without_the_token_nothing_is_answered(authorization: str | None) -> None:
    async with open_service() as service:
        for path in ("/graphql", "/metrics"):
            method = "POST" if path == "/graphql" else "GET"
            answer = await service.ask(HELLO, path=path, method=method, authorization=authorization)
            assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert (await service.ask(HELLO, authorization=f"bearer  {TOKEN} ")).status == 200


@pytest.mark.anyio
async def test_after_five_wrong_tokens_the_sixth_is_429_and_the_right_one_still_right() -> None:
    async with open_service() as service:
        async with open_socket(service, init=False) as socket:
            await socket.say(type="connection_init", payload={"authorization": "Bearer wrong"})
            assert await socket.closed() == 4403
        statuses = [(await service.ask(HELLO, authorization="Bearer wrong")).status for _ in range(4)]
        assert statuses == [401] * 4
        answer = await service.ask(HELLO, authorization="Bearer wrong")
        assert (answer.status, answer.code) == (429, "BUSY")
        assert 0 < int(answer.headers["retry-after"]) <= 60
        await service.still_serves()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", "", ":{port}"],
)
async def test_a_strange_host_is_refused_before_all_else(host: str) -> None:
    async with open_service() as service:
        for path in ("/", "/graphql", "/healthz", "/nothing"):
            answer = await service.ask(HELLO, path=path, host=host.format(port=service.port))
            assert (answer.status, answer.code) == (421, "WRONG_HOST")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "host", ["localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}", "tws.example", "tws.example:8443"]
)
async def test_hosts_of_this_machine_and_those_that_were_named_are_served(host: str) -> None:
    async with open_service(hosts=("TWS.example",)) as service:
        assert (await service.ask(HELLO, host=host.format(port=service.port))).status == 200


@pytest.mark.anyio
async def test_pages_of_other_origins_are_refused_and_those_that_were_named_may_read() -> None:
    async with open_service(cors=(DESK,)) as service:
        for origin in ("https://evil.example", "null", "http://desk.example", f"{DESK}.evil.example", ""):
            answer = await service.ask(HELLO, origin=origin)
            assert (answer.status, answer.code) == (403, "WRONG_ORIGIN")
            assert "access-control-allow-origin" not in answer.headers
        own = await service.ask(HELLO, origin=f"http://127.0.0.1:{service.port}")
        assert own.status == 200
        assert not [name for name in own.headers if name.startswith("access-control")]
        for body in (HELLO, {"query": "{"}, b"{"):
            answer = await service.ask(body, origin=DESK)
            assert answer.headers["access-control-allow-origin"] == DESK
            assert answer.headers["vary"] == "origin"


@pytest.mark.anyio
async def test_a_preflight_is_answered_for_the_named_origins_only() -> None:
    async with open_service(cors=(DESK,)) as service:
        answer = await service.ask(
            method="OPTIONS", origin=DESK, authorization=None, access_control_request_method="POST"
        )
        assert answer.status == 204
        assert answer.headers["access-control-allow-headers"] == "authorization, content-type, accept"
        assert answer.headers["access-control-allow-methods"] == "POST, OPTIONS"
        assert (await service.ask(method="OPTIONS", origin="https://evil.example", authorization=None)).status == 403
        plain = await service.ask(method="OPTIONS", authorization=None)
        assert (plain.status, plain.headers["allow"]) == (204, "POST, OPTIONS")
        assert not [name for name in plain.headers if name.startswith("access-control")]


TRADE_TOKEN = "another-token-that-is-for-trading"
PLACE = {"query": 'mutation { place(name: "one") }'}
REFUSED = {"message": "place takes the token for trading", "extensions": {"code": "FORBIDDEN"}}


@pytest.mark.anyio
async def test_with_a_token_for_trading_the_other_one_only_reads() -> None:
    async with open_service(trade_token=TRADE_TOKEN) as service:
        for token in (TOKEN, TRADE_TOKEN):
            assert (await service.ask(HELLO, authorization=f"Bearer {token}")).status == 200
            answer = await service.ask(path="/metrics", method="GET", authorization=f"Bearer {token}")
            assert answer.status == 200
        for accept in ("*/*", "application/graphql-response+json", "text/event-stream"):
            answer = await service.ask(PLACE, accept=accept)
            assert (answer.status, answer.json["errors"]) == (403, [REFUSED])
        async with open_socket(service) as socket:
            await socket.subscribe(PLACE["query"])
            assert await socket.hear() == {"id": "1", "type": "error", "payload": [REFUSED]}
        assert service.engine.log == []
        answer = await service.ask(PLACE, authorization=f"Bearer {TRADE_TOKEN}")
        assert answer.json == {"data": {"place": "one"}}
        async with open_socket(service, init=False) as socket:
            await socket.say(type="connection_init", payload={"authorization": f"Bearer {TRADE_TOKEN}"})
            assert await socket.hear() == {"type": "connection_ack"}
            await socket.subscribe(PLACE["query"])
            assert (await socket.hear())["payload"] == {"data": {"place": "one"}}


@pytest.mark.anyio
async def test_each_token_has_limits_of_its_own() -> None:
    slow = PLENTY.__class__(requests_per_second=0.01, requests_burst=2)
    async with open_service(limits=slow, trade_token=TRADE_TOKEN) as service:
        assert [(await service.ask(HELLO)).status for _ in range(3)] == [200, 200, 429]
        assert (await service.ask(PLACE, authorization=f"Bearer {TRADE_TOKEN}")).status == 200


# --- the parts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "x" * 15, "é" * 16, "a token with spaces in it", "x" * 16 + "\n"])
def test_a_token_that_can_be_guessed_or_cannot_be_sent_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="a token has"):
        check_token(token)


def test_two_tokens_are_two() -> None:
    with pytest.raises(ValueError, match="is the same as the other one"):
        Gate(TOKEN, PLENTY, cors=(), hosts=(), clock=Clock(), trade_token=TOKEN)
    with pytest.raises(ValueError, match="a token has at least"):
        Gate(TOKEN, PLENTY, cors=(), hosts=(), clock=Clock(), trade_token="short")


def test_failures_are_forgotten_after_a_minute_and_counted_for_each_address() -> None:
    clock = Clock()
    gate = Gate(TOKEN, PLENTY, cors=(), hosts=(), clock=clock)
    assert [gate._note_failure("a") for _ in range(5)] == [0] * 5
    assert gate._note_failure("a") == 60
    assert gate._note_failure("b") == 0
    clock.now = 59
    assert gate._note_failure("a") == 1
    clock.now = 60
    assert gate._note_failure("a") == 0


def test_a_crowd_of_addresses_takes_no_more_memory() -> None:
    gate = Gate(TOKEN, PLENTY, cors=(), hosts=(), clock=Clock())
    for number in range(5000):
        gate._note_failure(str(number))
    assert len(gate._failures) == 1024


def test_a_bucket_refills() -> None:
    clock = Clock()
    bucket = Bucket(2, 3, clock)
    assert [bucket.take() for _ in range(3)] == [0, 0, 0]
    assert bucket.take() == 0.5
    clock.now = 0.5
    assert [bucket.take(), bucket.take()] == [0, 0.5]
    clock.now = 100
    assert [bucket.take() > 0 for _ in range(4)] == [False, False, False, True]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.com", False),
    ],
)
def test_what_only_this_machine_reaches(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback
