"""The exercise of options, within the limits of a book.

TWS knows no reference for it, so that nothing keeps one from being sent twice but the one who sends it: it is not in
the journal, and its outcome is TWS's first word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from .._runtime._events import ExecDetails, OpenOrder, OrderStatus
from ..errors import ClientClosed, ConnectionLost, InvalidRequest, RequestError
from ._dealer import Dealer, book_closed
from ._states import Accepted, PlaceOutcome, Rejected, Unknown

if TYPE_CHECKING:
    from ibapi.contract import Contract

    from .._client import Client

__all__ = ["exercise"]


async def exercise(
    client: Client, dealer: Dealer, contract: Contract, action: int, quantity: int, *others: Any
) -> PlaceOutcome:
    """Send the instruction and return what TWS says first; raises as ``OrderBook.exercise_options``."""
    if dealer.closed:
        raise book_closed()
    if action not in (1, 2):
        raise InvalidRequest("exercise_action", f"{action!r} is neither 1 (exercise) nor 2 (lapse). Nothing was sent")
    if type(quantity) is not int or quantity < 1:
        raise InvalidRequest("exercise_quantity", f"{quantity!r} is no number of contracts. Nothing was sent")
    now = anyio.current_time()
    dealer.watchman.check_exercise(contract, quantity, now)
    async with client.exercise_options(contract, action, quantity, *others) as events:
        dealer.watchman.sent(1, now)
        try:
            with anyio.move_on_after(dealer.answer_within):
                async for event in events:
                    accepted = _shown(event)
                    if accepted is not None:
                        return accepted
        except RequestError as error:
            return Rejected(events.order_id, error.code, error.message, error.advanced_reject)
        except (ConnectionLost, ClientClosed) as error:
            return Unknown(events.order_id, "", str(error))
        return Unknown(events.order_id, "", f"no answer within {dealer.answer_within:g} s")


def _shown(event: Any) -> Accepted | None:
    """Return that TWS has the order, if *event* says so."""
    if isinstance(event, OpenOrder):
        return Accepted(event.order_id, event.order.permId, event.order.orderRef)
    if isinstance(event, OrderStatus):
        return Accepted(event.order_id, event.perm_id, "")
    if isinstance(event, ExecDetails):
        return Accepted(event.execution.orderId, event.execution.permId, event.execution.orderRef)
    return None
