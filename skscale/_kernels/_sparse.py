"""Mean and centred second moment of a sparse block, at the cost of its stored values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skscale._kernels._columns import infinite_value, total_weight
from skscale._kernels._exact import Array, two_sum
from skscale._kernels._moments import LARGEST, SMALLEST

UNEQUAL = 2.0**20
"""Ratio of weights from which the difference of two sums of them may be rounding."""


def check_stored(rows: Any) -> bool:
    """Whether the stored values of sparse rows hold NaN; an infinity raises.

    Raises
    ------
    InfiniteValueError
        With the position of the first infinity, row by row.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if math.isfinite(np.add.reduce(rows.data, axis=None)):
            return False
    infinite = np.isinf(rows.data)
    if infinite.any():
        stored = rows.tocsr().tocoo()
        first = int(np.isinf(stored.data).argmax())
        raise infinite_value(stored.data[first], int(stored.row[first]), int(stored.col[first]))
    return bool(np.isnan(rows.data).any())


def sparse_moments(
    rows: Any, weights: Array | None, has_missing: bool
) -> tuple[Array, Array, Array, Array, Array]:
    """Count, mean and centred second moment of every column of a sparse block.

    Parameters
    ----------
    rows : scipy CSC array or matrix of shape (n_rows, n_columns)
        Without duplicate entries. Values that are not stored are zeros; stored NaN are
        missing values.
    weights : array of shape (n_rows,), or None
        Positive.
    has_missing : bool
        Whether there is a NaN.

    Returns
    -------
    count, mean, mean_low, second_moment, exponent : arrays of shape (n_columns,)
        As from `moments`.
    """
    n_rows, n_columns = rows.shape
    values = rows.data.astype(np.float64)
    stored = np.diff(rows.indptr)
    column = np.repeat(np.arange(n_columns), stored)
    filled = np.flatnonzero(stored)
    starts = rows.indptr[filled]

    def sums(terms: Array, ufunc: np.ufunc = np.add) -> Array:
        total = np.zeros(n_columns)
        if len(starts):
            total[filled] = ufunc.reduceat(terms, starts)
        return total

    weight: Array | float = 1.0 if weights is None else weights[rows.indices]
    row_total = total_weight(rows, weights)
    full = stored == n_rows
    there = stored.astype(np.float64) if weights is None else sums(np.asarray(weight))
    absent = np.where(full, 0.0, row_total - there)
    if weights is not None and weights.max(initial=0) > UNEQUAL * weights.min(initial=np.inf):
        absent = _weight_of_zeros(rows, weights)
    shift = np.zeros(n_columns)
    shift[filled] = values[starts]
    if has_missing:
        missing = np.isnan(values)
        observed = np.flatnonzero(~missing)
        first = np.unique(column[observed], return_index=True)
        shift[filled] = 0
        shift[first[0]] = values[observed[first[1]]]
        values = np.where(missing, shift[column], values)
        weight = np.where(missing, 0.0, weight)
        there = sums(np.asarray(weight))
    shift[~full] = 0  # the values that are not stored are the first ones: zeros
    count = there + absent
    size = sums(np.abs(values), np.maximum)
    ordinary = (size == 0) | ((size >= SMALLEST) & (size <= LARGEST))
    exponent = np.where(ordinary, 0, np.frexp(size)[1]).astype(np.int64)
    if exponent.any():
        values, shift = np.ldexp(values, -exponent[column]), np.ldexp(shift, -exponent)
    step = sums(weight * (values - shift[column])) / np.where(count == 0, 1, count)
    # The zeros are part of the deviations only where the shift is zero: there they add none.
    mean, mean_low = two_sum(shift, step)
    deviation = (values - mean[column]) - mean_low[column]
    second_moment = sums(weight * deviation * deviation) + absent * mean * mean
    return (
        count,
        np.ldexp(mean, exponent),
        np.ldexp(mean_low, exponent),
        second_moment,
        np.where(second_moment == 0, 0, exponent),
    )


def _weight_of_zeros(rows: Any, weights: Array) -> Array:
    """Sum of the weights of the rows that store nothing in a column, term by term."""
    bounds = zip(rows.indptr[:-1], rows.indptr[1:], strict=True)
    return np.array([np.delete(weights, rows.indices[start:stop]).sum() for start, stop in bounds])
