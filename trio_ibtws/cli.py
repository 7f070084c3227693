"""The command line, ``trio-ibtws``: what can be typed, and how it fails. The commands are in ``_cli``.

A command is imported when it is run, so that those that need nothing work where rich, or even ibapi, is not installed.
Errors that can be expected are one line on stderr.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn

import anyio

from ._cli._errors import FAILED, INTERRUPTED, MISUSED, CommandError, require_rich
from ._cli._options import CONTRACT_HELP, add_backend, add_contract, add_json, add_server, add_stream, positive, seconds
from ._cli._settings import Settings, find_settings, free_port
from ._runtime._installed import require_one_ibapi
from .errors import IBError, InternalError

__all__ = ["main"]

_MORE = """\
Every command's --help has examples. Most can be tried with --simulate. Host,
port and client id may also stand in TRIO_IBTWS_HOST, TRIO_IBTWS_PORT and
TRIO_IBTWS_CLIENT_ID, or in a configuration file.

exit codes:
  0    done
  1    what was tried failed: no such contract, no connection, refused by TWS
  2    not understood, or something that it needs is not installed
  130  Ctrl-C
"""


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors take one line, and whose epilogs keep theirs."""

    def __init__(self, *, epilog: str | None = None, **options: object) -> None:
        super().__init__(epilog=epilog, formatter_class=_Formatter, **options)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        self.exit(MISUSED, f"{self.prog}: {message} (`{self.prog} --help` shows what can be given)\n")


class _Formatter(argparse.HelpFormatter):
    """Text of several lines keeps them; and there is room for the longest option."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        if isinstance(action, argparse._SubParsersAction):
            self._action_max_length += self._indent_increment  # which argparse forgets

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)


_UNWRITABLE = {errno.ENOSPC, errno.EIO, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""What a full disk says. Of files that a command was given, the command itself says which it was."""

_Commands = argparse._SubParsersAction  # what add_subparsers returns has no public name


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
        return INTERRUPTED
    except BrokenPipeError:
        _give_up_stdout()  # whoever read our output has gone
        return FAILED
    except InternalError:
        raise  # a bug of ours: its traceback is wanted
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == __package__:
            raise
        return _fail(error)
    except (CommandError, IBError, ImportError) as error:
        return _fail(error)
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        _give_up_stdout()
        return _fail(CommandError(f"cannot write the output ({error.strerror}); send it elsewhere"))


def _give_up_stdout() -> None:
    """Let Python not complain again when it flushes stdout at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(error: Exception) -> int:
    from ._cli._words import one_line

    print(f"trio-ibtws: {one_line(error)}", file=sys.stderr)
    if isinstance(error, CommandError):
        return error.code
    return MISUSED if isinstance(error, ImportError) else FAILED


# --- what can be typed -------------------------------------------------------------------------------------------


def _parser() -> _Parser:
    about = "Interactive Brokers' TWS API from the command line: data of a TWS, of IB Gateway, or of the simulator."
    parser = _Parser(prog="trio-ibtws", description=about, epilog=_MORE)
    parser.add_argument("--version", action="version", version=f"trio-ibtws {_version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_demo(commands)
    _add_doctor(commands)
    _add_simulate(commands)
    _add_contract(commands)
    _add_bars(commands)
    _add_ticks(commands)
    _add_book(commands)
    _add_positions(commands)
    _add_orders(commands)
    _add_account(commands)
    _add_scan(commands)
    _add_serve(commands)
    _add_completion(commands)
    return parser


def _version() -> str:
    try:
        return version("trio-ibtws")
    except PackageNotFoundError:
        return "of a checkout that is not installed"


def _command(
    commands: _Commands[_Parser], name: str, about: str, *examples: str, words: str = "", more: str = ""
) -> _Parser:
    """Add a command, of which *words* come before the options; *examples* are run as they stand in the tests."""
    shown = "\n".join(["examples:", *(f"  trio-ibtws {name} {example}".rstrip() for example in examples)])
    epilog = "\n".join(part for part in (more, shown if examples else "") if part) or None
    usage = " ".join(word for word in ("trio-ibtws", name, words, "[options]") if word)
    description = f"{about[0].upper()}{about[1:]}."
    return commands.add_parser(name, help=about.partition(";")[0], description=description, epilog=epilog, usage=usage)


def _add_demo(commands: _Commands[_Parser]) -> None:
    about = "show what the library does, on the simulator; with --host or --port, the read-only part on your TWS"
    demo = _command(commands, "demo", about, "", "--symbol IBM --backend asyncio", "--port 7497")
    demo.add_argument("--symbol", default="AAPL", help="the US stock to look at (AAPL)")
    demo.add_argument("--seconds", type=seconds(3600), default=8.0, help="how long to watch live ticks (8)")
    add_server(demo)
    demo.set_defaults(run=_demo)


def _add_doctor(commands: _Commands[_Parser]) -> None:
    about = "say what is installed and what it covers; with --host or --port, what the server there says"
    doctor = _command(commands, "doctor", about, "", "--port 7497", "--simulate")
    add_server(doctor)
    doctor.set_defaults(run=_doctor)


def _add_simulate(commands: _Commands[_Parser]) -> None:
    about = "run the TWS simulator until Ctrl-C, for any client of the TWS API"
    simulate = _command(commands, "simulate", about, "--port 7497", "--port 0 --seed 3 --server-version 176")
    simulate.add_argument("--port", type=free_port, required=True, help="the TCP port to listen on; 0 takes a free one")
    simulate.add_argument("--seed", type=int, default=0, help="the same seed gives the same prices (0)")
    simulate.add_argument(
        "--server-version", type=int, metavar="N", help="speak only this version (what the client asks)"
    )
    simulate.add_argument("--scenario", metavar="FILE", help="a TOML file: the account, the limits, what goes wrong")
    add_backend(simulate)
    simulate.set_defaults(run=_simulate)


def _add_contract(commands: _Commands[_Parser]) -> None:
    about = "look contracts up: every one that fits, or all about the only one"
    examples = (
        "AAPL --simulate",
        "ES.FUT@CME --simulate",
        "--search micro --simulate",
        "AAPL.OPT --right C --simulate --json",
    )
    contract = _command(commands, "contract", about, *examples, words="CONTRACT", more=CONTRACT_HELP)
    add_contract(contract)
    contract.add_argument("--search", metavar="TEXT", help="find stocks by the beginning of their symbol or name")
    add_json(contract, "every field of every contract as one JSON document")
    add_server(contract)
    contract.set_defaults(run=_tws("contract"))


def _add_bars(commands: _Commands[_Parser]) -> None:
    about = "draw historical bars as a chart, or write them as CSV or JSON"
    examples = ("AAPL --simulate", "EUR.USD --duration 1D --bar 5m --simulate", "AAPL --csv - --simulate")
    bars = _command(commands, "bars", about, *examples, words="CONTRACT", more=CONTRACT_HELP)
    add_contract(bars)
    asked = bars.add_argument_group("bars")
    asked.add_argument("--duration", default="1 Y", help="how far back, as 5D, 2W, 6M, 1Y or 3600S (1Y)")
    asked.add_argument("--bar", default="1 day", metavar="SIZE", help="5s, 1m, 15m, 1h, '1 day', '1 week', ... (1 day)")
    asked.add_argument("--what", type=str.upper, help="TRADES, MIDPOINT, BID, ASK, ... (MIDPOINT for currencies)")
    asked.add_argument("--end", default="", metavar="TIME", help="where they end, as 2026-11-20T16:00-05:00 (now)")
    asked.add_argument("--all-hours", action="store_true", help="outside regular trading hours too")
    output = bars.add_mutually_exclusive_group()
    output.add_argument("--csv", metavar="FILE", help="write CSV into a file, - for stdout")
    add_json(output)
    add_server(bars)
    bars.set_defaults(run=_tws("bars", drawn_unless="csv"))


def _add_ticks(commands: _Commands[_Parser]) -> None:
    about = "watch live quotes until Ctrl-C"
    examples = ("AAPL --simulate --seconds 10", "AAPL --every Last --count 5 --simulate --json")
    ticks = _command(commands, "ticks", about, *examples, words="CONTRACT", more=CONTRACT_HELP)
    add_contract(ticks)
    asked = ticks.add_argument_group("ticks")
    asked.add_argument("--every", choices=("Last", "AllLast", "BidAsk", "MidPoint"), help="each tick of this kind")
    asked.add_argument("--generic", default="", metavar="LIST", help="numbers of further ticks, as 233,236")
    asked.add_argument(
        "--data",
        choices=("live", "frozen", "delayed", "delayed-frozen"),
        default="delayed",
        help="the data to ask for; delayed is live where the account has that (delayed)",
    )
    add_stream(ticks)
    add_json(ticks, "one JSON object a line")
    add_server(ticks)
    ticks.set_defaults(run=_tws("ticks"))


def _add_book(commands: _Commands[_Parser]) -> None:
    about = "watch the order book until Ctrl-C"
    examples = ("AAPL@NASDAQ --simulate --seconds 5", "AAPL --smart --rows 5 --simulate --count 100")
    book = _command(commands, "book", about, *examples, words="CONTRACT", more=CONTRACT_HELP)
    add_contract(book)
    asked = book.add_argument_group("book")
    asked.add_argument("--rows", type=_rows(20), default=10, metavar="N", help="levels on each side (10)")
    asked.add_argument("--smart", action="store_true", help="of all exchanges together")
    add_stream(book)
    add_json(book, "one JSON object a line")
    add_server(book)
    book.set_defaults(run=_tws("book"))


def _add_positions(commands: _Commands[_Parser]) -> None:
    positions = _command(commands, "positions", "list the positions of every account", "--simulate", "--json")
    positions.add_argument("--account", help="of this account only")
    add_json(positions)
    add_server(positions)
    positions.set_defaults(run=_tws("positions"))


def _add_orders(commands: _Commands[_Parser]) -> None:
    about = "list the open orders of all clients, or those that are done, or executions; it changes none"
    orders = _command(commands, "orders", about, "--simulate", "--completed --simulate", "--executions --json")
    which = orders.add_mutually_exclusive_group()
    which.add_argument("--mine", action="store_true", help="the open orders of this client id only")
    which.add_argument("--completed", action="store_true", help="today's orders that are filled, cancelled or done")
    which.add_argument("--executions", action="store_true", help="today's executions, with what they cost")
    add_json(orders)
    add_server(orders)
    orders.set_defaults(run=_tws("orders"))


def _add_account(commands: _Commands[_Parser]) -> None:
    about = "show cash, margins and the like of every account"
    account = _command(commands, "account", about, "--simulate", "--tags NetLiquidation,BuyingPower --json --simulate")
    account.add_argument("--group", default="All", help="an advisor's group of accounts (All)")
    account.add_argument("--account", help="this account only")
    account.add_argument("--tags", metavar="LIST", help="the values to show, as NetLiquidation,BuyingPower")
    add_json(account)
    add_server(account)
    account.set_defaults(run=_tws("account"))


def _add_scan(commands: _Commands[_Parser]) -> None:
    about = "run a market scanner once"
    examples = ("TOP_PERC_GAIN --simulate", "MOST_ACTIVE --above-price 20 --rows 3 --simulate", "--codes --simulate")
    scan = _command(commands, "scan", about, *examples, words="CODE")
    scan.add_argument("scan_code", nargs="?", metavar="CODE", type=str.upper, help="as TOP_PERC_GAIN or MOST_ACTIVE")
    scan.add_argument("--codes", action="store_true", help="list the codes that this TWS has")
    scan.add_argument("--instrument", default="STK", help="what to scan (STK)")
    scan.add_argument("--location", default="STK.US.MAJOR", help="where (STK.US.MAJOR)")
    scan.add_argument("--rows", type=_rows(50), default=20, metavar="N", help="at most so many (20)")
    scan.add_argument("--above-price", type=positive, metavar="PRICE", help="dearer only")
    scan.add_argument("--below-price", type=positive, metavar="PRICE", help="cheaper only")
    scan.add_argument("--above-volume", type=positive, metavar="N", help="more traded only")
    add_json(scan)
    add_server(scan)
    scan.set_defaults(run=_tws("scan"))


def _add_serve(commands: _Commands[_Parser]) -> None:
    about = "serve TWS as GraphQL, with a web page, until Ctrl-C"
    serve = _command(commands, "serve", about, "--simulate", "--port 4002 --client-id 7 --bind 127.0.0.1:8080")
    where = serve.add_argument_group("service")
    where.add_argument("--bind", metavar="HOST:PORT", default="127.0.0.1:8000", help="where (127.0.0.1:8000)")
    workers = ("trio", "asyncio")
    where.add_argument("--worker", dest="backend", choices=workers, help="Hypercorn's worker: the same as --backend")
    where.add_argument("--token", help="what clients must bring; better given as TRIO_IBTWS_TOKEN, made if neither is")
    where.add_argument(
        "--trade-token",
        metavar="TOKEN",
        help="what they must bring to trade, so that --token only reads; or TRIO_IBTWS_TRADE_TOKEN",
    )
    where.add_argument("--enable-trading", action="store_true", help="serve what changes orders or costs money too")
    where.add_argument("--audit", metavar="FILE", help="where mutations are written down (stderr)")
    where.add_argument(
        "--query-seconds", type=seconds(3600), default=20.0, metavar="N", help="the time of a query (20)"
    )
    where.add_argument("--no-introspection", action="store_true", help="do not let clients read the schema")
    where.add_argument("--cors", metavar="ORIGIN", action="append", default=[], help="whose pages may ask; repeatable")
    where.add_argument(
        "--allow-host", metavar="NAME", action="append", default=[], help="a further name of the service"
    )
    where.add_argument("--certfile", metavar="FILE", help="the certificate for TLS (PEM)")
    where.add_argument("--keyfile", metavar="FILE", help="its key (PEM, mode 600)")
    where.add_argument("--allow-remote", action="store_true", help="be reachable from other machines; takes TLS")
    add_server(serve)
    serve.set_defaults(run=_serve, backend="trio")


def _add_completion(commands: _Commands[_Parser]) -> None:
    about = "print what makes a shell complete these commands"
    examples = ("bash > completion.bash", "fish | source")
    completion = _command(commands, "completion", about, *examples, words="{bash,zsh,fish}")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    completion.set_defaults(run=_completion)


def _rows(most: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not (text.isdecimal() and 0 < int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!r} is no number of rows from 1 to {most}")
        return int(text)

    return convert


# --- the commands ------------------------------------------------------------------------------------------------


def _tws(name: str, *, drawn_unless: str = "json") -> Callable[[argparse.Namespace], int]:
    """Return what runs the command in the module ``_cli._name`` on a client."""

    def run(arguments: argparse.Namespace) -> int:
        require_one_ibapi()
        if not (arguments.json or getattr(arguments, drawn_unless)):
            require_rich()
        from ._cli._run import run_on_client

        return run_on_client(name, arguments)

    return run


def _address(arguments: argparse.Namespace) -> tuple[Settings, bool]:
    """Return where to connect to, and whether a flag asks for that."""
    return find_settings(arguments), arguments.host is not None or arguments.port is not None


def _demo(arguments: argparse.Namespace) -> int:
    require_one_ibapi()
    require_rich()
    from ._cli._demo import Target, demo

    settings, given = _address(arguments)
    host = settings.host.value if given and not arguments.simulate else None
    target = Target(
        host, settings.port.value, settings.client_id.value, arguments.symbol.upper(), arguments.seconds, arguments.seed
    )
    anyio.run(demo, target, backend=arguments.backend)
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from ._cli._doctor import doctor

    settings, given = _address(arguments)
    anyio.run(doctor, settings, given, arguments.seed if arguments.simulate else None, backend=arguments.backend)
    return 0


def _simulate(arguments: argparse.Namespace) -> int:
    require_one_ibapi()
    from ._cli._simulate import simulate

    given = (arguments.port, arguments.seed, arguments.server_version, arguments.scenario)
    anyio.run(simulate, *given, backend=arguments.backend)
    return 0


def _serve(arguments: argparse.Namespace) -> int:
    require_one_ibapi()
    from ._cli._serve import options, run

    return run(options(arguments), arguments.backend)


def _completion(arguments: argparse.Namespace) -> int:
    from ._cli._completion import script

    print(script(_parser(), arguments.shell))
    return 0
