"""Combos: what is traded in one order and made of several contracts, priced from the prices of its legs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from zlib import crc32

import msgspec

from ._market_instrument import Instrument, Leg
from ._market_ticks import Bar, Tick

__all__ = ["combo", "combo_tick"]

_FIRST_CON_ID, _CON_IDS = 700_000_000, 90_000_000


def combo(wanted: dict[str, Any], by_id: Callable[[int], Instrument | None]) -> Instrument | None:
    """Return the instrument that a contract of type BAG describes, or ``None``: it has no legs, or bad ones."""
    rows = wanted.get("comboLegs") or ()
    legs = [_leg(row, by_id) for row in rows]
    good = [each for each in legs if each is not None]
    if not good or len(good) < len(rows):
        return None
    name = ",".join(f"{each.instrument.con_id}|{each.ratio * each.sign}" for each in good)
    first = good[0].instrument
    return Instrument(
        con_id=_FIRST_CON_ID + crc32(name.encode()) % _CON_IDS,
        symbol=str(wanted.get("symbol") or first.symbol),
        sec_type="BAG",
        currency=first.currency,
        exchange="SMART",
        primary_exchange="",
        local_symbol=name,
        trading_class="COMB",
        long_name=f"Combo {name}",
        min_tick=0.01,
        market_rule=26,
        valid_exchanges="SMART",
        legs=tuple(good),
    )


def _leg(row: dict[str, Any], by_id: Callable[[int], Instrument | None]) -> Leg | None:
    found = by_id(row.get("conId") or 0)
    signs = {"BUY": 1, "SELL": -1}
    good = found is not None and found.series is not None and found.has_quotes
    ratio, action = row.get("ratio") or 0, row.get("action")
    if found is None or not good or action not in signs or ratio < 1:
        return None
    return Leg(instrument=found, ratio=ratio, sign=signs[action])


def combo_tick(legs: Sequence[Leg], ticks: Sequence[Tick]) -> Tick:
    """Return the tick of a combo: what it costs to buy is what its legs do, each on its side of the market."""
    pairs = list(zip(legs, ticks, strict=True))
    first = ticks[0]
    return Tick(
        at=first.at,
        last=_sum(leg.weight * tick.last for leg, tick in pairs),
        last_size=0,
        traded=False,
        bid=_sum(leg.weight * (tick.bid if leg.sign > 0 else tick.ask) for leg, tick in pairs),
        ask=_sum(leg.weight * (tick.ask if leg.sign > 0 else tick.bid) for leg, tick in pairs),
        bid_size=min((tick.bid_size if leg.sign > 0 else tick.ask_size) // leg.ratio for leg, tick in pairs),
        ask_size=min((tick.ask_size if leg.sign > 0 else tick.bid_size) // leg.ratio for leg, tick in pairs),
        day=_day([leg.weight for leg in legs], [tick.day for tick in ticks]),
    )


def _day(weights: Sequence[int], days: Sequence[Bar]) -> Bar:
    """Return a combo's day, whose reach is between its opening and its price now: more is not known of it."""
    opened = _sum(weight * day.open for weight, day in zip(weights, days, strict=True))
    now = _sum(weight * day.close for weight, day in zip(weights, days, strict=True))
    prices = {"open": opened, "high": max(opened, now), "low": min(opened, now), "close": now}
    return msgspec.structs.replace(days[0], **prices, volume=0, wap=now, count=0)


def _sum(amounts: Iterable[float]) -> float:
    return round(sum(amounts), 6)
