"""Smallest and largest value of one block, column by column."""

from __future__ import annotations

import numpy as np

from skscale._kernels._columns import check_finite, reduce_columns, total_weight
from skscale._kernels._exact import Array, Elsewhere, Rows, WideRows, as_rows, leading


def extrema(
    rows: Rows | Elsewhere, weights: Array | None
) -> tuple[Array, Array, Array, Array, Array]:
    """Count, minimum and maximum of every column of one block.

    Parameters
    ----------
    rows : array of shape (n_rows, n_columns), n_rows >= 1
        Real numbers, or NaN where a value is missing.
    weights : array of shape (n_rows,), or None
        Positive. They matter for the count only.

    Returns
    -------
    count, minimum, minimum_low, maximum, maximum_low : arrays of shape (n_columns,)
        Either end is an unevaluated sum ``high + low``: ``inf`` and ``-inf`` for a column without
        a value.

    Raises
    ------
    InfiniteValueError
        With the position of the first infinity.
    """
    rows = as_rows(rows)
    has_missing, high = check_finite(rows), leading(rows)
    smallest, largest = (np.fmin, np.fmax) if has_missing else (np.minimum, np.maximum)
    minimum = reduce_columns(smallest, high).astype(np.float64)
    maximum = reduce_columns(largest, high).astype(np.float64)
    count = np.full(len(minimum), total_weight(rows, weights))
    if has_missing:
        empty = np.isnan(minimum)
        minimum, maximum = np.where(empty, np.inf, minimum), np.where(empty, -np.inf, maximum)
        observed = (~np.isnan(high)).astype(np.float64)
        if weights is not None:
            observed *= weights[:, np.newaxis]
        count = reduce_columns(np.add, observed)
    if not isinstance(rows, WideRows):
        zeros = np.zeros(len(minimum))
        return count, minimum, zeros, maximum, zeros
    minimum_low = np.where(high == minimum, rows.low, np.inf).min(axis=0)
    maximum_low = np.where(high == maximum, rows.low, -np.inf).max(axis=0)
    minimum_low, maximum_low = (
        np.where(np.isfinite(low), low, 0.0) for low in (minimum_low, maximum_low)
    )
    return count, minimum, minimum_low, maximum, maximum_low
