"""Rows that a transformer remembers having learned from, where it was asked to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from skscale import _kernels as kernels
from skscale._kernels import Array, WideRows, narrow
from skscale._reduce import block_rows, cut, mapped_blocks
from skscale._tables import Table
from skscale.statistics import RowSketch
from skscale.statistics._sketch import LEADING, leading_hashes, lowest, sketch_hashes, smallest


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
    # Each row once: a weight is no copy that could leak.
    chosen = None if weights is None else weights > 0
    n_rows = table.shape[0] if chosen is None else np.count_nonzero(chosen)
    hashes = lowest_hashes(table, memory, chosen)
    kept = smallest(hashes, None, memory.capacity)
    sketch = RowSketch(float(n_rows), table.shape[1], memory.key, memory.capacity, *kept)
    transformer._row_sketch_ = sketch if earlier is None else earlier.merge(sketch)


def lowest_hashes(table: Table, memory: Memory, chosen: Array | None) -> Array:
    """Hashes of those of the chosen rows that a sketch may keep."""
    keys = kernels.multipliers(memory.key, table.shape[1])
    if table.shape[1] <= 2 * LEADING:
        hashes = hash_table(table, lambda rows, _: kernels.row_hashes(rows, keys))
        return hashes if chosen is None else hashes[chosen]
    # A row that is read in part takes about as long as its next 16 numbers would.
    leading = hash_table(table, lambda rows, _: leading_hashes(rows, keys), n_read=4 * LEADING)
    below = lowest(leading if chosen is None else leading[chosen], memory.capacity)
    if below is not None and chosen is not None:
        chosen[chosen] = below
    elif below is not None:
        chosen = below
    if chosen is None:
        return hash_table(table, lambda rows, block: sketch_hashes(rows, keys, leading[block]))
    # Rows are taken from an array at once: blocks would be read for a few rows of each.
    is_array = isinstance(table.source, np.ndarray) and table.source.dtype == table.dtype
    step = table.shape[0] if is_array else block_rows(table.shape[1])
    parts = []
    for block in cut(table.shape[0], step):
        positions = np.flatnonzero(chosen[block])
        rows: Any = table.rows(block)
        parts.append(sketch_hashes(rows[positions], keys, leading[block][positions]))
    return np.concatenate(parts)


def hash_table(
    table: Table, function: Callable[[Any, slice], Any], *, n_read: int | None = None
) -> Array:
    """One number for every row of a table, block by block, on all cores.

    Parameters
    ----------
    table : Table
        Of at least one row.
    function : callable
        ``function(rows, block)`` gives the numbers of one block of rows.
    n_read : int or None
        As how many columns it takes, which decides whether threads pay; None for all.
    """
    n_rows, n_columns = table.shape
    hashes = np.empty(n_rows, dtype=np.uint64)

    def hash_block(block: slice) -> None:
        hashes[block] = function(table.rows(block), block)

    blocks = cut(n_rows, block_rows(n_columns))
    n_values = n_rows * (n_columns if n_read is None else n_read)
    with mapped_blocks(hash_block, blocks, n_values) as done:
        for _ in done:
            pass
    return hashes


def rounded(rows: Any, dtype: np.dtype[Any]) -> Any:
    """Rows of floats in a dtype, which may be a narrower one than theirs."""
    if dtype.itemsize >= rows.dtype.itemsize:
        return rows
    with np.errstate(over="ignore"):
        return (narrow(rows) if isinstance(rows, WideRows) else rows).astype(dtype)
