"""What HTTP, server-sent events and websockets have in common: operations within the limits, and their end.

A query is cancelled when who asked leaves, or after its time; a mutation runs to its outcome, or to a time after which
none is to be expected. What reduces risk (a cancel, the kill switch) never waits behind other operations. When the
service closes, subscriptions end at once, queries after a moment, and mutations after a longer one.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, Literal, Protocol

import anyio

from ._auth import Bucket
from ._errors import RequestRefused, describe
from ._limits import Limits
from ._metrics import Metrics
from ._respond import BUSY, error

__all__ = ["Engine", "Operation", "Service"]

log = logging.getLogger("trio_ibtws.graphql")

QUERY_GRACE = 1.0
"""Seconds that a query has left when the service closes."""

MUTATION_GRACE = 2.0
"""Seconds that a mutation has left when the service closes. What has no outcome then is in the order book's journal."""

REDUCING_RISK = frozenset({"cancelOrder", "reqGlobalCancel", "kill"})
"""Mutations that take no turn, and have a rate of their own."""

Response = dict[str, Any]


class Operation(Protocol):
    """An operation that the engine has prepared."""

    @property
    def kind(self) -> Literal["query", "mutation", "subscription"]:
        """What it is."""
        ...

    @property
    def root_fields(self) -> tuple[str, ...]:
        """The names of the fields at its root."""
        ...


class Engine(Protocol):
    """What the service needs of the engine."""

    def prepare(self, request: Any) -> Any:
        """Return the operation of a request. Raises RequestRefused."""
        ...

    async def execute(self, operation: Any, context: Any) -> Response:
        """Execute a query or a mutation."""
        ...

    def subscribe(self, operation: Any, context: Any) -> AbstractAsyncContextManager[AsyncIterator[Response]]:
        """Open a subscription."""
        ...


class Service:
    """Executes operations for who may ask for them.

    Args:
      engine: executes them.
      context: makes what the engine gives to the resolvers of one operation.
      limits: how many at once, how often, how long.
      metrics: counts them.
    """

    def __init__(self, engine: Engine, context: Callable[[], Any], limits: Limits, metrics: Metrics) -> None:
        self.limits: Limits = limits
        self.metrics: Metrics = metrics
        self.closing: bool = False
        self._engine, self._context = engine, context
        self._slots = anyio.Semaphore(limits.operations)
        self._requests = Bucket(limits.requests_per_second, limits.requests_burst, anyio.current_time)
        self._mutations = Bucket(limits.mutations_per_second, limits.mutations_burst, anyio.current_time)
        self._reducing = Bucket(limits.requests_per_second, limits.requests_burst, anyio.current_time)
        self._live: dict[object, Callable[[], None]] = {}
        self._streams = 0

    # --- operations

    def prepare(self, request: Any) -> Any:
        """Return the operation in *request*.

        Raises:
          RequestRefused: it is not one, it is beyond a limit, or there were too many.
        """
        try:
            wait = self._requests.take()
            if wait and not any(name in request.query for name in REDUCING_RISK):
                raise _too_many("operations", wait)
            if wait:  # it may be one that reduces risk, and those have a rate of their own
                self._check_rate(self._reducing, "operations")
            operation = self._engine.prepare(request)
            if reduces_risk(operation):
                return operation
            if wait:
                raise _too_many("operations", wait)
            if operation.kind == "mutation":
                self._check_rate(self._mutations, "mutations")
            return operation
        except RequestRefused as refusal:
            self._count_refusal(refusal)
            raise

    def _check_rate(self, bucket: Bucket, what: str) -> None:
        wait = bucket.take()
        if wait:
            raise _too_many(what, wait)

    def _count_refusal(self, refusal: RequestRefused) -> None:
        self.metrics.refused.labels(str(refusal.errors[0].get("extensions", {}).get("code", ""))).inc()

    async def execute(self, operation: Operation) -> Response:
        """Execute a query or a mutation and return the response.

        Cancelled: so is a query; a mutation goes on, unless it still waited for its turn.

        Raises:
          RequestRefused: it did not get its turn, or it failed before anything was executed.
        """
        waits = not reduces_risk(operation)
        if waits:
            await self._take_turn()
        try:
            if self.closing:
                raise RequestRefused("the service is shutting down", code="SHUTTING_DOWN", status=503)
            with self.metrics.timed(operation.kind):
                response = await self._run(operation)
        except RequestRefused as refusal:
            self._count_refusal(refusal)
            raise
        finally:
            if waits:
                self._slots.release()
        self.metrics.operations.labels(operation.kind, "errors" if response.get("errors") else "ok").inc()
        return response

    async def _take_turn(self) -> None:
        with anyio.move_on_after(self.limits.turn_seconds) as waiting:
            await self._slots.acquire()
        if waiting.cancelled_caught:
            raise RequestRefused(f"{self.limits.operations} operations are under way", code=BUSY, status=429)

    async def _run(self, operation: Operation) -> Response:
        is_mutation = operation.kind == "mutation"
        with anyio.CancelScope(shield=is_mutation) as scope:
            seconds = self.limits.mutation_seconds if is_mutation else self.limits.operation_seconds
            scope.deadline = anyio.current_time() + seconds
            with self.ended_with_us(_sooner(scope, MUTATION_GRACE if is_mutation else QUERY_GRACE)):
                try:
                    return await self._engine.execute(operation, self._context())
                except RequestRefused:
                    raise
                except Exception as failure:  # noqa: BLE001 - described, and logged there
                    return {"data": None, "errors": [describe(failure)]}
        return {"data": None, "errors": [self._interruption(is_mutation)]}

    def _interruption(self, is_mutation: bool) -> dict[str, Any]:
        if is_mutation and not self.closing:
            return error(
                "TIMEOUT", f"there was no outcome within {self.limits.mutation_seconds:g} s: look the order up"
            )
        if is_mutation:
            return error("SHUTTING_DOWN", "the service has shut down before the outcome was known: look the order up")
        if self.closing:
            return error("SHUTTING_DOWN", "the service has shut down")
        return error("TIMEOUT", f"it took more than {self.limits.operation_seconds:g} s")

    @asynccontextmanager
    async def results(self, operation: Operation) -> AsyncIterator[AsyncIterator[Response]]:
        """Open an operation of any kind, for a block, as the responses that it gives.

        Raises:
          RequestRefused: it cannot be opened.
        """
        if operation.kind != "subscription":
            yield _Once(await self.execute(operation))
            return
        self.metrics.operations.labels("subscription", "opened").inc()
        with self.metrics.subscriptions.track_inprogress():
            async with self._engine.subscribe(operation, self._context()) as responses:
                yield responses

    # --- the end

    @contextmanager
    def ended_with_us(self, end: Callable[[], None]) -> Iterator[None]:
        """Within the block, *end* is called when the service closes; at once if it has."""
        key = object()
        self._live[key] = end
        if self.closing:
            end()
        try:
            yield
        finally:
            del self._live[key]

    @contextmanager
    def one_more_stream(self) -> Iterator[bool]:
        """Count a websocket or event stream; say whether there may be one more."""
        self._streams += 1
        try:
            with self.metrics.sockets.track_inprogress():
                yield self._streams <= self.limits.sockets
        finally:
            self._streams -= 1

    def close(self) -> None:
        """End everything that is under way, each kind in its time, and begin nothing new."""
        self.closing = True
        for end in list(self._live.values()):
            end()


def reduces_risk(operation: Operation) -> bool:
    """Whether it is a mutation that ends orders, and nothing else."""
    return operation.kind == "mutation" and set(operation.root_fields) <= REDUCING_RISK


def _too_many(what: str, wait: float) -> RequestRefused:
    return RequestRefused(f"too many {what}: try again in {wait:.1f} s", code="RATE_LIMITED", status=429)


def _sooner(scope: anyio.CancelScope, seconds: float) -> Callable[[], None]:
    def end() -> None:
        scope.deadline = min(scope.deadline, anyio.current_time() + seconds)

    return end


class _Once(AsyncIterator[Response]):
    """One response, as a stream of them."""

    def __init__(self, response: Response) -> None:
        self._responses = [response]

    async def __anext__(self) -> Response:
        if not self._responses:
            raise StopAsyncIteration
        return self._responses.pop()
