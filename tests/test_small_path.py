"""Plain tables skip checks that cannot fail: nothing else may tell them from all others.

Every input goes both ways, as it is and with the short way shut; results are compared to the bit,
errors and warnings to the letter.
"""

import pickle
import warnings
from importlib.metadata import PackageNotFoundError
from itertools import product

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import skscale
from skscale import PCA, BatchNormalizer, MinMaxScaler, StandardScaler, Whitener
from skscale import _tables as tables
from skscale._tables._plain import read_plain

NAMES = ["a", "b", "c"]
ROWS = np.random.default_rng(0).normal(size=(12, 3)) * [1, 10, 100] + [0, 5, -300]
ROWS.flags.writeable = False  # what is written to in place is a copy
LARGE = np.array([[2**53 + 1, 1, 2], [2**53 + 3, 5, 1], [2**53 + 9, 2, 2]])


def changed(value, row=4, column=1, rows=ROWS):
    rows = rows.copy()
    rows[row, column] = value
    return rows


def in_file(tmp_path, dtype=np.float64):
    rows = np.memmap(tmp_path / "rows", dtype=dtype, mode="w+", shape=ROWS.shape)
    rows[:] = ROWS
    return rows


def frame(values=ROWS, names=NAMES, **kwargs):
    return pd.DataFrame(values, columns=names, **kwargs)


def arrow(values):
    return pa.table(dict(zip(NAMES, values.T, strict=True)))


def nullable():
    rows = frame().astype("Float64")
    rows.iloc[1, 1] = pd.NA
    return rows


class Own(np.ndarray):
    """A subclass that is none of numpy's."""


ARRAYS = {
    "float64": lambda tmp_path: ROWS.copy(),
    "float32": lambda tmp_path: ROWS.astype(np.float32),
    "float16": lambda tmp_path: ROWS.astype(np.float16),
    "longdouble": lambda tmp_path: ROWS.astype(np.longdouble),
    "complex": lambda tmp_path: ROWS.astype(complex),
    "int64": lambda tmp_path: ROWS.astype(np.int64),
    "large int64": lambda tmp_path: LARGE.copy(),
    "uint8": lambda tmp_path: np.abs(ROWS).astype(np.uint8),
    "bool": lambda tmp_path: ROWS > 0,
    "object": lambda tmp_path: ROWS.astype(object),
    "text": lambda tmp_path: ROWS.astype(str),
    "words": lambda tmp_path: np.full((3, 3), "word", dtype=object),
    "datetime": lambda tmp_path: ROWS.astype("datetime64[s]"),
    "big-endian": lambda tmp_path: ROWS.astype(">f8"),
    "big-endian float32": lambda tmp_path: ROWS.astype(">f4"),
    "Fortran order": lambda tmp_path: ROWS.copy(order="F"),
    "negative strides": lambda tmp_path: ROWS.copy()[::-1, ::-1],
    "every other row": lambda tmp_path: np.repeat(ROWS, 2, axis=0)[::2],
    "unaligned": lambda tmp_path: np.frombuffer(b"x" + ROWS.tobytes(), offset=1).reshape(-1, 3),
    "broadcast": lambda tmp_path: np.broadcast_to(ROWS[0], (4, 3)),
    "read-only": lambda tmp_path: ROWS,
    "in a file": in_file,
    "masked": lambda tmp_path: np.ma.masked_less(ROWS.copy(), 0),
    "matrix": lambda tmp_path: ROWS.copy().view(np.matrix),
    "own subclass": lambda tmp_path: ROWS.copy().view(Own),
    "one row": lambda tmp_path: ROWS[:1].copy(),
    "no rows": lambda tmp_path: ROWS[:0].copy(),
    "no columns": lambda tmp_path: ROWS[:, :0],
    "one dimension": lambda tmp_path: ROWS[0],
    "three dimensions": lambda tmp_path: ROWS[np.newaxis],
    "no dimension": lambda tmp_path: np.array(1.0),
    "too narrow": lambda tmp_path: ROWS[:, :2].copy(),
    "too wide": lambda tmp_path: np.hstack([ROWS, ROWS]),
    "NaN": lambda tmp_path: changed(np.nan),
    "all NaN": lambda tmp_path: changed(np.nan, slice(None)),
    "inf": lambda tmp_path: changed(np.inf),
    "-inf in float32": lambda tmp_path: changed(-np.inf, rows=ROWS.astype(np.float32)),
    "inf and NaN": lambda tmp_path: changed(np.nan, rows=changed(np.inf), column=0),
    "huge": lambda tmp_path: ROWS * 1e305,
    "list": lambda tmp_path: ROWS.tolist(),
    "ragged list": lambda tmp_path: [[1.0, 2.0, 3.0], [1.0]],
    "None": lambda tmp_path: None,
    "CSR": lambda tmp_path: sparse.csr_array(np.maximum(ROWS, 0)),
    "CSC": lambda tmp_path: sparse.csc_matrix(np.maximum(ROWS, 0)),
    "COO": lambda tmp_path: sparse.coo_array(np.maximum(ROWS, 0)),
    "CSR of int": lambda tmp_path: sparse.csr_array(ROWS.astype(int)),
    "CSR with NaN": lambda tmp_path: sparse.csr_array(np.maximum(changed(np.nan), 0)),
    "CSR with inf": lambda tmp_path: sparse.csr_array(np.maximum(changed(np.inf), 0)),
    "CSR, too wide": lambda tmp_path: sparse.csr_array(np.hstack([ROWS, ROWS])),
    "CSR, no rows": lambda tmp_path: sparse.csr_array((0, 3)),
}
FRAMES = {
    "frame": lambda: frame(),
    "frame of float32": lambda: frame(ROWS.astype(np.float32)),
    "frame of float32 and float64": lambda: frame().astype({"a": np.float32}),
    "frame of int and float": lambda: frame().astype({"b": np.int64}),
    "frame of large int": lambda: frame(LARGE),
    "frame of bool and float": lambda: frame().assign(b=ROWS[:, 1] > 0),
    "frame of columns": lambda: pd.concat([frame()[[name]] for name in NAMES], axis=1),
    "frame, reordered": lambda: frame()[["c", "a", "b"]],
    "frame, renamed": lambda: frame(names=["a", "b", "z"]),
    "frame, too narrow": lambda: frame()[["a", "b"]],
    "frame without names": lambda: pd.DataFrame(ROWS),
    "frame with names twice": lambda: frame(names=["a", "a", "c"]),
    "frame with str and int names": lambda: frame(names=["a", 1, "c"]),
    "frame with tuples for names": lambda: frame(
        names=pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)])
    ),
    "frame with categories for names": lambda: frame(names=pd.CategoricalIndex(NAMES)),
    "frame with a name of names": lambda: frame(names=pd.Index(NAMES, name="which")),
    "frame with names as objects": lambda: frame(names=pd.Index(NAMES, dtype=object)),
    "frame with an index": lambda: frame(index=list("lkjihgfedcba")),
    "frame without rows": lambda: frame(ROWS[:0]),
    "frame without columns": lambda: frame()[[]],
    "frame with NaN": lambda: frame(changed(np.nan)),
    "frame with inf": lambda: frame(changed(np.inf)),
    "frame of objects": lambda: frame(ROWS.astype(object)),
    "frame with text": lambda: frame().assign(b="text"),
    "nullable frame": nullable,
    "Arrow frame": lambda: frame().astype("float64[pyarrow]"),
    "sparse frame": lambda: frame().astype(pd.SparseDtype(np.float64)),
    "polars": lambda: pl.DataFrame(ROWS, schema=NAMES),
    "polars, reordered": lambda: pl.DataFrame(ROWS, schema=["b", "a", "c"]),
    "pyarrow": lambda: arrow(ROWS),
    "pyarrow, float32": lambda: arrow(ROWS.astype(np.float32)),
    "pyarrow, mixed": lambda: arrow(ROWS).set_column(0, "a", pa.array(ROWS[:, 0], pa.float32())),
    "pyarrow, integers": lambda: arrow(np.rint(ROWS).astype(np.int64)),
    "pyarrow, nulls": lambda: arrow(ROWS).set_column(0, "a", pa.array([None, *ROWS[1:, 0]])),
    "pyarrow, all null": lambda: arrow(ROWS).set_column(0, "a", pa.nulls(12, pa.float64())),
    "pyarrow, infinite": lambda: arrow(changed(np.inf)),
    "pyarrow, in chunks": lambda: pa.concat_tables([arrow(ROWS[:5]), arrow(ROWS[5:])]),
    "pyarrow, sliced": lambda: arrow(np.vstack([ROWS, ROWS])).slice(7, 12),
    "pyarrow, same names": lambda: arrow(ROWS).rename_columns(["a", "b", "a"]),
    "pyarrow, other names": lambda: arrow(ROWS).rename_columns(["a", "b", "d"]),
    "pyarrow, reordered": lambda: arrow(ROWS).select(["b", "a", "c"]),
    "pyarrow, no rows": lambda: arrow(ROWS[:0]),
}
INPUTS = ARRAYS | {name: lambda tmp_path, make=make: make() for name, make in FRAMES.items()}
TRANSFORMERS = [
    StandardScaler(),
    StandardScaler(copy=False),
    StandardScaler(with_mean=False),
    MinMaxScaler(),
    PCA(),
    Whitener(),
    BatchNormalizer(),
]


def comparable(value):
    """Everything there is to see of a result."""
    if isinstance(value, pd.DataFrame):
        values = [comparable(column.to_numpy()) for _, column in value.items()]
        axes = [(list(axis), axis.name, axis.dtype) for axis in (value.index, value.columns)]
        return "frame", list(value.dtypes), axes, values
    if isinstance(value, pl.DataFrame | pa.Table):
        return "frame", str(value), value.shape
    if sparse.issparse(value):
        parts = [value.data, value.indices, value.indptr] if value.format != "coo" else [value.data]
        return type(value), value.shape, [comparable(part) for part in parts]
    if isinstance(value, np.ndarray):
        flags = value.flags.c_contiguous, value.flags.f_contiguous, value.flags.writeable
        content = value.tolist() if value.dtype == object else value.tobytes()
        return type(value), value.dtype, value.shape, flags, content
    if isinstance(value, (StandardScaler, MinMaxScaler, PCA, Whitener, BatchNormalizer)):
        return {name: comparable(part) for name, part in vars(value).items()}
    return pickle.dumps(value) if type(value).__module__.startswith("skscale") else repr(value)


def outcome(call, given):
    """What a call gives, or raises, and what it warns of and does to its argument."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = comparable(call(given))
        except Exception as error:
            result = type(error), str(error)
    told = [(warning.category, str(warning.message), warning.filename) for warning in caught]
    return result, told, comparable(given)


def both_ways(monkeypatch, call, make):
    """Outcomes of a call on what `make` makes, the short way and the careful way."""
    outcomes = []
    for way in (read_plain, lambda X: None):
        with monkeypatch.context() as patch:
            patch.setattr(tables, "read_plain", way)
            outcomes.append(outcome(call, make()))
    return outcomes


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=str)
class TestBothWays:
    def test_learning(self, transformer, name, monkeypatch, tmp_path):
        for method in ("fit", "partial_fit", "fit_transform"):

            def learn(X, method=method):
                learner = clone(transformer)
                result = getattr(learner, method)(X)
                return result if method == "fit_transform" else learner

            short, careful = both_ways(monkeypatch, learn, lambda: INPUTS[name](tmp_path))
            assert short == careful, method

    def test_applying(self, transformer, name, monkeypatch, tmp_path):
        for rows in (ROWS.copy(), frame()):
            fitted = clone(transformer).fit(rows)
            for method, output in product(
                ("transform", "inverse_transform"), ("default", "pandas")
            ):
                apply = getattr(fitted.set_output(transform=output), method)
                short, careful = both_ways(monkeypatch, apply, lambda: INPUTS[name](tmp_path))
                assert short == careful, (method, output)


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("before", [ROWS, frame()], ids=["array", "frame"])
def test_learning_again(before, name, monkeypatch, tmp_path):
    """Columns and names are compared with, or forgotten, by the template: the same for all."""
    for method in ("fit", "partial_fit"):

        def learn(X, method=method):
            return getattr(StandardScaler().fit(before.copy()), method)(X)

        short, careful = both_ways(monkeypatch, learn, lambda: INPUTS[name](tmp_path))
        assert short == careful, method


@pytest.mark.parametrize("make", [lambda: ROWS.copy(), frame, lambda: sparse.csr_array(ROWS)])
@pytest.mark.parametrize("method", ["transform", "inverse_transform"])
def test_before_fit(make, method, monkeypatch):
    short, careful = both_ways(monkeypatch, getattr(StandardScaler(), method), make)
    assert short == careful
    assert short[0][0] is NotFittedError


@pytest.mark.parametrize("make", [lambda: ROWS.copy(), frame])
def test_numbers_that_were_set_by_hand(make, monkeypatch):
    """`mean_` and `scale_` count, also where nothing was fitted."""

    def by_hand(X):
        scaler = StandardScaler()
        scaler.mean_, scaler.scale_, scaler.var_ = np.zeros(3), np.full(3, 2.0), np.full(3, 4.0)
        return scaler.transform(X)

    short, careful = both_ways(monkeypatch, by_hand, make)
    assert short == careful


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=str)
@pytest.mark.parametrize("names", [None, NAMES])
def test_nothing_is_stale(transformer, names):
    """What is set after a fit holds at once, in copies too: nothing is remembered of the fit."""
    rows = ROWS.copy() if names is None else frame()
    fitted = clone(transformer).fit(rows)
    before = np.asarray(fitted.transform(ROWS[:2].copy() if names is None else frame(ROWS[:2])))
    for copied in (fitted, pickle.loads(pickle.dumps(fitted))):
        attribute = "data_min_" if hasattr(copied, "data_min_") else "mean_"
        attribute = "running_mean_" if hasattr(copied, "running_mean_") else attribute
        setattr(copied, attribute, getattr(copied, attribute) + 1000.0)
        rows = ROWS[:2].copy() if names is None else frame(ROWS[:2])
        moved = np.asarray(copied.transform(rows))
        ignores_the_mean = not getattr(copied, "with_mean", True)
        assert np.array_equal(moved, before) == ignores_the_mean


@pytest.mark.parametrize("rows", [ROWS, ROWS.astype(np.float32), frame(), sparse.csr_array(ROWS)])
def test_the_short_way_is_taken(rows, monkeypatch):
    """Without scikit-learn's checks, which are what takes the time."""

    def refuse(*args, **kwargs):
        raise AssertionError("checked with care")

    monkeypatch.setattr(tables, "read_plain", read_plain)
    monkeypatch.setattr("skscale._opening.validate_data", refuse)
    monkeypatch.setattr("skscale._opening.check_is_fitted", refuse)
    monkeypatch.setattr(tables, "read", refuse)
    scaler = StandardScaler(with_mean=False).fit(rows)
    scaler.transform(rows)
    scaler.partial_fit(rows).transform(rows)
    if not isinstance(rows, pd.DataFrame):
        scaler.inverse_transform(rows)


def test_a_refit_without_names_forgets_them():
    scaler = StandardScaler().fit(frame()).fit(ROWS)
    assert not hasattr(scaler, "feature_names_in_")
    assert scaler.n_features_in_ == 3


@pytest.mark.parametrize("parameter", ["with_mean", "with_std"])
def test_a_parameter_that_asks_for_what_was_not_learned(parameter):
    scaler = StandardScaler(with_mean=False, with_std=False).fit(ROWS)
    with pytest.raises(NotFittedError, match=f"{parameter}=True needs. Fit it again"):
        scaler.set_params(**{parameter: True}).transform(ROWS)


def test_a_frame_is_not_kept():
    """Names are learned, not the object that held them."""
    scaler = StandardScaler().fit(frame())
    assert not any(type(value).__module__.startswith("pandas") for value in vars(scaler).values())


def test_version(monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", {"skscale": "1.2.3"}.__getitem__)
    assert skscale.__version__ == "1.2.3"
    with pytest.raises(AttributeError, match="no attribute 'versoin'"):
        _ = skscale.versoin


def test_no_version_where_there_is_no_installation(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    assert not hasattr(skscale, "__version__")
