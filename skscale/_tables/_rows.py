"""Rows of any container, copied and exchanged: always a new object of the same kind and types.

Unlike the rest of this package it takes whatever an estimator may be given: arrays of any type and
number of dimensions, frames with text or dates, series, sparse matrices and lists.
"""

from __future__ import annotations

import copy
import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from skscale._kernels import Array
from skscale._tables._common import by_commonness
from skscale._tables._read import column_names, is_frame

Replace = Callable[[Array, int], "Array | None"]
"""From the values of one column, so many other values; None if it knows none."""


def is_series(X: Any) -> bool:
    """Whether `X` is a column of a library of frames that is already imported."""
    if isinstance(X, (np.ndarray, list)) or sparse.issparse(X):
        return False
    import narwhals.stable.v1 as narwhals

    return narwhals.dependencies.is_into_series(X)


def has_rows(X: Any) -> bool:
    """Whether `X` is a container whose rows can be taken."""
    if isinstance(X, np.ndarray):
        return X.ndim > 0
    return isinstance(X, list) or sparse.issparse(X) or is_frame(X) or is_series(X)


def count_rows(X: Any) -> int:
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)


def copy_rows(X: Any) -> Any:
    """A copy that shares nothing with `X` that could be written to.

    It lies in memory as `X` does, with the same gaps: last bits of sums depend on that.
    """
    if isinstance(X, np.ndarray) and X.dtype.kind != "O":
        return _copy_layout(X)
    if hasattr(X, "iloc") and is_frame(X) and all(isinstance(d, np.dtype) for d in X.dtypes):
        values = np.asarray(X)
        if values.dtype.kind != "O" and np.may_share_memory(values, np.asarray(X)):
            # One array behind all columns; deepcopy would close its gaps.
            return type(X)(_copy_layout(values), index=X.index, columns=X.columns, copy=False)
    return copy.deepcopy(X)


def _copy_layout(X: Array) -> Array:
    if type(X) is not np.ndarray or X.size == 0 or 0 in X.strides:
        return X.copy(order="K")
    reach = [(size - 1) * stride for size, stride in zip(X.shape, X.strides, strict=True)]
    first = -sum(step for step in reach if step < 0)
    # Memory of gaps is never touched, and so hardly taken.
    memory = np.empty(first + sum(step for step in reach if step > 0) + X.itemsize, dtype=np.uint8)
    copied: Array = np.ndarray(X.shape, X.dtype, memory, first, X.strides)
    copied[...] = X
    return copied


def exchange_rows(X: Any, donor: Any, exchanged: Array) -> Any:
    """`X` with the rows of `donor` where `exchanged` (bool, one per row) says so.

    Labels of rows stay, and so does the layout in memory: it is the same for any `exchanged`.
    """
    if isinstance(X, np.ndarray):
        mixed = X.copy(order="K")
        mixed[exchanged] = donor[exchanged]
        return mixed
    if isinstance(X, list):
        pairs = zip(X, donor, exchanged, strict=True)
        return [copy.deepcopy(new if is_new else old) for old, new, is_new in pairs]
    positions = np.arange(count_rows(X)) + np.where(exchanged, count_rows(X), 0)
    if sparse.issparse(X):
        return sparse.vstack([X, donor]).tocsr()[positions].asformat(X.format)
    return _relabelled(_stacked(X, donor, positions), X)


def replace_values(X: Any, replace: Replace, place: int = 1) -> Any:
    """A container of the same kind with other values, column by column.

    A column for which `replace` knows none, or whose type does not take them, is filled with its
    second most common value, or with that of another `place`: -1 is the rarest.
    """
    if isinstance(X, np.ndarray):
        return _replace_in_array(X, replace, place)
    if isinstance(X, list):
        return _replace_in_list(X, replace, place)
    if sparse.issparse(X):
        rows = X.tocsr(copy=True)
        new = replace(rows.data, len(rows.data))
        rows.data = rows.data if new is None else new.astype(rows.dtype)
        return rows.asformat(X.format)
    if is_series(X):
        return _replace_in_series(_open(X), replace, place).to_native()
    frame = _open(X)
    names = frame.columns
    columns = [_replace_in_series(frame.get_column(name), replace, place) for name in names]
    return _relabelled(frame.with_columns(*columns).to_native(), X)


def with_columns_of(X: Any, other: Any, positions: list[int]) -> Any:
    """`X`, which may be written to, with some columns of another table of the same kind."""
    if not positions or isinstance(X, list) or sparse.issparse(X):
        return X
    if isinstance(X, np.ndarray):
        X.reshape(len(X), -1)[:, positions] = other.reshape(len(X), -1)[:, positions]
        return X
    if is_series(X):
        return other
    frame, donor = _open(_relabelled(X, other)), _open(other)
    new = frame.with_columns(donor.get_column(donor.columns[j]) for j in positions)
    return _relabelled(new.to_native(), other)


def with_missing(X: Any, missing: Array) -> Any | None:
    """`X` with missing values where `missing` (bool, rows by columns) says so.

    Columns whose type has none stay as they are; None if all do.
    """
    if isinstance(X, np.ndarray):
        takes_some = X.dtype.kind in "fcO" and X.ndim <= 2
        return _holed_array(X, missing) if takes_some else None
    if isinstance(X, list):
        array = np.asarray(X, dtype=object)
        if array.ndim > 2 or not all(isinstance(value, float) for value in array.ravel()):
            return None
        return _holed_array(array, missing).tolist()
    if sparse.issparse(X):
        if X.dtype.kind != "f":
            return None
        rows = X.tocsr(copy=True)
        each = np.repeat(np.arange(X.shape[0]), np.diff(rows.indptr))
        rows.data[missing[each, rows.indices]] = np.nan
        return rows.asformat(X.format)
    if is_series(X):
        column = _holes(_open(X).alias("value").to_frame(), missing)
        return None if column is None else column.get_column("value").alias(_name(X)).to_native()
    frame = _holes(_open(X), missing)
    return None if frame is None else _relabelled(frame.to_native(), X)


def count_columns(X: Any) -> int:
    """Columns of a container; one where there is one dimension."""
    shape = X.shape if hasattr(X, "shape") else np.shape(np.asarray(X, dtype=object))
    return int(shape[1]) if len(shape) > 1 else 1


def columns_of(X: Any) -> dict[str, Array]:
    """Columns of a frame as arrays by name; of a series, its values under no name."""
    table = _open(X)
    if not is_frame(X):
        return {"": np.asarray(table.to_numpy())}
    return {str(name): np.asarray(table.get_column(name).to_numpy()) for name in table.columns}


def arrays_of(X: Any) -> list[Array]:
    """Columns of an array, frame, series or list of words as arrays; none of anything else."""
    if isinstance(X, list):
        return [np.array([str(row) for row in X])]
    if isinstance(X, np.ndarray):
        return list(X.reshape(len(X), -1).T)
    return list(columns_of(X).values()) if is_frame(X) or is_series(X) else []


def parts_of(X: Any) -> dict[str, Any]:
    """Columns of a frame or series as arrays by name, with their types and labels of rows."""
    import narwhals.stable.v1 as narwhals

    table = _open(X)
    types = table.schema.items() if is_frame(X) else [("", table.dtype)]
    index = narwhals.maybe_get_index(table)
    return {
        **columns_of(X),
        "types": [(str(name), str(kind)) for name, kind in types],
        "index": None if index is None else np.asarray(index),
    }


def labels_of(X: Any) -> Array | None:
    """Labels of the rows of a pandas frame or series, if each is there once; else None."""
    import narwhals.stable.v1 as narwhals

    if not (is_frame(X) or is_series(X)):
        return None
    index = narwhals.maybe_get_index(_open(X))
    return np.asarray(index, dtype=object) if index is not None and index.is_unique else None


def _open(X: Any) -> Any:
    import narwhals.stable.v1 as narwhals

    names = column_names(X)
    if names is not None and len(set(names)) < len(names):  # as pandas allows
        X = X.set_axis([f"{name} ({number})" for number, name in enumerate(names)], axis=1)
    return narwhals.from_native(X, eager_only=True, allow_series=True)


def _name(X: Any) -> Any:
    return _open(X).name


def _stacked(X: Any, donor: Any, positions: Array) -> Any:
    import narwhals.stable.v1 as narwhals

    if not is_series(X):
        frames = [_by_column(_open(part)) for part in (X, donor)]
        return narwhals.concat(frames)[positions].to_native()
    frames = [_open(part).alias("value").to_frame() for part in (X, donor)]
    return narwhals.concat(frames)[positions].get_column("value").alias(_name(X)).to_native()


def _by_column(frame: Any) -> Any:
    """The same frame with each column for itself in memory, wherever it had them before."""
    return frame.with_columns(*(frame.get_column(name) for name in frame.columns))


def _relabelled(new: Any, like: Any) -> Any:
    """With the labels of rows of another table, and names that are there more than once."""
    import narwhals.stable.v1 as narwhals

    index = narwhals.maybe_get_index(_open(like))
    if index is not None:
        new.index = index
        if is_frame(like) and not like.columns.is_unique:
            new.columns = like.columns
    return new


def _replace_in_array(X: Array, replace: Replace, place: int) -> Array:
    columns = X.reshape(len(X), -1)
    new = np.empty_like(X)
    rows = new.reshape(len(X), -1) if new.flags.c_contiguous else columns.copy()
    for j in range(columns.shape[1]):
        column = columns[:, j]
        values = replace(column, len(X))
        rows[:, j] = column[by_commonness(column.tolist(), place)] if values is None else values
    if not np.shares_memory(rows, new):
        new[...] = rows.reshape(X.shape)
    return new


def _replace_in_list(X: list[Any], replace: Replace, place: int) -> list[Any]:
    try:
        array = np.asarray(X)
    except ValueError:  # rows of different lengths
        array = np.empty(0, dtype=object)
    if array.dtype.kind in "biufU" and array.ndim in (1, 2):
        if array.dtype.kind == "U":
            array = array.astype(object)
        return _replace_in_array(array, replace, place).tolist()
    return [copy.deepcopy(row) for row in reversed(X)]


def _replace_in_series(column: Any, replace: Replace, place: int) -> Any:
    n_rows = len(column)
    present = (~column.is_null()).to_numpy().nonzero()[0]
    if len(present) == 0:
        return column
    known = column.drop_nulls().to_numpy()
    new = replace(known, n_rows) if known.ndim == 1 else None
    if new is not None:
        try:
            replaced = column.scatter(list(range(n_rows)), _as_python(new, column))
            if _type_of(replaced) == _type_of(column) and not replaced.is_null().any():
                return replaced
        except Exception:  # each library has its own errors for values that do not fit a type
            pass
    values = column.to_list()
    common = present[by_commonness([values[row] for row in present], place)]
    filled = column[np.full(n_rows, common)].to_native()
    return _open(_relabelled(filled, column.to_native())).alias(column.name)


def _as_python(values: Array, column: Any) -> list[Any]:
    """Values as libraries of frames take them: moments with their time zone, which numpy drops."""
    if values.dtype.kind not in "mM" or values.dtype == np.dtype("M8[D]"):
        return values.tolist()
    moments = values.astype(f"{values.dtype.kind}8[us]").tolist()
    if getattr(column.dtype, "time_zone", None) is None:
        return moments
    return [moment.replace(tzinfo=datetime.UTC) for moment in moments]


def _holed_array(X: Array, missing: Array) -> Array:
    holed = X.copy(order="K")
    holed[missing if X.ndim == 2 else missing[:, 0]] = np.nan
    return holed


def _holes(frame: Any, missing: Array) -> Any | None:
    """A frame with missing values; None if no column that was to have some has a type for them."""
    import narwhals.stable.v1 as narwhals

    holed = []
    for name, places in zip(frame.columns, missing.T, strict=True):
        column = frame.get_column(name)
        kept = narwhals.new_series("kept", (~places).tolist(), backend=frame.implementation)
        kept = _open(_relabelled(kept.to_native(), frame.to_native()))
        new = column.zip_with(kept, column.shift(len(column)))
        if places.any() and _type_of(new) == _type_of(column):
            holed.append(new)
    return frame.with_columns(*holed) if holed else None


def _type_of(column: Any) -> Any:
    native = column.to_native()
    return native.dtype if hasattr(native, "dtype") else native.type
