"""Rows normalized each by itself: its own mean and spread, over the columns that it has.

A row is what a column is elsewhere. Nothing is squared before it is centred, and what is done to a
row depends on that row alone, to the last bit. Ordinary rows go together; those with missing
values, without spread, or with squares that vanish or overflow are done once more, with care.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from skscale._kernels._columns import chunks
from skscale._kernels._exact import Array, Rows, WideRows, first_row, leading, subtract
from skscale._kernels._moments import (
    fill_missing,
    is_ordinary_square,
    ordinary_exponent,
    spread_exponent,
)

EPSILON = float(np.finfo(np.float64).eps)


class Parts:
    """Parts of rows that have statistics of their own.

    Parameters
    ----------
    columns : sequence of integer arrays
        Positions of the columns of every part; each column is in one.
    gamma, beta : arrays of shape (n_columns,)
        Scale and shift of the columns.

    Attributes
    ----------
    order, starts : integer arrays
        All positions, part after part, and where in them each part begins, and the last one ends.
    gamma, beta : arrays of shape (n_columns,)
        In this order.
    columns : list of slices or integer arrays
        Slices where the positions are consecutive: they are looked at without a copy.
    """

    def __init__(self, columns: Sequence[Array], gamma: Array, beta: Array) -> None:
        self.order = np.concatenate(columns).astype(np.int64)
        self.starts = np.concatenate([[0], np.cumsum([len(part) for part in columns])])
        self.gamma, self.beta = gamma[self.order], beta[self.order]
        self.columns = [_as_slice(part) for part in columns]

    def __iter__(self) -> Iterator[tuple[Any, Array, Array]]:
        """Columns, gamma and beta of every part."""
        bounds = itertools.pairwise(self.starts)
        for columns, (start, stop) in zip(self.columns, bounds, strict=True):
            yield columns, self.gamma[start:stop], self.beta[start:stop]


def normalize_rows(rows: Rows, parts: Parts, centred: bool, epsilon: float, out: Array) -> bool:
    """``gamma (x - mean) / sqrt(variance + epsilon) + beta`` for every part of every row.

    Parameters
    ----------
    rows : array of shape (n_rows, n_columns)
        Numbers, or NaN where a value is missing: it is left out, and stays.
    parts : Parts
        Of the columns.
    centred : bool
        If not, means are taken to be 0.
    epsilon : float
        Not negative. With 0, a part whose values are all equal, but for the spacing of floats
        around their mean, becomes beta.
    out : array of shape (n_rows, n_columns)
        Of a float dtype, and of other memory than the rows.

    Returns
    -------
    is_finite : bool
        If not, there is NaN or infinity in the rows.
    """
    values = leading(rows)
    left = np.empty((len(values), len(parts.columns)), dtype=bool)
    with np.errstate(all="ignore"):
        for number, (columns, gamma, beta) in enumerate(parts):
            part = values[:, columns]
            for chunk, memory in chunks(*part.shape):
                deviation = np.empty(memory.shape)
                square, mean = _deviations(part[chunk], centred, deviation, memory)
                width = np.sqrt(square / part.shape[1] + epsilon)
                left[chunk, number] = ~is_ordinary_square(square)
                if centred and epsilon == 0:  # may be equal but for the spacing
                    left[chunk, number] |= width < EPSILON * np.abs(mean)
                deviation /= width[:, np.newaxis]
                out[chunk][:, columns] = _moved(deviation, gamma, beta)
    return normalize_unusual(rows, left, parts, centred, epsilon, out)


def normalize_unusual(
    rows: Rows, left: Array, parts: Parts, centred: bool, epsilon: float, out: Array
) -> bool:
    """The same where something is `left`, and for integers that float64 rounds.

    Parameters
    ----------
    rows, parts, centred, epsilon, out
        As of `normalize_rows`.
    left : array of bool of shape (n_rows, n_parts)
        Parts of rows that are not done yet.
    """
    if not isinstance(rows, WideRows) and not np.count_nonzero(left):
        return True
    is_finite = True
    for number, (columns, gamma, beta) in enumerate(parts):
        chosen = left[:, number]
        if isinstance(rows, WideRows):
            chosen = chosen | rows.low[:, columns].any(axis=1)
        numbers = np.flatnonzero(chosen)
        if len(numbers) == 0:
            continue
        part = rows[:, columns][numbers]
        values = leading(part)
        if np.isinf(values).any():
            return False
        with np.errstate(all="ignore"):
            deviation, width = _careful(part, centred, epsilon)
            result = _moved(deviation / width[:, np.newaxis], gamma, beta)
        missing = np.isnan(values)
        result[missing] = np.nan
        is_finite &= not missing.any()
        done = out[:, columns]
        done[numbers] = result
        if not isinstance(columns, slice):
            out[:, columns] = done
    return is_finite


def _deviations(rows: Array, centred: bool, out: Array, memory: Array) -> tuple[Array, Array]:
    """Deviations from the mean, into `out`; their sum of squares, and the mean."""
    if centred:
        first = rows[:, :1].astype(np.float64)
        np.subtract(rows, first, out=out)
        step = np.add.reduce(out, axis=1, keepdims=True) / rows.shape[1]
        out -= step
        mean = (first + step)[:, 0]
    else:
        out[...] = rows
        mean = np.zeros(len(rows))
    return np.add.reduce(np.multiply(out, out, out=memory), axis=1), mean


def _careful(rows: Rows, centred: bool, epsilon: float) -> tuple[Array, Array]:
    """Deviations of finite rows from the mean, and what they are divided by."""
    columns, observed = fill_missing(_transposed(rows), None)
    if centred:
        first, low = first_row(columns)
        exponent = spread_exponent(columns)
    else:
        first, low = np.zeros(len(rows)), None
        exponent = ordinary_exponent(np.abs(leading(columns)).max(axis=0))
    # In memory as rows again: the order of a sum must not depend on the number of rows.
    there = np.ascontiguousarray(observed.T)
    deviation = np.ascontiguousarray(subtract(columns, first, low, exponent).T) * there
    count = np.maximum(np.add.reduce(there, axis=1), 1)
    step = np.zeros(len(rows))
    if centred:
        step = np.add.reduce(deviation, axis=1) / count
        deviation = (deviation - step[:, np.newaxis]) * there
    width = np.sqrt(np.add.reduce(deviation * deviation, axis=1) / count)
    if epsilon == 0:
        least = np.zeros(len(rows))
        if centred:
            least = np.spacing(np.abs(first + np.ldexp(step, exponent)))
            if isinstance(rows, WideRows):  # whole numbers are known without rounding
                least[rows.low.any(axis=1)] = 0.0
        constant = (width == 0) | (np.ldexp(width, exponent) < least)
        deviation[constant] = 0.0
        return deviation, np.where(constant, 1.0, width)
    width, unit = _with_epsilon(width, exponent, epsilon)
    return np.ldexp(deviation, (exponent - unit)[:, np.newaxis]), width


def _with_epsilon(width: Array, exponent: Array, epsilon: float) -> tuple[Array, Array]:
    """``sqrt((width * 2**exponent)**2 + epsilon)``, and the exponent that it has."""
    root = np.sqrt(epsilon)
    unit = np.where(exponent == 0, 0, np.maximum(exponent, np.frexp(root)[1]))
    return np.hypot(np.ldexp(width, exponent - unit), np.ldexp(root, -unit)), unit


def _as_slice(positions: Array) -> Any:
    first, last = int(positions[0]), int(positions[-1])
    is_consecutive = np.array_equal(positions, np.arange(first, last + 1))
    return slice(first, last + 1) if is_consecutive else positions


def _transposed(rows: Rows) -> Rows:
    return WideRows(rows.high.T, rows.low.T) if isinstance(rows, WideRows) else rows.T


def _moved(normalized: Array, gamma: Array, beta: Array) -> Array:
    """``gamma normalized + beta``, in the memory of `normalized`."""
    if (gamma != 1).any():
        normalized *= gamma
    if beta.any():
        normalized += beta
    return normalized


def stored_scale(
    values: Array, starts: Array, n_columns: int, epsilon: float
) -> tuple[Array, Array]:
    """``sqrt(mean square + epsilon)`` of sparse rows, as ``scale * 2**exponent``.

    Parameters
    ----------
    values : array of shape (n_stored,)
        Stored values, row after row; NaN where one is missing.
    starts : array of shape (n_rows + 1,)
        Where every row begins, and the last one ends.
    n_columns : int
        Columns of a row; those that are not stored are zeros.
    epsilon : float
        Not negative. With 0, the scale of a row of zeros is 1.
    """
    stored = np.diff(starts)
    filled = np.flatnonzero(stored)
    missing = np.isnan(values)
    sizes = np.abs(np.where(missing, 0.0, values).astype(np.float64))

    def reduced(ufunc: np.ufunc, terms: Array) -> Array:
        result = np.zeros(len(stored))
        if len(filled):
            result[filled] = ufunc.reduceat(terms, starts[filled])
        return result

    exponent = ordinary_exponent(reduced(np.maximum, sizes))
    sizes = np.ldexp(sizes, -np.repeat(exponent, stored))
    count = np.maximum(n_columns - reduced(np.add, missing.astype(np.float64)), 1)
    with np.errstate(under="ignore"):
        width = np.sqrt(reduced(np.add, sizes * sizes) / count)
    if epsilon == 0:
        return np.where(width == 0, 1.0, width), exponent
    return _with_epsilon(width, exponent, epsilon)
