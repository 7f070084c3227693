"""Which contract a description means: one, several, or none."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from ibapi.contract import Contract

from ..errors import InvalidRequest, NoSuchContract
from ._hours import TradingHours, liquid_hours, trading_hours

if TYPE_CHECKING:
    from ibapi.contract import ContractDetails

__all__ = ["Ambiguous", "Qualification", "Qualified", "UnknownContract", "copied", "judged", "question"]

_SHOWN = 10


class Qualified(msgspec.Struct, frozen=True):
    """The one contract that was meant.

    Attributes:
      contract: it, with its id and everything else that TWS knows of it; a copy that is yours.
      details: what else there is to know of it.
    """

    contract: Contract
    details: ContractDetails

    def one(self) -> Qualified:
        """Return this."""
        return self

    @property
    def trading_hours(self) -> TradingHours:
        """All hours in which it is traded, as TWS told them when it was asked."""
        return trading_hours(self.details)

    @property
    def liquid_hours(self) -> TradingHours:
        """Its regular hours, as TWS told them when it was asked."""
        return liquid_hours(self.details)


class Ambiguous(msgspec.Struct, frozen=True):
    """A description that fits several contracts.

    Attributes:
      contract: the description, as it was given.
      candidates: what it fits, in TWS's order.
    """

    contract: Contract
    candidates: tuple[Qualified, ...]

    def one(self) -> Qualified:
        """Raise ``InvalidRequest``, which names the candidates."""
        names = [_described(each.contract) for each in self.candidates[:_SHOWN]]
        more = len(self.candidates) - len(names)
        listed = "; ".join([*names, *([f"{more} more"] if more else [])])
        raise InvalidRequest("contract", f"it fits {len(self.candidates)} contracts, say which: {listed}")


class UnknownContract(msgspec.Struct, frozen=True):
    """A description that fits nothing.

    Attributes:
      contract: the description, as it was given.
      error: what TWS said (200).
    """

    contract: Contract
    error: NoSuchContract

    def one(self) -> Qualified:
        """Raise ``NoSuchContract``."""
        raise NoSuchContract(self.error.code, self.error.message, request=self.error.request) from self.error


Qualification: TypeAlias = Qualified | Ambiguous | UnknownContract
"""What became of a description. ``.one()`` is the contract, or raises that there is none or more than one."""


def question(contract: Contract) -> Hashable:
    """Return what two descriptions have in common that mean the same.

    Raises:
      InvalidRequest: it is a combination, of which TWS knows the legs only.
    """
    if contract.secType == "BAG" or getattr(contract, "comboLegs", None):
        raise InvalidRequest("contract.secType", "a combination is no contract of TWS's; qualify its legs")
    return tuple(
        sorted((name, value) for name, value in vars(contract).items() if isinstance(value, (str, int, float)))
    )


def copied(contract: Contract) -> Contract:
    """Return a copy that its owner may change."""
    made = Contract()
    vars(made).update(vars(contract))
    return made


def judged(contract: Contract, rows: Iterable[ContractDetails]) -> Qualification:
    """Say what *contract* means when TWS answers with *rows*; a row for each exchange of one contract is one."""
    best: dict[Any, ContractDetails] = {}
    for row in rows:
        found = best.get(row.contract.conId)
        if found is None or _rank(contract, row) < _rank(contract, found):
            best[row.contract.conId] = row
    candidates = tuple(Qualified(_whole(row.contract), row) for row in best.values())
    if not candidates:  # an end without rows; TWS answers with 200 instead
        return UnknownContract(copied(contract), NoSuchContract(200, "TWS answered with no contract at all"))
    return candidates[0] if len(candidates) == 1 else Ambiguous(copied(contract), candidates)


def _rank(wanted: Contract, row: ContractDetails) -> int:
    exchange = row.contract.exchange
    return 0 if exchange == wanted.exchange else 1 if exchange == "SMART" else 2


def _whole(contract: Contract) -> Contract:
    """Return a copy in which the last trading day is a day: TWS adds its time and zone, and takes neither back."""
    made = copied(contract)
    made.lastTradeDateOrContractMonth = made.lastTradeDateOrContractMonth.partition(" ")[0]
    return made


def _described(contract: Contract) -> str:
    parts = (contract.localSymbol or contract.symbol, contract.secType, contract.primaryExchange or contract.exchange)
    return " ".join([*(part for part in parts if part), contract.currency, f"({contract.conId})"])
