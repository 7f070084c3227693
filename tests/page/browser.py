"""A service on the simulator in a process of its own, and windows of a browser that remember what went wrong."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, ConsoleMessage, Page

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-that-is-for-tests-only"
# Nothing that asks the network for something that is not the page.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 20_000
"""Milliseconds after which a test gives up waiting: a busy machine is slow, and nothing here should take a second."""

NOTE_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
"""


@dataclass
class Service:
    """A service that runs."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send_signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@contextmanager
def run_service(*arguments: str, port: int = 0, token: str = TOKEN) -> Iterator[Service]:
    """Run ``trio-ibtws serve`` for a block, on the simulator unless *arguments* name a port of a TWS."""
    source = [] if "--port" in arguments else ["--simulate"]
    bind = ["--bind", f"127.0.0.1:{port}", "--token", token]
    with _process("serve", *source, *bind, *arguments, says=r"http://127\.0\.0\.1:(\d+)") as (process, found):
        yield Service(process, found)


@contextmanager
def run_simulator(scenario: Path) -> Iterator[int]:
    """Run ``trio-ibtws simulate`` with a scenario for a block; its port."""
    with _process("simulate", "--port", "0", "--scenario", str(scenario), says=r"127\.0\.0\.1:(\d+)") as (_, port):
        yield port


@contextmanager
def _process(*command: str, says: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a command of ``trio-ibtws`` for a block; it and the port that it says."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    started = [sys.executable, "-m", "trio_ibtws", *command]
    with subprocess.Popen(started, env=environment, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout is not None
        try:
            found = next((found for line in process.stdout if (found := re.search(says, line))), None)
            assert found, f"{command[0]} ended with {process.wait()}"
            yield process, int(found[1])
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


class Visit:
    """A browser window of its own: its storage, and what its pages complain of."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self.complaints: list[str] = []
        context.set_default_timeout(PATIENCE)
        context.add_init_script(NOTE_VIOLATIONS)

    def open(self, url: str) -> Page:
        """Return a new tab on *url*."""
        page = self._context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.goto(url)
        return page

    def log_in(self, service: Service, view: str = "board") -> Page:
        """Return a new tab with a view of the page, logged in."""
        page = self.open(f"{service.url}/#token={TOKEN}")
        page.locator("#link[data-state=open]").wait_for()
        if view != "board":
            page.get_by_role("tab", name="Query").click()
        return page

    def close(self) -> None:
        for page in self._context.pages:
            self.complaints += [f"policy: {directive}" for directive in page.evaluate("window.violations")]
        self._context.close()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")
