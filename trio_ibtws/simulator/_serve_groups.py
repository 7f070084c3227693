"""Display groups: TWS's windows of one colour, which show the same contract; a gateway has them, too."""

from __future__ import annotations

from functools import partial
from typing import Any

from ._session import Handler, Session

__all__ = ["HANDLERS"]

_KIND = "display group"
_GROUPS = range(1, 8)
_NOTHING = "none"


def query(session: Session, values: dict[str, Any]) -> None:
    """Serve queryDisplayGroups."""
    session.send("displayGroupList", reqId=values["reqId"], groups="|".join(map(str, _GROUPS)))


def subscribe(session: Session, values: dict[str, Any]) -> None:
    """Serve subscribeToGroupEvents: what the group shows, now and whenever that changes."""
    request, group = values["reqId"], values["groupId"]
    if group not in _GROUPS:
        session.error(request, 321, "Error validating request.-'bN' : cause - Invalid group id.")
        return
    watchers = session.world.group_watchers
    key = (session, request)
    session.close_line(_KIND, request)
    watchers[key] = group
    session.open_line(_KIND, request, partial(watchers.__delitem__, key))
    _show(session, request, group)


def _show(session: Session, request: int, group: int) -> None:
    shown = session.world.groups.get(group, _NOTHING)
    session.send("displayGroupUpdated", reqId=request, contractInfo=shown)


def update(session: Session, values: dict[str, Any]) -> None:
    """Serve updateDisplayGroup, by the id of a subscription: everybody who follows the group hears of it."""
    world = session.world
    group = world.group_watchers.get((session, values["reqId"]))
    if group is None:
        session.error(values["reqId"], 321, "Error validating request.-'bN' : cause - Not subscribed to group events.")
        return
    world.groups[group] = values["contractInfo"] or _NOTHING
    for (watcher, request), watched in list(world.group_watchers.items()):
        if watched == group:
            _show(watcher, request, group)


def unsubscribe(session: Session, values: dict[str, Any]) -> None:
    """Serve unsubscribeFromGroupEvents, silently."""
    session.close_line(_KIND, values["reqId"])


HANDLERS: dict[str, Handler] = {
    "queryDisplayGroups": query,
    "subscribeToGroupEvents": subscribe,
    "updateDisplayGroup": update,
    "unsubscribeFromGroupEvents": unsubscribe,
}
