"""A simulated TWS with a client, an order book and an engine on it: what the tests of resolvers and mutations ask."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import fields, replace
from functools import cache
from typing import Any

import anyio
from trio.testing import MockClock

from trio_ibtws import Client, open_client
from trio_ibtws.graphql._context import Context
from trio_ibtws.graphql._engine import Engine, GraphQLRequest
from trio_ibtws.graphql._limits import Limits as GraphQLLimits
from trio_ibtws.graphql._resolve import build_schema
from trio_ibtws.simulator import Limits, Scenario, Simulator, open_simulator

FAST = 40.0
"""Simulated seconds a second: what asyncio has instead of a virtual clock.

With more of them a busy machine has no time for anything but the simulated market.
"""

BACKENDS = ["trio", "asyncio"]

WIDE = GraphQLLimits(
    aliases=10**4,
    depth=50,
    query_chars=10**7,
    tokens=10**6,
    cost=10**7,
    brackets=100,
    repeats=10**5,
    nodes=10**6,
    rows=10**6,
)
"""Limits that no query of the tests reaches."""

AAPL = {"symbol": "AAPL", "secType": "STK", "exchange": "SMART", "currency": "USD"}


def backend_of(name: str) -> Any:
    """Return what anyio's plugin takes: on trio no time passes at all, on asyncio a fortieth of it."""
    return ("trio", {"clock": MockClock(autojump_threshold=0)}) if name == "trio" else ("asyncio", {})


@cache
def engine_of(trading: bool) -> Engine:
    """Return an engine; it has no state, and takes a second to make."""
    schema = build_schema(trading)
    given = {each.name: getattr(schema, each.name) for each in fields(schema) if each.name != "trading_fields"}
    return Engine(**given, limits=WIDE, introspection=True)


class Service:
    """A context, and an engine to ask with it."""

    def __init__(self, sim: Simulator, context: Context, trading: bool, speed: float) -> None:
        self.sim = sim
        self.speed = speed
        self.context = context
        self.schema = build_schema(trading)
        self.engine = engine_of(trading)

    @property
    def client(self) -> Client:
        return self.context.client

    async def pass_time(self, seconds: float) -> None:
        """Let so many simulated seconds go by."""
        await anyio.sleep(seconds / self.speed)

    def resolve(self, field: str, **args: Any) -> Any:
        """Call a resolver as the engine does."""
        return self.schema.resolvers[field](args, self.context, None)

    def open(self, name: str, **args: Any) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        """Open a source as the engine does, with the schema's defaults."""
        given = {"buffer": 1000, "overflow": "RAISE", "share": False} | args
        return self.schema.sources[f"Subscription.{name}"](given, self.context)

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Execute a query or mutation."""
        return await self.engine.execute(self.engine.prepare(GraphQLRequest(query, None, variables)), self.context)

    async def data(self, query: str, **variables: Any) -> Any:
        """Execute a query or mutation that has one root field and no errors; return that field."""
        response = await self.ask(query, **variables)
        assert "errors" not in response, response["errors"]
        [value] = response["data"].values()
        return value

    async def refusal(self, query: str, **variables: Any) -> Mapping[str, Any]:
        """Execute what fails; return the one error."""
        [error] = (await self.ask(query, **variables))["errors"]
        return dict(error)


@asynccontextmanager
async def serving(
    backend: str,
    *,
    trading: bool = True,
    scenario: Mapping[str, Any] | None = None,
    answer_within: float = 60.0,
    **changes: Any,
) -> AsyncGenerator[Service]:
    """Give a service on a simulator without limits; *changes* are of its context.

    On asyncio *answer_within* passes in real time: it is long where there is an answer, and short where there is none.
    """
    speed = 1.0 if backend == "trio" else FAST
    settings = {"speed": speed, "limits": Limits.off(), "calendar": True, **(scenario or {})}
    async with (
        open_simulator(port=None, scenario=Scenario(**settings)) as sim,
        open_client(stream=await sim.connect(), client_id=3, trading=trading) as client,
        client.orders(journal=False, recheck=0.0, answer_within=answer_within) as book,
    ):
        context = Context(client, book if trading else None, token_id="t0")
        yield Service(sim, replace(context, **changes), trading, speed)
