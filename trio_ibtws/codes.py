"""What each TWS message code does: the table, and the rule that an entry is.

TWS sends errors, warnings and news of its connections through one callback, ``EWrapper.error``. Whether a code ends
something is no property of its number alone: of some it depends on the text, of some on the context, that is, on what
it is about. So the table is keyed by (code, text, context). A code that stands in no table ends what it names, but for
2100 to 2199, which TWS documents as warnings; so nothing waits for ever, and no error is taken for an answer.

The contexts, of which several hold at once:

- ``"query"`` or ``"stream"``, and the request's EClient method (``"reqMktDepth"``); ``"delayed"`` while delayed market
  data is switched on (``market_data_type`` 3 or 4);
- ``"what-if"``, or ``"order"`` for an order that trades; ``"change"`` with it when a change of it was sent last, and
  ``"cancel"`` when a cancel was, and TWS had the order already. An error is about what was sent last: a refused change
  leaves the order as it was, and so does a refused cancel.

Sources: IB's "Message Codes" page, and recorded sessions of TWS and IB Gateway.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Literal, get_args

import msgspec

from .errors import (
    CompetingSession,
    LimitReached,
    NoData,
    NoPermission,
    NoSuchContract,
    OrderRejected,
    PacingViolation,
    ReadOnlySession,
    RequestError,
)

__all__ = ["CODES", "CodeRule", "FarmState", "rule_for"]

Effect = Literal["notice", "farm", "connection", "renew", "complete", "reset", "error"]
FarmState = Literal["ok", "broken", "inactive", "connecting"]


class CodeRule(msgspec.Struct, frozen=True, kw_only=True):
    """What a TWS message code means.

    Attributes:
      effect: ``"notice"`` ends nothing; ``"farm"`` is a notice about a data farm, ``"connection"`` one about TWS's
        own connection, ``"renew"`` one after which market data lines are asked for anew; ``"complete"`` ends a query
        with the rows that have come, and tells a scanner's stream that there are none; ``"reset"`` empties an order
        book; ``"error"`` ends what it names with an exception. An order knows ``"error"`` only, which refuses what was
        sent last for it; the others are notices about it.
      error: that exception's class. An order raises ``OrderRejected`` in place of the plain ``RequestError``.
      farm: the state that it reports, of a farm rule.
      ends: the EClient method whose open line it ends, though it names no id: its streams fail with *error*.
      held: TWS may still answer, or hold the line that it ends: leaving it sends the cancel all the same, and the next
        request without an id waits for the end of the answer.
      texts: a rule that holds instead where TWS's text contains the key, in capitals or not.
      contexts: a rule that holds instead in a context, the first that does; after ``texts``.
      advice: what to do about it, which the exception says after TWS's text.
      means: what TWS says with it, in a few words.
    """

    effect: Effect = "error"
    error: type[RequestError] = RequestError
    farm: FarmState | None = None
    ends: str | None = None
    held: bool = False
    texts: Mapping[str, CodeRule] = {}
    contexts: Mapping[str, CodeRule] = {}
    advice: str = ""
    means: str = ""

    def __post_init__(self) -> None:
        """Refuse what would leave a request without an end, or crash in the middle of a session.

        Raises:
          ValueError: the effect, the farm's state or the exception is none that there is.
          TypeError: what is laid under a text or a context is no rule.
        """
        if self.effect not in get_args(Effect):
            raise ValueError(f"effect={self.effect!r} is none of {', '.join(get_args(Effect))}")
        if self.farm is not None and self.farm not in get_args(FarmState):
            raise ValueError(f"farm={self.farm!r} is none of {', '.join(get_args(FarmState))}")
        if not _is_error(self.error):
            raise ValueError(f"error={self.error!r} is no subclass of RequestError")
        for name, special in (("texts", self.texts), ("contexts", self.contexts)):
            if not _are_rules(special):
                raise TypeError(f"{name}={special!r} is no mapping from texts to CodeRule")

    def refined(self, message: str, context: Container[str]) -> CodeRule:
        """Return the rule for this text in this context: the rule itself, or the special one in it."""
        folded = message.casefold()
        for text, special in self.texts.items():
            if text.casefold() in folded:
                return special.refined(message, context)
        for name, special in self.contexts.items():
            if name in context:
                return special.refined(message, context)
        return self


def _is_error(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, RequestError)


def _are_rules(special: object) -> bool:
    return isinstance(special, Mapping) and all(
        isinstance(key, str) and isinstance(rule, CodeRule) for key, rule in special.items()
    )


NOTICE = CodeRule(effect="notice")
ERROR = CodeRule()
OF_ORDERS: Mapping[str, CodeRule] = {"order": NOTICE}
"""A code that ends no order; a what-if, which waits for one answer as a query does, is another matter."""

_COMPETING = CodeRule(error=CompetingSession)
_NO_DATA = CodeRule(error=NoData)
_PACING = CodeRule(
    error=PacingViolation,
    advice="wait: IB answers the same question once in 15 seconds, 6 about one contract in 2 seconds, 60 in 10 minutes",
)
_PERMISSION = CodeRule(error=NoPermission)
_DATA_SERVICE: Mapping[str, CodeRule] = {
    "pacing violation": _PACING,
    "no data": _NO_DATA,
    "different IP address": _COMPETING,
    "market data permissions": _PERMISSION,
    "requires additional subscription": _PERMISSION,
}


def _notice(means: str) -> CodeRule:
    return CodeRule(effect="notice", means=means)


def _error(
    means: str, error: type[RequestError] = RequestError, *, held: bool = False, **special: Mapping[str, CodeRule]
) -> CodeRule:
    return CodeRule(
        error=error, held=held, means=means, texts=special.get("texts", {}), contexts=special.get("contexts", {})
    )


def _connection(means: str) -> CodeRule:
    return CodeRule(effect="connection", means=means)


def _farm(state: FarmState, means: str) -> CodeRule:
    return CodeRule(effect="farm", farm=state, means=means)


_LIMITS = {
    100: _error("more than 50 messages in a second", PacingViolation, held=True),
    101: _error("as many quotes are open as the account has market data lines", LimitReached),
    309: _error("as many order books are open as the account may have", LimitReached),
    322: _error(
        "a duplicate request id, or more account summaries, scanners or queries for bars than TWS runs at once",
        texts={
            "maximum number": CodeRule(error=LimitReached),
            "simultaneous api": CodeRule(error=LimitReached),
        },
    ),
    10190: _error("as many tick-by-tick subscriptions are open as the account may have", LimitReached),
}

_REQUESTS = {
    0: _notice("soon more than 50 messages in a second"),
    162: _error("the historical data service refuses, for the reason in the text", texts=_DATA_SERVICE),
    165: CodeRule(
        effect="notice",
        means="the historical data service has a remark; a scanner found nothing",
        texts={
            "no items retrieved": CodeRule(
                error=NoData, contexts={"reqScannerSubscription": CodeRule(effect="complete")}
            )
        },
    ),
    200: _error("no contract fits the description, or several do", NoSuchContract),
    300: _error("no quote has this id: the echo of a cancel, most often"),
    310: _error("no order book has this id: the echo of a cancel, most often"),
    316: _error("the order book was halted; subscribe again"),
    317: CodeRule(
        effect="notice", means="the order book was emptied", contexts={"reqMktDepth": CodeRule(effect="reset")}
    ),
    320: _error("TWS could not read the request"),
    321: _error("TWS found the request invalid", texts={"Read-Only": CodeRule(error=ReadOnlySession)}),
    354: _error("not subscribed to this market data", NoPermission, contexts={"query": _PERMISSION, "delayed": NOTICE}),
    365: _error("no scanner has this id: the echo of a cancel, most often"),
    366: _error("no historical query has this id: the echo of a cancel, most often"),
    420: _error("a live query is refused, for the reason in the text", texts=_DATA_SERVICE),
    430: _error("no fundamental data for this security", NoData),
    490: _error("no permission for this scanner", NoPermission),
    10089: _error("this market data needs a further subscription", NoPermission, contexts={"delayed": NOTICE}),
    10090: _notice("a part of the market data is not subscribed; the rest flows"),
    10091: _notice("a part of the market data needs a further subscription; the rest flows"),
    10092: CodeRule(
        advice="name the exchange whose book is wanted, as in stock('AAPL', 'NASDAQ'), or ask for smart depth",
        means="no order book for this kind of security at this exchange",
    ),
    10167: _notice("not subscribed to this market data; delayed data follows"),
    10168: _error("not subscribed to this market data, and delayed data is switched off", NoPermission),
    10182: _error("live updates of historical data were lost; subscribe again"),
    10186: _error("not subscribed to this market data, and delayed data is switched off", NoPermission),
    10187: _error("historical ticks are refused, for the reason in the text", texts=_DATA_SERVICE),
    10189: _error("tick-by-tick data is refused, for the reason in the text", texts=_DATA_SERVICE),
    10197: _error("market data goes to another session of this user", CompetingSession, held=True),
    10225: _error("a trade was undone and the real-time bars ended; subscribe again"),
    10276: _error("news of this provider is not allowed", NoPermission),
    10358: _error("fundamental data is not allowed", NoPermission),
}

_ORDERS = {
    103: _error("the order id was used before"),
    104: _error("a filled order cannot be changed"),
    105: _error("the change does not fit the order"),
    107: _error("the order is incomplete"),
    110: _error("the price is not a multiple of the smallest step"),
    161: _error("the order cannot be cancelled any more", contexts=OF_ORDERS),
    201: _error("the order was rejected", OrderRejected),
    202: _error("the order was cancelled; orderStatus says so too", contexts=OF_ORDERS),
    328: _error("a trailing order cannot be attached to this parent"),
    329: _error("the order type cannot be changed so"),
    387: _error("the order type is not supported at this exchange"),
    399: _error("a remark about the order", texts={"Warning:": NOTICE}, contexts=OF_ORDERS),
    404: _notice("the order is held while shares to sell short are located"),
    434: _error("the size cannot be zero"),
    439: _error("the algorithm is not known"),
    443: _error("the algorithm does not take this parameter"),
    462: _error("this cannot be changed in an order that exists"),
    492: _notice("the price is away from the market; the order goes on"),
    10147: _error("no order to cancel has this id", contexts=OF_ORDERS),
    10148: _error("the order cannot be cancelled in its state", contexts=OF_ORDERS),
    10349: _notice("the time in force was set by a preset"),
}

_CONNECTION = {
    326: _error("another connection has this client id"),
    1100: _connection("TWS lost its connection to IB"),
    1101: CodeRule(effect="renew", means="TWS has its connection to IB again; subscriptions were lost"),
    1102: _connection("TWS has its connection to IB again; subscriptions go on"),
    1300: _connection("the socket port was changed, and this connection ends"),
    2110: _connection("TWS lost its connection to the server; it will come back by itself"),
}

_FARMS = {
    2103: _farm("broken", "a market data farm is gone"),
    2104: _farm("ok", "a market data farm is there"),
    2105: _farm("broken", "a historical data farm is gone"),
    2106: _farm("ok", "a historical data farm is there"),
    2107: _farm("inactive", "a historical data farm is inactive until it is needed"),
    2108: _farm("inactive", "a market data farm is inactive until it is needed"),
    2119: _farm("connecting", "a market data farm is being connected"),
    2157: _farm("broken", "a contract data farm is gone"),
    2158: _farm("ok", "a contract data farm is there"),
    2159: _farm("connecting", "a contract data farm is being connected"),
}

_WARNINGS = {
    2100: CodeRule(
        effect="notice",
        means="the account updates have ended; with this text because another request took them over",
        texts={"new account data requested": CodeRule(effect="notice", ends="reqAccountUpdates")},
    ),
    2109: _notice("the order's flag for trading outside regular hours is ignored"),
    2137: _notice("the order crosses a position"),
    2152: _notice("which exchanges the order book covers, and which it does not"),
    2188: _notice("the newest seconds of historical data need a further subscription; the bars follow"),
}

GROUPS: Mapping[str, Mapping[int, CodeRule]] = {
    "Requests": _REQUESTS,
    "Limits": _LIMITS,
    "Orders": _ORDERS,
    "TWS's own connection": _CONNECTION,
    "Data farms": _FARMS,
    "Warnings": _WARNINGS,
}

CODES: Mapping[int, CodeRule] = {code: rule for group in GROUPS.values() for code, rule in sorted(group.items())}


def rule_for(codes: Mapping[int, CodeRule], code: int, message: str, context: Container[str] = ()) -> CodeRule:
    """Return the rule of *code* with the text *message* in *context*, from *codes*, then from the built-in table."""
    rule = codes.get(code) or CODES.get(code)
    if rule is None:
        return NOTICE if 2100 <= code < 2200 else ERROR
    return rule.refined(message, context)
