"""``trio-ibtws serve``: TWS as a GraphQL service, until Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import NamedTuple

import anyio
from anyio.abc import TaskStatus

from .._client import Client, open_client
from ..errors import ConnectRefused, ConnectTimeout
from ..simulator import open_simulator
from ._errors import MISUSED, CommandError
from ._settings import find_settings
from ._words import one_line

__all__ = ["Options", "options", "run"]

TOKEN_VARIABLE = "TRIO_IBTWS_TOKEN"
TRADE_TOKEN_VARIABLE = "TRIO_IBTWS_TRADE_TOKEN"

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0


class Options(NamedTuple):
    """What is served, where, to whom. The simulator is served if there is a *seed* for it."""

    host: str
    port: int
    client_id: int
    seed: int | None
    bind: str
    token: str | None
    trade_token: str | None
    trading: bool
    audit: str | None
    cors: tuple[str, ...]
    hosts: tuple[str, ...]
    introspection: bool
    certfile: str | None
    keyfile: str | None
    allow_remote: bool
    query_seconds: float


def options(arguments: argparse.Namespace) -> Options:
    """Return what was asked for, on the command line or in the environment.

    Raises:
      CommandError: a setting of the connection is wrong.
    """
    settings = find_settings(arguments)
    return Options(
        host=settings.host.value,
        port=settings.port.value,
        client_id=settings.client_id.value,
        seed=arguments.seed if arguments.simulate else None,
        bind=arguments.bind,
        token=arguments.token or os.environ.get(TOKEN_VARIABLE) or None,
        trade_token=arguments.trade_token or os.environ.get(TRADE_TOKEN_VARIABLE) or None,
        trading=arguments.enable_trading,
        audit=arguments.audit,
        cors=tuple(arguments.cors),
        hosts=tuple(arguments.allow_host),
        introspection=not arguments.no_introspection,
        certfile=arguments.certfile,
        keyfile=arguments.keyfile,
        allow_remote=arguments.allow_remote,
        query_seconds=arguments.query_seconds,
    )


def run(given: Options, backend: str) -> int:
    """Serve until SIGINT or SIGTERM and return the exit code.

    Raises:
      ImportError: a package that the service needs is missing.
      CommandError: it cannot be served like this.
      IBError: there is no connection to TWS, or it was lost.
    """
    from .. import graphql  # noqa: F401 - what it needs may be missing, which is said before anything is tried

    _check(given)
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    logging.getLogger("trio_ibtws.audit").setLevel(logging.INFO)
    anyio.run(_serve, given, backend=backend)
    return 0


def _check(given: Options) -> None:
    from ..graphql._auth import check_origin_name, check_token
    from ..graphql._serve import check_exposure, parse_bind

    try:
        host, _ = parse_bind(given.bind)
        check_exposure(host, given.certfile, given.keyfile, allow_remote=given.allow_remote)
        for token in (given.token, given.trade_token):
            if token is not None:
                check_token(token)
        if given.trade_token is not None and given.trade_token == given.token:
            raise ValueError("the token for trading is the same as the other one: leave it out, or take another")
        for origin in given.cors:
            check_origin_name(origin)
    except ValueError as failure:
        raise CommandError(str(failure), code=MISUSED) from failure
    except OSError as failure:
        raise CommandError(f"cannot read {failure.filename} ({failure.strerror})") from failure


async def _serve(given: Options) -> None:
    """Serve until a signal comes. What fails is raised as it is, outside of the group."""
    failure: Exception | None = None
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_stop, signals, tasks.cancel_scope)
            try:
                await _connect_and_serve(given)
            except Exception as exc:  # noqa: BLE001 - kept out of the group, raised below
                failure = exc
            tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
    print("stopped", flush=True)


async def _stop(signals: AsyncIterator[signal.Signals], scope: anyio.CancelScope) -> None:
    await anext(signals)
    scope.cancel()


async def _connect_and_serve(given: Options) -> None:
    from ..graphql import AuditLog, Limits, serve

    token = given.token or secrets.token_urlsafe(32)
    async with AsyncExitStack() as stack:
        client = await _connected(given, stack)
        # The simulator's orders end with it: a journal of them would be asked after in vain the next time.
        is_play = given.seed is not None and given.trading
        book = await stack.enter_async_context(client.orders(journal=False)) if is_play else None
        audit = AuditLog(given.audit)
        stack.callback(audit.close)
        try:
            await serve(
                client,
                token=token,
                trade_token=given.trade_token,
                bind=given.bind,
                trading=given.trading,
                limits=Limits(operation_seconds=given.query_seconds),
                cors=given.cors,
                hosts=given.hosts,
                introspection=given.introspection,
                certfile=given.certfile,
                keyfile=given.keyfile,
                allow_remote=given.allow_remote,
                book=book,
                audit=audit,
                task_status=_Announcement(given, token),
            )
        except OSError as failure:
            raise CommandError(f"cannot serve at {given.bind} ({failure.strerror or failure})") from failure


class _Announcement(TaskStatus[str]):
    """Says where the service is, once it is there."""

    def __init__(self, given: Options, token: str) -> None:
        self._given, self._token = given, token

    def started(self, value: str | None = None) -> None:
        given = self._given
        source = "the simulator" if given.seed is not None else f"{given.host}:{given.port}, client {given.client_id}"
        print(f"GraphQL at {value}/graphql for {source}, trading {'on' if given.trading else 'off'}. Ctrl-C stops it.")
        if given.token is None:  # what follows # stays in the browser
            print(f"page   {value}/#token={self._token}\ntoken  {self._token}")
        else:
            print(f"page   {value}/")
        sys.stdout.flush()


async def _connected(given: Options, stack: AsyncExitStack) -> Client:
    """Return a client; a TWS that is not there yet is waited for."""
    number, trading = given.client_id, given.trading
    if given.seed is not None:
        sim = await stack.enter_async_context(open_simulator(port=None, seed=given.seed))
        session = open_client(stream=await sim.connect(), client_id=number, trading=trading)
        return await stack.enter_async_context(session)
    pause = _FIRST_PAUSE
    while True:
        session = open_client(given.host, given.port, client_id=number, trading=trading)
        try:
            return await stack.enter_async_context(session)
        except (ConnectRefused, ConnectTimeout) as failure:
            print(f"trio-ibtws: {one_line(failure)}; trying again in {pause:g} s", file=sys.stderr, flush=True)
        await anyio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
