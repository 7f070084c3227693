"""What the exchange says about orders, and to whom."""

from __future__ import annotations

from typing import Protocol

from ._orders import Execution, Order

__all__ = ["Listener"]


class Listener(Protocol):
    """Who is told what happens to orders."""

    def shown(self, order: Order) -> None:
        """The state of an order is to be told, all of it."""

    def status(self, order: Order) -> None:
        """The status of an order is to be told."""

    def executed(self, execution: Execution) -> None:
        """An order was filled, or a part of it."""

    def charged(self, execution: Execution) -> None:
        """The commission of an execution is known."""

    def cancelled(self, order: Order) -> None:
        """An order was cancelled, which its status has said already."""

    def discarded(self, order: Order) -> None:
        """An order was given up before it was transmitted."""

    def held_until_open(self, order: Order, opens: float) -> None:
        """An order waits for its market to open."""
