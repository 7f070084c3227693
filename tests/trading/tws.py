"""A TWS for tests of orders: its ledger is the truth that a book is held against.

What it has to say waits in a queue for each connection, so that a test can hold it back, repeat it, or lose it with the
connection. It keeps its orders when a client goes, as TWS does. Server version 157, which every ibapi speaks.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import Any

import anyio
from anyio.abc import TaskGroup

from tests.peer import TEXT, text
from trio_ibtws._runtime._framing import FrameBuffer, frame
from trio_ibtws.simulator._codec import Message, decode_request, encode_answer
from trio_ibtws.simulator._memory import MemoryStream, memory_connection

CLIENT_ID = 7
ACCOUNT = "DU1"
OVER = ("Filled", "Cancelled", "Inactive")


_NOTHING_TO_TELL = {
    "reqCurrentTime": [text(49, 1, 1)],
    "reqPositions": [text(62, 1)],
    "reqAccountUpdates": [text(54, 1, ACCOUNT)],
}


class Execution:
    """A fill in the ledger, as it is now."""

    def __init__(self, base: str, quantity: Decimal, price: float, account: str = ACCOUNT) -> None:
        self.base = base
        self.account = account
        self.revision = 1
        self.quantity = quantity
        self.price = price
        self.commission = 1.0

    @property
    def exec_id(self) -> str:
        return f"{self.base}.{self.revision:02d}"


class Order:
    """An order in the ledger."""

    def __init__(self, values: dict[str, Any], perm_id: int) -> None:
        self.order_id: int = values["orderId"]
        self.contract: dict[str, Any] = values["contract"]
        self.values: dict[str, Any] = values["order"]
        self.ref: str = self.values["orderRef"]
        self.perm_id = perm_id
        self.client_id = CLIENT_ID
        self.status = "PreSubmitted"
        self.executions: list[Execution] = []

    @property
    def quantity(self) -> Decimal:
        return Decimal(self.values["totalQuantity"])

    @property
    def filled(self) -> Decimal:
        return sum((each.quantity for each in self.executions), Decimal(0))

    @property
    def over(self) -> bool:
        return self.status in OVER


class Tws:
    """The ledger, and the connection of the one client that it has at a time."""

    def __init__(self, *, automatic: bool = False, order_id: int = 1) -> None:
        self.automatic = automatic
        self.orders: dict[str, Order] = {}
        self.sent_refs: list[str] = []
        self.new_ids: list[int] = []
        self.requests: deque[dict[str, Any]] = deque()
        self.outgoing: deque[bytes] = deque()
        self.next_valid_id = order_id
        self.rolled_back = 0
        self.refused_lists = False
        self.refused_open = False
        self.violations: list[str] = []
        self._now: list[bytes] = []
        self._perm_ids = 900_000
        self._exec_ids = 0
        self._stream: MemoryStream | None = None
        self._sending = anyio.Lock()

    # --- connections

    def connect(self, tasks: TaskGroup) -> MemoryStream:
        """Return the client's end of a new connection."""
        ours, theirs = memory_connection()
        self._stream = theirs
        self.outgoing.clear()
        tasks.start_soon(self._serve, theirs)
        return ours

    async def cut(self) -> None:
        """End the connection: what was not delivered is lost, and so is what was not read."""
        if self._stream is not None:
            await anyio.aclose_forcefully(self._stream)
            self._stream = None
        self.requests.clear()
        self.outgoing.clear()
        self._now.clear()

    async def _serve(self, stream: MemoryStream) -> None:
        frames = FrameBuffer()
        try:
            assert await stream.receive(4) == b"API\0"
            greeted = False
            while True:
                frames.receive_data(await stream.receive())
                while (body := frames.next_frame()) is not None:
                    if not greeted:
                        greeted = True
                        await stream.send(frame(b"%d\0" % TEXT + b"20231021 13:28:15 EST\0"))
                    else:
                        self._take(decode_request(body, TEXT))
                await self._deliver_lists(stream)
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return
        except Exception as exc:
            self.violations.append(f"the TWS of this test failed: {exc!r}")

    def _take(self, request: Message) -> None:
        if request.name == "startApi":
            self.say_now(text(15, 1, ACCOUNT), text(9, 1, max(1, self.next_valid_id - self.rolled_back)))
        elif request.name in ("placeOrder", "cancelOrder", "reqGlobalCancel"):
            self.requests.append({"name": request.name, **request.values})
            if self.automatic:
                self.read_request()
        elif request.name in ("reqAllOpenOrders", "reqOpenOrders"):
            self._flush_first()
            if self.refused_open:
                self.say_now(text(4, 2, -1, 321, "The API interface is currently in Read-Only mode."))
            else:
                self.say_now(*self.open_orders(), self.encoded("openOrderEnd"))
        elif request.name == "reqExecutions":
            self._flush_first()
            self.say_now(*self.executions(request.values["reqId"]))
        elif request.name == "reqCompletedOrders":
            self._flush_first()
            if self.refused_lists:
                self.say_now(text(4, 2, -1, 321, "The API interface is currently in Read-Only mode."))
            else:
                self.say_now(*self.completed_orders(), self.encoded("completedOrdersEnd"))
        else:
            self.say_now(*_NOTHING_TO_TELL.get(request.name, ()))

    def _flush_first(self) -> None:
        """TWS's messages come in order: what it had said before it read a request comes before the answer."""
        while self.outgoing:
            self.say_now(self.outgoing.popleft())

    def say_now(self, *frames: bytes) -> None:
        self._now += frames

    async def _deliver_lists(self, stream: MemoryStream) -> None:
        waiting, self._now = self._now, []
        if self.automatic:
            waiting += self.outgoing
            self.outgoing.clear()
        if waiting:
            await self._send(stream, b"".join(waiting))

    async def deliver(self, count: int = 1_000_000) -> None:
        """Send the next messages."""
        while self._stream is not None and self.outgoing and count > 0:
            count -= 1
            await self._send(self._stream, self.outgoing.popleft())

    async def _send(self, stream: MemoryStream, data: bytes) -> None:
        async with self._sending:
            await stream.send(data)

    # --- what TWS does

    def read_request(self) -> None:
        """Do what the client asked for next."""
        if not self.requests:
            return
        request = self.requests.popleft()
        if request["name"] == "placeOrder":
            self._place(request)
        elif request["name"] == "cancelOrder":
            self._cancel(request["orderId"])
        else:
            for order in list(self.orders.values()):
                if not order.over:
                    self.cancel(order)

    def _place(self, request: dict[str, Any]) -> None:
        known = self._numbered(request["orderId"])
        if known is not None:
            if not known.over and Decimal(request["order"]["totalQuantity"]) > known.filled:
                known.values = request["order"]
                self.show(known)
            return
        if request["orderId"] < self.next_valid_id:
            self.violations.append(f"order id {request['orderId']} was used before")
        self.new_ids.append(request["orderId"])
        self.next_valid_id = request["orderId"] + 1
        self.sent_refs.append(request["order"]["orderRef"])
        self._perm_ids += 1
        order = Order(request, self._perm_ids)
        self.orders[order.ref] = order
        if order.values["orderType"] == "MKT" and self.automatic:
            self.show(order)
            self.fill(order, order.quantity)
        else:
            self.show(order)

    def _numbered(self, order_id: int) -> Order | None:
        own = (each for each in self.orders.values() if each.client_id == CLIENT_ID)
        return next((each for each in own if each.order_id == order_id), None)

    def _cancel(self, order_id: int) -> None:
        order = self._numbered(order_id)
        if order is None:
            self.error(order_id, 10147, f"OrderId {order_id} that needs to be cancelled is not found.")
        elif order.over:
            self.error(order_id, 10148, f"OrderId {order_id} cannot be cancelled, state: {order.status}.")
        else:
            self.cancel(order)

    def cancel(self, order: Order) -> None:
        order.status = "Cancelled"
        self.outgoing.append(self._status(order))
        self.error(order.order_id, 202, "Order Canceled - reason:")

    def reject(self, order: Order, code: int = 201) -> None:
        order.status = "Inactive"
        self.error(order.order_id, code, "Order rejected - reason:no")
        self.show(order)

    def error(self, about: int, code: int, message: str) -> None:
        self.outgoing.append(text(4, 2, about, code, message))

    def fill(self, order: Order, quantity: Decimal, price: float = 10.0) -> None:
        self._exec_ids += 1
        execution = Execution(f"0000e0d5.{order.perm_id:08x}.{self._exec_ids:02d}", quantity, price)
        order.executions.append(execution)
        if order.filled >= order.quantity:
            order.status = "Filled"
        else:
            order.status = "Submitted"
        self.outgoing.extend([self._execution(order, execution), self._status(order), self._charge(execution)])

    def fill_for(self, order: Order, account: str, quantity: Decimal, price: float = 10.0) -> Execution:
        """Tell of an execution of one account; of an order for several the ledger is left alone."""
        self._exec_ids += 1
        execution = Execution(f"0000e0d5.{order.perm_id:08x}.{self._exec_ids:02d}", quantity, price, account)
        self.outgoing.extend([self._execution(order, execution), self._charge(execution)])
        return execution

    def correct(self, order: Order, execution: Execution, price: float) -> None:
        execution.revision += 1
        execution.price = price
        self.outgoing.extend([self._execution(order, execution), self._charge(execution)])

    def show(self, order: Order) -> None:
        self.outgoing.extend([self._open(order), self._status(order)])

    # --- messages

    def encoded(self, name: str, **values: Any) -> bytes:
        return frame(encode_answer(Message(name, values), TEXT))

    def _open(self, order: Order) -> bytes:
        values = {**order.values, "clientId": order.client_id, "permId": order.perm_id, "account": ACCOUNT}
        for name in ("triggerPrice", "lmtPriceOffset", "adjustedStopPrice", "adjustedStopLimitPrice", "cashQty"):
            values[name] = None
        state = {"status": order.status}
        return self.encoded(
            "openOrder", orderId=order.order_id, contract=order.contract, order=values, orderState=state
        )

    def _status(self, order: Order) -> bytes:
        return self.encoded(
            "orderStatus",
            orderId=order.order_id,
            status=order.status,
            filled=order.filled,
            remaining=order.quantity - order.filled,
            avgFillPrice=0.0,
            permId=order.perm_id,
            parentId=0,
            lastFillPrice=0.0,
            clientId=order.client_id,
            whyHeld="",
        )

    def _execution(self, order: Order, execution: Execution, request: int = -1) -> bytes:
        return self.encoded(
            "execDetails",
            reqId=request,
            orderId=order.order_id,
            contract=order.contract,
            execution={
                "execId": execution.exec_id,
                "time": "20240101  10:00:00",
                "acctNumber": execution.account,
                "exchange": "ISLAND",
                "side": "BOT",
                "shares": execution.quantity,
                "price": execution.price,
                "permId": order.perm_id,
                "clientId": order.client_id,
                "cumQty": order.filled,
                "avgPrice": execution.price,
                "orderRef": order.ref,
            },
        )

    def _charge(self, execution: Execution) -> bytes:
        return self.encoded(
            "commissionReport", execId=execution.exec_id, commission=execution.commission, currency="USD"
        )

    # --- lists

    def open_orders(self) -> list[bytes]:
        return [
            part
            for order in self.orders.values()
            if not order.over
            for part in (self._open(order), self._status(order))
        ]

    def executions(self, request: int) -> list[bytes]:
        rows = []
        for order in self.orders.values():
            for execution in order.executions:
                rows += [self._execution(order, execution, request), self._charge(execution)]
        return [*rows, self.encoded("execDetailsEnd", reqId=request)]

    def completed_orders(self) -> list[bytes]:
        return [self._completed(order) for order in self.orders.values() if order.over]

    def _completed(self, order: Order) -> bytes:
        values = {**order.values, "permId": order.perm_id, "account": ACCOUNT, "filledQuantity": order.filled}
        values |= {"lmtPriceOffset": None, "cashQty": None, "autoCancelDate": "", "parentPermId": None}
        state = {"status": order.status, "completedTime": "", "completedStatus": ""}
        return self.encoded("completedOrder", contract=order.contract, order=values, orderState=state)
