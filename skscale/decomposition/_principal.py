"""Principal axes of a statistic: the two statistics are the two solvers."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import numpy as np

from skscale import _linalg as linalg
from skscale._admission import MANY
from skscale._kernels import Array
from skscale._linalg import Axes
from skscale._reduce import block_rows
from skscale.errors import TooWideError
from skscale.statistics import RadialScatter, Scatter, Triangle

WIDEST = 2**14
"""Most columns of a square matrix: 2 GiB of float64."""

DENSEST = 2**28
"""Most numbers in a triangle: 2 GiB of float64."""


@singledispatch
def principal_axes(statistic: Any, k: int | None = None, may_square: bool = False) -> Axes:
    """Principal axes of the rows behind a statistic.

    Parameters
    ----------
    statistic : Scatter, Triangle or RadialScatter
    k : int or None, default=None
        Components that are wanted; there may be more. All singular values are found.
    may_square : bool, default=False
        Whether strong axes of wide rows may be found from the products of these.
    """
    raise TypeError(f"no principal axes of {type(statistic).__name__}")


@principal_axes.register
def _(statistic: Scatter, k: int | None = None, may_square: bool = False) -> Axes:
    scatter, exponent = common_units(statistic.scatter, statistic.exponent)
    scatter, _ = common_units(scatter.T, statistic.exponent)
    return linalg.eigen_axes(scatter, statistic.total)._replace(exponent=exponent)


@principal_axes.register
def _(statistic: Triangle, k: int | None = None, may_square: bool = False) -> Axes:
    triangle, exponent = common_units(statistic.triangle, statistic.exponent)
    axes, height = None, len(triangle)
    if may_square and k is not None and 0 < 2 * height <= statistic.n_features:
        axes = linalg.gram_axes(triangle, statistic.total, k)
    if axes is None:
        axes = linalg.singular_axes(triangle, statistic.total, k)
    return axes._replace(exponent=exponent)


@principal_axes.register
def _(statistic: RadialScatter, k: int | None = None, may_square: bool = False) -> Axes:
    return principal_axes(statistic.scatter)


def common_units(matrix: Array, exponent: Array) -> tuple[Array, int]:
    """Columns brought from units of ``2**exponent[i]`` to the largest of these units."""
    if not exponent.any():
        return matrix, 0
    used = exponent[(matrix != 0).any(axis=0)]
    largest = int(used.max()) if len(used) else 0
    return np.ldexp(matrix, np.minimum(exponent - largest, 0)), largest


def recast(earlier: Any, kind: type) -> Any:
    """Earlier statistic as one of this kind.

    A scatter matrix that a fit was content with becomes a triangle before more rows come, which
    may be such that what it knows would drown in the rounding of theirs.
    """
    if kind is Triangle and isinstance(earlier, Scatter):
        return Triangle.of_scatter(earlier)
    return earlier


def tall_block_rows(n_features: int) -> int:
    """Rows of a block: several per column, so that measuring outweighs merging."""
    return max(block_rows(n_features), 8 * n_features)


def check_width(n_rows: int, n_features: int, method: str) -> None:
    """Refuse a square matrix of too many columns.

    Raises
    ------
    TooWideError
        With the size it would have, and what to use instead.
    """
    if n_features > WIDEST:
        size = 8 * n_features**2 / 2**30
        raise TooWideError(
            f"{method} keeps a matrix of {n_features} x {n_features} numbers ({size:.1f} GiB) "
            f"for {counted(n_rows)} rows of {n_features} columns; the limit is {WIDEST} columns. "
            "Reduce the columns first: PCA(n_components=...) on dense rows or TruncatedSVD of "
            "scikit-learn on sparse ones."
        )


def check_triangle(n_rows: int, n_features: int) -> None:
    """Refuse a triangle of too many numbers.

    Raises
    ------
    TooWideError
        With the size it would have, and what to use instead.
    """
    height = min(n_rows, n_features)
    if height * n_features > DENSEST:
        size = 8 * height * n_features / 2**30
        raise TooWideError(
            f"PCA keeps min(n_samples, n_features) x n_features = {height} x {n_features} numbers "
            f"({size:.1f} GiB) of {counted(n_rows)} rows of {n_features} columns; the limit is "
            f"{8 * DENSEST / 2**30:.0f} GiB. Use TruncatedSVD of scikit-learn, or reduce the "
            "columns first."
        )


def counted(n_rows: int) -> str:
    """A number of rows, in words where it is not known."""
    return str(n_rows) if n_rows < MANY else "an unknown number of"
