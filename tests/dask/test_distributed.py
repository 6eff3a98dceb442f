"""Real processes: the bits of the serial engine, and workers that die.

One cluster serves all tests of this module, on the loopback interface and without a dashboard.
"""

import os
import pickle
import signal
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skscale import PCA, BatchNormalizer, MinMaxScaler, StandardScaler, Whitener
from skscale.errors import InfiniteValueError
from skscale.statistics import Moments

distributed = pytest.importorskip("distributed", reason="distributed is an optional extra")

# Its own: sockets that are still open when a worker is killed, and what it uses of others.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:tornado"),
]

LEARNERS = [
    StandardScaler(),
    MinMaxScaler(),
    PCA(),
    Whitener(),
    BatchNormalizer(momentum=0.1, batch_size=64),
]
CHUNKS = ((700, 900, 0, 1100, 300, 1000),)


@pytest.fixture(scope="module")
def client():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cluster = distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
        )
        with cluster, distributed.Client(cluster) as client:
            yield client


@pytest.fixture
def computations(client, monkeypatch):
    """One entry per computation of the cluster."""
    found, get = [], distributed.Client.get
    monkeypatch.setattr(
        distributed.Client, "get", lambda self, *a, **k: found.append(1) or get(self, *a, **k)
    )
    return found


def rows_of(dtype, has_missing):
    rng = np.random.default_rng(3)
    rows = (rng.normal(size=(4000, 6)) @ np.tri(6) + 10.0 ** np.arange(6)).astype(dtype)
    if has_missing:
        rows[::11, 1::2] = np.nan
    return rows


@pytest.mark.parametrize(("dtype", "weighted"), [(np.float64, False), (np.float32, True)])
def test_the_bits_of_the_serial_engine(dtype, weighted, client, computations):
    for learner in LEARNERS:
        rows = rows_of(dtype, learner.__sklearn_tags__().input_tags.allow_nan)
        weights = np.random.default_rng(4).integers(0, 4, len(rows)) if weighted else None
        of_rows = None if weights is None else da.from_array(weights, chunks=CHUNKS)
        X = da.from_array(rows, chunks=(*CHUNKS, 4))
        fitted = clone(learner).fit(X, sample_weight=of_rows)
        assert len(computations) == 1, learner
        image = fitted.transform(X)
        assert len(computations) == 1, learner
        parts = []
        for stop, n_rows in zip(np.cumsum(CHUNKS), CHUNKS[0], strict=True):
            block = slice(stop - n_rows, stop)
            if n_rows:
                of_block = None if weights is None else weights[block]
                parts.append(clone(learner).fit(rows[block], None, of_block).statistic_)
        one, two, three, four, five = parts  # and an empty one, the third of six
        expected = one.merge(two).merge(three).merge(four.merge(five))
        assert fitted.statistic_ == expected, learner
        assert fitted.statistic_.total == (len(rows) if weights is None else weights.sum())
        np.testing.assert_allclose(image.compute(), fitted.transform(rows), rtol=1e-5, atol=1e-5)
        computations.clear()


def test_frames(client, computations):
    frame = pd.DataFrame(rows_of(np.float64, False), columns=list("abcdef"))
    lazy = dd.from_pandas(frame, npartitions=5)
    fitted = PCA(n_components=2).fit(lazy, sample_weight=lazy["f"])
    image = fitted.transform(lazy)
    assert len(computations) == 1
    expected = PCA(n_components=2).fit(frame, sample_weight=frame["f"])
    np.testing.assert_allclose(image.compute(), expected.transform(frame), atol=1e-8)


def test_persisted_rows(client):
    rows = rows_of(np.float64, False)
    X = da.from_array(rows, chunks=(1000, -1))
    assert StandardScaler().fit(X.persist()).statistic_ == StandardScaler().fit(X).statistic_


def test_an_error_comes_home(client):
    rows = rows_of(np.float64, False)
    rows[1700, 4] = -np.inf
    scaler = StandardScaler()
    with pytest.raises(InfiniteValueError, match=r"In partition 2: .*-inf in row 100, column 4"):
        scaler.fit(da.from_array(rows, chunks=(800, 6)))
    assert not hasattr(scaler, "mean_")


def load(number, directory):
    """A chunk that says who loads it, one of them slowly the first time."""
    mark = directory / f"{number}-{os.getpid()}-{time.monotonic_ns()}"
    mark.touch()
    if number == 6 and len(list(directory.glob("6-*"))) == 1:
        time.sleep(60)
    return np.random.default_rng(number).normal(size=(500, 3))


def test_a_worker_that_is_killed_is_counted_once(client, tmp_path):
    parts = [dask.delayed(load, pure=True)(number, tmp_path) for number in range(8)]
    X = da.concatenate([da.from_delayed(part, (500, 3), float) for part in parts])
    with ThreadPoolExecutor(1) as pool:
        fit = pool.submit(StandardScaler().fit, X)
        deadline = time.monotonic() + 30
        while not (slow := list(tmp_path.glob("6-*"))):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(int(slow[0].name.split("-")[1]), signal.SIGKILL)
        fitted = fit.result(timeout=60)
    loaded = [path.name.partition("-")[0] for path in tmp_path.iterdir()]
    assert loaded.count("6") > 1
    chunks = [np.random.default_rng(number).normal(size=(500, 3)) for number in range(8)]
    pairs = [Moments.of(chunks[i]).merge(Moments.of(chunks[i + 1])) for i in range(0, 8, 2)]
    assert fitted.statistic_ == pairs[0].merge(pairs[1]).merge(pairs[2].merge(pairs[3]))
    assert fitted.n_samples_seen_ == 4000
    np.testing.assert_allclose(fitted.mean_, np.concatenate(chunks).mean(axis=0), atol=1e-14)


def test_what_is_fitted_is_pickled_without_dask(client):
    fitted = StandardScaler().fit(da.from_array(rows_of(np.float64, False), chunks=(1000, -1)))
    assert b"dask" not in pickle.dumps(fitted)
