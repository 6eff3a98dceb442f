"""Count, mean and triangular factor of the centred rows."""

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
from skscale.statistics._scatter import Scatter

SMALLEST, LARGEST = 2.0**-1000, 2.0**500
"""Range of the largest numbers of columns, in their units: their squares do not overflow."""


@frozen
class Triangle:
    """Count, mean and the R of a QR factorization of the centred rows (TSQR).

    Parameters
    ----------
    total : float
        Sum of the weights of the rows.
    mean, mean_low : arrays of shape (n_features,)
        Mean as an unevaluated sum of two floats.
    triangle : array of shape (k, n_features), k <= n_features
        ``triangle.T @ triangle`` is the centred scatter matrix. Fewer than `n_features` rows
        as long as there were fewer rows of data. Column i is in units of ``2**exponent[i]``.
    exponent : integer array of shape (n_features,)
        Zero unless the deviations of a column are below 1e-120 or above 1e120.

    Raises
    ------
    MissingValueError
        NaN has no place in a factorization.

    Notes
    -----
    Nothing is squared and nothing truncated: every singular value is good to ``eps`` times
    the largest, where those of `Scatter` are good to the square root of that. Cost of `of`:
    ``2 n p**2`` flops; of `merge`: ``2/3 p**3``. The rows of a wide block are rotated, so
    that the statistic does not show them.

    References
    ----------
    Demmel, J., Grigori, L., Hoemmen, M. and Langou, J. (2012). Communication-optimal
    parallel and sequential QR and LU factorizations. SIAM Journal on Scientific Computing
    34, A206-A239.

    Examples
    --------
    >>> from skscale.statistics import Triangle
    >>> both = Triangle.of([[0, 0], [2, 0]]).merge(Triangle.of([[1, 3]]))
    >>> both.triangle.T @ both.triangle
    array([[2., 0.],
           [0., 6.]])
    """

    total: float
    mean: Array
    mean_low: Array
    triangle: Array
    exponent: Array

    @classmethod
    def of(cls, rows: Any, weights: Any = None) -> Self:
        """Measure rows of shape (n_rows, n_features): dense, CSR or CSC; NaN raises."""
        rows, weights = arrange_dense(rows, weights)
        n_features = rows.shape[1]
        if len(rows) == 0:
            zeros = np.zeros(n_features)
            return cls(0.0, zeros, zeros, np.zeros((0, n_features)), zeros.astype(np.int64))
        measure = kernels.triangle if len(rows) > n_features else kernels.wide_triangle
        mean, mean_low, triangle, exponent = measure(rows, weights)
        total = kernels.total_weight(rows, weights)
        return cls(total, mean, mean_low, settled(triangle), exponent)

    @classmethod
    def of_scatter(cls, scatter: Scatter) -> Self:
        """Triangle of the rows behind a scatter matrix, with the digits that this has kept."""
        values, vectors = np.linalg.eigh(scatter.scatter)
        root = np.sqrt(np.maximum(values, 0.0))[:, np.newaxis] * vectors.T
        return cls(
            scatter.total,
            scatter.mean,
            scatter.mean_low,
            settled(kernels.factor(root)),
            scatter.exponent,
        )

    def merge(self, later: Self) -> Self:
        """Triangle of these rows followed by the `later` ones."""
        mean, between = merge_means(self._mean(), later._mean())
        exponent = common_exponent(self._spread(), later._spread(), between.exponent)
        difference = np.ldexp(between.difference, between.exponent - exponent)
        triangle = np.ldexp(self.triangle, self.exponent - exponent)
        later_triangle = np.ldexp(later.triangle, later.exponent - exponent)
        if self.total == 0:
            triangle = later_triangle
        elif later.total > 0:
            apart = np.sqrt(between.weight) * difference
            triangle = kernels.join(triangle, later_triangle, apart)
        total, triangle = self.total + later.total, settled(triangle)
        return type(self)(total, mean.high, mean.low, triangle, exponent)

    def affine(
        self, matrix: Any, offset: Any = 0.0, *, centre: Any = 0.0, centre_low: Any = 0.0
    ) -> Self:
        """Triangle of the rows ``matrix @ (x - centre) + offset``.

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
        triangle : Triangle

        Raises
        ------
        ValueError
            If the matrix has not one column per feature.
        """
        by = AffineMap.of(self.n_features, matrix, offset, centre, centre_low)
        mean, mean_low = by.image(self.mean, self.mean_low)
        if by.is_columnwise:
            triangle, exponent = self.triangle * by.matrix, self.exponent
        else:
            largest = self.exponent.max()
            whole = np.ldexp(self.triangle, self.exponent - largest)
            triangle = kernels.factor(whole @ by.matrix.T)
            exponent = np.full(len(by.matrix), largest)
        return type(self)(self.total, mean, mean_low, settled(triangle), exponent)

    def moments(self) -> Moments:
        """Moments of the columns: the sums of their squares."""
        count, wide = np.full(self.n_features, self.total), np.zeros(self.n_features, dtype=bool)
        squares = np.einsum("ij,ij->j", self.triangle, self.triangle)
        low = np.zeros(self.n_features)
        return Moments(
            self.total, count, self.mean, self.mean_low, squares, low, self.exponent, wide
        )

    def scaled(self, factor: Array, exponent: Array) -> Self:
        """Triangle of the rows with column i multiplied by ``factor[i] * 2**exponent[i]``.

        Factors are to be of ordinary size; the mean becomes zero, for scaled rows are used
        only where the mean does not matter.
        """
        zeros = np.zeros(self.n_features)
        triangle = settled(self.triangle * factor)
        return type(self)(self.total, zeros, zeros, triangle, self.exponent + exponent)

    @property
    def n_features(self) -> int:
        return len(self.mean)

    def deviation(self, ddof: float = 0) -> tuple[Array, Array]:
        """Standard deviations as ``(width, exponent)``, standing for ``width * 2**exponent``."""
        squares = np.einsum("ij,ij->j", self.triangle, self.triangle)
        return np.sqrt(squares / degrees_of_freedom(self.total, ddof, squares)), self.exponent

    def _faults(self) -> Iterator[str]:
        yield from invariants.shapes(
            self,
            {
                "mean": ("float64", "n_features"),
                "mean_low": ("float64", "n_features"),
                "triangle": ("float64", "n_rows", "n_features"),
                "exponent": ("int64", "n_features"),
            },
        )
        yield from invariants.weights("total", self.total)
        yield from invariants.pairs(self, "mean")
        yield from invariants.exponents("exponent", self.exponent)
        if len(self.triangle) > self.n_features or np.tril(self.triangle, -1).any():
            yield "triangle is not upper triangular"
        size = np.abs(self.triangle).max(axis=0, initial=0.0)
        if not ((size == 0) | ((size >= SMALLEST) & (size <= LARGEST))).all():
            yield f"columns of triangle are beyond {SMALLEST:.0e} to {LARGEST:.0e}"
        if self.total == 0 and (self.mean.any() or self.triangle.any()):
            yield "mean and triangle are not 0 though there are no rows"

    def _mean(self) -> Mean:
        return Mean(np.full(self.n_features, self.total), self.mean, self.mean_low)

    def _spread(self) -> Array:
        return np.where((self.triangle == 0).all(axis=0), LOWEST, self.exponent)


def settled(triangle: Array) -> Array:
    """A triangle in the one memory order of its shape: by columns, as LAPACK has it, if square.

    Sums over it then have the same bits wherever it comes from, and its bytes are the same.
    """
    is_square = triangle.shape[0] == triangle.shape[1]
    return read_only(np.asarray(triangle, order="F" if is_square else "C"))
