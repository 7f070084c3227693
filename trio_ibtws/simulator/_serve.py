"""Which function serves which request, and what a client gets at the start."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from . import (
    _serve_accounts,
    _serve_advisor,
    _serve_bars,
    _serve_contracts,
    _serve_depth,
    _serve_events,
    _serve_exercise,
    _serve_groups,
    _serve_historical_ticks,
    _serve_history,
    _serve_news,
    _serve_options,
    _serve_orders,
    _serve_pnl,
    _serve_realtime_bars,
    _serve_scanner,
    _serve_session,
    _serve_tick_by_tick,
    _serve_ticks,
)
from ._codec_requests import REQUESTS
from ._order_messages import OrderNews
from ._rules import guarded
from ._session import Handler, Session
from ._world import World

__all__ = ["HANDLERS", "connect_exchange", "greet"]

_SERVED: dict[str, Handler] = {
    **_serve_session.HANDLERS,
    **_serve_contracts.HANDLERS,
    **_serve_bars.HANDLERS,
    **_serve_history.HANDLERS,
    **_serve_historical_ticks.HANDLERS,
    **_serve_realtime_bars.HANDLERS,
    **_serve_ticks.HANDLERS,
    **_serve_tick_by_tick.HANDLERS,
    **_serve_depth.HANDLERS,
    **_serve_options.HANDLERS,
    **_serve_orders.HANDLERS,
    **_serve_exercise.HANDLERS,
    **_serve_accounts.HANDLERS,
    **_serve_pnl.HANDLERS,
    **_serve_news.HANDLERS,
    **_serve_scanner.HANDLERS,
    **_serve_advisor.HANDLERS,
    **_serve_groups.HANDLERS,
    **_serve_events.HANDLERS,
    "reqMktData": _serve_news.with_news(_serve_ticks.HANDLERS["reqMktData"]),
    "cancelMktData": _serve_news.without_news(_serve_ticks.HANDLERS["cancelMktData"]),
}


def greet(session: Session) -> None:
    """Send what follows startApi: working orders if there are any, then who and what the client is."""
    if session.world.exchange.working(session.client_id):
        _serve_orders.send_working(session, session.client_id)
    _serve_session.greet(session)


def connect_exchange(world: World) -> None:
    """Have the exchange tell clients what happens to their orders and positions."""
    world.exchange.listener = OrderNews(world, partial(_serve_accounts.account_changed, world))


HANDLERS: Mapping[str, Handler] = {
    name: guarded(name, _SERVED.get(name) or _serve_session.refuse(name)) for name, _ in REQUESTS.values()
}
"""A handler for every request, behind the rules of the session: those that are not served are refused."""
