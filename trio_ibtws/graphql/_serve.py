"""``serve``: the service as a child of the connection to TWS.

The connection is the parent: it outlives the server, and when it is lost the server ends. What happens in the server
stays there.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from contextlib import AsyncExitStack
from os import PathLike

import anyio
from anyio.abc import TaskStatus
from hypercorn.config import Config

from .._client import Client
from .._trading._book import OrderBook
from ..errors import ConnectionLost
from ._app import App
from ._audit import AuditLog
from ._auth import is_loopback
from ._create import create_app
from ._hypercorn import check_version
from ._limits import Limits
from ._worker import configuration, listen, run_app

__all__ = ["serve"]

_TO_BE_TOLD = 1.0
"""Seconds that subscribers have to hear that TWS was lost, before they are hung up on."""


async def serve(
    client: Client,
    *,
    token: str,
    trade_token: str | None = None,
    bind: str = "127.0.0.1:8000",
    trading: bool = False,
    limits: Limits | None = None,
    cors: Iterable[str] = (),
    hosts: Iterable[str] = (),
    introspection: bool = True,
    by_get: bool = False,
    certfile: str | PathLike[str] | None = None,
    keyfile: str | PathLike[str] | None = None,
    allow_remote: bool = False,
    book: OrderBook | None = None,
    audit: AuditLog | None = None,
    task_status: TaskStatus[str] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Serve *client* as GraphQL until the connection to TWS ends, on Hypercorn's worker for the running event loop::

        async with open_client(port=7497, client_id=1) as client:
            await serve(client, token=token)

    ``await tasks.start(partial(serve, client, token=token))`` returns the service's address, as
    ``http://127.0.0.1:8000``, once it listens.

    Cancelled ends it, within five seconds, whatever clients do: subscriptions at once, queries after a second,
    mutations after two.

    Args:
      client: an open connection to TWS. It is the parent: the server ends before it does, and cannot harm it.
      token: what a request must bring to be answered, 16 characters or more.
      trade_token: what it must bring for what changes orders or costs money, as for ``create_app``.
      bind: the address and port to listen on; port 0 takes a free one.
      trading: whether the schema has what changes orders or costs money, as for ``create_app``.
      limits: how much may be asked for; ``None`` for ``Limits()``.
      cors: origins, as ``https://desk.example``, whose pages may ask as well.
      hosts: names, beside *bind*'s and those of this machine, that clients may know the service by.
      introspection: whether clients may read the schema.
      by_get: whether queries, never mutations, may be sent by GET too.
      certfile: the certificate (chain) for TLS, a PEM file.
      keyfile: its key, which nobody else may read.
      allow_remote: whether *bind* may be an address that other machines reach. It takes TLS as well.
      book: the client's order book if it has one; otherwise, with *trading*, it is opened here.
      audit: where mutations are written down; ``None`` for the logger ``trio_ibtws.audit``.
      task_status: is told the address.

    Raises:
      ConnectionLost: the connection to TWS was lost.
      OSError: it cannot listen there, or a file of TLS cannot be read.
      ValueError: *bind* is no address, or one that may not be served like this; what ``create_app`` refuses.
      ImportError: the installed Hypercorn is not one that is known.
      JournalError: trading, and the order book's journal cannot be opened.
    """
    check_version()
    host, port = parse_bind(bind)
    limits = limits or Limits()
    check_exposure(host, certfile, keyfile, allow_remote=allow_remote)
    config = configuration(limits, certfile, keyfile)
    async with AsyncExitStack() as stack:
        if trading and book is None:
            book = await stack.enter_async_context(client.orders())
        app = create_app(
            client,
            token=token,
            trade_token=trade_token,
            trading=trading,
            limits=limits,
            cors=cors,
            hosts=[*hosts, *_names(host)],
            introspection=introspection,
            by_get=by_get,
            book=book,
            audit=audit,
        )
        listener = listen(host, port, limits)
        task_status.started(address(listener, config))
        await _run_with(client, app, listener, config, limits)


async def _run_with(client: Client, app: App, listener: socket.socket, config: Config, limits: Limits) -> None:
    """Run *app* until the client's session ends."""
    stopping = anyio.Event()
    failure: Exception | None = None

    async def watch() -> None:
        nonlocal failure
        try:
            await client.wait_closed()
        except ConnectionLost as exc:
            failure = exc
            with anyio.move_on_after(_TO_BE_TOLD):
                await app.subscriptions_end()
        stopping.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        try:
            await run_app(app, listener, config, limits, stopping)
        except Exception as exc:  # noqa: BLE001 - kept out of the group, raised below
            failure = exc
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


def parse_bind(bind: str) -> tuple[str, int]:
    """Return host and port of ``127.0.0.1:8000`` or ``[::1]:8000``.

    Raises:
      ValueError: it is neither.
    """
    host, _, port = bind.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or int(port) >= 1 << 16 or (":" in host) != bind.startswith("["):
        raise ValueError(f"{bind!r} is no address: give one as 127.0.0.1:8000 or [::1]:8000")
    return host, int(port)


def _names(host: str) -> list[str]:
    """Return what clients call an address; this machine's own names are known, with the port that they must have."""
    if is_loopback(host):
        return []
    return [f"[{host}]" if ":" in host else host]


def check_exposure(
    host: str, certfile: str | PathLike[str] | None, keyfile: str | PathLike[str] | None, *, allow_remote: bool
) -> None:
    """Refuse to be reached from elsewhere without TLS and without having been told so, and a key that others can read.

    Raises:
      ValueError: that is asked for.
      OSError: there is no such key.
    """
    if (certfile is None) != (keyfile is None):
        raise ValueError("TLS takes both a certificate and its key")
    if not is_loopback(host) and not (allow_remote and certfile is not None):
        raise ValueError(
            f"{host} can be reached from other machines: that takes TLS (a certificate and its key), and to be allowed "
            "explicitly (allow_remote, --allow-remote)"
        )
    if keyfile is not None and os.name == "posix" and os.stat(keyfile).st_mode & 0o077:
        raise ValueError(f"{keyfile} can be read by others than its owner: chmod 600 it")


def address(listener: socket.socket, config: Config) -> str:
    """Return the URL that a listening socket is reached at."""
    host, port = listener.getsockname()[:2]
    return f"{'https' if config.ssl_enabled else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
