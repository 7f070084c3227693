"""Faults that wait for a message: what happens to the next ones of a name, on their way out or on their way in.

Requests and answers have different names, ``EClient``'s and ``EWrapper``'s, so that one name says which is meant.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from .._runtime._framing import frame

if TYPE_CHECKING:
    from ._session import Session

__all__ = ["ANY", "Action", "Rule", "Rules"]

ANY = ""
"""Stands for every name."""

Action = Literal["before", "after", "drop", "duplicate", "swap", "corrupt", "truncate"]

_REPLACING = ("drop", "duplicate", "swap", "corrupt", "truncate")


class Rule(msgspec.Struct):
    """What is to happen to messages.

    Attributes:
      action: what.
      name: the message's, or ``ANY``.
      left: to how many more.
      client_id: of which client, ``None`` for any.
      where: values that the message must have.
      do: what is called before or after the message.
    """

    action: Action
    name: str
    left: int = 1
    client_id: int | None = None
    where: dict[str, Any] = {}
    do: Callable[[Session], None] | None = None

    def fits(self, session: Session, name: str, values: dict[str, Any]) -> bool:
        """Return whether it is about this message."""
        if self.left <= 0 or self.name not in {ANY, name} or self.client_id not in {None, session.client_id}:
            return False
        return all(str(_look_up(values, key)) == str(value) for key, value in self.where.items())


def _look_up(values: dict[str, Any], key: str) -> Any:
    """Return a value by its name, wherever in a message it stands."""
    if key in values:
        return values[key]
    nested = (value[key] for value in values.values() if isinstance(value, dict) and key in value)
    return next(nested, None)


class Rules:
    """The faults that wait."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._watchers: list[Callable[[str], None]] = []
        self._random = Random(46)
        self._held: dict[Session, bytes] = {}

    def add(self, rule: Rule) -> None:
        """Have a rule for the messages from now on."""
        self._rules.append(rule)

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Call *watcher* with the name of every request that comes, and of every message that was sent."""
        self._watchers.append(watcher)

    def clear(self) -> None:
        """Forget all rules; what was held back to be swapped is lost."""
        self._rules.clear()
        self._held.clear()

    def _take(self, actions: tuple[str, ...], session: Session, name: str, values: dict[str, Any]) -> list[Rule]:
        found = [each for each in self._rules if each.action in actions and each.fits(session, name, values)]
        for rule in found:
            rule.left -= 1
        if found:
            self._rules = [each for each in self._rules if each.left > 0]
        return found

    def _call(self, action: Action, session: Session, name: str, values: dict[str, Any]) -> None:
        for rule in self._take((action,), session, name, values):
            if rule.do is not None:
                rule.do(session)

    def incoming(self, session: Session, name: str, values: dict[str, Any], handle: Callable[[], None]) -> None:
        """Have a request handled, unless it dies before or is dropped."""
        self._notify(name)
        if self._rules:
            self._call("before", session, name, values)
            dropped = bool(self._take(("drop",), session, name, values))
            if session.connection.closed or dropped:
                return
        handle()
        if self._rules:
            self._call("after", session, name, values)

    def _notify(self, name: str) -> None:
        for watcher in list(self._watchers):
            watcher(name)

    def outgoing(self, session: Session, name: str, values: dict[str, Any], body: bytes) -> None:
        """Send a message, or what is left of it."""
        if not self._rules and not self._held and not self._watchers:
            session.connection.send(body)
            return
        self._call("before", session, name, values)
        bodies = [body]
        for rule in self._take(_REPLACING, session, name, values):
            bodies = self._replace(rule.action, session, bodies)
        if bodies and session in self._held:
            bodies.append(self._held.pop(session))
        for each in bodies:
            session.connection.send(each)
        self._call("after", session, name, values)
        self._notify(name)

    def _replace(self, action: Action, session: Session, bodies: list[bytes]) -> list[bytes]:
        if action == "duplicate":
            return [each for each in bodies for _ in range(2)]
        if action == "corrupt":
            return [self._corrupt(each) for each in bodies]
        if action == "swap" and bodies and session not in self._held:
            self._held[session] = bodies.pop()
            return bodies
        if action == "truncate" and bodies:
            whole = frame(bodies[0])
            session.connection.send_bytes(whole[: len(whole) // 2])
            session.connection.close()
        return []

    def _corrupt(self, body: bytes) -> bytes:
        """Change about an eighth of the bytes, and one at least."""
        damaged = bytearray(body)
        for _ in range(len(body) // 8 + 1):
            damaged[self._random.randrange(len(body))] ^= 1 + self._random.randrange(255)
        return bytes(damaged)
