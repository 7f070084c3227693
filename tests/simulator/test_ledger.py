"""Whatever is traded, what TWS says of it adds up to the cent: checked by a ledger that knows the messages alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from tests.simulator.stock import VERSIONS, Got, StockClient, contract, order
from trio_ibtws.simulator import open_simulator

CENT = Decimal("0.01")
START = Decimal(1_000_000)
TEXTS = ("AccountOrGroup", "Currency", "RealCurrency")
FACTORS = {"ES": 50, "EUR/FUT": 125_000, "AAPL/OPT": 100, "IBM/BOND": 10}
KINDS: dict[str, tuple[tuple[str, str, str], dict[str, Any]]] = {
    "AAPL": (("AAPL", "STK", "SMART"), {}),
    "SPY": (("SPY", "STK", "SMART"), {}),
    "GBP": (("GBP", "CASH", "IDEALPRO"), {}),
    "BTC": (("BTC", "CRYPTO", "PAXOS"), {}),
    "ES": (("ES", "FUT", "CME"), {"lastTradeDateOrContractMonth": "201303"}),
    "EUR/FUT": (("EUR", "FUT", "CME"), {"lastTradeDateOrContractMonth": "201303"}),
    "IBM/BOND": (("IBM", "BOND", "SMART"), {}),
    "AAPL/OPT": (("AAPL", "OPT", "SMART"), {"right": "C"}),
}

deals = st.lists(
    st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from(["BUY", "SELL"]), st.integers(1, 6)),
    min_size=1,
    max_size=8,
)


class Ledger:
    """Cash, positions and profits, from executions and commissions."""

    def __init__(self) -> None:
        self.cash = START
        self.positions: dict[int, Decimal] = {}
        self.realized = Decimal(0)
        self._executions: set[str] = set()

    def book(self, got: list[Got], factor: int) -> None:
        for each in got:
            if each.name == "execDetails":
                self._execute(each.contract.conId, each.execution, factor)
            elif each.name == "commissionReport":
                self._charge(next(value for key, value in vars(each).items() if key != "name"))

    def _execute(self, con_id: int, execution: Any, factor: int) -> None:
        assert execution.execId not in self._executions
        self._executions.add(execution.execId)
        signed = Decimal(str(execution.shares)) * (1 if execution.side == "BOT" else -1)
        self.cash -= (signed * Decimal(str(execution.price)) * factor).quantize(CENT)
        self.positions[con_id] = self.positions.get(con_id, Decimal(0)) + signed

    def _charge(self, report: Any) -> None:
        assert report.execId in self._executions
        self.cash -= money(getattr(report, "commission", None) or getattr(report, "commissionAndFees", 0))
        if report.realizedPNL < 1e300:
            self.realized += money(report.realizedPNL)


def money(value: Any) -> Decimal:
    return Decimal(str(value)).quantize(CENT)


async def an_instrument(client: StockClient, kind: str) -> Any:
    (symbol, sec_type, exchange), more = KINDS[kind]
    wanted = contract(symbol, sec_type, exchange)
    for name, value in more.items():
        setattr(wanted, name, value)
    client.reqContractDetails(7000, wanted)
    rows = [each.contractDetails.contract for each in await client.sync() if hasattr(each, "contractDetails")]
    return rows[len(rows) // 2]


async def trade(client: StockClient, number: int, deal: tuple[str, str, int], ledger: Ledger) -> None:
    kind, action, quantity = deal
    scale = 100 if kind in {"AAPL", "SPY"} else 10_000 if kind == "GBP" else 1
    client.placeOrder(number, await an_instrument(client, kind), order(action, quantity * scale))
    got: list[Got] = []
    while not any(each.name == "orderStatus" and each.status in {"Filled", "Inactive"} for each in got):
        got += await client.until("orderStatus")
    while {"execDetails"} <= {each.name for each in got} and not _complete(got):
        got += await client.until("commissionReport")
    ledger.book(got, FACTORS.get(kind, 1))


def _complete(got: list[Got]) -> bool:
    count = [each.name for each in got].count
    return count("commissionReport") == count("execDetails")


async def check(client: StockClient, ledger: Ledger) -> None:
    client.reqAccountUpdates(True, "")
    client.reqPositions()
    client.reqPnL(1, "DU1000001", "")
    got = await client.until("pnl")
    rows = [each for each in got if each.name == "updateAccountValue" and each.currency == "USD"]
    values = {each.key: money(each.val) for each in rows if each.key not in TEXTS}
    held = {each.contract.conId: each for each in got if each.name == "updatePortfolio"}
    positions = {each.contract.conId: Decimal(str(each.position)) for each in got if each.name == "position"}
    assert positions == {key: quantity for key, quantity in ledger.positions.items() if quantity}
    assert {key: Decimal(str(each.position)) for key, each in held.items()} == ledger.positions
    worth = sum((money(each.marketValue) for each in held.values()), Decimal(0))
    assert values["NetLiquidation"] == ledger.cash + worth
    assert values["RealizedPnL"] == ledger.realized
    assert values["RealizedPnL"] == sum((money(each.realizedPNL) for each in held.values()), Decimal(0))
    assert values["UnrealizedPnL"] == sum((money(each.unrealizedPNL) for each in held.values()), Decimal(0))
    assert values["NetLiquidation"] == START + values["RealizedPnL"] + values["UnrealizedPnL"]
    parts = ("StockMarketValue", "OptionMarketValue", "CorporateBondValue", "Cryptocurrency", "FuturesPNL")
    assert values["NetLiquidation"] == values["TotalCashValue"] + sum(values[name] for name in parts)
    assert money(got[-1].unrealizedPnL) == values["UnrealizedPnL"]
    assert money(got[-1].realizedPnL) == values["RealizedPnL"]
    assert money(got[-1].dailyPnL) == values["RealizedPnL"] + values["UnrealizedPnL"]


async def day(trades: list[tuple[str, str, int]]) -> None:
    async with open_simulator(port=None) as sim:
        client = await StockClient.start(sim, VERSIONS[-1], client_id=1)
        ledger = Ledger()
        for number, deal in enumerate(trades, 1):
            await trade(client, number, deal, ledger)
            await trio.sleep(3)
        await check(client, ledger)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(deals)
def test_everything_adds_up(trades: list[tuple[str, str, int]]) -> None:
    trio.run(day, trades, clock=MockClock(autojump_threshold=0))


def test_one_of_each_there_and_back() -> None:
    trades = [(kind, "BUY", 3) for kind in KINDS] + [(kind, "SELL", 4) for kind in KINDS]
    trio.run(day, trades, clock=MockClock(autojump_threshold=0))
