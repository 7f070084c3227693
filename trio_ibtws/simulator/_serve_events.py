"""The rest: the events calendar, who the user is, soft dollars, the gateway's configuration."""

from __future__ import annotations

import json
from typing import Any

from ._serve_news import NOT_ALLOWED
from ._session import Handler, Session

__all__ = ["HANDLERS"]

_EVENT_TYPES = ("wsh_div", "wsh_ed", "wsh_st")
_USUAL_PORT = 4002  # of a gateway for paper accounts
_READ_ONLY_QUESTION = {
    "id": 397,
    "title": "The API is in Read-Only mode information message",
    "defaultAction": "Yes",
    "enabled": False,
}


def calendar_meta(session: Session, values: dict[str, Any]) -> None:
    """Serve reqWshMetaData."""
    if not session.world.scenario.calendar:
        session.error(values["reqId"], *NOT_ALLOWED)
        return
    kinds = {"meta_data": {"event_types": [{"name": name, "tag": name} for name in _EVENT_TYPES]}}
    session.send("wshMetaData", reqId=values["reqId"], dataJson=json.dumps(kinds))


def calendar_events(session: Session, values: dict[str, Any]) -> None:
    """Serve reqWshEventData: nothing is ever planned here, but the answer has its form."""
    if not session.world.scenario.calendar:
        session.error(values["reqId"], *NOT_ALLOWED)
        return
    session.send("wshEventData", reqId=values["reqId"], dataJson="[]")


def user_info(session: Session, values: dict[str, Any]) -> None:
    """Serve reqUserInfo: no white branding."""
    session.send("userInfo", reqId=values["reqId"], whiteBrandingId="")


def soft_dollar_tiers(session: Session, values: dict[str, Any]) -> None:
    """Serve reqSoftDollarTiers: there are none."""
    session.send("softDollarTiers", reqId=values["reqId"], tiers=[])


def config(session: Session, values: dict[str, Any]) -> None:
    """Serve reqConfig: what a client may see of the settings."""
    settings = {
        "readOnlyApi": session.world.scenario.read_only,
        "socketPort": _USUAL_PORT,
        "loggingLevel": "error",
        "trustedIPs": ["127.0.0.1"],
    }
    session.send(
        "configResponse",
        reqId=values["reqId"],
        messages=[_READ_ONLY_QUESTION],
        lockAndExit={"autoLogoffTime": "11:45", "autoLogoffPeriod": "PM", "autoLogoffType": "logoff"},
        api={"precautions": {"bypassOrderPrecautions": False}, "settings": settings},
        orders={"smartRouting": {"seekPriceImprovement": False}},
    )


def update_config(session: Session, values: dict[str, Any]) -> None:
    """Serve updateConfig: a simulation's settings stay as they are."""
    text = "The settings of a simulation cannot be changed."
    session.send("updateConfigResponse", reqId=values["reqId"], status="rejected", message=text)


HANDLERS: dict[str, Handler] = {
    "reqWshMetaData": calendar_meta,
    "reqWshEventData": calendar_events,
    "reqUserInfo": user_info,
    "reqSoftDollarTiers": soft_dollar_tiers,
    "reqConfig": config,
    "updateConfig": update_config,
}
