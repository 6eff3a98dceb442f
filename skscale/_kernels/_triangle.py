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

from skscale._kernels._columns import CHUNK, reduce_columns, total_weight
from skscale._kernels._exact import Array, Rows, subtract, two_sum
from skscale._kernels._lapack import absorb
from skscale._kernels._moments import is_ordinary_square, near_mean
from skscale._kernels._scatter import centred, unusual_exponent

TALL = 8
"""Rows per column that are factored at once, while they stay in a cache."""


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

    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(mean).all():
            found = _fold(rows.shape, centre)
            usual = is_ordinary_square(np.einsum("ij,ij->j", found, found))
        else:
            usual = np.zeros(len(mean), dtype=bool)
    exponent = unusual_exponent(rows, usual)
    if not exponent.any():
        return mean, mean_low, found, exponent
    mean, mean_low, deviation, exponent = centred(rows, weights)

    def copy(part: slice, out: Array) -> None:
        out[...] = deviation[part]

    return mean, mean_low, _fold(rows.shape, copy), exponent


def factor(rows: Array) -> Array:
    """R of ``rows == Q R``, with ``min(rows.shape)`` rows; `rows` may be overwritten."""
    height = min(rows.shape)
    if height == 0:
        return np.zeros((0, rows.shape[1]))
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
