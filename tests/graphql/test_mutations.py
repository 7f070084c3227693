"""Mutations: orders go through the order book to an outcome, whoever leaves meanwhile, and it is written down."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import AsyncGenerator
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from ibapi.contract import Contract

from tests.graphql.resolving import AAPL, BACKENDS, Service, backend_of, serving
from tests.graphql.test_resolvers import asked
from trio_ibtws import JournalError, TradingDisabled, TradingHalted
from trio_ibtws.graphql import _orders
from trio_ibtws.graphql._audit import AuditLog, masked
from trio_ibtws.graphql._engine import GraphQLRequest

pytestmark = pytest.mark.anyio


@pytest.fixture(params=BACKENDS)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return backend_of(request.param)


@pytest.fixture
def backend(anyio_backend: tuple[str, Any]) -> str:
    return anyio_backend[0]


@pytest.fixture
def audit(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit.jsonl")


@pytest.fixture
async def service(backend: str, audit: AuditLog) -> AsyncGenerator[Service]:
    async with serving(backend, audit=audit) as made:
        yield made


def records(audit: AuditLog) -> list[dict[str, Any]]:
    assert audit.path is not None
    return [json.loads(line) for line in audit.path.read_text(encoding="utf-8").splitlines()]


LIMIT = {"action": "BUY", "totalQuantity": "10", "orderType": "LMT", "lmtPrice": 400.0}
PLACE = """mutation place($contract: ContractInput!, $order: OrderInput!) {
  placeOrder(contract: $contract, order: $order) {
    __typename
    ... on Accepted { orderId permId orderRef }
    ... on Rejected { orderId code message advancedReject }
    ... on Unknown { orderId orderRef reason }
  }
}"""
CANCEL = """mutation cancel($id: Int!) {
  cancelOrder(orderId: $id) {
    __typename
    ... on CancelConfirmed { filled }
    ... on CancelRefused { code message }
    ... on Finished { state filled }
    ... on Unknown { reason }
  }
}"""
MODIFY = """mutation modify($id: Int!, $order: OrderInput!) {
  modifyOrder(orderId: $id, order: $order) {
    __typename
    ... on Modified { order { lmtPrice totalQuantity tif orderRef } }
    ... on ModifyRefused { code message }
    ... on Finished { state filled }
  }
}"""


async def place(service: Service, **order: Any) -> Any:
    return await service.data(PLACE, contract=AAPL, order={**LIMIT, **order})


async def orders_at_tws(service: Service) -> list[int]:
    return sorted(each.order_id for each in await service.client.all_open_orders())


# --- placing -----------------------------------------------------------------------------------------------------


async def test_an_order_is_placed_and_its_outcome_told(service: Service) -> None:
    outcome = await place(service, orderRef="one", tif="GTC")
    assert outcome["__typename"] == "Accepted"
    assert outcome["orderRef"] == "one"
    assert outcome["permId"] > 0
    [order] = await service.client.all_open_orders()
    assert (order.order_id, order.order.orderRef, order.order.tif) == (outcome["orderId"], "one", "GTC")
    assert order.order.totalQuantity == Decimal(10)


async def test_a_reference_is_placed_once(service: Service) -> None:
    first = await place(service, orderRef="one")
    assert await place(service, orderRef="one") == first
    assert await orders_at_tws(service) == [first["orderId"]]


async def test_a_reference_with_another_order_is_refused(service: Service) -> None:
    first = await place(service, orderRef="one")
    error = await service.refusal(PLACE, contract=AAPL, order={**LIMIT, "orderRef": "one", "lmtPrice": 401.0})
    assert error["extensions"]["requestField"] == "order.orderRef"
    assert await orders_at_tws(service) == [first["orderId"]]


async def test_what_tws_refuses_is_an_outcome(service: Service) -> None:
    nothing = {**AAPL, "symbol": "NOTHING"}
    outcome = await service.data(PLACE, contract=nothing, order=LIMIT)
    assert (outcome["__typename"], outcome["code"]) == ("Rejected", 200)
    assert outcome["advancedReject"] == ""


async def test_what_tws_says_nothing_about_is_an_outcome(backend: str, audit: AuditLog) -> None:
    async with serving(backend, audit=audit, answer_within=0.5) as service:
        service.sim.run_script("drop placeOrder")
        outcome = await place(service, orderRef="lost")
        assert (outcome["__typename"], outcome["orderRef"]) == ("Unknown", "lost")
        assert outcome["reason"].startswith("no answer within ")
        assert await orders_at_tws(service) == []
        assert await place(service, orderRef="lost") == outcome  # never sent again by itself
        assert await orders_at_tws(service) == []


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"orderId": 7}, "order.orderId"),
        ({"whatIf": True}, "order.whatIf"),
        ({"totalQuantity": "-1"}, "order.totalQuantity"),
        ({"lmtPrice": None}, "order.lmtPrice"),
        ({"orderRef": "x" * 21}, "order.orderRef"),
        ({"account": "caf\u00e9"}, "order.account"),
        ({"totalQuantity": "1000000"}, "order.totalQuantity"),
        ({"conditions": [{"condType": "Time", "isMore": True}]}, "order.conditions[0].time"),
    ],
)
async def test_what_cannot_be_meant_is_an_error_that_names_it(order: Any, field: str, service: Service) -> None:
    error = await service.refusal(PLACE, contract=AAPL, order={**LIMIT, **order})
    assert error["extensions"]["requestField"] == field
    assert await orders_at_tws(service) == []


async def test_an_order_of_every_kind_of_condition(service: Service) -> None:
    conditions = [
        {"condType": "Price", "conId": 265598, "exchange": "SMART", "isMore": False, "price": 100.0},
        {"condType": "Time", "isMore": True, "time": "20130131 16:00:00 US/Eastern"},
        {"condType": "Margin", "isMore": True, "percent": 30},
        {"condType": "Execution", "secType": "STK", "exchange": "SMART", "symbol": "MSFT"},
        {"condType": "Volume", "conId": 265598, "exchange": "SMART", "isMore": True, "volume": 10**9},
        {"condType": "PercentChange", "conId": 265598, "exchange": "SMART", "isMore": True, "changePercent": 50.0},
    ]
    assert (await place(service, conditions=conditions))["__typename"] == "Accepted"
    query = """{ reqOpenOrders { order { conditions {
      ... on PriceCondition { condType conId exchange isMore price }
      ... on TimeCondition { condType isMore time }
      ... on MarginCondition { condType isMore percent }
      ... on ExecutionCondition { condType secType exchange symbol }
      ... on VolumeCondition { condType conId exchange isMore volume }
      ... on PercentChangeCondition { condType conId exchange isMore changePercent }
    } } } }"""
    [row] = await service.data(query)
    assert row["order"]["conditions"] == conditions


BRACKET = """mutation place($contract: ContractInput!, $orders: [OrderInput!]!) {
  placeOrders(contract: $contract, orders: $orders) { __typename ... on Accepted { orderId orderRef } }
}"""


async def test_a_bracket_is_placed_as_one(service: Service) -> None:
    child = {"action": "SELL", "totalQuantity": 10, "parentId": -1, "transmit": False}
    orders = [
        {**LIMIT, "orderRef": "parent", "transmit": False},
        {**child, "orderType": "LMT", "lmtPrice": 450.0, "orderRef": "profit"},
        {**child, "orderType": "STP", "auxPrice": 350.0, "orderRef": "loss", "transmit": True},
    ]
    outcomes = await service.data(BRACKET, contract=AAPL, orders=orders)
    assert [(each["__typename"], each["orderRef"]) for each in outcomes] == [
        ("Accepted", "parent"),
        ("Accepted", "profit"),
        ("Accepted", "loss"),
    ]
    parents = {row.order_id: row.order.parentId for row in await service.client.all_open_orders()}
    first, *others = (each["orderId"] for each in outcomes)
    assert parents == {first: 0, **dict.fromkeys(others, first)}
    assert await service.data(BRACKET, contract=AAPL, orders=orders) == outcomes


@pytest.mark.parametrize(("orders", "field"), [([], "orders"), ([LIMIT, {**LIMIT, "orderId": 5}], "orders[1].orderId")])
async def test_several_orders_of_which_one_cannot_be_meant(orders: Any, field: str, service: Service) -> None:
    error = await service.refusal(BRACKET, contract=AAPL, orders=orders)
    assert error["extensions"]["requestField"] == field
    assert await orders_at_tws(service) == []


# --- changing and cancelling -------------------------------------------------------------------------------------


async def test_what_is_given_of_an_order_is_changed_and_all_else_stays(service: Service) -> None:
    order_id = (await place(service, orderRef="one", tif="GTC"))["orderId"]
    changed = await service.data(MODIFY, id=order_id, order={"lmtPrice": 401.0})
    assert changed["__typename"] == "Modified"
    assert changed["order"] == {"lmtPrice": 401.0, "totalQuantity": "10", "tif": "GTC", "orderRef": "one"}
    [order] = await service.client.all_open_orders()
    assert (order.order_id, order.order.lmtPrice) == (order_id, 401.0)


@pytest.mark.parametrize("name", ["orderId", "orderRef", "parentId", "whatIf"])
async def test_what_of_an_order_cannot_be_changed(name: str, service: Service) -> None:
    value = {"orderId": 5, "orderRef": "other", "parentId": 5, "whatIf": True}[name]
    error = await service.refusal(MODIFY, id=(await place(service))["orderId"], order={name: value})
    assert error["extensions"]["requestField"] == f"order.{name}"


async def test_cancelling_ends_with_an_outcome(service: Service) -> None:
    order_id = (await place(service))["orderId"]
    assert await service.data(CANCEL, id=order_id) == {"__typename": "CancelConfirmed", "filled": "0"}
    assert await orders_at_tws(service) == []
    assert await service.data(CANCEL, id=order_id) == {"__typename": "Finished", "state": "Cancelled", "filled": "0"}
    gone = await service.data(MODIFY, id=order_id, order={"lmtPrice": 401.0})
    assert gone == {"__typename": "Finished", "state": "Cancelled", "filled": "0"}


async def test_an_order_that_the_book_has_not(service: Service) -> None:
    for query in (CANCEL, MODIFY):
        error = (
            await service.refusal(query, id=99, order={}) if query is MODIFY else await service.refusal(query, id=99)
        )
        assert error["extensions"]["requestField"] == "orderId"
        assert "Nothing was sent" in error["message"]


async def test_a_global_cancel_says_what_is_left(service: Service) -> None:
    await place(service)
    await place(service, lmtPrice=390.0)
    report = await service.data("mutation { reqGlobalCancel { verified stillOpen { orderId } } }")
    assert report == {"verified": True, "stillOpen": []}
    assert await orders_at_tws(service) == []


async def test_a_global_cancel_that_tws_does_not_hear(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_orders, "ANSWER_SECONDS", 2.0)  # in which TWS can say on a busy machine what is open
    order_id = (await place(service))["orderId"]
    service.sim.run_script("drop reqGlobalCancel")
    report = await service.data("mutation { reqGlobalCancel { verified stillOpen { orderId } } }")
    assert report == {"verified": False, "stillOpen": [{"orderId": order_id}]}


async def test_the_kill_switch_holds_until_it_is_ended(service: Service) -> None:
    await place(service)
    report = await service.data('mutation { kill(reason: "enough") { verified stillOpen { orderId } takenBack } }')
    assert report == {"verified": True, "stillOpen": [], "takenBack": []}
    error = await service.refusal(PLACE, contract=AAPL, order=LIMIT)
    assert error["extensions"]["class"] == "TradingHalted"
    assert "enough" in error["message"]
    with pytest.raises(TradingHalted):
        await service.resolve("Mutation.exerciseOptions", **EXERCISE)
    assert await service.data("mutation { resume }") is True
    assert (await place(service))["__typename"] == "Accepted"


EXERCISE = {"contract": AAPL, "exerciseAction": 1, "exerciseQuantity": 1, "account": "", "override": 0}
EXERCISE |= {"manualOrderTime": "", "customerAccount": "", "professionalCustomer": False}


async def test_options_are_exercised_or_that_is_refused(service: Service) -> None:
    calls = await service.client.contract_details(_calls(service))
    deep = min((row.contract for row in calls), key=lambda each: each.strike)
    option = {**AAPL, "secType": "OPT", "conId": deep.conId}
    bought = await service.data(PLACE, contract=option, order={**LIMIT, "orderType": "MKT", "totalQuantity": 1})
    assert bought["__typename"] == "Accepted"
    await service.context.orders.trades[0].done()
    outcome = await service.resolve("Mutation.exerciseOptions", **{**EXERCISE, "contract": option})
    assert type(outcome).__name__ == "Accepted"
    again = await service.resolve("Mutation.exerciseOptions", **{**EXERCISE, "contract": option})
    assert (type(again).__name__, again.code) == ("Rejected", 322)


def _calls(service: Service) -> Any:
    wanted = Contract()
    wanted.symbol, wanted.secType, wanted.exchange, wanted.currency, wanted.right = "AAPL", "OPT", "SMART", "USD", "C"
    return wanted


# --- questions ---------------------------------------------------------------------------------------------------


async def test_what_an_order_would_cost_places_nothing(service: Service) -> None:
    costs = await service.data(asked("Query", "whatIfOrder"), contract=AAPL, order=LIMIT)
    assert Decimal(costs["initMarginAfter"]) > 0
    assert costs["commission"] > 0
    assert await orders_at_tws(service) == []
    assert service.context.orders.trades == ()


async def test_the_book_can_be_asked(service: Service) -> None:
    outcome = await place(service, orderRef="one")
    cancelled = await place(service, orderRef="two")
    await service.data(CANCEL, id=cancelled["orderId"])
    trade = await service.data(asked("Query", "trade"), orderRef="one")
    assert (trade["orderId"], trade["state"], trade["averagePrice"]) == (outcome["orderId"], "Working", None)
    assert await service.data(asked("Query", "trade"), orderRef="none") is None
    every = await service.data("{ trades { orderRef state } }")
    assert [(each["orderRef"], each["state"]) for each in every] == [("one", "Working"), ("two", "Cancelled")]
    assert await service.data("{ trades(openOnly: true) { orderRef } }") == [{"orderRef": "one"}]


async def test_what_happens_to_orders_is_told_with_every_field(service: Service) -> None:
    operation = service.engine.prepare(GraphQLRequest(asked("Subscription", "tradeEvents")))
    kinds = set()
    async with service.engine.subscribe(operation, service.context) as responses:
        await place(service, orderType="MKT", lmtPrice=None)
        with anyio.fail_after(60):
            async for response in responses:
                assert "errors" not in response, response["errors"]
                kinds.add(response["data"]["tradeEvents"]["event"]["__typename"])
                if kinds >= {"StateChange", "Fill", "FillReported"}:
                    break


async def test_without_a_book_nothing_trades(backend: str) -> None:
    async with serving(backend, book=None) as service:
        for name in _orders.MUTATIONS:
            args = {"orderId": 1, "order": {}, "orders": [], "reason": "", **EXERCISE}
            with pytest.raises(TradingDisabled, match="Nothing was sent"):
                await service.resolve(f"Mutation.{name}", **args)


async def test_without_trading_the_schema_has_no_orders(backend: str) -> None:
    async with serving(backend, trading=False) as service:
        assert "Mutation.placeOrder" not in service.schema.resolvers
        assert await service.data("mutation { setServerLogLevel(logLevel: 3) }") is True


# --- what is not about orders ------------------------------------------------------------------------------------


async def test_settings_of_the_session(service: Service) -> None:
    for mutation in ("setServerLogLevel(logLevel: 5)", "reqMarketDataType(marketDataType: 3)"):
        assert await service.data(f"mutation {{ {mutation} }}") is True
    error = await service.refusal("mutation { reqAutoOpenOrders(bAutoBind: true) }")
    assert error["extensions"]["requestField"] == "client_id"  # it is for client 0 alone


async def test_a_snapshot_is_bought(service: Service) -> None:
    rows = await service.data(asked("Mutation", "reqMktDataRegulatorySnapshot"), contract=AAPL, genericTickList="")
    assert {"TickPrice", "TickSize"} <= {row["__typename"] for row in rows}


async def test_a_configuration_that_is_none_is_refused(service: Service) -> None:
    query = "mutation q($m: JSON!) { updateConfig(updateConfigRequestProto: $m) }"
    wrongs: list[Any] = [{"noSuchField": 1}, [], [1], "x", 5, {"reqId": "x"}]
    for wrong in wrongs:
        error = await service.refusal(query, m=wrong)
        assert error["extensions"].get("requestField") == "updateConfigRequestProto" or (
            error["extensions"]["class"] == "UnsupportedRequest"
        )


# --- the audit log -----------------------------------------------------------------------------------------------


async def test_every_mutation_is_written_down_before_and_after(service: Service, audit: AuditLog) -> None:
    outcome = await place(service, orderRef="one", account="DU1000001")
    begun, done = records(audit)
    assert begun["operation"] == done["operation"] == "placeOrder"
    assert begun["token"] == done["token"] == "t0"
    assert begun["arguments"]["order"]["account"] == "DU***001"
    assert begun["arguments"]["order"]["totalQuantity"] == "10"
    assert done["outcome"] == {
        "is": "Accepted",
        "order_id": outcome["orderId"],
        "perm_id": outcome["permId"],
        "order_ref": "one",
    }
    assert begun["time"] <= done["time"]
    assert audit.path is not None
    assert stat.S_IMODE(os.stat(audit.path).st_mode) == 0o600
    assert "DU1000001" not in audit.path.read_text(encoding="utf-8")


async def test_an_error_and_a_long_answer_are_written_down_in_short(service: Service, audit: AuditLog) -> None:
    await service.refusal(CANCEL, id=99)
    await service.resolve("Mutation.reqMktDataRegulatorySnapshot", contract=AAPL, genericTickList="")
    _, refused, _, bought = records(audit)
    assert refused["outcome"]["error"] == "InvalidRequest"
    assert bought["outcome"]["rows"] > 0


async def test_the_same_operation_has_the_same_hash(service: Service, audit: AuditLog) -> None:
    for level in (1, 1, 2):
        await service.resolve("Mutation.setServerLogLevel", logLevel=level)
    first, _, second, _, third, _ = (record["hash"] for record in records(audit))
    assert first == second != third


async def test_what_cannot_be_written_down_is_not_done(service: Service, audit: AuditLog) -> None:
    audit.close()
    audit._file = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(JournalError, match="cannot be written"):
        await service.resolve("Mutation.placeOrder", contract=AAPL, order={**LIMIT, "totalQuantity": Decimal(10)})
    assert await orders_at_tws(service) == []
    assert service.context.orders.trades == ()


async def test_what_reduces_risk_is_done_though_it_cannot_be_written_down(
    service: Service, audit: AuditLog, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = (await place(service))["orderId"], (await place(service, lmtPrice=390.0))["orderId"]
    audit.close()
    audit._file = os.open("/dev/full", os.O_WRONLY)
    assert (await service.data(CANCEL, id=first))["__typename"] == "CancelConfirmed"
    assert await orders_at_tws(service) == [second]
    assert (await service.data('mutation { kill(reason: "enough") { verified } }'))["verified"]
    assert await orders_at_tws(service) == []
    assert caplog.text.count("could not be written down") == 2 * 2


async def test_an_outcome_that_cannot_be_written_down_is_told_all_the_same(
    service: Service, audit: AuditLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write = audit.write
    written: list[Any] = []

    def fails_later(record: Any) -> None:
        if written:
            raise JournalError("the disk is full")
        written.append(record)
        write(record)

    monkeypatch.setattr(audit, "write", fails_later)
    assert (await place(service))["__typename"] == "Accepted"
    assert "could not be written down" in caplog.text


def test_a_log_without_a_path_is_a_logger(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "trio_ibtws.audit")
    AuditLog().write({"operation": "placeOrder", "text": "a\nb"})
    assert json.loads(caplog.messages[0]) == {"operation": "placeOrder", "text": "a\nb"}
    assert "\n" not in caplog.messages[0]


def test_a_log_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be opened"):
        AuditLog(tmp_path / "no" / "such" / "folder")


def test_accounts_are_masked_wherever_they_stand() -> None:
    given = {
        "account": "secret-name",
        "cxml": "<a>DU1234567</a><b>U7654321</b><c>F99999</c> mine",
        "order": {"account": "", "rows": [{"acctCode": "abcdefgh"}, "DU1234567 and MSFT"]},
        "number": 5,
        "long": "x" * 600,
    }
    shown = masked(given, ["mine"])
    assert shown["account"] == "se***ame"
    assert shown["cxml"] == "<a>DU***567</a><b>U7***321</b><c>F9***999</c> ***"
    assert shown["order"] == {"account": "", "rows": [{"acctCode": "ab***fgh"}, "DU***567 and MSFT"]}
    assert shown["number"] == 5
    assert shown["long"].endswith("(600 characters)")
