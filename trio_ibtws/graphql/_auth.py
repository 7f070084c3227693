"""Who may ask: the token, the Host and Origin allow-lists, and how often."""

from __future__ import annotations

import hmac
import ipaddress
import math
import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256

from ._limits import Limits
from ._respond import BUSY, HTTPError, Scope, header

__all__ = ["Bucket", "Caller", "Gate", "check_origin_name", "check_token", "is_loopback"]

SHORTEST_TOKEN = 16
"""With fewer characters a token can be guessed."""

_LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
_MINUTE = 60.0
_ADDRESSES = 1024
"""Peers whose failures are remembered; the memory of the others is worth less than its room."""


def check_token(token: str) -> str:
    """Return *token*.

    Raises:
      ValueError: it is too short, or cannot be sent in a header.
    """
    if len(token) < SHORTEST_TOKEN:
        raise ValueError(
            f"a token has at least {SHORTEST_TOKEN} characters: python -c 'import secrets; "
            "print(secrets.token_urlsafe(32))' makes one"
        )
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise ValueError("a token has only printable ASCII characters, and no spaces: it is sent in a header")
    return token


def check_origin_name(origin: str) -> str:
    """Return *origin*.

    Raises:
      ValueError: browsers send no such Origin, or every page might be meant.
    """
    if not re.fullmatch(r"https?://[a-z0-9.-]+(:\d+)?|https?://\[[0-9a-f:]+\](:\d+)?", origin):
        raise ValueError(f"{origin!r} is no origin: give one as https://desk.example, in lower case, without a path")
    return origin


def is_loopback(host: str) -> bool:
    """Return whether only programs on this machine can connect to *host*."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Bucket:
    """A token bucket: *rate* a second on average, *burst* at once."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float]) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left, self._at = float(burst), -math.inf

    def take(self) -> float:
        """Take one and return 0; or return the seconds until there is one."""
        now = self._clock()  # not before: there may be no event loop when an app is made
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return (1 - self._left) / self._rate
        self._left -= 1
        return 0.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
      token_id: what his token is called in the audit log.
      may_trade: whether he may ask for what changes orders or costs money, where that is served.
    """

    token_id: str
    may_trade: bool


class Gate:
    """Decides about each request by its headers; keeps the wrong tokens of the last minute.

    With a token for trading, the other one is for reading; without, it is for all that is served.

    A right token is always right: whoever sends wrong ones only ever locks out himself.
    """

    def __init__(
        self,
        token: str,
        limits: Limits,
        *,
        cors: Iterable[str],
        hosts: Iterable[str],
        clock: Callable[[], float],
        trade_token: str | None = None,
    ) -> None:
        self._callers = _callers(token, trade_token)
        self._limits, self._clock = limits, clock
        self._cors, self._hosts = frozenset(map(check_origin_name, cors)), frozenset(host.lower() for host in hosts)
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    # --- where it came from

    def check_host(self, scope: Scope) -> None:
        """Refuse a Host that is not ours: DNS rebinding makes a browser send its own.

        Raises:
          HTTPError: 421.
        """
        given = header(scope, b"host") or ""
        name, port = _split(given.lower())
        server = scope.get("server")
        ours = str(server[1]) if server and server[1] is not None else None
        standard = "443" if scope["scheme"] in ("https", "wss") else "80"
        local = name in _LOCAL_HOSTS and (ours is None or (port or standard) == ours)
        if not (local or name in self._hosts or given.lower() in self._hosts):
            raise HTTPError(421, "WRONG_HOST", "this Host is not served here; --allow-host names further ones")

    def check_origin(self, scope: Scope) -> None:
        """Refuse pages of other sites, but those that are allowed.

        Raises:
          HTTPError: 403.
        """
        origin = header(scope, b"origin")
        if origin is None or origin in self._cors:
            return
        scheme = "https" if scope["scheme"] in ("https", "wss") else "http"
        if origin.lower() != f"{scheme}://{(header(scope, b'host') or '').lower()}":
            raise HTTPError(403, "WRONG_ORIGIN", "pages of this origin may not ask here; --cors names those that may")

    def cors_headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """Return the headers that let a page of an allowed origin read an answer; none for all others."""
        origin = header(scope, b"origin")
        if origin is None or origin not in self._cors:
            return []
        return [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", b"retry-after"),
            (b"cross-origin-resource-policy", b"cross-origin"),
            (b"vary", b"origin"),
        ]

    def preflight_headers(self, scope: Scope, *, by_get: bool) -> list[tuple[bytes, bytes]]:
        """Return the answer to a browser that asks whether a page may send a request."""
        methods = b"POST, GET, OPTIONS" if by_get else b"POST, OPTIONS"
        if not self.cors_headers(scope):
            return [(b"allow", methods)]
        return [
            (b"allow", methods),
            (b"access-control-allow-methods", methods),
            (b"access-control-allow-headers", b"authorization, content-type, accept"),
            (b"access-control-max-age", b"600"),
        ]

    # --- who it is

    def check_bearer(self, scope: Scope) -> Caller:
        """Return who asks, by the Authorization header.

        Raises:
          HTTPError: 401, or 429 after too many of them.
        """
        caller = self.caller(bearer(header(scope, b"authorization")))
        if caller is not None:
            return caller
        wait = self.note_failure(scope)
        if wait:
            raise HTTPError(429, BUSY, "too many wrong tokens", [retry_after(wait)])
        raise HTTPError(
            401, "UNAUTHENTICATED", "a token is needed: 'Authorization: Bearer …'", [(b"www-authenticate", b"Bearer")]
        )

    def caller(self, token: str | None) -> Caller | None:
        """Return whose *token* it is, in a time that does not tell how much of it is right."""
        given = (token or "").encode("utf-8", "replace")
        found = [caller for known, caller in self._callers if hmac.compare_digest(given, known)]
        return found[0] if found else None

    def note_failure(self, scope: Scope) -> float:
        """Count a wrong token; return for how many seconds the peer is told to wait, 0 if he is not."""
        return self._note_failure(peer(scope))

    def _note_failure(self, address: str) -> float:
        """Count a failure; return for how many seconds the peer has to wait, 0 if not at all."""
        now = self._clock()
        times = self._failures.setdefault(address, deque(maxlen=self._limits.failures_per_minute))
        self._failures.move_to_end(address)
        if len(self._failures) > _ADDRESSES:
            self._failures.popitem(last=False)
        if len(times) == times.maxlen and now - times[0] < _MINUTE:
            return times[0] + _MINUTE - now
        times.append(now)
        return 0.0


def _callers(token: str, trade_token: str | None) -> list[tuple[bytes, Caller]]:
    if token == trade_token:
        raise ValueError("the token for trading is the same as the other one: leave it out, or take another")
    given = [token] if trade_token is None else [token, trade_token]
    known = [check_token(each).encode() for each in given]
    return [(each, Caller(sha256(each).hexdigest()[:8], each is known[-1])) for each in known]


def bearer(value: str | None) -> str | None:
    """Return the token in the value of an Authorization header."""
    scheme, _, token = (value or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def peer(scope: Scope) -> str:
    """Return the address that a request came from."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def retry_after(seconds: float) -> tuple[bytes, bytes]:
    """Return the header that says when to try again."""
    return b"retry-after", b"%d" % max(1, -(-seconds // 1))


def _split(host: str) -> tuple[str, str]:
    """Return name and port of a Host header; the port is empty if there is none."""
    if host.endswith("]"):
        return host, ""
    name, _, port = host.rpartition(":")
    return (name, port) if name else (host, "")
