"""Orders of all kinds, filled in parts, changed, cancelled, corrected: the money always adds up to the cent."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from tests.simulator.stock import VERSIONS, Got, StockClient, cancel, contract, order
from trio_ibtws.simulator import Limits, Scenario, Simulator, open_simulator

CENT = Decimal("0.01")
START = Decimal(1_000_000)
STEPS = 40
FACTORS = {"FUT": 50, "OPT": 100, "BOND": 10}
WANTED = (
    ("AAPL", "STK", "SMART"),
    ("IBM", "STK", "SMART"),
    ("EUR", "CASH", "IDEALPRO"),
    ("GBP", "CASH", "IDEALPRO"),
    ("BTC", "CRYPTO", "PAXOS"),
    ("ES", "FUT", "CME"),
)
TEXTS = ("AccountOrGroup", "Currency", "RealCurrency")
LOTS = {"CASH": 37_000, "STK": 700}


def money(value: Any) -> Decimal:
    return Decimal(str(value)).quantize(CENT)


class Books:
    """What a client that believes executions and commissions alone has: corrections replace what they correct."""

    def __init__(self) -> None:
        self._paid: dict[str, tuple[int, Decimal, Decimal]] = {}
        self._charged: dict[str, tuple[Decimal, Decimal]] = {}

    def read(self, got: list[Got]) -> None:
        for each in got:
            if each.name == "execDetails":
                self._execute(each.contract, each.execution)
            elif each.name == "commissionReport":
                self._charge(next(value for key, value in vars(each).items() if key != "name"))

    def _execute(self, what: Any, execution: Any) -> None:
        signed = Decimal(str(execution.shares)) * (1 if execution.side == "BOT" else -1)
        paid = (signed * Decimal(str(execution.price)) * FACTORS.get(what.secType, 1)).quantize(CENT)
        self._paid[execution.execId.rpartition(".")[0]] = what.conId, signed, paid

    def _charge(self, report: Any) -> None:
        fee = getattr(report, "commission", None) or getattr(report, "commissionAndFees", 0)
        realized = money(report.realizedPNL) if report.realizedPNL < 1e300 else Decimal(0)
        self._charged[report.execId.rpartition(".")[0]] = money(fee), realized

    @property
    def cash(self) -> Decimal:
        fees = sum((fee for fee, _ in self._charged.values()), Decimal(0))
        return START - sum((paid for _, _, paid in self._paid.values()), Decimal(0)) - fees

    @property
    def realized(self) -> Decimal:
        return sum((realized for _, realized in self._charged.values()), Decimal(0))

    @property
    def positions(self) -> dict[int, Decimal]:
        sums: dict[int, Decimal] = {}
        for con_id, signed, _ in self._paid.values():
            sums[con_id] = sums.get(con_id, Decimal(0)) + signed
        return sums


class Day:
    """A client that does anything, and looks at its account after each step."""

    def __init__(self, sim: Simulator, client: StockClient, random: Random) -> None:
        self.sim, self.client, self.random = sim, client, random
        self.books = Books()
        self.orders: dict[int, tuple[Any, Any]] = {}
        self.contracts: list[Any] = []

    async def look_up(self) -> None:
        for number, (symbol, sec_type, exchange) in enumerate(WANTED):
            wanted = contract(symbol, sec_type, exchange)
            if sec_type == "FUT":
                wanted.lastTradeDateOrContractMonth = "201303"
            self.client.reqContractDetails(7000 + number, wanted)
        rows = await self.client.sync()
        self.contracts = [each.contractDetails.contract for each in rows if hasattr(each, "contractDetails")]
        assert len(self.contracts) == len(WANTED)

    def place(self) -> None:
        what = self.random.choice(self.contracts)
        quantity = self.random.randint(1, 3) * LOTS.get(what.secType, 1)
        made = order(self.random.choice(["BUY", "SELL"]), quantity, self.random.choice(["MKT", "MKT", "LMT"]))
        made.lmtPrice = self.random.choice([0.25, 1.25, 75.0, 1450.0, 12.5])
        number = len(self.orders) + 1
        self.orders[number] = what, made
        self.client.placeOrder(number, what, made)

    def change(self) -> None:
        if self.orders:
            number = self.random.choice(list(self.orders))
            what, made = self.orders[number]
            made.totalQuantity = made.totalQuantity + LOTS.get(what.secType, 1)
            self.client.placeOrder(number, what, made)

    def cancel(self) -> None:
        if self.orders:
            cancel(self.client, self.random.choice(list(self.orders)))

    async def step(self) -> None:
        self.random.choice([self.place, self.place, self.place, self.change, self.cancel, self.correct])()
        await self.client.flush()
        await trio.sleep(self.random.choice([0.1, 0.3, 1, 5, 60]))
        self.books.read(await self.client.sync())

    def correct(self) -> None:
        self.sim.faults.correct(self.random.choice([70.5, 1.25, 1400.0]))

    async def check(self) -> None:
        client = self.client
        client.reqAccountUpdates(True, "")
        client.reqAccountUpdates(False, "")
        client.reqPositions()
        client.cancelPositions()
        client.reqPnL(1, "DU1000001", "")
        client.cancelPnL(1)
        got = await client.sync()
        rows = [each for each in got if each.name == "updateAccountValue" and each.currency == "USD"]
        values = {each.key: money(each.val) for each in rows if each.key not in TEXTS}
        held = {each.contract.conId: each for each in got if each.name == "updatePortfolio"}
        books = self.books
        shown = {each.contract.conId: Decimal(str(each.position)) for each in got if each.name == "position"}
        assert shown == {key: quantity for key, quantity in books.positions.items() if quantity}
        assert {key: Decimal(str(each.position)) for key, each in held.items()} == books.positions
        worth = sum((money(each.marketValue) for each in held.values()), Decimal(0))
        assert values["NetLiquidation"] == books.cash + worth
        assert values["NetLiquidation"] == START + values["RealizedPnL"] + values["UnrealizedPnL"]
        assert values["RealizedPnL"] == sum((money(each.realizedPNL) for each in held.values()), Decimal(0))
        assert values["UnrealizedPnL"] == sum((money(each.unrealizedPNL) for each in held.values()), Decimal(0))
        self.check_currencies(got)
        (pnl,) = [each for each in got if each.name == "pnl"]
        assert money(pnl.realizedPnL) == values["RealizedPnL"]
        assert money(pnl.unrealizedPnL) == values["UnrealizedPnL"]
        assert money(pnl.dailyPnL) == values["RealizedPnL"] + values["UnrealizedPnL"]

    def check_currencies(self, got: list[Got]) -> None:
        """Each currency has a ledger of its own, and those together are the account's."""
        keys = ("CashBalance", "ExchangeRate", "NetLiquidationByCurrency", "RealCurrency")
        rows = {(each.currency, each.key): each.val for each in got if getattr(each, "key", "") in keys}
        traded = {what.symbol: what.conId for what in self.contracts if what.secType == "CASH"}
        foreign = {name for name, _ in rows} - {"USD", "BASE"}
        assert foreign == {name for name, con_id in traded.items() if con_id in self.books.positions}
        for key in ("CashBalance", "NetLiquidationByCurrency"):
            total = money(rows["USD", key])
            for name in foreign:
                assert Decimal(rows[name, key]) == self.books.positions[traded[name]]
                total += money(Decimal(rows[name, key]) * Decimal(rows[name, "ExchangeRate"]))
            assert money(rows["BASE", key]) == total
        assert all(rows[name, "RealCurrency"] == name for name in foreign | {"USD", "BASE"})


async def live_through(seed: int) -> None:
    scenario = Scenario(limits=Limits.off())
    async with open_simulator(port=None, seed=seed, scenario=scenario) as sim:
        client = await StockClient.start(sim, VERSIONS[seed % len(VERSIONS)], client_id=1)
        day = Day(sim, client, Random(seed))
        await day.look_up()
        for _ in range(STEPS):
            await day.step()
            await day.check()
        assert day.books.positions


@pytest.mark.parametrize("seed", range(6))
def test_the_money_adds_up_all_day(seed: int) -> None:
    trio.run(live_through, seed, clock=MockClock(autojump_threshold=0))
