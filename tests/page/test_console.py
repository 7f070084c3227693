"""The editor: operations are run, results and errors shown, the schema is beside it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.page.browser import Service, Visit, run_service


def write(page: Page, query: str, variables: str = "") -> None:
    """Put an operation and its variables into the editors."""
    page.get_by_label("Operation", exact=True).fill(query)
    page.get_by_label("Variables, as JSON").fill(variables)


def test_a_query(service: Service, visit: Visit) -> None:
    page = visit.log_in(service, "console")
    write(page, "query Account { connection { accounts serverVersion } }")
    page.get_by_label("Operation", exact=True).press("Control+Enter")
    expect(page.locator(".json")).to_contain_text('"DU1000001"')
    expect(page.locator(".json .t-key").first).to_have_text('"connection"')
    expect(page.locator(".result-status")).to_have_text(re.compile(r"^\d+ ms +\d+ B$"))


def test_the_example_that_one_begins_with(service: Service, visit: Visit) -> None:
    page = visit.log_in(service, "console")
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".json")).to_contain_text("APPLE INC")


def test_an_error_is_said_in_words_and_where_it_is(service: Service, visit: Visit) -> None:
    page = visit.log_in(service, "console")
    write(page, "query Wrong {\n  connection {\n    acounts\n  }\n}")
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".error")).to_contain_text("acounts")
    expect(page.locator(".error .facts")).to_contain_text("line 3")
    expect(page.locator(".lines .wrong")).to_have_text(re.compile(r"^3\s*$"))
    page.get_by_label("Operation", exact=True).press("End")
    page.keyboard.type(" ")
    expect(page.locator(".lines .wrong")).to_have_count(0)


def test_an_error_of_tws_has_its_code(service: Service, visit: Visit) -> None:
    page = visit.log_in(service, "console")
    contract = '{contract: {symbol: "NONE", secType: "STK", exchange: "SMART", currency: "USD"}}'
    write(page, f"{{ reqContractDetails({contract[1:-1]}) {{ longName }} }}")
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".error .facts")).to_contain_text("TWS 200")


def test_variables_that_are_no_json(service: Service, visit: Visit) -> None:
    page = visit.log_in(service, "console")
    write(page, "query Time { reqCurrentTime }", "{ symbol: ")
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".strip-word")).to_contain_text("JSON")
    expect(page.locator(".json")).to_have_count(0)


def test_a_subscription_until_it_is_stopped(service: Service, visit: Visit) -> None:
    page = visit.log_in(service, "console")
    page.get_by_text("Examples").click()
    page.get_by_role("button", name="Quotes", exact=True).click()
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".event")).not_to_have_count(0)
    expect(page.locator(".event[data-number='10']")).to_be_attached()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".result-status")).to_have_text(re.compile(r"^Stopped +\d+ events"))
    expect(page.get_by_role("button", name="Run")).to_be_visible()


@pytest.mark.parametrize("name", ["Current time", "Historical data", "Account summary", "Open orders"])
def test_an_example(name: str, service: Service, visit: Visit) -> None:
    page = visit.log_in(service, "console")
    page.get_by_text("Examples").click()
    page.get_by_role("button", name=name, exact=True).click()
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".json")).to_contain_text("req")
    expect(page.locator(".error")).to_have_count(0)


def test_one_of_two_operations(service: Service, visit: Visit) -> None:
    page = visit.log_in(service, "console")
    write(page, "query One { reqCurrentTime }\nquery Two { connection { serverVersion } }")
    page.get_by_label("Which operation to run").select_option("Two")
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".json")).to_contain_text("serverVersion")


def test_the_schema_is_searched_and_a_field_put_into_the_editor(service: Service, visit: Visit) -> None:
    page = visit.log_in(service, "console")
    page.get_by_label("Search the schema").fill("head time")
    page.locator(".docs").get_by_role("button", name="reqHeadTimeStamp").click()
    operation = page.get_by_label("Operation", exact=True)
    expect(operation).to_have_value(re.compile(r"query ReqHeadTimeStamp\(\$contract: ContractInput!"))
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".json")).to_contain_text("reqHeadTimeStamp")
    expect(page.locator(".error")).to_have_count(0)


def test_one_walks_along_the_types(service: Service, visit: Visit) -> None:
    page = visit.log_in(service, "console")
    docs = page.locator(".docs")
    docs.get_by_role("button", name="ContractDetails", exact=True).first.click()
    expect(docs.locator("h3")).to_contain_text("ContractDetails")
    docs.get_by_role("button", name="Contract", exact=True).first.click()
    expect(docs.locator(".docs-path")).to_have_text("SchemaContractDetailsContract")
    docs.get_by_role("button", name="Schema").click()
    expect(docs.locator("h3").first).to_contain_text("Queries")


def test_a_service_that_keeps_its_schema_to_itself(visits: Callable[..., Visit]) -> None:
    visit = visits(unclean=True)  # the service ends before the page
    with run_service("--no-introspection") as quiet:
        page = visit.log_in(quiet, "console")
        expect(page.locator(".docs")).to_contain_text("does not tell its schema")
        page.get_by_role("button", name="Run").click()
        expect(page.locator(".json")).to_contain_text("APPLE INC")


def test_rows_are_a_table_too(service: Service, visit: Visit) -> None:
    page = visit.log_in(service, "console")
    write(page, '{ reqAccountSummary(groupName: "All", tags: "NetLiquidation,BuyingPower") { tag value } }')
    page.get_by_role("button", name="Run").click()
    page.get_by_role("button", name="Table").click()
    expect(page.locator(".rows thead")).to_have_text("tagvalue")
    expect(page.locator(".rows tbody tr").first).to_contain_text("BuyingPower")
    page.locator(".results").get_by_role("button", name="JSON").click()
    expect(page.locator(".json")).to_contain_text("reqAccountSummary")


def test_a_mutation_is_marked(service: Service, visit: Visit) -> None:
    page = visit.log_in(service, "console")
    write(page, "mutation Log { setServerLogLevel(logLevel: 2) }")
    button = page.get_by_role("button", name="Run mutation")
    expect(button).to_have_class(re.compile("is-mutation"))
    button.click()
    expect(page.locator(".json")).to_contain_text("true")


def test_what_was_run_is_in_the_history(service: Service, visit: Visit) -> None:
    page = visit.log_in(service, "console")
    write(page, "query Remembered { reqCurrentTime }")
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".json")).to_be_visible()
    write(page, "query Another { reqCurrentTime }")
    page.get_by_text("History").click()
    page.get_by_role("button", name=re.compile("^Remembered")).click()
    expect(page.get_by_label("Operation", exact=True)).to_have_value("query Remembered { reqCurrentTime }")


def test_completions(service: Service, visit: Visit) -> None:
    page = visit.log_in(service, "console")
    expect(page.locator(".docs h3").first).to_contain_text("Queries")
    operation = page.get_by_role("textbox", name="Operation")
    operation.fill("")
    operation.press_sequentially("subscription { reqMktDe")
    expect(page.get_by_role("option")).to_have_text(["reqMktDepthMktDepthEvent!"])
    page.keyboard.press("Tab")
    page.keyboard.type("(contr")
    page.keyboard.press("Enter")
    page.keyboard.type("$c, num")
    page.get_by_role("option", name="numRows").click()
    page.keyboard.type("5) { ...")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(operation).to_have_value("subscription { reqMktDepth(contract: $c, numRows: 5) { ... on UpdateMktDepthL2")
    page.keyboard.type(" { pri")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)
    expect(operation).to_be_focused()


def test_without_a_pointer(service: Service, visit: Visit) -> None:
    page = visit.log_in(service)
    page.get_by_role("tab", name="Board").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Query")).to_be_focused()
    expect(page.locator("#console")).to_be_visible()
    page.get_by_label("Operation", exact=True).fill("")
    page.keyboard.type("{")
    page.keyboard.press("Enter")
    page.keyboard.type("reqCurrentTime")
    expect(page.get_by_label("Operation", exact=True)).to_have_value("{\n  reqCurrentTime")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Operation", exact=True)).not_to_be_focused()
