"""Requests about contracts: details, symbols, price increments."""

from __future__ import annotations

from typing import Any

from ._market_instrument import MARKET_RULES, Instrument
from ._session import NO_ID, Handler, Session
from ._times import trading_hours

__all__ = ["HANDLERS", "NO_SUCH_CONTRACT", "instrument_for"]

NO_SUCH_CONTRACT = (200, "No security definition has been found for the request")
_AMBIGUOUS = (200, "The contract description specified for {symbol} is ambiguous.")


def instrument_for(session: Session, request: int, contract: dict[str, Any]) -> Instrument | None:
    """Return the one instrument that *contract* means, or send the error that a gateway sends and return ``None``."""
    found = session.world.find(contract)
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
    found = session.world.find(wanted)
    if not found or found[0].legs:
        session.error(request, *NO_SUCH_CONTRACT)
        return
    exchange = str(wanted.get("exchange") or "").upper().partition(":")[0]
    for each in found:
        name = "bondContractDetails" if each.sec_type == "BOND" else "contractDetails"
        session.send(name, reqId=request, **_details(session, each, exchange))
    session.send("contractDetailsEnd", reqId=request)


def _details(session: Session, instrument: Instrument, exchange: str) -> dict[str, Any]:
    now = session.world.clock.now()
    return {
        **instrument.details(exchange),
        "tradingHours": trading_hours(now, instrument.hours, liquid=False),
        "liquidHours": trading_hours(now, instrument.hours, liquid=True),
    }


def sec_def_opt_params(session: Session, values: dict[str, Any]) -> None:
    """Answer reqSecDefOptParams: one row for each exchange that has the chain, and the end; often only the end."""
    request, con_id = values["reqId"], values["underlyingConId"]
    if not con_id:
        session.error(request, 321, "Error validating request.-'bW' : cause - Invalid contract id")
        return
    under = session.world.contracts.by_id(con_id)
    if under is None or (under.symbol, under.sec_type) != (values["underlyingSymbol"], values["underlyingSecType"]):
        session.error(request, 321, "Error validating request.-'bW' : cause - Invalid underlying symbol")
        return
    chain = session.world.contracts.chain(under, session.world.today())
    if chain and not values["futFopExchange"]:
        _send_chain(session, request, under, chain)
    session.send("securityDefinitionOptionParameterEnd", reqId=request)


def _send_chain(session: Session, request: int, under: Instrument, chain: list[Instrument]) -> None:
    for exchange in chain[0].valid_exchanges.split(","):
        session.send(
            "securityDefinitionOptionParameter",
            reqId=request,
            exchange=exchange,
            underlyingConId=under.con_id,
            tradingClass=chain[0].trading_class,
            multiplier=chain[0].multiplier,
            expirations=sorted({f"{each.expiry:%Y%m%d}" for each in chain}),
            strikes=sorted({each.strike for each in chain}),
        )


def matching_symbols(session: Session, values: dict[str, Any]) -> None:
    """Answer reqMatchingSymbols."""
    rows = [
        {
            **each.contract(),
            "derivativeSecTypes": _derivatives(session, each),
            "description": each.long_name,
        }
        for each in session.world.contracts.search(values["pattern"])
    ]
    session.send("symbolSamples", reqId=values["reqId"], contractDescriptions=rows)


def _derivatives(session: Session, under: Instrument) -> list[str]:
    """Return the security types of what is listed on an underlying."""
    listed = session.world.contracts.listed
    return sorted({each.sec_type for each in listed if each.under is under and each.sec_type != "IND"})


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
    "reqSecDefOptParams": sec_def_opt_params,
    "reqMarketRule": market_rule,
}
