"""The ASGI app: what is served where, to whom, and in which order that is found out.

    /graphql    GraphQL over HTTP, server-sent events, and the websocket          token
    /metrics    Prometheus                                                        token
    /healthz    whether TWS is connected
    /, /page/…  the web page: a shell without data, which asks for the token

Host and Origin are looked at first, then the token, then the request. Nothing here belongs to the connection to TWS:
the app borrows a client that is open already, and nothing that a request does can close it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext

import anyio

from ._auth import Gate
from ._errors import describe
from ._exchange import Exchange, Gone
from ._http import answer_graphql
from ._metrics import CONTENT_TYPE
from ._page import page_files
from ._respond import BUSY, JSON, HTTPError, Receive, Scope, Send, dumps, error, refuse
from ._service import Service
from ._websocket import Session

__all__ = ["App"]

log = logging.getLogger("trio_ibtws.graphql")

GRAPHQL = "/graphql"

_DRAIN = 5.0
"""Seconds that a server has to say that an answer is out."""

Answering = Callable[[Exchange], Awaitable[None]]


class App:
    """TWS as a GraphQL service, for any ASGI server that runs on Trio or asyncio; made by ``create_app``.

    Args:
      service: executes the operations.
      gate: decides who may ask.
      is_alive: whether there is a connection to TWS.
      by_get: whether queries may be sent by GET.
      lifespan: what is open while a server runs the app.
    """

    def __init__(
        self,
        service: Service,
        gate: Gate,
        is_alive: Callable[[], bool],
        *,
        by_get: bool = False,
        lifespan: Callable[[], AbstractAsyncContextManager[object]] = nullcontext,
    ) -> None:
        self._service, self._gate, self._is_alive = service, gate, is_alive
        self._by_get, self._lifespan = by_get, lifespan
        self._page = page_files()
        self._routes: dict[str, Answering] = {
            GRAPHQL: self._graphql,
            "/healthz": self._health,
            "/metrics": self._metrics,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, as ASGI 3 has it."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._live(receive, send)

    def close(self) -> None:
        """End what is under way, each kind in its time, and take nothing new. It does not wait."""
        self._service.close()

    async def subscriptions_end(self) -> None:
        """Return when no subscription is open."""
        await self._service.subscriptions_end()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self._lifespan(), self._service.running():
                await send({"type": "lifespan.startup.complete"})
                await receive()
                self.close()
        except Exception as failure:
            await send({"type": "lifespan.startup.failed", "message": str(failure)})
            raise
        await send({"type": "lifespan.shutdown.complete"})

    # --- HTTP

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send, self._service.limits)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(exchange.pump)
            try:
                await self._answer(exchange)
            except Gone:
                tasks.cancel_scope.cancel()
            self._service.metrics.responses.labels(str(exchange.status)).inc()
            # The pump ends when the server says that the answer is out, which it must be able to do.
            tasks.cancel_scope.deadline = anyio.current_time() + _DRAIN

    async def _answer(self, exchange: Exchange) -> None:
        try:
            await self._routed(exchange)
        except HTTPError as failure:
            body = dumps({"errors": [error(failure.code, str(failure))]})
            await exchange.reply(failure.status, body, JSON, *failure.headers)
        except Gone:
            raise
        except Exception as failure:  # noqa: BLE001 - described, and logged there
            await exchange.reply(500, dumps({"errors": [describe(failure)]}), JSON)

    async def _routed(self, exchange: Exchange) -> None:
        self._gate.check_host(exchange.scope)
        self._gate.check_origin(exchange.scope)
        exchange.headers = self._gate.cors_headers(exchange.scope)
        route = self._routes.get(exchange.path)
        if route is not None:
            await route(exchange)
        else:
            await self._file(exchange)

    async def _graphql(self, exchange: Exchange) -> None:
        if exchange.method == "OPTIONS":
            await exchange.reply(204, b"", None, *self._gate.preflight_headers(exchange.scope, by_get=self._by_get))
            return
        caller = self._gate.check_bearer(exchange.scope)
        await answer_graphql(self._service, exchange, caller, by_get=self._by_get)

    async def _health(self, exchange: Exchange) -> None:
        _check_get(exchange)
        alive = self._is_alive() and not self._service.closing
        await exchange.reply(200 if alive else 503, dumps({"status": "ok" if alive else "no connection"}), JSON)

    async def _metrics(self, exchange: Exchange) -> None:
        _check_get(exchange)
        self._gate.check_bearer(exchange.scope)
        await exchange.reply(200, self._service.metrics.text(), CONTENT_TYPE)

    async def _file(self, exchange: Exchange) -> None:
        file = self._page.get(exchange.path)
        if file is None:
            raise HTTPError(404, "NOT_FOUND", f"there is nothing here: the service is at {GRAPHQL}")
        _check_get(exchange)
        unchanged = exchange.header(b"if-none-match") == file.etag.decode()
        await exchange.reply(
            304 if unchanged else 200, b"" if unchanged else file.body, None if unchanged else file.media, *file.headers
        )

    # --- websockets

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._gate.check_host(scope)
            self._gate.check_origin(scope)
            if scope["path"] != GRAPHQL:
                raise HTTPError(404, "NOT_FOUND", f"the websocket is at {GRAPHQL}")
            if not self._service.places.free or self._service.closing:
                raise HTTPError(503, BUSY, "too many websockets", [(b"retry-after", b"1")])
            await Session(self._service, self._gate, scope, receive, send).run()
        except HTTPError as failure:
            await refuse(scope, send, failure.status, failure.code, str(failure), failure.headers)


def _check_get(exchange: Exchange) -> None:
    if exchange.method not in ("GET", "HEAD"):
        raise HTTPError(405, "METHOD_NOT_ALLOWED", "this is read by GET", [(b"allow", b"GET, HEAD")])
