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
from skscale.statistics._sketch import LARGEST, enough, low_hashes, sketch_hashes, smallest


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


def memory_for(transformer: Any, *, begins: bool) -> Memory | None:
    """How a transformer is to remember the rows that it is about to learn from."""
    earlier: RowSketch | None = vars(transformer).get("_row_sketch_")
    if earlier is not None:
        return Memory(earlier.key, earlier.capacity)
    return MEMORY.get() if begins else None


@contextmanager
def recorded(
    transformer: Any, table: Table, weights: Array | None, *, begins: bool
) -> Iterator[Callable[[Any, slice], None] | None]:
    """What is to be told of every block that a transformer measures; None if nobody asks for it.

    Afterwards the transformer remembers the rows. A sketch is of all of them: it begins with the
    first ones, and goes on with every `partial_fit`.
    """
    earlier: RowSketch | None = vars(transformer).get("_row_sketch_")
    memory = memory_for(transformer, begins=begins)
    if memory is None:
        yield None
        return
    recorder = Recorder(table, None if weights is None else weights > 0, memory, earlier)
    yield recorder.note
    transformer._row_sketch_ = recorder.sketch()


class Recorder:
    """A sketch of the rows of a table, made of each block while a fit has it at hand.

    Rows that are read by themselves for their hashes are read from memory a second time, which
    takes longer than to hash them.

    Parameters
    ----------
    table : Table
        Of at least one row.
    chosen : bool array of shape (n_rows,), or None
        Which rows count, each once: a weight is no copy that could leak.
    memory : Memory
        How they are remembered.
    earlier : RowSketch or None
        Of rows before these.
    """

    def __init__(
        self, table: Table, chosen: Array | None, memory: Memory, earlier: RowSketch | None
    ) -> None:
        n_rows = table.shape[0] if chosen is None else int(np.count_nonzero(chosen))
        self._table, self._chosen, self._memory, self._earlier = table, chosen, memory, earlier
        self._n_rows = float(n_rows)
        self._bound = enough(n_rows, memory.capacity)
        self._keys = kernels.multipliers(memory.key, table.shape[1])
        self._found: dict[int, Array] = {}

    def note(self, rows: Any, block: slice) -> None:
        """Hash a block of rows; another pass over the same blocks adds nothing."""
        if block.start not in self._found:
            chosen = None if self._chosen is None else self._chosen[block]
            self._found[block.start] = low_hashes(rows, self._keys, self._bound, chosen)

    def sketch(self) -> RowSketch:
        """Sketch of all rows, of which every block was noted."""
        memory = self._memory
        kept = smallest(np.concatenate([*self._found.values()]), None, memory.capacity)
        if self._bound < LARGEST and len(kept[0]) < memory.capacity:  # many rows repeat
            hashes = hash_table(self._table, lambda rows: sketch_hashes(rows, self._keys))
            kept = smallest(
                hashes if self._chosen is None else hashes[self._chosen], None, memory.capacity
            )
        sketch = RowSketch(self._n_rows, self._table.shape[1], memory.key, memory.capacity, *kept)
        return sketch if self._earlier is None else self._earlier.merge(sketch)


def hash_table(table: Table, function: Callable[[Any], Any]) -> Array:
    """One number for every row of a table, block by block, on all cores.

    Parameters
    ----------
    table : Table
        Of at least one row.
    function : callable
        From a block of rows to their numbers.
    """
    n_rows, n_columns = table.shape
    hashes = np.empty(n_rows, dtype=np.uint64)

    def hash_block(block: slice) -> None:
        hashes[block] = function(table.rows(block))

    blocks = cut(n_rows, block_rows(n_columns))
    with mapped_blocks(hash_block, blocks, n_rows * n_columns) as done:
        for _ in done:
            pass
    return hashes


def rounded(rows: Any, dtype: np.dtype[Any]) -> Any:
    """Rows of floats in a dtype, which may be a narrower one than theirs."""
    if dtype.itemsize >= rows.dtype.itemsize:
        return rows
    with np.errstate(over="ignore"):
        return (narrow(rows) if isinstance(rows, WideRows) else rows).astype(dtype)
