"""Reductions down the columns of one block, and the finiteness check that rides along."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from skscale._kernels._exact import Array, Rows, leading
from skscale.errors import InfiniteValueError, MissingValueError

RUN = 64
"""Longest plain running sum; longer columns are cut into runs and the runs are summed."""

CHUNK = 2**17
"""Numbers in one chunk: 1 MB of float64, small for a cache and long for a thread."""


def chunks(n_rows: int, n_columns: int) -> Iterator[tuple[slice, Array]]:
    """Row slices of about `CHUNK` numbers, each with the same memory to work in."""
    step = min(n_rows, max(1, CHUNK // max(1, n_columns)))
    memory = np.empty((step, n_columns))
    for start in range(0, n_rows, step):
        yield slice(start, start + step), memory[: n_rows - start]


def reduce_columns(ufunc: np.ufunc, block: Array) -> Array:
    """Reduce every column of `block`, in runs of at most `RUN` rows.

    A C-ordered block is folded, so that many short runs go side by side in one long row:
    as accurate as pairwise summation, and as fast for 2 columns as for 200.
    """
    n_rows, n_columns = block.shape
    if not block.flags.c_contiguous or n_rows <= RUN:
        return ufunc.reduce(block, axis=0)
    folds = n_rows // RUN
    folded = block[: RUN * folds].reshape(RUN, folds * n_columns)
    reduced = reduce_columns(ufunc, ufunc.reduce(folded, axis=0).reshape(folds, n_columns))
    rest = block[RUN * folds :]
    return ufunc(reduced, ufunc.reduce(rest, axis=0)) if len(rest) else reduced


def total_weight(rows: Any, weights: Array | None) -> float:
    """Sum of weights; the number of rows without them."""
    return float(rows.shape[0]) if weights is None else float(weights.sum())


def check_finite(rows: Rows) -> bool:
    """Whether `rows` holds NaN; an infinity raises.

    Parameters
    ----------
    rows : array of shape (n_rows, n_columns)
        One block.

    Raises
    ------
    InfiniteValueError
        With the position of the first infinity, row by row.
    """
    rows = leading(rows)
    with np.errstate(over="ignore", invalid="ignore"):
        if math.isfinite(np.add.reduce(rows, axis=None)):
            return False
    infinite = np.isinf(rows)
    if infinite.any():
        row, column = np.unravel_index(int(infinite.argmax()), infinite.shape)
        raise infinite_value(rows[row, column], int(row), int(column))
    return bool(np.isnan(rows).any())


def check_complete(rows: Rows) -> None:
    """Refuse rows that hold NaN or infinity.

    Raises
    ------
    InfiniteValueError
        With the position of the first infinity, row by row.
    MissingValueError
        With the columns that hold NaN.
    """
    if check_finite(rows):
        columns = tuple(np.flatnonzero(np.isnan(leading(rows)).any(axis=0)).tolist())
        raise MissingValueError(f"Input X contains NaN, in columns {list(columns)}.", columns)


def infinite_value(value: Any, row: int, column: int) -> InfiniteValueError:
    """Error for an infinity, in the words that scikit-learn begins with."""
    return InfiniteValueError(
        f"Input X contains infinity or a value too large for dtype({value.dtype.name!r}): "
        f"{value} in row {row}, column {column}.",
        row,
        column,
    )
