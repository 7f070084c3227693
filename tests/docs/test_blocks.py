"""Every block of Python in the README and in docs/ runs as it stands, against the simulator.

The blocks of a page run one after the other and share their names, as a reader would type them: a block that starts an
event loop itself is run as a program is; one with an ``await`` at its top is run on the loop of the test, and finds
a ``client`` that may trade, on a simulator, ``sim``. Port 7497 stands for that simulator's. What a page would have to
explain away stands in a comment on it: ``<!-- run: from trio_ibtws.contracts import stock -->``.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

import anyio
import pytest
from anyio.from_thread import start_blocking_portal

from trio_ibtws import Pacer, open_client, open_simulator
from trio_ibtws.simulator import Limits, Scenario

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^( *)```(?:python|py)\n(.*?)^\1```$|<!-- run: (.*?) -->", re.MULTILINE | re.DOTALL)
_STARTS_A_LOOP = re.compile(r"^\s*(trio|anyio|asyncio)\.run\(|^\s*(with|\w+ =) (trio_ibtws\.)?blocking\(", re.MULTILINE)


class Block(NamedTuple):
    """A block of code on a page, and the line that it begins on."""

    line: int
    code: str

    @property
    def is_program(self) -> bool:
        return _STARTS_A_LOOP.search(self.code) is not None


def blocks_of(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        indent, code, hidden = match.groups()
        line = text[: match.start()].count("\n") + 2
        yield Block(line, re.sub(rf"^{indent or ''}", "", code, flags=re.MULTILINE) if hidden is None else hidden)


WITH_CODE = [page for page in PAGES if any(blocks_of(page))]
NEEDS = {"your-own-requests.md": 176}
"""The server versions of the requests on a page, where not every ibapi speaks them."""
each_page = pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=pytest.mark.speaks(NEEDS.get(page.name, 0)), id=str(page.relative_to(ROOT)))
        for page in WITH_CODE
    ],
)


def compiled(page: Path, block: Block, port: int | None) -> CodeType:
    """Return the code with the page's line numbers; an ``await`` may stand at its top."""
    source = block.code.replace("7497", str(port))
    tree = compile(source, str(page), "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    ast.increment_lineno(tree, block.line - 1)
    code: CodeType = compile(tree, str(page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    return code


SCENARIO = Scenario(speed=20.0, limits=Limits.off(), reset_at=None)


@pytest.mark.anyio
@each_page
async def test_the_fragments_of_a_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with anyio.fail_after(60):
        await run_fragments(page)


async def run_fragments(page: Path) -> None:
    async with (
        open_simulator(scenario=SCENARIO) as sim,
        open_client(stream=await sim.connect(), client_id=9, trading=True, pacer=Pacer(rate=None)) as client,
    ):
        names: dict[str, Any] = {"client": client, "sim": sim, "__name__": "__main__"}
        for block in blocks_of(page):
            if not block.is_program:
                names["client"] = client
                coroutine = eval(compiled(page, block, sim.port), names)
                if inspect.isawaitable(coroutine):
                    await coroutine


@each_page
def test_the_programs_of_a_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with start_blocking_portal("trio") as portal, portal.wrap_async_context_manager(simulator()) as sim:
        for block in blocks_of(page):
            if block.is_program:
                exec(compiled(page, block, sim.port), {"__name__": "__main__"})


def simulator() -> Any:
    return open_simulator(scenario=SCENARIO)


def test_pages_have_blocks() -> None:
    names = {page.name for page in WITH_CODE}
    assert {"README.md", "orders.md"} <= names
