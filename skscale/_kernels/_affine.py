"""One pass from rows to rows: the transforms that work column by column.

Every function writes into `out`, which may be the rows themselves, and returns whether what it
computed is finite throughout; if not, there may have been NaN or infinity in the rows. A mean is
an unevaluated sum ``mean + mean_low``; a width is ``width * 2**exponent``, where the exponent is
zero but for widths near the ends of the range of float64.
"""

from __future__ import annotations

import math

import numpy as np

from skscale._kernels._exact import Array, Rows, WideRows, subtract, two_sum

HALVING = 2
"""Bits taken off numbers whose difference or product overflows."""


def standardize(
    rows: Rows, mean: Array, mean_low: Array, width: Array, exponent: Array, out: Array
) -> bool:
    """``(rows - mean) / width``.

    Parameters
    ----------
    rows : array of shape (n_rows, n_columns)
        Numbers or NaN.
    mean, mean_low, width, exponent : arrays of shape (n_columns,)
        `width` is positive.
    out : array of shape (n_rows, n_columns)
        Of a float dtype.
    """
    with np.errstate(all="ignore"):
        result = _position(rows, mean, mean_low, width, exponent, out)
        return _deliver(result, out)


def unstandardize(
    rows: Array, mean: Array, mean_low: Array, width: Array, exponent: Array, out: Array
) -> bool:
    """``rows * width + mean``, the inverse of `standardize`."""
    with np.errstate(all="ignore"):
        position = rows.astype(np.float64)
        return _deliver(_value(position, mean, mean_low, width, exponent), out)


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
) -> bool:
    """Map ``[minimum, minimum + width]`` to ``[lower, upper]``: the ends exactly, no overshoot.

    Parameters
    ----------
    rows : array of shape (n_rows, n_columns)
        Numbers or NaN.
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
        result = _position(rows, minimum, minimum_low, width, exponent, out)
        finite = _is_finite(result)
        if lower.any() or (upper != 1).any():
            # From the nearer end, so that both are met and nothing in between overshoots.
            beyond_half = result >= 0.5
            result -= beyond_half
            result *= upper - lower
            result += np.where(beyond_half, upper, lower)
        if clip:
            np.clip(result, lower, upper, out=result)
        _deliver(result, out)
        return finite


def uninterpolate(
    rows: Array,
    minimum: Array,
    minimum_low: Array,
    width: Array,
    exponent: Array,
    lower: Array,
    upper: Array,
    out: Array,
) -> bool:
    """Map ``[lower, upper]`` to ``[minimum, minimum + width]``, the inverse of `interpolate`."""
    with np.errstate(all="ignore"):
        position = np.subtract(rows, lower, dtype=np.float64)
        position /= upper - lower
        return _deliver(_value(position, minimum, minimum_low, width, exponent), out)


def _is_finite(values: Array) -> bool:
    return math.isfinite(np.add.reduce(values, axis=None))


def _deliver(result: Array, out: Array) -> bool:
    if result is not out:
        np.copyto(out, result, casting="same_kind")
    return _is_finite(result)


def _position(
    rows: Rows, origin: Array, low: Array, width: Array, exponent: Array, out: Array
) -> Array:
    """``(rows - origin) / width`` in float64; in `out` itself where that is float64."""
    if exponent.any():
        return subtract(rows, origin, low, exponent) / width
    in_place = out.dtype == np.float64 and not isinstance(rows, WideRows)
    position = subtract(rows, origin, low, out=out if in_place and out is not rows else None)
    if not _is_finite(position) and (overflown := np.isinf(position)).any():
        halved = subtract(rows, origin, low, np.full(len(width), HALVING)) / width
        return np.where(overflown, np.ldexp(halved, HALVING), position / width)
    position /= width
    return position


def _value(position: Array, origin: Array, low: Array, width: Array, exponent: Array) -> Array:
    """``origin + position * width``, rounded once where it cancels."""
    offset = position * width
    if exponent.any():
        offset = np.ldexp(offset, exponent)
    high, error = two_sum(offset, origin)
    error += low
    high += error
    if _is_finite(high):
        return high
    quarter = np.ldexp(np.ldexp(position, -HALVING) * width, exponent)
    quarter += np.ldexp(origin, -HALVING)
    return np.where(np.isfinite(high), high, np.ldexp(quarter, HALVING))
