"""What TWS shows of an account: its values by key, in its own currency, and a ledger for each currency in it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ._accounts import Account, Margins, cents

__all__ = ["ALL", "BASE", "account_values", "currencies", "ledger"]

ALL = "ALL"
BASE = "BASE"
"""All currencies together, in the account's own."""
_OWN = "USD"
_DAY_TRADING = Decimal("0.5")
_NOTHING = Decimal(0)
_MARKET_VALUES = {
    "StockMarketValue": "STK",
    "OptionMarketValue": "OPT",
    "CorporateBondValue": "BOND",
    "Cryptocurrency": "CRYPTO",
}
"""What the ledger calls the worth of each kind of position."""
_NEVER = (
    "AccruedCash",
    "FundValue",
    "FutureOptionValue",
    "FxCashBalance",
    "IssuerOptionValue",
    "MoneyMarketFundValue",
    "MutualFundValue",
    "NetDividend",
    "TBillValue",
    "TBondValue",
    "WarrantValue",
)
"""What the ledger shows as well, and nobody here has."""

_Row = tuple[str, str, str]


def account_values(account: Account) -> Iterator[_Row]:
    """Yield key, value and currency of everything that account updates and summaries show."""
    margins = account.margins()
    yield from _texts(account, margins)
    for key, amount in _amounts(account, margins).items():
        yield key, str(cents(amount)), _OWN
    for currency in currencies(account):
        yield from ledger(account, currency)


def _texts(account: Account, margins: Margins) -> Iterator[_Row]:
    yield "AccountCode", account.name, ""
    yield "AccountReady", "true", ""
    yield "AccountType", "INDIVIDUAL", ""
    yield "Cushion", _share(margins.equity - margins.maintenance, margins.equity, 6), ""
    yield "DayTradesRemaining", "-1", ""
    for days in range(1, 5):
        yield f"DayTradesRemainingT+{days}", "-1", ""
    yield "Leverage-S", _share(account.gross(), margins.equity, 2), ""
    yield "LookAheadNextChange", "0", ""


def _share(part: Decimal, whole: Decimal, places: int) -> str:
    return f"{part / whole if whole > 0 else _NOTHING:.{places}f}"


def _amounts(account: Account, margins: Margins) -> dict[str, Decimal]:
    free = margins.equity - margins.initial
    excess = margins.equity - margins.maintenance
    ahead = {
        f"{when}{name}": amount
        for when in ("", "Full", "LookAhead")
        for name, amount in (
            ("AvailableFunds", free),
            ("ExcessLiquidity", excess),
            ("InitMarginReq", margins.initial),
            ("MaintMarginReq", margins.maintenance),
        )
    }
    return {
        **ahead,
        "AccruedCash": _NOTHING,
        "AccruedDividend": _NOTHING,
        "BuyingPower": max(free, _NOTHING) / _DAY_TRADING,
        "EquityWithLoanValue": margins.equity,
        "GrossPositionValue": account.gross(),
        "NetLiquidation": margins.equity,
        "NetLiquidationUncertainty": _NOTHING,
        "PreviousDayEquityWithLoanValue": account.equity_before,
        "RegTEquity": margins.equity,
        "RegTMargin": margins.initial,
        "SMA": max(free, _NOTHING),
        "SettledCash": account.total_cash(),
        "TotalCashValue": account.total_cash(),
    }


# --- by currency -------------------------------------------------------------------------------------------------


def currencies(account: Account) -> tuple[str, ...]:
    """Return what there are ledgers of: all currencies together, the account's own, and those that it has traded."""
    return BASE, _OWN, *account.foreign()


def ledger(account: Account, currency: str) -> Iterator[_Row]:
    """Yield the rows of one currency, or of all of them together."""
    foreign = account.foreign().get(currency)
    rate = "1.00" if foreign is None else str(round(account.rate(foreign), 7))
    amounts = _here(account, currency) if foreign is None else dict.fromkeys(_here(account, currency), _NOTHING)
    if foreign is not None:
        amounts |= dict.fromkeys(("CashBalance", "NetLiquidationByCurrency", "TotalCashBalance"), foreign.quantity)
    texts = {"AccountOrGroup": account.name, "Currency": currency, "ExchangeRate": rate, "RealCurrency": currency}
    for key, text in sorted((texts | {key: str(cents(amount)) for key, amount in amounts.items()}).items()):
        yield key, text, currency


def _here(account: Account, currency: str) -> dict[str, Decimal]:
    """Return the amounts in the account's own currency, with or without what is in others."""
    elsewhere = _NOTHING if currency == BASE else account.worth_of("CASH")
    cash = account.total_cash() - elsewhere
    return {
        **{key: account.worth_of(sec_type) for key, sec_type in _MARKET_VALUES.items()},
        **dict.fromkeys(_NEVER, _NOTHING),
        "CashBalance": cash,
        "FuturesPNL": account.futures()[1],
        "NetLiquidationByCurrency": account.net_liquidation() - elsewhere,
        "RealizedPnL": account.realized(),
        "TotalCashBalance": cash,
        "UnrealizedPnL": account.unrealized(),
    }
