"""Tartiflette, as we run it, beside graphql-core: the same data and the same errors for a thousand generated queries.

What differs by intent is taken out: our limits are lifted, NUL is not generated, and the texts of errors are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import graphql
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from tests.graphql.zoo import ANSWERS, Zoo, read
from trio_ibtws.graphql._errors import RequestRefused, log
from trio_ibtws.graphql._limits import Limits

pytestmark = pytest.mark.anyio

MANY = 1_000_000
UNLIMITED = Limits(
    **dict.fromkeys(("query_chars", "tokens", "aliases", "directives", "root_fields", "repeats", "cost"), MANY),
    **dict.fromkeys(("list_items", "nodes", "rows", "errors", "response_bytes", "introspection_nodes"), MANY),
    depth=49,
    brackets=400,
)
ZOO = Zoo(limits=UNLIMITED)

EXAMPLES = settings(
    max_examples=30,  # for each field of Query, and as many for all of them: with those of TWS's schema more than 1 000
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
SCALARS = {
    "Long": st.integers(-(2**63), 2**63 - 1).map(nodes.Int),
    "Money": st.decimals(allow_nan=False, allow_infinity=False).map(str).map(nodes.String),
}

Answer = tuple[Any, list[list[str | int]]]


def by_graphql_core(query: str) -> Answer:
    """Return the data and the paths of the errors, from the same resolvers."""
    schema = ZOO.engine.schema
    result = graphql.graphql_sync(schema, query, field_resolver=_resolve, type_resolver=lambda value, *_: value._type)
    return result.data, sorted((error.path or [] for error in result.errors or ()), key=str)


def _resolve(parent: Any, info: Any, **args: Any) -> Any:
    return ANSWERS[info.field_name](args) if parent is None else read(parent, info.field_name)


async def by_tartiflette(query: str) -> Answer:
    response = await ZOO.ask(query)
    return response["data"], sorted((error.get("path", []) for error in response.get("errors", ())), key=str)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Leave the log alone: its tracebacks take most of the time."""
    log.disabled = True
    yield
    log.disabled = False


@pytest.mark.parametrize("field", [*ANSWERS, None])
@given(data=st.data())
@EXAMPLES
async def test_generated_queries_have_the_same_answer(field: str | None, data: st.DataObject) -> None:
    fields = None if field is None else [field]
    query = data.draw(queries(ZOO.engine.schema, fields=fields, custom_scalars=SCALARS, allow_x00=False))
    if graphql.validate(ZOO.engine.schema, graphql.parse(query)):  # the generator does not know of @oneOf
        with pytest.raises(RequestRefused):
            ZOO.prepare(query)
    else:
        assert await by_tartiflette(query) == by_graphql_core(query)
