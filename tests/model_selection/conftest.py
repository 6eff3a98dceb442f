"""What is watched while rows are measured."""

from collections import Counter

import pytest

from skscale.statistics import Extrema, Moments, Scatter, Triangle


@pytest.fixture
def measured(monkeypatch):
    """Rows measured so far, by the kind of statistic."""
    rows_of = Counter()

    def count(kind):
        of = kind.of.__func__

        def counted(cls, rows, weights=None):
            rows_of[cls] += len(rows)
            return of(cls, rows, weights)

        monkeypatch.setattr(kind, "of", classmethod(counted))

    for kind in (Moments, Extrema, Scatter, Triangle):
        count(kind)
    return rows_of
