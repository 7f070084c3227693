"""The rules that a request passes before its handler: read-only sessions, how many at once, how many in a time.

``guarded`` puts them around the handlers; which requests have a rule is in the tables below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from ._limits import Limits
from ._link import farm_of
from ._market_history import BAR_SIZES
from ._session import COMPETING, NO_ID, Handler, Session

__all__ = ["READ_ONLY", "READ_ONLY_REFUSES", "guarded"]

READ_ONLY = "Error validating request.-'aa' : cause - The API interface is currently in Read-Only mode."
READ_ONLY_REFUSES = frozenset(
    {
        "reqIds",
        "reqOpenOrders",
        "reqCompletedOrders",
        "placeOrder",
        "cancelOrder",
        "reqGlobalCancel",
        "exerciseOptions",
        "replaceFA",
        "updateConfig",
    }
)
"""The first four as recorded; the others give orders as well."""

_HISTORICAL = "Historical Market Data Service error message:"
_PACING = "Historical data request pacing violation"
_SMALL_BAR = 30  # seconds
_HISTORY = ("reqHistoricalData", "reqHistoricalTicks", "reqHeadTimeStamp", "reqHistogramData", "reqHistoricalNews")

Rule = Callable[[Session, dict[str, Any]], bool]
"""Returns whether a request was refused; it has sent the error then."""


class _AtOnce(msgspec.Struct, frozen=True):
    """How many subscriptions of one kind a client may have."""

    limit: Callable[[Limits], int | None]
    code: int
    text: str


_AT_ONCE: Mapping[str, _AtOnce] = {
    "reqMktDepth": _AtOnce(
        lambda limits: limits.depth, 309, "Max number ({limit}) of market depth requests has been reached"
    ),
    "reqTickByTickData": _AtOnce(
        lambda limits: limits.tick_by_tick, 10190, "Max number of tick-by-tick requests has been reached."
    ),
    "reqScannerSubscription": _AtOnce(
        lambda limits: limits.scanners,
        322,
        "Error processing request.-'co' : cause - Only {limit} simultaneous API scanner subscriptions are allowed.",
    ),
    "reqHistoricalData": _AtOnce(
        lambda limits: limits.historical_open,
        322,
        "Error processing request.-'bS' : cause - Only {limit} simultaneous API historical data requests allowed.",
    ),
}


def _at_once(name: str, rule: _AtOnce, handler: Handler) -> Handler:
    """Count the lines that *handler* opens, whatever it calls them, and refuse one too many."""

    def handle(session: Session, values: dict[str, Any]) -> None:
        limit = rule.limit(session.world.scenario.limits)
        ours = session.opened.setdefault(name, set())
        ours.intersection_update(session.lines)
        if limit is not None and len(ours) >= limit:
            session.error(values["reqId"], rule.code, rule.text.format(limit=limit))
            return
        before = set(session.lines)
        handler(session, values)
        ours.update(session.lines.keys() - before)

    return handle


def _read_only(session: Session, values: dict[str, Any]) -> bool:
    if not session.world.scenario.read_only:
        return False
    session.error(values.get("reqId", values.get("orderId", NO_ID)), 321, READ_ONLY)
    return True


def _paced(session: Session, values: dict[str, Any]) -> bool:
    """Apply the rules of the historical data service."""
    contract = values["contract"]
    what = values["whatToShow"]
    query = {name: value for name, value in values.items() if name != "reqId"}
    where = tuple(contract.get(name) for name in ("conId", "symbol", "secType", "localSymbol", "exchange"))
    small = BAR_SIZES.get(values["barSizeSetting"], _SMALL_BAR + 1) <= _SMALL_BAR
    weight = 2 if what == "BID_ASK" else 1
    now = session.world.clock.now()
    if not session.world.pacing.violates(repr(query), (where, what), weight, small, now):
        return False
    session.error(values["reqId"], 162, _HISTORICAL + _PACING)
    return True


def _bars_paced(session: Session, values: dict[str, Any]) -> bool:
    """Count new real-time bars."""
    limit = session.world.scenario.limits.real_time_bars
    now = session.world.clock.now()
    if limit is None or session.world.new_bars.count(now) < limit:
        session.world.new_bars.add(now)
        return False
    session.error(values["reqId"], 420, f"Invalid Real-time Query:{_PACING}")
    return True


def _history_is_down(session: Session, values: dict[str, Any]) -> bool:
    """Refuse what the historical data farm would have answered."""
    if session.world.link.is_up("ushmds"):
        return False
    session.error(values["reqId"], 162, f"{_HISTORICAL}HMDS server disconnect occurred.  Attempting reconnection...")
    return True


def _competing(session: Session, values: dict[str, Any]) -> bool:
    """Refuse live prices while another session has them."""
    if session.world.competing:
        session.error(values["reqId"], *COMPETING)
    return session.world.competing


def _announce(name: str, session: Session, values: dict[str, Any]) -> bool:
    """Connect the farm that a request needs, when farms are connected on demand; it refuses nothing."""
    farm = "ushmds" if name in _HISTORY else farm_of(values.get("contract") or {})
    session.world.link.demand(farm)
    return False


_RULES: dict[str, tuple[Rule, ...]] = {
    **dict.fromkeys(READ_ONLY_REFUSES, (_read_only,)),
    **{name: (partial(_announce, name), _history_is_down) for name in _HISTORY},
    **{name: (partial(_announce, name), _competing) for name in ("reqMktData", "reqMktDepth", "reqTickByTickData")},
    "reqHistoricalData": (partial(_announce, "reqHistoricalData"), _history_is_down, _paced),
    "reqRealTimeBars": (partial(_announce, "reqRealTimeBars"), _competing, _bars_paced),
}


def guarded(name: str, handler: Handler) -> Handler:
    """Return *handler* behind the rules for requests called *name*."""
    if name in _AT_ONCE:
        handler = _at_once(name, _AT_ONCE[name], handler)
    rules = _RULES.get(name)
    if rules is None:
        return handler

    def handle(session: Session, values: dict[str, Any]) -> None:
        if not any(rule(session, values) for rule in rules):
            handler(session, values)

    return handle
