"""Arguments of the wrong kind: each is refused by name on every wire, before a byte of it is queued.

ibapi's text wire would write a list, a NaN or an object as it prints, and TWS would make of it what it can.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from threading import Thread
from typing import Any

import pytest
from ibapi.contract import ComboLeg, Contract, DeltaNeutralContract
from ibapi.execution import ExecutionFilter
from ibapi.order import Order
from ibapi.scanner import ScannerSubscription
from ibapi.tag_value import TagValue
from ibapi.wrapper import EWrapper

from tests.peer import connected
from tests.script import assert_usable, stock
from tests.sessions import VERSIONS, arguments, contract, ready_session, requests, sent
from trio_ibtws import CodeRule, InvalidRequest, LocalError, NoData, Pacer, Request, UnsupportedRequest, open_client
from trio_ibtws._runtime._argument_checks import check_kinds
from trio_ibtws._runtime._compat import has_method, kinds_of
from trio_ibtws._runtime._session import Session

TABLE = dict(requests())


class Show(str, Enum):  # noqa: UP042  (a StrEnum is written as it reads)
    """A text that is written otherwise than it reads."""

    TRADES = "TRADES"


NO_NUMBERS = (
    *(object(), "abc", "7", b"7", [1], {"a": 1}, {1}, (), len, Contract, Contract(), math.nan, True),
    Decimal("sNaN"),
)
BAD: dict[Any, tuple[Any, ...]] = {
    int: (*NO_NUMBERS, 1.5, math.inf, 2**31, -(2**31) - 1, 2**70, ""),
    float: (*NO_NUMBERS, math.inf, -math.inf, "", Decimal("Infinity"), 10**400),
    bool: (object(), "False", "", b"", [], {}, 1.0, 2, -1, math.nan, Decimal(1), Contract),
    str: (object(), 5, 1.5, math.nan, True, b"abc", [1], (), {}, Decimal(1), Contract(), len, Show.TRADES),
    list: (object(), 5, "abc", "", {"a": 1}, {1}, [1], ["a=1"], [TagValue("a", "1"), None], True, math.nan),
}


def bad_values(name: str, kind: Any) -> tuple[Any, ...]:
    if name == "contract":
        return (object(), "AAPL", 265598, {"symbol": "AAPL"}, Contract, Order(), [contract()], True)
    return BAD.get(kind, (object(), 5, "abc", [1], {"a": 1}, Contract(), Contract, True, math.nan))


def known_here(request: Request[Any]) -> bool:
    """Whether the installed ibapi has the request and what answers it."""
    return has_method(request.method) and (request.needs is None or hasattr(EWrapper, request.needs))


def cases() -> Iterator[tuple[str, str, Any]]:
    for row, request in TABLE.items():
        if not known_here(request):
            continue
        kinds = kinds_of(request.method)
        for name in arguments(request):
            if name in kinds and name not in request.constants and name not in ("order", request.key):
                yield row, name, kinds[name]


CASES = list(cases())


def refuse(session: Session, row: str, given: dict[str, Any]) -> LocalError:
    """Ask with arguments that are refused; nothing is sent, and nothing is open after it."""
    request = TABLE[row]
    with pytest.raises(LocalError) as caught:
        request_id = 7 if request.by_request_id or request.key in request.parameters else None
        session._bridge.encode(request, given, request_id)
    assert not sent(session)
    assert session.stats().open_requests == 0
    return caught.value


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("row", "name", "kind"), CASES, ids=[f"{row}-{name}" for row, name, _ in CASES])
def test_an_argument_of_another_kind_is_refused_by_name(row: str, name: str, kind: Any, version: int) -> None:
    session = ready_session(version)
    good = arguments(TABLE[row])
    for bad in bad_values(name, kind):
        error = refuse(session, row, {**good, name: bad})
        assert isinstance(error, InvalidRequest), (bad, error)
        assert error.field.split("[")[0] == name, (bad, error)
        assert "Nothing was sent" in str(error)


def test_every_row_is_looked_at() -> None:
    looked_at = {row for row, _, _ in CASES}
    have_arguments = {row for row, request in TABLE.items() if known_here(request) and arguments(request)}
    a_message_or_nothing_in_old_releases = {"CONFIG", "UPDATE_CONFIG", "GLOBAL_CANCEL"}
    assert have_arguments - looked_at <= a_message_or_nothing_in_old_releases


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("attribute", "bad"),
    [
        ("conId", "265598"),
        ("conId", 2**31),
        ("conId", 1.5),
        ("strike", math.nan),
        ("strike", "100"),
        ("symbol", None),
        ("symbol", 5),
        ("secType", Show.TRADES),
        ("lastTradeDateOrContractMonth", 202412),
        ("includeExpired", "no"),
        ("multiplier", 100),
        ("comboLegs", "legs"),
        ("comboLegs", ["leg"]),
        ("deltaNeutralContract", 5),
    ],
)
def test_an_attribute_of_a_contract_of_another_kind_is_refused_by_name(attribute: str, bad: Any, version: int) -> None:
    given = contract()
    setattr(given, attribute, bad)
    error = refuse(ready_session(version), "CONTRACT_DETAILS", {"contract": given})
    assert isinstance(error, InvalidRequest)
    assert error.field.split("[")[0] == f"contract.{attribute}"


def test_a_misspelt_attribute_is_refused() -> None:
    given = contract()
    vars(given)["sectype"] = "FUT"
    error = refuse(ready_session(), "MKT_DATA", {**arguments(TABLE["MKT_DATA"]), "contract": given})
    assert isinstance(error, InvalidRequest)
    assert error.field == "contract.sectype"


def test_the_parts_of_a_contract_are_looked_at() -> None:
    given = contract()
    leg = ComboLeg()
    vars(leg)["ratio"] = "1"
    given.comboLegs = [ComboLeg(), leg]
    with pytest.raises(InvalidRequest) as caught:
        check_kinds("reqMktData", {"contract": given})
    assert caught.value.field == "contract.comboLegs[1].ratio"
    given.comboLegs = []
    given.deltaNeutralContract = DeltaNeutralContract()
    given.deltaNeutralContract.delta = math.inf
    with pytest.raises(InvalidRequest) as caught:
        check_kinds("reqMktData", {"contract": given})
    assert caught.value.field == "contract.deltaNeutralContract.delta"


@pytest.mark.parametrize(
    ("row", "name", "make", "attribute", "bad"),
    [
        ("EXECUTIONS", "execFilter", ExecutionFilter, "clientId", "abc"),
        ("EXECUTIONS", "execFilter", ExecutionFilter, "time", 5),
        ("SCANNER_SUBSCRIPTION", "subscription", ScannerSubscription, "numberOfRows", 1.5),
        ("SCANNER_SUBSCRIPTION", "subscription", ScannerSubscription, "abovePrice", math.nan),
    ],
)
def test_the_attributes_of_other_objects_are_looked_at(
    row: str, name: str, make: Any, attribute: str, bad: Any
) -> None:
    given = make()
    setattr(given, attribute, bad)
    error = refuse(ready_session(), row, {**arguments(TABLE[row]), name: given})
    assert isinstance(error, InvalidRequest)
    assert error.field == f"{name}.{attribute}"


class Whole:
    """A whole number of another library, as numpy's are."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __index__(self) -> int:
        return self.number

    def __str__(self) -> str:
        return str(self.number)

    def __ge__(self, other: int) -> bool:
        return self.number >= other

    def __lt__(self, other: int) -> bool:
        return self.number < other

    def __le__(self, other: int) -> bool:
        return self.number <= other

    def __gt__(self, other: int) -> bool:
        return self.number > other


@pytest.mark.parametrize("version", VERSIONS)
def test_what_means_the_same_goes_out_the_same(version: int) -> None:
    """Whole numbers of other libraries, numbers for numbers, flags that are 0 or 1, tuples for lists."""
    bridge = ready_session(version)._bridge
    depth, price = TABLE["MKT_DEPTH"], TABLE["CALCULATE_OPTION_PRICE"]
    given = arguments(depth)
    one = bridge.encode(depth, {**given, "numRows": 5, "isSmartDepth": True}, 7)
    assert bridge.encode(depth, {**given, "numRows": Whole(5), "isSmartDepth": 1, "mktDepthOptions": ()}, 7) == one
    given = arguments(price)
    bridge.encode(price, {**given, "volatility": Decimal("0.2"), "underPrice": 10}, 7)
    bars = TABLE["HISTORICAL_DATA"]
    given = arguments(bars)
    assert bridge.encode(bars, {**given, "useRTH": True}, 7) == bridge.encode(bars, {**given, "useRTH": 1}, 7)


# --- what is ours ------------------------------------------------------------------------------------------------

BUFFERS: tuple[Any, ...] = (0, -1, None, "5", 1.5, math.nan, math.inf, True, [1], Decimal("sNaN"))
OVERFLOWS: tuple[Any, ...] = ("block", "", None, 5, ["raise"], {})
SHARES: tuple[Any, ...] = ("no", None, 1, 0, [])
OPTIONS = [
    *(("buffer", bad) for bad in BUFFERS),
    *(("overflow", bad) for bad in OVERFLOWS),
    *(("share", bad) for bad in SHARES),
]


@pytest.mark.anyio
async def test_the_options_of_a_subscription() -> None:
    async with connected() as (client, peer):
        for name, bad in OPTIONS:
            options: dict[str, Any] = {name: bad}
            with pytest.raises(InvalidRequest) as caught:
                async with client.mkt_data(stock(), **options):
                    raise AssertionError(bad)
            assert caught.value.field == name
            assert repr(bad) in str(caught.value)
        await assert_usable(client, peer)


@pytest.mark.anyio
async def test_the_size_of_a_batch() -> None:
    async with connected() as (client, _), client.mkt_data(stock()) as ticks:
        many: tuple[Any, ...] = (0, -1, 1.5, "5", math.nan, [1], True)
        for bad in many:
            with pytest.raises(ValueError, match="max_items"):
                await ticks.receive_batch(bad)


@pytest.mark.anyio
async def test_a_request_in_another_thread_says_where_it_belongs() -> None:
    """Its event loop would not hear of what that thread queues."""
    caught: list[RuntimeError] = []
    async with connected(trading=True) as (client, peer):

        def elsewhere() -> None:
            try:
                client.cancel_order(5)
            except RuntimeError as exc:
                caught.append(exc)

        thread = Thread(target=elsewhere)
        thread.start()
        thread.join()
        await assert_usable(client, peer)
    assert "another thread" in str(caught[0])


CLIENT: dict[str, tuple[Any, ...]] = {
    "host": (None, 5, "", "a\0b", b"127.0.0.1"),
    "port": (None, 0, -1, 65536, "7497", 1.5, math.nan, True),
    "client_id": (None, -1, 2**31, "0", 1.0, True),
    "connect_deadline": (None, "5", math.nan, -1, []),
    "max_server_version": ("157", 1.5, math.nan, True, 100, -1),
    "pacer": (45, "fast", object),
    "codes": (5, [1], "200", {200: "notice"}, {"200": CodeRule()}, {200: None}),
    "trading": ("false", "no", 0, 1, None),
    "stream": (5, "tcp", object()),
}


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "bad"), [(name, bad) for name, values in CLIENT.items() for bad in values])
async def test_the_options_of_a_client(name: str, bad: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        async with open_client(**{name: bad}):
            raise AssertionError("there can be no client")
    assert caught.value.field == name
    assert (repr(bad)[1:-1] if isinstance(bad, dict) else repr(bad)) in str(caught.value)


@pytest.mark.parametrize("rate", [0, -1, 1.5, "45", math.nan, math.inf, True, 2**70, [1]])
def test_the_rate_of_a_pacer(rate: Any) -> None:
    with pytest.raises(ValueError, match="rate="):
        Pacer(rate=rate)


@pytest.mark.parametrize(
    "given",
    [
        {"effect": "ignore"},
        {"effect": None},
        {"error": ValueError},
        {"error": "NoData"},
        {"farm": "gone"},
        {"texts": ["pacing"]},
        {"texts": {"pacing": "notice"}},
        {"contexts": {"query": NoData}},
        {"contexts": {5: CodeRule()}},
    ],
)
def test_a_rule_that_is_none(given: dict[str, Any]) -> None:
    """It would else be found out in the middle of a session, by a request that never ends."""
    with pytest.raises((ValueError, TypeError), match=next(iter(given))):
        CodeRule(**given)


def test_an_unsupported_request_stays_one() -> None:
    """What the release or the server lacks is said before what the arguments are."""
    session = ready_session(157)
    with pytest.raises(UnsupportedRequest):
        session._bridge.encode(TABLE["CONFIG"], {"configRequestProto": None}, 7)
