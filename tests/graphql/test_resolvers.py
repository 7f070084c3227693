"""Queries and subscriptions on the simulator: they give what the client's methods give, every field of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from decimal import Decimal
from functools import partial
from importlib import import_module
from typing import Any

import anyio
import graphql
import msgspec
import pytest
from ibapi.client import EClient
from ibapi.wrapper import EWrapper

from tests.graphql.harness import until
from tests.graphql.resolving import AAPL, BACKENDS, Service, backend_of, serving
from trio_ibtws import Gap, InvalidRequest, Lagged, LocalError, NoPermission, UnsupportedRequest, errors
from trio_ibtws._gen import resolvers as generated
from trio_ibtws.graphql import _resolve
from trio_ibtws.graphql._engine import GraphQLRequest
from trio_ibtws.graphql._limits import Limits
from trio_ibtws.graphql._resolve import build_schema
from trio_ibtws.graphql._values import Inputs, Types

pytestmark = pytest.mark.anyio

FAMILIES = [
    import_module(f"trio_ibtws._gen.requests_{family}")
    for family in ("accounts", "contracts", "history", "market_data", "orders", "research", "session")
]

TYPES = Types(build_schema(True).sdl)
INPUTS = Inputs(TYPES)
CORE = graphql.build_schema(build_schema(True).sdl)


@pytest.fixture(params=BACKENDS)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return backend_of(request.param)


@pytest.fixture
async def service(anyio_backend: tuple[str, Any]) -> AsyncGenerator[Service]:
    async with serving(anyio_backend[0]) as made:
        yield made


BARS = {
    "contract": AAPL,
    "endDateTime": "20130104 16:00:00 US/Eastern",
    "durationStr": "2 D",
    "barSizeSetting": "1 hour",
    "whatToShow": "TRADES",
    "useRTH": True,
    "formatDate": 1,
}
TICKS = {
    "contract": AAPL,
    "startDateTime": "",
    "endDateTime": "20130107 10:00:00 US/Eastern",
    "numberOfTicks": 20,
    "useRth": True,
    "ignoreSize": False,
}
ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "calculateImpliedVolatility": {"contract": "option", "optionPrice": 20.0, "underPrice": 520.0},
    "calculateOptionPrice": {"contract": "option", "volatility": 0.3, "underPrice": 520.0},
    "reqAccountSummary": {"groupName": "All", "tags": "NetLiquidation,BuyingPower"},
    "reqAccountUpdates": {"acctCode": ""},
    "reqAccountUpdatesMulti": {"account": "DU1000001", "modelCode": "", "ledgerAndNLV": False},
    "reqCompletedOrders": {"apiOnly": False},
    "reqContractDetails": {"contract": AAPL},
    "reqExecutions": {"execFilter": {"symbol": "AAPL"}},
    "reqHeadTimeStamp": {"contract": AAPL, "whatToShow": "TRADES", "useRTH": True, "formatDate": 1},
    "reqHistogramData": {"contract": AAPL, "useRTH": True, "timePeriod": "3 days"},
    "reqHistoricalData": BARS,
    "reqHistoricalNews": {
        "conId": 265598,
        "providerCodes": "BRFG",
        "startDateTime": "",
        "endDateTime": "2013-01-07 10:00:00.0",
        "totalResults": 2,
    },
    "reqHistoricalSchedule": {name: BARS[name] for name in BARS if name != "whatToShow"} | {"barSizeSetting": "1 day"},
    "reqHistoricalTicks": {**TICKS, "whatToShow": "BID_ASK"},
    "reqIds": {"numIds": 1},
    "reqMarketRule": {"marketRuleId": 26},
    "reqMatchingSymbols": {"pattern": "AA"},
    "reqMktDataSnapshot": {"contract": AAPL, "genericTickList": ""},
    "reqNewsArticle": {"providerCode": "BRFG", "articleId": "article"},
    "reqPositionsMulti": {"account": "DU1000001", "modelCode": ""},
    "reqSecDefOptParams": {
        "underlyingSymbol": "AAPL",
        "futFopExchange": "",
        "underlyingSecType": "STK",
        "underlyingConId": 265598,
    },
    "reqSmartComponents": {"bboExchange": "bbo"},
    "reqWshEventData": {"wshEventData": {"conId": 265598}},
}
UNANSWERED = {"reqFundamentalData", "requestFA"}
"""What this release or an account without an advisor has not."""

LIVE = {
    *("reqAccountSummary", "reqAccountUpdates", "reqAccountUpdatesMulti", "reqCurrentTime", "reqCurrentTimeInMillis"),
    *("reqHistogramData", "reqIds", "reqMktDataSnapshot"),
}
"""What differs from one moment to the next."""

CLOCK = {"reqCurrentTime", "reqCurrentTimeInMillis"}
"""What TWS is not asked for more often than every 4.5 seconds: two who wait take the same answer."""

MADE_UP = ("option", "article", "bbo")


async def given_to(service: Service, name: str) -> dict[str, Any]:
    """Return the arguments of a field, with what must be looked up first."""
    args = dict(ARGUMENTS.get(name, {}))
    for argument, value in args.items():
        if value in MADE_UP:
            args[argument] = await LOOK_UP[value](service)
    return args


async def an_option(service: Service) -> dict[str, Any]:
    rows = await service.resolve("Query.reqContractDetails", contract={**AAPL, "secType": "OPT", "right": "C"})
    return {**AAPL, "secType": "OPT", "conId": rows[len(rows) // 2].contract.conId}


async def an_article(service: Service) -> str:
    news = await service.resolve("Query.reqHistoricalNews", **ARGUMENTS["reqHistoricalNews"])
    return str(news.rows[0].article_id)


async def a_bbo_exchange(service: Service) -> str:
    ticks = await service.resolve("Query.reqMktDataSnapshot", contract=AAPL, genericTickList="")
    return next(str(tick.bbo_exchange) for tick in ticks if hasattr(tick, "bbo_exchange"))


LOOK_UP: Any = {"option": an_option, "article": an_article, "bbo": a_bbo_exchange}


def plain(value: Any) -> Any:
    """Return everything in a value, so that two of them can be compared."""
    if isinstance(value, msgspec.Struct):
        return type(value).__name__, [plain(getattr(value, name)) for name in value.__struct_fields__]
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if hasattr(value, "__dict__") and not isinstance(value, type):
        return type(value).__name__, {name: plain(each) for name, each in vars(value).items()}
    return str(value) if isinstance(value, Decimal) else value


def selection(kind: Any, depth: int = 0) -> str:
    """Return a selection of every field below a type, but not of the same type in itself."""
    named = graphql.get_named_type(kind)
    if isinstance(named, graphql.GraphQLUnionType):
        parts = [f"... on {each.name} {_under_names_of_its_own(each, depth)}" for each in named.types]
        return "{ __typename " + " ".join(parts) + " }"
    if not isinstance(named, graphql.GraphQLObjectType):
        return ""
    fields = [f"{name} {selection(field.type, depth + 1)}" for name, field in named.fields.items()]
    return "{ " + " ".join(fields) + " }"


def _under_names_of_its_own(kind: Any, depth: int) -> str:
    """Fields of members of a union may have the same name and another type."""
    fields = [f"{kind.name}_{name}: {name} {selection(field.type, depth + 1)}" for name, field in kind.fields.items()]
    return "{ " + " ".join(fields) + " }"


def asked(root: str, name: str) -> str:
    """Return an operation that asks for everything of a root field, with variables for its arguments."""
    root_type = CORE.type_map[root]
    assert isinstance(root_type, graphql.GraphQLObjectType)
    field = root_type.fields[name]
    variables = ", ".join(f"${each}: {argument.type}" for each, argument in field.args.items())
    arguments = ", ".join(f"{each}: ${each}" for each in field.args)
    head = f"{root.lower()} q{f'({variables})' * bool(variables)}"
    return f"{head} {{ {name}{f'({arguments})' * bool(arguments)} {selection(field.type)} }}"


def supported(name: str) -> bool:
    """Whether the installed ibapi has the method, and the callback that answers."""
    constant = generated.QUERY[name].method.upper()
    request = next(getattr(family, constant) for family in FAMILIES if hasattr(family, constant))
    callback = request.needs or "error"
    return hasattr(EClient, request.method) and hasattr(EWrapper, callback)


# --- queries -----------------------------------------------------------------------------------------------------

ANSWERED = sorted(set(generated.QUERY) - UNANSWERED)
UNKNOWN = {name for name in ANSWERED if not supported(name)}
"""Of those, what the installed ibapi has not."""


async def test_a_query_gives_what_the_clients_method_gives(service: Service) -> None:
    await service.resolve("Mutation.placeOrder", contract=AAPL, order=MARKET)
    await service.context.orders.trades[0].done()
    async with service.open("reqMktData", contract=AAPL, genericTickList=""):  # or there are no smart components
        await compare_all(service)


async def compare_all(service: Service) -> None:
    for name in ANSWERED:
        call = generated.QUERY[name]
        args = await given_to(service, name)
        if name in UNKNOWN:
            with pytest.raises(UnsupportedRequest):
                await service.resolve(f"Query.{name}", **args)
            continue
        objects = [INPUTS.argument(f"Query.{name}", each, args.get(each)) for each in call.arguments]
        ours = partial(service.resolve, f"Query.{name}", **args)
        theirs = partial(getattr(service.client, call.method), *objects)
        check_same(name, *(await both(ours, theirs) if name in CLOCK else (await ours(), await theirs())))


async def both(*calls: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Call both at once, and return what they give."""
    found: dict[int, Any] = {}

    async def one(number: int, call: Callable[[], Awaitable[Any]]) -> None:
        found[number] = await call()

    async with anyio.create_task_group() as tasks:
        for number, call in enumerate(calls):
            tasks.start_soon(one, number, call)
    return [found[number] for number in sorted(found)]


def check_same(name: str, ours: Any, theirs: Any) -> None:
    shape = generated.QUERY[name].shape
    if shape == "more":
        assert (ours.rows, ours.has_more) == (list(theirs), theirs.end)
    elif shape == "components":
        assert {each.bit_number: (each.exchange, each.exchange_letter) for each in ours} == theirs
    elif shape == "message":
        assert ours["api"]["settings"]["trustedIPs"] == list(theirs.api.settings.trustedIPs)
    elif name in LIVE:
        assert type(ours) is type(theirs)
        assert ours
    else:
        assert plain(ours) == plain(theirs), name


NOTHING = {"reqSoftDollarTiers", "reqUserInfo"}
"""What the simulator answers with nothing."""


async def test_every_field_of_an_answer_can_be_asked_for(service: Service) -> None:
    for order in (MARKET, {**MARKET, "orderType": "LMT", "lmtPrice": 1.0}):
        await service.resolve("Mutation.placeOrder", contract=AAPL, order=order)
    await service.context.orders.trades[0].done()
    async with service.open("reqMktData", contract=AAPL, genericTickList=""):
        for name in sorted(set(ANSWERED) - UNKNOWN):
            data = await service.data(asked("Query", name), **await given_to(service, name))
            assert data or name in NOTHING, name


MARKET = {"action": "BUY", "totalQuantity": Decimal(10), "orderType": "MKT"}


async def test_the_connection(service: Service) -> None:
    data = await service.data(asked("Query", "connection"))
    assert data["serverVersion"] == service.client.server_version
    assert data["accounts"] == ["DU1000001"]
    assert {farm["state"] for farm in data["farms"]} == {"ok"}
    assert data["stats"]["frames_in"] > 0


async def test_historical_ticks_are_a_union(service: Service) -> None:
    for what, kind in (
        ("BID_ASK", "HistoricalTickBidAsk"),
        ("TRADES", "HistoricalTickLast"),
        ("MIDPOINT", "HistoricalTick"),
    ):
        rows = await service.data(asked("Query", "reqHistoricalTicks"), **TICKS, whatToShow=what)
        assert {row["__typename"] for row in rows} == {kind}


async def test_defaults_are_ibs(service: Service) -> None:
    """Only what must be given is given."""
    query = """query q($c: ContractInput!) {
      reqHistoricalData(contract: $c, durationStr: "1 D", barSizeSetting: "1 hour", whatToShow: "TRADES") { date close }
    }"""
    rows = await service.data(query, c=AAPL)
    bars = await service.resolve("Query.reqHistoricalData", **{**BARS, "durationStr": "1 D", "endDateTime": ""})
    assert rows[0] == {"date": bars[0].date, "close": bars[0].close}
    assert bars[0].date.split()[:2] == ["20130107", "09:30:00"]


async def test_what_tws_refuses_has_its_code_and_class(service: Service) -> None:
    error = await service.refusal('{ reqContractDetails(contract: {symbol: "NOTHING", secType: "STK"}) { minTick } }')
    assert error["extensions"]["twsCode"] == 200
    assert error["extensions"]["class"] == "NoSuchContract"
    assert error["path"] == ["reqContractDetails"]


async def test_what_the_release_or_tws_has_no_more(service: Service) -> None:
    with pytest.raises((UnsupportedRequest, NoPermission)):
        await service.resolve("Query.reqFundamentalData", contract=AAPL, reportType="ReportSnapshot")


async def test_an_advisors_settings_without_an_advisor(service: Service) -> None:
    with pytest.raises(errors.RequestError):
        await service.resolve("Query.requestFA", faData=1)


async def test_a_wrong_argument_is_named_by_its_path(service: Service) -> None:
    query = '{ reqContractDetails(contract: {comboLegs: [{conId: 1, exchange: "caf\\u00e9"}]}) { minTick } }'
    error = await service.refusal(query)
    assert error["extensions"]["requestField"] == "contract.comboLegs[0].exchange"


async def test_a_cancelled_query_is_cancelled_at_tws(service: Service) -> None:
    before = service.client.stats().frames_out
    service.sim.faults.stall()  # or the answer might come before the cancel
    async with anyio.create_task_group() as asking:
        asking.start_soon(partial(service.resolve, "Query.reqMktDataSnapshot", contract=AAPL, genericTickList=""))
        await until(lambda: service.client.stats().frames_out > before)
        asking.cancel_scope.cancel()
    service.sim.faults.resume()
    await service.client.managed_accts()
    assert service.client.stats().frames_out >= before + 3  # the request, its cancel, and this one


# --- subscriptions -----------------------------------------------------------------------------------------------

STREAMS: Mapping[str, Mapping[str, Any]] = {
    "reqAccountSummary": ARGUMENTS["reqAccountSummary"],
    "reqAccountUpdates": {"acctCode": ""},
    "reqAccountUpdatesMulti": ARGUMENTS["reqAccountUpdatesMulti"],
    "reqHistoricalData": {name: value for name, value in BARS.items() if name != "endDateTime"},
    "reqMktData": {"contract": AAPL, "genericTickList": "233"},
    "reqMktDepth": {"contract": AAPL, "numRows": 5, "isSmartDepth": True},
    "reqPnL": {"account": "DU1000001", "modelCode": ""},
    "reqPnLSingle": {"account": "DU1000001", "modelCode": "", "conid": 265598},
    "reqPositions": {},
    "reqPositionsMulti": ARGUMENTS["reqPositionsMulti"],
    "reqRealTimeBars": {"contract": AAPL, "barSize": 5, "whatToShow": "TRADES", "useRTH": True},
    "reqScannerSubscription": {
        "subscription": {"instrument": "STK", "locationCode": "STK.US.MAJOR", "scanCode": "TOP_PERC_GAIN"}
    },
    "reqTickByTickData": {"contract": AAPL, "tickType": "Last", "numberOfTicks": 0, "ignoreSize": False},
    "subscribeToGroupEvents": {"groupId": 1},
}
QUIET = {"reqNewsBulletins"}


def test_every_subscription_is_tried() -> None:
    assert {*STREAMS, *QUIET} == set(generated.SUBSCRIPTION)
    assert {*ANSWERED, *UNANSWERED} == set(generated.QUERY)


async def test_a_subscription_gives_events_with_every_field(service: Service) -> None:
    await service.resolve("Mutation.placeOrder", contract=AAPL, order=MARKET)
    for name in STREAMS:
        number = {"subscribeToGroupEvents": 1, "reqScannerSubscription": 1, "reqAccountSummary": 3}.get(name, 2)
        found = await events_of(service, name, number, **STREAMS[name])
        union = graphql.get_named_type(core_field("Subscription", name).type)
        assert isinstance(union, graphql.GraphQLUnionType)
        assert {event["__typename"] for event in found} <= {member.name for member in union.types}


async def events_of(service: Service, name: str, number: int, **args: Any) -> list[dict[str, Any]]:
    """Subscribe with every field, and return so many events."""
    given = {"overflow": "RAISE", "share": False, **args}
    operation = service.engine.prepare(GraphQLRequest(asked("Subscription", name), None, given))
    found: list[dict[str, Any]] = []
    with anyio.fail_after(60):
        async with service.engine.subscribe(operation, service.context) as responses:
            async for response in responses:
                assert "errors" not in response, response["errors"]
                found.append(response["data"][name])
                if len(found) == number:
                    return found
    raise AssertionError(found)


def core_field(root: str, name: str) -> Any:
    kind = CORE.type_map[root]
    assert isinstance(kind, graphql.GraphQLObjectType)
    return kind.fields[name]


async def test_every_stream_can_be_dropped_shared_or_conflated(service: Service) -> None:
    async with service.open("reqMktData", contract=AAPL, genericTickList="", overflow="CONFLATE", share=True) as ticks:
        await service.pass_time(30)
        assert [await anext(ticks) for _ in range(3)]
    async with service.open(
        "reqTickByTickData", **STREAMS["reqTickByTickData"], overflow="DROP_OLDEST", buffer=1
    ) as slow:
        await service.pass_time(60)
        assert type(await anext(slow)).__name__ == "Lagged"


async def test_what_cannot_be_conflated_is_an_error_that_names_the_argument(service: Service) -> None:
    with pytest.raises(InvalidRequest) as caught:
        async with service.open("reqPositions", overflow="CONFLATE"):
            raise AssertionError
    assert caught.value.field == "overflow"


@pytest.mark.parametrize("buffer", [0, -1, Limits().buffer + 1, 2**31 - 1])
async def test_a_buffer_has_its_limits(buffer: int, service: Service) -> None:
    with pytest.raises(InvalidRequest) as caught:
        async with service.open("reqPositions", buffer=buffer):
            raise AssertionError
    assert caught.value.field == "buffer"


async def test_where_no_buffer_is_given_the_service_says(service: Service) -> None:
    async with service.open("reqPositions", buffer=None) as rows:
        assert rows.statistics().max_buffer_size == Limits().events  # type: ignore[attr-defined]
    async with service.open("reqPositions", buffer=Limits().buffer) as rows:
        assert rows.statistics().max_buffer_size == Limits().buffer  # type: ignore[attr-defined]


async def test_what_tws_has_once_is_refused_in_our_words(service: Service) -> None:
    async with service.open("reqAccountUpdates", acctCode=""):
        with pytest.raises(LocalError, match="Nothing was sent"):
            async with service.open("reqAccountUpdates", acctCode="DU99"):
                raise AssertionError
        with pytest.raises(LocalError, match="Nothing was sent"):
            await service.resolve("Query.reqAccountUpdates", acctCode="DU99")


async def test_a_display_group_shows_what_it_is_told(service: Service) -> None:
    async with service.open("subscribeToGroupEvents", groupId=2) as shown:
        assert (await anext(shown)).contract_info == "none"
        change = 'mutation { updateDisplayGroup(groupId: 2, contractInfo: "265598@SMART") }'
        assert await service.data(change) is True
        assert (await anext(shown)).contract_info == "265598@SMART"


async def test_bulletins_and_notices_reach_subscribers(service: Service) -> None:
    async with service.open("notices") as notices:
        await service.data("mutation { reqMarketDataType(marketDataType: 3) }")
        with pytest.raises(errors.RequestError):
            await service.resolve("Query.requestFA", faData=1)
        async with service.open("reqNewsBulletins", allMsgs=True):
            pass
        assert notices is not None


async def test_what_happens_to_orders_reaches_any_number_of_readers(service: Service) -> None:
    async with service.open("orderEvents") as one, service.open("orderEvents") as two:
        await service.resolve("Mutation.placeOrder", contract=AAPL, order=MARKET)
        assert {type(await anext(one)).__name__ for _ in range(4)} >= {"OpenOrder", "OrderStatus"}
        assert type(await anext(two)).__name__ == "OpenOrder"
    operation = service.engine.prepare(GraphQLRequest(asked("Subscription", "orderEvents")))
    async with service.engine.subscribe(operation, service.context) as responses:
        await service.resolve("Mutation.placeOrder", contract=AAPL, order=MARKET)
        kinds = set()
        async for response in responses:
            assert "errors" not in response
            kinds.add(response["data"]["orderEvents"]["__typename"])
            if "CommissionAndFeesReport" in kinds:
                break
    assert kinds == {"OpenOrder", "OrderStatus", "ExecDetails", "CommissionAndFeesReport"}


async def test_markers_pass_where_events_are_made_into_objects() -> None:
    for shape, event in (("batch", []), ("text", "none")):
        shaped = _resolve._SHAPES[shape](event)
        assert type(shaped).__name__ in ("ScannerDataList", "DisplayGroupUpdated")
        for marker in (Lagged(1), Gap("reset", 1.0, None)):
            assert _resolve._SHAPES[shape](marker) is marker
