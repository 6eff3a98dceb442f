"""Other values for rows that are held out: beyond a column on either side, or of another class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils.multiclass import type_of_target

from skscale import _tables as tables
from skscale._kernels import Array

ABOVE, BELOW = 1, -1
"""Beyond which end of a column values lie."""

SEVERITIES = {ABOVE: (0, 1, 2), BELOW: (0, 2, 3, 4)}
"""Near the largest float, and unseen words; a million times the spread of a column; three times it.
Below, for who takes no negative numbers: half of the smallest value, with zeros and without."""

_HUGE = {2: 1e4, 4: 1e30, 8: 1e300}
_SPREADS = {1: 1e6, 2: 3.0}
_STEPS = {0: 1000, 1: 30, 2: 2}
_CENTURY = np.timedelta64(36525, "D")
_UNSEEN = {ABOVE: "\U0010fffdother", BELOW: "\x01other"}


class Beyond:
    """Makes the values of a column that lie beyond it: the same in every row, or nearly so.

    What is the same everywhere moves counts, modes and medians most. A column that is in order
    stays so where there is time: all of it is moved on, beyond what it was.

    Parameters
    ----------
    side : {ABOVE, BELOW}
        Beyond which end.
    severity : int
        One of `SEVERITIES`.
    in_time : bool, default=False
        Whether columns that are in order have to stay in order.
    unseen : bool, default=True
        Whether words may be replaced by one that nobody has seen.
    """

    def __init__(
        self, side: int, severity: int, *, in_time: bool = False, unseen: bool = True
    ) -> None:
        self.side = side
        self.severity = severity
        self.in_time = in_time
        self.unseen = unseen and severity == 0

    def __call__(self, values: Array, n_rows: int) -> Array | None:
        kind = values.dtype.kind
        if kind not in "fiubmMUO" or len(values) == 0:
            return None
        if self.in_time and len(values) == n_rows and is_in_order(values):
            return values + self._past(values)
        if kind == "f":
            return self._floats(values, n_rows)
        if kind in "iu":
            return self._integers(values, n_rows)
        if kind == "b":
            return np.full(n_rows, self.side == ABOVE)
        if kind in "mM":
            return np.full(n_rows, self._moment(values))
        return self._objects(values, n_rows)

    def _floats(self, values: Array, n_rows: int) -> Array:
        finite = values[np.isfinite(values)].astype(np.float64)
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
        with np.errstate(over="ignore"):
            spread = float(high - low) or abs(float(high)) or 1.0
        if self.severity == 0:
            far = self.side * _HUGE.get(values.dtype.itemsize, 1e300)
        elif self.severity in _SPREADS:
            end = high if self.side == ABOVE else low
            far = end + self.side * _SPREADS[self.severity] * spread
        else:
            far = min(low, low / 2)
        return self._with_zeros(np.full(n_rows, far), low).astype(values.dtype)

    def _integers(self, values: Array, n_rows: int) -> Array:
        # Not near the largest integer: who counts integers makes room for the largest.
        low, high, limits = int(values.min()), int(values.max()), np.iinfo(values.dtype)
        reach = min(_STEPS.get(self.severity, 0) * (high - low + 1), 2**40)
        if self.side == ABOVE:
            far = min(high + reach, limits.max)
        else:
            far = max(low - reach, limits.min) if reach else min(low, low // 2)
        return self._with_zeros(np.full(n_rows, far, dtype=values.dtype), low)

    def _with_zeros(self, far: Array, low: float) -> Array:
        """A zero in every fourth row, if none of the values is as small."""
        if self.side == BELOW and self.severity < 4 and low > 0:
            far[3::4] = 0
        return far

    def _moment(self, values: Array) -> Any:
        low, high = values.min(), values.max()
        reach = min(
            max(_STEPS.get(self.severity, 0) * (high - low), np.timedelta64(1, "D")), _CENTURY
        )
        return high + reach if self.side == ABOVE else low - reach * (self.severity in _STEPS)

    def _past(self, values: Array) -> Any:
        """What moves later values on, and leaves them in order."""
        spread = values.max() - values.min()
        if values.dtype.kind in "mM":
            return min(2 * spread, max(_CENTURY, spread))
        if values.dtype.kind == "f":
            return 2 * spread
        return min(2 * int(spread), np.iinfo(values.dtype).max - int(values.max()))

    def _objects(self, values: Array, n_rows: int) -> Array | None:
        known = [value for value in values.tolist() if isinstance(value, (str, float, int))]
        if len(known) < len(values):
            return None
        if all(isinstance(value, str) for value in known):
            unseen = _UNSEEN[self.side]
            return np.full(n_rows, unseen, dtype=values.dtype) if self.unseen else None
        numbers = np.array(known)
        if numbers.dtype.kind not in "if":
            return None
        make = self._floats if numbers.dtype.kind == "f" else self._integers
        return make(numbers[numbers == numbers], n_rows).astype(object)


def is_in_order(values: Array) -> bool:
    """Whether each is as large as the one before, and not all are the same."""
    if values.dtype.kind not in "iufmM" or values.ndim != 1 or len(values) < 2:
        return False
    return bool((values[1:] >= values[:-1]).all() and values[0] < values[-1])


def other_labels(y: Any) -> list[Callable[[], Any]]:
    """Ways to make a container like `y` whose every label is another, the harshest first."""
    if is_discrete(y):
        return [lambda: _unseen_class(y), lambda: _next_class(y)]
    return [
        lambda: tables.replace_values(y, Beyond(ABOVE, 1)),
        lambda: tables.replace_values(y, Beyond(ABOVE, 2)),
    ]


def is_discrete(y: Any) -> bool:
    """Whether labels are classes."""
    try:
        return not type_of_target(np.asarray(y)).startswith("continuous")
    except ValueError:
        return False


def low_labels(y: Any) -> list[Callable[[], Any]]:
    """Ways to make a container like `y` whose every label is lower, or the lowest class."""
    if is_discrete(y):
        return [lambda: tables.take_rows(y, np.full(tables.count_rows(y), _classes(y)[0][0]))]
    return [
        lambda: tables.replace_values(y, Beyond(BELOW, 2)),
        lambda: tables.replace_values(y, Beyond(BELOW, 4)),
    ]


def _unseen_class(y: Any) -> Any:
    """One more class after all that there are, in every row."""

    def next_one(values: Array, n_rows: int) -> Array | None:
        if values.dtype.kind not in "iuf":
            return Beyond(ABOVE, 0)(values, n_rows)
        return np.full(n_rows, values.max() + 1, dtype=values.dtype)

    return tables.replace_values(y, next_one)


def _next_class(y: Any) -> Any:
    """Each label replaced by the next class that there is."""
    first, number = _classes(y)
    return tables.take_rows(y, first[(number + 1) % len(first)])


def _classes(y: Any) -> tuple[Array, Array]:
    """Where each class is first, in the order of classes, and which of them every row has."""
    values = np.asarray(y)
    if values.ndim > 1 or values.dtype.kind not in "iufb":
        values = np.array([str(row) for row in values.tolist()])
    _, first, number = np.unique(values, return_index=True, return_inverse=True)
    return first, number.reshape(-1)
