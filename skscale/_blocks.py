"""A table through an engine: measured block by block, or mapped block by block."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from skscale._admission import check_stored_values, name_infinity, name_missing
from skscale._kernels import Array, Rows, as_rows, check_finite
from skscale._reduce import block_rows, cut, mapped_blocks, tree_reduce
from skscale._tables import Table
from skscale.errors import InfiniteValueError, MissingValueError

Apply = Callable[..., bool]
"""Writes what it makes of a block into an array, and returns whether all of it is finite.

Called with the block and the array, and with the labels of the rows where these have any."""


def measure_table(
    table: Table,
    weights: Array | None,
    measure: Callable[[Any, Array | None], Any],
    step: int,
    method: str,
    also: Callable[[Any, slice], None] | None = None,
) -> Any:
    """Statistic of a table: the merge of those of its blocks.

    Parameters
    ----------
    table : Table
        Of at least one row.
    weights : array of shape (n_rows,), or None
        Weights of the rows.
    measure : callable
        From a block and its weights to a statistic.
    step : int
        Rows of a block.
    method : str
        Name of the transformer, for messages.
    also : callable, default=None
        What else is done with each block, and where it is, while it is in cache.
    """
    read = table.columns or table.rows

    def of_block(rows: slice) -> Any:
        block = read(rows)
        try:
            statistic = measure(block, None if weights is None else weights[rows])
        except InfiniteValueError as error:
            raise name_infinity(error, rows.start, table.names) from None
        if also is not None:
            also(block, rows)
        return statistic

    n_rows, n_features = table.shape
    try:
        with mapped_blocks(of_block, cut(n_rows, step), n_rows * n_features) as parts:
            return tree_reduce(parts, lambda earlier, later: earlier.merge(later))
    except MissingValueError:
        raise name_missing(table, method) from None


def stored_rows(X: Any) -> int:
    """Rows of a block for a statistic that looks at the stored values of sparse rows only."""
    return max(1, X.shape[0] * block_rows(1) // max(1, X.nnz + X.shape[1]))


def output_for(table: Table, n_columns: int, copy: bool, same_columns: bool) -> Array:
    """Memory for what becomes of a table, in its dtype and order.

    Parameters
    ----------
    table : Table
        Rows to be mapped.
    n_columns : int
        Columns of the result.
    copy : bool
        If not, the table's own array where it can be written to.
    same_columns : bool
        Whether a column of the result depends on that column of the table alone.
    """
    given, dtype = table.source, table.dtype
    if not same_columns and dtype == np.float16:
        dtype = np.dtype(np.float64)  # sums of products leave the range of float16
    if isinstance(given, np.ndarray):
        fits = given.dtype == dtype and given.shape[1] == n_columns
        if not copy and same_columns and fits and given.flags.writeable:
            return given
    n_rows = table.shape[0]
    if n_rows > 1 and not table.is_sparse:
        two: Any = table.rows(slice(0, 2))
        if isinstance(two, np.ndarray) and two.strides[0] < two.strides[1]:
            return np.empty((n_columns, n_rows), dtype).T
    return np.empty((n_rows, n_columns), dtype)


def check_table(table: Table, method: str, *, allow_missing: bool) -> None:
    """Look at all rows of a table.

    Parameters
    ----------
    table : Table
        Dense or sparse.
    method : str
        Name of the transformer, for messages.
    allow_missing : bool
        Whether NaN passes.

    Raises
    ------
    InfiniteValueError, MissingValueError
        With their places.
    """
    if table.is_sparse:
        check_stored_values(table, method, allow_missing)
        return

    def check(rows: slice) -> None:
        check_block(table, as_rows(table.rows(rows)), rows.start, method, allow_missing)

    n_rows, width = table.shape
    with mapped_blocks(check, cut(n_rows, block_rows(width)), n_rows * width) as checks:
        deque(checks, maxlen=0)


def check_block(
    table: Table, block: Rows, first_row: int, method: str, allow_missing: bool
) -> None:
    """Look at some rows of a table, the first of which is `first_row`."""
    try:
        has_missing = check_finite(block)
    except InfiniteValueError as error:
        raise name_infinity(error, first_row, table.names) from None
    if has_missing and not allow_missing:
        raise name_missing(table, method)


def apply_table(
    table: Table,
    apply: Apply,
    out: Array,
    method: str,
    *,
    allow_missing: bool = True,
    labels: Array | None = None,
) -> None:
    """Map the rows of a table into `out`, which may be the table's own array.

    Blocks are looked at for NaN and infinity only where the result shows that there may be some.
    `labels`, one for every row, are cut as the rows are.
    """
    in_place = out is table.source

    def read(rows: slice) -> Any:
        block: Any = table.rows(rows)
        return block.toarray() if sparse.issparse(block) else as_rows(block)

    def map_block(rows: slice) -> None:
        block = read(rows)
        of_rows = () if labels is None else (labels[rows],)
        if not apply(block, out[rows], *of_rows) and not in_place:
            check_block(table, block, rows.start, method, allow_missing)

    n_rows, width = table.shape[0], max(table.shape[1], out.shape[1])
    blocks, size = cut(n_rows, applied_rows(table.shape[1], out.shape[1])), n_rows * width
    if in_place:  # what is wrong must be found before anything is written
        check_table(table, method, allow_missing=allow_missing)
    with mapped_blocks(map_block, blocks, size) as writes:
        deque(writes, maxlen=0)


def applied_rows(n_columns: int, n_columns_out: int) -> int:
    """Rows of a block that is mapped, on which the bits of matrix products depend."""
    return block_rows(max(n_columns, n_columns_out))


def without_rounding(apply: Apply, rounding: Array) -> Apply:
    """Map rows by `apply`, then take deviations below `rounding` for the zeros they stand for."""
    if not np.count_nonzero(rounding):
        return apply
    columns = np.flatnonzero(rounding)

    def flattened(rows: Any, out: Array) -> bool:
        finite = apply(rows, out)
        deviation = out[:, columns]
        out[:, columns] = np.where(np.abs(deviation) < rounding[columns], 0.0, deviation)
        return finite

    return flattened
