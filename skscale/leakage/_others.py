"""Other values for rows that are held out: far away, tame, or of another class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils.multiclass import type_of_target

from skscale import _tables as tables
from skscale._kernels import Array

SEVERITIES = (0, 1, 2)
"""Near the largest float; a million times the spread of a column; three times the spread."""

_HUGE = {2: 1e4, 4: 1e30, 8: 1e300}
_SPREADS = {1: 1e6, 2: 3.0}
_STEPS = {0: 1000, 1: 30, 2: 2}
_UNSEEN = "\N{DAGGER}other"


def extreme(severity: int, random: np.random.Generator) -> Callable[[Array, int], Array | None]:
    """Values beyond those of a column; on both sides unless none of its values is negative."""

    def replace(values: Array, n_rows: int) -> Array | None:
        kind = values.dtype.kind
        if kind == "f":
            return _floats(values, n_rows, severity, random)
        if kind in "iu":
            return _integers(values, n_rows, severity, random)
        if kind == "b":
            return np.resize(~values, n_rows) if len(values) == n_rows else None
        if kind in "mM":
            steps = values[~np.isnat(values)].astype(np.int64)
            far = _integers(steps, n_rows, severity, random)
            return None if far is None else np.asarray(far, dtype=values.dtype)
        if kind in "UO" and severity == 0:
            return _objects(values, n_rows, random)
        return None

    return replace


def _floats(values: Array, n_rows: int, severity: int, random: np.random.Generator) -> Array:
    finite = values[np.isfinite(values)].astype(np.float64)
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    with np.errstate(over="ignore"):
        spread = float(high - low) or abs(float(high)) or 1.0
    signs = random.choice([-1.0, 1.0], n_rows) if low < 0 else np.ones(n_rows)
    far = 1.0 + random.random(n_rows)
    if severity == 0:
        new = signs * far * _HUGE.get(values.dtype.itemsize, 1e300)
    else:
        new = np.where(signs > 0, high, low) + signs * far * _SPREADS[severity] * spread
    return new.astype(values.dtype)


def _integers(
    values: Array, n_rows: int, severity: int, random: np.random.Generator
) -> Array | None:
    # Not near the largest integer: who counts integers makes room for the largest.
    if values.size == 0:
        return None
    low, high, limits = int(values.min()), int(values.max()), np.iinfo(values.dtype)
    reach = min(_STEPS[severity] * (high - low + 1), 2**40)
    up, down = min(reach, limits.max - high), min(reach, low - limits.min) if low < 0 else 0
    if up == down == 0:
        return None
    # Python's integers, which do not overflow on the way.
    above = high + random.integers(1, max(up, 1) + 1, n_rows).astype(object)
    below = low - random.integers(1, max(down, 1) + 1, n_rows).astype(object)
    is_above = random.random(n_rows) < (0.5 if up and down else float(up > 0))
    return np.asarray(np.where(is_above, above, below), dtype=values.dtype)


def _objects(values: Array, n_rows: int, random: np.random.Generator) -> Array | None:
    known = [value for value in values.tolist() if value is not None and value == value]
    if known and all(isinstance(value, str) for value in known):
        return np.full(n_rows, _UNSEEN, dtype=values.dtype)
    if known and all(isinstance(value, float) for value in known):
        return _floats(np.array(known), n_rows, 0, random).astype(object)
    return None


def other_labels(y: Any, random: np.random.Generator) -> list[Callable[[], Any]]:
    """Ways to make a container like `y` whose every label is another, the harshest first."""
    if is_discrete(y):
        return [lambda: _next_class(y)]
    return [
        lambda: tables.replace_values(y, extreme(1, random)),
        lambda: tables.replace_values(y, extreme(2, random)),
    ]


def is_discrete(y: Any) -> bool:
    """Whether labels are classes."""
    try:
        return not type_of_target(np.asarray(y)).startswith("continuous")
    except ValueError:
        return False


def _next_class(y: Any) -> Any:
    """Each label replaced by the next class that there is."""
    values = np.asarray(y)
    rows = np.array([str(row) for row in values.tolist()])
    _, first, number = np.unique(rows, return_index=True, return_inverse=True)
    return tables.take_rows(y, first[(number.reshape(-1) + 1) % len(first)])
