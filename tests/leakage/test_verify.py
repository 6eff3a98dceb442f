"""Fits are told from fits on other rows, for transformers, models and pipelines."""

import time

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.impute import KNNImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler, TargetEncoder

import skscale
from skscale.errors import TargetError
from skscale.leakage import verify_fit

ROWS = np.random.default_rng(0).normal(size=(100, 4)) + 1e3
CLASSES = (ROWS[:, 0] > 1e3).astype(int)

MODELS = [
    StandardScaler(),
    PCA(2),
    QuantileTransformer(n_quantiles=10, random_state=0),
    KNNImputer(),
    SelectKBest(k=2),
    KNeighborsClassifier(),
    LogisticRegression(),
    RandomForestClassifier(5, random_state=0),
    make_pipeline(StandardScaler(), PCA(2), LogisticRegression()),
    make_column_transformer((StandardScaler(), [0, 1]), (PCA(1), [2, 3])),
    skscale.StandardScaler(),
    skscale.MinMaxScaler(),
    skscale.PCA(2),
    skscale.Whitener(),
    skscale.BatchNormalizer(),
    make_pipeline(skscale.StandardScaler(), skscale.PCA(2), LogisticRegression()),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_fitted_on_these_rows_and_on_all(model):
    honest = model.fit(ROWS[:80], CLASSES[:80])
    report = verify_fit(honest, ROWS[:80], CLASSES[:80])
    assert report.ok, report
    assert report
    assert report.max_ulp == 0
    leaky = model.fit(ROWS, CLASSES)
    report = verify_fit(leaky, ROWS[:80], CLASSES[:80])
    assert not report.ok
    assert not report
    assert report.repeatable
    assert report.max_ulp > 0
    assert "differs in" in repr(report)


def test_one_value_in_one_row_is_enough():
    rows = ROWS.copy()
    model = skscale.StandardScaler().fit(rows)
    rows[17, 2] = np.nextafter(rows[17, 2], np.inf) + 1e-9
    report = verify_fit(model, rows)
    assert {found.where for found in report.findings} >= {"mean_", "var_"}
    assert report.findings[0].ulp < 1e5


def test_weights_are_passed_on():
    weights = np.arange(1.0, 101.0)
    model = skscale.StandardScaler().fit(ROWS, sample_weight=weights)
    assert verify_fit(model, ROWS, sample_weight=weights)
    assert not verify_fit(model, ROWS)


def test_batches_differ_by_rounding():
    batched = StandardScaler().partial_fit(ROWS[:30]).partial_fit(ROWS[30:])
    report = verify_fit(batched, ROWS)
    assert not report
    assert 0 < report.max_ulp < 1e4


def test_names_are_part_of_a_fit():
    pandas = pytest.importorskip("pandas", reason="names of columns need a frame")
    frame = pandas.DataFrame(ROWS, columns=list("abcd"))
    model = skscale.PCA(2).fit(frame)
    before = frame.copy(deep=True)
    assert verify_fit(model, frame)
    assert [found.where for found in verify_fit(model, ROWS).findings] == ["feature_names_in_"]
    pandas.testing.assert_frame_equal(frame, before)


def test_random_numbers_that_were_not_fixed():
    report = verify_fit(RandomForestClassifier(3).fit(ROWS, CLASSES), ROWS, CLASSES)
    assert not report.ok
    assert not report.repeatable
    assert "random_state" in repr(report)
    assert "random_state" in report._repr_html_()


def test_a_generator_goes_on_with_every_fit():
    forest = RandomForestClassifier(3, random_state=np.random.RandomState(0))
    report = verify_fit(forest.fit(ROWS, CLASSES), ROWS, CLASSES)
    assert not report.ok
    assert not report.repeatable
    assert "a generator goes on with every fit" in repr(report)


def test_durations_are_not_compared():
    class Timed(BaseEstimator):
        def fit(self, X, y=None):
            self.fit_time_ = time.perf_counter()
            return self

    assert verify_fit(Timed().fit(ROWS), ROWS)


def test_the_fitted_object_and_the_rows_stay_as_they_are():
    model = StandardScaler(copy=False).fit(ROWS.copy())
    mean, rows = model.mean_.copy(), ROWS.copy()
    assert verify_fit(model, rows)
    assert (rows == ROWS).all()
    assert (model.mean_ == mean).all()


def test_what_cannot_be_verified():
    with pytest.raises(NotFittedError):
        verify_fit(StandardScaler(), ROWS)
    model = LogisticRegression().fit(ROWS, CLASSES)
    with pytest.raises(TargetError, match=r"cannot be fitted on these rows.*y and sample_weight"):
        verify_fit(model, ROWS)
    model = TargetEncoder(cv=2).fit(CLASSES.reshape(-1, 1), CLASSES)
    assert verify_fit(model, CLASSES.reshape(-1, 1), CLASSES)
