"""The compiled twins: blocks that lie in memory as the compiled loops read them, and are ordinary.

All other blocks go to the functions of the same names in numpy, which know every case: integers
wider than float64, float16, strides, exponents, infinities, and squares that vanish or overflow.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

import numpy as np

from skscale._kernels import (
    _affine,
    _extrema,
    _hashes,
    _loops,
    _merging,
    _moments,
    _rowwise,
    _scatter,
)
from skscale._kernels._exact import Array, Columns, Elsewhere, Picked, Rows, as_rows, leading
from skscale._kernels._merging import Merged, Scattered
from skscale._kernels._rowwise import Parts

Kernel = TypeVar("Kernel", bound=Callable[..., bool])

LETTERS = {"f": "float", "d": "double"}
MOMENTS = {letter: _loops.moments[kind] for letter, kind in LETTERS.items()}
DEVIATIONS = {letter: _loops.deviations[kind] for letter, kind in LETTERS.items()}
EXTREMA = {letter: _loops.extrema[kind] for letter, kind in LETTERS.items()}
HASHES = {letter: _loops.hashes[kind] for letter, kind in LETTERS.items()}
LOW_HASHES = {letter: _loops.low_hashes[kind] for letter, kind in LETTERS.items()}
AFFINE = {
    (letter, other): _loops.affine[kind, written]
    for letter, kind in LETTERS.items()
    for other, written in LETTERS.items()
}
ROWWISE = {
    (letter, other): _loops.normalize_rows[kind, written]
    for letter, kind in LETTERS.items()
    for other, written in LETTERS.items()
}
DTYPES = (np.float64, np.float64, np.float64, np.int64)
LANES = _loops.lanes()
"""Numbers in a vector of this machine for which there is a loop over products; 0 for none."""

WIDEST = 200
"""Columns up to which the loop over products is faster than a matrix product."""

NO_INTERVAL = (*[None] * 6, False)
"""What a loop takes for the ends of an interval, and for clipping, where there are none."""


def moments(
    rows: Rows | Elsewhere, weights: Array | None
) -> tuple[Array, Array, Array, Array, Array]:
    """Count, mean and centred second moment of every column of one block."""
    strips = _strips(rows)
    if strips is not None:
        measured, scratch = np.empty((4, rows.shape[1])), np.empty((4, rows.shape[1]))
        of_rows = _in_line(weights)
        if all(
            MOMENTS[block.dtype.char](block, of_rows, *measured[:, columns], scratch)
            for columns, block in strips
        ):
            return *measured, np.zeros(rows.shape[1], dtype=np.int64)
    return _moments.moments(rows, weights)


def extrema(
    rows: Rows | Elsewhere, weights: Array | None
) -> tuple[Array, Array, Array, Array, Array]:
    """Count, minimum and maximum of every column of one block."""
    strips = _strips(rows)
    if strips is not None:
        measured, of_rows = np.empty((3, rows.shape[1])), _in_line(weights)
        if all(
            EXTREMA[block.dtype.char](block, of_rows, *measured[:, columns])
            for columns, block in strips
        ):
            count, minimum, maximum = measured
            zeros = np.zeros(len(count))
            return count, minimum, zeros, maximum, zeros
    return _extrema.extrema(rows, weights)


def deviations(rows: Rows, high: Array, low: Array | None, out: Array) -> tuple[Array, Array]:
    """``rows - (high + low)``, and the sum of every column of it."""
    if low is None or not low.any():
        block = _in_order(rows)
        if block is not None:
            sums = np.empty(block.shape[1])
            if DEVIATIONS[block.dtype.char](block, high, out, sums):
                return out, sums
    return _scatter.deviations(rows, high, low, out)


def products(
    rows: Rows | Elsewhere, weights: Array | None, high: Array, low: Array | None
) -> tuple[Array, Array]:
    """Weighted sums of the deviations from a centre, and of the products of every two columns."""
    n_rows, n_columns = rows.shape
    layout = _layout(rows) if LANES and n_columns <= WIDEST else None
    if layout is None:
        return _scatter.products(rows, weights, high, low, deviations)
    sums, matrix = np.empty(n_columns), np.empty((n_columns, n_columns))
    work = np.empty(_loops.products_work(n_rows, n_columns))
    low = np.zeros(n_columns) if low is None else low
    *where, _memory = layout
    _loops.products(LANES, *where, _in_line(weights), high, low, work, sums, matrix)
    return sums, matrix


def _layout(rows: Rows | Elsewhere) -> tuple[Any, ...] | None:
    """Where rows are, as the loop over products takes it, and what keeps them there."""
    picked = None
    if isinstance(rows, Columns):
        starts = np.array([[column.ctypes.data for column in of] for of in rows.pieces], np.uintp)
        lengths = np.array([len(of[0]) for of in rows.pieces], np.intp)
        return starts, lengths, picked, 1, rows.dtype.itemsize, rows
    block: Any = rows
    if isinstance(rows, Picked):
        block, picked = rows.source, np.ascontiguousarray(rows.numbers, dtype=np.int64)
    block = _in_order(block)
    if block is None:
        return None
    (down, across), size = block.strides, block.itemsize
    starts = (block.ctypes.data + across * np.arange(block.shape[1])).astype(np.uintp)
    lengths = np.array([len(rows)], np.intp)
    return starts[np.newaxis], lengths, picked, down // size, size, (block, picked)


def scatter(rows: Rows | Elsewhere, weights: Array | None) -> tuple[Array, Array, Array, Array]:
    """Mean and centred scatter matrix of rows."""
    return _scatter.scatter(rows, weights, products)


def row_hashes(rows: Rows, keys: Array) -> Array:
    """One unsigned 64-bit number for every row."""
    block = _in_order(rows)
    if block is None:
        return _hashes.row_hashes(rows, keys)
    out = np.empty(len(block), dtype=np.uint64)
    HASHES[block.dtype.char](block, np.ascontiguousarray(keys[0]), out)
    return out


def low_hashes(rows: Rows, keys: Array, bound: np.uint64) -> tuple[Array, Array]:
    """Numbers of the rows with a hash up to a bound, and these hashes."""
    block = _in_order(rows)
    if block is None:
        return _hashes.low_hashes(rows, keys, bound)
    numbers, out = np.empty(len(block), dtype=np.int64), np.empty(len(block), dtype=np.uint64)
    keys = np.ascontiguousarray(keys[0])
    n_low = LOW_HASHES[block.dtype.char](block, keys, bound, numbers, out)
    return numbers[:n_low], out[:n_low]


def gather(source: Array, rows: Array, out: Array) -> None:
    """Copy rows by number."""
    numbers = np.ascontiguousarray(rows, dtype=np.int64)
    _loops.gather(source.view(np.uint8), numbers, out.view(np.uint8))


def add_means(
    weight: Array, mean: Array, mean_low: Array, weight_two: Array, mean_two: Array, low_two: Array
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Mean of earlier and later rows together, and the distance between the two."""
    given = (weight, mean, mean_low, weight_two, mean_two, low_two)
    count, high, low, difference, factor = merged = np.empty((5, len(mean)))
    if _loops.add_means(*map(np.ascontiguousarray, given), *merged):
        exponent = np.where((difference == 0) | (factor == 0), _merging.LOWEST, 0)
        return count, high, low, difference, exponent, factor
    return _merging.add_means(*given)


def merge_scatter(first: Scattered, second: Scattered) -> Merged | None:
    """Mean and scatter matrix of earlier and later rows together, if all is ordinary."""
    n_columns = len(first[1])
    apart, high, low = np.empty((3, n_columns))
    matrix, matrix_low = np.empty((n_columns, n_columns)), np.empty((n_columns, n_columns))
    given = (part for of in (first, second) for part in (of[0], *map(np.ascontiguousarray, of[1:])))
    if _loops.merge_scatter(*given, apart, high, low, matrix, matrix_low):
        return high, low, matrix, matrix_low
    return None


def normalize_rows(rows: Rows, parts: Parts, centred: bool, epsilon: float, out: Array) -> bool:
    """``gamma (x - mean) / sqrt(variance + epsilon) + beta`` for every part of every row."""
    block = _in_order(leading(rows))
    if block is None or out.dtype.char not in LETTERS:
        return _rowwise.normalize_rows(rows, parts, centred, epsilon, out)
    left = np.empty((len(block), len(parts.columns)), dtype=np.uint8)
    scratch = np.empty((block.shape[1], _loops.ABREAST))
    loop = ROWWISE[block.dtype.char, out.dtype.char]
    given = parts.order, parts.starts, parts.gamma, parts.beta, centred, epsilon
    is_complete: bool = loop(block, *given, scratch, left, out)
    others = _rowwise.normalize_unusual(rows, left.view(bool), parts, centred, epsilon, out)
    return is_complete and others


def _compiled(twin: Kernel, *, inverse: bool) -> Kernel:
    """A map of `_affine` by the compiled loop, and by itself where the loop cannot."""

    @functools.wraps(twin)
    def compiled(rows: Rows, *arguments: Any) -> bool:
        *given, out = arguments
        block = _in_order(rows)
        if block is not None and out.dtype.char in LETTERS:
            loop = AFFINE[block.dtype.char, out.dtype.char]
            origin, low, width, exponent = map(np.asarray, given[:4], DTYPES)
            rest = *given[4:], *NO_INTERVAL[len(given) :], inverse, out
            status = loop(block, origin, low, width, exponent, *rest)
            if status == _loops.SHARED:
                rows = block = block.copy(order="K")
                status = loop(block, origin, low, width, exponent, *rest)
            if status != _loops.UNUSUAL:
                return bool(status == _loops.ORDINARY)
        return twin(rows, *given, out)

    return cast(Kernel, compiled)


def _strips(rows: Rows | Elsewhere) -> Iterable[tuple[slice, Array]] | None:
    """Blocks of some of the columns, as the loops read them; None if they cannot."""
    if isinstance(rows, Columns):
        return ((slice(i, i + 1), rows.column(i)[:, None]) for i in range(rows.shape[1]))
    block = _in_order(as_rows(rows))
    return None if block is None else [(slice(None), block)]


def _in_order(rows: Rows) -> Array | None:
    """The block as the loops read it: one row, or one column, after the other."""
    if not isinstance(rows, np.ndarray) or rows.dtype.char not in LETTERS or rows.size == 0:
        return None
    size, strides = rows.itemsize, rows.strides
    whole = strides[0] % size == 0 and strides[1] % size == 0 and rows.flags.aligned
    if whole and size in strides:
        return rows
    return np.ascontiguousarray(rows)


def _in_line(weights: Array | None) -> Array | None:
    return None if weights is None else np.ascontiguousarray(weights, dtype=np.float64)


standardize = _compiled(_affine.standardize, inverse=False)
unstandardize = _compiled(_affine.unstandardize, inverse=True)
interpolate = _compiled(_affine.interpolate, inverse=False)
uninterpolate = _compiled(_affine.uninterpolate, inverse=True)
