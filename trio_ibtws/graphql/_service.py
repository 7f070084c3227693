"""What HTTP, server-sent events and websockets have in common: operations within the limits, and their end.

A query is cancelled when who asked leaves, or after its time; a mutation runs to its outcome, or to a time after which
none is to be expected. What reduces risk (a cancel, the kill switch) never waits behind other operations. When the
service closes, subscriptions end at once, queries after a moment, and mutations after a longer one.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from functools import partial
from typing import Any, Literal, Protocol

import anyio
from anyio.abc import TaskGroup

from ._audit import REDUCING_RISK
from ._auth import Caller
from ._errors import LimitExceeded, RequestRefused, describe
from ._limits import Limits
from ._metrics import Metrics
from ._places import Places
from ._respond import dumps, error
from ._turns import Turns, too_many

__all__ = ["Engine", "Operation", "Service"]

log = logging.getLogger("trio_ibtws.graphql")

QUERY_GRACE = 1.0
"""Seconds that a query has left when the service closes."""

MUTATION_GRACE = 2.0
"""Seconds that a mutation has left when the service closes. What has no outcome then is in the order book's journal."""

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
      context: makes what the engine gives to the resolvers of one operation of a caller.
      limits: how many at once, how often, how long.
      metrics: counts them.
      trading_fields: those at the root that only a caller who may trade can ask for, as ``"Mutation.placeOrder"``.
    """

    def __init__(
        self,
        engine: Engine,
        context: Callable[[Caller], Any],
        limits: Limits,
        metrics: Metrics,
        *,
        trading_fields: frozenset[str] = frozenset(),
    ) -> None:
        self.limits: Limits = limits
        self.metrics: Metrics = metrics
        self.closing: bool = False
        self._engine, self._context, self._trading_fields = engine, context, trading_fields
        self._turns: dict[str, Turns] = {}
        self._live: dict[object, Callable[[], None]] = {}
        self._subscriptions = 0
        self._quiet = anyio.Event()
        self._tasks: TaskGroup | None = None
        self.places: Places = Places(limits.sockets, limits.newcomers, metrics.sockets)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While a server runs the app, mutations have tasks of their own, which nobody ends with the one who asked."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            try:
                yield
            finally:
                self._tasks = None
                self.close()

    # --- operations

    def prepare(self, request: Any, caller: Caller) -> Any:
        """Return the operation in *request*.

        Raises:
          RequestRefused: it is not one, it is beyond a limit, the caller may not ask for it, or there were too many.
        """
        turns = self._turns_of(caller)
        try:
            wait = turns.count_request()
            if wait and not any(name in request.query for name in REDUCING_RISK):
                raise too_many("operations", wait)
            if wait:  # it may be one that reduces risk, and those have a rate of their own
                turns.count_reducing()
            operation = self._engine.prepare(request)
            self._check_caller(operation, caller)
            if reduces_risk(operation):
                return operation
            if wait:
                raise too_many("operations", wait)
            if operation.kind == "mutation":
                turns.count_mutation()
            return operation
        except RequestRefused as refusal:
            self._count_refusal(refusal)
            raise

    def _turns_of(self, caller: Caller) -> Turns:
        turns = self._turns.get(caller.token_id)
        if turns is None:
            turns = self._turns[caller.token_id] = Turns(self.limits)
        return turns

    def _check_caller(self, operation: Operation, caller: Caller) -> None:
        if caller.may_trade:
            return
        for name in operation.root_fields:
            if f"{operation.kind.capitalize()}.{name}" in self._trading_fields:
                raise RequestRefused(f"{name} takes the token for trading", code="FORBIDDEN", status=403)

    def _count_refusal(self, refusal: RequestRefused) -> None:
        self.metrics.refused.labels(str(refusal.errors[0].get("extensions", {}).get("code", ""))).inc()

    async def execute(self, operation: Operation, caller: Caller) -> Response:
        """Execute a query or a mutation and return the response.

        Cancelled: so is a query; a mutation goes on, unless it still waited for its turn.

        Raises:
          RequestRefused: it did not get its turn, or it failed before anything was executed.
        """
        if operation.kind != "mutation" or self._tasks is None:
            return await self._execute(operation, caller)
        outcome = _Outcome()
        self._tasks.start_soon(outcome.fill, partial(self._execute, operation, caller))
        await outcome.known.wait()
        return outcome.response or {"data": None, "errors": [self._interruption(True)]}

    async def _execute(self, operation: Operation, caller: Caller) -> Response:
        try:
            async with nullcontext() if reduces_risk(operation) else self._turns_of(caller).turn():
                if self.closing:
                    raise RequestRefused("the service is shutting down", code="SHUTTING_DOWN", status=503)
                with self.metrics.timed(operation.kind):
                    response = await self._run(operation, caller)
        except RequestRefused as refusal:
            self._count_refusal(refusal)
            raise
        self.metrics.operations.labels(operation.kind, "errors" if response.get("errors") else "ok").inc()
        return response

    async def _run(self, operation: Operation, caller: Caller) -> Response:
        is_mutation = operation.kind == "mutation"
        with anyio.CancelScope(shield=is_mutation) as scope:
            seconds = self.limits.mutation_seconds if is_mutation else self.limits.operation_seconds
            scope.deadline = anyio.current_time() + seconds
            with self.ended_with_us(_sooner(scope, MUTATION_GRACE if is_mutation else QUERY_GRACE)):
                try:
                    return await self._engine.execute(operation, self._context(caller))
                except RequestRefused:
                    raise
                except Exception as failure:  # noqa: BLE001 - described, and logged there
                    return {"data": None, "errors": [describe(failure)]}
        return {"data": None, "errors": [self._interruption(is_mutation)]}

    @staticmethod
    def ending() -> Response:
        """Return what is told of a subscription that ends because the service does."""
        return {"data": None, "errors": [error("SHUTTING_DOWN", "the service has shut down")]}

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
    async def results(self, operation: Operation, caller: Caller) -> AsyncIterator[AsyncIterator[Response]]:
        """Open an operation of any kind, for a block, as the responses that it gives.

        Raises:
          RequestRefused: it cannot be opened.
        """
        if operation.kind != "subscription":
            yield _Once(await self.execute(operation, caller))
            return
        self.metrics.operations.labels("subscription", "opened").inc()
        with self._one_more_subscription():
            async with self._engine.subscribe(operation, self._context(caller)) as responses:
                yield responses

    @contextmanager
    def _one_more_subscription(self) -> Iterator[None]:
        self._subscriptions += 1
        try:
            with self.metrics.subscriptions.track_inprogress():
                yield
        finally:
            self._subscriptions -= 1
            if not self._subscriptions:
                self._quiet.set()

    async def subscriptions_end(self) -> None:
        """Return when no subscription is open."""
        while self._subscriptions:
            self._quiet = anyio.Event()
            await self._quiet.wait()

    def encode(self, response: Response) -> bytes:
        """Return *response* as JSON; of one that is too large, that it is.

        It is counted while it is made already (``Work``), but roughly: what is in a value of JSON is seen here.
        """
        data, most = dumps(response), self.limits.response_bytes
        if len(data) <= most:
            return data
        return dumps({"data": None, "errors": [describe(LimitExceeded("bytes in the response", len(data), most))]})

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

    def close(self) -> None:
        """End everything that is under way, each kind in its time, and begin nothing new."""
        self.closing = True
        for end in list(self._live.values()):
            end()


def reduces_risk(operation: Operation) -> bool:
    """Whether it is a mutation that ends orders, and nothing else."""
    return operation.kind == "mutation" and set(operation.root_fields) <= REDUCING_RISK


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


class _Outcome:
    """What becomes of a mutation that runs elsewhere, for the one who asked, if he still waits."""

    def __init__(self) -> None:
        self.known = anyio.Event()
        self._response: Response | None = None
        self._error: Exception | None = None

    async def fill(self, run: Callable[[], Awaitable[Response]]) -> None:
        """Run it; whatever it raises is for the one who asked."""
        try:
            self._response = await run()
        except Exception as exc:  # noqa: BLE001 - raised below
            self._error = exc
        finally:
            self.known.set()

    @property
    def response(self) -> Response | None:
        """The response; ``None`` where the service has ended before there was one."""
        if self._error is not None:
            raise self._error
        return self._response
