"""Requests about orders and executions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from ._manual_orders import bind
from ._market_instrument import Instrument
from ._order_messages import NOT_CANCELLABLE, send_both, send_charge, send_completed, send_execution, send_order
from ._order_prices import commission_of
from ._order_rules import beyond_means, refusal, warning
from ._orders import Execution, Order, parts_of
from ._serve_contracts import instrument_for
from ._session import Handler, Session
from ._times import day_of, parse_time

__all__ = ["HANDLERS", "send_working"]

_NOT_CLIENT_0 = "Only API connections with clientId set to 0 can set the auto bind TWS orders property."
_MOST_DAYS = 7  # whose executions a gateway keeps
_GLOBAL_CANCEL_TAKES = 1.0  # seconds, as seen at gateways
_NO_FILL_OR_KILL = (
    "Order rejected - reason:The time-in-force FOK is invalid for this combination of exchange and security type."
)


def place_order(session: Session, values: dict[str, Any]) -> None:
    """Serve placeOrder: a new order, a change of one, or a question what it would cost."""
    order_id = values["orderId"]
    exchange = session.world.exchange
    known = exchange.find(session.client_id, order_id)
    if known is not None and known.status == "Filled":
        return  # TWS says nothing about a change that comes too late
    if order_id < exchange.next_order_id(session.client_id) and (known is None or known.done):
        session.error(order_id, 103, "Duplicate order id")
        return
    instrument = instrument_for(session, order_id, values["contract"])
    if instrument is None:
        return
    problem = refusal(values["order"], instrument, session.world.account, session.world.clock.now())
    problem = problem or exchange.conditions.problem(values["order"].get("conditions") or ())
    if problem is None and not (instrument.priced and instrument.has_quotes):
        problem = (201, "Order rejected - reason:No trading permissions.")
    if problem is not None:
        session.error(order_id, *problem)
        return
    if known is not None and not _is_change_of(known, values["order"], instrument):
        session.error(order_id, 105, "Order being modified does not match original order.")
        return
    order = _make(session, values, instrument, known)
    if values["order"]["whatIf"]:
        _preview(session, order)
    elif known is not None:
        exchange.modify(known, order)
    else:
        _submit(session, order)


def _is_change_of(known: Order, new: dict[str, Any], instrument: Instrument) -> bool:
    """Return whether an order with the id of a known one is that order with other prices or another size."""
    if known.stopped:
        new["orderType"] = known.kind  # it stays triggered
    same = (new["action"], new["orderType"]) == (known.values["action"], known.kind)
    return same and instrument == known.instrument and bool(new["totalQuantity"] > known.filled)


def _make(session: Session, values: dict[str, Any], instrument: Instrument, known: Order | None) -> Order:
    venue = str(values["contract"].get("exchange") or instrument.exchange).upper()
    return Order(
        client_id=session.client_id,
        order_id=values["orderId"],
        perm_id=session.world.exchange.next_perm_id() if known is None else known.perm_id,
        instrument=instrument,
        contract=_contract(values["contract"], instrument, venue),
        values=values["order"],
        account=session.world.account.name,
    )


def _contract(asked: dict[str, Any], instrument: Instrument, venue: str) -> dict[str, Any]:
    """Return the contract as it is echoed, a combo with its legs as they were given."""
    legs = {"comboLegs": asked["comboLegs"], "comboLegsDescrip": instrument.local_symbol} if instrument.legs else {}
    return {**instrument.contract(venue), **legs}


def _submit(session: Session, order: Order) -> None:
    exchange = session.world.exchange
    rejection = beyond_means(order.values, order.instrument, session.world.account)
    if order.values["tif"] == "FOK" and order.instrument.is_stock:
        rejection = (201, _NO_FILL_OR_KILL)
    if rejection is not None:
        exchange.reject(order)
        session.error(order.order_id, *rejection)
        send_both(session, order)
        return
    text = warning(order.values, order.instrument)
    if text:
        session.error(order.order_id, 399, f"Order Message:\n{text}")
    exchange.submit(order)


def _preview(session: Session, order: Order) -> None:
    """Answer a what-if order: one openOrder, or two when there is a warning, and no orderStatus."""
    text = warning(order.values, order.instrument)
    if text:
        send_order(session, order, {"warningText": text})
    send_order(session, order, _cost(session, order))


def _cost(session: Session, order: Order) -> dict[str, Any]:
    account, market = session.world.account, session.world.market
    before = account.margins()
    after = account.margins(order.instrument, order.quantity * order.sign)
    tick = market.tick(order.instrument, session.world.clock.now())
    price = Decimal(str(tick.ask if order.sign > 0 else tick.bid))
    fee = Decimal(0)
    for part in parts_of(order):
        paid = part.quantity * (price if part is order else session.world.mark(part.instrument))
        fee += commission_of(part, part.quantity, paid)
    figures: dict[str, str] = {}
    for name, old, new in (
        ("initMargin", before.initial, after.initial),
        ("maintMargin", before.maintenance, after.maintenance),
        ("equityWithLoan", before.equity, before.equity - fee),
    ):
        figures |= {f"{name}Before": str(old), f"{name}Change": str(new - old), f"{name}After": str(new)}
    return {**figures, "commission": float(fee), "commissionCurrency": order.instrument.currency}


def cancel_order(session: Session, values: dict[str, Any]) -> None:
    """Serve cancelOrder."""
    order_id = values["orderId"]
    order = session.world.exchange.find(session.client_id, order_id)
    if order is None:
        session.error(order_id, 10147, f"OrderId {order_id} that needs to be cancelled is not found.")
    elif order.done:
        text = f"OrderId {order_id} that needs to be cancelled cannot be cancelled, state: {order.status}."
        session.error(order_id, 10148, text)
    else:
        session.world.exchange.cancel(order)


def global_cancel(session: Session, _: dict[str, Any]) -> None:
    """Serve reqGlobalCancel: complaints about what is over already, and a second later everybody's orders go."""
    exchange = session.world.exchange
    for order in exchange.orders(session.client_id):
        if order.done:
            session.error(order.order_id, 161, f"{NOT_CANCELLABLE}{order.perm_id}")
    doomed = exchange.working()
    session.world.clock.call_later(_GLOBAL_CANCEL_TAKES, lambda: _cancel_all(session, doomed))


def _cancel_all(session: Session, doomed: Iterable[Order]) -> None:
    for order in doomed:
        if not order.done:
            session.world.exchange.cancel(order)


def send_working(session: Session, client_id: int | None) -> None:
    """Send the working orders of one client, or of all, and their end."""
    for order in session.world.exchange.working(client_id):
        send_both(session, order)
    session.send("openOrderEnd")


def open_orders(session: Session, _: dict[str, Any]) -> None:
    """Serve reqOpenOrders; for client 0 orders that were given by hand are bound."""
    if session.client_id == 0:
        bind(session)
    send_working(session, session.client_id)


def all_open_orders(session: Session, _: dict[str, Any]) -> None:
    """Serve reqAllOpenOrders."""
    send_working(session, None)


def auto_open_orders(session: Session, values: dict[str, Any]) -> None:
    """Serve reqAutoOpenOrders: bind what is given by hand from now on, for client 0; an error for all others."""
    if session.client_id != 0:
        session.error(-1, 327, _NOT_CLIENT_0)
        return
    session.world.auto_bind = bool(values["bAutoBind"])


def completed_orders(session: Session, _: dict[str, Any]) -> None:
    """Serve reqCompletedOrders: everybody's orders that are done, and their end."""
    for order in session.world.exchange.orders():
        if order.done:
            send_completed(session, order)
    session.send("completedOrdersEnd")


def executions(session: Session, values: dict[str, Any]) -> None:
    """Serve reqExecutions: those that fit the filter, then the commission of each, and the end."""
    request = values["reqId"]
    wanted = values["execFilter"]
    days = _days(wanted, session.world.today())
    found = [
        each
        for each in session.world.exchange.executions
        if f"{day_of(each.at):%Y%m%d}" in days and _fits(each, wanted)
    ]
    for execution in found:
        send_execution(session, execution, request)
    for execution in found:
        if not execution.of_combo:
            send_charge(session, execution)
    session.send("execDetailsEnd", reqId=request)


def _days(wanted: dict[str, Any], today: date) -> set[str]:
    """Return the days whose executions are wanted: today, unless the filter names others."""
    dates, last = wanted.get("specificDates"), wanted.get("lastNDays") or 1
    if dates:
        return {str(day) for day in dates}
    return {f"{today - timedelta(days=ago):%Y%m%d}" for ago in range(min(max(last, 1), _MOST_DAYS))}


def _fits(execution: Execution, wanted: dict[str, Any]) -> bool:
    order = execution.order
    own = {
        "clientId": order.client_id,
        "acctCode": order.account,
        "symbol": order.instrument.symbol,
        "secType": order.instrument.sec_type,
        "exchange": execution.exchange,
        "side": order.values["action"],
    }
    if any(wanted[name] and wanted[name] != value for name, value in own.items()):
        return False
    since = parse_time(wanted["time"]) if wanted["time"] else None
    return since is None or execution.at >= since


HANDLERS: dict[str, Handler] = {
    "placeOrder": place_order,
    "cancelOrder": cancel_order,
    "reqGlobalCancel": global_cancel,
    "reqOpenOrders": open_orders,
    "reqAllOpenOrders": all_open_orders,
    "reqAutoOpenOrders": auto_open_orders,
    "reqExecutions": executions,
    "reqCompletedOrders": completed_orders,
}
