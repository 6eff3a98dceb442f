"""What is changed about the rows that are held out, and which results must not move for it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from skscale import _tables as tables
from skscale._kernels import Array
from skscale.leakage._folds import Fold
from skscale.leakage._others import SEVERITIES, extreme, other_labels

Change = Callable[[], "tuple[Any, Any] | None"]
"""Makes a changed table and its labels; None if nothing could be changed."""

MISSING = "missing values"

MISSING_SHARE = 0.15
"""Share of the values of kept rows that are made missing."""


@dataclass(frozen=True)
class Probe:
    """One question to a target: whether anything moves if these rows are others.

    Parameters
    ----------
    name : str
        As reports name it.
    changes : list of callable
        Tables to try, until the target takes one: the harshest first.
    still : bool array
        Rows whose results must not move.
    features_still : bool array
        Rows whose features must not move.
    tame : callable or None
        A table to confirm with what might be rounding.
    holed : bool
        Whether some values of kept rows are missing, in what it is compared with too.
    about_rows : bool
        Whether held-out rows of X are changed, rather than labels.
    excuse : str
        What it means if there is no change to try.
    """

    name: str
    changes: list[Change]
    still: Array
    features_still: Array
    tame: Change | None = None
    holed: bool = False
    about_rows: bool = True
    excuse: str = "there are no other values to put there"


class Material:
    """A table, its labels, and other tables of the same kind to take rows from."""

    def __init__(self, X: Any, y: Any, random: np.random.Generator) -> None:
        self._random = random
        self._seeds = [int(seed) for seed in random.integers(2**31, size=len(SEVERITIES))]
        self._far: dict[int, Any] = {}
        unchanged: Array = np.zeros(tables.count_rows(X), dtype=bool)
        self._unchanged = unchanged
        # Through the same hands as every changed table, so that layouts in memory are the same.
        self.X = tables.exchange_rows(X, X, unchanged)
        self.y = None if y is None else tables.exchange_rows(y, y, unchanged)

    def far(self, severity: int) -> Any:
        if severity not in self._far:
            new = extreme(severity, np.random.default_rng(self._seeds[severity]))
            self._far[severity] = tables.replace_values(self.X, new)
        return self._far[severity]

    @functools.cached_property
    def missing(self) -> Any | None:
        shape = (len(self._unchanged), tables.count_columns(self.X))
        return tables.with_missing(self.X, np.ones(shape, dtype=bool))

    def holed(self, fold: Fold) -> Any | None:
        """The table with some values missing, and all in the last row before held-out ones."""
        kept = fold.is_kept
        shape = (len(kept), tables.count_columns(self.X))
        holes = self._random.random(shape) < MISSING_SHARE
        if fold.in_time:
            holes[np.flatnonzero(kept)[-1]] = True
        holes[np.flatnonzero(kept)[0]] |= ~holes[kept].any(axis=0)
        return tables.with_missing(self.X, holes)

    def from_training(self, fold: Fold) -> Any:
        source = np.arange(fold.n_rows)
        held = np.flatnonzero(fold.is_held)
        source[held] = self._random.choice(fold.train, len(held))
        return tables.take_rows(self.X, source)

    def exchange(self, donor: Any, which: Array, table: Any = None) -> tuple[Any, Any] | None:
        """The table, or another, with rows of `donor`."""
        if donor is None:
            return None
        return tables.exchange_rows(self.X if table is None else table, donor, which), self.y

    def relabel(self, donor: Any, which: Array) -> tuple[Any, Any]:
        return self.X, tables.exchange_rows(self.y, donor, which)

    def permuted(self, which: Array) -> Any:
        """Labels shuffled among some rows."""
        source, places = np.arange(len(which)), np.flatnonzero(which)
        source[places] = self._random.permutation(places)
        return tables.take_rows(self.y, source)

    def other_labels(self) -> list[Callable[[], Any]]:
        return other_labels(self.y, self._random)


def probes(material: Material, fold: Fold, holed: Any, knows_split: bool) -> Iterator[Probe]:
    """The questions of one fold."""
    held, kept = fold.is_held, fold.is_kept
    tame = functools.partial(_tame, material, fold)
    far = functools.partial(_far, material)
    yield Probe("extreme values", far(held), kept, kept, tame(held))
    yield Probe("training rows", [tame(held)], kept, kept)
    missing = functools.partial(_missing, material, held)
    yield Probe(MISSING, [missing], kept, kept, excuse="no column can hold missing values")
    beside = [] if holed is None else far(held, holed)
    yield Probe("beside gaps", beside, kept, kept, tame(held, holed), holed=True)
    if knows_split or fold.in_time:
        half = _half(fold)
        name = "later rows" if fold.in_time else "half of the batch"
        still = _before(half) if fold.in_time else (kept | held) & ~half
        changes = far(half) if half.any() else []
        excuse = "it takes two held-out rows"
        yield Probe(name, changes, still, still, tame(half), excuse=excuse)
        changes = [] if holed is None or not half.any() else far(half, holed)
        name += ", beside gaps"
        yield Probe(name, changes, still, still, tame(half, holed), holed=True, excuse=excuse)
    if material.y is not None:
        yield from _label_probes(material, fold, knows_split)


def _label_probes(material: Material, fold: Fold, knows_split: bool) -> Iterator[Probe]:
    held, kept = fold.is_held, fold.is_kept
    # A row may know earlier labels where there is time, but not its own.
    own = np.arange(fold.n_rows) <= np.argmax(held) if fold.in_time else kept | held
    permute = functools.partial(material.permuted, held)
    excuse = "all held-out labels are the same"
    changes = _relabel(material, held, [permute])
    yield Probe("permuted labels", changes, kept, own, about_rows=False, excuse=excuse)
    excuse = "there are no other labels"
    changes = _relabel(material, held, material.other_labels())
    yield Probe("other labels", changes, kept, own, about_rows=False, excuse=excuse)
    if knows_split and not fold.in_time:
        half = _half(fold)
        still = (kept | held) & ~half
        changes = _relabel(material, half, material.other_labels()) if half.any() else []
        name, excuse = "half of the labels", "it takes two held-out rows"
        yield Probe(name, changes, still, still, about_rows=False, excuse=excuse)


def _far(material: Material, which: Array, table: Any = None) -> list[Change]:
    def change(severity: int) -> tuple[Any, Any] | None:
        return material.exchange(material.far(severity), which, table)

    return [functools.partial(change, severity) for severity in SEVERITIES]


def _tame(material: Material, fold: Fold, which: Array, table: Any = None) -> Change:
    return lambda: material.exchange(material.from_training(fold), which, table)


def _missing(material: Material, which: Array) -> tuple[Any, Any] | None:
    return material.exchange(material.missing, which)


def _relabel(material: Material, which: Array, makers: list[Callable[[], Any]]) -> list[Change]:
    def change(make: Callable[[], Any]) -> tuple[Any, Any]:
        return material.relabel(make(), which)

    return [functools.partial(change, make) for make in makers]


def _half(fold: Fold) -> Array:
    """Half of the test rows; where there is time, all rows from the middle of them on."""
    half = np.zeros(fold.n_rows, dtype=bool)
    test = np.sort(fold.test)
    if len(test) < 2:
        return half
    if fold.in_time:
        half[test[len(test) // 2] :] = True
    else:
        half[np.random.default_rng(fold.number).permutation(test)[: len(test) // 2]] = True
    return half


def _before(changed: Array) -> Array:
    return np.arange(len(changed)) < np.argmax(changed) if changed.any() else ~changed
