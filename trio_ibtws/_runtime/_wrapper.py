"""The callbacks that are written by hand: errors, the session's own facts, and orders.

The generated ``Wrapper`` adds one method for every other callback of every release. Here are those whose shape
differs between releases or that belong to more than one request.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from ibapi.wrapper import EWrapper

from ._compat import callback_parameters, error_arguments, require_callback
from ._events import CommissionAndFeesReport, Event, ExecDetails, OpenOrder, OrderBound, OrderStatus
from ._fast import unheard
from ._values import integer, number, order_id, size

if TYPE_CHECKING:
    from decimal import Decimal

    from ibapi.contract import Contract
    from ibapi.execution import Execution
    from ibapi.order import Order
    from ibapi.order_state import OrderState

    from ._request import Request
    from ._router import Router

__all__ = ["Recorder", "SessionWrapper"]


class Recorder:
    """Keeps what the wrapper says while one frame is decoded, so that a damaged frame delivers nothing of itself.

    It has the methods of ``Router`` that the wrapper calls. What is kept is a function and its two arguments, which
    for an item, of which there are thousands a second, are those of ``Router.item``.
    """

    def __init__(self, router: Router) -> None:
        self.calls: list[tuple[Callable[[Any, Any], None], Any, Any]] = []
        self._router = router
        self.item: Callable[[Any, Any], None] = _recording(router.item, self.calls.append)

    def __len__(self) -> int:
        return len(self.calls)

    def items(self, *arguments: Any) -> None:
        self.calls.append((_call, self._router.items, arguments))

    def end(self, *arguments: Any) -> None:
        self.calls.append((_call, self._router.end, arguments))

    def error(self, *arguments: Any) -> None:
        self.calls.append((_call, self._router.error, arguments))

    def session(self, deliver: Callable[..., None], *arguments: Any) -> None:
        """Keep a call of another method of the router."""
        self.calls.append((_call, deliver, arguments))

    def replay(self) -> None:
        """Make the calls, and forget them."""
        try:
            for deliver, key, event in self.calls:
                deliver(key, event)
        finally:
            self.calls.clear()


def _call(deliver: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    deliver(*arguments)


def _recording(deliver: Callable[[Any, Any], None], record: Callable[[Any], None]) -> Callable[[Any, Any], None]:
    """Return what keeps a call of *deliver*; a function that looks nothing up, as every event goes through it."""

    def recording(key: Any, event: Any) -> None:
        record((deliver, key, event))

    return recording


_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_REQUEST_ID_PARAMETERS = (("reqId",), ("requestId",), ("tickerId",))


def event_maker(name: str, fields: tuple[str, ...]) -> Callable[[tuple[Any, ...]], Any]:
    """Return what makes an event of a callback's values: the value itself if it is one, else a struct."""
    if len(fields) <= 1:
        return lambda values: values[0] if values else None
    snake_case = [_WORD.sub("_", field).lower() for field in fields]
    struct = msgspec.defstruct(name[0].upper() + name[1:], snake_case, bases=(Event,), frozen=True)
    return lambda values: struct(*values)


class SessionWrapper(EWrapper):
    """What every connection hears, whatever it asked for."""

    def __init__(self, router: Router) -> None:
        super().__init__()
        self.router: Recorder = Recorder(router)
        self._session = router

    def deliver_at_once(self) -> None:
        """Tell the router directly: a tick is decoded before anything is said of it, and need not be recorded."""
        self.router = self._session  # type: ignore[assignment]  # of whose methods a tick calls one, ``item``

    def listen(self, request: Request[Any]) -> None:
        """Hear the callbacks of a request made at run time, those that no method of this class hears already."""
        for name in request.items:
            self._hear(request, name, self.router.item)
        if request.end is not None:
            self._hear(request, request.end, self.router.end)

    def _hear(self, request: Request[Any], name: str, deliver: Callable[..., None]) -> None:
        require_callback(request.method, name)
        if getattr(type(self), name) not in (getattr(EWrapper, name), unheard):
            return
        parameters = callback_parameters(name)
        keyed = parameters[:1] in _REQUEST_ID_PARAMETERS
        make = event_maker(name, parameters[1:] if keyed else parameters)

        def heard(*arguments: Any) -> None:
            key, values = (arguments[0], arguments[1:]) if keyed else (request.key, arguments)
            deliver(key, make(values))

        setattr(self, name, heard)

    def error(self, *arguments: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.router.error(*error_arguments(arguments))

    def nextValidId(self, orderId: int) -> None:
        self.router.session(self._session.next_valid_id, orderId)

    def managedAccounts(self, accountsList: str) -> None:
        self.router.session(self._session.managed_accounts, accountsList)

    def openOrder(self, orderId: int, contract: Contract, order: Order, orderState: OrderState) -> None:
        self.router.session(self._session.open_order, OpenOrder(orderId, contract, order, orderState))

    def orderStatus(
        self,
        orderId: int,
        status: str,
        filled: Decimal,
        remaining: Decimal,
        avgFillPrice: float,
        permId: int,
        parentId: int,
        lastFillPrice: float,
        clientId: int,
        whyHeld: str,
        mktCapPrice: float,
    ) -> None:
        event = OrderStatus(
            order_id(orderId),
            status,
            size(filled),
            size(remaining),
            number(avgFillPrice),
            order_id(permId),
            order_id(parentId),
            number(lastFillPrice),
            order_id(clientId),
            whyHeld,
            number(mktCapPrice),
        )
        self.router.session(self._session.order_status, event)

    def execDetails(self, reqId: int, contract: Contract, execution: Execution) -> None:
        self.router.session(self._session.exec_details, reqId, ExecDetails(contract, execution))

    def commissionReport(self, commissionReport: Any) -> None:
        """The name up to ibapi 10.30."""
        self._commission(commissionReport, commissionReport.commission)

    def commissionAndFeesReport(self, commissionAndFeesReport: Any) -> None:
        """The name from ibapi 10.37 on."""
        self._commission(commissionAndFeesReport, commissionAndFeesReport.commissionAndFees)

    def _commission(self, report: Any, commission: float) -> None:
        event = CommissionAndFeesReport(
            report.execId,
            number(commission),
            report.currency,
            number(report.realizedPNL),
            number(report.yield_),
            integer(report.yieldRedemptionDate) or None,
        )
        self.router.session(self._session.commission, event)

    def orderBound(self, *ids: int) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Up to ibapi 10.30 the first parameter is called reqId; it is the permId all the same."""
        self.router.session(self._session.order_bound, OrderBound(*map(order_id, ids)))

    def tickPriceProtoBuf(self, tickPriceProto: Any) -> None:
        """The decoder calls this first and reads the message then: without a mask it would set all three flags."""
        if not tickPriceProto.HasField("attrMask"):
            tickPriceProto.attrMask = 0

    def winError(self, text: str, lastError: int) -> None:
        """Only ibapi's own socket on Windows calls this, and it is not in use."""

    def connectAck(self) -> None:
        """Only ``EClient.connect`` calls this, and it is not in use."""

    def connectionClosed(self) -> None:
        """Only ``EClient.disconnect`` calls this, and it is not in use."""
