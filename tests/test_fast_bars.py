"""Text histories decoded by the column end as ibapi's own function ends them, whatever the fields are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibapi.decoder import Decoder

from tests.test_fast_decode import VERSIONS, alike, ending, fields
from trio_ibtws._runtime import _fast, _fast_bars, _pinned
from trio_ibtws._runtime._compat import interpret_takes_id

numbers = st.one_of(st.integers(-5, 10**6), st.floats(0, 1000)).map(lambda number: str(number).encode())
days = st.sampled_from([b"20240102", b"20240102 15:30:00 US/Eastern", b"1704205800"])


def history(first: list[bytes], rows: list[list[bytes]], count: int, version: int) -> bytes:
    period = [] if version >= 196 else [b"20240101", b"20240102"]
    head = [b"17", *first, *period, b"%d" % count]
    return b"".join(field + b"\0" for field in (*head, *(field for row in rows for field in row)))


@settings(deadline=None, max_examples=200)
@given(st.data(), st.sampled_from(VERSIONS))
def test_bars_of_the_usual_shape_and_others_end_alike(data: st.DataObject, version: int) -> None:
    row = st.tuples(days, *[numbers] * 6, st.integers(0, 999).map(lambda number: b"%d" % number)).map(list)
    rows: list[list[bytes]] = data.draw(st.lists(row, max_size=4))
    if rows:
        damaged = rows[data.draw(st.integers(0, len(rows) - 1))]
        damaged[data.draw(st.integers(0, 7))] = data.draw(st.one_of(numbers, fields))
    count = len(rows) + data.draw(st.sampled_from([0, 0, 0, 1, -1, -9]))
    body = history([data.draw(st.sampled_from([b"1500000000", b"7", b"", b"x"]))], rows, count, version)
    if data.draw(st.booleans()):
        body = body[: data.draw(st.integers(0, len(body)))]
    assert alike(ending(body, version, fast=True), ending(body, version, fast=False))


def test_they_are_used_where_ibapis_function_is_the_one_that_is_known() -> None:
    known = _pinned.is_known(Decoder.processHistoricalDataMsg, _fast_bars._DIGEST)
    assert known == interpret_takes_id
    assert (_fast.fast_handlers()[_fast_bars.BARS].__module__ == _fast_bars.__name__) == known


def left_to_ibapi(function: Any, sizes: Any) -> bool:
    def copied(decoder: Any, given_fields: Any) -> None:
        decoder.wrapper.historicalData(*given_fields)

    return _fast_bars.fast_bars(function, copied, sizes) is copied


def test_another_function_is_left_to_the_copy_of_it() -> None:
    def processHistoricalDataMsg(self: Any, fields: Any) -> None:
        """It has the name, and does something else."""

    assert left_to_ibapi(processHistoricalDataMsg, _fast.Sizes().column)


@pytest.mark.speaks(201)
def test_what_comes_out_otherwise_is_left_to_the_copy() -> None:
    assert left_to_ibapi(Decoder.processHistoricalDataMsg, _fast.Sizes().column)
