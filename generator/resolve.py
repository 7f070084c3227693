"""Table + releases -> ``Model``. What the table says that no release shows is an error, and so is what it leaves out.

The events come first (what a callback delivers depends on the rows that it answers), then the functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .callbacks import CallbackResolver
from .check import check
from .check_words import check_words
from .methods import MethodResolver
from .model import Callback, CallbackMethod, Model, Release, Table, TableError

__all__ = ["resolve"]


def resolve(table: Table, releases: Sequence[Release]) -> Model:
    """Return everything that is to be emitted.

    Raises:
      TableError: the table and the releases contradict each other; it names every place.
    """
    problems = check(table, releases)
    if problems:
        raise TableError(problems)
    callbacks = CallbackResolver(table, releases)
    vague = [problem for callback in callbacks.all() for problem in _vague(callback, table)]
    if vague:
        raise TableError(vague)
    methods = MethodResolver(table, releases, callbacks)
    families = tuple((family, methods.family(family)) for family in table.families)
    model = Model(
        families=families,
        callbacks=callbacks.all(),
        unions=tuple(methods.unions.values()),
        nouns={name: module for release in releases for name, module in release.nouns.items()},
        attributes=_attributes(releases),
        defaults=table.defaults,
        vocabulary=table.vocabulary,
    )
    wordless = check_words(model)
    if wordless:
        raise TableError(wordless)
    return model


def _attributes(releases: Sequence[Release]) -> Mapping[str, Mapping[str, str | None]]:
    """Return the attributes that a class has in any release, each with the last one that had it if it is gone."""
    found: dict[str, dict[str, str | None]] = {}
    for release in releases:
        for name, attributes in release.attributes.items():
            known = found.setdefault(name, {})
            known.update(dict.fromkeys(attributes, release.short))
    newest = releases[-1].short
    return {
        name: {attribute: None if last == newest else last for attribute, last in attributes.items()}
        for name, attributes in found.items()
    }


def _vague(callback: CallbackMethod, table: Table) -> Iterator[str]:
    """What the generated class would lack: its docstring, or what its collections hold."""
    doc = table.callbacks.get(callback.name, Callback()).doc
    if bool(callback.event) != bool(doc):
        lack = (
            "needs a one-line doc" if callback.event else "delivers no class of its own, so that its doc says nothing"
        )
        yield f"callback {callback.name}: {lack}"
    for field in callback.fields:
        if field.annotation in ("", "list", "set", "dict"):
            yield f"callback {callback.name}: say of what type {field.value!r} is, {field.annotation!r} is too vague"
