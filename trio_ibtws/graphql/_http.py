"""GraphQL over HTTP, as https://graphql.github.io/graphql-over-http has it: one operation a request, by POST.

With ``application/json`` a request that GraphQL refuses is answered 200, with ``application/graphql-response+json``
4xx. What HTTP refuses (no token, too large, no JSON) has its status with both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from ._auth import Caller
from ._engine import GraphQLRequest
from ._errors import RequestRefused
from ._exchange import Exchange
from ._respond import EVENTS, JSON, RESPONSE_JSON, HTTPError, dumps, negotiate
from ._service import Service
from ._sse import send_refusal, send_stream

__all__ = ["answer_graphql", "decode"]

_PARAMETERS = 20


async def answer_graphql(service: Service, exchange: Exchange, caller: Caller, *, by_get: bool) -> None:
    """Answer a request of *caller* to ``/graphql``.

    Raises:
      HTTPError: what is to be answered instead.
      Gone: the client has left.
    """
    check_method(exchange.method, by_get=by_get)
    media = negotiate(exchange.header(b"accept"))
    if media is None:
        raise HTTPError(406, "NOT_ACCEPTABLE", f"answers are {RESPONSE_JSON}, {JSON} or {EVENTS}")
    if service.closing:
        raise HTTPError(503, "SHUTTING_DOWN", "the service is shutting down")
    request = await _request(exchange)
    try:
        operation = service.prepare(request, caller)
        check_kind(operation.kind, exchange.method, media)
        if media == EVENTS:
            await send_stream(service, exchange, operation, caller)
            return
        with exchange.abandonable():
            response = await service.execute(operation, caller)
    except RequestRefused as refusal:
        await _answer_refusal(exchange, media, refusal)
    else:
        await exchange.reply(_status(media, response), service.encode(response), media)


def check_method(method: str, *, by_get: bool) -> None:
    """Refuse a method that is not served.

    Raises:
      HTTPError: 405.
    """
    served = ("POST", "GET") if by_get else ("POST",)
    if method not in served:
        allow = (b"allow", ", ".join((*served, "OPTIONS")).encode())
        raise HTTPError(405, "METHOD_NOT_ALLOWED", f"{' or '.join(served)} is served here", [allow])


def check_kind(kind: str, method: str, media: str) -> None:
    """Refuse what changes something by GET, and a subscription where there can be one answer only.

    Raises:
      HTTPError: 405, 406.
    """
    if method == "GET" and kind == "mutation":
        raise HTTPError(405, "METHOD_NOT_ALLOWED", "a mutation is sent by POST", [(b"allow", b"POST, OPTIONS")])
    if kind == "subscription" and media != EVENTS:
        raise HTTPError(406, "NOT_ACCEPTABLE", f"a subscription needs a websocket, or 'Accept: {EVENTS}'")


# --- in


async def _request(exchange: Exchange) -> GraphQLRequest:
    data: Any
    if exchange.method == "GET":
        data = _from_query_string(exchange.scope["query_string"])
    else:
        _check_content_type(exchange.header(b"content-type"), exchange.header(b"content-encoding"))
        data = decode(await exchange.body())
    if isinstance(data, list):
        raise HTTPError(400, "BAD_REQUEST", "a request is one operation: batches are not served")
    try:
        return GraphQLRequest.from_json(data)
    except RequestRefused as refusal:
        raise HTTPError(refusal.status, "BAD_REQUEST", str(refusal)) from None


def _check_content_type(value: str | None, encoding: str | None) -> None:
    """Only JSON: a form of another site could send everything else without asking (CSRF)."""
    media, *parameters = (piece.strip().lower() for piece in (value or "").split(";"))
    charsets = [part[8:].strip('"') for part in parameters if part.startswith("charset=")]
    if media != JSON or any(charset not in ("utf-8", "utf8") for charset in charsets):
        raise HTTPError(415, "UNSUPPORTED_MEDIA_TYPE", f"the content type is {JSON}, in UTF-8")
    if encoding is not None and encoding.strip().lower() != "identity":
        raise HTTPError(415, "UNSUPPORTED_MEDIA_TYPE", "bodies are not compressed")


def decode(text: bytes | str) -> Any:
    """Return what a JSON text says.

    Raises:
      HTTPError: 400: it is no JSON in UTF-8, it nests too deep, or a string in it has a NUL or half a character.
    """
    try:
        data = msgspec.json.decode(text)
    except (ValueError, RecursionError):  # msgspec's errors and UnicodeDecodeError are ValueErrors
        raise HTTPError(400, "BAD_REQUEST", "this is no JSON in UTF-8") from None
    if any("\0" in text for text in _strings(data)):
        raise HTTPError(400, "BAD_REQUEST", "a string has no NUL characters")
    return data


def _strings(data: Any) -> Iterator[str]:
    left = [data]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            left.extend(value)
        elif isinstance(value, dict):
            left.extend(value)
            left.extend(value.values())


def _from_query_string(text: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(text.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_PARAMETERS)
    except ValueError:
        raise HTTPError(400, "BAD_REQUEST", "the query string cannot be read") from None
    given = dict(pairs)
    if any("\0" in value for value in given.values()):
        raise HTTPError(400, "BAD_REQUEST", "a string has no NUL characters")
    request: dict[str, Any] = {name: given[name] for name in ("query", "operationName") if name in given}
    request.update({name: decode(given[name]) for name in ("variables", "extensions") if given.get(name)})
    return request


# --- out


def _status(media: str, response: dict[str, Any]) -> int:
    return 400 if media == RESPONSE_JSON and "data" not in response else 200


async def _answer_refusal(exchange: Exchange, media: str, refusal: RequestRefused) -> None:
    if refusal.status in (403, 429):
        headers = [(b"retry-after", b"1")] if refusal.status == 429 else []
        raise HTTPError(refusal.status, refusal.errors[0]["extensions"]["code"], str(refusal), headers)
    if media == EVENTS:
        await send_refusal(exchange, refusal)
    else:
        await exchange.reply(refusal.status if media == RESPONSE_JSON else 200, dumps(refusal.response), media)
