"""The schema and what answers it: ``build_schema`` puts together what the engine needs.

Which method of the client a field calls is generated (``trio_ibtws._gen.resolvers``); how it is called, and the fields
that no request stands for, stand here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from importlib.resources import files
from typing import Any

import anyio
import msgspec

from .._gen import resolvers as generated
from .._gen.resolvers import Call
from .._runtime._compat import ibapi_release
from ..errors import InvalidRequest, LocalError, UnsupportedRequest
from . import _orders
from ._audit import perform
from ._context import Context
from ._scalars import SCALARS
from ._values import Inputs, Outputs, Types, type_name

__all__ = ["Schema", "build_schema"]

TRADING_LINE = "# --- what follows is there only where trading is enabled"

Arguments = Mapping[str, Any]
Resolver = Callable[[Arguments, Context, Any], Awaitable[Any]]
Source = Callable[[Arguments, Context], AbstractAsyncContextManager[AsyncIterator[Any]]]

_CHANGED_SECONDS = 5.0
_SESSION_MUTATIONS = ("send", "part")


@dataclass(frozen=True)
class Schema:
    """What the engine is made of: ``Engine(schema.sdl, schema.resolvers, …)``.

    Attributes:
      sdl: the schema as text.
      resolvers: what answers the fields of Query and Mutation, by ``Query.reqMktDepthExchanges``.
      sources: what the fields of Subscription yield, by ``Subscription.reqMktData``.
      scalars: what implements the scalars.
      default_resolver: gives the value of any other field from its parent and its name.
      type_name: gives the type of a value of a union.
      trading_fields: what changes orders, costs money, or could by a mistake of TWS's: ``Mutation.placeOrder``.
    """

    sdl: str
    resolvers: Mapping[str, Resolver]
    sources: Mapping[str, Source]
    scalars: Mapping[str, Any]
    default_resolver: Callable[[Any, str], Any]
    type_name: Callable[[Any], str]
    trading_fields: frozenset[str]


@cache
def build_schema(trading: bool) -> Schema:
    """Return the schema with what changes orders or costs money, or without."""
    sdl = files("trio_ibtws._gen").joinpath("schema.graphql").read_text(encoding="utf-8")
    line = sdl.index(TRADING_LINE)
    mutations = Types(sdl[line:]).fields["Mutation"]
    if not trading:
        sdl = sdl[:line]
    types = Types(sdl)
    inputs = Inputs(types)
    return Schema(
        sdl=sdl,
        resolvers=_resolvers(types, inputs),
        sources=_sources(types, inputs),
        scalars=SCALARS,
        default_resolver=Outputs(types),
        type_name=type_name,
        trading_fields=frozenset({*(f"Mutation.{name}" for name in mutations), "Query.whatIfOrder"}),
    )


def _resolvers(types: Types, inputs: Inputs) -> dict[str, Resolver]:
    found: dict[str, Resolver] = {}
    for name in types.fields["Query"]:
        found[f"Query.{name}"] = _query(name, inputs)
    for name in types.fields["Mutation"]:
        found[f"Mutation.{name}"] = _mutation(name, inputs)
    return found


def _sources(types: Types, inputs: Inputs) -> dict[str, Source]:
    own: dict[str, Source] = {"notices": _notices, "orderEvents": _order_events, "tradeEvents": _trade_events}
    return {
        f"Subscription.{name}": own.get(name) or partial(_stream, name, inputs) for name in types.fields["Subscription"]
    }


# --- queries and mutations ---------------------------------------------------------------------------------------


def _query(name: str, inputs: Inputs) -> Resolver:
    if name == "connection":
        return _connection
    if name in _orders.QUERIES:
        function = _orders.QUERIES[name]
        return lambda args, context, info: function(args, context, inputs)
    call = generated.QUERY[name]
    return lambda args, context, info: _ask(f"Query.{name}", call, args, context, inputs)


def _mutation(name: str, inputs: Inputs) -> Resolver:
    def resolve(args: Arguments, context: Context, info: Any) -> Awaitable[Any]:
        return perform(context, name, args, lambda: _change(name, args, context, inputs))

    return resolve


async def _change(name: str, args: Arguments, context: Context, inputs: Inputs) -> Any:
    """Run a mutation; orders never go straight to the client's method."""
    function = _orders.MUTATIONS.get(name)
    if function is not None:
        return await function(args, context, inputs)
    call = generated.MUTATION[name]
    if call.kind == "part":
        return await _update_display_group(args, context)
    answer = await _ask(f"Mutation.{name}", call, args, context, inputs)
    return True if call.kind == "send" else answer


async def _ask(field: str, call: Call, args: Arguments, context: Context, inputs: Inputs) -> Any:
    """Call the client's method with the arguments, and return its answer as the schema has it."""
    arguments = _arguments(field, call, args, inputs)
    try:
        answer = getattr(context.client, call.method)(*arguments)
        return _SHAPES[call.shape](answer if call.kind == "send" else await answer)
    except anyio.BusyResourceError as exc:
        raise _busy(exc) from exc


def _arguments(field: str, call: Call, args: Arguments, inputs: Inputs) -> list[Any]:
    given = [inputs.argument(field, name, args.get(name)) for name in call.arguments]
    if call.shape == "message" and given:
        given = [_message(call.arguments[0], given[0])]
    return given


def _busy(error: anyio.BusyResourceError) -> LocalError:
    return LocalError(f"{error}. Nothing was sent")


async def _update_display_group(args: Arguments, context: Context) -> bool:
    """Follow a group for as long as it takes to change what it shows; return whether TWS then said so."""
    try:
        async with context.client.subscribe_to_group_events(args["groupId"]) as shown:
            await shown.receive()
            shown.update(args["contractInfo"])
            with anyio.move_on_after(_CHANGED_SECONDS):
                await shown.receive()
                return True
            return False
    except anyio.BusyResourceError as exc:
        raise _busy(exc) from exc


# --- shapes ------------------------------------------------------------------------------------------------------


class HistoricalNewsList(msgspec.Struct, frozen=True):
    """Headlines, and whether there are more."""

    rows: list[Any]
    has_more: bool


class SmartComponent(msgspec.Struct, frozen=True):
    """An exchange behind a SMART quote, whatever shape the wire gave it."""

    bit_number: int
    exchange: str
    exchange_letter: str


class ScannerDataList(msgspec.Struct, frozen=True):
    """One refresh of a scan."""

    rows: list[Any]


class DisplayGroupUpdated(msgspec.Struct, frozen=True):
    """What a display group shows."""

    contract_info: str


class Connection(msgspec.Struct, frozen=True):
    """What is known of the connection to TWS."""

    server_version: int
    connection_time: str
    accounts: tuple[str, ...]
    farms: list[Farm]
    stats: Mapping[str, Any]


class Farm(msgspec.Struct, frozen=True):
    """A data farm."""

    name: str
    state: str


async def _connection(args: Arguments, context: Context, info: Any) -> Connection:
    client = context.client
    return Connection(
        client.server_version,
        client.connection_time,
        client.accounts,
        [Farm(name, str(state)) for name, state in sorted(client.farms.items())],
        msgspec.structs.asdict(client.stats()),
    )


def _components(answer: Mapping[int, tuple[str, str]]) -> list[SmartComponent]:
    return [SmartComponent(bit, *named) for bit, named in sorted(answer.items())]


def _as_json(message: Any) -> Any:
    from google.protobuf.json_format import MessageToDict  # ibapi before 10.43 needs no protobuf

    return MessageToDict(message, preserving_proto_field_name=True)


def _message(name: str, given: Any) -> Any:
    """Return the protobuf message that JSON describes; its class is named like the argument."""
    kind = name.removesuffix("Proto")
    kind = kind[:1].upper() + kind[1:]
    try:
        from google.protobuf.json_format import ParseDict, ParseError

        made = getattr(import_module(f"ibapi.protobuf.{kind}_pb2"), kind)()
    except ModuleNotFoundError as exc:
        raise UnsupportedRequest(
            f"the installed ibapi {ibapi_release()} has no protobuf message {kind}. Nothing was sent"
        ) from exc
    if not isinstance(given, dict):
        raise InvalidRequest(name, f"it is no {kind}, which is an object. Nothing was sent")
    try:
        return ParseDict(given, made)
    except (ParseError, TypeError, ValueError, AttributeError) as exc:
        raise InvalidRequest(name, f"it is no {kind}: {exc}. Nothing was sent") from exc


_SHAPES: Mapping[str, Callable[[Any], Any]] = {
    "": lambda answer: answer,
    "batch": lambda event: ScannerDataList(event) if isinstance(event, list) else event,
    "components": _components,
    "message": _as_json,
    "more": lambda answer: HistoricalNewsList(list(answer), bool(answer.end)),
    "text": lambda event: DisplayGroupUpdated(event) if isinstance(event, str) else event,
}


# --- subscriptions -----------------------------------------------------------------------------------------------


@asynccontextmanager
async def _stream(name: str, inputs: Inputs, args: Arguments, context: Context) -> AsyncGenerator[AsyncIterator[Any]]:
    """Open the subscription that a field stands for."""
    call = generated.SUBSCRIPTION[name]
    arguments = _arguments(f"Subscription.{name}", call, args, inputs)
    options = {"buffer": _buffer(args, context), "overflow": args["overflow"].lower(), "share": args["share"]}
    subscription = getattr(context.client, call.method)(*arguments, **options)
    async with _opened(subscription) as events:
        yield _Shaped(events, _SHAPES[call.shape]) if call.shape else events


def _buffer(args: Arguments, context: Context) -> int:
    """Return how many events may wait for the subscriber."""
    given, limits = args.get("buffer"), context.limits
    if given is None:
        return limits.events
    if given > limits.buffer:
        raise InvalidRequest("buffer", f"{given} events are more than the {limits.buffer} that may be had")
    return int(given)


@asynccontextmanager
async def _opened(subscription: Any) -> AsyncGenerator[Any]:
    """Open a subscription; that TWS has such a line once is said in our words."""
    try:
        events = await subscription.__aenter__()
    except anyio.BusyResourceError as exc:
        raise _busy(exc) from exc
    try:
        yield events
    finally:
        await subscription.__aexit__(None, None, None)


@asynccontextmanager
async def _notices(args: Arguments, context: Context) -> AsyncGenerator[AsyncIterator[Any]]:
    async with context.client.notices() as notices:
        yield notices


@asynccontextmanager
async def _order_events(args: Arguments, context: Context) -> AsyncGenerator[AsyncIterator[Any]]:
    async with _orders.order_events(context) as events:
        yield events


@asynccontextmanager
async def _trade_events(args: Arguments, context: Context) -> AsyncGenerator[AsyncIterator[Any]]:
    async with context.orders.events() as news:
        yield _Shaped(news, lambda pair: _orders.TradeNews(*pair))


class _Shaped(AsyncIterator[Any]):
    """The events of a stream, each as the schema has it."""

    def __init__(self, events: AsyncIterator[Any], shape: Callable[[Any], Any]) -> None:
        self._events = events
        self._shape = shape

    async def __anext__(self) -> Any:
        return self._shape(await self._events.__anext__())
