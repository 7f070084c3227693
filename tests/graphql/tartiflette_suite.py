"""A pytest plugin that runs Tartiflette's own tests with what we replace in it, on Trio or on asyncio.

In a checkout of github.com/tartiflette/tartiflette, with Tartiflette 1.4.1 and trio_ibtws installed, and in an
environment of its own, for those tests are of the time of pytest 7 (``pip install pytest==7.4.4 pytest-mock``):

    PYTHONPATH=/path/to/trio_ibtws BACKEND=trio python -m pytest -p tests.graphql.tartiflette_suite
        -p no:anyio -p no:trio -p no:asyncio tests/functional tests/unit

Its ``tests`` hides ours: copy this file next to it and name it with ``-p tartiflette_suite``. ``BIND=0`` is for
comparing with Tartiflette as it is, ``SERIAL=1`` for the flags that we run it with.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from typing import Any

import anyio
import pytest

BACKEND = os.environ.get("BACKEND", "trio")


def _bind() -> None:
    from trio_ibtws.graphql._binding import bind

    bind()


def _serial_by_default() -> None:
    from tartiflette.schema.schema import GraphQLSchema

    stock = GraphQLSchema.bake

    async def bake(
        self: Any, a: Any = None, b: Any = None, c: Any = None, lists: Any = None, parents: Any = None
    ) -> None:
        await stock(self, a, b, c, bool(lists), bool(parents))

    setattr(GraphQLSchema, "bake", bake)  # noqa: B010


def pytest_configure(config: pytest.Config) -> None:
    for marker in ("asyncio", "ttftt_engine", "with_schema_stack"):
        config.addinivalue_line("markers", f"{marker}: of Tartiflette's tests")
    if os.environ.get("BIND", "1") == "1":
        _bind()
    if os.environ.get("SERIAL") == "1":
        _serial_by_default()
    if BACKEND == "trio":
        asyncio.sleep = anyio.sleep  # type: ignore[assignment] # the tests' own


def _run(function: Any, arguments: dict[str, Any]) -> Any:
    async def call() -> Any:
        return await function(**arguments)

    return anyio.run(call, backend=BACKEND)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    _run(pyfuncitem.obj, {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames})
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: Any) -> None:
    function = fixturedef.func
    if inspect.iscoroutinefunction(function):
        fixturedef.func = lambda **arguments: _run(function, arguments)
