"""Scripts of what goes wrong and when: text, one step a line, done one after the other on the simulated clock.

    # the connection dies between a fill and its report
    wait placeOrder
    die before execDetails reset
    wait 30
    lose link 60

A step is done at once, unless it is a ``wait``: for so many seconds, for the next message of a name (a request that has
come, and is not served yet, or an answer that was sent), or, as ``at 15:59``, for a time of the day in New York.
Everything after ``#`` is a remark. All lines are read before any is done.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any

import msgspec

from ._codec_answers import ANSWERS
from ._codec_requests import REQUESTS
from ._faults import Faults
from ._gateway import Gateway
from ._link import FARMS
from ._market_series import NEW_YORK

__all__ = ["ScriptError", "Step", "parse_script", "run_script"]

_MESSAGES = {*ANSWERS, *(name for name, _ in REQUESTS.values())}
_DEATHS = ("close", "reset", "half-open")
_STATES = ("ok", "broken", "inactive")


class ScriptError(ValueError):
    """A line of a script is no step."""

    def __init__(self, number: int, line: str, problem: str) -> None:
        super().__init__(f"line {number}, {line!r}: {problem}")
        self.number = number
        self.line = line


class Step(msgspec.Struct, frozen=True):
    """One line of a script: where it stands, what it does, and with what."""

    number: int
    verb: str
    arguments: tuple[Any, ...]
    where: dict[str, Any]


def _message(word: str) -> str:
    if word not in _MESSAGES:
        raise ValueError(f"no message is called {word!r}")
    return word


def _one_of(*words: str) -> Callable[[str], str]:
    def read(word: str) -> str:
        if word not in words:
            raise ValueError(f"{word!r} is none of {', '.join(words)}")
        return word.replace("-", "_")

    return read


def _seconds(word: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", word):
        raise ValueError(f"{word!r} is no number of seconds")
    return float(word)


def _price(word: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", word):
        raise ValueError(f"{word!r} is no price")
    return float(word)


def _number(word: str) -> int:
    if not re.fullmatch(r"\d{1,9}", word):
        raise ValueError(f"{word!r} is no number")
    return int(word)


def _until(word: str) -> float | str:
    return _seconds(word) if word[0].isdigit() else _message(word)


def _clock_time(word: str) -> time:
    try:
        return time.fromisoformat(word)
    except ValueError:
        raise ValueError(f"{word!r} is no time of the day") from None


Reader = Callable[[str], Any]
_farm = _one_of(*FARMS)
_death = _one_of(*_DEATHS)

_VERBS: dict[str, tuple[tuple[Reader, ...], int, frozenset[str]]] = {
    # the step: how its words are read, how many it needs, and which name=value words it may have ("*": any)
    "wait": ((_until,), 1, frozenset()),
    "at": ((_clock_time,), 1, frozenset()),
    **{verb: ((), 0, frozenset({"client"})) for verb in ("close", "reset", "half-open", "mute", "unmute", "resume")},
    **{verb: ((), 0, frozenset({"client"})) for verb in ("unknown", "garbage")},
    "stall": ((_seconds,), 0, frozenset({"client"})),
    "split": ((_number,), 0, frozenset({"client"})),
    "coalesce": ((_number,), 1, frozenset({"client"})),
    "oversize": ((_number,), 0, frozenset({"client"})),
    **{verb: ((_message, _number), 1, frozenset("*")) for verb in ("drop", "duplicate", "swap", "corrupt")},
    "truncate": ((_message,), 1, frozenset("*")),
    "die before": ((_message, _death), 1, frozenset("*")),
    "die after": ((_message, _death), 1, frozenset("*")),
    "lose link": ((_seconds,), 0, frozenset({"data", "quotes"})),
    "restore link": ((), 0, frozenset({"data"})),
    "farm": ((_farm, _one_of(*_STATES)), 2, frozenset()),
    "flap": ((_farm, _number, _seconds), 0, frozenset()),
    "roll back ids": ((_number,), 0, frozenset()),
    "correct": ((_price,), 1, frozenset({"client"})),
    "fork order": ((_number,), 0, frozenset()),
    "compete": ((_seconds,), 0, frozenset()),
    "yield data": ((), 0, frozenset()),
    "dialog": ((_seconds,), 0, frozenset()),
    "accept": ((), 0, frozenset()),
    "restart": ((_seconds,), 0, frozenset()),
    "change port": ((_number,), 1, frozenset()),
}


def parse_script(script: str) -> list[Step]:
    """Read a script.

    Raises:
      ScriptError: a line is no step.
    """
    steps = []
    for number, line in enumerate(script.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            steps.append(_step(number, words))
        except ValueError as problem:
            raise ScriptError(number, line.strip(), str(problem)) from None
    return steps


def _step(number: int, words: list[str]) -> Step:
    verb = next((verb for verb in _VERBS if words[: verb.count(" ") + 1] == verb.split()), None)
    if verb is None:
        raise ValueError(f"there is no step {words[0]!r}")
    readers, least, keys = _VERBS[verb]
    rest = words[verb.count(" ") + 1 :]
    plain = [word for word in rest if "=" not in word]
    if not least <= len(plain) <= len(readers):
        raise ValueError(f"{verb!r} takes {least} to {len(readers)} words, not {len(plain)}")
    where = dict(word.split("=", 1) for word in rest if "=" in word)
    for key in where:
        if "*" not in keys and key not in keys:
            raise ValueError(f"{verb!r} takes no {key}=")
    arguments = tuple(read(word) for read, word in zip(readers, plain, strict=False))
    return Step(number, verb, arguments, _options(where))


def _options(where: dict[str, str]) -> dict[str, Any]:
    """Return what name=value words mean to the methods of ``Faults``."""
    options: dict[str, Any] = dict(where)
    if "client" in options:
        options["client_id"] = _number(options.pop("client"))
    if "quotes" in options:
        options["quotes"] = _seconds(options["quotes"])
    if "data" in options:
        options["data_lost"] = _one_of("lost", "kept")(options.pop("data")) == "lost"
    return options


class _Run:
    """A script that is being done."""

    def __init__(self, steps: list[Step], gateway: Gateway, faults: Faults) -> None:
        self._steps = steps
        self._gateway = gateway
        self._faults = faults
        self._awaited = ""
        gateway.faults.watch(self._saw)

    def left(self) -> int:
        """Return how many steps are not done."""
        return len(self._steps)

    def go_on(self) -> None:
        """Do steps until one waits."""
        while self._steps and not self._wait(self._steps[0]):
            step = self._steps.pop(0)
            method = getattr(self._faults, step.verb.replace(" ", "_").replace("-", "_"))
            method(*step.arguments, **step.where)

    def _wait(self, step: Step) -> bool:
        clock = self._gateway.clock
        if step.verb == "at":
            clock.call_at(_next(step.arguments[0], clock.time()), self._waited)
        elif step.verb != "wait":
            return False
        elif isinstance(step.arguments[0], str):
            self._awaited = step.arguments[0]
        else:
            clock.call_at(clock.time() + step.arguments[0], self._waited)
        return True

    def _saw(self, name: str) -> None:
        if name == self._awaited:
            self._awaited = ""
            self._waited()

    def _waited(self) -> None:
        self._steps.pop(0)
        self.go_on()


def _next(at: time, now: float) -> float:
    today = datetime.fromtimestamp(now, NEW_YORK)
    moment = datetime.combine(today.date(), at, NEW_YORK)
    return (moment if moment >= today else moment + timedelta(days=1)).timestamp()


def run_script(script: str, gateway: Gateway, faults: Faults) -> Callable[[], int]:
    """Begin a script; return what says how many of its steps are left.

    Raises:
      ScriptError: a line is no step; nothing was begun.
    """
    run = _Run(parse_script(script), gateway, faults)
    gateway.clock.call_soon(partial(run.go_on))
    return run.left
