"""Conditions of orders: what must be so before an order works, or is cancelled."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ._accounts import Account
from ._clock import Clock
from ._market import Market, Tick
from ._market_instrument import Instrument
from ._orders import Execution, Order
from ._times import parse_time

__all__ = ["Conditions"]

_PRICE, _TIME, _MARGIN, _EXECUTION, _VOLUME, _PERCENT = 1, 3, 4, 5, 6, 7
_WHOLE = (_MARGIN, _VOLUME)
_OF_CONTRACT = (_PRICE, _VOLUME, _PERCENT)
_INTEGERS_BELOW = 2**31
_ANYWHERE = ("", "SMART", "*")
_INVALID = (321, "Error validating request.-'bO' : cause - Invalid condition was entered")
_NO_SUCH_CONTRACT = (200, "No security definition has been found for the request")


class Conditions:
    """Says of any order whether its conditions are met."""

    def __init__(
        self,
        clock: Clock,
        market: Market,
        account: Account,
        by_id: Callable[[int], Instrument | None],
        executions: Sequence[Execution],
    ) -> None:
        self._clock = clock
        self._market = market
        self._account = account
        self._by_id = by_id
        self._executions = executions

    def problem(self, rows: Sequence[dict[str, Any]]) -> tuple[int, str] | None:
        """Return the error for conditions that make no sense, or ``None``."""
        for row in rows:
            kind = row["type"]
            if kind in _OF_CONTRACT and self._instrument(row) is None:
                return _NO_SUCH_CONTRACT
            if not _readable(kind, row):
                return _INVALID
        return None

    def met(self, order: Order) -> bool:
        """Return whether the conditions of an order are met now: "and" binds closer than "or"."""
        rows = order.values["conditions"]
        return any(all(self._is_so(row, order) for row in group) for group in _alternatives(rows))

    def _is_so(self, row: dict[str, Any], order: Order) -> bool:
        if row["type"] == _EXECUTION:
            return any(_fits(each, row) for each in self._executions if each.at >= order.began)
        now, wanted = self._value(row)
        return now >= wanted if row["isMore"] else now <= wanted

    def _value(self, row: dict[str, Any]) -> tuple[float, float]:
        """Return how things stand, and the value that they are compared with."""
        if row["type"] == _TIME:
            return self._clock.now(), parse_time(row["value"]) or 0.0
        if row["type"] == _MARGIN:
            return self._cushion(), _number(row) or 0.0
        instrument = self._instrument(row)
        assert instrument is not None  # `problem` has seen to it
        tick = self._market.tick(instrument, self._clock.now())
        return self._of_contract(row["type"], instrument, tick), _number(row) or 0.0

    def _of_contract(self, kind: int, instrument: Instrument, tick: Tick) -> float:
        if kind == _VOLUME:
            return float(tick.day.volume)
        price = tick.last if instrument.has_trades else (tick.bid + tick.ask) / 2
        if kind == _PRICE:
            return price
        return (price / self._market.previous_close(instrument, tick.at) - 1) * 100

    def _cushion(self) -> float:
        """Return the part of the account's equity that no margin needs, in percent."""
        margins = self._account.margins()
        return float((margins.equity - margins.maintenance) / margins.equity * 100) if margins.equity else 0.0

    def _instrument(self, row: dict[str, Any]) -> Instrument | None:
        found = self._by_id(row.get("conId") or 0)
        return found if found is not None and found.series is not None else None


def _readable(kind: int, row: dict[str, Any]) -> bool:
    """Return whether the value of a condition is one of its kind; volumes and margins are whole numbers."""
    if kind == _TIME:
        return parse_time(row["value"]) is not None
    if kind == _EXECUTION:
        return True
    number = _number(row)
    if kind in _WHOLE:
        return number is not None and number.is_integer() and abs(number) < _INTEGERS_BELOW
    return kind in {_PRICE, _PERCENT} and number is not None


def _number(row: dict[str, Any]) -> float | None:
    try:
        number = float(row["value"])
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _alternatives(rows: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield groups of conditions of which one must be met in whole; a connector says how the next one is joined."""
    group: list[dict[str, Any]] = []
    for row in rows:
        group.append(row)
        if row["connector"] == "o":
            yield group
            group = []
    if group:
        yield group


def _fits(execution: Execution, row: dict[str, Any]) -> bool:
    instrument = execution.order.instrument
    if (row["symbol"], row["secType"]) != (instrument.symbol, instrument.sec_type):
        return False
    return row["exchange"] in {*_ANYWHERE, execution.exchange}
