"""``open_client`` and ``Client``: the library's front door.

``open_client`` is one of the two places that own a task group. The group stays invisible: what the user's block
raises comes out as it was raised, never inside an ``ExceptionGroup`` of ours, and a bug of ours comes out as
``InternalError``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from os import PathLike
from types import MappingProxyType
from typing import Any, TypeGuard, TypeVar

import anyio
from anyio.abc import ByteStream, TaskGroup
from ibapi.contract import Contract

from ._contracts._finder import ContractFinder
from ._data._depth import DepthBook, DepthSubscription
from ._gen.wrapper import Wrapper
from ._runtime._calls import Calls
from ._runtime._compat import offered_version
from ._runtime._connection import Connection
from ._runtime._events import Notice, OrderEvent
from ._runtime._pacing import Pacer
from ._runtime._request import Request
from ._runtime._session import Settings, Stats
from ._runtime._streams import Subscription
from ._runtime._tcp import open_stream, shortcut_to, timed_out
from ._trading._book import OrderBook
from ._trading._dealer import Timing
from ._trading._desk import Scope
from ._trading._limits import OrderLimits
from ._trading._open import open_book
from ._trading._state import AccountState, open_state
from .codes import CodeRule, FarmState
from .errors import InternalError, InvalidRequest, interruption

__all__ = ["Client", "open_client"]

T = TypeVar("T")


class Client(ContractFinder):
    """A connection to TWS or IB Gateway; made by ``open_client``.

    Every request of the TWS API is a method, under IB's name less ``req``: ``reqContractDetails`` is
    ``contract_details``. A query is awaited, a subscription opened as a block.
    """

    def __init__(self, connection: Connection, tasks: TaskGroup) -> None:
        super().__init__()
        self._connection = connection
        self._tasks = tasks
        self._calls = Calls(connection.session)

    # --- what the start-up told

    @property
    def server_version(self) -> int:
        """The version of the protocol that this client and TWS agreed on."""
        return self._connection.session.server_version

    @property
    def connection_time(self) -> str:
        """TWS's clock when the connection was made, as TWS writes it."""
        return self._connection.session.connection_time

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts of the user who is logged in (EWrapper.managedAccounts)."""
        return self._connection.session.router.accounts or ()

    @property
    def next_order_id(self) -> int:
        """The id that the next new order would get; for information, ``place_order`` takes it by itself."""
        return self._connection.session.orders.next_order_id or 0

    # --- what can be watched

    @property
    def farms(self) -> Mapping[str, FarmState]:
        """The state of TWS's data farms by name, as its messages 2103 to 2108, 2119, 2157 and 2158 say."""
        return MappingProxyType(self._connection.session.router.farms)

    def stats(self) -> Stats:
        """Return the connection's counters as they are now."""
        return self._connection.session.stats()

    def notices(self) -> Subscription[Notice]:
        """Subscribe to every message of TWS that ends nothing, from now on (EWrapper.error)."""
        return self._calls.notices()

    def order_events(self) -> Subscription[OrderEvent]:
        """Subscribe to what happens to orders, from before anyone asked: EWrapper.openOrder, orderStatus,
        execDetails without a request, commissionAndFeesReport and orderBound.

        Nothing is dropped: what came since the connection was made waits for the first reader, and what is unread
        when he leaves for the next one. With 100 000 unread the stream ends with ``SlowConsumer``.

        Raises:
          anyio.BusyResourceError: it has a reader, and a second one opens it.
        """
        return self._calls.order_events()

    def orders(
        self,
        *,
        scope: Scope = "mine",
        limits: OrderLimits | None = None,
        journal: bool | str | PathLike[str] = True,
        keep_days: float | None = 365,
        answer_within: float = 10.0,
        drain_within: float = 2.0,
        recheck: float = 2.0,
    ) -> AbstractAsyncContextManager[OrderBook]:
        """Open the book of this client's orders: ``async with client.orders() as book:``.

        Entering asks TWS for its open orders, executions and completed orders, and settles what an earlier session
        left in the journal; nothing is sent again. Leaving cancels no order. ``order_events()`` is not touched by it.

        Args:
          scope: whose orders it has: ``"mine"``, ``"auto-bind"`` (client 0: those made in TWS as well), ``"all"``.
          limits: what an order may be at most; ``None`` for ``OrderLimits()``.
          journal: where orders are written down before they are sent: a file, ``True`` for one per account and client
            where the system keeps the state of programs, ``False`` for none, as ``True`` is without ``trading``.
          keep_days: orders that ended so many days ago are taken out of the journal when it is opened, ``None`` for
            never. Their references may be used again then, their order ids never.
          answer_within: after so many seconds without a word an order, a cancel or a change is ``Unknown``.
          drain_within: how long ``trade.done()`` waits for announced fills and commissions before it asks for them.
          recheck: when an order is in none of TWS's lists, they are asked for again after so many seconds.

        Cancelled means that there is no book.

        Raises:
          anyio.BusyResourceError: the client has a book.
          JournalError: the journal cannot be opened, or, on leaving, the last of what happened not written.
          InvalidRequest: the scope is not possible, or the journal no path.
          ConnectionLost, ClientClosed: there is no session any more.
        """
        timing = Timing(answer_within=answer_within, drain_within=drain_within, recheck=recheck)
        return open_book(
            self,
            self._connection.session,
            self._tasks,
            scope=scope,
            limits=limits or OrderLimits(),
            journal=journal,
            keep_days=keep_days,
            timing=timing,
        )

    def state(self, account: str = "") -> AbstractAsyncContextManager[AccountState]:
        """Keep positions, portfolio, account values, PnL, executions and open orders current for a block.

        ``async with client.state() as state:`` gives views that say how old they are; *account* is the account of
        portfolio, values and PnL, the first one by default. EClient.reqPositions, reqAccountUpdates, reqPnL,
        reqAllOpenOrders and reqExecutions; leaving ends them. Cancelled: so does that.

        Raises:
          anyio.BusyResourceError: another account is being followed; TWS gives a connection one at a time.
          RequestError: TWS refuses a list. ConnectionLost, ClientClosed: there is no session any more.
        """
        return open_state(self, self._connection.session, account)

    def depth(
        self, contract: Contract, num_rows: int = 10, is_smart_depth: bool = False, *, strict: bool = False
    ) -> DepthSubscription:
        """Subscribe to the order book of *contract*, as whole books: ``async with client.depth(contract) as books:``.

        ``async for depth in books:`` gives one after each round of changes; who is slow gets fewer, never an old one.
        After a change that does not fit, ``depth.flaw`` says so until TWS sends the book anew; with *strict* that
        raises ``DepthError``. EClient.reqMktDepth; leaving sends EClient.cancelMktDepth. Opening and receiving raise
        what those of ``mkt_depth`` do.
        """
        events = self.mkt_depth(contract, num_rows, is_smart_depth, buffer=10_000)
        return DepthSubscription(events, DepthBook(num_rows, strict=strict))

    async def wait_closed(self) -> None:
        """Wait for the end of the session.

        Returns when the client's block ends.

        Raises:
          ConnectionLost: the session ended otherwise.
        """
        await self._connection.wait_closed()

    # --- requests that the table does not know

    async def call(self, request: Request[T], *arguments: Any) -> Any:
        """Send a query built at run time; ``request.single`` says whether it gives one value or rows.

        Returns and raises what the query of a row of the table does; so does Cancelled.
        """
        _check_request(request)
        if request.single:
            return await self._calls.one(request, *arguments)
        return await self._calls.collect(request, *arguments)

    def subscribe(self, request: Request[T], *arguments: Any, **options: Any) -> Subscription[T]:
        """Return a subscription with a request built at run time; *options* are those of every subscription."""
        _check_request(request)
        return self._calls.subscribe(request, *arguments, **options)


@asynccontextmanager
async def open_client(
    host: str = "127.0.0.1",
    port: int = 7497,
    *,
    client_id: int = 0,
    connect_deadline: float = 10.0,
    max_server_version: int | None = None,
    pacer: Pacer | None = None,
    codes: Mapping[int, CodeRule] | None = None,
    trading: bool = False,
    stream: ByteStream | None = None,
) -> AsyncGenerator[Client]:
    """Connect to TWS or IB Gateway for the length of a block::

        async with open_client(port=7497, client_id=1) as client:
            details = await client.contract_details(contract)

    The block gets a client that is ready: the handshake is done, and TWS has named its accounts and the next order
    id. The connection is not encrypted and has no password; keep it on this machine or inside a tunnel.

    Args:
      host: where TWS runs.
      port: its socket port: 7496 (live) and 7497 (paper) of TWS, 4001 and 4002 of IB Gateway.
      client_id: a number that no other connection to this TWS has; 0 also sees orders made by hand.
      connect_deadline: the seconds that all of the start may take.
      max_server_version: the highest protocol version to offer; ``None`` for all that the installed ibapi speaks.
      pacer: how many messages a second go out; ``None`` for ``Pacer(rate=45)``.
      codes: rules for TWS message codes, laid over the built-in table.
      trading: whether requests that spend money or change orders are allowed.
      stream: a byte stream to use in place of *host* and *port*; it is closed at the end.

    Cancelled means that there is no connection any more. What the block raises comes out unchanged. A connection that
    is lost does not cancel the block: what waits there, and what is asked next, raises ``ConnectionLost``.

    Raises:
      ConnectRefused: nothing listens there, or it hung up before the session was ready.
      ConnectTimeout: the deadline passed; its ``phase`` says in what.
      NotTWS: the peer is something else.
      ClientIdInUse: another connection has this client id.
      UnsupportedServer: the server's protocol version is not one that can be spoken.
      InvalidRequest: an argument makes no sense.
      InternalError: a bug in this library.
    """
    _check_options(host, port, client_id, connect_deadline, pacer, codes, trading, stream)
    settings = Settings(
        client_id=client_id, maximum=offered_version(max_server_version), codes=codes or {}, trading=trading
    )
    carried: BaseException | None = None
    try:
        async with anyio.create_task_group() as tasks:
            try:
                connection = await _connect(tasks, host, port, stream, settings, pacer or Pacer(), connect_deadline)
                try:
                    yield Client(connection, tasks)
                finally:
                    await connection.close()
            except BaseException as exc:  # noqa: BLE001  kept out of the group, raised below
                carried = exc
            tasks.cancel_scope.cancel()
    except BaseExceptionGroup as group:  # our tasks never raise by design
        struck = interruption(group)
        if struck is not None:
            raise struck from None
        raise InternalError("a task of trio_ibtws crashed; please report it with this traceback") from group
    except anyio.get_cancelled_exc_class():
        if carried is None:  # leaving the group is a checkpoint, which must not mask what is on its way
            raise
    if carried is not None:
        try:
            raise carried
        finally:
            del carried


def _check_request(request: object) -> None:
    if not isinstance(request, Request):
        raise TypeError(f"{request!r} is no Request; Request(method='reqFamilyCodes', key='familyCodes') is one")


def _check_options(
    host: object,
    port: object,
    client_id: object,
    connect_deadline: object,
    pacer: object,
    codes: object,
    trading: object,
    stream: object,
) -> None:
    if not isinstance(host, str) or not host or not host.isprintable():
        raise InvalidRequest("host", f"{host!r} is no host name or address")
    if not (_is_int(port) and 0 < port < 65536):
        raise InvalidRequest("port", f"{port!r} is no TCP port; TWS has 7496 and 7497, IB Gateway 4001 and 4002")
    if not (_is_int(client_id) and 0 <= client_id < 2**31):
        raise InvalidRequest("client_id", f"{client_id!r} is not from 0 to 2147483647")
    if not isinstance(connect_deadline, (int, float)) or not connect_deadline >= 0:  # NaN is not
        raise InvalidRequest("connect_deadline", f"{connect_deadline!r} is no number of seconds")
    if not (pacer is None or isinstance(pacer, Pacer)):
        raise InvalidRequest(
            "pacer", f"{pacer!r} is no Pacer; Pacer(rate=45) is the default, Pacer(rate=None) waits never"
        )
    if not isinstance(trading, bool):  # "false" would switch it on
        raise InvalidRequest("trading", f"{trading!r} is neither True nor False")
    if not (stream is None or isinstance(stream, ByteStream)):
        raise InvalidRequest("stream", f"{stream!r} is no anyio ByteStream")
    _check_codes(codes)


def _check_codes(codes: object) -> None:
    if codes is None:
        return
    if not isinstance(codes, Mapping):
        raise InvalidRequest("codes", f"{codes!r} is no mapping from TWS codes to CodeRule")
    for code, rule in codes.items():
        if not _is_int(code) or not isinstance(rule, CodeRule):
            raise InvalidRequest("codes", f"{code!r}: {rule!r} is no TWS code with its CodeRule")


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


async def _connect(
    tasks: TaskGroup,
    host: str,
    port: int,
    stream: ByteStream | None,
    settings: Settings,
    pacer: Pacer,
    seconds: float,
) -> Connection:
    """Return a connection that is ready, its tasks running; closes what it opened when that fails."""
    phase = "connect"
    connection: Connection | None = None
    try:
        with anyio.fail_after(seconds):
            shortcut = None
            if stream is None:
                stream = tcp = await open_stream(host, port)
                shortcut = shortcut_to(tcp)
            connection = Connection(stream, settings, Wrapper, pacer, shortcut)
            connection.start(tasks)
            phase = "handshake"
            await connection.greeted()
            phase = "start-up"
            await connection.ready()
    except BaseException as exc:
        if connection is not None:
            await connection.close()
        if isinstance(exc, TimeoutError):
            raise timed_out(phase, seconds) from None
        raise
    return connection
