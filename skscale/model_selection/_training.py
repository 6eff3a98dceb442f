"""The training part of one split, on its way through the steps of a pipeline."""

from __future__ import annotations

from typing import Any, Protocol

from sklearn.utils.validation import has_fit_parameter

from skscale import _tables as tables
from skscale._admission import Occasion
from skscale._carrying import Carrier
from skscale._chains import is_chain, is_step, unfitted
from skscale._jobs import Computation
from skscale._kernels import Array
from skscale._splits import Splits
from skscale.errors import InfiniteValueError


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

    def statistic(self, kind: type, split: int) -> Any: ...


class TrainingPart:
    """The training part of one split: statistics of it, for as long as those do, and its rows.

    Parameters
    ----------
    shared : SharedFits
    split : int
    """

    def __init__(self, shared: Source, split: int) -> None:
        self._shared, self._split = shared, split
        self._carrier = Carrier(self)
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
        elif (yield from self._carrier.fit(estimator)):
            self._pending.append(estimator)
        else:
            self._fit_rows(estimator, goes_on)
            self._carrier.end()
        return estimator

    # What a chain asks for, which knows one part only -------------------------------------------

    @property
    def source(self) -> Any:
        return self._shared.source

    def occasion(self, n_features: int, is_sparse: bool) -> Occasion:
        return self._shared.occasion(self._split, n_features, is_sparse)

    def measured(self, kind: type) -> Any:
        return self._shared.statistic(kind, self._split)

    # Steps that want their rows -----------------------------------------------------------------

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
