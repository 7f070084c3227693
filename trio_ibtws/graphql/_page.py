"""The files of the web page: read once from the package, served with headers that keep everything foreign out."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

__all__ = ["PageFile", "page_files"]

# The page runs its own scripts, talks to its own server, and can be neither framed nor sent anywhere.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}


class PageFile(NamedTuple):
    """A file, as it is answered."""

    body: bytes
    media: str
    headers: tuple[tuple[bytes, bytes], ...]

    @property
    def etag(self) -> bytes:
        """What a browser asks with whether the file has changed."""
        return next(value for name, value in self.headers if name == b"etag")


def page_files() -> dict[str, PageFile]:
    """Return the files by the path that they are served at; ``/`` is ``index.html``."""
    found = {
        f"/page/{name}": _file(name, entry.read_bytes()) for name, entry in _walk(files("trio_ibtws.graphql") / "page")
    }
    if "/page/index.html" in found:
        found["/"] = found["/page/index.html"]
    return found


def _walk(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif _suffix(entry.name) in _TYPES:
            yield f"{prefix}{entry.name}", entry


def _file(name: str, body: bytes) -> PageFile:
    headers = (
        (b"content-security-policy", _POLICY.encode()),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"x-frame-options", b"DENY"),
        (b"cache-control", b"no-cache"),
        (b"etag", b'"%s"' % sha256(body).hexdigest()[:16].encode()),
    )
    return PageFile(body, _TYPES[_suffix(name)], headers)


def _suffix(name: str) -> str:
    return name[name.rfind(".") :].lower()
