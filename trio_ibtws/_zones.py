"""Time zones under the names that TWS has for them.

TWS names zones as Java does, and has changed how: ``EST (Eastern Standard Time)``, ``Eastern Standard Time``,
``US/Eastern``. Old IANA names are translated too, for systems that no longer install them. What is looked up in the end
are the current IANA names of Python's ``zoneinfo``.
"""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["find_zone", "has_database"]

_NAMES = {
    "America/New_York": "US/Eastern EST EDT EST5EDT|Eastern Standard Time|Eastern Daylight Time|Eastern Time",
    "America/Indiana/Indianapolis": "US/East-Indiana|US Eastern Standard Time",
    "America/Chicago": "US/Central CST CDT CST6CDT|Central Standard Time|Central Daylight Time|Central Time",
    "America/Denver": "US/Mountain MST MDT MST7MDT|Mountain Standard Time|Mountain Daylight Time|Mountain Time",
    "America/Los_Angeles": "US/Pacific PST PDT PST8PDT|Pacific Standard Time|Pacific Daylight Time|Pacific Time",
    "America/Anchorage": "US/Alaska|Alaska Standard Time|Alaska Daylight Time|Alaskan Standard Time",
    "America/Phoenix": "US/Arizona|US Mountain Standard Time",
    "Pacific/Honolulu": "US/Hawaii HST|Hawaii Standard Time|Hawaii-Aleutian Standard Time|Hawaiian Standard Time",
    "America/Toronto": "Canada/Eastern",
    "America/Winnipeg": "Canada/Central",
    "America/Edmonton": "Canada/Mountain",
    "America/Vancouver": "Canada/Pacific",
    "America/Regina": "Canada/Saskatchewan|Canada Central Standard Time",
    "America/Halifax": "Canada/Atlantic|Atlantic Standard Time|Atlantic Daylight Time",
    "America/St_Johns": "Canada/Newfoundland|Newfoundland Standard Time|Newfoundland Daylight Time",
    "America/Mexico_City": "Mexico/General|Central Standard Time (Mexico)",
    "America/Bogota": "|SA Pacific Standard Time|Colombia Time",
    "America/Santiago": "Chile/Continental|Chile Time|Pacific SA Standard Time",
    "America/Sao_Paulo": "Brazil/East BRT|Brasilia Time|Brasilia Standard Time|E. South America Standard Time",
    "America/Argentina/Buenos_Aires": "America/Buenos_Aires|Argentine Time|Argentina Standard Time",
    "Europe/London": "GB GB-Eire BST|GMT Standard Time|British Summer Time",
    "Europe/Dublin": "Eire|Irish Standard Time",
    "Europe/Lisbon": (
        "Portugal WET WEST|Western European Time|Western European Standard Time|Western European Summer Time"
    ),
    "Europe/Brussels": (
        "CET CEST MET MEST|Central European Standard Time|Central European Summer Time|Central European Time|"
        "Middle Europe Time|Middle Europe Summer Time|Romance Standard Time|Central Europe Standard Time"
    ),
    "Europe/Berlin": "|W. Europe Standard Time",
    "Europe/Warsaw": "Poland",
    "Europe/Athens": "EET EEST|Eastern European Time|Eastern European Standard Time|Eastern European Summer Time",
    "Europe/Helsinki": "|FLE Standard Time",
    "Europe/Bucharest": "|GTB Standard Time",
    "Europe/Kyiv": "Europe/Kiev",
    "Europe/Moscow": "W-SU MSK|Moscow Standard Time|Russian Standard Time",
    "Europe/Istanbul": "Turkey TRT|Turkey Time|Turkey Standard Time",
    "Asia/Dubai": "|Gulf Standard Time|Arabian Standard Time",
    "Asia/Riyadh": "|Arab Standard Time",
    "Asia/Bangkok": "|Indochina Time|SE Asia Standard Time",
    "Asia/Manila": "|Philippines Standard Time|Philippine Standard Time",
    "Asia/Kuala_Lumpur": "|Malaysia Time",
    "Asia/Jerusalem": "Israel Asia/Tel_Aviv|Israel Standard Time|Israel Daylight Time",
    "Asia/Kolkata": "Asia/Calcutta|India Standard Time",
    "Asia/Ho_Chi_Minh": "Asia/Saigon",
    "Asia/Hong_Kong": "Hongkong HKT|Hong Kong Time|Hong Kong Standard Time",
    "Asia/Shanghai": "PRC|China Standard Time|\u4e2d\u56fd\u6807\u51c6\u65f6\u95f4",
    "Asia/Taipei": "ROC|Taipei Standard Time",
    "Asia/Singapore": "Singapore SGT|Singapore Time|Singapore Standard Time",
    "Asia/Seoul": "ROK KST|Korea Standard Time|Korean Standard Time",
    "Asia/Tokyo": "Japan JST|Japan Standard Time|Tokyo Standard Time",
    "Australia/Sydney": (
        "Australia/NSW Australia/ACT Australia/Canberra AEST AEDT|AUS Eastern Standard Time|"
        "Australian Eastern Standard Time|Australian Eastern Standard Time (New South Wales)|Australian Eastern Time|"
        "Australian Eastern Daylight Time|"
        "Australian Eastern Daylight Time (New South Wales)"
    ),
    "Australia/Brisbane": "Australia/Queensland|E. Australia Standard Time",
    "Australia/Darwin": "Australia/North|AUS Central Standard Time",
    "Australia/Perth": "Australia/West AWST|W. Australia Standard Time|Australian Western Standard Time",
    "Pacific/Auckland": "NZ NZST NZDT|New Zealand Standard Time|New Zealand Daylight Time",
    "Africa/Johannesburg": "SAST|South Africa Standard Time|South African Standard Time",
}
"""The current name: the others, those of one word before the first bar."""

_UTC = ("UTC", "Z", "GMT", "UCT", "Etc/UTC", "Etc/GMT", "Greenwich Mean Time", "Coordinated Universal Time")
_AMBIGUOUS = frozenset({"IST", "AST", "ADT", "AMT", "GST", "SST"})
"""Abbreviations of several zones that TWS knows, none of which is meant more often than the others."""

_OFFSET = re.compile(r"(?:GMT|UTC)([+-])(\d{1,2})(?::?(\d\d))?")
_ABBREVIATED = re.compile(r"([A-Z]+) ?\((.+)\)")


def _aliases() -> dict[str, str]:
    found: dict[str, str] = {}
    for current, others in _NAMES.items():
        words, *phrases = others.split("|")
        found |= dict.fromkeys([*words.split(), *phrases], current)
    return found


_ALIASES = MappingProxyType(_aliases())


@lru_cache(maxsize=256)
def find_zone(name: str) -> tzinfo | None:
    """Return the zone that TWS calls *name*, or ``None``: it is unknown, or this machine has no data about it.

    ``GMT`` has no summer time here, as in IB's own names; London is ``GMT Standard Time`` or ``Europe/London``.
    """
    name = " ".join(name.split())
    if name in _UTC:
        return UTC
    if name in _ALIASES:
        return _of_database(_ALIASES[name])
    if match := _OFFSET.fullmatch(name):
        return _fixed(match[1], int(match[2]), int(match[3] or 0))
    if match := _ABBREVIATED.fullmatch(name):
        return find_zone(match[2]) or find_zone(match[1])
    return None if name in _AMBIGUOUS else _of_database(name)


def _of_database(key: str) -> tzinfo | None:
    try:
        return ZoneInfo(key)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # no such name; none that could be one; a folder of names
        return None


def _fixed(sign: str, hours: int, minutes: int) -> tzinfo | None:
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if sign == "-" else offset) if offset < timedelta(days=1) and minutes < 60 else None


def has_database() -> bool:
    """Return whether Python finds a time zone database here: Windows has none, nor have some containers."""
    return _of_database("America/New_York") is not None
