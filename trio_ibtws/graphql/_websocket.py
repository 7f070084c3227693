"""Operations over a websocket: the subprotocol graphql-transport-ws of the npm package graphql-ws.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md. One task reads, always, so that the client's end is
noticed; each operation has a task of its own, which waits while the client does not read. What waits for it then is
bounded by the stream that the operation has opened, and by the overflow policy that was asked for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio
import msgspec
from anyio.abc import TaskGroup

from ._auth import Caller, Gate, bearer
from ._engine import GraphQLRequest
from ._errors import RequestRefused, describe
from ._http import decode
from ._places import Visitor
from ._respond import HTTPError, Receive, Scope, Send, dumps, header
from ._service import Service

__all__ = ["SUBPROTOCOL", "Session"]

SUBPROTOCOL = "graphql-transport-ws"

BAD_MESSAGE = 4400
UNAUTHORIZED = 4401
FORBIDDEN = 4403
BAD_SUBPROTOCOL = 4406
INIT_TIMEOUT = 4408
DUPLICATE = 4409
TOO_MANY_INITS = 4429
GOING_AWAY = 1001
SLOW = 1008
TRY_AGAIN = 1013

_LONGEST_ID = 128
_FAREWELL = 1.0
"""Seconds that a client has to answer a close."""


class Closed(Exception):
    """The session is over, with a close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Session:
    """One websocket connection."""

    def __init__(self, service: Service, gate: Gate, scope: Scope, receive: Receive, send: Send) -> None:
        self._service, self._gate, self._limits = service, gate, service.limits
        self._scope, self._receive, self._send = scope, receive, send
        self._one_at_a_time = anyio.Lock()
        self._operations: dict[str, anyio.CancelScope] = {}
        self._is_ready = self._has_left = False
        self._heard = anyio.current_time()
        self._end: Closed | None = None
        self._life = anyio.CancelScope()
        self._tasks: TaskGroup
        self._visitor: Visitor
        self._caller: Caller

    async def run(self) -> None:
        """Serve the connection to its end."""
        with self._service.places.visit(self._send_away) as self._visitor:
            await self._run()
        if self._end is not None and not self._has_left:
            await self._say_goodbye(self._end)

    async def _run(self) -> None:
        await self._receive()  # websocket.connect
        if SUBPROTOCOL not in self._scope["subprotocols"]:
            await self._send({"type": "websocket.accept"})
            self._end = Closed(BAD_SUBPROTOCOL, "Subprotocol not acceptable")
        else:
            await self._send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
            with self._life:
                await self._serve()

    async def _serve(self) -> None:
        async with anyio.create_task_group() as self._tasks:
            with self._service.ended_with_us(lambda: self._finish(Closed(GOING_AWAY, "Going away"))):
                self._tasks.start_soon(self._guarded, self._watch)
                await self._guarded(self._read)
                self._tasks.cancel_scope.cancel()

    async def _guarded(self, function: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        try:
            await function(*arguments)
        except Closed as end:
            self._finish(end)

    def _finish(self, end: Closed) -> None:
        """End the session; the first reason counts."""
        self._end = self._end or end
        self._life.cancel()

    def _send_away(self) -> None:
        self._finish(Closed(INIT_TIMEOUT, "Connection initialisation timeout"))

    async def _say_goodbye(self, end: Closed) -> None:
        with anyio.move_on_after(_FAREWELL, shield=True):
            await self._send({"type": "websocket.close", "code": end.code, "reason": end.reason})
            while (await self._receive())["type"] != "websocket.disconnect":
                pass

    async def _watch(self) -> None:
        """End a session that does not begin, or whose client has vanished."""
        await anyio.sleep(self._limits.init_seconds)
        if not self._is_ready:
            raise Closed(INIT_TIMEOUT, "Connection initialisation timeout")
        while True:
            await anyio.sleep(self._limits.ping_seconds)
            pinged = anyio.current_time()
            await self._say(type="ping")
            await anyio.sleep(self._limits.pong_seconds)
            if self._heard < pinged:
                raise Closed(GOING_AWAY, "No pong")

    # --- out

    async def _say(self, **message: Any) -> None:
        text = dumps(message).decode()
        try:
            with anyio.fail_after(self._limits.send_seconds):
                async with self._one_at_a_time:
                    await self._send({"type": "websocket.send", "text": text})
        except TimeoutError:
            raise Closed(SLOW, "Client is too slow") from None

    # --- in

    async def _read(self) -> None:
        while True:
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                self._has_left = True
                return
            self._heard = anyio.current_time()
            await self._handle(_message(event.get("text")))

    async def _handle(self, message: Mapping[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._begin(message.get("payload"))
            case "ping":
                await self._say(type="pong")
            case "pong":
                pass
            case "subscribe":
                self._subscribe(message.get("id"), message.get("payload"))
            case "complete":
                self._complete(message.get("id"))
            case _:
                raise Closed(BAD_MESSAGE, "Invalid message type")

    async def _begin(self, payload: object) -> None:
        if self._is_ready:
            raise Closed(TOO_MANY_INITS, "Too many initialisation requests")
        given = payload.get("authorization") if isinstance(payload, dict) else None
        given = header(self._scope, b"authorization") if given is None else given
        caller = self._gate.caller(bearer(given) if isinstance(given, str) else None)
        if caller is None:
            if self._gate.note_failure(self._scope):
                raise Closed(TOO_MANY_INITS, "Too many wrong tokens")
            raise Closed(FORBIDDEN, "Forbidden")
        if not self._visitor.come_in():
            raise Closed(TRY_AGAIN, "Too many websockets")
        self._caller, self._is_ready = caller, True
        await self._say(type="connection_ack")

    def _complete(self, identity: object) -> None:
        scope = self._operations.pop(identity, None) if isinstance(identity, str) else None
        if scope is not None:
            scope.cancel()

    # --- operations

    def _subscribe(self, identity: object, payload: object) -> None:
        if not self._is_ready:
            raise Closed(UNAUTHORIZED, "Unauthorized")
        if not isinstance(identity, str) or not 0 < len(identity) <= _LONGEST_ID:
            raise Closed(BAD_MESSAGE, "Invalid message: id")
        if identity in self._operations:
            raise Closed(DUPLICATE, "Subscriber for this id already exists")
        try:
            request = GraphQLRequest.from_json(payload)
        except RequestRefused as refusal:
            raise Closed(BAD_MESSAGE, _reason(f"Invalid message: {refusal}")) from None
        # Counted before it is under way: a client that does not read must not pile up tasks.
        if len(self._operations) >= 2 * self._limits.subscriptions:
            raise Closed(TOO_MANY_INITS, "Too many operations")
        scope = self._operations[identity] = anyio.CancelScope()
        self._tasks.start_soon(self._guarded, self._operate, identity, request, scope)

    async def _operate(self, identity: str, request: GraphQLRequest, scope: anyio.CancelScope) -> None:
        try:
            with scope:
                if len(self._operations) > self._limits.subscriptions:
                    raise RequestRefused(
                        f"a websocket has at most {self._limits.subscriptions} operations", code="LIMIT_EXCEEDED"
                    )
                await self._send_responses(identity, request)
        except RequestRefused as refusal:
            await self._say(id=identity, type="error", payload=refusal.errors)
        finally:
            if self._operations.get(identity) is scope:
                del self._operations[identity]

    async def _send_responses(self, identity: str, request: GraphQLRequest) -> None:
        try:
            operation = self._service.prepare(request, self._caller)
            async with self._service.results(operation, self._caller) as responses:
                async for response in responses:
                    if "data" not in response:
                        raise RequestRefused.of(response["errors"])
                    await self._say(id=identity, type="next", payload=msgspec.Raw(self._service.encode(response)))
                    self._service.metrics.events.inc()
            await self._say(id=identity, type="complete")
        except (Closed, RequestRefused):
            raise
        except Exception as failure:
            raise RequestRefused.of([describe(failure)]) from failure


def _message(text: object) -> Mapping[str, Any]:
    try:
        message = decode(text if isinstance(text, str) else "")
    except HTTPError:
        raise Closed(BAD_MESSAGE, "Invalid message: no JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise Closed(BAD_MESSAGE, "Invalid message")
    return message


def _reason(text: str) -> str:
    """Return *text* as far as a close frame can carry it."""
    return text.encode()[:123].decode(errors="ignore")
