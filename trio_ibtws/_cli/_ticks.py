"""``trio-ibtws ticks``: live quotes, or every single tick of a kind."""

from __future__ import annotations

import argparse
from collections import deque
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ibapi.contract import ContractDetails
from ibapi.ticktype import TickTypeEnum

from .._client import Client
from .._gen.events import MarketDataType, TickByTickAllLast, TickByTickBidAsk, TickByTickMidPoint
from .._runtime._streams import Subscription
from ..times import TimeError, zone_of
from . import _json
from ._run import Watch, watch
from ._which import described, find_one

if TYPE_CHECKING:
    from rich.text import Text

    from ._board import Board

__all__ = ["command"]

_DATA = {"live": 1, "frozen": 2, "delayed": 3, "delayed-frozen": 4}
_DATA_NAMES = {number: name for name, number in _DATA.items()}
_DELAYED = "DELAYED_"
_SPARKS = 60

# What the board shows of a quote, by the names of IB's tick types: prices with their sizes, then the day.
_SIDES = {"BID": ("bid", "BID_SIZE", "green"), "ASK": ("ask", "ASK_SIZE", "red"), "LAST": ("last", "LAST_SIZE", "bold")}
_DAY = {"OPEN": "open", "HIGH": "high", "LOW": "low", "CLOSE": "close before", "VOLUME": "volume"}


async def command(client: Client, arguments: argparse.Namespace) -> int:
    """Show the ticks of a contract until time, number or Ctrl-C ends it.

    Raises:
      CommandError: there is no one contract.
      RequestError: TWS refuses the data.
    """
    details = await find_one(client, arguments)
    subscription: Subscription[Any]
    if arguments.every is not None:
        subscription = client.tick_by_tick_data(details.contract, arguments.every, buffer=10_000)
    else:
        client.market_data_type(_DATA[arguments.data])
        subscription = client.mkt_data(details.contract, arguments.generic, buffer=10_000)
    if arguments.json:
        return (await watch(subscription, _print, arguments)).exit_code
    return await _show(subscription, details, arguments)


def _print(_: Watch, event: Any) -> None:
    print(_json.line(event), flush=True)


async def _show(subscription: Subscription[Any], details: ContractDetails, arguments: argparse.Namespace) -> int:
    from ._board import Board
    from ._tables import make_console

    shown = _Every(details) if arguments.every is not None else _Quote(details)
    with Board(make_console(), shown.picture) as board:
        board.say(shown.heading())

        def take(watched: Watch, event: Any) -> None:
            shown.take(watched, event, board)
            board.refresh()

        watched = await watch(subscription, take, arguments)
    if board.alive or board.console.record:
        shown.summary = watched.summary()
        board.finish()
    else:
        board.say(watched.summary())
    return watched.exit_code


def _text(value: float | Decimal | None) -> str:
    from ._tables import number

    return number(value) or "-"


# --- a quote -----------------------------------------------------------------------------------------------------


class _Quote:
    """The newest value of each kind of tick."""

    def __init__(self, details: ContractDetails) -> None:
        self.summary = ""
        self._name = described(details.contract)
        self._data = ""
        self._values: dict[str, Any] = {}
        self._last: deque[float] = deque(maxlen=_SPARKS)

    def heading(self) -> str:
        """Return what the lines are."""
        return f"{self._name}: seconds since the start, tick, value"

    def take(self, watched: Watch, event: Any, board: Board) -> None:
        """Note a tick; where there is no picture, print it."""
        name, value = _tick(event)
        if isinstance(event, MarketDataType):
            self._data = value
        if name == "LAST" and value is not None:
            self._last.append(float(value))
        self._values[name] = value
        shown = value if isinstance(value, str) else _text(value)
        board.say(f"{watched.seconds:8.2f}  {name.lower().replace('_', ' '):<18} {shown}")

    def picture(self) -> Text:
        """Return the quote as it is now."""
        from rich.text import Text

        from ._chart import sparkline

        picture = Text.assemble((self._name, "bold"), f"  {self._data} data\n" if self._data else "\n")
        for tick, (label, size, style) in _SIDES.items():
            price, volume = self._values.get(tick), self._values.get(size)
            picture.append(f"{label:<14}", style="dim").append(f"{_text(price):>12}", style=style)
            picture.append(f"  x {_text(volume)}\n" if volume is not None else "\n")
        for tick, label in _DAY.items():
            if self._values.get(tick) is not None:
                picture.append(f"{label:<14}", style="dim").append(f"{_text(self._values[tick]):>12}\n")
        if self._last:
            picture.append(f"{sparkline(self._last)}\n", style="cyan")
        return picture.append(self.summary or "Ctrl-C ends it", style="dim")


def _tick(event: Any) -> tuple[str, Any]:
    """Return IB's name of a tick, without ``DELAYED_``, and its value in a word."""
    if isinstance(event, MarketDataType):
        return "MARKET_DATA_TYPE", _DATA_NAMES.get(event.market_data_type, str(event.market_data_type))
    kind = getattr(event, "tick_type", None)
    if kind is None:
        return type(event).__name__, _json.line(event)
    name = TickTypeEnum.idx2name.get(kind, str(kind)).removeprefix(_DELAYED)
    for field in ("price", "size", "value"):
        if hasattr(event, field):
            return name, getattr(event, field)
    return name, _json.line(event)


# --- every tick --------------------------------------------------------------------------------------------------


class _Every:
    """One line a tick, with the time that TWS gives it, in the exchange's zone."""

    def __init__(self, details: ContractDetails) -> None:
        self.summary = ""
        self._zone, self._zone_name = _zone(details)
        self._name = described(details.contract)
        self._lines: deque[str] = deque(maxlen=20)

    def heading(self) -> str:
        """Return what the lines are."""
        return f"{self._name}: time in {self._zone_name}, price x size"

    def take(self, _: Watch, event: Any, board: Board) -> None:
        """Note a tick; where there is no picture, print it."""
        line = f"{datetime.fromtimestamp(event.time, self._zone):%H:%M:%S}  {_words(event)}"
        self._lines.append(line)
        board.say(line)

    def picture(self) -> Text:
        """Return the newest ticks."""
        from rich.text import Text

        return Text("\n".join([self.heading(), *self._lines, self.summary or "Ctrl-C ends it"]))


def _words(event: TickByTickAllLast | TickByTickBidAsk | TickByTickMidPoint) -> str:
    match event:
        case TickByTickAllLast():
            return f"{_text(event.price):>12} x {_text(event.size)} on {event.exchange}"
        case TickByTickBidAsk():
            bid, ask = (event.bid_price, event.bid_size), (event.ask_price, event.ask_size)
            return "   ".join(f"{_text(price):>12} x {_text(size):<8}" for price, size in (bid, ask)).rstrip()
        case TickByTickMidPoint():
            return f"{_text(event.mid_point):>12}"


def _zone(details: ContractDetails) -> tuple[tzinfo | None, str]:
    """Return the exchange's zone and its name; this machine's where the exchange has none that is known."""
    try:
        return zone_of(details.timeZoneId), details.timeZoneId
    except TimeError:
        return None, "local time"
