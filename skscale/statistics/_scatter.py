"""Count, mean and centred scatter matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from skscale import _kernels as kernels
from skscale._kernels import LOWEST, Array
from skscale.statistics import _invariants as invariants
from skscale.statistics._affine import AffineMap
from skscale.statistics._freedom import degrees_of_freedom
from skscale.statistics._means import Mean, common_exponent, merge_means
from skscale.statistics._moments import Moments
from skscale.statistics._protocol import arrange_dense, frozen, read_only

TOUCHING = 2.0**-40
"""Part by which an entry may be larger than its diagonal allows, as that of columns that repeat."""


@frozen
class Scatter:
    """Count, mean and centred scatter matrix: sum of ``(x - mean)(x - mean)'``.

    Parameters
    ----------
    total : float
        Sum of the weights of the rows.
    mean, mean_low : arrays of shape (n_features,)
        Mean as an unevaluated sum of two floats.
    scatter, scatter_low : arrays of shape (n_features, n_features)
        As an unevaluated sum of two floats. Entry ``i, j`` is in units of
        ``2**(exponent[i] + exponent[j])``.
    exponent : integer array of shape (n_features,)
        Zero unless the deviations of a column are below 1e-120 or above 1e120.

    Raises
    ------
    MissingValueError
        NaN has no place in a scatter matrix.

    Notes
    -----
    Integer weights mean repetition. Cost of `of`: ``n p**2`` flops; of `merge`: O(p**2).
    Eigenvalues of the matrix are good to ``eps`` times the largest, so that directions
    below 1e-8 of the first have no digits left: `Triangle` keeps them.

    References
    ----------
    Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983). Algorithms for computing the sample
    variance: analysis and recommendations. The American Statistician 37, 242-247.

    Examples
    --------
    >>> from skscale.statistics import Scatter
    >>> Scatter.of([[0, 0], [2, 0]]).merge(Scatter.of([[1, 3]])).scatter
    array([[2., 0.],
           [0., 6.]])
    """

    total: float
    mean: Array
    mean_low: Array
    scatter: Array
    scatter_low: Array
    exponent: Array

    @classmethod
    def of(cls, rows: Any, weights: Any = None) -> Self:
        """Measure rows of shape (n_rows, n_features): dense, CSR or CSC; NaN raises."""
        rows, weights = arrange_dense(rows, weights, elsewhere=True)
        if len(rows) == 0:
            vector = np.zeros(rows.shape[1])
            matrix = np.zeros((rows.shape[1], rows.shape[1]))
            return cls(0.0, vector, vector, matrix, matrix, vector.astype(np.int64))
        mean, mean_low, matrix, exponent = kernels.scatter(rows, weights)
        total = kernels.total_weight(rows, weights)
        low = np.zeros_like(matrix)
        return cls(total, mean, mean_low, read_only(matrix), read_only(low), exponent)

    def merge(self, later: Self) -> Self:
        """Scatter of these rows followed by the `later` ones."""
        exponent, merged = self.exponent, None
        if not (np.count_nonzero(exponent) or np.count_nonzero(later.exponent)):
            merged = kernels.merge_scatter(self._parts(), later._parts())
        if merged is None:
            mean, between = merge_means(self._mean(), later._mean())
            exponent = common_exponent(self._spread(), later._spread(), between.exponent)
            difference = np.ldexp(between.difference, between.exponent - exponent)
            matrices = self._matrix(exponent), later._matrix(exponent)
            merged = (
                mean.high,
                mean.low,
                *kernels.add_scatter(*matrices, difference, between.weight),
            )
        mean_high, mean_low, scatter, low = map(read_only, merged)
        total = self.total + later.total
        return type(self)(total, mean_high, mean_low, scatter, low, exponent)

    def affine(
        self, matrix: Any, offset: Any = 0.0, *, centre: Any = 0.0, centre_low: Any = 0.0
    ) -> Self:
        """Scatter of the rows ``matrix @ (x - centre) + offset``.

        Parameters
        ----------
        matrix : array-like of shape (n_out, n_features) or (n_features,)
            Numbers of ordinary size; a vector is one factor per column.
        offset : float or array-like of shape (n_out,), default=0.0
            Image of the centre.
        centre, centre_low : float or array-like of shape (n_features,), default=0.0
            The centre is ``centre + centre_low``. One near the mean keeps all digits of the
            new mean.

        Returns
        -------
        scatter : Scatter

        Raises
        ------
        ValueError
            If the matrix has not one column per feature.
        """
        by = AffineMap.of(self.n_features, matrix, offset, centre, centre_low)
        mean, mean_low = by.image(self.mean, self.mean_low)
        if by.is_columnwise:
            factor = by.matrix[:, np.newaxis] * by.matrix
            scatter, low, exponent = self.scatter * factor, self.scatter_low * factor, self.exponent
        else:
            largest = self.exponent.max()
            whole = _rescale(self.scatter, self.exponent - largest)
            scatter = by.matrix @ whole @ by.matrix.T
            scatter = _possible((scatter + scatter.T) / 2)
            low, exponent = np.zeros_like(scatter), np.full(len(scatter), largest)
        return type(self)(self.total, mean, mean_low, read_only(scatter), read_only(low), exponent)

    def moments(self) -> Moments:
        """Moments of the columns: the diagonal."""
        count, wide = np.full(self.n_features, self.total), np.zeros(self.n_features, dtype=bool)
        squares, low = np.diagonal(self.scatter), np.diagonal(self.scatter_low)
        return Moments(
            self.total, count, self.mean, self.mean_low, squares, low, self.exponent, wide
        )

    def scaled(self, factor: Array, exponent: Array) -> Self:
        """Scatter of the rows with column i multiplied by ``factor[i] * 2**exponent[i]``.

        Factors are to be of ordinary size; the mean becomes zero, for scaled rows are used
        only where the mean does not matter.
        """
        product = self.scatter * factor * factor[:, np.newaxis]
        low = self.scatter_low * factor * factor[:, np.newaxis]
        zeros = np.zeros(self.n_features)
        return type(self)(self.total, zeros, zeros, product, low, self.exponent + exponent)

    @property
    def n_features(self) -> int:
        return len(self.mean)

    def deviation(self, ddof: float = 0) -> tuple[Array, Array]:
        """Standard deviations as ``(width, exponent)``, standing for ``width * 2**exponent``."""
        diagonal = np.diagonal(self.scatter)
        return np.sqrt(diagonal / degrees_of_freedom(self.total, ddof, diagonal)), self.exponent

    def _faults(self) -> Iterator[str]:
        vector, matrix = ("float64", "n_features"), ("float64", "n_features", "n_features")
        yield from invariants.shapes(
            self,
            {
                "mean": vector,
                "mean_low": vector,
                "scatter": matrix,
                "scatter_low": matrix,
                "exponent": ("int64", "n_features"),
            },
        )
        yield from invariants.weights("total", self.total)
        yield from invariants.pairs(self, "mean", "scatter")
        yield from invariants.squares("the diagonal of scatter", np.diagonal(self.scatter))
        yield from invariants.exponents("exponent", self.exponent)
        # Cauchy and Schwarz; what comes after is at most as far from symmetric as rounding is.
        bound = _largest(np.diagonal(self.scatter)) * (1 + invariants.SLACK)
        if (np.abs(self.scatter) > bound).any():
            yield "an entry of scatter is larger than its diagonal allows"
        if (np.abs(self.scatter - self.scatter.T) > invariants.SLACK * bound).any():
            yield "scatter is not symmetric"
        if self.total == 0 and (self.mean.any() or self.scatter.any()):
            yield "mean and scatter are not 0 though there are no rows"

    def _mean(self) -> Mean:
        return Mean(np.full(self.n_features, self.total), self.mean, self.mean_low)

    def _parts(self) -> tuple[float, Array, Array, Array, Array]:
        return self.total, self.mean, self.mean_low, self.scatter, self.scatter_low

    def _matrix(self, exponent: Array) -> tuple[Array, Array]:
        """Both parts of the matrix in units of ``2**exponent``."""
        shift = self.exponent - exponent
        if not shift.any():
            return self.scatter, self.scatter_low
        return _rescale(self.scatter, shift), _rescale(self.scatter_low, shift)

    def _spread(self) -> Array:
        return np.where(np.diagonal(self.scatter) == 0, LOWEST, self.exponent)


def _possible(scatter: Array) -> Array:
    """A matrix with what rounding made impossible taken off: negative squares, say.

    It happens where a map takes nearly all variance off, as whitening of few directions does.
    """
    diagonal = np.maximum(np.diagonal(scatter), 0.0)
    bound = _largest(diagonal)
    scatter = np.where(
        np.abs(scatter) > bound * (1 + TOUCHING), np.clip(scatter, -bound, bound), scatter
    )
    np.fill_diagonal(scatter, diagonal)
    return scatter


def _largest(diagonal: Array) -> Array:
    """The largest that the entries of a scatter matrix with this diagonal can be."""
    width = np.sqrt(diagonal)
    return width[:, np.newaxis] * width


def _rescale(scatter: Array, shift: Array) -> Array:
    factor = np.ldexp(1.0, np.clip(shift, -1100, 1000))
    return (scatter * factor) * factor[:, np.newaxis]
