"""Normalizers of rows that are wrong on purpose: the laws have to kill every one."""

import numpy as np
import pytest
from sklearn import preprocessing
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from skscale.testing import TRANSFORMER_LAWS, check_transformer

from .. import oracles
from .test_wrong_scalers import ALONE, FLOATS, MISSING, NOTHING, THREADS, TRUTH

OPTIONS = {"truth": oracles.normalized_rows, "columnwise": False, "rowwise": True}


class RightNormalizer(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Gives every row mean 0 and variance 1, in the plainest way that is right."""

    def fit(self, X, y=None):
        state = dict(vars(self))
        try:
            X = validate_data(self, X, dtype=FLOATS, ensure_all_finite="allow-nan")
        except (TypeError, ValueError):
            self.__dict__ = state
            raise
        self.learn(X)
        return self

    def learn(self, X):
        self.n_rows_ = "any"

    def transform(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=FLOATS, ensure_all_finite="allow-nan")
        # One by one, so that the bits of a sum do not depend on the number of rows.
        return np.array([self.apply(row) for row in X.astype(np.float64)]).astype(X.dtype)

    def apply(self, row):
        deviation = row - np.nanmean(row)
        return deviation / (np.sqrt(np.nanmean(deviation * deviation)) or 1.0)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class DividesByOneLess(RightNormalizer):
    law = TRUTH

    def apply(self, row):
        return super().apply(row) * np.sqrt(1 - 1 / len(row))


class KeepsTheMeanOfAllRows(RightNormalizer):
    law = NOTHING

    def learn(self, X):
        self.mean_ = float(np.nanmean(X))


class CountsTheRows(RightNormalizer):
    law = NOTHING

    def learn(self, X):
        self.n_rows_ = len(X)


class RemembersTheSmallestSpread(RightNormalizer):
    """Without a public attribute; at transform it is what rows are divided by at least."""

    law = NOTHING

    def learn(self, X):
        self.learned_ = True
        self._least = np.nanstd(X, axis=1).min() / 2

    def apply(self, row):
        return (row - np.nanmean(row)) / max(np.nanstd(row), 100 * self._least)


class SeesTheRowBefore(RightNormalizer):
    law = ALONE

    def transform(self, X):
        image = super().transform(X)
        image[1:] += 1e-16 * image[:-1]
        return image


class SumsInAnotherOrder(RightNormalizer):
    """The bits of a row depend on how many there are."""

    law = ALONE

    def transform(self, X):
        image = super().transform(X)
        return image if len(image) < 100 else (image * 3) / 3


class FillsWhatIsMissing(RightNormalizer):
    law = MISSING

    def apply(self, row):
        return np.nan_to_num(super().apply(row))


class OneHoleMakesAllHoles(RightNormalizer):
    law = MISSING

    def apply(self, row):
        return super().apply(row) * (np.nan if np.isnan(row).any() else 1.0)


class HolesMoveOtherRows(RightNormalizer):
    law = MISSING

    def transform(self, X):
        image = super().transform(X)
        return np.where(np.isnan(image), image, image + np.spacing(image) * np.isnan(image).any())


WRONG = RightNormalizer.__subclasses__()


# It has no threads, and takes its time for as many rows as would use them.
@pytest.mark.parametrize("law", [law for law in TRANSFORMER_LAWS if law != THREADS])
def test_the_right_one_lives(law):
    check_transformer(RightNormalizer(), **OPTIONS, laws=[law])


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_one_dies_of_its_law(wrong):
    with pytest.raises(AssertionError, match="breaks the law") as death:
        check_transformer(wrong(), **OPTIONS, laws=[wrong.law])
    assert isinstance(death.value.__cause__, AssertionError), death.value


def test_a_scaler_is_no_normalizer():
    with pytest.raises(AssertionError, match="breaks the law"):
        check_transformer(preprocessing.StandardScaler(), rowwise=True, laws=[NOTHING])


@pytest.mark.parametrize("law", [ALONE, NOTHING, MISSING])
def test_the_incumbent_keeps_them(law):
    check_transformer(preprocessing.Normalizer(), columnwise=False, rowwise=True, laws=[law])
