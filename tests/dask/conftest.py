"""Dask collections of known rows, and a scheduler that counts computations."""

import numpy as np
import pytest

dask = pytest.importorskip("dask", reason="dask is an optional extra")
pytest.importorskip("dask.dataframe", reason="dask is an optional extra")


@pytest.fixture
def computations():
    """One entry per computation, all of them in this thread."""
    found = []

    def get(graph, keys, **options):
        found.append(keys)
        return dask.get(graph, keys, **options)

    with dask.config.set(scheduler=get):
        yield found


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return rng.normal(size=(600, 4)) @ np.tri(4) + [1, 100, -5, 1e4]
