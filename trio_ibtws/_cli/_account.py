"""``trio-ibtws account``: cash, margins and the like."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from .._client import Client
from .._gen.events import AccountSummary
from . import _json
from ._errors import CommandError

__all__ = ["command"]

# As TWS's own account window has them, the most important ones first.
_TAGS = (
    "AccountType,NetLiquidation,TotalCashValue,SettledCash,GrossPositionValue,EquityWithLoanValue,BuyingPower,"
    "AvailableFunds,ExcessLiquidity,InitMarginReq,MaintMarginReq,Cushion,Leverage"
)


async def command(client: Client, arguments: argparse.Namespace) -> int:
    """Print the values.

    Raises:
      CommandError: there is no such account, or no such value.
      RequestError: TWS refuses them.
    """
    summary = await client.account_summary(arguments.group, arguments.tags or _TAGS)
    rows = [row for row in summary if arguments.account in (None, row.account)]
    if arguments.account is not None and not rows:
        raise CommandError(f"there is no account {arguments.account}; it may be {', '.join(client.accounts)}")
    if arguments.tags is not None and not rows:
        raise CommandError(f"TWS has no value of {arguments.tags}; without --tags the usual ones are shown")
    if arguments.json:
        _json.write(rows)
    else:
        _show(rows, (arguments.tags or _TAGS).split(","))
    return 0


def _show(rows: list[AccountSummary], tags: Sequence[str]) -> None:
    from ._tables import Column, make_console, show

    order = {tag: at for at, tag in enumerate(tags)}
    columns = [
        Column("account", lambda row: row.account),
        Column("tag", lambda row: row.tag, style="bold"),
        Column("value", lambda row: _value(row.value), right=True),
        Column("currency", lambda row: row.currency),
    ]
    ordered = sorted(rows, key=lambda row: (row.account, order.get(row.tag, len(order)), row.tag, row.currency))
    show(make_console(), columns, ordered, none="no values")


def _value(text: str) -> str:
    """Return a number with its thousands apart and as many digits as TWS sent, and anything else as it is."""
    try:
        return f"{Decimal(text):,f}"
    except (InvalidOperation, ValueError):
        return text
