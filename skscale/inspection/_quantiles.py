"""Quantiles of features before and after a transformer, and shares outside a range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from skscale import _tables as tables
from skscale._kernels import Array
from skscale._parameters import is_integer
from skscale._reduce import tree_reduce
from skscale._tables import Table
from skscale.errors import InvalidParameterError
from skscale.inspection._rows import dense, open_numbers, slices
from skscale.inspection._steps import names_out
from skscale.statistics import Extrema

LEVELS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""Quantiles that are shown of every feature."""


class Summary(NamedTuple):
    """Quantiles of the features of some rows, before and after.

    Parameters
    ----------
    names, names_out : list of str
        Names of the features.
    before, after : arrays of shape (7, n_features) and (7, n_features_out)
        Quantiles at `LEVELS`.
    remark : str
        How many of the rows these are, if not all.
    """

    names: list[str]
    names_out: list[str]
    before: Array
    after: Array
    remark: str


def summarize(
    estimator: Any, X: Any, names: list[str], max_rows: int | None, random: np.random.RandomState
) -> Summary:
    """Transform at most `max_rows` rows, and take their quantiles."""
    n_rows, rows, remark = tables.count_rows(X), X, ""
    if max_rows is not None and max_rows < n_rows:
        rows = tables.take_rows(X, np.sort(random.choice(n_rows, max_rows, replace=False)))
        remark = f"{max_rows:,} of {n_rows:,} rows"
    result = estimator.transform(tables.copy_rows(rows))  # with copy=False it writes there
    before, names = open_numbers(rows, names)
    after, after_names = open_numbers(result, names_out(estimator, result, names))
    return Summary(names, after_names, quantiles(before), quantiles(after), remark)


def quantiles(table: Table) -> Array:
    """Quantiles of every column at `LEVELS`, without what is not finite; NaN of nothing."""
    found = np.full((len(LEVELS), table.shape[1]), np.nan)
    for j, column in enumerate(dense(table).T):
        values = column[np.isfinite(column)].astype(np.float64)
        if len(values):
            with np.errstate(over="ignore", invalid="ignore"):
                found[:, j] = np.quantile(values, LEVELS)
    return found


def outside(X: Any, X_new: Any) -> Array:
    """Share of the values of each column of `X_new` that none of `X` is as small or large as.

    NaN is left out; where there is nothing but NaN on either side, so is the share.
    """
    table, new = open_numbers(X)[0], open_numbers(X_new)[0]
    span = tree_reduce((Extrema.of(dense(table, rows)) for rows in slices(table)), Extrema.merge)
    count, beyond = np.zeros(new.shape[1]), np.zeros(new.shape[1])
    for rows in slices(new):
        block = dense(new, rows)
        count += np.count_nonzero(~np.isnan(block), axis=0)
        beyond += np.count_nonzero((block < span.minimum) | (block > span.maximum), axis=0)
    known = (count > 0) & (span.count > 0)
    return np.where(known, beyond / np.where(known, count, 1), np.nan)


def positions(features: Sequence[Any] | None, names: list[str]) -> list[int]:
    """Where the features are that are asked for by name or position.

    Raises
    ------
    InvalidParameterError
        Naming the one that is not there.
    """
    if features is None:
        return list(range(len(names)))
    found = []
    for feature in features:
        place = names.index(feature) if feature in names else feature
        if not is_integer(place) or not 0 <= place < len(names):
            listed = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
            raise InvalidParameterError(
                f"features must be names or positions of columns of numbers, which are: {listed}. "
                f"Got {feature!r}."
            )
        found.append(int(place))
    if not found:
        raise InvalidParameterError("features is empty. Name at least one, or None for all.")
    return found
