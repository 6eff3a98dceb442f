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

from skscale._callbacks import has_callbacks
from skscale._diagrams import API_PAGE
from skscale._splits import read_splits
from skscale.model_selection._by_split import routes, share
from skscale.model_selection._cross_fit import n_samples
from skscale.model_selection._stand_in import ROWS, Replay, StandIn


class SharingSearch(ABC):
    """The `fit` of a search of scikit-learn's, with candidates fitted from shared statistics."""

    estimator: Any
    cv: Any
    _doc_link_module = "skscale"
    _doc_link_template = API_PAGE.format(name="{estimator_module}.{estimator_name}")

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
            super().fit(X, y, **params)  # type: ignore[misc]  # of the search beside
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
        splits = read_splits(self.cv, n_samples(X), X, y, groups, self.estimator)
        self.cv = Replay(splits)
        if has_callbacks(self):
            return {}
        self.estimator = share(self.estimator, X, y, splits, params)
        return {ROWS: np.arange(splits.n_rows)} if isinstance(self.estimator, StandIn) else {}

    def _run_search(
        self, evaluate_candidates: Callable[..., Any], *, callback_ctx: Any = None
    ) -> None:
        """Run the search, after measuring what its candidates will need."""

        def evaluate(candidates: Iterable[dict[str, Any]], *args: Any, **kwargs: Any) -> Any:
            candidates = list(candidates)
            if isinstance(self.estimator, StandIn):
                for candidate in candidates:
                    twin = clone(self.estimator)
                    twin.set_params(**clone(candidate, safe=False)).prefetch()
            return evaluate_candidates(candidates, *args, **kwargs)

        # scikit-learn before 1.9 has no callbacks, and no context of theirs.
        context = {} if callback_ctx is None else {"callback_ctx": callback_ctx}
        super()._run_search(evaluate, **context)  # type: ignore[misc]  # as above


@final
class GridSearchCV(SharingSearch, SklearnGridSearchCV):
    """Try every combination of parameters; no candidate measures again what another one has.

    A scikit-learn `GridSearchCV`, with the same parameters, attributes and, to rounding, scores.

    Parameters
    ----------
    estimator : estimator
        What to fit. A :class:`~sklearn.pipeline.Pipeline` that starts with transformers of this
        package shares what they measure; anything else is searched the ordinary way.
    param_grid : dict of str to sequence, or list of such
        Values to try of each parameter, in all combinations.
    scoring : str, callable, list, tuple or dict, default=None
        One metric or several; the estimator's own `score` if None.
    n_jobs : int, default=None
        Number of fits to work on at once, in processes of their own.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate on all rows; the metric, or a function of `cv_results_`,
        by which it is the best.
    cv : int, splitter or iterable of (train, test), default=None
        How to split: a number of folds, stratified for a classifier; 5 if None. It is run once.
    verbose : int, default=0
        How much to print.
    pre_dispatch : int or str, default="2*n_jobs"
        How many fits to hand to the processes ahead of time.
    error_score : float or "raise", default=nan
        The score where a fit fails, after a warning; "raise" for the error itself.
    return_train_score : bool, default=False
        Whether to score the training rows too.

    Attributes
    ----------
    cv_results_ : dict of ndarrays
        Parameters, scores and times of every candidate.
    best_estimator_ : estimator
        The best candidate, fitted on all rows, if `refit`.
    best_score_ : float
        Its mean score on the test rows.
    best_params_ : dict
        Its parameters.
    best_index_ : int
        Its place in `cv_results_`.
    scorer_ : callable or dict
        What scored.
    n_splits_ : int
        Number of splits.
    refit_time_ : float
        Seconds that the last fit took, if `refit`.
    multimetric_ : bool
        Whether there were several metrics.
    classes_ : ndarray of shape (n_classes,)
        Labels, of a classifier that was refitted.
    n_features_in_ : int
        Number of columns, if `refit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if all are strings and `refit`.

    Notes
    -----
    Steps share as in :func:`cross_validate`. What a candidate changes after the statistic
    (`n_components`, `whiten`, `feature_range`, a parameter of the model) measures nothing again; a
    candidate that needs another statistic measures it once for all splits. Rows are transformed,
    and the model is fitted, for every candidate and split. The last fit, on all rows, is an
    ordinary one.

    See Also
    --------
    skscale.model_selection.RandomizedSearchCV : Candidates drawn at random.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from skscale import PCA, StandardScaler
    >>> from skscale.model_selection import GridSearchCV
    >>> X, y = load_wine(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), PCA(), SVC())
    >>> search = GridSearchCV(model, {"pca__n_components": [1, 2, 4], "svc__C": [0.1, 1]})
    >>> search.fit(X, y).best_params_
    {'pca__n_components': 2, 'svc__C': 1}

    A split that tests on what was learned from is refused, and the search stays as it was:

    >>> search.set_params(cv=[(range(100), range(90, 178))]).fit(X, y)
    Traceback (most recent call last):
    skscale.errors.SplitError: Split 0 has 10 row(s) in both its train and its test part, ...
    >>> search.best_params_
    {'pca__n_components': 2, 'svc__C': 1}
    """


@final
class RandomizedSearchCV(SharingSearch, SklearnRandomizedSearchCV):
    """Try parameters drawn at random; no candidate measures again what another one has.

    A scikit-learn `RandomizedSearchCV`, with the same parameters, attributes, candidates and, to
    rounding, scores.

    Parameters
    ----------
    estimator : estimator
        What to fit. A :class:`~sklearn.pipeline.Pipeline` that starts with transformers of this
        package shares what they measure; anything else is searched the ordinary way.
    param_distributions : dict of str to distribution or sequence, or list of such
        What to draw each parameter from: anything with `rvs`, or a list.
    n_iter : int, default=10
        Number of candidates.
    scoring : str, callable, list, tuple or dict, default=None
        One metric or several; the estimator's own `score` if None.
    n_jobs : int, default=None
        Number of fits to work on at once, in processes of their own.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate on all rows; the metric, or a function of `cv_results_`,
        by which it is the best.
    cv : int, splitter or iterable of (train, test), default=None
        How to split: a number of folds, stratified for a classifier; 5 if None. It is run once.
    verbose : int, default=0
        How much to print.
    pre_dispatch : int or str, default="2*n_jobs"
        How many fits to hand to the processes ahead of time.
    random_state : int or RandomState, default=None
        Seed of the draws.
    error_score : float or "raise", default=nan
        The score where a fit fails, after a warning; "raise" for the error itself.
    return_train_score : bool, default=False
        Whether to score the training rows too.

    Attributes
    ----------
    cv_results_ : dict of ndarrays
        Parameters, scores and times of every candidate.
    best_estimator_ : estimator
        The best candidate, fitted on all rows, if `refit`.
    best_score_ : float
        Its mean score on the test rows.
    best_params_ : dict
        Its parameters.
    best_index_ : int
        Its place in `cv_results_`.
    scorer_ : callable or dict
        What scored.
    n_splits_ : int
        Number of splits.
    refit_time_ : float
        Seconds that the last fit took, if `refit`.
    multimetric_ : bool
        Whether there were several metrics.
    classes_ : ndarray of shape (n_classes,)
        Labels, of a classifier that was refitted.
    n_features_in_ : int
        Number of columns, if `refit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if all are strings and `refit`.

    Notes
    -----
    Steps share as in :func:`cross_validate`. What a candidate changes after the statistic
    (`n_components`, `whiten`, `feature_range`, a parameter of the model) measures nothing again; a
    candidate that needs another statistic measures it once for all splits. Rows are transformed,
    and the model is fitted, for every candidate and split. The last fit, on all rows, is an
    ordinary one.

    See Also
    --------
    skscale.model_selection.GridSearchCV : All combinations.

    Examples
    --------
    >>> from scipy.stats import randint
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from skscale import PCA, StandardScaler
    >>> from skscale.model_selection import RandomizedSearchCV
    >>> X, y = load_wine(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), PCA(), SVC())
    >>> drawn = {"pca__n_components": randint(1, 9)}
    >>> search = RandomizedSearchCV(model, drawn, n_iter=4, random_state=0).fit(X, y)
    >>> len(search.cv_results_["params"])
    4
    """


def _is_learned(name: str) -> bool:
    return name.endswith("_")
