"""Dask collections are transformed to Dask collections, and nothing is computed."""

import pickle
import subprocess
import sys
import warnings

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import skscale
from skscale import (
    PCA,
    BatchNormalizer,
    LayerNormalizer,
    MinMaxScaler,
    RMSNormalizer,
    StandardScaler,
    Whitener,
)
from skscale.errors import InfiniteValueError, InvalidParameterError, SchemaError

TRANSFORMERS = [
    StandardScaler(),
    MinMaxScaler(),
    PCA(n_components=2),
    Whitener(),
    BatchNormalizer(affine=(2.0, 1.0)),
    LayerNormalizer(),
    RMSNormalizer(),
]
NAMES = list("abcd")
each = pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)


def frame_of(rows):
    """Five partitions with divisions, the names of days as an index."""
    return dd.from_pandas(in_memory(rows), npartitions=5)


def in_memory(rows):
    days = pd.date_range("2024-01-01", periods=len(rows), name="day")
    return pd.DataFrame(rows, columns=NAMES, index=days)


def methods(fitted, rows):
    """Its methods, and rows that they take."""
    image = fitted.transform(rows)
    yield fitted.transform, rows
    if hasattr(fitted, "inverse_transform"):
        yield fitted.inverse_transform, image


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("columns", [-1, 2])
def test_arrays(transformer, dtype, columns, rows, computations):
    rows = rows.astype(dtype)
    fitted = clone(transformer).fit(rows)
    for method, given in methods(fitted, rows):
        image = method(da.from_array(given, chunks=(250, columns)))
        assert computations == []
        expected = method(given)
        assert isinstance(image, da.Array)
        assert (image.dtype, image.shape) == (expected.dtype, expected.shape)
        assert image.chunks == ((250, 250, 100), (expected.shape[1],))
        assert isinstance(image._meta, np.ndarray)
        parts = [method(part) for part in np.split(given, [250, 500])]
        found = image.compute()
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, np.concatenate(parts))
        computations.clear()


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_frames_stay_frames(transformer, dtype, rows, computations):
    frame = in_memory(rows.astype(dtype))
    fitted = clone(transformer).fit(frame)
    asked = clone(transformer).set_output(transform="pandas").fit(frame)
    for (method, given), (expect, _) in zip(
        methods(asked, frame), methods(asked, frame), strict=True
    ):
        lazy = dd.from_pandas(given, npartitions=5)
        image = getattr(fitted, method.__name__)(lazy)
        assert computations == []
        expected = expect(given)
        assert isinstance(image, dd.DataFrame)
        assert image.divisions == lazy.divisions
        assert image.columns.tolist() == expected.columns.tolist()
        assert (
            image.dtypes.tolist() == expected.dtypes.tolist() == [np.dtype(dtype)] * image.shape[1]
        )
        assert image.index.name == "day"
        found = image.compute()
        assert found.dtypes.tolist() == expected.dtypes.tolist()
        pd.testing.assert_frame_equal(found, expected, check_freq=False, rtol=1e-4, atol=1e-4)
        computations.clear()


def test_nullable_columns_stay_nullable(rows):
    frame = in_memory(np.round(rows)).astype({"a": "Float32", "c": "Int64"})
    frame.loc[frame.index[3], "c"] = pd.NA
    image = StandardScaler().fit_transform(dd.from_pandas(frame, npartitions=3))
    expected = StandardScaler().set_output(transform="pandas").fit_transform(frame)
    assert image.dtypes.tolist() == expected.dtypes.tolist()
    pd.testing.assert_frame_equal(image.compute(), expected, check_freq=False)


@each
def test_fit_transform_computes_once(transformer, rows, computations):
    image = clone(transformer).fit_transform(da.from_array(rows, chunks=(200, -1)))
    learns = hasattr(transformer, "partial_fit")
    assert len(computations) == int(learns)
    assert image.npartitions == 3


@pytest.mark.parametrize("ask", ["set_output", "set_config"])
def test_an_array_becomes_a_frame_where_frames_are_asked_for(ask, rows, computations):
    X, scaler = da.from_array(rows, chunks=(250, -1)), PCA(n_components=2).fit(rows)
    if ask == "set_output":
        image = scaler.set_output(transform="pandas").transform(X)
    else:
        with sklearn.config_context(transform_output="pandas"):
            image = scaler.transform(X)
    assert computations == []
    assert isinstance(image, dd.DataFrame)
    assert image.columns.tolist() == ["pca0", "pca1"]
    assert image.divisions == (0, 250, 500, 599)
    expected = clone(scaler).set_output(transform="pandas").fit(rows).transform(rows)
    pd.testing.assert_frame_equal(image.compute(), expected, rtol=1e-9, atol=1e-9)
    back = scaler.set_output(transform="pandas").inverse_transform(image)
    assert back.columns.tolist() == ["x0", "x1", "x2", "x3"]


def test_default_is_a_frame_for_a_frame(rows):
    scaler = StandardScaler().set_output(transform="default").fit(in_memory(rows))
    assert isinstance(scaler.transform(frame_of(rows)), dd.DataFrame)
    assert isinstance(scaler.transform(in_memory(rows)), np.ndarray)


def test_frames_of_polars_are_refused(rows):
    scaler = StandardScaler().set_output(transform="polars")
    with pytest.raises(InvalidParameterError, match=r"'polars'.*made of pandas"):
        scaler.fit(rows).transform(da.from_array(rows))


def test_unknown_chunks_stay_unknown(rows, computations):
    X = frame_of(rows).to_dask_array()
    image = StandardScaler().fit(rows).transform(X)
    assert computations == []
    assert np.isnan(image.chunks[0]).all()
    assert image.compute().shape == (600, 4)
    frame = StandardScaler().fit(rows).set_output(transform="pandas").transform(X)
    assert frame.divisions == (None,) * 6


def test_empty_chunks_stay_empty(rows):
    X = da.from_array(rows, chunks=((0, 400, 0, 200), (4,)))
    np.testing.assert_array_equal(
        StandardScaler().fit(rows).transform(X).compute(), StandardScaler().fit_transform(rows)
    )
    frame = frame_of(rows)
    frame = frame[frame["a"] > rows[:130, 0].max()]
    assert min(frame.map_partitions(len).compute()) == 0
    image = StandardScaler().fit(in_memory(rows)).transform(frame)
    pd.testing.assert_index_equal(image.compute().index, frame.compute().index)


def test_inverting_goes_by_name(rows, computations):
    scaler = StandardScaler().fit(in_memory(rows))
    image = scaler.transform(frame_of(rows))
    some = scaler.inverse_transform(image[["d", "b"]])
    assert some.columns.tolist() == ["b", "d"]
    with pytest.raises(SchemaError, match=r"Unknown: 'z'"):
        scaler.inverse_transform(image.rename(columns={"a": "z"}))
    assert computations == []
    np.testing.assert_allclose(some.compute(), rows[:, [1, 3]])


def test_names_are_warned_of_once(rows):
    named, plain = StandardScaler().fit(in_memory(rows)), StandardScaler().fit(rows)
    for fitted, X in ((named, da.from_array(rows, chunks=100)), (plain, frame_of(rows))):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            image = fitted.transform(X).compute()
        assert len(caught) == 1
        np.testing.assert_allclose(image, plain.transform(rows), atol=1e-12)
    with pytest.warns(UserWarning, match=r"valid feature names") as warned:
        named.partial_fit(da.from_array(rows, chunks=100))
    assert len(warned) == 1
    with pytest.warns(UserWarning, match=r"has feature names"):
        assert list(plain.transform(frame_of(rows)).columns) == ["x0", "x1", "x2", "x3"]


def test_an_infinity_is_placed(rows):
    fitted, bad = StandardScaler().fit(in_memory(rows)), in_memory(rows)
    bad.iloc[130, 2] = np.inf
    with pytest.raises(InfiniteValueError, match=r"In partition 1: .*inf in row 10, column 'c'"):
        fitted.transform(dd.from_pandas(bad, npartitions=5)).compute()
    with (
        pytest.warns(UserWarning, match=r"names"),
        pytest.raises(InfiniteValueError, match=r"In partition 1"),
    ):
        fitted.transform(da.from_array(bad.to_numpy(), chunks=(120, 4))).compute()


def test_the_caller_s_rows_are_not_written_to(rows):
    before = rows.copy()
    for transformer in (StandardScaler(copy=False), MinMaxScaler(copy=False)):
        X = da.from_array(rows, chunks=(200, -1), asarray=False)
        fitted = transformer.fit(X)
        fitted.inverse_transform(fitted.transform(X)).compute()
        np.testing.assert_array_equal(rows, before)


@pytest.mark.parametrize("transformer", [StandardScaler(), PCA()], ids=repr)
def test_the_graph_has_the_transformer_once_and_small(transformer, rows):
    wide = np.random.default_rng(0).normal(size=(1000, 100))
    fitted = transformer.fit(wide)
    X = da.zeros((100_000, 100), chunks=(1000, 100))
    graph = dict(fitted.transform(X).__dask_graph__())
    sizes = [len(pickle.dumps(task)) for task in graph.values()]
    assert sum(size > 5000 for size in sizes) == 1
    assert max(sizes) < len(pickle.dumps(fitted)) + 1000
    assert b"statistic_" not in pickle.dumps(PCA().fit(wide).transform(X).__dask_graph__())


def test_the_same_transform_of_the_same_rows_has_the_same_name(rows):
    X, fitted = da.from_array(rows, chunks=100), StandardScaler().fit(rows)
    assert fitted.transform(X).name == fitted.transform(X).name
    assert fitted.transform(X).name != fitted.inverse_transform(X).name
    assert fitted.transform(X).name != StandardScaler().fit(rows * 2).transform(X).name


def test_a_later_fit_changes_no_earlier_result(rows):
    scaler = StandardScaler().fit(rows)
    image, expected = scaler.transform(da.from_array(rows, chunks=100)), scaler.transform(rows)
    scaler.fit(rows * 3 + 1)
    np.testing.assert_array_equal(image.compute(), expected)


def test_a_pipeline_of_frames_keeps_names(rows, computations):
    frame = frame_of(rows)
    pipeline = make_pipeline(StandardScaler(), PCA(n_components=2)).fit(frame)
    image = pipeline.transform(frame)
    assert len(computations) == 2
    assert image.columns.tolist() == ["pca0", "pca1"]
    assert pipeline.set_output(transform="pandas").transform(frame).divisions == frame.divisions


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_threads_give_the_same_bits(scheduler, rows):
    X = da.from_array(rows, chunks=(50, -1))
    with dask.config.set(scheduler=scheduler):
        for transformer in TRANSFORMERS[:5]:
            fitted = clone(transformer).fit(X)
            with dask.config.set(scheduler="synchronous"):
                other = clone(transformer).fit(X)
            assert fitted.statistic_ == other.statistic_
            np.testing.assert_array_equal(fitted.transform(X), other.transform(X))


def test_dask_is_imported_by_nobody_who_has_none():
    code = (
        "import sys, numpy, skscale, skscale.testing, skscale.leakage, skscale.model_selection\n"
        "skscale.PCA().fit_transform(numpy.eye(3))\n"
        "assert not any(name.split('.')[0] in ('dask', 'distributed') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=skscale.__path__[0] + "/..")
