"""``Request``: one row of the request table, as the runtime needs it.

The generator writes one constant a row into ``trio_ibtws/_gen``. A user can make one at run time for a request that
the table does not know, and give it to ``Client.call`` or ``Client.subscribe``. Plain data: how it is encoded stands
in ``_bridge``, how it is awaited in ``_calls``.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Generic, Literal, TypeVar

import msgspec

__all__ = ["Effect", "Request"]

T = TypeVar("T")

Effect = Literal["read", "session", "spend", "trade"]
"""What a request does to the world: nothing, a setting of this session, money spent on data, orders or account."""


class Request(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One request of the TWS API.

    Attributes:
      method: the EClient method that encodes it.
      parameters: that method's parameters in EClient's order, under the names of the newest ibapi release.
      key: the name of the parameter that takes a request id of ours, or the lane that the answer comes through: the
        name of the EWrapper callback that ends it. For an answer that echoes a value: that callback's name too, and
        ``echo`` names the parameter.
      echo: the parameter whose value comes back with the answer and so belongs to the key.
      constants: parameters with a fixed value, the flags that choose the function.
      elsewhere: by parameter, the values that TWS answers as another request is answered, and the function for that.
      cancel: the EClient method that ends it at TWS, ``None`` where TWS has no such message.
      cancel_parameters: what that method takes beside the request id, by name: parameters of this request.
      cancel_constants: parameters of the cancel method with a fixed value.
      single: the answer is one value, not rows up to an end marker. Only ``Client.call`` looks at it.
      items: the EWrapper callbacks that bring the answer, and
      end: the one that ends it; both only for callbacks that the installed ibapi has and the table does not know.
      lasting: the line stays open at TWS after the end marker, so that a query has to cancel it.
      endless: the answer of an id-less request has no end marker, so that it holds the lane only until it is written.
      batches: the end marker comes once a refresh: a stream of lists.
      orders: the frame goes on the wire before data requests, in order with the other order frames.
      effect: see ``Effect``.
      since: the first ibapi release that has the method.
      until: the last ibapi release that has it, ``None`` while the newest does.
      needs: the EWrapper callback without which an ibapi that has the method cannot decode the answer.
      message: the protobuf message that the only parameter takes, for a request that exists in protobuf alone. The
        request id goes into its field ``reqId``; an argument ``None`` is an empty message.
      conflate: the attributes of an event that tell, beside its class, which older event a newer one replaces;
        ``None`` where replacing would lose something.
    """

    method: str
    parameters: tuple[str, ...] = ()
    key: str | None = None
    echo: str | None = None
    constants: Mapping[str, Any] = {}
    elsewhere: Mapping[str, Mapping[str, str]] = {}
    cancel: str | None = None
    cancel_parameters: tuple[str, ...] = ()
    cancel_constants: Mapping[str, Any] = {}
    single: bool = False
    items: tuple[str, ...] = ()
    end: str | None = None
    lasting: bool = False
    endless: bool = False
    batches: bool = False
    orders: bool = False
    effect: Effect = "read"
    since: str = "9.81"
    until: str | None = None
    needs: str | None = None
    message: str | None = None
    conflate: tuple[str, ...] | None = None

    @property
    def by_request_id(self) -> bool:
        """Whether the answer comes back under a request id of ours."""
        return self.message is not None or self.key in self.parameters

    def lane(self, arguments: Mapping[str, Any]) -> Hashable:
        """Return the key that the answer of an id-less request comes back under."""
        return self.key if self.echo is None else (self.key, arguments[self.echo])
