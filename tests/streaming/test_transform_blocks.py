"""Rows that are transformed block by block: the bits of one table, and nothing half-written."""

import os
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import dataset, feather, parquet
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer
from sklearn.preprocessing import StandardScaler as TheirScaler

from skscale import (
    PCA,
    BatchNormalizer,
    LayerNormalizer,
    MinMaxScaler,
    StandardScaler,
    Whitener,
    _reduce,
    thread_limit,
)
from skscale._tables import _files, _sink_files
from skscale.errors import (
    InfiniteValueError,
    InvalidParameterError,
    MissingDependencyError,
    SchemaError,
    SinkError,
    SourceError,
)
from skscale.streaming import transform_blocks

WIDTH = 12
N_ROWS = 2500
NAMES = [f"c{i}" for i in range(WIDTH)]
X = np.random.default_rng(0).normal(3.0, 2.0, size=(N_ROWS, WIDTH)) @ np.diag(np.arange(1, 13))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch, request):
    """Blocks of 85 rows, read in pieces of 33 to 41, by two threads."""
    if request.node.originalname == "test_bits_at_true_size":
        yield
        return
    monkeypatch.setattr(_reduce, "BLOCK", 1024)
    monkeypatch.setattr(_files, "PIECE", 500)
    with thread_limit(2):
        yield


@pytest.fixture
def table():
    return pa.table(dict(zip(NAMES, X.T, strict=True)))


@pytest.fixture
def fitted(table):
    return StandardScaler().fit(table)


def written(table, path):
    parquet.write_table(table, path, row_group_size=333)
    return path


PLACES = range(50) if os.environ.get("SKSCALE_TEST_PROFILE") == "deep" else (0, 1, 26, 49)
"""Blocks of 50 that have a fault."""


def our_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("skscale")]


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def joined(blocks):
    return np.concatenate(list(blocks))


# The bits of one table ----------------------------------------------------------------------------

TRANSFORMERS = {
    "StandardScaler": StandardScaler(),
    "MinMaxScaler": MinMaxScaler(),
    "PCA": PCA(5),
    "Whitener": Whitener(),
    "BatchNormalizer": BatchNormalizer(),
    "LayerNormalizer": LayerNormalizer(),
    "scaled PCA": make_pipeline(StandardScaler(), PCA(5)),
    "cuts of their own": make_pipeline(StandardScaler(), PCA(3), MinMaxScaler(), Whitener()),
    "three cuts": make_pipeline(PCA(7), Pipeline([("inner", PCA(4))]), "passthrough", PCA(2)),
    "theirs between": make_pipeline(LayerNormalizer(), TheirScaler(), PCA(2), TheirScaler()),
}


def sources(table, folder):
    path = written(table, folder / "rows.parquet")
    half = N_ROWS // 2
    written(table.slice(0, half), folder / "part-0.parquet")
    written(table.slice(half), folder / "part-1.parquet")
    feather.write_feather(table, folder / "rows.feather", chunksize=77)
    np.save(folder / "rows.npy", X)
    lazy = {"LazyFrame": pl.scan_parquet(path)} if hasattr(pl.LazyFrame, "collect_batches") else {}
    return {
        "Parquet": path,
        "pattern": str(folder / "part-*.parquet"),
        "Feather": folder / "rows.feather",
        "Dataset": dataset.dataset(path),
        "ParquetFile": parquet.ParquetFile(path),
        "RecordBatchReader": pa.RecordBatchReader.from_batches(
            table.schema, table.to_batches(max_chunksize=41)
        ),
        **lazy,
        "pandas": table.to_pandas(),
        "polars": pl.from_arrow(table),
        "pyarrow": table,
        "memmap": np.load(folder / "rows.npy", mmap_mode="r"),
        "callable": lambda: table,
    }


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_bits_are_those_of_the_table_in_memory(name, table, tmp_path):
    fitted = TRANSFORMERS[name].fit(table)
    expected = fitted.transform(table)
    for kind, source in sources(table, tmp_path).items():
        blocks = list(transform_blocks(fitted, source))
        assert len(blocks) > 5, kind
        assert same_bits(joined(blocks), expected), kind
    for frame in (table.to_pandas(), pl.from_arrow(table), pa.table(table.to_pandas())):
        assert same_bits(np.ascontiguousarray(fitted.transform(frame)), expected)


@pytest.mark.parametrize("name", ["scaled PCA", "cuts of their own"])
def test_bits_at_true_size(name, tmp_path):
    """Here matrix products are so large that their bits depend on how rows are cut and stored."""
    wide, narrow = _reduce.block_rows(25), _reduce.block_rows(18)
    rows = np.random.default_rng(1).normal(size=(2 * narrow + 1234, 25))
    names = [f"c{i}" for i in range(25)]
    table = pa.table(dict(zip(names, rows.T, strict=True)))
    parquet.write_table(table, tmp_path / "rows.parquet", row_group_size=50_000)
    steps = {"scaled PCA": [PCA(10)], "cuts of their own": [PCA(18), MinMaxScaler(), Whitener()]}
    fitted = make_pipeline(StandardScaler(), *steps[name]).fit(table)
    expected = np.ascontiguousarray(fitted.transform(table))
    blocks = list(transform_blocks(fitted, tmp_path / "rows.parquet"))
    assert {len(block) for block in blocks[:-1]} == {wide if name == "scaled PCA" else narrow}
    assert same_bits(joined(blocks), expected)
    by_row = pd.DataFrame(rows, columns=names, copy=False)
    assert by_row.to_numpy().flags.c_contiguous
    assert same_bits(fitted.transform(by_row), expected)
    assert same_bits(joined(transform_blocks(fitted, by_row)), expected)
    sink = tmp_path / "result.parquet"
    assert transform_blocks(fitted, tmp_path / "rows.parquet", sink) == sink
    assert same_bits(np.column_stack(parquet.read_table(sink).columns), expected)
    assert parquet.ParquetFile(sink).metadata.num_row_groups == 1


def test_blocks_of_an_iterable_are_kept_as_cut(fitted, table):
    cuts = [0, 1, 1, 700, N_ROWS]
    blocks = [table.slice(a, b - a) for a, b in pairwise(cuts)]
    result = list(transform_blocks(fitted, blocks))
    assert [len(block) for block in result] == [1, 699, N_ROWS - 700]  # one had no rows
    assert same_bits(joined(result), fitted.transform(table))
    pairs = ((block, np.zeros(len(block))) for block in blocks)
    assert same_bits(joined(transform_blocks(fitted, pairs)), fitted.transform(table))


def test_steps_of_other_widths_get_an_iterables_blocks_uncut(table):
    fitted = make_pipeline(PCA(7), Whitener()).fit(table)
    blocks = [table.slice(0, 700), table.slice(700)]
    for result, block in zip(transform_blocks(fitted, blocks), blocks, strict=True):
        assert same_bits(result, fitted.transform(block))


def test_float32(tmp_path):
    rows = X.astype(np.float32)
    np.save(tmp_path / "rows.npy", rows)
    for fitted in (StandardScaler().fit(rows), PCA(5).fit(rows)):
        source = np.load(tmp_path / "rows.npy", mmap_mode="r")
        assert same_bits(joined(transform_blocks(fitted, source)), fitted.transform(rows))


def test_sparse_rows(tmp_path):
    rows = sparse.csr_matrix(np.where(X[:300, :7] > 3.0, X[:300, :7], 0.0))
    fitted = StandardScaler(with_mean=False).fit(rows)
    expected = fitted.transform(rows)
    (block,) = transform_blocks(fitted, rows)
    assert (block != expected).nnz == 0
    assert same_bits(transform_blocks(fitted, rows, np.empty((300, 7))), expected.toarray())
    found = parquet.read_table(transform_blocks(fitted, rows, tmp_path / "a.parquet"))
    assert found.column_names == [f"x{i}" for i in range(7)]
    assert same_bits(np.column_stack(found.columns), expected.toarray())


@pytest.mark.parametrize("kind", ["pandas", "polars"])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_frames_are_given_if_asked_for(kind, n_threads, fitted, table, tmp_path):
    path = written(table, tmp_path / "rows.parquet")
    frame = {"pandas": pd.DataFrame, "polars": pl.DataFrame}[kind]
    with thread_limit(n_threads):
        with config_context(transform_output=kind):  # which threads do not inherit
            blocks = list(transform_blocks(fitted, path))
        own = list(transform_blocks(StandardScaler().set_output(transform=kind).fit(table), path))
    for block in [*blocks, *own]:
        assert type(block) is frame
        assert list(block.columns) == NAMES
    assert same_bits(joined(block.to_numpy() for block in own), fitted.transform(table))


# Threads ------------------------------------------------------------------------------------------


def test_a_generator_leaves_no_thread_and_no_rule_behind(fitted, table):
    blocks = transform_blocks(fitted, table)
    with np.errstate(under="raise"):
        next(blocks)
        assert len(our_threads()) == 2
        assert np.geterr()["under"] == "raise"
    blocks.close()
    assert our_threads() == []
    blocks = transform_blocks(fitted, table)
    next(blocks)
    del blocks
    assert our_threads() == []
    assert len(list(transform_blocks(fitted, table))) > 20
    assert our_threads() == []


def test_the_window_is_bounded(fitted):
    drawn = []

    def blocks():
        for number in range(50):
            drawn.append(number)
            yield pa.table(dict(zip(NAMES, X[:100].T, strict=True)))

    results = transform_blocks(fitted, blocks())
    for number, _ in enumerate(results):
        assert len(drawn) <= number + 4


@pytest.mark.parametrize("sink", [None, "result.parquet"])
def test_ctrl_c(sink, fitted, table, tmp_path):
    def blocks():
        for number in range(50):
            if number == 20:
                raise KeyboardInterrupt
            yield table.slice(50 * number, 50)

    if sink is not None:
        sink = tmp_path / sink
        sink.write_bytes(b"what was there")
    with pytest.raises(KeyboardInterrupt):
        list(transform_blocks(fitted, blocks(), sink))
    assert our_threads() == []
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"what was there"] * bool(sink)


# Files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["parquet", "pq", "feather", "arrow", "ipc"])
def test_names_types_and_nulls_are_kept(ending, tmp_path):
    n = 400
    holes = np.arange(n) % 7 == 0
    nan = np.where(np.arange(n) % 5 == 0, np.nan, X[:n, 0])
    table = pa.table(
        {
            "a": pa.array(X[:n, 0].astype(np.float32), mask=holes),
            "ü b": pa.array(nan, mask=holes),
            "small": pa.array(np.arange(n, dtype=np.int8) % 9),
            "long": pa.array(np.arange(n), mask=holes),
        }
    )
    fitted = StandardScaler().fit(table)
    path = written(table, tmp_path / "rows.parquet")
    sink = str(tmp_path / f"result.{ending}")
    assert transform_blocks(fitted, path, sink) == sink
    is_parquet = ending in ("parquet", "pq")
    found = (parquet if is_parquet else feather).read_table(sink)
    assert found.schema.names == table.schema.names
    assert found.schema.types == [pa.float32(), pa.float64(), pa.float64(), pa.float64()]
    expected = fitted.transform(table)
    for i, column in enumerate(found.columns):
        assert column.is_null().to_pylist() == table.column(i).is_null().to_pylist()
        values, wanted = column.to_numpy(), expected[:, i]
        assert np.array_equal(values, wanted.astype(values.dtype), equal_nan=True)
    present = found.column(1).drop_null().to_numpy()
    assert np.isnan(present).sum() == (np.isnan(nan) & ~holes).sum() > 0


def test_names_where_there_are_none_and_where_there_are_new_ones(table, tmp_path):
    sink = tmp_path / "result.parquet"
    transform_blocks(StandardScaler().fit(X), X, sink)
    assert parquet.read_schema(sink).names == [f"x{i}" for i in range(WIDTH)]
    transform_blocks(PCA(3).fit(table), table, sink)
    assert parquet.read_schema(sink).names == ["pca0", "pca1", "pca2"]


def test_names_that_nobody_knows(table, tmp_path):
    sink = tmp_path / "result.parquet"
    doubled = FunctionTransformer(np.negative)
    transform_blocks(doubled.fit(X), X, sink)
    assert parquet.read_schema(sink).names == [f"x{i}" for i in range(WIDTH)]
    with pytest.raises(SchemaError, match=r"^Block 0 of .*feature_names_out='one-to-one'"):
        transform_blocks(
            FunctionTransformer(lambda rows: np.ones(rows.shape)).fit(table), table, sink
        )
    frames = FunctionTransformer(lambda rows: rows.add_prefix("n"))
    transform_blocks(frames.fit(table), table, sink)
    assert parquet.read_schema(sink).names == [f"n{name}" for name in NAMES]


def test_frames_with_text_are_written(tmp_path):
    rows = pd.DataFrame({"a": [1.5, np.nan, 2.5], "b": ["x", None, "z"], "n": [1, 2, 3]})
    sink = tmp_path / "result.parquet"
    transform_blocks(FunctionTransformer().fit(rows), [rows, rows], sink)
    found = parquet.read_table(sink)
    assert found.column("a").to_pylist() == [1.5, None, 2.5] * 2
    assert found.column("b").to_pylist() == ["x", None, "z"] * 2
    assert found.column("n").to_pylist() == [1, 2, 3] * 2


@pytest.mark.parametrize("kind", ["default", "pandas"])
def test_types_of_pandas_columns_are_kept(kind, tmp_path):
    rows = pd.DataFrame({"a": [1.0, None, 3.0], "b": [1, 2, None], "c": [1.5, np.nan, 2.0]})
    rows = rows.astype({"a": "Float32", "b": "Int64"})
    fitted = StandardScaler().set_output(transform=kind).fit(rows)
    found = parquet.read_table(transform_blocks(fitted, [rows, rows], tmp_path / "a.parquet"))
    assert found.schema.types == [pa.float32(), pa.float64(), pa.float64()]
    assert [column.null_count for column in found.columns] == [2, 2, 2]  # as pandas writes NaN
    expected = np.asarray(fitted.set_output(transform="default").transform(rows))
    for i, column in enumerate(found.columns):
        values = column.drop_null().to_numpy()
        wanted = expected[~np.isnan(expected[:, i]), i].astype(values.dtype)
        assert np.array_equal(values, np.tile(wanted, 2))


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_row_groups_are_of_one_size(ending, fitted, table, tmp_path, monkeypatch):
    monkeypatch.setattr(_sink_files, "GROUP", 1200 * WIDTH)
    sink = transform_blocks(fitted, table, tmp_path / f"result.{ending}")
    if ending == "parquet":
        metadata = parquet.ParquetFile(sink).metadata
        sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    else:
        file = pa.ipc.open_file(sink)
        sizes = [file.get_batch(i).num_rows for i in range(file.num_record_batches)]
    assert sizes == [1200, 1200, 100]
    found = (parquet if ending == "parquet" else feather).read_table(sink)
    assert same_bits(np.column_stack(found.columns), fitted.transform(table))


def test_npy(fitted, table, tmp_path):
    sink = tmp_path / "result.npy"
    assert transform_blocks(fitted, table, sink) == sink
    assert same_bits(np.load(sink), fitted.transform(table))
    assert same_bits(np.asarray(np.load(sink, mmap_mode="r")), fitted.transform(table))
    blocks = (table.slice(start, 1000) for start in range(0, N_ROWS, 1000))  # of any number of rows
    transform_blocks(fitted, blocks, sink)
    assert same_bits(np.load(sink), fitted.transform(table))
    assert list(tmp_path.iterdir()) == [sink]


def test_npy_takes_numbers_only(tmp_path):
    text = FunctionTransformer(lambda rows: np.full(rows.shape, "a")).fit(X)
    with pytest.raises(InvalidParameterError, match=r"Block 0 .*dtype <U1.*\.parquet"):
        transform_blocks(text, X, tmp_path / "a.npy")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["parquet", "feather", "npy"])
def test_a_symbolic_link_is_written_through(ending, fitted, table, tmp_path):
    """To a file that was there, and to none yet."""
    (tmp_path / "store").mkdir()
    target, link = tmp_path / "store" / f"rows-1.{ending}", tmp_path / f"rows.{ending}"
    link.symlink_to(Path("store") / target.name)
    for _ in range(2):
        assert transform_blocks(fitted, table, link) == link
        assert link.is_symlink()
        assert not target.is_symlink()
        assert target.stat().st_size > X.nbytes // 2
        assert list((tmp_path / "store").iterdir()) == [target]
        target.write_bytes(b"what was there")
    with pytest.raises(SourceError):
        transform_blocks(fitted, other_blocks(table), link)
    assert link.is_symlink()
    assert target.read_bytes() == b"what was there"
    assert list((tmp_path / "store").iterdir()) == [target]
    astray = tmp_path / f"astray.{ending}"
    astray.symlink_to(tmp_path / "none" / "rows")
    with pytest.raises(FileNotFoundError, match=r"There is no directory .*none"):
        transform_blocks(fitted, table, astray)


@pytest.mark.skipif(os.name == "nt", reason="has no such permissions")
@pytest.mark.parametrize("ending", ["parquet", "feather", "npy"])
def test_permissions_of_a_file_are_kept(ending, fitted, table, tmp_path):
    sink, seen = tmp_path / f"rows.{ending}", []
    for mode in (0o600, 0o640, 0o444):
        sink.write_bytes(b"what was there")
        sink.chmod(mode)

        def blocks():
            for start in range(0, N_ROWS, 100):
                parts = tmp_path.glob(".rows*.part")
                seen.extend(part.stat().st_mode & 0o777 for part in parts)
                yield table.slice(start, 100)

        transform_blocks(fitted, blocks(), sink)
        assert sink.stat().st_mode & 0o777 == mode
        assert sink.stat().st_size > X.nbytes // 2
        sink.unlink()
    assert set(seen) == {0o600}
    old = os.umask(0o027)
    try:
        transform_blocks(fitted, table, sink)
    finally:
        os.umask(old)
    assert sink.stat().st_mode & 0o777 == 0o640


# Arrays -------------------------------------------------------------------------------------------


def test_arrays_are_filled(table, tmp_path):
    fitted = PCA(5).fit(table)
    expected = fitted.transform(table)
    mapped = np.memmap(tmp_path / "result", np.float64, "w+", shape=expected.shape)
    for sink in (np.empty(expected.shape), np.empty(expected.shape, order="F"), mapped):
        assert transform_blocks(fitted, table, sink) is sink
        assert np.array_equal(sink, expected)
    assert np.array_equal(np.fromfile(tmp_path / "result").reshape(expected.shape), expected)
    narrow = transform_blocks(fitted, table, np.empty(expected.shape, np.float32))
    assert np.array_equal(narrow, expected.astype(np.float32))


def test_zarr_arrays_are_filled(fitted, table, tmp_path):
    zarr = pytest.importorskip("zarr")
    path = str(tmp_path / "a.zarr")
    sink = zarr.open(path, mode="w", shape=X.shape, chunks=(100, 5), dtype="float64")
    assert transform_blocks(fitted, table, sink) is sink
    assert same_bits(sink[:], fitted.transform(table))


def test_an_array_of_another_shape_stays_as_it_is(fitted, table):
    blocks = [table.slice(0, 100), table.slice(100, 100)]
    for shape in [(N_ROWS, WIDTH - 1), (N_ROWS + 1, WIDTH), (N_ROWS - 1, WIDTH), (N_ROWS * WIDTH,)]:
        sink = np.full(shape, 7.0)
        with pytest.raises(InvalidParameterError) as caught:
            transform_blocks(fitted, table, sink)
        assert f"sink has shape {shape}" in str(caught.value)
        assert f"{N_ROWS} rows and {WIDTH} columns" in str(caught.value)
        assert (sink == 7.0).all()
    with pytest.raises(InvalidParameterError, match="int64, which cannot hold the float64"):
        transform_blocks(fitted, table, np.zeros((N_ROWS, WIDTH), np.int64))
    with pytest.raises(InvalidParameterError, match="at least 200 rows"):
        transform_blocks(fitted, iter(blocks), np.empty((150, WIDTH)))
    with pytest.raises(InvalidParameterError, match="has 250 rows, and only 200 came"):
        transform_blocks(fitted, iter(blocks), np.empty((250, WIDTH)))


def test_an_array_that_cannot_be_written_to(fitted, table):
    sink = np.empty(X.shape)
    sink.flags.writeable = False
    with pytest.raises(InvalidParameterError, match="mode='r\\+'"):
        transform_blocks(fitted, table, sink)


# What is refused ----------------------------------------------------------------------------------


def test_what_does_not_transform():
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(X, X[:, 0])
    for fitted in (model, LinearRegression(), "StandardScaler"):
        with pytest.raises(InvalidParameterError, match=r"transform_blocks\(pipeline\[:-1\]"):
            transform_blocks(fitted, X)


def half_fitted():
    """Only the last step is."""
    return Pipeline([("a", StandardScaler()), ("b", PCA(2).fit(X))])


@pytest.mark.parametrize(
    "unfitted",
    [
        StandardScaler(),
        LayerNormalizer(),
        TheirScaler(),
        make_pipeline(StandardScaler(), PCA(2)),
        make_pipeline(FunctionTransformer(), TheirScaler()),
        make_pipeline("passthrough", make_pipeline(PCA(2))),
        make_pipeline(make_column_transformer((StandardScaler(), [0]))),
        half_fitted(),
    ],
)
def test_what_is_not_fitted_is_refused_at_once(unfitted, tmp_path):
    drawn = []
    with pytest.raises(NotFittedError, match=r"^This .* is not fitted"):
        transform_blocks(unfitted, (drawn.append(i) or X[:10] for i in range(5)))
    assert drawn == [0]
    sink = tmp_path / "a.parquet"
    with pytest.raises(NotFittedError, match=r"^This .* is not fitted"):
        transform_blocks(unfitted, X, sink)
    assert list(tmp_path.iterdir()) == []
    assert our_threads() == []


class Doubled(TransformerMixin, BaseEstimator):
    """Learns nothing, and does not say so."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        if len(X) > 20:
            raise ValueError("too many")
        return 2 * np.asarray(X)


class Tripled:
    """No estimator at all."""

    def transform(self, X):
        return 3 * np.asarray(X)


class Averaged(Doubled):
    """Does not say that it is not fitted."""

    def transform(self, X):
        return X - self.mean_


def test_what_has_nothing_to_learn_need_not_be_fitted(table, tmp_path):
    rows = X[:20]
    for stateless, expected in (
        (Doubled(), 2 * rows),
        (Tripled(), 3 * rows),
        (FunctionTransformer(), rows),
        (Normalizer(), Normalizer().transform(rows)),
        (make_pipeline(StandardScaler().fit(rows), Doubled()), None),
        (Pipeline([("a", "passthrough")]), rows),
    ):
        (block,) = transform_blocks(stateless, rows)
        if expected is not None:
            assert same_bits(block, expected)
    with pytest.raises(ValueError, match=r"^Block 1 of .*too many"):
        list(transform_blocks(Doubled(), [rows, X[:30]]))
    with pytest.raises(NotFittedError, match=r"^This Averaged"):
        transform_blocks(Averaged(), rows)
    assert len(list(transform_blocks(Doubled(), [table.slice(0, 9)]))) == 1


@pytest.mark.parametrize("sink", ["a.csv", "a", "a.parquet.gz", 3, [1.0], b"a.parquet"])
def test_sinks_of_no_known_kind(sink, tmp_path, monkeypatch, fitted, table):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidParameterError, match=r"\.parquet"):
        transform_blocks(fitted, table, sink)
    assert list(tmp_path.iterdir()) == []


def test_paths_that_cannot_be_files(fitted, table, tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no directory"):
        transform_blocks(fitted, table, tmp_path / "none" / "a.parquet")
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(InvalidParameterError, match="is a directory"):
        transform_blocks(fitted, table, tmp_path / "folder.parquet")


def test_the_sources_own_files(fitted, table, tmp_path, monkeypatch):
    path = written(table, tmp_path / "rows.parquet")
    (tmp_path / "link.parquet").symlink_to(path)
    before = path.read_bytes()
    monkeypatch.chdir(tmp_path)
    given = [path, [path], "*.parquet", dataset.dataset(path), lambda: path]
    for source in given:
        for sink in (path, "rows.parquet", "link.parquet"):
            with pytest.raises(InvalidParameterError, match="one of the files that the rows"):
                transform_blocks(fitted, source, sink)
    np.save("rows.npy", X)
    mapped = np.load("rows.npy", mmap_mode="r+")
    for sink in ("rows.npy", np.load("rows.npy", mmap_mode="r+")):
        with pytest.raises(InvalidParameterError, match="one of the files that the rows"):
            transform_blocks(StandardScaler().fit(X), mapped, sink)
    assert path.read_bytes() == before
    assert np.array_equal(np.load("rows.npy"), X)


def test_the_sources_own_memory():
    rows = X.copy()
    for sink in (rows, rows[::-1]):
        with pytest.raises(InvalidParameterError, match="the same memory"):
            transform_blocks(StandardScaler().fit(X), rows, sink)
    assert np.array_equal(rows, X)


def test_without_pyarrow(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    fitted = StandardScaler().fit(X)
    with pytest.raises(MissingDependencyError, match="pip install pyarrow"):
        transform_blocks(fitted, X, tmp_path / "a.parquet")
    transform_blocks(fitted, X, tmp_path / "a.npy")
    assert same_bits(np.load(tmp_path / "a.npy"), fitted.transform(X))


# Faults -------------------------------------------------------------------------------------------


def other_blocks(table):
    yield table.slice(0, 100)
    raise OSError("the line was cut")


def other_block(fault, block):
    frame = block.to_pandas()
    if fault == "other names":
        return frame.rename(columns={"c3": "d3"})
    if fault == "fewer columns":
        return frame.drop(columns="c3")
    if fault == "text":
        return frame.assign(c3="text")
    if fault == "infinity":
        return frame.assign(c3=np.inf)
    if fault == "float32":
        return frame.astype(np.float32)
    raise OSError("the line was cut")


FAULTS = {
    "the reader raises": (SourceError, "could not be read: OSError: the line was cut"),
    "other names": (SchemaError, "d3"),
    "fewer columns": (SchemaError, "c3"),
    "text": (TypeError, "c3"),
    "infinity": (InfiniteValueError, "c3"),
    "float32": (SchemaError, "float"),
}


def cases():
    """Every fault at the first block and later ones; of each ending, where it matters."""
    for fault in FAULTS:
        for k in PLACES:
            if k > 0 or fault in ("the reader raises", "text", "infinity"):
                yield k, fault, "parquet"
        yield 26, fault, "feather"
        if fault != "float32":  # which fits into float64
            yield 26, fault, "npy"


@pytest.mark.parametrize(("k", "fault", "ending"), list(cases()))
def test_a_fault_names_its_block_and_leaves_no_file(k, fault, ending, table, tmp_path):
    fitted = StandardScaler().fit(table)

    def blocks():
        for number in range(50):
            block = table.slice(50 * number, 50)
            yield other_block(fault, block) if number == k else block.to_pandas()

    kind, words = FAULTS[fault]
    sink = tmp_path / f"result.{ending}"
    sink.write_bytes(b"what was there")
    with pytest.raises(kind, match=words) as caught:
        transform_blocks(fitted, blocks(), sink)
    assert f"Block {k} " in str(caught.value)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"what was there"]
    assert our_threads() == []


def test_a_npy_file_is_not_rounded_to_the_width_of_its_first_block(fitted, table, tmp_path):
    block = table.slice(0, 100).to_pandas()
    sink = tmp_path / "result.npy"
    with pytest.raises(SchemaError, match=r"^Block 1 .*12 columns of float64.* 12 of float32"):
        transform_blocks(fitted, [block.astype(np.float32), block], sink)
    assert list(tmp_path.iterdir()) == []
    transform_blocks(fitted, [block, block.astype(np.float32)], sink)
    assert np.load(sink).dtype == np.float64


@pytest.mark.parametrize("k", PLACES)
def test_a_generator_gives_what_comes_before_a_fault(k, fitted, table):
    blocks = (
        other_block("infinity" if number == k else "float32", table.slice(50 * number, 50))
        for number in range(50)
    )
    found = []
    with pytest.raises(InfiniteValueError, match=f"^Block {k} ") as caught:
        found.extend(transform_blocks(fitted, blocks))
    assert len(found) == k
    assert (caught.value.row, caught.value.column) == (50 * k, 3)


def test_damaged_files(fitted, table, tmp_path):
    whole = written(table, tmp_path / "rows.parquet").read_bytes()
    middle = len(whole) // 2
    (tmp_path / "rows.parquet").write_bytes(whole[:middle] + bytes(4000) + whole[middle + 4000 :])
    (tmp_path / "short.parquet").write_bytes(whole[:middle])
    before = sorted(tmp_path.iterdir())
    for source, words in (("rows", r"Block \d+ .*rows\.parquet"), ("short", r"short\.parquet")):
        with pytest.raises(SourceError, match=words):
            transform_blocks(fitted, tmp_path / f"{source}.parquet", tmp_path / "result.parquet")
    assert sorted(tmp_path.iterdir()) == before


def test_a_full_disk(tmp_path):
    """In a process whose files may have 300 kB, which is what 31 blocks take."""
    code = f"""
import resource
import numpy as np, pathlib
from skscale import StandardScaler, _reduce
from skscale._tables import _sink_files
from skscale.errors import SinkError
from skscale.streaming import transform_blocks
_reduce.BLOCK = _sink_files.GROUP = 1200
rows = np.random.default_rng(0).normal(size=(5000, 12))
fitted = StandardScaler().fit(rows)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
for ending in ("parquet", "feather", "npy"):
    sink = pathlib.Path({str(tmp_path / "result")!r} + "." + ending)
    sink.write_bytes(b"what was there")
    try:
        transform_blocks(fitted, rows, sink)
    except SinkError as error:
        print(error.block, error)
"""
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    messages = ran.stdout.splitlines()
    for ending, printed in zip(("parquet", "feather", "npy"), messages, strict=True):
        block, _, message = printed.partition(" ")
        assert 25 <= int(block) <= 32
        assert f"Block {block} (counted from 0) could not be written to" in message
        assert f"result.{ending}" in message
        assert "File too large" in message
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"what was there"] * 3


@pytest.mark.parametrize("k", PLACES)
def test_a_sink_that_fails_at_a_block(k, fitted, table):
    class Full(np.ndarray):
        def __setitem__(self, rows, values):
            if rows.start == 50 * k:
                raise OSError(28, "No space left on device")
            super().__setitem__(rows, values)

    sink = np.zeros(X.shape).view(Full)
    blocks = (table.slice(50 * number, 50) for number in range(50))
    with pytest.raises(SinkError, match=rf"Block {k} .* to this Full: .*No space left") as caught:
        transform_blocks(fitted, blocks, sink)
    assert caught.value.block == k
    expected = np.where(np.arange(N_ROWS)[:, None] < 50 * k, fitted.transform(table), 0.0)
    assert np.array_equal(sink, expected)
    assert our_threads() == []


def test_a_file_that_cannot_be_finished(fitted, table, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SinkError, match=r"Block 28 .*No space left") as caught:
        transform_blocks(fitted, table, tmp_path / "result.parquet")
    assert caught.value.block == 28
    assert list(tmp_path.iterdir()) == []


# Steps of others ----------------------------------------------------------------------------------


class Notes(TransformerMixin, BaseEstimator):
    """Notes what it is given; the values stay."""

    def fit(self, X, y=None):
        self.given_ = []
        return self

    def transform(self, X):
        self.given_.append(X)
        return np.asarray(X)


@pytest.fixture
def mixed():
    return pa.table(
        {
            "a": pa.array(X[:400, 0].astype(np.float32), mask=np.arange(400) % 7 == 0),
            "b": X[:400, 1],
            "n": np.arange(400, dtype=np.int16) % 50,
            "t": np.array(["x", "y"])[np.arange(400) % 2],
        }
    )


@pytest.mark.filterwarnings("error")
def test_steps_of_others_find_columns_by_name_in_files(mixed, tmp_path):
    frame = mixed.to_pandas()
    path = written(mixed, tmp_path / "rows.parquet")
    numbers = frame[["a", "b"]]
    two = written(mixed.select(["a", "b"]), tmp_path / "two.parquet")
    by_name = make_column_transformer((StandardScaler(), ["a", "b"]), remainder="passthrough")
    for fitted, source, given in (
        (by_name.fit(frame), path, frame),
        (make_pipeline(by_name, FunctionTransformer()).fit(frame), path, frame),
        (TheirScaler().fit(numbers), two, numbers),
        (make_pipeline(TheirScaler(), StandardScaler()).fit(numbers), two, numbers),
        (make_pipeline(FunctionTransformer(), TheirScaler()).fit(numbers), two, numbers),
    ):
        found = joined(transform_blocks(fitted, source))
        expected = np.asarray(fitted.transform(given))
        assert found.dtype == expected.dtype
        assert [[str(value) for value in row] for row in found] == [
            [str(value) for value in row] for row in expected
        ]


def test_steps_of_others_get_the_types_of_the_columns(mixed, tmp_path, monkeypatch):
    path = tmp_path / "rows.parquet"
    order = mixed.select(["n", "a", "b", "t"])
    noted = pa.Table.from_pandas(order.to_pandas().set_index("n"), preserve_index=True)
    assert noted.to_pandas().index.name == "n"  # as the metadata of the file say
    written(noted.select(["a", "b", "t", "n"]), path)
    notes = Notes().fit(None)
    list(transform_blocks(notes, path))
    for block in notes.given_:
        assert type(block) is pd.DataFrame
        assert block.columns.tolist() == ["a", "b", "t", "n"]
        assert [str(block[name].dtype) for name in "abn"] == ["float32", "float64", "int16"]
    assert np.isnan(notes.given_[0]["a"].to_numpy()[[0, 7]]).all()
    monkeypatch.setitem(sys.modules, "pandas", None)
    one = written(mixed.select(["a"]), tmp_path / "one.parquet")
    notes = Notes().fit(None)
    list(transform_blocks(notes, one))
    block = notes.given_[0]
    assert (type(block), block.dtype, block.ndim) == (np.ndarray, np.float32, 2)
    assert np.isnan(block[[0, 7], 0]).all()


def test_our_steps_get_arrow_tables(fitted, table, tmp_path, monkeypatch):
    given = []
    transform = StandardScaler.transform
    monkeypatch.setattr(
        StandardScaler, "transform", lambda self, X: given.append(type(X)) or transform(self, X)
    )
    path = written(table, tmp_path / "rows.parquet")
    list(transform_blocks(make_pipeline(fitted), path))
    assert set(given) == {pa.Table}
