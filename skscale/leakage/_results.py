"""Results of two runs, compared row by row for the rows that must stand still."""

from __future__ import annotations

import itertools
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np

from skscale import _tables as tables
from skscale._kernels import Array
from skscale.leakage._state import Difference, differences
from skscale.leakage._targets import Observed, Part


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


def _moved_part(mine: Part, other: Part, still: Array) -> list[Difference]:
    if mine.rows is None or other.rows is None:
        return _compare(mine.value, other.value, mine.name)
    places, other_places = (np.flatnonzero(still[part.rows]) for part in (mine, other))
    if not np.array_equal(mine.rows[places], other.rows[other_places]):
        return [Difference(f"{mine.name}: which rows there are", inf)]
    values = tables.take_rows(mine.value, places), tables.take_rows(other.value, other_places)
    return _compare(*values, mine.name)


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
