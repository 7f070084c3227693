"""The service and the browser, started once; and windows, one or more for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.page.browser import FLAGS, PATIENCE, Service, Visit, run_service

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    with run_service("--enable-trading") as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "there is no Chromium: install the package chromium, or say where it is in CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visits(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """A function that opens a window; at the end none of them may have complained, unless ``unclean`` was given."""
    opened: list[tuple[Visit, bool]] = []

    def visit(*, unclean: bool = False, **options: Any) -> Visit:
        options = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark", **options}
        opened.append((Visit(chromium.new_context(**options)), unclean))
        return opened[-1][0]

    yield visit
    for one, unclean in opened:
        one.close()
        # The tests ask faster than people do: the browser logs a 429, after which the page waits and asks again.
        said = [each for each in one.complaints if "status of 429" not in each]
        complaints = [each for each in said if not unclean or not each.startswith("error: ")]
        assert complaints == []


@pytest.fixture
def visit(visits: Callable[..., Visit]) -> Visit:
    """A window whose pages may not complain of anything."""
    return visits()
