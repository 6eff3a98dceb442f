"""How common values are: the most common ones of a column, and the rows that have rare ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from skscale._kernels import Array

FEW = 64
"""So many values that nearly all differ are those of a measurement, not of codes."""


def by_commonness(values: Sequence[Any], place: int) -> int:
    """Position of a value of that place among the most common: 0, 1, or -1 for the rarest."""
    texts = [str(value) for value in values]
    ranked = Counter(texts).most_common()
    return texts.index(ranked[min(place, len(ranked) - 1)][0])


def commonness(columns: list[Array], n_rows: int) -> Array:
    """For each row, shares of the rows that have the same value, summed over columns of codes.

    Parameters
    ----------
    columns : list of array of shape (n_rows, ...)
        Of any kind; where there are none, all rows are as common.
    n_rows : int
    """
    total: Array = np.zeros(n_rows)
    for values in map(_sortable, columns):
        start = values[:FEW]
        if len(np.unique(start)) <= 0.75 * len(start):
            _, number, counts = np.unique(values, return_inverse=True, return_counts=True)
            total += counts[number.reshape(-1)] / len(values)
    return total


def _sortable(values: Array) -> Array:
    is_plain = values.ndim == 1 and values.dtype.kind in "biufcUSmM"
    return values if is_plain else np.array([str(value) for value in values.tolist()])
