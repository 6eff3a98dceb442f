"""Estimators and pipelines, as far as a display looks into them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skscale import _chains as chains
from skscale import _tables as tables
from skscale.errors import TargetError


def transforming(display: str, estimator: Any) -> Any:
    """A fitted transformer; of a pipeline that ends in a predictor, the steps before that.

    Raises
    ------
    TargetError
        If there is nothing that transforms.
    NotFittedError
        If it is not fitted.
    """
    is_pipeline = isinstance(estimator, Pipeline)
    if is_pipeline and len(estimator.steps) > 1 and not hasattr(estimator, "transform"):
        check_is_fitted(estimator)
        estimator = estimator[:-1]
    if isinstance(estimator, type) or not hasattr(estimator, "transform"):
        raise TargetError(
            f"{display} shows what transform does, and {named(estimator)} has none. Pass a fitted "
            "transformer, or a fitted Pipeline with one."
        )
    check_is_fitted(estimator)
    return estimator


def last_step(
    display: str, estimator: Any, shows: Callable[[Any], bool], wanted: str
) -> tuple[Any, Any]:
    """The last step of a fitted pipeline that there is something to show of, and the way to it.

    Parameters
    ----------
    display : str
        Who asks.
    estimator : object
        A fitted estimator or pipeline.
    shows : callable
        Whether an estimator, if fitted, has what is to be shown.
    wanted : str
        What that is, in words.

    Returns
    -------
    step : estimator
    path : estimator
        The pipeline up to it; the step itself, if there is none.

    Raises
    ------
    TargetError
        If there is no such step.
    NotFittedError
        If it is not fitted.
    """
    if not isinstance(estimator, type) and hasattr(estimator, "fit"):
        check_is_fitted(estimator)
        if shows(estimator):
            return estimator, estimator
        if isinstance(estimator, Pipeline):
            for stop in range(len(estimator.steps), 0, -1):
                if shows(step := estimator.steps[stop - 1][1]):
                    return step, estimator[:stop]
    raise TargetError(f"{display} shows {wanted}; got {named(estimator)}, which has none.")


def names_out(estimator: Any, result: Any = None, otherwise: Any = ()) -> list[str]:
    """Names of what a fitted transformer gives; those of the `result` if that has some.

    Where columns have no names but numbers, scikit-learn calls them ``x0`` and so on; as many are
    called as `otherwise` does.
    """
    names = tables.column_names(result)
    if names is None:
        names = chains.names_out(estimator)
    if names is None:
        names = list(otherwise)
    generic = [f"x{i}" for i in range(len(otherwise))]
    return [str(name) for name in (otherwise if list(names) == generic else names)]


def named(estimator: Any) -> str:
    """What was given, for a message."""
    if isinstance(estimator, type):
        return f"the class {estimator.__name__} rather than an instance"
    if isinstance(estimator, Pipeline):
        steps = ", ".join(type(step).__name__ for _, step in estimator.steps)
        return f"a Pipeline of {steps}"
    return f"a {type(estimator).__name__}"
