"""Black and Scholes: an option's price, its sensitivities, and the volatility that a price implies."""

from __future__ import annotations

from math import erf, exp, log, pi, sqrt

import msgspec

__all__ = ["RATE", "Greeks", "greeks", "implied_volatility", "option_price"]

RATE = 0.002
"""The interest rate of a year, as it was in 2013."""

_LEAST, _MOST = 1e-4, 5.0  # volatilities
_STEPS = 60  # halvings of the interval of volatilities: beyond the precision of a float


class Greeks(msgspec.Struct, frozen=True):
    """An option's price and how it changes: with the underlying, twice, with volatility, and with a day."""

    price: float
    delta: float
    gamma: float
    vega: float
    theta: float


def _normal(x: float) -> float:
    return 0.5 * (1 + erf(x / sqrt(2)))


def option_price(is_call: bool, under: float, strike: float, years: float, volatility: float, rate: float) -> float:
    """Return what a European option without dividends is worth."""
    spread = volatility * sqrt(years)
    first = (log(under / strike) + (rate + volatility**2 / 2) * years) / spread
    call = under * _normal(first) - strike * exp(-rate * years) * _normal(first - spread)
    return call if is_call else call - under + strike * exp(-rate * years)


def greeks(is_call: bool, under: float, strike: float, years: float, volatility: float, rate: float) -> Greeks:
    """Return the price and its sensitivities; vega for one point of volatility, theta for one day."""
    spread = volatility * sqrt(years)
    first = (log(under / strike) + (rate + volatility**2 / 2) * years) / spread
    density = exp(-(first**2) / 2) / sqrt(2 * pi)
    discounted = strike * exp(-rate * years)
    sign = 1 if is_call else -1
    decay = -under * density * volatility / (2 * sqrt(years)) - sign * rate * discounted * _normal(
        sign * (first - spread)
    )
    return Greeks(
        price=option_price(is_call, under, strike, years, volatility, rate),
        delta=_normal(first) - (0 if is_call else 1),
        gamma=density / (under * spread),
        vega=under * density * sqrt(years) / 100,
        theta=decay / 365,
    )


def implied_volatility(
    is_call: bool, under: float, strike: float, years: float, price: float, rate: float
) -> float | None:
    """Return the volatility at which the option is worth *price*; ``None`` when there is none."""
    low, high = _LEAST, _MOST
    if not option_price(is_call, under, strike, years, low, rate) <= price:
        return None
    if not price <= option_price(is_call, under, strike, years, high, rate):
        return None
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if option_price(is_call, under, strike, years, middle, rate) < price:
            low = middle
        else:
            high = middle
    return (low + high) / 2
