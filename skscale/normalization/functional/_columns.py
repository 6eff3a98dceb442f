"""Columns of rows: moments, sums of gradients, and maps that differ by column.

All of it is in float64, a few rows at a time so that the steps stay in cache, and the blocks of
rows are on several threads where that pays. A centre is an unevaluated sum ``centre + low``, of
which the first is subtracted and the second made good afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from skscale import _kernels as kernels
from skscale._kernels import Array
from skscale._reduce import block_rows, cut, mapped_blocks, tree_reduce
from skscale.errors import InfiniteValueError
from skscale.statistics import Moments

Part = TypeVar("Part")


def moments(X: Array) -> tuple[Array, Array, Array]:
    """Mean, as a sum of two, and variance of every column; NaN where a value is not finite."""

    def of_block(rows: slice) -> Moments:
        try:
            return Moments.of(X[rows])
        except InfiniteValueError:
            return Moments.of(np.where(np.isinf(X[rows]), np.nan, X[rows]))

    found = over_blocks(of_block, X, lambda earlier, later: earlier.merge(later))
    complete = found.count == len(X)
    mean = np.where(complete, found.mean, np.nan)
    return mean, found.mean_low, np.where(complete, found.variance(), np.nan)


def affine(X: Array, centre: Array, factor: Array, shift: Array) -> Array:
    """``(X - centre) * factor + shift``, in the dtype of `X`."""
    out = np.empty(X.shape, X.dtype)

    def map_block(rows: slice) -> None:
        block, written = X[rows], out[rows]
        for part, memory in kernels.chunks(*block.shape):
            values = np.subtract(block[part], centre, out=memory)
            values *= factor
            np.add(values, shift, out=written[part], casting="same_kind")

    over_blocks(map_block, X, _nothing)
    return out


def projections(dY: Array, X: Array, centre: Array) -> tuple[Array, Array]:
    """Sums of every column of ``dY`` and of ``dY * (X - centre)``."""

    def of_block(rows: slice) -> Array:
        gradient, block = dY[rows], X[rows]
        sums = []
        for part, memory in kernels.chunks(*block.shape):
            values = np.subtract(block[part], centre, out=memory)
            values *= gradient[part]
            along = kernels.reduce_columns(np.add, values)
            np.copyto(values, gradient[part])
            sums.append((kernels.reduce_columns(np.add, values), along))
        return np.sum(sums, axis=0)

    total, along = over_blocks(of_block, X, np.add)
    return total, along


def combination(
    dY: Array, factor: Array, X: Array, centre: Array, along: Array, shift: Array
) -> Array:
    """``dY * factor - (X - centre) * along - shift``, in the dtype of `X`."""
    out = np.empty(X.shape, X.dtype)

    def map_block(rows: slice) -> None:
        gradient, block, written = dY[rows], X[rows], out[rows]
        second = None
        for part, memory in kernels.chunks(*block.shape):
            values = np.subtract(block[part], centre, out=memory)
            values *= along
            values += shift
            second = np.empty_like(memory) if second is None else second[: len(memory)]
            np.multiply(gradient[part], factor, out=second)
            np.subtract(second, values, out=written[part], casting="same_kind")

    over_blocks(map_block, X, _nothing)
    return out


def over_blocks(
    function: Callable[[slice], Part], X: Array, merge: Callable[[Part, Part], Part]
) -> Part:
    """Results of a function on blocks of rows, merged along a tree."""
    blocks = cut(len(X), block_rows(X.shape[1]))
    with mapped_blocks(function, blocks, X.size) as parts:
        return tree_reduce(parts, merge)


def _nothing(earlier: None, later: None) -> None:
    """Merge what blocks return that only write."""
