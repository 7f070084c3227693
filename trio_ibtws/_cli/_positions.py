"""``trio-ibtws positions``: what every account holds."""

from __future__ import annotations

import argparse

from .._client import Client
from .._gen.events import Position
from . import _json
from ._errors import CommandError
from ._which import described

__all__ = ["command"]


async def command(client: Client, arguments: argparse.Namespace) -> int:
    """Print the positions.

    Raises:
      CommandError: there is no such account.
      RequestError: TWS refuses the list.
    """
    rows = [row for row in await client.positions() if arguments.account in (None, row.account)]
    if not rows and arguments.account not in (None, *client.accounts):
        raise CommandError(f"there is no account {arguments.account}; it may be {', '.join(client.accounts)}")
    if arguments.json:
        _json.write(rows)
    else:
        _show(rows)
    return 0


def _show(rows: list[Position]) -> None:
    from ._tables import Column, make_console, number, show

    columns = [
        Column("account", lambda row: row.account),
        Column("contract", lambda row: described(row.contract), style="bold"),
        Column("position", lambda row: number(row.position), right=True),
        Column("average cost", lambda row: number(row.avg_cost, 4), right=True),
        Column("currency", lambda row: row.contract.currency),
        Column("id", lambda row: str(row.contract.conId), right=True),
    ]
    show(make_console(), columns, rows, none="no positions")
