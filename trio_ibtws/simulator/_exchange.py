"""The simulated exchange: which orders there are."""

from __future__ import annotations

__all__ = ["Exchange"]


class Exchange:
    """The orders of all clients."""

    def __init__(self) -> None:
        self._next_ids: dict[int, int] = {}

    def next_order_id(self, client_id: int) -> int:
        """Return the lowest order id that a client may use."""
        return self._next_ids.get(client_id, 1)
