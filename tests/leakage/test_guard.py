"""A guard sees held-out rows in any fit that tells callbacks of it."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline

import skscale
from skscale._callbacks import SUPPORTED
from skscale.errors import HeldOutRowsError, InvalidParameterError, MissingDependencyError
from skscale.leakage import LeakageGuard, _guard

X, y = load_wine(return_X_y=True)
TRAIN, TEST = X[:130], X[130:]

with_callbacks = pytest.mark.skipif(not SUPPORTED, reason="callbacks came with scikit-learn 1.9")


def model():
    return make_pipeline(skscale.StandardScaler(), LogisticRegression())


def test_older_versions_are_told_what_is_missing(monkeypatch):
    monkeypatch.setattr(_guard, "SUPPORTED", False)
    with pytest.raises(MissingDependencyError, match=r"scikit-learn 1\.9 or later; installed is"):
        LeakageGuard(TEST)


@with_callbacks
def test_train_rows_pass_and_held_out_rows_do_not():
    guarded = model().set_callbacks(LeakageGuard(TEST))
    guarded.fit(TRAIN, y[:130])
    before = guarded[0].mean_.copy()
    with pytest.raises(HeldOutRowsError, match="48 of 48 held-out rows are among the 178 rows"):
        guarded.fit(X, y)
    with pytest.raises(HeldOutRowsError, match="1 of 48"):
        guarded.fit(X[:131], y[:131])
    np.testing.assert_array_equal(guarded[0].mean_, before)
    guard = LeakageGuard(TEST)
    with pytest.raises(HeldOutRowsError):
        model().set_callbacks(guard).fit(X, y)
    assert repr(guard).endswith("1 finding>")
    assert not guard.ok


@with_callbacks
def test_a_transformer_alone_and_its_partial_fit():
    scaler = skscale.StandardScaler().set_callbacks(LeakageGuard(TEST)).fit(TRAIN)
    with pytest.raises(HeldOutRowsError, match="StandardScaler is being fitted on"):
        scaler.partial_fit(TEST[:3])
    assert scaler.n_samples_seen_ == 130


@with_callbacks
def test_folds_and_searches():
    """Rows 0 to 35 are the first test fold, and in every other train fold."""
    guarded = model().set_callbacks(LeakageGuard(X[:36]))
    with pytest.raises(HeldOutRowsError):
        cross_validate(guarded, X, y, cv=KFold(5), error_score="raise")
    search = GridSearchCV(model(), {"logisticregression__C": [1.0]}, cv=2)
    search.set_callbacks(LeakageGuard(TEST))
    search.fit(TRAIN, y[:130])
    with pytest.raises(HeldOutRowsError, match="GridSearchCV is being fitted on"):
        search.fit(X, y)


@with_callbacks
def test_records_instead():
    guard = LeakageGuard(TEST, action="record")
    guarded = model().set_callbacks(guard)
    assert guarded.fit(TRAIN, y[:130]) is guarded
    assert guard.ok
    assert guard.n_tables > 0
    guarded.fit(X[:131], y[:131])
    assert not guard.ok
    assert guard.findings[0].rows == (0,)


@with_callbacks
def test_rows_that_repeat_by_chance_may_be_allowed():
    rows = np.random.default_rng(0).integers(0, 2, (200, 4)).astype(float)
    train, test = rows[:150], rows[150:]
    with pytest.raises(HeldOutRowsError, match="give LeakageGuard the share"):
        skscale.StandardScaler().set_callbacks(LeakageGuard(test)).fit(train)
    skscale.StandardScaler().set_callbacks(LeakageGuard(test, allowed=1.0)).fit(train)


@with_callbacks
def test_tables_with_other_columns_are_passed_over():
    guard = LeakageGuard(TEST)
    skscale.StandardScaler().set_callbacks(guard).fit(X[:, 1:])
    assert guard.n_tables == 0
    assert guard.n_passed_over == 1
    assert repr(guard).endswith("no table compared, 1 passed over: other columns>")
    pandas = pytest.importorskip("pandas", reason="names of columns need a frame")
    named = pandas.DataFrame(X)
    named.columns = [f"c{i}" for i in range(X.shape[1])]
    guard = LeakageGuard(named[130:])
    skscale.StandardScaler().set_callbacks(guard).fit(named.rename(columns={"c0": "other"}))
    assert guard.n_tables == 0
    with pytest.raises(HeldOutRowsError):
        skscale.StandardScaler().set_callbacks(guard).fit(X)


@with_callbacks
def test_words_are_compared_too():
    pandas = pytest.importorskip("pandas", reason="a frame with words is what is tested")
    frame = pandas.DataFrame({"n": [1.0, 2.0, 3.0], "word": ["a", "b", "c"]})
    from sklearn.compose import make_column_transformer

    columns = make_pipeline(make_column_transformer((skscale.StandardScaler(), ["n"])))
    other = frame.assign(word=["x", "y", "z"])
    columns.set_callbacks(LeakageGuard(other)).fit(frame)
    with pytest.raises(HeldOutRowsError):
        columns.set_callbacks(LeakageGuard(frame[2:])).fit(frame)


@with_callbacks
def test_it_goes_to_other_processes():
    guard = pickle.loads(pickle.dumps(LeakageGuard(TEST)))
    with pytest.raises(HeldOutRowsError):
        skscale.StandardScaler().set_callbacks(guard).fit(X)
    assert repr(guard).startswith("LeakageGuard(<48 rows x 13 columns>, action='raise') <")
    assert repr(LeakageGuard(TEST)).endswith(" <no table compared>")


@with_callbacks
def test_the_repr_says_what_was_looked_at():
    guard = LeakageGuard(TEST, action="record")
    skscale.StandardScaler().set_callbacks(guard).fit(TRAIN)
    assert repr(guard).endswith("action='record') <1 table compared, nothing found>")
    skscale.StandardScaler().set_callbacks(guard).fit(X)
    assert repr(guard).endswith("<2 tables compared, 1 finding>")


@with_callbacks
@pytest.mark.parametrize("wrong", [{"action": "warn"}, {"allowed": 2}, {"allowed": -0.1}])
def test_wrong_arguments(wrong):
    with pytest.raises(InvalidParameterError, match="must be"):
        LeakageGuard(TEST, **wrong)
