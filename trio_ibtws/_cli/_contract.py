"""``trio-ibtws contract``: every contract that fits, or all about the only one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from ibapi.contract import ContractDetails

from .._client import Client
from . import _json
from ._which import described, wanted

__all__ = ["command"]

_HOURS_SHOWN = 2
_EXCHANGES_SHOWN = 8


async def command(client: Client, arguments: argparse.Namespace) -> int:
    """Print the contracts that fit.

    Raises:
      CommandError: the words describe no contract.
      NoSuchContract: none fits.
    """
    rows = await client.contract_details(wanted(arguments))
    if arguments.json:
        _json.write(rows)
    elif len(rows) == 1:
        _show_one(rows[0])
    else:
        _show_many(rows)
    return 0


def _show_one(details: ContractDetails) -> None:
    from rich.text import Text

    from ._tables import facts, make_console

    console = make_console()
    console.print(Text(details.longName or described(details.contract), style="bold"))
    facts(console, _facts(details))


def _facts(details: ContractDetails) -> Iterator[tuple[str, str]]:
    contract = details.contract
    exchanges = details.validExchanges.split(",")
    more = f" and {len(exchanges) - _EXCHANGES_SHOWN} more" if len(exchanges) > _EXCHANGES_SHOWN else ""
    yield "contract", described(contract)
    yield "contract id", str(contract.conId)
    yield "local symbol", contract.localSymbol
    yield "trading class", contract.tradingClass
    yield "listed on", contract.primaryExchange
    yield "traded on", ", ".join(exchanges[:_EXCHANGES_SHOWN]) + more
    yield "currency", contract.currency
    yield "multiplier", contract.multiplier
    yield "smallest step", f"{details.minTick:g}"
    yield "industry", ", ".join(part for part in (details.industry, details.category, details.subcategory) if part)
    yield "time zone", details.timeZoneId
    yield from _hours("trading hours", details.tradingHours)
    yield from _hours("regular hours", details.liquidHours)


def _hours(name: str, hours: str) -> Iterator[tuple[str, str]]:
    """Return the next sessions, in the exchange's zone as all of TWS's hours."""
    for at, session in enumerate(part for part in hours.split(";")[:_HOURS_SHOWN] if part):
        yield name if not at else " ", _session(session)


def _session(text: str) -> str:
    """Return TWS's 20130115:0930-20130115:1600 as 2013-01-15 09:30 to 16:00."""
    begin, _, end = text.partition("-")
    if not end:
        day, _, what = begin.partition(":")
        return f"{_day(day)} {what.lower()}"
    (first, opens), (last, closes) = (part.split(":") if ":" in part else ("", part) for part in (begin, end))
    until = "" if last in ("", first) else f"{_day(last)} "
    return f"{_day(first)} {_clock(opens)} to {until}{_clock(closes)}"


def _day(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"


def _clock(text: str) -> str:
    return f"{text[:2]}:{text[2:]}"


def _show_many(rows: list[ContractDetails]) -> None:
    from ._tables import Column, make_console, show

    columns = [
        Column("contract", lambda row: described(row.contract), style="bold"),
        Column("id", lambda row: str(row.contract.conId), right=True),
        Column("currency", lambda row: row.contract.currency),
        Column("local symbol", lambda row: row.contract.localSymbol),
        Column("name", lambda row: row.longName),
    ]
    show(make_console(), columns, rows, none="no contract fits")
