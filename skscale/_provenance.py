"""Rows that a transformer remembers having learned from, where it was asked to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from skscale import _kernels as kernels
from skscale._kernels import Array, narrow
from skscale._reduce import block_rows, cut, mapped_blocks
from skscale._tables import Table
from skscale.statistics import RowSketch


class Memory(NamedTuple):
    """How rows are to be remembered: the key of their hashes, and how many are kept."""

    key: int
    capacity: int


MEMORY: ContextVar[Memory | None] = ContextVar("MEMORY", default=None)
"""What fits in this context are asked to remember."""


@contextmanager
def remembering(memory: Memory | None) -> Iterator[None]:
    """Fits in this context remember their rows in this way."""
    token = MEMORY.set(memory)
    try:
        yield
    finally:
        MEMORY.reset(token)


def memory_of(estimator: Any) -> Memory | None:
    """How a transformer, or the first step of a pipeline that does, remembers its rows."""
    sketch: RowSketch | None = getattr(estimator, "_row_sketch_", None)
    if sketch is not None:
        return Memory(sketch.key, sketch.capacity)
    found = (memory_of(step) for _, step in getattr(estimator, "steps", []))
    return next((memory for memory in found if memory is not None), None)


def remember(transformer: Any, table: Table, weights: Array | None, *, begins: bool) -> None:
    """Add rows to the sketch of a transformer, or begin one if that is asked for.

    A sketch is of all rows: it begins with the first ones, and goes on with every `partial_fit`.
    """
    earlier: RowSketch | None = vars(transformer).get("_row_sketch_")
    memory = MEMORY.get() if begins else None
    if earlier is not None:
        memory = Memory(earlier.key, earlier.capacity)
    if memory is None:
        return
    n_features = table.shape[1]
    hashes = hash_table(table, kernels.multipliers(memory.key, n_features))
    if weights is not None:
        hashes = hashes[weights > 0]  # each row once: a weight is no copy that could leak
    sketch = RowSketch.of_hashes(hashes, None, n_features, **memory._asdict())
    transformer._row_sketch_ = sketch if earlier is None else earlier.merge(sketch)


def hash_table(table: Table, keys: Array, dtype: Any = None) -> Array:
    """Hashes of the rows of a table.

    Parameters
    ----------
    table : Table
        Of at least one row.
    keys : array of shape (2, n_columns)
        From `multipliers`.
    dtype : dtype, default=None
        Float dtype that numbers are rounded to first.
    """
    n_rows, n_columns = table.shape
    rounded = dtype is not None and dtype != table.dtype and np.dtype(dtype).itemsize < 8
    hashes = np.empty(n_rows, dtype=np.uint64)

    def hash_block(block: slice) -> None:
        rows: Any = table.rows(block)
        if rounded:
            with np.errstate(over="ignore"):
                rows = (rows if table.is_sparse else narrow(rows)).astype(dtype)
        hashes[block] = kernels.row_hashes(rows, keys)

    blocks = cut(n_rows, block_rows(n_columns))
    with mapped_blocks(hash_block, blocks, n_rows * n_columns) as done:
        for _ in done:
            pass
    return hashes
