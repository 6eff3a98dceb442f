"""Any table to a stream of float blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from skscale._kernels import as_rows
from skscale._tables._dask import refuse_lazy
from skscale._tables._frames import read_frame
from skscale._tables._table import Table, float_dtype, of_sparse
from skscale.errors import NonNumericColumnError, SchemaError


def read(X: Any, *, accept_sparse: Sequence[str] | bool = False) -> Table:
    """Open a table.

    Parameters
    ----------
    X : array-like, sparse array, pandas or polars DataFrame, or pyarrow Table
        Of shape (n_rows, n_columns), at least one of each.
    accept_sparse : list of str or False
        Sparse formats that pass; the first is what others are converted to.

    Raises
    ------
    ValueError
        Not two-dimensional, no rows, no columns, complex, duplicate column names.
    NonNumericColumnError
        Columns that hold anything but numbers.
    """
    refuse_lazy(X)
    if is_frame(X):
        return _read_frame(X)
    if type(X).__name__ == "LazyFrame":
        raise TypeError(
            "X is a LazyFrame, which has a plan instead of rows. Pass X.collect(), or its batches "
            "one by one to partial_fit."
        )
    if not hasattr(X, "dtype"):
        X = np.asarray(X)
    if X.dtype.kind in "mM":
        raise NonNumericColumnError(
            f"X is an array of {X.dtype}, which are not numbers. Take numbers from them first, "
            "such as the days since some date."
        )
    if X.dtype.kind in "SUT":
        raise NonNumericColumnError(
            f"X holds text: it is an array of {X.dtype}, or a list that makes one, and only "
            "numbers can be measured. If the text is that of numbers, pass "
            "np.asarray(X, dtype=float); if it is of categories or names, encode or drop it."
        )
    if isinstance(X, np.ma.MaskedArray):
        X = _without_mask(X)
    if X.dtype == object and (integers := np.array(X.tolist())).dtype.kind in "iu":
        X = integers  # Python's own, which float64 might round
    array = check_array(
        X,
        accept_sparse=accept_sparse,
        dtype="numeric",
        ensure_all_finite=False,
        accept_large_sparse=True,
    )
    if sparse.issparse(array):
        if array.dtype not in (np.float64, np.float32):
            array = array.astype(np.float64)
        return of_sparse(array)
    if array.dtype.kind == "b":
        array = array.astype(np.float64)
    return Table(array, array.shape, float_dtype(array.dtype), lambda rows: as_rows(array[rows]))


def _without_mask(X: Any) -> Any:
    """A masked array as an ordinary one, where what was masked is NaN."""
    if not np.ma.is_masked(X):
        return X.data
    return (X if X.dtype.kind in "fO" else X.astype(np.float64)).filled(np.nan)


def is_frame(X: Any) -> bool:
    """Whether `X` is an eager frame of a library that is already imported."""
    if isinstance(X, (np.ndarray, list)) or sparse.issparse(X):
        return False
    import narwhals.stable.v1 as narwhals

    return narwhals.dependencies.is_into_dataframe(X)


def column_names(X: Any) -> list[Any] | None:
    """Column labels of a frame; None for anything else."""
    if not is_frame(X):
        return None
    # pyarrow calls the columns themselves `columns`; narwhals refuses duplicates in pandas.
    names = X.column_names if hasattr(type(X), "column_names") else X.columns
    return names.tolist() if hasattr(names, "tolist") else list(names)


def select(X: Any, positions: Sequence[int]) -> Any:
    """Columns of a frame by position."""
    import narwhals.stable.v1 as narwhals

    frame = narwhals.from_native(X, eager_only=True)
    return frame[:, list(positions)].to_native()


def _read_frame(X: Any) -> Table:
    names = column_names(X) or []
    check_shape(*X.shape)
    check_names(names)
    _check_kinds_of_names(names)
    return read_frame(X, names)


def check_shape(n_rows: int, n_columns: int) -> None:
    """Refuse a table of nothing.

    Raises
    ------
    ValueError
    """
    # scikit-learn's words, which its checks and its users look for.
    if n_rows == 0:
        raise ValueError(
            f"Found array with 0 sample(s) (shape=({n_rows}, {n_columns})) while a minimum of 1 "
            "is required. Pass a table with at least one row."
        )
    if n_columns == 0:
        raise ValueError(
            f"Found array with 0 feature(s) (shape=({n_rows}, {n_columns})) while a minimum of "
            "1 is required. Pass a table with at least one column."
        )


def check_names(names: list[Any]) -> None:
    repeated = (
        sorted({str(name) for name in names if names.count(name) > 1})
        if (len(set(names)) < len(names))
        else []
    )
    if repeated:
        raise SchemaError(
            f"Column names must be unique; given more than once: {', '.join(repeated)}. "
            "Rename or drop the duplicates."
        )


def _check_kinds_of_names(names: list[Any]) -> None:
    kinds = sorted({type(name).__qualname__ for name in names})
    if len(kinds) > 1 and "str" in kinds:
        # scikit-learn's words, which its checks and its users look for.
        raise TypeError(
            "Feature names are only supported if all input features have string names, but your "
            f"input has {kinds} as feature name / column name types. Make them strings with "
            "X.columns = X.columns.astype(str), or drop the names with X.to_numpy()."
        )
