"""One fitted transformer per split, from one pass over the rows."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import Any, overload

from skscale import _tables as tables
from skscale._kernels import Array
from skscale._splits import Splits, read_splits
from skscale._words import counted
from skscale.errors import InvalidParameterError
from skscale.model_selection._sharing import SharedFits

SHOWN = 10
"""Folds in a table in a notebook."""


def cross_fit(
    transformer: Any,
    X: Any,
    y: Any = None,
    *,
    cv: Any,
    groups: Any = None,
    sample_weight: Any = None,
) -> CrossFit:
    """Fit a transformer on the training part of every split, from one pass over the rows.

    Rows that are in the training parts of the same splits are measured together, once; the
    statistic of a training part is the merge of theirs. No held-out row enters it, not even
    through rounding: nothing is subtracted.

    Parameters
    ----------
    transformer : estimator
        A transformer or a pipeline of them, which is cloned. A chain of StandardScaler,
        MinMaxScaler (without clip), PCA and Whitener is solved from statistics of the rows as
        given. Any other step, and what comes after it, is fitted the ordinary way on the
        training rows; a model at the end of a pipeline, too.
    X : array-like, sparse array, frame or Dask array of shape (n_samples, n_features)
        All rows. Those of a Dask array, which must know its chunk sizes, are measured chunk by
        chunk, in one computation for every pass.
    y : array-like of shape (n_samples,), default=None
        For the splitter, and for steps that are fitted the ordinary way.
    cv : int, splitter or iterable of (train, test)
        As in scikit-learn's `cross_validate`.
    groups : array-like of shape (n_samples,), default=None
        For the splitter.
    sample_weight : array-like of shape (n_samples,) or float, default=None
        Non-negative; for every step whose `fit` takes it.

    Returns
    -------
    folds : CrossFit
        A sequence of folds, each with `transformer`, `train` and `test`.

    Raises
    ------
    SplitError
        If `cv` gives no splits, no training or test rows, rows that are not there, or rows that
        are in both parts.
    ValueError, TypeError
        What the fit of a training part raises.

    Notes
    -----
    Fitted attributes are those of a fit on the training rows, to rounding. Of float32 rows, later
    steps of a chain do not see the rounding to float32 between the steps.

    Splits are served by one pass over the rows for as long as their training parts overlap in few
    ways: K folds, T splits of a time series. Of random splits, three go into a pass, and of
    leave-one-out as many as leave 16 rows for each. `repr` tells how many passes there were, and
    in how many folds a step was fitted the ordinary way. Steps that are follow each other as in a
    pipeline, by `fit_transform` where they have it. The `memory` and `verbose` of a pipeline
    have no part in it.

    Cost: that of `fit` on all rows for every pass (one more for PCA and Whitener if they need a
    finer statistic), and 3 merges and one solution per split. Memory: one statistic per split.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skscale import PCA, StandardScaler
    >>> from skscale.model_selection import cross_fit
    >>> rows = np.random.default_rng(0).normal(size=(100, 3))
    >>> folds = cross_fit(make_pipeline(StandardScaler(), PCA()), rows, cv=5)
    >>> folds
    <5 folds of 100 rows, fitted in 1 pass>
    >>> scaler, pca = folds[0].transformer
    >>> bool(np.allclose(scaler.mean_, rows[20:].mean(axis=0)))
    True

    A fold unpacks like a tuple, and held-out rows are transformed by what was learned without
    them:

    >>> for fitted, train, test in folds:
    ...     held_out = fitted.transform(rows[test])

    Splits of a time series, groups and weights:

    >>> from sklearn.model_selection import LeaveOneGroupOut, TimeSeriesSplit
    >>> [len(fold.train) for fold in cross_fit(StandardScaler(), rows, cv=TimeSeriesSplit(3))]
    [25, 50, 75]
    >>> day = np.arange(100) // 25
    >>> cross_fit(StandardScaler(), rows, cv=LeaveOneGroupOut(), groups=day, sample_weight=1 + day)
    <4 folds of 100 rows, fitted in 1 pass>
    """
    if not hasattr(transformer, "fit"):
        raise InvalidParameterError(
            f"transformer must be something that can be fitted; got {transformer!r}. For instance: "
            "cross_fit(StandardScaler(), X, cv=5)."
        )
    rows = None if tables.is_lazy(X) else X
    splits = read_splits(cv, n_samples(X), rows, y, groups, transformer)
    shared = SharedFits(X, y, splits, sample_weight)
    folds = [Fold(fitted, splits, k) for k, fitted in enumerate(shared.fit_all(transformer))]
    return CrossFit(folds, splits.n_rows, shared.n_passes, len(shared.ordinary))


class Fold:
    """One fitted transformer, and the rows that it learned from and did not.

    Attributes
    ----------
    transformer : estimator
        Fitted on the training rows.
    train, test : integer arrays
        Row numbers. Those of training rows are listed when asked for.
    """

    def __init__(self, transformer: Any, splits: Splits, k: int) -> None:
        self.transformer = transformer
        self._splits, self._k = splits, k

    @property
    def train(self) -> Array:
        train: Array = self._splits[self._k][0].copy()
        return train

    @property
    def test(self) -> Array:
        test: Array = self._splits.splits[self._k].test.copy()
        return test

    def __iter__(self) -> Iterator[Any]:
        return iter((self.transformer, self.train, self.test))

    def __repr__(self) -> str:
        k, n_train, n_test, learned = self._told()
        return f"<fold {k}: {n_train} rows to train, {n_test} to test: {learned}>"

    def _told(self) -> tuple[int, int, int, str]:
        """Its number, its rows to train and to test, and what was learned, in one line."""
        learned = " ".join(repr(self.transformer).split())
        n_test = len(self._splits.splits[self._k].test)
        return self._k, self._splits.n_train(self._k), n_test, learned


class CrossFit(Sequence[Fold]):
    """Folds, each with its fitted transformer.

    Parameters
    ----------
    folds : list of Fold
    n_rows : int
        Rows of the table.
    n_passes : int
        How often all rows were measured, for all folds together.
    n_ordinary : int
        Folds with a step that was fitted the ordinary way, on its training rows.
    """

    def __init__(self, folds: list[Fold], n_rows: int, n_passes: int, n_ordinary: int) -> None:
        self._folds = folds
        self.n_rows = n_rows
        self.n_passes = n_passes
        self.n_ordinary = n_ordinary

    def __len__(self) -> int:
        return len(self._folds)

    @overload
    def __getitem__(self, k: int) -> Fold: ...

    @overload
    def __getitem__(self, k: slice) -> list[Fold]: ...

    def __getitem__(self, k: int | slice) -> Fold | list[Fold]:
        return self._folds[k]

    def __repr__(self) -> str:
        ways = []
        if self.n_passes:
            passes = "1 pass" if self.n_passes == 1 else f"{self.n_passes} passes"
            ways.append(f"fitted in {passes}")
        if self.n_ordinary:
            ways.append(f"{self.n_ordinary} of them fitted the ordinary way")
        return f"<{counted(len(self), 'fold')} of {self.n_rows} rows, {' and '.join(ways)}>"

    def _repr_html_(self) -> str:
        heads = ("fold", "rows to train", "rows to test", "fitted")
        rows = [fold._told() for fold in self._folds[:SHOWN]]
        more = len(self) - len(rows)
        return (
            f"<div><strong>{html.escape(repr(self)[1:-1])}</strong>"
            f"<table><thead>{_row(heads, 'th')}</thead>"
            f"<tbody>{''.join(_row(row, 'td') for row in rows)}</tbody></table>"
            f"{f'<p>and {more} more</p>' if more else ''}</div>"
        )


def _row(cells: Sequence[object], tag: str) -> str:
    """A row of a table in HTML."""
    return "<tr>" + "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"


def n_samples(X: Any) -> int:
    """Number of rows of anything that has rows.

    Raises
    ------
    InvalidParameterError
        Of anything else, and of a Dask collection that does not know it.
    """
    if tables.is_lazy(X):
        n_rows = tables.open_lazy(X).n_rows
        if n_rows is None:
            raise InvalidParameterError(
                f"X is a Dask {type(X).__name__}, and it is not known how many rows each chunk "
                f"has, so none can be held out. {tables.CHUNKS_UNKNOWN}"
            )
        return n_rows
    try:
        return tables.count_rows(X)
    except (TypeError, IndexError):
        raise InvalidParameterError(
            f"X must be a table of rows and columns; got {type(X).__name__}."
        ) from None
