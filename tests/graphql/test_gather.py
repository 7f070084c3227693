"""The structured gather, and where it is bound: Tartiflette knows nothing of asyncio any more."""

from __future__ import annotations

import ast
import asyncio
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import tartiflette

from trio_ibtws.graphql import _binding
from trio_ibtws.graphql._gather import Lost, UnsupportedTartiflette, gather, in_turn

pytestmark = pytest.mark.anyio


async def value(what: Any) -> Any:
    await anyio.lowlevel.checkpoint()
    return what


async def failing(error: BaseException) -> Any:
    await anyio.lowlevel.checkpoint()
    raise error


@pytest.mark.parametrize("return_exceptions", [True, False])
@pytest.mark.parametrize("number", [0, 1, 2, 5])
async def test_the_results_come_in_the_order_of_the_calls(number: int, return_exceptions: bool) -> None:
    results = await gather(*map(value, range(number)), return_exceptions=return_exceptions)
    assert results == list(range(number))


async def test_with_return_exceptions_they_run_side_by_side() -> None:
    first, second = anyio.Event(), anyio.Event()

    async def one() -> str:
        first.set()
        await second.wait()
        return "one"

    async def two() -> str:
        await first.wait()
        second.set()
        return "two"

    with anyio.fail_after(5):
        assert await gather(one(), two(), return_exceptions=True) == ["one", "two"]


async def test_in_turn_none_begins_before_the_last_has_ended() -> None:
    log: list[str] = []

    async def one(name: str) -> str:
        log.append(f"{name} begins")
        await anyio.lowlevel.checkpoint()
        log.append(f"{name} ends")
        return name

    assert await in_turn(one("a"), failing(ValueError("no")), one("b"), return_exceptions=True) != ["a", "b"]
    assert log == ["a begins", "a ends", "b begins", "b ends"]


@pytest.mark.parametrize("number", [1, 2])
async def test_exceptions_are_results_where_that_is_asked_for(number: int) -> None:
    error = ValueError("no")
    others = [value(i) for i in range(number - 1)]
    assert await gather(failing(error), *others, return_exceptions=True) == [error, *range(number - 1)]


async def test_otherwise_the_first_one_is_raised_and_the_rest_never_begins() -> None:
    begun: list[int] = []

    async def later() -> None:
        begun.append(1)

    with pytest.raises(ValueError, match="no"):
        await gather(failing(ValueError("no")), later(), later())
    assert not begun  # nor is there a warning that they were never awaited


async def test_a_group_of_exceptions_is_one_result() -> None:
    group = ExceptionGroup("several", [ValueError("a"), TypeError("b")])
    assert await gather(failing(group), value(1), return_exceptions=True) == [group, 1]


@pytest.mark.parametrize("number", [1, 2])
async def test_cancelling_ends_all_of_them_before_it_returns(number: int) -> None:
    log: list[str] = []

    async def sleeper() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            log.append("ended")

    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:

            @tasks.start_soon
            async def _() -> None:
                await anyio.wait_all_tasks_blocked()
                scope.cancel()

            await gather(*(sleeper() for _ in range(number)), return_exceptions=True)
            log.append("not reached")
    assert scope.cancelled_caught
    assert log == ["ended"] * number


async def test_what_was_cancelled_before_it_began_is_not_left_unawaited() -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await gather(value(1), value(2), return_exceptions=True)
    assert scope.cancelled_caught


async def test_a_shield_holds() -> None:
    log: list[str] = []

    async def shielded() -> str:
        with anyio.CancelScope(shield=True):
            await anyio.wait_all_tasks_blocked()
            for _ in range(10):
                await anyio.lowlevel.checkpoint()
            log.append("done")
        return "shielded"

    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(gather_two := _gatherer(shielded))
            await anyio.lowlevel.checkpoint()
            scope.cancel()
    assert gather_two is not None
    assert log == ["done", "done"]


def _gatherer(function: Any) -> Any:
    async def run() -> None:
        await gather(function(), function(), return_exceptions=True)

    return run


@pytest.mark.parametrize("anyio_backend", ["trio"])  # asyncio's own tasks end the loop with it
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("number", [0, 1])
async def test_ctrl_c_is_no_result(kind: type[BaseException], number: int) -> None:
    with pytest.raises(kind):
        await gather(failing(kind()), *map(value, range(number)), return_exceptions=True)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_cancelled_error_that_nobody_asked_for_is_an_error_and_never_a_value() -> None:
    lost, one = await gather(failing(asyncio.CancelledError()), value(1), return_exceptions=True)
    assert isinstance(lost, Lost)
    assert one == 1


# --- the binding --------------------------------------------------------------------------------------------------


def modules() -> Iterator[tuple[str, ast.Module]]:
    root = Path(str(tartiflette.__file__)).parent
    for path in sorted(root.rglob("*.py")):
        yield ".".join(path.relative_to(root).with_suffix("").parts), ast.parse(path.read_text(encoding="utf-8"))


def test_tartiflette_uses_asyncio_where_we_say_it_does_and_only_gather() -> None:
    users: dict[str, set[str]] = {}
    for name, tree in modules():
        imported = {
            alias.name.partition(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        if imported & {"asyncio", "concurrent", "threading", "trio", "anyio"}:
            users[name] = {
                node.attr
                for node in ast.walk(tree)
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "asyncio"
            }
    assert users == {name: {"gather"} for name in _binding.GATHERING}


def test_the_name_is_bound_in_those_modules_and_asyncio_is_as_it_was() -> None:
    stock = asyncio.gather
    _binding.bind()
    _binding.bind()
    for name, gathering in _binding.GATHERING.items():
        bound = importlib.import_module(f"tartiflette.{name}").asyncio
        assert vars(bound) == {"gather": gathering}
    assert asyncio.gather is stock
    assert asyncio.gather.__module__.startswith("asyncio")


def test_what_is_replaced_is_pinned() -> None:
    assert {module for module, _ in _binding.REPLACED} | set(_binding.GATHERING) <= set(_binding.PINS)
    _binding.bind()
    for (module, name), replacement in _binding.REPLACED.items():
        assert getattr(importlib.import_module(f"tartiflette.{module}"), name) is replacement


@pytest.mark.parametrize("module", sorted(_binding.PINS))
def test_another_tartiflette_is_refused_by_the_name_of_what_differs(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_binding.PINS, module, "0" * 16)
    with pytest.raises(UnsupportedTartiflette, match=f"{module} differ.*tartiflette==1.4.1"):
        _binding.bind()


def test_a_module_that_is_gone_is_refused() -> None:
    assert _binding.digest("no_such_module") == "missing"


def test_line_endings_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.find_spec("tartiflette.execution.execute")
    assert spec is not None
    assert spec.origin is not None
    copy = tmp_path / "copy.py"
    copy.write_bytes(Path(spec.origin).read_bytes().replace(b"\n", b"\r\n"))
    spec.origin = str(copy)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)
    assert _binding.digest("execution.execute") == _binding.PINS["execution.execute"]
