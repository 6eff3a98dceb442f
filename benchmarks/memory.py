"""Peak memory of one call above what was there before it, in a process of its own.

``python -m benchmarks.memory LIBRARY CLASS STEP ROWS COLUMNS`` prints it in bytes.
"""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.data import Data

STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")


def from_status(field: str) -> int:
    """Return a line of Linux's account of this process, in bytes: "VmRSS" now, "VmHWM" at most."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return 1024 * int(line.split()[1])


def peak() -> int:
    """Return the most memory there has been, in bytes."""
    if STATUS.exists():
        return from_status("VmHWM")
    import resource  # not on Windows

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else 1024 * largest


def in_use() -> int:
    """Return the memory in use and forget the peak; where that cannot be, return the peak."""
    try:
        RESET.write_text("5")
    except OSError:
        return peak()
    return from_status("VmRSS")


def peak_extra(call: Callable[[], object]) -> int:
    """Return by how much a call goes beyond the memory in use, its result included."""
    before = in_use()
    result = call()
    extra = peak() - before
    del result
    return extra


def main(library: str, name: str, step: str, rows: str, columns: str) -> None:
    """Make the table, get ready, print how much the call itself needs."""
    transformer = getattr(importlib.import_module(library), name)()
    X = Data(int(rows), int(columns)).array()
    if step == "transform":
        transformer.fit(X)
    print(peak_extra(lambda: getattr(transformer, step)(X)))


if __name__ == "__main__":
    main(*sys.argv[1:])
