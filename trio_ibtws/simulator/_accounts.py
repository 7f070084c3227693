"""The account: cash, positions and what follows from both.

All money is ``Decimal`` and rounded to cents where it changes hands, so that cash, cost, realized and unrealized
profit add up exactly: net liquidation is the starting cash plus both profits, whatever was traded.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal

import msgspec

from ._market_instrument import Instrument

__all__ = ["Account", "Holding", "Margins", "cents"]

_CENT = Decimal("0.01")
_PRECISE = Context(prec=60)
_UNPAID = ("FUT", "CFD")
_SHORT_OPTION = Decimal("0.2")  # of the underlying's value, on top of the option's


def cents(amount: Decimal) -> Decimal:
    """Round to cents, however much it is."""
    return amount.quantize(_CENT, context=_PRECISE)


class Holding(msgspec.Struct):
    """A position: its signed quantity, what it cost with commissions, and the profit taken from it."""

    instrument: Instrument
    quantity: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    realized: Decimal = Decimal(0)
    before: Decimal = Decimal(0)
    """The profit, taken or not, at the start of the day."""

    @property
    def factor(self) -> Decimal:
        """What a price of one is worth for one of it."""
        return Decimal(self.instrument.value_factor)

    @property
    def average_cost(self) -> Decimal:
        """The cost of one of it."""
        return self.cost / self.quantity if self.quantity else Decimal(0)

    def value(self, price: Decimal) -> Decimal:
        """Return what it is worth at *price*."""
        return cents(self.quantity * price * self.factor)


class Margins(msgspec.Struct, frozen=True):
    """What must be kept, and against what."""

    initial: Decimal
    maintenance: Decimal
    equity: Decimal


class Account:
    """One account in US dollars."""

    def __init__(self, name: str, cash: Decimal, price: Callable[[Instrument], Decimal]) -> None:
        self.name = name
        self.cash: Decimal = cents(cash)
        self.holdings: dict[int, Holding] = {}
        self.equity_before: Decimal = self.cash
        """What all of it was worth at the start of the day."""
        self._price = price

    def holding(self, instrument: Instrument) -> Holding:
        """Return the position in *instrument*, perhaps an empty one."""
        return self.holdings.get(instrument.con_id) or Holding(instrument)

    def fill(self, instrument: Instrument, signed: Decimal, price: Decimal, commission: Decimal) -> Decimal | None:
        """Book a trade of a signed quantity; return the profit that it realized, ``None`` when it closed nothing."""
        holding = self.holdings.setdefault(instrument.con_id, Holding(instrument))
        paid = cents(signed * price * holding.factor)
        self.cash -= paid + commission
        closed = _closing(holding.quantity, signed)
        realized = None
        if closed:
            share = closed / signed
            part, fee = cents(paid * share), cents(commission * share)
            freed = cents(holding.cost * -closed / holding.quantity)
            realized = -part - fee - freed
            holding.realized += realized
            holding.cost -= freed
            paid, commission = paid - part, commission - fee
        if signed != closed:
            holding.cost += paid + commission
        holding.quantity += signed
        return realized

    def correct(
        self, instrument: Instrument, signed: Decimal, before: Decimal, price: Decimal, realized: Decimal | None
    ) -> Decimal | None:
        """Book a trade at another price than *before*; return the profit that it realized, if it did."""
        holding = self.holding(instrument)
        more = cents(signed * price * holding.factor) - cents(signed * before * holding.factor)
        self.cash -= more
        if realized is None and holding.quantity:
            holding.cost += more
            return None
        holding.realized -= more
        return None if realized is None else realized - more

    def worth(self, holding: Holding) -> Decimal:
        """Return what a position is worth now."""
        return holding.value(self._price(holding.instrument))

    def margins(self, extra: Instrument | None = None, signed: Decimal = Decimal(0)) -> Margins:
        """Return the margins now, or as they would be with *signed* more of *extra*."""
        initial = maintenance = Decimal(0)
        positions = {key: (each.instrument, each.quantity) for key, each in self.holdings.items()}
        for what, more in _parts(extra, signed):
            positions[what.con_id] = (what, positions.get(what.con_id, (what, Decimal(0)))[1] + more)
        for instrument, quantity in positions.values():
            needed = self._needed(instrument, quantity)
            initial += cents(needed * Decimal(instrument.terms.initial))
            maintenance += cents(needed * Decimal(instrument.terms.maintenance))
        return Margins(initial, maintenance, self.net_liquidation())

    def _needed(self, instrument: Instrument, quantity: Decimal) -> Decimal:
        """Return the value that a position's margins are a part of."""
        factor = Decimal(instrument.value_factor)
        value = abs(quantity) * self._price(instrument) * factor
        if instrument.sec_type == "OPT" and quantity < 0 and instrument.under is not None:
            value += abs(quantity) * self._price(instrument.under) * factor * _SHORT_OPTION
        return value

    def worth_of(self, sec_type: str) -> Decimal:
        """Return what all positions of one kind are worth."""
        here = (each for each in self.holdings.values() if each.instrument.sec_type == sec_type)
        return sum((self.worth(each) for each in here), Decimal(0))

    def futures(self) -> tuple[Decimal, Decimal]:
        """Return the cost of that for which no cash changed hands, futures and CFDs, and the profit it stands at."""
        here = [each for each in self.holdings.values() if each.instrument.sec_type in _UNPAID]
        cost = sum((each.cost for each in here), Decimal(0))
        return cost, sum((self.worth(each) for each in here), Decimal(0)) - cost

    def total_cash(self) -> Decimal:
        """Return the cash of all currencies."""
        return self.cash + self.worth_of("CASH") + self.futures()[0]

    def net_liquidation(self) -> Decimal:
        """Return what all of it is worth."""
        return self.cash + sum((self.worth(each) for each in self.holdings.values()), Decimal(0))

    def start_day(self) -> None:
        """Count the profits of the day from here on."""
        self.equity_before = self.net_liquidation()
        for holding in self.holdings.values():
            holding.before = self.profit(holding)

    def profit(self, holding: Holding) -> Decimal:
        """Return what a position has brought, taken or not."""
        return self.worth(holding) - holding.cost + holding.realized

    def daily(self) -> Decimal:
        """Return the profit of the day."""
        return sum((self.profit(each) - each.before for each in self.holdings.values()), Decimal(0))

    def unrealized(self) -> Decimal:
        """Return the profit that was not taken."""
        return sum((self.worth(each) - each.cost for each in self.holdings.values()), Decimal(0))

    def realized(self) -> Decimal:
        """Return the profit that was."""
        return sum((each.realized for each in self.holdings.values()), Decimal(0))

    def gross(self) -> Decimal:
        """Return what all that was paid for is worth, whether it is owned or owed."""
        here = (each for each in self.holdings.values() if each.instrument.sec_type not in {"CASH", *_UNPAID})
        return sum((abs(self.worth(each)) for each in here), Decimal(0))

    def foreign(self) -> dict[str, Holding]:
        """Return what is held of other currencies, by their names."""
        here = (each for each in self.holdings.values() if each.instrument.sec_type == "CASH")
        return {each.instrument.symbol: each for each in here}

    def rate(self, holding: Holding) -> Decimal:
        """Return the price of one of what is held."""
        return self._price(holding.instrument)


def _parts(what: Instrument | None, signed: Decimal) -> list[tuple[Instrument, Decimal]]:
    """Return what a signed quantity of *what* consists of: a combo of its legs."""
    if what is None:
        return []
    return [(leg.instrument, signed * leg.weight) for leg in what.legs] or [(what, signed)]


def _closing(held: Decimal, signed: Decimal) -> Decimal:
    """Return how much of a signed trade closes what is held: nothing when both have one sign."""
    if held * signed >= 0:
        return Decimal(0)
    return signed if abs(signed) <= abs(held) else -held
