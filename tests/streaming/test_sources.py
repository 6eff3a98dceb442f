"""Rows from anywhere are measured as the same table in memory is, to the bit."""

import gzip
import os
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.dataset as ds
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone

from skscale import PCA, BatchNormalizer, MinMaxScaler, StandardScaler
from skscale._reduce import tree_reduce
from skscale.errors import (
    InvalidParameterError,
    MissingDependencyError,
    NonNumericColumnError,
    SchemaError,
    SourceError,
)
from skscale.streaming import fit_blocks

from ..draws import cut_positions
from .streams import DEEP, N_ROWS, NAMES, TRANSFORMERS, Counted, assert_same_fit, rows, small_blocks

DTYPES = {"float64": np.float64, "float32": np.float32}
X = {name: rows(dtype=dtype) for name, dtype in DTYPES.items()}
ARROW = {name: pa.table(dict(zip(NAMES, values.T, strict=True))) for name, values in X.items()}
POLARS = {name: pl.from_arrow(table) for name, table in ARROW.items()}

LABELS = {
    "float64": ["StandardScaler", "PCA", "BatchNormalizer momentum"],
    "float32": ["StandardScaler"],
}

every = pytest.mark.parametrize("transformer", TRANSFORMERS.values(), ids=TRANSFORMERS)
both_dtypes = pytest.mark.parametrize("dtype", DTYPES)


def pieces(table, *cuts):
    cuts = [0, *cuts, len(table)]
    return [table.slice(a, b - a) for a, b in pairwise(cuts)]


def as_parquet(path, table, *cuts):
    with pq.ParquetWriter(path, table.schema) as writer:
        for piece in pieces(table, *cuts):
            writer.write_table(piece, row_group_size=max(1, len(piece)))
    return path


def as_many_files(path, table):
    """Files in the order of their names, of which one has no rows and one many row groups."""
    path.mkdir()
    for i, part in enumerate(pieces(table, 100, 100, 101, 700)):
        as_parquet(path / f"{i}.parquet", part, *range(9, len(part), 9))
    return path


def as_feather(path, table, chunksize=77):
    feather.write_feather(table, str(path), chunksize=chunksize)
    return path


def as_ipc(path, table):
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        for piece in pieces(table, 0, 1, 500):
            writer.write_table(piece)
    return path


def memory_mapped(path, values, order="C"):
    mapped = np.lib.format.open_memmap(
        path, "w+", values.dtype, values.shape, fortran_order=order == "F"
    )
    mapped[:] = values
    mapped.flush()
    return np.load(path, mmap_mode="r")


def of_zarr(path, values):
    zarr = pytest.importorskip("zarr", reason="zarr is not installed")
    made = zarr.open_array(
        str(path), mode="w", shape=values.shape, chunks=(77, 3), dtype=values.dtype
    )
    made[:] = values
    return made


def of_duckdb(path, table):
    skip_without_streams()
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    file = as_parquet(path / "queried.parquet", table, 10, 500)
    return duckdb.sql(f"SELECT * FROM read_parquet('{file}')")


def skip_without_streams():
    if not hasattr(pa.RecordBatchReader, "from_stream"):
        pytest.skip("pyarrow before 15 reads no streams of others")


def reader(table, *cuts):
    batches = [batch for piece in pieces(table, *cuts) for batch in piece.to_batches()]
    return pa.RecordBatchReader.from_batches(table.schema, batches)


# From a directory and the name of a dtype to a source, and the same table in memory.
SOURCES = {
    "Parquet": lambda path, of: as_parquet(path / "one.parquet", ARROW[of]),
    "Parquet, row groups": lambda path, of: as_parquet(path / "x.parquet", ARROW[of], 1, 9, 9, 640),
    "Parquet, directory": lambda path, of: as_many_files(path / "many", ARROW[of]),
    "Parquet, pattern": lambda path, of: f"{as_many_files(path / 'many', ARROW[of])}/*.parquet",
    "Parquet, paths": lambda path, of: sorted(as_many_files(path / "many", ARROW[of]).iterdir()),
    "Feather": lambda path, of: as_feather(path / "one.feather", ARROW[of]),
    "Arrow IPC": lambda path, of: as_ipc(path / "one.arrow", ARROW[of]),
    "Dataset": lambda path, of: ds.dataset(as_many_files(path / "many", ARROW[of])),
    "Dataset of Feather": lambda path, of: ds.dataset(
        as_feather(path / "one.feather", ARROW[of]), format="feather"
    ),
    "ParquetFile": lambda path, of: pq.ParquetFile(as_parquet(path / "x.pq", ARROW[of], 5, 900)),
    "Table": lambda path, of: ARROW[of],
    "Table of chunks": lambda path, of: pa.concat_tables(pieces(ARROW[of], 0, 3, 3, 800)),
    "RecordBatch": lambda path, of: ARROW[of].to_batches()[0],
    "DuckDB": lambda path, of: of_duckdb(path, ARROW[of]),
    "callable": lambda path, of: lambda: reader(ARROW[of], 300),
    "polars DataFrame": lambda path, of: POLARS[of],
    "polars LazyFrame": lambda path, of: POLARS[of].lazy(),
    "polars scan": lambda path, of: pl.scan_parquet(as_parquet(path / "x.parquet", ARROW[of], 7)),
    "pandas": lambda path, of: ARROW[of].to_pandas(),
    "array": lambda path, of: X[of],
    "Fortran order": lambda path, of: np.asfortranarray(X[of]),
    "memmap": lambda path, of: memory_mapped(path / "x.npy", X[of]),
    "memmap, Fortran order": lambda path, of: memory_mapped(path / "x.npy", X[of], "F"),
    "Zarr": lambda path, of: of_zarr(path / "x.zarr", X[of]),
}


def in_memory(name, of):
    if "polars" in name:
        return POLARS[of]
    if name == "pandas":
        return ARROW[of].to_pandas()
    if "Fortran" in name:
        return np.asfortranarray(X[of])
    return X[of] if name in ("array", "memmap", "Zarr") else ARROW[of]


@pytest.mark.filterwarnings("ignore:.*collect_batches.*")
@both_dtypes
@pytest.mark.parametrize("name", SOURCES)
def test_rows_from_anywhere_give_the_bits_of_the_table(name, dtype, tmp_path):
    if name in ("polars LazyFrame", "polars scan") and not hasattr(pl.LazyFrame, "collect_batches"):
        pytest.skip("this polars gives no batches of a LazyFrame")
    source, table = SOURCES[name](tmp_path, dtype), in_memory(name, dtype)
    with small_blocks():
        for label in TRANSFORMERS if DEEP else LABELS[dtype]:
            transformer = TRANSFORMERS[label]
            streamed = fit_blocks(clone(transformer), source)
            assert_same_fit(streamed, clone(transformer).fit(table), label)


@both_dtypes
@every
def test_a_reader_gives_the_bits_of_the_table(transformer, dtype):
    with small_blocks():
        streamed = fit_blocks(clone(transformer), reader(ARROW[dtype], 0, 3, 3, 800))
        assert_same_fit(streamed, clone(transformer).fit(ARROW[dtype]))


@pytest.mark.parametrize("name", ["StandardScaler", "PCA", "BatchNormalizer momentum"])
@given(data=st.data())
@settings(max_examples=1000 if DEEP else 15)
def test_bits_do_not_depend_on_batches_and_blocks(name, data):
    n_rows = data.draw(st.integers(1, 120), label="rows")
    cuts = data.draw(cut_positions(n_rows, empty=True), label="cuts")
    block = data.draw(st.integers(1, 200), label="block")
    piece = data.draw(st.integers(1, 200), label="piece")
    weights = data.draw(st.sampled_from([None, np.arange(n_rows) % 3 + 0.5]), label="weights")
    table = ARROW["float64"].slice(0, n_rows)
    transformer = PCA() if name == "PCA" else TRANSFORMERS[name]
    with small_blocks(block, piece):
        reference = clone(transformer).fit(table, sample_weight=weights)
        source = reader(table, *cuts)
        assert_same_fit(fit_blocks(clone(transformer), source, sample_weight=weights), reference)
        again = fit_blocks(clone(transformer), table, sample_weight=weights)
        assert_same_fit(again, reference)


@every
def test_integers_and_missing_values(transformer):
    """Integers that float64 cannot hold are exact; NaN is what it is for `fit`."""
    integers = (2**60 + np.arange(N_ROWS * 2, dtype=np.int64) ** 2).reshape(-1, 2)
    table = pa.table({"a": integers[:, 0], "b": integers[:, 1]})
    transformer = (
        clone(transformer).set_params(n_components=2)
        if "n_components" in (transformer.get_params())
        else clone(transformer)
    )
    with small_blocks():
        assert_same_fit(
            fit_blocks(clone(transformer), reader(table, 3, 900)), clone(transformer).fit(table)
        )
        if "PCA" in repr(transformer) or "Whitener" in repr(transformer):
            return
        holed = X["float64"].copy()
        holed[::7, 1] = np.nan
        frame = pa.table(dict(zip(NAMES, holed.T, strict=True)))
        nulls = pa.table([pa.array(column, from_pandas=True) for column in holed.T], NAMES)
        for given_table in (frame, nulls):
            streamed = fit_blocks(clone(transformer), reader(given_table, 3, 900))
            assert_same_fit(streamed, clone(transformer).fit(given_table))


# CSV --------------------------------------------------------------------------------------------


def csv_of(path, values, ends="\n"):
    lines = [",".join(map(repr, row)) for row in values.tolist()]
    text = ends.join([",".join(NAMES), *lines]) + ends
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", newline="") as file:
        file.write(text)
    return path


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_csv(ending, tmp_path):
    path = csv_of(tmp_path / f"x{ending}", X["float64"], "\r\n")
    with small_blocks():
        for source in (path, str(path), [path], tmp_path, tmp_path / "*.csv*"):
            streamed = fit_blocks(StandardScaler(), source)
            assert_same_fit(streamed, StandardScaler().fit(ARROW["float64"]))


def test_csv_whose_columns_begin_like_others(tmp_path):
    """Arrow takes types from the first block of a file, and would stop at what they do not fit."""
    n_rows = 200_000  # more than a block of Arrow's
    table = pd.DataFrame(
        {
            "integers first": [str(i) for i in range(n_rows - 1)] + ["0.5"],
            "missing first": [""] * (n_rows - 1) + ["0.5"],
            "quoted": ['"1.5"'] * n_rows,
        }
    )
    path = tmp_path / "x.csv"
    lines = (",".join(row) for row in table.itertuples(index=False))
    path.write_text("\n".join([",".join(table.columns), *lines]) + "\n")
    fitted = fit_blocks(StandardScaler(), path)
    frame = pd.read_csv(path)
    np.testing.assert_allclose(fitted.mean_, frame.mean(), rtol=1e-14)
    np.testing.assert_array_equal(fitted.n_samples_seen_, [n_rows, 1, n_rows])


def test_text_in_csv_is_named(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("age,name\n1,x\n2,y\n")
    with pytest.raises(NonNumericColumnError, match=r"Block 0 of .*x.csv.*'name'"):
        fit_blocks(StandardScaler(), path)
    n_rows = 200_000
    path.write_text("age\n" + "1234567\n" * n_rows + "none of your business\n")
    with pytest.raises(SourceError, match=r"Block \d+ .*x.csv has 'none of your b.* 'age'") as e:
        fit_blocks(StandardScaler(), path)
    assert e.value.block >= 0
    assert "damaged" not in str(e.value)
    assert "is taken from its first rows. Clean the column, or pass pandas.read_csv" in str(e.value)
    path.write_text("age,size\n" + "1234567,1\n" * n_rows + "1\n")
    with pytest.raises(SourceError, match=r"x.csv is damaged: .*Expected 2 columns, got 1"):
        fit_blocks(StandardScaler(), path)


def test_integers_in_csv_that_float64_cannot_hold(tmp_path):
    path = tmp_path / "x.csv"
    ids = 2**60 + 2 * np.arange(N_ROWS) + 1
    table = pd.DataFrame({"id": ids, "less": -ids, "n": ids - 2**60, "x": X["float64"][:, 0]})
    table.to_csv(path, index=False)
    in_memory = csv.read_csv(path)
    assert in_memory.schema.types == [pa.int64()] * 3 + [pa.float64()]
    with small_blocks():
        for transformer in (StandardScaler(), MinMaxScaler(), PCA(2)):
            fitted = fit_blocks(clone(transformer), path)
            assert_same_fit(fitted, clone(transformer).fit(in_memory))
    path.write_text("id\n" + f"{2**60}\n\n" * 100_000 + "0.5\n")
    with pytest.raises(SourceError, match=r"x.csv has '0.5' in column 'id', .* type, int64"):
        fit_blocks(StandardScaler(), path)
    path.write_text("id\n" + f"{2**53}\n" * 100_000 + "0.5\n")
    assert fit_blocks(MinMaxScaler(), path).data_min_ == [0.5]


# Sources that Arrow shows differently -----------------------------------------------------------


def test_a_filtered_dataset_and_a_partitioned_one(tmp_path):
    table = ARROW["float64"].append_column("part", pa.array(np.arange(N_ROWS) % 2))
    pq.write_to_dataset(table, tmp_path / "parts", partition_cols=["part"])
    dataset = ds.dataset(tmp_path / "parts", partitioning="hive")
    with small_blocks():
        assert_same_fit(
            fit_blocks(StandardScaler(), dataset), StandardScaler().fit(dataset.to_table())
        )
        filtered = dataset.filter(pc.field("a") > 10)
        kept = filtered.to_table()
        assert 0 < len(kept) < N_ROWS
        assert_same_fit(fit_blocks(StandardScaler(), filtered), StandardScaler().fit(kept))


def test_a_dataset_of_csv_is_not_read_to_count_its_rows(tmp_path, monkeypatch):
    path = csv_of(tmp_path / "x.csv", X["float64"])
    dataset = ds.dataset(path, format="csv")

    class Uncounted:
        """A Dataset that cannot be counted."""

        schema, get_fragments = dataset.schema, dataset.get_fragments

    Uncounted.__module__ = "pyarrow.dataset"
    fitted = fit_blocks(StandardScaler(), Uncounted())
    assert_same_fit(fitted, StandardScaler().fit(ARROW["float64"]))


def test_a_duckdb_query_gives_the_bits_of_the_parquet_file(tmp_path):
    skip_without_streams()
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    path = as_parquet(tmp_path / "x.parquet", ARROW["float64"], 10, 500)
    query = duckdb.sql(f"SELECT b, a, sqrt(c * c) AS c FROM read_parquet('{path}') WHERE a > 5")
    table = query.to_arrow_table() if hasattr(query, "to_arrow_table") else query.arrow()
    with small_blocks():
        for transformer in (StandardScaler(), BatchNormalizer(batch_size=8, momentum=0.2)):
            whole = fit_blocks(clone(transformer), duckdb.sql(f"SELECT * FROM '{path}'"))
            assert_same_fit(whole, fit_blocks(clone(transformer), path))
            assert_same_fit(fit_blocks(clone(transformer), query), clone(transformer).fit(table))


def test_a_query_is_run_anew_for_every_pass(tmp_path):
    skip_without_streams()
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    path = as_parquet(tmp_path / "x.parquet", ARROW["float64"])
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(BatchNormalizer(batch_size=16, momentum=0.1), MinMaxScaler())
    query = duckdb.sql(f"SELECT * FROM '{path}'")
    fitted = fit_blocks(clone(model), query)
    assert_same_fit(fitted[-1], fit_blocks(clone(model), path)[-1])


def test_anything_that_exports_a_stream_once():
    skip_without_streams()

    class Cursor:
        """As of a database: neither a table nor of a library that is known."""

        def __arrow_c_stream__(self, requested_schema=None):
            return ARROW["float64"].__arrow_c_stream__(requested_schema)

    with small_blocks():
        assert_same_fit(
            fit_blocks(StandardScaler(), Cursor()), StandardScaler().fit(ARROW["float64"])
        )


def test_what_older_libraries_lack_is_said(monkeypatch):
    class Cursor:
        def __arrow_c_stream__(self, requested_schema=None): ...

    class LazyFrame:
        """Of a polars without `collect_batches`."""

    class RecordBatchReader:
        """Of a pyarrow without `from_stream`."""

    LazyFrame.__module__ = "polars.lazyframe.frame"
    with pytest.raises(MissingDependencyError, match=r"polars .* has no LazyFrame.collect_batches"):
        fit_blocks(StandardScaler(), LazyFrame())
    monkeypatch.setattr(pa, "RecordBatchReader", RecordBatchReader)
    with pytest.raises(MissingDependencyError, match=r"which pyarrow 15 or later can"):
        fit_blocks(StandardScaler(), Cursor())


# Blocks that somebody cut -----------------------------------------------------------------------

CUTS = [0, 1, 1, 300, 777, N_ROWS]
BLOCKS = [X["float64"][a:b] for a, b in pairwise(CUTS)]
FULL = [block for block in BLOCKS if len(block)]
WEIGHTS = np.arange(1, N_ROWS + 1) % 5 / 4.0


def frames(make):
    return [make(dict(zip(NAMES, block.T, strict=True))) for block in BLOCKS]


ITERABLES = {
    "list": BLOCKS,
    "tuple": tuple(BLOCKS),
    "generator": lambda: (block for block in BLOCKS),
    "iterator": lambda: iter(BLOCKS),
    "object": Counted(BLOCKS),
    "callable": Counted(BLOCKS).__call__,
    "pairs": [(block, np.zeros(len(block))) for block in BLOCKS],
    "pairs in lists": [[block, np.zeros(len(block))] for block in BLOCKS],
    "pandas": frames(pd.DataFrame),
    "polars": frames(pl.DataFrame),
    "pyarrow": frames(pa.table),
    "batches": [pa.RecordBatch.from_pydict(dict(zip(NAMES, b.T, strict=True))) for b in BLOCKS],
    "sparse": [sparse.csr_array(block) for block in BLOCKS],
    "nested lists": [block.tolist() for block in FULL],
    "Fortran order": [np.asfortranarray(block) for block in BLOCKS],
}


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weights"])
@pytest.mark.parametrize("name", ITERABLES)
def test_blocks_of_an_iterable_are_kept_as_they_are(name, weights):
    """Their statistics merge along the tree, each as `fit` has it."""
    blocks = ITERABLES[name]
    given_blocks = list(blocks() if callable(blocks) else blocks)
    tables = [
        block[0] if isinstance(block, tuple) or "pairs" in name else block for block in given_blocks
    ]
    if name == "batches":
        tables = [pa.Table.from_batches([batch]) for batch in tables]
    keep = [
        i
        for i, table in enumerate(tables)
        if (table.shape[0] if hasattr(table, "shape") else len(table))
    ]
    stops = np.cumsum([len(block) for block in FULL])
    parts = (
        dict(zip(keep, np.split(weights, stops[:-1]), strict=True)) if weights is not None else {}
    )
    for transformer in (StandardScaler(), MinMaxScaler(), BatchNormalizer(batch_size=16)):
        if name == "sparse":
            transformer = StandardScaler(with_mean=False)
        merged = tree_reduce(
            [
                clone(transformer).fit(tables[i], sample_weight=parts.get(i)).statistic_
                for i in keep
            ],
            lambda earlier, later: earlier.merge(later),
        )
        source = blocks() if name in ("generator", "iterator") else blocks
        fitted = fit_blocks(clone(transformer), source, sample_weight=weights)
        assert_same_fit(fitted.statistic_, merged)


def test_read_csv_in_chunks(tmp_path):
    path = csv_of(tmp_path / "x.csv", X["float64"])
    chunks = list(pd.read_csv(path, chunksize=100))
    merged = tree_reduce(
        [StandardScaler().fit(chunk).statistic_ for chunk in chunks],
        lambda earlier, later: earlier.merge(later),
    )
    with pd.read_csv(path, chunksize=100) as source:
        fitted = fit_blocks(StandardScaler(), source)
    assert_same_fit(fitted.statistic_, merged)
    assert fitted.feature_names_in_.tolist() == NAMES


def test_a_sparse_array_is_one_block():
    array = sparse.csr_array(np.where(rows(500) > 12, rows(500), 0.0))
    for made in (array, sparse.csc_array(array), sparse.coo_array(array)):
        fitted = fit_blocks(StandardScaler(with_mean=False), made, sample_weight=np.ones(500))
        reference = StandardScaler(with_mean=False).fit(made, sample_weight=np.ones(500))
        assert_same_fit(fitted, reference)


# What is no source ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (3, InvalidParameterError, "source must be the path of .*; got int"),
        (None, InvalidParameterError, "got NoneType"),
        ({"a": [1.0]}, InvalidParameterError, "got dict"),
        (b"data.parquet", InvalidParameterError, "got bytes"),
        ([], SourceError, "There are no rows in this list, so there is nothing to learn from"),
        (iter([]), SourceError, "There are no rows in this list_iterator"),
        (np.empty((0, 3)), SourceError, "There are no rows in this ndarray"),
        ([np.empty((0, 3))] * 3, SourceError, "There are no rows"),
        (lambda: iter(()), SourceError, "There are no rows in what <lambda> returns"),
        (lambda: 3, InvalidParameterError, "got int"),
        (np.zeros(5), ValueError, "Block 0 of this ndarray .*Expected 2D array, got 1D"),
        (np.array(5.0), SourceError, "0-d array"),
        (["a", 3], SchemaError, "Block 0 of this list .* must be a table, .*; got str"),
        ([pd.Series([1.0, 2.0])], ValueError, "Block 0 of this list.*Expected a 2-dimensional"),
        ([{"a": 1}], SchemaError, "must be a table, .*; got dict"),
        (np.array([["a", "b"]]), ValueError, "Block 0 of this ndarray"),
    ],
)
def test_what_is_no_source(source, error, message):
    scaler = StandardScaler()
    with pytest.raises(error, match=message):
        fit_blocks(scaler, source)
    assert vars(scaler) == vars(StandardScaler())


def test_files_that_are_not_there_or_none(tmp_path):
    for missing in (tmp_path / "no.parquet", tmp_path / "*.csv", tmp_path):
        with pytest.raises(FileNotFoundError, match=r"No file matches .*of .parquet, .pq, .csv"):
            fit_blocks(StandardScaler(), missing)
    (tmp_path / "x.xlsx").write_bytes(b"x")
    with pytest.raises(
        SourceError, match=r"x.xlsx is of no format that can be read piece by piece"
    ):
        fit_blocks(StandardScaler(), tmp_path / "x.xlsx")
    for name in ("x.parquet", "x.feather", "x.csv"):
        for content in (b"", b"PAR1"):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(SourceError, match=r"could not be opened|There are no rows"):
                fit_blocks(StandardScaler(), tmp_path / name)
    empty = as_parquet(tmp_path / "empty.parquet", ARROW["float64"].slice(0, 0))
    with pytest.raises(SourceError, match=r"There are no rows in .*empty.parquet"):
        fit_blocks(StandardScaler(), empty)


def test_files_with_other_columns_are_found_before_rows_are_read(tmp_path):
    as_parquet(tmp_path / "0.parquet", ARROW["float64"])
    as_parquet(tmp_path / "1.parquet", ARROW["float64"].select(["a", "c", "b", "d"]))
    with pytest.raises(SchemaError, match=r"1.parquet has other columns.* Expected the order"):
        fit_blocks(StandardScaler(), tmp_path)
    as_parquet(tmp_path / "1.parquet", ARROW["float64"].rename_columns(["a", "b", "c", "e"]))
    with pytest.raises(SchemaError, match=r"Unknown: \['e'\]. Missing: \['d'\]"):
        fit_blocks(StandardScaler(), tmp_path)


# Types in several files --------------------------------------------------------------------------


def of_type(path, values, kind):
    column = pa.array(map(bool, values) if kind == pa.bool_() else values, kind)
    pq.write_table(pa.table({"a": column, "b": np.arange(len(values))}), path)
    return path


def as_csv(path, *values):
    path.write_text("\n".join(["a,b", *(f"{value},1" for value in values)]) + "\n")
    return path


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (pa.float64(), pa.float32()),
        (pa.float32(), pa.float64()),
        (pa.int64(), pa.float32()),
        (pa.int32(), pa.float64()),
        (pa.bool_(), pa.float32()),
        (pa.int8(), pa.bool_()),
        (pa.decimal128(9, 2), pa.float32()),
    ],
    ids=str,
)
@pytest.mark.parametrize("n_rows", [2, 40, 198])
def test_numbers_of_different_types_in_files_are_float64(first, second, n_rows, tmp_path):
    values = [i % 2 for i in range(200)]
    parts = (values[:n_rows], first), (values[n_rows:], second)
    files = [of_type(tmp_path / f"{i}.parquet", *part) for i, part in enumerate(parts)]
    whole = pa.table({"a": np.array(values, float), "b": np.r_[:n_rows, : 200 - n_rows]})
    with small_blocks(block=64, piece=10):
        for transformer in (StandardScaler(), BatchNormalizer(batch_size=8, momentum=0.1)):
            fitted = fit_blocks(clone(transformer), files)
            assert_same_fit(fitted, clone(transformer).fit(whole))


@pytest.mark.parametrize("n_rows", [2, 40, 120, 198])
def test_dtypes_do_not_depend_on_the_rows_of_files(n_rows, tmp_path):
    values = X["float32"][:200, 0]
    for kinds in ("float64", "float32"), ("float32", "float64"), ("float32", None):
        parts = [values[:n_rows], values[n_rows:]]
        if kinds[1] is None:
            parts[1] = [None] * len(parts[1])
        files = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
        for file, part, kind in zip(files, parts, kinds, strict=True):
            pq.write_table(pa.table({"a": pa.array(part, kind)}), file)
        joined = pa.concat_arrays(
            [pa.array(part).cast("float64" if kinds[1] else "float32") for part in parts]
        )
        with small_blocks(block=32, piece=10):
            fitted = fit_blocks(StandardScaler(), files)
            assert_same_fit(fitted, StandardScaler().fit(pa.table({"a": joined})))


def test_large_integers_in_one_file_of_several(tmp_path):
    ids = [2**60 + 1, 2**60 + 3] * 50
    whole = {"a": np.array(ids + [0.5] * 100), "b": np.r_[:100, :100]}
    files = [
        of_type(tmp_path / "0.parquet", ids, pa.int64()),
        of_type(tmp_path / "1.parquet", [0.5] * 100, pa.float64()),
    ]
    with small_blocks(block=64, piece=10):
        for order in (slice(None), slice(None, None, -1)):
            table = pa.table({"a": whole["a"][order], "b": whole["b"]})
            fitted = fit_blocks(StandardScaler(), files[order])
            assert_same_fit(fitted, StandardScaler().fit(table))


def test_a_file_without_values_has_the_types_of_the_others(tmp_path):
    ids = [2**60 + 1, 2**60 + 3] * 50
    files = [
        of_type(tmp_path / "0.parquet", [None] * 40, pa.null()),
        of_type(tmp_path / "1.parquet", ids, pa.int64()),
    ]
    whole = pa.table({"a": pa.array([None] * 40 + ids), "b": np.r_[:40, :100]})
    with small_blocks(block=64, piece=10):
        assert_same_fit(fit_blocks(StandardScaler(), files), StandardScaler().fit(whole))
    empty, text = as_csv(tmp_path / "0.csv"), as_csv(tmp_path / "1.csv", "x", "y")
    fitted = fit_blocks(StandardScaler(), [empty, text], y="a")
    assert fitted.feature_names_in_.tolist() == ["b"]


def test_truth_values_and_numbers_in_csv(tmp_path):
    files = [as_csv(tmp_path / "0.csv", "true", "false"), as_csv(tmp_path / "1.csv", 3, 0.5)]
    for order in (files, files[::-1]):
        assert fit_blocks(MinMaxScaler(), order).data_max_.tolist() == [3.0, 1.0]
        assert fit_blocks(MinMaxScaler(), order).data_min_.tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("values", "kind"),
    [(["x"], pa.string()), ([0], pa.date32()), (["x"], pa.dictionary(pa.int32(), pa.string()))],
    ids=str,
)
def test_numbers_and_others_in_files_are_found_before_rows_are_read(values, kind, tmp_path):
    files = [
        of_type(tmp_path / "0.parquet", [1.0] * 2, pa.float64()),
        of_type(tmp_path / "1.parquet", [1] * 2, pa.int32()),
        of_type(tmp_path / "2.parquet", values, kind),
    ]
    with pytest.raises(SchemaError, match=r"^Column 'a' .*double.*0.parquet") as e:
        fit_blocks(StandardScaler(), files)
    assert f"({kind}) in {files[2]}" in str(e.value)
    with pytest.raises(SchemaError, match=r"^Column 'a' .*int32.*1.parquet") as e:
        fit_blocks(StandardScaler(), files[:0:-1])
    assert f"({kind}) in {files[2]}" in str(e.value)


# Names of files ---------------------------------------------------------------------------------


def test_folders_that_hold_a_column_are_refused(tmp_path):
    table = ARROW["float64"].append_column("part", pa.array(np.arange(N_ROWS) % 2))
    pq.write_to_dataset(table, tmp_path / "parts", partition_cols=["part"])
    for path in (tmp_path, tmp_path / "parts", tmp_path / "*" / "part=*" / "*.parquet"):
        with pytest.raises(SourceError, match=r"'part=0'.*partitioning=\"hive\"\) as the source"):
            fit_blocks(StandardScaler(), path)
    one = tmp_path / "parts" / "part=1"
    for chosen in (one, one / "*.parquet", list(one.iterdir())):
        fitted = fit_blocks(StandardScaler(), chosen)
        assert_same_fit(
            fitted, StandardScaler().fit(table.filter(pc.field("part") == 1).drop("part"))
        )


@pytest.mark.parametrize("name", ["X.PARQUET", "X.Feather", "X.CSV", "X.CSV.GZ", "x.csv.GZ"])
def test_suffixes_in_upper_case(name, tmp_path):
    makers = {"parquet": as_parquet, "feather": as_feather}
    lower = tmp_path / name.lower()
    if "csv" in name.lower():
        csv_of(lower, X["float64"])
    else:
        makers[lower.suffix[1:]](lower, ARROW["float64"])
    folder = tmp_path / "folder"
    folder.mkdir()
    lower.rename(folder / name)
    for source in (folder / name, folder):
        assert_same_fit(
            fit_blocks(StandardScaler(), source), StandardScaler().fit(ARROW["float64"])
        )


def test_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    as_parquet(tmp_path / "x.parquet", ARROW["float64"])
    for source in ("~/x.parquet", "~/*.parquet", "~"):
        assert_same_fit(
            fit_blocks(StandardScaler(), source), StandardScaler().fit(ARROW["float64"])
        )


def test_only_csv_is_read_from_gzip(tmp_path):
    path = tmp_path / "x.parquet.gz"
    path.write_bytes(gzip.compress(as_parquet(tmp_path / "x", ARROW["float64"]).read_bytes()))
    for source in (path, tmp_path):
        with pytest.raises(SourceError, match=r"x.parquet.gz is of no format .*and .csv.gz"):
            fit_blocks(StandardScaler(), source)


def test_the_source_is_never_changed(tmp_path):
    values = X["float64"].copy()
    values.flags.writeable = False
    fit_blocks(StandardScaler(), [values[:500], values[500:]])
    np.testing.assert_array_equal(values, X["float64"])
    path = as_parquet(tmp_path / "x.parquet", ARROW["float64"])
    before = (path.read_bytes(), os.stat(path).st_mtime_ns)
    fit_blocks(StandardScaler(), path)
    assert (path.read_bytes(), os.stat(path).st_mtime_ns) == before
