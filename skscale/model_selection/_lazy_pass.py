"""One pass over rows that are not there yet: statistics of the atoms of every chunk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from skscale import _tables as tables
from skscale._kernels import Array
from skscale._reduce import computed_reduction
from skscale._several import Several
from skscale._tables import LazyTable, Table
from skscale.model_selection._atoms import Pass
from skscale.model_selection._measuring import Measured, measure_atoms, of_splits, products


def measure_lazily(
    table: LazyTable, weights: Array | None, one_pass: Pass, kinds: Iterable[type]
) -> dict[type, Measured]:
    """As `measure_pass`, in one computation; a chunk gives one statistic for each of its atoms."""
    collections = tables.optimized([table.source])
    rows = tables.references(collections[0])
    edges = np.cumsum([0, *(table.lengths or ())]).tolist()
    of_chunks = [None] * len(rows) if weights is None else tables.cut_weights(weights, table)
    parts = [parts_in(one_pass.atoms, *edges[i : i + 2]) for i in range(len(rows))]
    chunks = list(zip(rows, of_chunks, parts, strict=True))
    found = computed_reduction(AtomsMeasurer(tuple(kinds)), chunks, collections)
    return of_splits([found[atom] for atom in sorted(found)], one_pass, kinds)


def parts_in(atoms: list[slice | Array], start: int, stop: int) -> list[Any]:
    """Which rows of a chunk belong to each of the atoms, counted from its first row."""
    parts: list[Any] = []
    for rows in atoms:
        if isinstance(rows, slice):
            first, last = max(rows.start, start), min(rows.stop, stop)
            parts.append(slice(first - start, max(first, last) - start))
        else:
            first, last = np.searchsorted(rows, [start, stop])
            parts.append(rows[first:last] - start)
    return parts


class AtomsMeasurer:
    """Measures the atoms of chunks, wherever these are.

    Parameters
    ----------
    kinds : tuple of type
        Of the statistics.
    """

    def __init__(self, kinds: tuple[type, ...]) -> None:
        self._kinds = kinds

    def measure(
        self, chunk: Any, weights: Array | None, parts: list[slice | Array]
    ) -> dict[int, Several]:
        """Statistics by the number of the atom, of those that the chunk has rows of."""
        sizes = [p.stop - p.start if isinstance(p, slice) else len(p) for p in parts]
        present = [atom for atom, size in enumerate(sizes) if size]
        if not present:
            return {}
        table = open_chunk(chunk)
        measured = measure_atoms(table, weights, [parts[atom] for atom in present], self._kinds)
        return dict(zip(present, measured, strict=True))

    def merge(self, earlier: dict[int, Several], later: dict[int, Several]) -> dict[int, Several]:
        """Statistics of the atoms in either of two neighbours."""
        with products(self._kinds):
            both = {i: earlier[i].merge(later[i]) for i in earlier.keys() & later.keys()}
        return {**earlier, **later, **both}


def open_chunk(chunk: Any) -> Table:
    """Open a chunk of an array."""
    plain = tables.read_plain(chunk)
    return tables.read(chunk, accept_sparse=("csr", "csc")) if plain is None else plain
