"""Centred rows times a matrix: what PCA and whitening do to a block."""

from __future__ import annotations

import math

import numpy as np

from skscale import _kernels as kernels
from skscale._blocks import Apply
from skscale._kernels import Array, Rows
from skscale.statistics import Scatter, Triangle

NEAR = 4
"""Standard deviations that a mean may be from zero without costing more than two bits."""


def is_near_zero(statistic: Scatter | Triangle) -> bool:
    """Whether every mean is within a few standard deviations of zero.

    The low part of such a mean may be left out: a row is then rounded like a deviation of a few
    times its size, which costs two bits and saves a pass.
    """
    width, exponent = statistic.deviation()
    return not exponent.any() and bool((np.abs(statistic.mean) <= NEAR * width).all())


def projection(
    mean: Array,
    mean_low: Array,
    directions: Array,
    exponent: Array,
    out_exponent: int = 0,
    *,
    near_zero: bool = False,
) -> Apply:
    """How to map rows to ``((rows - mean) * 2**-exponent) @ directions * 2**out_exponent``.

    Parameters
    ----------
    mean, mean_low : arrays of shape (n_features,)
        Mean as an unevaluated sum.
    directions : array of shape (n_features, k)
        Columns to project on.
    exponent : integer array of shape (n_features,)
        Units of the centred rows.
    out_exponent : int, default=0
        Units of the result.
    near_zero : bool, default=False
        Whether the low part of the mean does not matter.
    """
    units = exponent if exponent.any() else None
    directions = np.ascontiguousarray(directions)
    with np.errstate(all="ignore"):
        # The low part of the mean is projected once, and not subtracted from every row.
        offset = None if near_zero else np.ldexp(mean_low, -exponent) @ directions

    def apply(rows: Rows, out: Array) -> bool:
        finite = True
        with np.errstate(all="ignore"):
            # Last bits of a product depend on whether it is written by row or by column.
            is_direct = out.dtype == np.float64 and out.flags.c_contiguous
            products: Array | None = None
            for chunk, buffer in kernels.chunks(*rows.shape):
                if products is None and not is_direct:
                    products = np.empty((len(buffer), out.shape[1]))
                product = out[chunk] if products is None else products[: len(buffer)]
                if units is None:
                    deviation, sums = kernels.deviations(rows[chunk], mean, None, buffer)
                else:
                    deviation = sums = kernels.subtract(rows[chunk], mean, None, units, out=buffer)
                finite &= math.isfinite(np.add.reduce(sums, axis=None))
                np.matmul(deviation, directions, out=product)
                if offset is not None:
                    product -= offset
                if out_exponent:
                    np.ldexp(product, out_exponent, out=product)
                if products is not None:
                    np.copyto(out[chunk], product, casting="same_kind")
        return finite

    return apply


def reconstruction(mean: Array, mean_low: Array, directions: Array, exponent: Array) -> Apply:
    """How to map rows to ``mean + (rows @ directions) * 2**exponent``."""
    width = np.ones(len(mean))

    def apply(rows: Array, out: Array) -> bool:
        with np.errstate(all="ignore"):
            product = rows.astype(np.float64, copy=False) @ directions
        return kernels.unstandardize(product, mean, mean_low, width, exponent, out)

    return apply
