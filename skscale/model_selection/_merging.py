"""Statistics of unions of atoms: prefixes and suffixes are merged once, nothing is subtracted.

"All but one" of m parts is a prefix and a suffix: 3 m merges give all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TypeVar

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
    last = len(parts) - 1
    first_runs = [stop for ((start, stop), *_) in runs if start == 0]
    final_runs = [start for (*_, (start, stop)) in runs if stop == last + 1 and start > 0]
    prefixes = list(accumulate(parts[: max(first_runs, default=0)], merge))
    backwards = parts[: min(final_runs, default=last + 1) - 1 : -1] if final_runs else []
    suffixes = list(accumulate(backwards, lambda later, earlier: merge(earlier, later)))

    def of_run(start: int, stop: int) -> Part:
        if start == 0:
            return prefixes[stop - 1]
        if stop == last + 1:
            return suffixes[last - start]
        return tree_reduce(parts[start:stop], merge)

    return [tree_reduce((of_run(*run) for run in of_split), merge) for of_split in runs]


def _runs(positions: Array) -> list[tuple[int, int]]:
    """Runs of consecutive positions as (start, stop)."""
    breaks = np.flatnonzero(np.diff(positions) > 1) + 1
    parts = np.split(positions, breaks)
    return [(int(part[0]), int(part[-1]) + 1) for part in parts]
