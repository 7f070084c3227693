"""``trio-ibtws bars``: historical bars as a chart, as CSV or as JSON."""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, tzinfo
from typing import Any, TextIO

from ibapi.common import BarData

from .._client import Client
from ..times import bar_times, format_time
from . import _json
from ._errors import FAILED, MISUSED, CommandError
from ._which import described, digits_of, find_one, local_zone, wanted

__all__ = ["check", "command"]

_DURATION = re.compile(r"(\d+) ?([SDWMY])")
_SIZE = re.compile(r"(\d+) ?([a-z]+)")
_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "sec"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("h", "hour", "hours"), "hour"),
    **dict.fromkeys(("d", "day", "days"), "day"),
    **dict.fromkeys(("w", "week", "weeks"), "week"),
    **dict.fromkeys(("mo", "month", "months"), "month"),
}
# IB's bar sizes, spelt as TWS wants them.
_SIZES = {
    "sec": (1, 5, 10, 15, 30),
    "min": (1, 2, 3, 5, 10, 15, 20, 30),
    "hour": (1, 2, 3, 4, 8),
    "day": (1,),
    "week": (1,),
    "month": (1,),
}
_PLURAL = {("sec", 1): "1 secs", ("min", 1): "1 min", ("hour", 1): "1 hour"}
_AS_SECONDS = 2
_COLUMNS = ("date", "open", "high", "low", "close", "volume", "wap", "bar_count")
_CHART_ROWS = 16
_AXIS = 13
_WIDEST = 110
_WITHOUT_TRADES = {"CASH": "MIDPOINT", "CFD": "MIDPOINT", "CMDTY": "MIDPOINT"}


def check(arguments: argparse.Namespace) -> None:
    """Raise ``CommandError`` if the words make no request."""
    wanted(arguments)
    _duration(arguments.duration)
    _bar_size(arguments.bar)
    _end(arguments.end)
    if arguments.what == "SCHEDULE":
        raise CommandError("--what SCHEDULE gives no bars; `trio-ibtws contract` shows the trading hours", code=MISUSED)
    if arguments.csv == "":
        raise CommandError("--csv '': a file is wanted, or - for stdout", code=MISUSED)


async def command(client: Client, arguments: argparse.Namespace) -> int:
    """Ask for the bars and print them.

    Raises:
      CommandError: the request makes no sense, there is no one contract, or the file cannot be written.
      NoData: there are none.
    """
    duration, size = _duration(arguments.duration), _bar_size(arguments.bar)
    found = await find_one(client, arguments)
    what = arguments.what or _WITHOUT_TRADES.get(found.contract.secType, "TRADES")
    zone, zone_name = local_zone(found.details)
    rows = await client.historical_data(
        found.contract, _end(arguments.end), duration, size, what, not arguments.all_hours, _AS_SECONDS
    )
    bars = [_Row(bar, when) for bar, when in zip(rows, _times(rows, zone), strict=True)]
    if arguments.json:
        _json.write(bar.fields() for bar in bars)
    elif arguments.csv:
        _write_csv(arguments.csv, bars)
    elif not bars:
        raise CommandError(f"{described(found.contract)} has no bars there; ask for more with --duration")
    else:
        _draw(bars, f"{described(found.contract)}, {what}, {size}", zone_name, digits_of(found.details))
    return 0


# --- what is asked -----------------------------------------------------------------------------------------------


def _duration(text: str) -> str:
    match = _DURATION.fullmatch(text.strip().upper())
    if match is None or not int(match[1]):
        raise CommandError(f"--duration {text!r}: a number and S, D, W, M or Y is wanted, as 5D", code=MISUSED)
    return f"{int(match[1])} {match[2]}"


def _bar_size(text: str) -> str:
    match = _SIZE.fullmatch(text.strip().lower())
    unit = "" if match is None else _UNITS.get(match[2], "")
    count = int(match[1]) if match is not None else 0
    if count not in _SIZES.get(unit, ()):
        offered = "; ".join(f"{', '.join(map(str, counts))} {name}" for name, counts in _SIZES.items())
        raise CommandError(f"--bar {text!r}: TWS has bars of {offered}", code=MISUSED)
    if unit in ("sec", "min", "hour"):
        return _PLURAL.get((unit, count), f"{count} {unit}s")
    return f"{count} {unit}"


def _end(text: str) -> str:
    """Return an ISO time as TWS takes it everywhere; without a zone it is this machine's."""
    if not text:
        return ""
    try:
        return format_time(datetime.fromisoformat(text).astimezone())
    except (ValueError, OverflowError):
        raise CommandError(f"--end {text!r}: a time as 2026-11-20T16:00-05:00 is wanted", code=MISUSED) from None


def _times(bars: Sequence[BarData], zone: tzinfo) -> Iterator[datetime | date]:
    for when in bar_times(bars, zone):
        yield when.astimezone(zone) if isinstance(when, datetime) else when


# --- what is answered --------------------------------------------------------------------------------------------


class _Row:
    """A bar and its time."""

    def __init__(self, bar: BarData, when: datetime | date) -> None:
        self._bar = bar
        self.when = when
        self.open, self.high, self.low, self.close = bar.open, bar.high, bar.low, bar.close
        self.date = f"{when:%Y-%m-%d %H:%M}" if isinstance(when, datetime) else when.isoformat()

    def fields(self) -> dict[str, Any]:
        """Return what is written, under the names of the columns."""
        return {**_json.plain(self._bar), "date": self.when.isoformat()}


def _write_csv(path: str, bars: Sequence[_Row]) -> None:
    with _opened(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for bar in bars:
            fields = bar.fields()
            writer.writerow(["" if fields.get(name) is None else fields[name] for name in _COLUMNS])
    if path != "-":
        print(f"{len(bars)} bars written to {path}", file=sys.stderr)


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    if path == "-":
        if sys.stdout is None:
            raise CommandError("there is no stdout to write to; give --csv a file")
        yield sys.stdout
        return
    try:
        with open(path, "w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise CommandError(
            f"cannot write {path} ({error.strerror or error}); give another --csv", code=FAILED
        ) from error


def _draw(bars: Sequence[_Row], title: str, zone: str, digits: int) -> None:
    from rich.text import Text

    from ._chart import candle_chart, fit
    from ._tables import make_console

    console = make_console()
    columns = min(console.width, _WIDEST) - _AXIS
    if columns < 1:
        raise CommandError("the terminal is too narrow for a chart; use --csv - or --json")
    console.print(Text(title, style="bold"))
    for line in candle_chart(fit(bars, columns), height=_CHART_ROWS, ascii_only=console.options.ascii_only):
        console.print(line)
    first, last = bars[0], bars[-1]
    change = (last.close / first.open - 1) * 100 if first.open else 0.0
    moved = Text(f"{change:+.2f} %", style="green" if change >= 0 else "red")
    where = f", times in {zone}" if isinstance(last.when, datetime) else ""
    console.print(Text.assemble(f"{len(bars)} bars, {first.date} to {last.date}{where}"))
    console.print(Text.assemble(f"the last closes at {last.close:,.{digits}f} (", moved, ")"))
