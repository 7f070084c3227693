"""Values between GraphQL and Python: arguments become objects of ibapi, events and objects of ibapi become answers.

Both go by the types in the schema. Attributes have IB's names there and in ibapi, and the same letters in our events:
``dailyPnL`` is ``daily_pnl``. What is unset is null, however the installed ibapi says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from importlib import import_module
from typing import Any

import graphql
import msgspec

from .._gen.resolvers import NOUNS
from .._runtime import _values as values
from .._runtime._compat import ibapi_release
from .._runtime._events import DepthReset, EndOfSnapshot, Gap, Notice
from ..errors import InvalidRequest, UnsupportedRequest

__all__ = ["Inputs", "Outputs", "Types", "named", "type_name"]


def named(node: graphql.TypeNode) -> str:
    """Return the name of the type without lists and exclamation marks."""
    while not isinstance(node, graphql.NamedTypeNode):
        assert isinstance(node, (graphql.ListTypeNode, graphql.NonNullTypeNode))
        node = node.type
    return node.name.value


def is_list(node: graphql.TypeNode) -> bool:
    """Whether the type is a list."""
    return isinstance(node.type if isinstance(node, graphql.NonNullTypeNode) else node, graphql.ListTypeNode)


_WITH_FIELDS = (
    graphql.InputObjectTypeDefinitionNode,
    graphql.ObjectTypeDefinitionNode,
    graphql.ObjectTypeExtensionNode,
)


class Types:
    """The types of the schema.

    Attributes:
      fields: type -> field -> its type, for objects and for inputs.
      arguments: ``Query.reqMktData`` and the like -> argument -> its type.
      enums: the names of the enums.
    """

    def __init__(self, sdl: str) -> None:
        self.fields: dict[str, dict[str, graphql.TypeNode]] = {}
        self.arguments: dict[str, dict[str, graphql.TypeNode]] = {}
        self.enums: set[str] = set()
        for definition in graphql.parse(sdl, no_location=True).definitions:
            if isinstance(definition, graphql.EnumTypeDefinitionNode):
                self.enums.add(definition.name.value)
            elif isinstance(definition, _WITH_FIELDS):
                self._add(definition.name.value, definition.fields or ())

    def _add(self, name: str, fields: Iterable[Any]) -> None:
        own = self.fields.setdefault(name, {})
        for field in fields:
            own[field.name.value] = field.type
            arguments = getattr(field, "arguments", None) or ()
            self.arguments[f"{name}.{field.name.value}"] = {each.name.value: each.type for each in arguments}


# --- arguments ---------------------------------------------------------------------------------------------------

_FRESH: Mapping[str, Mapping[str, Any]] = {"Order": {"eTradeOnly": False, "firmQuoteOnly": False}}
"""What new orders of old releases have set and TWS refuses."""

_CONDITIONS: Mapping[str, str] = {
    "Price": "PriceCondition",
    "Time": "TimeCondition",
    "Margin": "MarginCondition",
    "Execution": "ExecutionCondition",
    "Volume": "VolumeCondition",
    "PercentChange": "PercentChangeCondition",
}

_NEED_NOT_BE_GIVEN = frozenset({"condType", "isConjunctionConnection", "triggerMethod"})


class Inputs:
    """Makes what the client's methods take of what was given; every error names the place in the arguments."""

    def __init__(self, types: Types) -> None:
        self._types = types

    def argument(self, field: str, name: str, given: Any) -> Any:
        """Return what the argument of a root field means, ``None`` where it was not given.

        Raises:
          InvalidRequest: it cannot be meant; ``field`` is the path, as ``order.conditions[0].price``.
          UnsupportedRequest: the installed ibapi has no such class.
        """
        return self._value(self._types.arguments[field][name], given, name)

    def _value(self, node: graphql.TypeNode, given: Any, path: str) -> Any:
        if given is None:
            return None
        if is_list(node):
            return [self._one(named(node), each, f"{path}[{at}]") for at, each in enumerate(given)]
        return self._one(named(node), given, path)

    def _one(self, kind: str, given: Any, path: str) -> Any:
        if not isinstance(given, Mapping) or kind not in self._types.fields:
            return given
        if kind == "OrderConditionInput":
            return self._condition(given, path)
        name = kind.removesuffix("Input")
        made = noun(name)
        for attribute, value in _FRESH.get(name, {}).items():
            if hasattr(made, attribute):
                setattr(made, attribute, value)
        for attribute, value in self.attributes(kind, given, path).items():
            setattr(made, attribute, value)
        return made

    def attributes(self, kind: str, given: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Return what was given of an input as attributes of its class.

        Raises:
          InvalidRequest: the installed ibapi has no such attribute, or its value cannot be meant.
        """
        found = {}
        known = attributes_of(kind.removesuffix("Input"))
        for field, value in given.items():
            if value is None:
                continue
            if field not in known:
                raise InvalidRequest(
                    f"{path}.{field}",
                    f"{kind.removesuffix('Input')} of the installed ibapi {ibapi_release()} has no {field!r}; leave it "
                    "out, or install a release that has it. Nothing was sent",
                )
            found[known[field]] = self._value(self._types.fields[kind][field], value, f"{path}.{field}")
        return found

    def _condition(self, given: Mapping[str, Any], path: str) -> Any:
        kind = given["condType"]
        name = _CONDITIONS[kind]
        made, known = noun(name), attributes_of(name)
        for field, value in given.items():
            if field == "condType" or value is None:
                continue
            if field not in known:
                raise InvalidRequest(f"{path}.{field}", f"a condition of the kind {kind} has none. Nothing was sent")
            setattr(made, field, value)
        for field in known:
            if given.get(field) is None and field not in _NEED_NOT_BE_GIVEN:
                raise InvalidRequest(f"{path}.{field}", f"a condition of the kind {kind} needs it. Nothing was sent")
        if "triggerMethod" in known and given.get("triggerMethod") is None:
            made.triggerMethod = 0
        return made


def noun(name: str) -> Any:
    """Return a new object of a class of ibapi.

    Raises:
      UnsupportedRequest: the installed ibapi has no such class.
    """
    return _class(name)()


@cache
def _class(name: str) -> Any:
    try:
        return getattr(import_module(NOUNS[name]), name)
    except (ModuleNotFoundError, AttributeError) as exc:
        raise UnsupportedRequest(
            f"the installed ibapi {ibapi_release()} has no class {name}. Nothing was sent"
        ) from exc


@cache
def attributes_of(name: str) -> Mapping[str, str]:
    """Return the attributes of a class of ibapi by their names in the schema."""
    return {attribute.rstrip("_"): attribute for attribute in vars(noun(name))}


# --- answers -----------------------------------------------------------------------------------------------------

Getter = Callable[[Any], Any]


def type_name(value: Any) -> str:
    """Return the type in the schema that a value of a union has: the name of its class."""
    return type(value).__name__


class Outputs:
    """Reads the fields of answers: ``outputs(parent, name)`` is the engine's default resolver."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._getters: dict[tuple[type, str], Getter] = {}

    def __call__(self, parent: Any, name: str) -> Any:
        """Return the value of the field *name* of *parent*, null where it is unset or the release has none."""
        try:
            getter = self._getters[parent.__class__, name]
        except KeyError:
            getter = self._getters[parent.__class__, name] = self._getter(parent, name)
        return getter(parent)

    def _getter(self, parent: Any, name: str) -> Getter:
        kind = type(parent)
        special = _SPECIAL.get((kind, name))
        if special is not None:
            return special
        node = self._types.fields[type_name(parent)][name]
        attribute, convert = _attribute(parent, name), self._converter(node)
        if convert is None:
            return lambda value: getattr(value, attribute, None)

        def get(value: Any) -> Any:
            found = getattr(value, attribute, None)
            return None if found is None else convert(found)

        return get

    def _converter(self, node: graphql.TypeNode) -> Callable[[Any], Any] | None:
        kind = named(node)
        one = _enum_name if kind in self._types.enums else _CONVERTERS.get(kind)
        if kind == "OrderConditionType":
            one = _condition_name
        if not is_list(node):
            return one
        if one is None:
            return list
        return lambda given: [one(each) for each in (sorted(given) if isinstance(given, (set, frozenset)) else given)]


def _attribute(parent: Any, name: str) -> str:
    """Return the attribute of *parent* that a field shows."""
    if hasattr(parent, name):
        return name
    letters = _letters(name)
    own = parent.__struct_fields__ if isinstance(parent, msgspec.Struct) else dir(parent)
    return next((each for each in own if not each.startswith("_") and _letters(each) == letters), name)


def _letters(name: str) -> str:
    return name.replace("_", "").lower()


def _float(value: Any) -> float | None:
    try:
        return values.number(float(value))
    except ValueError:
        return None  # an empty text


def _integer(value: Any) -> int | None:
    try:
        return values.integer(int(value))
    except ValueError:
        return None


def _decimal(value: Any) -> Decimal | None:
    """Return a size; some releases have amounts as text."""
    if isinstance(value, str):
        try:
            value = Decimal(value)
        except InvalidOperation:
            return None
        return value if value.is_finite() and abs(value) < Decimal(values.UNSET_DOUBLE).scaleb(-1) else None
    return values.size(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _enum_name(value: Any) -> str | None:
    if isinstance(value, Enum):
        return value.name
    return value if isinstance(value, str) else None


def _condition_name(value: Any) -> str | None:
    numbers = {attributes["condType"]: name for name, attributes in _condition_numbers().items()}
    return numbers.get(value)


@cache
def _condition_numbers() -> Mapping[str, Mapping[str, Any]]:
    return {name: vars(noun(kind)) for name, kind in _CONDITIONS.items()}


_CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "Boolean": bool,
    "Decimal": _decimal,
    "Float": _float,
    "Int": _integer,
    "Long": _integer,
    "String": _text,
}


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


_SPECIAL: Mapping[tuple[type, str], Getter] = {
    (EndOfSnapshot, "complete"): lambda _: True,
    (DepthReset, "code"): lambda _: 317,
    (Gap, "since"): lambda gap: _moment(gap.since),
    (Gap, "until"): lambda gap: _moment(gap.until),
    (Notice, "time"): lambda notice: _moment(None if notice.time is None else notice.time / 1000),
}
