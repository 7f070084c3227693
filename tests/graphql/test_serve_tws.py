"""``serve`` beside a real session with the simulator: what ends when, TLS, and what may not be served."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import ByteStream, SocketStream, TaskStatus
from anyio.streams.tls import TLSStream

from tests.graphql import harness
from tests.graphql.harness import LONG, PLENTY, TOKEN, open_tws_service, until
from tests.graphql.standin import StandIn
from tests.graphql.websocket_client import open_socket
from trio_ibtws import Client, ConnectionLost, open_client, open_simulator
from trio_ibtws.graphql import serve
from trio_ibtws.graphql._app import App
from trio_ibtws.graphql._auth import Gate
from trio_ibtws.graphql._hypercorn import bound_worker, check_version
from trio_ibtws.graphql._metrics import Metrics
from trio_ibtws.graphql._serve import parse_bind
from trio_ibtws.graphql._service import Service
from trio_ibtws.graphql._worker import listen

pytestmark = pytest.mark.anyio

AAPL = '{ symbol: "AAPL", secType: "STK", exchange: "SMART", currency: "USD" }'
QUOTES = f"subscription {{ reqMktData(contract: {AAPL}, OPTIONS) {{ __typename }} }}"


async def get(url: str, path: str, *, tls: ssl.SSLContext | None = None) -> bytes:
    """Return the answer to a GET."""
    host, _, port = url.partition("://")[2].rpartition(":")
    plain = await anyio.connect_tcp(host.strip("[]"), int(port))
    stream: ByteStream = plain
    if tls is not None:
        stream = await TLSStream.wrap(plain, hostname="127.0.0.1", ssl_context=tls, standard_compatible=False)
    async with stream:
        await stream.send(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        data = b""
        with anyio.fail_after(LONG):
            while b"}" not in data:
                data += await stream.receive()
        return data


@asynccontextmanager
async def open_session() -> AsyncIterator[tuple[Any, Client]]:
    async with open_simulator(port=None) as sim:
        async with open_client(stream=await sim.connect(), client_id=1) as client:
            yield sim, client


# --- its life ----------------------------------------------------------------------------------------------------


async def test_it_says_where_it_is_and_ends_when_cancelled() -> None:
    async with open_session() as (_, client), anyio.create_task_group() as tasks:
        url = await tasks.start(partial(serve, client, token=TOKEN, bind="127.0.0.1:0", limits=PLENTY))
        assert url.startswith("http://127.0.0.1:")
        assert b"200" in await get(url, "/healthz")
        tasks.cancel_scope.cancel()
    with pytest.raises(OSError, match=r"\w"):
        await get(url, "/healthz")


class Served:
    """What a client of ``serve`` needs to know."""

    def __init__(self, url: str) -> None:
        self.port = int(url.rpartition(":")[2])

    async def connect(self) -> SocketStream:
        return await anyio.connect_tcp("127.0.0.1", self.port)


async def test_it_ends_with_the_session_and_says_so_to_its_subscribers() -> None:
    ended: list[Exception] = []
    async with open_session() as (sim, client), anyio.create_task_group() as tasks:
        served = partial(serve, client, token=TOKEN, bind="127.0.0.1:0")

        async def until_it_ends(*, task_status: TaskStatus[str]) -> None:
            with anyio.CancelScope() as scope:
                with pytest.raises(ConnectionLost) as lost:
                    await served(task_status=task_status)
                scope.cancel()  # it still works: Hypercorn's worker leaves nothing behind in this task
                await anyio.sleep_forever()
            ended.append(lost.value)

        async with open_socket(Served(await tasks.start(until_it_ends))) as socket:
            await socket.subscribe(QUOTES.replace(", OPTIONS", ""))
            await socket.hear()
            sim.faults.close()
            while "errors" not in (heard := await socket.hear())["payload"]:
                pass
            assert heard["payload"]["errors"][0]["extensions"]["code"] == "CONNECTION_LOST"
            assert await socket.closed() == 1001
    assert ended


async def test_the_address_is_in_use() -> None:
    async with open_session() as (_, client), anyio.create_task_group() as tasks:
        url = await tasks.start(partial(serve, client, token=TOKEN, bind="127.0.0.1:0"))
        with pytest.raises(OSError, match="in use"):
            await serve(client, token=TOKEN, bind=url.removeprefix("http://"))
        tasks.cancel_scope.cancel()


# --- what may not be served --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bind",
    ["", "8000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", ":8000", "::1:8000", "[::1]", "-1:-1"],
)
def test_what_is_no_address(bind: str) -> None:
    with pytest.raises(ValueError, match="is no address"):
        parse_bind(bind)


def test_addresses() -> None:
    assert parse_bind("127.0.0.1:8000") == ("127.0.0.1", 8000)
    assert parse_bind("[::1]:0") == ("::1", 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bind": "0.0.0.0:0"}, "can be reached from other machines"),
        ({"bind": "[::]:0", "allow_remote": True}, "can be reached from other machines"),
        ({"certfile": "x"}, "both a certificate and its key"),
        ({"token": "short"}, "a token has at least 16 characters"),
        ({"trading": True}, "a client that is open for it"),
    ],
)
async def test_what_is_not_safe_is_refused(options: dict[str, Any], message: str) -> None:
    async with open_session() as (_, client):
        with pytest.raises(ValueError, match=message):
            await serve(client, **{"token": TOKEN, "bind": "127.0.0.1:0", **options})


def test_another_version_of_hypercorn_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_version()
    monkeypatch.setattr("trio_ibtws.graphql._hypercorn.version", lambda _: "0.19.0")
    with pytest.raises(ImportError, match=r"hypercorn>=0.18,<0.19"):
        check_version()
    with pytest.raises(ImportError, match="Hypercorn"):
        bound_worker(subprocess, lambda: None)  # type: ignore[arg-type, return-value]


# --- TLS ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        str(key),
        "-out",
        str(cert),
    ]
    subprocess.run([*command, *subject], check=True, capture_output=True)
    key.chmod(0o600)
    return cert, key


async def test_tls(certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    trusting = ssl.create_default_context(cafile=cert)
    async with open_session() as (_, client), anyio.create_task_group() as tasks:
        options: dict[str, Any] = {"token": TOKEN, "bind": "127.0.0.1:0", "certfile": cert, "keyfile": key}
        url = await tasks.start(partial(serve, client, **options))
        assert url.startswith("https://")
        assert b" 200 " in await get(url, "/healthz", tls=trusting)
        trusting.maximum_version = ssl.TLSVersion.TLSv1_2
        trusting.set_alpn_protocols(["h2", "http/1.1"])
        assert b" 200 " in await get(url, "/healthz", tls=trusting)
        plain = await anyio.connect_tcp("127.0.0.1", int(url.rpartition(":")[2]))
        async with plain:  # no TLS at all
            await plain.send(b"GET / HTTP/1.1\r\n\r\n")
            with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)), anyio.fail_after(LONG):
                while True:
                    await plain.receive()
        assert b" 200 " in await get(url, "/healthz", tls=trusting)
        tasks.cancel_scope.cancel()


async def test_a_key_that_others_can_read_is_refused(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    cert, key = certificate
    copy = tmp_path / "key.pem"
    copy.write_bytes(key.read_bytes())
    copy.chmod(0o644)
    async with open_session() as (_, client):
        with pytest.raises(ValueError, match="chmod 600"):
            await serve(client, token=TOKEN, bind="127.0.0.1:0", certfile=cert, keyfile=copy)


# --- the real engine ---------------------------------------------------------------------------------------------


async def test_quotes_tick_and_cancelling_them_cancels_them_at_tws() -> None:
    async with open_tws_service() as service, open_socket(service) as socket:
        await socket.subscribe(QUOTES.replace(", OPTIONS", ""))
        assert (await socket.hear())["payload"]["data"]["reqMktData"]["__typename"]
        assert service.engine.stats().open_requests == 1
        await socket.say(type="complete", id="1")
        await until(lambda: service.engine.stats().open_requests == 0)


async def test_a_gap_stands_in_the_stream_and_quotes_go_on_after_it() -> None:
    async with open_tws_service() as service, open_socket(service) as socket:
        fields = "{ __typename ... on Gap { reason since until } }"
        await socket.subscribe(QUOTES.replace(", OPTIONS", "").replace("{ __typename }", fields))

        async def next_kind() -> Any:
            return (await socket.hear())["payload"]["data"]["reqMktData"]

        await next_kind()
        service.engine._connection.session.router.error(-1, 1101, "restored - data lost", 1_700_000_000_000, "")
        while (event := await next_kind())["__typename"] != "Gap":
            pass
        assert event == {
            "__typename": "Gap",
            "reason": "restored - data lost",
            "since": "2023-11-14T22:13:20.000Z",
            "until": "2023-11-14T22:13:20.000Z",
        }
        while (await next_kind())["__typename"] != "TickPrice":
            pass


@pytest.mark.parametrize(("overflow", "last"), [("RAISE", b"SLOW_CONSUMER"), ("DROP_OLDEST", b"Lagged")])
async def test_a_stalled_subscriber_gets_the_policy_that_it_asked_for(
    overflow: str, last: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its buffer fills as soon as the network takes no more; the session and its memory are none the worse."""

    def listen_with_little_room(*where: Any) -> socket.socket:
        listener = listen(*where)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        return listener

    monkeypatch.setattr(harness, "listen", listen_with_little_room)
    long = "".join(f" {letter * 2400}: __typename" for letter in "abcd")
    fields = f"{{ __typename{long} ... on Lagged {{ count }} }}"
    query = QUOTES.replace("OPTIONS", f"buffer: 2, overflow: {overflow}").replace("{ __typename }", fields)
    async with open_tws_service(send_seconds=60) as service:
        body = json.dumps({"query": query}).encode()
        with service.mute(service.request(body, accept="text/event-stream")) as peer:
            await until(lambda: service.engine.stats().events_dropped or not service.engine.stats().open_requests)
            await said_until(peer, last)
        await until(lambda: service.engine.stats().open_requests == 0)


async def said_until(peer: socket.socket, mark: bytes) -> bytes:
    """Read from a peer that was mute until it has heard *mark*."""
    peer.setblocking(False)
    data = b""
    with anyio.fail_after(LONG):
        while mark not in data:
            await anyio.wait_readable(peer)
            data += peer.recv(65536)
    return data


async def test_what_trades_is_not_in_the_schema_unless_trading_is_enabled() -> None:
    query = '{ __type(name: "Mutation") { fields { name } } }'
    async with open_tws_service() as service:
        names = {field["name"] for field in (await service.query(query))["data"]["__type"]["fields"]}
        assert "reqMarketDataType" in names
        assert not names & {"placeOrder", "cancelOrder", "exerciseOptions", "replaceFA", "reqGlobalCancel"}
        answer = await service.ask({"query": "mutation { reqGlobalCancel }"})
        assert "reqGlobalCancel" in answer.json["errors"][0]["message"]


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A journal of the tests' own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


async def test_an_order_goes_through_the_book_and_is_placed_though_its_client_has_left(no_home: None) -> None:
    order = '{ action: "BUY", orderType: "MKT", totalQuantity: "10", orderRef: "once" }'
    place = f"mutation {{ placeOrder(contract: {AAPL}, order: {order}) {{ __typename }} }}"
    asked = '{ trade(orderRef: "once") { orderRef outcome { __typename } } }'
    async with open_tws_service(trading=True) as service:
        async with await service.connect() as stream:
            await stream.send(service.request(json.dumps({"query": place}).encode()))
            with anyio.fail_after(LONG):
                while (await service.query(asked))["data"]["trade"] is None:
                    pass  # each is a checkpoint
        with anyio.fail_after(LONG):
            while (await service.query(asked))["data"]["trade"]["outcome"] is None:
                pass
        answer = await service.query(place)
        assert answer["data"]["placeOrder"]["__typename"] == "Accepted"
        trades = (await service.query("{ trades { orderRef } }"))["data"]["trades"]
        assert [trade["orderRef"] for trade in trades] == ["once"]


TRADE_TOKEN = "another-token-that-is-for-trading"
ORDER = '{ action: "BUY", orderType: "MKT", totalQuantity: "10" }'
PLACE = f"placeOrder(contract: {AAPL}, order: {ORDER}) {{ __typename }}"


@pytest.mark.parametrize(
    "query",
    [
        f"mutation {{ {PLACE} }}",
        f"mutation {{ ...A }} fragment A on Mutation {{ ...B }} fragment B on Mutation {{ {PLACE} }}",
        f"query Q {{ reqCurrentTime }} mutation M {{ ... on Mutation {{ ... @include(if: true) {{ {PLACE} }} }} }}",
        f"{{ reqCurrentTime whatIfOrder(contract: {AAPL}, order: {ORDER}) {{ initMarginAfter }} }}",
        'mutation { kill(reason: "x") { verified } }',
        "mutation { __typename reqGlobalCancel { verified } }",
        "mutation { cancelOrder(orderId: 1) { __typename } }",
        f'mutation {{ reqMktDataRegulatorySnapshot(contract: {AAPL}, genericTickList: "") {{ __typename }} }}',
    ],
)
async def test_what_trades_takes_the_token_for_it_however_it_is_asked_for(query: str, no_home: None) -> None:
    async with open_tws_service(trading=True, trade_token=TRADE_TOKEN) as service:
        body = {"query": query, "operationName": "M" if "query Q" in query else None}
        for accept in ("*/*", "text/event-stream"):
            answer = await service.ask(body, accept=accept)
            assert (answer.status, answer.code) == (403, "FORBIDDEN")
        async with open_socket(service) as socket:
            await socket.say(type="subscribe", id="1", payload=body)
            assert (await socket.hear())["payload"][0]["extensions"]["code"] == "FORBIDDEN"
        assert (await service.query("mutation { reqMarketDataType(marketDataType: 3) }"))["data"]
        assert await service.query("{ trades { orderRef } }") == {"data": {"trades": []}}
        answer = await service.ask(body, authorization=f"Bearer {TRADE_TOKEN}")
        assert answer.status == 200
        assert "FORBIDDEN" not in str(answer.json)


async def test_errors_of_tws_have_its_code_and_class() -> None:
    async with open_tws_service() as service:
        query = '{ reqContractDetails(contract: { symbol: "NOSUCH", secType: "STK" }) { contract { conId } } }'
        [error] = (await service.query(query))["errors"]
        assert error["extensions"]["twsCode"] == 200
        assert error["extensions"]["class"] == "NoSuchContract"
        assert error["extensions"]["code"] == "NO_SUCH_CONTRACT"


def test_an_app_can_be_made_before_there_is_an_event_loop() -> None:
    service = Service(StandIn(), lambda caller: None, PLENTY, Metrics(harness.Clientele()))
    app = App(service, Gate(TOKEN, PLENTY, cors=(), hosts=(), clock=anyio.current_time), lambda: True)
    app.close()
    assert service.closing
