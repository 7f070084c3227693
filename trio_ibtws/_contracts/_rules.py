"""Market rules: which prices a contract can have, and the nearest of them to any other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec

from ..errors import InvalidRequest

if TYPE_CHECKING:
    from ibapi.common import PriceIncrement
    from ibapi.contract import ContractDetails

__all__ = ["Direction", "MarketRule", "rule_ids"]

Direction = Literal["nearest", "up", "down"]
"""Where to look for a price that can be had. What is half-way is rounded up."""


_NO_PRICE = Decimal(10) ** 15


class MarketRule(msgspec.Struct, frozen=True):
    """The steps of a price: from each *edge* on, in order, the *increment* of the same place.

    Prices below zero, which combinations have, mirror those above.
    """

    edges: tuple[Decimal, ...]
    increments: tuple[Decimal, ...]

    @classmethod
    def of(cls, increments: Iterable[PriceIncrement]) -> MarketRule:
        """Make it of the rows of ``market_rule()``.

        Raises:
          ValueError: there is no row, or a step that is none.
        """
        rows = sorted((_exact(each.lowEdge), _exact(each.increment)) for each in increments)
        if not rows or any(step <= 0 for _, step in rows):
            raise ValueError(f"a market rule has steps above zero, here are {rows}")
        return cls(tuple(edge for edge, _ in rows), tuple(step for _, step in rows))

    def increment(self, price: float | Decimal) -> Decimal:
        """Return the step of prices at *price*."""
        return self.increments[self._band(abs(_exact(price)))]

    def fits(self, price: float | Decimal) -> bool:
        """Return whether an order can have that price."""
        return self.round(price, "up") == _exact(price)

    def round(self, price: float | Decimal, direction: Direction = "nearest") -> Decimal:
        """Return the nearest price that an order can have, the next one above, or the next one below, exactly.

        A float means the number that Python prints for it. ``float()`` of the result is what ``Order.lmtPrice`` wants.

        Raises:
          InvalidRequest: *price* is no number, or *direction* none of the three.
        """
        exact = _exact(price)
        if direction not in ("nearest", "up", "down"):
            raise InvalidRequest("direction", f"{direction!r} is none of nearest, up and down")
        if not exact.is_finite() or abs(exact) >= _NO_PRICE:
            raise InvalidRequest("price", f"{price!r} is no price")
        above, below = self._above(exact), self._below(exact)
        if direction == "nearest":
            return above if above - exact <= exact - below else below
        return above if direction == "up" else below

    def _above(self, price: Decimal) -> Decimal:
        return -self._lower(-price) if price < 0 else self._upper(price)

    def _below(self, price: Decimal) -> Decimal:
        return -self._upper(-price) if price < 0 else self._lower(price)

    def _band(self, size: Decimal) -> int:
        return max(bisect_right(self.edges, size) - 1, 0)

    def _upper(self, size: Decimal) -> Decimal:
        """Return the least price from *size* on; a step may lead over the edge to where steps are wider."""
        for band in range(self._band(size), len(self.edges)):
            found = _ceiling(size, self.increments[band])
            if band + 1 == len(self.edges) or found < self.edges[band + 1]:
                return found
            size = self.edges[band + 1]
        raise AssertionError("the last band has no end")

    def _lower(self, size: Decimal) -> Decimal:
        """Return the greatest price up to *size*."""
        for band in range(self._band(size), 0, -1):
            found = _floor(size, self.increments[band])
            if found >= self.edges[band]:
                return found
            step = self.increments[band - 1]
            size = _ceiling(self.edges[band], step) - step  # below the edge, not on it
        return _floor(size, self.increments[0])


def rule_ids(details: ContractDetails) -> dict[str, int]:
    """Return the market rule of each exchange at which a contract is traded."""
    exchanges, ids = details.validExchanges.split(","), details.marketRuleIds.split(",")
    return {exchange: int(each) for exchange, each in zip(exchanges, ids, strict=False) if exchange and each}


def _exact(value: float | Decimal) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _floor(size: Decimal, step: Decimal) -> Decimal:
    return size // step * step


def _ceiling(size: Decimal, step: Decimal) -> Decimal:
    found = _floor(size, step)
    return found if found == size else found + step
