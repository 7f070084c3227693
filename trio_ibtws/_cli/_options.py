"""Options that several commands share, and the types of their values."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from . import _settings

__all__ = [
    "CONTRACT_HELP",
    "add_backend",
    "add_contract",
    "add_json",
    "add_server",
    "add_stream",
    "positive",
    "seconds",
]

_WEEK = 7 * 24 * 3600

CONTRACT_HELP = """\
contracts:
  AAPL                      a stock, on SMART in USD unless flags say otherwise
  EUR.USD, EURUSD.CASH      a pair of currencies
  ES.FUT.202612@CME         a future, by its month or last trading day
  AAPL.OPT.20261218.C.250   an option: last trading day, right, strike
  SPX.IND@CBOE, BTC.CRYPTO  anything else: SYMBOL.TYPE@EXCHANGE
  --con-id 265598           by IB's number
"""


def add_server(command: argparse.ArgumentParser) -> None:
    """Add where to connect to, and on which event loop."""
    group = command.add_argument_group("connection")
    group.add_argument("--host", type=_settings.host, help="where TWS or IB Gateway runs (127.0.0.1)")
    group.add_argument("--port", type=_settings.port, help="its API port (7497)")
    group.add_argument("--client-id", type=_settings.client_id, metavar="N", help="the API client id (0)")
    group.add_argument("--config", metavar="FILE", help="a TOML file with host, port and client_id")
    group.add_argument("--simulate", action="store_true", help="use the built-in simulator, without TWS")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="its seed: the same gives the same prices (0)")
    add_backend(group)


def add_backend(command: argparse._ActionsContainer) -> None:
    """Add on which event loop a command runs."""
    command.add_argument("--backend", choices=("trio", "asyncio"), default="trio", help="the event loop (trio)")


def add_contract(command: argparse.ArgumentParser) -> None:
    """Add what describes a contract."""
    command.add_argument("contract", nargs="?", metavar="CONTRACT", help="as below, or just a symbol")
    group = command.add_argument_group("contract, where the short form does not say enough")
    group.add_argument("--sec-type", type=str.upper, metavar="TYPE", help="STK, OPT, FUT, CASH, IND, CRYPTO, ...")
    group.add_argument("--exchange", type=str.upper, help="where to trade (SMART for stocks and options)")
    group.add_argument("--primary-exchange", type=str.upper, metavar="EXCHANGE", help="where it is listed")
    group.add_argument("--currency", type=str.upper, metavar="CODE", help="USD unless given")
    group.add_argument("--expiry", metavar="DATE", help="the month, 202612, or the last trading day, 20261218")
    group.add_argument("--strike", type=positive, metavar="PRICE", help="of an option")
    group.add_argument("--right", type=str.upper, choices=("C", "P", "CALL", "PUT"), help="of an option")
    group.add_argument("--multiplier", metavar="N", help="of a future or an option")
    group.add_argument("--trading-class", metavar="NAME", help="tells chains of one symbol apart, as SPX and SPXW")
    group.add_argument("--local-symbol", metavar="NAME", help="what the exchange calls it, as ESZ6")
    group.add_argument("--con-id", type=_con_id, metavar="N", help="IB's number for it")


def add_json(command: argparse._ActionsContainer, what: str = "one JSON document") -> None:
    """Add the output for scripts."""
    command.add_argument("--json", action="store_true", help=f"print {what}, for scripts")


def add_stream(command: argparse.ArgumentParser) -> None:
    """Add when a stream ends."""
    command.add_argument("--seconds", type=seconds(_WEEK), help="end after so many seconds (with Ctrl-C)")
    command.add_argument("--count", type=_count, metavar="N", help="end after so many events")


# --- types -------------------------------------------------------------------------------------------------------


def seconds(most: int) -> Callable[[str], float]:
    """Return a type of argparse for a number of seconds."""

    def convert(text: str) -> float:
        value = _number(text)
        if not 0 < value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds between 0 and {most}")
        return value

    return convert


def positive(text: str) -> float:
    """Return a positive number, for argparse."""
    value = _number(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0


def _count(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of events: give 1 or more")
    return int(text)


def _con_id(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 2**31):
        raise argparse.ArgumentTypeError(f"{text!r} is no contract id: `trio-ibtws contract SYMBOL` shows them")
    return int(text)
