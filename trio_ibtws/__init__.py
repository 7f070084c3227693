"""A Trio-native client for Interactive Brokers' TWS and IB Gateway; on asyncio through anyio.

How it is layered; imports point downwards only:

- this module: the public names;
- ``_client``: ``open_client`` and ``Client``;
- ``_gen``: generated from the table of requests: events, the wrapper of ibapi's callbacks, the request functions;
- ``_runtime``: written by hand; what does no I/O (framing, bridge, router, lanes, outbox, pacing) below what waits
  (streams, calls, connection). It never imports ``_gen``; the wrapper is handed to it;
- ``codes``, ``errors``: what TWS's message codes mean, and the exceptions;
- ibapi: encodes every request and decodes every answer.

``simulator``, ``graphql`` and ``cli`` stand beside ``_client`` and use what is below it.
"""

from ._runtime._installed import require_one_ibapi

require_one_ibapi()  # before the first import of ibapi, so that the error says what to do

# isort: split
from ._client import Client as Client
from ._client import open_client as open_client
