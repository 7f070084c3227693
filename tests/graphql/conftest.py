"""What the tests of the service need beside Python."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PACKAGES = "TRIO_IBTWS_NPM"
"""The environment variable with the folder that ``tests/graphql/npm`` was copied to and installed in."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what npm's packages test where they are not: ``nox -s graphql`` has them."""
    if os.environ.get(PACKAGES):
        return
    without = [item for item in items if "npm" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=without)
    items[:] = [item for item in items if item not in without]


@pytest.fixture
def npm() -> Path:
    """The folder of the scripts and their packages."""
    return Path(os.environ[PACKAGES])
