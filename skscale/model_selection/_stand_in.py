"""What scikit-learn's own loops are run with: a Pipeline fitted in part elsewhere, fixed splits.

`cross_validate` and the searches are scikit-learn's; nothing of them is written again. They are
given a Pipeline that becomes an ordinary one as soon as it is fitted, so that no scorer and no
caller ever meets another.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, Self

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from skscale._kernels import Array
from skscale._splits import Splits

ROWS = "_rows"
"""A parameter of `fit`, the numbers of all rows, which scikit-learn cuts as it cuts X."""


class Ahead(Protocol):
    """Fits steps of a Pipeline ahead of its own fit."""

    def fitted(self, pipeline: Pipeline, rows: Array | None) -> Mapping[str, Any]:
        """Fitted steps by name, for a fit on these rows; what is not there the Pipeline fits."""
        ...

    def prefetch(self, pipeline: Pipeline) -> None:
        """Do now what later fits will need, in whatever process."""
        ...


class StandIn(Pipeline):
    """A Pipeline whose first steps are fitted elsewhere; once fitted, it is a plain Pipeline.

    Made by `of`. Clones, which are what is fitted, take from the same place.
    """

    steps: list[tuple[str, Any]]
    _ahead: Ahead

    @classmethod
    def of(cls, pipeline: Pipeline, ahead: Ahead) -> Self:
        """Stand in for a Pipeline, which stays as it is."""
        stand_in = copy.copy(pipeline)
        stand_in.__class__ = cls
        stand_in._ahead = ahead
        return stand_in

    def __sklearn_clone__(self) -> Self:
        twin: Self = super().__sklearn_clone__()
        twin._ahead = self._ahead
        return twin

    def prefetch(self) -> None:
        """Do now what fits of clones will need, in whatever process."""
        self._ahead.prefetch(self)

    def retire(self) -> Ahead:
        """Become a plain Pipeline."""
        ahead = self._ahead
        del self._ahead
        self.__class__ = Pipeline
        return ahead

    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Fit what is not fitted elsewhere."""
        rows = params.pop(ROWS, None)
        fitted = self.retire().fitted(self, rows)
        self.steps = [
            (name, FrozenEstimator(fitted[name]) if name in fitted else step)
            for name, step in self.steps
        ]
        try:
            # A frozen step only transforms: what is validated, logged and cached by the Pipeline is
            # what it would be.
            self.fit(X, y, **params)
        finally:
            self.steps = [(name, fitted.get(name, step)) for name, step in self.steps]
        return self


class Replay:
    """A splitter that gives the splits it was given.

    Parameters
    ----------
    splits : Splits
        Of the rows that it will be asked to split.
    """

    def __init__(self, splits: Splits) -> None:
        self.splits = splits

    def split(self, X: Any = None, y: Any = None, groups: Any = None) -> Iterator[Any]:
        """The splits, in their order."""
        return iter(self.splits)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """How many there are."""
        return len(self.splits)
