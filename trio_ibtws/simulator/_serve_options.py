"""What an option would cost at a volatility, and which volatility a price implies."""

from __future__ import annotations

from typing import Any

from ._market_black_scholes import RATE, implied_volatility
from ._market_derive import years_left
from ._market_instrument import Instrument
from ._option_ticks import computation
from ._serve_contracts import instrument_for
from ._session import Handler, Session

__all__ = ["HANDLERS"]

_CUSTOM_COMPUTATION = 53
_NO_OPTION = (321, "Error validating request.-'bQ' : cause - Only options can be calculated.")


def _option(session: Session, values: dict[str, Any]) -> Instrument | None:
    """Return the option that is asked about, or send the error."""
    instrument = instrument_for(session, values["reqId"], values["contract"])
    if instrument is not None and instrument.sec_type != "OPT":
        session.error(values["reqId"], *_NO_OPTION)
        return None
    if instrument is not None and not (values["underPrice"] or 0) > 0:
        text = "Error validating request.-'bQ' : cause - The price of the underlying must be positive."
        session.error(values["reqId"], 321, text)
        return None
    return instrument


def _answer(session: Session, values: dict[str, Any], option: Instrument, volatility: float | None) -> None:
    years = years_left(option, session.world.today())
    found = computation(option, years, values["underPrice"], volatility)
    session.send("tickOptionComputation", **{"reqId": values["reqId"], "tickType": _CUSTOM_COMPUTATION, **found})


def option_price(session: Session, values: dict[str, Any]) -> None:
    """Serve calculateOptionPrice: one answer."""
    option = _option(session, values)
    if option is None:
        return
    volatility = values["volatility"] or 0.0
    _answer(session, values, option, volatility if 0 < volatility < 100 else None)


def volatility(session: Session, values: dict[str, Any]) -> None:
    """Serve calculateImpliedVolatility: one answer."""
    option = _option(session, values)
    if option is None:
        return
    price, under = values["optionPrice"] or 0.0, values["underPrice"]
    years = years_left(option, session.world.today())
    _answer(session, values, option, implied_volatility(option.right == "C", under, option.strike, years, price, RATE))


HANDLERS: dict[str, Handler] = {
    "calculateOptionPrice": option_price,
    "calculateImpliedVolatility": volatility,
}
