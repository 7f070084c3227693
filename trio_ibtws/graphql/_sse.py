"""Subscriptions as server-sent events: the "distinct connections mode" of the npm package graphql-sse.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md: one operation a connection; ``next`` for each response
(what GraphQL refuses among them), ``complete`` at the end. Leaving is hanging up.
"""

from __future__ import annotations

import anyio

from ._auth import Caller
from ._errors import RequestRefused, describe
from ._exchange import Exchange, Gone
from ._respond import BUSY, EVENTS, HTTPError, dumps, head
from ._service import Operation, Service

__all__ = ["send_refusal", "send_stream"]

_COMPLETE = b"event: complete\ndata: \n\n"
_ALIVE = b":\n\n"


async def send_stream(service: Service, exchange: Exchange, operation: Operation, caller: Caller) -> None:
    """Send the responses of *operation* until it ends, the client leaves or the service closes.

    Raises:
      HTTPError: there are too many streams.
      Gone: the client does not read.
    """
    with service.places.one_more() as welcome:
        if not welcome:
            raise HTTPError(503, BUSY, "too many streams", [(b"retry-after", b"1")])
        await _Stream(service, exchange, caller).send(operation)


async def send_refusal(exchange: Exchange, refusal: RequestRefused) -> None:
    """Send a stream of one response, which says why the operation is not executed.

    Raises:
      Gone: the client does not read.
    """
    await exchange.send({"type": "http.response.start", "status": 200, "headers": head(EVENTS, None, exchange.headers)})
    await exchange.send({"type": "http.response.body", "body": _next(dumps(refusal.response)) + _COMPLETE})


def _next(response: bytes) -> bytes:
    return b"event: next\ndata: " + response + b"\n\n"


class _Stream:
    """A connection on which events go out."""

    def __init__(self, service: Service, exchange: Exchange, caller: Caller) -> None:
        self._service, self._exchange, self._caller = service, exchange, caller
        self._one_at_a_time = anyio.Lock()

    async def send(self, operation: Operation) -> None:
        """Send all of it."""
        headers = head(EVENTS, None, self._exchange.headers)
        await self._exchange.send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._chunk(_ALIVE)
        with self._exchange.abandonable() as scope, self._service.ended_with_us(scope.cancel):
            await self._send_while_alive(operation)
        if scope.cancelled_caught:  # or it would look as if TWS had no more to say
            await self._chunk(_next(dumps(self._service.ending())))
        await self._chunk(_COMPLETE, more=False)

    async def _send_while_alive(self, operation: Operation) -> None:
        failure: Gone | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._keep_alive)
            try:
                await self._send_responses(operation)
            except Gone as exc:  # kept out of the group, raised below
                failure = exc
            tasks.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _send_responses(self, operation: Operation) -> None:
        try:
            async with self._service.results(operation, self._caller) as responses:
                async for response in responses:
                    await self._chunk(_next(self._service.encode(response)))
                    self._service.metrics.events.inc()
        except RequestRefused as refusal:
            await self._chunk(_next(dumps(refusal.response)))
        except Gone:
            raise
        except Exception as failure:  # noqa: BLE001 - described, and logged there
            await self._chunk(_next(dumps({"data": None, "errors": [describe(failure)]})))

    async def _keep_alive(self) -> None:
        """A comment now and then: a proxy hangs up on silence, and a peer that has vanished is noticed."""
        while True:
            await anyio.sleep(self._service.limits.ping_seconds)
            try:
                await self._chunk(_ALIVE)
            except Gone:
                return  # the next response will raise it, or the pump has noticed

    async def _chunk(self, data: bytes, *, more: bool = True) -> None:
        async with self._one_at_a_time:
            await self._exchange.send({"type": "http.response.body", "body": data, "more_body": more})
