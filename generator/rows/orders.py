"""Requests that place, change, cancel and list orders; several share the same callbacks, which are hand-written."""

from __future__ import annotations

from ..model import Family, Row

ORDERS = Family(
    "orders",
    "OrderRequests",
    "orders and executions",
    (
        Row(
            "placeOrder",
            "place",
            "Place an order, or modify the one whose id it carries; the stream tells what becomes of it.",
            items=("openOrder", "orderStatus", "execDetails", "commissionAndFeesReport", "orderBound"),
            yields="OrderEvent",
            key="orderId",
            orders=True,
            effect="trade",
            notes="``order.orderId == 0`` takes a new id, which the stream has as ``order_id``; the id of an order "
            "that this client placed modifies it.",
        ),
        Row(
            "exerciseOptions",
            "place",
            "Exercise (1) or lapse (2) options; the stream tells what becomes of it.",
            items=("openOrder", "orderStatus", "execDetails", "commissionAndFeesReport", "orderBound"),
            yields="OrderEvent",
            orders=True,
            effect="trade",
            notes="It takes an order id, which the stream has as ``order_id``. *override* 1 exercises even where TWS "
            "would not.",
        ),
        Row(
            "cancelOrder",
            "cancel_order",
            "Ask TWS to cancel an order; what becomes of it comes as an event of the order.",
            omitted=("manualCancelOrderTime",),
            orders=True,
            effect="trade",
        ),
        Row(
            "reqGlobalCancel",
            "send",
            "Ask TWS to cancel every open order of the account, whoever placed it.",
            orders=True,
            effect="trade",
        ),
        Row(
            "reqOpenOrders",
            "list",
            "Return the open orders of this client id.",
            items=("openOrder", "orderStatus"),
            end="openOrderEnd",
            yields="OpenOrder | OrderStatus",
            join="join_open_orders",
            notes="Client id 0 sees orders made in TWS too.",
        ),
        Row(
            "reqAllOpenOrders",
            "list",
            "Return the open orders of all client ids, and those made in TWS.",
            items=("openOrder", "orderStatus"),
            end="openOrderEnd",
            yields="OpenOrder | OrderStatus",
            join="join_open_orders",
        ),
        Row(
            "reqAutoOpenOrders",
            "send",
            "Let orders made in TWS get ids of this client, so that it can change them; for client id 0 only.",
            effect="session",
            notes="No answer of its own: ``order_events()`` brings the orders.",
        ),
        Row(
            "reqExecutions",
            "list",
            "Return the executions that fit a filter, those of today unless TWS is set to keep more.",
            items=("execDetails", "commissionAndFeesReport"),
            end="execDetailsEnd",
            yields="ExecDetails | CommissionAndFeesReport",
            join="join_commissions",
        ),
        Row(
            "reqCompletedOrders",
            "list",
            "Return the orders of today that are filled, cancelled or otherwise done.",
            items=("completedOrder",),
            end="completedOrdersEnd",
            notes="*api_only* leaves out the orders made in TWS.",
        ),
    ),
)
