"""The command line, ``trio-ibtws``: what can be typed, and how it fails. The commands are in ``_cli``.

A command is imported when it is run, so that ``simulate`` and ``doctor`` work without the package that ``demo`` draws
with. Errors that can be expected are one line on stderr.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn

import anyio

from ._cli._errors import FAILED, MISUSED, CommandError, require_rich
from .errors import IBError, InternalError

__all__ = ["main"]

_ABOUT = "Interactive Brokers' TWS API from Trio: see it work, check an installation, run the simulator."
_PORT = 7497
_CLIENT_ID = 0
_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors take one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISUSED, f"{self.prog}: {message} (`{self.prog} --help` shows what can be given)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in *argv* (default: that of the process) and return its exit code.

    0: done. 1: what was tried failed. 2: the command was not understood, or it needs something that is not installed.
    130: Ctrl-C.
    """
    arguments = _parser().parse_args(argv)
    try:
        run: Callable[[argparse.Namespace], int] = arguments.run
        return run(arguments)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone. Python would complain again when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except InternalError:
        raise  # a bug of ours: its traceback is wanted
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == __package__:
            raise
        return _fail(error)
    except (CommandError, IBError, ImportError) as error:
        return _fail(error)


def _fail(error: Exception) -> int:
    from ._cli._words import one_line

    print(f"trio-ibtws: {one_line(error)}", file=sys.stderr)
    if isinstance(error, CommandError):
        return error.code
    return MISUSED if isinstance(error, ImportError) else FAILED


# --- what can be typed -------------------------------------------------------------------------------------------


def _parser() -> _Parser:
    parser = _Parser(
        prog="trio-ibtws", description="Interactive Brokers' TWS API from Trio: try it, check it, fake it."
    )
    parser.add_argument("--version", action="version", version=f"trio-ibtws {_version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_demo(commands)
    _add_doctor(commands)
    _add_simulate(commands)
    return parser


def _version() -> str:
    try:
        return version("trio-ibtws")
    except PackageNotFoundError:
        return "of a checkout that is not installed"


def _add_demo(commands: argparse._SubParsersAction[_Parser]) -> None:
    about = "show what the library does, on the simulator; with --host or --port, the read-only part on your TWS"
    demo = commands.add_parser("demo", help=about, description=_sentence(about))
    _add_server(demo)
    demo.add_argument("--backend", choices=("trio", "asyncio"), default="trio", help="the event loop (trio)")
    demo.add_argument("--symbol", default="AAPL", help="the US stock to look at (AAPL)")
    demo.add_argument("--seconds", type=_seconds, default=8.0, help="how long to watch live ticks (8)")
    demo.set_defaults(run=_demo)


def _add_doctor(commands: argparse._SubParsersAction[_Parser]) -> None:
    about = "say what is installed and what it covers; with --host or --port, what the server there says"
    doctor = commands.add_parser("doctor", help=about, description=_sentence(about))
    _add_server(doctor)
    doctor.set_defaults(run=_doctor)


def _add_simulate(commands: argparse._SubParsersAction[_Parser]) -> None:
    about = "run the TWS simulator until Ctrl-C, for any client of the TWS API"
    simulate = commands.add_parser("simulate", help=about, description=_sentence(about))
    simulate.add_argument("--port", type=_port, required=True, help="the TCP port to listen on; 0 takes a free one")
    simulate.add_argument("--seed", type=int, default=0, help="the same seed gives the same prices (0)")
    simulate.add_argument(
        "--server-version", type=int, metavar="N", help="speak only this version (what the client asks)"
    )
    simulate.add_argument("--scenario", metavar="FILE", help="a TOML file: the account, the limits, what goes wrong")
    simulate.set_defaults(run=_simulate)


def _add_server(command: argparse.ArgumentParser) -> None:
    command.add_argument("--host", help="where TWS or IB Gateway runs (127.0.0.1 if --port is given)")
    command.add_argument("--port", type=_port, help=f"its API port ({_PORT} if --host is given)")
    command.add_argument(
        "--client-id", type=int, metavar="N", default=_CLIENT_ID, help=f"the API client id ({_CLIENT_ID})"
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 1 << 16):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds between 0 and 3600")
    return seconds


def _server(arguments: argparse.Namespace) -> tuple[str | None, int]:
    """Return host and port; no host if neither was given."""
    if arguments.host is None and arguments.port is None:
        return None, _PORT
    return arguments.host or "127.0.0.1", _PORT if arguments.port is None else arguments.port


# --- the commands ------------------------------------------------------------------------------------------------


def _demo(arguments: argparse.Namespace) -> int:
    require_rich()
    from ._cli._demo import Target, demo

    host, port = _server(arguments)
    target = Target(host, port, arguments.client_id, arguments.symbol.upper(), arguments.seconds)
    anyio.run(demo, target, backend=arguments.backend)
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from ._cli._doctor import doctor

    anyio.run(doctor, *_server(arguments), arguments.client_id, backend="trio")
    return 0


def _simulate(arguments: argparse.Namespace) -> int:
    from ._cli._simulate import simulate

    anyio.run(simulate, arguments.port, arguments.seed, arguments.server_version, arguments.scenario, backend="trio")
    return 0
