"""Any table to a stream of float blocks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from skscale._kernels import Array, Rows, WideRows, as_rows, is_wide
from skscale.errors import NonNumericColumnError, SchemaError


@dataclass(frozen=True, eq=False)
class Table:
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
        ``rows(slice)`` is a block, float or wide; a sparse one for a sparse table.
    names : list or None
        Labels of the columns of a frame.
    """

    source: Any
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    rows: Callable[[slice], Rows]
    names: list[Any] | None = None

    @property
    def is_sparse(self) -> bool:
        return sparse.issparse(self.source)


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
        by_row = array if array.format == "csr" else array.tocsr()
        return Table(array, array.shape, array.dtype, by_row.__getitem__)
    if array.dtype.kind == "b":
        array = array.astype(np.float64)
    return Table(array, array.shape, float_dtype(array.dtype), lambda rows: as_rows(array[rows]))


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
    return list(X.column_names if hasattr(X, "column_names") else X.columns)


def select(X: Any, positions: Sequence[int]) -> Any:
    """Columns of a frame by position."""
    import narwhals.stable.v1 as narwhals

    names = column_names(X) or []
    frame = narwhals.from_native(X, eager_only=True)
    return frame.select([names[position] for position in positions]).to_native()


def _read_frame(X: Any) -> Table:
    import narwhals.stable.v1 as narwhals

    names = column_names(X) or []
    n_rows, n_columns = X.shape
    _check_shape(n_rows, n_columns)
    _check_names(names)
    _check_kinds_of_names(names)
    plain = _plain_values(X)
    if plain is not None:
        dtype = float_dtype(plain.dtype)
        return Table(X, X.shape, dtype, lambda rows: as_rows(plain[rows]), names)
    columns = list(narwhals.from_native(X, eager_only=True).iter_columns())
    found = [_column_dtype(column) for column in columns]
    strangers = [
        f"{name!r} ({column.dtype})"
        for name, column, dtype in zip(names, columns, found, strict=True)
        if dtype is None
    ]
    if strangers:
        raise NonNumericColumnError(
            f"Columns that are not numbers: {', '.join(strangers)}. Only numeric columns can be "
            "measured. Encode or drop them, or send each kind of column to its own transformer: "
            "make_column_transformer((transformer, make_column_selector(dtype_include='number')))."
        )
    dtypes = [dtype for dtype in found if dtype is not None]
    dtype = float_dtype(np.result_type(*dtypes))
    arrays = [_array(column, dtype) for column, dtype in zip(columns, dtypes, strict=True)]
    return Table(X, X.shape, dtype, lambda rows: _stack(arrays, dtypes, rows, dtype), names)


def _check_shape(n_rows: int, n_columns: int) -> None:
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


def _check_names(names: list[Any]) -> None:
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


def _column_dtype(column: Any) -> np.dtype[Any] | None:
    """Numpy dtype that the column's values convert to; None if they are not numbers."""
    dtype, name = column.dtype, str(column.dtype).lower()
    native = getattr(column.to_native(), "dtype", None)
    native = getattr(native, "subtype", native)  # of a sparse column
    if isinstance(native, np.dtype) and native.kind in "biuf":
        return native if native.itemsize <= 8 else np.dtype(np.float64)
    if name == "object":
        return _object_dtype(column)
    if name == "boolean" or name in ("float16", "float32"):
        return np.dtype("bool" if name == "boolean" else name)
    if not dtype.is_numeric():
        # Polars and Arrow have a type for a column that never had a value.
        return np.dtype(np.float64) if column.null_count() == len(column) else None
    return np.dtype(name) if dtype.is_integer() and "128" not in name else np.dtype(np.float64)


def _object_dtype(column: Any) -> np.dtype[Any] | None:
    """float64 for a column of Python numbers (and None), which numpy keeps as objects."""
    numbers = (Real, Decimal, np.number, np.bool_, type(None))
    values = np.asarray(column.to_native(), dtype=object)
    plain = all(
        isinstance(v, numbers) or v is getattr(sys.modules.get("pandas"), "NA", 0) for v in values
    )
    return np.dtype(np.float64) if plain else None


def _plain_values(X: Any) -> Array | None:
    """Values of a pandas frame that is one array of floats inside, without a copy."""
    pandas = sys.modules.get("pandas")
    if pandas is None or not isinstance(X, pandas.DataFrame):
        return None
    first = X.dtypes.iloc[0]
    is_plain = isinstance(first, np.dtype) and first.kind == "f" and first.itemsize <= 8
    return X.to_numpy() if is_plain and (X.dtypes == first).all() else None


def _array(column: Any, dtype: np.dtype[Any]) -> Any:
    """A column's own numpy array, where it has one that needs no conversion; else the column."""
    native = column.to_native()
    if isinstance(getattr(native, "dtype", None), np.dtype) and native.dtype == dtype:
        return native.to_numpy()
    return column


def _stack(
    columns: list[Any], dtypes: list[np.dtype[Any]], rows: slice, dtype: np.dtype[Any]
) -> Rows:
    """A block of columns side by side; wide if an integer column needs it."""
    high = np.empty((rows.stop - rows.start, len(columns)), dtype=dtype)
    low: Array | None = None
    for i, (column, column_dtype) in enumerate(zip(columns, dtypes, strict=True)):
        part = column[rows]
        values: Rows = part if isinstance(part, np.ndarray) else _values(part, column_dtype)
        if isinstance(values, np.ndarray) and is_wide(values):
            values = WideRows.of_integers(values)
        if isinstance(values, WideRows):
            if low is None:
                low = np.zeros(high.shape)
            high[:, i], low[:, i] = values.high, values.low
        else:
            high[:, i] = values
    return as_rows(high) if low is None else WideRows(high, low)


def _values(column: Any, dtype: np.dtype[Any]) -> Rows:
    """Values of a column, NaN where one is missing."""
    import narwhals.stable.v1 as narwhals

    native = column.to_native()
    has_type = column.dtype.is_numeric() or column.dtype == narwhals.Boolean
    if not has_type and column.null_count() == len(column):
        return np.full(len(column), np.nan)
    if dtype.kind in "iu" and dtype.itemsize == 8:
        integers = np.asarray(column.fill_null(0).to_numpy()).astype(dtype, copy=False)
        missing = np.asarray(column.is_null().to_numpy(), dtype=bool)
        if is_wide(integers):
            wide = WideRows.of_integers(integers)
            return WideRows(np.where(missing, np.nan, wide.high), np.where(missing, 0, wide.low))
        return np.where(missing, np.nan, integers)
    if type(native).__module__.startswith("pandas"):
        return native.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(column.cast(narwhals.Float64).to_numpy(), dtype=np.float64)


def float_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind == "f" and dtype.itemsize <= 8:
        return dtype.newbyteorder("=")
    return np.dtype(np.float64)
