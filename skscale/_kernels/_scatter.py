"""Centred scatter matrix of one block, and its centred rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skscale._kernels._columns import CHUNK, check_complete, reduce_columns, total_weight
from skscale._kernels._exact import Array, Elsewhere, Rows, as_rows, subtract, two_sum
from skscale._kernels._moments import (
    ENOUGH,
    centre,
    is_ordinary_square,
    near_mean,
    spread_exponent,
)

Deviate = Callable[[Rows, Array, Array | None, Array], tuple[Array, Array]]
Products = Callable[[Rows | Elsewhere, Array | None, Array, Array | None], tuple[Array, Array]]

TALLEST = 1024
"""Rows of a chunk of wide rows: enough for a matrix product to run at full speed."""

CLOSE = 1 / 8
"""Largest square of the distance from centre to mean, in variances, that is taken off.

It costs a twentieth of a digit; the product over again, about a better centre, costs as much as
the first. A column in a hundred is farther off than an eighth of that.
"""


def deviations(rows: Rows, high: Array, low: Array | None, out: Array) -> tuple[Array, Array]:
    """``rows - (high + low)`` in float64, and the sum of every column of it.

    Parameters
    ----------
    rows : array of shape (n_rows, n_columns), n_rows >= 1
        Real numbers.
    high, low : arrays of shape (n_columns,); low may be None
        The centre, as an unevaluated sum.
    out : array of shape (n_rows, n_columns), float64
        Where the deviations may be written to.

    Returns
    -------
    deviation : array of shape (n_rows, n_columns)
    sums : array of shape (n_columns,)
        Not finite where there is NaN or infinity in the rows.
    """
    deviation = subtract(rows, high, low, out=out)
    return deviation, reduce_columns(np.add, deviation)


def products(
    rows: Rows | Elsewhere,
    weights: Array | None,
    high: Array,
    low: Array | None,
    deviate: Deviate = deviations,
) -> tuple[Array, Array]:
    """Weighted sums of the deviations from a centre, and of the products of every two columns.

    Parameters
    ----------
    rows : array or Elsewhere of shape (n_rows, n_columns), n_rows >= 1
        Real numbers.
    weights : array of shape (n_rows,), or None
        Positive.
    high, low : arrays of shape (n_columns,); low may be None
        The centre, as an unevaluated sum.
    deviate : callable, default=deviations
        That function or its compiled twin.

    Returns
    -------
    sums : array of shape (n_columns,)
    matrix : array of shape (n_columns, n_columns)
        Not finite where there is NaN or infinity in the rows.
    """
    rows = as_rows(rows)
    n_rows, n_columns = rows.shape
    height = min(n_rows, max(CHUNK // n_columns, TALLEST))
    buffer = np.empty((height, n_columns))
    matrix, product = np.zeros((n_columns, n_columns)), np.empty((n_columns, n_columns))
    sums = []
    for first in range(0, n_rows, height):
        chunk = slice(first, first + height)
        deviation, of_chunk = deviate(rows[chunk], high, low, buffer[: n_rows - first])
        if weights is not None:
            column = weights[chunk][:, np.newaxis]
            of_chunk = reduce_columns(np.add, deviation * column)
            deviation *= np.sqrt(column)
        sums.append(of_chunk)
        matrix += np.matmul(deviation.T, deviation, out=product)
    return reduce_columns(np.add, np.array(sums)), matrix


def scatter(
    rows: Rows | Elsewhere, weights: Array | None, products: Products = products
) -> tuple[Array, Array, Array, Array]:
    """Mean and centred scatter matrix of rows.

    Parameters
    ----------
    rows : array or Elsewhere of shape (n_rows, n_columns), n_rows >= 1
        Real numbers. They are looked at for NaN and infinity where the matrix shows that
        there may be some.
    weights : array of shape (n_rows,), or None
        Positive.
    products : callable, default=products
        That function or its compiled twin.

    Returns
    -------
    mean, mean_low : arrays of shape (n_columns,)
        Mean as an unevaluated sum.
    matrix : array of shape (n_columns, n_columns)
        Entry i, j in units of ``2**(exponent[i] + exponent[j])``.
    exponent : integer array of shape (n_columns,)
        Zero for columns whose squares neither vanish nor overflow.

    Raises
    ------
    InfiniteValueError, MissingValueError
    """
    start, low = near_mean(rows, None if weights is None else weights[:, np.newaxis], ENOUGH)
    total = total_weight(rows, weights)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(2):
            sums, matrix = products(rows, weights, start, low)
            step = sums / total
            squares = np.diagonal(matrix)
            far = step * step * total > CLOSE * squares
            if not far.any():
                break
            start, low = two_sum(start, np.where(far, step, 0.0) + (0.0 if low is None else low))
        usual = is_ordinary_square(squares)
    exponent = unusual_exponent(rows, usual)
    if exponent.any():
        mean, mean_low, deviation, exponent = centred(as_rows(rows), weights)
        return mean, mean_low, deviation.T @ deviation, exponent
    mean, mean_low = two_sum(start, step)
    if low is not None:
        mean, mean_low = two_sum(mean, mean_low + low)
    matrix -= step[:, np.newaxis] * (step * total)
    return mean, mean_low, matrix, exponent


def unusual_exponent(rows: Rows | Elsewhere, usual: Array) -> Array:
    """Exponents of the columns whose squares are not `usual`: 0 where they are all the same.

    Raises
    ------
    InfiniteValueError, MissingValueError
        Where NaN or infinity is the reason.
    """
    exponent = np.zeros(len(usual), dtype=np.int64)
    if not usual.all():
        rows = as_rows(rows)
        check_complete(rows)
        exponent[~usual] = spread_exponent(rows[:, ~usual])
    return exponent


def centred(rows: Rows, weights: Array | None) -> tuple[Array, Array, Array, Array]:
    """Mean of rows, and their weighted deviations from it.

    Parameters
    ----------
    rows, weights
        As for `scatter`.

    Returns
    -------
    mean, mean_low : arrays of shape (n_columns,)
        Mean as an unevaluated sum.
    deviation : array of shape (n_rows, n_columns)
        Row k times the square root of its weight, column i in units of ``2**exponent[i]``.
    exponent : integer array of shape (n_columns,)
        Zero for columns whose squares neither vanish nor overflow.

    Raises
    ------
    InfiniteValueError, MissingValueError
    """
    column = None if weights is None else weights[:, np.newaxis]
    with np.errstate(over="ignore", invalid="ignore"):
        mean, mean_low = centre(rows, column)
        deviation = subtract(rows, mean, mean_low)
        usual = is_ordinary_square(np.einsum("ij,ij->j", deviation, deviation))
        exponent = unusual_exponent(rows, usual)
        if exponent.any():
            deviation = subtract(rows, mean, mean_low, exponent)
    # The mean is good to the last digit of its distance to some row; now to that of the spread.
    total = total_weight(rows, weights)
    step = reduce_columns(np.add, deviation if column is None else deviation * column) / total
    deviation -= step
    mean, mean_low = two_sum(mean, mean_low + np.ldexp(step, exponent))
    if column is not None:
        deviation *= np.sqrt(column)
    return mean, mean_low, deviation, exponent
