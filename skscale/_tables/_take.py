"""Some rows of anything that has rows."""

from __future__ import annotations

from typing import Any

from scipy import sparse

from skscale._kernels import Array
from skscale._tables._dask import is_lazy


def take_rows(X: Any, rows: Array) -> Any:
    """Rows of a table, or entries of a column, by number; of the same kind and with their index.

    Parameters
    ----------
    X : array, sparse array, Dask array, frame, series or list
        Of `len` at least one more than the largest number.
    rows : integer array of shape (n_taken,)
        Which, in the order wanted.
    """
    if sparse.issparse(X):
        return X.tocsr()[rows]
    if is_lazy(X):
        return X[rows]
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    if hasattr(X, "take") and hasattr(X, "ndim"):
        return X.take(rows, axis=0)
    if isinstance(X, (list, tuple)):
        return [X[row] for row in rows]
    import narwhals.stable.v1 as narwhals

    return narwhals.from_native(X, eager_only=True, allow_series=True)[rows].to_native()
