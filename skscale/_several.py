"""Statistics of several kinds, measured of the same rows at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from skscale._kernels import Array, WideRows
from skscale.errors import InfiniteValueError, MissingValueError


class Unmeasured(NamedTuple):
    """Rows that have no such statistic, and why: NaN or infinity."""

    reason: Exception


class Several(NamedTuple):
    """Statistics of several kinds of some rows.

    Parameters
    ----------
    statistics : dict of type to Statistic or Unmeasured
    is_wide : bool
        Whether the rows held integers that float64 cannot hold.
    """

    statistics: dict[type, Any]
    is_wide: bool

    @classmethod
    def of(cls, rows: Any, weights: Array | None, kinds: Iterable[Any]) -> Several:
        """Measure a block; a kind that it has no statistic of is `Unmeasured`."""
        found = {kind: _measure(kind, rows, weights) for kind in kinds}
        return cls(found, isinstance(rows, WideRows))

    def merge(self, later: Several) -> Several:
        """Statistics of these rows followed by the `later` ones."""
        merged = {kind: _merge(of, later.statistics[kind]) for kind, of in self.statistics.items()}
        return Several(merged, self.is_wide or later.is_wide)


def _merge(earlier: Any, later: Any) -> Any:
    if isinstance(earlier, Unmeasured):
        return earlier
    return later if isinstance(later, Unmeasured) else earlier.merge(later)


def _measure(kind: Any, rows: Any, weights: Array | None) -> Any:
    try:
        return kind.of(rows, weights)
    except (InfiniteValueError, MissingValueError) as error:
        return Unmeasured(error)
