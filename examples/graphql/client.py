"""Run a request file against ``trio-ibtws serve``: queries by POST, subscriptions over a websocket, with PyPI's gql.

pip install "gql[httpx,websockets]"
export TRIO_IBTWS_TOKEN=…        # as `trio-ibtws serve` prints it
python client.py historical_data.graphql symbol=IBM duration="1 W"
python client.py tick_by_tick.graphql --count 10
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from gql import Client, GraphQLRequest, gql
from gql.transport.exceptions import TransportError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport
from graphql import OperationDefinitionNode, OperationType


async def main() -> int:
    arguments = parse_arguments()
    request = gql(arguments.file.read_text())
    request.variable_values = dict(map(variable, arguments.variables))
    left = arguments.count
    try:
        async for answer in answers(request, arguments.url, arguments.token):
            print(json.dumps(answer), flush=True)
            left -= 1
            if not left:
                break
    except TransportError as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run a GraphQL request file.")
    parser.add_argument("file", type=Path)
    parser.add_argument("variables", nargs="*", metavar="NAME=VALUE")
    parser.add_argument("--url", default="http://127.0.0.1:8000/graphql")
    parser.add_argument("--token", default=os.environ.get("TRIO_IBTWS_TOKEN", ""))
    parser.add_argument("--count", type=int, default=-1, help="end a subscription after so many events")
    return parser.parse_args()


def variable(given: str) -> tuple[str, Any]:
    """Return the name and the value in NAME=VALUE: a JSON value, or a text as it stands."""
    name, _, value = given.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


async def answers(request: GraphQLRequest, url: str, token: str) -> AsyncIterator[dict[str, Any]]:
    """Yield the answer to a query or mutation, or the events of a subscription."""
    authorization = {"authorization": f"Bearer {token}"}
    if not is_subscription(request):
        async with Client(transport=HTTPXAsyncTransport(url, headers=authorization), execute_timeout=30) as session:
            yield await session.execute(request)
        return
    address = url.replace("http", "ws", 1)
    socket = WebsocketsTransport(address, init_payload=authorization, subprotocols=["graphql-transport-ws"])
    async with Client(transport=socket) as session:
        async for event in session.subscribe(request):
            yield event


def is_subscription(request: GraphQLRequest) -> bool:
    [operation] = [node for node in request.document.definitions if isinstance(node, OperationDefinitionNode)]
    return operation.operation is OperationType.SUBSCRIPTION


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
