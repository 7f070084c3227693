"""Trading hours as old and new servers write them, over nights, weekends and changes of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibapi.contract import ContractDetails

from trio_ibtws import (
    HistoricalSchedule,
    TimeError,
    TradingHours,
    liquid_hours,
    parse_hours,
    schedule_hours,
    trading_hours,
)

NEW_YORK = ZoneInfo("America/New_York")
STOCK = "20260405:CLOSED;20260406:0400-20260406:2000;20260407:0400-20260407:2000;20260408:CLOSED"
FUTURE = ";20260405:1700-20260406:1600;20260406:1700-20260407:1600;20260407:1700-20260408:1600"


def new_york(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=NEW_YORK).astimezone(UTC)  # type: ignore[arg-type,misc]


def test_hours_of_a_stock() -> None:
    hours = parse_hours(STOCK, "US/Eastern")
    assert [(each.start, each.end, each.day) for each in hours] == [
        (new_york(2026, 4, day, 4), new_york(2026, 4, day, 20), date(2026, 4, day)) for day in (6, 7)
    ]
    assert hours.closed == (date(2026, 4, 5), date(2026, 4, 8))
    assert hours.zone == NEW_YORK
    assert hours.sessions[0].duration == timedelta(hours=16)
    assert len(hours) == 2
    assert repr(hours) == "<TradingHours: 2 sessions, 2 days closed, America/New_York>"


def test_whether_it_is_open() -> None:
    hours = parse_hours(STOCK, "EST (Eastern Standard Time)")
    assert hours.is_open(new_york(2026, 4, 6, 4)) is True
    assert hours.is_open(new_york(2026, 4, 6, 19, 59, 59)) is True
    assert hours.is_open(new_york(2026, 4, 6, 20)) is False  # its end is no part of it
    assert hours.is_open(new_york(2026, 4, 5, 12)) is False
    assert hours.is_open(new_york(2026, 4, 8, 23)) is False
    assert hours.is_open(new_york(2026, 4, 9, 0)) is None
    assert hours.is_open(new_york(2026, 4, 4, 23)) is None
    assert hours.next_open(new_york(2026, 4, 6, 4)) == new_york(2026, 4, 7, 4)
    assert hours.next_open(new_york(2026, 4, 7, 4)) is None
    assert hours.next_close(new_york(2026, 4, 6, 4)) == new_york(2026, 4, 6, 20)
    assert hours.next_close(new_york(2026, 4, 6, 20)) == new_york(2026, 4, 7, 20)
    assert hours.next_close(new_york(2026, 4, 7, 20)) is None
    session = hours.session_at(new_york(2026, 4, 6, 9))
    assert session is hours.sessions[0]


def test_hours_over_night() -> None:
    hours = parse_hours(FUTURE, "US/Central")
    assert [each.day for each in hours] == [date(2026, 4, day) for day in (6, 7, 8)]
    assert hours.sessions[0].start == datetime(2026, 4, 5, 22, tzinfo=UTC)
    assert hours.sessions[0].duration == timedelta(hours=23)
    assert hours.is_open(datetime(2026, 4, 5, 22, tzinfo=UTC)) is True  # it begins before the first day
    assert hours.is_open(datetime(2026, 4, 6, 21, 30, tzinfo=UTC)) is False
    assert hours.is_open(datetime(2026, 4, 8, 21, 30, tzinfo=UTC)) is False
    assert hours.is_open(datetime(2026, 4, 8, 22, tzinfo=UTC)) is None  # the next day's begins, and was not told
    holiday = parse_hours(f"{FUTURE};20260409:CLOSED", "US/Central")
    assert holiday.is_open(datetime(2026, 4, 9, 21, tzinfo=UTC)) is False
    assert holiday.is_open(datetime(2026, 4, 9, 22, tzinfo=UTC)) is None


def test_the_old_way_of_writing() -> None:
    hours = parse_hours("20090507:0700-1830,1830-2330;20090508:CLOSED", "GMT (Greenwich Mean Time)")
    assert [(each.start.hour, each.end.hour) for each in hours] == [(7, 18), (18, 23)]
    over_night = parse_hours("20170919:1700-1515,1530-1600;20170920:1700-1515", "CST (Central Standard Time)")
    assert [each.day for each in over_night] == [date(2017, 9, 19), date(2017, 9, 19), date(2017, 9, 20)]
    assert over_night.sessions[0].start == datetime(2017, 9, 18, 22, tzinfo=UTC)
    assert over_night.sessions[0].end == datetime(2017, 9, 19, 20, 15, tzinfo=UTC)
    (all_day,) = parse_hours("20170919:0000-2400", "UTC")
    assert all_day.duration == timedelta(days=1)
    (also,) = parse_hours("20170919:0000-0000", "UTC")
    assert also.duration == timedelta(days=1)


def test_nights_in_which_clocks_change() -> None:
    (short,) = parse_hours("20260307:1715-20260308:1700", "US/Eastern")
    assert short.duration == timedelta(hours=22, minutes=45)
    (long,) = parse_hours("20261031:1715-20261101:1700", "US/Eastern")
    assert long.duration == timedelta(hours=24, minutes=45)
    (twice,) = parse_hours("20261101:0100-20261101:0130", "US/Eastern")
    assert twice.duration == timedelta(hours=1, minutes=30)  # both of the hours that are called one


@pytest.mark.parametrize("text", ["", ";", " ; "])
def test_no_hours(text: str) -> None:
    hours = parse_hours(text, "")  # a warrant's zone is empty as well
    assert list(hours) == []
    assert hours.is_open(new_york(2026, 4, 6, 4)) is None
    assert hours.next_open(new_york(2026, 4, 6, 4)) is None


@pytest.mark.parametrize(
    "text",
    [
        *("20260406", "20260406:", "20260406:0400", "20260406:0400-2560", "20260406:04-20", "2026:CLOSED"),
        *("20260406:2500-20260406:2600", "20260406:1000-20260405:0900", "20260231:0400-2000", "open"),
    ],
)
def test_what_are_no_hours(text: str) -> None:
    with pytest.raises(TimeError):
        parse_hours(text, "US/Eastern")


@given(st.text(alphabet="0123456789:-;,CLOSED "))
def test_any_text_is_hours_or_an_error_of_ours(text: str) -> None:
    try:
        hours = parse_hours(text, "US/Eastern")
    except TimeError:
        return
    assert isinstance(hours, TradingHours)


def test_hours_in_details() -> None:
    details: Any = ContractDetails()
    details.timeZoneId, details.tradingHours = "US/Eastern", STOCK
    details.liquidHours = "20260406:0930-20260406:1600"
    assert trading_hours(details).sessions == parse_hours(STOCK, "US/Eastern").sessions
    assert liquid_hours(details).sessions[0].duration == timedelta(hours=6, minutes=30)


def test_hours_in_a_schedule_are_the_exchanges() -> None:
    session = SimpleNamespace(startDateTime="20130115-09:30:00", endDateTime="20130115-16:00:00", refDate="20130115")
    sessions: Any = [session]
    schedule = HistoricalSchedule("20130114-09:30:00", "20130115-16:00:00", "US/Eastern", sessions)
    (one,) = schedule_hours(schedule)
    assert (one.start, one.end) == (new_york(2013, 1, 15, 9, 30), new_york(2013, 1, 15, 16))
    assert one.day == date(2013, 1, 15)
