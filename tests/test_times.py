"""Times of TWS: every form in which it writes them, zones under its names, and the nights in which clocks change."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibapi.common import BarData

from trio_ibtws import IBError, RealtimeBar
from trio_ibtws._zones import _ALIASES
from trio_ibtws.times import (
    AmbiguousTime,
    TimeError,
    bar_times,
    find_zone,
    format_date,
    format_time,
    parse_date,
    parse_time,
    zone_of,
)

NEW_YORK = ZoneInfo("America/New_York")
ZONES = ["US/Eastern", "US/Central", "Europe/London", "Europe/Amsterdam", "Asia/Tokyo", "Australia/NSW", "UTC"]


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


# --- reading -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("20231021 13:28:15 EST", at(2023, 10, 21, 17, 28, 15)),  # a connection's; TWS says EST in summer too
        ("20260804 09:15:00 Central European Standard Time", at(2026, 8, 4, 7, 15)),
        ("20260804 09:15:00 Greenwich Mean Time", at(2026, 8, 4, 9, 15)),
        ("20200706 10:00:00 Central Standard Time", at(2020, 7, 6, 15)),
        ("20190820 15:25:04 JST", at(2019, 8, 20, 6, 25, 4)),
        ("20260804 09:15:00 \u4e2d\u56fd\u6807\u51c6\u65f6\u95f4", at(2026, 8, 4, 1, 15)),
        ("20130115 10:00:00 US/Eastern", at(2013, 1, 15, 15)),  # a bar with formatDate 1, and an execution
        ("20130115  10:00:00 US/Eastern", at(2013, 1, 15, 15)),
        ("20221229 17:15:00  \n US/Eastern", at(2022, 12, 29, 22, 15)),
        ("20251104 15:13:24 MET", at(2025, 11, 4, 14, 13, 24)),
        ("1358262000", at(2013, 1, 15, 15)),  # a bar with formatDate 2
        (1358262000, at(2013, 1, 15, 15)),  # a tick
        (1358262000123, at(2013, 1, 15, 15, 0, 0, 123000)),  # a message's, a headline's
        ("1358262000123", at(2013, 1, 15, 15, 0, 0, 123000)),
        (1358262000.5, at(2013, 1, 15, 15, 0, 0, 500000)),
        (0, at(1970, 1, 1)),
        (-2208988800, at(1900, 1, 1)),
        ("19801212-14:30:00", at(1980, 12, 12, 14, 30)),  # a head time stamp
        ("19801212-14:30:00Z", at(1980, 12, 12, 14, 30)),  # the same, where the server marks UTC
        ("19801212 14:30:00Z", at(1980, 12, 12, 14, 30)),
        ("20261218 08:30:00 US/Central", at(2026, 12, 18, 14, 30)),  # lastTradeDateOrContractMonth
        ("20180621 13:00 CST", at(2018, 6, 21, 18)),
        ("2018-06-05 17:36:24.0 UTC", at(2018, 6, 5, 17, 36, 24)),  # a headline's, to which a zone was added
        ("20240102 03:04:05 GMT+08:00", at(2024, 1, 1, 19, 4, 5)),
        ("20240102 03:04:05 UTC-3", at(2024, 1, 2, 6, 4, 5)),
    ],
)
def test_what_names_an_instant(value: str | float, instant: datetime) -> None:
    read = parse_time(value)
    assert read == instant
    assert read.tzinfo is UTC


@pytest.mark.parametrize("text", ["20130115  10:00:00", "20130115 10:00:00", "20130115 10:00", "2013-01-15 10:00:00.0"])
def test_without_a_zone_it_has_to_be_given(text: str) -> None:
    with pytest.raises(TimeError, match="has no zone"):
        parse_time(text)
    assert parse_time(text, "US/Eastern") == parse_time(text, NEW_YORK) == at(2013, 1, 15, 15)


def test_a_zone_of_its_own_goes_before_the_argument_and_an_unknown_one_after_it() -> None:
    assert parse_time("20130115 10:00:00 Japan", "US/Eastern") == at(2013, 1, 15, 1)
    assert parse_time("20130115-10:00:00", "US/Eastern") == at(2013, 1, 15, 10)
    assert parse_time("20130115 10:00:00 IST", "Asia/Calcutta") == at(2013, 1, 15, 4, 30)
    with pytest.raises(TimeError, match="IST"):
        parse_time("20130115 10:00:00 IST")


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "now", "20130115", "201301", "2013011", "20131301 10:00:00 UTC", "20130115 25:00:00 UTC", "10:00:00 UTC"),
        *("1009 09:30:00 US/Eastern", "20130115 10:00:00 Mars/Base", "20130115 10:00:00 ../etc", "9" * 30, "1e5"),
        *("20130115 10:00:00 America", "20130115 10:00:00 UTC+99", "20130115-24:00:00", "nan", "2013-01-15"),
        "00010101 00:00:00 Japan",
    ],
)
def test_what_names_none(wrong: str) -> None:
    with pytest.raises(TimeError) as error:
        parse_time(wrong)
    assert isinstance(error.value, IBError)
    assert isinstance(error.value, ValueError)


@given(st.text())
def test_any_text_is_a_time_or_an_error_of_ours(text: str) -> None:
    for read in (parse_time, parse_date):
        try:
            read(text)
        except TimeError:
            pass


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20130115", date(2013, 1, 15)),
        (" 20130115 ", date(2013, 1, 15)),
        ("2013-01-15", date(2013, 1, 15)),
        ("20261218 08:30:00 US/Central", date(2026, 12, 18)),
        ("19801212-14:30:00", date(1980, 12, 12)),
    ],
)
def test_what_names_a_day(text: str, day: date) -> None:
    assert parse_date(text) == day


@pytest.mark.parametrize("wrong", ["", "201301", "20130230", "1358262000", "20130115x", "20130230 10:00:00 UTC"])
def test_what_names_no_day(wrong: str) -> None:
    with pytest.raises(TimeError):
        parse_date(wrong)


# --- and back ----------------------------------------------------------------------------------------------------

INSTANTS = st.datetimes(datetime(1972, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)).map(
    lambda when: when.replace(microsecond=0)
)


@given(INSTANTS)
def test_what_is_sent_is_read_back(when: datetime) -> None:
    assert parse_time(format_time(when)) == when
    assert parse_time(int(when.timestamp())) == when
    assert parse_time(int(when.timestamp()) * 1000) == when
    if when > at(1973, 3, 4):  # TWS's texts have nine digits or more
        assert parse_time(str(int(when.timestamp()))) == when
    assert parse_date(format_date(when.date())) == when.date()


@given(INSTANTS, st.sampled_from(ZONES))
def test_what_is_sent_with_a_zone_is_read_back_or_comes_twice(when: datetime, name: str) -> None:
    local = when.astimezone(zone_of(name))
    if local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset():
        with pytest.raises(AmbiguousTime) as twice:
            format_time(when, name)
        assert when in (twice.value.earlier, twice.value.later)
        return
    text = format_time(when, name)
    assert text.endswith(name)
    assert parse_time(text) == when
    bare, _, _ = text.rpartition(" ")
    assert parse_time(bare, name) == when
    assert parse_time(bare.replace(" ", "  "), name) == when


@given(INSTANTS, st.sampled_from(sorted(_ALIASES)))
def test_any_name_of_a_zone_means_one_of_the_two_instants_at_most(when: datetime, name: str) -> None:
    zone = find_zone(name)
    assert zone is not None
    local = when.astimezone(zone)
    text = f"{local:%Y%m%d %H:%M:%S} {name}"
    fold = "later" if local.fold else "earlier"
    assert parse_time(text, ambiguous=fold) == when  # type: ignore[arg-type]


def test_what_is_sent() -> None:
    when = datetime(2013, 1, 15, 10, 0, 0, 999999, NEW_YORK)
    assert format_time(when) == "20130115-15:00:00"
    assert format_time(when, "US/Eastern") == "20130115 10:00:00 US/Eastern"
    assert format_time(when, NEW_YORK) == "20130115 10:00:00 America/New_York"
    assert format_time(when, "JST (Japan Standard Time)") == "20130116 00:00:00 Asia/Tokyo"
    assert format_time(when, timezone(timedelta(hours=8))) == "20130115 23:00:00 UTC+08:00"
    with pytest.raises(TimeError, match="no time zone"):
        format_time(datetime(2013, 1, 15))
    with pytest.raises(TimeError, match="no name"):
        format_time(when, timezone(timedelta(hours=1), "home"))


# --- clocks that change ------------------------------------------------------------------------------------------


def test_an_hour_that_comes_twice() -> None:
    text = "20261101 01:30:00 US/Eastern"
    with pytest.raises(AmbiguousTime, match=r"comes twice.*05:30 and at 06:30 UTC") as twice:
        parse_time(text)
    assert (twice.value.earlier, twice.value.later) == (at(2026, 11, 1, 5, 30), at(2026, 11, 1, 6, 30))
    assert parse_time(text, ambiguous="earlier") == at(2026, 11, 1, 5, 30)
    assert parse_time(text, ambiguous="later") == at(2026, 11, 1, 6, 30)
    assert format_time(at(2026, 11, 1, 6, 30)) == "20261101-06:30:00"
    with pytest.raises(AmbiguousTime):
        format_time(at(2026, 11, 1, 6, 30), "US/Eastern")


def test_an_hour_that_does_not_come() -> None:
    with pytest.raises(TimeError, match="leaves out"):
        parse_time("20260308 02:30:00 US/Eastern")
    assert parse_time("20260308 03:30:00 US/Eastern") == at(2026, 3, 8, 7, 30)


def bar(when: str) -> BarData:
    made = BarData()
    made.date = when
    return made


def test_bars_tell_the_second_hour_from_the_first() -> None:
    clocks = ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"]
    times = bar_times([bar(f"20261101 {clock}:00 US/Eastern") for clock in clocks])
    first = at(2026, 11, 1, 4, 30)
    assert times == [first + timedelta(minutes=30 * step) for step in range(6)]
    without_zone = bar_times([bar(f"20261101  {clock}:00") for clock in clocks], "US/Eastern")
    assert without_zone == times


def test_bars_of_every_kind() -> None:
    live = RealtimeBar(1358262000, 1.0, 1.0, 1.0, 1.0, None, None, 0)
    assert bar_times([bar("20130114"), bar("20130115")]) == [date(2013, 1, 14), date(2013, 1, 15)]
    assert bar_times([bar("1358262000"), live, 1358262000]) == [at(2013, 1, 15, 15)] * 3
    with pytest.raises(TimeError):
        bar_times([object()])


# --- zones -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("EST (Eastern Standard Time)", "America/New_York"),
        ("EST5EDT", "America/New_York"),
        ("CST (Central Standard Time)", "America/Chicago"),
        ("CST (China Standard Time)", "Asia/Shanghai"),
        ("JST (Japan Standard Time)", "Asia/Tokyo"),
        ("MET (Middle Europe Time)", "Europe/Brussels"),
        ("IST (India Standard Time)", "Asia/Kolkata"),
        ("IST (Israel Standard Time)", "Asia/Jerusalem"),
        ("EST (A Name That Nobody Knows)", "America/New_York"),
        ("GB-Eire", "Europe/London"),
        ("Hongkong", "Asia/Hong_Kong"),
        ("Australia/NSW", "Australia/Sydney"),
        ("Pacific Time", "America/Los_Angeles"),
        ("Australian Eastern Daylight Time", "Australia/Sydney"),
        ("E. Australia Standard Time", "Australia/Brisbane"),
        ("Central Standard Time (Mexico)", "America/Mexico_City"),
        ("IST (Irish Standard Time)", "Europe/Dublin"),
        ("Europe/London", "Europe/London"),
        ("US/Eastern", "America/New_York"),
    ],
)
def test_names_of_zones(name: str, key: str) -> None:
    assert zone_of(name) == ZoneInfo(key)


@pytest.mark.parametrize("name", ["UTC", "GMT", "GMT (Greenwich Mean Time)", "Greenwich Mean Time", "Z"])
def test_names_of_no_zone_but_utc(name: str) -> None:
    assert zone_of(name) is UTC


def test_a_machine_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(key: str) -> tzinfo:
        raise zoneinfo.ZoneInfoNotFoundError(key)

    monkeypatch.setattr("trio_ibtws._zones.ZoneInfo", nothing)
    find_zone.cache_clear()
    try:
        with pytest.raises(TimeError, match="pip install tzdata"):
            parse_time("20130115 10:00:00 US/Eastern")
        assert parse_time("20130115 10:00:00 UTC") == at(2013, 1, 15, 10)
    finally:
        find_zone.cache_clear()
