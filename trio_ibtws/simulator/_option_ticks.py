"""What an option's prices say about it: implied volatility and sensitivities, as ticks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ._market import Market, Tick
from ._market_black_scholes import RATE, greeks, implied_volatility
from ._market_derive import day_volatility, years_left
from ._market_instrument import Instrument

__all__ = ["OptionLine", "computation"]

_BID, _ASK, _LAST, _MODEL = 10, 11, 12, 13
_DELAYED = {_BID: 80, _ASK: 81, _LAST: 82, _MODEL: 83}
_RETURN_BASED = 0


def computation(instrument: Instrument, years: float, under: float, volatility: float | None) -> dict[str, Any]:
    """Return the values of a tickOptionComputation but for its type; without a volatility nothing can be said."""
    if volatility is None or under <= 0:
        return {"tickAttrib": _RETURN_BASED, "undPrice": under}
    found = greeks(instrument.right == "C", under, instrument.strike, years, volatility, RATE)
    return {
        "tickAttrib": _RETURN_BASED,
        "impliedVol": volatility,
        "delta": found.delta,
        "optPrice": found.price,
        "pvDividend": 0.0,
        "gamma": found.gamma,
        "vega": found.vega,
        "theta": found.theta,
        "undPrice": under,
    }


class OptionLine(msgspec.Struct):
    """The computations of one market data line, and what they were about when they were sent."""

    request: int
    instrument: Instrument
    delayed: bool
    shown: dict[int, tuple[float, float]] = msgspec.field(default_factory=dict)

    def ticks(self, market: Market, tick: Tick) -> Iterator[dict[str, Any]]:
        """Yield the tickOptionComputations of what has changed."""
        assert self.instrument.under is not None
        under = market.tick(self.instrument.under, tick.at).last
        years = years_left(self.instrument, tick.day.day)
        for kind, price in ((_BID, tick.bid), (_ASK, tick.ask), (_LAST, tick.last), (_MODEL, 0.0)):
            if self.shown.get(kind) == (price, under):
                continue
            self.shown[kind] = (price, under)
            volatility = self._volatility(tick, years, under, price)
            values = computation(self.instrument, years, under, volatility)
            yield {"reqId": self.request, "tickType": _DELAYED[kind] if self.delayed else kind, **values}

    def _volatility(self, tick: Tick, years: float, under: float, price: float) -> float | None:
        if not price:
            return day_volatility(self.instrument, tick.day.day)
        return implied_volatility(self.instrument.right == "C", under, self.instrument.strike, years, price, RATE)
