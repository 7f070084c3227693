"""Errors, accounts and events of orders in a few words, for people."""

from __future__ import annotations

from decimal import Decimal

from .._runtime._events import CommissionAndFeesReport, ExecDetails, OpenOrder, OrderBound, OrderEvent, OrderStatus
from ..errors import (
    ClientIdInUse,
    CompetingSession,
    ConnectionLost,
    LimitReached,
    NoData,
    NoPermission,
    NoSuchContract,
    NotTWS,
    PacingViolation,
    RequestError,
)

__all__ = ["described", "masked", "one_line"]

# What the message itself does not say, because only here there are flags.
_ADVICE: dict[type[BaseException], str] = {
    ClientIdInUse: "choose another with --client-id, or end the program that uses this one",
    NotTWS: "check --port: TWS listens on 7497 (paper) and 7496 (live), IB Gateway on 4002 and 4001",
    ConnectionLost: "the log of TWS or IB Gateway may say why",
    NoSuchContract: "check symbol, type, exchange and currency; `trio-ibtws contract --help` says how they are written",
    NoPermission: "the account has no subscription for it; `ticks --data delayed` may do",
    LimitReached: "end other programs that use this TWS, or ask for less",
    NoData: "ask for another time, or for other data",
    PacingViolation: "ask for less at a time",
    CompetingSession: "this user is logged in elsewhere too: log out there",
}


_ADVICE_FOR_CODE = {10092: "say whose book it is, as in AAPL@NASDAQ, or show all of them together with --smart"}


def one_line(error: BaseException) -> str:
    """Return what *error* says, and what to do about it, on one line."""
    said = error.args[0] if isinstance(error, RequestError) else str(error)
    text = " ".join(said.split()).rstrip(".") or type(error).__name__
    advice = _advice(error)
    return text if advice is None else f"{text}; {advice}"


def _advice(error: BaseException) -> str | None:
    if isinstance(error, RequestError) and (error.code in _ADVICE_FOR_CODE or error.advice):
        return _ADVICE_FOR_CODE.get(error.code, error.advice)
    return next((_ADVICE[kind] for kind in type(error).__mro__ if kind in _ADVICE), None)


def masked(account: str) -> str:
    """Return an account number with all but its kind and its last two characters hidden."""
    return f"{account[:1]}{'*' * (len(account) - 3)}{account[-2:]}" if len(account) > 3 else "***"


def _plain(number: float | Decimal | None) -> str:
    """Return a number without zeros at its end: releases of ibapi differ in whether a quantity is 100 or 100.0."""
    return "?" if number is None else f"{Decimal(str(number)).normalize():,f}"


def described(event: OrderEvent) -> str:
    """Return an event of an order in words."""
    match event:
        case OpenOrder():
            order = event.order
            what = f"{order.action} {_plain(order.totalQuantity)} {event.contract.symbol} {order.orderType}"
            return f"open order     {what}: {event.order_state.status}"
        case OrderStatus():
            price = f" at {event.avg_fill_price:,.2f}" if event.filled else ""
            filled, remaining = _plain(event.filled), _plain(event.remaining)
            return f"order status   {event.status}: {filled} filled{price}, {remaining} remaining"
        case ExecDetails():
            execution = event.execution
            return f"execution      {_plain(execution.shares)} at {execution.price:,.2f} on {execution.exchange}"
        case CommissionAndFeesReport():
            return f"commission     {_plain(event.commission_and_fees)} {event.currency}"
        case OrderBound():
            return f"order bound    {event.order_id}"
