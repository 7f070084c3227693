"""Every query and subscription of the table, and everything else that waits, cancelled at every await, on asyncio."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.every_coroutine import VICTIMS, WITHOUT_A_VICTIM, Victim, waiting
from tests.every_coroutine import try_one as try_victim
from tests.every_request import ASKED, MODES
from tests.every_request import try_one as try_request
from tests.steps_of_one import VIRTUAL_ASYNCIO, CancelAtAwait, at_every_await

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Steps of trio are tried in ``tests/trio_only``."""
    return VIRTUAL_ASYNCIO


def test_everything_that_waits_is_tried() -> None:
    """A new public coroutine wants a victim in ``tests/every_coroutine.py``."""
    tried = [name for victim in VICTIMS for name in victim.waits_in.split()]
    assert sorted({*tried, *WITHOUT_A_VICTIM}) == sorted(waiting())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ASKED)
async def test_a_request(name: str, mode: str, record_property: Callable[[str, object], None]) -> None:
    async def trial(canceller: CancelAtAwait) -> None:
        await try_request(name, mode, canceller.run)

    awaits = await at_every_await(trial)
    record_property("awaits", awaits)
    assert awaits >= 1


@pytest.mark.parametrize("victim", VICTIMS, ids=lambda victim: victim.run.__name__)
async def test_a_victim(victim: Victim, record_property: Callable[[str, object], None]) -> None:
    async def trial(canceller: CancelAtAwait) -> None:
        await try_victim(victim, canceller.run)

    awaits = await at_every_await(trial)
    record_property("awaits", awaits)
    assert awaits >= 1
