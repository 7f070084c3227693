"""The parts below the protocol: the walk, the market, the account, the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_ibtws.simulator import Scenario
from trio_ibtws.simulator._accounts import Account
from trio_ibtws.simulator._clock import Clock
from trio_ibtws.simulator._market import TICK_INTERVAL, Market
from trio_ibtws.simulator._market_instrument import Instrument
from trio_ibtws.simulator._market_listing import INSTRUMENTS
from trio_ibtws.simulator._market_path import spread_volume, walk
from trio_ibtws.simulator._times import long_time, parse_time

PRICED = [each for each in INSTRUMENTS if each.series is not None]
TRADED = [each for each in PRICED if each.has_quotes]
TEN = datetime(2013, 1, 15, 15, tzinfo=UTC).timestamp()  # in New York

prices = st.floats(min_value=0.01, max_value=1000.0)


@settings(deadline=None)
@given(st.integers(), st.lists(prices, min_size=4, max_size=4), st.integers(min_value=4, max_value=400))
def test_a_walk_touches_the_high_and_the_low(seed: int, four: list[float], steps: int) -> None:
    low, open_, close, high = sorted(four)
    path = walk(Random(seed), (open_, high, low, close), steps)
    assert len(path) == steps + 1
    assert (path[0], path[-1]) == (open_, close)
    assert (max(path), min(path)) == (high, low)


@settings(deadline=None)
@given(st.integers(), st.integers(min_value=0, max_value=10**9), st.integers(min_value=1, max_value=400))
def test_a_volume_is_spread_whole(seed: int, total: int, parts: int) -> None:
    volumes = spread_volume(Random(seed), total, parts)
    assert (sum(volumes), len(volumes)) == (total, parts)
    assert min(volumes) >= 0


@pytest.mark.parametrize("symbol", ["AAPL", "EUR"])
def test_volumes_stay_what_they_are_like_when_the_records_are_long_over(symbol: str) -> None:
    series = Market(5).series(next(each for each in TRADED if each.symbol == symbol))
    recorded = [bar.volume for bar in series.between(series.first_start(), TEN)]
    later = [bar.volume for bar in series.between(TEN + 2950 * 86400, TEN + 3000 * 86400)]
    assert min(later) > 0
    assert max(later) <= 1.25 * 1.25 * max(recorded)


@pytest.mark.parametrize("instrument", PRICED, ids=lambda each: each.symbol)
def test_ticks_and_bars_tell_one_story(instrument: Instrument) -> None:
    market = Market(5)
    (bar,) = market.bars(instrument, TEN, TEN + 60, 60)
    ticks = [market.tick(instrument, TEN + at * TICK_INTERVAL) for at in range(240)]
    if instrument.is_stock:
        assert (ticks[0].last, ticks[-1].last) == (bar.open, bar.close)
        assert (max(each.last for each in ticks), min(each.last for each in ticks)) == (bar.high, bar.low)
        assert sum(each.last_size for each in ticks) == bar.volume
    assert all(each.bid < each.ask for each in ticks)
    for tick in ticks[::40]:
        assert tick.day.high >= tick.day.close >= tick.day.low
    assert market.tick(instrument, TEN) == Market(5).tick(instrument, TEN)
    assert market.tick(instrument, TEN) != Market(6).tick(instrument, TEN)


@pytest.mark.parametrize("instrument", PRICED, ids=lambda each: each.symbol)
def test_markets_stay_open_when_the_records_end(instrument: Instrument) -> None:
    market = Market(0)
    at = datetime(2013, 7, 3, 15, tzinfo=UTC).timestamp()
    assert market.is_open(instrument, at)
    assert market.is_open(instrument, at + 3 * 86400) == (instrument.hours == "always")
    tick = market.tick(instrument, at)
    assert tick.day.low <= tick.day.close <= tick.day.high
    assert market.next_open(instrument, at + 3 * 86400) > at + 3 * 86400
    assert at < market.day_end(instrument, at) < at + 3 * 86400


trades = st.lists(
    st.tuples(
        st.sampled_from(TRADED), st.integers(-900, 900).filter(bool), st.integers(1, 99_999), st.integers(0, 999)
    ),
    max_size=30,
)


@settings(deadline=None)
@given(trades)
def test_an_account_adds_up_to_the_cent(deals: list[tuple[Instrument, int, int, int]]) -> None:
    last: dict[int, Decimal] = {}
    account = Account("DU1", Decimal(1_000_000), lambda instrument: last[instrument.con_id])
    for instrument, signed, price, fee in deals:
        last[instrument.con_id] = Decimal(price) / 100
        account.fill(instrument, Decimal(signed), last[instrument.con_id], Decimal(fee) / 100)
        assert account.net_liquidation() == 1_000_000 + account.realized() + account.unrealized()
    for holding in account.holdings.values():
        assert holding.quantity == sum(deal[1] for deal in deals if deal[0] is holding.instrument)
        if not holding.quantity:
            assert holding.cost == 0


@settings(deadline=None)
@given(st.integers(min_value=946684800, max_value=1893456000))
def test_times_are_read_as_they_are_written(instant: int) -> None:
    written = long_time(instant, 176)
    assert parse_time(written) in {instant, instant - 3600, instant + 3600}  # an hour is there twice in autumn
    utc = datetime.fromtimestamp(instant, UTC)
    assert parse_time(f"{utc:%Y%m%d-%H:%M:%S}") == instant
    assert parse_time(f"{utc:%Y%m%d %H:%M:%S} UTC") == instant


@pytest.mark.parametrize(
    "text", ["yesterday", "20130115 10:00", "20130115 10:00:00 Mars/Phobos", "2013", "-", "../x y z"]
)
def test_times_that_cannot_be_read(text: str) -> None:
    assert parse_time(text) is None


def test_every_seed_starts_on_a_trading_day() -> None:
    market = Market(0)
    for seed in range(40):
        start = Scenario().begin(seed)
        moment = datetime.fromtimestamp(start, UTC)
        assert moment.hour == 15
        assert moment.weekday() < 5
        assert moment - datetime(2013, 1, 7, tzinfo=UTC) < timedelta(weeks=5)
        assert sum(market.is_open(each, start) for each in PRICED) >= 1


@pytest.mark.anyio
async def test_the_clock_does_things_in_order(speed: float) -> None:
    clock = Clock(1000.0, speed)
    done: list[tuple[str, float]] = []
    beats: list[Callable[[], None]] = []

    def note(name: str) -> None:
        done.append((name, clock.now()))

    def first() -> None:
        note("first")
        clock.call_later(1.0, lambda: note("third"))

    def start() -> None:  # from inside, where it is that instant exactly
        beats.append(clock.every(0.4, lambda: note("beat")))

    def stop() -> None:
        beats.pop()()

    clock.call_at(1002.0, lambda: note("second"))
    clock.call_at(1001.0, first)
    clock.call_at(1001.5, lambda: note("never")).cancel()
    clock.call_at(1000.0, start)
    clock.call_at(1001.0, stop)
    over = anyio.Event()
    clock.call_at(1003.0, over.set)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clock.run)
        await over.wait()
        tasks.cancel_scope.cancel()
    assert [name for name, _ in done] == ["beat", "beat", "first", "second", "third"]
    assert [at for _, at in done] == pytest.approx([1000.4, 1000.8, 1001.0, 1002.0, 1002.0])
