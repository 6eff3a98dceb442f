"""Count, smallest and largest value of every column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from skscale import _kernels as kernels
from skscale._kernels import Array
from skscale.statistics import _invariants as invariants
from skscale.statistics._affine import AffineMap
from skscale.statistics._protocol import arrange, frozen


@frozen
class Extrema:
    """Count, minimum and maximum of every column; NaN is left out.

    Parameters
    ----------
    total : float
        Sum of the weights of all rows.
    count : array of shape (n_features,)
        Sum of the weights of the rows that have a value in the column.
    minimum, minimum_low, maximum, maximum_low : arrays of shape (n_features,)
        Each an unevaluated sum of two floats; the low parts are zero except for integers
        that float64 cannot hold. ``inf`` and ``-inf`` where `count` is 0.

    Notes
    -----
    Exact: merging loses nothing. A row of weight 0 is a row that is not there.

    Examples
    --------
    >>> from skscale.statistics import Extrema
    >>> both = Extrema.of([[3.0], [1.0]]).merge(Extrema.of([[2.0]]))
    >>> both.minimum, both.maximum
    (array([1.]), array([3.]))
    """

    total: float
    count: Array
    minimum: Array
    minimum_low: Array
    maximum: Array
    maximum_low: Array

    @classmethod
    def of(cls, rows: Any, weights: Any = None) -> Self:
        """Measure dense rows of shape (n_rows, n_features)."""
        rows, weights = arrange(rows, weights, elsewhere=True)
        total = kernels.total_weight(rows, weights)
        if len(rows) == 0:
            empty, zeros = np.full(rows.shape[1], np.inf), np.zeros(rows.shape[1])
            return cls(total, zeros, empty, zeros, -empty, zeros)
        return cls(total, *kernels.extrema(rows, weights))

    def merge(self, later: Self) -> Self:
        """Extrema of these rows and the `later` ones."""
        left = _before(later.minimum, later.minimum_low, self.minimum, self.minimum_low)
        right = _before(self.maximum, self.maximum_low, later.maximum, later.maximum_low)
        return type(self)(
            self.total + later.total,
            self.count + later.count,
            np.where(left, later.minimum, self.minimum),
            np.where(left, later.minimum_low, self.minimum_low),
            np.where(right, later.maximum, self.maximum),
            np.where(right, later.maximum_low, self.maximum_low),
        )

    def affine(
        self, matrix: Any, offset: Any = 0.0, *, centre: Any = 0.0, centre_low: Any = 0.0
    ) -> Self:
        """Extrema of the rows ``matrix * (x - centre) + offset``.

        Parameters
        ----------
        matrix : array-like of shape (n_features,)
            Factor of every column; a negative one makes the largest value the smallest.
        offset, centre, centre_low : float or array-like of shape (n_features,), default=0.0
            The centre is ``centre + centre_low``.

        Returns
        -------
        extrema : Extrema

        Raises
        ------
        ValueError
            For a matrix of another shape: the extrema of columns that are mixed are not known
            from those of the columns.
        """
        if np.ndim(matrix) != 1:
            raise ValueError(f"matrix must be one factor per column; got {np.ndim(matrix)} axes")
        by = AffineMap.of(self.n_features, matrix, offset, centre, centre_low)
        seen, falling = self.count > 0, by.matrix < 0
        low, high = (
            by.image(np.where(seen, end, 0.0), end_low)
            for end, end_low in (
                (self.minimum, self.minimum_low),
                (self.maximum, self.maximum_low),
            )
        )
        return type(self)(
            self.total,
            self.count,
            np.where(seen, np.where(falling, high[0], low[0]), np.inf),
            np.where(seen, np.where(falling, high[1], low[1]), 0.0),
            np.where(seen, np.where(falling, low[0], high[0]), -np.inf),
            np.where(seen, np.where(falling, low[1], high[1]), 0.0),
        )

    @property
    def n_features(self) -> int:
        return len(self.count)

    def span(self) -> tuple[Array, Array]:
        """Maximum minus minimum as ``(width, exponent)``, standing for ``width * 2**exponent``.

        NaN where there is no value. The exponent is zero unless the width overflows.
        """
        seen = self.count > 0
        high = np.where(seen, self.maximum, np.nan)[np.newaxis]
        low = np.where(seen, self.minimum, np.nan)
        rows = kernels.WideRows(high, self.maximum_low[np.newaxis])
        with np.errstate(over="ignore", invalid="ignore"):
            width = high[0] - low
            overflows = np.isinf(width)
            exponent = overflows.astype(np.int64)
            low_parts = np.count_nonzero(self.minimum_low) + np.count_nonzero(self.maximum_low)
            if low_parts == 0 and not np.count_nonzero(overflows):
                return width, exponent
            return kernels.subtract(rows, low, self.minimum_low, exponent)[0], exponent

    def _faults(self) -> Iterator[str]:
        floats = ("count", "minimum", "minimum_low", "maximum", "maximum_low")
        yield from invariants.shapes(self, dict.fromkeys(floats, ("float64", "n_features")))
        yield from invariants.weights("total", self.total)
        yield from invariants.weights("count", self.count, self.total)
        empty = self.count == 0
        infinite = (self.minimum == np.inf) & (self.maximum == -np.inf)
        if not infinite[empty].all() or (self.minimum_low + self.maximum_low)[empty].any():
            yield "there is a minimum or maximum where there are no values"
        seen = Extrema(self.total, *(getattr(self, name)[~empty] for name in floats))
        yield from invariants.pairs(seen, "minimum", "maximum")
        if _before(seen.maximum, seen.maximum_low, seen.minimum, seen.minimum_low).any():
            yield "a minimum is larger than the maximum"


def _before(high: Array, low: Array, other: Array, other_low: Array) -> Array:
    return (high < other) | ((high == other) & (low < other_low))
