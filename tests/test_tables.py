"""Any table of numbers gives what the float64 array gives, in the caller's kind of table."""

from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from skscale import PCA, BatchNormalizer, MinMaxScaler, StandardScaler, Whitener, errors
from skscale._kernels import as_rows
from skscale._tables._frames import columns_apart

from . import truth

SCALERS = [MinMaxScaler, StandardScaler, BatchNormalizer]
EVERY = [*SCALERS, PCA, Whitener]
NAMES = ["age", "height", "weight"]
INDEX = pd.Index([f"row {i}" for i in range(16)], name="who")
ROWS = np.random.default_rng(0).integers(-9, 9, size=(16, 3)).astype(np.float64)
FRAME = pd.DataFrame(ROWS, columns=NAMES, index=INDEX)
GAP = (3, 1)
"""Row and column of the missing value in the fixtures that have one."""
WITH_GAP = ROWS.copy()
WITH_GAP[GAP] = np.nan
FRAME_WITH_GAP = pd.DataFrame(WITH_GAP, columns=NAMES, index=INDEX)

every = pytest.mark.parametrize("kind", EVERY)
scalers = pytest.mark.parametrize("kind", SCALERS)


def read_only(rows):
    rows = rows.copy()
    rows.flags.writeable = False
    return rows


def with_gap(frame, mark):
    frame = frame.astype(object)
    frame.iloc[GAP] = mark
    return frame


def chunked(frame):
    return pa.concat_tables([pa.table(frame[:5]), pa.table(frame[5:6]), pa.table(frame[6:])])


# One row per kind of table: values, and the float dtype that the result comes in.
TABLES = {
    "list": (ROWS.tolist(), np.float64),
    "tuple of tuples": (tuple(map(tuple, ROWS)), np.float64),
    "array": (ROWS, np.float64),
    "Fortran order": (np.asfortranarray(ROWS), np.float64),
    "strided": (np.repeat(ROWS, 2, axis=0)[::2], np.float64),
    "reversed": (ROWS[::-1, ::-1].copy()[::-1, ::-1], np.float64),
    "read-only": (read_only(ROWS), np.float64),
    "float32": (ROWS.astype(np.float32), np.float32),
    "float16": (ROWS.astype(np.float16), np.float16),
    "longdouble": (ROWS.astype(np.longdouble), np.float64),
    "int8": (ROWS.astype(np.int8), np.float64),
    "int64": (ROWS.astype(np.int64), np.float64),
    "big-endian float64": (ROWS.astype(">f8"), np.float64),
    "big-endian float32": (ROWS.astype(">f4"), np.float32),
    "big-endian int32": (ROWS.astype(">i4"), np.float64),
    "objects": (ROWS.astype(object), np.float64),
    "objects, integers": (ROWS.astype(np.int64).astype(object), np.float64),
    "pandas": (FRAME, np.float64),
    "pandas float32": (FRAME.astype("float32"), np.float32),
    "pandas float16": (FRAME.astype("float16"), np.float16),
    "pandas floats mixed": (FRAME.astype({"age": "float32"}), np.float64),
    "pandas integers": (FRAME.astype("int64"), np.float64),
    "pandas integers and floats": (FRAME.astype({"age": "int32", "height": "float32"}), np.float64),
    "pandas objects": (FRAME.astype(object), np.float64),
    "pandas one column of objects": (FRAME.astype({"age": object}), np.float64),
    "pandas Float64": (FRAME.astype("Float64"), np.float64),
    "pandas Float32": (FRAME.astype("Float32"), np.float32),
    "pandas Int64": (FRAME.astype("Int64"), np.float64),
    "pandas Arrow double": (FRAME.astype("double[pyarrow]"), np.float64),
    "pandas Arrow int64": (FRAME.astype("int64[pyarrow]"), np.float64),
    "pandas, labels are numbers": (pd.DataFrame(ROWS), np.float64),
    "pandas, labels are tuples": (FRAME.set_axis([(n, 1) for n in NAMES], axis=1), np.float64),
    "pandas view": (pd.DataFrame(np.hstack([ROWS, ROWS])).iloc[:, :3], np.float64),
    "polars": (pl.DataFrame(ROWS, schema=NAMES), np.float64),
    "polars integers": (pl.DataFrame(ROWS.astype(np.int64), schema=NAMES), np.float64),
    "polars Float32": (pl.DataFrame(ROWS.astype(np.float32), schema=NAMES), np.float32),
    "arrow": (pa.table(FRAME.reset_index(drop=True)), np.float64),
    "arrow integers": (pa.table(FRAME.astype("int64").reset_index(drop=True)), np.float64),
    "arrow in chunks": (chunked(FRAME.reset_index(drop=True)), np.float64),
}
GAPS = {
    "array": WITH_GAP,
    "list": WITH_GAP.tolist(),
    "float32": WITH_GAP.astype(np.float32),
    "pandas": FRAME_WITH_GAP,
    "pandas objects": with_gap(FRAME, None),
    "pandas objects with NA": with_gap(FRAME, pd.NA),
    "pandas Float64": FRAME_WITH_GAP.astype("Float64"),
    "pandas Int64": FRAME_WITH_GAP.astype("Int64"),
    "pandas Arrow double": FRAME_WITH_GAP.astype("double[pyarrow]"),
    "pandas Arrow int64": FRAME_WITH_GAP.astype("Int64").astype("int64[pyarrow]"),
    "polars": pl.from_pandas(FRAME_WITH_GAP),
    "polars integers": pl.from_pandas(FRAME_WITH_GAP).cast(pl.Int64),
    "polars NaN": pl.DataFrame(WITH_GAP, schema=NAMES),
    "arrow": pa.Table.from_pandas(FRAME_WITH_GAP, preserve_index=False),
    "arrow integers": pa.Table.from_pandas(FRAME_WITH_GAP.astype("Int64"), preserve_index=False),
}


def tolerance(dtype):
    return 8 * float(np.finfo(dtype).eps)


def plain(table):
    return np.asarray(table, dtype=np.float64)


# Values ------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize(("table", "dtype"), TABLES.values(), ids=TABLES)
def test_same_values_as_the_array(kind, table, dtype):
    expected = kind().fit(ROWS)
    transformer = kind().fit(table)
    result = transformer.transform(table)
    assert type(result) is np.ndarray
    turns = kind in (PCA, Whitener)  # whose sums would leave the range of float16
    assert result.dtype == (np.float64 if turns and dtype == np.float16 else dtype)
    assert result.dtype.isnative
    atol = tolerance(dtype) * 4
    np.testing.assert_allclose(plain(result), expected.transform(ROWS), rtol=0, atol=atol)
    back = transformer.inverse_transform(result)
    np.testing.assert_allclose(plain(back), ROWS, rtol=0, atol=100 * atol)


@every
@pytest.mark.parametrize("table", [table for table, _ in TABLES.values()], ids=TABLES)
def test_same_statistic_from_batches(kind, table):
    """What is learned is of the numbers, whatever they come in."""
    batched = kind().partial_fit(table).partial_fit(table)
    expected = kind().partial_fit(ROWS).partial_fit(ROWS)
    assert type(batched.statistic_) is type(expected.statistic_)
    found = kind().fit_statistic(batched.statistic_).transform(ROWS)
    np.testing.assert_allclose(found, expected.transform(ROWS), rtol=0, atol=1e-13)


@scalers
@pytest.mark.parametrize("table", GAPS.values(), ids=GAPS)
def test_missing_values(kind, table):
    expected = kind().fit_transform(WITH_GAP)
    result = kind().fit_transform(table)
    assert np.isnan(result[GAP])
    np.testing.assert_allclose(plain(result), expected, rtol=0, atol=tolerance(result.dtype) * 4)


BOOLEANS = {
    "array": ROWS > 0,
    "list": (ROWS > 0).tolist(),
    "pandas": FRAME > 0,
    "pandas boolean": (FRAME > 0).astype("boolean"),
    "pandas Arrow": (FRAME > 0).astype("bool[pyarrow]"),
    "polars": pl.DataFrame(ROWS > 0, schema=NAMES),
    "arrow": pa.table((FRAME > 0).reset_index(drop=True)),
}


@every
@pytest.mark.parametrize("table", BOOLEANS.values(), ids=BOOLEANS)
def test_booleans_are_zeros_and_ones(kind, table):
    expected = kind().fit_transform((ROWS > 0).astype(np.float64))
    result = kind().fit_transform(table)
    assert result.dtype == np.float64
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-14)


WIDE = np.array([[2**60 + k * k, 5 * k, k] for k in range(16)])
WIDE_FRAME = pd.DataFrame(WIDE, columns=NAMES)
WIDE_TABLES = {
    "array": WIDE,
    "Fortran order": np.asfortranarray(WIDE),
    "big-endian": WIDE.astype(">i8"),
    "uint64": WIDE.astype(np.uint64),
    "pandas": WIDE_FRAME,
    "pandas, mixed": WIDE_FRAME.astype({"height": "float64", "weight": "float32"}),
    "pandas Int64": WIDE_FRAME.astype("Int64"),
    "pandas Arrow": WIDE_FRAME.astype("int64[pyarrow]"),
    "polars": pl.DataFrame(WIDE, schema=NAMES),
    "polars, mixed": pl.DataFrame(WIDE, schema=NAMES).with_columns(
        pl.col("height").cast(pl.Float64)
    ),
    "arrow": pa.table(WIDE_FRAME),
}


@scalers
@pytest.mark.parametrize("table", WIDE_TABLES.values(), ids=WIDE_TABLES)
def test_integers_that_float64_cannot_hold(kind, table):
    """All of their digits count: spacing at 2**60 is 256, and these differ by 1."""
    exact = truth.positions if kind is MinMaxScaler else truth.z_scores
    result = kind().fit_transform(table)
    for column in range(3):
        found = truth.digits(result[:, column], exact(WIDE[:, column]), scale=1)
        assert found >= truth.tolerance(8)


@pytest.mark.parametrize("kind", [PCA, Whitener])
@pytest.mark.parametrize("table", WIDE_TABLES.values(), ids=WIDE_TABLES)
def test_turned_integers_that_float64_cannot_hold(kind, table):
    expected = kind().fit_transform((WIDE - [2**60, 0, 0]).astype(np.float64))
    np.testing.assert_allclose(kind().fit_transform(table), expected, rtol=0, atol=1e-9)


@scalers
@pytest.mark.parametrize("missing", ["Int64", "polars", "arrow"])
def test_integers_that_float64_cannot_hold_beside_a_gap(kind, missing):
    """A missing value in the column does not round the others."""
    frame = WIDE_FRAME.astype("Int64")
    frame.iloc[GAP[0], 0] = pd.NA
    table = {"Int64": frame, "polars": None, "arrow": None}[missing]
    if missing != "Int64":
        values = [None if i == GAP[0] else int(v) for i, v in enumerate(WIDE[:, 0])]
        columns = {"age": values, "height": WIDE[:, 1], "weight": WIDE[:, 2]}
        table = pl.DataFrame(columns) if missing == "polars" else pa.table(columns)
    exact = truth.positions if kind is MinMaxScaler else truth.z_scores
    expected = exact(np.delete(WIDE[:, 0], GAP[0]))
    result = kind().fit_transform(table)[:, 0]
    assert np.isnan(result[GAP[0]])
    assert truth.digits(np.delete(result, GAP[0]), expected, scale=1) >= truth.tolerance(8)


def test_memory_map(tmp_path):
    """Read as it is, and written to only where the caller says so."""
    path = tmp_path / "rows"
    np.memmap(path, np.float64, "w+", shape=ROWS.shape)[:] = ROWS
    rows = np.memmap(path, np.float64, "r", shape=ROWS.shape)
    for kind in EVERY:
        result = kind().fit_transform(rows)
        np.testing.assert_allclose(result, kind().fit_transform(ROWS), rtol=0, atol=1e-14)
    np.testing.assert_array_equal(rows, ROWS)
    writable = np.memmap(path, np.float64, "r+", shape=ROWS.shape)
    StandardScaler(copy=False).fit(ROWS).transform(writable)
    np.testing.assert_array_equal(rows, StandardScaler().fit_transform(ROWS))


@pytest.mark.parametrize("kind", [StandardScaler, MinMaxScaler])
def test_read_only_rows_with_copy_false(kind):
    """Permission to write is no order to: rows that cannot be written to are copied."""
    rows = read_only(ROWS)
    result = kind(copy=False).fit_transform(rows)
    np.testing.assert_array_equal(rows, ROWS)
    np.testing.assert_array_equal(result, kind().fit_transform(ROWS))


# Sparse ------------------------------------------------------------------------------------

SPARSE = {
    "CSR array": sparse.csr_array,
    "CSC array": sparse.csc_array,
    "COO array": sparse.coo_array,
    "CSR matrix": sparse.csr_matrix,
    "CSC matrix": sparse.csc_matrix,
}


@pytest.mark.parametrize("make", SPARSE.values(), ids=SPARSE)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_sparse_rows_of_a_scaler(make, dtype):
    given = make(ROWS.astype(dtype))
    before = given.copy()
    scaler = StandardScaler(with_mean=False).fit(given)
    dense = StandardScaler(with_mean=False).fit(ROWS)
    np.testing.assert_allclose(scaler.var_, dense.var_, rtol=1e-14)
    np.testing.assert_allclose(scaler.mean_, dense.mean_, rtol=1e-14)
    result = scaler.transform(given)
    assert sparse.issparse(result)
    if given.format in ("csr", "csc"):
        assert type(result) is type(given)
    assert result.dtype == (np.float32 if dtype == np.float32 else np.float64)
    atol = tolerance(result.dtype)
    np.testing.assert_allclose(result.toarray(), dense.transform(ROWS), rtol=0, atol=atol)
    back = scaler.inverse_transform(result)
    assert sparse.issparse(back)
    np.testing.assert_allclose(back.toarray(), ROWS, rtol=0, atol=16 * atol)
    assert (given != before).nnz == 0


@pytest.mark.parametrize("make", SPARSE.values(), ids=SPARSE)
def test_sparse_missing_values(make):
    """A stored NaN is a missing value, a value that is not stored a zero."""
    given = make(np.where(ROWS < -3, 0, WITH_GAP))
    dense = StandardScaler(with_mean=False).fit(given.toarray())
    scaler = StandardScaler(with_mean=False).fit(given)
    np.testing.assert_allclose(scaler.var_, dense.var_, rtol=1e-14)
    np.testing.assert_array_equal(scaler.n_samples_seen_, dense.n_samples_seen_)
    result = scaler.transform(given).toarray()
    np.testing.assert_allclose(result, dense.transform(given.toarray()), rtol=1e-14)


def test_sparse_columns_of_a_frame():
    """scikit-learn takes them; that the numbers are stored in another way is no reason not to."""
    frame = FRAME.astype(pd.SparseDtype("float64", 0))
    result = StandardScaler(with_mean=False).fit_transform(frame)
    result = result.toarray() if sparse.issparse(result) else result
    expected = StandardScaler(with_mean=False).fit_transform(ROWS)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("make", SPARSE.values(), ids=SPARSE)
@pytest.mark.parametrize("solver", ["auto", "arpack", "covariance_eigh"])
def test_sparse_rows_of_pca(make, solver):
    pca = PCA(2, svd_solver=solver, random_state=0).fit(make(ROWS))
    dense = PCA(2).fit(ROWS)
    np.testing.assert_allclose(pca.singular_values_, dense.singular_values_, rtol=1e-13)
    result = pca.transform(make(ROWS))
    assert type(result) is np.ndarray
    np.testing.assert_allclose(result, dense.transform(ROWS), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", [MinMaxScaler, StandardScaler, BatchNormalizer, Whitener])
def test_sparse_rows_where_zeros_move(kind):
    for method in ("fit", "partial_fit", "fit_transform"):
        with pytest.raises((TypeError, ValueError), match=r"[Ss]parse.*(toarray|with_mean)"):
            getattr(kind(), method)(sparse.csr_array(ROWS))
    with pytest.raises((TypeError, ValueError), match=r"[Ss]parse.*(toarray|with_mean)"):
        kind().fit(ROWS).transform(sparse.csr_array(ROWS))


# Frames in, frames out ---------------------------------------------------------------------

# Kind of column in, and the kind that comes out: float dtypes stay, others become float64.
PANDAS_DTYPES = {
    "float64": "float64",
    "float32": "float32",
    "int64": "float64",
    "int8": "float64",
    "Float64": "Float64",
    "Float32": "Float32",
    "Int64": "Float64",
    "UInt8": "Float64",
    "double[pyarrow]": "double[pyarrow]",
    "float[pyarrow]": "float[pyarrow]",
    "int64[pyarrow]": "double[pyarrow]",
}


@scalers
@pytest.mark.parametrize(("given", "expected"), PANDAS_DTYPES.items(), ids=PANDAS_DTYPES)
def test_pandas_dtype_survives(kind, given, expected):
    frame = pd.DataFrame(abs(ROWS), columns=NAMES, index=INDEX).astype(given)
    scaler = kind().set_output(transform="pandas").fit(frame)
    for result in (scaler.transform(frame), scaler.inverse_transform(scaler.transform(frame))):
        assert list(map(str, result.dtypes)) == [expected] * 3
        assert result.index.equals(frame.index)
        assert list(result.columns) == NAMES


@scalers
def test_pandas_dtypes_survive_side_by_side(kind):
    dtypes = {"age": "float32", "height": "Int64", "weight": "float[pyarrow]"}
    scaler = kind().set_output(transform="pandas").fit(FRAME.astype(dtypes))
    result = scaler.transform(FRAME.astype(dtypes))
    assert list(map(str, result.dtypes)) == ["float32", "Float64", "float[pyarrow]"]
    expected = kind().fit_transform(ROWS)
    np.testing.assert_allclose(result.to_numpy(dtype=np.float64), expected, rtol=0, atol=1e-6)
    assert result.index.equals(INDEX)


@scalers
@pytest.mark.parametrize(
    "dtype", ["Float64", "Float32", "Int64", "double[pyarrow]", "float[pyarrow]"]
)
def test_missing_marks_survive(kind, dtype):
    """pd.NA stays pd.NA: it is not turned to NaN, and not to a number."""
    frame = FRAME_WITH_GAP.astype("Float64").astype(dtype)
    scaler = kind().set_output(transform="pandas").fit(frame)
    white = scaler.transform(frame)
    for result in (white, scaler.inverse_transform(white)):
        assert result.iloc[GAP] is pd.NA
        assert int(result.isna().sum().sum()) == 1
    np.testing.assert_allclose(
        white.to_numpy(dtype=np.float64, na_value=np.nan),
        kind().fit_transform(WITH_GAP),
        rtol=0,
        atol=1e-6,
    )


@every
@pytest.mark.parametrize("index", [INDEX, pd.date_range("2020", periods=16), [7] * 16])
def test_pandas_index_survives(kind, index):
    frame = FRAME.set_axis(index)
    transformer = kind().set_output(transform="pandas").fit(frame)
    white = transformer.transform(frame)
    assert white.index.equals(frame.index)
    assert transformer.inverse_transform(white).index.equals(frame.index)


@every
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pandas_float_dtype_of_every_class(kind, dtype):
    result = kind().set_output(transform="pandas").fit_transform(FRAME.astype(dtype))
    assert list(map(str, result.dtypes)) == [dtype] * 3


@scalers
def test_pandas_labels_that_are_not_text(kind):
    """They are no names to scikit-learn, which calls such columns x0, x1, ..."""
    frame = pd.DataFrame(ROWS, columns=[10, 20, 30])
    scaler = kind().set_output(transform="pandas").fit(frame)
    assert not hasattr(scaler, "feature_names_in_")
    result = scaler.transform(frame)
    assert list(result.columns) == ["x0", "x1", "x2"]
    np.testing.assert_allclose(scaler.inverse_transform(result).to_numpy(), ROWS, atol=1e-13)


@every
def test_polars_out(kind):
    frame = pl.DataFrame(ROWS, schema=NAMES)
    transformer = kind().set_output(transform="polars").fit(frame)
    white = transformer.transform(frame)
    assert isinstance(white, pl.DataFrame)
    assert white.columns == list(transformer.get_feature_names_out())
    np.testing.assert_allclose(white.to_numpy(), kind().fit_transform(ROWS), rtol=0, atol=1e-14)
    back = transformer.inverse_transform(white)
    assert isinstance(back, pl.DataFrame)
    assert back.columns == NAMES
    np.testing.assert_allclose(back.to_numpy(), ROWS, atol=1e-13)


@scalers
def test_polars_nulls_and_dtypes_survive(kind):
    """A null stays a null and a NaN a NaN."""
    columns = {"age": [1.0, None, 3.0], "height": [1.0, 2.0, float("nan")], "weight": [1, 2, None]}
    dtypes = {"age": pl.Float32, "height": pl.Float64, "weight": pl.Int32}
    frame = pl.DataFrame(columns, schema=dtypes)
    scaler = kind().set_output(transform="polars").fit(frame)
    white = scaler.transform(frame)
    for result in (white, scaler.inverse_transform(white)):
        assert result.dtypes == [pl.Float32, pl.Float64, pl.Float64]
        assert [result[name].null_count() for name in NAMES] == [1, 0, 1]
        assert result["age"][1] is None
        assert result["weight"][2] is None
        assert np.isnan(result["height"][2])


@every
@pytest.mark.parametrize("given", ["pandas", "polars", "arrow", "array"])
@pytest.mark.parametrize("wanted", ["pandas", "polars"])
def test_output_of_one_library_from_another(kind, given, wanted):
    table = {
        "pandas": FRAME,
        "polars": pl.DataFrame(ROWS, schema=NAMES),
        "arrow": pa.table(FRAME.reset_index(drop=True)),
        "array": ROWS,
    }[given]
    transformer = kind().set_output(transform=wanted)
    result = transformer.fit_transform(table)
    assert isinstance(result, {"pandas": pd.DataFrame, "polars": pl.DataFrame}[wanted])
    assert list(result.columns) == list(transformer.get_feature_names_out())
    np.testing.assert_allclose(result.to_numpy(), kind().fit_transform(ROWS), rtol=0, atol=1e-14)


@every
def test_names_of_every_library_are_learned(kind):
    for table in (FRAME, pl.DataFrame(ROWS, schema=NAMES), pa.table(FRAME.reset_index(drop=True))):
        assert kind().fit(table).feature_names_in_.tolist() == NAMES


@every
def test_fit_and_transform_from_two_libraries(kind):
    """A table is its numbers and names, whoever holds them."""
    transformer = kind().fit(FRAME)
    polars = transformer.transform(pl.DataFrame(ROWS, schema=NAMES))
    np.testing.assert_allclose(polars, transformer.transform(FRAME), rtol=0, atol=1e-14)


# Nothing is written to ---------------------------------------------------------------------


@every
@pytest.mark.parametrize("copy", [True, False])
def test_frames_are_not_written_to(kind, copy):
    """Not even with copy=False, for a frame may share its memory with others."""
    options = {"copy": copy} if "copy" in kind().get_params() else {}
    base = ROWS.copy()
    frame = pd.DataFrame(base, columns=NAMES, copy=False)
    view = frame.iloc[2:14]
    polars = pl.DataFrame(ROWS, schema=NAMES)
    for table in (frame, view, polars):
        transformer = kind(**options).fit(table)
        transformer.partial_fit(table)
        transformer.inverse_transform(transformer.set_output(transform="pandas").transform(table))
    np.testing.assert_array_equal(base, ROWS)
    assert polars.equals(pl.DataFrame(ROWS, schema=NAMES))


@scalers
def test_result_shares_no_memory_with_the_input(kind):
    for table in (ROWS, FRAME):
        result = kind().fit_transform(table)
        assert not np.shares_memory(result, np.asarray(table))


@every
def test_fitted_attributes_share_no_memory_with_the_input(kind):
    """One row is its own mean, minimum and maximum."""
    row = np.array([[1.0, 2.0, 3.0]])
    transformer = kind().fit(row)
    shared = [
        name
        for name, value in vars(transformer).items()
        if isinstance(value, np.ndarray) and np.shares_memory(value, row)
    ]
    assert shared == []
    before = transformer.transform([[2.0, 3.0, 5.0]])
    row[:] = 77
    np.testing.assert_array_equal(transformer.transform([[2.0, 3.0, 5.0]]), before)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, object])
def test_masked_values_are_missing(dtype):
    values = np.array([[1, 5], [2, 100], [3, 7], [4, 9]]).astype(dtype)
    masked = np.ma.masked_equal(values, 100)
    known = np.array([[1.0, 5], [2, np.nan], [3, 7], [4, 9]])
    scaler = StandardScaler().fit(masked)
    np.testing.assert_array_equal(scaler.mean_, [2.5, 7])
    scaled = scaler.transform(masked)
    assert type(scaled) is np.ndarray
    np.testing.assert_array_equal(np.isnan(scaled), np.isnan(known))
    np.testing.assert_allclose(scaled, StandardScaler().fit_transform(known), rtol=1e-6)
    assert masked.mask.sum() == 1
    assert (values[1, 1], masked.data[1, 1]) == (100, 100)
    with pytest.raises(ValueError, match="NaN"):
        PCA().fit(masked)


def test_an_empty_mask_changes_nothing():
    values = np.arange(8).reshape(4, 2) + 2**60
    masked = np.ma.masked_array(values)
    np.testing.assert_array_equal(
        MinMaxScaler().fit_transform(masked), MinMaxScaler().fit_transform(values)
    )


def test_missing_values_in_a_list():
    result = StandardScaler().fit_transform([[1, None], [2, 3]])
    np.testing.assert_array_equal(result, [[-1, np.nan], [1, 0]])


@scalers
def test_integers_that_float64_cannot_hold_as_objects(kind):
    integers = np.array([[2**60 + i] for i in range(5)])
    expected = kind().fit_transform(integers)
    np.testing.assert_array_equal(kind().fit_transform(integers.astype(object)), expected)
    assert len(np.unique(expected)) == 5


@pytest.mark.parametrize("kind", [PCA, Whitener])
def test_sums_beyond_float16(kind):
    """Rows of float16 may have projections outside its range: they come in float64."""
    rows = np.random.default_rng(0).normal(size=(50, 9)) * 100 + 30_000
    rows[::2] -= 60_000
    result = kind().fit_transform(rows.astype(np.float16))
    assert result.dtype == np.float64
    assert np.isfinite(result).all()


def test_column_that_never_had_a_value():
    for frame in (
        pl.DataFrame({"a": [1.0, 2.0], "b": [None, None]}),
        pa.table({"a": [1.0, 2.0], "b": pa.nulls(2)}),
    ):
        with pytest.warns(errors.AllMissingWarning, match="'b'"):
            result = StandardScaler().fit_transform(frame)
        np.testing.assert_array_equal(result, [[-1, np.nan], [1, np.nan]])


def test_columns_named_like_attributes_of_frames():
    """pandas gives columns as attributes, not to be taken for those of other libraries."""
    rows = pd.DataFrame({"schema": [1.0, 2.0], "column_names": [3, 5], "isna": [1, 1]})
    assert StandardScaler().fit(rows).mean_.tolist() == [1.5, 4.0, 1.0]


def test_polars_objects_are_no_numbers():
    rows = pl.DataFrame({"a": pl.Series([object(), object()], dtype=pl.Object)})
    with pytest.raises(errors.NonNumericColumnError, match="'a' \\(Object\\)"):
        StandardScaler().fit(rows)


# Arrow tables where their columns are ---------------------------------------------------------


@pytest.mark.parametrize("kind", ["double", "float"])
def test_arrow_columns_are_measured_where_they_are(kind):
    chunks = [pa.array(ROWS[rows, 0], kind) for rows in (slice(5), slice(5, 5), slice(5, 16))]
    other = [pa.array(ROWS[rows, 1], kind) for rows in (slice(9), slice(9, 16))]
    table = pa.table({"a": pa.chunked_array(chunks), "b": pa.chunked_array(other)})
    apart = columns_apart(table.slice(3, 12), np.dtype({"double": "f8", "float": "f4"}[kind]))
    assert [len(piece[0]) for piece in apart.pieces] == [2, 4, 6]
    np.testing.assert_array_equal(as_rows(apart), ROWS[3:15, :2])
    for piece, chunk, skipped in [(0, chunks[0], 3), (1, chunks[2], 0), (2, chunks[2], 4)]:
        start = chunk.buffers()[1].address + skipped * apart.dtype.itemsize
        assert apart.pieces[piece][0].ctypes.data == start


def test_arrow_columns_with_gaps_are_brought_together():
    table = pa.table({"a": ROWS[:, 0], "b": [None, *ROWS[1:, 1]]})
    found = columns_apart(table, np.dtype(np.float64))
    assert isinstance(found, np.ndarray)
    assert np.isnan(found[0, 1])
    rest = table.slice(1)  # where there is none
    assert not isinstance(columns_apart(rest, np.dtype(np.float64)), np.ndarray)


@pytest.mark.parametrize("kind", EVERY)
def test_chunks_of_arrow_tables_change_no_bit(kind):
    random = np.random.default_rng(0)
    whole = pa.table({name: random.normal(5, 2, 3000) for name in "abcdef"})
    cut = pa.concat_tables(
        whole.slice(start, stop - start) for start, stop in pairwise([0, 1, 700, 1999, 3000])
    )
    frame = pd.DataFrame(np.asfortranarray(np.asarray(whole)), columns=whole.column_names)
    expected = kind().fit(frame).transform(whole)
    for table in (whole, cut):
        np.testing.assert_array_equal(kind().fit(table).transform(whole), expected)
