"""Results back into the caller's kind of table."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from skscale._kernels import Array
from skscale._tables._table import Table, float_dtype
from skscale.errors import MissingDependencyError


def check_library(name: str) -> str:
    """Name of the library that `set_output` asks frames of, if there is such a one.

    Raises
    ------
    ValueError
        In the words of scikit-learn.
    """
    if name not in ("default", "pandas", "polars"):
        raise ValueError(f"output config must be in ['default', 'pandas', 'polars'], got {name}")
    return name


def to_frame(
    array: Array, kind: str, names: Sequence[Any] | Array, like: Table | None, same_columns: bool
) -> Any:
    """Results as a frame.

    Parameters
    ----------
    array : array of shape (n_rows, n_columns)
        Results.
    kind : {"pandas", "polars"}
        Library of the frame.
    names : sequence
        Column labels.
    like : Table or None
        What the results were made from: its index is kept.
    same_columns : bool
        Whether column i was made from column i of `like`: then float dtypes, extension
        dtypes and missing-value marks are kept too.

    Raises
    ------
    MissingDependencyError
        If the library is not installed.
    """
    library = _import(kind)
    given = None if like is None else like.source
    if kind == "polars":
        frame = library.DataFrame(array, schema=[str(name) for name in names], orient="row")
        if same_columns and isinstance(given, library.DataFrame):
            floats = {
                name: dtype
                for name, dtype in zip(names, given.dtypes, strict=True)
                if dtype.is_float()
            }
            nulls = [
                library.when(given[old].is_not_null()).then(library.col(new)).alias(new)
                for old, new in zip(given.columns, names, strict=True)
            ]
            frame = frame.with_columns(nulls).cast(floats)
        return frame
    if not isinstance(given, library.DataFrame):
        return library.DataFrame(array, columns=list(names))
    if not same_columns or all(
        isinstance(dtype, np.dtype) and float_dtype(dtype) == array.dtype for dtype in given.dtypes
    ):
        return library.DataFrame(array, columns=list(names), index=given.index)
    columns = [
        _pandas_column(library, array[:, i], given.iloc[:, i]) for i in range(array.shape[1])
    ]
    return library.concat(columns, axis=1, keys=list(names))


def _pandas_column(pandas: Any, values: Array, given: Any) -> Any:
    """Values as a Series of the float dtype nearest to that of a given one.

    A nullable or Arrow-backed column stays one, and is missing where it was missing.
    """
    dtype: Any = given.dtype
    if isinstance(dtype, np.dtype):
        return pandas.Series(values.astype(float_dtype(dtype)), index=given.index)
    if isinstance(dtype, pandas.ArrowDtype):
        dtype = dtype if dtype.kind == "f" else pandas.ArrowDtype(_import("pyarrow").float64())
    elif dtype != pandas.Float32Dtype():
        dtype = pandas.Float64Dtype()
    missing = np.asarray(given.isna())
    marked = [None if gone else value for gone, value in zip(missing, values, strict=True)]
    return pandas.Series(pandas.array(marked, dtype=dtype), index=given.index)


def _import(library: str) -> Any:
    try:
        return importlib.import_module(library)
    except ImportError as error:
        raise MissingDependencyError(
            f"This needs {library}, which is not installed: pip install {library}"
        ) from error
