"""Types of Python as types of GraphQL: of arguments, answers and the fields of events."""

from __future__ import annotations

import json
import re
from collections.abc import Set as AbstractSet

from .model import Field

__all__ = ["field_type", "graphql_default", "input_type", "output_type"]

_SCALARS = {
    "str": "String",
    "int": "Int",
    "float": "Float",
    "bool": "Boolean",
    "Decimal": "Decimal",
    "Message": "JSON",
}

_LONG = {"perm_id", "time", "time_in_millis", "time_stamp"}
"""Whole numbers that may need more than 32 bits, by the names of their fields."""


def output_type(annotation: str) -> str:
    """Return the GraphQL type of an annotation, without what says that it is never null."""
    annotation = annotation.removesuffix(" | None")
    if annotation == "dict[int, tuple[str, str]]":
        return "[SmartComponent!]"
    listed = re.fullmatch(r"(?:list|set)\[(.*)\]", annotation)
    if listed:
        return f"[{output_type(listed[1])}!]"
    return _SCALARS.get(annotation, annotation)


def input_type(type_: str, given: AbstractSet[str]) -> str:
    """Return the type of an argument for the type of an answer: ``[TagValueInput!]`` for ``[TagValue!]``.

    *given* are the classes that arguments are made of.
    """
    return re.sub(r"\w+", lambda name: f"{name[0]}Input" if name[0] in given else name[0], type_)


def field_type(field: Field) -> str:
    """Return the type of an event's field."""
    type_ = output_type(field.annotation)
    return "Long" if type_ == "Int" and field.name in _LONG else type_


def graphql_default(value: object) -> str:
    """Return a default as the schema writes it."""
    return json.dumps(value)
