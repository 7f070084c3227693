"""The app on Hypercorn's worker for the event loop that runs: its socket, its settings, its end.

The end has three steps, each in a time of its own: the app ends what is under way, then connections are cut off, then
the worker is cancelled.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from os import PathLike
from typing import cast

import anyio
import sniffio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config, Sockets
from hypercorn.typing import ASGIFramework

from ._app import App
from ._hypercorn import PIECE, Door, bound_worker, check_version
from ._limits import Limits

__all__ = ["configuration", "listen", "run_app"]

log = logging.getLogger("trio_ibtws.graphql")

GRACE = 2.25
"""Seconds in which a connection may end by itself when the server does: a mutation has 2 of them."""

GRACEFUL = 2.5
"""Seconds after which Hypercorn cancels its connections."""

CLOSE = 4.0
"""Seconds after which the worker is cancelled."""

_BACKLOG = 100
_HEADERS_SECONDS = 5
_REQUESTS = 1_000_000  # on one connection: a client that asks often must not meet its end by surprise


def listen(host: str, port: int, limits: Limits) -> socket.socket:
    """Return a listening socket; the connections that it accepts end when a peer takes nothing for too long.

    Raises:
      OSError: it cannot listen there.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux: also what is left in the kernel when all else is closed
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(limits.send_seconds * 1000))
        listener.bind(address)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def configuration(limits: Limits, certfile: str | PathLike[str] | None, keyfile: str | PathLike[str] | None) -> Config:
    """Return Hypercorn's settings.

    Raises:
      OSError: a file of TLS cannot be read. ssl.SSLError is one.
    """
    config = Config()
    config.errorlog = logging.getLogger("trio_ibtws.graphql.hypercorn")
    config.accesslog = None
    config.include_server_header = False
    config.alpn_protocols = ["http/1.1"]
    config.keep_alive_max_requests = _REQUESTS
    config.backlog = _BACKLOG
    config.graceful_timeout = GRACEFUL
    config.shutdown_timeout = 1.0
    config.ssl_handshake_timeout = _HEADERS_SECONDS
    config.keep_alive_timeout = _HEADERS_SECONDS
    config.h11_max_incomplete_size = PIECE
    config.websocket_max_message_size = limits.message_bytes
    config.websocket_ping_interval = None  # its task outlives the connection; the protocol has pings of its own
    if certfile is not None and keyfile is not None:
        config.certfile, config.keyfile = str(certfile), str(keyfile)
        config.create_ssl_context()  # whether they are right is to be found out now
    return config


async def run_app(app: App, listener: socket.socket, config: Config, limits: Limits, stopping: anyio.Event) -> None:
    """Run *app* until *stopping* is set. Cancelled ends it in the same way, within five seconds.

    Nothing that a peer does is raised here.
    """
    worker = _worker(Door(limits.connections, limits.send_seconds, GRACE))
    sockets = Sockets([listener], [], []) if config.ssl_enabled else Sockets([], [listener], [])
    failure: BaseException | None = None
    scope = anyio.CancelScope(shield=True)

    async def work() -> None:
        nonlocal failure
        try:
            with scope:
                await worker(
                    ASGIWrapper(cast(ASGIFramework, app)), config, sockets=sockets, shutdown_trigger=stopping.wait
                )
        except Exception as exc:  # noqa: BLE001 - kept out of the group, raised below
            failure = exc
        tasks.cancel_scope.cancel()

    # In a task of its own: asyncio.TaskGroup, which Hypercorn ends by an error, leaves its task marked as cancelled
    # before Python 3.13, and no cancel scope around it would work any more.
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_in_time, app, stopping, scope)
        tasks.start_soon(work)
    if failure is not None:
        raise failure
    if scope.cancelled_caught:
        log.warning("the server did not end by itself in %g s", CLOSE)


async def _end_in_time(app: App, stopping: anyio.Event, scope: anyio.CancelScope) -> None:
    try:
        await stopping.wait()
    finally:  # Cancelled is an end like any other
        stopping.set()
        app.close()
        scope.deadline = anyio.current_time() + CLOSE


def _worker(door: Door) -> Callable[..., Awaitable[None]]:
    check_version()
    if sniffio.current_async_library() == "trio":
        import hypercorn.trio.run as trio_run

        from ._hypercorn_trio import TrioConnection

        return bound_worker(trio_run, partial(TrioConnection, door))
    import hypercorn.asyncio.run as asyncio_run

    from ._hypercorn_asyncio import AsyncioConnection

    return bound_worker(asyncio_run, partial(AsyncioConnection, door))
