"""The live board: what ticks, what it shows of the account, and what it says when it knows nothing."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.browser import ROOT, Service, Visit, run_service, run_simulator

PRICE = re.compile(r"^[\d,]+\.\d{2,5}$")
SHOTS = ROOT / "build" / "page"

PLACE = """mutation Place($contract: ContractInput!, $order: OrderInput!) {
  placeOrder(contract: $contract, order: $order) { __typename ... on Rejected { message } }
}"""


def row(page: Page, name: str) -> Locator:
    """The line of a contract in the watch-list."""
    return page.locator(".quotes tbody tr").filter(has=page.get_by_role("button", name=name, exact=True))


def painted(page: Page) -> int:
    """How many pixels of the chart are not empty."""
    count = page.evaluate(
        """() => {
          const canvas = document.querySelector(".canvas canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return data.filter((value, index) => index % 4 === 3 && value).length;
        }"""
    )
    return int(count)


def test_quotes_tick_and_bars_are_drawn(service: Service, visit: Visit) -> None:
    page = visit.log_in(service)
    last = row(page, "AAPL").locator(".last")
    expect(last).to_have_text(PRICE)
    before = last.inner_text()
    expect(last).not_to_have_text(before)
    expect(row(page, "AAPL").locator(".age")).to_have_text("now")
    expect(row(page, "AAPL").locator(".long")).to_have_text("Apple Inc")
    expect(row(page, "EUR.USD").locator(".last")).to_have_text(re.compile(r"^1\.\d{5}$"))
    expect(page.locator(".legend")).to_contain_text(re.compile(r"\d Jan 2013 .*O\d+\.\d\d.*V"))
    assert painted(page) > 5_000
    expect(page).to_have_title(re.compile(r"^AAPL \d+\.\d\d$"))
    expect(page.locator("#clock")).to_have_text(re.compile(r"^2013-01-07 .* UTC$"))


def test_the_account(service: Service, visit: Visit) -> None:
    figures = visit.log_in(service).locator(".figures")
    expect(figures).to_contain_text("DU1000001")
    for name in ("Net liquidation", "Daily P&L", "Cash", "Buying power"):
        expect(figures.locator("div", has_text=name).locator("dd")).to_have_text(re.compile(r"\d\.\d\d$"))


def test_another_contract_and_another_span(service: Service, visit: Visit) -> None:
    page = visit.log_in(service)
    page.get_by_role("button", name="IBM", exact=True).click()
    expect(page.locator(".chart-name")).to_have_text("IBM")
    expect(page.locator(".chart-price")).to_have_text(re.compile(r"^19\d\.\d\d$"))
    page.get_by_role("button", name="1Y").click()
    expect(page.locator(".legend .when")).to_have_text(re.compile(r"^\d+ Jan 2013$"))
    page.locator(".canvas canvas").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".legend .when")).to_have_text("4 Jan 2013")


def test_the_watch_list_is_kept(service: Service, visit: Visit) -> None:
    page = visit.log_in(service)
    box = page.get_by_role("combobox", name="Add a symbol")
    box.fill("gbp.usd")
    expect(page.get_by_role("option")).to_have_count(1)
    box.press("Enter")
    expect(row(page, "GBP.USD").locator(".last")).to_have_text(PRICE)
    expect(page.locator(".chart-name")).to_have_text("GBP.USD")
    row(page, "MSFT").hover()
    page.get_by_role("button", name="Remove MSFT").click()
    page.reload()
    expect(row(page, "GBP.USD").locator(".last")).to_have_text(PRICE)
    expect(row(page, "MSFT")).to_have_count(0)


def test_a_symbol_is_found_by_its_company(service: Service, visit: Visit) -> None:
    page = visit.log_in(service)
    box = page.get_by_role("combobox", name="Add a symbol")
    box.fill("micro")
    expect(page.get_by_role("option").first).to_contain_text("MICROSOFT")
    box.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)


def test_positions_and_orders(service: Service, visit: Visit) -> None:
    page = visit.log_in(service)
    stock = {"symbol": "IBM", "secType": "STK", "exchange": "SMART", "currency": "USD"}
    buy = {"action": "BUY", "totalQuantity": "100", "tif": "DAY", "orderRef": "page-1", "orderType": "MKT"}
    rest = {**buy, "totalQuantity": "7", "orderRef": "page-2", "orderType": "LMT", "lmtPrice": 150.25}
    for order in (buy, rest):
        answer = page.evaluate(
            """async ([query, variables, token]) => {
              const { post } = await import("/page/http.js");
              return post(token, { query, variables });
            }""",
            [PLACE, {"contract": stock, "order": order}, page.evaluate("Object.values(sessionStorage)[0]")],
        )
        assert answer["data"]["placeOrder"]["__typename"] == "Accepted"
    position = page.locator(".positions tbody tr", has_text="IBM")
    expect(position).to_contain_text("100")
    expect(position.locator("td").nth(2)).to_have_text(re.compile(r"^\d{2},\d{3}\.\d\d$"))
    order_row = page.locator(".orders tbody tr", has_text="IBM")
    expect(order_row).to_contain_text("150.25")
    expect(order_row.locator(".status")).to_have_text(re.compile("Submitted"))


def test_a_lost_service_is_stale_at_once_and_comes_back(visits: Callable[..., Visit]) -> None:
    visit = visits(unclean=True)  # the browser complains of refused connections
    with run_service() as first:
        page = visit.log_in(first)
        expect(row(page, "AAPL").locator(".last")).to_have_text(PRICE)
        expect(page.locator(".chart-name")).to_have_text("AAPL")
    expect(page.locator("#link")).to_have_text(re.compile("^Offline, again in"))
    expect(row(page, "AAPL").locator(".tag")).to_have_text("stale")
    expect(row(page, "AAPL")).to_have_class(re.compile("is-stale"))
    expect(page.locator(".chart .panel-head .tag")).to_have_text("stale")
    expect(page).to_have_title("AAPL")
    page.screenshot(path=SHOTS / "stale.png")
    with run_service(port=first.port):
        expect(page.locator("#link")).to_have_text("Live", timeout=40_000)
        expect(row(page, "AAPL").locator(".tag")).to_be_hidden()
        expect(row(page, "AAPL").locator(".age")).to_have_text("now")


def test_a_service_that_says_nothing_any_more_is_stale(visits: Callable[..., Visit]) -> None:
    with run_service() as silent:
        page = visits(unclean=True).log_in(silent)
        expect(row(page, "AAPL").locator(".last")).to_have_text(PRICE)
        silent.send_signal(signal.SIGSTOP)
        expect(row(page, "AAPL").locator(".tag")).to_have_text("stale", timeout=15_000)
        silent.send_signal(signal.SIGCONT)
        expect(row(page, "AAPL").locator(".tag")).to_be_hidden(timeout=40_000)


@pytest.mark.parametrize("data", ["lost", "kept"])
def test_a_tws_that_has_lost_ib_is_stale_too(data: str, tmp_path: Path, visits: Callable[..., Visit]) -> None:
    visit = visits(unclean=True)  # the service ends before the page
    scenario = tmp_path / "away.toml"
    script = f"wait reqMktData\nwait 4\nlose link 4 data={data}"
    scenario.write_text(f'start = 2013-01-07 10:00:00\nscript = """\n{script}\n"""\n')
    with run_simulator(scenario) as tws, run_service("--port", str(tws)) as away:
        page = visit.log_in(away)
        expect(row(page, "AAPL").locator(".last")).to_have_text(PRICE)
        expect(page.locator("#link")).to_have_text("TWS has lost IB")
        expect(row(page, "AAPL").locator(".tag")).to_have_text("stale")
        expect(page.locator("#link")).to_have_text("Live")
        expect(row(page, "AAPL").locator(".tag")).to_be_hidden(timeout=40_000)
        expect(row(page, "AAPL").locator(".age")).to_have_text("now")


@pytest.mark.parametrize("width", [340, 720, 1000, 1440])
def test_nothing_is_wider_than_the_window(width: int, service: Service, visits: Callable[..., Visit]) -> None:
    page = visits(viewport={"width": width, "height": 800}).log_in(service)
    expect(row(page, "AAPL").locator(".last")).to_have_text(PRICE)
    for view in ("Board", "Query"):
        page.get_by_role("tab", name=view).click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_pictures(service: Service, visit: Visit) -> None:
    """No check, but a look: they are kept as artefacts."""
    page = visit.log_in(service)
    expect(row(page, "EUR.USD").locator(".last")).to_have_text(PRICE)
    expect(page.locator(".spark-line[points]")).to_have_count(6, timeout=40_000)
    expect(page.locator(".legend")).to_contain_text("Jan 2013", timeout=40_000)
    for view in ("Board", "Query"):
        page.get_by_role("tab", name=view).click()
        if view == "Query":
            page.get_by_role("button", name="Run").click()
            expect(page.locator(".json")).to_be_visible()
        for scheme in ("dark", "light"):
            for width, height in ((1440, 900), (390, 844)):
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                page.set_viewport_size({"width": width, "height": height})
                name = f"{view.lower()}-{scheme}-{'wide' if width > 1000 else 'narrow'}.png"
                page.screenshot(path=SHOTS / name, full_page=True)
