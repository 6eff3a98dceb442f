"""The calls that are timed: given a table, a side gets ready and returns what the clock is for.

skscale and scikit-learn are called as a user calls them. Plain numpy is the textbook line, without
a check of any kind. ``X.sum()`` and ``X.copy()`` are what the machine needs to read a table once
and to read and write it once.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.data import Data
from skscale._splits import Splits, read_splits
from skscale.model_selection import cross_fit

Make = Callable[[], Any]
Call = Callable[[], Any]
Side = Callable[[Any], Call]


# Transformers -----------------------------------------------------------------------------


def fitting(make: Make) -> Side:
    """Fit a new transformer."""
    return lambda X: lambda: make().fit(X)


def fitting_weighted(make: Make) -> Side:
    """Fit a new transformer to weighted rows."""
    return lambda X: partial(fit_weighted, make, X, weights(X))


def fit_weighted(make: Make, X: Any, sample_weight: np.ndarray) -> Any:
    """Make it and fit it."""
    return make().fit(X, sample_weight=sample_weight)


def weights(X: Any) -> np.ndarray:
    """One for every row, none of them an integer."""
    return np.random.default_rng(1).uniform(0.5, 1.5, len(X))


def transforming(make: Make) -> Side:
    """Transform the rows learned from."""
    return lambda X: partial(make().fit(X).transform, X)


def inverting(make: Make) -> Side:
    """Invert; any numbers will do, so the rows themselves."""
    return lambda X: partial(make().fit(X).inverse_transform, X)


def transforming_after(learned_from: Data, make: Make) -> Side:
    """Transform after having learned from other rows."""
    return lambda X: partial(make().fit(learned_from.make()).transform, X)


# Folds ------------------------------------------------------------------------------------


def crossing(make: Make, splitter: Any, n_groups: int | None = None) -> Side:
    """Fit on the training rows of all splits, which are known before."""

    def side(X: np.ndarray) -> Call:
        splits = known_splits(X, splitter, n_groups)
        return lambda: cross_fit(make(), X, cv=splits)

    return side


def fitting_each(make: Make, splitter: Any) -> Side:
    """Fit on the training rows of one split after the other, which are known before."""

    def side(X: np.ndarray) -> Call:
        splits = list(known_splits(X, splitter, None))
        return lambda: [make().fit(X[train]) for train, _ in splits]

    return side


def scoring(function: Callable[..., Any], make: Make, splitter: Any) -> Side:
    """Fit and score a pipeline on all splits, to predict what the first columns add up to."""
    return lambda X: partial(function, make(), X, target(X), cv=splitter)


def searching(search: Callable[..., Any], make: Make, grid: Any, splitter: Any) -> Side:
    """Do so for every candidate of a grid, and fit the best one."""

    def side(X: np.ndarray) -> Call:
        y = target(X)
        return lambda: search(make(), grid, cv=splitter).fit(X, y)

    return side


def target(X: np.ndarray) -> np.ndarray:
    """Return something to predict: the first columns, and chance."""
    return X[:, :5].sum(axis=1) + np.random.default_rng(3).normal(size=len(X))


def known_splits(X: np.ndarray, splitter: Any, n_groups: int | None) -> Splits:
    """Run a splitter, the groups of rows being drawn."""
    groups = None
    if n_groups is not None:
        groups = np.random.default_rng(2).integers(0, min(n_groups, len(X)), len(X))
    return read_splits(splitter, len(X), groups=groups)


# Limits of the machine --------------------------------------------------------------------


def reading(X: Any) -> Call:
    """Read an array, or a frame that is one array."""
    return np.asarray(X).sum


def copying(X: Any) -> Call:
    """Read and write it."""
    return np.asarray(X).copy


# Plain numpy ------------------------------------------------------------------------------


def of_columns(*functions: Callable[..., np.ndarray]) -> Side:
    """Apply functions to all columns, one after the other."""
    return lambda X: lambda: [function(X, axis=0) for function in functions]


def weighted_moments(X: np.ndarray) -> Call:
    """Find the weighted mean and standard deviation of every column."""
    sample_weight = weights(X)

    def call() -> tuple[np.ndarray, np.ndarray]:
        mean = np.average(X, axis=0, weights=sample_weight)
        return mean, np.sqrt(np.average((X - mean) ** 2, axis=0, weights=sample_weight))

    return call


def scaling(X: np.ndarray) -> Call:
    """Subtract, then divide."""
    shift, scale = shift_and_scale(X)
    return lambda: (X - shift) / scale


def unscaling(X: np.ndarray) -> Call:
    """Multiply, then add."""
    shift, scale = shift_and_scale(X)
    return lambda: X * scale + shift


def shift_and_scale(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find two numbers for every column; only their dtype matters for the time."""
    return X[:1].mean(axis=0), 1 + abs(X[:1]).mean(axis=0)


def eigen(X: np.ndarray) -> Call:
    """Decompose the scatter matrix of the centred rows."""

    def call() -> Any:
        centred = X - X.mean(axis=0)
        return np.linalg.eigh(centred.T @ centred)

    return call


def singular(X: np.ndarray) -> Call:
    """Decompose the centred rows."""
    return lambda: np.linalg.svd(X - X.mean(axis=0), full_matrices=False)


def projecting(X: np.ndarray) -> Call:
    """Subtract the mean, then multiply by as many directions as there are columns."""
    mean, directions = X[:1].mean(axis=0), np.eye(X.shape[1], dtype=X.dtype)
    return lambda: (X - mean) @ directions.T
