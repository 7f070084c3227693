"""A TWS to try things on: it speaks the true wire protocol and trades on recorded prices, without an account.

``open_simulator`` runs one. How it is layered, from the bytes up; each layer knows those above it in this list:

- ``_codec…``: messages to bytes and back, from tables; the only part that knows the text protocol
- ``_clock``, ``_memory``, ``_connection``, ``_handshake``: time, connections, first bytes
- ``_market…``, ``_quotes``, ``_ticker``: contracts, prices, bars, ticks
- ``_accounts``, ``_orders…``, ``_exchange``: money and orders
- ``_limits``, ``_link``, ``_fault_rules``: what is too much, what is cut off, what goes wrong with messages
- ``_session``, ``_rules``, ``_serve…``: one client and what it asks for
- ``_gateway``: what the clients share
- ``_peer``, ``_door``, ``_faults``, ``_script``: bytes in, the port, faults on request
- ``_simulator``, ``_open``, ``_scenario``, ``_proxy``: what users see
"""

from __future__ import annotations

from .._public import publish
from ._faults import Faults as Faults
from ._limits import Limits as Limits
from ._open import open_simulator as open_simulator
from ._proxy import ChaosProxy as ChaosProxy
from ._proxy import Toxics as Toxics
from ._scenario import Scenario as Scenario
from ._script import ScriptError as ScriptError
from ._session import Received as Received
from ._simulator import Simulator as Simulator

__all__ = [
    "ChaosProxy",
    "Faults",
    "Limits",
    "Received",
    "Scenario",
    "ScriptError",
    "Simulator",
    "Toxics",
    "open_simulator",
]

publish(__name__, [globals()[name] for name in __all__])
del publish
