"""Merging means, which every statistic does in the same way.

References
----------
Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983). Algorithms for computing the sample
variance: analysis and recommendations. The American Statistician 37, 242-247, eq. 2.1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skscale import _kernels as kernels
from skscale._kernels import Array

LOWEST = -(2**14)
"""Exponent of a spread of zero: below that of any float."""

HUGE = 2.0**1000
"""Means beyond this are scaled down before they are subtracted."""


class Mean(NamedTuple):
    """Weight and mean of some rows, per column; the mean is ``high + low``."""

    weight: Array
    high: Array
    low: Array


class Between(NamedTuple):
    """What two means add to the second moments of the merged rows.

    `difference` is later minus earlier mean in units of ``2**exponent`` (`LOWEST` where it
    is zero), `weight` the factor ``n1 * n2 / (n1 + n2)`` of its square.
    """

    difference: Array
    exponent: Array
    weight: Array


def merge_means(earlier: Mean, later: Mean) -> tuple[Mean, Between]:
    """Mean of earlier and later rows together, and the distance between the two."""
    count = earlier.weight + later.weight
    share = later.weight / np.where(count == 0, 1.0, count)
    largest = np.maximum(np.abs(earlier.high), np.abs(later.high))
    down = np.where(largest > HUGE, 8, 0)
    a, a_low = np.ldexp(earlier.high, -down), np.ldexp(earlier.low, -down)
    b, b_low = np.ldexp(later.high, -down), np.ldexp(later.low, -down)
    difference, error = kernels.two_sum(b, -a)
    difference = difference + (error + (b_low - a_low))
    high, low = kernels.two_sum(a, difference * share)
    high, low = kernels.two_sum(high, low + a_low)
    # An empty side is the identity, to the last bit.
    only_later, only_earlier = earlier.weight == 0, later.weight == 0
    high = np.where(only_later, b, np.where(only_earlier, a, high))
    low = np.where(only_later, b_low, np.where(only_earlier, a_low, low))
    weight = earlier.weight * share
    unit = kernels.ordinary_exponent(np.abs(difference))
    between = Between(
        np.ldexp(difference, -unit),
        np.where((difference == 0) | (weight == 0), LOWEST, unit + down),
        weight,
    )
    return Mean(count, np.ldexp(high, down), np.ldexp(low, down)), between


def common_exponent(*exponents: Array) -> Array:
    """Largest of some exponents of spreads; 0 where there is no spread at all."""
    largest = np.maximum.reduce(exponents)
    return np.where(largest == LOWEST, 0, largest)
