"""A schema with every kind of type in it, and values for it: what the tests of the engine ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

import anyio
import anyio.lowlevel
from tartiflette.language.ast import FloatValueNode, IntValueNode, StringValueNode

from trio_ibtws.graphql._engine import Engine, GraphQLRequest, Operation
from trio_ibtws.graphql._limits import Limits

SDL = '''
"""Whole numbers of 64 bits."""
scalar Long @specifiedBy(url: "https://example.com/long")
scalar Money

enum Diet { MEAT PLANTS "both" BOTH @deprecated(reason: "too vague") }

interface Named { name: String! tags: [String] }

type Cat implements Named { name: String! tags: [String] lives: Int diet: Diet friend: Named price: Money born: Long }
type Dog implements Named { name: String! tags: [String] tricks: [[String!]] good: Boolean! owner: Person }
type Person { id: ID! name: String! pets(first: Int = 2, species: Species): [Pet] broken: String strict: Strict
              height: Float spoken(language: String = "en"): String }
type Strict { must: String! also: Int }
type Row { time: Int! open: Float! high: Float! low: Float! close: Float! volume: Long! wap: Float! count: Int! }
union Pet = Cat | Dog

enum Species { CAT DOG }
input Size { width: Int! = 3 height: Float tags: [String!] = ["a", "b"] }
input Wish { species: Species! = CAT size: Size sizes: [Size!] colour: String = "grey" old: Int @deprecated price: Money
             born: Long }
input One @oneOf { a: Int b: String }

type Query {
  "Says hello."
  hello(name: String = "world"): String!
  pets(first: Int): [Pet!]!
  named(name: String!): Named
  person(id: ID = 1): Person
  people: [Person]
  wish(wish: Wish!): String
  echo(long: Long, money: Money, ids: [ID!], flag: Boolean, x: Float, diet: Diet): String
  one(one: One): String
  rows(n: Int! = 3): [Row!]!
  numbers(n: Int! = 3): [Float!]!
  maybe: [Int]
  fails: String
  failsStrictly: String!
  nothing: String
  wide: Int
  oldest: String @deprecated(reason: "use people")
  search(text: String, old: Int @deprecated(reason: "gone")): [Named]
}
type Mutation { adopt(name: String!): Cat feed(name: String!): Int }
type Subscription { ticks(n: Int! = 3, at: String): Row! bad: Int strict: Strict! open: Int }
'''


class LongScalar:
    """64 bits, and its limits."""

    def coerce_output(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
            raise ValueError(f"Long cannot represent {value!r}")
        return value

    coerce_input = coerce_output

    def parse_literal(self, ast: Any) -> int:
        if not isinstance(ast, IntValueNode):
            raise ValueError("Long is written as a whole number")
        return self.coerce_output(int(ast.value))


class MoneyScalar:
    """Decimal, as a string, or as any number in a query."""

    def coerce_output(self, value: Any) -> str:
        return str(Decimal(value))

    def coerce_input(self, value: Any) -> Decimal:
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            raise ValueError(f"Money cannot represent {value!r}")
        return Decimal(value)

    def parse_literal(self, ast: Any) -> Decimal:
        if not isinstance(ast, (IntValueNode, FloatValueNode, StringValueNode)):
            raise ValueError("Money is a number or a string")
        return Decimal(ast.value)


@dataclass(eq=False, repr=False)
class Thing:
    """Any object of the schema."""

    _type: str
    values: dict[str, Any] = field(default_factory=dict)


def thing(kind: str, **values: Any) -> Thing:
    return Thing(kind, values)


def read(parent: Any, name: str) -> Any:
    value = parent.values.get(name)
    if isinstance(value, Exception):
        raise value
    return value


def row(i: int) -> Thing:
    prices = dict.fromkeys(("open", "high", "low", "close", "wap"), i + 0.5)
    return thing("Row", time=i, volume=10**12 + i, count=i, **prices)


STRICT = thing("Strict", must=None, also=1)
TOM = thing("Cat", name="Tom", tags=["grey", None, "é"], lives=9, diet="MEAT", price=Decimal("1.50"), born=2**40)
ODD = thing("Cat", name="Odd", tags=None, lives=2**40, diet="WORMS", friend=TOM, price="x", born="y")
REX = thing("Dog", name="Rex", tags=[], tricks=[["sit", "roll"], None, []], good=True)
BAD = thing("Dog", name=None, tags=[1, True], tricks=[["sit", None]], good=None)
ANN = thing(
    "Person", id=1, name="Ann", pets=[TOM, None, REX, ODD], broken=RuntimeError("password"), strict=STRICT, height=1.7
)
BOB = thing("Person", id="2", name="Bob", pets=[BAD, TOM], strict=thing("Strict", must="x"), height=2)
REX.values["owner"] = ANN


def wish(args: Mapping[str, Any]) -> str:
    return repr(sorted(args["wish"].items()))


def fails(args: Mapping[str, Any]) -> str:
    raise RuntimeError("the password is 1234")


ANSWERS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "hello": lambda args: f"hello {args.get('name')}",
    "pets": lambda args: [TOM, REX, ODD, TOM][: args.get("first")],
    "named": lambda args: {"Tom": TOM, "Rex": REX}.get(args["name"], BAD),
    "person": lambda args: ANN if str(args.get("id")) == "1" else BOB,
    "people": lambda args: [ANN, BOB, None],
    "wish": wish,
    "echo": lambda args: repr(sorted(args.items())),
    "one": repr,
    "rows": lambda args: [row(i) for i in range(args["n"] % 1001)],
    "numbers": lambda args: [float(i) for i in range(args["n"] % 1001)],
    "maybe": lambda args: [1, None, "3", 2**31, "x"],
    "fails": fails,
    "failsStrictly": fails,
    "nothing": lambda args: None,
    "wide": lambda args: 2**31,
    "oldest": lambda args: "old",
    "search": lambda args: [TOM, BAD, None],
}
"""The fields of Query, as plain functions: what graphql-core can be given as well."""

Hook = Callable[[Mapping[str, Any]], Any]


@lru_cache
def engine(limits: Limits, introspection: bool) -> Engine:
    """Return an engine over the schema; making one takes some time. Its context is a Zoo, which may answer instead."""
    resolvers = {f"Query.{name}": _resolver(name) for name in ANSWERS}
    return Engine(
        SDL,
        {**resolvers, "Mutation.adopt": _adopt, "Mutation.feed": _feed},
        {f"Subscription.{name}": _source for name in ("ticks", "bad", "strict", "open")},
        {"Long": LongScalar(), "Money": MoneyScalar()},
        default_resolver=read,
        type_name=lambda value: str(value._type),
        limits=limits,
        introspection=introspection,
    )


def _resolver(name: str) -> Any:
    async def resolve(args: Mapping[str, Any], context: Zoo, info: Any) -> Any:
        if name in context.answers:
            return await context.answers[name](args)
        return ANSWERS[name](args)

    return resolve


async def _adopt(args: Mapping[str, Any], context: Zoo, info: Any) -> Any:
    context.log.append(f"adopt {args['name']}")
    return TOM


async def _feed(args: Mapping[str, Any], context: Zoo, info: Any) -> int:
    context.log.append(f"feed {args['name']}")
    return 1


@asynccontextmanager
async def _source(args: Mapping[str, Any], context: Zoo) -> AsyncIterator[AsyncIterator[Any]]:
    if context.source is not None:
        async with context.source(args, context) as events:
            yield events
        return
    context.log.append("open")
    try:
        yield Events([row(i) for i in range(args.get("n", 0))])
    finally:
        context.log.append("close")


class Zoo:
    """An engine over the schema, and its context.

    Args:
      limits: of the engine.
      introspection: of the engine.
      answers: async functions of the arguments, in place of those above.
      source: what subscriptions read.
      fresh: whether the engine is nobody else's.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        introspection: bool = True,
        answers: Mapping[str, Hook] | None = None,
        source: Any = None,
        fresh: bool = False,
    ) -> None:
        self.log: list[str] = []
        self.answers = answers or {}
        self.source = source
        make = engine.__wrapped__ if fresh else engine
        self.engine: Engine = make(limits or Limits(), introspection)

    def prepare(self, query: str, variables: Mapping[str, Any] | None = None, name: str | None = None) -> Operation:
        return self.engine.prepare(GraphQLRequest(query, name, variables))

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None, name: str | None = None) -> Any:
        return await self.engine.execute(self.prepare(query, variables, name), self)

    def listen(self, query: str, variables: Any = None) -> Any:
        return self.engine.subscribe(self.prepare(query, variables), self)


class Events:
    """Gives each of *items*; one that is an exception is raised; after the last one it ends, or waits."""

    def __init__(self, items: list[Any], *, ends: bool = True) -> None:
        self._items, self._ends = items, ends

    def __aiter__(self) -> Events:
        return self

    async def __anext__(self) -> Any:
        await anyio.lowlevel.checkpoint()
        if not self._items:
            if self._ends:
                raise StopAsyncIteration
            await anyio.sleep_forever()
        item = self._items.pop(0)
        if isinstance(item, Exception):
            raise item
        return item
