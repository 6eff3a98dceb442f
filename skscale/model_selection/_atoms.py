"""Atoms: rows that belong to the training parts of the same splits.

What is measured once per atom serves every split: its training part is a union of atoms. K folds
have K atoms; two random halvings have four, ten have a thousand. So many splits go together into
one pass over the rows as have few atoms.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

import numpy as np

from skscale._kernels import Array
from skscale._splits import Splits

FEWEST_ROWS = 16
"""Rows of an atom, on average, below which merging costs more than measuring again."""


class Pass(NamedTuple):
    """Splits that are served by one pass over the rows.

    Parameters
    ----------
    splits : list of int
        Which.
    atoms : list of slice or integer array
        Rows of every atom that is learned from, in order of their first row.
    members : list of integer array
        For each of the splits, the atoms that are its training part, in order.
    """

    splits: list[int]
    atoms: list[slice | Array]
    members: list[Array]


def find_passes(splits: Splits) -> list[Pass]:
    """Passes over the rows that serve all splits, as few as neighbours in order can share."""
    of_folds = _pass_of_folds(splits)
    if of_folds is not None:
        return [of_folds]
    passes, partition = [], _Partition(splits.n_rows, len(splits))
    for k, (train, test) in enumerate(splits.splits):
        rows, is_train, is_plain = _smaller_part(train, test, splits.n_rows)
        if not is_plain:  # rows that are repeated are no set
            passes.append(Pass([k], [np.sort(splits[k][0])], [np.zeros(1, dtype=np.int64)]))
            continue
        if not partition.add(k, rows, is_train):
            passes.append(partition.close())
            partition = _Partition(splits.n_rows, len(splits))
            partition.add(k, rows, is_train)
    if partition.splits:
        passes.append(partition.close())
    return passes


def _pass_of_folds(splits: Splits) -> Pass | None:
    """The pass of splits that hold out parts of a partition: these, and the rest, are the atoms."""
    tests = [test for train, test in splits.splits if train is None and _is_ascending(test)]
    n_held_out = sum(len(test) for test in tests)
    n_atoms = len(tests) + (n_held_out < splits.n_rows)
    if not 2 <= len(tests) == len(splits) or n_atoms * FEWEST_ROWS > splits.n_rows:
        return None
    is_left = np.ones(splits.n_rows, dtype=bool)
    for test in tests:
        is_left[test] = False
    rest = np.flatnonzero(is_left)
    if len(rest) + n_held_out != splits.n_rows:  # some rows are held out twice
        return None
    atoms = [test for test in [*tests, rest] if len(test)]
    if len(atoms) != n_atoms:  # a split that holds out nothing
        return None
    order = np.argsort([rows[0] for rows in atoms])
    place = np.argsort(order)
    members = [np.delete(np.arange(n_atoms), place[k]) for k in range(len(tests))]
    return Pass([*range(len(tests))], [_slice(atoms[atom]) for atom in order], members)


def _most_atoms(n_splits: int) -> int:
    """Atoms of splits that go together: K folds have K, and nested training parts as many."""
    return 2 * n_splits + 2


def _smaller_part(train: Array | None, test: Array, n_rows: int) -> tuple[Array, bool, bool]:
    """Rows in the training part or those out of it, which of the two, and whether none is twice."""
    if train is None:
        return test, False, True
    is_in = np.zeros(n_rows, dtype=bool)
    is_in[train] = True
    n_train = int(np.count_nonzero(is_in))
    is_train = 2 * n_train <= n_rows
    return np.flatnonzero(is_in == is_train), is_train, n_train == len(train)


class _Partition:
    """Atoms of some splits, refined by one split after the other.

    Parameters
    ----------
    n_rows : int
    n_splits : int
        How many there may be.
    """

    def __init__(self, n_rows: int, n_splits: int) -> None:
        self.splits: list[int] = []
        self._label = np.zeros(n_rows, dtype=np.min_scalar_type(_most_atoms(n_splits)))
        self._sizes = np.array([n_rows])
        self._is_member: list[Array] = []  # for every split, which atoms it had when it came
        self._parent = np.zeros(1, dtype=np.int64)

    def add(self, k: int, rows: Array, is_train: bool) -> bool:
        """Split every atom that has some of these rows and others too; if too many, do nothing."""
        labels = self._label[rows]
        inside = np.bincount(labels, minlength=len(self._sizes))
        parents = np.flatnonzero((inside > 0) & (inside < self._sizes))
        n_atoms = len(self._sizes) + len(parents)
        few = n_atoms <= _most_atoms(len(self.splits) + 1)
        if self.splits and not (few and n_atoms * FEWEST_ROWS <= len(self._label)):
            return False
        is_inside = np.append(inside > 0, np.ones(len(parents), dtype=bool))
        is_inside[parents] = False
        self.splits.append(k)
        self._is_member.append(is_inside == is_train)
        now = np.arange(len(self._sizes), dtype=self._label.dtype)
        now[parents] = np.arange(len(self._sizes), n_atoms)
        self._label[rows] = now[labels]
        self._sizes[parents] -= inside[parents]
        self._sizes = np.append(self._sizes, inside[parents])
        self._parent = np.append(self._parent, parents)
        return True

    def close(self) -> Pass:
        """The pass that serves these splits."""
        members = self._members()
        rows, first = self._rows_of_atoms()
        used = [atom for atom in np.argsort(first, kind="stable") if members[:, atom].any()]
        return Pass(
            self.splits,
            [rows[atom] for atom in used],
            [np.flatnonzero(is_member[used]) for is_member in members],
        )

    def _members(self) -> Array:
        """Which training parts (rows) have which atoms; later atoms are parts of earlier ones."""
        n_known = [len(is_member) for is_member in self._is_member]
        members = np.zeros((len(n_known), len(self._sizes)), dtype=bool)
        for row, is_member in zip(members, self._is_member, strict=True):
            row[: len(is_member)] = is_member
        for atom, parent in enumerate(self._parent.tolist()):
            earlier = bisect_right(n_known, atom)
            members[:earlier, atom] = members[:earlier, parent]
        return members

    def _rows_of_atoms(self) -> tuple[list[slice | Array], Array]:
        """Rows of every atom, a slice where they are consecutive, and the first of them."""
        n_atoms = len(self._sizes)
        starts = np.append(0, np.flatnonzero(np.diff(self._label)) + 1)
        if len(starts) == n_atoms:  # every atom is one run
            rows: list[slice | Array] = [slice(0)] * n_atoms
            stops = np.append(starts[1:], len(self._label))
            for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
                rows[self._label[start]] = slice(start, stop)
            return rows, np.array([part.start for part in rows if isinstance(part, slice)])
        order = np.argsort(self._label, kind="stable")  # by radix: labels are narrow
        ends = np.cumsum(self._sizes)
        rows = [
            _slice(order[end - size : end]) for size, end in zip(self._sizes, ends, strict=True)
        ]
        return rows, order[ends - self._sizes]


def _is_ascending(rows: Array) -> bool:
    return bool((rows[1:] > rows[:-1]).all())


def _slice(rows: Array) -> slice | Array:
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first + 1 == len(rows) else rows
