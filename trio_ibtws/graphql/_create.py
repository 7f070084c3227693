"""``create_app``: the app for a client, put together from its parts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import cache

import anyio

from .._client import Client
from .._trading._book import OrderBook
from ._app import App
from ._audit import AuditLog
from ._auth import Caller, Gate
from ._context import Context
from ._engine import Engine
from ._limits import Limits
from ._metrics import Metrics
from ._resolve import build_schema
from ._service import Service

__all__ = ["create_app"]


def create_app(
    client: Client,
    *,
    token: str,
    trade_token: str | None = None,
    trading: bool = False,
    limits: Limits | None = None,
    cors: Iterable[str] = (),
    hosts: Iterable[str] = (),
    introspection: bool = True,
    by_get: bool = False,
    book: OrderBook | None = None,
    audit: AuditLog | None = None,
) -> App:
    """Return an ASGI app that serves *client* as GraphQL, on Trio and on asyncio.

    ``/graphql`` takes HTTP, server-sent events and websockets; ``/metrics``, ``/healthz`` and the web page at ``/`` are
    beside it. The app borrows the client: it never closes it. ``serve`` runs the app on a server that no peer can end
    or hold up; another server is your own to harden.

    Args:
      client: an open connection to TWS.
      token: what a request must bring to be answered, 16 characters or more.
      trade_token: what it must bring for what changes orders or costs money; *token* is for all else then.
      trading: whether the schema has what changes orders or costs money. The client must be open for trading too.
      limits: how much may be asked for; ``None`` for ``Limits()``.
      cors: origins, as ``https://desk.example``, whose pages may ask as well.
      hosts: names, beside those of this machine, that clients may know the service by.
      introspection: whether clients may read the schema.
      by_get: whether queries, never mutations, may be sent by GET too.
      book: the client's order book if it has one; otherwise the app opens it, for as long as a server runs it.
      audit: where mutations are written down; ``None`` for the logger ``trio_ibtws.audit``.

    Raises:
      ValueError: a token is too short, or both are the same, an origin is none, or *trading* with a client that is not
        open for it.
    """
    session = client._connection.session
    if trading and not session.settings.trading:
        raise ValueError("trading needs a client that is open for it: open_client(..., trading=True)")
    limits = limits or Limits()
    gate = Gate(token, limits, cors=cors, hosts=hosts, clock=anyio.current_time, trade_token=trade_token)
    books = _Books(client, book, opens=trading and book is None)
    log = audit or AuditLog()
    engine = _engine(trading).within(limits, introspection=introspection)

    def context(caller: Caller) -> Context:
        return Context(client=client, book=books.book, audit=log, limits=limits, token_id=caller.token_id)

    service = Service(engine, context, limits, Metrics(client), trading_fields=build_schema(trading).trading_fields)
    return App(service, gate, lambda: session.ended is None, by_get=by_get, lifespan=books.lifespan)


@cache
def _engine(trading: bool) -> Engine:
    """Return an engine of the schema: it keeps nothing of an app."""
    schema = build_schema(trading)
    return Engine(
        schema.sdl,
        schema.resolvers,
        schema.sources,
        schema.scalars,
        default_resolver=schema.default_resolver,
        type_name=schema.type_name,
        limits=Limits(),
        introspection=False,
    )


class _Books:
    """The order book: the one that was given, or one that is opened while a server runs the app."""

    def __init__(self, client: Client, book: OrderBook | None, *, opens: bool) -> None:
        self.book = book
        self._client, self._opens = client, opens

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        if not self._opens:
            yield
            return
        async with self._client.orders() as self.book:
            try:
                yield
            finally:
                self.book = None
