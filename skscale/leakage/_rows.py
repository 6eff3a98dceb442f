"""Which rows of two tables are the same, to the last number and word."""

from __future__ import annotations

from typing import Any

import numpy as np

from skscale import _kernels as kernels
from skscale import _tables as tables
from skscale._admission import describe_columns
from skscale._kernels import Array
from skscale._provenance import hash_table, rounded
from skscale.errors import SchemaError

KEY = 0x5C5CA1E
"""Hashes that are compared and forgotten need no secret."""


def check_same_columns(first: Any, second: Any) -> None:
    """Raise unless two tables have the same columns in the same order."""
    names, other = tables.column_names(first), tables.column_names(second)
    if first.shape[1] != second.shape[1]:
        raise SchemaError(
            describe_columns(
                f"The train rows have {first.shape[1]} columns and the test rows "
                f"{second.shape[1]}; pass both as they go into the model, with the same columns.",
                names,
                other,
            )
        )
    if names is not None and other is not None and names != other:
        raise SchemaError(
            describe_columns(
                "The columns of the test rows should be those of the train rows, in the same "
                "order: X_test = X_test[X_train.columns].",
                names,
                other,
            )
        )


def paired_hashes(first: Any, second: Any, *, key: int = KEY) -> tuple[Array, Array]:
    """One number for every row of two tables with the same columns, equal for equal rows.

    Parameters
    ----------
    first, second : frame, array or sparse array
        From `as_mixed`. Numbers of float64 are rounded to float32 if the other table holds those;
        words and dates are compared as they are, and all missing values are the same.
    key : int, default=KEY
        Which hash function.

    Notes
    -----
    Two different rows have the same number with a probability of at most 2**-48.
    """
    both = (first, second)
    numeric = set(tables.number_columns(first)) & set(tables.number_columns(second))
    shared = sorted(numeric)
    others = [i for i in range(first.shape[1]) if i not in numeric]
    keys = kernels.multipliers(key, first.shape[1])
    sums: list[Array] = [np.zeros(X.shape[0], dtype=np.uint64) for X in both]
    if shared:
        opened = [tables.read_columns(X, shared) for X in both]
        dtype = min((table.dtype for table in opened), key=lambda dtype: dtype.itemsize)
        numeric_keys = keys[:, shared]

        def hashes(rows: Any) -> Array:
            return kernels.row_hashes(rounded(rows, dtype), numeric_keys)

        sums = [hash_table(table, hashes) for table in opened]
    if others:
        coded = zip(*(_coded(*(tables.objects(X, i) for X in both)) for i in others), strict=True)
        sums = [
            numbers * np.uint64(31) + kernels.row_hashes(np.column_stack(codes), keys[:, others])
            for numbers, codes in zip(sums, coded, strict=True)
        ]
    return sums[0], sums[1]


def _coded(first: list[Any], second: list[Any]) -> tuple[Array, Array]:
    """Values as numbers, the same number for the same value, NaN where one is missing."""
    codes: dict[Any, float] = {}

    def code(value: Any) -> float:
        if value is None:
            return np.nan
        try:
            return codes.setdefault(value, float(len(codes)))
        except TypeError:  # unhashable
            return codes.setdefault(repr(value), float(len(codes)))

    numbers = [code(value) for value in (*first, *second)]
    return np.array(numbers[: len(first)]), np.array(numbers[len(first) :])
