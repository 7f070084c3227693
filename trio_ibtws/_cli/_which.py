"""A contract out of the words of a command line: ``AAPL``, ``EUR.USD``, ``ES.FUT.202612@CME``, and the flags.

The short form is ``SYMBOL.TYPE.DATE.RIGHT.STRIKE@EXCHANGE``, as much of it as is needed; flags say the rest.
"""

from __future__ import annotations

import argparse
import re
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Any

from ibapi.contract import Contract, ContractDetails

from .._client import Client
from .._contracts._qualify import Ambiguous, Qualified
from ..times import TimeError, zone_of
from ._errors import MISUSED, CommandError
from ._options import positive

__all__ = ["described", "digits_of", "find_all", "find_one", "local_zone", "wanted"]

_TYPES = {
    "STK": "SMART",
    "OPT": "SMART",
    "CASH": "IDEALPRO",
    "CRYPTO": "PAXOS",
    "CFD": "SMART",
    "CMDTY": "SMART",
    "BOND": "SMART",
    "FUND": "FUNDSERV",
    "FUT": "",
    "CONTFUT": "",
    "FOP": "",
    "IND": "",
    "WAR": "",
}
"""IB's security types, and the exchange of each that is meant when none is said; an empty one means any."""

_PAIR = re.compile(r"([A-Z]{3})([A-Z]{3})")
_DATE = re.compile(r"\d{6}(\d\d)?")
_MULTIPLIER = re.compile(r"\d+(\.\d+)?")
_RIGHTS = {"C": "C", "CALL": "C", "P": "P", "PUT": "P"}
_SHOWN = 4
_USUAL_DIGITS = 2

# How the parts of the short form and the flags are called in ibapi's Contract.
_ATTRIBUTES = {
    "symbol": "symbol",
    "sec_type": "secType",
    "expiry": "lastTradeDateOrContractMonth",
    "right": "right",
    "strike": "strike",
    "exchange": "exchange",
    "primary_exchange": "primaryExchange",
    "currency": "currency",
    "multiplier": "multiplier",
    "trading_class": "tradingClass",
    "local_symbol": "localSymbol",
    "con_id": "conId",
}


def wanted(arguments: argparse.Namespace) -> Contract:
    """Return the description of a contract that the words and flags of a command give.

    Raises:
      CommandError: they are none, or contradict each other.
    """
    terms = _short_form(arguments.contract) if arguments.contract else {}
    for name in _ATTRIBUTES:
        given = getattr(arguments, name, None)
        given = _RIGHTS[given] if name == "right" and given else given
        if given is not None and terms.setdefault(name, given) != given:
            raise _misused(f"{arguments.contract} says {terms[name]} and {_flag(name)} says {given}: leave one away")
    if not any(terms.get(name) for name in ("symbol", "con_id", "local_symbol")):
        raise _misused("which contract? Give a symbol, as AAPL, or --con-id")
    _check(terms)
    if "con_id" not in terms:
        _complete(terms)
    contract = Contract()
    for name, value in terms.items():
        setattr(contract, _ATTRIBUTES[name], value)
    return contract


def _short_form(text: str) -> dict[str, Any]:
    body, _, exchange = text.partition("@")
    symbol, *more = body.split(".", maxsplit=4)
    terms: dict[str, Any] = {"symbol": symbol.upper()} | ({"exchange": exchange.upper()} if exchange else {})
    if more and more[0].upper() not in _TYPES:
        return terms | _currencies(text, symbol.upper(), more)
    for name, part in zip(("sec_type", "expiry", "right", "strike"), more, strict=False):
        terms[name] = part.upper()
    if "strike" in terms:
        terms["strike"] = _strike(text, terms["strike"])
    if "right" in terms:
        terms["right"] = _RIGHTS.get(terms["right"], terms["right"])
    return terms


def _currencies(text: str, symbol: str, more: list[str]) -> dict[str, Any]:
    """Return what ``EUR.USD`` means."""
    other = more[0].upper()
    if len(more) == 1 and _PAIR.fullmatch(symbol + other) and len(other) == 3:
        return {"sec_type": "CASH", "currency": other}
    raise _misused(
        f"{text}: {more[0]} is no type of contract; it may be {', '.join(_TYPES)} (IB writes BRK.B as 'BRK B')"
    )


def _strike(text: str, strike: str) -> float:
    try:
        return positive(strike)
    except argparse.ArgumentTypeError:
        raise _misused(f"{text}: {strike} is no strike; write an option as AAPL.OPT.20261218.C.250") from None


def _check(terms: dict[str, Any]) -> None:
    if terms.get("sec_type", "STK") not in _TYPES:
        raise _misused(f"{terms['sec_type']} is no type of contract; it may be {', '.join(_TYPES)}")
    if not _DATE.fullmatch(terms.get("expiry", "202612")):
        raise _misused(f"{terms['expiry']} is no expiry; give the month, 202612, or the last trading day, 20261218")
    if terms.get("right", "C") not in _RIGHTS:
        raise _misused(f"{terms['right']} is no right of an option; it is C or P")
    if not _MULTIPLIER.fullmatch(terms.get("multiplier", "1")):
        raise _misused(f"{terms['multiplier']!r} is no multiplier; it is a number, as 100")


def _complete(terms: dict[str, Any]) -> None:
    """Add what is usual, and take a pair of currencies apart."""
    kind = terms.setdefault("sec_type", "STK" if "expiry" not in terms else "OPT" if "strike" in terms else "FUT")
    pair = _PAIR.fullmatch(terms.get("symbol", "")) if kind == "CASH" else None
    if pair is not None:
        if terms.setdefault("currency", pair[2]) != pair[2]:
            raise _misused(f"{pair[0]} says {pair[2]} and --currency says {terms['currency']}: leave one away")
        terms["symbol"] = pair[1]
    terms.setdefault("exchange", _TYPES[kind])
    terms.setdefault("currency", "USD")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _misused(message: str) -> CommandError:
    return CommandError(message, code=MISUSED)


# --- asking TWS --------------------------------------------------------------------------------------------------


async def find_one(client: Client, arguments: argparse.Namespace) -> Qualified:
    """Return the only contract that fits what the command says.

    Raises:
      CommandError: several fit; it says which and how to tell them apart.
      NoSuchContract: none fits.
    """
    rows = await find_all(client, arguments)
    if len(rows) == 1:
        return rows[0]
    some = ", ".join(described(row.contract) for row in rows[:_SHOWN])
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    raise CommandError(f"{len(rows)} contracts fit: {some}{more}; say which: --con-id, --expiry, --exchange")


async def find_all(client: Client, arguments: argparse.Namespace) -> tuple[Qualified, ...]:
    """Return every contract that fits.

    Raises:
      NoSuchContract: none does.
    """
    found = await client.qualify(wanted(arguments))
    return found.candidates if isinstance(found, Ambiguous) else (found.one(),)


def described(contract: Contract) -> str:
    """Return a contract as the short form that finds it again."""
    if contract.secType == "CASH":
        return f"{contract.symbol}.{contract.currency}"
    parts = [contract.symbol]
    if contract.secType != "STK":
        parts.append(contract.secType)
    if contract.lastTradeDateOrContractMonth:
        parts.append(contract.lastTradeDateOrContractMonth.split(" ")[0])
    if contract.secType in ("OPT", "FOP", "WAR"):
        parts += [contract.right[:1], f"{contract.strike:g}"]
    where = contract.exchange if contract.exchange != _TYPES.get(contract.secType) else ""
    return ".".join(parts) + (f"@{where}" if where else "")


def digits_of(details: ContractDetails) -> int:
    """Return how many decimal places the contract's prices have."""
    step = Decimal(str(details.minTick)).normalize()
    exponent = step.as_tuple().exponent
    return max(0, -exponent) if step and isinstance(exponent, int) else _USUAL_DIGITS


def local_zone(details: ContractDetails) -> tuple[tzinfo, str]:
    """Return the exchange's zone and its name; UTC where it has none that is known."""
    try:
        return zone_of(details.timeZoneId), details.timeZoneId
    except TimeError:
        return UTC, "UTC"
