"""Who gets in, and where the token is afterwards."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.page.browser import TOKEN, Service, Visit, run_service


def test_the_token_is_asked_for(service: Service, visits: Callable[..., Visit]) -> None:
    page = visits(unclean=True).open(service.url)  # the browser complains of the 401
    page.get_by_label("Access token").fill("not-the-token-of-this-service")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("alert")).to_contain_text("does not know this token")
    expect(page.locator("#board")).to_be_hidden()
    page.get_by_label("Access token").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page.locator("#link")).to_have_text("Live")
    expect(page.locator("#board")).to_be_visible()


def test_a_token_in_the_address_is_taken_out_of_it(service: Service, visit: Visit) -> None:
    page = visit.log_in(service)
    assert page.url == f"{service.url}/"
    assert page.evaluate("history.length") == 2  # about:blank and this: the address with the token was replaced
    assert page.evaluate("Object.values(sessionStorage)") == [TOKEN]
    assert TOKEN not in page.evaluate("JSON.stringify(localStorage) + document.cookie")
    page.reload()
    expect(page.locator("#link")).to_have_text("Live")


def test_signing_out_forgets_the_token(service: Service, visit: Visit) -> None:
    page = visit.log_in(service)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Access token")).to_be_focused()
    expect(page.locator("#board")).to_be_hidden()
    assert page.evaluate("Object.values(sessionStorage)") == []
    page.reload()
    expect(page.get_by_label("Access token")).to_be_visible()


def test_the_shell_holds_no_data_and_asks_nobody_else(service: Service, visit: Visit) -> None:
    page = visit.open("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    answer = page.goto(service.url)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    expect(page.get_by_label("Access token")).to_be_visible()
    assert len(asked) > 10
    assert all(url.startswith((f"{service.url}/page/", "data:")) or url == f"{service.url}/" for url in asked)


def test_a_link_with_a_token_that_is_old(service: Service, visits: Callable[..., Visit]) -> None:
    page = visits(unclean=True).open(f"{service.url}/#token=the-token-of-yesterday")
    expect(page.get_by_role("alert")).to_contain_text("does not know this token")
    assert page.url == f"{service.url}/"
    page.evaluate(f"location.hash = '#token={TOKEN}'")
    expect(page.locator("#link")).to_have_text("Live")
    assert page.url == f"{service.url}/"


def test_another_token_at_the_next_start(visits: Callable[..., Visit]) -> None:
    visit = visits(unclean=True)
    with run_service() as first:
        page = visit.log_in(first)
    with run_service(port=first.port, token="another-token-that-is-for-tests-only"):
        expect(page.get_by_role("alert")).to_contain_text("any more", timeout=40_000)
    expect(page.locator("#board")).to_be_hidden()
    assert page.evaluate("Object.values(sessionStorage)") == []
