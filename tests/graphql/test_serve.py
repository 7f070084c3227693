"""The hardened server on both of Hypercorn's workers, and its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from tests.graphql.harness import LONG, Running, open_service, settled, until

pytestmark = pytest.mark.anyio


async def test_a_query_is_answered() -> None:
    async with open_service() as service:
        await service.still_serves()


async def test_a_byte_after_an_upgrade_does_not_end_the_server() -> None:
    """pgjones/hypercorn#225."""
    request = (
        b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\nx"
    )
    async with open_service() as service:
        await service.raw(request % service.port)
        await until(lambda: service.service_streams == 0)
        await service.still_serves()


FOREVER = b'{"query": "subscription { forever(size: 20000) { seq pad } }"}'


@asynccontextmanager
async def stalled_subscriber(service: Running) -> AsyncIterator[None]:
    """A subscriber that reads nothing."""
    with service.mute(service.request(FOREVER, accept="text/event-stream")):
        await until(lambda: service.engine.streams)
        await settled(lambda: service.engine.produced)
        yield


@pytest.mark.parametrize("end", ["stop", "cancel"])
async def test_a_stalled_subscriber_delays_neither_others_nor_the_end(end: str) -> None:
    async with open_service() as service, stalled_subscriber(service):
        await service.still_serves()
        began = anyio.current_time()
        if end == "stop":
            service.stopping.set()
        else:
            service.server.cancel()
        with anyio.fail_after(LONG):
            await service.stopped.wait()
        assert anyio.current_time() - began < 15  # five on a machine that does nothing else
        assert service.engine.streams == 0


async def test_a_stalled_subscriber_is_dropped_after_its_time() -> None:
    async with open_service(send_seconds=0.5) as service, stalled_subscriber(service):
        await until(lambda: not service.engine.streams)
        await service.still_serves()


async def test_a_query_whose_client_leaves_is_cancelled() -> None:
    async with open_service() as service:
        with service.mute(service.request(b'{"query": "{ slow }"}')):
            await until(lambda: service.engine.log)
        await until(lambda: service.engine.log == ["slow began", "slow ended"])
