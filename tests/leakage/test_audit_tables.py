"""Audits of tables of any kind, and of a sample of their rows."""

import copy

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.decomposition import PCA
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.model_selection import KFold, PredefinedSplit, ShuffleSplit
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


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
def test_columns_that_share_memory(load):
    # Held-out values come from another frame; rounding depends on where columns are in memory.
    X, y = load(return_X_y=True, as_frame=True)
    for scaler, turn in ((skscale.StandardScaler(), skscale.PCA(3)), (StandardScaler(), PCA(3))):
        model = make_pipeline(scaler, turn, KNeighborsClassifier())
        assert audit(model, X, y, cv=3).status == "clean"
