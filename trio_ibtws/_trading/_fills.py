"""``FillLedger``: the executions of one order, each once, corrections in the place of what they correct.

TWS tells an execution live, again in the answer to a query, and with a new number behind the last dot of its id when it
was corrected. The commission comes on its own and may come first. Of an advisor's order for a group of accounts it
tells everything twice: the executions of the advisor's own account, and their parts client by client.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from .._runtime._events import CommissionAndFeesReport, ExecDetails
from .._runtime._values import size
from ._states import Fill, FillCorrected, FillReported

__all__ = ["FillLedger", "base_of", "revision_of"]


def base_of(exec_id: str) -> str:
    """Return the part of an execution's id that its corrections share."""
    return _split(exec_id)[0]


def revision_of(exec_id: str) -> int:
    """Return the part that counts the corrections."""
    return _split(exec_id)[1]


def _split(exec_id: str) -> tuple[str, int]:
    base, dot, revision = exec_id.rpartition(".")
    return (base, int(revision)) if dot and revision.isdecimal() and revision.isascii() else (exec_id, 0)


def is_advisor(account: str) -> bool:
    """Whether it is the account of an advisor or a broker, for others: F… or I…, on paper DF… and DI…."""
    return account.lstrip("D").startswith(("F", "I"))


def _quantity(fills: Iterable[Fill]) -> Decimal:
    return sum((fill.quantity for fill in fills), Decimal(0))


class FillLedger:
    """What was traded of one order."""

    def __init__(self) -> None:
        self._fills: dict[str, Fill] = {}
        self._reports: dict[str, CommissionAndFeesReport] = {}

    def fills(self) -> tuple[Fill, ...]:
        """Return the fills in the order in which they came."""
        return tuple(self._fills.values())

    @property
    def filled(self) -> Decimal:
        """How much was traded, legs of a combination left out."""
        return _quantity(self._counted())

    @property
    def average_price(self) -> float | None:
        """The average price, weighted by quantity; ``None`` before the first fill."""
        fills = self._counted()
        filled = _quantity(fills)
        if not filled:
            return None
        return float(sum(Decimal(str(fill.price)) * fill.quantity for fill in fills) / filled)

    def _counted(self) -> list[Fill]:
        """Return the fills that make up what was traded: the advisor's own or their parts, whichever are more now."""
        own: list[Fill] = []
        parts: list[Fill] = []
        for fill in self._fills.values():
            if not fill.leg:
                (own if is_advisor(fill.account) else parts).append(fill)
        return max(own, parts, key=_quantity)

    @property
    def reported(self) -> bool:
        """Whether every fill has its commission."""
        return all(fill.commission is not None for fill in self._fills.values())

    def add(self, event: ExecDetails, *, leg: bool) -> Fill | FillCorrected | None:
        """Take an execution; return what is new about it, ``None`` for one that is known or was corrected since."""
        execution = event.execution
        base, revision = _split(execution.execId)
        before = self._fills.get(base)
        if before is not None and _split(before.exec_id)[1] >= revision:
            return None
        after = Fill(
            exec_id=execution.execId,
            quantity=size(execution.shares) or Decimal(0),
            price=execution.price,
            side=execution.side,
            time=execution.time,
            order_id=execution.orderId,
            perm_id=execution.permId,
            leg=leg,
            account=execution.acctNumber,
            contract=event.contract,
            execution=execution,
            commission=self._reports.pop(execution.execId, event.commission_and_fees),
        )
        self._fills[base] = after
        return after if before is None else FillCorrected(before, after)

    def report(self, report: CommissionAndFeesReport) -> FillReported | None:
        """Take a commission report of this order; return the fill that has it now, if there is one already."""
        base = base_of(report.exec_id)
        fill = self._fills.get(base)
        if fill is None or fill.exec_id != report.exec_id:
            self._reports[report.exec_id] = report
            return None
        if fill.commission == report:
            return None
        self._fills[base] = msgspec.structs.replace(fill, commission=report)
        return FillReported(self._fills[base])
