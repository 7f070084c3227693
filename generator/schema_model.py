"""What the table says for GraphQL alone: nouns with their attributes, enums, and fields that no request stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from typing import Literal

__all__ = ["Attribute", "Enumeration", "Extra", "Noun", "Vocabulary"]

Root = Literal["Query", "Mutation", "Subscription"]


@dataclass(frozen=True)
class Attribute:
    """One attribute of a noun: its name in ibapi, its type in GraphQL, and what it is."""

    name: str
    type: str
    doc: str


@dataclass(frozen=True)
class Noun:
    """A class that answers or arguments are made of.

    Attributes:
      name: the class.
      doc: what it is, in our own words.
      lines: one line for each attribute: its name, its type in GraphQL, what it is.
      given: whether it is an argument, or in one.
      told: attributes that only TWS fills in, so that they are no part of the argument.
      answered: whether answers contain it.
      condition: the number of this kind of order condition.
      ours: a class of this library, whose attributes have their names in snake_case.
    """

    name: str
    doc: str
    lines: str
    _: KW_ONLY
    given: bool = False
    told: tuple[str, ...] = ()
    answered: bool = True
    condition: int | None = None
    ours: bool = False

    @cached_property
    def attributes(self) -> tuple[Attribute, ...]:
        """The lines, read."""
        lines = (line.split(maxsplit=2) for line in self.lines.splitlines() if line.strip())
        return tuple(Attribute(*parts) for parts in lines)


@dataclass(frozen=True)
class Enumeration:
    """A closed set of values: name -> what it means."""

    name: str
    doc: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Extra:
    """A field that is no request of the table, and the function of ``trio_ibtws.graphql`` that resolves it.

    *arguments* are ``name: Type`` or ``name: Type = default``, as in the schema.
    """

    root: Root
    name: str
    type: str
    doc: str
    _: KW_ONLY
    arguments: tuple[str, ...] = ()
    trading: bool = False


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Everything that the schema has beside what the rows say.

    Attributes:
      nouns: classes of answers and arguments.
      enums: closed sets.
      unions: name -> members and what it is.
      extras: fields without a row.
      scalars: name -> what it is and how it is written.
      arguments: what arguments mean, under EClient's names.
      fields: what the fields of events mean, under EWrapper's names.
      docs: what a field of a root says in place of its row's text.
      defaults: arguments that need not be given here, beside those of the table.
      types: types of arguments that differ from ibapi's: ``method.parameter`` -> type.
      results: types of fields whose answer is not what the client's method returns: field -> type.
    """

    nouns: tuple[Noun, ...]
    enums: tuple[Enumeration, ...] = ()
    unions: Mapping[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    extras: tuple[Extra, ...] = ()
    scalars: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    docs: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, object] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, str] = field(default_factory=dict)
