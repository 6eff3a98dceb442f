"""Results of two runs, compared row by row for the rows that must stand still."""

from __future__ import annotations

import itertools
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
from scipy import sparse

from skscale import _tables as tables
from skscale._kernels import Array
from skscale.leakage._state import Difference, differences, ulp_distance
from skscale.leakage._targets import ALL, HELD_OUT, Observed, Part

ROUNDED = {4: 1e-3, 8: 1e-6}
"""Parts of the largest value of a column that another way of summing may amount to, by bytes."""


def moved_results(
    before: Observed, after: Observed, still: Array, features_still: Array
) -> list[Difference]:
    """Differences of the results for rows that must stand still, by column.

    A type that other rows force on a column is no difference: whole numbers stay what they are
    where a missing value beside them makes floats of them.
    """
    moved: list[Difference] = []
    parts: list[list[Part]] = [before.parts, after.parts]
    if before.unmatched or after.unmatched:
        names = {part.name for part in parts[0]} & {part.name for part in parts[1]}
        parts = [[part for part in side if part.name in names] for side in parts]
    for mine, other in itertools.zip_longest(*parts):
        if mine is None or other is None:
            moved.append(Difference((mine or other).name, inf))
            continue
        found = _moved_part(mine, other, features_still if mine.is_features else still)
        moved += [replace(each, where=each.where + mine.reading) for each in found]
    return moved


def batch_matters(seen: Observed) -> list[Difference]:
    """Results for held-out rows that are others among all rows than they are by themselves.

    Only floats are compared, up to rounding: bits of a matrix product depend on its shape. Of
    models only the decision function is, since some draw predictions and scores at random.
    """
    parts = [part for part in seen.parts if part.name.startswith(("transform", "decision"))]
    alone = [part for part in parts if part.batch == HELD_OUT]
    together = [part for part in parts if part.batch == ALL]
    found = []
    for mine, other in zip(alone, together, strict=False):
        one = _floats(mine.value)
        two = _floats(tables.take_rows(other.value, np.asarray(mine.rows)))
        if one is None or two is None or one.shape != two.shape:
            continue
        finite = np.isfinite(one) & np.isfinite(two)
        far = np.abs(two - one).max(axis=0, initial=0, where=finite)
        limit = ROUNDED[one.dtype.itemsize] * np.abs(two).max(axis=0, initial=0, where=finite)
        for j in np.flatnonzero(far > limit)[:1]:
            ulp = ulp_distance(*(np.ascontiguousarray(side[:, j]) for side in (one, two)))
            found.append(Difference(f"{mine.name}[:, {j}]", ulp, is_float=True))
    return found


def _floats(value: Any) -> Array | None:
    """Rows of floats, of the stored values of a sparse matrix; None of anything else."""
    if sparse.issparse(value):
        value = value.tocsr().data
    elif tables.is_frame(value):
        columns = list(tables.columns_of(value).values())
        is_alike = len({each.dtype for each in columns}) == 1
        value = np.column_stack(columns) if is_alike else None
    if not isinstance(value, np.ndarray) or value.dtype not in (np.float32, np.float64):
        return None
    return value.reshape(len(value), -1)


def _moved_part(mine: Part, other: Part, still: Array) -> list[Difference]:
    if mine.rows is None or other.rows is None:
        return _compare(mine.value, other.value, mine.name)
    # What is sorted by values has its rows in another order, and each is what it was.
    places, other_places = (_in_order(rows, still) for rows in (mine.rows, other.rows))
    if not np.array_equal(mine.rows[places], other.rows[other_places]):
        return [Difference(f"{mine.name}: which rows there are", inf)]
    values = tables.take_rows(mine.value, places), tables.take_rows(other.value, other_places)
    return _compare(*values, mine.name)


def _in_order(rows: Array, still: Array) -> Array:
    """Positions of the rows that must stand still, in the order of the table."""
    places = np.flatnonzero(still[rows])
    return places[np.argsort(rows[places], kind="stable")]


def _compare(mine: Any, other: Any, name: str) -> list[Difference]:
    if type(mine) is not type(other):
        return [Difference(name, inf)]
    if isinstance(mine, np.ndarray):
        if mine.ndim != 2 or mine.shape != other.shape:
            return _compare_values(mine, other, name)
        if not _compare_values(mine, other, name):
            return []
        return [
            replace(each, where=f"{name}[:, {j}]")
            for j in range(mine.shape[1])
            for each in _compare_values(mine[:, j], other[:, j], name)
        ]
    if not (tables.is_frame(mine) or tables.is_series(mine)):
        return differences(mine, other, name)
    one, two = tables.columns_of(mine), tables.columns_of(other)
    if list(one) != list(two):
        return [Difference(f"{name}: which columns there are", inf)]
    pairs = ((f"{name}[{key!r}]" if key else name, one[key], two[key]) for key in one)
    return [each for where, a, b in pairs for each in _compare_values(a, b, where)]


def _compare_values(mine: Array, other: Array, where: str) -> list[Difference]:
    if mine.dtype != other.dtype and mine.shape == other.shape:
        numbers = mine.dtype.kind in "biufc" and other.dtype.kind in "biufc"
        if numbers and np.array_equal(mine, other, equal_nan=True):
            return []
        if not numbers and _same_objects(mine, other):
            return []
        if numbers:
            common = np.result_type(mine, other)
            mine, other = mine.astype(common), other.astype(common)
    return differences(np.ascontiguousarray(mine), np.ascontiguousarray(other), where)


def _same_objects(mine: Array, other: Array) -> bool:
    pairs = zip(mine.ravel().tolist(), other.ravel().tolist(), strict=True)
    return all(bool(a == b) or (a != a and b != b) or (a is None and b is None) for a, b in pairs)
