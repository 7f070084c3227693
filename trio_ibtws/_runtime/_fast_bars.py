"""Text answers to reqHistoricalData, decoded by the column.

One message brings all bars, thousands of them with eight fields each. This function cuts the fields into columns and
converts each in one go. A message of another shape (a number that is empty, a text that is not UTF-8) it leaves alone:
``_fast`` has a copy of ibapi's function for those. Which releases it stands in for, see ``_pinned``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from ibapi import common, server_versions

from ._pinned import Heard, is_known, shown

__all__ = ["BARS", "fast_bars"]

Handler = Callable[[Any, Iterator[bytes]], None]

BARS = 17
"""The message id."""

_DIGEST = "51247847ce81"
"""Of ``Decoder.processHistoricalDataMsg`` from ibapi 10.37 on."""

_COLUMNS = 8


def fast_bars(function: Any, copied: Handler, sizes: Callable[[list[bytes]], list[Any]]) -> Handler:
    """Return what stands in for *function*, ibapi's own for this message, or *copied*, the copy of it, if nothing may.

    *sizes* makes Decimals of fields.
    """
    if not is_known(function, _DIGEST):
        return copied
    handler = _bars(copied, sizes)
    return handler if _same(handler, copied) else copied


def _bars(copied: Handler, sizes: Callable[[list[bytes]], list[Any]]) -> Handler:
    end_apart: int = server_versions.MIN_SERVER_VER_HISTORICAL_DATA_END
    bar_data: Any = common.BarData

    def handle(decoder: Any, fields: Iterator[bytes]) -> None:
        given = list(fields)
        first = 2 if decoder.serverVersion >= end_apart else 4
        try:
            request_id, *period, count = int(given[0]), *map(bytes.decode, given[1 : first - 1]), int(given[first - 1])
            rows = given[first : first + count * _COLUMNS]
            dates = [field.decode() for field in rows[::_COLUMNS]]
            prices = [[float(field) for field in rows[at::_COLUMNS]] for at in (1, 2, 3, 4)]
            counts = [int(field) for field in rows[7::_COLUMNS]]
            columns = dates, *prices, sizes(rows[5::_COLUMNS]), sizes(rows[6::_COLUMNS]), counts
        except (ValueError, IndexError, ArithmeticError):
            copied(decoder, iter(given))
            return
        if count < 0 or len(rows) != count * _COLUMNS:
            copied(decoder, iter(given))
            return
        take = decoder.wrapper.historicalData
        for date, opened, high, low, close, volume, wap, bar_count in zip(*columns, strict=True):
            bar = bar_data()
            bar.date, bar.open, bar.high, bar.low, bar.close = date, opened, high, low, close
            bar.volume, bar.wap, bar.barCount = volume, wap, bar_count
            take(request_id, bar)
        if period:
            decoder.wrapper.historicalDataEnd(request_id, *period)

    return handle


# --- whether they are the same -----------------------------------------------------------------------------------

_BAR = b"20240102 1.5 2 1e-7 nan 12.50 9223372036854775807 7"
_SAMPLES = (
    *(b"7 0", b"7 1 " + _BAR, b"7 2 " + _BAR + b" " + _BAR, b"7 1 " + _BAR + b" x"),
    *(b"7 1 caf\xc3\xa9 1 1 1 1 1 1 1", b"7 1 \xff 1 1 1 1 1 1 1", b"7 1 d  1 1 1 1 1  ", b"7 1  1 1 1 1   1"),
    *(b"7 2 " + _BAR, b"7 1 d x 1 1 1 1 1 1", b"7 1 d 1 1 1 1 x 1 1", b"7 -1 " + _BAR, b"x 1 " + _BAR, b""),
)
"""Fields of messages with spaces between them, without the first and last day of older servers."""


def _same(handler: Handler, copied: Handler) -> bool:
    """Whether both make the same calls, or both fail."""
    newest, oldest = server_versions.MIN_SERVER_VER_HISTORICAL_DATA_END, server_versions.MIN_SERVER_VER_BOND_ISSUERID
    return all(
        _calls(handler, version, sample) == _calls(copied, version, sample)
        for version in (oldest, newest)
        for sample in _SAMPLES
    )


def _calls(handler: Handler, version: int, sample: bytes) -> Any:
    fields = sample.split(b" ")
    if version < server_versions.MIN_SERVER_VER_HISTORICAL_DATA_END:
        fields[1:1] = [b"20240101", b""]
    heard = Heard()
    try:
        handler(SimpleNamespace(wrapper=heard, serverVersion=version), iter(fields))
    except Exception:  # noqa: BLE001  # whatever it is becomes DecodeError, and what was heard before is thrown away
        return "an error"
    return shown(heard.calls)
