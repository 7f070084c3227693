"""Requests about the session itself: its start, the time, ids, account names; and those that are only refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._session import NO_ID, Handler, Session

__all__ = ["HANDLERS", "REFUSED", "refuse"]

_CURRENT_TIME_GATE = 4.25  # seconds: of several calls within it a gateway answers the first


def greet(session: Session) -> None:
    """Send what every client gets after ``startApi``."""
    managed_accounts(session, {})
    _send_next_id(session)
    for code, text in session.world.link.notices():
        session.error(NO_ID, code, text)


def managed_accounts(session: Session, _: dict[str, Any]) -> None:
    """Answer reqManagedAccts: one name, or an advisor's own, those under it, and a comma."""
    scenario = session.world.scenario
    names = f"{','.join((scenario.account, *scenario.advisor))}," if scenario.advisor else scenario.account
    session.send("managedAccounts", accountsList=names)


def next_id(session: Session, _: dict[str, Any]) -> None:
    """Answer reqIds, whose argument TWS ignores."""
    _send_next_id(session)


def _send_next_id(session: Session) -> None:
    """Send the next valid id: even a session that may only read gets the first."""
    world = session.world
    session.send("nextValidId", orderId=max(world.exchange.next_order_id(session.client_id) - world.rolled_back, 1))


def current_time(session: Session, _: dict[str, Any]) -> None:
    """Answer reqCurrentTime, unless one was answered a moment ago: then TWS says nothing."""
    now = session.world.clock.now()
    if now - session.last_current_time >= _CURRENT_TIME_GATE:
        session.last_current_time = now
        session.send("currentTime", time=int(now))


def current_time_in_millis(session: Session, _: dict[str, Any]) -> None:
    """Answer reqCurrentTimeInMillis, which is swallowed like reqCurrentTime and together with it."""
    now = session.world.clock.now()
    if now - session.last_current_time >= _CURRENT_TIME_GATE:
        session.last_current_time = now
        session.send("currentTimeInMillis", timeInMillis=int(now * 1000))


def _ignore(_: Session, __: dict[str, Any]) -> None:
    """Do what TWS does with requests that have no answer."""


def family_codes(session: Session, _: dict[str, Any]) -> None:
    """Answer reqFamilyCodes: the account belongs to no family."""
    session.send("familyCodes", familyCodes=[{"accountID": "*", "familyCodeStr": ""}])


_NO_FUNDAMENTALS = (10358, "Fundamentals data is not allowed.")
_NO_PERMISSION = "No market data permissions for ISLAND STK"
_MORE = (
    "Requested market data requires additional subscription for API. See link in 'Market Data Connections' dialog for "
    "more details."
)
_NO_REAL_TIME_BARS = (420, f"Invalid Real-time Query:{_NO_PERMISSION}. {_MORE}")
_NO_HISTORICAL_TICKS = (10187, f"Failed to request historical ticks:{_NO_PERMISSION}")
_NO_DEPTH = (10092, "Deep market data is not supported for this combination of security type/exchange")

REFUSED: Mapping[str, tuple[int, str]] = {
    "reqFundamentalData": _NO_FUNDAMENTALS,
    "reqRealTimeBars": _NO_REAL_TIME_BARS,
    "reqHistoricalTicks": _NO_HISTORICAL_TICKS,
    "reqMktDepth": _NO_DEPTH,
}
"""Requests that are refused as a gateway refuses them to an account that lacks the permission."""


def refuse(name: str) -> Handler:
    """Make the handler of a request that is not served: an error, or silence for the cancel of one."""
    if name.startswith(("cancel", "unsubscribe")):
        return _ignore
    code, text = REFUSED.get(
        name, (322, f"Error processing request.-'bX' : cause - {name} is not supported by this simulator")
    )

    def handler(session: Session, values: dict[str, Any]) -> None:
        session.error(values.get("reqId", NO_ID), code, text)

    return handler


HANDLERS: dict[str, Handler] = {
    "reqManagedAccts": managed_accounts,
    "reqIds": next_id,
    "reqCurrentTime": current_time,
    "reqCurrentTimeInMillis": current_time_in_millis,
    "reqFamilyCodes": family_codes,
    "setServerLogLevel": _ignore,
    "startApi": _ignore,
}
