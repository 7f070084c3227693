"""News: providers, headlines, articles, bulletins, and headlines as ticks of a market data line.

The stories are made up, two a day for every stock and provider: what there is to test is how they come.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import msgspec

from ._market_series import NEW_YORK
from ._session import Handler, Session

__all__ = ["HANDLERS", "NOT_ALLOWED", "with_news", "without_news"]

NOT_ALLOWED = (10276, "News feed is not allowed.")
_PROVIDERS = {
    "BRFG": "Briefing.com General Market Columns",
    "BRFUPDN": "Briefing.com Analyst Actions",
    "DJNL": "Dow Jones Newsletters",
}
_TIMES = (time(9, 45), time(13, 30))
_NEWS_TICK = "292"
_KIND = "news"
_BULLETINS = "bulletins"
_MOST = 300
_HTML = 1  # the type of an article; 0 is plain text
_REGULAR = 1  # the type of a bulletin


class _Story(msgspec.Struct, frozen=True):
    at: float
    provider: str
    con_id: int
    headline: str

    @property
    def article_id(self) -> str:
        return f"{self.provider}${self.con_id:x}.{int(self.at):x}"


def providers(session: Session, _: dict[str, Any]) -> None:
    """Serve reqNewsProviders."""
    rows = [{"code": code, "name": _PROVIDERS.get(code, code)} for code in session.world.scenario.news]
    session.send("newsProviders", newsProviders=rows)


def _stories(provider: str, con_id: int, name: str, start: float, end: float) -> Iterator[_Story]:
    """Yield the stories after *start* and up to *end*, the newest first."""
    day = datetime.fromtimestamp(end, NEW_YORK).date()
    while datetime.combine(day + timedelta(days=1), time(0), NEW_YORK).timestamp() > start:
        for moment in reversed(_TIMES):
            at = datetime.combine(day, moment, NEW_YORK).timestamp()
            if start < at <= end:
                what = "opens for the day" if moment.hour < 12 else "trades on at midday"
                yield _Story(at, provider, con_id, f"{name} {what}, {day:%d %B %Y}")
        day -= timedelta(days=1)


def _moment(text: str, otherwise: float) -> float:
    """Return the instant that ``2013-01-15 10:00:00.0`` means, in New York."""
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=NEW_YORK).timestamp()
    except ValueError:
        return otherwise


def historical_news(session: Session, values: dict[str, Any]) -> None:
    """Serve reqHistoricalNews: headlines, the newest first, and whether there are more."""
    request = values["reqId"]
    wanted = [code for code in values["providerCodes"].replace("+", ",").split(",") if code]
    if not set(wanted) <= set(session.world.scenario.news):
        session.error(request, *NOT_ALLOWED)
        return
    instrument = session.world.contracts.by_id(values["conId"] or 0)
    now = session.world.clock.now()
    start = _moment(values["startDateTime"], now - 30 * 86400)
    end = max(min(_moment(values["endDateTime"], now), now), 0.0)  # before 1970 there was no news
    found: list[_Story] = []
    if instrument is not None:
        for code in wanted:
            found += _stories(code, instrument.con_id, instrument.long_name, max(start, end - 365 * 86400, 0.0), end)
    found.sort(key=lambda story: (-story.at, story.provider))
    most = min(values["totalResults"] or _MOST, _MOST)
    for story in found[:most]:
        stamp = f"{datetime.fromtimestamp(story.at, NEW_YORK):%Y-%m-%d %H:%M:%S}.0"
        row = {"providerCode": story.provider, "articleId": story.article_id, "headline": story.headline}
        session.send("historicalNews", reqId=request, time=stamp, **row)
    session.send("historicalNewsEnd", reqId=request, hasMore=len(found) > most)


def article(session: Session, values: dict[str, Any]) -> None:
    """Serve reqNewsArticle."""
    request, provider = values["reqId"], values["providerCode"]
    if provider not in session.world.scenario.news:
        session.error(request, *NOT_ALLOWED)
        return
    code, _, rest = values["articleId"].partition("$")
    if code != provider or not rest:
        session.error(request, 10172, "Failed to request news article:No data available")
        return
    text = f"<p>Article {values['articleId']} of {_PROVIDERS.get(provider, provider)}.</p>"
    session.send("newsArticle", reqId=request, articleType=_HTML, articleText=text)


# --- bulletins ---------------------------------------------------------------------------------------------------


def bulletins(session: Session, values: dict[str, Any]) -> None:
    """Serve reqNewsBulletins: today's if they are wanted; those to come are sent by whoever runs the simulator."""
    session.open_line(_BULLETINS, 0, lambda: None)
    if values["allMsgs"]:
        day = datetime.fromtimestamp(session.world.clock.now(), NEW_YORK)
        text = f"All exchanges trade as usual on {day:%A, %d %B %Y}."
        session.send(
            "updateNewsBulletin", msgId=int(f"{day:%Y%m%d}"), msgType=_REGULAR, newsMessage=text, originExch="IB"
        )


def cancel_bulletins(session: Session, _: dict[str, Any]) -> None:
    """Serve cancelNewsBulletins, silently."""
    session.close_line(_BULLETINS, 0)


# --- ticks -------------------------------------------------------------------------------------------------------


def _news_ticks(generic_ticks: str) -> list[str] | None:
    """Return the providers that a generic tick list asks the news of, all of them when it names none, or ``None``."""
    for tick in generic_ticks.split(","):
        number, _, names = tick.strip().partition(":")
        if number == _NEWS_TICK:
            return [name for name in names.split("+") if name] or list(_PROVIDERS)
    return None


def with_news(handler: Handler) -> Handler:
    """Return a handler of reqMktData that sends headlines, too, when they are asked for."""

    def handle(session: Session, values: dict[str, Any]) -> None:
        generic_ticks = values["genericTickList"]
        wanted = _news_ticks(generic_ticks)
        if wanted is None:
            handler(session, values)
            return
        quotes = {**values, "genericTickList": ",".join(t for t in generic_ticks.split(",") if _NEWS_TICK not in t)}
        handler(session, quotes)
        allowed = [code for code in wanted if code in session.world.scenario.news]
        found = session.world.find(values["contract"])
        if not allowed:
            session.error(values["reqId"], *NOT_ALLOWED)
        elif len(found) != 1:
            session.error(values["reqId"], 200, "No security definition has been found for the request")
        else:
            _follow(session, values["reqId"], allowed, found[0].con_id, found[0].long_name)

    return handle


def _follow(session: Session, request: int, codes: list[str], con_id: int, name: str) -> None:
    """Send the newest headline of each provider, and every minute those that are new."""
    clock = session.world.clock
    seen = clock.now() - 86400.0

    def send() -> None:
        nonlocal seen
        for code in codes:
            for story in list(_stories(code, con_id, name, seen, clock.now()))[:1]:
                session.send(
                    "tickNews",
                    reqId=request,
                    timeStamp=int(story.at * 1000),
                    providerCode=code,
                    articleId=story.article_id,
                    headline=story.headline,
                    extraData="A:800015:L:en",
                )
        seen = clock.now()

    send()
    session.open_line(_KIND, request, clock.every(60.0, send))


def without_news(handler: Handler) -> Handler:
    """Return a handler of cancelMktData that ends the headlines, too."""

    def handle(session: Session, values: dict[str, Any]) -> None:
        had_news = session.close_line(_KIND, values["reqId"])
        if not had_news or session.has_line("market data", values["reqId"]):
            handler(session, values)

    return handle


HANDLERS: dict[str, Handler] = {
    "reqNewsProviders": providers,
    "reqHistoricalNews": historical_news,
    "reqNewsArticle": article,
    "reqNewsBulletins": bulletins,
    "cancelNewsBulletins": cancel_bulletins,
}
