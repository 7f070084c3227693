"""Which fields a gateway sets in its protobuf messages, as seen in recorded sessions.

By default a field is set when its value is known and no empty text; that is so for every message that is not named
here. In the messages named here only the named fields are so: all others are set when they say something, so neither
for zero nor for false. Of the named ones, those that a text layout knows are set even for a value that is not known,
to what the text wire sends for it; ``=`` names that value where the text wire has no such field. ``-`` marks what a
gateway never echoes, though it took it.
"""

from __future__ import annotations

import msgspec

__all__ = ["Presence", "presence_of"]

_TEXT = {
    "CommissionAndFeesReport": "commissionAndFees",
    "Contract": "conId strike",
    "ContractDetails": (
        "minTick priceMagnifier minSize sizeIncrement suggestedSizeIncrement minAlgoSize=0 "
        "lastPricePrecision=0.000001 lastSizePrecision=0.000001"
    ),
    "DepthMarketDataDescription": "",
    "ErrorMessage": "id errorTime=0 errorCode",
    "Execution": ("orderId permId clientId shares price cumQty avgPrice lastLiquidity optExerciseOrLapseType=-1"),
    "Order": (
        "clientId orderId permId parentId totalQuantity lmtPrice auxPrice clearingIntent ocaType triggerMethod "
        "volatilityType referencePriceType deltaNeutralOrderType deltaNeutralShortSaleSlot origin shortSaleSlot "
        "exemptCode adjustedOrderType adjustableTrailingUnit dontUseAutoPriceForHedge filledQuantity=0 "
        "shareholder=Not_an_insider_or_substantial_shareholder routeMarketableToBbo=0 usePriceMgmtAlgo "
        "submitter=simulator seekPriceImprovement=0 -transmit -overridePercentageConstraints -scaleTable -algoId "
        "-orderMiscOptions -mifid2DecisionMaker -mifid2DecisionAlgo -mifid2ExecutionTrader -mifid2ExecutionAlgo "
        "-advancedErrorOverride -manualOrderTime"
    ),
    "OrderCondition": "type isConjunctionConnection isMore",
    "OrderStatus": ("orderId filled remaining avgFillPrice permId parentId lastFillPrice clientId mktCapPrice"),
    "SmartComponent": "",
    "TickOptionComputation": (
        "reqId tickType tickAttrib impliedVol delta optPrice pvDividend gamma vega theta undPrice"
    ),
    "TickPrice": "reqId tickType price size attrMask",
    "TickReqParams": "reqId minTick snapshotPermissions lastPricePrecision=0.000001 lastSizePrecision=0.000001",
}


class Presence(msgspec.Struct, frozen=True):
    """The habits of a gateway in one type of message.

    Attributes:
      sparse: whether zero and false say nothing in fields that are not in *kept*.
      kept: the fields in which they do.
      constants: what stands in fields of *kept* for a value that is not known, as text.
      never: the fields that are never set.
    """

    sparse: bool = False
    kept: frozenset[str] = frozenset()
    constants: dict[str, str] = {}
    never: frozenset[str] = frozenset()


def _read(text: str) -> Presence:
    words = text.split()
    kept = [word.partition("=") for word in words if not word.startswith("-")]
    return Presence(
        sparse=True,
        kept=frozenset(name for name, _, _ in kept),
        constants={name: value.replace("_", " ") for name, equals, value in kept if equals},
        never=frozenset(word[1:] for word in words if word.startswith("-")),
    )


_PRESENCE = {name: _read(text) for name, text in _TEXT.items()}


def presence_of(message_type: str) -> Presence:
    """Return what a gateway does with the fields of a type of protobuf message."""
    return _PRESENCE.get(message_type, Presence())
