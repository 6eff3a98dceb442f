"""What merging means and scatter matrices computes of their numbers.

References
----------
Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983). Algorithms for computing the sample
variance: analysis and recommendations. The American Statistician 37, 242-247, eq. 2.1.
"""

from __future__ import annotations

import numpy as np

from skscale._kernels._columns import CHUNK
from skscale._kernels._exact import Array, two_sum
from skscale._kernels._moments import ordinary_exponent

LOWEST = -(2**14)
"""Exponent of a spread of zero: below that of any float."""

Scattered = tuple[float, Array, Array, Array, Array]
"""Weight, mean and scatter matrix of some rows, the latter two as unevaluated sums of two."""

Merged = tuple[Array, Array, Array, Array]

HUGE = 2.0**1000
"""Means beyond this are scaled down before they are subtracted."""


def add_means(
    weight: Array, mean: Array, mean_low: Array, weight_two: Array, mean_two: Array, low_two: Array
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Mean of earlier and later rows together, and the distance between the two.

    Parameters
    ----------
    weight, mean, mean_low : arrays of shape (n_columns,)
        Of the earlier rows; the mean is ``mean + mean_low``.
    weight_two, mean_two, low_two : arrays of shape (n_columns,)
        Of the later rows.

    Returns
    -------
    count, high, low : arrays of shape (n_columns,)
        Of all rows.
    difference, exponent : arrays of shape (n_columns,)
        Later minus earlier mean in units of ``2**exponent``, `LOWEST` where it is zero.
    factor : array of shape (n_columns,)
        Of the square of the difference: ``n1 * n2 / (n1 + n2)``.
    """
    count = weight + weight_two
    share = weight_two / np.where(count == 0, 1.0, count)
    largest = np.maximum(np.abs(mean), np.abs(mean_two))
    down = np.where(largest > HUGE, 8, 0)
    a, a_low = np.ldexp(mean, -down), np.ldexp(mean_low, -down)
    b, b_low = np.ldexp(mean_two, -down), np.ldexp(low_two, -down)
    difference, error = two_sum(b, -a)
    difference = difference + (error + (b_low - a_low))
    high, low = two_sum(a, difference * share)
    high, low = two_sum(high, low + a_low)
    # An empty side is the identity, to the last bit.
    only_later, only_earlier = weight == 0, weight_two == 0
    high = np.where(only_later, b, np.where(only_earlier, a, high))
    low = np.where(only_later, b_low, np.where(only_earlier, a_low, low))
    factor = weight * share
    unit = ordinary_exponent(np.abs(difference))
    exponent = np.where((difference == 0) | (factor == 0), LOWEST, unit + down)
    difference = np.ldexp(difference, -unit)
    return count, np.ldexp(high, down), np.ldexp(low, down), difference, exponent, factor


def add_scatter(
    first: tuple[Array, Array], second: tuple[Array, Array], apart: Array, weight: Array
) -> tuple[Array, Array]:
    """``first + second + (apart * weight) apart'``, matrices being unevaluated sums of two.

    Some rows at a time, so that the steps of the compensated sum stay in cache.
    """
    n_columns = len(apart)
    high, low = np.empty((n_columns, n_columns)), np.empty((n_columns, n_columns))
    weighted = (apart * weight)[:, np.newaxis]
    step = max(1, CHUNK // 8 // max(1, n_columns))
    for start in range(0, n_columns, step):
        part = slice(start, start + step)
        total, error = two_sum(first[0][part], second[0][part])
        error += first[1][part]
        error += second[1][part]
        total, rounding = two_sum(total, weighted[part] * apart)
        error += rounding
        high[part], low[part] = two_sum(total, error)
    return high, low


def merge_scatter(first: Scattered, second: Scattered) -> Merged | None:
    """Mean and scatter matrix of earlier and later rows together, if all is ordinary.

    Parameters
    ----------
    first, second : tuples (weight, mean, mean_low, scatter, scatter_low)
        Of some rows, in ordinary units.

    Returns
    -------
    mean, mean_low, scatter, scatter_low : arrays, or None
        None where a difference of means is beyond the ordinary range of numbers.
    """
    (weight, mean, mean_low), (weight_two, mean_two, low_two) = (
        (np.full(len(of[1]), of[0]), *of[1:3]) for of in (first, second)
    )
    _, high, low, apart, exponent, factor = add_means(
        weight, mean, mean_low, weight_two, mean_two, low_two
    )
    if (exponent[exponent != LOWEST]).any():
        return None
    return high, low, *add_scatter(first[3:], second[3:], apart, factor)
