"""Signs that columns were scaled, rotated or whitened by statistics of exactly these rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from skscale._kernels import Array
from skscale.leakage._check import Finding, counted, listed
from skscale.leakage._profile import Columns, Profile, correlates

FIXED_UNITS = (10_000, 65_536, 255)
"""Columns of multiples of one over these may be recorded so: shares, intensities."""

DONE_BY = {
    "standardized": "have mean 0 and deviation (or norm) 1",
    "whitened": "have mean 0 and deviation 1 and are not correlated with each other at all",
    "rotated": "have mean 0, falling variances, and are not correlated with each other at all, as "
    "principal components are",
    "min-max scaled": "have minimum 0 and maximum 1",
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
    tolerance, at_bound = max(part.tolerance for part in parts)
    centred, unit = whole.centred(tolerance), whole.unit(tolerance)
    bounded = whole.fills_unit_interval(at_bound)
    if train is not None:
        own = train.centred(tolerance)
        centred = centred & ~own
        bounded &= ~train.fills_unit_interval(at_bound)
    standardized, rest = centred & unit, centred & ~unit
    if standardized.any():
        alone = standardized.sum() == 1 or correlates(parts, standardized, whole)
        yield _finding("standardized" if alone else "whitened", standardized, parts, train)
    falls = rest.sum() > 1 and _falls(whole.moments.variance()[rest], tolerance)
    if falls and not correlates(parts, rest, whole):
        yield _finding("rotated", rest, parts, train)
    for position in np.flatnonzero(bounded).tolist():
        values = [part.column(position) for part in parts]
        bounded[position] = _was_stretched(np.concatenate(values), parts[0].table.dtype)
    if bounded.any():
        yield _finding("min-max scaled", bounded, parts, train)


def _falls(variances: Array, tolerance: float) -> bool:
    """Whether each is smaller than the one before: components do, sines and cosines do not."""
    return bool((variances[1:] < variances[:-1] * (1 - tolerance)).all())


def _was_stretched(values: Array, dtype: np.dtype[Any]) -> bool:
    """Whether values between 0 and 1, both attained, look like no shares.

    Shares are multiples of a fixed unit, or pile up at both ends.
    """
    for unit in FIXED_UNITS:
        multiples = values.astype(np.float64) * unit
        if (np.abs(multiples - np.rint(multiples)) <= unit * np.finfo(dtype).eps).all():
            return False
    usual = len(values) / len(np.unique(values))
    at_ends = min((values == values.min()).sum(), (values == values.max()).sum())
    return bool(at_ends <= max(1, 2 * usual))


def _finding(kind: str, mask: Array, parts: list[Columns], train: Profile | None) -> Finding:
    labels = tuple(parts[0].labels[i] for i in np.flatnonzero(mask))
    noun = counted(len(labels), "column")
    if train is None:
        message = (
            f"{noun} {DONE_BY[kind]}, to rounding: {listed(labels)}. The table was transformed as "
            "a whole. If it is split now, the train rows know the others: split first, or start "
            "from the raw numbers."
        )
    else:
        message = (
            f"{noun} {DONE_BY[kind]}, to rounding, in train and test rows together and not in the "
            f"train rows alone: {listed(labels)}. The transformation was learned before the split. "
            "Split first, then fit on the train rows: "
            "transformer.fit(X_train); transformer.transform(X_test)."
        )
    return Finding(kind, message, labels, numbers={"n_columns": len(labels)})
