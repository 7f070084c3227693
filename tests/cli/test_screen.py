"""The board of live quotes, on a terminal and in a file."""

from __future__ import annotations

import io
import threading
from decimal import Decimal
from types import SimpleNamespace

from rich.console import Console

from trio_ibtws._cli._screen import QuoteBoard, Screen


def price(tick_type: int, value: float | None) -> SimpleNamespace:
    return SimpleNamespace(tick_type=tick_type, price=value)


def size(tick_type: int, value: int) -> SimpleNamespace:
    return SimpleNamespace(tick_type=tick_type, size=Decimal(value))


def screen(*, terminal: bool, width: int = 80) -> tuple[Screen, io.StringIO]:
    out = io.StringIO()
    return Screen(Console(file=out, force_terminal=terminal, width=width, highlight=False, legacy_windows=False)), out


QUOTE = [price(66, 1.0734), price(67, 1.07351), size(8, 12_345), price(4, 430.41)]


def test_in_a_file_the_board_is_a_few_lines() -> None:
    to, out = screen(terminal=False)
    with QuoteBoard(to, 8, now=lambda: 0.0) as board:
        for event in [price(4, None), SimpleNamespace(tick_type=45, value="a time"), "no tick", *QUOTE]:
            board.take(event)
    assert [line.split() for line in out.getvalue().splitlines()] == [
        ["bid", "ask", "last", "volume"],
        ["1.0734", "1.0735", "430.41", "12,345"],
        ["7", "events"],
    ]


def test_in_a_file_the_lines_are_spread_over_the_time() -> None:
    to, out = screen(terminal=False)
    clock = iter(range(1000))
    with QuoteBoard(to, 60, now=lambda: float(next(clock))) as board:
        for event in QUOTE * 10:
            board.take(event)
    lines = out.getvalue().splitlines()
    assert 4 <= len(lines) - 2 <= 7
    assert lines[-1].strip() == "40 events"
    assert "\x1b" not in out.getvalue()


def test_half_of_a_new_quote_is_not_shown() -> None:
    to, out = screen(terminal=False)
    with QuoteBoard(to, 8) as board:
        for event in (price(1, 10.5), price(2, 10.4), size(8, 1), price(4, 10.4)):
            board.take(event)
    assert len(out.getvalue().splitlines()) == 2


def test_on_a_terminal_the_board_is_redrawn_without_a_thread() -> None:
    to, out = screen(terminal=True)
    threads = threading.active_count()
    with QuoteBoard(to, 8) as board:
        for value in (430.0, 431.0, 432.0):
            board.take(price(4, value))
        assert threading.active_count() == threads
    assert "▁▅█" in out.getvalue()
    assert "432.00" in out.getvalue()
    assert "3 events" in out.getvalue()


def test_scenes_are_numbered_and_cut_to_the_width() -> None:
    to, out = screen(terminal=False, width=40)
    to.scene("One", "x = " + "1 + " * 30)
    to.scene("Two", "y")
    to.fact("a name", "a value " * 20)
    lines = out.getvalue().splitlines()
    assert [line for line in lines if line[:1].isdigit()] == ["1  One", "2  Two"]
    assert all(len(line) <= 40 for line in lines)


def test_a_very_wide_terminal_is_not_filled() -> None:
    assert screen(terminal=True, width=300)[0].console.width == 100
