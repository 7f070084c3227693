"""What can go wrong between a client and TWS, each with a name: ``sim.faults``.

Those of the first part happen at once; those of the second to the next messages of a name; those of the third to the
gateway, and so to all of its clients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from typing import Any, Literal

from ._connection import Connection
from ._fault_rules import Action, Rule
from ._gateway import Gateway
from ._link import FARMS
from ._peer import Peer
from ._session import Session

__all__ = ["Death", "Faults"]

Death = Literal["close", "reset", "half_open"]
"""How a connection dies: in order, with a reset, or without a word."""

_UNKNOWN = b"199\0" + b"1\0" * 3
_UNKNOWN_PROTOBUF = (199).to_bytes(4, "big") + b"1\0" * 3
_PROTOBUF_SINCE = 201
_TOO_LONG = (1 << 31) - 1
_NONSENSE = bytes(range(251, 256)) * 5


def _die(session: Session, how: Death) -> None:
    connection = session.connection
    if how == "reset":
        connection.abort()
    elif how == "half_open":
        connection.muted = connection.deaf = True
    else:
        connection.close()


class Faults:
    """Faults on request. Without a *client_id* they are about every client that is connected."""

    def __init__(
        self, gateway: Gateway, chosen: Callable[[int | None], Iterable[Peer]], move: Callable[[int], None]
    ) -> None:
        self._gateway = gateway
        self._chosen = chosen
        self._move = move

    def _connections(self, client_id: int | None) -> list[Connection]:
        return [peer.connection for peer in self._chosen(client_id)]

    # --- now -----------------------------------------------------------------------------------------------------

    def close(self, client_id: int | None = None) -> None:
        """End the connection; what was sent before still arrives."""
        for each in self._connections(client_id):
            each.close()

    def reset(self, client_id: int | None = None) -> None:
        """Break the connection; what was sent before may be lost."""
        for each in self._connections(client_id):
            each.abort()

    def half_open(self, client_id: int | None = None) -> None:
        """Neither answer nor read any more, and do not close either: the machine at the other end has vanished."""
        for each in self._connections(client_id):
            each.muted = each.deaf = True

    def mute(self, client_id: int | None = None) -> None:
        """Throw away what the client should get. Its requests are served."""
        for each in self._connections(client_id):
            each.muted = True

    def unmute(self, client_id: int | None = None) -> None:
        """End a silence. What was thrown away does not come again."""
        for each in self._connections(client_id):
            each.muted = False

    def stall(self, seconds: float | None = None, client_id: int | None = None) -> None:
        """Send nothing for so many simulated seconds, or until ``resume``; it all comes afterwards."""
        stalled = self._connections(client_id)
        for each in stalled:
            each.stall()
            if seconds is not None:
                self._gateway.clock.call_later(seconds, each.resume)

    def resume(self, client_id: int | None = None) -> None:
        """End a stall."""
        for each in self._connections(client_id):
            each.resume()

    def split(self, size: int | None = 1, client_id: int | None = None) -> None:
        """From now on write in pieces of *size* bytes; ``None``: as usual."""
        for each in self._connections(client_id):
            each.split(size)

    def coalesce(self, count: int, client_id: int | None = None) -> None:
        """Write the next *count* messages all at once, when the last of them has come."""
        for each in self._connections(client_id):
            each.gather(count)

    def unknown(self, client_id: int | None = None) -> None:
        """Send a message whose id nobody knows."""
        for peer in self._chosen(client_id):
            version = 0 if peer.session is None else peer.session.version
            peer.connection.send(_UNKNOWN if version < _PROTOBUF_SINCE else _UNKNOWN_PROTOBUF)

    def oversize(self, length: int = _TOO_LONG, client_id: int | None = None) -> None:
        """Send the length of a message that is longer than any can be."""
        for each in self._connections(client_id):
            each.send_bytes(length.to_bytes(4, "big"))

    def garbage(self, client_id: int | None = None) -> None:
        """Send bytes that are no message and no length of one."""
        for each in self._connections(client_id):
            each.send_bytes(_NONSENSE)

    # --- to the next messages ------------------------------------------------------------------------------------

    def _rule(self, action: Action, name: str, count: int, client_id: int | None, where: dict[str, Any]) -> None:
        self._gateway.faults.add(Rule(action, name, count, client_id, where))

    def drop(self, name: str, count: int = 1, client_id: int | None = None, **where: Any) -> None:
        """Lose the next *count* messages called *name* whose values are *where*: answers, or requests."""
        self._rule("drop", name, count, client_id, where)

    def duplicate(self, name: str, count: int = 1, client_id: int | None = None, **where: Any) -> None:
        """Send the next messages twice."""
        self._rule("duplicate", name, count, client_id, where)

    def swap(self, name: str, count: int = 1, client_id: int | None = None, **where: Any) -> None:
        """Send the next message called *name* after the one that follows it."""
        self._rule("swap", name, count, client_id, where)

    def corrupt(self, name: str, count: int = 1, client_id: int | None = None, **where: Any) -> None:
        """Change some bytes of the next messages; their lengths stay right."""
        self._rule("corrupt", name, count, client_id, where)

    def truncate(self, name: str, client_id: int | None = None, **where: Any) -> None:
        """Send half of the next message, and close."""
        self._rule("truncate", name, 1, client_id, where)

    def before(self, name: str, do: Callable[[], None], client_id: int | None = None, **where: Any) -> None:
        """Have *do* called just before the next message called *name* is sent, or its request is served."""
        self._gateway.faults.add(Rule("before", name, 1, client_id, where, lambda _: do()))

    def after(self, name: str, do: Callable[[], None], client_id: int | None = None, **where: Any) -> None:
        """Have *do* called just after that."""
        self._gateway.faults.add(Rule("after", name, 1, client_id, where, lambda _: do()))

    def die_before(self, name: str, how: Death = "close", client_id: int | None = None, **where: Any) -> None:
        """Have the client's connection die before the next message called *name*: ``"placeOrder"`` is never seen, an
        ``"execDetails"`` never sent.
        """
        self._gateway.faults.add(Rule("before", name, 1, client_id, where, lambda session: _die(session, how)))

    def die_after(self, name: str, how: Death = "close", client_id: int | None = None, **where: Any) -> None:
        """Have the client's connection die after it."""
        self._gateway.faults.add(Rule("after", name, 1, client_id, where, lambda session: _die(session, how)))

    def clear(self) -> None:
        """Forget what is still to happen to messages."""
        self._gateway.faults.clear()

    # --- to the gateway ------------------------------------------------------------------------------------------

    def lose_link(self, seconds: float | None = None, *, data_lost: bool = False, quotes: float = 0.0) -> None:
        """Lose the connection to IB (error 1100), for so many simulated seconds or until ``restore_link``.

        Market data go on for *quotes* seconds, as they sometimes do.
        """
        self._gateway.lose_link(seconds, data_lost=data_lost, quotes=quotes)

    def restore_link(self, *, data_lost: bool = False) -> None:
        """Have it back: with the market data lines (1102), or without when *data_lost* (1101)."""
        self._gateway.restore_link(data_lost=data_lost)

    def farm(self, name: str, state: Literal["ok", "broken", "inactive"]) -> None:
        """Break a data farm or repair it: 2103 to 2108, 2157 and 2158. Its data stop meanwhile.

        Raises:
          ValueError: there is no such farm.
        """
        if name not in FARMS:
            raise ValueError(f"there is no farm {name!r}, only {', '.join(FARMS)}")
        self._gateway.link.set_farm(name, state)

    def flap(self, farm: str = "usfarm", times: int = 50, every: float = 1.0) -> None:
        """Break a farm and repair it, again and again; it ends repaired.

        Raises:
          ValueError: there is no such farm.
        """
        self.farm(farm, "broken")
        later = self._gateway.clock.call_later
        for step in range(times):
            later((step + 0.5) * every, partial(self.farm, farm, "ok"))
            if step:
                later(step * every, partial(self.farm, farm, "broken"))

    def roll_back_ids(self, by: int = 4) -> None:
        """From now on announce next valid ids that are too low by so many."""
        self._gateway.rolled_back += by

    def compete(self, seconds: float | None = None) -> None:
        """Have another live session use the market data (error 10197), for so many seconds or until ``yield_data``."""
        self._gateway.compete(True)
        if seconds is not None:
            self._gateway.clock.call_later(seconds, self.yield_data)

    def yield_data(self) -> None:
        """End the other session: market data go on where they were asked for before."""
        self._gateway.compete(False)

    def dialog(self, seconds: float | None = None) -> None:
        """Have a dialog wait for a click: new connections get no answer, for so many seconds or until ``accept``."""
        self._gateway.answers = False
        if seconds is not None:
            self._gateway.clock.call_later(seconds, self.accept)

    def accept(self) -> None:
        """Click the dialog: connections are answered, those that wait first."""
        self._gateway.clock.call_soon(self._gateway.answer)

    def correct(self, price: float, client_id: int | None = None) -> None:
        """Have the price of the last execution corrected, if there is any: its id with a higher number at the end."""
        new = Decimal(str(price))
        self._gateway.clock.call_soon(lambda: self._gateway.exchange.correct(new, client_id))

    def fork_order(self, count: int = 1) -> None:
        """Have the next change of an order that works make another one, with the same order id and a permanent id of
        its own, while the first works on: seen when an order was changed while the link was down.
        """
        self._gateway.exchange.forks += count

    def restart(self, seconds: float = 90.0) -> None:
        """Restart the gateway: connections are closed, and refused for so many simulated seconds."""
        self._gateway.restart(seconds)

    def change_port(self, port: int) -> None:
        """Have the gateway listen on another port: error 1300, and every connection is closed."""
        text = "TWS socket port has been reset and this connection is being dropped. "
        self._gateway.tell(1300, f"{text}Please reconnect on the new port - {port}")
        self._move(port)
