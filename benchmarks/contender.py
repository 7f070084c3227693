"""The process of one measurement: ``python -m benchmarks.contender '{"who": …, "measure": …}'`` prints its figures."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

MODULES = {"trio": "ours", "asyncio": "ours", "uvloop": "ours", "ib_async": "peer", "ibapi": "stock", "decoder": "bare"}


def main() -> None:
    job = json.loads(sys.argv[1])
    figures = import_module(f"benchmarks.{MODULES[job['who']]}").run(job)
    print(json.dumps(figures), flush=True)
    os._exit(0)  # the reader thread of stock ibapi would keep the process for a second


if __name__ == "__main__":
    main()
