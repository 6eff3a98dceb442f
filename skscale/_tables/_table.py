"""A table of numbers that can be read block by block."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from skscale._kernels import Columns, Rows


class Table(NamedTuple):
    """A table of numbers that can be read block by block.

    Parameters
    ----------
    source : object
        What the caller gave, or the array it was converted to: a frame, an array or a
        sparse array.
    shape : tuple of int
        Rows and columns.
    dtype : dtype
        Common float dtype of the columns, which results come back in.
    rows : callable
        A slice, or an array of row numbers, to a block: float or wide; a sparse one for a sparse
        table.
    names : list or None
        Labels of the columns of a frame.
    is_uniform : bool, default=False
        Whether all columns of a frame are known to be of `dtype`, one of numpy's.
    columns : callable or None
        As `rows`, for a slice of a table that has its columns apart in memory: these, if no number
        has to be moved for it.
    """

    source: Any
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    rows: Callable[[Any], Rows]
    names: list[Any] | None = None
    is_uniform: bool = False
    columns: Callable[[slice], Rows | Columns] | None = None

    @property
    def is_sparse(self) -> bool:
        return sparse.issparse(self.source)


def of_sparse(X: Any) -> Table:
    """A sparse array of floats, in any format that can become CSR."""
    by_row = functools.cache(X.tocsr)  # not every reader wants rows
    return Table(X, X.shape, X.dtype, lambda rows: by_row()[rows])


def float_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind == "f" and dtype.itemsize <= 8:
        return dtype.newbyteorder("=")
    return np.dtype(np.float64)
