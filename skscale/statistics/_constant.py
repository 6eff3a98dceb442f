"""What counts as a constant column, and what it is divided by."""

from __future__ import annotations

from typing import Any

import numpy as np

from skscale._kernels import EXACT_INTEGER, Array
from skscale.statistics._moments import Moments
from skscale.statistics._running import RunningMoments

BELOW_LARGEST = float(np.nextafter(np.finfo(np.float64).max, 0))
"""The last float with another one above it to be spaced from, by as much as the largest is."""


def divisor(moments: Moments | RunningMoments, ddof: float) -> tuple[Array, Array, Array]:
    """Standard deviation to divide by: 1 where the column is constant, NaN where it is empty.

    A column is constant if its standard deviation is zero, or below the spacing of floats
    around its mean. The bound does not grow with the number of rows.

    Returns
    -------
    width, exponent : arrays of shape (n_features,)
        Standing for ``width * 2**exponent``.
    rounding : array of shape (n_features,)
        Deviations below this are rounding: the spacing of floats around the mean of a column
        that is constant but for them, and 0 for all others.
    """
    width, exponent = moments.deviation(ddof)
    spacing = np.spacing(np.minimum(np.abs(moments.mean), BELOW_LARGEST))
    with np.errstate(over="ignore"):
        nearly = (width > 0) & (np.ldexp(width, exponent) < spacing) & ~moments.wide
    constant = (width == 0) | nearly
    if np.count_nonzero(moments.count) == len(width) and not np.count_nonzero(constant):
        return width, exponent, np.zeros(len(width))
    width = np.where(moments.count == 0, np.nan, np.where(constant, 1.0, width))
    return width, np.where(constant, 0, exponent), np.where(nearly, 2 * spacing, 0.0)


def plain_count(count: Array) -> Any:
    """One number if all columns have the same count, and integers if all counts are whole."""
    one = count[0]
    if not np.count_nonzero(count != one):
        return np.int64(one) if one < EXACT_INTEGER and float(one).is_integer() else one
    is_whole = (count == np.rint(count)).all() and count.max() < EXACT_INTEGER
    return count.astype(np.int64) if is_whole else count
