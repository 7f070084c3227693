"""``trio-ibtws scan``: what a market scanner finds now."""

from __future__ import annotations

import argparse
from typing import Any
from xml.etree import ElementTree

from ibapi.scanner import ScannerSubscription

from .._client import Client
from .._gen.events import ScannerData
from . import _json
from ._errors import FAILED, MISUSED, CommandError
from ._which import described

__all__ = ["check", "command"]


def check(arguments: argparse.Namespace) -> None:
    """Raise ``CommandError`` if no scan is named."""
    if arguments.scan_code is None and not arguments.codes:
        raise CommandError("which scan? Give a code, as TOP_PERC_GAIN; --codes lists them", code=MISUSED)


async def command(client: Client, arguments: argparse.Namespace) -> int:
    """Print the first result of a scan, or the codes that there are.

    Raises:
      CommandError: TWS's list of codes cannot be read.
      RequestError: TWS refuses the scan.
    """
    if arguments.codes:
        _show_codes(_codes(await client.scanner_parameters()), arguments)
    else:
        async with client.scanner_subscription(_subscription(arguments)) as results:
            rows = (await results.receive())[: arguments.rows]
        if arguments.json:
            _json.write(rows)
        else:
            _show(rows)
    return 0


def _subscription(arguments: argparse.Namespace) -> ScannerSubscription:
    subscription = ScannerSubscription()
    subscription.scanCode = arguments.scan_code
    subscription.instrument = arguments.instrument
    subscription.locationCode = arguments.location
    subscription.numberOfRows = arguments.rows
    if arguments.above_price is not None:
        subscription.abovePrice = arguments.above_price
    if arguments.below_price is not None:
        subscription.belowPrice = arguments.below_price
    if arguments.above_volume is not None:
        subscription.aboveVolume = int(arguments.above_volume)
    return subscription


def _show(rows: list[ScannerData]) -> None:
    from ._tables import Column, make_console, show

    columns = [
        Column("rank", lambda row: str(row.rank + 1), right=True),
        Column("contract", lambda row: described(row.contract_details.contract), style="bold"),
        Column("id", lambda row: str(row.contract_details.contract.conId), right=True),
        Column("currency", lambda row: row.contract_details.contract.currency),
        Column("name", lambda row: row.contract_details.longName),
        Column("distance", lambda row: row.distance, right=True),
        Column("benchmark", lambda row: row.benchmark, right=True),
        Column("projection", lambda row: row.projection, right=True),
    ]
    show(make_console(), columns, rows, none="nothing fits")


# --- which scans there are ---------------------------------------------------------------------------------------


def _codes(xml: str) -> list[dict[str, Any]]:
    """Return codes, names and instruments of the scans, out of TWS's own description."""
    try:
        types = ElementTree.fromstring(xml).iter("ScanType")
        return [
            {
                "scan_code": each.findtext("scanCode", ""),
                "display_name": each.findtext("displayName", ""),
                "instruments": [name for name in each.findtext("instruments", "").split(",") if name],
            }
            for each in types
        ]
    except ElementTree.ParseError as error:
        raise CommandError(f"TWS's list of scans cannot be read ({error}); report this", code=FAILED) from error


def _show_codes(codes: list[dict[str, Any]], arguments: argparse.Namespace) -> None:
    if arguments.json:
        _json.write(codes)
        return
    from ._tables import Column, make_console, show

    columns = [
        Column("code", lambda row: row["scan_code"], style="bold"),
        Column("name", lambda row: row["display_name"]),
        Column("instruments", lambda row: _some(row["instruments"])),
    ]
    show(make_console(), columns, codes, none="this TWS has no scans")


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
