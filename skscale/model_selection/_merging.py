"""Statistics of unions of atoms: prefixes and suffixes are merged once, nothing is subtracted.

"All but one" of m parts is a prefix and a suffix: 3 m merges give all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from skscale._kernels import Array
from skscale._reduce import tree_reduce

Part = TypeVar("Part")


def unions(
    parts: Sequence[Part], members: Sequence[Array], merge: Callable[[Part, Part], Part]
) -> list[Part]:
    """Merge, for every list of members, the parts that it names.

    Parameters
    ----------
    parts : sequence
        In order.
    members : sequence of integer arrays
        Ascending positions of parts, at least one each.
    merge : callable
        Associative; the earlier part comes first.
    """
    runs = [_runs(positions) for positions in members]
    ends = [_prefix_end(of_split) for of_split in runs]
    starts = [_suffix_start(of_split, len(parts)) for of_split in runs]
    wanted = Counter(starts)
    suffixes = _suffixes(parts, set(wanted), merge)
    merged: list[Any] = [None] * len(runs)
    prefix: Any = None
    length = 0

    def of_run(start: int, stop: int) -> Part:
        if start == 0:
            whole: Part = prefix
            return whole
        return suffixes[start] if stop == len(parts) else tree_reduce(parts[start:stop], merge)

    # By the lengths of their prefixes, so that one of these is held at a time, and no suffix for
    # longer than it is wanted: to get new memory from the system takes as long as to merge.
    for k in sorted(range(len(runs)), key=ends.__getitem__):
        for part in parts[length : ends[k]]:
            prefix = part if prefix is None else merge(prefix, part)
        length = ends[k]
        merged[k] = tree_reduce((of_run(*run) for run in runs[k]), merge)
        wanted[starts[k]] -= 1
        if not wanted[starts[k]]:
            suffixes.pop(starts[k], None)
    return merged


def _suffixes(
    parts: Sequence[Part], starts: set[int], merge: Callable[[Part, Part], Part]
) -> dict[int, Part]:
    """Merged parts from each of the starts to the last."""
    suffixes: dict[int, Part] = {}
    suffix: Any = None
    for start in range(len(parts) - 1, min(starts) - 1, -1):
        suffix = parts[start] if suffix is None else merge(parts[start], suffix)
        if start in starts:
            suffixes[start] = suffix
    return suffixes


def _prefix_end(runs: list[tuple[int, int]]) -> int:
    """Where the run that begins with the first part ends; 0 if there is none."""
    start, stop = runs[0]
    return stop if start == 0 else 0


def _suffix_start(runs: list[tuple[int, int]], n_parts: int) -> int:
    """Where the run that ends with the last part starts; behind all if there is none."""
    start, stop = runs[-1]
    return start if stop == n_parts and start > 0 else n_parts


def _runs(positions: Array) -> list[tuple[int, int]]:
    """Runs of consecutive positions as (start, stop)."""
    breaks = np.flatnonzero(np.diff(positions) > 1) + 1
    parts = np.split(positions, breaks)
    return [(int(part[0]), int(part[-1]) + 1) for part in parts]
