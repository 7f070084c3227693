"""The yardstick: ibapi's own decoder in a bare loop over the same messages, with no socket and no stream.

The loop does what ``EClient.run`` does with a message: it splits off the message id and the fields, and calls
``Decoder.interpret``, or ``processProtoBuf``. The callbacks do nothing.
"""

from __future__ import annotations

import inspect
import itertools
from typing import Any

from ibapi import comm
from ibapi.decoder import Decoder
from ibapi.wrapper import EWrapper

from . import wire
from .measuring import Figures, Stopwatch

Job = dict[str, Any]


class Silent(EWrapper):
    """Callbacks that do nothing, with their own signatures."""

    def tickByTickAllLast(
        self, reqId: Any, tickType: Any, time: Any, price: Any, size: Any, attrib: Any, exchange: Any, conditions: Any
    ) -> None: ...
    def tickPrice(self, reqId: Any, tickType: Any, price: Any, attrib: Any) -> None: ...
    def tickSize(self, reqId: Any, tickType: Any, size: Any) -> None: ...
    def updateMktDepth(self, reqId: Any, position: Any, operation: Any, side: Any, price: Any, size: Any) -> None: ...
    def tickByTickDataProtoBuf(self, message: Any) -> None: ...
    def tickPriceProtoBuf(self, message: Any) -> None: ...
    def updateMarketDepthProtoBuf(self, message: Any) -> None: ...


def run(job: Job) -> Figures:
    """Decode *count* messages of one kind."""
    version = wire.TEXT if job["wire"] == "text" else wire.PROTOBUF
    made = wire.messages(wire.maker(wire.KINDS[job["kind"]], version), 1_500_000_000, 2000)
    bodies = itertools.islice(itertools.cycle([message[4:] for message in made]), job["count"])
    decoder = Decoder(Silent(), version)
    watch = Stopwatch()
    watch.start()
    if version == wire.PROTOBUF:
        protobuf_loop(decoder, bodies)
    elif "msgId" in inspect.signature(Decoder.interpret).parameters:
        text_loop(decoder, bodies)
    else:
        old_text_loop(decoder, bodies)
    return watch.stop(job["count"])


def text_loop(decoder: Any, bodies: Any) -> None:
    for body in bodies:
        end = body.index(b"\0")
        decoder.interpret(comm.read_fields(body[end + 1 :]), int(body[:end]))


def old_text_loop(decoder: Any, bodies: Any) -> None:
    """The same before ibapi 10.37."""
    for body in bodies:
        decoder.interpret(comm.read_fields(body))


def protobuf_loop(decoder: Any, bodies: Any) -> None:
    for body in bodies:
        decoder.processProtoBuf(body[4:], int.from_bytes(body[:4], "big") - 200)
