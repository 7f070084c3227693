"""``Context``: what the resolvers of one operation have at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import TradingDisabled
from ._audit import AuditLog
from ._limits import Limits

if TYPE_CHECKING:
    from .._client import Client
    from .._trading._book import OrderBook

__all__ = ["Context"]


@dataclass(frozen=True)
class Context:
    """What the resolvers of one operation have at hand.

    Attributes:
      client: the connection to TWS.
      book: its order book, ``None`` where trading is not enabled.
      audit: where mutations are written down.
      limits: how much may be asked for.
      token_id: who asks, as the audit log calls him; never the token.
    """

    client: Client
    book: OrderBook | None = None
    audit: AuditLog = field(default_factory=AuditLog)
    limits: Limits = field(default_factory=Limits)
    token_id: str = ""

    @property
    def orders(self) -> OrderBook:
        """The order book.

        Raises:
          TradingDisabled: there is none.
        """
        if self.book is None:
            raise TradingDisabled("this service has no order book: trading is not enabled. Nothing was sent")
        return self.book

    @property
    def client_id(self) -> int:
        """The client id of the connection."""
        return self.client._connection.session.settings.client_id
