"""What each TWS message code does: the table, and the rule that an entry is.

TWS sends errors, warnings and news of its connections through one callback, ``EWrapper.error``. Whether a code ends
a request is no property of its number alone: of some it depends on the text, of some on what it is about. A code
that stands in no table ends what it names, but for 2100 to 2199, which TWS documents as warnings; so nothing waits
for ever, and no error is taken for an answer.

Sources: IB's "Message Codes" page, and recorded sessions of TWS and IB Gateway.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from .errors import (
    CompetingSession,
    NoData,
    NoPermission,
    NoSuchContract,
    OrderRejected,
    PacingViolation,
    ReadOnlySession,
    RequestError,
)

__all__ = ["CODES", "CodeRule", "FarmState", "rule_for"]

Effect = Literal["notice", "farm", "connection", "complete", "reset", "error"]
FarmState = Literal["ok", "broken", "inactive", "connecting"]


class CodeRule(msgspec.Struct, frozen=True, kw_only=True):
    """What a TWS message code means.

    Attributes:
      effect: ``"notice"`` ends nothing; ``"farm"`` is a notice about a data farm, ``"connection"`` one about TWS's
        own connection; ``"complete"`` ends a request with what has come; ``"reset"`` empties an order book;
        ``"error"`` ends what it names with an exception.
      error: that exception's class.
      on_order: what it does to an order: ``"notice"``, or ``"reject"``, which raises ``OrderRejected``.
      farm: the state that it reports, of a farm rule.
      delayed: the effect while delayed market data is switched on (``market_data_type`` 3 or 4), if it differs.
      texts: a rule that holds instead where TWS's text contains the key.
    """

    effect: Effect = "error"
    error: type[RequestError] = RequestError
    on_order: Literal["notice", "reject"] = "reject"
    farm: FarmState | None = None
    delayed: Effect | None = None
    texts: Mapping[str, CodeRule] = {}


NOTICE = CodeRule(effect="notice", on_order="notice")
ERROR = CodeRule()

_ORDER_NOTICE = CodeRule(on_order="notice")
_PERMISSION = CodeRule(error=NoPermission)
_PACING = CodeRule(error=PacingViolation)
_CONNECTION = CodeRule(effect="connection", on_order="notice")


def _farm(state: FarmState) -> CodeRule:
    return CodeRule(effect="farm", farm=state, on_order="notice")


CODES: Mapping[int, CodeRule] = {
    0: NOTICE,  # "approaching max rate of 50 messages per second"
    # --- requests
    100: _PACING,
    162: CodeRule(
        texts={
            "pacing violation": _PACING,
            "no data": CodeRule(error=NoData),
            "No market data permissions": _PERMISSION,
        }
    ),
    165: CodeRule(effect="complete", on_order="notice"),  # a scanner without rows
    200: CodeRule(error=NoSuchContract),
    317: CodeRule(effect="reset"),
    321: CodeRule(texts={"Read-Only": CodeRule(error=ReadOnlySession)}),
    354: CodeRule(error=NoPermission, delayed="notice"),
    420: CodeRule(texts={"permission": _PERMISSION, "pacing": _PACING}),
    10089: CodeRule(error=NoPermission, delayed="notice"),
    10090: NOTICE,  # part of the data is not subscribed; the rest flows
    10091: NOTICE,
    10167: NOTICE,  # delayed data follows
    10168: _PERMISSION,
    10186: _PERMISSION,
    10187: _PERMISSION,
    10189: _PERMISSION,
    10197: CodeRule(error=CompetingSession),
    10276: _PERMISSION,
    # --- orders: only these of the codes that name an order leave it as it is
    161: _ORDER_NOTICE,  # cancel of an order that is not cancellable
    201: CodeRule(error=OrderRejected),
    202: _ORDER_NOTICE,  # cancelled; orderStatus says so too
    399: NOTICE,  # a warning about an order
    404: NOTICE,  # held while shares are located
    10147: _ORDER_NOTICE,  # cancel of an unknown order
    10148: _ORDER_NOTICE,  # cancel of a finished order
    10349: NOTICE,  # the time in force was set by a preset
    # --- TWS's own connection
    1100: _CONNECTION,
    1101: _CONNECTION,
    1102: _CONNECTION,
    1300: _CONNECTION,
    2110: _CONNECTION,
    # --- data farms
    2103: _farm("broken"),
    2104: _farm("ok"),
    2105: _farm("broken"),
    2106: _farm("ok"),
    2107: _farm("inactive"),
    2108: _farm("inactive"),
    2119: _farm("connecting"),
    2157: _farm("broken"),
    2158: _farm("ok"),
}


def rule_for(codes: Mapping[int, CodeRule], code: int, message: str) -> CodeRule:
    """Return the rule of *code* with the text *message*, from *codes*, then from the built-in table."""
    rule = codes.get(code) or CODES.get(code)
    if rule is None:
        return NOTICE if 2100 <= code < 2200 else ERROR
    for text, special in rule.texts.items():
        if text in message:
            return special
    return rule
