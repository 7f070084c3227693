"""Requests about contracts: details, symbols, price increments."""

from __future__ import annotations

from typing import Any

from ._market_contracts import MARKET_RULES, Instrument, find, search
from ._session import NO_ID, Handler, Session
from ._times import trading_hours

__all__ = ["HANDLERS", "NO_SUCH_CONTRACT", "instrument_for"]

NO_SUCH_CONTRACT = (200, "No security definition has been found for the request")
_AMBIGUOUS = (200, "The contract description specified for {symbol} is ambiguous.")
_DERIVATIVES = ("CFD", "OPT", "IOPT", "WAR", "BAG")


def instrument_for(session: Session, request: int, contract: dict[str, Any]) -> Instrument | None:
    """Return the one instrument that *contract* means, or send the error that a gateway sends and return ``None``."""
    found = find(contract)
    if not contract.get("exchange") and not contract.get("conId"):
        session.error(request, 321, "Error validating request.-'bN' : cause - Missing order exchange.")
    elif not found:
        session.error(request, *NO_SUCH_CONTRACT)
    elif len(found) > 1:
        code, text = _AMBIGUOUS
        session.error(request, code, text.format(symbol=contract.get("symbol") or contract.get("localSymbol")))
    else:
        return found[0]
    return None


def contract_details(session: Session, values: dict[str, Any]) -> None:
    """Answer reqContractDetails: one row for each instrument that fits, or error 200 and no end."""
    request, wanted = values["reqId"], values["contract"]
    found = find(wanted)
    if not found:
        session.error(request, *NO_SUCH_CONTRACT)
        return
    now = session.world.clock.now()
    for each in found:
        hours = {
            "tradingHours": trading_hours(now, each.is_stock, liquid=False),
            "liquidHours": trading_hours(now, each.is_stock, liquid=True),
        }
        exchange = str(wanted.get("exchange") or "").upper().partition(":")[0]
        session.send("contractDetails", reqId=request, **each.details(exchange), **hours)
    session.send("contractDetailsEnd", reqId=request)


def matching_symbols(session: Session, values: dict[str, Any]) -> None:
    """Answer reqMatchingSymbols."""
    rows = [
        {
            **each.contract(),
            "derivativeSecTypes": _DERIVATIVES if each.is_stock else (),
            "description": each.long_name,
        }
        for each in search(values["pattern"])
    ]
    session.send("symbolSamples", reqId=values["reqId"], contractDescriptions=rows)


def market_rule(session: Session, values: dict[str, Any]) -> None:
    """Answer reqMarketRule, which has no request id."""
    rule = MARKET_RULES.get(values["marketRuleId"] or 0)
    if rule is None:
        session.error(NO_ID, 321, "Error validating request.-'bM' : cause - Invalid market rule id")
        return
    increments = [{"lowEdge": edge, "increment": increment} for edge, increment in rule]
    session.send("marketRule", marketRuleId=values["marketRuleId"], priceIncrements=increments)


HANDLERS: dict[str, Handler] = {
    "reqContractDetails": contract_details,
    "reqMatchingSymbols": matching_symbols,
    "reqMarketRule": market_rule,
}
