"""Descriptions of contracts: one function for each kind, which returns ibapi's ``Contract``.

Each returns a new object and asks TWS nothing; a description may fit many contracts or none, which
``client.qualify`` finds out. Every other attribute of ibapi's ``Contract`` can be given by its own name:
``future("ES", "202612", "CME", includeExpired=True)``. An argument that makes no sense raises ``InvalidRequest``, whose
``field`` names it, before anything is sent.
"""

from __future__ import annotations

import math
import re
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from ibapi.contract import ComboLeg, Contract

from .errors import InvalidRequest
from .orders import combo as _combo
from .orders import leg

__all__ = [
    "Right",
    "bond",
    "by_con_id",
    "by_local_symbol",
    "cfd",
    "combo",
    "commodity",
    "continuous_future",
    "crypto",
    "forex",
    "fund",
    "future",
    "future_option",
    "index",
    "leg",
    "option",
    "stock",
    "warrant",
]

Right = Literal["C", "P", "CALL", "PUT"]
"""Whether an option is a call or a put. Lower case is understood too."""

_CURRENCY = re.compile(r"[A-Z]{3}")
_MONTH_OR_DAY = re.compile(r"(\d{4})(\d\d)(\d\d)?")
_PAIR = re.compile(r"([A-Z]{3})[./]?([A-Z]{3})", re.IGNORECASE)
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}\d")
_RIGHTS = {"C": "C", "CALL": "C", "P": "P", "PUT": "P"}


# --- what is traded itself ---------------------------------------------------------------------------------------


def stock(
    symbol: str, exchange: str = "SMART", currency: str = "USD", primary_exchange: str = "", **attributes: Any
) -> Contract:
    """Return a stock or an ETF (STK).

    *primary_exchange* is where it is listed; it tells stocks of one symbol apart when *exchange* is ``"SMART"``.

    Raises:
      InvalidRequest: an argument makes no sense.
    """
    return _contract("STK", symbol, exchange, currency, primaryExchange=primary_exchange, **attributes)


def forex(pair: str, exchange: str = "IDEALPRO", **attributes: Any) -> Contract:
    """Return a pair of currencies (CASH): ``"EURUSD"``, ``"EUR.USD"`` or ``"EUR/USD"`` is the euro in US dollars.

    Raises:
      InvalidRequest: *pair* is not two codes of three letters.
    """
    match = _match(_PAIR, pair)
    if match is None or match[1].upper() == match[2].upper():
        raise InvalidRequest("pair", f"{pair!r} is no pair of currencies; write it as EURUSD. Nothing was sent")
    return _contract("CASH", match[1].upper(), exchange, match[2].upper(), **attributes)


def index(symbol: str, exchange: str, currency: str = "USD", **attributes: Any) -> Contract:
    """Return an index (IND), such as ``index("SPX", "CBOE")``. It can be watched, not traded.

    Raises:
      InvalidRequest: an argument makes no sense.
    """
    return _contract("IND", symbol, exchange, currency, **attributes)


def crypto(symbol: str, exchange: str = "PAXOS", currency: str = "USD", **attributes: Any) -> Contract:
    """Return a cryptocurrency (CRYPTO), such as ``crypto("BTC")``.

    Raises:
      InvalidRequest: an argument makes no sense.
    """
    return _contract("CRYPTO", symbol, exchange, currency, **attributes)


def bond(identifier: str, exchange: str = "SMART", currency: str = "USD", **attributes: Any) -> Contract:
    """Return a bond (BOND) by its ISIN, its CUSIP, or its issuer's symbol, which fits all bonds of the issuer.

    Raises:
      InvalidRequest: an argument makes no sense.
    """
    if _match(_ISIN, identifier):
        return _made("BOND", exchange, currency, secIdType="ISIN", secId=identifier, **attributes)
    return _contract("BOND", _text("identifier", identifier), exchange, currency, **attributes)


def cfd(symbol: str, exchange: str = "SMART", currency: str = "USD", **attributes: Any) -> Contract:
    """Return a contract for difference (CFD).

    Raises:
      InvalidRequest: an argument makes no sense.
    """
    return _contract("CFD", symbol, exchange, currency, **attributes)


def commodity(symbol: str, exchange: str = "SMART", currency: str = "USD", **attributes: Any) -> Contract:
    """Return a commodity (CMDTY), such as ``commodity("XAUUSD")`` for London gold.

    Raises:
      InvalidRequest: an argument makes no sense.
    """
    return _contract("CMDTY", symbol, exchange, currency, **attributes)


def fund(symbol: str, exchange: str = "FUNDSERV", currency: str = "USD", **attributes: Any) -> Contract:
    """Return a mutual fund (FUND), such as ``fund("VINIX")``.

    Raises:
      InvalidRequest: an argument makes no sense.
    """
    return _contract("FUND", symbol, exchange, currency, **attributes)


# --- what is derived from it -------------------------------------------------------------------------------------


def future(
    symbol: str,
    expiration: str | date,
    exchange: str,
    currency: str = "USD",
    multiplier: str | float = "",
    trading_class: str = "",
    **attributes: Any,
) -> Contract:
    """Return a future (FUT). *symbol* is the underlying's; *expiration* a month, ``"202612"``, or the last trading day.

    An empty *expiration* fits all of them.

    Raises:
      InvalidRequest: an argument makes no sense.
    """
    terms = _terms(expiration, multiplier, trading_class)
    return _contract("FUT", symbol, exchange, currency, **terms, **attributes)


def continuous_future(
    symbol: str,
    exchange: str,
    currency: str = "USD",
    multiplier: str | float = "",
    trading_class: str = "",
    **attributes: Any,
) -> Contract:
    """Return the future that is the lead month at any time (CONTFUT). It has a history, and cannot be traded.

    Raises:
      InvalidRequest: an argument makes no sense.
    """
    terms = _terms("", multiplier, trading_class)
    return _contract("CONTFUT", symbol, exchange, currency, **terms, **attributes)


def option(
    symbol: str,
    expiration: str | date,
    strike: float | Decimal,
    right: Right | str,
    exchange: str = "SMART",
    currency: str = "USD",
    multiplier: str | float = "",
    trading_class: str = "",
    **attributes: Any,
) -> Contract:
    """Return an option on a stock or an index (OPT): ``option("AAPL", "20261218", 250, "C")``.

    *expiration* is its last trading day, or a month, which fits every day in it. *trading_class* tells weekly options
    of an index from monthly ones (``"SPXW"``, ``"SPX"``).

    Raises:
      InvalidRequest: an argument makes no sense.
    """
    terms = _terms(expiration, multiplier, trading_class) | _exercise(strike, right)
    return _contract("OPT", symbol, exchange, currency, **terms, **attributes)


def future_option(
    symbol: str,
    expiration: str | date,
    strike: float | Decimal,
    right: Right | str,
    exchange: str,
    currency: str = "USD",
    multiplier: str | float = "",
    trading_class: str = "",
    **attributes: Any,
) -> Contract:
    """Return an option on a future (FOP): ``future_option("ES", "20261218", 6800, "P", "CME")``.

    Raises:
      InvalidRequest: an argument makes no sense.
    """
    terms = _terms(expiration, multiplier, trading_class) | _exercise(strike, right)
    return _contract("FOP", symbol, exchange, currency, **terms, **attributes)


def warrant(
    symbol: str,
    expiration: str | date,
    strike: float | Decimal,
    right: Right | str,
    exchange: str,
    currency: str = "EUR",
    multiplier: str | float = "",
    **attributes: Any,
) -> Contract:
    """Return a warrant (WAR). Many have the same terms: ``by_local_symbol`` names one.

    Raises:
      InvalidRequest: an argument makes no sense.
    """
    terms = _terms(expiration, multiplier, "") | _exercise(strike, right)
    return _contract("WAR", symbol, exchange, currency, **terms, **attributes)


def combo(symbol: str, *legs: ComboLeg, currency: str = "USD", exchange: str = "SMART") -> Contract:
    """Return a combination (BAG) of at least two *legs*, which ``leg(con_id, "BUY", ratio=1)`` makes.

    Its price may be negative.

    Raises:
      InvalidRequest: an argument makes no sense, or there are fewer than two legs.
    """
    if len(legs) < 2:
        raise InvalidRequest("legs", f"a combination has two legs or more, here are {len(legs)}. Nothing was sent")
    for each in legs:
        if not each.conId or each.ratio < 1 or each.action not in ("BUY", "SELL", "SSHORT"):
            raise InvalidRequest("legs", f"{each} wants a contract id, a side and a ratio of one or more")
    made = _contract("BAG", symbol, exchange, currency)
    return _combo(made.symbol, *legs, currency=made.currency, exchange=made.exchange)


# --- by a name that fits one contract only -----------------------------------------------------------------------


def by_con_id(con_id: int, exchange: str = "") -> Contract:
    """Return the contract with IB's number for it. An order also wants the *exchange*, such as ``"SMART"``.

    Raises:
      InvalidRequest: *con_id* is no positive number.
    """
    if not _is_id(con_id):
        raise InvalidRequest("con_id", f"{con_id!r} is no contract id. Nothing was sent")
    return _filled(conId=con_id, exchange=_text("exchange", exchange, empty=True))


def by_local_symbol(
    local_symbol: str, sec_type: str, exchange: str = "SMART", currency: str = "USD", **attributes: Any
) -> Contract:
    """Return the contract that an exchange calls *local_symbol*: ``by_local_symbol("ESZ6", "FUT", "CME")``.

    Blanks in it count: those of options are ``"AAPL  261218C00250000"``.

    Raises:
      InvalidRequest: an argument makes no sense.
    """
    local = _text("local_symbol", local_symbol)
    return _made(_text("sec_type", sec_type), exchange, currency, localSymbol=local, **attributes)


# --- what they are made of ---------------------------------------------------------------------------------------


def _contract(sec_type: str, symbol: str, exchange: str, currency: str, **attributes: Any) -> Contract:
    return _made(sec_type, exchange, currency, symbol=_text("symbol", symbol), **attributes)


def _made(sec_type: str, exchange: str, currency: str, **attributes: Any) -> Contract:
    if _match(_CURRENCY, currency) is None:
        raise InvalidRequest("currency", f"{currency!r} is no currency's code, such as USD. Nothing was sent")
    where = _text("exchange", exchange)
    if "primaryExchange" in attributes:
        attributes["primaryExchange"] = _text("primary_exchange", attributes["primaryExchange"], empty=True)
    return _filled(secType=sec_type, exchange=where, currency=currency, **attributes)


def _filled(**attributes: Any) -> Contract:
    made = Contract()
    for name, value in attributes.items():
        if not hasattr(made, name):
            raise InvalidRequest(name, "ibapi's Contract has no such attribute. Nothing was sent")
        setattr(made, name, value)
    return made


def _match(pattern: re.Pattern[str], value: object) -> re.Match[str] | None:
    return pattern.fullmatch(value) if isinstance(value, str) else None


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31


def _text(field: str, value: object, *, empty: bool = False) -> str:
    if isinstance(value, str) and value.isascii() and value.isprintable() and value == value.strip():
        if value or empty:
            return value
        raise InvalidRequest(field, "it is empty. Nothing was sent")
    raise InvalidRequest(field, f"{value!r} is no printable ASCII text without blanks around it. Nothing was sent")


def _terms(expiration: str | date, multiplier: str | float, trading_class: str) -> dict[str, str]:
    return {
        "lastTradeDateOrContractMonth": _expiration(expiration),
        "multiplier": _multiplier(multiplier),
        "tradingClass": _text("trading_class", trading_class, empty=True),
    }


def _expiration(expiration: str | date) -> str:
    if isinstance(expiration, date):
        return f"{expiration:%Y%m%d}"
    if expiration == "":
        return ""
    match = _match(_MONTH_OR_DAY, expiration)
    if match is None or not _is_day(int(match[1]), int(match[2]), int(match[3] or 1)):
        raise InvalidRequest("expiration", f"{expiration!r} is neither a month (202612) nor a day (20261218)")
    return expiration


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _multiplier(multiplier: str | float) -> str:
    if multiplier == "":
        return ""
    try:
        value = Decimal(str(multiplier))
    except ArithmeticError:
        value = Decimal(0)
    if not value.is_finite() or value <= 0:
        raise InvalidRequest("multiplier", f"{multiplier!r} is no positive number. Nothing was sent")
    return f"{value.normalize():f}"


def _exercise(strike: float | Decimal, right: Right | str) -> dict[str, Any]:
    side = _RIGHTS.get(str(right).upper())
    if side is None:
        raise InvalidRequest("right", f"{right!r} is neither C nor P. Nothing was sent")
    try:
        price = float(strike)
    except (TypeError, ValueError):
        price = math.nan
    if isinstance(strike, bool) or not math.isfinite(price) or price <= 0:
        raise InvalidRequest("strike", f"{strike!r} is no positive price. Nothing was sent")
    return {"strike": price, "right": side}
