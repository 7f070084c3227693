"""Candles and sparklines: what is drawn where."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_ibtws._cli._chart import Candle, candle_chart, fit, sparkline


@dataclass
class Bar:
    date: str
    open: float
    high: float
    low: float
    close: float


def drawn(candles: list[Candle], height: int, *, ascii_only: bool = False) -> list[str]:
    return [line.plain for line in candle_chart(candles, height=height, ascii_only=ascii_only)]


def test_body_and_wicks_stand_at_their_prices() -> None:
    rising = Candle("20130225", "20130225", open=102, high=107, low=100, close=105)
    falling = Candle("20130226", "20130226", open=104, high=104, low=101, close=101)
    assert drawn([rising, falling], 4) == [
        "   107.00 ┤│ ",
        "          │┃╻",
        "   103.00 ┤┃┃",
        "   100.00 ┤│╹",
        "           2013-02-25 to 2013-02-26",
    ]


@pytest.mark.parametrize(
    ("price", "label"), [(1.07356, "1.0736"), (429.98, "429.98"), (612_345.0, "612345"), (4.2e9, "4.20e+09")]
)
def test_prices_fit_beside_the_axis(price: float, label: str) -> None:
    first_line = drawn([Candle("1", "1", price, price, price, price)], 2)[0]
    assert first_line == f"{label:>9} ┤╹"


def test_colour_says_up_or_down() -> None:
    up, down = Candle("1", "1", 1, 3, 1, 2), Candle("2", "2", 2, 3, 1, 1)
    first_row = candle_chart([up, down], height=3)[1]
    assert [str(span.style) for span in first_row.spans] == ["not dim green", "not dim red"]


def test_ascii_has_nothing_else() -> None:
    lines = drawn([Candle("20130225", "20130225", 2, 4, 1, 3)] * 30, 5, ascii_only=True)
    assert all(line.isascii() for line in lines)
    assert any("#" in line for line in lines)


def test_a_price_that_never_moved() -> None:
    assert drawn([Candle("20130225", "20130225", 5, 5, 5, 5)], 2)[0] == "   5.0000 ┤╹"


def test_no_candle_no_chart() -> None:
    with pytest.raises(ValueError, match="at least one candle"):
        candle_chart([])


def test_dates_stand_below_their_candles() -> None:
    candles = [Candle(f"2013{1 + i // 28:02}{1 + i % 28:02}", "20130331", 1, 2, 1, 2) for i in range(60)]
    dates = drawn(candles, 2)[-1]
    assert dates.index("2013-01-01") == 11
    assert dates.index("2013-02-03") == 11 + 30
    assert len(dates) == 11 + 60
    assert dates.endswith("2013-03-31")


def test_dates_of_a_few_candles_are_a_span() -> None:
    bars = [Bar("20130225", 1, 2, 1, 2), Bar("20130226", 1, 2, 1, 2)]
    assert drawn(fit(bars, 60), 2)[-1].strip() == "2013-02-25 to 2013-02-26"


PRICE = st.floats(0.01, 1e9)


@st.composite
def bars(draw: st.DrawFn) -> list[Bar]:
    rows = draw(st.lists(st.tuples(PRICE, PRICE, PRICE, PRICE), min_size=1, max_size=300))
    return [Bar("20130225", row[0], max(row), min(row), row[1]) for row in rows]


@given(bars(), st.integers(1, 80))
def test_fit_keeps_the_whole_range(given_bars: list[Bar], columns: int) -> None:
    candles = fit(given_bars, columns)
    assert 1 <= len(candles) <= columns
    assert max(c.high for c in candles) == max(b.high for b in given_bars)
    assert min(c.low for c in candles) == min(b.low for b in given_bars)
    assert candles[0].open == given_bars[0].open
    assert candles[-1].close == given_bars[-1].close


@given(bars(), st.integers(2, 20))
def test_every_candle_is_drawn_in_its_column(given_bars: list[Bar], height: int) -> None:
    candles = fit(given_bars, 60)
    lines = drawn(candles, height)
    assert len(lines) == height + 1
    assert all(len(line) == 11 + len(candles) for line in lines[:-1])
    for column in range(len(candles)):
        assert any(line[11 + column] != " " for line in lines[:-1])


def test_sparkline() -> None:
    assert sparkline([1, 2, 3, 2, 1]) == "▁▅█▅▁"
    assert sparkline([7, 7]) == "▄▄"
    assert sparkline([]) == ""
    assert sparkline([1, 2], ascii_only=True) == ""
