"""Results back into the caller's kind of table."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn import get_config

from skscale._kernels import Array
from skscale._tables._table import Table, float_dtype
from skscale.errors import MissingDependencyError


def output_kind(estimator: Any) -> str:
    """Name of the library that `set_output` of an estimator asks frames of; or "default".

    Raises
    ------
    ValueError
        If there is no such library, in the words of scikit-learn.
    """
    own = getattr(estimator, "_sklearn_output_config", {})
    name: str = own.get("transform", get_config()["transform_output"])
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
    library = import_library(kind)
    given = None if like is None else like.source
    if kind == "polars":
        frame = library.DataFrame(array, schema=[str(name) for name in names], orient="row")
        return _like_polars(library, frame, given) if same_columns else frame
    names = list(names)
    if like is None or not isinstance(given, library.DataFrame):
        return library.DataFrame(array, columns=names)
    # Its own columns where they are the same: an Index costs more than all else here.
    columns = given.columns if names == like.names else names
    is_uniform = like.is_uniform and like.dtype == array.dtype
    dtypes = given.dtypes.tolist() if same_columns and not is_uniform else []
    if all(isinstance(d, np.dtype) and float_dtype(d) == array.dtype for d in set(dtypes)):
        return library.DataFrame(array, columns=columns, index=given.index)
    frame = _like_pandas(library, array, given, dtypes)
    frame.columns = columns
    return frame


def frame_of(columns: dict[str, list[Any]]) -> Any:
    """A pandas frame of columns by name.

    Raises
    ------
    MissingDependencyError
        If pandas is not installed.
    """
    return import_library("pandas").DataFrame(columns)


def _like_polars(polars: Any, frame: Any, given: Any) -> Any:
    """Results with the nulls and float types of the columns they were made from."""
    if not isinstance(given, polars.DataFrame):
        return frame
    holes = given.null_count().row(0)
    nulls = [
        polars.when(given[old].is_not_null()).then(polars.col(new)).alias(new)
        for old, new, holes_in_it in zip(given.columns, frame.columns, holes, strict=True)
        if holes_in_it
    ]
    types = zip(frame.schema.items(), given.dtypes, strict=True)
    floats = {name: old for (name, new), old in types if old.is_float() and old != new}
    return frame.with_columns(nulls).cast(floats)


def _like_pandas(pandas: Any, array: Array, given: Any, dtypes: Sequence[Any]) -> Any:
    """Results, column by column in the float dtype nearest to that of a given frame.

    A nullable or Arrow-backed column stays one, and is missing where it was missing. Columns of one
    numpy dtype stay together.
    """
    together: dict[np.dtype[Any], list[int]] = {}
    parts, order = [], []
    for i, dtype in enumerate(dtypes):
        if isinstance(dtype, np.dtype):
            together.setdefault(float_dtype(dtype), []).append(i)
    for dtype, positions in together.items():
        parts.append(pandas.DataFrame(array[:, positions].astype(dtype), index=given.index))
        order += positions
    alone = [i for i, dtype in enumerate(dtypes) if not isinstance(dtype, np.dtype)]
    if alone:
        extended = {i: _nullable(pandas, array[:, i], dtypes[i]) for i in alone}
        parts.append(pandas.DataFrame(extended, index=given.index, copy=False))
        order += alone
    if len(parts) == 1:
        return parts[0]
    return pandas.concat(parts, axis=1).iloc[:, np.argsort(order)]


def _nullable(pandas: Any, values: Array, dtype: Any) -> Any:
    """Values as an extension array of the float dtype nearest to a given one.

    What is missing is NaN here, and what is NaN is missing there.
    """
    missing = np.isnan(values)
    if isinstance(dtype, pandas.ArrowDtype):
        arrow = import_library("pyarrow")
        kind = dtype.pyarrow_dtype if dtype.kind == "f" else arrow.float64()
        return pandas.arrays.ArrowExtensionArray(
            arrow.chunked_array([arrow.array(values, mask=missing).cast(kind)])
        )
    width = np.float32 if dtype == pandas.Float32Dtype() else np.float64
    return pandas.arrays.FloatingArray(values.astype(width), missing)


def import_library(library: str) -> Any:
    """Import a library that is optional, or a part of one.

    Raises
    ------
    MissingDependencyError
        If it is not installed.
    """
    try:
        return importlib.import_module(library)
    except ImportError as error:
        package, _, part = library.partition(".")
        raise MissingDependencyError(
            f"This needs {library}, which is not installed: pip install "
            + (f'"{package}[{part}]"' if part else package)
        ) from error


def refuse_sparse(kind: str) -> None:
    """Say that no frame is made of sparse rows, in the words of scikit-learn."""
    if kind != "default":
        raise ValueError(
            "The transformer outputs a scipy sparse matrix. Try to set the transformer output to a "
            f"dense array or disable {kind.capitalize()} output with "
            "set_output(transform='default')."
        )
