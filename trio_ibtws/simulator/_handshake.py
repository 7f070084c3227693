"""The first bytes of a connection: which server version a client gets."""

from __future__ import annotations

import re
from datetime import datetime

from ._market_series import NEW_YORK

__all__ = ["PREFIX", "SERVER_VERSIONS", "choose_version", "greeting"]

PREFIX = b"API\0"
"""What a client sends before its first frame."""

SERVER_VERSIONS = (176, 157)
"""The versions that are served, the best first."""

_OFFER = re.compile(rb"v(\d{1,9})(?:\.\.(\d{1,9}))?(?: .*)?\0?", re.DOTALL)


def choose_version(offer: bytes, forced: int | None) -> int | None:
    """Return the server version for a client that sent *offer* (``v100..176``, perhaps with connect options).

    ``None`` when its range holds no version that is served, or is no range at all.
    """
    match = _OFFER.fullmatch(offer)
    if match is None:
        return None
    lowest = int(match[1])
    highest = int(match[2] or lowest)
    served = SERVER_VERSIONS if forced is None else (forced,)
    return next((version for version in served if lowest <= version <= highest), None)


def greeting(version: int, instant: float) -> bytes:
    """Return the body of the frame that answers a handshake."""
    return f"{version}\0{datetime.fromtimestamp(instant, NEW_YORK):%Y%m%d %H:%M:%S %Z}\0".encode()
