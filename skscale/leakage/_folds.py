"""The rows that an audit looks at, and which of them each fold learns from and holds out."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold, TimeSeriesSplit

from skscale import _tables as tables
from skscale._kernels import Array
from skscale._splits import Splits, read_splits
from skscale.errors import SplitError
from skscale.leakage._others import is_discrete


@dataclass(frozen=True)
class Fold:
    """One split of the rows that are looked at.

    Parameters
    ----------
    number : int
        Which split of the splitter.
    train, test : integer array
        Row numbers.
    n_rows : int
        Rows of the table.
    in_time : bool
        Whether rows are in the order of time: all from the first test row on is then held out.
    """

    number: int
    train: Array
    test: Array
    n_rows: int
    in_time: bool

    @property
    def is_held(self) -> Array:
        """Rows that the training side must not depend on."""
        held = np.zeros(self.n_rows, dtype=bool)
        held[self.test] = True
        return held | (np.arange(self.n_rows) >= self.test.min()) if self.in_time else held

    @property
    def is_kept(self) -> Array:
        """Rows whose results must not depend on held-out rows: training rows, or all earlier."""
        if self.in_time:
            return ~self.is_held
        kept = np.zeros(self.n_rows, dtype=bool)
        kept[self.train] = True
        return kept


def read_folds(
    X: Any,
    y: Any,
    *,
    cv: Any,
    order: str | None,
    max_rows: int | None,
    groups: Any,
    random: np.random.Generator,
) -> tuple[Any, Any, list[Fold]]:
    """At most `max_rows` rows, their labels, and their folds.

    Raises
    ------
    SplitError
        Splits that are none, or none with training rows before its test rows.
    """
    n_rows = tables.count_rows(X)
    groups = None if groups is None else np.asarray(groups)
    in_time = order == "time"
    rows = np.arange(n_rows)
    if isinstance(cv, bool) or (isinstance(cv, Integral) and cv < 2):
        raise SplitError(
            f"cv is {cv!r}; it must be a number of folds, 2 or more, a splitter of scikit-learn's "
            "or a list of (train, test) row numbers."
        )
    if isinstance(cv, Integral) or cv is None:
        if max_rows is not None and n_rows > max_rows:
            rows = np.arange(max_rows) if in_time else _sample(n_rows, max_rows, y, groups, random)
        labels = None if y is None else np.asarray(tables.take_rows(y, rows))
        parts = None if groups is None else groups[rows]
        splitter = _splitter(5 if cv is None else int(cv), labels, parts, in_time, random)
        splits = list(read_splits(splitter, len(rows), None, labels, parts))
    else:
        found = read_splits(cv, n_rows, X, y, groups)
        if max_rows is not None and n_rows > max_rows:
            rows = _sample(n_rows, max_rows, None if in_time else y, groups, random)
        splits = _restricted(found, rows, n_rows)
    if len(rows) < n_rows:
        X, y = tables.take_rows(X, rows), None if y is None else tables.take_rows(y, rows)
    folds = []
    for number, (train, test) in enumerate(splits):
        train = train[train < test.min()] if in_time and len(test) else train
        if len(train) and len(test):
            folds.append(Fold(number, train, test, len(rows), in_time))
    if not folds:
        raise SplitError(
            "No split has training rows before its test rows, as order='time' needs. Pass "
            "cv=TimeSeriesSplit()."
            if in_time
            else f"No split has both training and test rows among the {len(rows)} that are looked "
            "at. Raise max_rows, or pass fewer splits."
        )
    return X, y, folds


def _splitter(
    n_folds: int, y: Array | None, groups: Array | None, in_time: bool, random: np.random.Generator
) -> Any:
    """Folds of shuffled rows, so that every training row has held-out neighbours."""
    if in_time:
        return TimeSeriesSplit(n_folds)
    if groups is not None:
        return GroupKFold(n_folds)
    seed = int(random.integers(2**31))
    if y is not None and y.ndim == 1 and is_discrete(y):
        counts = np.unique(y.astype(str), return_counts=True)[1]
        if counts.min() >= n_folds:
            return StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    return KFold(n_folds, shuffle=True, random_state=seed)


def _sample(
    n_rows: int, max_rows: int, y: Any, groups: Array | None, random: np.random.Generator
) -> Array:
    """So many rows, in order: of whole groups, or in the proportions of the classes."""
    if groups is not None:
        _, number = np.unique(groups, return_inverse=True)
        sizes = np.bincount(number)
        shuffled = random.permutation(len(sizes))
        taken = shuffled[: max(2, int(np.searchsorted(np.cumsum(sizes[shuffled]), max_rows)))]
        return np.flatnonzero(np.isin(number, taken))
    order = random.permutation(n_rows)
    labels = None if y is None else np.asarray(y)
    if labels is not None and labels.ndim == 1 and is_discrete(labels):
        order = order[np.argsort(labels[order].astype(str), kind="stable")]
    evenly = np.linspace(0, n_rows - 1, max_rows).round().astype(int)
    return np.sort(order[evenly])


def _restricted(splits: Splits, rows: Array, n_rows: int) -> list[tuple[Array, Array]]:
    """The same splits of some of the rows."""
    place = np.full(n_rows, -1)
    place[rows] = np.arange(len(rows))
    return [tuple(place[part][place[part] >= 0] for part in split) for split in splits]  # type: ignore[misc]  # always two
