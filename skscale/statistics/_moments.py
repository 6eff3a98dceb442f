"""Count, mean and centred second moment of every column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from scipy import sparse

from skscale import _kernels as kernels
from skscale._kernels import LOWEST, Array
from skscale.statistics import _invariants as invariants
from skscale.statistics._affine import AffineMap
from skscale.statistics._freedom import degrees_of_freedom
from skscale.statistics._means import Mean, common_exponent, merge_means
from skscale.statistics._protocol import arrange, frozen


@frozen
class Moments:
    """Count, mean and centred second moment of every column; NaN is left out.

    Parameters
    ----------
    total : float
        Sum of the weights of all rows.
    count : array of shape (n_features,)
        Sum of the weights of the rows that have a value in the column.
    mean, mean_low : arrays of shape (n_features,)
        Mean as an unevaluated sum of two floats, about 32 digits; 0 where `count` is 0.
    second_moment, second_moment_low : arrays of shape (n_features,)
        Sum of squared deviations from the mean, as an unevaluated sum of two floats.
    exponent : integer array of shape (n_features,)
        The second moment is in units of ``4**exponent``. Zero unless the deviations are
        below 1e-120 or above 1e120, so that their squares neither vanish nor overflow.
    wide : bool array of shape (n_features,)
        Whether the column held integers that float64 cannot hold. They are taken exactly, so
        that a spread below the spacing of floats is no rounding noise.

    Notes
    -----
    Integer weights mean repetition. Cost of `of`: two passes over a block in cache; of
    `merge`: O(n_features). A column has a second moment of exactly 0 if and only if all its
    values are equal.

    References
    ----------
    Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983). Algorithms for computing the sample
    variance: analysis and recommendations. The American Statistician 37, 242-247.

    Examples
    --------
    >>> import numpy as np
    >>> from skscale.statistics import Moments
    >>> earlier, later = Moments.of([[1.0], [2.0]]), Moments.of([[3.0], [np.nan]])
    >>> both = earlier.merge(later)
    >>> both.count, both.mean, both.variance()
    (array([3.]), array([2.]), array([0.66666667]))
    """

    total: float
    count: Array
    mean: Array
    mean_low: Array
    second_moment: Array
    second_moment_low: Array
    exponent: Array
    wide: Array

    @classmethod
    def of(cls, rows: Any, weights: Any = None) -> Self:
        """Measure rows of shape (n_rows, n_features): dense, CSR or CSC."""
        rows, weights = arrange(rows, weights, elsewhere=True)
        if sparse.issparse(rows):
            has_missing = kernels.check_stored(rows)
            rows = rows.tocsc(copy=True)
            rows.sum_duplicates()
            measured = kernels.sparse_moments(rows, weights, has_missing)
        else:
            measured = kernels.moments(rows, weights)
        count, mean, mean_low, second_moment, exponent = measured
        zeros = np.zeros(len(count))
        is_wide = isinstance(rows, kernels.WideRows)
        wide = rows.low.any(axis=0) if is_wide else zeros
        return cls(
            kernels.total_weight(rows, weights),
            count,
            mean,
            mean_low,
            second_moment,
            zeros,
            exponent,
            wide.astype(bool),
        )

    def merge(self, later: Self) -> Self:
        """Moments of these rows followed by the `later` ones."""
        (count, mean, mean_low), between = merge_means(self._mean(), later._mean())
        exponent = common_exponent(
            np.where(self.second_moment == 0, LOWEST, self.exponent),
            np.where(later.second_moment == 0, LOWEST, later.exponent),
            between.exponent,
        )
        shift, later_shift = 2 * (self.exponent - exponent), 2 * (later.exponent - exponent)
        difference = np.ldexp(between.difference, between.exponent - exponent)
        second, error = kernels.two_sum(
            np.ldexp(self.second_moment, shift), np.ldexp(later.second_moment, later_shift)
        )
        low = np.ldexp(self.second_moment_low, shift)
        low += np.ldexp(later.second_moment_low, later_shift) + error
        second, error = kernels.two_sum(second, difference * difference * between.weight)
        second, low = kernels.two_sum(second, low + error)
        return type(self)(
            self.total + later.total,
            count,
            mean,
            mean_low,
            second,
            low,
            exponent,
            self.wide | later.wide,
        )

    def affine(
        self, matrix: Any, offset: Any = 0.0, *, centre: Any = 0.0, centre_low: Any = 0.0
    ) -> Self:
        """Moments of the rows ``matrix * (x - centre) + offset``.

        Parameters
        ----------
        matrix : array-like of shape (n_features,)
            Factor of every column, of ordinary size.
        offset, centre, centre_low : float or array-like of shape (n_features,), default=0.0
            The centre is ``centre + centre_low``.

        Returns
        -------
        moments : Moments

        Raises
        ------
        ValueError
            For a matrix of another shape: columns that are mixed have moments that depend on
            more than their own, which `Scatter.affine` knows.
        """
        if np.ndim(matrix) != 1:
            raise ValueError(f"matrix must be one factor per column; got {np.ndim(matrix)} axes")
        by = AffineMap.of(self.n_features, matrix, offset, centre, centre_low)
        mean, mean_low = by.image(self.mean, self.mean_low)
        return type(self)(
            self.total,
            self.count,
            np.where(self.count > 0, mean, 0.0),
            np.where(self.count > 0, mean_low, 0.0),
            np.where(self.second_moment == 0, 0.0, self.second_moment * by.matrix**2),
            np.where(self.second_moment == 0, 0.0, self.second_moment_low * by.matrix**2),
            self.exponent,
            np.zeros_like(self.wide),
        )

    @property
    def n_features(self) -> int:
        return len(self.count)

    def deviation(self, ddof: float = 0) -> tuple[Array, Array]:
        """Standard deviation as ``(width, exponent)``, standing for ``width * 2**exponent``.

        0 where there are not more than `ddof` values to take it from. Weights that are shares
        instead of repetitions, so that different values weigh 1 together, raise.
        """
        return np.sqrt(self._mean_square(ddof)), self.exponent

    def variance(self, ddof: float = 0) -> Array:
        """Second moment divided by ``count - ddof``.

        NaN where there is no value, 0 where there are not more than `ddof`, and ``inf`` or 0
        where it is beyond float64 though the standard deviation is not.
        """
        with np.errstate(over="ignore"):
            variance = np.ldexp(self._mean_square(ddof), 2 * self.exponent)
        return np.where(self.count == 0, np.nan, variance)

    def _faults(self) -> Iterator[str]:
        floats = ("count", "mean", "mean_low", "second_moment", "second_moment_low")
        yield from invariants.shapes(
            self,
            dict.fromkeys(floats, ("float64", "n_features"))
            | {"exponent": ("int64", "n_features"), "wide": ("bool", "n_features")},
        )
        yield from invariants.weights("total", self.total)
        yield from invariants.weights("count", self.count, self.total)
        yield from invariants.pairs(self, "mean", "second_moment")
        yield from invariants.squares("second_moment", self.second_moment)
        yield from invariants.exponents("exponent", self.exponent)
        yield from invariants.zero(self.count == 0, self, "mean", "second_moment")

    def _mean_square(self, ddof: float) -> Array:
        freedom = degrees_of_freedom(self.count, ddof, self.second_moment)
        return self.second_moment / freedom

    def _mean(self) -> Mean:
        return Mean(self.count, self.mean, self.mean_low)
