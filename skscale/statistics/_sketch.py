"""A few hashes of rows that stand for all of them, and tell which other rows were among them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from skscale import _kernels as kernels
from skscale._kernels import Array, check_finite
from skscale.errors import IncompatibleStatisticError
from skscale.statistics import _invariants as invariants
from skscale.statistics._protocol import arrange, frozen

CAPACITY = 4096
LEADING = 4
"""Columns that decide first which rows are kept, where there are more than twice as many."""

LARGEST = np.uint64(2**64 - 1)
N_LOW = np.uint64(40)
"""Bits of a hash that are of all columns; those above are of the leading ones."""

LOW_BITS = np.uint64(2**40 - 1)


def sketch_hashes(rows: Any, keys: Array, leading: Array | None = None) -> Array:
    """Hashes of rows as sketches order them, with high bits that may be known.

    Of wide rows the high bits are of a few columns: the smallest hashes are among those with the
    smallest high bits, and all columns need to be read of these rows only.
    """
    hashes = kernels.row_hashes(rows, keys)
    if rows.shape[1] <= 2 * LEADING:
        return hashes
    if leading is None:
        leading = kernels.row_hashes(rows[:, :LEADING], keys[:, :LEADING])
    return (leading & ~LOW_BITS) | (hashes >> (np.uint64(64) - N_LOW))


def enough(n_rows: int, capacity: int) -> np.uint64:
    """A hash that no fewer than `capacity` of so many different rows are up to, or the largest.

    Hashes are spread evenly: `capacity` is 8 standard deviations below what is expected, which
    too few rows reach once in 1e15 times.
    """
    expected = capacity + 8 * capacity**0.5 + 64
    return LARGEST if n_rows <= 2 * expected else np.uint64(expected / n_rows * 2.0**64)


def low_hashes(rows: Any, keys: Array, bound: np.uint64, chosen: Array | None) -> Array:
    """Hashes of the chosen rows: of all that have one up to a bound, and perhaps of others."""
    is_wide = rows.shape[1] > 2 * LEADING
    n_read = LEADING if is_wide else rows.shape[1]
    numbers, hashes = kernels.low_hashes(rows[:, :n_read], keys[:, :n_read], bound | LOW_BITS)
    if chosen is not None:
        low = chosen[numbers]
        numbers, hashes = numbers[low], hashes[low]
    if not is_wide:
        return hashes
    low_rows = rows if len(numbers) == rows.shape[0] else rows[numbers]
    return sketch_hashes(low_rows, keys, hashes)


@frozen
class RowSketch:
    """The smallest of the hashes of the rows, and how often each of these rows was there.

    Whether a row is kept depends on its hash alone, so the rows that two tables share are kept of
    both, or of neither: the share of common rows among those kept estimates the share among all.

    Parameters
    ----------
    total : float
        Sum of the weights of all rows.
    n_features : int
        Number of columns.
    key : int
        Which hash function. Only sketches with the same key can be compared or merged.
    capacity : int
        How many different rows are kept at most.
    hashes : uint64 array of shape (n_kept,), ascending
        Hashes of the rows that are kept.
    counts : array of shape (n_kept,)
        Sum of the weights of each of them.

    Notes
    -----
    **Hashes of rows are personal data** where rows are: whoever has the sketch can tell whether a
    row that they know was there, and with few columns can compute rows from their hashes. Nothing
    in this package keeps a sketch unless it is asked to.

    Exact: merging loses nothing, and gives the same sketch wherever the rows are cut. Equal numbers
    have equal hashes in any float or integer dtype; -0.0 is 0.0, and a missing value is a
    value like any other, equal to itself. Over random keys, two different rows are taken for equal
    with a probability of at most 2**-48.

    Cost of `of`: O(n_rows * n_features) to hash, one multiplication per number, and a sort of the
    hashes; memory for some 8 bytes per row while it is made, and for 16 bytes per row that is kept.
    In tables of more than 8 columns the first 4 decide which rows may be kept, so that a fit that
    remembers its rows reads all columns of these only, unless the first 4 repeat a lot.

    References
    ----------
    Cohen, E. and Kaplan, H. (2007). Summarizing data using bottom-k sketches. Proceedings of the
    26th ACM Symposium on Principles of Distributed Computing, 225-234. Dietzfelbinger, M. (1996).
    Universal hashing and k-wise independent random variables via integer arithmetic without primes.
    STACS 96, 569-580.

    Examples
    --------
    >>> import numpy as np
    >>> from skscale.statistics import RowSketch
    >>> rows = np.arange(20.0).reshape(10, 2)
    >>> sketch = RowSketch.of(rows[:4], key=7).merge(RowSketch.of(rows[4:], key=7))
    >>> sketch == RowSketch.of(rows, key=7)
    True
    >>> len(RowSketch.of(rows, key=7, capacity=3).hashes)
    3

    A row that is there twice is kept once, and counted twice:

    >>> RowSketch.of([[1.0], [1.0]]).counts
    array([2.])
    """

    total: float
    n_features: int
    key: int
    capacity: int
    hashes: Array
    counts: Array

    @classmethod
    def of(cls, rows: Any, weights: Any = None, *, key: int = 0, capacity: int = CAPACITY) -> Self:
        """Sketch rows of shape (n_rows, n_features): dense, CSR or CSC.

        Parameters
        ----------
        rows : array of shape (n_rows, n_features)
            Finite numbers, or NaN.
        weights : array of shape (n_rows,), default=None
            Non-negative; an integer is so many repetitions.
        key : int, default=0
            Not negative. A random one of 128 bits keeps strangers from preparing hashes.
        capacity : int, default=4096
            How many different rows are kept at most.
        """
        rows, weights = arrange(rows, weights)
        keys = kernels.multipliers(key, rows.shape[1])
        if hasattr(rows, "tocsr"):
            kernels.check_stored(rows)
        elif len(rows):
            check_finite(rows)
        hashes, total = sketch_hashes(rows, keys), kernels.total_weight(rows, weights)
        return cls(total, rows.shape[1], key, capacity, *smallest(hashes, weights, capacity))

    def merge(self, later: Self) -> Self:
        """Sketch of these rows and the `later` ones."""
        if (later.key, later.capacity) != (self.key, self.capacity):
            raise IncompatibleStatisticError(
                "Only sketches with the same key and capacity can be merged: make them inside one "
                "skscale.leakage.remember_rows(), or give both the same key and capacity."
            )
        hashes = np.concatenate([self.hashes, later.hashes])
        counts = np.concatenate([self.counts, later.counts])
        kept = smallest(hashes, counts, self.capacity)
        total = self.total + later.total
        return type(self)(total, self.n_features, self.key, self.capacity, *kept)

    @property
    def bound(self) -> int:
        """Rows with a hash up to here were all kept."""
        full = len(self.hashes) == self.capacity
        return int(self.hashes[-1]) if full else 2**64 - 1

    def _faults(self) -> Iterator[str]:
        yield from invariants.shapes(
            self, {"hashes": ("uint64", "n_kept"), "counts": ("float64", "n_kept")}
        )
        yield from invariants.weights("total", self.total)
        if not 0 < self.n_features < 2**31:
            yield "n_features is not a number of columns"
        if self.key < 0:
            yield "key is negative"
        if not max(1, len(self.hashes)) <= self.capacity < 2**63:
            yield "capacity is not a number, or less than the rows that are kept"
        if (self.hashes[1:] <= self.hashes[:-1]).any():
            yield "hashes do not ascend"
        yield from invariants.weights("counts", self.counts, self.total)
        with np.errstate(over="ignore"):
            known = self.counts.sum()
        if not self.counts.all() or (len(self.counts) > 0) != (self.total > 0):
            yield "counts are not those of rows"
        yield from invariants.weights("the sum of counts", known, self.total)


def smallest(hashes: Array, weights: Array | None, capacity: int) -> tuple[Array, Array]:
    """The smallest different hashes, ascending, and the weights of each added up."""
    if weights is None:
        values, counts = np.unique(hashes, return_counts=True)
    else:
        values, where = np.unique(hashes, return_inverse=True)
        counts = np.bincount(where.ravel(), weights, minlength=len(values))
    return values[:capacity], counts[:capacity].astype(np.float64)
