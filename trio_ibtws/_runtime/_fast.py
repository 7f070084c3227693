"""ibapi's decoder, faster: its own functions, with another ``decode`` for a field.

Most of what ibapi's decoder costs is ``ibapi.utils.decode``, which logs every field. Its decoding functions are plain
functions that find ``decode`` among their module's globals. Here are private copies of them with globals of their
own, in which ``decode`` is this module's; nothing of ibapi is changed or patched. The messages that ibapi decodes by
the signature of their callback never call ``decode``: for those the converters are looked up once for each message.

Both have to give exactly what ibapi's own give. Before they are used they are tried on a table of fields beside
them, once in a process; a release of ibapi that gives something else, or is built otherwise, is decoded by its own
functions, and ``why_stock`` says why. So does ``TRIO_IBTWS_DECODER=stock`` in the environment, which is read whenever
a client connects; ``fast`` is the default.
"""

from __future__ import annotations

import inspect
import os
import sys
from codecs import unicode_escape_decode
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from itertools import product
from types import FunctionType
from typing import Any

from ibapi import decoder as ibapi_decoder
from ibapi import utils
from ibapi.decoder import Decoder
from ibapi.wrapper import EWrapper

from ..errors import InvalidRequest
from ._compat import interpret_takes_id
from ._fast_bars import BARS, fast_bars
from ._pinned import Heard, Known

__all__ = [
    "VARIABLE",
    "Handler",
    "Sizes",
    "Unlike",
    "choose",
    "fast_handlers",
    "silence_twins",
    "unheard",
    "utf8",
    "why_stock",
]

VARIABLE = "TRIO_IBTWS_DECODER"

Handler = Callable[[Any, Iterator[bytes]], None]
"""Decodes a message for a decoder, from its fields as ``Decoder.interpret`` of the installed release takes them."""


class Unlike(Exception):
    """The installed ibapi is not built as this module expects."""


def choose() -> Mapping[int, Handler]:
    """Return the fast handlers by message id, none when ibapi's own are to be used.

    Raises:
      InvalidRequest: the environment variable has neither of its two values.
    """
    wanted = os.environ.get(VARIABLE, "fast")
    if wanted not in ("fast", "stock"):
        raise InvalidRequest(VARIABLE, f"the environment has {wanted!r} there, it takes 'fast' or 'stock'")
    return {} if wanted == "stock" or why_stock() else fast_handlers()


@cache
def why_stock() -> str:
    """Return why the installed ibapi is decoded by its own functions, nothing when it is not."""
    try:
        fast_handlers()
    except Unlike as exc:
        return str(exc)
    except Exception as exc:  # noqa: BLE001  # what is built otherwise may fail in any way, and its own decoder works
        return f"it is built otherwise: {exc!r}"
    return ""


@cache
def fast_handlers() -> Mapping[int, Handler]:
    """Return a handler for each text message that the installed ibapi knows; raises ``Unlike``."""
    stock = Decoder(EWrapper(), 0)  # a decoder's making fills in the signatures of the callbacks
    rebind = _rebinder(_decode_like(utils.decode))
    _check_same_decode(rebind.decode)
    handlers: dict[int, Handler] = {}
    for message_id, info in stock.msgId2handleInfo.items():
        if info.wrapperMeth is None:
            handlers[int(message_id)] = rebind(info.processMeth)
        else:
            handlers[int(message_id)] = _by_signature(info)
            _check_same_by_signature(stock, info, handlers[int(message_id)])
    handlers[BARS] = fast_bars(Decoder.processHistoricalDataMsg, handlers[BARS], Sizes().column)
    return handlers


# --- one field ---------------------------------------------------------------------------------------------------


def _decode_like(stock: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``decode`` that does what *stock* does, without its log; what is rare it leaves to *stock*."""
    size = Decimal if hasattr(utils, "UNSET_DECIMAL") else None  # before 10.19 decode() knows no Decimal
    sizes = Sizes(stock)
    bad_message = utils.BadMessage

    def decode(kind: Any, fields: Iterator[bytes], show_unset: bool = False, use_unicode: bool = False) -> Any:
        try:
            field = next(fields)
        except StopIteration:
            raise bad_message("no more fields") from None  # type: ignore[no-untyped-call]
        if field:
            if kind is int:
                return int(field)
            if kind is float:
                return float(field)
            if kind is str and not use_unicode:
                return utf8(field)
            if kind is size:
                return sizes[field]
        elif not show_unset and kind in empty:
            return empty[kind]
        return _stock(stock, kind, field, show_unset, use_unicode)

    empty = {int: 0, float: 0.0, str: "", bool: False, size: sizes.unset}
    return decode


class Sizes(Known):
    """The Decimal of a field, ibapi's unset size where *stock* makes that of it."""

    def __init__(self, stock: Callable[..., Any] = utils.decode) -> None:
        super().__init__(self._made)
        self.unset = getattr(utils, "UNSET_DECIMAL", None)
        self._unset_texts = _unset_decimals(stock)

    def column(self, fields: list[bytes]) -> list[Any]:
        """Return what many fields say that are hardly ever the same."""
        texts = [field.decode() for field in fields]
        if self._unset_texts.isdisjoint(texts):
            return [Decimal(text) for text in texts]
        return [self._made(field) for field in fields]

    def _made(self, field: bytes) -> Any:
        text = field.decode()
        return self.unset if text in self._unset_texts else Decimal(text)


def utf8(field: bytes) -> str:
    """Return the text of a field as ibapi reads it."""
    try:
        return field.decode()
    except UnicodeDecodeError:
        return field.decode("utf-8", "backslashreplace")


def _stock(stock: Callable[..., Any], kind: Any, field: Any, show_unset: bool, use_unicode: bool) -> Any:
    """Return what ibapi makes of one field; before 10.19 its ``decode`` has no *use_unicode*, and nobody gives it."""
    options = (show_unset, use_unicode) if use_unicode else (show_unset,)
    return stock(kind, iter((field,)), *options)


_LIMITS = ("2147483647", "9223372036854775807", "-9223372036854775808", "1.7976931348623157E308")


def _unset_decimals(stock: Callable[..., Any]) -> frozenset[str]:
    """Return the texts that this release takes for an unset size, which are not the same in all."""
    unset = getattr(utils, "UNSET_DECIMAL", None)
    return frozenset(text for text in _LIMITS if unset is not None and stock(Decimal, iter((text.encode(),))) == unset)


_FIELDS = (
    *(b"", b"0", b"1", b"-1", b"+7", b" 8 ", b"1_0", b"007", b"1.5", b"-1e-7", b"1E+3", b"nan", b"inf", b"Infinity"),
    *(b"-Infinity", b"AAPL", b"caf\xc3\xa9", b"\xff", b"\\u00e9", b"a;b", *(text.encode() for text in _LIMITS)),
)
_KINDS = (int, float, str, bool, Decimal)


def _check_same_decode(fast: Callable[..., Any]) -> None:
    """Raise ``Unlike`` unless *fast* gives what ibapi's ``decode`` gives for a table of fields."""
    takes_unicode = "use_unicode" in inspect.signature(utils.decode).parameters
    given = [(), *((field,) for field in _FIELDS)]
    options = product(_KINDS, given, (False, True), (False, True) if takes_unicode else (False,))
    for kind, fields, *flags in options:
        flags = flags if takes_unicode else flags[:1]
        ours, theirs = (_outcome(decode, kind, iter(fields), *flags) for decode in (fast, utils.decode))
        if ours != theirs:
            raise Unlike(f"its decode() makes {theirs} of {fields!r} as {kind.__name__}, not {ours}")


def _outcome(call: Callable[..., Any], *arguments: Any) -> Any:
    """Return the type and text of what *call* returns, or that it raises."""
    try:
        value = call(*arguments)
    except Exception:  # noqa: BLE001  # which one it is makes no difference: all of them become DecodeError
        return "an error"
    return type(value), repr(value)


# --- functions with another decode -------------------------------------------------------------------------------


class _rebinder:
    """Copies ibapi's decoding functions into globals of their own."""

    def __init__(self, decode: Callable[..., Any]) -> None:
        self.decode = decode
        self._globals = {**vars(ibapi_decoder), "decode": decode}
        if vars(ibapi_decoder).get("decode") is not utils.decode:
            raise Unlike("its decoder has another decode() than its utils")
        self._globals["OrderDecoder"] = self._order_decoder()

    def _order_decoder(self) -> type:
        """Return ibapi's class of the same name, whose functions are copies; it has functions only, and no state."""
        stock = getattr(ibapi_decoder, "OrderDecoder", None)
        if not isinstance(stock, type):
            raise Unlike("its decoder has no OrderDecoder")
        scope = {**vars(sys.modules[stock.__module__]), "decode": self.decode}
        members = {name: _copied(each, scope) for name, each in vars(stock).items() if isinstance(each, FunctionType)}
        return type(stock.__name__, (stock,), members)

    def __call__(self, function: Any) -> Handler:
        """Return a copy of *function*, a method of the decoder that takes the fields of a message."""
        if not isinstance(function, FunctionType) or function.__code__.co_argcount != 2:
            raise Unlike(f"{function!r} is no function of a decoder and fields")
        if function.__globals__ is not vars(ibapi_decoder):
            raise Unlike(f"{function.__qualname__} belongs to {function.__module__}")
        handler: Handler = _copied(function, self._globals)
        return handler


def _copied(function: FunctionType, scope: dict[str, Any]) -> Any:
    made = FunctionType(function.__code__, scope, function.__name__, function.__defaults__, function.__closure__)
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def silence_twins(wrapper: EWrapper) -> None:
    """Let the protobuf twins of callbacks that *wrapper* does not take cost nothing: EWrapper's own would log them.

    Its class becomes one that has them; a hundred attributes of its own would make every look into it slower.
    """
    kind: Any = type(wrapper)
    wrapper.__class__ = _silent(kind)


@cache
def _silent(kind: Any) -> Any:
    silent = {
        name: staticmethod(unheard)
        for name in dir(EWrapper)
        if name.endswith("ProtoBuf") and getattr(kind, name) is getattr(EWrapper, name)
    }
    return type(kind.__name__, (kind,), {"__doc__": kind.__doc__, "__module__": kind.__module__, **silent})


def unheard(message: Any) -> None:
    """Take a message that another callback brings as well."""


# --- messages decoded by the signature of their callback ---------------------------------------------------------


def _by_signature(info: Any) -> Handler:
    """Return what ``Decoder.interpretWithSignature`` does with this message; a field too many or too few is an error.

    A size would end ibapi's function without a call: no release has a callback with one, and none is expected.
    """
    kinds = [parameter.annotation for name, parameter in info.wrapperParams.items() if name != "self"]
    if Decimal in kinds:
        raise Unlike(f"{info.wrapperMeth.__name__} is decoded by its signature and takes a size")
    ascii_since = ibapi_decoder.MIN_SERVER_VER_ENCODE_MSG_ASCII7
    converters = [kind if kind in (int, float) else None for kind in kinds]
    name, expected, before = info.wrapperMeth.__name__, len(kinds), 1 if interpret_takes_id else 2

    def handle(decoder: Any, fields: Iterator[bytes]) -> None:
        values = list(fields)
        if len(values) != expected + before:
            raise ValueError(f"{name} takes {expected} fields, {len(values) - before} came")
        del values[:before]
        text = _escaped_text if decoder.serverVersion >= ascii_since else _plain_text
        arguments = [
            text(value) if convert is None else convert(text(value))
            for value, convert in zip(values, converters, strict=True)
        ]
        getattr(decoder.wrapper, name)(*arguments)

    return handle


def _check_same_by_signature(stock: Any, info: Any, fast: Handler) -> None:
    """Raise ``Unlike`` unless *fast* calls what ibapi's function for such messages calls."""
    kinds = [parameter.annotation for name, parameter in info.wrapperParams.items() if name != "self"]
    for version, text in product((0, 1000), (b"AAPL", b"caf\xc3\xa9", b"\\u00e9", b"\xff")):
        fields = tuple(_NUMBERS.get(kind, text) for kind in kinds)
        fields = (b"1",) * (1 if interpret_takes_id else 2) + fields
        stock.serverVersion = version
        ours, theirs = Heard(), Heard()
        stock.wrapper = ours
        fast(stock, iter(fields))
        stock.wrapper = theirs
        stock.interpretWithSignature(fields, info)
        if ours.calls != theirs.calls:
            raise Unlike(f"its {info.wrapperMeth.__name__} is called with {theirs.calls}, not {ours.calls}")


_NUMBERS = {int: b"7", float: b"1.5"}


def _escaped_text(field: bytes) -> str:
    try:
        return unicode_escape_decode(field)[0]
    except UnicodeDecodeError:
        return field.decode("latin-1")


def _plain_text(field: bytes) -> str:
    try:
        return field.decode()
    except UnicodeDecodeError:
        return field.decode("latin-1")
