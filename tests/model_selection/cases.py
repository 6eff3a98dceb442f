"""Cross-validations of all kinds: estimator, table, labels and arguments of `cross_validate`."""

import functools

import numpy as np
from scipy import sparse
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.metrics import accuracy_score, make_scorer, recall_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC

from skscale import PCA, BatchNormalizer, MinMaxScaler, StandardScaler, Whitener

wine = functools.cache(functools.partial(load_wine, return_X_y=True))
diabetes = functools.cache(functools.partial(load_diabetes, return_X_y=True, scaled=False))


def count_components(estimator, X, y):
    """A scorer that looks into the estimator."""
    return len(estimator["pca"].components_) + estimator.score(X, y)


def several(estimator, X, y):
    """A callable of several metrics."""
    predicted = estimator.predict(X)
    return {"accuracy": accuracy_score(y, predicted), "n": len(X)}


class OwnPipeline(Pipeline):
    """A Pipeline with a `fit` of its own."""

    def fit(self, X, y=None, **params):
        return super().fit(X + 1000, y, **params)


class Listener:
    """A callback that notes what is fitted."""

    def __init__(self):
        self.told = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **told):
        self.told.append(type(estimator).__name__)

    def on_fit_task_end(self, estimator, context, **told):
        pass


class PropagatedListener(Listener):
    """The same, for everything within what it is set on."""

    max_propagation_depth = None


def independent_columns():
    """No direction is so weak that PCA looks a second time, at the triangle."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 8))
    return X, X.sum(axis=1) + rng.normal(size=300)


def weights(n_rows):
    return np.random.default_rng(0).uniform(0.5, 2.0, n_rows)


def frame():
    import pandas as pd

    X, y = wine()
    table = pd.DataFrame(X, columns=[f"c{i}" for i in range(X.shape[1])])
    return table.set_axis([f"row {i}" for i in range(len(X))]), pd.Series(y).map(
        {0: "barolo", 1: "grignolino", 2: "barbera"}
    )


def with_missing():
    X, y = diabetes()
    X = X.copy()
    X[np.random.default_rng(0).uniform(size=X.shape) < 0.05] = np.nan
    return X, y


def polars_frame():
    import polars as pl

    X, y = wine()
    return pl.DataFrame(X, schema=[f"c{i}" for i in range(X.shape[1])]), y


def weighted(steps=("standardscaler", "pca", "svc"), n_rows=178):
    return {f"{step}__sample_weight": weights(n_rows) for step in steps}


def same_weights():
    given = weights(178)
    return dict.fromkeys(("standardscaler__sample_weight", "pca__sample_weight"), given)


def classifier(*transformers):
    return make_pipeline(*(transformers or (StandardScaler(), PCA(3))), SVC())


SHARED = {
    "scaler, PCA, ridge": lambda: (
        make_pipeline(StandardScaler(), PCA(5), Ridge()),
        *diabetes(),
        {"cv": KFold(10, shuffle=True, random_state=0), "return_train_score": True},
    ),
    "classification, several metrics": lambda: (
        classifier(),
        *wine(),
        {"scoring": ["accuracy", "f1_macro"], "return_train_score": True, "return_indices": True},
    ),
    "dict of scorers": lambda: (
        classifier(),
        *wine(),
        {"scoring": {"recall": make_scorer(recall_score, average="macro"), "acc": "accuracy"}},
    ),
    "scorer that looks at the estimator": lambda: (
        classifier(),
        *wine(),
        {"scoring": count_components},
    ),
    "callable of several metrics": lambda: (classifier(), *wine(), {"scoring": several}),
    "decisions, range": lambda: (
        make_pipeline(MinMaxScaler(feature_range=(-1, 1)), SVC()),
        *load_breast_cancer(return_X_y=True),
        {"scoring": "roc_auc"},
    ),
    "whitener": lambda: (
        make_pipeline(StandardScaler(), Whitener(shrinkage=0.1), KNeighborsClassifier()),
        *wine(),
        {"cv": RepeatedKFold(n_splits=3, n_repeats=2, random_state=1)},
    ),
    "frame, string labels, set_output": lambda: (
        classifier(StandardScaler(), PCA(4)).set_output(transform="pandas"),
        *frame(),
        {"return_train_score": True},
    ),
    "polars frame": lambda: (classifier(StandardScaler(), PCA(4)), *polars_frame(), {}),
    "groups": lambda: (
        classifier(),
        *wine(),
        {"cv": GroupKFold(4), "groups": np.arange(178) % 7},
    ),
    "weights of the scaler": lambda: (
        classifier(),
        *wine(),
        {"params": weighted(["standardscaler"])},
    ),
    "weights of every step": lambda: (classifier(), *wine(), {"params": weighted()}),
    "the same weights": lambda: (classifier(), *wine(), {"params": same_weights()}),
    "weights of the model": lambda: (
        make_pipeline(StandardScaler(), SVC()),
        *wine(),
        {"params": weighted(["svc"])},
    ),
    "missing values": lambda: (
        make_pipeline(MinMaxScaler(), SimpleImputer(), StandardScaler(), Ridge()),
        *with_missing(),
        {"cv": TimeSeriesSplit(4)},
    ),
    "float32": lambda: (
        make_pipeline(StandardScaler(), PCA(5), Ridge()),
        diabetes()[0].astype(np.float32),
        diabetes()[1],
        {"cv": ShuffleSplit(4, random_state=0)},
    ),
    "sparse": lambda: (
        make_pipeline(StandardScaler(with_mean=False), Ridge(solver="sparse_cg", tol=1e-12)),
        sparse.csr_array(diabetes()[0]),
        diabetes()[1],
        {},
    ),
    "passthrough": lambda: (
        Pipeline([("a", "passthrough"), ("scaler", StandardScaler()), ("b", None), ("svc", SVC())]),
        *wine(),
        {},
    ),
    "ends in a transformer": lambda: (
        make_pipeline(StandardScaler(), PCA(3)),
        wine()[0],
        None,
        {"cv": 4},
    ),
    "wide": lambda: (
        make_pipeline(StandardScaler(), PCA(4), Ridge()),
        np.random.default_rng(0).normal(size=(20, 60)),
        np.arange(20.0),
        {"cv": 4},
    ),
    "selection in between": lambda: (
        classifier(StandardScaler(), SelectKBest(k=6), PCA(3)),
        *wine(),
        {},
    ),
    "lists": lambda: (
        classifier(StandardScaler(), PCA(2)),
        wine()[0].tolist(),
        wine()[1].tolist(),
        {"cv": PredefinedSplit(np.arange(178) % 3)},
    ),
    "two processes": lambda: (classifier(), *wine(), {"n_jobs": 2, "return_train_score": True}),
    "splits as a generator": lambda: (
        classifier(),
        *wine(),
        {"cv": KFold(3, shuffle=True, random_state=2).split(wine()[0])},
    ),
}
"""Pipelines whose first steps share."""

ORDINARY = {
    "target transformed": lambda: (
        TransformedTargetRegressor(
            make_pipeline(StandardScaler(), PCA(5), Ridge()), transformer=StandardScaler()
        ),
        *diabetes(),
        {},
    ),
    "columns apart": lambda: (
        make_pipeline(
            ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", MinMaxScaler(), [2, 3])]),
            Ridge(),
        ),
        *diabetes(),
        {},
    ),
    "batches": lambda: (
        make_pipeline(BatchNormalizer(batch_size=32, momentum=0.1), Ridge()),
        *diabetes(),
        {},
    ),
    "a Pipeline of somebody else": lambda: (
        OwnPipeline([("scaler", StandardScaler()), ("model", Ridge())]),
        *diabetes(),
        {},
    ),
    "no transformer": lambda: (
        RandomForestClassifier(n_estimators=5, random_state=0),
        *wine(),
        {"scoring": "accuracy"},
    ),
    "one transformer": lambda: (PCA(3), wine()[0], None, {}),
}
"""Estimators that do not share."""
