"""Merging means, which every statistic does in the same way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skscale import _kernels as kernels
from skscale._kernels import LOWEST, Array


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
    count, high, low, difference, exponent, factor = kernels.add_means(*earlier, *later)
    return Mean(count, high, low), Between(difference, exponent, factor)


def common_exponent(*exponents: Array) -> Array:
    """Largest of some exponents of spreads; 0 where there is no spread at all."""
    largest = np.maximum.reduce(exponents)
    return np.where(largest == LOWEST, 0, largest)
