"""The first bytes of a connection: which server version a client gets."""

from __future__ import annotations

import re
from datetime import datetime

from .._runtime._compat import MAX_CLIENT_VERSION, ibapi_release
from ._market_series import NEW_YORK

__all__ = ["PREFIX", "SERVER_VERSIONS", "TEXT_VERSIONS", "check_version", "choose_version", "greeting"]

PREFIX = b"API\0"
"""What a client sends before its first frame."""

TEXT_VERSIONS = (176, 157)
_FIRST_PROTOBUF, _LAST_PROTOBUF = 213, 226  # before 213 some messages are text and some are protobuf

SERVER_VERSIONS = (*range(min(_LAST_PROTOBUF, MAX_CLIENT_VERSION), _FIRST_PROTOBUF - 1, -1), *TEXT_VERSIONS)
"""The versions that are served, the best first. Those that are protobuf need an ibapi that has their messages."""

_OFFER = re.compile(rb"v(\d{1,9})(?:\.\.(\d{1,9}))?(?: .*)?\0?", re.DOTALL)


def check_version(version: int | None) -> None:
    """Raise ``ValueError`` unless a server version can be served, or is ``None``."""
    if version is None or version in SERVER_VERSIONS:
        return
    if _FIRST_PROTOBUF <= version <= _LAST_PROTOBUF:
        raise ValueError(
            f"server version {version} is protobuf, whose messages come with ibapi: the installed release "
            f"{ibapi_release()} has those of versions up to {MAX_CLIENT_VERSION}"
        )
    raise ValueError(f"server version {version} is not served, only 157, 176 and 213 to 226")


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
