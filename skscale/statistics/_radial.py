"""A scatter matrix with the third and fourth radial moments that shrinkage needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from skscale import _kernels as kernels
from skscale._kernels import Array
from skscale.statistics import _invariants as invariants
from skscale.statistics._means import merge_means
from skscale.statistics._protocol import arrange_dense, frozen
from skscale.statistics._scatter import Scatter

LARGEST_QUARTIC = 2.0**700
"""Sums of fourth powers are below this, in their units, for weights of ordinary size."""


@frozen
class RadialScatter:
    """Scatter matrix, and the sums of ``|y|**2 y`` and ``|y|**4`` of the centred rows y.

    Parameters
    ----------
    scatter : Scatter
        Of the rows.
    cubic : array of shape (n_features,)
        Sum of ``|y|**2 y``, in units of ``8**exponent``.
    quartic : float
        Sum of ``|y|**4``, in units of ``16**exponent``.
    exponent : int
        That of the largest standard deviation, so that fourth powers neither vanish nor overflow.

    Notes
    -----
    When the mean moves by c, ``|y + c|**2 = |y|**2 + 2 c'y + |c|**2``; expanded, the new sums
    need no more than the old ones, the scatter matrix and its trace.

    References
    ----------
    Ledoit, O. and Wolf, M. (2004). A well-conditioned estimator for large-dimensional
    covariance matrices. Journal of Multivariate Analysis 88, 365-411.

    Examples
    --------
    >>> from skscale.statistics import RadialScatter
    >>> rows = RadialScatter.of([[0.0, 0.0], [2.0, 0.0]])
    >>> rows.quartic * 16**rows.exponent
    2.0
    """

    scatter: Scatter
    cubic: Array
    quartic: float
    exponent: int

    @classmethod
    def of(cls, rows: Any, weights: Any = None) -> Self:
        """Measure rows of shape (n_rows, n_features): dense, CSR or CSC; NaN raises."""
        rows, weights = arrange_dense(rows, weights)
        scatter = Scatter.of(rows, weights)
        if len(rows) == 0:
            return cls(scatter, scatter.mean, 0.0, 0)
        _, _, deviation, exponents = kernels.centred(rows, weights)
        if weights is not None:
            deviation = deviation / np.sqrt(weights)[:, np.newaxis]
        exponent = _common(scatter)
        deviation = np.ldexp(deviation, exponents - exponent)
        square = np.einsum("ij,ij->i", deviation, deviation)
        weighted = square if weights is None else square * weights
        return cls(scatter, weighted @ deviation, float(weighted @ square), exponent)

    def merge(self, later: Self) -> Self:
        """Sums of these rows and the `later` ones, about the common mean."""
        scatter = self.scatter.merge(later.scatter)
        exponent = _common(scatter)
        _, between = merge_means(self.scatter._mean(), later.scatter._mean())
        apart = np.ldexp(between.difference, between.exponent - exponent)
        share = later.total / scatter.total if scatter.total else 0.0
        cubic, quartic = self._about(apart * share, exponent)
        later_cubic, later_quartic = later._about(-apart * (1 - share), exponent)
        return type(self)(scatter, cubic + later_cubic, quartic + later_quartic, exponent)

    def _about(self, distance: Array, exponent: int) -> tuple[Array, float]:
        """Both sums about a centre `distance` above the mean, in units of `exponent`."""
        c = -distance
        matrix = self._matrix(exponent)
        cubic = np.ldexp(self.cubic, 3 * (self.exponent - exponent))
        quartic = np.ldexp(self.quartic, 4 * (self.exponent - exponent))
        trace, square, n = np.trace(matrix), c @ c, self.total
        return (
            cubic + c * trace + 2 * matrix @ c + n * square * c,
            float(
                quartic
                + 4 * c @ cubic
                + 2 * square * trace
                + 4 * c @ matrix @ c
                + n * square * square
            ),
        )

    def in_units(self) -> tuple[Array, float]:
        """Scatter matrix and quartic sum in units of the largest standard deviation."""
        return self._matrix(self.exponent), self.quartic

    def _faults(self) -> Iterator[str]:
        yield from self.scatter._faults()
        axis = {"mean": ("float64", "n_features"), "cubic": ("float64", "n_features")}
        yield from invariants.shapes(self, axis)
        if self.exponent != _common(self.scatter):
            yield "exponent is not that of the largest standard deviation"
        largest = LARGEST_QUARTIC if self.scatter.scatter.any() else 0.0
        if not 0 <= self.quartic <= largest or not (np.abs(self.cubic) <= largest).all():
            yield f"quartic and cubic are beyond {largest:.0e}"

    def _matrix(self, exponent: int) -> Array:
        units = np.ldexp(1.0, np.clip(self.scatter.exponent - exponent, -1100, 1000))
        return self.scatter.scatter * units * units[:, np.newaxis]

    @property
    def total(self) -> float:
        return self.scatter.total

    @property
    def n_features(self) -> int:
        return self.scatter.n_features

    @property
    def mean(self) -> Array:
        return self.scatter.mean

    @property
    def mean_low(self) -> Array:
        return self.scatter.mean_low


def _common(scatter: Scatter) -> int:
    squares = np.diagonal(scatter.scatter)
    spread = squares > 0
    if not spread.any():
        return 0
    return int((np.frexp(squares[spread])[1] // 2 + scatter.exponent[spread]).max())
