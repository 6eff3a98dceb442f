"""Searches give what scikit-learn's give, from candidates that share."""

import pickle

import joblib
import numpy as np
import pytest
import sklearn.model_selection
from scipy import sparse, stats
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC

from skscale import PCA, MinMaxScaler, StandardScaler, Whitener
from skscale.errors import SplitError
from skscale.model_selection import GridSearchCV, RandomizedSearchCV
from skscale.statistics import Extrema, Moments, Scatter, Triangle

from ..test_documentation import attribute_faults, entries, undocumented
from .cases import (
    PropagatedListener,
    classifier,
    count_components,
    diabetes,
    frame,
    independent_columns,
    several,
    weights,
    wine,
)

PIPELINE = make_pipeline(StandardScaler(), PCA(3), SVC())
GRID = {"pca__n_components": [2, 5], "svc__C": [0.1, 1.0]}

SEARCHES = {
    "components, whitening, model": lambda: ((PIPELINE, GRID), {}, wine(), {}),
    "regression, train scores": lambda: (
        (
            make_pipeline(StandardScaler(), PCA(), Ridge()),
            {"pca__n_components": range(1, 8), "ridge__alpha": [0.1, 10.0]},
        ),
        {"cv": KFold(4, shuffle=True, random_state=0), "return_train_score": True},
        diabetes(),
        {},
    ),
    "steps exchanged": lambda: (
        (
            Pipeline([("scaler", "passthrough"), ("turn", PCA()), ("model", SVC())]),
            [
                {"scaler": [StandardScaler(), MinMaxScaler(), "passthrough", None]},
                {"turn": [Whitener(), Whitener(shrinkage=0.1), "passthrough"]},
                {"model": [LogisticRegression(C=1e-3)], "scaler": [StandardScaler()]},
            ],
        ),
        {},
        wine(),
        {},
    ),
    "several metrics": lambda: (
        (PIPELINE, GRID),
        {"scoring": ["accuracy", "f1_macro"], "refit": "f1_macro"},
        wine(),
        {},
    ),
    "callable of several metrics": lambda: (
        (PIPELINE, GRID),
        {"scoring": several, "refit": "accuracy"},
        wine(),
        {},
    ),
    "scorer that looks at the estimator": lambda: (
        (PIPELINE, GRID),
        {"scoring": count_components},
        wine(),
        {},
    ),
    "choice by a callable": lambda: (
        (PIPELINE, GRID),
        {"refit": lambda results: int(results["mean_test_score"].argmin())},
        wine(),
        {},
    ),
    "not refitted": lambda: ((PIPELINE, GRID), {"refit": False}, wine(), {}),
    "frame": lambda: ((clone(PIPELINE).set_output(transform="pandas"), GRID), {}, frame(), {}),
    "groups and weights": lambda: (
        (PIPELINE, GRID),
        {"cv": GroupKFold(3)},
        wine(),
        {"groups": np.arange(178) % 5, "standardscaler__sample_weight": weights(178)},
    ),
    "two processes": lambda: ((PIPELINE, GRID), {"n_jobs": 2}, wine(), {}),
    "a splitter with a state": lambda: (
        (PIPELINE, GRID),
        {"cv": ShuffleSplit(3, random_state=np.random.RandomState(0))},
        wine(),
        {},
    ),
    "an ordinary estimator": lambda: ((SVC(), {"C": [0.1, 1.0]}), {}, wine(), {}),
}


def assert_same_search(ours, theirs, X):
    """Two fitted searches agree in all that is not a time."""
    learned = {name for name in vars(theirs) if name.endswith("_")}
    assert {name for name in vars(ours) if name.endswith("_")} == learned
    assert ours.cv_results_.keys() == theirs.cv_results_.keys()
    for key, theirs_of in theirs.cv_results_.items():
        if key == "params" or key.startswith("param_"):
            assert str(ours.cv_results_[key]) == str(theirs_of)
        elif "time" not in key:
            np.testing.assert_allclose(ours.cv_results_[key], theirs_of, rtol=1e-9, atol=1e-9)
    for name in learned & {"best_index_", "n_splits_", "multimetric_"}:
        assert getattr(ours, name) == getattr(theirs, name)
    if "best_estimator_" in learned:
        assert str(ours.best_params_) == str(theirs.best_params_)
        assert type(ours.best_estimator_) is type(theirs.best_estimator_)
        assert vars(ours.best_estimator_).keys() == vars(theirs.best_estimator_).keys()
        assert ours.n_features_in_ == theirs.n_features_in_
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


@pytest.mark.parametrize("case", SEARCHES)
def test_result_is_that_of_scikit_learn(case):
    what, settings, (X, y), given = SEARCHES[case]()
    settings = {"cv": 3} | settings
    ours = GridSearchCV(*what, **settings).fit(X, y, **given)
    what, settings, (X, y), given = SEARCHES[case]()
    settings = {"cv": 3} | settings
    theirs = sklearn.model_selection.GridSearchCV(*what, **settings).fit(X, y, **given)
    assert_same_search(ours, theirs, X)
    if ours.refit:
        assert ours.score(X, y) == theirs.score(X, y)


def test_random_search():
    X, y = wine()
    drawn = {"pca__n_components": stats.randint(1, 9), "svc__C": stats.loguniform(0.01, 10)}

    def fitted(kind, state):
        return kind(PIPELINE, drawn, n_iter=4, random_state=state, cv=3).fit(X, y)

    for make_state in (lambda: 3, lambda: np.random.RandomState(3)):
        ours = fitted(RandomizedSearchCV, make_state())
        theirs = fitted(sklearn.model_selection.RandomizedSearchCV, make_state())
        assert_same_search(ours, theirs, X)


# What is measured -------------------------------------------------------------------------


RIDGE = Pipeline([("scale", StandardScaler()), ("turn", PCA()), ("model", Ridge())])


@pytest.mark.parametrize(
    ("pipeline", "grid", "expected"),
    [
        (
            RIDGE,
            {
                "turn__n_components": [1, 3, 8],
                "turn__whiten": [False, True],
                "model__alpha": [0.1, 1],
            },
            {Scatter: 300},
        ),
        (
            make_pipeline(MinMaxScaler(), Ridge()),
            {"minmaxscaler__feature_range": [(0, 1), (-1, 1), (0, 255)]},
            {Extrema: 300},
        ),
        (RIDGE, {"turn__svd_solver": ["covariance_eigh", "full"]}, {Scatter: 300, Triangle: 300}),
        (RIDGE, {"turn": [PCA(2), Whitener(), PCA(3, whiten=True)]}, {Scatter: 300}),
        (make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [1, 2, 3]}, {Moments: 300}),
    ],
    ids=["after the statistic", "range", "two statistics", "steps exchanged", "model"],
)
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_candidates_do_not_measure_again(pipeline, grid, expected, n_jobs, measured):
    with joblib.parallel_config("threading"):
        GridSearchCV(pipeline, grid, n_jobs=n_jobs, refit=False).fit(*independent_columns())
    assert measured == expected


def test_random_candidates_do_not_measure_again(measured):
    drawn = {"turn__n_components": stats.randint(1, 8), "model__alpha": stats.loguniform(0.01, 10)}
    search = RandomizedSearchCV(RIDGE, drawn, n_iter=8, random_state=0, refit=False)
    search.fit(*independent_columns())
    assert measured == {Scatter: 300}


def test_the_last_fit_is_an_ordinary_one(measured):
    X, y = independent_columns()
    search = GridSearchCV(RIDGE, {"model__alpha": [1, 2]}).fit(X, y)
    assert measured == {Scatter: 600, Moments: 300}
    ordinary = clone(RIDGE).set_params(**search.best_params_).fit(X, y)
    np.testing.assert_array_equal(search.best_estimator_[0].mean_, ordinary[0].mean_)
    np.testing.assert_array_equal(search.best_estimator_[1].components_, ordinary[1].components_)


# The search as an object ------------------------------------------------------------------


def test_what_is_kept():
    X, y = wine()
    search = GridSearchCV(PIPELINE, GRID, cv=KFold(3)).fit(X, y)
    theirs = sklearn.model_selection.GridSearchCV(PIPELINE, GRID, cv=KFold(3)).fit(X, y)
    assert search.estimator is PIPELINE
    assert repr(search.cv) == repr(KFold(3))
    assert vars(search).keys() == vars(theirs).keys() - {"_checked_cv_orig"}
    assert type(search.best_estimator_) is Pipeline
    assert len(pickle.dumps(search)) < 1.1 * len(pickle.dumps(theirs))
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict(X), search.predict(X))
    assert again.score(X, y) == search.score(X, y)
    assert vars(clone(search)).keys() == search.get_params(deep=False).keys()
    assert "StandardScaler" in search._repr_html_()


@pytest.mark.parametrize("cls", [GridSearchCV, RandomizedSearchCV])
def test_parameters_and_attributes_are_documented(cls):
    assert undocumented(cls, entries(cls, "Parameters")) == []
    text = entries(cls, "Attributes")
    search = cls(
        PIPELINE, {"svc__C": [1.0]}, cv=2, **({} if cls is GridSearchCV else {"n_iter": 1})
    )
    model = search.fit(*frame())
    assert attribute_faults(model, text) == []


def test_it_is_a_search_of_scikit_learn():
    assert issubclass(GridSearchCV, sklearn.model_selection.GridSearchCV)
    assert issubclass(RandomizedSearchCV, sklearn.model_selection.RandomizedSearchCV)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"scoring": "beauty"}, ValueError),
        ({"param_grid": {"nobody__C": [1]}}, ValueError),
        ({"cv": [(np.arange(9), [8])]}, SplitError),
        ({"cv": KFold(500)}, ValueError),
        ({"error_score": "raise", "param_grid": {"pca__n_components": [99]}}, ValueError),
        ({"estimator": None}, ValueError),
    ],
    ids=str,
)
def test_a_fit_that_fails_leaves_the_search_as_it_was(change, error):
    X, y = wine()
    search = GridSearchCV(PIPELINE, GRID, cv=3).fit(X, y)
    predicted = search.predict(X)
    before = dict(vars(search.set_params(**change)))
    with pytest.raises(error):
        search.fit(X, y)
    assert vars(search) == before
    np.testing.assert_array_equal(search.best_estimator_.predict(X), predicted)


def test_a_refit_forgets():
    X, y = wine()
    search = GridSearchCV(PIPELINE, GRID, cv=3).fit(X, y)
    search.set_params(refit=False, scoring=["accuracy"]).fit(X, y)
    assert not hasattr(search, "best_estimator_")


def test_candidates_that_fail_have_the_error_score():
    X, y = wine()
    search = GridSearchCV(PIPELINE, {"pca__n_components": [2, 99]}, error_score=-1.0, cv=3)
    with pytest.warns(Warning, match="3 fits failed out of a total of 6"):
        search.fit(X, y)
    assert search.cv_results_["mean_test_score"][1] == -1
    assert search.best_params_ == {"pca__n_components": 2}


def test_rows_and_labels_are_not_changed():
    X, y = (part.copy() for part in wine())
    before = X.copy(), y.copy()
    model = make_pipeline(StandardScaler(copy=False), PCA(3), SVC())
    GridSearchCV(model, {"pca__n_components": [2, 3]}, refit=False).fit(X, y)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(y, before[1])


@pytest.mark.skipif(
    not hasattr(sklearn.model_selection.GridSearchCV, "set_callbacks"),
    reason="scikit-learn has callbacks from 1.9 on",
)
def test_callbacks_are_told_of_every_fit():
    told = []
    for kind in (GridSearchCV, sklearn.model_selection.GridSearchCV):
        callback = PropagatedListener()
        search = kind(make_pipeline(StandardScaler(), PCA()), {"pca__n_components": [1, 2]}, cv=3)
        search.set_callbacks(callback).fit(*wine())
        told.append(sorted(callback.told))
    assert told[0] == told[1]
    assert "StandardScaler" in told[0]


def test_metadata_routing():
    X, y = wine()
    given = {"groups": np.arange(178) % 7, "sample_weight": weights(178)}
    with config_context(enable_metadata_routing=True):
        model = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=True),
            SVC().set_fit_request(sample_weight=True),
        )

        def fitted(kind):
            scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
            settings = {"cv": GroupKFold(3), "scoring": scorer}
            return kind(model, {"svc__C": [0.1, 1.0]}, **settings).fit(X, y, **given)

        assert_same_search(fitted(GridSearchCV), fitted(sklearn.model_selection.GridSearchCV), X)


def test_search_within_a_cross_validation():
    X, y = wine()
    inner = (classifier(), {"pca__n_components": [2, 3]})
    scores = [
        sklearn.model_selection.cross_val_score(kind(*inner, cv=2), X, y, cv=2)
        for kind in (GridSearchCV, sklearn.model_selection.GridSearchCV)
    ]
    np.testing.assert_array_equal(*scores)


def test_a_candidate_that_takes_no_sparse_rows_fails_alone():
    X, y = sparse.random(60, 8, 0.5, format="csr", random_state=0), np.arange(60) % 2
    pipeline = Pipeline([("scaler", StandardScaler(with_mean=False)), ("model", SVC())])
    grid = {"scaler": [StandardScaler(with_mean=False), MinMaxScaler(), "passthrough"]}
    results = []
    for search in (GridSearchCV, sklearn.model_selection.GridSearchCV):
        with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="non-finite"):
            results.append(search(pipeline, grid, cv=3).fit(X, y).cv_results_["mean_test_score"])
    np.testing.assert_allclose(*results, rtol=1e-9)
    assert np.isnan(results[0]).tolist() == [False, True, False]
