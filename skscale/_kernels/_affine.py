"""One pass from rows to rows: the transforms that work column by column.

Every function writes into `out`, which may be the rows themselves, and returns whether what it
computed is finite throughout; if not, there may have been NaN or infinity in the rows. A mean is
an unevaluated sum ``mean + mean_low``; a width is ``width * 2**exponent``, where the exponent is
zero but for widths near the ends of the range of float64.
"""

from __future__ import annotations

import math

import numpy as np

from skscale._kernels._exact import Array, Rows, WideRows, subtract

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
        result, finite = _position(rows, mean, mean_low, width, exponent, out)
        _deliver(result, out)
        return finite


def unstandardize(
    rows: Array, mean: Array, mean_low: Array, width: Array, exponent: Array, out: Array
) -> bool:
    """``rows * width + mean``, the inverse of `standardize`."""
    with np.errstate(all="ignore"):
        value, finite = _value(rows, mean, mean_low, width, exponent, out)
        _deliver(value, out)
        return finite


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
        result, finite = _position(rows, minimum, minimum_low, width, exponent, out)
        if lower.any() or (upper != 1).any():
            _stretch(result, lower, upper)
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
        position = rows
        if lower.any() or (upper != 1).any():
            position = np.subtract(rows, lower, dtype=np.float64)
            position /= upper - lower
        value, finite = _value(position, minimum, minimum_low, width, exponent, out)
        _deliver(value, out)
        return finite


def _stretch(position: Array, lower: Array, upper: Array) -> None:
    """Map ``[0, 1]`` to ``[lower, upper]`` in place: both ends exactly, nothing in between beyond.

    Rounding may miss the upper end by one float either way: the length is chosen not to fall
    short of it, and what is above it without being beyond 1 is cut.
    """
    length = upper - lower
    while (short := lower + length < upper).any():
        length = np.where(short, np.nextafter(length, np.inf), length)
    within = None if np.fmax.reduce(position, axis=None) <= 1 else ~(position > 1)
    position *= length
    position += lower
    if within is None:
        np.minimum(position, upper, out=position)
    else:
        np.minimum(position, upper, out=position, where=within)


def _is_finite(values: Array) -> bool:
    return math.isfinite(np.add.reduce(values, axis=None))


def _deliver(result: Array, out: Array) -> None:
    if result is not out:
        np.copyto(out, result, casting="same_kind")


def _position(
    rows: Rows, origin: Array, low: Array, width: Array, exponent: Array, out: Array
) -> tuple[Array, bool]:
    """``(rows - origin) / width`` in float64, and whether all of it is finite.

    It is `out` itself where that is float64.
    """
    if exponent.any():
        position = subtract(rows, origin, low, exponent)
        position /= width
        return position, _is_finite(position)
    fits = out.dtype == np.float64 and not isinstance(rows, WideRows)
    in_place = fits and not np.may_share_memory(rows, out)  # the rows may be needed once more
    position = subtract(rows, origin, low, out=out if in_place else None)
    position /= width
    finite = _is_finite(position)
    if not finite and (overflown := np.isinf(position)).any():
        halved = subtract(rows, origin, low, np.full(len(width), HALVING)) / width
        position = np.where(overflown, np.ldexp(halved, HALVING), position)
    return position, finite


def _value(
    position: Array, origin: Array, low: Array, width: Array, exponent: Array, out: Array
) -> tuple[Array, bool]:
    """``origin + position * width`` in float64, and whether all of it is finite.

    It is `out` itself where that is float64.
    """
    in_place = out.dtype == np.float64 and not np.may_share_memory(position, out)
    value = np.multiply(position, width, out=out if in_place else None)
    value = value.astype(np.float64, copy=False)
    if exponent.any():
        value = np.ldexp(value, exponent)
    if low.any():
        value += low
    value += origin
    finite = _is_finite(value)
    if not finite:
        quarter = np.ldexp(position.astype(np.float64), -HALVING) * width
        quarter = np.ldexp(quarter, exponent) + np.ldexp(origin, -HALVING)
        value = np.where(np.isfinite(value), value, np.ldexp(quarter, HALVING))
    return value, finite
