"""Columns of numbers of any table, block by block or all rows of a sample."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from skscale import _tables as tables
from skscale._kernels import Array, narrow
from skscale._reduce import block_rows
from skscale._tables import Table


def check_rows(display: str, **given: Any) -> None:
    """Refuse what has no rows in memory, naming the argument.

    Raises
    ------
    TypeError
    """
    for name, X in given.items():
        tables.refuse_lazy(X)
        if not tables.has_rows(X):
            raise TypeError(
                f"{name} of {display} is a {type(X).__name__}; it must be an array, a frame, a "
                "sparse array or a list of rows, in memory."
            )


def open_numbers(X: Any, names: list[str] | None = None) -> tuple[Table, list[str]]:
    """The columns of a table that hold numbers, and their names; columns of text are left out.

    Parameters
    ----------
    X : table of shape (n_rows, n_columns)
        What a transformer takes, or gives.
    names : list of str or None, default=None
        Names of all columns of what has none of its own; ``x0`` and so on if not given.
    """
    X = tables.as_mixed(X)
    if X.shape[1] == 0 or X.shape[0] == 0:
        tables.check_shape(*X.shape)
    labels = tables.column_names(X)
    if labels is None:
        width = X.shape[1]
        labels = names if names and len(names) == width else [f"x{i}" for i in range(width)]
    positions = tables.number_columns(X)
    if not positions:
        return tables.read(X), []
    return tables.read_columns(X, positions), [str(labels[i]) for i in positions]


def slices(table: Table) -> Iterator[slice]:
    """Blocks of rows, in order."""
    step = block_rows(table.shape[1])
    for start in range(0, table.shape[0], step):
        yield slice(start, min(start + step, table.shape[0]))


def dense(table: Table, rows: Any = slice(None)) -> Array:
    """Rows of a table as one dense array."""
    block: Any = narrow(table.rows(rows))
    return np.asarray(block.toarray() if table.is_sparse else block)
