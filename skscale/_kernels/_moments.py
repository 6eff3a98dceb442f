"""Mean and centred second moment of one block, column by column.

A few rows give a centre near the mean; deviations from it are summed and squared in one go,
and the small rest is taken off. Where the few rows misled, the mean found is the centre of a
second go. Nothing is squared before it is centred, and a constant column has a second moment
of exactly zero.

References
----------
Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983). Algorithms for computing the sample
variance: analysis and recommendations. The American Statistician 37, 242-247.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skscale._kernels._columns import check_finite, chunks, reduce_columns
from skscale._kernels._exact import (
    Array,
    Elsewhere,
    Rows,
    WideRows,
    as_rows,
    first_row,
    subtract,
    two_sum,
)

SMALLEST, LARGEST = 2.0**-400, 2.0**400
"""Deviations in this range are squared as they are; others are scaled by a power of two."""

TINY = float(np.finfo(np.float64).tiny)

SAMPLE = 16
"""One row in so many gives the first centre, or more, for there to be `ENOUGH`."""

ENOUGH = 256
"""Rows whose mean is as good as always close to that of the others."""

PLENTY = 1024
"""Rows of which more do not help: each is a line of the cache, or one for every column."""

CLOSE = 1 / 64
"""Largest square of the distance from centre to mean, in variances, that is taken off."""

HEADROOM = 64
"""Bits taken off values whose differences or sums overflow."""


def ordinary_exponent(magnitude: Array) -> Array:
    """Power of two to take out of `magnitude` before squaring it: 0 in the ordinary range."""
    exponent = np.frexp(magnitude)[1].astype(np.int64)
    ordinary = (magnitude == 0) | ((magnitude >= SMALLEST) & (magnitude <= LARGEST))
    return np.where(ordinary, 0, exponent)


def is_ordinary_square(square: Array) -> Array:
    """Whether sums of squares are far from the ends of the range of float64; zero is not."""
    return (square >= SMALLEST**2) & (square <= LARGEST**2)


class Centred(NamedTuple):
    """Sums over deviations from a centre: what one go over a block gives.

    `step` is the mean deviation, so that the mean is ``centre + centre_low + step``, and
    `squares` the sum of squared deviations from the centre.
    """

    centre: Array
    centre_low: Array | None
    step: Array
    squares: Array


def moments(
    rows: Rows | Elsewhere, weights: Array | None
) -> tuple[Array, Array, Array, Array, Array]:
    """Count, mean and centred second moment of every column of one block.

    Parameters
    ----------
    rows : array or Elsewhere of shape (n_rows, n_columns)
        Real numbers, or NaN where a value is missing.
    weights : array of shape (n_rows,), or None
        Positive.

    Returns
    -------
    count, mean, mean_low, second_moment, exponent : arrays of shape (n_columns,)
        The mean is ``mean + mean_low``, the sum of squared deviations from it
        ``second_moment * 4**exponent``.

    Raises
    ------
    InfiniteValueError
        With the position of the first infinity.
    """
    rows = as_rows(rows)
    if len(rows) == 0:
        zeros = np.zeros(rows.shape[1])
        return zeros, zeros, zeros, zeros, zeros.astype(np.int64)
    column = None if weights is None else weights[:, np.newaxis]
    if check_finite(rows):
        rows, column = fill_missing(rows, column)
    count = column_count(rows, column)
    exponent = np.zeros(len(count), dtype=np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        found = _measure(rows, column, count, None)
        second_moment = found.squares - found.step**2 * count
        usual = is_ordinary_square(second_moment)
    if not usual.all():
        exponent[~usual] = spread_exponent(rows[:, ~usual])
        if exponent.any():
            found = _measure(rows, column, count, exponent)
            second_moment = found.squares - found.step**2 * count
        second_moment = np.maximum(second_moment, 0.0)
    mean, mean_low = add_step(found, exponent)
    return count, mean, mean_low, second_moment, exponent


def centre(rows: Rows, weights: Array | None) -> tuple[Array, Array]:
    """Mean of every column of finite rows, as an unevaluated sum of two floats.

    Parameters
    ----------
    rows : array of shape (n_rows, n_columns), n_rows >= 1
        Finite numbers.
    weights : array of shape (n_rows, 1), or None
        Positive.

    Returns
    -------
    mean, mean_low : arrays of shape (n_columns,)
    """
    count = column_count(rows, weights)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, low = _mean(rows, weights, count, np.zeros(len(count), dtype=np.int64))
    if np.isfinite(low).all():
        return mean, low
    return _mean(rows, weights, count, np.where(np.isfinite(low), 0, HEADROOM))


def near_mean(
    rows: Rows | Elsewhere, weights: Array | None, plenty: int = PLENTY
) -> tuple[Array, Array | None]:
    """A centre near the mean of finite rows, and equal to it in a constant column."""
    first, low = first_row(rows)
    every = max(min(SAMPLE, 1 + len(rows) // ENOUGH), len(rows) // plenty)
    few = rows[::every]
    with np.errstate(over="ignore", invalid="ignore"):
        # In C order, so that the order of the additions is the same for any rows.
        deviation = np.ascontiguousarray(subtract(few, first, low))
        if weights is None:
            step = reduce_columns(np.add, deviation) / len(few)
        else:
            some = weights[::every]
            step = reduce_columns(np.add, deviation * some) / reduce_columns(np.add, some + TINY)
    return first + np.where(np.isfinite(step), step, 0.0), low


def column_count(rows: Rows, weights: Array | None) -> Array:
    """Sum of weights of every column."""
    if weights is None:
        return np.full(rows.shape[1], float(len(rows)))
    return np.broadcast_to(reduce_columns(np.add, weights), rows.shape[1:]).copy()


def add_step(found: Centred, exponent: Array) -> tuple[Array, Array]:
    """Mean as an unevaluated sum of two floats."""
    mean, mean_low = two_sum(np.ldexp(found.centre, -exponent), found.step)
    if found.centre_low is not None:
        mean, mean_low = two_sum(mean, mean_low + np.ldexp(found.centre_low, -exponent))
    return np.ldexp(mean, exponent), np.ldexp(mean_low, exponent)


def fill_missing(rows: Rows, weights: Array | None) -> tuple[Rows, Array]:
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


def _measure(rows: Rows, weights: Array | None, count: Array, exponent: Array | None) -> Centred:
    """Sums over deviations from a centre close to the mean."""
    divisor = np.where(count == 0, 1.0, count)
    if exponent is None:
        start, low = near_mean(rows, weights)
    else:
        start, low = _mean(rows, weights, divisor, exponent)
    for _ in range(2):
        sums, squares = [], []
        for chunk, buffer in chunks(*rows.shape):
            deviation = subtract(rows[chunk], start, low, exponent, out=buffer)
            weight = None if weights is None else weights[chunk]
            sums.append(_sum(deviation, weight, None))
            squares.append(
                _sum(np.multiply(deviation, deviation, out=deviation), weight, deviation)
            )
        step = reduce_columns(np.add, np.array(sums)) / divisor
        square = reduce_columns(np.add, np.array(squares))
        found = Centred(start, low, step, square)
        far = step * step * divisor > CLOSE * square
        if not far.any():
            break
        with np.errstate(over="ignore"):
            moved = np.where(far, step if exponent is None else np.ldexp(step, exponent), 0.0)
        if low is None:
            start = start + moved
        else:
            start, low = two_sum(start, low + moved)
    return found


def _mean(rows: Rows, weights: Array | None, count: Array, exponent: Array) -> tuple[Array, Array]:
    """Mean, from deviations from a row: good to the last digit of its distance to that row."""
    shift, low = first_row(rows)
    units = exponent if exponent.any() else None
    sums = []
    for chunk, buffer in chunks(*rows.shape):
        deviation = subtract(rows[chunk], shift, low, units, out=buffer)
        sums.append(_sum(deviation, None if weights is None else weights[chunk], deviation))
    step = reduce_columns(np.add, np.array(sums)) / count
    return add_step(Centred(shift, low, step, step), exponent)


def _sum(terms: Array, weights: Array | None, out: Array | None) -> Array:
    if weights is not None:
        terms = np.multiply(terms, weights, out=out)
    return reduce_columns(np.add, terms)


def spread_exponent(rows: Rows) -> Array:
    """Exponent of the range of each column; 0 for a constant column."""
    high, low = first_row(rows)
    with np.errstate(over="ignore", invalid="ignore"):
        # Scaled down, subnormal deviations may round away; scaled up, large ones overflow.
        down, up = np.full(len(high), 2), np.full(len(high), -2)
        large = np.abs(subtract(rows, high, low, down)).max(axis=0)
        small = np.abs(subtract(rows, high, low, up)).max(axis=0)
    exponent = np.where(large > 1, np.frexp(large)[1] + 2, np.frexp(small)[1] - 2)
    unusual = (large > LARGEST / 4) | (small < SMALLEST)
    return np.where(((large > 0) | (small > 0)) & unusual, exponent, 0).astype(np.int64)
