"""graphql-transport-ws on both workers: operations, their ends, and every close code."""

from __future__ import annotations

import json

import anyio
import pytest

from tests.graphql.harness import TOKEN, open_service, until
from tests.graphql.websocket_client import INIT, Refused, open_socket

pytestmark = pytest.mark.anyio

# --- operations --------------------------------------------------------------------------------------------------


async def test_operations_of_every_kind_share_a_connection() -> None:
    async with open_service() as service, open_socket(service) as socket:
        await socket.subscribe("{ hello }", "query")
        assert await socket.hear() == {"id": "query", "type": "next", "payload": {"data": {"hello": "hello world"}}}
        assert await socket.hear() == {"id": "query", "type": "complete"}
        await socket.subscribe('mutation { place(name: "one") }', "mutation")
        assert (await socket.hear())["payload"] == {"data": {"place": "one"}}
        assert (await socket.hear())["type"] == "complete"
        await socket.subscribe("subscription ($n: Int) { count(to: $n) { seq } }", "subscription", n=2)
        heard = [await socket.hear() for _ in range(3)]
        assert [each["type"] for each in heard] == ["next", "next", "complete"]
        assert [each["payload"]["data"]["count"]["seq"] for each in heard[:2]] == [0, 1]


async def test_ping_is_answered_and_pong_is_not() -> None:
    async with open_service() as service, open_socket(service) as socket:
        await socket.say(type="pong")
        await socket.say(type="ping")
        assert await socket.hear() == {"type": "pong"}


async def test_complete_ends_a_subscription_and_its_id_is_free_again() -> None:
    async with open_service() as service, open_socket(service) as socket:
        await socket.subscribe("subscription { forever { seq } }")
        assert (await socket.hear())["type"] == "next"
        await socket.say(type="complete", id="1")
        await until(lambda: service.engine.streams == 0)
        await socket.say(type="complete", id="unheard of")
        await socket.subscribe("{ hello }")
        while (heard := await socket.hear())["type"] != "complete":
            assert heard["id"] == "1"


async def test_what_cannot_be_executed_is_an_error_of_the_operation() -> None:
    async with open_service() as service, open_socket(service) as socket:
        for query in ("{ nothing }", "{", "subscription { refused { seq } }"):
            await socket.subscribe(query)
            heard = await socket.hear()
            assert (heard["type"], heard["id"]) == ("error", "1")
            assert heard["payload"][0]["message"]
        await socket.subscribe("subscription { broken { seq } }")
        assert (await socket.hear())["type"] == "next"
        heard = await socket.hear()
        assert heard["type"] == "error"
        assert heard["payload"][0]["extensions"]["code"] == "INTERNAL"
        assert "secret" not in json.dumps(heard)


async def test_a_client_that_leaves_ends_its_subscriptions_and_queries_but_no_mutation() -> None:
    placed = anyio.Event()
    async with open_service() as service:
        service.engine.placing = placed.wait
        async with open_socket(service) as socket:
            await socket.subscribe("subscription { forever { seq } }", "s")
            await socket.subscribe("{ slow }", "q")
            await socket.subscribe('mutation { place(name: "one") }', "m")
            await until(lambda: service.engine.streams and len(service.engine.log) == 2)
        await until(lambda: service.engine.streams == 0 and "slow ended" in service.engine.log)
        assert "done with one" not in service.engine.log
        placed.set()
        await until(lambda: "placed one" in service.engine.log)


# --- the close codes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"type": 1}',
        '{"type": "unheard of"}',
        '"\\ud800"',
        '{"type": "ping", "x": "\\u0000"}',
        "[" * 5000,
    ],
)
async def test_4400_for_what_is_no_message(text: str) -> None:
    async with open_service() as service, open_socket(service) as socket:
        await socket.text(text)
        assert await socket.closed() == 4400


async def test_4400_for_a_binary_message_and_for_operations_that_are_none() -> None:
    async with open_service() as service:
        async with open_socket(service) as socket:
            await socket.binary(b'{"type": "ping"}')
            assert await socket.closed() == 4400
        for message in (
            {"payload": {"query": "{ hello }"}},
            {"id": 1, "payload": {"query": "{ hello }"}},
            {"id": "", "payload": {"query": "{ hello }"}},
            {"id": "x" * 129, "payload": {"query": "{ hello }"}},
            {"id": "1"},
            {"id": "1", "payload": {}},
            {"id": "1", "payload": {"query": 1}},
            {"id": "1", "payload": {"query": "{ hello }", "variables": []}},
        ):
            async with open_socket(service) as socket:
                await socket.say(type="subscribe", **message)
                assert await socket.closed() == 4400


async def test_4401_before_the_session_has_begun() -> None:
    async with open_service() as service, open_socket(service, init=False) as socket:
        await socket.subscribe("{ hello }")
        assert await socket.closed() == 4401
        assert service.engine.log == []


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        {"authorization": None},
        {"authorization": "Bearer wrong"},
        {"authorization": TOKEN},
        [],
        {"authorization": 1},
    ],
)
async def test_4403_without_the_token(payload: object) -> None:
    async with open_service() as service, open_socket(service, init=False) as socket:
        await socket.say(type="connection_init", payload=payload)
        assert await socket.closed() == 4403


async def test_the_token_may_come_with_the_handshake() -> None:
    async with open_service() as service:
        async with open_socket(service, init=False, headers=(("authorization", f"Bearer {TOKEN}"),)) as socket:
            await socket.say(type="connection_init")
            assert await socket.hear() == {"type": "connection_ack"}


@pytest.mark.parametrize("protocols", [(), ("graphql-ws",)])
async def test_4406_without_the_subprotocol(protocols: tuple[str, ...]) -> None:
    async with open_service() as service, open_socket(service, init=False, protocols=protocols) as socket:
        assert await socket.closed() == 4406


async def test_4408_if_the_session_does_not_begin_in_time() -> None:
    async with open_service(init_seconds=0.1) as service, open_socket(service, init=False) as socket:
        assert await socket.closed() == 4408


async def test_4409_for_an_id_that_is_in_use() -> None:
    async with open_service() as service, open_socket(service) as socket:
        await socket.subscribe("{ slow }")
        await until(lambda: service.engine.log)
        await socket.subscribe("{ hello }")
        assert await socket.closed() == 4409
        await until(lambda: service.engine.log == ["slow began", "slow ended"])


async def test_4429_for_a_second_init() -> None:
    async with open_service() as service, open_socket(service) as socket:
        await socket.say(**INIT)
        assert await socket.closed() == 4429


async def test_1001_when_the_service_ends() -> None:
    async with open_service() as service, open_socket(service) as socket:
        await socket.subscribe("{ slow }")
        await until(lambda: service.engine.log)
        service.stopping.set()
        assert await socket.closed() == 1001
        await until(lambda: service.engine.log == ["slow began", "slow ended"])


async def test_1001_for_a_client_that_does_not_answer_a_ping() -> None:
    async with open_service(init_seconds=0.05, ping_seconds=0.05, pong_seconds=0.1) as service:
        async with open_socket(service) as socket:
            assert await socket.hear() == {"type": "ping"}
            await socket.say(type="pong")
            assert await socket.hear() == {"type": "ping"}
            assert await socket.closed() == 1001


async def test_1009_for_a_message_that_is_too_large() -> None:
    async with open_service(message_bytes=1000) as service:
        async with open_socket(service) as socket:
            await socket.text('{"type": "ping"}'.ljust(1000))
            assert await socket.hear() == {"type": "pong"}
            await socket.text('{"type": "ping"}'.ljust(1001))
            assert await socket.closed() == 1009
        await service.still_serves()


async def test_a_message_that_is_too_large_in_many_pieces_is_not_collected() -> None:
    async with open_service(message_bytes=1000) as service:
        async with open_socket(service) as socket:
            # The header of a message of 16 MB, and as much of it as is taken.
            await socket.raw(b"\x81\xff" + (1 << 24).to_bytes(8, "big") + b"\0\0\0\0")
            for _ in range(256):
                await socket.raw(b"x" * 65536)
            assert await socket.closed() in (1009, 1006)
        await service.still_serves()


# --- how many ----------------------------------------------------------------------------------------------------


async def test_operations_on_one_connection_have_a_limit() -> None:
    async with open_service(subscriptions=3) as service, open_socket(service) as socket:
        for number in range(3):
            await socket.subscribe("subscription { forever(size: 100) { seq } }", str(number))
        await until(lambda: service.engine.streams == 3)
        await socket.subscribe("{ hello }", "one too many")
        while (heard := await socket.hear())["id"] != "one too many":
            assert heard["type"] == "next"
        assert heard["payload"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert service.engine.streams == 3


async def test_connections_have_a_limit() -> None:
    async with open_service(sockets=2) as service:
        async with open_socket(service), open_socket(service):
            with pytest.raises(Refused) as refused:
                async with open_socket(service):
                    raise AssertionError
            assert refused.value.status == 503
        await until(lambda: service.service_streams == 0)
        async with open_socket(service) as socket:
            await socket.subscribe("{ hello }")
            assert (await socket.hear())["type"] == "next"


async def test_who_has_not_said_who_he_is_takes_no_place_from_those_who_have() -> None:
    async with open_service(sockets=2, newcomers=2) as service, open_socket(service, init=False) as longest:
        async with open_socket(service, init=False) as waits, open_socket(service) as first, open_socket(service):
            assert await longest.closed() == 4408
            await first.subscribe("{ hello }")
            assert (await first.hear())["type"] == "next"
            with pytest.raises(Refused) as refused:
                async with open_socket(service):
                    raise AssertionError
            assert refused.value.status == 503
            await waits.say(**INIT)
            assert await waits.closed() == 1013  # the places were taken meanwhile
        await until(lambda: service.service_streams == 0)


async def test_wrong_tokens_are_4429_after_five_and_the_right_one_still_right() -> None:
    async with open_service() as service:
        codes = []
        for _ in range(7):
            async with open_socket(service, init=False) as socket:
                await socket.say(type="connection_init", payload={"authorization": "Bearer wrong"})
                codes.append(await socket.closed())
        assert codes == [4403] * 5 + [4429] * 2
        assert (await service.ask({"query": "{ hello }"}, authorization="Bearer wrong")).status == 429
        async with open_socket(service) as socket:
            await socket.subscribe("{ hello }")
            assert (await socket.hear())["type"] == "next"


async def test_strange_hosts_origins_and_paths_are_refused_at_the_handshake() -> None:
    async with open_service(cors=("https://desk.example",)) as service:
        for options, status in (
            ({"host": "evil.example"}, 421),
            ({"headers": (("origin", "https://evil.example"),)}, 403),
            ({"headers": (("origin", "null"),)}, 403),
            ({"path": "/"}, 404),
        ):
            with pytest.raises(Refused) as refused:
                async with open_socket(service, **options):
                    raise AssertionError
            assert refused.value.status == status
        for origin in (f"http://127.0.0.1:{service.port}", "https://desk.example"):
            async with open_socket(service, headers=(("origin", origin),)):
                pass


async def test_compression_is_not_agreed_to() -> None:
    async with open_service() as service, open_socket(service, deflate=True) as socket:
        assert socket.accepted is not None
        assert socket.accepted.extensions == []
