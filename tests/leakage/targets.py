"""Targets that leak and targets that do not, each as somebody would write it."""

import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
    minmax_scale,
    quantile_transform,
    scale,
)

import skscale

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(120, 5)) * [1, 10, 0.1, 3, 1] + [0, 5, 0, -2, 1]
CLASSES = (ROWS[:, 0] + RANDOM.normal(size=120) > 0).astype(int)
AMOUNTS = ROWS[:, 1] + RANDOM.normal(size=120)
CITIES = np.array(["Basel", "Chur", "Genf", "Thun"])[RANDOM.integers(0, 4, 120)]
CODES = np.column_stack([RANDOM.integers(0, 4, 120), RANDOM.integers(0, 3, 120)])


@dataclass(frozen=True)
class Case:
    """A target with the data it is for."""

    target: Any
    X: Any = field(default_factory=lambda: ROWS)
    y: Any = None
    order: str | None = None


class BatchScaler(TransformerMixin, BaseEstimator):
    """Standardizes any batch by that batch's own statistics."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return (X - X.mean(axis=0)) / X.std(axis=0)


class LearnsInTransform(TransformerMixin, BaseEstimator):
    """Goes on learning from what it transforms."""

    def fit(self, X, y=None):
        self.mean_, self.n_ = X.mean(axis=0), len(X)
        return self

    def transform(self, X):
        total = self.mean_ * self.n_ + X.sum(axis=0)
        self.n_ += len(X)
        self.mean_ = total / self.n_
        return X - self.mean_


class LargeBatchScaler(BatchScaler):
    """Its own statistics for large batches only, where few look."""

    def fit(self, X, y=None):
        self.mean_, self.scale_ = X.mean(axis=0), X.std(axis=0)
        return super().fit(X)

    def transform(self, X):
        return super().transform(X) if len(X) > 110 else (X - self.mean_) / self.scale_


class RemembersLast(TransformerMixin, BaseEstimator):
    """Honest, and keeps the last thing that it saw."""

    def fit(self, X, y=None):
        self.mean_ = X.mean(axis=0)
        return self

    def transform(self, X):
        self.last_ = X.copy()
        return X - self.mean_


class TopOfBatch(BaseEstimator):
    """An honest decision function, and predictions that call a tenth of any batch outliers."""

    def fit(self, X, y=None):
        self.mean_ = X.mean(axis=0)
        return self

    def decision_function(self, X):
        return np.abs(X - self.mean_).sum(axis=1)

    def predict(self, X):
        far = self.decision_function(X)
        return far > np.quantile(far, 0.9)


class SizeOfBatch(BaseEstimator):
    """Divides by the number of rows that it is given."""

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return X / len(X)


class ScoresOfBatch(BaseEstimator):
    """An honest transform, and scores by the mean of the batch."""

    def fit(self, X, y=None):
        self.mean_ = X.mean(axis=0)
        return self

    def transform(self, X):
        return X - self.mean_

    def predict(self, X):
        raise NotImplementedError

    def score_samples(self, X):
        return X[:, 0] - X[:, 0].mean()


class PlainCentring:
    """Not scikit-learn's: no parameters, no base class."""

    def fit(self, X):
        self.mean = X.mean(axis=0)
        return self

    def transform(self, X):
        return X - self.mean


def rank(X):
    return X.argsort(axis=0).argsort(axis=0)


def fill_columns(X):
    return np.where(np.isnan(X), np.nanmean(X, axis=0), X)


def clip(X):
    return np.clip(X, *np.quantile(X, [0.05, 0.95], axis=0))


def encode_by_label(X, y):
    means = {key: y[X[:, 0] == key].mean() for key in np.unique(X[:, 0])}
    return np.array([means[key] for key in X[:, 0]])


def encode_out_of_fold(X, y):
    encoded = np.empty(len(X))
    for train, test in KFold(4).split(X):
        encoded[test] = (
            TargetEncoder(cv=2, random_state=0).fit(X[train], y[train]).transform(X[test])[:, 0]
        )
    return encoded


def count(X):
    _, inverse, counts = np.unique(X, return_inverse=True, return_counts=True)
    return counts[inverse.ravel()].reshape(np.shape(X))


def group_mean(X):
    means = [X[CODES[: len(X), 0] == code].mean(axis=0) for code in range(4)]
    return X - np.array(means)[CODES[: len(X), 0]]


def own_label(X, y):
    return np.column_stack([X, y])


def smooth_labels(X, y):
    return X, 0.9 * y + 0.1 * y.mean()


def smote(X, y):
    random = np.random.default_rng(0)
    few = np.flatnonzero(y == np.argmin(np.bincount(y)))
    near = NearestNeighbors(n_neighbors=3).fit(X[few]).kneighbors(X[few])[1]
    source = random.integers(0, len(few), 30)
    other = near[source, random.integers(1, 3, 30)]
    share = random.random((30, 1))
    new = X[few[source]] * (1 - share) + X[few[other]] * share
    return np.vstack([X, new]), np.append(y, np.full(30, y[few[0]]))


def oversample_first(X, y, train, test):
    rows, labels = smote(X, y)
    kept = np.setdiff1d(np.arange(len(rows)), test)
    return rows[kept], labels[kept], X[test], y[test]


def oversample_later(X, y, train, test):
    return (*smote(X[train], y[train]), X[test], y[test])


def whiten_first(X, y, train, test):
    Z = skscale.Whitener().fit_transform(X)
    return {"X_train": Z[train], "X_test": Z[test]}


def whiten_later(X, y, train, test):
    whitener = skscale.Whitener().fit(X[train])
    return {"train": whitener.transform(X[train]), "test": whitener.transform(X[test])}


def scale_parts(X, y, train, test):
    return scale(X[train]), scale(X[test])


def encode_parts(X, y, train, test):
    return encode_by_label(X[train], y[train]), encode_by_label(X[test], y[test])


def encode_later(X, y, train, test):
    encoder = TargetEncoder(cv=2, random_state=0)
    return encoder.fit_transform(X[train], y[train]), encoder.transform(X[test])


def select_first(X, y, train, test):
    chosen = SelectKBest(f_classif, k=2).fit(X, y)
    return chosen.transform(X[train]), chosen.transform(X[test])


def deduplicate_first(X, y, train, test):
    first = np.sort(np.unique(X, axis=0, return_index=True)[1])
    return X[np.intersect1d(first, train)], X[test]


def deduplicate_later(X, y, train, test):
    first = np.sort(np.unique(X[train], axis=0, return_index=True)[1])
    return X[train][first], X[test]


def split_labels_too(X, y, train, test):
    scaler = StandardScaler().fit(X[train])
    return scaler.transform(X[train]), scaler.transform(X[test]), np.log(y[train]), np.log(y[test])


def fit_and_return(X, y, train, test):
    model = make_pipeline(StandardScaler(), Ridge()).fit(X[train], y[train])
    return model, model.predict(X[test])


def moving(width, centre):
    """Means over a window that ends at a row, or has it in the middle."""

    def features(X):
        padded = np.vstack([np.zeros((width - 1, X.shape[1])), X, np.zeros((width, X.shape[1]))])
        start = width // 2 if centre else 0
        return np.stack([padded[start + i : start + i + len(X)] for i in range(width)]).mean(axis=0)

    return features


def shift(by):
    def features(X):
        return np.vstack([np.zeros((by, X.shape[1])), X[:-by]])

    return features


def lead(X):
    return np.vstack([X[1:], X[-1:]])


def backward_fill(X):
    filled = X.copy()
    for row in range(len(X) - 2, -1, -1):
        filled[row] = np.where(np.isnan(filled[row]), filled[row + 1], filled[row])
    return filled


def forward_fill(X):
    filled = X.copy()
    for row in range(1, len(X)):
        filled[row] = np.where(np.isnan(filled[row]), filled[row - 1], filled[row])
    return filled


def lagged_label(X, y):
    return np.column_stack([X, np.append(0.0, y[:-1])])


def expanding(X):
    return X - np.cumsum(X, axis=0) / np.arange(1, len(X) + 1)[:, np.newaxis]


def trend(X):
    time = np.arange(len(X))
    return X - np.array([np.polyval(np.polyfit(time, column, 1), time) for column in X.T]).T


def hashed(X):
    return np.array([[zlib.crc32(city.encode()) % 8] for city in X])


LEAKY = {
    "global mean": Case(lambda X: X - X.mean(axis=0)),
    "min-max": Case(minmax_scale),
    "quantile": Case(lambda X: quantile_transform(X, n_quantiles=20, copy=True)),
    "median of float32": Case(lambda X: X - np.median(X, axis=0), X=ROWS.astype("f4")),
    "rank": Case(rank),
    "clipping": Case(clip),
    "imputation by column": Case(fill_columns),
    "imputation by mode": Case(SimpleImputer(strategy="most_frequent").fit_transform, X=ROWS // 3),
    "imputation by neighbour": Case(KNNImputer(n_neighbors=3).fit_transform),
    "target encoding": Case(encode_by_label, X=CODES, y=CLASSES),
    "target encoding, out of fold": Case(encode_out_of_fold, X=CODES, y=CLASSES),
    "target encoding of each part": Case(encode_parts, X=CODES, y=CLASSES),
    "selection by correlation": Case(
        lambda X, y: SelectKBest(f_classif, k=2).fit_transform(X, y), y=CLASSES
    ),
    "selection before a split": Case(select_first, y=CLASSES),
    "own label": Case(own_label, y=CLASSES),
    "label smoothing": Case(smooth_labels, y=CLASSES),
    "frequency of a code": Case(count, X=CODES[:, :1]),
    "frequency of a name": Case(count, X=CITIES),
    "mean of a group": Case(group_mean),
    "PCA": Case(PCA(2, whiten=True).fit_transform),
    "whitening before a split": Case(whiten_first),
    "oversampling before a split": Case(oversample_first, y=CLASSES),
    "deduplication before a split": Case(deduplicate_first),
    "test-batch statistics": Case(BatchScaler()),
    "statistics of large batches": Case(LargeBatchScaler()),
    "predictions by rank in a batch": Case(TopOfBatch()),
    "the size of a batch": Case(SizeOfBatch()),
    "the size of a batch of float32": Case(SizeOfBatch(), X=ROWS.astype("f4")),
    "scores by the mean of a batch": Case(ScoresOfBatch()),
    "each part by itself": Case(scale_parts),
    "FunctionTransformer(scale)": Case(make_pipeline(FunctionTransformer(scale), PCA(2))),
    "FunctionTransformer(scale) before a model": Case(
        make_pipeline(FunctionTransformer(scale), LogisticRegression()), y=CLASSES
    ),
    "learning in transform": Case(LearnsInTransform()),
    "smoothing over time": Case(moving(5, centre=True), order="time"),
    "later rows": Case(lead, order="time"),
    "backward fill": Case(backward_fill, order="time"),
    "a trend": Case(trend, order="time"),
    "a lag without time": Case(shift(1)),
    "scaling over time": Case(scale, order="time"),
}

CLEAN = {
    "lag": Case(shift(2), order="time"),
    "trailing mean": Case(moving(5, centre=False), order="time"),
    "expanding mean": Case(expanding, order="time"),
    "forward fill": Case(forward_fill, order="time"),
    "earlier labels": Case(lagged_label, y=AMOUNTS, order="time"),
    "pipeline over time": Case(make_pipeline(StandardScaler(), Ridge()), y=AMOUNTS, order="time"),
    "logarithm": Case(np.log1p, X=np.abs(ROWS)),
    "fixed map": Case(lambda X: np.column_stack([X, X[:, 0] * X[:, 1], np.tanh(X / 10)])),
    "fixed projection": Case(lambda X: X @ np.random.default_rng(3).normal(size=(5, 3))),
    "norm of rows": Case(lambda X: X / np.linalg.norm(X, axis=1, keepdims=True)),
    "hashing": Case(hashed, X=CITIES),
    "Normalizer": Case(Normalizer()),
    "PolynomialFeatures": Case(PolynomialFeatures(2)),
    "scaler and PCA": Case(make_pipeline(StandardScaler(), PCA(2))),
    "our scaler and PCA": Case(make_pipeline(skscale.StandardScaler(), skscale.PCA(2))),
    "our whitener": Case(skscale.Whitener()),
    "our batch normalizer": Case(skscale.BatchNormalizer()),
    "our min-max in float32": Case(skscale.MinMaxScaler(), X=ROWS.astype("f4")),
    "robust and quantile": Case(make_pipeline(RobustScaler(), QuantileTransformer(n_quantiles=20))),
    "imputation in a pipeline": Case(make_pipeline(KNNImputer(), StandardScaler(), PCA(2))),
    "columns": Case(make_column_transformer((StandardScaler(), [0, 1]), (PCA(1), [2, 3, 4]))),
    "selection in a pipeline": Case(
        make_pipeline(SelectKBest(f_classif, k=2), LogisticRegression()), y=CLASSES
    ),
    "encoding in a pipeline": Case(
        make_pipeline(TargetEncoder(cv=2), LogisticRegression()), X=CODES, y=CLASSES
    ),
    "one-hot": Case(OneHotEncoder(handle_unknown="ignore"), X=CITIES.reshape(-1, 1)),
    "random forest": Case(RandomForestClassifier(5), y=CLASSES),
    "prepare": Case(whiten_later),
    "target encoding in prepare": Case(encode_later, X=CODES, y=CLASSES),
    "oversampling in prepare": Case(oversample_later, y=CLASSES),
    "deduplication in prepare": Case(deduplicate_later),
    "labels in prepare": Case(split_labels_too, y=np.exp(AMOUNTS / 10)),
    "a model in prepare": Case(fit_and_return, y=AMOUNTS),
    "keeps what it saw last": Case(RemembersLast()),
    "of no library": Case(PlainCentring()),
    "fitted before": Case(clone(StandardScaler()).fit(ROWS)),
}
