"""Degrees of freedom: what a sum of squares is divided by to give a variance."""

from __future__ import annotations

from typing import Any

import numpy as np

from skscale._kernels import Array
from skscale.errors import SampleWeightError

ROUNDING = 1e-9
"""Part of a sum of weights below which a difference of it and an integer is rounding."""


def degrees_of_freedom(count: Any, ddof: float, squares: Any) -> Array:
    """``count - ddof``, and infinity where that is not positive, for a variance of 0.

    Parameters
    ----------
    count : float or array
        Sum of the weights of the rows.
    ddof : float
        What is taken off.
    squares : float or array
        The sum of squares that will be divided.

    Raises
    ------
    SampleWeightError
        If nothing is left though rows differ that weigh no more than one together: their
        weights are shares, not repetitions.
    """
    count, squares = np.asarray(count), np.asarray(squares)
    freedom = count - ddof
    too_few = freedom <= ROUNDING * count
    if not np.count_nonzero(too_few):
        return freedom
    shares = too_few & (squares > 0) & (count <= 1 + ROUNDING)
    if shares.any():
        total = float(count[shares].max())
        raise SampleWeightError(
            f"sample_weight sums to {total:g}, and the variance is divided by this sum less "
            f"ddof={ddof:g}. Weights count repetitions: scale them to sum to the number of rows, "
            "or set ddof=0 where there is such a parameter."
        )
    return np.where(too_few, np.inf, freedom)
