"""Reads the recorded releases back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .model import Method, Parameter, Release

__all__ = ["FOLDER", "load", "parse"]

FOLDER = Path(__file__).parent / "releases"


def load(folder: Path = FOLDER) -> list[Release]:
    """Return the recorded releases, the oldest first."""
    releases = [parse(json.loads(path.read_text(encoding="utf-8"))) for path in folder.glob("*.json")]
    return sorted(releases, key=lambda release: release.order)


def parse(facts: Mapping[str, Any]) -> Release:
    """Return the release that a recorded file describes."""
    return Release(
        version=facts["version"],
        client={name: _method(name, text) for name, text in facts["client"].items()},
        wrapper={name: _method(name, text) for name, text in facts["wrapper"].items()},
        nouns={name: noun["module"] for name, noun in facts["nouns"].items()},
        attributes={name: tuple(noun.get("attributes", ())) for name, noun in facts["nouns"].items()},
    )


def _method(name: str, text: str) -> Method:
    return Method(name, tuple(_parameter(part) for part in text.split(", ") if part))


def _parameter(text: str) -> Parameter:
    text, _, default = text.partition(" = ")
    name, _, annotation = text.partition(": ")
    return Parameter(name, annotation, default or None)
