"""What the numbers of a table look like: the little that tells whether they were scaled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import numpy as np
from scipy import sparse

from skscale import _tables as tables
from skscale._blocks import measure_table
from skscale._kernels import Array, narrow
from skscale._reduce import block_rows, cut
from skscale._tables import Table
from skscale.statistics import Extrema, Moments


class Tolerance(NamedTuple):
    """How near to 0 a mean, and to 1 a deviation, must be: both, or one alone; and an extreme.

    Scaling leaves rounding errors of about ``eps * |mean| / deviation`` of the raw column, so raw
    means of up to 1e9 deviations pass in float64, and of 100 in float32.
    """

    moment: float
    alone: float
    bound: float


TOLERANCES = {
    np.dtype(np.float64): Tolerance(1e-6, 1e-9, 1e-12),
    np.dtype(np.float32): Tolerance(3e-5, 3e-5, 5e-7),
    np.dtype(np.float16): Tolerance(3e-3, 3e-3, 1e-3),
}


class Profile(NamedTuple):
    """Moments and extrema of the columns of rows, and whether all values are integers."""

    moments: Moments
    extrema: Extrema
    whole: Array

    @classmethod
    def of(cls, rows: Any, weights: Any = None) -> Self:
        """Measure rows of shape (n_rows, n_features)."""
        rows = rows.toarray() if sparse.issparse(rows) else rows
        values = narrow(rows)
        whole = ((values == np.rint(values)) | np.isnan(values)).all(axis=0)
        return cls(Moments.of(rows), Extrema.of(rows), whole)

    def merge(self, later: Self) -> Self:
        """Profile of these rows and the `later` ones."""
        return type(self)(
            self.moments.merge(later.moments),
            self.extrema.merge(later.extrema),
            self.whole & later.whole,
        )

    @property
    def deviation(self) -> Array:
        """Standard deviations."""
        width, exponent = self.moments.deviation()
        return np.ldexp(width, exponent)

    @property
    def may_be_scaled(self) -> Array:
        """Columns that vary, over 3 rows at least, and are not integers."""
        return (self.moments.count > 2) & (self.deviation > 0) & ~self.whole

    def centred(self, within: float) -> Array:
        """Columns of mean 0: off by less than `within` of a deviation; integers are none."""
        near = np.abs(self.moments.mean) <= within * self.deviation
        return near & self.may_be_scaled

    def unit(self, within: float) -> Array:
        """Columns whose deviation (divisor n or n - 1) or norm is 1; integers are none."""
        count = self.moments.count
        second = self.moments.variance() * count
        with np.errstate(invalid="ignore", divide="ignore"):
            squares = np.array([second / count, second / (count - 1), second])
            is_unit = (np.abs(np.sqrt(squares) - 1) <= within).any(axis=0)
        return is_unit & self.may_be_scaled

    def standardized(self, within: float) -> Array:
        """Columns of mean 0 and of deviation, or norm, 1."""
        return self.centred(within) & self.unit(within)

    def fills(self, low: float, within: float) -> Array:
        """Columns, other than integers, whose minimum is `low` and whose maximum is 1."""
        least, most = self.extrema.minimum, self.extrema.maximum
        near = (np.abs(least - low) <= within) & (np.abs(most - 1) <= within)
        return near & self.may_be_scaled

    def chance_of_mean(self, tolerance: float) -> float:
        """Probability, at most, that a mean is `tolerance` deviations from 0.

        At worst the means of n rows are spread by ``1 / sqrt(n)`` around just that.
        """
        return min(1.0, tolerance * float(np.sqrt(self.moments.total)))

    def chance_of_unit(self, tolerance: float) -> float:
        """Probability, at most, that a deviation is so near to one of the three targets.

        Deviations are spread by ``1 / sqrt(2 n)`` for normal and ``1 / sqrt(5 n)`` for even values.
        """
        return min(1.0, 6 * tolerance * float(np.sqrt(self.moments.total)))


class Columns(NamedTuple):
    """The columns of a table that are numbers, measured.

    Parameters
    ----------
    table : Table
        Their rows.
    labels : list
        Their names; positions in the whole table where it has no names.
    profile : Profile
        What they look like.
    """

    table: Table
    labels: list[Any]
    profile: Profile

    @property
    def tolerance(self) -> Tolerance:
        return TOLERANCES[self.table.dtype]

    def blocks(self) -> Iterator[Array]:
        """The rows, dense, as floats, block by block."""
        for rows in cut(self.table.shape[0], block_rows(self.table.shape[1])):
            block: Any = self.table.rows(rows)
            yield block.toarray() if sparse.issparse(block) else narrow(block)

    def column(self, position: int) -> Array:
        """The values of one column, those that are missing left out."""
        values = np.concatenate([block[:, position] for block in self.blocks()])
        return values[~np.isnan(values)]


def read_numbers(X: Any, positions: list[int], check: str) -> Columns:
    """Measure the given columns of a table, in one pass.

    Raises
    ------
    InfiniteValueError
        With the first infinity.
    """
    table = tables.read_columns(X, positions)
    profile = measure_table(table, None, Profile.of, block_rows(table.shape[1]), check)
    labels = positions if table.names is None else table.names
    return Columns(table, labels, profile)


def correlates(columns: list[Columns], chosen: Array, profile: Profile) -> bool:
    """Whether any two of the chosen columns of mean 0 are correlated at all.

    Instead of all pairs, the correlation matrix times one random vector is looked at: it is the
    vector itself if, and with probability 1 only if, the matrix is the identity. Cost: O(n p).
    """
    deviation, mean = profile.deviation[chosen], profile.moments.mean[chosen]
    vector = np.random.default_rng(0).standard_normal(len(deviation))
    image = np.zeros(len(deviation))
    for part in columns:
        for block in part.blocks():
            z = (block[:, chosen] - mean) / deviation
            image += (z @ vector) @ z
    distance = image / profile.moments.total - vector
    tolerance = max(part.tolerance.moment for part in columns)
    return not bool((np.abs(distance) <= tolerance * np.linalg.norm(vector)).all())
