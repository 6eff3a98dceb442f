"""Splits of rows into those that are learned from and those that are held out.

Any splitter of scikit-learn's is run once, and what it gives is checked: nobody else asks whether
a split is one. Training rows are kept as what they usually are, all but the held-out ones.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    LeavePGroupsOut,
    LeavePOut,
    PredefinedSplit,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    check_cv,
)

from skscale._kernels import Array
from skscale.errors import SplitError

TRAINS_ON_THE_REST = {
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    LeavePGroupsOut,
    LeavePOut,
    PredefinedSplit,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    StratifiedGroupKFold,
    StratifiedKFold,
}
"""Splitters whose training rows are by construction all but the test rows, in order."""


class Split(NamedTuple):
    """One split, as it is kept.

    Parameters
    ----------
    train : integer array, or None
        Training rows; None for all but the test rows, in order.
    test : integer array
        Held-out rows.
    """

    train: Array | None
    test: Array


class Splits(Sequence[tuple[Array, Array]]):
    """Training and held-out rows, split by split; training rows are listed on demand.

    Parameters
    ----------
    n_rows : int
        Rows of the table.
    splits : list of Split
        At least one, checked.
    """

    def __init__(self, n_rows: int, splits: list[Split]) -> None:
        self.n_rows = n_rows
        self.splits = splits

    def __len__(self) -> int:
        return len(self.splits)

    def __getitem__(self, k: Any) -> Any:
        train, test = self.splits[k]
        return self._all_but(test) if train is None else train, test

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        return (self[k] for k in range(len(self)))

    def n_train(self, k: int) -> int:
        """Number of training rows of split k."""
        train, test = self.splits[k]
        return self.n_rows - len(test) if train is None else len(train)

    def _all_but(self, test: Array) -> Array:
        is_train = np.ones(self.n_rows, dtype=bool)
        is_train[test] = False
        return np.flatnonzero(is_train)


def read_splits(
    cv: Any, n_rows: int, X: Any = None, y: Any = None, groups: Any = None, estimator: Any = None
) -> Splits:
    """Run a splitter once.

    Parameters
    ----------
    cv : int, splitter, iterable of (train, test), or None
        As scikit-learn takes it: a number of folds, stratified for a classifier. `Splits` of as
        many rows are what they are.
    n_rows : int
        Rows of the table.
    X, y, groups : object, default=None
        What the splitter is given.
    estimator : object, default=None
        Whether it is a classifier matters to a number of folds.

    Raises
    ------
    SplitError
        No splits; no training or no test rows; rows that are not there; or rows in both parts.
    """
    if isinstance(cv, Splits) and cv.n_rows == n_rows:
        return cv
    if isinstance(cv, type):
        raise SplitError(f"cv is the class {cv.__name__}; pass one of it: cv={cv.__name__}(...).")
    given = np.empty((n_rows, 1)) if X is None else X
    is_classifying = estimator is not None and is_classifier(estimator)
    splits = list(_run(cv, n_rows, given, y, groups, is_classifying))
    if not splits:
        raise SplitError(
            f"cv gives no splits; got {cv!r}. Pass a number of folds, a splitter of scikit-learn's "
            "or a list of (train, test) row numbers."
        )
    return Splits(n_rows, splits)


def _run(
    cv: Any, n_rows: int, X: Any, y: Any, groups: Any, is_classifying: bool
) -> Iterator[Split]:
    """Run a splitter; no more than one list of training rows is there at a time."""
    try:
        if isinstance(cv, Iterable) and not isinstance(cv, str) and not hasattr(cv, "split"):
            parts, by_construction = cv, False
        else:
            splitter = check_cv(cv, y, classifier=is_classifying)
            parts = splitter.split(X, y, groups)
            by_construction = type(splitter) in TRAINS_ON_THE_REST
        for k, part in enumerate(parts):
            yield _read(k, *_pair(k, part), n_rows, by_construction)
    except SplitError:
        raise
    except (TypeError, ValueError) as error:
        reason = str(error).rstrip(". ")
        raise SplitError(f"{reason}. Given: cv={cv!r} and {n_rows} rows.") from error


def _pair(k: int, part: Any) -> tuple[Any, Any]:
    if not isinstance(part, (tuple, list, np.ndarray)) or len(part) != 2:
        raise SplitError(
            f"Split {k} must be a pair of row numbers, (train, test); got {reprlib.repr(part)}."
        )
    train, test = (sorted(rows) if isinstance(rows, Set) else rows for rows in part)
    return train, test


def _read(k: int, train: Any, test: Any, n_rows: int, by_construction: bool) -> Split:
    if by_construction and len(train) + len(test) == n_rows and len(train) and len(test):
        return Split(None, test)
    test = _rows(k, "test", test, n_rows)
    is_test = np.zeros(n_rows, dtype=bool)
    is_test[test] = True
    train = np.asarray(train)
    if train.dtype.kind in "iu" and train.shape == (n_rows - np.count_nonzero(is_test),):
        is_rest = np.array_equal(train, np.flatnonzero(~is_test))
        if is_rest and len(train) + len(test) == n_rows and len(train):
            return Split(None, test)
    train = _rows(k, "train", train, n_rows)
    in_both = train[is_test[train]]
    if len(in_both):
        raise SplitError(
            f"Split {k} has {len(np.unique(in_both))} row(s) in both its train and its test part, "
            f"among them row {in_both[0]}. What is tested on must not be learned from: leave "
            "these rows out of one of the two."
        )
    return Split(train, test)


def _rows(k: int, part: str, rows: Any, n_rows: int) -> Array:
    """Row numbers of one part of split k."""
    rows = np.asarray(rows)
    if rows.dtype == bool and rows.shape == (n_rows,):
        rows = np.flatnonzero(rows)
    if rows.size == 0:
        raise SplitError(
            f"Split {k} has no {part} rows. Every split needs at least one row to learn from and "
            "one to test on: use fewer splits or more rows."
        )
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise SplitError(
            f"The {part} part of split {k} must be a list of row numbers; got an array of shape "
            f"{rows.shape} and dtype {rows.dtype}. For instance: cv=[([0, 1, 2], [3, 4])]."
        )
    first, last = int(rows.min()), int(rows.max())
    if first < 0 or last >= n_rows:
        wrong = first if first < 0 else last
        raise SplitError(
            f"The {part} part of split {k} has row {wrong}, and there are rows 0 to {n_rows - 1}. "
            "Rows are counted from 0, never from the end. Was cv made for another table?"
        )
    return rows
