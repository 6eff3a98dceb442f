"""What targets return is opened, told apart and matched with rows, or nothing is shown."""

from collections import namedtuple
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler, scale

from skscale.errors import MutatedInputError
from skscale.leakage import audit

from .targets import AMOUNTS, ROWS

Pair = namedtuple("Pair", ["X_test", "X_train"])


@dataclass
class Record:
    X_test: Any
    X_train: Any


class Plain:
    def __init__(self, X_test, X_train):
        self.X_test, self.X_train = X_test, X_train


# What cannot be looked at -----------------------------------------------------------------


@pytest.mark.parametrize("result", [None, (), {}, "abc", 3.0, np.float64(1), len, b"", set()])
def test_what_holds_no_rows_shows_nothing(result):
    report = audit(lambda X: result, ROWS)
    assert report.status == "not run"
    assert "a table with one row for each of 120" in report.message()
    report = audit(lambda X, y, train, test: result, ROWS, AMOUNTS)
    assert report.status == "not run"
    assert "its training part" in report.message() or result is len


def test_no_rows_show_nothing():
    for result in ([], np.empty((0, 5))):
        assert audit(lambda X, result=result: result, ROWS).status == "not run"
        assert audit(lambda X, y, train, test, r=result: r, ROWS).status == "not run"


def test_a_forgotten_return_is_named():
    report = audit(lambda X: None, ROWS)
    assert "features returned None, in which there is nothing to compare" in report.message()


def test_iterators_are_opened():
    def parts(X, y, train, test, rows=None):
        scaler = StandardScaler().fit(X if rows is None else X[train])
        return (scaler.transform(X[part]) for part in (train, test))

    assert audit(lambda X, y, train, test: parts(X, y, train, test), ROWS).status == "leaky"
    assert audit(lambda X, y, train, test: parts(X, y, train, test, 1), ROWS).ok
    assert audit(lambda X: (row - X.mean(axis=0) for row in X), ROWS).status == "not run"


def test_plans_are_not_collected():
    polars = pytest.importorskip("polars", reason="lazy frames")
    frame = polars.DataFrame({"a": ROWS[:, 0]})
    report = audit(lambda X: X.lazy().select(polars.all() - polars.all().mean()), frame)
    assert report.status == "not run"
    assert "features is a LazyFrame" in report.message()
    assert "call .collect()" in report.message()
    report = audit(
        lambda X, y, train, test: {"train": X[train.tolist()], "test": X.lazy()}, frame, AMOUNTS
    )
    assert report.status == "not run"


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda X, y, train, test: {"X_test": scale(X[test])[:-1]}, "23 rows.*the 24 held-out"),
        (
            lambda X, y, train, test: {"train": X[train], "X_test": np.repeat(X[test], 2, axis=0)},
            r"prepare\['X_test'\] has 48 rows",
        ),
        (lambda X, y, train, test: (X[train], scale(X[test])[2:]), "22 rows.*96 for the training"),
        (lambda X, y, train, test: {"X_test": X[:7]}, "7 rows"),
        (lambda X, y, train, test: (X[train], X[test][X[test][:, 0] > 0]), "a key"),
    ],
)
def test_a_part_that_cannot_be_matched_shows_nothing(prepare, words):
    report = audit(prepare, ROWS, AMOUNTS)
    assert report.status == "not run"
    with pytest.warns(UserWarning, match=words):
        report.raise_if_leaky()


def test_what_can_be_matched_is_compared_nevertheless():
    report = audit(lambda X, y, train, test: (scale(X)[train], X[test][2:]), ROWS, AMOUNTS)
    assert report.status == "leaky"
    report = audit(lambda X: (scale(X), X[:7]), ROWS)
    assert report.status == "leaky"
    assert audit(lambda X: (X, X[:7]), ROWS).status == "not run"


def test_words_beside_a_table_are_names():
    assert audit(lambda X: {"f": np.tanh(X), "names": ["a", "b"]}, ROWS).ok
    assert audit(lambda X: {"f": scale(X), "names": ["a", "b"]}, ROWS).status == "leaky"
    by_maximum = audit(lambda X: {"f": X, "names": [f"up to {X.max()}"]}, ROWS)
    assert by_maximum.findings[0].where == "features['names'][0]"
    assert audit(lambda X: ["a", "b"], ROWS).status == "not run"


class Halves(BaseEstimator):
    def __init__(self, result=None):
        self.result = result

    def fit(self, X, y=None):
        self.mean_ = X.mean(axis=0)
        return self

    def transform(self, X):
        return None if self.result is None else X[:-1]


@pytest.mark.parametrize("result", [None, "rows"])
def test_transforms_of_other_lengths_show_nothing(result):
    report = audit(Halves(result), ROWS)
    assert report.status == "not run"
    assert "transform(X)" in report.message()


def test_a_fitted_object_alone_can_be_compared():
    assert audit(lambda X, y, train, test: Ridge().fit(X[train], y[train]), ROWS, AMOUNTS).ok
    assert audit(lambda X, y, train, test: Ridge().fit(X, y), ROWS, AMOUNTS).status == "leaky"


def test_a_split_that_is_written_to():
    def prepare(X, y, train, test):
        train[:] = 0
        return X[train]

    with pytest.raises(MutatedInputError):
        audit(prepare, ROWS, AMOUNTS)


# What is told by names --------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Pair, Record, Plain, SimpleNamespace, dict])
@pytest.mark.parametrize("cv", [4, 2])
def test_records_are_opened(kind, cv):
    def honest(X, y, train, test):
        return kind(X_test=X[test], X_train=X[train])

    def leaky(X, y, train, test):
        return kind(X_test=X[test], X_train=scale(X)[train])

    assert audit(honest, ROWS, AMOUNTS, cv=cv).ok
    report = audit(leaky, ROWS, AMOUNTS, cv=cv)
    where = "prepare['X_train'][:, 0]" if kind is dict else "prepare.X_train[:, 0]"
    assert report.findings[0].where == where


@pytest.mark.parametrize(
    ("held", "train"),
    [
        ("X_val", "X_fit"),
        ("Xval", "Xtrain"),
        ("X_dev", "X_tr"),
        ("te", "tr"),
        ("holdout", "rest"),
        ("evalX", "trainX"),
        ("validation", "latest"),
        ("heldOutRows", "fastest"),
        ("X_test_scaled", "X_train_scaled"),
    ],
)
def test_words_for_parts(held, train):
    def prepare(X, y, rows, others):
        return {held: X[others], train: X[rows]}

    assert audit(prepare, ROWS, AMOUNTS, cv=2).ok
    assert audit(prepare, ROWS, AMOUNTS, cv=5).ok

    def by_batch(X, y, rows, others):
        return {held: scale(X[others]), train: X[rows]}

    assert audit(by_batch, ROWS, AMOUNTS, cv=2).status == "leaky"


def test_a_score_is_not_learned_from_training_rows():
    def score(X, y, train, test):
        return Ridge().fit(X[train], y[train]).score(X[test], y[test])

    assert audit(score, ROWS, AMOUNTS).status == "not run"
    both = audit(lambda X, y, tr, te: {"train": X[tr], "score": score(X, y, tr, te)}, ROWS, AMOUNTS)
    assert both.ok
    assert audit(lambda X, y, tr, te: {"train": X[tr], "mean": X.mean()}, ROWS).status == "leaky"


def test_findings_say_how_a_part_was_read():
    swapped = audit(lambda X, y, train, test: (X[test], X[train]), ROWS, AMOUNTS, cv=2)
    assert swapped.findings[0].where == "prepare[0][:, 0] (read as training rows)"
    stacked = audit(lambda X, y, train, test: np.vstack([X[train], X[test]]), ROWS, AMOUNTS)
    assert stacked.findings[0].where == "prepare[:, 0] (read as all rows, in the order of X)"
    named = audit(lambda X, y, train, test: {"train": scale(X)[train]}, ROWS, AMOUNTS)
    assert named.findings[0].where == "prepare['train'][:, 0]"
