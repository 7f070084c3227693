"""The simulated market: quotes, trades and bars of every instrument at any instant.

It has no state that depends on who asks: a tick is a function of the seed, the instrument and the instant.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from ._market_combos import combo_tick
from ._market_instrument import Instrument
from ._market_series import NEW_YORK, Series, load_series
from ._market_source import SourceBar
from ._market_ticks import TICK_INTERVAL, Bar, Tick, Walks, merge

__all__ = ["DAY", "TICK_INTERVAL", "Bar", "Market", "Tick"]

DAY = 86400


class Market:
    """What trades, and at what price."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._loaded: dict[str, Series] = {}
        self._walks = Walks(seed, self.series)

    def series(self, instrument: Instrument) -> Series:
        """Return the recorded bars behind *instrument*."""
        name = instrument.timed.series or ""
        if name not in self._loaded:
            self._loaded[name] = load_series(name, self._seed)
        return self._loaded[name]

    def use(self, name: str, series: Series) -> None:
        """Trade on other bars than the recorded ones of that name."""
        self._loaded[name] = series

    def _source(self, instrument: Instrument, instant: float) -> tuple[int, SourceBar]:
        series = self.series(instrument)
        index = max(series.until(instant) - 1, 0)
        return index, series[index]

    def day(self, instrument: Instrument, instant: float) -> date:
        """Return the trading day that *instant* is in, or the last one before it."""
        return self._source(instrument, instant)[1].day

    def is_open(self, instrument: Instrument, instant: float) -> bool:
        """Return whether it trades at *instant*."""
        _, source = self._source(instrument, instant)
        expiry = instrument.timed.expiry
        alive = expiry is None or source.day <= expiry
        return alive and source.start <= instant < source.end

    def next_open(self, instrument: Instrument, instant: float) -> float:
        """Return when it trades next, after *instant*."""
        return self.series(instrument).next_start(instant)

    def day_end(self, instrument: Instrument, instant: float) -> float:
        """Return when the trading day that *instant* is in, or that comes next, is over."""
        series = self.series(instrument)
        index = series.until(instant) - 1
        if series[index].end <= instant:
            series.until(series.next_start(instant))
            index += 1
        day = series[index].day
        while series.until(series[index].end) > index + 1 and series[index + 1].day == day:
            index += 1
        return series[index].end

    def tick(self, instrument: Instrument, instant: float) -> Tick:
        """Return the last tick at *instant*."""
        if instrument.legs:
            return combo_tick(instrument.legs, [self.tick(each.instrument, instant) for each in instrument.legs])
        index, source = self._source(instrument, instant)
        inside = min(max(instant - source.start, 0.0), source.end - source.start - 1e-3)
        minute, second = divmod(inside, 60.0)
        ticks = self._walks.ticks(instrument, index, int(minute))
        return ticks[min(int(second / TICK_INTERVAL + 1e-6), len(ticks) - 1)]

    def ticks(self, instrument: Instrument, start: float, end: float) -> Iterator[Tick]:
        """Yield the ticks from *start* on and before *end*."""
        series = self.series(instrument)
        for index in range(max(series.until(start) - 1, 0), series.until(end)):
            source = series[index]
            first = max(int((start - source.start) // 60), 0)
            for minute in range(first, source.minutes):
                if source.start + 60 * minute >= end:
                    return
                yield from (
                    tick for tick in self._walks.ticks(instrument, index, minute) if start - 1e-3 <= tick.at < end
                )

    def ticks_back(self, instrument: Instrument, end: float) -> Iterator[Tick]:
        """Yield the ticks before *end*, the newest first."""
        series = self.series(instrument)
        for index in range(series.until(end) - 1, -1, -1):
            source = series[index]
            last = min(int((end - source.start) // 60), source.minutes - 1)
            for minute in range(last, -1, -1):
                yield from (tick for tick in reversed(self._walks.ticks(instrument, index, minute)) if tick.at < end)

    def previous_close(self, instrument: Instrument, instant: float) -> float:
        """Return the close of the trading day before the one of *instant*."""
        if instrument.legs:
            closes = (each.weight * self.previous_close(each.instrument, instant) for each in instrument.legs)
            return round(sum(closes), 6)
        index, source = self._source(instrument, instant)
        series = self.series(instrument)
        while index > 0 and series[index].day == source.day:
            index -= 1
        return self._walks.whole(instrument, series[index]).close

    # --- bars ----------------------------------------------------------------------------------------------------

    def bars(self, instrument: Instrument, start: float, end: float, seconds: int) -> Iterator[Bar]:
        """Yield the bars of *seconds* each that start at *start* or later, as they stand at *end*."""
        group: list[Bar] = []
        key: object = None
        for source in self.series(instrument).between(start - DAY, end):
            for part in self._parts(instrument, source, start, end, seconds):
                if part.start < start - 1e-3:
                    continue
                if group and _bucket(part, seconds) != key:
                    yield merge(group)
                    group = []
                key = _bucket(part, seconds)
                group.append(part)
        if group:
            yield merge(group)

    def _parts(
        self, instrument: Instrument, source: SourceBar, start: float, end: float, seconds: int
    ) -> Iterator[Bar]:
        if seconds >= DAY and source.end <= end:
            yield self._walks.whole(instrument, source)
            return
        index = self.series(instrument).until(source.start) - 1
        for at, minute in enumerate(self._walks.minutes(instrument, index)):
            if minute.start >= end:
                return
            if minute.start + 60 <= start:
                continue
            if minute.start + 60 <= end and seconds >= 60:
                yield minute
            else:
                yield from self._tick_bars(instrument, index, at, end)

    def _tick_bars(self, instrument: Instrument, index: int, minute: int, end: float) -> Iterator[Bar]:
        for tick in self._walks.ticks(instrument, index, minute):
            if tick.at >= end:
                return
            price = tick.day.close
            yield Bar(tick.at, tick.day.day, price, price, price, price, tick.last_size, price, int(tick.traded))


def _bucket(bar: Bar, seconds: int) -> object:
    if seconds >= 28 * DAY:
        return bar.day.year, bar.day.month
    if seconds >= 7 * DAY:
        return bar.day.isocalendar()[:2]
    if seconds >= DAY:
        return bar.day
    return bar.day, _local_seconds(bar.start) // seconds


def _local_seconds(instant: float) -> float:
    offset = datetime.fromtimestamp(instant, NEW_YORK).utcoffset() or timedelta()
    return instant + offset.total_seconds()
