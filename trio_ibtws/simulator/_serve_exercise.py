"""Exercising and lapsing options."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ._market_instrument import Instrument
from ._serve_contracts import instrument_for
from ._session import Handler, Session
from ._settlement import booked

__all__ = ["HANDLERS"]

_EXERCISE, _LAPSE = 1, 2
_PROCESSING = "Error processing request.-'bX' : cause - "


def _problem(session: Session, values: dict[str, Any], option: Instrument) -> tuple[int, str] | None:
    account = session.world.account
    quantity = values["exerciseQuantity"] or 0
    if values["account"] not in {"", account.name}:
        return 321, "Error validating request.-'bW' : cause - Invalid account code was entered."
    if option.sec_type != "OPT" or option.under is None:
        return 321, "Error validating request.-'bW' : cause - Only options can be exercised."
    if values["exerciseAction"] not in {_EXERCISE, _LAPSE} or quantity < 1:
        return 321, "Error validating request.-'bW' : cause - Invalid exercise action or quantity."
    if account.holding(option).quantity < quantity:
        return 322, f"{_PROCESSING}No unlapsed position exists in this option in account {account.name}."
    price = float(session.world.mark(option.under))
    is_worth_it = price > option.strike if option.right == "C" else price < option.strike
    if values["exerciseAction"] == _EXERCISE and not is_worth_it and not values["override"]:
        return 322, f"{_PROCESSING}Exercise ignored because option is not in-the-money."
    return None


def exercise_options(session: Session, values: dict[str, Any]) -> None:
    """Serve exerciseOptions: the option goes and its underlying comes, at the strike, without a commission."""
    request = values["reqId"]
    option = instrument_for(session, request, values["contract"])
    if option is None:
        return
    problem = _problem(session, values, option)
    if problem is not None:
        session.error(request, *problem)
        return
    if values["exerciseAction"] == _LAPSE:
        return  # it is worth nothing at its end anyway
    assert option.under is not None
    quantity = Decimal(values["exerciseQuantity"])
    shares = quantity * Decimal(option.value_factor)
    world, owner = session.world, session.client_id
    gone = booked(world, option, -quantity, owner, request)
    come = booked(world, option.under, shares if option.right == "C" else -shares, owner, request)
    world.exchange.book((gone, Decimal(0)), (come, Decimal(str(option.strike))))


HANDLERS: dict[str, Handler] = {"exerciseOptions": exercise_options}
