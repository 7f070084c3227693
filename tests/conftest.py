from __future__ import annotations

import pytest
from ibapi.server_versions import MAX_CLIENT_VER


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of a wire that the installed ibapi does not speak: there is nothing to skip."""
    spoken: list[pytest.Item] = []
    unspoken: list[pytest.Item] = []
    for item in items:
        needed = [mark.args[0] for mark in item.iter_markers("speaks")]
        (spoken if max(needed, default=0) <= MAX_CLIENT_VER else unspoken).append(item)
    if unspoken:
        config.hook.pytest_deselected(items=unspoken)
        items[:] = spoken


@pytest.fixture(params=["trio", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Every test that waits runs on both."""
    return str(request.param)
