"""What the page's modules compute, each asked by itself in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, validate
from graphql.execution.values import get_variable_values
from playwright.sync_api import Browser, Page

from tests.page.browser import ROOT, Service, Visit


@pytest.fixture(scope="module")
def page(service: Service, chromium: Browser) -> Iterator[Page]:
    visit = Visit(chromium.new_context())
    yield visit.log_in(service)
    visit.close()


MINUS, NONE = "\N{MINUS SIGN}", "\N{EN DASH}"


def call(page: Page, module: str, function: str, *arguments: object) -> Any:
    """Return what a function of a module returns."""
    script = "async ([module, name, given]) => (await import(`/page/${module}`))[name](...given)"
    return page.evaluate(script, [module, function, list(arguments)])


@pytest.mark.parametrize(
    ("function", "arguments", "text"),
    [
        ("fixed", ["1234567.5"], "1,234,567.50"),
        ("fixed", [-3, 0], f"{MINUS}3"),
        ("fixed", [None], NONE),
        ("fixed", ["NaN"], NONE),
        ("signed", [0.25], "+0.25"),
        ("signed", [-0.001], "0.00"),
        ("signed", [-1234.5], f"{MINUS}1,234.50"),
        ("short", ["15000000"], "15.0M"),
        ("short", [123_456], "123k"),
        ("short", [9_999], "9,999"),
        ("short", [-1], NONE),
        ("quantity", ["-0.00012"], f"{MINUS}0.00012"),
        ("decimalsOf", [0.00005], 5),
        ("decimalsOf", [0.25], 2),
        ("decimalsOf", [1], 2),
        ("decimalsOf", [None], 2),
        ("age", [99_000], "99 s"),
        ("age", [120_000], "2 min"),
        ("age", [7_200_000], "2 h"),
        ("titled", ["SPDR S&P 500 ETF TRUST"], "SPDR S&P 500 ETF Trust"),
        ("titled", ["Apple Inc"], "Apple Inc"),
    ],
)
def test_numbers_and_names(function: str, arguments: list[object], text: object, page: Page) -> None:
    assert call(page, "format.js", function, *arguments) == text


def test_axes(page: Page) -> None:
    assert call(page, "scales.js", "niceTicks", 521.3, 525.9, 4) == [522, 524]
    assert call(page, "scales.js", "niceTicks", 0, 1, 5) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    days = ["20121228", "20121231", "20130102", "20130103"]
    assert call(page, "scales.js", "timeTicks", days, 2) == [[2, "2013"]]
    minutes = [f"20130107 {hour:02}:{minute:02}:00 US/Eastern" for hour in (9, 10) for minute in range(60)]
    assert call(page, "scales.js", "timeTicks", minutes, 40) == [[60, "10:00"], [15, "09:15"], [105, "10:45"]]


def test_operations_of_a_document(page: Page) -> None:
    found = call(
        page,
        "tokens.js",
        "operationsOf",
        'fragment F on Bar { open } # query No { a }\nquery One($a: In = {b: "{"}) { a(on: "query X") { ...F } } { b }',
    )
    assert [(one["kind"], one["name"]) for one in found] == [("query", "One"), ("query", None)]


@pytest.mark.parametrize("text", ['query A { b(c: "unfinished', "{{{ }", '"""', "$ @ # ...", ""])
def test_colours_lose_nothing_of_a_text(text: str, page: Page) -> None:
    script = """async (text) => {
      const { coloured, graphqlTokens, jsonTokens } = await import("/page/tokens.js");
      return [graphqlTokens, jsonTokens].map((tokens) => {
        const place = document.createElement("pre");
        place.append(...coloured(text, tokens));
        return place.textContent;
      });
    }"""
    assert page.evaluate(script, text) == [text, text]


def test_what_the_schema_puts_into_the_editor_is_valid_for_every_field(page: Page) -> None:
    script = """async () => {
      const { loadSchema } = await import("/page/schema.js");
      const { operationFor } = await import("/page/skeleton.js");
      const schema = await loadSchema(Object.values(sessionStorage)[0]);
      return schema.roots.flatMap(({ kind, type }) => type.fields.map((field) => operationFor(schema, kind, field)));
    }"""
    made = page.evaluate(script)
    schema = build_schema((ROOT / "trio_ibtws" / "_gen" / "schema.graphql").read_text(encoding="utf-8"))
    roots = [schema.query_type, schema.mutation_type, schema.subscription_type]
    assert len(made) == sum(len(root.fields) for root in roots if root)
    wrong = {one["query"]: errors for one in made if (errors := validate(schema, parse(one["query"])))}
    assert wrong == {}
    for one in made:
        [operation] = parse(one["query"]).definitions
        assert isinstance(operation, OperationDefinitionNode)
        coerced = get_variable_values(schema, operation.variable_definitions or (), one["variables"])
        assert not isinstance(coerced, list), (one["query"], coerced)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("quer|", ["query"]),
        ("{ reqCurrentT|", ["reqCurrentTime", "reqCurrentTimeInMillis"]),
        ("subscription { reqPnL|", ["reqPnL", "reqPnLSingle"]),
        ("{ reqContractDetails(con|", ["contract"]),
        ("{ reqContractDetails(contract: {lastT|", ["lastTradeDateOrContractMonth", "lastTradeDate"]),
        ('{ reqContractDetails(contract: {symbol: "A", sec|', ["secType", "secIdType", "secId"]),
        ("{ reqContractDetails(contract: $c) { contract { localS|", ["localSymbol"]),
        ("{ reqContractDetails(contract: $c) { tr|", ["tradingHours"]),
        ("{ reqContractDetails(contract: $c) { contract { conId } minT|", ["minTick"]),
        ("{ time: reqCurrentTimeInM|", ["reqCurrentTimeInMillis"]),
        ("subscription { reqTickByTickData(contract: $c, tickType: Bid|", ["BidAsk"]),
        ("subscription { reqTickByTickData(contract: $c, tickType: BidAsk, ignoreSize: tr|", ["true"]),
        ("subscription { reqPnL(account: $a) { ...|", ["on Pnl", "on Lagged", "on Gap"]),
        ("subscription { reqPnL(account: $a) { ... on P|", ["Pnl", "Gap"]),
        ("subscription { reqPnL(account: $a) { ... on Pnl { real|", ["realizedPnL", "unrealizedPnL"]),
        ("fragment F on BarData { clo|", ["close"]),
        ("fragment F on BarData { close } { conn|", ["connection"]),
        ("query Q($con|", []),
        ("{ reqContractDetails(contract: $con|", []),
        ('{ requestFA(faData: 1, x: "open|', []),
        ("{ # open|", []),
        ("}}} ) ] { conn|", ["connection"]),
    ],
)
def test_what_may_stand_at_the_cursor(text: str, expected: list[str], page: Page) -> None:
    script = """async (text) => {
      const { loadSchema } = await import("/page/schema.js");
      const { optionsAt } = await import("/page/complete.js");
      window.schema ??= await loadSchema(Object.values(sessionStorage)[0]);
      return optionsAt(window.schema, text.replace("|", ""), text.indexOf("|")).options.map(({ name }) => name);
    }"""
    assert page.evaluate(script, text) == expected


def test_longer_pauses_after_each_failure(page: Page) -> None:
    pauses = [call(page, "backoff.js", "backoff", failures) for failures in range(9)]
    assert 375 <= pauses[0] <= 625
    assert all(11_250 <= pause <= 18_750 for pause in pauses[5:])
