"""A session of the PyPI package gql, which runs on asyncio alone: a process of its own. Prints one line of JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport


async def main(url: str, token: str) -> dict[str, Any]:
    """Ask for everything once."""
    authorization = {"authorization": f"Bearer {token}"}
    http = HTTPXAsyncTransport(url=url, headers=authorization)
    websocket = WebsocketsTransport(url=url.replace("http", "ws", 1), init_payload=authorization)
    seen: dict[str, Any] = {}
    async with Client(transport=http, fetch_schema_from_transport=False) as session:
        seen["query"] = await session.execute(gql('{ hello(name: "http") }'))
        seen["mutation"] = await session.execute(gql('mutation { place(name: "http") }'))
        try:
            await session.execute(gql("{ nothing }"))
        except TransportQueryError as refusal:
            seen["refused"] = refusal.errors
    async with Client(transport=websocket, fetch_schema_from_transport=False) as session:
        seen["socket"] = await session.execute(gql('{ hello(name: "socket") }'))
        seen["count"] = [each async for each in session.subscribe(gql("subscription { count(to: 3) { seq } }"))]
        forever = session.subscribe(gql("subscription { forever { seq } }"))
        seen["left"] = [await anext(forever), await anext(forever)]
        await forever.aclose()
    return seen


async def read_schema(url: str, token: str) -> dict[str, Any]:
    """Fetch the schema, and check a query against it before it is sent."""
    transport = HTTPXAsyncTransport(url=url, headers={"authorization": f"Bearer {token}"})
    client = Client(transport=transport, fetch_schema_from_transport=True)
    async with client as session:
        time = await session.execute(gql("{ reqCurrentTime }"))
    assert client.schema is not None
    assert client.schema.query_type is not None
    return {"queries": len(client.schema.query_type.fields), "time": time}


if __name__ == "__main__":
    url, token, *what = sys.argv[1:]
    print(json.dumps(asyncio.run((read_schema if what else main)(url, token))))
