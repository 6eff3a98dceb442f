"""Triangular factor of centred rows: the R of a QR factorization, a few rows per column at a time.

The factor so far stands on top of the next rows, which are centred straight into a buffer with
contiguous columns, as LAPACK wants them.

References
----------
Demmel, J., Grigori, L., Hoemmen, M. and Langou, J. (2012). Communication-optimal parallel and
sequential QR and LU factorizations. SIAM Journal on Scientific Computing 34, A206-A239.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import lapack

from skscale._kernels._columns import CHUNK, check_complete, reduce_columns, total_weight
from skscale._kernels._exact import Array, Rows, subtract, two_sum
from skscale._kernels._lapack import absorb
from skscale._kernels._moments import is_ordinary_square, near_mean
from skscale._kernels._scatter import centred, unusual_exponent

TALL = 8
"""Rows per column that are factored at once, while they stay in a cache."""

WIDE = 4
"""Columns per row from which rows are rotated by one product rather than reflector by reflector."""


def triangle(rows: Rows, weights: Array | None) -> tuple[Array, Array, Array, Array]:
    """Mean and triangular factor of the centred rows.

    Parameters
    ----------
    rows : array of shape (n_rows, n_columns), n_rows > n_columns
        Real numbers. They are looked at for NaN and infinity where the result shows that there
        may be some.
    weights : array of shape (n_rows,), or None
        Positive.

    Returns
    -------
    mean, mean_low : arrays of shape (n_columns,)
        Mean as an unevaluated sum.
    factor : array of shape (n_columns, n_columns)
        Upper triangular, column i in units of ``2**exponent[i]``.
    exponent : integer array of shape (n_columns,)
        Zero for columns whose squares neither vanish nor overflow.

    Raises
    ------
    InfiniteValueError, MissingValueError
    """
    roots = None if weights is None else np.sqrt(weights)[:, np.newaxis]
    mean, mean_low = _mean(rows, weights)

    def centre(part: slice, out: Array) -> None:
        out[...] = subtract(rows[part], mean, mean_low, out=out)
        if roots is not None:
            out *= roots[part]

    usual = np.zeros(len(mean), dtype=bool)
    if is_finite := bool(np.isfinite(mean).all()):
        with np.errstate(over="ignore", invalid="ignore"):
            found = _fold(rows.shape, centre)
            usual = is_ordinary_square(np.einsum("ij,ij->j", found, found))
    exponent = unusual_exponent(rows, usual)
    if is_finite and not exponent.any():
        return mean, mean_low, found, exponent
    mean, mean_low, deviation, exponent = centred(rows, weights)

    def copy(part: slice, out: Array) -> None:
        out[...] = deviation[part]

    return mean, mean_low, _fold(rows.shape, copy), exponent


def wide_triangle(rows: Rows, weights: Array | None) -> tuple[Array, Array, Array, Array]:
    """As `triangle`, for no more rows than columns: the factor has one row less than there are.

    Rows are rotated as the first columns need it to become triangular, by one matrix for all
    columns, which are centred and rotated a few at a time.
    """
    check_complete(rows)
    n_rows, n_columns = rows.shape
    if n_columns < WIDE * n_rows:
        mean, mean_low, deviation, exponent = centred(rows, weights)
        return mean, mean_low, factor(_drop_mean(deviation, weights)), exponent
    _, _, deviation, _ = centred(rows[:, :n_rows], weights)
    rotation = _rotation(_drop_mean(deviation, weights)) @ _drop_mean(np.eye(n_rows), weights)
    mean, mean_low, found = (
        np.empty(n_columns),
        np.empty(n_columns),
        np.empty((n_rows - 1, n_columns)),
    )
    exponent = np.empty(n_columns, dtype=np.int64)
    step = max(1, CHUNK // n_rows)
    for start in range(0, n_columns, step):
        part = slice(start, start + step)
        mean[part], mean_low[part], deviation, exponent[part] = centred(rows[:, part], weights)
        np.matmul(rotation, deviation, out=found[:, part])
    found[:, : n_rows - 1] = np.triu(found[:, : n_rows - 1])
    return mean, mean_low, found, exponent


def factor(rows: Array) -> Array:
    """R of ``rows == Q R``, with ``min(rows.shape)`` rows; `rows` may be overwritten."""
    height, n_columns = min(rows.shape), rows.shape[1]
    if height == 0:
        return np.zeros((0, n_columns))
    if n_columns >= WIDE * height:
        found = _rotation(rows[:, :height]) @ rows
        found[:, :height] = np.triu(found[:, :height])
        return found
    work, _ = lapack.dgeqrf_lwork(*rows.shape)
    reduced, _, _, _ = lapack.dgeqrf(rows, lwork=int(work), overwrite_a=1)
    return np.triu(reduced[:height])


def join(first: Array, second: Array, between: Array) -> Array:
    """R of one factor on top of another and of one more row."""
    n_columns = len(between)
    if len(first) < n_columns or len(second) < n_columns:
        return factor(np.vstack([first, second, between]))
    found = np.array(first, order="F")
    absorb(found, np.asfortranarray(np.vstack([between, second])), n_columns)
    return found


def _fold(shape: tuple[int, ...], fill: Callable[[slice, Array], None]) -> Array:
    """Triangular factor of rows that `fill` writes, some at a time."""
    n_rows, n_columns = shape
    height = min(n_rows, max(TALL * n_columns, CHUNK // 2 // n_columns))
    buffer = np.empty((height, n_columns), order="F")
    found = np.zeros((n_columns, n_columns), order="F")
    for start in range(0, n_rows, height):
        rows = buffer[: n_rows - start]
        fill(slice(start, start + len(rows)), rows)
        absorb(found, rows)
    return found


def _mean(rows: Rows, weights: Array | None) -> tuple[Array, Array]:
    """Mean, from deviations from a sample of the rows, which is within a few spreads of it."""
    start, low = near_mean(rows, None if weights is None else weights[:, np.newaxis])
    step = max(1, CHUNK // rows.shape[1])
    buffer = np.empty((min(step, len(rows)), rows.shape[1]))
    sums = []
    with np.errstate(over="ignore", invalid="ignore"):
        for first in range(0, len(rows), step):
            chunk = slice(first, first + step)
            deviation = subtract(rows[chunk], start, low, out=buffer[: len(rows) - first])
            if weights is not None:
                deviation *= weights[chunk][:, np.newaxis]
            sums.append(reduce_columns(np.add, deviation))
        mean, mean_low = two_sum(
            start, reduce_columns(np.add, np.array(sums)) / total_weight(rows, weights)
        )
        if low is not None:
            mean, mean_low = two_sum(mean, mean_low + low)
    return mean, mean_low


def _rotation(rows: Array) -> Array:
    """The transpose of Q of ``rows == Q R``, square."""
    return np.linalg.qr(rows)[0].T


def _drop_mean(deviation: Array, weights: Array | None) -> Array:
    """Turn the n rows so that the first holds their mean, which is zero, and drop it.

    A Householder reflection takes the vector of (square roots of) weights to the first
    axis: n centred rows have rank n - 1 at most.
    """
    direction = np.ones(len(deviation)) if weights is None else np.sqrt(weights)
    direction = direction / np.linalg.norm(direction)
    direction[0] += 1.0  # no cancellation: weights are positive
    projection = direction @ deviation / direction[0]
    return deviation[1:] - np.outer(direction[1:], projection)
