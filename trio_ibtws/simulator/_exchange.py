"""The exchange: every client's orders, when each may trade, and what happens to it.

It says what happens as events to one listener and knows nothing of messages. An order passes through ``submit`` (it
is known), ``_transmit`` (it is sent, with those that waited for it), ``_activate`` (it may trade) and ``_on_tick``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import count
from typing import Protocol

from ._accounts import Account
from ._clock import Clock
from ._fills import Fills
from ._market import Market, Tick
from ._market_instrument import Instrument
from ._order_conditions import Conditions
from ._order_listener import Listener
from ._order_prices import marketable_price, triggered
from ._orders import Execution, Order
from ._ticker import Ticker
from ._times import parse_time

__all__ = ["Exchange", "Tickers"]

_FIRST_PERM_ID = 900_000_001


class Tickers(Protocol):
    """Where the beat of a market is to be had."""

    def ticker(self, instrument: Instrument) -> Ticker:
        """Return the beat of an instrument's market."""
        ...


class Exchange:
    """The orders of all clients."""

    def __init__(
        self,
        clock: Clock,
        market: Market,
        account: Account,
        tickers: Tickers,
        by_id: Callable[[int], Instrument | None],
    ) -> None:
        self._clock = clock
        self._market = market
        self._fills = Fills(clock, market, account)
        self.conditions: Conditions = Conditions(clock, market, account, by_id, self._fills.executions)
        self._tickers = tickers
        self._next_ids: dict[int, int] = {}
        self._perm_ids = count(_FIRST_PERM_ID)
        self._orders: list[Order] = []
        self._by_id: dict[tuple[int, int], list[Order]] = {}
        self.forks: int = 0
        """How many of the next changes of orders make another order, and leave the first as it is."""
        self.listener: Listener

    # --- what is known -------------------------------------------------------------------------------------------

    @property
    def executions(self) -> list[Execution]:
        """All executions, in the order in which they happened."""
        return self._fills.executions

    def next_order_id(self, client_id: int) -> int:
        """Return the lowest order id that a client may use."""
        return self._next_ids.get(client_id, 1)

    def next_perm_id(self) -> int:
        """Return a new permanent id."""
        return next(self._perm_ids)

    def find(self, client_id: int, order_id: int) -> Order | None:
        """Return a client's order: of several with one id the newest that is not done, or the newest."""
        found = self._by_id.get((client_id, order_id), [])
        return next((each for each in reversed(found) if not each.done), found[-1] if found else None)

    def orders(self, client_id: int | None = None) -> list[Order]:
        """Return the orders of one client, or of all, in the order in which they came."""
        return [each for each in self._orders if client_id is None or each.client_id == client_id]

    def working(self, client_id: int | None = None) -> list[Order]:
        """Return those that were sent and are not done."""
        return [each for each in self.orders(client_id) if each.transmitted and not each.done]

    # --- from the client -----------------------------------------------------------------------------------------

    def submit(self, order: Order) -> None:
        """Take a new order; it is only kept when it must not be transmitted yet."""
        self._know(order)
        parent_id = order.values.get("parentId")
        order.parent = self.find(order.client_id, parent_id) if parent_id else None
        if order.values["transmit"]:
            self._transmit_family(order)

    def _know(self, order: Order) -> None:
        self._orders.append(order)
        self._by_id.setdefault(order.key, []).append(order)
        self._next_ids[order.client_id] = max(self.next_order_id(order.client_id), order.order_id + 1)

    def _transmit_family(self, order: Order) -> None:
        """Send an order, its parent, and the parent's other children, all that were waiting."""
        head = order.parent or order
        family = [each for each in self.orders(order.client_id) if each is head or each.parent is head]
        for each in family:
            if not each.transmitted and not each.done:
                self._transmit(each)

    def _transmit(self, order: Order) -> None:
        order.transmitted = True
        order.began = self._clock.now()
        if order.parent is not None and order.parent.status != "Filled":
            order.why_held = "child,trigger" if order.waits else "child"
            self.listener.shown(order)
        else:
            self._begin(order)

    def _begin(self, order: Order) -> None:
        """Let an order trade, now or as soon as it may.

        What the market does at ``goodAfterTime`` is asked then, not before: it may be a thousand years ahead.
        """
        now = self._clock.now()
        after = parse_time(order.values.get("goodAfterTime") or "") or now
        if order.done or order.active:
            return
        if after > now:
            self._hold(order, after, self._begin)
        elif order.tif == "OPG" or not self._market.is_open(order.instrument, now):
            self._hold(order, self._market.next_open(order.instrument, now), self._activate)
        else:
            self._activate(order)

    def _hold(self, order: Order, until: float, then: Callable[[Order], None]) -> None:
        order.why_held = "trigger" if order.waits else ""
        self.listener.held_until_open(order, until)
        self.listener.shown(order)
        self._clock.call_at(until, lambda: then(order))

    def _activate(self, order: Order) -> None:
        """Let an order trade from the next tick on."""
        if order.done or order.active:
            return
        order.active = True
        rests = order.waits or order.at_close or order.waits_for_conditions
        order.why_held = "trigger" if order.waits else ""
        if rests or order.repeats:
            order.status = "PreSubmitted"
            self.listener.shown(order)
        if not rests:
            order.status = "Submitted"
            self.listener.shown(order)
        self._tickers.ticker(order.instrument).add(order.perm_id, lambda tick: self._on_tick(order, tick))
        ends = self._ends(order)
        if ends is not None:
            self._clock.call_at(ends, lambda: self._expire(order))

    def _ends(self, order: Order) -> float | None:
        """Return when an order ends that was not filled, or ``None``: never."""
        if order.tif == "GTD":
            return parse_time(order.values["goodTillDate"])
        return None if order.tif == "GTC" and not order.at_close else self._day_ends(order.instrument)

    def _day_ends(self, instrument: Instrument) -> float:
        return self._market.day_end(instrument, self._clock.now())

    def _expire(self, order: Order) -> None:
        if not order.done:
            self._cancelled(order)

    def modify(self, order: Order, new: Order) -> None:
        """Give a working order the attributes of *new*."""
        if self.forks and order.transmitted:
            self.forks -= 1
            new.perm_id = self.next_perm_id()
            self.submit(new)
            return
        order.values = new.values
        if not order.transmitted:
            if order.values["transmit"]:
                self._transmit_family(order)
            return
        self.listener.shown(order)

    def cancel(self, order: Order) -> None:
        """Cancel an order that is not done."""
        if order.repeats and order.active:
            order.status = "PendingCancel"
            self.listener.status(order)
        self._cancelled(order)

    def _cancelled(self, order: Order) -> None:
        self._finish(order, "Cancelled")
        if order.transmitted:
            self.listener.status(order)
            self.listener.cancelled(order)
        else:
            self.listener.discarded(order)
        for child in self._waiting_for(order):
            self._cancelled(child)

    def _waiting_for(self, parent: Order) -> list[Order]:
        return [each for each in self._orders if each.parent is parent and not each.done]

    def _finish(self, order: Order, status: str) -> None:
        order.status = status
        order.why_held = ""
        order.ended = self._clock.now()
        self._tickers.ticker(order.instrument).remove(order.perm_id)

    def reject(self, order: Order) -> None:
        """Keep an order that was refused by the exchange."""
        self._know(order)
        order.transmitted = True
        self._finish(order, "Inactive")
        self.listener.shown(order)

    # --- from the market -----------------------------------------------------------------------------------------

    def _may_work(self, order: Order) -> bool:
        """Return whether an order's conditions, if it has any, let it work; they may also end it."""
        if not order.conditional or not self.conditions.met(order):
            return not order.waits_for_conditions
        if not order.waits_for_conditions:
            self._cancelled(order)
            return False
        order.released = True
        order.status = "PreSubmitted" if order.waits or order.at_close else "Submitted"
        self.listener.shown(order)
        return True

    def _on_tick(self, order: Order, tick: Tick) -> None:
        if not self._may_work(order) or not triggered(order, tick):
            return
        if order.waits:
            order.stopped = True
            order.status, order.why_held = "Submitted", ""
            self.listener.shown(order)
        price = marketable_price(order, tick, self._day_ends(order.instrument) if order.at_close else 0.0)
        if price is not None:
            self._fill(order, tick, price)
        if order.tif in {"IOC", "FOK", "OPG"} and not order.done:
            self._expire_at_once(order)

    def _expire_at_once(self, order: Order) -> None:
        order.status = "PendingCancel"
        self.listener.shown(order)
        self._cancelled(order)

    def _fill(self, order: Order, tick: Tick, price: Decimal) -> None:
        there = Decimal(tick.ask_size if order.sign > 0 else tick.bid_size)
        in_auction = order.at_close or order.tif == "OPG"
        quantity = order.remaining if in_auction else min(order.remaining, there)
        if (order.values.get("allOrNone") or order.tif == "FOK") and quantity < order.remaining:
            return
        executions = self._fills.execute(order, quantity, price)
        for execution in executions:
            self.listener.executed(execution)
        if order.remaining:
            order.status = "Submitted"
        else:
            self._finish(order, "Filled")
        self.listener.shown(order)
        if order.done and order.repeats:
            self.listener.shown(order)
        for execution in executions:
            self.listener.charged(execution)
        self._reduce_rivals(order, quantity)
        self._follow(order)

    def _follow(self, order: Order) -> None:
        """Let the children of a filled order trade, and cancel those of which one cancels all."""
        if not order.done:
            return
        for child in self._waiting_for(order):
            if child.transmitted:
                self._activate(child)
        for other in [] if order.reduces else list(self._rivals(order)):
            self._cancelled(other)

    def _reduce_rivals(self, order: Order, quantity: Decimal) -> None:
        """Make the others of a group smaller by what was filled of one, where the group says so."""
        for other in list(self._rivals(order)) if order.reduces else []:
            other.reduced += min(quantity, other.remaining)
            if other.remaining:
                self.listener.shown(other)
            else:
                self._cancelled(other)

    def book(self, *trades: tuple[Order, Decimal]) -> None:
        """Execute orders at once, each at its price, as options are exercised and contracts settled."""
        for order, price in trades:
            self._know(order)
            order.transmitted = order.active = True
            [execution] = self._fills.execute(order, order.quantity, price)
            order.status = "Filled"
            order.ended = self._clock.now()
            self.listener.executed(execution)
            self.listener.charged(execution)

    def correct(self, price: Decimal, client_id: int | None = None) -> None:
        """Correct the price of the last execution, or of a client's last, if there is any."""
        wanted = (
            each for each in reversed(self._fills.executions) if client_id is None or each.order.client_id == client_id
        )
        last = next((each for each in wanted if not each.of_combo), None)
        if last is not None:
            corrected = self._fills.correct(last, price)
            self.listener.executed(corrected)
            self.listener.charged(corrected)

    def _rivals(self, order: Order) -> Iterator[Order]:
        for each in self._orders:
            if order.oca_group and each.oca_group == order.oca_group and each is not order and not each.done:
                yield each
