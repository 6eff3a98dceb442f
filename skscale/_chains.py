"""Chains: a transformer, or the steps of plain pipelines in their order."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skscale._base import StatisticTransformer
from skscale._callbacks import has_callbacks
from skscale._provenance import MEMORY

OURS = f"{__name__.partition('.')[0]}."
"""How the names of this package's modules begin."""

IMMUTABLE = {bool, float, int, str, type(None)}
"""Parameters of these types may be had by several estimators."""


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


def names_out(fitted: Any) -> list[str] | None:
    """Names of the columns that a transformer gives; None if it, or a step of it, knows none.

    A pipeline without steps knows none either.
    """
    try:
        names = fitted.get_feature_names_out()
    except (AttributeError, ValueError):
        return None
    return None if names is None else [str(name) for name in names]


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
