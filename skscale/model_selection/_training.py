"""The training part of one split, on its way through the steps of a pipeline."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from skscale import _tables as tables
from skscale._admission import Occasion
from skscale._base import StatisticTransformer
from skscale._callbacks import has_callbacks
from skscale._jobs import Computation
from skscale._kernels import Array
from skscale._opening import open_table
from skscale._provenance import MEMORY
from skscale._splits import Splits
from skscale.errors import InfiniteValueError
from skscale.statistics import Scatter, Triangle
from skscale.statistics._affine import AffineMap

OURS = f"{__name__.partition('.')[0]}."
"""How the names of this package's modules begin."""


IMMUTABLE = {bool, float, int, str, type(None)}
"""Parameters of these types may be had by several estimators."""


class NotCarried(Exception):
    """A statistic that cannot be had from those of the rows as they were given."""


class Source(Protocol):
    """What a training part asks of those who share it."""

    X: Any
    y: Any
    splits: Splits
    weights: Array | None

    @property
    def source(self) -> Any: ...

    def fits_rows(self, split: int) -> None: ...

    def occasion(self, split: int, n_features: int, is_sparse: bool) -> Occasion: ...

    def statistic(
        self, kind: type, split: int, maps: tuple[AffineMap, ...], of_matrices: type
    ) -> Any: ...


class Columns(NamedTuple):
    """What a step learns about its columns before it learns from the rows."""

    n_features: int
    names: Array | None
    dtype: np.dtype[Any]

    def after(self, step: StatisticTransformer) -> Columns:
        """Columns of what a step makes of rows."""
        is_widened = not step._columnwise and self.dtype == np.float16
        is_frame = tables.output_kind(step) != "default"
        return Columns(
            step._width_out(),
            step.get_feature_names_out() if is_frame else None,
            np.dtype(np.float64) if is_widened else self.dtype,
        )


class TrainingPart:
    """The training part of one split: statistics of it, for as long as those do, and its rows.

    Parameters
    ----------
    shared : SharedFits
    split : int
    """

    def __init__(self, shared: Source, split: int) -> None:
        self._shared, self._split = shared, split
        self._maps: tuple[AffineMap, ...] | None = ()
        if shared.source is None:
            self._maps = None
        self._columns: Columns | None = None  # of the rows once they are mapped
        self._of_matrices: type = Scatter  # the last such statistic that was asked for
        self._rows: Any = None
        self._pending: list[Any] = []  # steps that the rows have not gone through yet

    def fit(self, estimator: Any) -> Computation[Any]:
        """Fit a clone of a step, or of a pipeline of them."""
        return self._fit(unfitted(estimator), goes_on=False)

    def _fit(self, estimator: Any, goes_on: bool) -> Computation[Any]:
        """Fit a step, or the steps of a pipeline, that nobody else has."""
        if is_chain(estimator):
            *earlier, last = [step for _, step in estimator.steps]
            for step in filter(is_step, earlier):
                yield from self._fit(step, True)
            if is_step(last):
                yield from self._fit(last, goes_on)
        elif (yield from self._fit_statistic(estimator)):
            self._pending.append(estimator)
        else:
            self._fit_rows(estimator, goes_on)
            self._maps = None
        return estimator

    def _fit_statistic(self, step: Any) -> Computation[bool]:
        """Fit a step on a statistic of the part, unless that cannot be had."""
        maps = self._maps
        if maps is None or not is_shareable(step):
            return False
        draft, is_sparse = step._draft(keep=False), False
        draft._check_parameters()
        if self._columns is None:
            try:
                table = open_table(draft, self._shared.source, reset=True)
            except (TypeError, ValueError):
                return False  # a fit of the rows knows better what is wrong
            is_sparse = table.is_sparse
            columns = Columns(table.shape[1], None, table.dtype)
        else:
            columns = self._columns
            draft.n_features_in_ = columns.n_features
            if columns.names is not None:
                draft.feature_names_in_ = columns.names
        draft._dtype_ = columns.dtype
        try:
            yield from draft._learn_from(
                self._shared.occasion(self._split, columns.n_features, is_sparse),
                lambda: self._statistic(draft._kind(), maps),
            )
        except NotCarried:
            return False
        by = None if is_sparse else draft._affine_map()
        self._maps = None if by is None else (*maps, by)
        self._columns = columns.after(draft)
        step._become(draft)
        return True

    def _statistic(self, kind: type, maps: tuple[AffineMap, ...]) -> Any:
        if kind in (Scatter, Triangle):
            self._of_matrices = kind
        return self._shared.statistic(kind, self._split, maps, self._of_matrices)

    def _fit_rows(self, step: Any, goes_on: bool) -> None:
        """Fit a step the ordinary way, on the rows that come to it; they may go on to others."""
        train, _ = self._shared.splits[self._split]
        self._shared.fits_rows(self._split)
        if self._rows is None:
            self._rows = tables.take_rows(self._shared.X, train)
        for earlier in self._pending:
            self._rows = earlier.transform(self._rows)
        self._pending = []
        y, weights = self._shared.y, self._shared.weights
        labels = None if y is None else tables.take_rows(y, train)
        params = {}
        if weights is not None and has_fit_parameter(step, "sample_weight"):
            params["sample_weight"] = weights[train]
        try:
            # What `fit_transform` makes of training rows need not be what `transform` does.
            if goes_on and hasattr(step, "fit_transform"):
                self._rows = step.fit_transform(self._rows, labels, **params)
            else:
                step.fit(self._rows, labels, **params)
                self._rows = step.transform(self._rows) if goes_on else None
        except Exception as error:
            note = f"These are the {len(train)} training rows of split {self._split}."
            if isinstance(error, InfiniteValueError) and 0 <= error.row < len(train):
                note += f" Row {error.row} of them is row {train[error.row]} of the table."
            error.add_note(note)
            raise


def unfitted(estimator: Any) -> Any:
    """A clone; of what is ours, without asking for the names of all parameters."""
    if is_chain(estimator):
        chain = Pipeline.__new__(Pipeline)
        steps = [
            (name, unfitted(step) if is_step(step) else step) for name, step in estimator.steps
        ]
        chain.__dict__ = {**vars(estimator), "steps": steps}
        return chain
    if not is_shareable(estimator):
        return clone(estimator)
    twin = estimator._draft(keep=False)
    for name, value in vars(twin).items():
        if type(value) not in IMMUTABLE:
            vars(twin)[name] = copy.deepcopy(value)
    return twin


def leading_steps(transformer: Any) -> Iterator[Any]:
    """Steps of a pipeline, and of pipelines in it; a transformer is its only step."""
    if not is_chain(transformer):
        yield transformer
        return
    for _, step in transformer.steps:
        if is_step(step):
            yield from leading_steps(step)


def is_chain(estimator: Any) -> bool:
    """Whether an estimator is its steps, and nobody is to be told of its own fit.

    A class derived from Pipeline may do in `fit` whatever it likes.
    """
    return type(estimator) is Pipeline and bool(estimator.steps) and not has_callbacks(estimator)


def is_step(step: Any) -> bool:
    """Whether a step of a pipeline does anything: not None, nor "passthrough"."""
    return step is not None and not isinstance(step, str)


def is_shareable(step: Any) -> bool:
    """Whether a step is solved from what its kind of statistic measures of any rows.

    One that measures in a way of its own, by the batch, needs its rows together; one with
    callbacks, or that is to remember its rows, is to be shown them. A class that somebody derived
    from ours may do in `fit` whatever it likes.
    """
    ours = isinstance(step, StatisticTransformer) and type(step).__module__.startswith(OURS)
    plain = ours and type(step)._measure is StatisticTransformer._measure
    return plain and not has_callbacks(step) and MEMORY.get() is None
