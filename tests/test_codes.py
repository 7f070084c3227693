"""TWS's codes: every code against every request and order, before, between and after the rows of the answer.

After a code that ends it nothing is pending, and no error has become an empty answer; after any other the normal
answer still completes the request.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ibapi.contract import Contract
from ibapi.order import Order
from ibapi.order_state import OrderState

from tests.peer import NEWEST
from tests.sessions import CLIENT_ID, Clock, arguments, contract, order, ready_session, requests, sent
from trio_ibtws import CodeRule, DepthReset, NoData, Notice, OpenOrder, OrderRejected, RequestError, _gen
from trio_ibtws._runtime._lanes import CLOCK_SECONDS, Ticket
from trio_ibtws._runtime._router import Line
from trio_ibtws._runtime._session import Session
from trio_ibtws._runtime._sinks import Answer, Buffer
from trio_ibtws.codes import CODES, rule_for
from trio_ibtws.errors import (
    CompetingSession,
    LocalError,
    NoPermission,
)

TABLE = dict(requests())
UNKNOWN = [-1, 1, 99, 102, 106, 306, 323, 502, 2099, 2101, 2150, 2199, 2200, 10003, 99999]
TEXTS = sorted({text for rule in CODES.values() for text in rule.texts})
"""Every text that some rule looks for."""


def codes() -> Iterator[tuple[int, str]]:
    """Every code with every text that its rule looks for, and one that none looks for; one unknown code with all."""
    for code in CODES:
        for text in ("some text", *CODES[code].texts):
            yield code, f"TWS says: {text}."
    for code in UNKNOWN:
        yield code, "TWS says: some text."
    for text in TEXTS:
        yield 99999, f"TWS says: {text}."


CODE_AND_TEXT = list(codes())
every_code = pytest.mark.parametrize(("code", "message"), CODE_AND_TEXT)
every_moment = pytest.mark.parametrize("moment", ["before", "between", "after"])


def shapes() -> dict[str, str]:
    """Return how each request is awaited, as its generated function says: ``one``, ``collect`` or ``subscribe``."""
    modules = [
        importlib.import_module(f"{_gen.__name__}.{module.name}") for module in pkgutil.iter_modules(_gen.__path__)
    ]
    calls = re.compile(r"_calls\.(one|collect|subscribe)(?:_group)?\(\s*([A-Z_]+)")
    return {name: shape for module in modules for shape, name in calls.findall(Path(str(module.__file__)).read_text())}


def known_here(name: str) -> bool:
    """Whether the installed ibapi, and its newest server, have the request."""
    try:
        ready_session(NEWEST).ask(TABLE[name], arguments(TABLE[name]), Buffer(1), single=False)
    except LocalError:
        return False
    return True


SHAPES = {name: shape for name, shape in shapes().items() if known_here(name)}
QUERIES = [name for name, shape in SHAPES.items() if shape != "subscribe"]
STREAMS = [name for name, shape in SHAPES.items() if shape == "subscribe"]


def test_every_shape_is_there() -> None:
    assert {"CONTRACT_DETAILS", "OPEN_ORDERS", "POSITIONS", "HEAD_TIME_STAMP", "MARKET_RULE", "IDS"} <= set(QUERIES)
    assert {"MKT_DATA", "MKT_DEPTH", "SCANNER_SUBSCRIPTION", "POSITIONS_STREAM", "NEWS_BULLETINS"} <= set(STREAMS)
    assert len(QUERIES) >= 36
    assert len(STREAMS) >= 15


def error(session: Session, about: int, code: int, message: str, context: Container[str] = ()) -> CodeRule:
    """Deliver one message of TWS and return its rule."""
    session.router.error(about, code, message, None, "")
    return rule_for({}, code, message, context)


# --- queries -----------------------------------------------------------------------------------------------------


class Query:
    """One query, its two rows and its end, by its id or its lane."""

    def __init__(self, name: str, session: Session | None = None) -> None:
        self.session = session or ready_session(NEWEST)
        request = TABLE[name]
        self.single = SHAPES[name] == "one"
        self.answer = Answer(lambda: None, single=self.single)
        self.asked = self.session.ask(request, arguments(request), self.answer, single=self.single)
        sent(self.session)
        assert isinstance(self.asked, (Line, Ticket))
        self.by_id = isinstance(self.asked, Line)
        self.key: Any = self.asked.request_id if isinstance(self.asked, Line) else self.asked.lane
        self.ids: list[Any] = [self.key] if self.by_id else [-1, 0]
        self.context = {"query", request.method}

    def answer_with(self, moment: str, code: int, message: str) -> CodeRule:
        """Deliver the answer, and the message of TWS at its moment."""
        router = self.session.router
        if moment == "before":
            error(self.session, self.ids[0], code, message)
        router.item(self.key, "row 1")
        if moment == "between":
            error(self.session, self.ids[-1], code, message)
        if not self.single:
            router.item(self.key, "row 2")
            router.end(self.key)
        if moment == "after":
            error(self.session, self.ids[0], code, message)
        return rule_for({}, code, message, self.context)

    @property
    def whole(self) -> Any:
        return "row 1" if self.single else ["row 1", "row 2"]

    def leave(self) -> int:
        """Leave it; return how many frames that made."""
        self.session.leave(self.asked, self.answer)
        return len(sent(self.session))


@every_moment
@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_answered_or_fails_and_nothing_is_pending(name: str, moment: str) -> None:
    clock = Clock()
    session = ready_session(NEWEST, clock=clock)
    for code, message in CODE_AND_TEXT:
        clock.now += CLOCK_SECONDS
        query = Query(name, session)
        rule = query.answer_with(moment, code, message)
        answered_before = moment == "after" or (moment == "between" and query.single)
        if rule.effect == "error" and not answered_before:
            with pytest.raises(rule.error) as caught:
                query.answer.result()
            assert (caught.value.code, caught.value.message) == (code, message)
            assert caught.value.request == query.asked.request.method
        else:
            assert query.answer.result() == query.whole
        frames = query.leave()
        assert frames <= 1
        if query.by_id and rule.effect == "error" and not rule.held and not answered_before:
            assert frames == 0  # TWS has ended it
        assert query.session.stats().open_requests == 0
        assert query.session.router.lanes.free


def test_a_rule_of_the_users_that_completes_ends_a_query_with_what_has_come_and_never_a_single_one() -> None:
    for name in ("CONTRACT_DETAILS", "HEAD_TIME_STAMP"):
        session = ready_session(codes={99999: CodeRule(effect="complete")})
        answer = Answer(lambda: None, single=SHAPES[name] == "one")
        asked = session.ask(TABLE[name], arguments(TABLE[name]), answer, single=SHAPES[name] == "one")
        assert isinstance(asked, Line)
        if SHAPES[name] == "one":
            error(session, asked.request_id, 99999, "")
            with pytest.raises(NoData):
                answer.result()
        else:
            session.router.item(asked.request_id, "row")
            error(session, asked.request_id, 99999, "")
            assert answer.result() == ["row"]
        assert session.stats().open_requests == 0


@every_code
def test_an_error_about_another_id_leaves_the_lane_alone(code: int, message: str) -> None:
    query = Query("OPEN_ORDERS")
    error(query.session, 3, code, message)
    assert not query.answer.finished
    query.answer_with("after", code, message)
    assert query.answer.result() == query.whole


# --- streams -----------------------------------------------------------------------------------------------------


def opened(name: str, session: Session | None = None, **options: Any) -> tuple[Session, Any, Buffer]:
    session = session or ready_session(NEWEST)
    request = TABLE[name]
    buffer = Buffer(100, batches=request.batches)
    asked = session.ask(request, arguments(request), buffer, single=False, **options)
    sent(session)
    return session, asked, buffer


class Stream:
    """One stream, three events and the end marker of its snapshot."""

    def __init__(self, name: str, session: Session, *, share: bool) -> None:
        self.request = TABLE[name]
        self.session, self.asked, self.buffer = opened(name, session, share=share)
        self.by_id = isinstance(self.asked, Line)
        self.key: Any = self.asked.request_id if self.by_id else self.asked.lane
        self.about = self.key if self.by_id else -1
        self.got: list[Any] = []

    def event(self, value: str) -> None:
        self.session.router.item(self.key, value)
        if self.request.batches:
            self.session.router.end(self.key)

    def end(self) -> None:
        if self.request.end is not None or self.request.lasting:
            self.session.router.end(self.key)

    def read(self) -> list[Any]:
        """Return the events, lists of a scanner flattened, without markers."""
        read = [self.buffer.pop() for _ in range(len(self.buffer))]
        flat = [each for event in read for each in (event if isinstance(event, list) else [event])]
        return [event for event in flat if isinstance(event, str)]


@every_moment
@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_fails_or_goes_on(name: str, share: bool, moment: str) -> None:
    session = ready_session(NEWEST)
    for code, message in CODE_AND_TEXT:
        stream = Stream(name, session, share=share)
        rule = rule_for({}, code, message, {"stream", stream.request.method})
        if moment != "before":
            stream.event("first")
        if moment == "after":
            stream.end()
        error(stream.session, stream.about, code, message)
        over = not stream.by_id and (moment == "after" or stream.request.endless)  # nothing of it is in flight
        fails = rule.ends == stream.request.method and over if rule.ends else rule.effect == "error" and not over
        if fails:
            assert type(stream.buffer.error) is rule.error
            assert stream.read() == ["first"] * (moment != "before")
        else:
            assert stream.buffer.error is None
            if rule.effect == "notice" and stream.by_id:
                assert [notice.code for notice in stream.buffer.notices] == [code]
            stream.event("second")
            assert stream.read() == ["first", "second"][moment == "before" :]
        session.leave(stream.asked, stream.buffer)
        frames = len(sent(session))
        if fails:
            if rule.held and not stream.by_id:
                assert frames == 0  # the end of the answer may come yet
                stream.end()
                frames = len(sent(session))
            assert frames == int(rule.held)  # else TWS has ended it
        elif moment != "after" and not stream.by_id and not stream.request.endless:
            stream.end()  # a line is not cancelled before the end marker that is under way
            frames = len(sent(session))
        if rule.effect != "error" and not fails:
            assert frames == int(stream.request.cancel is not None)
        assert session.stats().open_requests == 0


def test_an_empty_refresh_of_a_scanner_is_one_empty_list_with_and_without_its_end_marker() -> None:
    for with_marker in (True, False):
        session, asked, buffer = opened("SCANNER_SUBSCRIPTION")
        error(session, asked.request_id, 165, "Historical Market Data Service query message:no items retrieved")
        if with_marker:
            session.router.end(asked.request_id)
        assert [buffer.pop() for _ in range(len(buffer))] == [[]]
        assert [notice.code for notice in buffer.notices] == [165]
        session.router.item(asked.request_id, "row")
        session.router.end(asked.request_id)
        session.router.end(asked.request_id)
        assert [buffer.pop() for _ in range(len(buffer))] == [["row"], []]


def test_the_book_is_emptied_and_what_is_no_book_is_not() -> None:
    session, asked, buffer = opened("MKT_DEPTH")
    error(session, asked.request_id, 317, "Market depth data has been RESET.")
    assert buffer.pop() == DepthReset()
    session, asked, buffer = opened("MKT_DATA")
    error(session, asked.request_id, 317, "Market depth data has been RESET.")
    assert len(buffer) == 0
    assert [notice.code for notice in buffer.notices] == [317]


def test_a_line_that_tws_may_still_hold_is_cancelled_by_the_last_and_joined_by_nobody() -> None:
    session, asked, buffer = opened("MKT_DATA", share=True)
    second = Buffer(10)
    session.ask(TABLE["MKT_DATA"], arguments(TABLE["MKT_DATA"]), second, single=False, share=True)
    error(session, asked.request_id, 10197, "No market data during competing live session")
    assert isinstance(buffer.error, CompetingSession)
    assert isinstance(second.error, CompetingSession)
    other = session.ask(TABLE["MKT_DATA"], arguments(TABLE["MKT_DATA"]), Buffer(10), single=False, share=True)
    assert other is not asked
    assert len(sent(session)) == 1
    session.leave(asked, buffer)
    assert sent(session) == []
    session.leave(asked, second)
    assert len(sent(session)) == 1


@every_code
def test_the_echo_of_a_request_that_is_over_is_absorbed(code: int, message: str) -> None:
    session, asked, buffer = opened("MKT_DATA")
    session.leave(asked, buffer)
    error(session, asked.request_id, code, message)
    assert (session.stats().late_frames, session.stats().notices) == (1, 0)


# --- orders ------------------------------------------------------------------------------------------------------

PLACE = TABLE["PLACE_ORDER"]


class Placed:
    """An order and its stream, and what was said to TWS of it since."""

    def __init__(self, *then: str) -> None:
        self.session = ready_session(order_id=5)
        self.notices = Buffer(100)
        self.session.router.add_notices(self.notices)
        self.streams = [Buffer(10)]
        self.context = {"order"}
        if "what-if" in then:
            self.session.ask_what_if(PLACE, {"contract": contract(), "order": order(whatIf=True)})
            self.context = {"what-if"}
        else:
            self.session.place(PLACE, {"contract": contract(), "order": order()}, self.streams[0])
        for step in then:
            getattr(self, step.replace("-", "_"))()

    def what_if(self) -> None:
        """It was one from the start."""

    def shown(self) -> None:
        """TWS shows the order."""
        shown = Order()
        shown.clientId = CLIENT_ID
        self.session.router.open_order(OpenOrder(5, Contract(), shown, OrderState()))

    def change(self) -> None:
        self.streams.append(Buffer(10))
        self.session.place(PLACE, {"contract": contract(), "order": order(orderId=5)}, self.streams[-1])
        self.context.add("change")

    def leave_change(self) -> None:
        self.session.orders.detach(5, self.streams[-1])

    def cancel(self) -> None:
        self.session.send(TABLE["CANCEL_ORDER"], {"orderId": 5, "orderCancel": None})
        self.context.add("cancel")


class Refusals:
    """Listens as an order book does."""

    def __init__(self) -> None:
        self.refused: list[int] = []
        self.cancels_refused: list[int] = []
        self.noticed: list[int] = []

    def order_event(self, event: Any) -> None:
        pass

    def order_refused(self, notice: Notice, kind: type[RequestError], advanced_reject: str) -> None:
        self.refused.append(notice.code)

    def order_cancel_refused(self, notice: Notice) -> None:
        self.cancels_refused.append(notice.code)

    def order_noticed(self, notice: Notice) -> None:
        self.noticed.append(notice.code)

    def session_ended(self, error: Any) -> None:
        pass


def failed(streams: Sequence[Buffer]) -> list[bool]:
    return [stream.error is not None for stream in streams]


@every_code
def test_a_new_order_is_refused_or_gets_a_notice_and_every_message_can_be_seen(code: int, message: str) -> None:
    for then in ([], ["shown"], ["cancel"]):  # a cancel of an order that TWS has not shown yet makes no difference
        placed = Placed(*then)
        rule = error(placed.session, 5, code, message, {"order"})
        assert placed.notices.pop() == Notice(5, code, message, None)
        [stream] = placed.streams
        if rule.effect == "error":
            assert type(stream.error) is (OrderRejected if rule.error is RequestError else rule.error)
            assert "placeOrder 5" in str(stream.error)
        else:
            assert stream.error is None
            assert [notice.code for notice in stream.notices] == [code]


@every_code
def test_a_refused_change_leaves_the_order_as_it_was(code: int, message: str) -> None:
    placed = Placed("shown", "change")
    rule = error(placed.session, 5, code, message, {"order", "change"})
    assert failed(placed.streams) == [False, rule.effect == "error"]
    error(placed.session, 5, 201, "Order rejected - reason:")  # and this one is about the order
    assert failed(placed.streams) == [rule.effect == "error", True]


@every_code
def test_a_refused_change_that_nobody_listens_to_is_a_remark_for_the_order(code: int, message: str) -> None:
    placed = Placed("shown", "change", "leave_change")
    error(placed.session, 5, code, message)
    assert failed(placed.streams) == [False, False]
    assert [notice.code for notice in placed.streams[0].notices] == [code]


def test_a_change_of_an_order_that_tws_has_not_shown_may_be_refused_with_it() -> None:
    placed = Placed("change", "leave_change")
    error(placed.session, 5, 321, "Error validating request: Invalid order type was entered")
    assert failed(placed.streams) == [True, False]


@every_code
def test_a_refused_cancel_leaves_the_order_alive_but_a_rejection_does_not(code: int, message: str) -> None:
    placed = Placed("shown", "cancel")
    book = Refusals()
    placed.session.orders.add_listener(book)
    rule = error(placed.session, 5, code, message, {"order", "cancel"})
    [stream] = placed.streams
    if code == 201:
        assert type(stream.error) is OrderRejected
        assert book.refused == [201]
    else:
        assert stream.error is None
        assert book.cancels_refused == [code] * (rule.effect == "error")
        assert [notice.code for notice in stream.notices] == [code]


@every_code
def test_a_what_if_is_refused_by_every_error_and_by_no_notice(code: int, message: str) -> None:
    placed = Placed("what-if")
    book = Refusals()
    placed.session.orders.add_listener(book)
    rule = error(placed.session, 5, code, message, {"what-if"})
    assert (book.refused, book.noticed) == (([code], []) if rule.effect == "error" else ([], [code]))


@pytest.mark.parametrize("about", [-1, 0, 3, 2**31 - 1])
def test_what_is_about_nothing_open_can_be_seen_and_ends_nothing(about: int) -> None:
    for code, message in CODE_AND_TEXT:
        session = ready_session()
        notices = Buffer(10)
        session.router.add_notices(notices)
        error(session, about, code, message)
        assert notices.pop() == Notice(about, code, message, None)
        assert session.stats().notices == 1


# --- delayed data -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [code for code, rule in CODES.items() if "delayed" in rule.contexts])
def test_what_delayed_data_makes_a_warning_for_a_stream(code: int) -> None:
    session, asked, buffer = opened("MKT_DATA")
    session.send(TABLE["MARKET_DATA_TYPE"], {"marketDataType": 3})
    error(session, asked.request_id, code, "Requested market data is not subscribed. Displaying delayed market data.")
    assert buffer.error is None
    assert [notice.code for notice in buffer.notices] == [code]
    session.send(TABLE["MARKET_DATA_TYPE"], {"marketDataType": 1})
    error(session, asked.request_id, code, "Requested market data is not subscribed.")
    assert isinstance(buffer.error, NoPermission)


@pytest.mark.parametrize(("code", "ends"), [(354, True), (10168, True), (10089, False), (10167, False), (10091, False)])
def test_a_snapshot_waits_for_delayed_data_where_it_can_come(code: int, ends: bool) -> None:
    session = ready_session()
    session.send(TABLE["MARKET_DATA_TYPE"], {"marketDataType": 4})
    answer = Answer(lambda: None, single=False)
    asked = session.ask(TABLE["MKT_DATA_SNAPSHOT"], arguments(TABLE["MKT_DATA_SNAPSHOT"]), answer, single=False)
    assert isinstance(asked, Line)
    error(session, asked.request_id, code, "Requested market data is not subscribed.")
    if not ends:
        session.router.item(asked.request_id, "tick")
        session.router.end(asked.request_id)
        assert answer.result() == ["tick"]
    else:
        with pytest.raises(NoPermission):
            answer.result()
