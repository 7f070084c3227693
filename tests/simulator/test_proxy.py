"""The chaos proxy, between a client and the simulator on real sockets."""

from __future__ import annotations

import anyio
import pytest
from anyio import BrokenResourceError, EndOfStream

from trio_ibtws import open_client
from trio_ibtws._runtime._framing import frame
from trio_ibtws.simulator import ChaosProxy, Toxics, open_simulator

pytestmark = pytest.mark.anyio

HELLO = b"API\0" + frame(b"v100..157")


@pytest.fixture(params=["trio", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Real sockets take real time: no virtual clock."""
    return str(request.param)


async def greeting_through(up: Toxics | None = None, down: Toxics | None = None, wait: float = 0.2) -> bytes | None:
    """Return what comes back: ``None`` for nothing in *wait* seconds."""
    async with open_simulator() as sim, anyio.create_task_group() as tasks:
        assert sim.port is not None
        proxy: ChaosProxy = await tasks.start(ChaosProxy(sim.host, sim.port, up=up, down=down).run)
        data = b""
        with anyio.move_on_after(wait) as scope:
            async with await anyio.connect_tcp(proxy.host, proxy.port) as stream:
                try:
                    await stream.send(HELLO)
                    while len(data) < 30:
                        data += await stream.receive()
                except (EndOfStream, BrokenResourceError):
                    pass
        tasks.cancel_scope.cancel()
    return None if scope.cancelled_caught and not data else data


async def test_a_client_works_through_slices() -> None:
    async with open_simulator() as sim, anyio.create_task_group() as tasks:
        assert sim.port is not None
        cut = Toxics(slices=7)
        proxy: ChaosProxy = await tasks.start(ChaosProxy(sim.host, sim.port, up=cut, down=cut).run)
        async with open_client(proxy.host, proxy.port) as client:
            assert await client.current_time() > 1_357_000_000
        assert proxy.passed > 100
        tasks.cancel_scope.cancel()


async def test_latency_and_bandwidth_take_time() -> None:
    for toxics in (Toxics(latency=0.05, jitter=0.01), Toxics(bandwidth=500)):
        before = anyio.current_time()
        whole = await greeting_through(down=toxics, wait=5)
        assert whole is not None
        assert whole[4:8] == b"157\0"
        assert anyio.current_time() - before > 0.03


async def test_nothing_passes() -> None:
    assert await greeting_through(down=Toxics(bandwidth=0)) is None
    assert await greeting_through(up=Toxics(timeout=0.0)) is None


async def test_a_limit_and_a_reset_close() -> None:
    assert await greeting_through(down=Toxics(limit=3), wait=5) == b"\0\0\0"
    assert await greeting_through(up=Toxics(timeout=0.0, reset=0.05), wait=5) == b""


async def test_bytes_are_changed() -> None:
    plain = await greeting_through(wait=5)
    spoilt = await greeting_through(down=Toxics(corrupt=1.0), wait=5)
    assert plain is not None
    assert spoilt is not None
    assert spoilt[:8] != plain[:8] or spoilt != plain


async def test_nobody_listens() -> None:
    async with anyio.create_task_group() as tasks:
        proxy: ChaosProxy = await tasks.start(ChaosProxy("127.0.0.1", 9).run)
        async with await anyio.connect_tcp(proxy.host, proxy.port) as stream:
            with pytest.raises((EndOfStream, BrokenResourceError)):
                await stream.receive()
        tasks.cancel_scope.cancel()
