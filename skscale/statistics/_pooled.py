"""Moments of all rows, and the number of mini-batches they came in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from skscale.statistics import _invariants as invariants
from skscale.statistics._moments import Moments
from skscale.statistics._protocol import frozen


@frozen
class PooledBatches:
    """Pooled moments of mini-batches: exact, whatever the order and size of the batches.

    Parameters
    ----------
    moments : Moments
        Of all rows.
    n_batches : int
        Number of mini-batches that came.

    Examples
    --------
    >>> from skscale.statistics import PooledBatches
    >>> both = PooledBatches.of([[1.0], [2.0]]).merge(PooledBatches.of([[6.0]]))
    >>> both.n_batches, both.moments.mean
    (2, array([3.]))
    """

    moments: Moments
    n_batches: int

    @classmethod
    def of(cls, rows: Any, weights: Any = None, *, batch_size: int | None = None) -> Self:
        """Measure one mini-batch, or several of `batch_size` rows and a remainder."""
        moments = Moments.of(rows, weights)
        n_batches = 1 if batch_size is None else max(1, np.shape(rows)[0] // batch_size)
        return cls(moments, n_batches if moments.total > 0 else 0)

    def merge(self, later: Self) -> Self:
        """Pool with the `later` batches."""
        return type(self)(self.moments.merge(later.moments), self.n_batches + later.n_batches)

    def _faults(self) -> Iterator[str]:
        yield from self.moments._faults()
        yield from invariants.batches(self)

    @property
    def total(self) -> float:
        return self.moments.total

    @property
    def n_features(self) -> int:
        return self.moments.n_features
