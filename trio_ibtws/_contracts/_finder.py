"""``ContractFinder``: what a client knows of contracts, asked of TWS once in a connection."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, overload

from ibapi.contract import Contract

from .._gen.requests import Requests
from ..contracts import Right
from ..errors import InvalidRequest, NoSuchContract
from ._cache import Cache, each
from ._chains import OptionChain, chain_of, descriptions, wanted_days, wanted_rights, wanted_strikes
from ._qualify import Ambiguous, Qualification, Qualified, UnknownContract, copied, judged, question
from ._rules import Direction, MarketRule, rule_ids

if TYPE_CHECKING:
    from ibapi.contract import ContractDetails

__all__ = ["ContractFinder"]


class ContractFinder(Requests):
    """The part of a client that finds contracts. What TWS answered is kept as long as the connection."""

    def __init__(self) -> None:
        self._details: Cache[tuple[ContractDetails, ...] | NoSuchContract] = Cache()
        self._rules: Cache[MarketRule] = Cache()
        self._chains: Cache[tuple[OptionChain, ...]] = Cache()

    # --- which contract is meant

    @overload
    async def qualify(self, contract: Contract, *, fresh: bool = False) -> Qualification: ...

    @overload
    async def qualify(self, contract: Iterable[Contract], *, fresh: bool = False) -> list[Qualification]: ...

    async def qualify(
        self, contract: Contract | Iterable[Contract], *, fresh: bool = False
    ) -> Qualification | list[Qualification]:
        """Say which contract a description means: ``Qualified``, ``Ambiguous`` or ``UnknownContract``.

        Given several descriptions it returns a list in their order, and asks for eight at a time. What is given is
        never changed. ``(await client.qualify(contract)).one()`` is for who expects one.

        TWS's answers are kept as long as the connection; *fresh* asks again: trading hours reach six days ahead.

        EClient.reqContractDetails. Cancelled means that nothing was found out; TWS is told.

        Raises:
          InvalidRequest: a description cannot be sent, or is a combination.
          RequestError: TWS refuses it for another reason than that it fits nothing.
          ConnectionLost, ClientClosed: there is no session any more.
        """
        if isinstance(contract, Contract):
            return await self._qualified(contract, fresh)
        return await each(lambda one: self._qualified(one, fresh), [copied(one) for one in contract])

    async def _qualified(self, contract: Contract, fresh: bool) -> Qualification:
        wanted = copied(contract)
        found = await self._found(wanted, fresh)
        if isinstance(found, NoSuchContract):
            return UnknownContract(wanted, found)
        return judged(wanted, found)

    async def _found(self, contract: Contract, fresh: bool = False) -> tuple[ContractDetails, ...] | NoSuchContract:
        async def ask() -> tuple[ContractDetails, ...] | NoSuchContract:
            try:
                return tuple(await self.contract_details(contract))
            except NoSuchContract as none:
                return none.with_traceback(None)

        return await self._details.get(question(contract), ask, fresh=fresh)

    # --- options

    async def option_chains(self, underlying: Contract, exchange: str = "") -> tuple[OptionChain, ...]:
        """Return the option chains on *underlying*: one for each exchange and trading class.

        Options on a future want the future's *exchange*. The underlying is qualified first if it has no id.

        EClient.reqSecDefOptParams. Cancelled means that nothing was found out.

        Raises:
          NoSuchContract: there is no such underlying. InvalidRequest: there are several.
          RequestError: TWS refuses it. ConnectionLost, ClientClosed: there is no session any more.
        """
        under = copied(underlying)
        if not (under.conId and under.symbol and under.secType):
            under = (await self._qualified(under, fresh=False)).one().contract
        where = exchange if exchange != "SMART" else ""

        async def ask() -> tuple[OptionChain, ...]:
            rows = await self.sec_def_opt_params(under.symbol, where, under.secType, under.conId)
            return tuple(chain_of(under, row) for row in rows)

        return await self._chains.get((under.conId, where), ask)

    async def option_chain(self, underlying: Contract, exchange: str = "SMART", trading_class: str = "") -> OptionChain:
        """Return the option chain on *underlying* at *exchange*.

        Without a *trading_class* it is the only one, or the one that is called as the underlying.

        Raises:
          NoSuchContract: there is no such underlying.
          InvalidRequest: there is no such chain, or several; the message names what there is.
          RequestError: TWS refuses it. ConnectionLost, ClientClosed: there is no session any more.
        """
        future = underlying.secType == "FUT"
        chains = await self.option_chains(underlying, exchange if future else "")
        here = [chain for chain in chains if chain.exchange == exchange]
        if not here:
            places = sorted({chain.exchange for chain in chains})
            raise InvalidRequest("exchange", f"no options on {underlying.symbol} at {exchange}; at {places}")
        name = trading_class or here[0].underlying.symbol
        named = [chain for chain in here if chain.trading_class == name]
        found = named or (here if not trading_class else [])
        if len(found) == 1:
            return found[0]
        raise InvalidRequest("trading_class", f"{trading_class!r}: there are {[one.trading_class for one in here]}")

    async def option_contracts(
        self,
        chain: OptionChain,
        expirations: Iterable[date | str] | None = None,
        strikes: Iterable[float] | None = None,
        right: Right | None = None,
    ) -> list[Qualified]:
        """Return the options of *chain* that are listed, by expiration, strike and right; ``None`` means all.

        One request for each expiration, eight at a time; answers are kept as long as the connection. A strike that is
        not listed for an expiration is left out.

        EClient.reqContractDetails. Cancelled means that nothing was found out; TWS is told.

        Raises:
          InvalidRequest: an expiration or strike is not in the chain.
          RequestError: TWS refuses it. ConnectionLost, ClientClosed: there is no session any more.
        """
        prices, rights = wanted_strikes(chain, strikes), wanted_rights(right)
        asked = descriptions(chain, wanted_days(chain, expirations), prices, rights)
        answers = await each(self._found, asked)
        rows = [row for answer in answers if not isinstance(answer, NoSuchContract) for row in answer]
        found = [_listed(row) for row in rows if row.contract.strike in prices and row.contract.right[:1] in rights]
        return sorted(found, key=_place)

    # --- prices

    async def market_rules(self, details: ContractDetails) -> dict[str, MarketRule]:
        """Return the steps of a contract's prices, by exchange.

        EClient.reqMarketRule, once for each rule in a connection. Cancelled means that nothing was found out.

        Raises:
          RequestError: TWS refuses it. ConnectionLost, ClientClosed: there is no session any more.
        """
        ids = rule_ids(details)
        known = list(dict.fromkeys(ids.values()))
        rules = dict(zip(known, await each(self._rule, known), strict=True))
        return {exchange: rules[number] for exchange, number in ids.items()}

    async def _rule(self, number: int) -> MarketRule:
        async def ask() -> MarketRule:
            return MarketRule.of(await self.market_rule(number))

        return await self._rules.get(number, ask)

    async def round_price(
        self, contract: Qualified, price: float | Decimal, direction: Direction = "nearest", exchange: str = ""
    ) -> Decimal:
        """Return the price that an order for *contract* can have: the nearest to *price*, or the next one up or down.

        *exchange* is the contract's own by default. It is exact; ``float()`` of it is what ``Order.lmtPrice`` wants.

        Raises:
          InvalidRequest: the contract is not traded there, or *price* is none.
          RequestError: TWS refuses it. ConnectionLost, ClientClosed: there is no session any more.
        """
        where = exchange or contract.contract.exchange
        number = rule_ids(contract.details).get(where)
        if number is None:
            raise InvalidRequest("exchange", f"{where!r} is none of {contract.details.validExchanges}")
        return (await self._rule(number)).round(price, direction)


def _listed(row: ContractDetails) -> Qualified:
    made = judged(row.contract, [row])
    assert not isinstance(made, (Ambiguous, UnknownContract))
    return made


def _place(one: Qualified) -> tuple[str, float, str]:
    return one.contract.lastTradeDateOrContractMonth, one.contract.strike, one.contract.right
