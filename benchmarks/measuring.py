"""What every contender measures with: a stopwatch of wall and processor time, latencies, and resident memory."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Sequence
from pathlib import Path

Figures = dict[str, float]


class Stopwatch:
    """Wall and processor time of this process, all of its threads, and what both say of so many messages."""

    def __init__(self) -> None:
        gc.collect()
        self._wall = self._cpu = 0.0

    def start(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self, count: int) -> Figures:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return {
            "per_second": count / wall,
            "per_cpu_second": count / cpu if cpu else 0.0,
            "cpu_us": cpu / count * 1e6,
            "seconds": wall,
            "count": count,
        }


def latencies(seconds: Sequence[float]) -> Figures:
    """Return the median, the 99th percentile and the worst, in microseconds."""
    ordered = sorted(seconds) or [0.0]
    at = {"p50_us": 0.5, "p99_us": 0.99, "max_us": 1.0}
    return {name: ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1e6 for name, part in at.items()}


def resident_bytes() -> int:
    """Return the resident memory of this process; on systems without ``/proc``, the most that it ever was."""
    gc.collect()
    statm = Path("/proc/self/statm")
    if statm.exists():
        import resource

        return int(statm.read_text().split()[1]) * resource.getpagesize()
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
