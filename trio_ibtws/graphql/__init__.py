"""TWS as a GraphQL service: ``create_app`` makes it, ``serve`` runs it on a server that no peer can end.

    _resolve, _orders, _values      what answers the fields: the client's methods, the order book
    _engine, _guard                 GraphQL itself, within Limits
    _service                        operations: how many, how long, to which end
    _http, _sse, _websocket, _app   the protocols, who may speak them, the web page
    _hypercorn…, _serve             the server, hardened on both of its workers

It needs more than the client does (``pip install 'trio-ibtws[graphql]'``); importing it without says what is missing.
"""

from __future__ import annotations

from ._requirements import check_requirements

check_requirements()

from ._app import App as App  # noqa: E402
from ._audit import AuditLog as AuditLog  # noqa: E402
from ._create import create_app as create_app  # noqa: E402
from ._limits import Limits as Limits  # noqa: E402
from ._serve import serve as serve  # noqa: E402

App.__module__ = AuditLog.__module__ = create_app.__module__ = Limits.__module__ = serve.__module__ = __name__
