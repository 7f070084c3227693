"""Requests for news, calendars, fundamentals and the market scanner."""

from __future__ import annotations

from ..model import Family, Row

RESEARCH = Family(
    "research",
    "ResearchRequests",
    "news, calendars, fundamentals and the scanner",
    (
        Row(
            "reqNewsProviders",
            "one",
            "Return the news providers that the account subscribes to.",
            items=("newsProviders",),
        ),
        Row(
            "reqNewsBulletins",
            "stream",
            "Subscribe to IB's bulletins about exchanges and the system.",
            items=("updateNewsBulletin",),
            cancel="cancelNewsBulletins",
            endless=True,
            notes="*all_msgs* brings those of today first. While one is open, another one that asks "
            "differently raises ``anyio.BusyResourceError``.",
        ),
        Row(
            "reqNewsArticle",
            "one",
            "Return the text of a news article.",
            items=("newsArticle",),
        ),
        Row(
            "reqHistoricalNews",
            "list",
            "Return the headlines about a contract, the newest first.",
            items=("historicalNews",),
            end="historicalNewsEnd",
            notes="*provider_codes* has plus signs between them. Times are in UTC: ``2024-01-31 00:00:00.0``. The "
            "result's ``end`` says whether there are more.",
        ),
        Row(
            "reqWshMetaData",
            "one",
            "Return what the Wall Street Horizon calendar knows, as JSON.",
            items=("wshMetaData",),
            cancel="cancelWshMetaData",
        ),
        Row(
            "reqWshEventData",
            "one",
            "Return events of the Wall Street Horizon calendar, as JSON.",
            items=("wshEventData",),
            cancel="cancelWshEventData",
            omitted=("MIN_SERVER_VER_WSH_EVENT_DATA_FILTERS_DATE",),
            notes="``wsh_meta_data`` has to be asked for first, once a session.",
        ),
        Row(
            "reqFundamentalData",
            "one",
            "Return a fundamentals report about *contract* as XML.",
            items=("fundamentalData",),
            cancel="cancelFundamentalData",
            until="10.46",
            notes="IB retired the data, and ibapi 10.47 the request.",
        ),
        Row(
            "reqScannerParameters",
            "one",
            "Return what the market scanner offers, as XML.",
            items=("scannerParameters",),
        ),
        Row(
            "reqScannerSubscription",
            "stream",
            "Subscribe to a market scan: each item is the list of its rows, one list for every refresh.",
            items=("scannerData",),
            end="scannerDataEnd",
            cancel="cancelScannerSubscription",
            batches=True,
            notes="A scan has at most 50 rows; TWS runs ten at a time.",
        ),
    ),
)
