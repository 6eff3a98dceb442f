"""A few hashes of rows that stand for all of them, and tell which other rows were among them."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from skscale import _kernels as kernels
from skscale._kernels import Array, check_finite
from skscale.errors import IncompatibleStatisticError
from skscale.statistics._protocol import arrange, frozen

CAPACITY = 4096


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

    Cost: O(n_rows * n_features) to hash, one multiplication per number, and O(n_rows) to
    select; memory for 8 bytes per row while it is made, and 16 bytes per row that is kept.

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
        hashes = kernels.row_hashes(rows, keys)
        return cls.of_hashes(hashes, weights, rows.shape[1], key=key, capacity=capacity)

    @classmethod
    def of_hashes(
        cls, hashes: Array, weights: Array | None, n_features: int, *, key: int, capacity: int
    ) -> Self:
        """Sketch rows whose hashes are known.

        Parameters
        ----------
        hashes : uint64 array of shape (n_rows,)
            Hashes of all rows, made with this key.
        weights : array of shape (n_rows,) or None
            Weights of the rows.
        n_features : int
            Number of columns.
        key : int
            Which hash function made them.
        capacity : int
            How many different rows are kept at most.
        """
        total = kernels.total_weight(hashes, weights)
        chosen = hashes
        if len(hashes) > 4 * capacity:
            # Hashes are spread evenly: these hold the smallest, unless rows repeat very often.
            below = hashes <= np.uint64(2 * capacity / len(hashes) * 2.0**64)
            if len(np.unique(hashes[below])) >= capacity:
                chosen, weights = hashes[below], None if weights is None else weights[below]
        return cls(total, n_features, key, capacity, *_smallest(chosen, weights, capacity))

    def merge(self, later: Self) -> Self:
        """Sketch of these rows and the `later` ones."""
        if (later.key, later.capacity) != (self.key, self.capacity):
            raise IncompatibleStatisticError(
                "Only sketches with the same key and capacity can be merged: make them inside one "
                "skscale.leakage.remember_rows(), or give both the same key and capacity."
            )
        hashes = np.concatenate([self.hashes, later.hashes])
        counts = np.concatenate([self.counts, later.counts])
        kept = _smallest(hashes, counts, self.capacity)
        total = self.total + later.total
        return type(self)(total, self.n_features, self.key, self.capacity, *kept)

    @property
    def bound(self) -> int:
        """Rows with a hash up to here were all kept."""
        full = len(self.hashes) == self.capacity
        return int(self.hashes[-1]) if full else 2**64 - 1


def _smallest(hashes: Array, weights: Array | None, capacity: int) -> tuple[Array, Array]:
    """The smallest different hashes, ascending, and the weights of each added up."""
    values, where = np.unique(hashes, return_inverse=True)
    counts = np.bincount(where.ravel(), weights, minlength=len(values)).astype(np.float64)
    return values[:capacity], counts[:capacity]
