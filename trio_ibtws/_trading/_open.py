"""``open_book``: from a client to a book that knows its orders, and back."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from .._runtime._session import Session
from ..errors import InvalidRequest
from ._book import OrderBook
from ._dealer import Dealer, Timing
from ._desk import Desk, Scope
from ._journal import Journal
from ._journal_rows import default_path
from ._limits import OrderLimits
from ._link import Link

if TYPE_CHECKING:
    from .._client import Client

__all__ = ["open_book"]


@asynccontextmanager
async def open_book(
    client: Client,
    session: Session,
    tasks: TaskGroup,
    *,
    scope: Scope,
    limits: OrderLimits,
    journal: bool | str | os.PathLike[str],
    keep_days: float | None,
    timing: Timing,
) -> AsyncGenerator[OrderBook]:
    """Open the book of a client; see ``Client.orders``."""
    session.check()
    if scope == "auto-bind" and session.settings.client_id != 0:
        raise InvalidRequest("scope", "'auto-bind' is for client id 0 only. Nothing was sent")
    if scope not in ("mine", "auto-bind", "all"):
        raise InvalidRequest("scope", f"{scope!r} is none of 'mine', 'auto-bind' and 'all'")
    if not isinstance(journal, (bool, str, os.PathLike)):
        raise InvalidRequest("journal", f"{journal!r} is no path, nor True or False")
    _check_alone(session)
    desk = Desk(session.settings.client_id, scope, _journal(session, journal))
    dealer = Dealer(client, session, desk, limits, timing)
    book = OrderBook(client, session, desk, dealer)
    link = Link(dealer.link_lost, dealer.link_back)
    awake, well = anyio.CancelScope(), False
    try:
        if desk.journal is not None:
            await book.restore(desk.journal, keep_days)
            _check_alone(session)
        # Only now: news of an order that the journal has would else make a second trade of it. What came meanwhile is
        # in the lists that are asked for next.
        session.orders.add_listener(desk)
        session.router.add_notices(link)
        if desk.journal is not None:
            tasks.start_soon(desk.journal.run, name="order journal")
        tasks.start_soon(_within, awake, dealer.keep_up, name="order book")
        if scope == "auto-bind":
            client.auto_open_orders(True)
        await book.reconcile()
        yield book
        well = True
    finally:
        session.orders.remove_listener(desk)
        session.router.remove_notices(link)
        awake.cancel()
        book.close()
        unwritten = None if desk.journal is None else await desk.journal.close()
        if unwritten is not None and well:
            raise unwritten


async def _within(scope: anyio.CancelScope, run: Callable[[], Awaitable[None]]) -> None:
    with scope:
        await run()


def _check_alone(session: Session) -> None:
    if any(isinstance(listener, Desk) for listener in session.orders.listeners):
        raise anyio.BusyResourceError("opening the order book, of which a client has one at a time,")


def _journal(session: Session, journal: bool | str | os.PathLike[str]) -> Journal | None:
    if journal is False or (journal is True and not session.settings.trading):
        return None
    if journal is not True:
        return Journal(Path(journal))
    accounts = session.router.accounts or ("account",)
    return Journal(default_path(min(accounts), session.settings.client_id))  # TWS may list them in another order
