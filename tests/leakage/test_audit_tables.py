"""Audits of tables of any kind, and of a sample of their rows."""

import copy

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_wine
from sklearn.decomposition import PCA
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import skscale
from skscale.leakage import audit

from .targets import CITIES, CODES, ROWS


def centre(X):
    return X - X.mean(axis=0)


def columns_of_every_kind():
    return {
        "x": ROWS[:, 0],
        "float32": ROWS[:, 1].astype("f4"),
        "code": CODES[:, 0],
        "city": CITIES.tolist(),
        "flag": CODES[:, 1] > 1,
        "when": np.arange("2020-01-01", "2020-04-30", dtype="M8[D]").astype("M8[us]"),
    }


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_frames(library):
    columns = columns_of_every_kind()
    module = pytest.importorskip(library, reason="a frame of this library")
    frame = getattr(module, "table" if library == "pyarrow" else "DataFrame")(columns)
    before = copy.deepcopy(frame)

    def rank(name):
        def features(X):
            values = np.asarray(X[name]).astype("S" if name == "city" else "f8")
            return np.array([(values <= value).sum() for value in values])

        return features

    assert audit(lambda X: X, frame).ok
    for name in columns:
        assert audit(rank(name), frame, cv=2).status == "leaky", name
    assert frame.equals(before)


@pytest.mark.parametrize("kind", ["Int64", "Float64", "boolean", "string", "category", "object"])
def test_extension_types(kind):
    pandas = pytest.importorskip("pandas", reason="its own types")
    values = {"Float64": ROWS[:, 0], "string": CITIES, "category": CITIES, "object": CITIES}
    given = values.get(kind, CODES[:, 0] > 1 if kind == "boolean" else CODES[:, 0])
    frame = pandas.DataFrame({"x": pandas.Series(given).astype(kind)})
    frame.iloc[3, 0] = None
    before = frame.copy(deep=True)
    report = audit(lambda X: X, frame, cv=2)
    assert report.ok
    assert {each.outcome for each in report.outcomes} == {"clean"}
    assert audit(lambda X: X["x"].map(X["x"].value_counts()), frame, cv=2).status == "leaky"
    pandas.testing.assert_frame_equal(frame, before)


def test_the_most_common_word():
    pandas = pytest.importorskip("pandas", reason="words beside missing ones")
    words = np.array(["a"] * 210 + ["b"] * 170 + [None] * 20, dtype=object)
    frame = pandas.DataFrame({"word": np.random.default_rng(0).permutation(words)})
    assert audit(lambda X: X.fillna(X["word"].mode()[0]), frame).status == "leaky"
    assert audit(lambda X: X["word"].mode()[0] == X, frame).status == "leaky"
    assert audit(lambda X: X.fillna("a"), frame).ok


@pytest.mark.parametrize("zone", ["UTC", "Europe/Amsterdam", None])
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_moments_with_a_time_zone(library, zone):
    module = pytest.importorskip(library, reason="a frame of this library")
    days = np.datetime64("2024-01-01") + np.random.default_rng(0).integers(0, 40, 90)
    frame = module.DataFrame({"when": days.astype("M8[us]"), "x": ROWS[:90, 0]})
    if zone is not None and library == "pandas":
        frame["when"] = frame["when"].dt.tz_localize(zone)
    elif zone is not None:
        frame = frame.with_columns(module.col("when").dt.replace_time_zone(zone))

    def days_since(X, first):
        when = np.array([value.timestamp() for value in X["when"].to_list()])
        return when - first(when)

    assert audit(lambda X: days_since(X, np.min), frame).status == "leaky"
    assert audit(lambda X: days_since(X, np.max), frame).status == "leaky"
    assert audit(lambda X: days_since(X, lambda when: 0), frame).ok


def test_names_that_are_there_twice():
    pandas = pytest.importorskip("pandas", reason="it allows such names")
    frame = pandas.DataFrame(ROWS[:, :3], columns=["a", "a", "b"])
    before = frame.copy(deep=True)
    assert audit(lambda X: X * 2, frame, cv=2).ok
    report = audit(lambda X: pandas.concat([X["b"], X["b"] - X["b"].mean()], axis=1), frame, cv=2)
    assert report.findings[0].where == "features['b (1)']"
    pandas.testing.assert_frame_equal(frame, before)


def test_columns_that_are_sparse():
    pandas = pytest.importorskip("pandas", reason="its own types")
    values = np.random.default_rng(0).integers(0, 3, 90).astype(float)
    frame = pandas.DataFrame({"a": pandas.arrays.SparseArray(values)})
    assert audit(lambda X: X.sparse.to_dense() * 2, frame, cv=2).ok
    dense = audit(lambda X: X.sparse.to_dense() - X.sparse.to_dense().mean(), frame, cv=2)
    assert dense.status == "leaky"


def test_columns_of_lists_and_records():
    polars = pytest.importorskip("polars", reason="nested types")
    lists = [[1] * (i % 4) for i in range(80)]
    frame = polars.DataFrame({"l": lists, "s": [{"a": i % 5} for i in range(80)]})
    assert audit(lambda X: X.select(polars.col("l").list.len()), frame).ok
    lengths = polars.col("l").list.len()
    assert audit(lambda X: X.select(lengths - lengths.mean()), frame).status == "leaky"
    field = polars.col("s").struct.field("a")
    assert audit(lambda X: X.select(field - field.mean()), frame).status == "leaky"


@pytest.mark.parametrize("make", [np.ones, list, lambda n: {"a": n}, lambda n: {n}])
def test_objects_in_columns(make):
    pandas = pytest.importorskip("pandas", reason="columns of objects")
    sizes = np.random.default_rng(0).integers(1, 4, 90)
    given = [make(range(n)) if make is list else make(n) for n in sizes]
    frame = pandas.DataFrame({"l": given, "n": sizes})
    assert audit(lambda X: X["l"].map(str).to_frame(), frame).ok
    texts = lambda X: X["l"].map(str)  # noqa: E731 (as users do)
    assert audit(lambda X: texts(X).map(texts(X).value_counts()), frame).status == "leaky"


@pytest.mark.parametrize("kind", ["csr_array", "csc_matrix", "coo_array"])
def test_sparse(kind):
    rows = getattr(sparse, kind)(sparse.random(100, 8, 0.3, random_state=0, format="csr"))
    before = rows.copy()
    assert audit(StandardScaler(with_mean=False), rows).ok
    report = audit(lambda X: X / abs(X).max(), rows)
    assert report.status == "leaky"
    assert (rows != before).nnz == 0


def test_text_and_lists():
    texts = ["a1 b2 c3", "b2 c3 d4", "c3 e5"] * 10
    assert audit(TfidfVectorizer(), texts).ok
    assert audit(HashingVectorizer(n_features=8), texts).ok
    assert audit(lambda X: TfidfVectorizer().fit_transform(X), texts).status == "leaky"
    assert audit(DictVectorizer(), [{"a": 1.0, "b": 2.0}, {"a": 3.0}] * 20).ok
    assert audit(StandardScaler(), ROWS.tolist()).ok
    pairs = [[1.0, 2.0], [3.0, 5.0]] * 20
    assert audit(lambda X: (np.array(X) - np.mean(X, axis=0)).tolist(), pairs).status == "leaky"


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "u8", "i8", "?", "c16", "O"])
def test_types_of_arrays(dtype):
    rows = (np.abs(ROWS) * 3).astype("f8" if dtype == "O" else dtype).astype(dtype)
    assert audit(lambda X: X, rows).ok
    assert audit(
        lambda X: np.asarray(X - X.mean(axis=0)) if dtype != "?" else X ^ X[-1:], rows
    ).status in (("leaky",))


def test_a_column_that_cannot_change():
    report = audit(lambda X: X, np.full((40, 1), "a", dtype="U1"))
    assert {each.outcome for each in report.outcomes if each.probe == "training rows"} == {
        "not run"
    }
    wide = np.random.default_rng(0).normal(size=(12, 300))
    assert audit(PCA(2), wide, cv=3).ok
    assert audit(scale, wide, cv=3).status == "leaky"


def test_the_order_in_memory_is_kept():
    def features(X):
        assert X.flags.f_contiguous
        assert not X.flags.c_contiguous
        return X

    assert audit(features, np.asfortranarray(ROWS)).ok


# Rows that are looked at ------------------------------------------------------------------


def seen_by(X, y=None, **options):
    """Which rows of a table of row numbers a function is shown."""
    shown = []

    def features(X):
        shown.append(X[:, 0].copy())
        return X

    report = audit(features, X, y, **options)
    assert report.n_rows == len(shown[0])
    return shown[0]


NUMBERS = np.arange(1000.0).reshape(-1, 1)


def test_a_sample_keeps_the_order_and_the_classes():
    y = (np.arange(1000) % 10 == 0).astype(int)
    rows = seen_by(NUMBERS, y, max_rows=100)
    assert len(rows) == 100
    assert (np.diff(rows) > 0).all()
    assert abs(y[rows.astype(int)].sum() - 10) <= 1
    assert (seen_by(NUMBERS, y, max_rows=None) == NUMBERS[:, 0]).all()


def test_a_sample_in_time_is_contiguous():
    assert (seen_by(NUMBERS, order="time", max_rows=90) == np.arange(90)).all()


def test_a_sample_has_whole_groups():
    groups = np.arange(1000) // 20
    rows = seen_by(NUMBERS, groups=groups, max_rows=200).astype(int)
    assert set(np.bincount(groups[rows])) == {0, 20}
    assert len(rows) <= 200


def test_given_splits_are_kept_in_a_sample():
    fold = np.arange(1000) % 4
    for cv in (PredefinedSplit(fold), ShuffleSplit(3, random_state=0), KFold(5)):
        assert audit(StandardScaler(), NUMBERS, cv=cv, max_rows=100).ok
        assert audit(centre, NUMBERS, cv=cv, max_rows=100).status == "leaky"


def test_columns_that_share_memory():
    # Held-out values come from another frame; rounding depends on where columns are in memory.
    X, y = load_wine(return_X_y=True, as_frame=True)
    model = make_pipeline(skscale.StandardScaler(), KNeighborsClassifier())
    assert audit(model, X, y, cv=2).status == "clean"


# A clock among the columns ----------------------------------------------------------------


def clocked(library, kind="M8[us]", n_rows=100):
    module = pytest.importorskip(library, reason="a frame of this library")
    hours = np.cumsum(np.random.default_rng(0).integers(1, 40, n_rows))
    when = np.datetime64("2024-01-01", "us") + hours.astype("m8[h]") if kind == "M8[us]" else hours
    return module.DataFrame({"when": when, "x": ROWS[:n_rows, 0]})


@pytest.mark.parametrize("kind", ["M8[us]", "i8"])
def test_a_clock_stays_in_order(kind):
    pandas = pytest.importorskip("pandas", reason="windows of time")
    frame = clocked("pandas", kind)

    def latest(X):
        earlier = X.rename(columns={"x": "before"})
        return pandas.merge_asof(X, earlier, on="when", allow_exact_matches=False)[["before"]]

    assert audit(latest, frame, order="time", cv=2).ok
    assert audit(lambda X: X["when"].diff().to_frame(), frame, order="time", cv=2).ok
    assert audit(lambda X: X.sort_values("when")["x"].shift(1), frame, order="time", cv=2).ok
    ahead = audit(lambda X: X["when"].max() - X["when"], frame, order="time", cv=2)
    assert ahead.status == "leaky"
    centred = audit(lambda X: X["x"].rolling(3, center=True).mean(), frame, order="time", cv=2)
    assert centred.status == "leaky"
    if kind == "M8[us]":
        window = audit(
            lambda X: X.rolling("3D", on="when")[["x"]].mean(), frame, order="time", cv=2
        )
        assert window.ok
        assert {each.outcome for each in window.outcomes} == {"clean"}


def test_windows_of_polars_by_a_clock():
    polars = pytest.importorskip("polars", reason="windows of time")
    frame = clocked("polars")
    window = polars.col("x").rolling_mean_by("when", "3d")
    assert audit(lambda X: X.select(window), frame, order="time", cv=2).ok
    whole = audit(lambda X: X.select(window - polars.col("x").mean()), frame, order="time", cv=2)
    assert whole.status == "leaky"


def test_gaps_before_the_next_held_out_row():
    pandas = pytest.importorskip("pandas", reason="filling")
    frame = pandas.DataFrame(ROWS)
    for cv in (TimeSeriesSplit(3), KFold(5), [(np.arange(60), np.arange(60, 120))]):
        assert audit(lambda X: X.bfill(), frame, cv=cv).status == "leaky"


@pytest.mark.parametrize("name", [int, str])
def test_rows_are_not_moved_into_groups(name):
    pandas = pytest.importorskip("pandas", reason="groups of rows")
    frame = pandas.DataFrame(ROWS[:, :2], columns=["a", "b"])
    frame["who"] = [name(k // 10) for k in range(len(frame))]

    def by_group(X):
        return X.groupby("who").transform(lambda column: column - column.mean())

    assert audit(by_group, frame, groups=frame["who"], cv=GroupKFold(3)).ok
    split = audit(by_group, frame, groups=frame["who"], cv=KFold(3, shuffle=True, random_state=0))
    assert split.status == "leaky"
