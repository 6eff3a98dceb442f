"""Cross-validation, with what the folds have in common measured once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from sklearn.model_selection import cross_validate as sklearn_cross_validate
from sklearn.pipeline import Pipeline
from sklearn.utils import indexable

from skscale._splits import Splits, read_splits
from skscale.errors import InvalidParameterError
from skscale.model_selection._by_split import routes, share
from skscale.model_selection._cross_fit import n_samples
from skscale.model_selection._leakage_report import LeakageReport
from skscale.model_selection._leaky import FittedBefore, ScoreGap
from skscale.model_selection._stand_in import ROWS, Replay, StandIn


def cross_validate(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    groups: Any = None,
    scoring: Any = None,
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    params: Mapping[str, Any] | None = None,
    pre_dispatch: int | str = "2*n_jobs",
    return_train_score: bool = False,
    return_estimator: bool = False,
    return_indices: bool = False,
    error_score: float | str = np.nan,
    return_leakage: bool = False,
    compare_leaky: bool = False,
) -> dict[str, Any]:
    """Score an estimator on every split; what training rows have in common is measured once.

    Same splits and, to rounding, same scores as scikit-learn's function of this name, which does
    the work. Of a :class:`~sklearn.pipeline.Pipeline`, the first steps that are transformers of
    this package are fitted from statistics that all splits share; everything else is fitted the
    ordinary way.

    Parameters
    ----------
    estimator : estimator
        What to fit and score. It is cloned, and not changed.
    X : array-like, sparse array or frame of shape (n_samples, n_features)
        The rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        What is to be predicted.
    groups : array-like of shape (n_samples,), default=None
        Groups of rows, for splitters that keep them together.
    scoring : str, callable, list, tuple or dict, default=None
        One metric or several, as scikit-learn takes them; the estimator's own `score` if None.
    cv : int, splitter or iterable of (train, test), default=None
        How to split: a number of folds, stratified for a classifier; 5 if None. It is run once.
    n_jobs : int, default=None
        Number of splits to work on at once, in processes of their own.
    verbose : int, default=0
        How much to print.
    params : dict of str to object, default=None
        Parameters of `fit`: ``step__sample_weight`` and the like. What has one entry per row is cut
        as `X` is.
    pre_dispatch : int or str, default="2*n_jobs"
        How many splits to hand to the processes ahead of time.
    return_train_score : bool, default=False
        Whether to score the training rows too.
    return_estimator : bool, default=False
        Whether to give back the estimators that were fitted.
    return_indices : bool, default=False
        Whether to give back the splits.
    error_score : float or "raise", default=nan
        The score where a fit fails, after a warning; "raise" for the error itself.
    return_leakage : bool, default=False
        Whether to look for leaks as well: with :func:`~skscale.leakage.audit` in the estimator, on
        these splits; with :func:`~skscale.leakage.check_prescaled` in `X`; and with
        :func:`~skscale.leakage.check_split` in each split, `groups` included.
    compare_leaky : bool, default=False
        Whether to score, on the same splits, the same Pipeline with its transformers fitted on all
        rows before the split: the mistake that `cross_validate` is there to prevent.

    Returns
    -------
    scores : dict
        Arrays of shape (n_splits,): ``fit_time``, ``score_time``, ``test_score`` and, where asked
        for, ``train_score``; with several metrics, ``test_<name>`` and ``train_<name>``. Where
        asked for, ``estimator`` (a list), ``indices`` (a dict of ``train`` and ``test``) and

        - ``leakage``: a :class:`LeakageReport`, with ``ok`` and ``findings``.
        - ``leaky_test_score`` (``leaky_test_<name>``): an array of shape (n_splits,), and
        - ``leaky_gap_score`` (``leaky_gap_<name>``): a :class:`ScoreGap`, leaky minus honest, with
          its confidence interval; also if it is zero.

    Raises
    ------
    SplitError
        A split without training or test rows, with rows that are not there, or with rows in both
        parts.
    InvalidParameterError
        `compare_leaky` of anything but a Pipeline; it or `return_leakage` with `params` while
        metadata is routed.
    TargetError, MutatedInputError
        With `return_leakage`, of an estimator that cannot be audited on these rows.

    Notes
    -----
    Statistics of rows that belong to the same training sets are measured once, and each split's is
    merged of them: test rows have no part in it, not even in its last bit. Splitting K times costs
    about one pass over the rows instead of K - 1; transforming, the model's fit and the scores cost
    what they cost. That pass comes before all fits, and is in no ``fit_time``.

    A step shares if it is a transformer of ours other than `BatchNormalizer`, if all steps before
    it do, and if it has the same sample weights as the first. Nothing is shared in other estimators
    than a plain Pipeline, in one with callbacks, or while metadata is routed.

    Looking for leaks fits the estimator, without `params`, two or three times more per split, on at
    most 2,000 rows, and hashes the rows of each split. What it can and cannot see is said there.

    The leaky comparison fits the steps before the last once on all rows and labels, and the last
    step on the transformed training rows of each split: one more fit and score of the model per
    split. Training rows are transformed by `transform`; an encoder such as scikit-learn's
    `TargetEncoder`, whose `fit_transform` keeps the labels of training rows from themselves,
    therefore looks worse in it than a `fit_transform` of all rows would. Give the model a
    `random_state` if it has one, or the gap shows chance as well. A small gap does not mean that
    the leak is harmless elsewhere, and a leak that is hidden within a step is in both scores: that
    is for `return_leakage`.

    References
    ----------
    Nadeau, C., & Bengio, Y. (2003). Inference for the generalization error. Machine Learning,
    52(3), 239-281.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> from skscale import PCA, StandardScaler
    >>> from skscale.model_selection import cross_validate
    >>> X, y = load_wine(return_X_y=True)
    >>> model = make_pipeline(StandardScaler(), PCA(3), SVC())
    >>> cross_validate(model, X, y, cv=3)["test_score"].round(3)
    array([0.967, 0.898, 1.   ])

    The same with scaler and PCA fitted on all rows: here it makes no difference to speak of.

    >>> result = cross_validate(model, X, y, cv=3, compare_leaky=True)
    >>> result["leaky_gap_score"].mean < 0.02
    True

    Choosing columns by their labels before the split is another matter. Noise, then:

    >>> import numpy as np
    >>> from sklearn.feature_selection import SelectKBest
    >>> noise, coin = np.random.default_rng(0).normal(size=(60, 999)), np.arange(60) % 2
    >>> chosen = make_pipeline(StandardScaler(), SelectKBest(k=9), SVC())
    >>> result = cross_validate(chosen, noise, coin, compare_leaky=True)
    >>> float(result["test_score"].mean()) < 0.6 < 0.8 < float(result["leaky_test_score"].mean())
    True
    """
    params = dict(params or {})
    run = partial(
        sklearn_cross_validate,
        X=X,
        y=y,
        groups=groups,
        scoring=scoring,
        n_jobs=n_jobs,
        verbose=verbose,
        pre_dispatch=pre_dispatch,
        error_score=error_score,
    )
    returns = {
        "return_train_score": return_train_score,
        "return_estimator": return_estimator,
        "return_indices": return_indices,
    }
    is_routed = routes({**params, "groups": groups})
    _check_requests(estimator, sorted(params) if is_routed else [], return_leakage, compare_leaky)
    if is_routed or not hasattr(estimator, "fit"):
        return run(estimator, cv=cv, params=params, **returns)
    X, y, groups = indexable(X, y, groups)
    splits = read_splits(cv, n_samples(X), X, y, groups, estimator)
    run = partial(run, cv=Replay(splits))
    shared = share(estimator, X, y, splits, params)
    given = dict(params)
    if isinstance(shared, StandIn):
        given[ROWS] = np.arange(splits.n_rows)
        shared.prefetch()
    result = run(shared, params=given, **returns)
    if return_leakage:
        result["leakage"] = LeakageReport.of(estimator, X, y, splits, groups)
    if compare_leaky:
        leaky = StandIn.of(estimator, FittedBefore(estimator, X, y, splits.n_rows, params))
        result |= _comparison(run(leaky, params=params), result, splits)
    return result


def _comparison(leaky: dict[str, Any], honest: dict[str, Any], splits: Splits) -> dict[str, Any]:
    compared: dict[str, Any] = {}
    for key in leaky:
        if key.startswith("test_"):
            compared[f"leaky_{key}"] = leaky[key]
            gap = ScoreGap.of(leaky[key], honest[key], splits)
            compared[f"leaky_gap_{key.removeprefix('test_')}"] = gap
    return compared


def _check_requests(
    estimator: Any, routed: list[str], return_leakage: bool, compare_leaky: bool
) -> None:
    if compare_leaky and type(estimator) is not Pipeline:
        raise InvalidParameterError(
            f"compare_leaky=True needs a Pipeline, whose steps before the last it fits on all rows "
            f"for comparison; got {type(estimator).__name__}. Put the transformers and the model "
            "together: make_pipeline(transformer, model)."
        )
    if routed and (return_leakage or compare_leaky):
        asked = "compare_leaky" if compare_leaky else "return_leakage"
        raise InvalidParameterError(
            f"{asked}=True cannot tell what the params are for while metadata is routed; got "
            f"{', '.join(routed)}. Name the step, as in "
            "params={'ridge__sample_weight': ...}, and leave enable_metadata_routing off."
        )
