"""Transformers are fitted on the training parts of splits, from statistics measured once.

What is measured, is measured of the rows as they are given. A chain of affine steps needs no more:
the statistic of standardized rows is that of the rows, mapped.
"""

from __future__ import annotations

import threading
from typing import Any

from skscale import _tables as tables
from skscale._admission import Occasion, check_weights, effective
from skscale._blas import single_threaded_blas
from skscale._carrying import NotCarried, foreseen
from skscale._chains import is_shareable, leading_steps
from skscale._jobs import compute, compute_all
from skscale._several import Unmeasured
from skscale._splits import Splits
from skscale._tables import Table
from skscale.errors import SampleWeightError
from skscale.model_selection._atoms import Pass, find_passes
from skscale.model_selection._lazy_pass import measure_lazily
from skscale.model_selection._measuring import Measured, measure_pass
from skscale.model_selection._training import TrainingPart
from skscale.statistics import Moments, Scatter, Triangle

SOLVING = 4
"""An eigendecomposition takes as long as to measure so many numbers, times the width cubed."""


class SharedFits:
    """Fits of transformers on the training parts of splits, sharing passes over the rows.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)
        All rows.
    y : array-like of shape (n_samples,), or None
        For steps that are fitted the ordinary way.
    splits : Splits
        Of the rows of `X`.
    sample_weight : array-like of shape (n_samples,), float or None, default=None
        For every step whose `fit` takes it.

    Notes
    -----
    Threads may share it. A copy that was pickled, for a worker process, has what was measured
    before and measures nothing.
    """

    def __init__(self, X: Any, y: Any, splits: Splits, sample_weight: Any = None) -> None:
        self.X, self.y, self.splits = X, y, splits
        tables.refuse_lazy(sample_weight, "sample_weight")
        self.weights = check_weights(sample_weight, splits.n_rows)
        self.passes: list[Pass] = find_passes(splits)
        self._place = {
            k: (i, j) for i, served in enumerate(self.passes) for j, k in enumerate(served.splits)
        }
        self._sizes = [self._size(k) for k in range(len(splits))]
        self._table = _open(X)
        self._measured: dict[tuple[type, int], Measured] = {}
        self._planned: set[type] = set()
        self.n_passes = 0
        self.ordinary: set[int] = set()
        self._lock: Any = threading.RLock()

    # What is asked for --------------------------------------------------------------------

    def shares(self, transformer: Any) -> bool:
        """Whether the first step of a transformer is solved from shared statistics."""
        step = next(leading_steps(transformer), None)
        return self._table is not None and step is not None and is_shareable(step)

    def prefetch(self, transformer: Any) -> None:
        """Measure what fits of a transformer will need, as far as that can be told.

        Without, `fit` measures one kind of statistic after the other, as it comes to need them.
        """
        kinds = self._foreseen(transformer)
        for i in range(len(self.passes)):
            self._measure(kinds, i)
        self._planned |= kinds

    def fit(self, transformer: Any, split: int) -> Any:
        """Fit a clone on the training part of a split.

        Parameters
        ----------
        transformer : estimator
            A transformer, or a pipeline.
        split : int
            Which.

        Returns
        -------
        fitted : estimator
            Like ``clone(transformer).fit(X[train], y[train])``, to rounding.
        """
        return compute(TrainingPart(self, split).fit(transformer))

    def fit_all(self, transformer: Any) -> list[Any]:
        """Fit a clone on the training part of every split."""
        self.prefetch(transformer)
        splits = list(range(len(self.splits)))
        steps = list(leading_steps(transformer))
        if self._table is None or not all(is_shareable(step) for step in steps):
            return [self.fit(transformer, split) for split in splits]
        is_long = not all(step._columnwise for step in steps)
        size = SOLVING * self._table.shape[1] ** 3 * len(splits) if is_long else 0
        with single_threaded_blas:
            fits = [TrainingPart(self, split).fit(transformer) for split in splits]
            return compute_all(fits, size)

    # What a training part asks for ----------------------------------------------------------

    @property
    def source(self) -> Any:
        """All rows, as they are measured; None if they cannot be."""
        return None if self._table is None else self._table.source

    def fits_rows(self, split: int) -> None:
        """Take note of a split in which a step is fitted the ordinary way."""
        self.ordinary.add(split)

    def occasion(self, split: int, n_features: int, is_sparse: bool) -> Occasion:
        """What a fit on the training part of a split knows before it measures."""
        n_rows, n_effective = self._sizes[split]
        return Occasion(n_rows, n_features, n_effective, None, is_sparse)

    def statistic(self, kind: type, split: int) -> Any:
        """Statistic of a training part.

        Raises
        ------
        NotCarried
            If it has none: there is a missing value, or no row.
        """
        found = self._known(kind, split)
        if found is None:
            self._measure({kind}, self._place[split][0])
            found = self._known(kind, split)
        if found is None or isinstance(found, Unmeasured) or found.total == 0:
            raise NotCarried
        return found

    # Statistics of the rows as they were given ------------------------------------------------

    def _known(self, kind: type, split: int) -> Any:
        """Statistic of a training part if it was measured, or follows from one that was.

        Which one it follows from is a matter of what was planned and of the training rows. What
        has been measured since may be so because of other splits, of which these held-out rows are
        training rows.
        """
        i, j = self._place[split]
        finer = {Scatter, Triangle} & self._planned if kind is Moments else set()
        if finer:
            measured = self._measured[Scatter if Scatter in finer else Triangle, i]
            found = measured.statistics[j]
            # A matrix does not know whether a spread below that of floats is one of integers.
            if not measured.is_wide[j] and not isinstance(found, Unmeasured):
                return found.moments()
        known = self._measured.get((kind, i))
        return None if known is None else known.statistics[j]

    def _measure(self, kinds: set[type], i: int) -> None:
        """Measure the kinds that are not known yet in one pass over the rows."""
        if self._lock is None or self._table is None:
            return
        with self._lock:
            new = {kind for kind in kinds if (kind, i) not in self._measured}
            if new:
                if tables.is_lazy(self.X):
                    lazy = tables.open_lazy(self.X)
                    found = measure_lazily(lazy, self.weights, self.passes[i], new)
                else:
                    found = measure_pass(self._table, self.weights, self.passes[i], new)
                self.n_passes += 1
                self._measured.update({(kind, i): found[kind] for kind in new})

    def _foreseen(self, transformer: Any) -> set[type]:
        """Kinds of statistics of the rows as given that the leading steps will ask for."""
        table, sizes = self._table, self._sizes
        if table is None:
            return set()
        # What is measured may depend on the number of rows, and changes at one number of them.
        ends = {sizes.index(min(sizes)), sizes.index(max(sizes))}
        occasions = [self.occasion(split, table.shape[1], table.is_sparse) for split in ends]
        return foreseen(leading_steps(transformer), table, occasions)

    def _size(self, split: int) -> tuple[int, float]:
        """Number of training rows, and how many they count for."""
        if self.weights is None:
            n_rows = self.splits.n_train(split)
            return n_rows, float(n_rows)
        train, _ = self.splits[split]
        try:
            return len(train), effective(self.weights[train], len(train))
        except SampleWeightError as error:
            error.add_note(f"These are the {len(train)} training rows of split {split}.")
            raise

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_lock": None, "_table": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _table=_open(state["X"]))


def _open(X: Any) -> Table | None:
    """All rows as a table, if they are one of numbers; of lazy ones, a sample."""
    X = tables.sample_of(X)
    plain = tables.read_plain(X)
    if plain is not None:
        return plain
    try:
        return tables.read(X, accept_sparse=("csr", "csc"))
    except (TypeError, ValueError):
        return None
