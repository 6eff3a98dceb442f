"""How common values are: the most common ones of a column, and the rows that have rare ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from skscale._kernels import Array

FEW = 64
"""So many values that nearly all differ are those of a measurement, not of codes."""


def by_commonness(values: Sequence[Any], place: int) -> int:
    """Position of a value of that place among the most common: 0, 1, or -1 for the rarest."""
    texts = [str(value) for value in values]
    ranked = Counter(texts).most_common()
    return texts.index(ranked[min(place, len(ranked) - 1)][0])


def commonness(X: Any) -> Array:
    """For each row, shares of the rows that have the same value, summed over columns of codes.

    Parameters
    ----------
    X : array, frame, series or list
        Of any kind; of what has no columns all rows are as common.
    """
    total: Array = np.zeros(X.shape[0] if hasattr(X, "shape") else len(X))
    for values in _columns(X):
        start = values[:FEW]
        if len(np.unique(start)) <= 0.75 * len(start):
            _, number, counts = np.unique(values, return_inverse=True, return_counts=True)
            total += counts[number.reshape(-1)] / len(values)
    return total


def _columns(X: Any) -> Iterator[Array]:
    """Columns as arrays that can be sorted."""
    if sparse.issparse(X):
        return
    if isinstance(X, np.ndarray):
        columns = list(X.reshape(len(X), -1).T)
    elif isinstance(X, list):
        columns = [np.array([str(row) for row in X])]
    elif hasattr(X, "iloc"):  # names may be there more than once
        parts = [X] if X.ndim == 1 else [X.iloc[:, j] for j in range(X.shape[1])]
        columns = [part.to_numpy() for part in parts]
    else:
        import narwhals.stable.v1 as narwhals

        table = narwhals.from_native(X, eager_only=True, allow_series=True)
        parts = [table] if isinstance(table, narwhals.Series) else list(table.iter_columns())
        columns = [part.to_numpy() for part in parts]
    for values in columns:
        is_plain = values.ndim == 1 and values.dtype.kind in "biufcUSmM"
        yield values if is_plain else np.array([str(value) for value in values.tolist()])
