"""One pass over the rows: statistics of all atoms, and of every training part."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from skscale import _kernels as kernels
from skscale._blas import single_threaded_blas
from skscale._blocks import stored_rows
from skscale._kernels import Array, Picked, as_rows
from skscale._reduce import block_rows, cut, mapped_blocks, tree_reduce
from skscale._several import Several
from skscale._tables import Table
from skscale.model_selection._atoms import Pass
from skscale.model_selection._merging import unions
from skscale.statistics import Extrema, Moments


class Measured(NamedTuple):
    """Statistics of one kind of the training parts of some splits.

    Parameters
    ----------
    statistics : list
        One for each split.
    is_wide : list of bool
        For each split, whether some of its training rows held integers that float64 cannot hold.
    """

    statistics: list[Any]
    is_wide: list[bool]


def measure_pass(
    table: Table, weights: Array | None, one_pass: Pass, kinds: Iterable[type]
) -> dict[type, Measured]:
    """Statistics of the training part of every split of a pass, of several kinds at once."""
    return of_splits(measure_atoms(table, weights, one_pass.atoms, kinds), one_pass, kinds)


def measure_atoms(
    table: Table, weights: Array | None, atoms: Sequence[slice | Array], kinds: Iterable[type]
) -> list[Several]:
    """Statistics of every atom, of at least one row each."""
    kinds = tuple(kinds)
    step = _block_rows(table, kinds)
    blocks = [(atom, block) for atom, rows in enumerate(atoms) for block in _blocks(rows, step)]
    read = _Reader(table)

    def of_block(place: tuple[int, slice | Array]) -> tuple[int, Several]:
        atom, block = place
        rows = read(block)
        of_rows = None if weights is None else weights[block]
        return atom, Several.of(rows, of_rows, kinds)

    n_rows = sum(_length(rows) for rows in atoms)
    with products(kinds), mapped_blocks(of_block, blocks, n_rows * table.shape[1]) as found:
        by_atom = groupby(found, key=lambda part: part[0])
        return [tree_reduce((part for _, part in own), Several.merge) for _, own in by_atom]


def of_splits(
    of_atoms: list[Several], one_pass: Pass, kinds: Iterable[type]
) -> dict[type, Measured]:
    """Statistics of training parts, merged from those of their atoms."""
    kinds = tuple(kinds)
    with products(kinds), np.errstate(under="ignore"):
        found = unions(of_atoms, one_pass.members, Several.merge)
    is_wide = [part.is_wide for part in found]
    return {kind: Measured([part.statistics[kind] for part in found], is_wide) for kind in kinds}


def products(kinds: Iterable[type]) -> AbstractContextManager[None]:
    """What matrix products of these statistics run in."""
    return nullcontext() if set(kinds) <= {Moments, Extrema} else single_threaded_blas


class _Reader:
    """Blocks of a table, some of them gathered from all over it.

    A block is gathered if a kernel cannot read it where it is, and then into memory that its thread
    has used before, for to get new memory from the system takes as long as to fill it. It is
    overwritten by the next one.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        source = table.source
        self._in_order = isinstance(source, np.ndarray) and source.flags.c_contiguous
        self._thread = threading.local()

    def __call__(self, block: slice | Array) -> Any:
        if self._in_order and isinstance(block, np.ndarray):
            return self._picked(self._table.source, block)
        rows: Any = self._table.rows(block)
        return rows if sparse.issparse(rows) else as_rows(rows)

    def _picked(self, source: Array, block: Array) -> Any:
        if source.dtype not in (np.float32, np.float64) or not source.flags.aligned:
            return as_rows(self._gather(source, block))
        return Picked(lambda: self._gather(source, block), source, block)

    def _gather(self, source: Array, block: Array) -> Array:
        buffer = getattr(self._thread, "buffer", None)
        if buffer is None or len(buffer) < len(block):
            buffer = self._thread.buffer = np.empty((len(block), source.shape[1]), source.dtype)
        gathered = buffer[: len(block)]
        kernels.gather(source, block, gathered)
        return gathered


def _blocks(rows: slice | Array, step: int) -> list[slice | Array]:
    if isinstance(rows, slice):
        parts = cut(rows.stop - rows.start, step)
        return [slice(rows.start + part.start, rows.start + part.stop) for part in parts]
    return [rows[part] for part in cut(len(rows), step)]


def _block_rows(table: Table, kinds: tuple[type, ...]) -> int:
    columnwise = set(kinds) <= {Moments, Extrema}
    if table.is_sparse and columnwise:
        return stored_rows(table.source)
    n_features = table.shape[1]
    return max(block_rows(n_features), 0 if columnwise else 8 * n_features)


def _length(rows: slice | Array) -> int:
    return rows.stop - rows.start if isinstance(rows, slice) else len(rows)
