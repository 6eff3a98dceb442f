"""Tables that need no look at their values: arrays of floats, and frames of one float dtype.

One row is transformed in a few microseconds, and scikit-learn's `check_array` alone takes ten
times as long. What it could object to, or would convert, cannot be where `read_plain` says yes.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from scipy import sparse

from skscale._kernels import Array, Columns
from skscale._tables._frames import columns_apart, columns_in_order
from skscale._tables._table import Table, of_sparse

PLAIN = {np.dtype(np.float64), np.dtype(np.float32)}
"""In the byte order of the machine: others are different dtypes."""

FLOATS: dict[str, np.dtype[Any]] = {"double": np.dtype(np.float64), "float": np.dtype(np.float32)}
"""What Arrow calls them."""

SMALL = 2**19
"""Numbers up to which a frame may be copied whole, if it is many arrays inside."""


def read_plain(X: Any) -> Table | None:
    """Open a table as `read` would, or None if that takes a closer look.

    Parameters
    ----------
    X : object
        Anything. An array passes that is no subclass, has two dimensions, at least one row and
        column, and float32 or float64 in it; so does one in CSR or CSC format; a pandas DataFrame
        or Arrow table if all its columns are of one of these dtypes and its names are different
        strings.
    """
    if type(X) is np.ndarray:
        if X.ndim == 2 and X.size and X.dtype in PLAIN:
            return Table(X, X.shape, X.dtype, X.__getitem__)
        return None
    if sparse.issparse(X):
        is_plain = X.format in ("csr", "csc") and X.ndim == 2 and X.dtype in PLAIN
        return of_sparse(X) if is_plain and min(X.shape) > 0 else None
    pandas, arrow = sys.modules.get("pandas"), sys.modules.get("pyarrow")
    if arrow is not None and type(X) is arrow.Table:
        return _plain_arrow(X)
    if pandas is None or type(X) is not pandas.DataFrame:
        return None
    dtypes = set(X.dtypes.tolist())
    if len(dtypes) != 1 or not dtypes <= PLAIN or len(X) == 0:
        return None
    names = X.columns.tolist()
    if set(map(type, names)) != {str} or len(set(names)) < len(names):
        return None
    return Table(X, X.shape, dtypes.pop(), float_rows(X), names, is_uniform=True)


def _plain_arrow(X: Any) -> Table | None:
    """An Arrow table of one float type; a missing value is NaN."""
    names, types = X.column_names, set(X.schema.types)
    if len(types) != 1 or len(set(names)) < len(names) or X.num_rows == 0:
        return None
    dtype = FLOATS.get(str(types.pop()))
    if dtype is None:
        return None

    def part(block: Any) -> Any:
        is_run = isinstance(block, slice)
        return X.slice(block.start, block.stop - block.start) if is_run else X.take(block)

    def rows(block: Any) -> Array:
        return columns_in_order(part(block), dtype)

    def columns(block: slice) -> Array | Columns:
        return columns_apart(part(block), dtype)

    return Table(X, X.shape, dtype, rows, names, is_uniform=True, columns=columns)


def float_rows(X: Any) -> Any:
    """Rows of a pandas frame of one float dtype, as `Table.rows` gives them."""
    if X.size <= SMALL:
        return X.to_numpy().__getitem__
    return lambda rows: X.iloc[rows].to_numpy()  # a copy, should there be one, of a block only
