"""The generated files: their names, their formatted text, and how they stand on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .emit_blocking import emit_blocking, emit_blocking_family
from .emit_docs import emit_docs
from .emit_events import emit_events
from .emit_requests import emit_family, emit_requests
from .emit_resolvers import emit_resolvers
from .emit_schema import emit_schema
from .emit_wrapper import emit_wrapper
from .format import format_source
from .model import Model
from .text import HEADER

__all__ = ["PACKAGE", "REFERENCE", "ROOT", "SCHEMA", "differences", "generate", "write"]

ROOT = Path(__file__).parent.parent
PACKAGE = "trio_ibtws/_gen"
REFERENCE = "docs/requests.md"
SCHEMA = f"{PACKAGE}/schema.graphql"


def generate(model: Model) -> dict[str, str]:
    """Return the text of every generated file by its path from the project's root."""
    sources = {
        "__init__": f'{HEADER}\n"""What the generator makes of the request table."""\n\n'
        "from __future__ import annotations\n",
        "events": emit_events(model),
        "wrapper": emit_wrapper(model),
        "requests": emit_requests(model),
        "blocking": emit_blocking(model),
    }
    for family, requests in model.families:
        sources[f"requests_{family.name}"] = emit_family(model, family, requests)
        sources[f"blocking_{family.name}"] = emit_blocking_family(model, family, requests)
    if model.vocabulary is not None:
        sources["resolvers"] = emit_resolvers(model)
    files = {f"{PACKAGE}/{name}.py": format_source(text) for name, text in sources.items()}
    if model.vocabulary is not None:
        files[SCHEMA] = emit_schema(model)
    return {**files, REFERENCE: emit_docs(model)}


def differences(files: Mapping[str, str], root: Path) -> list[str]:
    """Return what is stale, missing or surplus on disk, one line for each."""
    found = []
    for name, text in sorted(files.items()):
        path = root / name
        if not path.exists():
            found.append(f"{name}: missing")
        elif path.read_text(encoding="utf-8") != text:
            found.append(f"{name}: stale")
    return found + [f"{name}: surplus" for name in _surplus(files, root)]


def write(files: Mapping[str, str], root: Path) -> list[str]:
    """Write the files that differ, delete the surplus ones; return what was done."""
    done = differences(files, root)
    for name in _surplus(files, root):
        (root / name).unlink()
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    return done


def _surplus(files: Mapping[str, str], root: Path) -> list[str]:
    there = {path.relative_to(root).as_posix() for path in (root / PACKAGE).glob("*") if path.is_file()}
    return sorted(there - set(files))
