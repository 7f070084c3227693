"""A seeded walk through the open, high, low and close of a bar.

The same function makes a day of minutes and a minute of ticks, so that bars of every size and the ticks in them tell
one story: the highest tick of a day is the day's high.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random

__all__ = ["spread_volume", "walk"]


def walk(random: Random, bar: tuple[float, float, float, float], steps: int) -> list[float]:
    """Return ``steps + 1`` prices that start at the open, end at the close, and touch the high and the low."""
    open_, high, low, close = bar
    if steps < 3:  # no room for both extremes
        return [open_ + (close - open_) * at / steps for at in range(steps + 1)]
    first, second = sorted(random.sample(range(1, steps), 2))
    up_first = random.random() < 0.5
    anchors = [
        (0, open_),
        (first, high if up_first else low),
        (second, low if up_first else high),
        (steps, close),
    ]
    prices = [open_]
    noise = (high - low) / steps**0.5
    for (start, _), (end, target) in pairwise(anchors):
        for at in range(start, end):
            left = end - at
            drift = (target - prices[-1]) / left
            jump = random.gauss(0.0, noise) * (1.0 - 1.0 / left)
            prices.append(target if left == 1 else min(max(prices[-1] + drift + jump, low), high))
    return prices


def spread_volume(random: Random, total: int, parts: int) -> list[int]:
    """Return *parts* numbers, none negative, whose sum is *total*: more at both ends, as on a real day."""
    middle = (parts - 1) / 2 or 1
    weights = [(1.0 + 2.0 * ((at - middle) / middle) ** 2) * (0.5 + random.random()) for at in range(parts)]
    whole = sum(weights)
    volumes, given, share = [], 0, 0.0
    for weight in weights:
        share += weight
        volumes.append(round(total * share / whole) - given)
        given += volumes[-1]
    return volumes
