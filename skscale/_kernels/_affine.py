"""One pass from rows to rows: the transforms that work column by column.

Every function writes into `out`, which may be the rows themselves, and returns nothing.
A mean is an unevaluated sum ``mean + mean_low``; a width is ``width * 2**exponent``, where
the exponent is zero but for widths near the ends of the range of float64.
"""

from __future__ import annotations

import numpy as np

from skscale._kernels._exact import Array, Rows, subtract, two_sum

HALVING = 2
"""Bits taken off numbers whose difference or product overflows."""


def standardize(
    rows: Rows, mean: Array, mean_low: Array, width: Array, exponent: Array, out: Array
) -> None:
    """``(rows - mean) / width``.

    Parameters
    ----------
    rows : array of shape (n_rows, n_columns)
        Finite numbers or NaN.
    mean, mean_low, width, exponent : arrays of shape (n_columns,)
        `width` is positive.
    out : array of shape (n_rows, n_columns)
        Of a float dtype.
    """
    with np.errstate(all="ignore"):
        np.copyto(out, _position(rows, mean, mean_low, width, exponent), casting="same_kind")


def unstandardize(
    rows: Array, mean: Array, mean_low: Array, width: Array, exponent: Array, out: Array
) -> None:
    """``rows * width + mean``, the inverse of `standardize`."""
    with np.errstate(all="ignore"):
        position = rows.astype(np.float64)
        np.copyto(out, _value(position, mean, mean_low, width, exponent), casting="same_kind")


def interpolate(
    rows: Rows,
    minimum: Array,
    minimum_low: Array,
    width: Array,
    exponent: Array,
    lower: Array,
    upper: Array,
    clip: bool,
    out: Array,
) -> None:
    """Map ``[minimum, minimum + width]`` to ``[lower, upper]``: the ends exactly, no overshoot.

    Parameters
    ----------
    rows : array of shape (n_rows, n_columns)
        Finite numbers or NaN.
    minimum, minimum_low, width, exponent : arrays of shape (n_columns,)
        `width` is positive.
    lower, upper : arrays of shape (n_columns,)
        Ends of the target; ``lower < upper``.
    clip : bool
        Whether values outside go to the nearer end.
    out : array of shape (n_rows, n_columns)
        Of a float dtype.
    """
    with np.errstate(all="ignore"):
        result = _position(rows, minimum, minimum_low, width, exponent)
        if lower.any() or (upper != 1).any():
            inside = (result >= 0) & (result <= 1)
            result = lower * (1 - result) + upper * result
            np.clip(result, lower, upper, out=result, where=inside)
        if clip:
            np.clip(result, lower, upper, out=result)
        np.copyto(out, result, casting="same_kind")


def uninterpolate(
    rows: Array,
    minimum: Array,
    minimum_low: Array,
    width: Array,
    exponent: Array,
    lower: Array,
    upper: Array,
    out: Array,
) -> None:
    """Map ``[lower, upper]`` to ``[minimum, minimum + width]``, the inverse of `interpolate`."""
    with np.errstate(all="ignore"):
        position = np.subtract(rows, lower, dtype=np.float64)
        position /= upper - lower
        np.copyto(out, _value(position, minimum, minimum_low, width, exponent), casting="same_kind")


def _position(rows: Rows, origin: Array, low: Array, width: Array, exponent: Array) -> Array:
    """``(rows - origin) / width`` in float64."""
    if exponent.any():
        return subtract(rows, origin, low, exponent) / width
    position = subtract(rows, origin, low)
    if np.isfinite(np.add.reduce(position, axis=None)):
        position /= width
        return position
    overflown = np.isinf(position)
    if not overflown.any():
        position /= width
        return position
    halved = subtract(rows, origin, low, np.full(len(width), HALVING)) / width
    return np.where(overflown, np.ldexp(halved, HALVING), position / width)


def _value(position: Array, origin: Array, low: Array, width: Array, exponent: Array) -> Array:
    """``origin + position * width``, rounded once where it cancels."""
    offset = np.ldexp(position * width, exponent) if exponent.any() else position * width
    high, error = two_sum(offset, origin)
    error += low
    value = high + error
    if np.isfinite(np.add.reduce(value, axis=None)):
        return value
    quarter = np.ldexp(np.ldexp(position, -HALVING) * width, exponent)
    quarter += np.ldexp(origin, -HALVING)
    return np.where(np.isfinite(value), value, np.ldexp(quarter, HALVING))
