"""The ladder: what is drawn of a book, and of one that is not whole."""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from trio_ibtws import DepthReset, RerouteMktDepthReq, UpdateMktDepth
from trio_ibtws._cli._book import _Shown
from trio_ibtws._cli._which import wanted
from trio_ibtws._data._depth import DepthError

WATCHED: Any = SimpleNamespace(seconds=1.5)


class Lines:
    """A board without a picture."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)


@pytest.fixture
def lines() -> Any:
    return Lines()


@pytest.fixture
def shown() -> _Shown:
    contract = wanted(argparse.Namespace(contract="AAPL"))
    found: Any = SimpleNamespace(contract=contract, details=SimpleNamespace(minTick=0.01))
    return _Shown(found, Console(file=io.StringIO(), width=50), 3)


def row(position: int, side: int, price: float, size: int, operation: int = 0) -> UpdateMktDepth:
    return UpdateMktDepth(position, operation, side, price, Decimal(size))


def drawn(shown: _Shown) -> list[str]:
    return shown.picture().plain.splitlines()


def test_levels_stand_side_by_side_with_bars_as_long_as_their_sizes(shown: _Shown, lines: Any) -> None:
    for event in (row(0, 1, 10.5, 100), row(1, 1, 10.4, 200), row(0, 0, 10.51, 50)):
        shown.take(WATCHED, event, lines)
    assert drawn(shown) == [
        "AAPL",
        "          size      bid | ask      size",
        "   ████    100    10.50 | 10.51    50     ██",
        "███████    200    10.40 |",
        "Ctrl-C ends it",
    ]
    assert lines.said == ["    1.50     100    10.50 | 10.51    50"]


def test_a_reset_empties_it(shown: _Shown, lines: Any) -> None:
    for event in (row(0, 1, 10.5, 100), row(0, 0, 10.51, 50), DepthReset()):
        shown.take(WATCHED, event, lines)
    assert len(drawn(shown)) == 3
    assert len(lines.said) == 1


def test_a_book_that_misses_something_says_so(shown: _Shown, lines: Any) -> None:
    shown.take(WATCHED, row(2, 1, 10.5, 100, operation=1), lines)
    assert drawn(shown)[-2].endswith("; wait for TWS to send it anew")


def test_a_book_that_is_elsewhere_is_an_error_that_says_where(shown: _Shown, lines: Any) -> None:
    take: Callable[..., None] = shown.take
    with pytest.raises(DepthError, match="under contract 7 on IDEALPRO: ask for that"):
        take(WATCHED, RerouteMktDepthReq(7, "IDEALPRO"), lines)


def test_large_sizes_make_room_for_themselves(shown: _Shown, lines: Any) -> None:
    shown.take(WATCHED, row(0, 1, 10.5, 12_345_678), lines)
    shown.take(WATCHED, row(0, 0, 12345.25, 1), lines)
    assert any("12,345,678" in line for line in drawn(shown))
    assert max(map(len, drawn(shown))) <= 50
