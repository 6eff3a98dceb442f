"""Values that a design, or a way of recording, explains: what they show is no sign of scaling."""

from __future__ import annotations

import functools

import numpy as np

from skscale import _kernels as kernels
from skscale._kernels import Array
from skscale._provenance import hash_table
from skscale.leakage._profile import Columns

SHORT = 400
"""Largest denominator of a fraction that people write: shares, coded factors, votes."""

FIXED_UNITS = [10**k for k in range(3, 7)] + [2**k - less for k in range(9, 17) for less in (0, 1)]
"""Denominators of decimals and of intensities."""


class Levels:
    """The different values of the columns of one table, or of its parts together.

    Parameters
    ----------
    parts : list of Columns
        One table, or its train and test part.
    """

    def __init__(self, parts: list[Columns]) -> None:
        self._parts = parts
        self._eps = max(float(np.finfo(part.table.dtype).eps) for part in parts)
        self._resolution = max(1e-9, 4 * self._eps)
        self._values = functools.lru_cache(maxsize=4)(self._read)

    def _read(self, position: int) -> tuple[Array, Array]:
        """Different values, ascending, and how often each is there; rounding makes none."""
        parts = [part.column(position) for part in self._parts]
        values, counts = np.unique(np.concatenate(parts).astype(np.float64), return_counts=True)
        apart = np.diff(values) > self._resolution * (values[-1] - values[0])
        first = np.concatenate([[0], np.flatnonzero(apart) + 1])
        return values[first], np.add.reduceat(counts, first)

    def are_coded(self, position: int) -> bool:
        """Whether all are short fractions, or symmetric as codes, sines and grids are."""
        values, _ = self._values(position)
        reach = 4 * self._resolution * (values[-1] - values[0])
        if bool((np.abs(values + values[::-1] - (values[0] + values[-1])) <= reach).all()):
            return True
        # With larger denominators, few digits would make a fraction of anything.
        denominators = np.arange(1, min(SHORT, int(0.2 / np.sqrt(self._eps))) + 1)
        first = values[:: len(values) // 64 + 1]
        return self._divide(first, denominators) and self._divide(values, denominators)

    def are_recorded(self, position: int) -> bool:
        """Whether they are coded, or multiples of a unit: decimals, intensities, ranks."""
        if self._eps > 1e-4:  # so few digits are a unit
            return True
        values, counts = self._values(position)
        ranks = [times * (counts.sum() + more) for times in (1, 2) for more in (-1, 0, 1)]
        units = [unit for unit in FIXED_UNITS + ranks if 0 < unit * self._eps < 0.01]
        is_multiple = any(self._divide(values, np.array([unit])) for unit in units)
        return is_multiple or self.are_coded(position)

    def are_regular(self, position: int) -> bool:
        """Whether their distances are multiples of one: records, however they were scaled."""
        values, _ = self._values(position)
        # Few values may be regular by chance.
        return len(values) >= 10 and self._fit_steps(values - values[0], values)

    def are_multiples(self, position: int) -> bool:
        """Whether they are regular and 0 is one of them, so that a mean may well be 0."""
        values, _ = self._values(position)
        return self._fit_steps(values, values)

    @staticmethod
    def _fit_steps(lengths: Array, values: Array) -> bool:
        """Whether lengths are multiples of the distance of values, or of a part of it."""
        reach, steps = values[-1] - values[0], np.diff(values)
        # The smallest distances, which may be of a few units, are known best on average.
        step = steps[steps < 1.5 * steps.min()].mean()
        n_units = np.rint(np.arange(1, 5) * reach / step)
        positions = np.multiply.outer(lengths / reach, n_units)
        return bool((np.abs(positions - np.rint(positions)) < 0.01).all(axis=0).any())

    def repeat(self, position: int) -> bool:
        """Whether they are few, or repeat where rows do not: levels, not measurements."""
        _, counts = self._values(position)
        return len(counts) < max(0.9 * self._n_different_rows, 0.1 * counts.sum())

    def pile_up(self, position: int) -> tuple[bool, bool]:
        """Whether the least, and the largest, are much more frequent than others are."""
        _, counts = self._values(position)
        usual = max(1.0, 2 * counts.sum() / len(counts))
        return counts[0] > usual, counts[-1] > usual

    @functools.cached_property
    def _n_different_rows(self) -> int:
        keys = kernels.multipliers(0, self._parts[0].table.shape[1])
        hashes = [
            hash_table(part.table, lambda rows: kernels.row_hashes(rows, keys))
            for part in self._parts
        ]
        return len(np.unique(np.concatenate(hashes)))

    def _divide(self, values: Array, denominators: Array) -> bool:
        """Whether each value is a fraction with one of the denominators, to rounding."""
        step = max(1, 100_000 // len(denominators))
        for start in range(0, len(values), step):
            block = values[start : start + step, np.newaxis]
            multiples = block * denominators
            room = 4 * self._eps * denominators * np.maximum(1, np.abs(block))
            if not (np.abs(multiples - np.rint(multiples)) <= room).any(axis=1).all():
                return False
        return True
