"""``blocking``: the client for notebooks and scripts without an event loop.

The loop runs in a thread of its own, through anyio's portal, which also works where a loop runs already, as in
Jupyter. It is the one thread of this package; nothing but the portal crosses it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from datetime import date
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Self, TypeVar, overload

from anyio.from_thread import BlockingPortal, start_blocking_portal
from ibapi.contract import Contract
from trio.lowlevel import in_trio_run

from ._client import Client, open_client
from ._gen.blocking import BlockingRequests
from ._runtime._blocking import BlockingSubscription, Portal
from ._runtime._pacing import Pacer
from .codes import CodeRule, FarmState
from .contracts import Right
from .simulator import Scenario, open_simulator

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ibapi.contract import ContractDetails

    from ._contracts._chains import OptionChain
    from ._contracts._qualify import Qualification, Qualified
    from ._contracts._rules import Direction, MarketRule
    from ._data._depth import Depth, DepthStream
    from ._runtime._events import Notice, OrderEvent
    from ._runtime._session import Stats

__all__ = ["BlockingClient", "BlockingDepth", "blocking"]

P = ParamSpec("P")
T = TypeVar("T")


class BlockingClient(BlockingRequests):
    """A connection to TWS or IB Gateway for a program without an event loop; made by ``blocking``.

    It has every request of ``Client``, and what ``Client`` finds out about contracts. Queries block and return;
    subscriptions are opened with ``with`` and read with ``for``. Several threads may use it. Everything raises what it
    raises in ``Client``; what is interrupted, by Ctrl-C say, is cancelled at TWS.
    """

    def __init__(self, portal: Portal, client: Client, raw: BlockingPortal) -> None:
        self._portal = portal
        self._client = client
        self._own = client
        self._raw = raw

    # --- waiting

    def fail_after(self, seconds: float) -> AbstractContextManager[None]:
        """Have everything in the block, together, take no longer: ``with tws.fail_after(10): tws.positions()``.

        What is beyond raises ``TimeoutError`` and is cancelled at TWS. It holds for the thread that opens it.
        """
        return self._portal.fail_after(seconds)

    @property
    def client(self) -> Client:
        """The client in the loop, for ``run`` and ``enter``."""
        return self._own

    def run(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call and await *function* in the loop; return what it returns, raise what it raises.

        Raises:
          TimeoutError: a ``fail_after`` ran out. ClientClosed: the block of ``blocking`` was left.
        """
        return self._portal.wait(function, *args, **kwargs)

    def enter(self, manager: AbstractAsyncContextManager[T]) -> AbstractContextManager[T]:
        """Return *manager* for a ``with`` statement: ``with tws.enter(tws.client.orders()) as book:``.

        What it yields belongs to the loop: call its methods with ``run``.
        """
        return self._raw.wrap_async_context_manager(manager)

    # --- what the start-up told, and what can be watched

    @property
    def server_version(self) -> int:
        """The version of the protocol that this client and TWS agreed on."""
        return self._own.server_version

    @property
    def connection_time(self) -> str:
        """TWS's clock when the connection was made, as TWS writes it."""
        return self._own.connection_time

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts of the user who is logged in."""
        return self._own.accounts

    @property
    def farms(self) -> Mapping[str, FarmState]:
        """The state of TWS's data farms by name."""
        return self._portal.do(lambda: dict(self._own.farms))

    def stats(self) -> Stats:
        """Return the connection's counters as they are now."""
        return self._portal.do(self._own.stats)

    def notices(self) -> BlockingSubscription[Notice]:
        """Subscribe to every message of TWS that ends nothing."""
        return self._portal.subscription(self._own.notices())

    def order_events(self) -> BlockingSubscription[OrderEvent]:
        """Subscribe to what happens to orders, from before anyone asked."""
        return self._portal.subscription(self._own.order_events())

    def depth(
        self, contract: Contract, num_rows: int = 10, is_smart_depth: bool = False, *, strict: bool = False
    ) -> BlockingDepth:
        """Subscribe to the order book of *contract*, as whole books, as ``Client.depth`` does."""
        return BlockingDepth(self._portal, self._own.depth(contract, num_rows, is_smart_depth, strict=strict))

    # --- contracts

    @overload
    def qualify(self, contract: Contract, *, fresh: bool = False) -> Qualification: ...

    @overload
    def qualify(self, contract: Iterable[Contract], *, fresh: bool = False) -> list[Qualification]: ...

    def qualify(
        self, contract: Contract | Iterable[Contract], *, fresh: bool = False
    ) -> Qualification | list[Qualification]:
        """Say which contract a description means, as ``Client.qualify`` does."""
        if isinstance(contract, Contract):
            return self._portal.wait(self._own.qualify, contract, fresh=fresh)
        return self._portal.wait(self._own.qualify, list(contract), fresh=fresh)

    def option_chains(self, underlying: Contract, exchange: str = "") -> tuple[OptionChain, ...]:
        """Return the option chains on *underlying*, as ``Client.option_chains`` does."""
        return self._portal.wait(self._own.option_chains, underlying, exchange)

    def option_chain(self, underlying: Contract, exchange: str = "SMART", trading_class: str = "") -> OptionChain:
        """Return the option chain on *underlying* at *exchange*, as ``Client.option_chain`` does."""
        return self._portal.wait(self._own.option_chain, underlying, exchange, trading_class)

    def option_contracts(
        self,
        chain: OptionChain,
        expirations: Iterable[date | str] | None = None,
        strikes: Iterable[float] | None = None,
        right: Right | None = None,
    ) -> list[Qualified]:
        """Return the options of *chain* that are listed, as ``Client.option_contracts`` does."""
        return self._portal.wait(self._own.option_contracts, chain, expirations, strikes, right)

    def market_rules(self, details: ContractDetails) -> dict[str, MarketRule]:
        """Return the steps of a contract's prices, by exchange, as ``Client.market_rules`` does."""
        return self._portal.wait(self._own.market_rules, details)

    def round_price(
        self, contract: Qualified, price: float | Decimal, direction: Direction = "nearest", exchange: str = ""
    ) -> Decimal:
        """Return the price that an order for *contract* can have, as ``Client.round_price`` does."""
        return self._portal.wait(self._own.round_price, contract, price, direction, exchange)


class BlockingDepth:
    """A book for a ``with`` and a ``for`` statement: ``with tws.depth(contract) as books: for depth in books: ...``."""

    def __init__(self, portal: Portal, manager: AbstractAsyncContextManager[DepthStream]) -> None:
        self._portal = portal
        self._manager = manager
        self._stream: DepthStream | None = None

    def __enter__(self) -> Self:
        self._stream = self._portal.wait(self._manager.__aenter__)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._stream is not None and not self._portal.closed:
            self._portal.do(self._stream.events.close)

    def __iter__(self) -> Iterator[Depth]:
        return self

    def __next__(self) -> Depth:
        assert self._stream is not None, "a book is read inside of its block"
        return self._portal.wait(self._stream.receive)


@contextmanager
def blocking(
    host: str = "127.0.0.1",
    port: int = 7497,
    *,
    client_id: int = 0,
    connect_deadline: float = 10.0,
    max_server_version: int | None = None,
    pacer: Pacer | None = None,
    codes: Mapping[int, CodeRule] | None = None,
    trading: bool = False,
    simulate: bool | Scenario = False,
    backend: Literal["trio", "asyncio"] = "trio",
) -> Generator[BlockingClient]:
    """Connect to TWS or IB Gateway for the length of a block, in a program without an event loop::

        with blocking(port=7497, client_id=1) as tws:
            details = tws.contract_details(contract)

    It works in a notebook too, where a loop is running, and with Ctrl-C. Inside of ``async def`` use ``open_client``:
    this blocks the loop.

    Args:
      host: where TWS runs.
      port: its socket port.
      client_id: a number that no other connection to this TWS has.
      connect_deadline: the seconds that all of the start may take.
      max_server_version: the highest protocol version to offer.
      pacer: how many messages a second go out.
      codes: rules for TWS message codes, laid over the built-in table.
      trading: whether requests that spend money or change orders are allowed.
      simulate: connect to a simulated TWS instead, made for this block; ``True``, or its ``Scenario``.
      backend: on which event loop the client runs.

    Leaving ends what is open and waits until the connection and its thread have ended. What the block raises comes out
    as it is.

    Raises:
      RuntimeError: it was called in a Trio program.
      IBError: what ``open_client`` raises.
    """
    options: dict[str, Any] = {
        "client_id": client_id,
        "connect_deadline": connect_deadline,
        "max_server_version": max_server_version,
        "pacer": pacer,
        "codes": codes,
        "trading": trading,
    }
    if in_trio_run():  # whose thread a portal would not let in, and wait for
        raise RuntimeError("blocking() would stop the Trio program that it is called in; use open_client there")
    with start_blocking_portal(backend, name="trio_ibtws") as raw:
        portal = Portal(raw)
        with raw.wrap_async_context_manager(_opened(host, port, simulate, options)) as client:
            try:
                yield BlockingClient(portal, client, raw)
            finally:
                portal.closed = True


@asynccontextmanager
async def _opened(host: str, port: int, simulate: bool | Scenario, options: dict[str, Any]) -> AsyncGenerator[Client]:
    if simulate is False:
        async with open_client(host, port, **options) as client:
            yield client
        return
    scenario = simulate if isinstance(simulate, Scenario) else None
    async with open_simulator(port=None, scenario=scenario) as sim:
        async with open_client(stream=await sim.connect(), **options) as client:
            yield client
