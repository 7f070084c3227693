"""``trio-ibtws contract``: every contract that fits, or all about the only one; or a search by name."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice

from ibapi.contract import ContractDescription

from .._client import Client
from .._contracts._qualify import Qualified
from ..times import TimeError
from . import _json
from ._errors import MISUSED, CommandError
from ._which import described, digits_of, find_all, wanted

__all__ = ["check", "command"]

_HOURS_SHOWN = 2
_EXCHANGES_SHOWN = 8


def check(arguments: argparse.Namespace) -> None:
    """Raise ``CommandError`` if the words describe no contract, or what to search for."""
    if arguments.search is None:
        wanted(arguments)
    elif not arguments.search.strip():
        raise CommandError("--search what? Give the beginning of a symbol or name", code=MISUSED)
    elif arguments.contract is not None:
        raise CommandError(
            f"{arguments.contract} is one contract and --search looks for others: leave one away", code=MISUSED
        )


async def command(client: Client, arguments: argparse.Namespace) -> int:
    """Print the contracts that fit.

    Raises:
      CommandError: the words describe no contract.
      NoSuchContract: none fits.
    """
    if arguments.search is not None:
        _show_found(await client.matching_symbols(arguments.search), arguments)
        return 0
    rows = await find_all(client, arguments)
    if arguments.json:
        _json.write(row.details for row in rows)
    elif len(rows) == 1:
        _show_one(rows[0])
    else:
        _show_many(rows)
    return 0


def _show_one(found: Qualified) -> None:
    from rich.text import Text

    from ._tables import facts, make_console

    console = make_console()
    console.print(Text(found.details.longName or described(found.contract), style="bold"))
    facts(console, [*_facts(found), *_hours(found)])


def _facts(found: Qualified) -> Iterator[tuple[str, str]]:
    contract, details = found.contract, found.details
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
    yield "smallest step", f"{details.minTick:.{digits_of(details)}f}"
    yield "industry", ", ".join(part for part in (details.industry, details.category, details.subcategory) if part)


def _hours(found: Qualified) -> Iterator[tuple[str, str]]:
    """Return the next sessions, in the exchange's zone; none where TWS's text cannot be read."""
    try:
        hours = {"trading hours": found.trading_hours, "regular hours": found.liquid_hours}
    except TimeError:
        return
    for name, sessions in hours.items():
        for at, session in enumerate(islice(sessions, _HOURS_SHOWN)):
            start, end = session.start.astimezone(sessions.zone), session.end.astimezone(sessions.zone)
            until = "%H:%M" if start.date() == end.date() else "%Y-%m-%d %H:%M"
            times = f"{start:%Y-%m-%d %H:%M} to {end:{until}}"
            yield name if not at else " ", f"{times} {found.details.timeZoneId}"


def _show_many(rows: tuple[Qualified, ...]) -> None:
    from ._tables import Column, make_console, show

    columns = [
        Column("contract", lambda row: described(row.contract), style="bold"),
        Column("id", lambda row: str(row.contract.conId), right=True),
        Column("currency", lambda row: row.contract.currency),
        Column("local symbol", lambda row: row.contract.localSymbol),
        Column("name", lambda row: row.details.longName),
    ]
    show(make_console(), columns, rows, none="no contract fits")


def _show_found(rows: list[ContractDescription], arguments: argparse.Namespace) -> None:
    if arguments.json:
        _json.write(rows)
        return
    from ._tables import Column, make_console, show

    columns = [
        Column("contract", lambda row: described(row.contract), style="bold"),
        Column("type", lambda row: row.contract.secType),
        Column("id", lambda row: str(row.contract.conId), right=True),
        Column("currency", lambda row: row.contract.currency),
        Column("listed on", lambda row: row.contract.primaryExchange),
        Column("name", lambda row: getattr(row.contract, "description", "")),  # TWS tells it since version 176
        Column("derivatives", lambda row: ", ".join(row.derivativeSecTypes)),
    ]
    show(make_console(), columns, rows, none=f"nothing is called {arguments.search}")
