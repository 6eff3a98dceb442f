"""How far two statistics are apart, relative to what they measure."""

from __future__ import annotations

import functools
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from skscale._kernels import Array
from skscale.statistics import (
    Extrema,
    Moments,
    PooledBatches,
    RadialScatter,
    RunningMoments,
    Scatter,
    Triangle,
)

TINY = float(np.finfo(np.float64).smallest_subnormal)


def field_names(statistic: Any) -> list[str]:
    if is_dataclass(statistic):
        return [field.name for field in fields(statistic)]
    return list(vars(statistic))


@functools.singledispatch
def difference(a: Any, b: Any) -> float:
    """Largest difference of two statistics, field by field, relative to the field."""
    names = field_names(b)
    worst = 0.0
    for name in names:
        if name.endswith("_low") and name.removesuffix("_low") in names:
            continue
        mine, theirs = getattr(a, name), getattr(b, name)
        if not isinstance(theirs, (np.ndarray, float, int, np.generic)):
            worst = max(worst, difference(mine, theirs) if hasattr(theirs, "merge") else 0.0)
            continue
        low = f"{name}_low"
        error = np.subtract(mine, theirs, dtype=np.float64)
        if low in names:
            error = error + (getattr(a, low) - getattr(b, low))
        largest = np.max(np.abs(theirs), initial=0.0)
        worst = max(worst, _largest(error / (largest or 1.0)))
    return worst


@difference.register
def _(a: Extrema, b: Extrema) -> float:
    return 0.0 if a == b else np.inf


@difference.register
def _(a: Moments, b: Moments) -> float:
    spread = np.ldexp(np.sqrt(b.second_moment / np.maximum(b.count, 1)), b.exponent)
    square = np.ldexp(a.second_moment, 2 * (a.exponent - b.exponent))
    return max(
        _relative(a.total, b.total),
        _relative(a.count, b.count),
        _between_means(a, b, spread),
        _relative(square, b.second_moment),
        0.0 if np.array_equal(a.wide, b.wide) else np.inf,
    )


@difference.register
def _(a: PooledBatches, b: PooledBatches) -> float:
    return difference(a.moments, b.moments) if a.n_batches == b.n_batches else np.inf


@difference.register
def _(a: RunningMoments, b: RunningMoments) -> float:
    spread = np.ldexp(np.sqrt(b.deviation_square), b.deviation_exponent)
    spread = np.where(spread > 0, spread, np.abs(b.mean))
    square = np.ldexp(a.deviation_square, 2 * (a.deviation_exponent - b.deviation_exponent))
    return max(
        _relative(a.total, b.total),
        _relative(a.n_batches, b.n_batches),
        _between_means(a, b, spread),
        _relative(a.mean_weight, b.mean_weight),
        _relative(square, b.deviation_square),
        _relative(a.variance_weight, b.variance_weight),
    )


@difference.register
def _(a: Scatter, b: Scatter) -> float:
    return _between_scatters(a, b, a.scatter, b.scatter)


@difference.register
def _(a: Triangle, b: Triangle) -> float:
    # A triangle is unique up to signs; what it says is its square.
    return _between_scatters(a, b, a.triangle.T @ a.triangle, b.triangle.T @ b.triangle)


@difference.register
def _(a: RadialScatter, b: RadialScatter) -> float:
    shift = a.exponent - b.exponent
    square = np.trace(np.ldexp(b.scatter.scatter, _pairs(b.scatter.exponent - b.exponent)))
    # Cauchy and Schwarz: the cubic sum is no longer than this.
    bound = np.sqrt(b.quartic) * np.sqrt(square) or 1.0
    return max(
        difference(a.scatter, b.scatter),
        _largest((np.ldexp(a.cubic, 3 * shift) - b.cubic) / bound),
        _relative(np.ldexp(a.quartic, 4 * shift), b.quartic),
    )


def _between_means(a: Any, b: Any, spread: Array) -> float:
    """Distance of two means in units of the spread, or of 1 ulp where there is none."""
    error = (a.mean - b.mean) + (a.mean_low - b.mean_low)
    error = np.maximum(np.abs(error) - 4 * TINY, 0)
    return _largest(error / np.where(spread > 0, spread, np.spacing(np.abs(b.mean))))


def _between_scatters(a: Any, b: Any, mine: Array, theirs: Array) -> float:
    mine = np.ldexp(mine, _pairs(a.exponent - b.exponent))
    width = np.sqrt(np.diagonal(theirs))
    scale = np.where(width > 0, width, 1.0)
    spread = np.ldexp(width / np.sqrt(max(b.total, 1.0)), b.exponent)
    return max(
        _relative(a.total, b.total),
        _between_means(a, b, spread),
        _largest((mine - theirs) / scale / scale[:, np.newaxis]),
    )


def _pairs(exponent: Array) -> Array:
    return exponent + exponent[:, np.newaxis]


def _relative(actual: Any, expected: Any) -> float:
    expected = np.asarray(expected, dtype=np.float64)
    return _largest((actual - expected) / np.where(expected == 0, 1.0, np.abs(expected)))


def _largest(values: Any) -> float:
    values = np.abs(values)
    return float(np.max(np.where(np.isnan(values), np.inf, values), initial=0.0))
