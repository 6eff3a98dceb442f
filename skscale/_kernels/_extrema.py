"""Smallest and largest value of one block, column by column."""

from __future__ import annotations

import numpy as np

from skscale._kernels._columns import reduce_columns
from skscale._kernels._exact import Array, Rows, WideRows, leading


def extrema(rows: Rows, has_missing: bool) -> tuple[Array, Array, Array, Array]:
    """Minimum and maximum of every column, each as an unevaluated sum ``high + low``.

    Parameters
    ----------
    rows : array of shape (n_rows, n_columns), n_rows >= 1
        Real numbers, or NaN where a value is missing.
    has_missing : bool
        Whether there is a NaN.

    Returns
    -------
    minimum, minimum_low, maximum, maximum_low : arrays of shape (n_columns,)
        ``inf`` and ``-inf`` for a column without a value.
    """
    high = leading(rows)
    smallest, largest = (np.fmin, np.fmax) if has_missing else (np.minimum, np.maximum)
    minimum = reduce_columns(smallest, high).astype(np.float64)
    maximum = reduce_columns(largest, high).astype(np.float64)
    if has_missing:
        empty = np.isnan(minimum)
        minimum, maximum = np.where(empty, np.inf, minimum), np.where(empty, -np.inf, maximum)
    if not isinstance(rows, WideRows):
        zeros = np.zeros(len(minimum))
        return minimum, zeros, maximum, zeros
    minimum_low = np.where(high == minimum, rows.low, np.inf).min(axis=0)
    maximum_low = np.where(high == maximum, rows.low, -np.inf).max(axis=0)
    minimum_low, maximum_low = (
        np.where(np.isfinite(low), low, 0.0) for low in (minimum_low, maximum_low)
    )
    return minimum, minimum_low, maximum, maximum_low
