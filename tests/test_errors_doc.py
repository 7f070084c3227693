"""``docs/errors.md`` says what the table of codes says. ``python -m tests.test_errors_doc`` writes its tables anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import trio_ibtws
from trio_ibtws.codes import GROUPS, CodeRule

PAGE = Path(__file__).parents[1] / "docs" / "errors.md"
_MARK = "<!-- The tables are written from trio_ibtws/codes.py: python -m tests.test_errors_doc -->\n"
_NEXT = "\n## Rules of your own"


def does(rule: CodeRule) -> str:
    """Return what a rule does, in a word."""
    if rule.effect == "error":
        return f"`{rule.error.__name__}`"
    if rule.ends is not None:
        return f"ends the streams of `{rule.ends}`"
    return f"{rule.effect}: {rule.farm}" if rule.farm else rule.effect


def special(rule: CodeRule) -> Iterator[str]:
    """Each special rule, in words."""
    for text, inner in rule.texts.items():
        yield f"in a text with “{text}”: {does(inner)}"
        for name, innermost in inner.contexts.items():
            yield f"and of `{name}`: {does(innermost)}"
    for name, inner in rule.contexts.items():
        yield f"in the context `{name}`: {does(inner)}"


def tables() -> str:
    """Return the tables of all groups."""
    lines: list[str] = []
    for title, group in GROUPS.items():
        lines += ["", f"### {title}", "", "| code | what it says | what it does | but |", "|---|---|---|---|"]
        for code, rule in sorted(group.items()):
            assert rule.means, code
            lines.append(f"| {code} | {rule.means} | {does(rule)} | {'; '.join(special(rule))} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the page with the tables as they ought to be."""
    before, mark, rest = PAGE.read_text().partition(_MARK)
    assert mark, f"{PAGE} has lost its mark"
    return before + mark + tables() + rest[rest.index(_NEXT) :]


def test_the_page_has_the_table() -> None:
    assert PAGE.read_text() == page(), "python -m tests.test_errors_doc writes it anew"


def test_the_page_names_every_family_of_errors() -> None:
    families = [
        name
        for name, kind in vars(trio_ibtws).items()
        if isinstance(kind, type) and issubclass(kind, trio_ibtws.RequestError)
    ]
    assert len(families) >= 8
    assert [name for name in families if f"| `{name}` |" not in PAGE.read_text()] == []


if __name__ == "__main__":
    PAGE.write_text(page())
