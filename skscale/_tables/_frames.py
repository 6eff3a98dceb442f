"""Frames to blocks of floats: columns of numbers all at once, the strange ones one by one."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from skscale._kernels import EXACT_INTEGER, Array, Columns, Rows, WideRows, as_rows, is_wide
from skscale._tables._table import Table, float_dtype
from skscale.errors import NonNumericColumnError


class Scratch(threading.local):
    """Memory that every thread has for the block that it is at.

    To get new memory from the system takes longer than to fill it.
    """

    memory: Array = np.empty(0, np.uint8)


SCRATCH: ContextVar[Scratch | None] = ContextVar("SCRATCH", default=None)


@contextmanager
def one_block_at_a_time(scratch: Scratch) -> Iterator[None]:
    """Blocks of frames that are read inside may be overwritten by the next one of the thread."""
    token = SCRATCH.set(scratch)
    try:
        yield
    finally:
        SCRATCH.reset(token)


def read_frame(X: Any, names: list[Any]) -> Table:
    """Open a frame of at least one row and column; dtypes are looked at once each.

    Raises
    ------
    NonNumericColumnError
        Columns that hold anything but numbers.
    """
    import narwhals.stable.v1 as narwhals

    frame = narwhals.from_native(X, eager_only=True)
    types = list(X.dtypes if hasattr(type(X), "dtypes") else X.schema.types)
    first = {kind: frame.get_column(names[types.index(kind)]) for kind in set(types)}
    by_type = {kind: numpy_dtype(column) for kind, column in first.items()}
    found = [by_type[kind] for kind in types]
    alone = [i for i, dtype in enumerate(found) if dtype is None]
    if alone and (strangers := _strangers(frame, [names[i] for i in alone])):
        listed = ", ".join(f"{name!r} ({frame.get_column(name).dtype})" for name in strangers)
        raise NonNumericColumnError(
            f"Columns that are not numbers: {listed}. Only numeric columns can be "
            "measured. Encode or drop them, or send each kind of column to its own transformer: "
            "make_column_transformer((transformer, make_column_selector(dtype_include='number')))."
        )
    dtypes = [np.dtype(np.float64) if dtype is None else dtype for dtype in found]
    dtype = float_dtype(np.result_type(*set(dtypes)))
    long = {i: kind for i, kind in enumerate(dtypes) if kind.kind in "iu" and kind.itemsize == 8}
    together = [i for i, kind in enumerate(types) if by_type[kind] is not None]
    odd_types = {kind for kind in first if by_type[kind] is not None and _is_odd(first[kind])}
    odd = [name for name, kind in zip(names, types, strict=True) if kind in odd_types]

    def rows(block: Any) -> Rows:
        whole = isinstance(block, slice) and block == slice(0, len(X))
        part = frame if whole else frame[block]
        if not alone:
            high = _floats(part, odd, dtype)
        else:
            high = np.empty(part.shape, dtype)
            if together:
                high[:, together] = _floats(part[:, together], odd, dtype)
            high[:, alone] = _strange_values(part[:, alone])
        return _with_low_parts(part, names, high, long) if long else as_rows(high)

    return Table(X, X.shape, dtype, rows, names)


def strange_columns(X: Any, names: list[Any]) -> list[Any]:
    """Names of the columns of a frame that hold anything but numbers."""
    import narwhals.stable.v1 as narwhals

    frame = narwhals.from_native(X, eager_only=True)
    alone = [name for name in names if numpy_dtype(frame.get_column(name)) is None]
    return _strangers(frame, alone) if alone else []


def numpy_dtype(column: Any) -> np.dtype[Any] | None:
    """Numpy dtype that the values of a column convert to, if its type tells; else None."""
    dtype, name = column.dtype, str(column.dtype).lower()
    native = getattr(column.to_native(), "dtype", None)
    native = getattr(native, "subtype", native)  # of a sparse column
    if isinstance(native, np.dtype) and native.kind in "biuf":
        return native if native.itemsize <= 8 else np.dtype(np.float64)
    if name == "boolean" or name in ("float16", "float32"):
        return np.dtype("bool" if name == "boolean" else name)
    if not dtype.is_numeric():
        return None
    return np.dtype(name) if dtype.is_integer() and "128" not in name else np.dtype(np.float64)


def _strangers(frame: Any, names: Sequence[Any]) -> list[Any]:
    """Which of the columns whose type does not tell hold anything but numbers.

    numpy and pandas keep Python's numbers (and None) as objects. All have types for columns that
    never had a value.
    """
    part = frame[:, [frame.columns.index(name) for name in names]]  # names may be numbers
    native = part.to_native()
    if not _is_pandas(native):
        return [name for name in names if part.get_column(name).null_count() < len(part)]
    numbers = (Real, Decimal, np.number, np.bool_, type(None), type(sys.modules["pandas"].NA))
    is_object = np.array([kind == np.dtype(object) for kind in native.dtypes], dtype=bool)
    is_strange = ~native.isna().to_numpy().all(axis=0)
    values = native.loc[:, is_object].to_numpy(dtype=object)
    strange = {kind for kind in set(map(type, values.flat)) if not issubclass(kind, numbers)}
    is_strange[is_object] = [not strange.isdisjoint(map(type, column)) for column in values.T]
    return [name for name, found in zip(names, is_strange, strict=True) if found]


def _strange_values(frame: Any) -> Array:
    """Values of columns of Python's numbers, which only pandas has, or of nothing at all."""
    native = frame.to_native()
    if not _is_pandas(native):
        return np.full(frame.shape, np.nan)
    return np.where(native.isna(), np.nan, native.to_numpy(dtype=object)).astype(np.float64)


def _is_pandas(native: Any) -> bool:
    return type(native).__module__.startswith("pandas")


def _floats(frame: Any, odd: Sequence[Any], dtype: np.dtype[Any]) -> Array:
    """Values of columns of numbers side by side, NaN where one is missing.

    Integers beyond `EXACT_INTEGER` are rounded; the `odd` ones have no numbers of numpy's.
    """
    import narwhals.stable.v1 as narwhals

    native = frame.to_native()
    if _is_pandas(native):
        if all(isinstance(kind, np.dtype) for kind in set(native.dtypes)):
            return native.to_numpy(dtype=dtype)
        return native.to_numpy(dtype=dtype, na_value=np.nan)
    if odd:
        frame = frame.with_columns(narwhals.col(*odd).cast(narwhals.Float64))
    native = frame.to_native()
    if type(native).__module__.startswith("pyarrow"):
        return columns_in_order(native, dtype)
    return np.asarray(frame.to_numpy()).astype(dtype, copy=False)


def columns_in_order(table: Any, dtype: np.dtype[Any]) -> Array:
    """Values of an Arrow table, column after column in memory, as they are there.

    To bring them into rows takes longer than to measure them.
    """
    values = _memory(table.num_columns, table.num_rows, dtype)
    for place, column in zip(values, table.columns, strict=True):
        start = 0
        for chunk in column.chunks:
            place[start : start + len(chunk)] = chunk.to_numpy(zero_copy_only=False)
            start += len(chunk)
    return values.T


def columns_apart(table: Any, dtype: np.dtype[Any]) -> Array | Columns:
    """Columns of an Arrow table that are of this dtype where they are; together, if with gaps."""
    if any(column.null_count for column in table.columns):
        return columns_in_order(table, dtype)
    pieces = [
        [column.to_numpy() for column in batch.columns]
        for batch in table.to_batches()
        if batch.num_rows
    ]
    return Columns(lambda: columns_in_order(table, dtype), pieces)


def _memory(n_columns: int, n_rows: int, dtype: np.dtype[Any]) -> Array:
    """Memory for a block; where blocks are read one after the other, that of the last one."""
    scratch = SCRATCH.get()
    if scratch is None:
        return np.empty((n_columns, n_rows), dtype)
    n_bytes = n_columns * n_rows * dtype.itemsize
    if len(scratch.memory) < n_bytes:
        scratch.memory = np.empty(n_bytes, np.uint8)
    return scratch.memory[:n_bytes].view(dtype).reshape(n_columns, n_rows)


def _is_odd(column: Any) -> bool:
    """Whether numpy has no such numbers: truth values that may be missing, decimals, 128 bits."""
    dtype = column.dtype
    return not (dtype.is_float() or dtype.is_integer()) or "128" in str(dtype)


def _with_low_parts(
    frame: Any, names: Sequence[Any], high: Array, long: dict[int, np.dtype[Any]]
) -> Rows:
    """Rows with what rounding took from long integers; `high` itself where it took nothing."""
    positions = np.array(list(long))
    largest = np.fmax.reduce(np.abs(high[:, positions]), axis=0)
    low: Array | None = None
    for i in positions[largest >= EXACT_INTEGER].tolist():
        column = frame.get_column(names[i])
        integers = np.asarray(column.fill_null(0).to_numpy()).astype(long[i], copy=False)
        if is_wide(integers):
            wide, missing = WideRows.of_integers(integers), np.isnan(high[:, i])
            if low is None:
                high, low = np.array(high), np.zeros(high.shape)
            high[:, i] = np.where(missing, np.nan, wide.high)
            low[:, i] = np.where(missing, 0, wide.low)
    return as_rows(high) if low is None else WideRows(high, low)
