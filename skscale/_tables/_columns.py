"""Results as an Arrow table, with the names, types and nulls of the columns they were made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from skscale._kernels import Array
from skscale._tables._frames import numpy_dtype
from skscale._tables._read import column_names, is_frame
from skscale.errors import SchemaError


def arrow_table(result: Any, like: Any, names: Sequence[str] | None) -> Any:
    """Results of a block as an Arrow table.

    Where they have the names of the columns that they were made from, floats keep the width and the
    nulls of these; of other numbers they are float64.

    Parameters
    ----------
    result : array, sparse array or frame of shape (n_rows, n_columns)
    like : array or frame
        What it was made from.
    names : sequence of str or None
        Columns of the result, where it is no frame.

    Raises
    ------
    SchemaError
        If names are needed and not known, or not as many as there are columns.
    """
    import narwhals.stable.v1 as narwhals
    import pyarrow as arrow

    columns: list[Any]
    if is_frame(result):
        frame = narwhals.from_native(result, eager_only=True)
        columns = [frame.get_column(name) for name in frame.columns]
        its_names = [str(name) for name in frame.columns]
    else:
        array = np.asarray(result.toarray() if sparse.issparse(result) else result)
        columns = list(np.ascontiguousarray(array.reshape(len(array), -1).T))
        its_names = _checked(names, len(columns), column_names(like))
    given: list[Any] = [None] * len(columns)
    if is_frame(like) and its_names == column_names(like):
        source = narwhals.from_native(like, eager_only=True)
        given = [source.get_column(name) for name in its_names]
    arrays = [_arrow_array(*pair) for pair in zip(columns, given, strict=True)]
    return arrow.Table.from_arrays(arrays, names=its_names)


def _checked(names: Sequence[str] | None, n_columns: int, given: Sequence[Any] | None) -> list[str]:
    """Names for so many columns, made from columns with the names that were given, if any."""
    if names is None:
        if given is not None:
            raise SchemaError(
                "names of the columns of the result are not known: the transformer, or a step of "
                "the pipeline, has no get_feature_names_out. A FunctionTransformer has one with "
                "feature_names_out='one-to-one'; others may know what set_output asks for."
            )
        return [f"x{i}" for i in range(n_columns)]
    names = list(names)
    if len(names) != n_columns:
        raise SchemaError(
            f"the result has {n_columns} columns, and get_feature_names_out of the transformer "
            f"gives {len(names)} names."
        )
    return names


def _arrow_array(column: Any, given: Any) -> Any:
    """Values of a column of the result; `given` is the column that it was made from, if any."""
    import pyarrow as arrow

    if isinstance(column, np.ndarray):
        values = column
    else:
        if numpy_dtype(column) is None:
            return column.to_arrow()
        values = np.asarray(column.to_numpy())
    if values.dtype.kind not in "biuf":
        return arrow.array(values.tolist())
    if given is None or values.dtype.kind != "f":
        return arrow.array(values)
    dtype = numpy_dtype(given)
    is_float = dtype is not None and dtype.kind == "f"
    missing: Array | None = None
    if given.null_count():
        missing = given.is_null().to_numpy() & np.isnan(values)
    return arrow.array(values.astype(dtype if is_float else np.float64, copy=False), mask=missing)
