"""Mean and centred second moment of one block, column by column.

Shifted two-pass: the first pass sums deviations from the first row, the second squares
deviations from the mean. Nothing is squared before it is centred, and a constant column
has a second moment of exactly zero.

References
----------
Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983). Algorithms for computing the sample
variance: analysis and recommendations. The American Statistician 37, 242-247.
"""

from __future__ import annotations

import numpy as np

from skscale._kernels._columns import chunks, reduce_columns
from skscale._kernels._exact import Array, Rows, WideRows, subtract, two_sum

SMALLEST, LARGEST = 2.0**-400, 2.0**400
"""Deviations in this range are squared as they are; others are scaled by a power of two."""

HEADROOM = 64
"""Bits taken off values whose differences or sums overflow."""


def ordinary_exponent(magnitude: Array) -> Array:
    """Power of two to take out of `magnitude` before squaring it: 0 in the ordinary range."""
    exponent = np.frexp(magnitude)[1].astype(np.int64)
    ordinary = (magnitude == 0) | ((magnitude >= SMALLEST) & (magnitude <= LARGEST))
    return np.where(ordinary, 0, exponent)


def centre(rows: Rows, weights: Array | None) -> tuple[Array, Array, Array]:
    """Count and mean of every column of finite rows.

    Parameters
    ----------
    rows : array of shape (n_rows, n_columns), n_rows >= 1
        Finite numbers.
    weights : array of shape (n_rows, 1) or (n_rows, n_columns), or None
        Non-negative.

    Returns
    -------
    count, mean, mean_low : arrays of shape (n_columns,)
        Sum of weights, and the mean as the unevaluated sum ``mean + mean_low``.
    """
    first = rows[0]
    shift, shift_low = (
        (first.high, first.low)
        if isinstance(first, WideRows)
        else (first.astype(np.float64), np.zeros(len(first)))
    )
    count = _count(rows, weights)
    with np.errstate(over="ignore", invalid="ignore"):
        step = _mean_deviation(rows, weights, count, shift, shift_low, None)
        mean, mean_low = two_sum(shift, step)
    if not np.isfinite(mean_low).all():
        exponent = np.where(np.isfinite(mean_low), 0, HEADROOM)
        step = _mean_deviation(rows, weights, count, shift, shift_low, exponent)
        mean, mean_low = two_sum(np.ldexp(shift, -exponent), step)
        mean, mean_low = np.ldexp(mean, exponent), np.ldexp(mean_low, exponent)
    return count, *two_sum(mean, mean_low + shift_low)


def moments(
    rows: Rows, weights: Array | None, has_missing: bool
) -> tuple[Array, Array, Array, Array, Array]:
    """Count, mean and centred second moment of every column of one block.

    Parameters
    ----------
    rows : array of shape (n_rows, n_columns)
        Real numbers, or NaN where a value is missing.
    weights : array of shape (n_rows,), or None
        Positive.
    has_missing : bool
        Whether there is a NaN.

    Returns
    -------
    count, mean, mean_low, second_moment, exponent : arrays of shape (n_columns,)
        The mean is ``mean + mean_low``, the sum of squared deviations from it
        ``second_moment * 4**exponent``.
    """
    if len(rows) == 0:
        zeros = np.zeros(rows.shape[1])
        return zeros, zeros, zeros, zeros, zeros.astype(np.int64)
    columns = None if weights is None else weights[:, np.newaxis]
    if has_missing:
        rows, columns = fill_missing(rows, columns)
    count, mean, mean_low = centre(rows, columns)
    with np.errstate(over="ignore", invalid="ignore"):
        second_moment = _squares(rows, columns, mean, mean_low, None)
    exponent = np.zeros(len(count), dtype=np.int64)
    doubtful = ~((second_moment >= SMALLEST**2) & (second_moment <= LARGEST**2))
    if doubtful.any():
        exponent[doubtful] = _spread_exponent(rows[:, doubtful], mean[doubtful], mean_low[doubtful])
        if exponent.any():
            second_moment = _squares(rows, columns, mean, mean_low, exponent)
    return count, mean, mean_low, second_moment, exponent


def fill_missing(rows: Rows, weights: Array | None) -> tuple[Array, Array]:
    """Rows without NaN, and weights that are zero where it was.

    A missing cell takes the first observed value of its column, so that a constant column
    stays exactly constant.
    """
    if isinstance(rows, WideRows):  # integers beside a float column with NaN
        values, low = rows.high, rows.low
    else:
        values, low = rows, None
    missing = np.isnan(values)
    first = np.argmin(missing, axis=0)
    every = np.arange(values.shape[1])
    fill = np.where(missing[first, every], 0, values[first, every])
    filled = np.where(missing, fill, values)
    observed = np.where(missing, 0.0, 1.0 if weights is None else weights)
    if low is None:
        return filled, observed
    return WideRows(filled, np.where(missing, low[first, every], low)), observed


def _count(rows: Rows, weights: Array | None) -> Array:
    if weights is None:
        return np.full(rows.shape[1], float(len(rows)))
    return np.broadcast_to(reduce_columns(np.add, weights), rows.shape[1:]).copy()


def _mean_deviation(
    rows: Rows,
    weights: Array | None,
    count: Array,
    shift: Array,
    shift_low: Array,
    exponent: Array | None,
) -> Array:
    """Weighted mean of ``rows - shift``; 0 where a column has no weight at all."""
    sums = []
    for chunk in chunks(*rows.shape):
        deviation = subtract(rows[chunk], shift, shift_low, exponent)
        if weights is not None:
            deviation *= weights[chunk]
        sums.append(reduce_columns(np.add, deviation))
    return reduce_columns(np.add, np.array(sums)) / np.where(count == 0, 1.0, count)


def _squares(
    rows: Rows, weights: Array | None, mean: Array, mean_low: Array, exponent: Array | None
) -> Array:
    """Weighted sum of squared deviations from the mean."""
    sums = []
    for chunk in chunks(*rows.shape):
        deviation = subtract(rows[chunk], mean, mean_low, exponent)
        squares = np.multiply(deviation, deviation, out=deviation)
        if weights is not None:
            squares *= weights[chunk]
        sums.append(reduce_columns(np.add, squares))
    return reduce_columns(np.add, np.array(sums))


def _spread_exponent(rows: Rows, mean: Array, mean_low: Array) -> Array:
    """Exponent of the largest deviation of each column; 0 for a constant column."""
    with np.errstate(over="ignore", invalid="ignore"):
        # Scaled down, subnormal deviations may round away; scaled up, large ones overflow.
        down, up = np.full(len(mean), 2), np.full(len(mean), -2)
        large = np.abs(subtract(rows, mean, mean_low, down)).max(axis=0)
        small = np.abs(subtract(rows, mean, mean_low, up)).max(axis=0)
    exponent = np.where(large > 1, np.frexp(large)[1] + 2, np.frexp(small)[1] - 2)
    return np.where((large > 0) | (small > 0), exponent, 0).astype(np.int64)
