"""What clients are told about orders: the exchange's events as messages to the client that owns the order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ._market_series import NEW_YORK
from ._orders import Execution, Order
from ._session import Session
from ._times import long_time
from ._world import World

__all__ = ["NOT_CANCELLABLE", "OrderNews", "send_both", "send_charge", "send_completed", "send_execution", "send_order"]

NOT_CANCELLABLE = "Cancel attempted when order is not in a cancellable state.  Order permId ="
_LIQUIDITY_REMOVED = 2


def _order_values(order: Order) -> dict[str, Any]:
    """Return an order's attributes as TWS echoes them: client defaults that mean nothing are left out."""
    sent = order.values
    values = {
        **sent,
        "orderId": order.order_id,
        "filledQuantity": order.filled,
        "account": order.account,
        "clientId": order.client_id,
        "permId": order.perm_id,
        "lmtPrice": order.limit if sent.get("lmtPriceOffset") and order.limit else sent.get("lmtPrice"),
        "displaySize": sent.get("displaySize") or None,
        "openClose": "",
        "ocaGroup": order.oca_group,
        "ocaType": sent.get("ocaType") or None,
        "tif": sent.get("tif") or "DAY",
        "sharesAllocation": f"{order.perm_id}.0/{order.account}/{order.quantity.normalize():f}",
        "dontUseAutoPriceForHedge": sent.get("dontUseAutoPriceForHedge") or None,
    }
    for name in ("triggerPrice", "lmtPriceOffset", "adjustedStopPrice", "adjustedStopLimitPrice", "cashQty"):
        values[name] = sent.get(name) or None
    return values


def send_order(session: Session, order: Order, state: dict[str, Any] | None = None) -> None:
    """Send openOrder."""
    shown = {"status": order.status, **(state or _charged(order))}
    values = _order_values(order)
    session.send("openOrder", orderId=order.shown_id, contract=order.contract, order=values, orderState=shown)


def _charged(order: Order) -> dict[str, Any]:
    if order.status != "Filled":
        return {}
    return {"commission": float(order.commission), "commissionCurrency": order.instrument.currency}


def send_completed(session: Session, order: Order) -> None:
    """Send completedOrder."""
    filled = f"{order.filled.normalize():f}"
    values = {**_order_values(order), "totalQuantity": 0, "filledQuantity": order.filled}
    values |= {"autoCancelDate": "", "parentPermId": order.parent.perm_id if order.parent else None}
    session.send(
        "completedOrder",
        contract=order.contract,
        order=values,
        orderState={
            "status": order.status,
            "completedTime": long_time(order.ended, session.version),
            "completedStatus": f"Filled Size: {filled}" if order.status == "Filled" else "Cancelled by Trader",
            **_charged(order),
        },
    )


def send_status(session: Session, order: Order) -> None:
    """Send orderStatus."""
    session.send(
        "orderStatus",
        orderId=order.shown_id,
        status=order.status,
        filled=order.filled,
        remaining=order.remaining,
        avgFillPrice=float(round(order.average, 8)),
        permId=order.perm_id,
        parentId=order.values.get("parentId"),
        lastFillPrice=float(order.last_price),
        clientId=order.client_id,
        whyHeld=order.why_held,
    )


def send_both(session: Session, order: Order) -> None:
    """Send openOrder and orderStatus, which come as a pair."""
    send_order(session, order)
    send_status(session, order)


def send_execution(session: Session, execution: Execution, request: int = -1) -> None:
    """Send execDetails; live ones have no request id."""
    order = execution.order
    session.send(
        "execDetails",
        reqId=request,
        orderId=order.shown_id,
        contract={**order.contract, "exchange": execution.exchange},
        execution={
            "execId": execution.exec_id,
            "time": long_time(execution.at, session.version),
            "acctNumber": order.account,
            "exchange": execution.exchange,
            "side": "BOT" if order.sign > 0 else "SLD",
            "shares": execution.quantity,
            "price": float(execution.price),
            "permId": order.perm_id,
            "clientId": order.client_id,
            "cumQty": execution.total,
            "avgPrice": float(round(execution.average, 8)),
            "orderRef": order.values.get("orderRef"),
            "lastLiquidity": _LIQUIDITY_REMOVED,
        },
    )


def send_charge(session: Session, execution: Execution) -> None:
    """Send commissionReport."""
    session.send(
        "commissionReport",
        execId=execution.exec_id,
        commission=float(execution.commission),
        currency=execution.order.instrument.currency,
        realizedPNL=None if execution.realized is None else float(execution.realized),
    )


class OrderNews:
    """Tells the owner of an order what happens to it, and everybody who follows the account about trades."""

    def __init__(self, world: World, traded: Callable[[Execution], None]) -> None:
        self._world = world
        self._traded = traded

    def _owner(self, order: Order) -> Session | None:
        return self._world.sessions.get(order.client_id) if order.bound else None

    def _told(self, order: Order) -> list[Session]:
        """Return who is told of an order: its owner, and the master client, who is told of all."""
        master_id = self._world.scenario.master_client_id
        master = None if master_id is None else self._world.sessions.get(master_id)
        owner = self._owner(order)
        return [each for each in dict.fromkeys((owner, master)) if each is not None]

    def shown(self, order: Order) -> None:
        """Tell the whole state of an order."""
        for session in self._told(order):
            send_both(session, order)

    def status(self, order: Order) -> None:
        """Tell the status of an order."""
        for session in self._told(order):
            send_status(session, order)

    def executed(self, execution: Execution) -> None:
        """Tell a fill."""
        for session in self._told(execution.order):
            send_execution(session, execution)

    def charged(self, execution: Execution) -> None:
        """Tell a commission, and then the account; a combo's are its legs'."""
        if execution.of_combo:
            return
        for session in self._told(execution.order):
            send_charge(session, execution)
        self._traded(execution)

    def cancelled(self, order: Order) -> None:
        """Tell that an order was cancelled, which is an error by IB's book."""
        if (session := self._owner(order)) is not None:
            session.error(order.order_id, 202, "Order Canceled - reason:")

    def discarded(self, order: Order) -> None:
        """Tell that an order which was never transmitted is gone."""
        if (session := self._owner(order)) is not None:
            session.error(order.order_id, 202, "Order Canceled - reason:Order was discarded")
            session.error(order.order_id, 161, f"{NOT_CANCELLABLE}{order.perm_id}")

    def held_until_open(self, order: Order, opens: float) -> None:
        """Warn that an order waits for its market, unless it is good for longer than a day."""
        session = self._owner(order)
        if session is None or order.tif == "GTC":
            return
        quantity = f"{order.quantity.normalize():f}"
        what = f"{order.values['action']} {quantity} {order.instrument.symbol} {order.instrument.local_venue}"
        when = f"{datetime.fromtimestamp(opens, NEW_YORK):%Y-%m-%d %H:%M:%S} US/Eastern"
        text = f"Order Message:\n{what}\nWarning: Your order will not be placed at the exchange until {when}."
        session.error(order.order_id, 399, text)
