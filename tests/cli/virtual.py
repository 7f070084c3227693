"""Commands run in this process, in virtual time, on a simulator that can be asked afterwards what it was asked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
import trio.testing
from anyio.abc import ByteStream
from ibapi.order import Order

from trio_ibtws import Client, CommissionAndFeesReport, OrderStatus, Simulator, cli, open_client, open_simulator
from trio_ibtws._cli import _run
from trio_ibtws.contracts import stock
from trio_ibtws.orders import limit_order, market_order

RUN = anyio.run

SCREENS: dict[str, list[str]] = {
    "contract": ["contract", "AAPL"],
    "contracts": ["contract", "ES.FUT@CME"],
    "options": ["contract", "AAPL.OPT.20130215", "--right", "C"],
    "search": ["contract", "--search", "micro"],
    "bars": ["bars", "AAPL"],
    "bars-intraday": ["bars", "EUR.USD", "--duration", "1D", "--bar", "15m"],
    "ticks": ["ticks", "AAPL", "--seconds", "1"],
    "ticks-every": ["ticks", "AAPL", "--every", "BidAsk", "--count", "4"],
    "book": ["book", "AAPL@NASDAQ", "--rows", "5", "--seconds", "2"],
    "positions": ["positions"],
    "orders": ["orders"],
    "orders-completed": ["orders", "--completed"],
    "orders-executions": ["orders", "--executions"],
    "account": ["account"],
    "scan": ["scan", "TOP_PERC_GAIN", "--rows", "3"],
    "scan-codes": ["scan", "--codes"],
}
"""The command of each screen in ``tests/cli/screens``."""


def run_virtually(function: Callable[..., Any], *arguments: Any, backend: str) -> Any:
    """Run *function* as ``anyio.run`` does, on Trio with a clock that jumps to the next thing that happens."""
    assert backend == "trio"
    clock = trio.testing.MockClock(autojump_threshold=0)
    return RUN(function, *arguments, backend=backend, backend_options={"clock": clock})


@asynccontextmanager
async def traded_on(**options: Any) -> AsyncGenerator[Simulator]:
    """Open a simulator on which another client has bought something, and waits to buy something else."""
    async with open_simulator(**options) as sim:
        async with open_client(stream=await sim.connect(), client_id=7, trading=True) as trader:
            await _place(trader, "AAPL", market_order("BUY", 100), CommissionAndFeesReport)
            await _place(trader, "IBM", limit_order("BUY", 10, 150.25), OrderStatus)
        yield sim


async def _place(trader: Any, symbol: str, order: Order, until: type[Any]) -> None:
    async with trader.place_order(stock(symbol), order) as events:
        async for event in events:
            if isinstance(event, until):
                return


class _Read(ByteStream):
    """A stream on which nothing is left unread: a simulator that writes as its peer closes reads no further."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream

    async def send(self, item: bytes) -> None:
        await self._stream.send(item)
        await anyio.wait_all_tasks_blocked()

    async def receive(self, max_bytes: int = 65536) -> bytes:
        return await self._stream.receive(max_bytes)

    async def send_eof(self) -> None:
        await self._stream.send_eof()

    async def aclose(self) -> None:
        await self._stream.aclose()


@asynccontextmanager
async def _client(*arguments: Any, stream: ByteStream, **options: Any) -> AsyncGenerator[Client]:
    async with open_client(*arguments, stream=_Read(stream), **options) as client:
        yield client


class Terminal:
    """Runs commands on a simulator in virtual time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.simulators: list[Simulator] = []
        self.script = ""
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(anyio, "run", run_virtually)
        monkeypatch.setattr(_run, "open_simulator", self._opened)
        monkeypatch.setattr(_run, "open_client", _client)
        self.resize(80)

    @asynccontextmanager
    async def _opened(self, **options: Any) -> AsyncGenerator[Simulator]:
        async with traded_on(**options) as sim:
            self.simulators.append(sim)
            if self.script:
                sim.run_script(self.script)
            yield sim

    def resize(self, columns: int) -> None:
        """Make it so wide."""
        self._monkeypatch.setenv("COLUMNS", str(columns))

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run a command on the simulator; its exit code, output and errors."""
        code = cli.main([*arguments, "--simulate"])
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err

    @property
    def received(self) -> list[str]:
        """What the last simulator was asked, by EClient's names."""
        return [request.name for request in self.simulators[-1].received]
