"""A gateway that restarts: the next session has the orders of the one before."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from tests.script import stock
from trio_ibtws import ConnectError, IBError, Simulator, open_client, open_simulator
from trio_ibtws.orders import limit_order
from trio_ibtws.simulator import Scenario

pytestmark = pytest.mark.anyio

CLIENT = 7
FAR_BELOW = 1.0


async def test_a_client_that_cannot_connect_again_at_once_finds_its_orders_later(tmp_path: Path) -> None:
    """The gateway restarts with an order at work; the next session has it, and cancels it."""
    scenario = Scenario(speed=100.0, reset_at=None)
    async with open_simulator(scenario=scenario) as sim:
        async with (
            open_client(sim.host, sim.port or 0, client_id=CLIENT, trading=True) as client,
            client.orders(journal=tmp_path / "journal") as book,
        ):
            placed = await book.place(stock(), limit_order("BUY", 1, FAR_BELOW, orderRef="x"))
            sim.faults.restart(30.0)
            with suppress(IBError):
                await client.wait_closed()
            with pytest.raises(ConnectError):
                async with open_client(sim.host, sim.port or 0, client_id=CLIENT):
                    pass
        found = await reopened(sim, tmp_path / "journal")
        assert found == (placed.perm_id, "CancelConfirmed")


async def reopened(sim: Simulator, path: Path) -> tuple[int, str]:
    """Connect when it can be done again, and cancel what is open."""
    with anyio.fail_after(60):
        while True:
            try:
                async with (
                    open_client(sim.host, sim.port or 0, client_id=CLIENT, trading=True) as client,
                    client.orders(journal=path) as book,
                ):
                    [trade] = book.open_trades
                    return trade.perm_id, type(await trade.cancel()).__name__
            except ConnectError:
                await anyio.sleep(0.02)
