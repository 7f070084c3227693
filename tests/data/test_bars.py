"""Bars from ticks: where they are cut, what is in them, and what becomes of the gaps between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibapi.common import HistoricalTickBidAsk, HistoricalTickLast, TickAttribBidAsk, TickAttribLast

from trio_ibtws import (
    Bar,
    BarStream,
    EventStream,
    Gap,
    InvalidRequest,
    Lagged,
    RealtimeBar,
    RequestError,
    TickBars,
    TickByTickAllLast,
    TickByTickBidAsk,
    TickByTickMidPoint,
    TimeBars,
    VolumeBars,
    open_client,
    open_simulator,
)
from trio_ibtws._runtime._sinks import Buffer
from trio_ibtws.contracts import stock

NOON = 1358269200  # 2013-01-15 17:00 UTC, in New York
MINUTE = timedelta(minutes=1)


def trade(at: int, price: float | None, size: int = 1) -> TickByTickAllLast:
    return TickByTickAllLast(1, at, price, Decimal(size), TickAttribLast(), "ARCA", "")


def five_seconds(at: int, price: float, volume: int = 10) -> RealtimeBar:
    return RealtimeBar(at, price, price + 1, price - 1, price, Decimal(volume), Decimal(str(price)), 2)


def utc(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def fed(builder: Any, *ticks: Any) -> list[Bar]:
    return [bar for tick in ticks for bar in builder.add(tick)]


# --- by time -----------------------------------------------------------------------------------------------------


def test_a_minute() -> None:
    builder = TimeBars(MINUTE)
    ticks = [trade(NOON + 3, 10.0, 100), trade(NOON + 4, 12.5, 200), trade(NOON + 59, 9.0, 100), trade(NOON + 60, 11.0)]
    (bar,) = fed(builder, *ticks)
    assert bar == Bar(utc(NOON), utc(NOON + 60), 10.0, 12.5, 9.0, 9.0, Decimal(400), 11.0, 3)
    partial = builder.partial()
    assert partial == Bar(utc(NOON + 60), utc(NOON + 120), 11.0, 11.0, 11.0, 11.0, Decimal(1), 11.0, 1, complete=False)
    assert builder.advance(utc(NOON + 119)) == []
    (last,) = builder.advance(utc(NOON + 120))
    assert last.complete
    assert builder.partial() is None


def test_a_minute_without_a_tick_is_left_out_or_filled() -> None:
    ticks = [trade(NOON, 10.0), trade(NOON + 200, 11.0)]
    assert [bar.start for bar in fed(TimeBars(MINUTE), *ticks)] == [utc(NOON)]
    filled = fed(TimeBars(MINUTE, empty="fill"), *ticks)
    assert [bar.start for bar in filled] == [utc(NOON + 60 * at) for at in range(3)]
    assert filled[2] == Bar(utc(NOON + 120), utc(NOON + 180), 10.0, 10.0, 10.0, 10.0, Decimal(0), None, 0)


def test_quiet_time_is_filled_as_it_goes_by() -> None:
    builder = TimeBars(MINUTE, empty="fill")
    assert builder.advance(utc(NOON)) == []
    builder.add(trade(NOON, 10.0))
    assert [bar.count for bar in builder.advance(utc(NOON + 125))] == [1, 0]
    assert [bar.count for bar in builder.add(trade(NOON + 130, 12.0))] == []
    partial = builder.partial()
    assert partial is not None
    assert (partial.start, partial.open) == (utc(NOON + 120), 12.0)


def test_a_tick_that_is_late_is_counted_and_left_out() -> None:
    builder = TimeBars(MINUTE)
    fed(builder, trade(NOON + 60, 10.0), trade(NOON + 59, 99.0))
    (bar,) = builder.advance(utc(NOON + 120))
    assert bar.high == 10.0
    assert builder.add(trade(NOON + 119, 99.0)) == []
    assert builder.partial() is None
    assert builder.late == 2


def test_bars_begin_at_the_exchanges_midnight() -> None:
    (bar,) = fed(TimeBars(timedelta(hours=4), "US/Eastern"), trade(NOON, 1.0), trade(NOON + 7200 + 7200, 1.0))
    assert (bar.start.hour, bar.end.hour) == (17, 21)  # noon to four in New York
    builder = TimeBars(timedelta(days=1), "US/Eastern")
    builder.add(trade(NOON, 1.0))
    partial = builder.partial()
    assert partial is not None
    assert (partial.start.hour, partial.end - partial.start) == (5, timedelta(days=1))
    shift = TimeBars(timedelta(days=1), "US/Eastern")
    shift.add(trade(int(datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp()), 1.0))
    long = shift.partial()
    assert long is not None
    assert long.end - long.start == timedelta(days=1)  # the hour that comes twice is a bar of its own
    uneven = TimeBars(timedelta(hours=7))
    uneven.add(trade(int(datetime(2013, 1, 15, 22, tzinfo=UTC).timestamp()), 1.0))
    short = uneven.partial()
    assert short is not None
    assert (short.start.hour, short.end.hour) == (21, 0)


def test_longer_bars_from_five_seconds_end_when_their_last_one_does() -> None:
    builder = TimeBars(timedelta(seconds=15))
    bars = [five_seconds(NOON + 5 * at, 10.0 + at) for at in range(4)]
    (bar,) = fed(builder, *bars[:3])
    assert bar == Bar(utc(NOON), utc(NOON + 15), 10.0, 13.0, 9.0, 12.0, Decimal(30), 11.0, 6)
    assert builder.partial() is None
    assert fed(builder, bars[3]) == []
    quiet = RealtimeBar(NOON + 20, 1.0, 1.0, 1.0, 1.0, Decimal(-1), None, -1)
    (mid,) = fed(TimeBars(timedelta(seconds=5)), quiet)
    assert (mid.volume, mid.count, mid.wap) == (Decimal(0), 0, None)
    assert fed(TimeBars(MINUTE), RealtimeBar(NOON, None, None, None, None, None, None, 0)) == []


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 50), st.integers(0, 9)), min_size=1, max_size=40),
    st.sampled_from([1, 7, 60, 90]),
    st.sampled_from(["skip", "fill"]),
)
def test_no_tick_is_lost_and_no_bar_overlaps(ticks: list[tuple[int, int, int]], seconds: int, empty: Any) -> None:
    builder = TimeBars(timedelta(seconds=seconds), "Asia/Tokyo", empty=empty)
    bars = fed(builder, *(trade(NOON + at, float(price), size) for at, price, size in sorted(ticks)))
    last = builder.partial()
    assert last is not None
    bars.append(last)
    assert sum(bar.count for bar in bars) == len(ticks)
    assert sum(bar.volume for bar in bars) == sum(size for _, _, size in ticks)
    assert builder.late == 0
    for bar in bars:
        assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
        inside = [price for at, price, _ in ticks if bar.start <= utc(NOON + at) < bar.end]
        assert len(inside) == bar.count
        assert not inside or (bar.high, bar.low) == (max(inside), min(inside))
    for one, next_one in pairwise(bars):
        assert one.end <= next_one.start
        assert empty == "skip" or one.end == next_one.start
    assert [bar.complete for bar in bars] == [True] * (len(bars) - 1) + [False]


# --- by what has come --------------------------------------------------------------------------------------------


def test_ticks() -> None:
    builder = TickBars(2)
    (bar,) = fed(builder, trade(NOON, 10.0, 5), trade(NOON + 9, 11.0, 15), trade(NOON + 10, 12.0))
    assert bar == Bar(utc(NOON), utc(NOON + 9), 10.0, 11.0, 10.0, 11.0, Decimal(20), 10.75, 2)
    partial = builder.partial()
    assert partial is not None
    assert (partial.count, partial.complete) == (1, False)


def test_volume() -> None:
    builder = VolumeBars(100)
    bars = fed(builder, trade(NOON, 10.0, 60), trade(NOON + 1, 11.0, 70), trade(NOON + 2, 12.0, 300))
    assert [bar.volume for bar in bars] == [130, 300]
    assert builder.partial() is None
    assert fed(VolumeBars(Decimal("0.5")), trade(NOON, None, 60)) == []


def test_mid_points_have_no_volume() -> None:
    (bar,) = fed(TickBars(2), TickByTickMidPoint(NOON, 10.0), TickByTickMidPoint(NOON + 1, 10.5))
    assert (bar.close, bar.volume, bar.wap) == (10.5, Decimal(0), None)
    assert fed(TickBars(1), TickByTickMidPoint(NOON, None)) == []


def test_ticks_of_the_past() -> None:
    past: Any = HistoricalTickLast()
    past.time, past.price, past.size = NOON, 10.0, Decimal(3)
    (bar,) = fed(TickBars(1), past)
    assert (bar.start, bar.volume) == (utc(NOON), Decimal(3))
    with pytest.raises(InvalidRequest, match="no price"):
        fed(TickBars(1), HistoricalTickBidAsk())


def test_what_cannot_be_cut() -> None:
    with pytest.raises(InvalidRequest, match="length"):
        TimeBars(timedelta(days=2))
    with pytest.raises(InvalidRequest, match="empty"):
        TimeBars(MINUTE, empty="none")  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="count"):
        TickBars(0)
    with pytest.raises(InvalidRequest, match="volume"):
        VolumeBars(0)
    with pytest.raises(InvalidRequest, match="no price"):
        fed(TickBars(1), TickByTickBidAsk(NOON, 1.0, 2.0, None, None, TickAttribBidAsk()))


# --- from a stream -----------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_bars_of_a_stream() -> None:
    async with (
        open_simulator(port=None) as sim,
        open_client(stream=await sim.connect(), client_id=1, max_server_version=176) as client,
    ):
        async with client.tick_by_tick_data(stock("AAPL"), "Last", 10) as ticks:
            bars = BarStream(ticks, TickBars(2))
            first = await bars.receive()
            second = await anext(aiter(bars))
            assert first.count == second.count == 2
            assert first.end <= second.start
        async with client.tick_by_tick_data(stock("NOSUCH"), "Last") as ticks:
            with pytest.raises(RequestError):
                await BarStream(ticks, TickBars(2)).receive()


@pytest.mark.anyio
@pytest.mark.parametrize("marker", [Lagged(3), Gap("data lost", 1.0, 2.0)])
async def test_bars_that_miss_ticks_are_not_complete(marker: Lagged | Gap) -> None:
    """The one that was growing, and the one in which ticks came again; those after it are whole."""
    buffer = Buffer(100)
    for event in [*(trade(NOON + at * 60, 10.0) for at in (0, 1)), marker]:
        buffer.item(event)
    for at in (3, 4, 5):
        buffer.item(trade(NOON + at * 60, 10.0))
    bars = BarStream(EventStream(buffer, lambda: None), TimeBars(MINUTE))
    got = [await bars.receive() for _ in range(4)]
    assert [(bar.start - got[0].start) // MINUTE for bar in got] == [0, 1, 3, 4]
    assert [bar.complete for bar in got] == [True, False, False, True]
