"""The pytest plugin: ``tws_simulator``, a TWS for tests of strategies.

It is a plain fixture that returns the factory of an async context manager, so that it serves pytest-trio and anyio's
plugin alike. What it needs is imported when a test asks for it, so that other tests pay nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .simulator import Simulator

__all__ = ["pytest_addoption", "tws_simulator"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--tws-seed``."""
    group = parser.getgroup("trio_ibtws")
    group.addoption("--tws-seed", type=int, default=0, help="the seed of tws_simulator: another day, other prices (0)")


@pytest.fixture
def tws_simulator(request: pytest.FixtureRequest) -> Callable[..., AbstractAsyncContextManager[Simulator]]:
    """Return ``open_simulator`` with the seed of the command line.

    It is used as an async context manager, and takes what ``open_simulator`` takes.
    """
    from .simulator import open_simulator

    seed = int(request.config.getoption("--tws-seed") or 0)
    return partial(open_simulator, seed=seed)
