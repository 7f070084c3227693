"""Profit and loss of the account and of single positions, every second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._serve_accounts import NO_SUCH_ACCOUNT
from ._session import Handler, Session

__all__ = ["HANDLERS"]

_PNL = "pnl"
_PNL_SINGLE = "pnl single"
_EVERY = 1.0  # seconds


def pnl(session: Session, values: dict[str, Any]) -> None:
    """Serve reqPnL: now and every second."""
    request = values["reqId"]
    account = session.world.account

    def send() -> None:
        unrealized, realized = float(account.unrealized()), float(account.realized())
        daily = float(account.daily())
        session.send("pnl", reqId=request, dailyPnL=daily, unrealizedPnL=unrealized, realizedPnL=realized)

    _follow_pnl(session, _PNL, values, send)


def pnl_single(session: Session, values: dict[str, Any]) -> None:
    """Serve reqPnLSingle: now and every second; unset profits while there was no position."""
    account = session.world.account

    def send() -> None:
        holding = account.holdings.get(values["conId"])
        row: dict[str, Any] = {"pos": 0, "dailyPnL": 0.0, "value": 0.0}
        if holding is not None:
            worth = account.worth(holding)
            open_, taken = float(worth - holding.cost), float(holding.realized)
            daily = float(account.profit(holding) - holding.before)
            row = {"pos": holding.quantity, "dailyPnL": daily, "value": float(worth)}
            row |= {"unrealizedPnL": open_, "realizedPnL": taken}
        session.send("pnlSingle", reqId=values["reqId"], **row)

    _follow_pnl(session, _PNL_SINGLE, values, send)


def _follow_pnl(session: Session, kind: str, values: dict[str, Any], send: Callable[[], None]) -> None:
    request = values["reqId"]
    if values["account"] != session.world.account.name:
        session.error(request, 321, NO_SUCH_ACCOUNT)
    elif session.has_line(kind, request):
        session.error(request, 322, "Error processing request.-'bO' : cause - Duplicate ticker id")
    else:
        send()
        session.open_line(kind, request, session.world.clock.every(_EVERY, send))


def cancel_pnl(session: Session, values: dict[str, Any]) -> None:
    """Serve cancelPnL, silently."""
    session.close_line(_PNL, values["reqId"])


def cancel_pnl_single(session: Session, values: dict[str, Any]) -> None:
    """Serve cancelPnLSingle, silently."""
    session.close_line(_PNL_SINGLE, values["reqId"])


HANDLERS: dict[str, Handler] = {
    "reqPnL": pnl,
    "reqPnLSingle": pnl_single,
    "cancelPnL": cancel_pnl,
    "cancelPnLSingle": cancel_pnl_single,
}
