"""What is changed about the rows that are held out, and which results must not move for it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skscale import _tables as tables
from skscale._kernels import Array
from skscale.leakage._folds import Fold
from skscale.leakage._others import (
    ABOVE,
    BELOW,
    SEVERITIES,
    Beyond,
    is_in_order,
    low_labels,
    other_labels,
)
from skscale.leakage._targets import ALL, HELD_OUT

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
    batches : tuple of str
        Which batches show it. Of all rows the kept ones stand still, whichever are held out; in a
        batch of held-out rows nothing does unless half of them are kept.
    """

    name: str
    changes: list[Change]
    still: Array
    features_still: Array
    tame: Change | None = None
    holed: bool = False
    about_rows: bool = True
    excuse: str = "there are no other values to put there"
    batches: tuple[str, ...] = (ALL,)


class Material:
    """A table, its labels, and other tables of the same kind to take rows from.

    Where there is time, what is in order stays so: columns that are a clock, in most tables. Where
    there are groups, no row comes to belong to another group that there is.
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        random: np.random.Generator,
        in_time: bool = False,
        grouping: Sequence[int] = (),
    ) -> None:
        self._random = random
        self._grouping = list(grouping)
        self._in_time = in_time
        self._beyond: dict[tuple[int, int, bool], Any] = {}
        unchanged: Array = np.zeros(tables.count_rows(X), dtype=bool)
        self._unchanged = unchanged
        # Through the same hands as every changed table, so that layouts in memory are the same.
        self.X = tables.exchange_rows(X, X, unchanged)
        self.y = None if y is None else tables.exchange_rows(y, y, unchanged)
        columns = tables.arrays_of(self.X) if in_time else []
        self._ordered = [j for j, column in enumerate(columns) if is_in_order(column)]
        self._clocks = [j for j in self._ordered if columns[j].dtype.kind in "mM"]

    def beyond(self, side: int, severity: int, unseen: bool = True) -> Any:
        """All values beyond those of their columns, or second most common ones, or the rarest."""
        key = (side, severity, unseen)
        if key not in self._beyond:
            new = Beyond(side, severity, in_time=self._in_time, unseen=unseen)
            replaced = tables.replace_values(self.X, new, 1 if side == ABOVE else -1)
            kept = [] if unseen else self._grouping
            self._beyond[key] = tables.with_columns_of(replaced, self.X, kept)
        return self._beyond[key]

    @functools.cached_property
    def missing(self) -> Any | None:
        return self._with_missing(np.ones(self._shape, dtype=bool))

    def holed(self, fold: Fold) -> Any | None:
        """The table with some values missing, and all in the last row before held-out ones."""
        kept = fold.is_kept
        holes = self._random.random(self._shape) < MISSING_SHARE
        holes[_last_before(fold.is_held, kept)] = True
        holes[np.flatnonzero(kept)[0]] |= ~holes[kept].any(axis=0)
        return self._with_missing(holes)

    @property
    def _shape(self) -> tuple[int, int]:
        return len(self._unchanged), tables.count_columns(self.X)

    def _with_missing(self, holes: Array) -> Any | None:
        holes[:, self._clocks] = False
        return tables.with_missing(self.X, holes)

    def from_training(self, fold: Fold) -> Any:
        """Training rows at random in the place of held-out ones."""
        return self._held_out_as(fold, self._random.choice(fold.train, fold.n_rows))

    def of_one_row(self, fold: Fold) -> Any:
        """The training row with the rarest values in the place of every held-out one."""
        rarest = fold.train[np.argmin(self._commonness[fold.train])]
        return self._held_out_as(fold, np.full(fold.n_rows, rarest))

    @functools.cached_property
    def _commonness(self) -> Array:
        return tables.commonness(tables.arrays_of(self.X), len(self._unchanged))

    def _held_out_as(self, fold: Fold, rows: Array) -> Any:
        source = np.where(fold.is_held, rows, np.arange(fold.n_rows))
        kept = sorted({*self._ordered, *self._grouping})
        return tables.with_columns_of(tables.take_rows(self.X, source), self.X, kept)

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
        return other_labels(self.y)

    def low_labels(self) -> list[Callable[[], Any]]:
        return low_labels(self.y)


def grouping_columns(X: Any, groups: Any) -> list[int]:
    """Columns of a table that are the groups of its rows."""
    if groups is None:
        return []
    wanted = np.asarray(groups).astype(str)
    return [j for j, each in enumerate(tables.arrays_of(X)) if _equal(each.astype(str), wanted)]


def _equal(column: Array, groups: Array) -> bool:
    return column.shape == groups.shape and bool((column == groups).all())


def probes(
    material: Material, fold: Fold, holed: Any, knows_split: bool, is_fitted: bool = False
) -> Iterator[Probe]:
    """The questions of one fold; what was fitted before it sees them is asked about batches."""
    held, kept = fold.is_held, fold.is_kept
    tame = functools.partial(_tame, material, fold)
    beyond = functools.partial(_beyond, material)
    yield Probe("extreme values", beyond(held), kept, kept, tame(held))
    if not (is_fitted and len(fold.test) > 1):  # half of a batch is changed both ways
        yield Probe("low values", beyond(held, BELOW), kept, kept, tame(held))
    one_row = functools.partial(_one_row, material, fold, held)
    yield Probe("training rows", [one_row, tame(held)], kept, kept)
    missing = functools.partial(_missing, material, held)
    yield Probe(MISSING, [missing], kept, kept, excuse="no column can hold missing values")
    beside = [] if holed is None else beyond(held, table=holed)
    yield Probe("beside gaps", beside, kept, kept, tame(held, holed), holed=True)
    if knows_split or fold.in_time:
        half = _half(fold)
        name = "later rows" if fold.in_time else "half of the batch"
        still = _before(half) if fold.in_time else (kept | held) & ~half
        both_ways = functools.partial(_both_ways, material, fold, half)
        changes = both_ways() if half.any() else []
        excuse = "it takes two held-out rows"
        batches = (HELD_OUT,)
        yield Probe(name, changes, still, still, tame(half), excuse=excuse, batches=batches)
        changes = [] if holed is None or not half.any() else both_ways(holed)
        name += ", beside gaps"
        confirm = tame(half, holed)
        yield Probe(name, changes, still, still, confirm, True, excuse=excuse, batches=batches)
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
    changes = _relabel(material, held, material.low_labels())
    yield Probe("low labels", changes, kept, own, about_rows=False, excuse=excuse)
    if knows_split and not fold.in_time:
        half = _half(fold)
        still = (kept | held) & ~half
        changes = _relabel(material, half, material.other_labels()) if half.any() else []
        name, excuse = "half of the labels", "it takes two held-out rows"
        yield Probe(name, changes, still, still, about_rows=False, excuse=excuse)


def _beyond(material: Material, which: Array, side: int = ABOVE, table: Any = None) -> list[Change]:
    """Beside gaps words are replaced by known ones: an unseen one is never the most frequent."""
    unseen = table is None

    def change(severity: int) -> tuple[Any, Any] | None:
        return material.exchange(material.beyond(side, severity, unseen), which, table)

    return [functools.partial(change, severity) for severity in SEVERITIES[side]]


def _both_ways(material: Material, fold: Fold, which: Array, table: Any = None) -> list[Change]:
    """A quarter of the rows lower than any, and the others higher: a batch may have few rows."""
    is_low = np.zeros_like(which)
    is_low[np.flatnonzero(which)[fold.number % 2 :: 4]] = True
    unseen = table is None

    def change(above: int, below: int) -> tuple[Any, Any] | None:
        high = material.beyond(ABOVE, above, unseen)
        low = material.beyond(BELOW, below, unseen)
        return material.exchange(tables.exchange_rows(high, low, is_low), which, table)

    above = (*SEVERITIES[ABOVE], SEVERITIES[ABOVE][-1])
    pairs = zip(above, SEVERITIES[BELOW], strict=True)
    return [functools.partial(change, *pair) for pair in pairs]


def _one_row(material: Material, fold: Fold, which: Array) -> tuple[Any, Any] | None:
    return material.exchange(material.of_one_row(fold), which)


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
        # What comes first in a batch is one of them in every other fold.
        shuffled = np.random.default_rng(fold.number).permutation(test[1:])
        shuffled = np.insert(shuffled, 0 if fold.number % 2 == 0 else len(shuffled), test[0])
        half[shuffled[: len(test) // 2]] = True
    return half


def _before(changed: Array) -> Array:
    return np.arange(len(changed)) < np.argmax(changed) if changed.any() else ~changed


def _last_before(held: Array, kept: Array) -> int:
    """The last of the kept rows that comes before a held-out one; the last of all, if none does."""
    before = kept & (np.flatnonzero(held)[-1] > np.arange(len(held)))
    return int(np.flatnonzero(before if before.any() else kept)[-1])
