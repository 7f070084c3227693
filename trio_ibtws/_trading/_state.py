"""``AccountState``: what an account has, as live views, for the length of a block."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from anyio.lowlevel import checkpoint

from .._gen.events import Pnl, Position, UpdateAccountValue, UpdatePortfolio
from .._gen.requests_accounts import ACCOUNT_UPDATES_STREAM, PNL, POSITIONS_STREAM
from .._runtime._events import ExecDetails, Notice, OpenOrder, OrderEvent, OrderStatus
from .._runtime._lanes import LaneBusy
from .._runtime._request import Request
from .._runtime._session import Session
from ..errors import RequestError
from ._fills import base_of, revision_of
from ._link import Link
from ._record import same_value
from ._states import FINAL, state_of
from ._views import Feed, View

if TYPE_CHECKING:
    from .._client import Client

__all__ = ["AccountState", "open_state"]


class AccountState:
    """Live views of an account; made by ``client.state()``.

    Attributes:
      positions: every position of every account (EWrapper.position).
      portfolio: the account's positions, valued (EWrapper.updatePortfolio); TWS tells them every three minutes.
      account_values: cash, margins and so on, by key and currency (EWrapper.updateAccountValue).
      pnl: the account's profit and loss, one row (EWrapper.pnl).
      executions: today's fills, corrections applied, without their commissions (EWrapper.execDetails).
      open_orders: the orders that are open, of all clients when the block began, of this client since.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.positions: View[Position] = View(
            lambda row: (row.account, row.contract.conId), takes=Position, gone=lambda row: not row.position
        )
        self.portfolio: View[UpdatePortfolio] = View(
            lambda row: (row.account_name, row.contract.conId), takes=UpdatePortfolio, gone=lambda row: not row.position
        )
        self.account_values: View[UpdateAccountValue] = View(
            lambda row: (row.account_name, row.key, row.currency), takes=UpdateAccountValue
        )
        self.pnl: View[Pnl] = View(lambda row: None, takes=Pnl, single=True)
        self.executions: View[ExecDetails] = View(
            lambda row: base_of(row.execution.execId), takes=ExecDetails, older=_was_corrected
        )
        self.open_orders: View[OpenOrder] = View(_identity, takes=OpenOrder, gone=_is_over)

    @property
    def views(self) -> tuple[View[Any], ...]:
        """All of them."""
        return self.positions, self.portfolio, self.account_values, self.pnl, self.executions, self.open_orders

    async def refresh(self) -> None:
        """Ask again for the executions and open orders, which TWS tells only in part by itself.

        Raises:
          RequestError: TWS refuses a list. ConnectionLost, ClientClosed: there is no session any more.
        """
        self.open_orders.ask()
        await self._client.all_open_orders()  # its rows come to the view with all that happens meanwhile
        self.open_orders.answered()
        self.executions.ask()
        for row in await self._client.executions():
            self.executions.take(row)
        self.executions.answered()


class _Listener:
    """Keeps executions and open orders current."""

    def __init__(self, state: AccountState) -> None:
        self._state = state

    def order_event(self, event: OrderEvent) -> None:
        if isinstance(event, OrderStatus):
            self._status(event)
        else:
            self._state.open_orders.take(event)
            self._state.executions.take(event)

    def _status(self, event: OrderStatus) -> None:
        for row in self._state.open_orders.snapshot():
            ours = event.perm_id or row.order.clientId == event.client_id  # order ids are per client
            if ours and row.order.permId == event.perm_id and same_value(row.order_id, event.order_id):
                known = OpenOrder(row.order_id, row.contract, row.order, row.order_state, event)
                self._state.open_orders.take(known)

    def order_refused(self, notice: Notice, kind: type[RequestError], advanced_reject: str) -> None:
        """An order that was refused is shown as over, if it was shown at all."""

    def order_cancel_refused(self, notice: Notice) -> None:
        """An order that was not cancelled is as it was."""

    def order_noticed(self, notice: Notice) -> None:
        """A remark changes no row."""

    def link_lost(self, why: str) -> None:
        for view in self._state.views:
            view.doubt(f"TWS has no connection to IB, {why}")

    def link_back(self) -> None:
        """TWS tells the followed rows by itself again; executions and open orders have to be asked for."""
        for view in self._state.views:
            if view in (self._state.executions, self._state.open_orders):
                view.doubt("TWS was not connected to IB for a while: refresh() asks what happened meanwhile")
            else:
                view.doubt(None)

    def session_ended(self, error: Callable[[], Exception]) -> None:
        for view in self._state.views:
            view.fail(error())


def _identity(row: OpenOrder) -> Any:
    return row.order.permId or (row.order.clientId, row.order_id)


def _was_corrected(row: ExecDetails, known: ExecDetails) -> bool:
    return revision_of(row.execution.execId) < revision_of(known.execution.execId)


def _is_over(row: OpenOrder) -> bool:
    status = row.status.status if row.status is not None else row.order_state.status
    return bool(row.order.whatIf) or state_of(status) in FINAL


@asynccontextmanager
async def open_state(client: Client, session: Session, account: str) -> AsyncGenerator[AccountState]:
    """Open the views of an account; see ``Client.state``."""
    await checkpoint()
    state = AccountState(client)
    name = account or next(iter(client.accounts), "")
    with ExitStack() as lines:
        listener = _Listener(state)
        session.orders.add_listener(listener)
        lines.callback(session.orders.remove_listener, listener)
        link = Link(listener.link_lost, listener.link_back)
        session.router.add_notices(link)
        lines.callback(session.router.remove_notices, link)
        for request, arguments, views in (
            (POSITIONS_STREAM, {}, (state.positions,)),
            (ACCOUNT_UPDATES_STREAM, {"subscribe": True, "acctCode": name}, (state.portfolio, state.account_values)),
            (PNL, {"account": name, "modelCode": ""}, (state.pnl,)),
        ):
            lines.callback(_follow(session, request, arguments, Feed(*views)))
        await state.refresh()
        yield state


def _follow(session: Session, request: Request[Any], arguments: dict[str, Any], feed: Feed) -> Callable[[], None]:
    """Send *request* for *feed*; return what ends it."""
    try:
        asked = session.ask(request, arguments, feed, single=False, share=True)
    except LaneBusy as exc:
        raise anyio.BusyResourceError(f"following {request.method}, of which a connection has one account,") from exc
    return lambda: session.leave(asked, feed)
