"""What holds of the fields of every statistic of rows, looked at where one comes from afar.

Each function yields what does not hold, in words, the first fault first: whoever asks for the first
stops there, so that what follows may rely on what came before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from skscale._kernels import Array

LIGHTEST, HEAVIEST = 2.0**-200, 2.0**200
"""Sums of weights in this range, about 1e-60 to 1e60, neither vanish nor overflow in products."""

LARGEST_SQUARE = 2.0**1000
"""Sums of squares are below this, in their units."""

LARGEST_EXPONENT = 2**12
"""Units of float64 and of products of a few of them have smaller exponents."""

SLACK = 2.0**-20
"""Part of a sum of weights, or of a product of spreads, that may be rounding."""

ROUNDING = 2.0**-50
"""Largest part of a number that the low part of it is."""


def shapes(record: Any, expected: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Arrays whose type is not the one expected, or whose axes do not agree.

    Parameters
    ----------
    record : Statistic
    expected : mapping
        Name of an array to its dtype and the names of its axes.
    """
    lengths: dict[str, int] = {}
    for name, (dtype, *axes) in expected.items():
        array = getattr(record, name)
        if array.dtype != dtype or array.ndim != len(axes):
            yield f"{name} is of dtype {array.dtype} with {array.ndim} axes, not {dtype}{axes}"
        for axis, length in zip(axes, array.shape, strict=True):
            if lengths.setdefault(axis, length) != length:
                yield f"{name} has {length} {axis}, and what is before it {lengths[axis]}"
    if lengths.get("n_features") == 0:
        yield "it has no columns"


def weights(name: str, weight: Any, most: Any = HEAVIEST) -> Iterator[str]:
    """Sums of weights that are neither 0 nor of ordinary size, or more than there are."""
    weight = np.asarray(weight)
    if not ((weight == 0) | ((weight >= LIGHTEST) & (weight <= HEAVIEST))).all():
        yield f"{name} is to be 0 or between {LIGHTEST:.0e} and {HEAVIEST:.0e}"
    if (weight > most * (1 + SLACK)).any():
        yield f"{name} is larger than the sum of all weights"


def finite(record: Any, *names: str) -> Iterator[str]:
    for name in names:
        if not np.isfinite(getattr(record, name)).all():
            yield f"{name} is not finite"


def pairs(record: Any, *names: str) -> Iterator[str]:
    """Unevaluated sums of two floats that are not finite, or not rounded sum and rest."""
    for name in names:
        high, low = getattr(record, name), getattr(record, f"{name}_low")
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            fits = np.isfinite(high + low) & (np.abs(low) <= ROUNDING * np.abs(high))
        if not fits.all():
            yield f"{name} and {name}_low are not a finite number and what rounding left of it"


def squares(name: str, square: Array) -> Iterator[str]:
    if not ((square >= 0) & (square <= LARGEST_SQUARE)).all():
        yield f"{name} is to be between 0 and {LARGEST_SQUARE:.0e}"


def exponents(name: str, exponent: Any) -> Iterator[str]:
    if (np.abs(np.clip(exponent, -(2**62), 2**62)) > LARGEST_EXPONENT).any():
        yield f"{name} is beyond {LARGEST_EXPONENT}"


def zero(condition: Any, record: Any, *names: str) -> Iterator[str]:
    """Arrays that are not 0 where there are no rows."""
    for name in names:
        if (np.asarray(getattr(record, name))[..., condition] != 0).any():
            yield f"{name} is not 0 where there are no rows"


def batches(record: Any) -> Iterator[str]:
    if not 0 <= record.n_batches < 2**63 or (record.n_batches > 0) != (record.total > 0):
        yield "n_batches is not a number of batches of so many rows"
