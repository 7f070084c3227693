"""Everything that waits in the library, cancelled at every step of every task."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from trio.testing import MockClock

from tests.every_coroutine import VICTIMS, Calls, Victim, try_one, waiting
from tests.steps import CancelAt, at_every_step

pytestmark = pytest.mark.trio


@pytest.mark.parametrize("victim", VICTIMS, ids=lambda victim: victim.run.__name__)
async def test_a_victim_waits_where_it_is_said_to(victim: Victim, autojump_clock: MockClock) -> None:
    with Calls() as calls:
        await try_one(victim, CancelAt(0).run)
    found = waiting()
    assert [name for name in victim.waits_in.split() if found[name] not in calls.seen] == []


@pytest.mark.parametrize("victim", VICTIMS, ids=lambda victim: victim.run.__name__)
async def test_a_victim(
    victim: Victim, autojump_clock: MockClock, record_property: Callable[[str, object], None]
) -> None:
    async def trial(instrument: CancelAt) -> None:
        await try_one(victim, instrument.run)

    steps = await at_every_step(trial)
    record_property("steps", steps)
    assert steps >= 1
