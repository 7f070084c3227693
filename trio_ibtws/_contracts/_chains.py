"""Option chains: which expirations and strikes there are, and the contracts of those that are wanted."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

import msgspec
from ibapi.contract import Contract

from .._runtime._tables import to_pandas, to_polars
from ..contracts import Right, future_option, option
from ..errors import InvalidRequest
from ..times import parse_date

if TYPE_CHECKING:
    import pandas
    import polars

    from .._gen.events import SecurityDefinitionOptionParameter

__all__ = ["OptionChain", "chain_of", "descriptions", "wanted_days", "wanted_rights", "wanted_strikes"]


class OptionChain(msgspec.Struct, frozen=True):
    """The options of one trading class on an underlying at one exchange.

    Not every strike is listed for every expiration; ``client.option_contracts`` finds those that are.

    Attributes:
      underlying: what they are options on, with its contract id.
      exchange: where they are traded.
      trading_class: tells kinds of options apart, such as weekly from monthly ones.
      multiplier: of how many of the underlying an option is.
      expirations: the last trading days, in order.
      strikes: in order.
    """

    underlying: Contract
    exchange: str
    trading_class: str
    multiplier: str
    expirations: tuple[date, ...]
    strikes: tuple[float, ...]

    def expirations_between(self, first: date, last: date) -> tuple[date, ...]:
        """Return the expirations from *first* to *last*, both included: those of a week, say."""
        return tuple(day for day in self.expirations if first <= day <= last)

    def strikes_near(self, price: float, count: int) -> tuple[float, ...]:
        """Return the *count* strikes that are nearest to *price*, in order."""
        return tuple(sorted(sorted(self.strikes, key=lambda strike: (abs(strike - price), strike))[:count]))

    def strikes_between(self, least: float, most: float) -> tuple[float, ...]:
        """Return the strikes from *least* to *most*, both included."""
        return tuple(strike for strike in self.strikes[bisect_left(self.strikes, least) :] if strike <= most)

    def to_pandas(self) -> pandas.DataFrame:
        """Return a row for each expiration and strike; raises ``ImportError`` without pandas."""
        return to_pandas(_grid(self))

    def to_polars(self) -> polars.DataFrame:
        """Return a row for each expiration and strike; raises ``ImportError`` without polars."""
        return to_polars(_grid(self))


class _Cell(msgspec.Struct, frozen=True):
    exchange: str
    trading_class: str
    multiplier: str
    expiration: date
    strike: float


def _grid(chain: OptionChain) -> list[_Cell]:
    return [
        _Cell(chain.exchange, chain.trading_class, chain.multiplier, day, strike)
        for day in chain.expirations
        for strike in chain.strikes
    ]


def chain_of(underlying: Contract, row: SecurityDefinitionOptionParameter) -> OptionChain:
    """Return a row of ``sec_def_opt_params()`` in order, with days that are days."""
    return OptionChain(
        underlying=underlying,
        exchange=row.exchange,
        trading_class=row.trading_class,
        multiplier=row.multiplier,
        expirations=tuple(sorted(parse_date(each) for each in row.expirations)),
        strikes=tuple(sorted(row.strikes)),
    )


def descriptions(
    chain: OptionChain, days: Iterable[date], strikes: tuple[float, ...], rights: tuple[str, ...]
) -> list[Contract]:
    """Return what to ask TWS for: all options of a day at once, which is one request, not hundreds."""
    make = future_option if chain.underlying.secType == "FUT" else option
    strike, right = (strikes[0] if len(strikes) == 1 else None), (rights[0] if len(rights) == 1 else None)
    found = []
    for day in days:
        made = make(
            chain.underlying.symbol,
            day,
            strike or 1.0,
            right or "C",
            chain.exchange,
            chain.underlying.currency,
            chain.multiplier,
            chain.trading_class,
        )
        if strike is None:
            made.strike = Contract().strike
        if right is None:
            made.right = ""
        found.append(made)
    return found


def wanted_days(chain: OptionChain, days: Iterable[date | str] | None) -> tuple[date, ...]:
    """Return the days that are meant, all of the chain for ``None``.

    Raises:
      InvalidRequest: one of them is no expiration of the chain.
    """
    if days is None:
        return chain.expirations
    wanted = tuple(sorted({parse_date(day) if isinstance(day, str) else day for day in days}))
    for day in wanted:
        if day not in chain.expirations:
            raise InvalidRequest("expirations", f"{day} is none of {chain.trading_class}'s at {chain.exchange}")
    return wanted


def wanted_strikes(chain: OptionChain, strikes: Iterable[float] | None) -> tuple[float, ...]:
    """Return the strikes that are meant, all of the chain for ``None``.

    Raises:
      InvalidRequest: one of them is no strike of the chain.
    """
    if strikes is None:
        return chain.strikes
    wanted = tuple(sorted({float(strike) for strike in strikes}))
    for strike in wanted:
        if strike not in chain.strikes:
            raise InvalidRequest("strikes", f"{strike} is none of {chain.trading_class}'s at {chain.exchange}")
    return wanted


def wanted_rights(right: Right | None) -> tuple[str, ...]:
    """Return the letters of the options that are meant: both for ``None``.

    Raises:
      InvalidRequest: it is neither a call nor a put.
    """
    letter = "" if right is None else str(right)[:1].upper()
    if letter not in ("", "C", "P"):
        raise InvalidRequest("right", f"{right!r} is neither C nor P, nor None for both")
    return (letter,) if letter else ("C", "P")
