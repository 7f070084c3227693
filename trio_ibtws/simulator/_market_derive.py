"""Prices that follow another instrument's at every instant: indices, futures and options.

For one trading day each is a monotone function of the underlying's price. So the ticks and the bars of all sizes of a
derivative tell one story as well, the one of its underlying.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from random import Random

from ._market_black_scholes import RATE, option_price
from ._market_instrument import Instrument, rounded

__all__ = ["VOLATILITIES", "day_volatility", "pricer", "volatility_of", "years_left"]

_CARRY = 0.002  # a year
VOLATILITIES = {"AAPL": 0.33, "IBM": 0.19, "SPY": 0.15}
"""The underlyings that have options, and the volatility at the money."""
_USUAL_VOLATILITY = 0.25
_RESTLESS = 0.01  # by how much the volatility of a day differs from that of another


def years_left(instrument: Instrument, day: date) -> float:
    """Return the time that an option has left on *day*, in years; half a day on its last."""
    assert instrument.expiry is not None
    return max((instrument.expiry - day).days, 0.5) / 365


def volatility_of(under: Instrument, day: date) -> float:
    """Return the volatility that an underlying's options imply at the money on *day*."""
    root = under.under or under
    return VOLATILITIES.get(root.symbol, _USUAL_VOLATILITY) + _day_move(root.symbol, day)


@lru_cache(maxsize=4096)
def _day_move(symbol: str, day: date) -> float:
    return Random(f"{symbol}/{day}").uniform(-_RESTLESS, _RESTLESS)


def day_volatility(instrument: Instrument, day: date) -> float:
    """Return the volatility that makes an option's prices on *day*."""
    assert instrument.under is not None
    return instrument.volatility + _day_move(instrument.under.symbol, day)


def pricer(instrument: Instrument, day: date) -> Callable[[float], float]:
    """Return what makes the derivative's price of the underlying's on *day*."""
    if instrument.sec_type == "OPT":
        years, volatility = years_left(instrument, day), day_volatility(instrument, day)
        is_call, strike = instrument.right == "C", instrument.strike
        return lambda price: rounded(instrument, option_price(is_call, price, strike, years, volatility, RATE))
    carried = instrument.ratio
    if instrument.expiry is not None:
        carried *= 1 + _CARRY * (instrument.expiry - day).days / 365
    return lambda price: rounded(instrument, price * carried)
