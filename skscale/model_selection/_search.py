"""Parameter searches in which no candidate measures again what another one has measured."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterable
from typing import Any, Self, final

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV as SklearnGridSearchCV
from sklearn.model_selection import RandomizedSearchCV as SklearnRandomizedSearchCV
from sklearn.utils import indexable

from skscale._splits import read_splits
from skscale.model_selection._by_split import has_workers, number_of_rows, routes, share
from skscale.model_selection._stand_in import ROWS, Replay, StandIn


class SharingSearch(ABC):
    """The `fit` of a search of scikit-learn's, with candidates fitted from shared statistics."""

    estimator: Any
    cv: Any
    n_jobs: int | None

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Try all candidates on all splits, then fit the best one on all rows.

        Parameters
        ----------
        X : array-like, sparse array or frame of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            What is to be predicted.
        **params : dict of str to object
            As for scikit-learn's search: `groups` for the splitter, the rest for the `fit` of the
            estimator, cut as `X` is if it has one entry per row.

        Returns
        -------
        self : object
            The fitted search. If `fit` raises, it is as it was before.

        Raises
        ------
        SplitError
            A split without training or test rows, with rows that are not there, or with rows in
            both parts.
        """
        before = vars(self)
        own = {name: value for name, value in before.items() if not _is_learned(name)}
        self.__dict__ = dict(own)
        try:
            if not routes(params) and hasattr(self.estimator, "fit"):
                params |= self._share(X, y, params)
            super().fit(X, y, **params)  # type: ignore[misc]
        except BaseException:
            self.__dict__ = before
            raise
        if isinstance(self.estimator, StandIn):  # a scorer may hold on to it
            self.estimator.retire()
        learned = {name: value for name, value in vars(self).items() if _is_learned(name)}
        self.__dict__ = own | learned
        return self

    def _share(self, X: Any, y: Any, params: dict[str, Any]) -> dict[str, Any]:
        """Make the splits, let candidates share, and say what `fit` must be given for that."""
        X, y, groups = indexable(X, y, params.get("groups"))
        splits = read_splits(self.cv, number_of_rows(X), X, y, groups, self.estimator)
        self.cv = Replay(splits)
        if hasattr(self, "_skl_callbacks"):
            return {}
        of_fit = {name: value for name, value in params.items() if name != "groups"}
        self.estimator = share(self.estimator, X, y, splits, of_fit)
        return {ROWS: np.arange(splits.n_rows)} if isinstance(self.estimator, StandIn) else {}

    def _run_search(
        self, evaluate_candidates: Callable[..., Any], *, callback_ctx: Any = None
    ) -> None:
        """Run the search, measuring for its candidates before other processes are started."""

        def evaluate(candidates: Iterable[dict[str, Any]], *args: Any, **kwargs: Any) -> Any:
            candidates = list(candidates)
            if isinstance(self.estimator, StandIn) and has_workers(self.n_jobs):
                for candidate in candidates:
                    twin = clone(self.estimator)
                    twin.set_params(**clone(candidate, safe=False)).prefetch()
            return evaluate_candidates(candidates, *args, **kwargs)

        # scikit-learn before 1.9 has no callbacks, and no context of theirs.
        context = {} if callback_ctx is None else {"callback_ctx": callback_ctx}
        super()._run_search(evaluate, **context)  # type: ignore[misc]


@final
class GridSearchCV(SharingSearch, SklearnGridSearchCV):
    """TODO."""


@final
class RandomizedSearchCV(SharingSearch, SklearnRandomizedSearchCV):
    """TODO."""


def _is_learned(name: str) -> bool:
    return name.endswith("_")
