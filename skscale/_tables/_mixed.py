"""Tables of which only some columns are numbers: which these are, and what the others hold."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from scipy import sparse

from skscale._tables._frames import strange_columns
from skscale._tables._read import check_names, column_names, is_frame, read, select
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


def objects(X: Any, position: int) -> list[Any]:
    """Values of one column as Python's objects, None where one is missing."""
    if is_frame(X):
        import narwhals.stable.v1 as narwhals

        frame = narwhals.from_native(X, eager_only=True)
        column = frame.get_column(frame.columns[position])
        values, missing = column.to_list(), column.is_null().to_list()
    else:
        values = X[:, position].tolist()
        missing = [value is None or value != value for value in values]
    return [None if gone else value for value, gone in zip(values, missing, strict=True)]
