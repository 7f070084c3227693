from __future__ import annotations

import os

import pytest
from ibapi.server_versions import MAX_CLIENT_VER

RECORDINGS = "TRIO_IBTWS_WIRE_CORPUS"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"recorded: wants other people's recorded sessions, in the folder {RECORDINGS}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what there is nothing for: a wire that the installed ibapi does not speak, missing recordings."""
    possible: list[pytest.Item] = []
    impossible: list[pytest.Item] = []
    for item in items:
        needed = [mark.args[0] for mark in item.iter_markers("speaks")]
        recorded = item.get_closest_marker("recorded") is not None and not os.environ.get(RECORDINGS)
        (possible if max(needed, default=0) <= MAX_CLIENT_VER and not recorded else impossible).append(item)
    if impossible:
        config.hook.pytest_deselected(items=impossible)
        items[:] = possible


@pytest.fixture(params=["trio", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Every test that waits runs on both."""
    return str(request.param)
