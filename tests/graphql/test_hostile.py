"""Peers that mean harm, or are broken, on both workers: an error for them at most, and the session untouched.

The service is that of a client of the simulator, with the real engine and the limits that users get, but for the rate.
"""

from __future__ import annotations

import gc
import json
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from tests.graphql.harness import LONG, TOKEN, Answer, Running, open_tws_service, read_all, send, until
from tests.graphql.websocket_client import open_socket

pytestmark = pytest.mark.anyio

CLOCK = 4.5
"""Seconds: the session asks for TWS's clock by itself, not more often than this."""

AT_ONCE = 0.05
"""Seconds of the processor in which an error is answered."""


@asynccontextmanager
async def untouched() -> AsyncIterator[Running]:
    """A service that must be as it was when the block ends: it serves, and its session has seen nothing."""
    async with open_tws_service() as service:
        await still_serves(service)
        before, began = service.engine.stats(), anyio.current_time()
        yield service
        after, seconds = service.engine.stats(), anyio.current_time() - began
        assert (after.decode_errors, after.open_requests) == (0, 0)
        assert after.frames_out - before.frames_out <= seconds // CLOCK + 2
        await still_serves(service)
        await until(lambda: service.service_streams == 0)


async def still_serves(service: Running) -> None:
    """Fail unless TWS answers through the service."""
    answer = await service.query("{ reqCurrentTime }")
    assert isinstance(answer["data"]["reqCurrentTime"], (int, str)), answer


# --- bytes -------------------------------------------------------------------------------------------------------

HOST = b"Host: localhost:PORT\r\n"
AUTH = b"Authorization: Bearer %s\r\n" % TOKEN.encode()
POST = b"POST /graphql HTTP/1.1\r\n" + HOST + AUTH + b"Content-Type: application/json\r\n"
UPGRADE = (
    b"GET /graphql HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n"
)
SOCKET = UPGRADE + b"\r\n"
MASK = b"\0\0\0\0"

MALFORMED = {
    "nothing": b"",
    "garbage": bytes(range(256)) * 40,
    "a newline": b"\r\n\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/1.0 without a host": b"GET /healthz HTTP/1.0\r\n\r\n",
    "HTTP/3.7": b"GET / HTTP/3.7\r\n" + HOST + b"\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0",
    "an offer of HTTP/2": b"GET /healthz HTTP/1.1\r\n"
    + HOST
    + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    "a TLS handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500,
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "a host that is no UTF-8": b"GET /healthz HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
    "a path that is no ASCII": b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
    "a path with half an escape": b"GET /%e2%28%a1%zz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a NUL in the path": b"GET /\0 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a NUL in a header": b"GET / HTTP/1.1\r\n" + HOST + b"X: \0\r\n\r\n",
    "a folded header": b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n",
    "a header of 20 kB": b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 20_000 + b"\r\n\r\n",
    "10 000 headers": b"GET / HTTP/1.1\r\n" + HOST + b"X: x\r\n" * 10_000 + b"\r\n",
    "a target of 20 kB": b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target that is a proxy's": b"GET http://evil.example/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length and chunks": POST
    + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "an unknown coding": POST + b"Transfer-Encoding: gzip\r\n\r\n",
    "a chunk without a size": POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a chunk of any size": POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n",
    "half a body": POST + b'Content-Length: 100\r\n\r\n{"query"',
    "100 requests in a row": (POST + b'Content-Length: 23\r\n\r\n{"query":"{ nothing }"}') * 100,
    "a handshake without a key": UPGRADE.replace(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b"") + b"\r\n",
    "a handshake of another version": UPGRADE.replace(b"13", b"12") + b"\r\n",
    "a byte behind the handshake": SOCKET + b"x",
    "a frame behind the handshake": SOCKET + b"\x81\x90" + MASK + b'{"type": "ping"}',
    "a frame without a mask": SOCKET + b"|\x81\x02{}",
    "reserved bits": SOCKET + b"|\xf1\x82" + MASK + b"{}",
    "an unknown opcode": SOCKET + b"|\x83\x82" + MASK + b"{}",
    "text that is no UTF-8": SOCKET + b"|\x81\x82" + MASK + b"\xff\xfe",
    "a ping in two pieces": SOCKET + b"|\x09\x82" + MASK + b"{}",
    "a ping of 200 bytes": SOCKET + b"|\x89\xfe\x00\xc8" + MASK + b"x" * 200,
    "a continuation of nothing": SOCKET + b"|\x80\x82" + MASK + b"{}",
    "a close with half a code": SOCKET + b"|\x88\x81" + MASK + b"\x03",
    "a close with a code that is none": SOCKET + b"|\x88\x82" + MASK + b"\x00\x00",
    "a frame of 2**63 bytes": SOCKET + b"|\x81\xff" + b"\x80" + b"\0" * 7 + MASK,
    "two closes": SOCKET + b"|" + (b"\x88\x82" + MASK + b"\x03\xe8") * 2,
}
"""What a peer sends; at a ``|`` it waits for the handshake's answer."""


async def talk(service: Running, data: bytes) -> bytes:
    """Send *data*, say that no more comes, and return what comes until the server hangs up."""
    first, _, second = data.replace(b"PORT", str(service.port).encode()).partition(b"|")
    said = b""
    with anyio.fail_after(LONG):
        async with await service.connect() as stream:
            await send(stream, first)
            if second:
                said = await stream.receive()
                await send(stream, second)
            try:
                await stream.send_eof()
            except (OSError, anyio.BrokenResourceError):
                return said
            return said + await read_all(stream)


async def test_malformed_input_costs_a_connection_at_most() -> None:
    async with untouched() as service:
        for what, data in MALFORMED.items():
            said = await talk(service, data)
            assert not said or said.startswith((b"HTTP/1.1 ", b"\x88")), what
            assert b"Traceback" not in said
            answer = await service.ask(method="GET", path="/healthz")
            assert answer.status == 200, what


async def test_resets_at_every_point_cost_nothing() -> None:
    async with untouched() as service:
        body = json.dumps({"query": "{ nothing }"}).encode()
        whole = service.request(body)
        for sent in (whole[:10], whole[:-5], whole, SOCKET.replace(b"PORT", str(service.port).encode())):
            for _ in range(5):
                plain = socket.create_connection(("127.0.0.1", service.port))
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                plain.sendall(sent)
                await anyio.lowlevel.checkpoint()
                plain.close()


async def test_who_sends_a_byte_now_and_then_is_dropped_and_holds_up_nobody() -> None:
    async with untouched() as service, await service.connect() as slow:
        await slow.send(b"POST /graphql HTTP/1.1\r\nHost: loc")
        assert (await service.ask(method="GET", path="/healthz")).status == 200
        with anyio.fail_after(2 * LONG):
            assert await read_all(slow) == b""


# --- requests ----------------------------------------------------------------------------------------------------


def deep(levels: int) -> str:
    return "{ a" * levels + " }" * levels


HOSTILE: dict[str, Any] = {
    "nested 20 000 deep": "{a" * 14_000,
    "nested as deep as the text may be": deep(1900),
    "lists nested deep": "{ a(x: " + "[" * 4000 + "]" * 4000 + ") }",
    "1 000 aliases": "{" + " ".join(f"a{number}: reqCurrentTime" for number in range(1000))[:9990] + "}",
    "a few aliases too many": "{" + " ".join(f"a{number}: reqCurrentTime" for number in range(16)) + "}",
    "1 000 unknown directives": "{ reqCurrentTime " + "@aa " * 900 + "}",
    "the same field 1 000 times": "{" + "reqCurrentTime " * 600 + "}",
    "unknown fields": "{" + " ".join(f"x{number}" for number in range(900)) + "}",
    "fragments in a circle": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
    "fragments that multiply": "{ ...F0 }"
    + "".join(f" fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(25))
    + " fragment F25 on Query { reqCurrentTime }",
    "introspection in circles": "{ __schema { types { fields { type { fields { type { fields { type { fields { type { "
    "fields { type { fields { type { fields { type { fields { type { fields { type { fields { name } } } } } } } } } } "
    "} } } } } } } } } } }",
    "a NUL": "{ reqCurrentTime }\0{ x }",
    "half a character": '{ x(y: "\\ud800") }',
    "an escape of 32 bits": '{ x(y: "\\u{110000}") }',
    "a string without an end": '{ x(y: "',
    "a block string without an end": '{ x(y: """',
    "10 000 opening brackets": "{" * 9999,
    "a comment": "#" * 9999,
    "a query that is too long": "{ reqCurrentTime }".ljust(10_001),
    "several operations and no name": "query A { reqCurrentTime } query B { reqCurrentTime }",
    "a mutation, where trading is off": "mutation { placeOrder { orderId } }",
    "a number of 5 000 digits": "{ x(y: " + "9" * 5000 + ") }",
}


async def took(service: Running, query: str) -> tuple[Answer, float]:
    """Return the answer, and the time that the processor took for it, the client's part included.

    What takes too long is tried again: a processor that others use too is slower than it can be.
    """
    tries: list[tuple[Answer, float]] = []
    while len(tries) < 10 and not (tries and tries[-1][1] < AT_ONCE):
        began = time.process_time()
        tries.append((await service.ask({"query": query}), time.process_time() - began))
    return tries[-1]


async def test_hostile_queries_are_refused_at_once(record_property: Any) -> None:
    slowest = ("", 0.0)
    async with untouched() as service:
        for what, query in HOSTILE.items():
            answer, seconds = await took(service, query)
            assert answer.status in (200, 400, 413), what
            assert answer.json["errors"], what
            assert len(answer.body) < 20_000, what
            assert seconds < AT_ONCE, f"{what}: {seconds * 1000:.0f} ms"
            slowest = max(slowest, (what, seconds), key=lambda each: each[1])
    record_property("slowest hostile query", f"{slowest[0]}: {slowest[1] * 1000:.1f} ms")


async def test_memory_stays_flat() -> None:
    async with untouched() as service:
        for _ in range(2):
            await assault(service)
        before = resident()
        for _ in range(6):
            await assault(service)
        assert resident() - before < 4_000_000


async def assault(service: Running) -> None:
    for query in HOSTILE.values():
        await service.ask({"query": f"{query} #{service.engine.stats().bytes_in}"})
    for data in MALFORMED.values():
        await talk(service, data)
    for number in range(100):
        await service.ask({"query": f"{{ unheard{number} }}"}, authorization="Bearer wrong")
    async with open_socket(service) as each:
        await each.text("x" * 70_000)
        assert await each.closed() == 1009
    gc.collect()


def resident() -> int:
    """Return the memory that this process occupies, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


# --- crowds ------------------------------------------------------------------------------------------------------


async def test_a_crowd_of_connections_is_told_so_and_then_dropped() -> None:
    async with open_tws_service(connections=4) as service, AsyncExitStack() as stack:
        for _ in range(4):
            await stack.enter_async_context(await service.connect())
        assert await health(service) == b"HTTP/1.1 503"
        for _ in range(4):
            await stack.enter_async_context(await service.connect())
        assert await health(service) == b""
        await stack.aclose()
        with anyio.fail_after(LONG):
            while await health(service) != b"HTTP/1.1 200":  # noqa: ASYNC110 - nobody would set an event
                await anyio.sleep(0.01)
        await still_serves(service)


async def health(service: Running) -> bytes:
    """Return the first words of an answer, if there is one."""
    with anyio.fail_after(LONG):
        request = b"GET /healthz HTTP/1.1\r\nHost: localhost:%d\r\nConnection: close\r\n\r\n"
        return (await service.raw(request % service.port))[:12]
