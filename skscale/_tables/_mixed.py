"""Tables of which only some columns are numbers: which these are, and what the others hold."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from scipy import sparse

from skscale._kernels import Array
from skscale._tables._frames import strange_columns
from skscale._tables._read import check_names, column_names, is_frame, read, select
from skscale._tables._rows import is_series
from skscale._tables._table import Table


def as_mixed(X: Any) -> Any:
    """A frame, an array or a sparse array as it is; lists as an array, of objects if need be.

    Raises
    ------
    ValueError
        Not two-dimensional.
    SchemaError
        A frame with a name twice.
    """
    if is_frame(X):
        check_names(column_names(X) or [])
        return X
    if not hasattr(X, "dtype"):
        array = np.asarray(X)
        X = np.asarray(X, dtype=object) if array.dtype.kind in "USmM" else array
    if len(X.shape) != 2 or X.dtype.kind not in "biufOSUmM":
        read(X)  # says what is wrong
    return X


def number_columns(X: Any) -> list[int]:
    """Positions of the columns that hold nothing but numbers and missing values.

    Parameters
    ----------
    X : frame, array or sparse array of shape (n_rows, n_columns)
        From `as_mixed`.
    """
    names = column_names(X)
    if names is not None:
        strange = set(strange_columns(X, names))
        return [i for i, name in enumerate(names) if name not in strange]
    every = range(X.shape[1])
    if sparse.issparse(X) or X.dtype.kind in "biuf":
        return list(every)
    if X.dtype.kind != "O":
        return []
    return [i for i in every if all(isinstance(v, (Real, type(None))) for v in X[:, i])]


def read_columns(X: Any, positions: Sequence[int]) -> Table:
    """Open some columns of a table, all of numbers, in this order."""
    if is_frame(X):
        return read(select(X, positions))
    part = X if len(positions) == X.shape[1] else X[:, positions]
    if not sparse.issparse(part) and part.dtype == object:
        part = part.astype(np.float64)
    return read(part, accept_sparse=("csr", "csc"))


def without_column(X: Any, position: int) -> Any:
    """A frame or array, or what becomes one, without one of its columns: numbers, if all are."""
    X = as_mixed(X)
    if is_frame(X):
        return select(X, [i for i in range(X.shape[1]) if i != position])
    if sparse.issparse(X):
        return sparse.hstack([X[:, :position], X[:, position + 1 :]])
    rest = np.delete(X, position, axis=1)
    is_numeric = rest.dtype == object and len(number_columns(rest)) == rest.shape[1]
    return rest.astype(np.float64) if is_numeric else rest


def objects(X: Any, position: int) -> list[Any]:
    """Values of one column as Python's objects, None where one is missing."""
    return objects_of(column_at(X, position))


def column_at(X: Any, position: int) -> Any:
    """One column: a series of a frame, or an array."""
    if is_frame(X):
        import narwhals.stable.v1 as narwhals

        frame = narwhals.from_native(X, eager_only=True)
        return frame.get_column(frame.columns[position]).to_native()
    return X[:, [position]].toarray()[:, 0] if sparse.issparse(X) else X[:, position]


def values_of(X: Any) -> Array | list[Any]:
    """Values of a column: those of one of numpy's types of numbers as they are, else objects."""
    dtype = getattr(X, "dtype", None)
    is_plain = isinstance(dtype, np.dtype) and dtype.kind in "biuf"
    return np.asarray(X) if is_plain else objects_of(X)


def objects_of(X: Any) -> list[Any]:
    """Values of a list, an array of one dimension or a series, None where one is missing."""
    if is_series(X):
        import narwhals.stable.v1 as narwhals

        column = narwhals.from_native(X, series_only=True)
        values, unknown = column.to_list(), column.is_null().to_list()
        values = [None if gone else value for value, gone in zip(values, unknown, strict=True)]
    else:
        values = X if isinstance(X, list) else np.asarray(X).tolist()
    nothing = getattr(sys.modules.get("pandas"), "NA", None)
    return [None if value is nothing or value != value else value for value in values]
