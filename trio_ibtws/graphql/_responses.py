"""Responses: what was executed, and the errors of its fields, in the form of the specification."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from tartiflette.coercers.common import Path
from tartiflette.coercers.outputs.common import complete_value_catching_error
from tartiflette.execution.types import build_resolve_info
from tartiflette.types.exceptions.tartiflette import CoercionError, TartifletteError

from ._completion import Execution
from ._errors import describe, with_more
from ._limits import Limits


def present(error: Exception) -> dict[str, Any]:
    """Return what a client is told of an error that Tartiflette has located."""
    coerce = getattr(error, "coerce_value", None)
    located = {} if coerce is None else coerce()
    original = getattr(error, "original_error", None)
    if isinstance(error, CoercionError) or (isinstance(error, TartifletteError) and original is None):
        # Tartiflette's own words on the client's values; what others raised comes with an original error.
        told = {"message": located["message"], "extensions": {"code": "BAD_USER_INPUT"}}
    else:
        told = describe(original or error)
    told.update((name, located[name]) for name in ("locations", "path") if located.get(name))
    return told


def respond(execution: Execution, data: dict[str, Any] | None, limits: Limits) -> dict[str, Any]:
    """Return the response with *data*, and the errors of *execution*.

    What became too large is not sent in part: nobody could tell which part that is.
    """
    if execution.work.exceeded is not None:
        return {"data": None, "errors": [describe(execution.work.exceeded)]}
    if not execution.errors:
        return {"data": data}
    told = [present(error) for error in execution.errors[: limits.errors]]
    dropped = execution.dropped + len(execution.errors) - len(told)
    return {"data": data, "errors": with_more(told, dropped)}


@dataclass(frozen=True, slots=True)
class SourceField:
    """The one field at the root of a subscription.

    Attributes:
      key: its name in the response.
      nodes: Tartiflette's nodes of it.
      definition: Tartiflette's field.
      parent: the type that it is a field of.
    """

    key: str
    nodes: list[Any]
    definition: Any
    parent: Any

    @property
    def name(self) -> str:
        """Its name in the schema."""
        return str(self.nodes[0].name.value)


class Responses:
    """The responses of a subscription, one for each event of its source."""

    def __init__(
        self, events: AsyncIterator[Any], asked: SourceField, execution: Callable[[], Execution], limits: Limits
    ) -> None:
        self._events = events
        self._asked = asked
        self._execution = execution
        self._limits = limits
        self._ended = False

    def __aiter__(self) -> Responses:
        return self

    async def __anext__(self) -> dict[str, Any]:
        if self._ended:
            raise StopAsyncIteration
        try:
            event = await self._events.__anext__()
        except StopAsyncIteration:
            self._ended = True
            raise
        except Exception as error:  # noqa: BLE001 - told to the client, as the last response
            self._ended = True
            return {"data": None, "errors": [{**describe(error), "path": [self._asked.key]}]}
        return await self._respond(event)

    async def _respond(self, event: Any) -> dict[str, Any]:
        execution, asked = self._execution(), self._asked
        path = Path(None, asked.key)
        info = build_resolve_info(execution, asked.definition, asked.nodes, asked.parent, path)
        coercer = asked.definition.resolver.keywords["output_coercer"]
        try:
            value = await complete_value_catching_error(
                event, info, execution, asked.nodes, path, asked.definition.graphql_type, coercer
            )
        except Exception as error:  # noqa: BLE001 - the field must not be null, so there are no data
            execution.add_error(error)
            return respond(execution, None, self._limits)
        return respond(execution, {asked.key: value}, self._limits)
