"""A TWS to try things on: it speaks the true wire protocol and trades on recorded prices, without an account.

``open_simulator`` runs one. How it is layered, from the bytes up; each layer knows those above it in this list:

- ``_codec…``: messages to bytes and back, from tables; the only part that knows the text protocol
- ``_clock``, ``_memory``, ``_connection``, ``_handshake``: time, connections, first bytes
- ``_market…``, ``_quotes``, ``_ticker``: contracts, prices, bars, ticks
- ``_accounts``, ``_orders…``, ``_exchange``: money and orders
- ``_session``, ``_serve…``: one client and what it asks for
- ``_simulator``, ``_open``: what users see
"""

from __future__ import annotations

from ._open import open_simulator as open_simulator
from ._scenario import Scenario as Scenario
from ._session import Received as Received
from ._simulator import Simulator as Simulator

__all__ = ["Received", "Scenario", "Simulator", "open_simulator"]

for _name in __all__:
    globals()[_name].__module__ = __name__
del _name
