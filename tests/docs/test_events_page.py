"""``docs/reference/events.md`` has every event as it is. ``python -m tests.docs.test_events_page`` writes it anew."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import trio_ibtws

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "events.md"
SOURCES = (ROOT / "trio_ibtws" / "_gen" / "events.py", ROOT / "trio_ibtws" / "_runtime" / "_events.py")

_HEAD = """<!-- Written from the classes: python -m tests.docs.test_events_page -->

# Events

One class for each callback of `EWrapper` that brings more than one value, with its name and its parameters; all are
`msgspec.Struct`s that cannot be changed. What TWS leaves unset is `None`, sizes are `Decimal`. ibapi's own nouns
(`Contract`, `Order`, `BarData`, `TickAttrib`, …) come as ibapi made them.
"""


def page() -> str:
    """Return the page as it ought to be."""
    classes: dict[str, str] = {}
    unions: dict[str, str] = {}
    for source in SOURCES:
        text = source.read_text(encoding="utf-8")
        for node, following in pairs(ast.parse(text).body):
            if isinstance(node, ast.ClassDef) and hasattr(trio_ibtws, node.name) and node.name != "Event":
                classes[node.name] = section(node, text)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                unions[node.target.id] = union(node.target.id, node.value, following)
    parts = [_HEAD, *(classes[name] for name in sorted(classes)), "## Unions\n", *(unions[n] for n in sorted(unions))]
    return "\n".join(parts)


def pairs(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, ast.stmt | None]]:
    yield from zip(body, [*body[1:], None], strict=True)


def section(node: ast.ClassDef, text: str) -> str:
    """Return the heading, the docstring and the fields of a class."""
    lines = text.splitlines()
    says = attributes(node)
    fields = [lines[each.lineno - 1].strip() for each in node.body if isinstance(each, ast.AnnAssign)]
    block = ["```text", *fields, "```", ""] if fields else []
    return "\n".join(
        [
            f"## {node.name}",
            "",
            marked(ast.get_docstring(node) or "").partition("\n\nAttributes:")[0],
            "",
            *block,
            *says,
        ]
    )


def attributes(node: ast.ClassDef) -> list[str]:
    """Return what the docstring says about the fields, as a list."""
    section = (ast.get_docstring(node) or "").partition("\n\nAttributes:\n")[2]
    entries = [line.strip().partition(": ") for line in section.splitlines()]
    return [f"- `{name}`: {marked(what)}" for name, _, what in entries] + [""] * bool(entries)


def union(name: str, value: ast.expr, following: ast.stmt | None) -> str:
    """Return what a union is of, and what its docstring says."""
    members = (ast.literal_eval(value) if isinstance(value, ast.Constant) else ast.unparse(value)).split(" | ")
    says = ""
    if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
        says = marked(str(following.value.value))
    return f"**`{name}`**: {', '.join(f'`{member}`' for member in members)}. {says}\n"


def marked(docstring: str) -> str:
    return docstring.replace("``", "`")


def test_the_page_has_every_event() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.docs.test_events_page writes it anew"
    assert {"## TickPrice", "## OpenOrder", "## Lagged"} <= set(page().splitlines())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
