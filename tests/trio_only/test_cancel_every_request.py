"""Every query and subscription of the table, cancelled at every step: answered, refused, and in silence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.every_request import ASKED, MODES, try_one
from tests.steps import CancelAt, at_every_step

pytestmark = pytest.mark.trio


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ASKED)
async def test_a_request(name: str, mode: str, record_property: Callable[[str, object], None]) -> None:
    async def trial(instrument: CancelAt) -> None:
        await try_one(name, mode, instrument.run)

    steps = await at_every_step(trial)
    record_property("steps", steps)
    assert steps >= 3
