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
from skscale.model_selection._by_split import has_workers, number_of_rows, routes, share
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
    """TODO."""
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
    if compare_leaky:
        _check_comparable(estimator, params)
    if routes({**params, "groups": groups}) or not hasattr(estimator, "fit"):
        return run(estimator, cv=cv, params=params, **returns)
    X, y, groups = indexable(X, y, groups)
    splits = read_splits(cv, number_of_rows(X), X, y, groups, estimator)
    run = partial(run, cv=Replay(splits))
    shared = share(estimator, X, y, splits, params)
    given = dict(params)
    if isinstance(shared, StandIn):
        given[ROWS] = np.arange(splits.n_rows)
        if has_workers(n_jobs):
            shared.prefetch()
    result = run(shared, params=given, **returns)
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


def _check_comparable(estimator: Any, params: dict[str, Any]) -> None:
    if type(estimator) is not Pipeline:
        raise InvalidParameterError(
            f"compare_leaky=True needs a Pipeline, whose steps before the last it fits on all rows "
            f"for comparison; got {type(estimator).__name__}. Put the transformers and the model "
            "together: make_pipeline(transformer, model)."
        )
    if routes(params):
        raise InvalidParameterError(
            "compare_leaky=True cannot tell which of the params go to the transformers while "
            "metadata is routed; got "
            f"{', '.join(sorted(params))}. Name the step, as in "
            "params={'ridge__sample_weight': ...}, and leave enable_metadata_routing off."
        )
