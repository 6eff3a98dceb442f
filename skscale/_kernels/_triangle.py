"""Triangular factor of centred rows: the R of a QR factorization, a few rows per column at a time.

Columns of a buffer are contiguous, as LAPACK wants them, and the factor so far stands on top of the
next rows in it: nothing is copied but the rows themselves, as they are centred.

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
from skscale._kernels._moments import is_ordinary_square, near_mean
from skscale._kernels._scatter import centred, unusual_exponent

TALL = 8
"""Rows per column that are factored at once: the factor on top of them adds an eighth."""


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
    """R of ``rows == Q R``, with ``min(rows.shape)`` rows; rows by columns are overwritten."""
    height = min(rows.shape)
    if height == 0:
        return np.zeros((0, rows.shape[1]))
    work, _ = lapack.dgeqrf_lwork(*rows.shape)
    reduced, _, _, _ = lapack.dgeqrf(rows, lwork=int(work), overwrite_a=1)
    return np.triu(reduced[:height])


def _fold(shape: tuple[int, ...], fill: Callable[[slice, Array], None]) -> Array:
    """Triangular factor of rows that `fill` writes, some at a time."""
    n_rows, n_columns = shape
    height = max(TALL * n_columns, CHUNK // 2 // n_columns)
    buffer = np.empty((0, n_columns))
    found, start = np.empty((0, n_columns)), 0
    while start < n_rows:
        stop = min(start + height + n_columns - len(found), n_rows)
        size = (len(found) + stop - start, n_columns)
        if buffer.shape != size:
            buffer = np.empty(size, order="F")
        buffer[: len(found)] = found
        fill(slice(start, stop), buffer[len(found) :])
        found, start = factor(buffer), stop
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
