"""A Trio-native client for Interactive Brokers' TWS and IB Gateway; on asyncio through anyio.

How it is layered; imports point downwards only:

- this module: the public names;
- ``_blocking``: the client for programs without an event loop;
- ``_client``: ``open_client`` and ``Client``;
- ``contracts``, ``orders``: helpers that fill in ibapi's ``Contract`` and ``Order``;
- ``_contracts``, ``_data``, ``_trading``: what a client finds out about contracts; books and bars made from streams;
  the orders of a client;
- ``_gen``: generated from the table of requests: events, the wrapper of ibapi's callbacks, the request functions;
- ``_runtime``: written by hand; what does no I/O (framing, bridge, router, lanes, outbox, pacing) below what waits
  (streams, calls, connection). It never imports ``_gen``; the wrapper is handed to it;
- ``times``, ``codes``, ``errors``: TWS's times, what its message codes mean, and the exceptions;
- ibapi: encodes every request and decodes every answer.

``simulator``, ``graphql`` and ``cli`` stand beside ``_client`` and use what is below it.
"""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

# First, and for what it does: it says what to do when ibapi is missing, or there twice.
from ._runtime import _installed as _installed

# isort: split
from . import errors
from ._client import Client as Client
from ._client import open_client as open_client
from ._contracts._chains import OptionChain as OptionChain
from ._contracts._hours import TradingHours as TradingHours
from ._contracts._hours import TradingSession as TradingSession
from ._contracts._hours import liquid_hours as liquid_hours
from ._contracts._hours import parse_hours as parse_hours
from ._contracts._hours import schedule_hours as schedule_hours
from ._contracts._hours import trading_hours as trading_hours
from ._contracts._qualify import Ambiguous as Ambiguous
from ._contracts._qualify import Qualification as Qualification
from ._contracts._qualify import Qualified as Qualified
from ._contracts._qualify import UnknownContract as UnknownContract
from ._contracts._rules import MarketRule as MarketRule
from ._data._bars import Bar as Bar
from ._data._bars import BarBuilder as BarBuilder
from ._data._bars import BarStream as BarStream
from ._data._bars import TickBars as TickBars
from ._data._bars import TimeBars as TimeBars
from ._data._bars import VolumeBars as VolumeBars
from ._data._depth import Depth as Depth
from ._data._depth import DepthBook as DepthBook
from ._data._depth import DepthError as DepthError
from ._data._depth import DepthLevel as DepthLevel
from ._data._depth import DepthStream as DepthStream
from ._data._depth import DepthSubscription as DepthSubscription
from ._gen.events import *  # noqa: F403  every event class and union, by its __all__
from ._public import publish as _publish
from ._runtime._events import CommissionAndFeesReport as CommissionAndFeesReport
from ._runtime._events import DepthReset as DepthReset
from ._runtime._events import EndOfSnapshot as EndOfSnapshot
from ._runtime._events import ExecDetails as ExecDetails
from ._runtime._events import Gap as Gap
from ._runtime._events import Lagged as Lagged
from ._runtime._events import Notice as Notice
from ._runtime._events import OpenOrder as OpenOrder
from ._runtime._events import OrderBound as OrderBound
from ._runtime._events import OrderEvent as OrderEvent
from ._runtime._events import OrderStatus as OrderStatus
from ._runtime._pacing import Pacer as Pacer
from ._runtime._request import Effect as Effect
from ._runtime._request import Request as Request
from ._runtime._result import Result as Result
from ._runtime._session import Stats as Stats
from ._runtime._sinks import Overflow as Overflow
from ._runtime._streams import EventStream as EventStream
from ._runtime._streams import GroupStream as GroupStream
from ._runtime._streams import GroupSubscription as GroupSubscription
from ._runtime._streams import OrderStream as OrderStream
from ._runtime._streams import OrderSubscription as OrderSubscription
from ._runtime._streams import StreamStatistics as StreamStatistics
from ._runtime._streams import Subscription as Subscription
from ._runtime._tables import to_pandas as to_pandas
from ._runtime._tables import to_polars as to_polars
from ._trading._book import KillReport as KillReport
from ._trading._book import OrderBook as OrderBook
from ._trading._limits import Market as Market
from ._trading._limits import OrderLimits as OrderLimits
from ._trading._preview import WhatIf as WhatIf
from ._trading._reconcile import Reconciliation as Reconciliation
from ._trading._state import AccountState as AccountState
from ._trading._states import Accepted as Accepted
from ._trading._states import Alarm as Alarm
from ._trading._states import CancelConfirmed as CancelConfirmed
from ._trading._states import CancelOutcome as CancelOutcome
from ._trading._states import CancelRefused as CancelRefused
from ._trading._states import Fill as Fill
from ._trading._states import FillCorrected as FillCorrected
from ._trading._states import FillReported as FillReported
from ._trading._states import Finished as Finished
from ._trading._states import Modified as Modified
from ._trading._states import ModifyOutcome as ModifyOutcome
from ._trading._states import ModifyRefused as ModifyRefused
from ._trading._states import PlaceOutcome as PlaceOutcome
from ._trading._states import Rejected as Rejected
from ._trading._states import StateChange as StateChange
from ._trading._states import TradeEvent as TradeEvent
from ._trading._states import TradeState as TradeState
from ._trading._states import Unknown as Unknown
from ._trading._states import Warned as Warned
from ._trading._trade import Done as Done
from ._trading._trade import Trade as Trade
from ._trading._views import View as View
from .codes import CodeRule as CodeRule
from .errors import *  # noqa: F403  every exception, by its __all__
from .times import AmbiguousTime as AmbiguousTime
from .times import TimeError as TimeError

_publish(
    __name__,
    [
        value
        for name, value in list(globals().items())
        if not name.startswith("_") and str(getattr(value, "__module__", "")).startswith(f"{__name__}._")
    ]
    + [getattr(errors, name) for name in errors.__all__],
)

# --- what most programs do without is imported when somebody asks for it ----------------------------------------------

if TYPE_CHECKING:
    from ._blocking import BlockingClient as BlockingClient
    from ._blocking import BlockingDepth as BlockingDepth
    from ._blocking import blocking as blocking
    from ._runtime._blocking import BlockingGroupStream as BlockingGroupStream
    from ._runtime._blocking import BlockingGroupSubscription as BlockingGroupSubscription
    from ._runtime._blocking import BlockingOrderStream as BlockingOrderStream
    from ._runtime._blocking import BlockingOrderSubscription as BlockingOrderSubscription
    from ._runtime._blocking import BlockingStream as BlockingStream
    from ._runtime._blocking import BlockingSubscription as BlockingSubscription
    from .simulator import Simulator as Simulator
    from .simulator import open_simulator as open_simulator

_LATER = {
    "BlockingClient": "._blocking",
    "BlockingDepth": "._blocking",
    "blocking": "._blocking",
    "BlockingGroupStream": "._runtime._blocking",
    "BlockingGroupSubscription": "._runtime._blocking",
    "BlockingOrderStream": "._runtime._blocking",
    "BlockingOrderSubscription": "._runtime._blocking",
    "BlockingStream": "._runtime._blocking",
    "BlockingSubscription": "._runtime._blocking",
    "Simulator": ".simulator",
    "open_simulator": ".simulator",
}

if not TYPE_CHECKING:  # a type checker would take every name for one that this function knows

    def __getattr__(name: str) -> object:
        if name == "simulator":
            return _import_module(f"{__name__}.simulator")
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(_import_module(_LATER[name], __name__), name)
        if _LATER[name] != ".simulator":
            _publish(__name__, [value])
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
