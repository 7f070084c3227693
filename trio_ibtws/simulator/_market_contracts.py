"""The contracts of a simulation, and which of them a request means."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from ._market_chains import cfds, futures, options
from ._market_combos import combo
from ._market_instrument import Instrument
from ._market_listing import INSTRUMENTS

__all__ = ["Contracts"]

_OTHER_NAMES = {"ISLAND": "NASDAQ", "NASDAQ": "ISLAND"}
"""Venues that go by two names, both of which are understood."""


class Contracts:
    """Everything that is listed from one day on."""

    def __init__(self, day: date, price: Callable[[Instrument], float]) -> None:
        self.listed: tuple[Instrument, ...] = (*INSTRUMENTS, *cfds(), *futures(day), *options(day, price))

    def find(self, wanted: dict[str, Any], day: date) -> list[Instrument]:
        """Return what a Contract's values may mean on *day*.

        That is nothing when they name no symbol, local symbol, trading class, id or ISIN, and nothing that expired
        unless they ask for that too.
        """
        if not any(wanted.get(name) for name in ("conId", "symbol", "localSymbol", "tradingClass", "secId")):
            return []
        if wanted.get("secType") == "BAG":
            made = combo(wanted, self.by_id)
            return [] if made is None else [made]
        expired = wanted.get("includeExpired")
        found = (each for each in self.listed if expired or each.expiry is None or each.expiry >= day)
        return [each for each in found if _fits(each, wanted) and _is_traded_at(each, wanted)]

    def by_id(self, con_id: int) -> Instrument | None:
        """Return the instrument with that id."""
        return next((each for each in self.listed if each.con_id == con_id), None)

    def chain(self, under: Instrument, day: date) -> list[Instrument]:
        """Return the options on *under* that have not expired on *day*."""
        return [each for each in self.listed if each.sec_type == "OPT" and each.under is under and _alive(each, day)]

    def search(self, pattern: str) -> Iterable[Instrument]:
        """Return the instruments whose symbol starts with *pattern* or whose name has a word that does."""
        wanted = pattern.strip().upper()
        if not wanted:
            return []
        return [
            each
            for each in self.listed
            if each.sec_type in {"STK", "IND"}
            and (each.symbol.startswith(wanted) or any(w.startswith(wanted) for w in each.long_name.upper().split()))
        ]


def _alive(instrument: Instrument, day: date) -> bool:
    return instrument.expiry is None or instrument.expiry >= day


def _fits(instrument: Instrument, wanted: dict[str, Any]) -> bool:
    if wanted.get("conId"):
        return bool(instrument.con_id == wanted["conId"])
    if wanted.get("secId"):
        own_id = {"ISIN": instrument.isin, "CUSIP": instrument.cusip}.get(str(wanted.get("secIdType")))
        return bool(own_id == wanted["secId"])
    own = {
        "symbol": instrument.symbol,
        "secType": instrument.sec_type,
        "currency": instrument.currency,
        "localSymbol": instrument.local_symbol,
        "tradingClass": instrument.trading_class,
        "multiplier": instrument.multiplier,
    }
    if not all(not wanted.get(name) or str(wanted[name]).upper() == value for name, value in own.items()):
        return _is_bond_by_cusip(instrument, wanted)
    return _fits_terms(instrument, wanted)


def _is_bond_by_cusip(instrument: Instrument, wanted: dict[str, Any]) -> bool:
    """Return whether a bond is named by its CUSIP where others have a symbol, as TWS allows."""
    return instrument.sec_type == "BOND" == wanted.get("secType") and wanted.get("symbol") == instrument.cusip


def _fits_terms(instrument: Instrument, wanted: dict[str, Any]) -> bool:
    """Return whether expiry, strike and right are the wanted ones, as far as any are."""
    month = str(wanted.get("lastTradeDateOrContractMonth") or "")[:8]
    if month and (instrument.expiry is None or not f"{instrument.expiry:%Y%m%d}".startswith(month)):
        return False
    if wanted.get("strike") and wanted["strike"] != instrument.strike:
        return False
    right = str(wanted.get("right") or "")[:1].upper()
    return right in {"", "?", "0"} or right == instrument.right


def _is_traded_at(instrument: Instrument, wanted: dict[str, Any]) -> bool:
    exchange = str(wanted.get("exchange") or "").upper().partition(":")[0]
    primary = str(wanted.get("primaryExchange") or "").upper()
    venues = instrument.valid_exchanges.split(",")
    venues += [_OTHER_NAMES[each] for each in venues if each in _OTHER_NAMES]
    if primary and primary not in {instrument.primary_exchange, *venues}:
        return False
    return not exchange or exchange in venues
