"""Rows by a mean and a standard deviation, and the way from one pair of these to another."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np

from skscale import _kernels as kernels
from skscale._blocks import Apply, without_rounding
from skscale._kernels import Array, Rows, WideRows
from skscale._parameters import is_real
from skscale.statistics import Moments, RunningMoments
from skscale.statistics._constant import divisor


class Normalization(NamedTuple):
    """What rows are normalized by, ``(x - mean) / sqrt(var + epsilon)``, as the kernels take it.

    Parameters
    ----------
    mean, mean_low : arrays of shape (n_features,)
        Unevaluated sum of two; NaN where no value was seen.
    width, exponent : arrays of shape (n_features,)
        The divisor is ``width * 2**exponent``.
    rounding : array of shape (n_features,)
        Normalized values below this are rounding, and stand for 0.
    """

    mean: Array
    mean_low: Array
    width: Array
    exponent: Array
    rounding: Array

    @classmethod
    def of(cls, moments: Moments | RunningMoments, epsilon: Any, ddof: float) -> Self:
        """By the mean and variance that were measured; `epsilon` may be "auto"."""
        mean = np.where(moments.count > 0, moments.mean, np.nan)
        if epsilon == "auto":
            return cls(mean, moments.mean_low, *divisor(moments, ddof))
        width, exponent = moments.deviation(ddof)
        root = float(np.sqrt(epsilon))
        unit = np.where(exponent == 0, 0, np.maximum(exponent, np.frexp(root)[1]))
        width = np.hypot(np.ldexp(width, exponent - unit), np.ldexp(root, -unit))
        width = np.where(moments.count > 0, width, np.nan)
        return cls(mean, moments.mean_low, width, unit, np.zeros(len(unit)))

    def apply(self) -> Apply:
        """Rows to normalized ones."""
        mean, low, width, exponent, rounding = self

        def standardize(rows: Rows, out: Array) -> bool:
            return kernels.standardize(rows, mean, low, width, exponent, out)

        return without_rounding(standardize, rounding)

    def invert(self, columns: Any) -> Apply:
        """Normalized rows of some columns back."""
        mean, low, width, exponent, _ = (part[columns] for part in self)
        return lambda rows, out: kernels.unstandardize(rows, mean, low, width, exponent, out)

    def towards(self, other: Self, r_max: float, d_max: float) -> tuple[Array, Array]:
        """``r`` and ``d`` of batch renormalization: ``r z + d`` is `z` by the `other`, if near.

        References
        ----------
        Ioffe, S. (2017). Batch renormalization: towards reducing minibatch dependence in
        batch-normalized models. NeurIPS 30, algorithm 1.
        """
        mean = WideRows(self.mean[np.newaxis], self.mean_low[np.newaxis])
        shift = np.empty(mean.shape)
        kernels.standardize(mean, *other[:-1], shift)
        with np.errstate(over="ignore", under="ignore"):
            ratio = np.ldexp(self.width / other.width, self.exponent - other.exponent)
        r = np.clip(ratio, 1 / r_max, r_max)
        d = np.clip(shift[0], -d_max, d_max)
        is_known = ~np.isnan(other.mean)
        return np.where(is_known, r, 1.0), np.where(is_known, d, 0.0)


def is_renorm(value: Any) -> bool:
    """Whether this is a pair of limits ``(r_max, d_max)``."""
    if not isinstance(value, tuple) or len(value) != 2:
        return False
    return all(map(is_real, value)) and bool(value[0] >= 1 and value[1] >= 0)
