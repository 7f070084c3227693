"""``trio-ibtws ticks``: live quotes, or every single tick of a kind."""

from __future__ import annotations

import argparse
import re
from collections import deque
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ibapi.ticktype import TickTypeEnum

from .._client import Client
from .._contracts._qualify import Qualified
from .._gen.events import (
    MarketDataType,
    TickByTickAllLast,
    TickByTickBidAsk,
    TickByTickMidPoint,
    TickReqParams,
)
from .._runtime._events import Gap
from .._runtime._streams import Subscription
from . import _json
from ._run import Watch, watch
from ._which import described, digits_of, find_one, local_zone, wanted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from ._board import Board

__all__ = ["check", "command"]

_DATA = {"live": 1, "frozen": 2, "delayed": 3, "delayed-frozen": 4}
_DATA_NAMES = {number: name for name, number in _DATA.items()}
_DELAYED = "DELAYED_"
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SPARKS = 60

# What the board shows of a quote, by the names of IB's tick types: prices with their sizes, then the day.
_SIDES = {"BID": ("bid", "BID_SIZE", "green"), "ASK": ("ask", "ASK_SIZE", "red"), "LAST": ("last", "LAST_SIZE", "bold")}
_PRICES = {"BID", "ASK", "LAST", "OPEN", "HIGH", "LOW", "CLOSE"}
_DAY = {"OPEN": "open", "HIGH": "high", "LOW": "low", "CLOSE": "close before", "VOLUME": "volume"}


def check(arguments: argparse.Namespace) -> None:
    """Raise ``CommandError`` if the words describe no contract."""
    wanted(arguments)


async def command(client: Client, arguments: argparse.Namespace) -> int:
    """Show the ticks of a contract until time, number or Ctrl-C ends it.

    Raises:
      CommandError: there is no one contract.
      RequestError: TWS refuses the data.
    """
    found = await find_one(client, arguments)
    if arguments.json:
        return (await watch(_ticks(client, found, arguments), _print, arguments)).exit_code
    return await _show(client, found, arguments)


def _ticks(client: Client, found: Qualified, arguments: argparse.Namespace) -> Subscription[Any]:
    if arguments.every is not None:
        return client.tick_by_tick_data(found.contract, arguments.every, buffer=10_000)
    client.market_data_type(_DATA[arguments.data])
    return client.mkt_data(found.contract, arguments.generic, buffer=10_000)


def _print(_: Watch, event: Any) -> None:
    print(_json.line(event), flush=True)


async def _show(client: Client, found: Qualified, arguments: argparse.Namespace) -> int:
    from ._board import Board
    from ._tables import make_console

    console = make_console()
    shown = _Every(found) if arguments.every is not None else _Quote(found, console)
    with Board(console, shown.picture) as board:
        board.say(shown.heading())

        def take(watched: Watch, event: Any) -> None:
            shown.take(watched, event, board)
            board.refresh()

        watched = await watch(_ticks(client, found, arguments), take, arguments)
    if board.pictured:
        shown.summary = watched.summary()
        board.finish()
    else:
        board.say(watched.summary())
    return watched.exit_code


def _text(value: float | Decimal | None, digits: int | None = None) -> str:
    from ._tables import number

    return number(value, digits) or "-"


# --- a quote -----------------------------------------------------------------------------------------------------


class _Quote:
    """The newest value of each kind of tick."""

    def __init__(self, found: Qualified, console: Console) -> None:
        self.summary = ""
        self._name = described(found.contract)
        self._digits = digits_of(found.details)
        self._zone, self._zone_name = local_zone(found.details)
        self._data = ""
        self._values: dict[str, Any] = {}
        self._last: deque[float] = deque(maxlen=min(_SPARKS, console.width))
        self._ascii_only = console.options.ascii_only

    def heading(self) -> str:
        """Return what the lines are."""
        return f"{self._name}: seconds since the start, tick, value"

    def take(self, watched: Watch, event: Any, board: Board) -> None:
        """Note a tick; where there is no picture, print it."""
        name, value = _tick(event)
        if isinstance(event, MarketDataType):
            self._data = value
        if name == "MODEL_OPTION":
            value = _greeks(event)
        if name == "LAST" and value is not None:
            self._last.append(float(value))
        self._values[name] = value
        if isinstance(event, TickReqParams):
            return  # nothing for people
        board.say(f"{watched.seconds:8.2f}  {name.lower().replace('_', ' '):<18} {self._shown(name, value)}")

    def _shown(self, name: str, value: Any) -> str:
        if name == "LAST_TIMESTAMP" and str(value).isdecimal():
            return f"{datetime.fromtimestamp(int(value), self._zone):%Y-%m-%d %H:%M:%S} {self._zone_name}"
        return value if isinstance(value, str) else _text(value, self._digits if name in _PRICES else None)

    def picture(self) -> Text:
        """Return the quote as it is now."""
        from rich.text import Text

        from ._chart import sparkline

        picture = Text.assemble((self._name, "bold"), f"  {self._data} data\n" if self._data else "\n")
        for tick, (label, size, style) in _SIDES.items():
            price, volume = self._values.get(tick), self._values.get(size)
            picture.append(f"{label:<14}", style="dim").append(f"{self._shown(tick, price):>12}", style=style)
            picture.append(f"  x {_text(volume)}\n" if volume is not None else "\n")
        for tick, label in _DAY.items():
            if self._values.get(tick) is not None:
                picture.append(f"{label:<14}", style="dim").append(f"{self._shown(tick, self._values[tick]):>12}\n")
        if (model := self._values.get("MODEL_OPTION")) is not None:
            picture.append("model         ", style="dim").append(f"{model}\n")
        if self._last:
            picture.append(f"{sparkline(self._last, ascii_only=self._ascii_only)}\n", style="cyan")
        return picture.append(self.summary or "Ctrl-C ends it", style="dim")


def _tick(event: Any) -> tuple[str, Any]:
    """Return IB's name of a tick, without ``DELAYED_``, and its value in a word."""
    if isinstance(event, MarketDataType):
        return "MARKET_DATA_TYPE", _DATA_NAMES.get(event.market_data_type, str(event.market_data_type))
    kind = getattr(event, "tick_type", None)
    if kind is None:
        return _WORD.sub(" ", type(event).__name__), _words_of(event)
    name = TickTypeEnum.idx2name.get(kind, str(kind)).removeprefix(_DELAYED)
    for field in ("price", "size", "value"):
        if hasattr(event, field):
            return name, getattr(event, field)
    return name, _words_of(event)


def _words_of(event: Any) -> str:
    """Return an event that has several values as ``delta=0.5 gamma=0.1``, those that are unset left out."""
    fields = {name: getattr(event, name) for name in event.__struct_fields__ if name != "tick_type"}
    shown = {name: f"{value:.6g}" if isinstance(value, float) else str(value) for name, value in fields.items()}
    return " ".join(f"{name}={shown[name]}" for name, value in fields.items() if value is not None)


def _greeks(event: Any) -> str:
    """Return what IB's option model says, as a trader reads it."""
    volatility = "" if event.implied_vol is None else f"volatility {event.implied_vol:.1%}"
    names = ("delta", "gamma", "vega", "theta")
    values = [f"{name} {getattr(event, name):.3f}" for name in names if getattr(event, name) is not None]
    return ", ".join([volatility, *values] if volatility else values)


# --- every tick --------------------------------------------------------------------------------------------------


class _Every:
    """One line a tick, with the time that TWS gives it, in the exchange's zone."""

    def __init__(self, found: Qualified) -> None:
        self.summary = ""
        self._zone, self._zone_name = local_zone(found.details)
        self._digits = digits_of(found.details)
        self._name = described(found.contract)
        self._lines: deque[str] = deque(maxlen=20)

    def heading(self) -> str:
        """Return what the lines are."""
        return f"{self._name}: time in {self._zone_name}, price x size"

    def take(self, _: Watch, event: Any, board: Board) -> None:
        """Note a tick; where there is no picture, print it."""
        if isinstance(event, Gap):
            line = f"ticks may be missing: {event.reason}"
        else:
            line = f"{datetime.fromtimestamp(event.time, self._zone):%H:%M:%S}  {self._words(event)}"
        self._lines.append(line)
        board.say(line)

    def picture(self) -> Text:
        """Return the newest ticks."""
        from rich.text import Text

        return Text("\n".join([self.heading(), *self._lines, self.summary or "Ctrl-C ends it"]))

    def _words(self, event: TickByTickAllLast | TickByTickBidAsk | TickByTickMidPoint) -> str:
        match event:
            case TickByTickAllLast():
                return f"{self._side(event.price, event.size)} on {event.exchange}"
            case TickByTickBidAsk():
                bid, ask = self._side(event.bid_price, event.bid_size), self._side(event.ask_price, event.ask_size)
                return f"{bid:<28} {ask}"
            case TickByTickMidPoint():
                return f"{_text(event.mid_point, self._digits + 1):>12}"  # which may lie between two steps

    def _side(self, price: float | None, size: Decimal | None) -> str:
        return f"{_text(price, self._digits):>12} x {_text(size)}"
