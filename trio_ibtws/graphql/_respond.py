"""Answers over HTTP: media types, status codes, error bodies, and the headers that every answer carries."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

__all__ = [
    "BUSY",
    "EVENTS",
    "JSON",
    "RESPONSE_JSON",
    "HTTPError",
    "Headers",
    "Receive",
    "Scope",
    "Send",
    "answer",
    "dumps",
    "error",
    "header",
    "negotiate",
    "refuse",
]

Scope: TypeAlias = Mapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]
Send: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[None]]
Headers: TypeAlias = Iterable[tuple[bytes, bytes]]

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
EVENTS = "text/event-stream"

BUSY = "BUSY"
"""The code of what is refused now and may be tried again."""

# https://graphql.github.io/graphql-over-http: what does not say what it takes gets application/json.
_CHOICES = {RESPONSE_JSON: RESPONSE_JSON, JSON: JSON, EVENTS: EVENTS, "*/*": JSON, "application/*": JSON}

_ALWAYS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class HTTPError(Exception):
    """A request is answered with a status other than 200; *code* is for programs, the message for people."""

    def __init__(self, status: int, code: str, message: str, headers: Headers = ()) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, tuple(headers)


def dumps(value: Any) -> bytes:
    """Return *value* as JSON.

    Raises:
      UnicodeEncodeError: a string in it has half of a surrogate pair.
    """
    return msgspec.json.encode(value)


def error(code: str, message: str) -> dict[str, Any]:
    """Return one GraphQL error."""
    return {"message": message, "extensions": {"code": code}}


def header(scope: Scope, name: bytes) -> str | None:
    """Return the value of a header of a request; ``None`` without one, the first of several."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def negotiate(accept: str | None) -> str | None:
    """Return the media type for an answer, by the Accept header; ``None`` if the client takes none of ours."""
    if not accept:
        return JSON
    best, best_quality = None, 0.0
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = _quality(parameters)
        if media in _CHOICES and quality > best_quality:
            best, best_quality = _CHOICES[media], quality
    return best


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = float(parameter[2:])
            except ValueError:
                return 0.0
            return quality if math.isfinite(quality) else 0.0
    return 1.0


async def answer(send: Send, status: int, body: bytes, media: str | None, headers: Headers = ()) -> None:
    """Send a whole answer."""
    await send({"type": "http.response.start", "status": status, "headers": head(media, len(body), headers)})
    await send({"type": "http.response.body", "body": body})


def head(media: str | None, length: int | None, headers: Headers = ()) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer: those of every answer, unless *headers* has them, its type and its length."""
    given = list(headers)
    names = {name for name, _ in given}
    given += [(name, value) for name, value in _ALWAYS if name not in names]
    if media is not None:
        charset = "" if media.startswith(("image/", "font/")) else "; charset=utf-8"
        given.append((b"content-type", (media if "charset" in media else media + charset).encode()))
    if length is not None:
        given.append((b"content-length", b"%d" % length))
    return given


async def refuse(scope: Scope, send: Send, status: int, code: str, message: str, headers: Headers = ()) -> None:
    """Answer a request, or a websocket's handshake, with an error; hang up afterwards."""
    body = dumps({"errors": [error(code, message)]})
    kind = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
    headers = [*headers, (b"connection", b"close")]
    await send({"type": f"{kind}.start", "status": status, "headers": head(JSON, len(body), headers)})
    await send({"type": f"{kind}.body", "body": body})
