"""Scalers that are wrong on purpose, each in one place: the laws have to kill every one.

A test that cannot fail is a defect. Each class names the law that it breaks; together they break
every law there is. `RightScaler`, which they all are but for that one place, breaks none. It has
nothing of our base class, and the laws work on it all the same.

`unseen` marks those that pass scikit-learn's ``check_estimator``, and so why there are laws.
"""

import copy
import os
from types import SimpleNamespace

import numpy as np
import pytest
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted, validate_data

from skscale import StandardScaler
from skscale.statistics import Moments
from skscale.testing import TRANSFORMER_LAWS, check_transformer

from .. import oracles

TRUTH = "transform is the truth"
CUT = "any cut gives the same"
THREADS = "the number of threads does not matter"
STATISTIC = "fit_statistic is fit"
ROWS = "every training row counts"
WEIGHTS = "an integer weight is a repetition, and 0 an absence"
MISSING = "a missing value is refused or left out"
REFIT = "a refit forgets"
FAILED = "a failed fit changes nothing"
KEPT = "no training row is kept"
BOTH = "fit_transform is fit and transform"
TRACE = "transform leaves no trace"
ALONE = "a row is transformed as if it were alone"
COLUMN = "a column is transformed by itself"
INVERSE = "inverse_transform inverts"
NARROW = "float32 stays float32 and loses nothing else"
LAYOUT = "memory order and dtype do not matter"
CALLER = "the caller's data are not written to"
COPIES = "copies are equal to the bit"
CONTAINER = "the container that is asked for comes back"
NOTHING = "who works row by row learns nothing from rows"  # broken in test_wrong_normalizers.py

FLOATS = [np.float64, np.float32]


class RightScaler(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Standardizes, in the plainest way that is right."""

    def fit(self, X, y=None, sample_weight=None):
        return self.learn(X, sample_weight, None)

    def partial_fit(self, X, y=None, sample_weight=None):
        return self.learn(X, sample_weight, getattr(self, "moments_", None))

    def transform(self, X):
        check_is_fitted(self)
        X = self.admit(X, reset=False)
        return self.apply(X).astype(X.dtype)

    def inverse_transform(self, X):
        check_is_fitted(self)
        X = check_array(X, dtype=FLOATS, ensure_all_finite="allow-nan")
        return self.invert(X).astype(X.dtype)

    def learn(self, X, sample_weight, earlier):
        draft = copy.copy(self)
        X = draft.admit(X, reset=earlier is None)
        moments = draft.measure(X, weights_of(X, sample_weight))
        draft.moments_ = moments if earlier is None else draft.merge(earlier, moments)
        draft.solve(draft.moments_)
        self.__dict__ = draft.__dict__
        return self

    def admit(self, X, reset):
        return validate_data(self, X, reset=reset, dtype=FLOATS, ensure_all_finite="allow-nan")

    def measure(self, X, weights):
        return Moments.of(X, weights)

    def merge(self, earlier, later):
        return earlier.merge(later)

    def solve(self, moments):
        self.mean_, self._low = np.array(moments.mean), np.array(moments.mean_low)
        deviation = np.sqrt(moments.variance())
        self.scale_ = np.where(deviation == 0, 1.0, deviation)

    def apply(self, X):
        return ((X.astype(np.float64) - self.mean_) - self._low) / self.scale_

    def invert(self, X):
        return X.astype(np.float64) * self.scale_ + self.mean_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def weights_of(X, sample_weight):
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=np.float64)
    if not (weights.shape == (len(X),) and (weights >= 0).all() and weights.any()):
        raise ValueError("Sample weights must contain at least one non-zero number")
    return weights


# The formula -----------------------------------------------------------------------------------


class VarianceForStd(RightScaler):
    law, unseen = TRUTH, True

    def solve(self, moments):
        super().solve(moments)
        self.scale_ = self.scale_**2


class NoCentring(RightScaler):
    law, unseen = TRUTH, True

    def solve(self, moments):
        super().solve(moments)
        self.mean_, self._low = 0 * self.mean_, 0 * self._low


class DdofOff(RightScaler):
    law, unseen = TRUTH, True

    def solve(self, moments):
        super().solve(moments)
        deviation = np.sqrt(moments.variance(ddof=1))
        self.scale_ = np.where(deviation == 0, 1.0, deviation)


class AHairTooWide(RightScaler):
    law, unseen = TRUTH, True

    def solve(self, moments):
        super().solve(moments)
        self.scale_ = self.scale_ * (1 + 1e-9)


class ConstantColumnsByEpsilon(RightScaler):
    law, unseen = TRUTH, True

    def solve(self, moments):
        super().solve(moments)
        self.scale_ = np.sqrt(moments.variance() + 1e-12)


class Clips(RightScaler):
    law, unseen = TRUTH, True

    def apply(self, X):
        return super().apply(X).clip(-5, 5)


class Rounds(RightScaler):
    law, unseen = TRUTH, True

    def apply(self, X):
        return super().apply(X).round(8)


class AccumulatesInFloat32(RightScaler):
    law, unseen = TRUTH, True

    def measure(self, X, weights):
        return super().measure(X.astype(np.float32), weights)


class SquaresBeforeItCentres(RightScaler):
    law, unseen = TRUTH, True

    def solve(self, moments):
        super().solve(moments)
        raw = moments.variance() + moments.mean**2  # sum(x * x) / n, as one would have it
        deviation = np.sqrt(np.maximum(raw - moments.mean**2, 0))
        self.scale_ = np.where(deviation == 0, 1.0, deviation)


class MeanOfSixteenDigits(RightScaler):
    law, unseen = TRUTH, True

    def solve(self, moments):
        super().solve(moments)
        self._low = 0 * self._low


# Which rows --------------------------------------------------------------------------------------


class FirstHundredRows(RightScaler):
    law, unseen = ROWS, True

    def measure(self, X, weights):
        return super().measure(X[:100], None if weights is None else weights[:100])


class EverySecondRowBeyondTwoHundred(RightScaler):
    law, unseen = ROWS, True

    def measure(self, X, weights):
        keep = (np.arange(len(X)) < 200) | (np.arange(len(X)) % 2 == 0)
        return super().measure(X[keep], None if weights is None else weights[keep])


class LastRowDropped(RightScaler):
    law = ROWS

    def measure(self, X, weights):
        end = max(1, len(X) - 1)
        return super().measure(X[:end], None if weights is None else weights[:end])


class PartialFitForgets(RightScaler):
    law, unseen = CUT, True

    def merge(self, earlier, later):
        return later


class PartialFitAveragesBatchMeans(RightScaler):
    law, unseen = CUT, True

    def merge(self, earlier, later):
        both = super().merge(earlier, later)
        mean = (earlier.mean + later.mean) / 2
        return Moments(both.total, both.count, mean, 0 * mean, *list(vars(both).values())[4:])


class PartialFitAddsVariances(RightScaler):
    """Forgets what the distance of two means adds."""

    law, unseen = CUT, True

    def merge(self, earlier, later):
        both = super().merge(earlier, later)
        inner = earlier.second_moment + later.second_moment
        return Moments(
            both.total, both.count, both.mean, both.mean_low, inner, 0 * inner,
            both.exponent, both.wide,
        )  # fmt: skip


class PartialFitStartsWithAScale(RightScaler):
    """Takes the width of the first batch for good."""

    law, unseen = CUT, True

    def learn(self, X, sample_weight, earlier):
        scale = getattr(self, "scale_", None)
        super().learn(X, sample_weight, earlier)
        if earlier is not None:
            self.scale_ = scale
        return self


class IgnoresWeights(RightScaler):
    law = WEIGHTS

    def measure(self, X, weights):
        return super().measure(X, None)


class CountsRowsOfWeightZero(RightScaler):
    law = WEIGHTS

    def measure(self, X, weights):
        return super().measure(X, None if weights is None else np.maximum(weights, 1))


class SortedByMean(RightScaler):
    law, unseen = COLUMN, True

    def solve(self, moments):
        super().solve(moments)
        self.mean_ = np.sort(self.mean_)


class OneScaleForAll(RightScaler):
    law, unseen = COLUMN, True

    def solve(self, moments):
        super().solve(moments)
        self.scale_ = np.full_like(self.scale_, self.scale_.max())


class NaNIsZero(RightScaler):
    law, unseen = MISSING, True

    def measure(self, X, weights):
        return super().measure(np.nan_to_num(X), weights)


class NaNBecomesTheMean(RightScaler):
    law, unseen = MISSING, True

    def apply(self, X):
        return np.nan_to_num(super().apply(X))


class DependsOnThreads(RightScaler):
    law, unseen = THREADS, True

    def measure(self, X, weights):
        cut = len(X) // (1 + effective_n_jobs(-1))
        if weights is not None or not cut:
            return super().measure(X, weights)
        return Moments.of(X[:cut]).merge(Moments.of(X[cut:]))


# What is left over, kept, or changed -------------------------------------------------------------


class MeanOfLastFitStays(RightScaler):
    law, unseen = REFIT, True

    def fit(self, X, y=None, sample_weight=None):
        old = getattr(self, "mean_", None)
        super().fit(X, y, sample_weight)
        if old is not None and old.shape == self.mean_.shape:
            self.mean_ = old
        return self


class FitIsPartialFit(RightScaler):
    law = REFIT

    def fit(self, X, y=None, sample_weight=None):
        earlier = getattr(self, "moments_", None)
        if earlier is not None and np.shape(X)[1:] != (earlier.n_features,):
            earlier = None
        return self.learn(X, sample_weight, earlier)


class TestBatchNormalizesItself(RightScaler):
    __test__ = False
    law, unseen = ALONE, True

    def apply(self, X):
        if len(X) <= 200:
            return super().apply(X)
        return (X - np.nanmean(X, axis=0)) / np.nanstd(X, axis=0)


class TestBatchShiftsItself(RightScaler):
    __test__ = False
    law, unseen = ALONE, True

    def apply(self, X):
        image = super().apply(X)
        return image if len(X) <= 200 else image - 1e-3 * np.nanmean(image, axis=0)


class TransformLearns(RightScaler):
    law = TRACE

    def apply(self, X):
        self.moments_ = self.moments_.merge(Moments.of(X))
        return super().apply(X)


class TransformAdapts(RightScaler):
    """Nothing public changes, but the next rows come out differently."""

    law, unseen = TRACE, True

    def apply(self, X):
        image = super().apply(X)
        if len(X) > 200:
            self.scale_[:] = np.nanstd(X, axis=0)
        return image


class FailedFitDestroys(RightScaler):
    law, unseen = FAILED, True

    def fit(self, X, y=None, sample_weight=None):
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        return super().fit(X, y, sample_weight)


class FailedPartialFitCounts(RightScaler):
    law, unseen = FAILED, True

    def partial_fit(self, X, y=None, sample_weight=None):
        if hasattr(self, "calls_"):
            self.calls_ += 1
        super().partial_fit(X, y, sample_weight)
        self.calls_ = getattr(self, "calls_", 0)
        return self

    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.calls_ = 0
        return self


class AcceptsInfinity(RightScaler):
    law = FAILED

    def admit(self, X, reset):
        X = validate_data(self, X, reset=reset, dtype="numeric", ensure_all_finite=False)
        X = X if X.dtype == np.float32 else X.astype(np.float64)
        return np.where(np.isinf(X), np.nan, X)


class KeepsRows(RightScaler):
    law, unseen = KEPT, True

    def measure(self, X, weights):
        self.rows_ = X.copy()
        return super().measure(X, weights)


class KeepsRowsOutOfSight(RightScaler):
    law, unseen = KEPT, True

    def learn(self, X, sample_weight, earlier):
        super().learn(X, sample_weight, earlier)
        self._lazy = SimpleNamespace(given=X if isinstance(X, np.ndarray) else None)
        return self


class KeepsASketchPerRow(RightScaler):
    law, unseen = KEPT, True

    def measure(self, X, weights):
        self.norms_ = np.nansum(X, axis=1).tolist()
        return super().measure(X, weights)


class WritesIntoRows(RightScaler):
    law, unseen = CALLER, True

    def transform(self, X):
        image = super().transform(X)
        if isinstance(X, np.ndarray) and X.flags.writeable and len(X) > 200:
            X[:] = image
        return image


class WritesIntoWeights(RightScaler):
    law, unseen = CALLER, True

    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, y, sample_weight)
        if isinstance(sample_weight, np.ndarray) and len(X) > 200 and sample_weight.flags.writeable:
            sample_weight /= sample_weight.sum()
        return self


class SortsWhatItMeasures(RightScaler):
    law, unseen = CALLER, True

    def measure(self, X, weights):
        if weights is None and X.flags.writeable and len(X) > 200:
            X.sort(axis=0)
        return super().measure(X, weights)


# Rows back, other shapes, other types ------------------------------------------------------------


class InverseForgetsTheMean(RightScaler):
    law, unseen = INVERSE, True

    def invert(self, X):
        return X * self.scale_


class InverseDividesAgain(RightScaler):
    law, unseen = INVERSE, True

    def invert(self, X):
        return X / self.scale_ + self.mean_


class FitTransformIsAnotherFormula(RightScaler):
    law = BOTH

    def fit_transform(self, X, y=None, sample_weight=None):
        self.fit(X, y, sample_weight)
        X = self.admit(X, reset=False)
        return (X / self.scale_ - self.mean_ / self.scale_).astype(X.dtype)


class AlwaysFloat64(RightScaler):
    law = NARROW

    def transform(self, X):
        return super().transform(X).astype(np.float64)


class CentresInFloat32(RightScaler):
    law, unseen = NARROW, True

    def apply(self, X):
        if X.dtype == np.float64:
            return super().apply(X)
        return (X - self.mean_.astype(np.float32)) / self.scale_.astype(np.float32)


class TakesMemoryOrder(RightScaler):
    law = LAYOUT

    def measure(self, X, weights):
        return super().measure(X.ravel(order="K").reshape(X.shape), weights)


class PicklesToFloat32(RightScaler):
    law, unseen = COPIES, True

    def __getstate__(self):
        state = super().__getstate__()
        if "scale_" not in state:
            return state
        return state | {"scale_": state["scale_"].astype(np.float32).astype(np.float64)}


# Of our own kind ---------------------------------------------------------------------------------


class SolvesAnotherStatistic(StandardScaler):
    law = STATISTIC

    def fit_statistic(self, statistic, feature_names=None):
        return super().fit_statistic(statistic.merge(statistic.of(statistic.mean[None] + 1)))


class LosesTheIndex(StandardScaler):
    law = CONTAINER

    def transform(self, X, copy=None):
        image = super().transform(X, copy)
        return image.reset_index(drop=True) if hasattr(image, "reset_index") else image


class InverseIsAlwaysAnArray(StandardScaler):
    law = CONTAINER

    def inverse_transform(self, X, copy=None):
        return np.asarray(super().inverse_transform(X, copy))


def descendants(kind):
    for child in kind.__subclasses__():
        if child.__module__ == __name__:
            yield child
            yield from descendants(child)


WRONG = [*descendants(RightScaler), *descendants(StandardScaler)]
FAMOUS = [
    VarianceForStd,
    NoCentring,
    FirstHundredRows,
    MeanOfLastFitStays,
    TestBatchNormalizesItself,
]


@pytest.mark.parametrize("right", [RightScaler, StandardScaler])
@pytest.mark.parametrize("law", TRANSFORMER_LAWS)
def test_the_right_one_lives(right, law):
    check_transformer(right(), truth=oracles.standardized, laws=[law])


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_one_dies_of_its_law(wrong):
    if wrong is DependsOnThreads and effective_n_jobs(-1) == 1:
        pytest.skip("on one core there is one number of threads")
    with pytest.raises(AssertionError, match="breaks the law") as death:
        check_transformer(wrong(), truth=oracles.standardized, laws=[wrong.law])
    # It was found out, and did not stumble.
    assert isinstance(death.value.__cause__, AssertionError), death.value


@pytest.mark.parametrize("wrong", FAMOUS)
def test_a_famous_one_dies_of_all_laws_together(wrong):
    with pytest.raises(AssertionError, match="breaks the law"):
        check_transformer(wrong(), truth=oracles.standardized)


def test_every_law_can_be_broken():
    assert {wrong.law for wrong in WRONG} == set(TRANSFORMER_LAWS) - {NOTHING}
    assert len(WRONG) >= 15


UNSEEN = [wrong for wrong in WRONG if getattr(wrong, "unseen", False)]
DEEP = os.environ.get("SKSCALE_TEST_PROFILE") == "deep"


@pytest.mark.parametrize("wrong", UNSEEN if DEEP else FAMOUS)
def test_scikit_learn_does_not_see_it(wrong):
    check_estimator(wrong(), on_skip=None)
