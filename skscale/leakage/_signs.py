"""Signs that columns were scaled, rotated or whitened by statistics of exactly these rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from scipy.stats import binom

from skscale._kernels import Array
from skscale._words import counted
from skscale.leakage._check import Finding, listed
from skscale.leakage._levels import Levels
from skscale.leakage._profile import Columns, Profile, correlates
from skscale.leakage._straddle import RATE

BY_DESIGN = 0.02
"""Share of honest columns, at most, that attain -1 and 1, or 0 and 1 with values that repeat.

Correlations, sines and what saturates do: a table in which most columns do was scaled.
"""

DONE_BY = {
    "standardized": "mean 0 and deviation (or norm) 1",
    "whitened": "mean 0 and deviation 1 and no correlation with each other at all",
    "rotated": "mean 0, falling variances, and no correlation with each other at all, as principal "
    "components have",
    "centred": "mean 0",
    "divided by the deviation": "deviation (or norm) 1",
    "min-max scaled": "minimum 0 (or -1) and maximum 1",
}


def signs(parts: list[Columns], whole: Profile, train: Profile | None = None) -> Iterator[Finding]:
    """What the rows of all parts together show, and the first part does not show by itself.

    Parameters
    ----------
    parts : list of Columns
        One table, or its train and test part.
    whole : Profile
        Of all parts together.
    train : Profile or None
        Of the rows that may be learned from. What they have by themselves is no sign.
    """
    yield from _moment_signs(parts, whole, train)
    yield from _bound_signs(parts, whole, train)


def _moment_signs(parts: list[Columns], whole: Profile, train: Profile | None) -> Iterator[Finding]:
    tolerance, levels = max(part.tolerance for part in parts), Levels(parts)

    def are_measured(i: int) -> bool:
        if levels.are_recorded(i) or levels.are_multiples(i):
            return False
        return levels.are_regular(i) or not levels.repeat(i)

    def are_rotated(columns: Array) -> bool:
        few = columns.sum() < 2 or any(levels.repeat(i) for i in np.flatnonzero(columns).tolist())
        return not (few or correlates(parts, columns, whole))

    unit = whole.unit(tolerance.moment)
    standardized = _learned(partial(Profile.centred, within=tolerance.moment), whole, train) & unit
    chance = whole.chance_of_mean(tolerance.moment) * whole.chance_of_unit(tolerance.moment)
    if (evident := evidence(standardized, chance, lambda i: not levels.are_coded(i))).any():
        kind = "whitened" if are_rotated(evident) else "standardized"
        yield _finding(kind, standardized, parts, train)

    centred = _learned(partial(Profile.centred, within=tolerance.alone), whole, train) & ~unit
    if (evident := evidence(centred, whole.chance_of_mean(tolerance.alone), are_measured)).any():
        falls = _falls(whole.moments.variance()[evident], tolerance.moment)
        kind, found = (
            ("rotated", evident) if falls and are_rotated(evident) else ("centred", centred)
        )
        yield _finding(kind, found, parts, train)

    divided = _learned(partial(Profile.unit, within=tolerance.alone), whole, train)
    divided &= ~whole.centred(tolerance.moment)
    chance = whole.chance_of_unit(tolerance.alone)
    if evidence(divided, chance, lambda i: not levels.are_coded(i)).any():
        yield _finding("divided by the deviation", divided, parts, train)


def _bound_signs(parts: list[Columns], whole: Profile, train: Profile | None) -> Iterator[Finding]:
    within, levels = max(part.tolerance.bound for part in parts), Levels(parts)
    chance = (whole.moments.total * within) ** 2

    def are_stretched(i: int) -> bool:
        return not (all(levels.pile_up(i)) or levels.are_recorded(i))

    def are_records(i: int) -> bool:
        return not any(levels.pile_up(i)) and are_stretched(i) and levels.are_regular(i)

    def are_measured(i: int) -> bool:
        return not any(levels.pile_up(i)) and are_stretched(i) and not levels.repeat(i)

    found = np.zeros(len(whole.whole), dtype=bool)
    for low in (0.0, -1.0):
        filled = _learned(partial(Profile.fills, low=low, within=within), whole, train)
        if (
            evidence(filled, chance, are_records).any()
            or (low == 0 and evidence(filled, chance, are_measured).any())
            or evidence(filled, BY_DESIGN, are_stretched).any()
        ):
            found |= filled
    if found.any():
        yield _finding("min-max scaled", found, parts, train)


def _learned(has: Callable[[Profile], Array], whole: Profile, train: Profile | None) -> Array:
    """Columns that have something over all rows, and not over the train rows alone."""
    return has(whole) if train is None else has(whole) & ~has(train)


def evidence(suspects: Array, chance: float, is_evident: Callable[[int], bool]) -> Array:
    """Those of the suspects that no design explains; none if chance may explain so many."""
    evident = np.zeros_like(suspects)
    for i in np.flatnonzero(suspects).tolist():
        evident[i] = is_evident(i)
    by_chance = binom.sf(evident.sum() - 1, len(evident), min(1.0, chance))
    return evident if by_chance <= RATE else np.zeros_like(evident)


def _falls(variances: Array, tolerance: float) -> bool:
    """Whether each is smaller than the one before: components do, sines and cosines do not."""
    return bool((variances[1:] < variances[:-1] * (1 - tolerance)).all())


def _finding(kind: str, mask: Array, parts: list[Columns], train: Profile | None) -> Finding:
    labels = tuple(parts[0].labels[i] for i in np.flatnonzero(mask))
    noun, have = counted(len(labels), "column"), "has" if len(labels) == 1 else "have"
    if train is None:
        message = (
            f"{noun} {have} {DONE_BY[kind]}, to rounding: {listed(labels)}. The table was "
            "transformed as a whole. If it is split now, the train rows know the others: split "
            "first, or start from the raw numbers."
        )
    else:
        message = (
            f"{noun} {have} {DONE_BY[kind]}, to rounding, in train and test rows together and not "
            f"in the train rows alone: {listed(labels)}. The transformation was learned before the "
            "split. Split first, then fit on the train rows: "
            "transformer.fit(X_train); transformer.transform(X_test)."
        )
    return Finding(kind, message, labels, numbers={"n_columns": len(labels)})
